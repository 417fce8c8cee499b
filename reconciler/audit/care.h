/*
 * care: what becomes of a tolerant audit whose file fails. Private to this room.
 *
 * A damaged file is set aside under another name and a new one begun, at most once in
 * CARE_SET_ASIDE_MS. Everything else (disk full, read-only, locked, no such folder, a
 * file of a newer program) makes the audit degraded: records are dropped and counted, and
 * audit_tend() tries again, at first after CARE_RETRY_MS, until a record of what was
 * missed could be written. A worker that hangs in the disk holds up no other one for
 * longer than LITE_LOCK_MS.
 *
 * The lock in struct care is the innermost: it is taken with and without the audit's, and
 * nothing is called while it is held. So audit_state() answers even when the disk hangs.
 */
#ifndef AUDIT_CARE_H
#define AUDIT_CARE_H

#include "audit/lite.h"

#include <stdarg.h>

#define CARE_RETRY_MS INT64_C(1000)
#define CARE_RETRY_MAX_MS INT64_C(30000)
#define CARE_SET_ASIDE_MS INT64_C(600000)
#define CARE_NEWS_MAX 4
#define CARE_UNFINISHED_MAX                                                              \
    256 /* as many as attempts can be open at a time, and more                           \
         */

/* Numbers of rows whose last change was not written. */
struct care_unfinished {
    int64_t ids[CARE_UNFINISHED_MAX];
    size_t n;
};

struct care {
    pthread_mutex_t lock;
    bool degraded, waits, hangs;
    int64_t since_ms;    /* Unix ms */
    int64_t retry_at_ms; /* monotonic */
    unsigned tries;
    struct fault last;
    int64_t missed, missed_first_ms, missed_last_ms;
    int64_t set_aside_ms; /* monotonic; 0: never */
    struct audit_news news[CARE_NEWS_MAX];
    uint64_t news_n, taken[AUDIT_LISTENERS];
    struct care_unfinished runs, steps;
};

struct care *care_new(struct arena *arena);
void care_deinit(struct care *care);
/* Until the variable leaves scope: AUTO(care_unlockp) struct care *c = care_lock(a). */
struct care *care_lock(struct audit *a);
void care_unlockp(struct care **care);

/* Adds a piece of news; the care's lock is held. */
void care_tell(struct care *care, enum audit_change change, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Nothing is recorded and nothing tried, until care_end_wait(). */
void care_wait(struct audit *a);
bool care_end_wait(struct audit *a); /* false: it did not wait */
/* Sets when to try again; the first time it tells. */
void care_degrade(struct audit *a, const struct fault *why, bool at_once);
/* True with the fault set, and the record counted as missed, while it is degraded. */
bool care_is_degraded(struct audit *a, enum lite_purpose purpose, struct fault *fault);
/* Somebody hangs in the disk, and one has waited in vain for that already. */
bool care_hangs(struct audit *a);
/* Waited in vain for the audit's lock: degraded until it can be had. Always false. */
bool care_hung(struct audit *a, enum lite_purpose purpose, struct fault *fault);
/* A record was not made. */
void care_missed(struct audit *a);
/* The end of that run, or the result of that step, was not written. */
void care_unfinished_run(struct audit *a, int64_t run);
void care_unfinished_step(struct audit *a, int64_t step);

#endif
