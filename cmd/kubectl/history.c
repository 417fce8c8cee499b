/* `kubectl tablesync runs` and `logs`. */
#include "cmd/history.h"
#include "cmd/kubectl/ask.h"

#include <string.h>

static bool read_filter(struct kubectl *k, struct audit_filter *out_filter,
                        struct fault *fault)
{
    struct audit_filter filter = {.namespace = k->namespace};

    if (!options_int(k->options, OPTION_LIMIT, 1, 100000, &filter.limit, fault) ||
        (k->options->values[OPTION_RUN] != NULL &&
         !options_int(k->options, OPTION_RUN, 1, INT64_MAX, &filter.run, fault)) ||
        (k->options->words_n > 0 && !kubectl_name(k->options, &filter.name, fault))) {
        return false;
    }
    *out_filter = filter;
    return true;
}

static int history(struct kubectl *k, bool logs, struct fault *fault)
{
    AUTO(asked_close) struct asked asked = {0};
    AUTO(json_freep) struct json *found = NULL;
    struct audit_filter filter = {0};

    if (!read_filter(k, &filter, fault) ||
        !asked_history(k, &asked, &filter, logs, &found, fault)) {
        return -1;
    }
    if (k->output != OUTPUT_TABLE) {
        return kubectl_print(k, found);
    }
    if (logs) {
        history_print_logs(found);
    } else {
        history_print_runs(found);
    }
    return EXIT_OK;
}

int kubectl_runs(struct kubectl *k, struct fault *fault)
{
    return history(k, false, fault);
}

int kubectl_logs(struct kubectl *k, struct fault *fault)
{
    return history(k, true, fault);
}
