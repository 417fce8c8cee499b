#include "kube/errors.h"

#define STATUS_BYTES_MAX ((size_t)1024 * 1024)
#define SENTENCE_BYTES_MAX ((size_t)64 * 1024)
#define MESSAGE_BYTES_MAX ((size_t)4 * 1024)
#define FOREIGN_BODY_BYTES                                                               \
    200 /* of an answer that is not a Status: a proxy's page, say */

/* The first row whose code and reason fit counts; reason NULL fits all, code 0 too. */
struct row {
    int code;
    const char *status_reason;
    enum kube_outcome outcome; /* 0: a fault */
    enum fault_class class;
    const char *reason; /* of the condition */
    const char *advice;
};

static const struct row rows[] = {
    {400, NULL, 0, FAULT_BUG, "BadRequest",
     "the server does not understand the request; its version may be too old"},
    {401, NULL, 0, FAULT_DENIED, "Unauthorized",
     "check that the token or client certificate is valid for this cluster"},
    {403, NULL, 0, FAULT_DENIED, "Forbidden", NULL},
    {404, NULL, KUBE_NOT_FOUND, FAULT_NONE, NULL, NULL},
    {409, "AlreadyExists", KUBE_EXISTS, FAULT_NONE, NULL, NULL},
    {409, NULL, KUBE_CONFLICT, FAULT_NONE, NULL, NULL},
    {410, NULL, KUBE_GONE, FAULT_NONE, NULL, NULL},
    {413, NULL, 0, FAULT_BUG, "RequestTooLarge",
     "the object is larger than the server takes"},
    {415, NULL, 0, FAULT_BUG, "UnsupportedMediaType",
     "the server is too old for this kind of patch"},
    {422, NULL, KUBE_INVALID, FAULT_NONE, NULL, NULL},
    {429, NULL, 0, FAULT_UNAVAILABLE, "TooManyRequests",
     "retried when the server allows it"},
    {500, NULL, 0, FAULT_UNAVAILABLE, "ServerError", "retried; see the API server's log"},
    {503, NULL, 0, FAULT_UNAVAILABLE, "Unavailable",
     "retried; the API server is not ready"},
    {504, NULL, 0, FAULT_UNAVAILABLE, "Timeout", "retried; the API server was too slow"},
};

static const struct row client_error = {
    0, NULL, 0, FAULT_BUG, "BadRequest", "the server refuses the request"};
static const struct row server_error = {
    0, NULL, 0, FAULT_UNAVAILABLE, "ServerError", "retried; see the API server's log"};
static const struct row not_an_api = {
    0,
    NULL,
    0,
    FAULT_UNAVAILABLE,
    "BadAnswer",
    "what answers is not a Kubernetes API server; check the server address and proxies"};

static const struct row *row_find(int code, const char *status_reason)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].code == code &&
            (rows[i].status_reason == NULL ||
             sv_eq(sv_from(rows[i].status_reason), sv_from(status_reason)))) {
            return &rows[i];
        }
    }
    if (code >= 500) {
        return &server_error;
    }
    return code >= 400 ? &client_error : &not_an_api;
}

void errors_describe(const struct errors_call *call, struct buf *out)
{
    buf_addf(out, "%s %s", call->verb, call->resource->plural);
    if (call->resource->group[0] != '\0') {
        buf_addf(out, ".%s", call->resource->group);
    }
    if (call->subresource != NULL) {
        buf_addf(out, "/%s", call->subresource);
    }
    if (call->name != NULL && call->namespace != NULL) {
        buf_addf(out, " %s/%s", call->namespace, call->name);
    } else if (call->name != NULL) {
        buf_addf(out, " %s", call->name);
    } else if (call->namespace != NULL) {
        buf_addf(out, " in namespace %s", call->namespace);
    } else {
        buf_addz(out, " in all namespaces");
    }
}

