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

struct options {
    const char *values[OPTION_MAX]; /* NULL: not set and without default */
};

/*
 * Parses `--flag value`, `--flag=value`, and the short forms -f (file), -n (namespace)
 * and -o (output). `command` is the command's letter. FAULT_SPEC names what is wrong.
 */
MUST_CHECK bool options_parse(char command, int argc, char *const *argv,
                              struct options *out_options, struct fault *fault);
/* The flags of one command, for --help. */
void options_print_help(char command, struct buf *out);

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
