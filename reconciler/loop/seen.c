#include "loop/seen.h"

#include "base/heap.h"
#include "base/map.h"

#include <pthread.h>

/* How a backlog moved: of resources whose sink was ever looked at. */
struct backlog {
    int64_t oldest_ms, since_ms;
    bool moved;
    int64_t sink; /* whom the three above are about; 0: nobody yet */
    int64_t gap, gap_rows, gap_since_ms; /* gap 0: none */
    int64_t gap_least, gap_swing;
    int gap_looks;
    int64_t counter;
    bool fell;
};

struct memory {
    uint64_t fingerprint;
    bool told; /* the fingerprint was given */
    struct backlog *backlog;
};

struct seen {
    pthread_mutex_t lock;
    struct map *by_key;
};

struct seen *seen_new(uint64_t seed)
{
    struct seen *seen = HEAP_NEW(struct seen);

    must(pthread_mutex_init(&seen->lock, NULL) == 0);
    seen->by_key = map_new(seed);
    return seen;
}

static void memory_free(struct memory *memory)
{
    if (memory != NULL) {
        heap_free(memory->backlog);
        heap_free(memory);
    }
}

void seen_free(struct seen *seen)
{
    size_t at = 0;
    struct sv key;
    void *value = NULL;

    if (seen == NULL) {
        return;
    }
    while (map_next(seen->by_key, &at, &key, &value)) {
        memory_free(value);
    }
    map_free(seen->by_key);
    (void)pthread_mutex_destroy(&seen->lock);
    heap_free(seen);
}

static struct memory *memory_get(struct seen *seen, const char *key)
{
    struct memory *memory = map_find(seen->by_key, sv_from(key));

    if (memory == NULL) {
        memory = HEAP_NEW(struct memory);
        (void)map_put(seen->by_key, sv_from(key), memory);
    }
    return memory;
}

static struct backlog *backlog_get(struct seen *seen, const char *key)
{
    struct memory *memory = memory_get(seen, key);

    if (memory->backlog == NULL) {
        memory->backlog = HEAP_NEW(struct backlog);
    }
    return memory->backlog;
}

bool seen_changed(struct seen *seen, const char *key, uint64_t fingerprint)
{
    struct memory *memory = NULL;
    bool changed = false;

    (void)pthread_mutex_lock(&seen->lock);
    memory = memory_get(seen, key);
    changed = !memory->told || memory->fingerprint != fingerprint;
    memory->told = true;
    memory->fingerprint = fingerprint;
    (void)pthread_mutex_unlock(&seen->lock);
    return changed;
}

bool seen_before(struct seen *seen, const char *key)
{
    const struct memory *memory = NULL;
    bool before = false;

    (void)pthread_mutex_lock(&seen->lock);
    memory = map_find(seen->by_key, sv_from(key));
    before = memory != NULL && memory->told;
    (void)pthread_mutex_unlock(&seen->lock);
    return before;
}

int64_t seen_stuck_ms(struct seen *seen, const char *key, int64_t undelivered,
                      int64_t oldest_ms, int64_t now_ms)
{
    struct backlog *backlog = NULL;
    bool waits = undelivered > 0 && oldest_ms != 0;
    int64_t stuck_ms = 0;

    (void)pthread_mutex_lock(&seen->lock);
    backlog = backlog_get(seen, key);
    if (waits && backlog->oldest_ms == oldest_ms) {
        stuck_ms = now_ms - backlog->since_ms;
    } else {
        backlog->moved =
            backlog->moved || undelivered == 0 || (waits && backlog->oldest_ms != 0);
        backlog->oldest_ms = undelivered > 0 ? oldest_ms : 0;
        backlog->since_ms = now_ms;
    }
    (void)pthread_mutex_unlock(&seen->lock);
    return stuck_ms;
}

void seen_rest(struct seen *seen, const char *key, int64_t now_ms)
{
    (void)pthread_mutex_lock(&seen->lock);
    backlog_get(seen, key)->since_ms = now_ms;
    (void)pthread_mutex_unlock(&seen->lock);
}

