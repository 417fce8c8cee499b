#include "cmd/kubectl/pod.h"

#include <string.h>

#define LABEL "app.kubernetes.io/name=tablesync"

static const struct kube_resource LEASES = {"coordination.k8s.io", "v1", "leases",
                                            "Lease"};
static const struct kube_resource PODS = {"", "v1", "pods", "Pod"};

static bool is_text(const char *text, const char *wanted)
{
    return text != NULL && strcmp(text, wanted) == 0;
}

/* "<instance>_<uuid>", and the instance is the Pod's name unless it was named otherwise.
 * NULL: no Lease that could be read names one. */
static const char *leader_name(struct kubectl *k)
{
    AUTO(json_freep) struct json *lease = NULL;
    enum kube_outcome outcome = KUBE_OK;
    struct fault ignored = FAULT_INIT;
    const char *holder = NULL, *end = NULL;

    if (!kube_get(&k->api, &LEASES, k->options->values[OPTION_CONTROLLER_NAMESPACE],
                  k->options->values[OPTION_LEADER_ID], &k->stop, &outcome, &lease,
                  &ignored)) {
        return NULL;
    }
    holder = json_path_string(lease, "spec.holderIdentity");
    end = holder == NULL ? NULL : strrchr(holder, '_');
    return end == NULL
               ? NULL
               : arena_copy(k->arena, (struct sv){holder, (size_t)(end - holder)});
}

static bool fault_none(const struct kubectl *k, struct fault *fault)
{
    const char *namespace = k->options->values[OPTION_CONTROLLER_NAMESPACE];

    return fault_set(fault, FAULT_UNAVAILABLE, "NoController",
                     "no controller runs in namespace %s: no Pod with the label " LABEL
                     " is Running there; see `kubectl get pods -n %s`, or name its "
                     "namespace with --controller-namespace",
                     namespace, namespace);
}

/* The only running one; of several nobody knows which writes. */
static bool only_one(const struct kubectl *k, const struct json *list,
                     struct json **out_pod, struct fault *fault)
{
    const struct json *found = NULL;

    for (const struct json *p = json_first(json_get(list, "items")); p != NULL;
         p = json_next(p)) {
        if (kube_deleting(p) ||
            !is_text(json_path_string(p, "status.phase"), "Running")) {
            continue;
        }
        if (found != NULL) {
            return fault_set(
                fault, FAULT_UNAVAILABLE, "NoLeader",
                "several controllers run in namespace %s (%s, %s), and the Lease %s does "
                "not say which of them leads: see `kubectl get lease -n %s`, or name the "
                "Lease with --leader-election-id",
                k->options->values[OPTION_CONTROLLER_NAMESPACE], kube_name(found),
                kube_name(p), k->options->values[OPTION_LEADER_ID],
                k->options->values[OPTION_CONTROLLER_NAMESPACE]);
        }
        found = p;
    }
    if (found == NULL) {
        return fault_none(k, fault);
    }
    *out_pod = json_clone(found);
    return true;
}

bool pod_find(struct kubectl *k, struct json **out_pod, struct fault *fault)
{
    AUTO(json_freep) struct json *list = NULL;
    const char *namespace = k->options->values[OPTION_CONTROLLER_NAMESPACE];
    const char *leader = leader_name(k);
    enum kube_outcome outcome = KUBE_OK;

    if (leader != NULL) {
        if (!kube_get(&k->api, &PODS, namespace, leader, &k->stop, &outcome, out_pod,
                      fault)) {
            return fault_wrap(fault, "find the controller");
        }
        if (outcome == KUBE_OK) {
            return true;
        }
    }
    if (!kube_list(&k->api, &PODS, namespace, LABEL, &k->stop, &outcome, &list, fault)) {
        return fault_wrap(fault, "find the controller");
    }
    return only_one(k, list, out_pod, fault);
}

/* The container that runs the controller: its arguments say so; else the first. */
static const struct json *container_of(const struct json *pod)
{
    const struct json *first = json_first(json_path(pod, "spec.containers"));

    for (const struct json *c = first; c != NULL; c = json_next(c)) {
        for (const struct json *a = json_first(json_get(c, "args")); a != NULL;
             a = json_next(a)) {
            if (is_text(json_string(a), "controller")) {
                return c;
            }
        }
    }
    return first;
}

/* "--flag=value" or "--flag", "value"; the last one counts. */
static const char *among(const struct json *words, const char *flag)
{
    const char *found = NULL;
    size_t n = strlen(flag);

    for (const struct json *w = json_first(words); w != NULL; w = json_next(w)) {
        const char *text = json_string(w);

        if (text == NULL || strncmp(text, "--", 2) != 0 ||
            strncmp(text + 2, flag, n) != 0) {
            continue;
        }
        if (text[2 + n] == '=') {
            found = text + 2 + n + 1;
        } else if (text[2 + n] == '\0') {
            found = json_string(json_next(w));
        }
    }
    return found;
}

const char *pod_flag(const struct json *pod, const char *flag, const char *variable)
{
    const struct json *container = container_of(pod);
    const char *found = among(json_get(container, "args"), flag);

    if (found == NULL) {
        found = among(json_get(container, "command"), flag);
    }
    for (const struct json *e = json_first(json_get(container, "env"));
         e != NULL && found == NULL; e = json_next(e)) {
        if (is_text(json_get_string(e, "name"), variable)) {
            found = json_get_string(e, "value");
        }
    }
    return found;
}

int pod_port(const char *address)
{
    const char *colon = address == NULL ? NULL : strrchr(address, ':');
    int64_t port = 0;

    return colon != NULL && sv_int64(sv_from(colon + 1), &port) && port > 0 &&
                   port < 65536
               ? (int)port
               : 0;
}
