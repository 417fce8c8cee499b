/*
 * Entries stand in an array in the order they came; an open-addressed table of indices
 * finds them. Removing leaves a dead entry behind, which the next rebuild drops: the
 * order never changes and an iteration survives the removal of the entry it stands on.
 */
#include "base/map.h"
#include "base/heap.h"
#include "base/siphash.h"

#include <stdint.h>

#define FIRST_ENTRIES ((size_t)8)
#define SLOT_EMPTY 0U

struct entry {
    char *key; /* NULL: removed */
    size_t key_bytes;
    uint64_t hash;
    void *value;
};

struct map {
    uint64_t seed[2];
    struct entry *entries;
    uint32_t *slots; /* index + 1 into entries; twice as many as entries fit */
    size_t capacity; /* of entries; a power of two */
    size_t used;     /* entries taken, dead ones included */
    size_t count;    /* living */
};

static uint64_t hash_of(const struct map *m, struct sv key)
{
    return siphash(m->seed, key);
}

struct map *map_new(uint64_t seed)
{
    struct map *m = HEAP_NEW(struct map);

    m->seed[0] = seed;
    m->seed[1] = ~seed * 0x9e3779b97f4a7c15U;
    return m;
}

void map_free(struct map *m)
{
    if (m == NULL) {
        return;
    }
    for (size_t i = 0; i < m->used; i++) {
        heap_free(m->entries[i].key);
    }
    heap_free(m->entries);
    heap_free(m->slots);
    heap_free(m);
}

void map_freep(struct map **m)
{
    map_free(TAKE(*m));
}

static struct entry *entry_find(const struct map *m, struct sv key, uint64_t hash)
{
    if (m->count == 0) {
        return NULL;
    }
    size_t mask = m->capacity * 2 - 1;

    /* Ends at an empty slot: at most half of the slots are ever taken. */
    for (size_t at = hash & mask; m->slots[at] != SLOT_EMPTY; at = (at + 1) & mask) {
        struct entry *e = &m->entries[m->slots[at] - 1];
        if (e->key != NULL && e->hash == hash &&
            sv_eq((struct sv){e->key, e->key_bytes}, key)) {
            return e;
        }
    }
    return NULL;
}

static void slot_take(struct map *m, size_t index)
{
    size_t mask = m->capacity * 2 - 1;
    size_t at = m->entries[index].hash & mask;

    while (m->slots[at] != SLOT_EMPTY) {
        at = (at + 1) & mask;
    }
    m->slots[at] = (uint32_t)(index + 1);
}

/* Drops the dead; doubles when more than half of the entries live. */
static void rebuild(struct map *m)
{
    size_t capacity = m->capacity == 0             ? FIRST_ENTRIES
                      : m->count > m->capacity / 2 ? m->capacity * 2
                                                   : m->capacity;
    must(capacity < UINT32_MAX / 2);
    struct entry *entries = heap_new(capacity * sizeof(*entries));
    uint32_t *slots = heap_new(capacity * 2 * sizeof(*slots));
    size_t used = 0;
    for (size_t i = 0; i < m->used; i++) {
        if (m->entries[i].key != NULL) {
            entries[used++] = m->entries[i];
        }
    }
    heap_free(m->entries);
    heap_free(m->slots);
    m->entries = entries;
    m->slots = slots;
    m->capacity = capacity;
    m->used = used;
    for (size_t i = 0; i < used; i++) {
        slot_take(m, i);
    }
}

void *map_find(const struct map *m, struct sv key)
{
    const struct entry *e = entry_find(m, key, hash_of(m, key));

    return e == NULL ? NULL : e->value;
}

void *map_put(struct map *m, struct sv key, void *value)
{
    uint64_t hash = hash_of(m, key);
    struct entry *e = entry_find(m, key, hash);

    must(value != NULL);
    if (e != NULL) {
        void *old = e->value;
        e->value = value;
        return old;
    }
    char *copy = heap_new(key.n + 1);
    memcpy(copy, key.n == 0 ? "" : key.p, key.n);
    if (m->used == m->capacity) {
        rebuild(m);
    }
    m->entries[m->used] = (struct entry){copy, key.n, hash, value};
    slot_take(m, m->used);
    m->used++;
    m->count++;
    return NULL;
}

void *map_remove(struct map *m, struct sv key)
{
    struct entry *e = entry_find(m, key, hash_of(m, key));

    if (e == NULL) {
        return NULL;
    }
    heap_free(e->key);
    e->key = NULL;
    m->count--;
    return TAKE(e->value);
}

size_t map_count(const struct map *m)
{
    return m->count;
}

bool map_next(const struct map *m, size_t *at, struct sv *out_key, void **out_value)
{
    while (*at < m->used && m->entries[*at].key == NULL) {
        (*at)++;
    }
    if (*at >= m->used) {
        return false;
    }
    const struct entry *e = &m->entries[(*at)++];
    *out_key = (struct sv){e->key, e->key_bytes};
    *out_value = e->value;
    return true;
}
