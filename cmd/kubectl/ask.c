#include "cmd/kubectl/ask.h"

#include "cmd/kubectl/pod.h"

#include <string.h>

#define GET_MS 20000
#define ANSWER_MAX ((size_t)64 * 1024 * 1024)
#define STATUS_OK 200
#define STATUS_NOT_FOUND 404
#define STATUS_TOO_LARGE 413

bool asked_find(struct kubectl *k, struct asked *out_asked, struct fault *fault)
{
    struct asked a = {.k = k};
    const char *metrics = NULL, *certificate = NULL;
    int64_t port = 0;

    if (k->options->values[OPTION_DEBUG_PORT] != NULL &&
        !options_int(k->options, OPTION_DEBUG_PORT, 1, 65535, &port, fault)) {
        return false;
    }
    if (!pod_find(k, &a.pod, fault)) {
        return false;
    }
    a.name = kube_name(a.pod);
    a.debug_port =
        port != 0
            ? (int)port
            : pod_port(pod_flag(a.pod, "debug-bind-address", "TABLESYNC_DEBUG_ADDRESS"));
    metrics = pod_flag(a.pod, "metrics-bind-address", "TABLESYNC_METRICS_ADDRESS");
    certificate = pod_flag(a.pod, "metrics-cert-file", "TABLESYNC_METRICS_CERT_FILE");
    if (certificate == NULL) {
        a.metrics_port = pod_port(metrics == NULL ? ":8080" : metrics);
    }
    *out_asked = a;
    return true;
}

static bool open_http(struct asked *a, int port, struct kube_transport **out_transport,
                      struct fault *fault)
{
    struct kube_config config = {
        .server = arena_printf(a->k->arena, "http://127.0.0.1:%d", port),
        .namespace = "default",
        .disable_compression = true,
        .origin =
            arena_printf(a->k->arena, "Pod %s/%s", kube_namespace(a->pod), a->name)};

    return kube_transport_curl_new(&config, KUBECTL_MANAGER, clock_system(),
                                   out_transport, fault);
}

bool asked_open(struct asked *asked, bool metrics, struct fault *fault)
{
    struct kubectl *k = asked->k;
    int ports[FORWARD_PORTS_MAX] = {asked->debug_port, asked->metrics_port};
    size_t count = metrics && asked->metrics_port != 0 ? 2 : 1;

    if (asked->debug_port == 0) {
        return fault_set(
            fault, FAULT_UNAVAILABLE, "DebugListenerOff",
            "Pod %s/%s runs with its debug listener off, and that is where the audit log "
            "is read: start the controller with --debug-bind-address=localhost:6060 "
            "(environment TABLESYNC_DEBUG_ADDRESS); or, if it is on already by other "
            "means, say where with --debug-port; or name a copy of the file with "
            "--audit-db",
            kube_namespace(asked->pod), asked->name);
    }
    return forward_open(k->options, kube_namespace(asked->pod), asked->name, ports, count,
                        &k->stop, &asked->forward, fault) &&
           open_http(asked, asked->forward.ports[0], &asked->debug, fault) &&
           (count < 2 ||
            open_http(asked, asked->forward.ports[1], &asked->metrics, fault));
}

static bool fault_silent(struct asked *asked, int port, struct fault *fault)
{
    struct fault why = *fault;
    const char *said = forward_complaint(&asked->forward, &asked->k->stop);

    return fault_set(fault, FAULT_UNAVAILABLE, "ControllerSilent",
                     "nothing answers at port %d of Pod %s/%s, where the controller is "
                     "said to listen: %s%s%s",
                     port, kube_namespace(asked->pod), asked->name, why.text,
                     said[0] == '\0' ? "" : "; kubectl said: ", said);
}

static bool get(struct asked *asked, struct kube_transport *http, int port,
                const char *path, struct buf *out_body, struct fault *fault)
{
    const struct kube_request request = {
        .method = "GET", .path = path, .response_max_bytes = ANSWER_MAX};
    struct kube_response response = {0};
    struct cancel until;
    bool good = false;

    buf_init(&response.body, ANSWER_MAX);
    cancel_init_child(&until, &asked->k->stop, GET_MS);
    good = http->ops->call(http, &request, &until, &response, fault);
    cancel_deinit(&until);
    if (!good) {
        buf_deinit(&response.body);
        return fault_silent(asked, port, fault);
    }
    if (response.status == STATUS_OK) {
        buf_add(out_body, buf_sv(&response.body));
    } else {
        (void)fault_set(
            fault, response.status == STATUS_TOO_LARGE ? FAULT_SPEC : FAULT_UNAVAILABLE,
            response.status == STATUS_TOO_LARGE ? "AnswerTooLarge" : NULL,
            "the controller in Pod %s/%s answered %d: %.*s%s", kube_namespace(asked->pod),
            asked->name, response.status, SV_ARGS(sv_trim(buf_sv(&response.body))),
            response.status == STATUS_NOT_FOUND ? "; it may be older than this program"
                                                : "");
    }
    buf_deinit(&response.body);
    return response.status == STATUS_OK;
}

bool asked_get(struct asked *asked, const char *path, struct buf *out_body,
               struct fault *fault)
{
    return get(asked, asked->debug, asked->debug_port, path, out_body, fault);
}

bool asked_metrics(struct asked *asked, struct buf *out_body, struct fault *fault)
{
    if (asked->metrics == NULL) {
        return fault_set(fault, FAULT_UNAVAILABLE, NULL,
                         "/metrics is off or served over TLS");
    }
    return get(asked, asked->metrics, asked->metrics_port, "/metrics", out_body, fault);
}

void asked_close(struct asked *asked)
{
    kube_transport_free(asked->debug);
    kube_transport_free(asked->metrics);
    forward_close(&asked->forward);
    json_free(asked->pod);
    *asked = (struct asked){0};
}
