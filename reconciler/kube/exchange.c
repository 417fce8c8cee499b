#include "kube/exchange.h"

#include "kube/slim.h"

#include <stdatomic.h>

/* etcd takes 1.5 MiB and the API server 3 MiB: what is larger would be refused anyway. */
#define REQUEST_BYTES_MAX ((size_t)3 * 1024 * 1024)
#define WORDS_BYTES_MAX ((size_t)64 * 1024)

/* FNV-1a, never 0: who may wait for whom is no matter of security. */
static uint64_t call_id(const struct errors_call *call)
{
    const char *const parts[] = {call->verb, call->resource->group,
                                 call->resource->plural,
                                 call->subresource == NULL ? "" : call->subresource};
    uint64_t id = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        for (const char *p = parts[i];; p++) { /* with its end, so that parts differ */
            id = (id ^ (unsigned char)*p) * UINT64_C(1099511628211);
            if (*p == '\0') {
                break;
            }
        }
    }
    return id | 1;
}

/* The pause of this kind of call. When it has none: a free one (taken), or NULL. */
static struct kube_pause *pause_of(struct kube_api *api, const struct errors_call *call,
                                   bool take)
{
    uint64_t id = call_id(call);

    for (size_t i = 0; i < KUBE_PAUSES; i++) {
        struct kube_pause *pause = &api->pauses[(id + i) % KUBE_PAUSES];
        uint64_t held = atomic_load(&pause->call);
        if (held == 0 && take) {
            (void)atomic_compare_exchange_strong(&pause->call, &held, id);
            held = atomic_load(&pause->call);
        }
        if (held == id || held == 0) {
            return held == id ? pause : NULL;
        }
    }
    return NULL;
}

void exchange_pause(struct kube_api *api, const struct errors_call *call, int seconds)
{
    struct kube_pause *pause = seconds > 0 ? pause_of(api, call, true) : NULL;

    if (pause != NULL) { /* else there are more kinds than ever: their backoff remains */
        pause->until_ms = clock_monotonic_ms(api->clock) + (int64_t)seconds * 1000;
    }
}

int64_t exchange_pause_ms(struct kube_api *api, const struct errors_call *call)
{
    const struct kube_pause *pause = pause_of(api, call, false);
    int64_t left_ms =
        pause == NULL ? 0 : pause->until_ms - clock_monotonic_ms(api->clock);

    return left_ms < 0 ? 0 : left_ms;
}

void kube_forget_pauses(struct kube_api *api)
{
    for (size_t i = 0; i < KUBE_PAUSES; i++) {
        api->pauses[i].until_ms = 0;
    }
}

static bool wrap(const struct errors_call *call, struct fault *fault)
{
    AUTO(buf_deinit) struct buf what = {0};

    buf_init(&what, WORDS_BYTES_MAX);
    errors_describe(call, &what);
    return fault_wrap(fault, "%s", buf_z(&what));
}

bool exchange_allowed(struct kube_api *api, const struct errors_call *call,
                      struct fault *fault)
{
    int64_t left_ms = exchange_pause_ms(api, call);

    if (left_ms == 0) {
        return true;
    }
    fault_set(fault, FAULT_UNAVAILABLE, "TooManyRequests",
              "not sent: the API server asked to wait %lld s more",
              (long long)((left_ms + 999) / 1000));
    return wrap(call, fault);
}

/* NULL when it is no JSON; which byte is wrong says less than what it is. */
static struct json *tree_of(const struct exchange *exchange, struct sv body,
                            size_t max_bytes)
{
    const struct slim_rules all = {.annotations = NULL};
    AUTO(buf_deinit) struct buf text = {0};
    struct fault ignored = FAULT_INIT;
    struct json *root = NULL;
    struct slim slim;

    buf_init(&text, max_bytes + SLIM_ROOM);
    if (exchange->slims && slim_parse(body, &all, &text, &slim, &ignored) &&
        slim.name.n > 0) {
        body = slim.text;
    }
    return json_parse(body, max_bytes, &root, &ignored) ? root : NULL;
}

static bool answer_parse(const struct exchange *exchange, struct sv body,
                         size_t max_bytes, struct json **out_object, struct fault *fault)
{
    AUTO(json_freep) struct json *root = tree_of(exchange, body, max_bytes);

    if (!errors_check_body(&exchange->call, body, root, fault)) {
        return false;
    }
    *out_object = TAKE(root);
    return true;
}

/* Reading never harms. */
static const struct fence *fence_of(const struct kube_api *api,
                                    const struct exchange *exchange)
{
    return sv_eq(sv_from(exchange->method), SV("GET")) ? NULL : api->fence;
}

static bool transmit(struct kube_api *api, const struct exchange *exchange,
                     size_t max_bytes, struct cancel *cancel,
                     struct kube_response *out_response, struct fault *fault)
{
    AUTO(buf_deinit) struct buf body = {0};
    const struct fence *fence = fence_of(api, exchange);

    buf_init(&body, REQUEST_BYTES_MAX);
    if (exchange->body != NULL) {
        json_print(exchange->body, &body);
    }
    if (buf_overflowed(&body)) {
        return fault_set(fault, FAULT_SPEC, "ObjectTooLarge",
                         "the object is larger than the %zu bytes an API server takes",
                         REQUEST_BYTES_MAX);
    }
    const struct kube_request request = {
        .method = exchange->method,
        .path = exchange->path,
        .content_type = exchange->content_type,
        .body = buf_sv(&body),
        .response_max_bytes = max_bytes,
        .fence = fence,
    };
    return fence_check(fence, fault) &&
           api->transport->ops->call(api->transport, &request, cancel, out_response,
                                     fault);
}

static void response_deinit(struct kube_response *response)
{
    buf_deinit(&response->body);
}

bool exchange_run(struct kube_api *api, const struct exchange *exchange,
                  struct cancel *cancel, enum kube_outcome *out_outcome,
                  struct json **out_object, struct fault *fault)
{
    size_t max_bytes =
        exchange->response_max_bytes == 0 ? KUBE_BODY_MAX : exchange->response_max_bytes;
    AUTO(response_deinit) struct kube_response response = {0};
    struct cancel child;
    enum kube_outcome outcome = KUBE_OK;
    struct json *object = NULL;
    int retry_after_s = 0;

    if (!exchange_allowed(api, &exchange->call, fault)) {
        return false;
    }
    cancel_init_child(&child, cancel, api->call_timeout_ms);
    buf_init(&response.body, max_bytes);
    bool sent = transmit(api, exchange, max_bytes, &child, &response, fault);
    cancel_deinit(&child);
    if (!sent) {
        return wrap(&exchange->call, fault);
    }
    const struct errors_answer answer = {
        .status = response.status,
        .retry_after_s = response.retry_after_s,
        .body = buf_sv(&response.body),
    };
    bool classified = errors_classify(&exchange->call, &answer, &outcome,
                                      exchange->out_message, &retry_after_s, fault);
    exchange_pause(api, &exchange->call, retry_after_s);
    if (!classified) {
        return false;
    }
    if (outcome == KUBE_OK &&
        !answer_parse(exchange, answer.body, max_bytes, &object, fault)) {
        return false;
    }
    *out_outcome = outcome;
    *out_object = object;
    return true;
}
