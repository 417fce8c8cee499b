#include "model/problems.h"

#include <stdio.h>
#include <string.h>

/* Below the fault's own room, so that the object's name always fits in front. */
#define PROBLEMS_CEILING 1200
#define VALUE_SHOWN_BYTES 60
#define JOINT "; "

void problems_init(struct problems *problems)
{
    *problems = (struct problems){.count = 0};
    buf_init(&problems->text, PROBLEMS_CEILING);
}

void problems_deinit(struct problems *problems)
{
    buf_deinit(&problems->text);
}

void problems_add(struct problems *problems, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vaddf(&problems->text, format, args);
    va_end(args);
    buf_addz(&problems->text, JOINT);
    problems->count++;
}

bool problems_none(const struct problems *problems, const char *kind,
                   const char *namespace, const char *name, struct fault *fault)
{
    if (problems->count == 0) {
        return true;
    }
    struct sv list = buf_sv(&problems->text);
    if (sv_ends(list, SV(JOINT))) {
        list = sv_sub(list, 0, list.n - strlen(JOINT));
    }
    const char *blank = name[0] == '\0' ? "" : " ";
    const char *slash = namespace[0] == '\0' ? "" : "/";
    const char *more = buf_overflowed(&problems->text) ? JOINT "and more" : "";
    return fault_set(fault, FAULT_SPEC, NULL, "%s%s%.63s%s%.253s: %.*s%s", kind, blank,
                     namespace, slash, name, SV_ARGS(list), more);
}

void problem_value(const struct json *node, char out_text[PROBLEM_VALUE_MAX])
{
    const char *quote = json_kind(node) == JSON_STRING ? "\"" : "";
    struct buf printed AUTO(buf_deinit) = {0};
    buf_init(&printed, 4096);
    if (quote[0] != '\0') {
        buf_add(&printed,
                sv_utf8_prefix(sv_from(json_string(node)), VALUE_SHOWN_BYTES + 1));
    } else {
        json_print(node, &printed);
    }
    struct sv whole = buf_sv(&printed);
    struct sv shown = sv_utf8_prefix(whole, VALUE_SHOWN_BYTES);
    (void)snprintf(out_text, PROBLEM_VALUE_MAX, "%s%.*s%s%s", quote, SV_ARGS(shown),
                   quote, shown.n < whole.n ? "..." : "");
    for (char *c = out_text; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            *c = '?';
        }
    }
}
