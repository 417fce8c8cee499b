/*
 * memo: what this process remembers from attempt to attempt about carrying plans out.
 * Nothing depends on it surviving: after a restart a wait begins anew, a sentence is told
 * once more, and a statement that changes nothing is sent one time more. Thread-safe
 * behind one private lock.
 */
#ifndef LOOP_MEMO_H
#define LOOP_MEMO_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

/* As often may one and the same drift be corrected within the window. */
#define MEMO_CORRECTIONS_MAX 3
#define MEMO_CORRECTIONS_MS INT64_C(600000)

enum memo_topic { MEMO_CHANGES, MEMO_NOTES, MEMO_PREFLIGHT, MEMO_TOPIC_MAX };

struct memo;

struct memo *memo_new(uint64_t seed);
void memo_free(struct memo *memo);
void memo_forget(struct memo *memo, const char *key);

/* The first statement that the last round ran (its plan_step.id); NULL forgets. */
void memo_accept(struct memo *memo, const char *key, const char *id);
bool memo_accepted(struct memo *memo, const char *key, const char *id);

/*
 * Since when (the server's clock) `sink` is known to be paused: now_ms at the first call,
 * the same value as long as the calls are for this sink.
 */
int64_t memo_paused_since(struct memo *memo, const char *key, const char *sink,
                          int64_t now_ms);
void memo_not_paused(struct memo *memo, const char *key);

/* A request for a retry that was taken while nothing could be written or tried yet: the
 * next attempt answers it. _take_: its token, in the arena; NULL: there is none. */
void memo_keep_retry(struct memo *memo, const char *key, const char *token);
const char *memo_take_retry(struct memo *memo, const char *key, struct arena *arena);

/* True when this sentence was not told yet, and then it is; until they are forgotten. */
bool memo_is_news(struct memo *memo, const char *key, enum memo_topic topic,
                  const char *sentence);
void memo_forget_news(struct memo *memo, const char *key, enum memo_topic topic);

/*
 * Shared sources (see altered.h); `source` is a key of its own, told from resources' keys
 * by its blank. `id`: what was altered. Both times are `now` of memo_altered(), zeros:
 * none.
 */
struct memo_time {
    int64_t monotonic_ms; /* for how long ago it is */
    int64_t wall_ms;      /* for the times of others */
};
void memo_altered(struct memo *memo, const char *source, const char *id,
                  struct memo_time now);
struct memo_time memo_altered_at(struct memo *memo, const char *source, const char *id);
struct memo_time memo_catches_up_since(struct memo *memo, const char *source);
void memo_caught_up(struct memo *memo, const char *source);

/* The same source was reset; since when its position is lost (now_ms at the first call,
 * monotonic), until it is not. */
void memo_reset(struct memo *memo, const char *source, struct memo_time now);
struct memo_time memo_reset_at(struct memo *memo, const char *source);
int64_t memo_lost_since(struct memo *memo, const char *source, int64_t now_ms);
void memo_not_lost(struct memo *memo, const char *source);

/* Whether this drift may be corrected once more, and that it was (monotonic now_ms). */
bool memo_may_correct(struct memo *memo, const char *key, const char *id, int64_t now_ms);
void memo_corrected(struct memo *memo, const char *key, const char *id, int64_t now_ms);

#endif
