#include "loop/memo.h"

#include "base/buf.h"
#include "base/heap.h"
#include "base/map.h"

#include <pthread.h>
#include <string.h>

#define TOLD_BYTES_MAX ((size_t)256 * 1024)

struct record {
    char *accepted;
    char *retry; /* a request that is still to be answered */
    char *paused;
    int64_t paused_ms;
    char *told[MEMO_TOPIC_MAX];
    char *drift;
    int64_t corrected_ms[MEMO_CORRECTIONS_MAX]; /* the newest last; 0: never */
    char *altered;                              /* a source; NULL: never */
    struct memo_time altered_at, reset_at;
    int64_t lost_since_ms; /* 0: it is not */
    bool catches_up;
};

struct memo {
    pthread_mutex_t lock;
    struct map *by_key;
};

struct memo *memo_new(uint64_t seed)
{
    struct memo *memo = HEAP_NEW(struct memo);

    must(pthread_mutex_init(&memo->lock, NULL) == 0);
    memo->by_key = map_new(seed);
    return memo;
}

static void record_free(struct record *record)
{
    if (record == NULL) {
        return;
    }
    heap_free(record->accepted);
    heap_free(record->retry);
    heap_free(record->paused);
    heap_free(record->drift);
    heap_free(record->altered);
    for (size_t i = 0; i < MEMO_TOPIC_MAX; i++) {
        heap_free(record->told[i]);
    }
    heap_free(record);
}

void memo_free(struct memo *memo)
{
    size_t at = 0;
    struct sv key;
    void *value = NULL;

    if (memo == NULL) {
        return;
    }
    while (map_next(memo->by_key, &at, &key, &value)) {
        record_free(value);
    }
    map_free(memo->by_key);
    (void)pthread_mutex_destroy(&memo->lock);
    heap_free(memo);
}

void memo_forget(struct memo *memo, const char *key)
{
    struct record *record = NULL;

    (void)pthread_mutex_lock(&memo->lock);
    record = map_remove(memo->by_key, sv_from(key));
    (void)pthread_mutex_unlock(&memo->lock);
    record_free(record);
}

/* The lock is held. Looking without `make` leaves no trace of a key. */
static struct record *record_find(struct memo *memo, const char *key, bool make)
{
    struct record *record = map_find(memo->by_key, sv_from(key));

    if (record == NULL && make) {
        record = HEAP_NEW(struct record);
        (void)map_put(memo->by_key, sv_from(key), record);
    }
    return record;
}

/* Keeps a copy of `text` (may be NULL) in *slot; true when it said something else. */
static bool replace(char **slot, const char *text)
{
    if (text != NULL && *slot != NULL && strcmp(*slot, text) == 0) {
        return false;
    }
    heap_free(*slot);
    *slot = text == NULL ? NULL : heap_strdup(text);
    return true;
}

void memo_accept(struct memo *memo, const char *key, const char *id)
{
    struct record *record = NULL;

    (void)pthread_mutex_lock(&memo->lock);
    record = record_find(memo, key, id != NULL);
    if (record != NULL) {
        (void)replace(&record->accepted, id);
    }
    (void)pthread_mutex_unlock(&memo->lock);
}

bool memo_accepted(struct memo *memo, const char *key, const char *id)
{
    const struct record *record = NULL;
    bool same = false;

    (void)pthread_mutex_lock(&memo->lock);
    record = record_find(memo, key, false);
    same =
        record != NULL && record->accepted != NULL && strcmp(record->accepted, id) == 0;
    (void)pthread_mutex_unlock(&memo->lock);
    return same;
}

void memo_keep_retry(struct memo *memo, const char *key, const char *token)
{
    (void)pthread_mutex_lock(&memo->lock);
    (void)replace(&record_find(memo, key, true)->retry, token);
    (void)pthread_mutex_unlock(&memo->lock);
}

const char *memo_take_retry(struct memo *memo, const char *key, struct arena *arena)
{
    struct record *record = NULL;
    const char *token = NULL;

    (void)pthread_mutex_lock(&memo->lock);
    record = record_find(memo, key, false);
    if (record != NULL && record->retry != NULL) {
        token = arena_strdup(arena, record->retry);
        (void)replace(&record->retry, NULL);
    }
    (void)pthread_mutex_unlock(&memo->lock);
    return token;
}

int64_t memo_paused_since(struct memo *memo, const char *key, const char *sink,
                          int64_t now_ms)
{
    struct record *record = NULL;
    int64_t since_ms = 0;

    (void)pthread_mutex_lock(&memo->lock);
    record = record_find(memo, key, true);
    if (replace(&record->paused, sink)) {
        record->paused_ms = now_ms;
    }
    since_ms = record->paused_ms;
    (void)pthread_mutex_unlock(&memo->lock);
    return since_ms;
}

void memo_not_paused(struct memo *memo, const char *key)
{
    struct record *record = NULL;

    (void)pthread_mutex_lock(&memo->lock);
    record = record_find(memo, key, false);
    if (record != NULL) {
        (void)replace(&record->paused, NULL);
    }
    (void)pthread_mutex_unlock(&memo->lock);
}

