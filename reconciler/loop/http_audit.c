/* Pages of the audit log on the debug listener. */
#include "loop/http_private.h"

#include <microhttpd.h>
#include <stdio.h>

/* Escapes may make of a byte six. */
#define PAGE_BYTES_MAX (HTTP_AUDIT_BYTES_MAX * 8)

/* A number that may be left out; false: it is none, or out of range. */
static bool number(struct MHD_Connection *connection, const char *name, int64_t high,
                   int64_t *out_value)
{
    const char *text = http_argument(connection, name);
    int64_t value = 0;

    if (text == NULL) {
        return true;
    }
    if (!sv_int64(sv_from(text), &value) || value < 1 || value > high) {
        return false;
    }
    *out_value = value;
    return true;
}

static const char *text_argument(struct MHD_Connection *connection, const char *name)
{
    const char *text = http_argument(connection, name);

    return text == NULL || text[0] == '\0' ? NULL : text;
}

static unsigned status_of(const struct fault *fault)
{
    switch (fault->class) {
    case FAULT_SPEC:
        return MHD_HTTP_CONTENT_TOO_LARGE;
    case FAULT_UNAVAILABLE:
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    case FAULT_NONE:
    case FAULT_CONFLICT:
    case FAULT_DENIED:
    case FAULT_REFUSED:
    case FAULT_CANCELLED:
    case FAULT_BUG:
    case FAULT_MAX:
        break;
    }
    return MHD_HTTP_INTERNAL_SERVER_ERROR;
}

static int answer_page(struct http *http, struct MHD_Connection *connection,
                       const struct audit_filter *filter, bool logs)
{
    AUTO(buf_deinit) struct buf text = {0};
    struct fault fault = FAULT_INIT;

    buf_init(&text, PAGE_BYTES_MAX);
    if (!http->answers.audit(http->answers.context, filter, logs, &text, &fault)) {
        return http_answer(connection, status_of(&fault), NULL, sv_from(fault.text));
    }
    return http_answer(connection, MHD_HTTP_OK, "application/json", buf_sv(&text));
}

bool http_audit(struct http *http, struct MHD_Connection *connection, struct sv path,
                int *out_result)
{
    bool logs = sv_eq(path, SV("/audit/logs"));
    struct audit_filter filter = {.namespace = text_argument(connection, "namespace"),
                                  .name = text_argument(connection, "name"),
                                  .limit = HTTP_RUNS_DEFAULT,
                                  .bytes_max = HTTP_AUDIT_BYTES_MAX};

    if (http->answers.audit == NULL || (!logs && !sv_eq(path, SV("/audit/runs")))) {
        return false;
    }
    *out_result =
        number(connection, "run", INT64_MAX, &filter.run) &&
                number(connection, "before", INT64_MAX, &filter.before) &&
                number(connection, "limit", HTTP_RUNS_MAX, &filter.limit)
            ? answer_page(http, connection, &filter, logs)
            : http_answer(connection, MHD_HTTP_BAD_REQUEST, NULL,
                          SV("run, before and limit are numbers from 1 on, limit at "
                             "most 1000\n"));
    return true;
}
