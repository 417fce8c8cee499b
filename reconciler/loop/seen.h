/*
 * seen: small memories that only save work or add certainty; losing them costs one extra
 * look and nothing else. Thread-safe behind one private lock.
 */
#ifndef LOOP_SEEN_H
#define LOOP_SEEN_H

#include <stdbool.h>
#include <stdint.h>

struct seen;

struct seen *seen_new(uint64_t seed);
void seen_free(struct seen *seen);
/*
 * True when `fingerprint` differs from the last one given for this key: a store's change
 * is worth an attempt. Our own status writes do not change it.
 */
bool seen_changed(struct seen *seen, const char *key, uint64_t fingerprint);
/* Whether seen_changed() was ever asked about this key, since seen_forget(). */
bool seen_before(struct seen *seen, const char *key);
/*
 * How long (ms) the oldest undelivered change of a sink has been the same; 0 when it
 * moved, nothing waits, or this is the first look.
 */
int64_t seen_stuck_ms(struct seen *seen, const char *key, int64_t undelivered,
                      int64_t oldest_ms, int64_t now_ms);
/* What waits begins to wait only now: something else held it up so far. */
void seen_rest(struct seen *seen, const char *key, int64_t now_ms);
/* Whether seen_stuck_ms() ever found nothing waiting, or the oldest change delivered. */
bool seen_moved(struct seen *seen, const char *key);
/* Forgets that: the rows the sink was to deliver had not come yet. */
void seen_unproven(struct seen *seen, const char *key);
/* What follows is about sink `id`: nothing seen of another one counts for it. */
void seen_sink(struct seen *seen, const char *key, int64_t id);
/*
 * For how long (ms) the source has held fewer (gap < 0) or more (gap > 0) rows than the
 * stream, without the stream following; gap 0: there is no difference, all is forgotten.
 * `rows`: what the stream holds. 0 before the difference was seen in SEEN_GAP_LOOKS
 * looks. SEEN_GAP_EXPLAINED when the stream's rows change from look to look by as many as
 * differ: such a table is never found at rest, and a difference is what is on its way.
 */
#define SEEN_GAP_LOOKS 4
#define SEEN_GAP_EXPLAINED INT64_C(-1)
int64_t seen_gap_ms(struct seen *seen, const char *key, int64_t gap, int64_t rows,
                    int64_t now_ms);
/*
 * Whether a counter that otherwise only grows fell since an earlier look: true from then
 * on, until seen_gap_ms() is told that there is no gap.
 */
bool seen_fell(struct seen *seen, const char *key, int64_t value);
void seen_forget(struct seen *seen, const char *key);

#endif
