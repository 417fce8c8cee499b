#include "audit/care.h"

#include <stdio.h>
#include <string.h>

struct care *care_new(struct arena *arena)
{
    struct care *care = ARENA_NEW(arena, struct care);

    must(pthread_mutex_init(&care->lock, NULL) == 0);
    return care;
}

void care_deinit(struct care *care)
{
    must(pthread_mutex_destroy(&care->lock) == 0);
}

struct care *care_lock(struct audit *a)
{
    must(pthread_mutex_lock(&a->care->lock) == 0);
    return a->care;
}

void care_unlockp(struct care **care)
{
    must(pthread_mutex_unlock(&(*care)->lock) == 0);
}

/* --- what is told --- */

void care_tell(struct care *care, enum audit_change change, const char *format, ...)
{
    struct audit_news *news = &care->news[care->news_n++ % CARE_NEWS_MAX];
    va_list args;

    news->change = change;
    va_start(args, format);
    (void)vsnprintf(news->text, sizeof(news->text), format, args);
    va_end(args);
    /* Cut between characters, if at all. */
    news->text[sv_utf8_prefix(sv_from(news->text), sizeof(news->text) - 2).n] = '\0';
}

bool audit_take_news(struct audit *audit, enum audit_listener listener,
                     struct audit_news *out_news)
{
    AUTO(care_unlockp) struct care *care = care_lock(audit);
    uint64_t *taken = &care->taken[listener];

    if (*taken + CARE_NEWS_MAX < care->news_n) {
        *taken = care->news_n - CARE_NEWS_MAX; /* nobody listened for long */
    }
    if (*taken == care->news_n) {
        return false;
    }
    *out_news = care->news[(*taken)++ % CARE_NEWS_MAX];
    return true;
}

void audit_state(struct audit *audit, struct audit_state *out_state)
{
    AUTO(care_unlockp) struct care *care = care_lock(audit);

    *out_state = (struct audit_state){.degraded = care->degraded,
                                      .waits = care->waits,
                                      .since_ms = care->since_ms,
                                      .missed = care->missed,
                                      .last = care->last};
}

/* --- degraded --- */

static void count_missed(struct care *care, int64_t now_ms)
{
    care->missed_first_ms = care->missed == 0 ? now_ms : care->missed_first_ms;
    care->missed_last_ms = now_ms;
    care->missed++;
}

void care_missed(struct audit *a)
{
    int64_t now_ms = clock_wall_ms(a->clock);
    AUTO(care_unlockp) struct care *care = care_lock(a);

    count_missed(care, now_ms);
}

static void remember(struct care_unfinished *list, int64_t id)
{
    if (list->n < CARE_UNFINISHED_MAX) {
        list->ids[list->n++] = id;
    }
}

void care_unfinished_run(struct audit *a, int64_t run)
{
    AUTO(care_unlockp) struct care *care = care_lock(a);

    remember(&care->runs, run);
}

void care_unfinished_step(struct audit *a, int64_t step)
{
    AUTO(care_unlockp) struct care *care = care_lock(a);

    remember(&care->steps, step);
}

void care_degrade(struct audit *a, const struct fault *why, bool at_once)
{
    int64_t now_ms = clock_wall_ms(a->clock), tick_ms = clock_monotonic_ms(a->clock);
    AUTO(care_unlockp) struct care *care = care_lock(a);

    if (!care->degraded) {
        care->degraded = true;
        care->since_ms = now_ms;
        care->tries = 0;
        care_tell(
            care, AUDIT_DEGRADED,
            "%s; reconciling goes on, its runs and statements are not recorded until "
            "that is over, and no credentials are kept or found",
            why->text);
    }
    care->last = *why;
    care->retry_at_ms =
        tick_ms +
        (at_once ? 0 : backoff_ms(CARE_RETRY_MS, CARE_RETRY_MAX_MS, care->tries));
    care->tries++;
}

void care_wait(struct audit *a)
{
    int64_t now_ms = clock_wall_ms(a->clock);
    AUTO(care_unlockp) struct care *care = care_lock(a);

    care->waits = true;
    care->since_ms = now_ms;
    (void)fault_set(&care->last, FAULT_UNAVAILABLE, "AuditDegraded",
                    "the audit database '%s' is opened when this controller leads",
                    a->path);
}

bool care_end_wait(struct audit *a)
{
    AUTO(care_unlockp) struct care *care = care_lock(a);

    if (!care->waits) {
        return false;
    }
    care->waits = false;
    care->since_ms = 0;
    return true;
}

static bool fault_degraded(const struct fault *why, struct fault *fault)
{
    return fault_set(fault, FAULT_UNAVAILABLE, "AuditDegraded",
                     "the audit records nothing at the moment: %s", why->text);
}

bool care_is_degraded(struct audit *a, enum lite_purpose purpose, struct fault *fault)
{
    int64_t now_ms = clock_wall_ms(a->clock);
    AUTO(care_unlockp) struct care *care = care_lock(a);

    if (!care->degraded && !care->waits) {
        return false;
    }
    if (purpose == LITE_RECORD) {
        count_missed(care, now_ms);
    }
    (void)fault_degraded(&care->last, fault);
    return true;
}

bool care_hangs(struct audit *a)
{
    AUTO(care_unlockp) struct care *care = care_lock(a);

    return care->hangs;
}

bool care_hung(struct audit *a, enum lite_purpose purpose, struct fault *fault)
{
    struct fault why = FAULT_INIT;

    (void)fault_set(&why, FAULT_UNAVAILABLE, "AuditSlow",
                    "the disk of the audit database '%s' does not answer: a record has "
                    "been waiting for longer than %d ms",
                    a->path, LITE_LOCK_MS);
    care_degrade(a, &why, true);
    if (purpose == LITE_RECORD) {
        care_missed(a);
    }
    AUTO(care_unlockp) struct care *care = care_lock(a);
    care->hangs = true;
    return fault_degraded(&why, fault);
}
