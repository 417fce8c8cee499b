#include "loop/auditing.h"

static const struct kube_resource pods = {"", "v1", "pods", "Pod"};

/* By enum audit_change. */
static const struct {
    const char *said, *reason;
    bool warning;
} CHANGES[] = {
    [AUDIT_DEGRADED] = {"audit degraded", "AuditDegraded", true},
    [AUDIT_RECOVERED] = {"audit recovered", "AuditRecovered", false},
    [AUDIT_SET_ASIDE] = {"audit file set aside", "AuditSetAside", true},
    [AUDIT_REPLACED] = {"audit file replaced", "AuditReplaced", true},
};

static bool has_pod(const struct loop *loop)
{
    return loop->options.instance != NULL && loop->options.pod_namespace != NULL;
}

static void log_news(struct loop *loop, const struct audit_news *news)
{
    /* A message of the log is a literal, so that lines can be counted by it. */
    if (CHANGES[news->change].warning) {
        lg_error(loop->ports.lg, "audit", LG_STR("change", CHANGES[news->change].said),
                 LG_STR("error", news->text));
    } else {
        lg_info(loop->ports.lg, "audit", LG_STR("change", CHANGES[news->change].said),
                LG_STR("note", news->text));
    }
}

static void tell_pod(struct loop *loop, const struct audit_news *news)
{
    AUTO(json_freep) struct json *pod = json_new_object();
    struct json *metadata = json_set_object(pod, "metadata");
    struct kube_event event = {.resource = &pods,
                               .object = pod,
                               .warning = CHANGES[news->change].warning,
                               .reason = CHANGES[news->change].reason,
                               .action = "Audit",
                               .note = news->text};
    struct fault fault = FAULT_INIT;

    json_set_string(metadata, "namespace", loop->options.pod_namespace);
    json_set_string(metadata, "name", loop->options.instance);
    if (loop->options.pod_uid != NULL) {
        json_set_string(metadata, "uid", loop->options.pod_uid);
    }
    if (!kube_event_emit(loop->events, &event, loop->stop, &fault)) {
        metrics_add(loop->metrics, METRIC_EVENTS_LOST, 1);
        lg_error(loop->ports.lg, "event lost", LG_STR("event", event.reason),
                 LG_STR("error", fault.text));
    }
}

void auditing_tend(struct loop *loop)
{
    struct audit *audit = loop->ports.audit;
    struct audit_state state;
    struct audit_news news;

    if (audit == NULL) {
        return;
    }
    audit_tend(audit);
    audit_state(audit, &state);
    metrics_set(loop->metrics, METRIC_AUDIT_DEGRADED, state.degraded);
    while (audit_take_news(audit, AUDIT_TO_LOG, &news)) {
        log_news(loop, &news);
    }
    while (has_pod(loop) && audit_take_news(audit, AUDIT_TO_EVENT, &news)) {
        tell_pod(loop, &news);
    }
}

void auditing_tell(struct attempt *a)
{
    struct loop *loop = a->loop;
    struct audit_news news;

    while (loop->ports.audit != NULL && !has_pod(loop) &&
           audit_take_news(loop->ports.audit, AUDIT_TO_EVENT, &news)) {
        attempt_event(a, CHANGES[news.change].warning, CHANGES[news.change].reason,
                      "Audit", news.text);
    }
}

bool auditing_is_told(const struct fault *fault)
{
    return strcmp(fault->reason, "AuditDegraded") == 0;
}
