#include "cmd/options.h"

#include "model/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct option_row {
    const char *flag, *value, *environment, *otherwise, *commands, *help;
};

static const struct option_row ROWS[] = {
#define OPTION(id, flag, value, environment, otherwise, commands, help)                  \
    {flag, value, environment, otherwise, commands, help},
#include "cmd/options.def"
#undef OPTION
};

static const struct {
    const char *short_form, *flag;
} SHORT[] = {{"-f", "file"},
             {"-n", "namespace"},
             {"-A", "all-namespaces"},
             {"-o", "output"},
             {"-h", "help"}};

static int find_flag(char command, struct sv name)
{
    for (int i = 0; i < OPTION_MAX; i++) {
        if (sv_eq(sv_from(ROWS[i].flag), name) &&
            strchr(ROWS[i].commands, command) != NULL) {
            return i;
        }
    }
    return -1;
}

/* "-ojson" and "-o=json", as kubectl takes them. */
static struct sv short_name(const char *word, struct sv *out_value, bool *out_has_value)
{
    struct sv text = sv_from(word);

    for (size_t i = 0; i < COUNT_OF(SHORT); i++) {
        if (sv_starts(text, sv_from(SHORT[i].short_form))) {
            struct sv rest = sv_sub(text, 2, text.n);

            *out_has_value = rest.n > 0;
            *out_value = sv_starts(rest, SV("=")) ? sv_sub(rest, 1, rest.n) : rest;
            return sv_from(SHORT[i].flag);
        }
    }
    return SV_NULL;
}

static struct sv flag_name(const char *word, struct sv *out_value, bool *out_has_value)
{
    struct sv name = sv_from(word);
    size_t equals = 0;

    *out_has_value = false;
    if (!sv_starts(name, SV("--"))) {
        return short_name(word, out_value, out_has_value);
    }
    name = sv_sub(name, 2, name.n);
    equals = sv_find(name, SV("="));
    if (equals != SIZE_MAX) {
        *out_value = sv_sub(name, equals + 1, name.n);
        *out_has_value = true;
        name = sv_sub(name, 0, equals);
    }
    return name;
}

static void set_defaults(char command, struct options *options)
{
    for (int i = 0; i < OPTION_MAX; i++) {
        const char *set =
            ROWS[i].environment == NULL ? NULL : getenv(ROWS[i].environment);

        options->values[i] = NULL;
        if (strchr(ROWS[i].commands, command) != NULL) {
            options->values[i] = set != NULL && *set != '\0' ? set : ROWS[i].otherwise;
        }
    }
}

/* Whether the argument is a word that was taken. */
static bool take_word(const char *argument, size_t words_max, struct options *options)
{
    bool is_word = argument[0] != '-' && options->words_n < words_max;

    if (is_word) {
        options->words[options->words_n++] = argument;
    }
    return is_word;
}

bool options_parse(char command, size_t words_max, int argc, char *const *argv,
                   struct options *out_options, struct fault *fault)
{
    struct options options = {.command = command};

    must(words_max <= OPTIONS_WORDS_MAX);
    set_defaults(command, &options);
    for (int i = 0; i < argc; i++) {
        struct sv value = SV_NULL;
        bool has_value = false;
        struct sv name = flag_name(argv[i], &value, &has_value);
        int row = name.n == 0 ? -1 : find_flag(command, name);

        if (row < 0 && take_word(argv[i], words_max, &options)) {
            continue;
        }
        if (row < 0 || (ROWS[row].value == NULL && has_value && argv[i][1] != '-')) {
            return fault_set(fault, FAULT_SPEC, NULL, "unknown argument '%s'; see --help",
                             argv[i]);
        }
        if (ROWS[row].value == NULL) {
            options.values[row] = has_value ? value.p : "true";
        } else if (has_value) {
            options.values[row] = value.p;
        } else if (i + 1 < argc) {
            options.values[row] = argv[++i];
        } else {
            return fault_set(fault, FAULT_SPEC, NULL, "--%s needs a value: %s",
                             ROWS[row].flag, ROWS[row].value);
        }
    }
    *out_options = options;
    return true;
}

/* "-f" for "file"; NULL when a flag has no short form. */
static const char *short_form(const char *flag)
{
    for (size_t i = 0; i < COUNT_OF(SHORT); i++) {
        if (strcmp(SHORT[i].flag, flag) == 0) {
            return SHORT[i].short_form;
        }
    }
    return NULL;
}

void options_print_help(char command, struct buf *out)
{
    for (int i = 0; i < OPTION_MAX; i++) {
        char flag[64];
        const struct option_row *row = &ROWS[i];
        const char *brief = short_form(row->flag);

        if (strchr(row->commands, command) == NULL) {
            continue;
        }
        (void)snprintf(flag, sizeof(flag), "%s%s--%s%s%s", brief == NULL ? "  " : brief,
                       brief == NULL ? "  " : ", ", row->flag, row->value ? " " : "",
                       row->value ? row->value : "");
        buf_addf(out, "  %-38s %s", flag, row->help);
        if (row->otherwise != NULL && row->otherwise[0] != '\0') {
            buf_addf(out, " (default %s)", row->otherwise);
        }
        if (row->environment != NULL) {
            buf_addf(out, " [%s]", row->environment);
        }
        buf_addc(out, '\n');
    }
}

const char *options_flag(char command, size_t index, bool *out_takes_value)
{
    for (int i = 0; i < OPTION_MAX; i++) {
        if (strchr(ROWS[i].commands, command) != NULL && index-- == 0) {
            *out_takes_value = ROWS[i].value != NULL;
            return ROWS[i].flag;
        }
    }
    return NULL;
}

bool options_int(const struct options *options, enum option option, int64_t low,
                 int64_t high, int64_t *out_value, struct fault *fault)
{
    int64_t value = 0;

    if (!sv_int64(sv_from(options->values[option]), &value) || value < low ||
        value > high) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "--%s is '%s'; it must be a number from "
                         "%lld to %lld",
                         ROWS[option].flag,
                         options->values[option] == NULL ? "" : options->values[option],
                         (long long)low, (long long)high);
    }
    *out_value = value;
    return true;
}

bool options_switch(const struct options *options, enum option option, bool *out_on,
                    struct fault *fault)
{
    const char *value = options->values[option];

    if (value != NULL && strcmp(value, "true") != 0 && strcmp(value, "false") != 0) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "--%s (%s) is '%s'; it must be true or false", ROWS[option].flag,
                         ROWS[option].environment == NULL ? "" : ROWS[option].environment,
                         value);
    }
    *out_on = value != NULL && strcmp(value, "true") == 0;
    return true;
}

bool options_duration(const struct options *options, enum option option, int64_t low_ms,
                      int64_t *out_ms, struct fault *fault)
{
    int64_t ms = duration_parse_ms(options->values[option]);

    if (ms < low_ms) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "--%s is '%s'; it must be a duration like 30s, 5m or 1h30m, at "
                         "least %lld ms",
                         ROWS[option].flag, options->values[option], (long long)low_ms);
    }
    *out_ms = ms;
    return true;
}