bool seen_moved(struct seen *seen, const char *key)
{
    bool moved = false;

    (void)pthread_mutex_lock(&seen->lock);
    moved = backlog_get(seen, key)->moved;
    (void)pthread_mutex_unlock(&seen->lock);
    return moved;
}

void seen_unproven(struct seen *seen, const char *key)
{
    (void)pthread_mutex_lock(&seen->lock);
    backlog_get(seen, key)->moved = false;
    (void)pthread_mutex_unlock(&seen->lock);
}

void seen_sink(struct seen *seen, const char *key, int64_t id)
{
    struct backlog *backlog = NULL;

    (void)pthread_mutex_lock(&seen->lock);
    backlog = backlog_get(seen, key);
    if (backlog->sink != id) {
        backlog->sink = id;
        backlog->moved = false;
        backlog->oldest_ms = backlog->since_ms = 0;
    }
    (void)pthread_mutex_unlock(&seen->lock);
}

static int64_t size_of(int64_t difference)
{
    return difference < 0 ? -difference : difference;
}

static void gap_begin(struct backlog *backlog, int64_t gap, int64_t rows, int64_t now_ms)
{
    backlog->gap = gap;
    backlog->gap_rows = rows;
    backlog->gap_since_ms = now_ms;
    backlog->gap_least = size_of(gap);
    backlog->gap_swing = 0;
    backlog->gap_looks = 1;
}

/* Deletes that are still on their way make the stream's rows fewer from look to look;
 * new rows come also into the copy of a table that was replaced. */
static bool follows(const struct backlog *backlog, int64_t gap, int64_t rows)
{
    return gap < 0 ? rows < backlog->gap_rows : rows != backlog->gap_rows;
}

static void gap_goes_on(struct backlog *backlog, int64_t gap, int64_t rows,
                        int64_t now_ms)
{
    int64_t step = size_of(rows - backlog->gap_rows), size = size_of(gap);

    if (follows(backlog, gap, rows)) {
        backlog->gap_since_ms = now_ms;
    }
    backlog->gap = gap;
    backlog->gap_rows = rows;
    backlog->gap_least = size < backlog->gap_least ? size : backlog->gap_least;
    backlog->gap_swing = step > backlog->gap_swing ? step : backlog->gap_swing;
    backlog->gap_looks += backlog->gap_looks < SEEN_GAP_LOOKS ? 1 : 0;
}

int64_t seen_gap_ms(struct seen *seen, const char *key, int64_t gap, int64_t rows,
                    int64_t now_ms)
{
    struct backlog *backlog = NULL;
    int64_t lasted_ms = 0;

    (void)pthread_mutex_lock(&seen->lock);
    backlog = backlog_get(seen, key);
    if (gap == 0) {
        backlog->gap = 0;
        backlog->fell = false;
    } else if (backlog->gap == 0 || (backlog->gap < 0) != (gap < 0)) {
        gap_begin(backlog, gap, rows, now_ms);
    } else {
        gap_goes_on(backlog, gap, rows, now_ms);
    }
    if (gap != 0 && backlog->gap_looks >= SEEN_GAP_LOOKS) {
        lasted_ms = backlog->gap_swing >= backlog->gap_least
                        ? SEEN_GAP_EXPLAINED
                        : now_ms - backlog->gap_since_ms;
    }
    (void)pthread_mutex_unlock(&seen->lock);
    return lasted_ms;
}

bool seen_fell(struct seen *seen, const char *key, int64_t value)
{
    struct backlog *backlog = NULL;
    bool fell = false;

    (void)pthread_mutex_lock(&seen->lock);
    backlog = backlog_get(seen, key);
    backlog->fell = backlog->fell || value < backlog->counter;
    backlog->counter = value;
    fell = backlog->fell;
    (void)pthread_mutex_unlock(&seen->lock);
    return fell;
}

void seen_forget(struct seen *seen, const char *key)
{
    struct memory *memory = NULL;

    (void)pthread_mutex_lock(&seen->lock);
    memory = map_remove(seen->by_key, sv_from(key));
    (void)pthread_mutex_unlock(&seen->lock);
    memory_free(memory);
}
