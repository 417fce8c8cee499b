#include "loop/wake.h"

#include "loop/lanes.h"

static void wake(void *context, const char *key, int64_t delay_ms,
                 enum queue_priority priority)
{
    struct loop *loop = context;

    /* Never at once, for then it would look as if somebody had asked for it. */
    queue_add_after(loop->queue, key, delay_ms + 1, priority);
}

static bool urgent(void *context, const char *key)
{
    struct loop *loop = context;

    return queue_taken_as(loop->queue, key) == QUEUE_URGENT;
}

/* The look tries the server when nobody else does, so that its being back is noticed. */
static void fell(void *context, const char *connection, int64_t pause_ms)
{
    struct loop *loop = context;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);

    queue_add_after(loop->queue, arena_printf(arena, LOOP_KEY_CONN "%s", connection),
                    pause_ms + 1, QUEUE_NORMAL);
}

/* Users may be waiting out a long backoff; the connection's status is to follow. */
static void rose(void *context, const char *connection)
{
    struct loop *loop = context;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct sv name = sv_from(connection);
    struct sv namespace = sv_cut(&name, '/');

    queue_add(loop->queue, arena_printf(arena, LOOP_KEY_CONN "%s", connection),
              QUEUE_NORMAL);
    loop_enqueue_users(loop, namespace, name);
}

void wake_listen(struct loop *loop)
{
    const struct lanes_hooks hooks = {
        .context = loop, .wake = wake, .urgent = urgent, .fell = fell, .rose = rose};

    lanes_listen(loop->lanes, &hooks);
}
