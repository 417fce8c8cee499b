/* queue_keys: the table of a queue's keys and the heap of those that are delayed. */
#include "base/heap.h"
#include "base/siphash.h"
#include "loop/queue_private.h"

#define FIRST_SLOTS ((size_t)16)

/* --- table --- */

void table_init(struct table *t, uint64_t seed)
{
    *t = (struct table){.seed = {seed, ~seed * 0x9e3779b97f4a7c15U}};
}

void table_deinit(struct table *t)
{
    for (size_t i = 0; i < t->size; i++) {
        struct entry *e = t->slots[i];

        while (e != NULL) {
            struct entry *next = e->chain;

            heap_free(e);
            e = next;
        }
    }
    heap_free(t->slots);
}

static struct entry **slot_of(const struct table *t, uint32_t hash)
{
    return &t->slots[hash & (t->size - 1)];
}

static struct entry *find_in(const struct table *t, const char *key, uint32_t hash)
{
    struct entry *e = t->size == 0 ? NULL : *slot_of(t, hash);

    while (e != NULL && (e->hash != hash || strcmp(e->key, key) != 0)) {
        e = e->chain;
    }
    return e;
}

struct entry *table_find(const struct table *t, const char *key)
{
    return find_in(t, key, (uint32_t)siphash(t->seed, sv_from(key)));
}

static void grow(struct table *t)
{
    struct table larger = *t;

    larger.size = t->size == 0 ? FIRST_SLOTS : t->size * 2;
    larger.slots = heap_new(larger.size * sizeof(struct entry *));
    for (size_t i = 0; i < t->size; i++) {
        struct entry *e = t->slots[i];

        while (e != NULL) {
            struct entry *next = e->chain, **slot = slot_of(&larger, e->hash);

            e->chain = *slot;
            *slot = e;
            e = next;
        }
    }
    heap_free(t->slots);
    t->slots = larger.slots;
    t->size = larger.size;
}

struct entry *table_get(struct table *t, const char *key)
{
    uint32_t hash = (uint32_t)siphash(t->seed, sv_from(key));
    struct entry *e = find_in(t, key, hash), **slot = NULL;
    size_t bytes = strlen(key) + 1;

    if (e != NULL) {
        return e;
    }
    must(t->count < QUEUE_KEYS_MAX);
    if (t->count == t->size) {
        grow(t);
    }
    e = heap_new(sizeof(struct entry) + bytes);
    memcpy(e->key, key, bytes);
    e->hash = hash;
    slot = slot_of(t, hash);
    e->chain = *slot;
    *slot = e;
    t->count++;
    return e;
}

void table_drop(struct table *t, struct entry *e)
{
    struct entry **at = slot_of(t, e->hash);

    while (*at != e) {
        at = &(*at)->chain;
    }
    *at = e->chain;
    t->count--;
    heap_free(e);
}

/* --- agenda: a binary heap --- */

void agenda_deinit(struct agenda *h)
{
    heap_free(h->v);
}

static void place(struct agenda *h, size_t at, struct entry *e)
{
    h->v[at] = e;
    e->heap_at = at + 1;
}

static void sift_up(struct agenda *h, size_t at, struct entry *e)
{
    while (at > 0 && h->v[(at - 1) / 2]->ready_ms > e->ready_ms) {
        place(h, at, h->v[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    place(h, at, e);
}

static void sift_down(struct agenda *h, size_t at, struct entry *e)
{
    while (2 * at + 1 < h->n) {
        size_t child = 2 * at + 1;

        if (child + 1 < h->n && h->v[child + 1]->ready_ms < h->v[child]->ready_ms) {
            child++;
        }
        if (h->v[child]->ready_ms >= e->ready_ms) {
            break;
        }
        place(h, at, h->v[child]);
        at = child;
    }
    place(h, at, e);
}

void agenda_push(struct agenda *h, struct entry *e)
{
    if (h->n == h->capacity) {
        size_t capacity = h->capacity == 0 ? FIRST_SLOTS : h->capacity * 2;
        struct entry **v = heap_new(capacity * sizeof(struct entry *));

        if (h->n > 0) {
            memcpy(v, h->v, h->n * sizeof(struct entry *));
        }
        heap_free(h->v);
        h->v = v;
        h->capacity = capacity;
    }
    h->n++;
    sift_up(h, h->n - 1, e);
}

void agenda_remove(struct agenda *h, struct entry *e)
{
    size_t at = e->heap_at - 1;
    struct entry *last = h->v[--h->n];

    must(h->v[at] == e || last == e);
    if (last == e) {
        return;
    }
    if (at > 0 && h->v[(at - 1) / 2]->ready_ms > last->ready_ms) {
        sift_up(h, at, last);
    } else {
        sift_down(h, at, last);
    }
}
