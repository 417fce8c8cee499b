#include "kube/shelf.h"

#include "base/heap.h"
#include "base/siphash.h"

#include <string.h>

#define NONE 0U /* slots and links are numbered from 1 */
#define FIRST_SLOTS 8U
#define SLOTS_MAX (UINT32_C(1) << 27)

struct slot {
    struct held *held; /* NULL: free */
    uint32_t hash;     /* of the key */
    uint32_t next;     /* in the bucket; in the list of free slots */
};

/* Link i of slot s is number (s - 1) * KUBE_TAGS_MAX + i + 1, and stands for tag i. */
struct link {
    uint64_t tag;
    uint32_t before, after;
};

struct shelf {
    uint64_t seed[2];
    struct slot *slots;
    struct link *links;
    uint32_t *buckets;     /* of keys */
    uint32_t *tag_buckets; /* TAG_BUCKETS times as many */
    uint32_t capacity;     /* of slots */
    uint32_t bucket_count; /* a power of two */
    uint32_t used;         /* slots ever taken */
    uint32_t free;         /* the first free one below */
    uint32_t count;
    size_t held_bytes;
};

#define TAG_BUCKETS 2U /* most objects have two tags of their own */

/* --- tags --- */

static struct sv key_of(const struct held *held)
{
    return (struct sv){held_key(held), held->key_bytes};
}

static uint32_t *tag_bucket(const struct shelf *t, uint64_t tag)
{
    uint64_t mixed = (tag ^ t->seed[0]) * (t->seed[1] | 1);

    return &t->tag_buckets[(mixed >> 32) & (t->bucket_count * TAG_BUCKETS - 1)];
}

static struct link *link_of(const struct shelf *t, uint32_t number)
{
    return &t->links[number - 1];
}

static uint32_t first_link(uint32_t slot)
{
    return (slot - 1) * KUBE_TAGS_MAX + 1;
}

static void chain(struct shelf *t, uint32_t number)
{
    struct link *link = link_of(t, number);
    uint32_t *bucket = tag_bucket(t, link->tag);

    link->before = NONE;
    link->after = *bucket;
    if (*bucket != NONE) {
        link_of(t, *bucket)->before = number;
    }
    *bucket = number;
}

static void unchain(struct shelf *t, uint32_t number)
{
    struct link *link = link_of(t, number);

    if (link->before == NONE) {
        *tag_bucket(t, link->tag) = link->after;
    } else {
        link_of(t, link->before)->after = link->after;
    }
    if (link->after != NONE) {
        link_of(t, link->after)->before = link->before;
    }
}

static void link_tags(struct shelf *t, uint32_t slot)
{
    const struct held *held = t->slots[slot - 1].held;

    for (uint32_t i = 0; i < held->tag_count; i++) {
        link_of(t, first_link(slot) + i)->tag = held->tags[i];
        chain(t, first_link(slot) + i);
    }
}

static void unlink_tags(struct shelf *t, uint32_t slot)
{
    const struct held *held = t->slots[slot - 1].held;

    for (uint32_t i = 0; i < held->tag_count; i++) {
        unchain(t, first_link(slot) + i);
    }
}

/* --- keys --- */

static uint32_t hash_of(const struct shelf *t, struct sv key)
{
    return (uint32_t)siphash(t->seed, key);
}

static uint32_t *bucket_of(const struct shelf *t, uint32_t hash)
{
    return &t->buckets[hash & (t->bucket_count - 1)];
}

static uint32_t find(const struct shelf *t, struct sv key, uint32_t hash)
{
    uint32_t slot = t->count == 0 ? NONE : *bucket_of(t, hash);

    while (slot != NONE && (t->slots[slot - 1].hash != hash ||
                            !sv_eq(key_of(t->slots[slot - 1].held), key))) {
        slot = t->slots[slot - 1].next;
    }
    return slot;
}

static void *enlarged(void *old, size_t old_bytes, size_t bytes)
{
    void *p = heap_new(bytes);

    if (old_bytes > 0) {
        memcpy(p, old, old_bytes);
    }
    heap_free(old);
    return p;
}

static void enlarge(struct shelf *t)
{
    uint32_t capacity =
        t->capacity == 0 ? FIRST_SLOTS : t->capacity + t->capacity / 4 + FIRST_SLOTS;

    must(capacity < SLOTS_MAX / KUBE_TAGS_MAX);
    t->slots =
        enlarged(t->slots, t->capacity * sizeof(*t->slots), capacity * sizeof(*t->slots));
    t->links = enlarged(t->links, (size_t)t->capacity * KUBE_TAGS_MAX * sizeof(*t->links),
                        (size_t)capacity * KUBE_TAGS_MAX * sizeof(*t->links));
    t->capacity = capacity;
    if (t->bucket_count >= capacity) {
        return;
    }
    t->bucket_count = t->bucket_count == 0 ? FIRST_SLOTS * 2 : t->bucket_count * 2;
    heap_free(t->buckets);
    heap_free(t->tag_buckets);
    t->buckets = heap_new(t->bucket_count * sizeof(*t->buckets));
    t->tag_buckets =
        heap_new((size_t)t->bucket_count * TAG_BUCKETS * sizeof(*t->tag_buckets));
    for (uint32_t slot = 1; slot <= t->used; slot++) {
        struct slot *s = &t->slots[slot - 1];
        if (s->held != NULL) {
            uint32_t *bucket = bucket_of(t, s->hash);
            s->next = *bucket;
            *bucket = slot;
            link_tags(t, slot);
        }
    }
}

