#include "loop/queue_show.h"

#include "loop/queue_private.h"

struct list {
    struct arena *arena;
    struct queue_key *keys;
    size_t count, max;
};

static void add(struct list *list, const struct entry *e, int64_t ms)
{
    if (list->count < list->max) {
        list->keys[list->count++] =
            (struct queue_key){arena_strdup(list->arena, e->key), ms, e->failures,
                               e->processing ? e->taken_as : e->priority};
    }
}

static void add_line(struct list *list, const struct line *line, int64_t now_ns)
{
    for (const struct entry *e = line->first; e != NULL && list->count < list->max;
         e = e->next) {
        add(list, e, (now_ns - e->since_ns) / QUEUE_NS_PER_MS);
    }
}

/* The lock is held. */
static void fill(const struct queue *q, enum queue_part part, struct list *list)
{
    int64_t now_ns = queue_now_ns(q), now_ms = clock_monotonic_ms(q->clock);

    switch (part) {
    case QUEUE_PROCESSING:
        for (size_t i = 0; i < q->running_n; i++) {
            add(list, q->running[i],
                (now_ns - q->running[i]->since_ns) / QUEUE_NS_PER_MS);
        }
        break;
    case QUEUE_WAITING:
        for (size_t p = 0; p < QUEUE_PRIORITIES; p++) {
            add_line(list, &q->lines[p], now_ns);
        }
        break;
    case QUEUE_DELAYED:
        for (size_t i = 0; i < q->delayed.n && list->count < list->max; i++) {
            add(list, q->delayed.v[i], q->delayed.v[i]->ready_ms - now_ms);
        }
        break;
    }
}

struct queue_key *queue_show(struct queue *q, enum queue_part part, size_t max,
                             struct arena *arena, size_t *out_count)
{
    struct list list = {.arena = arena,
                        .keys = arena_alloc(arena, max * sizeof(struct queue_key)),
                        .max = max};

    (void)pthread_mutex_lock(&q->lock);
    fill(q, part, &list);
    (void)pthread_mutex_unlock(&q->lock);
    *out_count = list.count;
    return list.keys;
}
