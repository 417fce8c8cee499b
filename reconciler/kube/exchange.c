#include "kube/exchange.h"

/* etcd takes 1.5 MiB and the API server 3 MiB: what is larger would be refused anyway. */
#define REQUEST_BYTES_MAX ((size_t)3 * 1024 * 1024)
#define WORDS_BYTES_MAX ((size_t)64 * 1024)

int64_t kube_retry_after_ms(const struct kube_api *api)
{
    int64_t left = api->not_before_ms - clock_monotonic_ms(api->clock);

    return api->not_before_ms == 0 || left < 0 ? 0 : left;
}

void exchange_note_retry_after(struct kube_api *api, int seconds)
{
    if (seconds > 0) {
        api->not_before_ms = clock_monotonic_ms(api->clock) + (int64_t)seconds * 1000;
    }
}

static bool wrap(const struct errors_call *call, struct fault *fault)
{
    AUTO(buf_deinit) struct buf what = {0};

    buf_init(&what, WORDS_BYTES_MAX);
    errors_describe(call, &what);
    return fault_wrap(fault, "%s", buf_z(&what));
}

bool exchange_allowed(const struct kube_api *api, const struct errors_call *call,
                      struct fault *fault)
{
    int64_t left_ms = kube_retry_after_ms(api);

    if (left_ms == 0) {
        return true;
    }
    fault_set(fault, FAULT_UNAVAILABLE, "TooManyRequests",
              "not sent: the API server asked to be left alone for %lld s more",
              (long long)((left_ms + 999) / 1000));
    return wrap(call, fault);
}

static bool answer_parse(const struct exchange *exchange, struct sv body,
                         size_t max_bytes, struct json **out_object, struct fault *fault)
{
    AUTO(json_freep) struct json *root = NULL;

    if (!json_parse(body, max_bytes, &root, fault) || json_kind(root) != JSON_OBJECT) {
        fault_set(
            fault, FAULT_UNAVAILABLE, "BadAnswer",
            "the answer is not a JSON object; check that the server address leads to a "
            "Kubernetes API server and not to a proxy's page");
        return wrap(&exchange->call, fault);
    }
    *out_object = TAKE(root);
    return true;
}

static bool transmit(struct kube_api *api, const struct exchange *exchange,
                     size_t max_bytes, struct cancel *cancel,
                     struct kube_response *out_response, struct fault *fault)
{
    AUTO(buf_deinit) struct buf body = {0};

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
    };
    return api->transport->ops->call(api->transport, &request, cancel, out_response,
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
    exchange_note_retry_after(api, retry_after_s);
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
