/* /healthz, /livez and /readyz: names, lines and words of controller-runtime v0.24
 * pkg/healthz/healthz.go. */
#include "loop/http_private.h"

#include <microhttpd.h>

#define HEALTH_BYTES_MAX ((size_t)16 * 1024)
#define EXCLUDED_MAX 16

/* The names of ?exclude=, which may be given several times. */
struct excluded {
    const char *names[EXCLUDED_MAX];
    bool used[EXCLUDED_MAX];
    size_t count;
};

static enum MHD_Result add_excluded(void *context, enum MHD_ValueKind kind,
                                    const char *key, const char *value)
{
    struct excluded *excluded = context;

    (void)kind;
    if (strcmp(key, "exclude") == 0 && value != NULL && value[0] != '\0' &&
        excluded->count < EXCLUDED_MAX) {
        excluded->names[excluded->count++] = value;
    }
    return MHD_YES;
}

static bool is_excluded(struct excluded *excluded, const char *name)
{
    bool found = false;

    for (size_t i = 0; i < excluded->count; i++) {
        if (strcmp(excluded->names[i], name) == 0) {
            excluded->used[i] = found = true;
        }
    }
    return found;
}

static bool is_good(const struct http *http, const struct http_check *check)
{
    return check->good == NULL || check->good(http->answers.context);
}

/* Appends the row of one check; whether it counts as passed. */
static bool add_row(const struct http *http, const struct http_check *check,
                    struct excluded *excluded, struct buf *out)
{
    char detail[HTTP_DETAIL_SIZE] = "";
    bool good = true;

    if (is_excluded(excluded, check->name)) {
        buf_addf(out, "[+]%s excluded: ok\n", check->name);
        return true;
    }
    good = is_good(http, check);
    if (good && check->detail != NULL) {
        check->detail(http->answers.context, detail);
    }
    if (good) {
        buf_addf(out, "[+]%s %s\n", check->name, detail[0] == '\0' ? "ok" : detail);
    } else {
        buf_addf(out, "[-]%s failed: reason withheld\n", check->name);
    }
    return good;
}

static int answer_all(const struct http *http, struct MHD_Connection *connection,
                      struct sv name, const struct http_check *checks)
{
    AUTO(buf_deinit) struct buf text = {0};
    struct excluded excluded = {.count = 0};
    bool good = true;

    buf_init(&text, HEALTH_BYTES_MAX);
    (void)MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_excluded,
                                    &excluded);
    for (size_t i = 0; i < HTTP_CHECKS_MAX && checks[i].name != NULL; i++) {
        good = add_row(http, &checks[i], &excluded, &text) && good;
    }
    for (size_t i = 0; i < excluded.count; i++) {
        if (!excluded.used[i]) {
            buf_addf(&text, "warn: no check is called \"%s\"\n", excluded.names[i]);
        }
    }
    buf_addf(&text, "%.*s check %s\n", SV_ARGS(name), good ? "passed" : "failed");
    if (good && http_argument(connection, "verbose") == NULL) {
        buf_clear(&text);
        buf_addz(&text, "ok\n");
    }
    return http_answer(connection, good ? MHD_HTTP_OK : MHD_HTTP_INTERNAL_SERVER_ERROR,
                       NULL, buf_sv(&text));
}

static int answer_one(const struct http *http, struct MHD_Connection *connection,
                      struct sv name, const struct http_check *checks)
{
    for (size_t i = 0; i < HTTP_CHECKS_MAX && checks[i].name != NULL; i++) {
        if (sv_eq(name, sv_from(checks[i].name))) {
            return is_good(http, &checks[i])
                       ? http_answer(connection, MHD_HTTP_OK, NULL, SV("ok\n"))
                       : http_answer(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, NULL,
                                     SV("failed: reason withheld\n"));
        }
    }
    return http_answer(connection, MHD_HTTP_NOT_FOUND, NULL, SV("not found\n"));
}

bool http_health(struct http *http, struct MHD_Connection *connection, struct sv path,
                 int *out_result)
{
    const struct {
        struct sv name;
        const struct http_check *checks;
    } groups[] = {{SV("healthz"), http->answers.live},
                  {SV("livez"), http->answers.live},
                  {SV("readyz"), http->answers.ready}};
    struct sv rest = sv_sub(path, 1, path.n);
    bool whole = sv_find(rest, SV("/")) == SIZE_MAX || sv_ends(rest, SV("/"));

    if (!sv_starts(path, SV("/"))) {
        return false;
    }
    struct sv group = sv_cut(&rest, '/');
    for (size_t i = 0; i < COUNT_OF(groups); i++) {
        if (sv_eq(group, groups[i].name)) {
            *out_result = whole && rest.n == 0
                              ? answer_all(http, connection, group, groups[i].checks)
                              : answer_one(http, connection, rest, groups[i].checks);
            return true;
        }
    }
    return false;
}
