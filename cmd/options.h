/*
 * options: one table of flags for all commands (options.def). A flag given on the command
 * line beats its environment variable, which beats the default.
 */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include "base/buf.h"
#include "base/fault.h"

enum option {
#define OPTION(id, flag, value, environment, otherwise, commands, help) OPTION_##id,
#include "cmd/options.def"
#undef OPTION
    OPTION_MAX
};

#define OPTIONS_WORDS_MAX 16

struct options {
    char command;                         /* the command's letter */
    const char *values[OPTION_MAX];       /* NULL: not set and without default */
    const char *words[OPTIONS_WORDS_MAX]; /* arguments that are no flags */
    size_t words_n;
};

/*
 * Parses `--flag value`, `--flag=value`, and the short forms -f (file), -n (namespace),
 * -A (all-namespaces) and -o (output), also as `-ojson`. `command` is the command's
 * letter, which may be followed by at most words_max words. FAULT_SPEC names what is
 * wrong.
 */
MUST_CHECK bool options_parse(char command, size_t words_max, int argc, char *const *argv,
                              struct options *out_options, struct fault *fault);
/* The flags of one command, for --help. */
void options_print_help(char command, struct buf *out);
/* The i-th flag of a command, without dashes, for completion; NULL past the end.
 * *out_takes_value: it is no switch. */
const char *options_flag(char command, size_t index, bool *out_takes_value);

/* Typed readers; FAULT_SPEC names flag and value. */
MUST_CHECK bool options_int(const struct options *options, enum option option,
                            int64_t low, int64_t high, int64_t *out_value,
                            struct fault *fault);
/* true, false or not given (false); an environment variable may say either. */
MUST_CHECK bool options_switch(const struct options *options, enum option option,
                               bool *out_on, struct fault *fault);
MUST_CHECK bool options_duration(const struct options *options, enum option option,
                                 int64_t low_ms, int64_t *out_ms, struct fault *fault);

#endif
