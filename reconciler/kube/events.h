/*
 * events: events.k8s.io/v1 Events on transitions. Best effort: a lost event never stops a
 * reconcile. Bounded per object and reason: burst 25, then one in 300 s (client-go's spam
 * filter). Repeated notes (same object, reason, note) become a series patch.
 * Thread-safe; posts from the caller's thread with a short deadline.
 */
#ifndef KUBE_EVENTS_H
#define KUBE_EVENTS_H

#include "kube/api.h"

struct kube_events;

struct kube_events *kube_events_new(struct kube_api *api, const char *controller,
                                    const char *instance);
void kube_events_free(struct kube_events *events);

struct kube_event {
    const struct kube_resource *resource;
    const struct json
        *object; /* regarding: kind, namespace, name, uid, resourceVersion */
    bool warning;
    const char *reason; /* CamelCase, past tense: Provisioned, SyncFailed */
    const char *action; /* what the controller did: Reconcile, Create, Drop */
    const char *note;   /* <= 1024 bytes are sent; no volatile numbers */
    /* An annotation on the Event, which has no other place for it; NULL: none. It is no
     * part of what makes two events the same. */
    const char *annotation, *annotation_value;
};

/* false only so that the caller can count and log it. */
MUST_CHECK bool kube_event_emit(struct kube_events *events,
                                const struct kube_event *event, struct cancel *cancel,
                                struct fault *fault);

#endif
