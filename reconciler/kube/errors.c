#include "kube/errors.h"

#define STATUS_BYTES_MAX ((size_t)1024 * 1024)
#define SENTENCE_BYTES_MAX ((size_t)64 * 1024)
#define MESSAGE_BYTES_MAX ((size_t)4 * 1024)
#define FOREIGN_BODY_BYTES                                                               \
    200 /* of an answer that is not a Status: a proxy's page, say */

/* Where a watch goes on. */
enum next { NEXT_RELIST = 0, NEXT_REOPEN };

/* The first row whose code, reason and cause fit counts; NULL fits all. */
struct row {
    int code;
    const char *status_reason;
    const char *cause;
    enum kube_outcome outcome; /* 0: a fault */
    enum fault_class class;
    const char *reason; /* of the condition */
    enum next watch, event;
    const char *advice;
};

enum shape {
    SHAPE_GOOD = 0,
#define BODY(name, reason, sentence) SHAPE_##name,
#include "kube/errors.def"
};

struct words {
    const char *reason;
    const char *text;
};

static const struct row rows[] = {
#define ANSWER(code, reason, cause, outcome, class, said, watch, event, advice)          \
    {code, reason, cause, outcome, class, said, NEXT_##watch, NEXT_##event, advice},
#include "kube/errors.def"
};

static const struct row ranges[] = {
#define RANGE(least, class, said, watch, event, advice)                                  \
    {least, NULL, NULL, 0, class, said, NEXT_##watch, NEXT_##event, advice},
#include "kube/errors.def"
};

static const struct words bodies[] = {
#define BODY(name, said, sentence) [SHAPE_##name] = {said, sentence},
#include "kube/errors.def"
};

static const struct words breaks[] = {
#define BREAK(name, said, sentence) [ERRORS_BREAK_##name] = {said, sentence},
#include "kube/errors.def"
};

static bool has_cause(const struct json *status, const char *wanted)
{
    const struct json *cause = json_first(json_path(status, "details.causes"));

    for (; cause != NULL; cause = json_next(cause)) {
        if (sv_eq(sv_from(json_get_string(cause, "reason")), sv_from(wanted))) {
            return true;
        }
    }
    return false;
}

static const struct row *row_find(int code, const struct json *status)
{
    struct sv reason = sv_from(json_get_string(status, "reason"));
    const struct row *found = ranges;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct row *row = &rows[i];
        if (row->code == code &&
            (row->status_reason == NULL || sv_eq(sv_from(row->status_reason), reason)) &&
            (row->cause == NULL || has_cause(status, row->cause))) {
            return row;
        }
    }
    while (found->code > code) {
        found++; /* the last one is for all that is left */
    }
    return found;
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

/* "spec.source: Required value; ...". Returns whether there is any. */
static bool add_causes(const struct json *status, struct buf *out)
{
    const struct json *cause = json_first(json_path(status, "details.causes"));
    const char *joint = "";

    for (; cause != NULL; cause = json_next(cause)) {
        const char *field = json_get_string(cause, "field");
        const char *message = json_get_string(cause, "message");
        if (message != NULL && out->n < MESSAGE_BYTES_MAX) {
            buf_addf(out, "%s%s%s%.*s", joint, field == NULL ? "" : field,
                     field == NULL ? "" : ": ",
                     SV_ARGS(sv_utf8_prefix(sv_from(message), MESSAGE_BYTES_MAX)));
            joint = "; ";
        }
    }
    return joint[0] != '\0';
}

static void add_server_words(const struct json *status, struct sv body, struct buf *out)
{
    const char *message = json_get_string(status, "message");

    if (message != NULL && message[0] != '\0') {
        buf_add(out, sv_utf8_prefix(sv_from(message), MESSAGE_BYTES_MAX));
        return;
    }
    if (add_causes(status, out)) {
        return;
    }
    body = sv_trim(body);
    struct sv words = sv_trim(sv_utf8_prefix(sv_cut(&body, '\n'), FOREIGN_BODY_BYTES));
    if (status == NULL && words.n > 0 && sv_is_utf8(words)) {
        buf_addf(out, "\"%.*s\"", SV_ARGS(words));
    } else {
        buf_addz(out, "no reason given");
    }
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
    const struct row *row = row_find(answer->status, status);
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

static enum shape shape_of(const struct errors_call *call, struct sv body,
                           const struct json *root)
{
    AUTO(buf_deinit) struct buf wanted = {0};
    struct sv kind = sv_from(json_get_string(root, "kind"));
    bool list = sv_eq(sv_from(call->verb), SV("list"));
    bool reads = list || sv_eq(sv_from(call->verb), SV("get"));

    if (root == NULL) {
        struct sv text = sv_trim(body);
        return text.n == 0 ? SHAPE_EMPTY : text.p[0] == '<' ? SHAPE_PAGE : SHAPE_TEXT;
    }
    if (json_kind(root) != JSON_OBJECT) {
        return SHAPE_VALUE;
    }
    buf_init(&wanted, SENTENCE_BYTES_MAX);
    buf_addf(&wanted, "%s%s", call->resource->kind, list ? "List" : "");
    /* What a write answers is kept only if it bears a name; nothing is concluded from it.
     */
    if (sv_eq(kind, buf_sv(&wanted)) || (kind.n == 0 && !reads)) {
        return SHAPE_GOOD;
    }
    if (sv_eq(kind, SV("Status"))) {
        return SHAPE_STATUS;
    }
    return !list && sv_ends(kind, SV("List")) ? SHAPE_LIST : SHAPE_KIND;
}

bool errors_check_body(const struct errors_call *call, struct sv body,
                       const struct json *root, struct fault *fault)
{
    AUTO(buf_deinit) struct buf text = {0};
    enum shape shape = shape_of(call, body, root);

    if (shape == SHAPE_GOOD) {
        return true;
    }
    buf_init(&text, SENTENCE_BYTES_MAX);
    errors_describe(call, &text);
    buf_addf(&text, ": %s", bodies[shape].text);
    if (shape == SHAPE_STATUS) {
        buf_addz(&text, ": ");
        add_server_words(root, body, &text);
    }
    return fault_set(fault, FAULT_UNAVAILABLE, bodies[shape].reason, "%s", buf_z(&text));
}

bool errors_keeps_version(const struct errors_answer *answer, bool in_stream)
{
    AUTO(json_freep) struct json *status = status_parse(answer->body);
    const struct row *row = row_find(answer->status, status);

    return (in_stream ? row->event : row->watch) == NEXT_REOPEN;
}

const char *errors_break_reason(enum errors_break kind)
{
    return breaks[kind].reason;
}

const char *errors_break_text(enum errors_break kind)
{
    return breaks[kind].text;
}
