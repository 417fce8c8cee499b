/* `tablesync runs` and `tablesync logs`: reading the audit log, also while it is written.
 */
#include "cmd/cmd.h"
#include "cmd/history.h"

#include <string.h>

static bool read_filter(const struct options *options, struct audit_filter *out_filter,
                        struct fault *fault)
{
    const char *output = options->values[OPTION_OUTPUT];

    out_filter->namespace = options->values[OPTION_NAMESPACE];
    out_filter->name = options->values[OPTION_NAME];
    if (!options_int(options, OPTION_LIMIT, 1, 100000, &out_filter->limit, fault)) {
        return false;
    }
    if (options->values[OPTION_RUN] != NULL &&
        !options_int(options, OPTION_RUN, 1, INT64_MAX, &out_filter->run, fault)) {
        return false;
    }
    if (strcmp(output, "table") != 0 && strcmp(output, "json") != 0) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "--output is '%s'; it must be table or json", output);
    }
    return true;
}

static int run(const struct options *options, bool logs)
{
    AUTO(json_freep) struct json *history = NULL;
    struct audit_filter filter = {0};
    struct fault fault = FAULT_INIT;

    if (!read_filter(options, &filter, &fault) ||
        !history_read(options->values[OPTION_AUDIT_DB], &filter, logs, &history,
                      &fault)) {
        return command_failed(&fault);
    }
    if (strcmp(options->values[OPTION_OUTPUT], "json") == 0) {
        return command_print_json(history);
    }
    if (logs) {
        history_print_logs(history);
    } else {
        history_print_runs(history);
    }
    return EXIT_OK;
}

int command_runs(const struct options *options)
{
    return run(options, false);
}

int command_logs(const struct options *options)
{
    return run(options, true);
}
