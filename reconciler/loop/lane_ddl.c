/* The turn to run DDL on a lane's server: one resource at a time, in the order in
 * which they are parked. */
#include "loop/circuit.h"

/* Nobody who was called before is on its way. The lock is held. */
static bool may_take(const struct lane *lane, const char *key)
{
    return !lane->ddl_busy && !lane->ddl_next &&
           (parking_expected(&lane->ddl, clock_monotonic_ms(lane->clock)) == 0 ||
            (key != NULL && parking_is_called(&lane->ddl, key)));
}

/* Who is next waits in place for as long as a short statement takes. */
static bool wait_as_next(struct lane *lane, struct cancel *cancel)
{
    int64_t until_ms = lane_wait_until(LANE_DDL_WAIT_MS);

    lane->ddl_next = true;
    while (lane->ddl_busy && lane_wait_slice(lane, until_ms, cancel)) {
    }
    lane->ddl_next = false;
    return !lane->ddl_busy && cancel_remaining_ms(cancel) > 0;
}

/* Nobody stands ready: the first in line is called. */
static void serve(struct lane *lane, struct news *news)
{
    int64_t now_ms = clock_monotonic_ms(lane->clock);

    if (!lane->ddl_next && parking_count(&lane->ddl) > 0 &&
        parking_expected(&lane->ddl, now_ms) == 0) {
        news_call(news, parking_call(&lane->ddl, now_ms));
    }
}

/* It is ours; the next one may come and stand ready meanwhile. */
static void take(struct lane *lane, const char *key, struct news *news)
{
    lane->ddl_busy = true;
    if (key != NULL) {
        (void)parking_arrive(&lane->ddl, key);
    }
    serve(lane, news);
}

static bool park(struct lane *lane, const struct visitor *who, bool was_next,
                 struct news *news, struct fault *fault)
{
    int64_t now_ms = clock_monotonic_ms(lane->clock);

    if (parking_is_called(&lane->ddl, who->key) || was_next) {
        parking_add_first(&lane->ddl, who->key, who->urgent, now_ms);
    } else {
        parking_add(&lane->ddl, who->key, who->urgent, now_ms);
    }
    news->again = who->key;
    news->again_urgent = who->urgent;
    /* Who was called and never comes keeps the turn for that long, and calls nobody. */
    news->again_ms = lane->ddl_busy ? LANE_PARKED_AGAIN_MS : PARKING_CALL_MS + 500;
    return lane_parked(lane, "another resource changes something", fault);
}

/* Whether to stand ready: nobody does, and nobody who came earlier is to. */
static bool may_be_next(const struct lane *lane, const char *key)
{
    return lane->ddl_busy && !lane->ddl_next &&
           (parking_is_called(&lane->ddl, key) ||
            (parking_count(&lane->ddl) == 0 &&
             parking_expected(&lane->ddl, clock_monotonic_ms(lane->clock)) == 0));
}

bool lane_begin_ddl(struct lane *lane, const char *key, struct cancel *cancel,
                    struct fault *fault)
{
    const struct visitor who = {key, lane_urgent(lane, key)};
    struct news news = {0};
    bool next = false, got = false;

    (void)pthread_mutex_lock(&lane->lock);
    next = key != NULL && may_be_next(lane, key);
    got = may_take(lane, key) || (next && wait_as_next(lane, cancel));
    if (got) {
        take(lane, key, &news);
    } else if (cancel_fired(cancel)) {
        (void)fault_set(fault, FAULT_CANCELLED, NULL, "stopped while waiting for DDL");
    } else if (key == NULL) {
        (void)fault_set(fault, FAULT_CONFLICT, NULL,
                        "another resource is running DDL on the same server");
    } else {
        (void)park(lane, &who, next, &news, fault);
    }
    (void)pthread_mutex_unlock(&lane->lock);
    lane_tell(lane, &news);
    return got;
}

void lane_end_ddl(struct lane *lane)
{
    struct news news = {0};

    (void)pthread_mutex_lock(&lane->lock);
    must(lane->ddl_busy);
    lane->ddl_busy = false;
    serve(lane, &news);
    (void)pthread_cond_broadcast(&lane->changed);
    (void)pthread_mutex_unlock(&lane->lock);
    lane_tell(lane, &news);
}
