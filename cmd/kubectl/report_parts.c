#include "cmd/kubectl/report.h"

#include "base/secret.h"

#include <string.h>

#define VERSION_MAX ((size_t)64 * 1024)
#define STATUS_OK 200

static void copy(const struct json *from, const char *key, struct json *to)
{
    if (json_get(from, key) != NULL) {
        json_set(to, key, json_clone(json_get(from, key)));
    }
}

static struct json *container(const struct json *c)
{
    static const char *const KEYS[] = {"name", "image",     "command",
                                       "args", "resources", "ports"};
    struct json *out = json_new_object();
    struct json *names = NULL;

    for (size_t i = 0; i < COUNT_OF(KEYS); i++) {
        copy(c, KEYS[i], out);
    }
    names = json_set_array(out, "variables");
    for (const struct json *e = json_first(json_get(c, "env")); e != NULL;
         e = json_next(e)) {
        json_push_string(names, json_get_string(e, "name"));
    }
    return out;
}

struct json *report_pod(const struct json *pod)
{
    struct json *out = json_new_object();
    struct json *containers = NULL;

    json_set_string(out, "namespace", kube_namespace(pod));
    json_set_string(out, "name", kube_name(pod));
    copy(json_get(pod, "metadata"), "creationTimestamp", out);
    containers = json_set_array(out, "containers");
    for (const struct json *c = json_first(json_path(pod, "spec.containers")); c != NULL;
         c = json_next(c)) {
        json_push(containers, container(c));
    }
    copy(json_get(pod, "status"), "phase", out);
    copy(json_get(pod, "status"), "conditions", out);
    copy(json_get(pod, "status"), "containerStatuses", out);
    return out;
}

void report_version(struct kubectl *k, struct json *report)
{
    const struct kube_request request = {
        .method = "GET", .path = "/version", .response_max_bytes = VERSION_MAX};
    struct kube_response response = {0};
    struct json *version = NULL;
    struct cancel until;
    struct fault ignored = FAULT_INIT;

    buf_init(&response.body, VERSION_MAX);
    cancel_init_child(&until, &k->stop, k->api.call_timeout_ms);
    if (k->transport->ops->call(k->transport, &request, &until, &response, &ignored) &&
        response.status == STATUS_OK &&
        json_parse(buf_sv(&response.body), VERSION_MAX, &version, &ignored)) {
        json_set(report, "kubernetes", version);
    }
    cancel_deinit(&until);
    buf_deinit(&response.body);
}

static bool is_ours(const struct json *event)
{
    const char *kind = json_path_string(event, "regarding.kind");
    const char *by = json_get_string(event, "reportingController");

    return (kind != NULL && (strcmp(kind, "TableSync") == 0 ||
                             strcmp(kind, "DatabaseConnection") == 0)) ||
           (by != NULL && strstr(by, "tablesync") != NULL);
}

void report_only_ours(struct json *report, const char *key)
{
    struct json *kept = json_new_array();

    for (const struct json *e = json_first(json_get(report, key)); e != NULL;
         e = json_next(e)) {
        if (is_ours(e)) {
            json_push(kept, json_clone(e));
        }
    }
    json_set(report, key, kept);
}

static struct json *redacted_text(const struct json *node)
{
    AUTO(buf_deinit) struct buf text = {0};

    buf_init(&text, KUBECTL_TEXT_MAX);
    secret_redact_pattern(sv_from(json_string(node)), &text);
    return json_new_string(buf_z(&text));
}

/* The depth is bounded by JSON_DEPTH_MAX, that of what was parsed. */
struct json *report_redacted(const struct json *node)
{
    enum json_kind kind = json_kind(node);
    struct json *out = NULL;

    if (kind == JSON_STRING) {
        return redacted_text(node);
    }
    if (kind != JSON_OBJECT && kind != JSON_ARRAY) {
        return json_clone(node);
    }
    out = kind == JSON_OBJECT ? json_new_object() : json_new_array();
    for (const struct json *c = json_first(node); c != NULL; c = json_next(c)) {
        if (kind == JSON_OBJECT) {
            json_add(out, json_key(c), report_redacted(c));
        } else {
            json_push(out, report_redacted(c));
        }
    }
    return out;
}
