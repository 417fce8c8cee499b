#include "loop/introspect.h"

#include "kube/conditions.h"
#include "model/conditions.h"

static void count_resources(struct loop *loop)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    size_t count = 0;
    int64_t ready = 0, stalled = 0;
    struct kube_object **all = kube_store_all(loop->syncs, arena, &count);

    for (size_t i = 0; i < count; i++) {
        struct kube_conditions conditions = {0};
        const struct kube_condition *c = NULL;

        kube_conditions_read(
            &conditions, json_get(json_get(all[i]->json, "status"), "conditions"), arena);
        c = kube_conditions_find(&conditions, condition_type(CONDITION_READY));
        ready += c != NULL && c->status == KUBE_TRUE;
        c = kube_conditions_find(&conditions, condition_type(CONDITION_STALLED));
        stalled += c != NULL && c->status == KUBE_TRUE;
        kube_object_put(all[i]);
    }
    metrics_set(loop->metrics, METRIC_SYNCS, (int64_t)count);
    metrics_set(loop->metrics, METRIC_CONNS, (int64_t)kube_store_count(loop->conns));
    metrics_set(loop->metrics, METRIC_READY, ready);
    metrics_set(loop->metrics, METRIC_STALLED, stalled);
}

void introspect_metrics(struct loop *loop, struct buf *out)
{
    struct queue_numbers numbers = queue_numbers(loop->queue);

    metrics_set(loop->metrics, METRIC_QUEUE_DEPTH, numbers.depth);
    metrics_set(loop->metrics, METRIC_QUEUE_ADDS, numbers.adds);
    metrics_set(loop->metrics, METRIC_QUEUE_RETRIES, numbers.retries);
    count_resources(loop);
    metrics_print(loop->metrics, out);
}