bool memo_is_news(struct memo *memo, const char *key, enum memo_topic topic,
                  const char *sentence)
{
    struct record *record = NULL;
    struct buf line, all;
    bool news = false;

    buf_init(&line, TOLD_BYTES_MAX);
    buf_init(&all, TOLD_BYTES_MAX);
    buf_addf(&line, "\n%s\n", sentence);
    (void)pthread_mutex_lock(&memo->lock);
    record = record_find(memo, key, true);
    news = sv_find(sv_from(record->told[topic]), buf_sv(&line)) == SIZE_MAX;
    if (news) {
        if (record->told[topic] != NULL) {
            buf_addz(&all, record->told[topic]);
        }
        buf_add(&all, buf_sv(&line));
        if (buf_overflowed(&all)) {
            buf_clear(&all);
            buf_add(&all, buf_sv(&line));
        }
        (void)replace(&record->told[topic], buf_z(&all));
    }
    (void)pthread_mutex_unlock(&memo->lock);
    buf_deinit(&line);
    buf_deinit(&all);
    return news;
}

void memo_forget_news(struct memo *memo, const char *key, enum memo_topic topic)
{
    struct record *record = NULL;

    (void)pthread_mutex_lock(&memo->lock);
    record = record_find(memo, key, false);
    if (record != NULL) {
        (void)replace(&record->told[topic], NULL);
    }
    (void)pthread_mutex_unlock(&memo->lock);
}

bool memo_may_correct(struct memo *memo, const char *key, const char *id, int64_t now_ms)
{
    const struct record *record = NULL;
    bool may = true;

    (void)pthread_mutex_lock(&memo->lock);
    record = record_find(memo, key, false);
    if (record != NULL && record->drift != NULL && strcmp(record->drift, id) == 0) {
        may = record->corrected_ms[0] == 0 ||
              now_ms - record->corrected_ms[0] >= MEMO_CORRECTIONS_MS;
    }
    (void)pthread_mutex_unlock(&memo->lock);
    return may;
}

void memo_corrected(struct memo *memo, const char *key, const char *id, int64_t now_ms)
{
    const size_t last = MEMO_CORRECTIONS_MAX - 1;
    struct record *record = NULL;

    (void)pthread_mutex_lock(&memo->lock);
    record = record_find(memo, key, true);
    if (replace(&record->drift, id)) {
        memset(record->corrected_ms, 0, sizeof(record->corrected_ms));
    }
    memmove(record->corrected_ms, record->corrected_ms + 1,
            last * sizeof(record->corrected_ms[0]));
    record->corrected_ms[last] = now_ms;
    (void)pthread_mutex_unlock(&memo->lock);
}

void memo_altered(struct memo *memo, const char *source, const char *id,
                  struct memo_time now)
{
    struct record *record = NULL;

    (void)pthread_mutex_lock(&memo->lock);
    record = record_find(memo, source, true);
    (void)replace(&record->altered, id);
    record->altered_at = now;
    record->catches_up = true;
    (void)pthread_mutex_unlock(&memo->lock);
}

struct memo_time memo_altered_at(struct memo *memo, const char *source, const char *id)
{
    const struct record *record = NULL;
    struct memo_time at = {0};

    (void)pthread_mutex_lock(&memo->lock);
    record = record_find(memo, source, false);
    if (record != NULL && record->altered != NULL && strcmp(record->altered, id) == 0) {
        at = record->altered_at;
    }
    (void)pthread_mutex_unlock(&memo->lock);
    return at;
}

struct memo_time memo_catches_up_since(struct memo *memo, const char *source)
{
    const struct record *record = NULL;
    struct memo_time since = {0};

    (void)pthread_mutex_lock(&memo->lock);
    record = record_find(memo, source, false);
    if (record != NULL && record->catches_up) {
        since = record->altered_at;
    }
    (void)pthread_mutex_unlock(&memo->lock);
    return since;
}

void memo_caught_up(struct memo *memo, const char *source)
{
    struct record *record = NULL;

    (void)pthread_mutex_lock(&memo->lock);
    record = record_find(memo, source, false);
    if (record != NULL) {
        record->catches_up = false;
    }
    (void)pthread_mutex_unlock(&memo->lock);
}

void memo_reset(struct memo *memo, const char *source, struct memo_time now)
{
    struct record *record = NULL;

    (void)pthread_mutex_lock(&memo->lock);
    record = record_find(memo, source, true);
    record->reset_at = now;
    record->lost_since_ms = 0;
    (void)pthread_mutex_unlock(&memo->lock);
}

struct memo_time memo_reset_at(struct memo *memo, const char *source)
{
    const struct record *record = NULL;
    struct memo_time at = {0};

    (void)pthread_mutex_lock(&memo->lock);
    record = record_find(memo, source, false);
    if (record != NULL) {
        at = record->reset_at;
    }
    (void)pthread_mutex_unlock(&memo->lock);
    return at;
}

int64_t memo_lost_since(struct memo *memo, const char *source, int64_t now_ms)
{
    struct record *record = NULL;
    int64_t since_ms = now_ms;

    (void)pthread_mutex_lock(&memo->lock);
    record = record_find(memo, source, true);
    if (record->lost_since_ms == 0) {
        record->lost_since_ms = now_ms;
    }
    since_ms = record->lost_since_ms;
    (void)pthread_mutex_unlock(&memo->lock);
    return since_ms;
}

void memo_not_lost(struct memo *memo, const char *source)
{
    struct record *record = NULL;

    (void)pthread_mutex_lock(&memo->lock);
    record = record_find(memo, source, false);
    if (record != NULL) {
        record->lost_since_ms = 0;
    }
    (void)pthread_mutex_unlock(&memo->lock);
}
