/* The audit log of the running controller, page by page: it answers in bounded pieces. */
#include "cmd/history.h"
#include "cmd/kubectl/ask.h"

#include <stdio.h>
#include <string.h>

#define RUNS_PAGE 500
#define LOGS_PAGE 50
#define NUMBER_SIZE 24

/* Oldest last for runs, oldest first for what they did: as the file is read. */
static struct json *joined(const struct json *older, const struct json *newer)
{
    struct json *list = json_new_array();

    for (const struct json *e = json_first(older); e != NULL; e = json_next(e)) {
        json_push(list, json_clone(e));
    }
    for (const struct json *e = json_first(newer); e != NULL; e = json_next(e)) {
        json_push(list, json_clone(e));
    }
    return list;
}

static const char *page_path(struct kubectl *k, const struct audit_filter *f, bool logs,
                             int64_t limit, int64_t before)
{
    char run[NUMBER_SIZE], most[NUMBER_SIZE], from[NUMBER_SIZE];
    const char *pairs[] = {"namespace", f->namespace, "name", f->name,  "limit",
                           most,        "run",        run,    "before", from};
    const char *path = logs ? "/audit/logs" : "/audit/runs";
    const char *given[COUNT_OF(pairs) + 2] = {NULL};
    size_t n = 0;

    (void)snprintf(most, sizeof(most), "%lld", (long long)limit);
    (void)snprintf(run, sizeof(run), "%lld", (long long)f->run);
    (void)snprintf(from, sizeof(from), "%lld", (long long)before);
    for (size_t i = 0; i < COUNT_OF(pairs); i += 2) {
        bool absent = pairs[i + 1] == NULL || strcmp(pairs[i + 1], "0") == 0;

        if (!absent) {
            given[n++] = pairs[i];
            given[n++] = pairs[i + 1];
        }
    }
    return kube_path_query(k->arena, path, given[0], given[1], given[2], given[3],
                           given[4], given[5], given[6], given[7], given[8], given[9],
                           NULL);
}

static bool read_page(struct kubectl *k, struct asked *asked,
                      const struct audit_filter *f, bool logs, int64_t limit,
                      int64_t before, struct json **out_page, struct fault *fault)
{
    AUTO(buf_deinit) struct buf body = {0};

    buf_init(&body, KUBECTL_TEXT_MAX);
    return asked_get(asked, page_path(k, f, logs, limit, before), &body, fault) &&
           json_parse(buf_sv(&body), KUBECTL_TEXT_MAX, out_page, fault);
}

static void add_page(struct json **history, const struct json *page, bool logs)
{
    struct json *all = NULL;

    if (!logs) {
        all = joined(*history, json_get(page, "runs"));
        json_free(*history);
        *history = all;
        return;
    }
    static const char *const KEYS[] = {"steps", "logs"};
    for (size_t i = 0; i < COUNT_OF(KEYS); i++) {
        all = joined(json_get(page, KEYS[i]), json_get(*history, KEYS[i]));
        json_set(*history, KEYS[i], all);
    }
}

/* What does not fit into one answer is asked for by fewer runs. */
static bool read_pages(struct kubectl *k, struct asked *asked,
                       const struct audit_filter *f, bool logs, struct json **history,
                       struct fault *fault)
{
    int64_t left = f->limit, before = 0, page_runs = logs ? LOGS_PAGE : RUNS_PAGE;

    while (left > 0) {
        AUTO(json_freep) struct json *page = NULL;
        struct fault why = FAULT_INIT;
        int64_t limit = left < page_runs ? left : page_runs;

        if (!read_page(k, asked, f, logs, limit, before, &page, &why)) {
            if (strcmp(why.reason, "AnswerTooLarge") != 0 || limit == 1) {
                *fault = why;
                return false;
            }
            page_runs = limit / 2;
            continue;
        }
        add_page(history, page, logs);
        before = json_int(json_get(page, "next"), 0);
        left = before == 0 ? 0 : left - limit;
    }
    return true;
}

bool asked_history(struct kubectl *k, struct asked *asked,
                   const struct audit_filter *filter, bool logs,
                   struct json **out_history, struct fault *fault)
{
    AUTO(json_freep) struct json *history = NULL;
    const char *file = k->options->values[OPTION_AUDIT_FILE];

    if (file != NULL) {
        return history_read(file, filter, logs, out_history, fault);
    }
    if ((asked->pod == NULL && !asked_find(k, asked, fault)) ||
        (asked->debug == NULL && !asked_open(asked, false, fault))) {
        return false;
    }
    history = logs ? json_new_object() : json_new_array();
    if (logs) {
        (void)json_set_array(history, "steps");
        (void)json_set_array(history, "logs");
    }
    if (!read_pages(k, asked, filter, logs, &history, fault)) {
        return false;
    }
    *out_history = TAKE(history);
    return true;
}
