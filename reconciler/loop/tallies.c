#include "loop/tallies.h"

#include "base/heap.h"
#include "base/map.h"

#include <pthread.h>
#include <string.h>

struct waiting { /* in line, or at work */
    struct waiting *next;
    const void *source, *target;
    char key[];
};

struct memory {
    struct tally tally;
    int64_t due_ms;
};

struct tallies {
    pthread_mutex_t lock;
    struct map *by_key;
    struct waiting *line; /* in the order in which they came */
    struct waiting *busy; /* at most TALLIES_AT_ONCE */
};

struct tallies *tallies_new(uint64_t seed)
{
    struct tallies *tallies = HEAP_NEW(struct tallies);

    must(pthread_mutex_init(&tallies->lock, NULL) == 0);
    tallies->by_key = map_new(seed);
    return tallies;
}

static void free_all(struct waiting *list)
{
    while (list != NULL) {
        struct waiting *next = list->next;

        heap_free(list);
        list = next;
    }
}

void tallies_free(struct tallies *tallies)
{
    size_t at = 0;
    struct sv key;
    void *value = NULL;

    if (tallies == NULL) {
        return;
    }
    while (map_next(tallies->by_key, &at, &key, &value)) {
        heap_free(value);
    }
    map_free(tallies->by_key);
    free_all(tallies->line);
    free_all(tallies->busy);
    (void)pthread_mutex_destroy(&tallies->lock);
    heap_free(tallies);
}

bool tallies_get(struct tallies *tallies, const char *key, struct tally *out_tally,
                 int64_t *out_due_ms)
{
    struct memory *memory = NULL;

    must(pthread_mutex_lock(&tallies->lock) == 0);
    memory = map_find(tallies->by_key, sv_from(key));
    if (memory != NULL) {
        *out_tally = memory->tally;
        *out_due_ms = memory->due_ms;
    }
    must(pthread_mutex_unlock(&tallies->lock) == 0);
    return memory != NULL;
}

void tallies_put(struct tallies *tallies, const char *key, const struct tally *tally,
                 int64_t due_ms)
{
    struct memory *memory = HEAP_NEW(struct memory);

    *memory = (struct memory){.tally = *tally, .due_ms = due_ms};
    must(pthread_mutex_lock(&tallies->lock) == 0);
    heap_free(map_put(tallies->by_key, sv_from(key), memory));
    must(pthread_mutex_unlock(&tallies->lock) == 0);
}

/* Takes the key's entry out of a list; NULL: it is not there. The lock is held. */
static struct waiting *take(struct waiting **list, const char *key)
{
    for (struct waiting **at = list; *at != NULL; at = &(*at)->next) {
        struct waiting *found = *at;

        if (strcmp(found->key, key) == 0) {
            *at = found->next;
            found->next = NULL;
            return found;
        }
    }
    return NULL;
}

void tallies_forget(struct tallies *tallies, const char *key)
{
    must(pthread_mutex_lock(&tallies->lock) == 0);
    heap_free(map_remove(tallies->by_key, sv_from(key)));
    heap_free(take(&tallies->line, key));
    must(pthread_mutex_unlock(&tallies->lock) == 0);
}

/* The lock is held. */
static bool has_room(const struct tallies *tallies, const void *source,
                     const void *target)
{
    int count = 0;

    for (const struct waiting *w = tallies->busy; w != NULL; w = w->next) {
        if (w->source == source || w->target == target) {
            return false;
        }
        count++;
    }
    return count < TALLIES_AT_ONCE;
}

static bool stands(const struct waiting *list, const char *key)
{
    while (list != NULL && strcmp(list->key, key) != 0) {
        list = list->next;
    }
    return list != NULL;
}

static struct waiting *waiting_new(const char *key, const void *source,
                                   const void *target)
{
    size_t size = strlen(key) + 1;
    struct waiting *w = heap_new(sizeof(*w) + size);

    w->next = NULL;
    w->source = source;
    w->target = target;
    memcpy(w->key, key, size);
    return w;
}

static void append(struct waiting **list, struct waiting *entry)
{
    while (*list != NULL) {
        list = &(*list)->next;
    }
    *list = entry;
}

bool tallies_enter(struct tallies *tallies, const char *key, const void *source,
                   const void *target)
{
    struct waiting *own = waiting_new(key, source, target);
    bool room = false;

    must(pthread_mutex_lock(&tallies->lock) == 0);
    room = has_room(tallies, source, target);
    if (room) {
        heap_free(take(&tallies->line, key));
        append(&tallies->busy, own);
        own = NULL;
    } else if (!stands(tallies->line, key)) {
        append(&tallies->line, own);
        own = NULL;
    }
    must(pthread_mutex_unlock(&tallies->lock) == 0);
    heap_free(own);
    return room;
}

const char *tallies_leave(struct tallies *tallies, const char *key, struct arena *arena)
{
    const char *called = NULL;

    must(pthread_mutex_lock(&tallies->lock) == 0);
    heap_free(take(&tallies->busy, key));
    for (const struct waiting *w = tallies->line; w != NULL && called == NULL;
         w = w->next) {
        if (has_room(tallies, w->source, w->target)) {
            called = arena_strdup(arena, w->key);
        }
    }
    if (called != NULL) { /* who comes enters; who does not come is in nobody's way */
        heap_free(take(&tallies->line, called));
    }
    must(pthread_mutex_unlock(&tallies->lock) == 0);
    return called;
}
