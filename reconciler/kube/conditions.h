/*
 * conditions: metav1.Condition lists. lastTransitionTime changes only when status does.
 */
#ifndef KUBE_CONDITIONS_H
#define KUBE_CONDITIONS_H

#include "base/arena.h"
#include "base/json.h"
#include "base/vec.h"

enum kube_truth { KUBE_FALSE = 1, KUBE_TRUE, KUBE_UNKNOWN };

struct kube_condition {
    const char *type;
    enum kube_truth status;
    const char *reason;
    const char *message;
    int64_t observed_generation;
    const char *last_transition; /* RFC 3339; set by conditions_set */
};

struct kube_conditions {
    VEC(struct kube_condition) list;
};

/* Reads status.conditions; unknown statuses read as Unknown. Strings are copied. */
void kube_conditions_read(struct kube_conditions *conditions, const struct json *array,
                          struct arena *arena);
const struct kube_condition *kube_conditions_find(
    const struct kube_conditions *conditions, const char *type);
/* Sets or adds one. Returns true when its status changed (a transition). Copies strings;
 * the message is cut at 32768 bytes. `now` is RFC 3339. */
bool kube_conditions_set(struct kube_conditions *conditions,
                         const struct kube_condition *condition, const char *now,
                         struct arena *arena);
void kube_conditions_remove(struct kube_conditions *conditions, const char *type);
void kube_conditions_write(const struct kube_conditions *conditions, struct json *array);
const char *kube_truth_name(enum kube_truth truth);

#endif