/* The rule a cluster administrator can paste into a Role. */
static void add_missing_rule(const struct errors_call *call, struct buf *out)
{
    buf_addf(out,
             "; grant it with the rule {apiGroups: [\"%s\"], resources: [\"%s%s%s\"], "
             "verbs: [\"%s\"]}",
             call->resource->group, call->resource->plural,
             call->subresource == NULL ? "" : "/",
             call->subresource == NULL ? "" : call->subresource, call->verb);
}

/* The Status object of the body, or NULL when the body is something else. */
static struct json *status_parse(struct sv body)
{
    struct json *root = NULL;
    struct fault ignored = FAULT_INIT;

    if (!json_parse(body, STATUS_BYTES_MAX, &root, &ignored)) {
        return NULL;
    }
    if (!sv_eq(sv_from(json_get_string(root, "kind")), SV("Status"))) {
        json_free(root);
        return NULL;
    }
    return root;
}

static void add_server_words(const struct json *status, struct sv body, struct buf *out)
{
    const char *message = json_get_string(status, "message");

    if (message != NULL && message[0] != '\0') {
        buf_add(out, sv_utf8_prefix(sv_from(message), MESSAGE_BYTES_MAX));
        return;
    }
    struct sv words = sv_trim(sv_utf8_prefix(body, FOREIGN_BODY_BYTES));
    if (status == NULL && words.n > 0 && sv_is_utf8(words)) {
        buf_addf(out, "\"%.*s\"", SV_ARGS(words));
    } else {
        buf_addz(out, "no reason given");
    }
}

/* Validation errors name fields; a failed JSON Patch `test` has nothing to name. */
static bool names_a_field(const struct json *status)
{
    const struct json *cause = json_first(json_path(status, "details.causes"));

    for (; cause != NULL; cause = json_next(cause)) {
        const char *field = json_get_string(cause, "field");
        if (field != NULL && field[0] != '\0') {
            return true;
        }
    }
    return false;
}

static bool fault_of(const struct errors_call *call, int code, const struct row *row,
                     const struct buf *words, struct fault *fault)
{
    AUTO(buf_deinit) struct buf text = {0};

    buf_init(&text, SENTENCE_BYTES_MAX);
    errors_describe(call, &text);
    buf_addf(&text, ": HTTP %d: %s", code, buf_z(words));
    if (row->advice != NULL) {
        buf_addf(&text, "; %s", row->advice);
    } else {
        add_missing_rule(call, &text);
    }
    fault_set(fault, row->class, row->reason, "%s", buf_z(&text));
    return fault_code(fault, "%d", code);
}

static int retry_after(const struct errors_answer *answer, const struct json *status)
{
    int64_t seconds = json_path_int(status, "details.retryAfterSeconds", 0);

    if (answer->status != 429 && answer->status < 500) {
        return 0;
    }
    seconds = seconds > answer->retry_after_s ? seconds : answer->retry_after_s;
    if (seconds <= 0) {
        return 0;
    }
    return seconds > ERRORS_RETRY_AFTER_MAX_S ? ERRORS_RETRY_AFTER_MAX_S : (int)seconds;
}

bool errors_classify(const struct errors_call *call, const struct errors_answer *answer,
                     enum kube_outcome *out_outcome, struct buf *out_message,
                     int *out_retry_after_s, struct fault *fault)
{
    if (answer->status >= 200 && answer->status < 300) {
        *out_outcome = KUBE_OK;
        *out_retry_after_s = 0;
        return true;
    }
    AUTO(json_freep) struct json *status = status_parse(answer->body);
    const struct row *row = row_find(answer->status, json_get_string(status, "reason"));
    AUTO(buf_deinit) struct buf words = {0};
    buf_init(&words, SENTENCE_BYTES_MAX);
    add_server_words(status, answer->body, &words);
    *out_retry_after_s = retry_after(answer, status);
    if (row->outcome == 0) {
        return fault_of(call, answer->status, row, &words, fault);
    }
    *out_outcome = row->outcome;
    if (row->outcome == KUBE_INVALID && call->json_patch && !names_a_field(status)) {
        *out_outcome = KUBE_CONFLICT;
    }
    if (out_message != NULL) {
        buf_add(out_message, buf_sv(&words));
    }
    return true;
}