struct shelf *shelf_new(uint64_t seed)
{
    struct shelf *t = HEAP_NEW(struct shelf);

    t->seed[0] = seed;
    t->seed[1] = ~seed * UINT64_C(0x9e3779b97f4a7c15);
    return t;
}

void shelf_free(struct shelf *t)
{
    if (t == NULL) {
        return;
    }
    for (uint32_t i = 0; i < t->used; i++) {
        held_put(t->slots[i].held);
    }
    heap_free(t->slots);
    heap_free(t->links);
    heap_free(t->buckets);
    heap_free(t->tag_buckets);
    heap_free(t);
}

struct held *shelf_find(const struct shelf *t, struct sv key)
{
    uint32_t slot = find(t, key, hash_of(t, key));

    return slot == NONE ? NULL : t->slots[slot - 1].held;
}

static bool same_tags(const struct held *a, const struct held *b)
{
    return a->tag_count == b->tag_count &&
           memcmp(a->tags, b->tags, a->tag_count * sizeof(a->tags[0])) == 0;
}

static struct held *replace(struct shelf *t, uint32_t slot, struct held *held)
{
    struct held *old = t->slots[slot - 1].held;

    t->held_bytes += held_bytes(held) - held_bytes(old);
    if (same_tags(old, held)) {
        t->slots[slot - 1].held = held;
        return old;
    }
    unlink_tags(t, slot);
    t->slots[slot - 1].held = held;
    link_tags(t, slot);
    return old;
}

struct held *shelf_put(struct shelf *t, struct held *held)
{
    uint32_t hash = hash_of(t, key_of(held));
    uint32_t slot = find(t, key_of(held), hash);

    if (slot != NONE) {
        return replace(t, slot, held);
    }
    if (t->free == NONE && t->used == t->capacity) {
        enlarge(t);
    }
    if (t->free != NONE) {
        slot = t->free;
        t->free = t->slots[slot - 1].next;
    } else {
        slot = ++t->used;
    }
    uint32_t *bucket = bucket_of(t, hash);
    t->slots[slot - 1] = (struct slot){.held = held, .hash = hash, .next = *bucket};
    *bucket = slot;
    link_tags(t, slot);
    t->held_bytes += held_bytes(held);
    t->count++;
    return NULL;
}

struct held *shelf_remove(struct shelf *t, struct sv key)
{
    uint32_t hash = hash_of(t, key);
    uint32_t slot = find(t, key, hash);

    if (slot == NONE) {
        return NULL;
    }
    uint32_t *from = bucket_of(t, hash);
    while (*from != slot) {
        from = &t->slots[*from - 1].next;
    }
    struct slot *s = &t->slots[slot - 1];
    *from = s->next;
    t->held_bytes -= held_bytes(s->held);
    unlink_tags(t, slot);
    s->next = t->free;
    t->free = slot;
    t->count--;
    return TAKE(s->held);
}

size_t shelf_bytes(const struct shelf *t)
{
    size_t slot_bytes = sizeof(struct slot) + KUBE_TAGS_MAX * sizeof(struct link);

    return t->held_bytes + t->capacity * slot_bytes +
           (size_t)t->bucket_count * (1 + TAG_BUCKETS) * sizeof(uint32_t);
}

size_t shelf_count(const struct shelf *t)
{
    return t->count;
}

struct held *shelf_next(const struct shelf *t, size_t *at)
{
    while (*at < t->used) {
        struct held *held = t->slots[(*at)++].held;
        if (held != NULL) {
            return held;
        }
    }
    return NULL;
}

struct held *shelf_next_tagged(const struct shelf *t, uint64_t tag, uint32_t *at)
{
    uint32_t number = NONE;

    if (t->count == 0) {
        return NULL;
    }
    number = *at == SHELF_FIRST ? *tag_bucket(t, tag) : link_of(t, *at)->after;
    while (number != NONE && link_of(t, number)->tag != tag) {
        number = link_of(t, number)->after;
    }
    if (number == NONE) {
        return NULL;
    }
    *at = number;
    return t->slots[(number - 1) / KUBE_TAGS_MAX].held;
}
