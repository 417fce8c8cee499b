#include "loop/seen.h"

#include "base/heap.h"
#include "base/map.h"

#include <pthread.h>

struct memory {
    char *fingerprint;
    int64_t oldest_ms, since_ms;
    bool moved;
    int64_t sink; /* whom the three above are about; 0: nobody yet */
    int64_t gap, gap_rows, gap_since_ms; /* gap 0: none */
    int64_t gap_least, gap_swing;
    int gap_looks;
    int64_t counter;
    bool fell;
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
        heap_free(memory->fingerprint);
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

bool seen_changed(struct seen *seen, const char *key, const char *fingerprint)
{
    struct memory *memory = NULL;
    bool changed = false;

    (void)pthread_mutex_lock(&seen->lock);
    memory = memory_get(seen, key);
    changed =
        memory->fingerprint == NULL || strcmp(memory->fingerprint, fingerprint) != 0;
    if (changed) {
        heap_free(memory->fingerprint);
        memory->fingerprint = heap_strdup(fingerprint);
    }
    (void)pthread_mutex_unlock(&seen->lock);
    return changed;
}

int64_t seen_stuck_ms(struct seen *seen, const char *key, int64_t undelivered,
                      int64_t oldest_ms, int64_t now_ms)
{
    struct memory *memory = NULL;
    bool waits = undelivered > 0 && oldest_ms != 0;
    int64_t stuck_ms = 0;

    (void)pthread_mutex_lock(&seen->lock);
    memory = memory_get(seen, key);
    if (waits && memory->oldest_ms == oldest_ms) {
        stuck_ms = now_ms - memory->since_ms;
    } else {
        memory->moved =
            memory->moved || undelivered == 0 || (waits && memory->oldest_ms != 0);
        memory->oldest_ms = undelivered > 0 ? oldest_ms : 0;
        memory->since_ms = now_ms;
    }
    (void)pthread_mutex_unlock(&seen->lock);
    return stuck_ms;
}

void seen_rest(struct seen *seen, const char *key, int64_t now_ms)
{
    (void)pthread_mutex_lock(&seen->lock);
    memory_get(seen, key)->since_ms = now_ms;
    (void)pthread_mutex_unlock(&seen->lock);
}

bool seen_moved(struct seen *seen, const char *key)
{
    bool moved = false;

    (void)pthread_mutex_lock(&seen->lock);
    moved = memory_get(seen, key)->moved;
    (void)pthread_mutex_unlock(&seen->lock);
    return moved;
}

void seen_unproven(struct seen *seen, const char *key)
{
    (void)pthread_mutex_lock(&seen->lock);
    memory_get(seen, key)->moved = false;
    (void)pthread_mutex_unlock(&seen->lock);
}

void seen_sink(struct seen *seen, const char *key, int64_t id)
{
    struct memory *memory = NULL;

    (void)pthread_mutex_lock(&seen->lock);
    memory = memory_get(seen, key);
    if (memory->sink != id) {
        memory->sink = id;
        memory->moved = false;
        memory->oldest_ms = memory->since_ms = 0;
    }
    (void)pthread_mutex_unlock(&seen->lock);
}

static int64_t size_of(int64_t difference)
{
    return difference < 0 ? -difference : difference;
}

static void gap_begin(struct memory *memory, int64_t gap, int64_t rows, int64_t now_ms)
{
    memory->gap = gap;
    memory->gap_rows = rows;
    memory->gap_since_ms = now_ms;
    memory->gap_least = size_of(gap);
    memory->gap_swing = 0;
    memory->gap_looks = 1;
}

/* Deletes that are still on their way make the stream's rows fewer from look to look;
 * new rows come also into the copy of a table that was replaced. */
static bool follows(const struct memory *memory, int64_t gap, int64_t rows)
{
    return gap < 0 ? rows < memory->gap_rows : rows != memory->gap_rows;
}

static void gap_goes_on(struct memory *memory, int64_t gap, int64_t rows, int64_t now_ms)
{
    int64_t step = size_of(rows - memory->gap_rows), size = size_of(gap);

    if (follows(memory, gap, rows)) {
        memory->gap_since_ms = now_ms;
    }
    memory->gap = gap;
    memory->gap_rows = rows;
    memory->gap_least = size < memory->gap_least ? size : memory->gap_least;
    memory->gap_swing = step > memory->gap_swing ? step : memory->gap_swing;
    memory->gap_looks += memory->gap_looks < SEEN_GAP_LOOKS ? 1 : 0;
}

int64_t seen_gap_ms(struct seen *seen, const char *key, int64_t gap, int64_t rows,
                    int64_t now_ms)
{
    struct memory *memory = NULL;
    int64_t lasted_ms = 0;

    (void)pthread_mutex_lock(&seen->lock);
    memory = memory_get(seen, key);
    if (gap == 0) {
        memory->gap = 0;
        memory->fell = false;
    } else if (memory->gap == 0 || (memory->gap < 0) != (gap < 0)) {
        gap_begin(memory, gap, rows, now_ms);
    } else {
        gap_goes_on(memory, gap, rows, now_ms);
    }
    if (gap != 0 && memory->gap_looks >= SEEN_GAP_LOOKS) {
        lasted_ms = memory->gap_swing >= memory->gap_least
                        ? SEEN_GAP_EXPLAINED
                        : now_ms - memory->gap_since_ms;
    }
    (void)pthread_mutex_unlock(&seen->lock);
    return lasted_ms;
}

bool seen_fell(struct seen *seen, const char *key, int64_t value)
{
    struct memory *memory = NULL;
    bool fell = false;

    (void)pthread_mutex_lock(&seen->lock);
    memory = memory_get(seen, key);
    memory->fell = memory->fell || value < memory->counter;
    memory->counter = value;
    fell = memory->fell;
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
