#include "kube/conditions.h"

#define MESSAGE_BYTES_MAX ((size_t)32768) /* apimachinery meta/v1 Condition.message */
#define ROWS_MAX ((size_t)256) /* what a status may hold before we stop reading */

static const struct {
    enum kube_truth truth;
    const char *name;
} truths[] = {
    {KUBE_TRUE, "True"},
    {KUBE_FALSE, "False"},
    {KUBE_UNKNOWN, "Unknown"},
};

const char *kube_truth_name(enum kube_truth truth)
{
    for (size_t i = 0; i < COUNT_OF(truths); i++) {
        if (truths[i].truth == truth) {
            return truths[i].name;
        }
    }
    return "Unknown";
}

static enum kube_truth truth_parse(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(truths); i++) {
        if (sv_eq(sv_from(truths[i].name), sv_from(name))) {
            return truths[i].truth;
        }
    }
    return KUBE_UNKNOWN;
}

static bool same(const char *a, const char *b)
{
    return sv_eq(sv_from(a), sv_from(b));
}

void kube_conditions_read(struct kube_conditions *conditions, const struct json *array,
                          struct arena *arena)
{
    for (const struct json *row = json_first(array);
         row != NULL && conditions->list.n < ROWS_MAX; row = json_next(row)) {
        const char *type = json_get_string(row, "type");
        if (type == NULL || kube_conditions_find(conditions, type) != NULL) {
            continue; /* the list is a map by type: a second row of a type has no meaning
                       */
        }
        const struct kube_condition read = {
            .type = arena_strdup(arena, type),
            .status = truth_parse(json_get_string(row, "status")),
            .reason = arena_strdup(arena, json_get_string(row, "reason")),
            .message = arena_strdup(arena, json_get_string(row, "message")),
            .observed_generation = json_path_int(row, "observedGeneration", 0),
            .last_transition =
                arena_strdup(arena, json_get_string(row, "lastTransitionTime")),
        };
        VEC_PUSH(arena, &conditions->list, read);
    }
}

static struct kube_condition *find(const struct kube_conditions *conditions,
                                   const char *type)
{
    for (VEC_EACH(struct kube_condition, row, &conditions->list)) {
        if (same(row->type, type)) {
            return row;
        }
    }
    return NULL;
}

const struct kube_condition *kube_conditions_find(
    const struct kube_conditions *conditions, const char *type)
{
    return find(conditions, type);
}

bool kube_conditions_set(struct kube_conditions *conditions,
                         const struct kube_condition *condition, const char *now,
                         struct arena *arena)
{
    struct kube_condition *old = find(conditions, condition->type);
    bool changed = old == NULL || old->status != condition->status;
    bool keeps_time = !changed && old->last_transition != NULL;
    const struct kube_condition fresh = {
        .type = old == NULL ? arena_strdup(arena, condition->type) : old->type,
        .status = condition->status,
        .reason = arena_strdup(arena, condition->reason),
        .message = arena_copy(
            arena, sv_utf8_prefix(sv_from(condition->message), MESSAGE_BYTES_MAX)),
        .observed_generation = condition->observed_generation,
        .last_transition = keeps_time ? old->last_transition : arena_strdup(arena, now),
    };

    if (old != NULL) {
        *old = fresh;
    } else {
        VEC_PUSH(arena, &conditions->list, fresh);
    }
    return changed;
}

void kube_conditions_remove(struct kube_conditions *conditions, const char *type)
{
    struct kube_condition *gone = find(conditions, type);

    if (gone == NULL) {
        return;
    }
    struct kube_condition *last = conditions->list.v + conditions->list.n - 1;
    for (; gone < last; gone++) {
        *gone = gone[1];
    }
    conditions->list.n--;
}

void kube_conditions_write(const struct kube_conditions *conditions, struct json *array)
{
    for (VEC_EACH(struct kube_condition, row, &conditions->list)) {
        struct json *out = json_push_object(array);
        json_set_string(out, "type", row->type);
        json_set_string(out, "status", kube_truth_name(row->status));
        json_set_int(out, "observedGeneration", row->observed_generation);
        json_set_string(out, "lastTransitionTime",
                        row->last_transition == NULL ? "" : row->last_transition);
        json_set_string(out, "reason", row->reason == NULL ? "" : row->reason);
        json_set_string(out, "message", row->message == NULL ? "" : row->message);
    }
}
