#include "loop/parking.h"

#include "base/heap.h"
#include "base/map.h"

void parking_init(struct parking *p)
{
    memset(p, 0, sizeof(*p));
    p->by_key = map_new((uint64_t)(uintptr_t)p);
}

void parked_free(struct parked *list)
{
    while (list != NULL) {
        struct parked *next = list->next;

        heap_free(list);
        list = next;
    }
}

void parking_deinit(struct parking *p)
{
    parked_free(p->first);
    for (size_t i = 0; i < PARKING_CALLED_MAX; i++) {
        heap_free(p->called[i]);
    }
    map_free(p->by_key);
}

size_t parking_count(const struct parking *p)
{
    return map_count(p->by_key);
}

bool parking_is_first(const struct parking *p, const char *key)
{
    return p->first != NULL && strcmp(p->first->key, key) == 0;
}

static struct parked *parked_new(const char *key)
{
    size_t bytes = strlen(key) + 1;
    struct parked *one = heap_new(sizeof(struct parked) + bytes);

    memcpy(one->key, key, bytes);
    return one;
}

void parking_add(struct parking *p, const char *key)
{
    struct parked *one = NULL;

    if (map_find(p->by_key, sv_from(key)) != NULL) {
        return;
    }
    one = parked_new(key);
    (void)map_put(p->by_key, sv_from(key), one);
    if (p->last == NULL) {
        p->first = one;
    } else {
        p->last->next = one;
    }
    p->last = one;
}

void parking_add_first(struct parking *p, const char *key)
{
    struct parked *one = NULL;

    if (map_find(p->by_key, sv_from(key)) != NULL) {
        return;
    }
    one = parked_new(key);
    (void)map_put(p->by_key, sv_from(key), one);
    one->next = p->first;
    p->first = one;
    if (p->last == NULL) {
        p->last = one;
    }
}

/* The place of one more who is called: a free one, or that of who was called first. */
static size_t place(const struct parking *p)
{
    size_t oldest = 0;

    for (size_t i = 0; i < PARKING_CALLED_MAX; i++) {
        if (p->called[i] == NULL) {
            return i;
        }
        if (p->until_ms[i] < p->until_ms[oldest]) {
            oldest = i;
        }
    }
    return oldest;
}

struct parked *parking_call(struct parking *p, int64_t now_ms)
{
    struct parked *one = p->first;
    size_t at = place(p);

    if (one == NULL) {
        return NULL;
    }
    p->first = one->next;
    if (p->first == NULL) {
        p->last = NULL;
    }
    one->next = NULL;
    (void)map_remove(p->by_key, sv_from(one->key));
    heap_free(p->called[at]);
    p->called[at] = parked_new(one->key);
    p->until_ms[at] = now_ms + PARKING_CALL_MS;
    return one;
}

size_t parking_expected(const struct parking *p, int64_t now_ms)
{
    size_t count = 0;

    for (size_t i = 0; i < PARKING_CALLED_MAX; i++) {
        count += p->called[i] != NULL && now_ms < p->until_ms[i] ? 1 : 0;
    }
    return count;
}

static size_t find_called(const struct parking *p, const char *key)
{
    size_t i = 0;

    while (i < PARKING_CALLED_MAX &&
           (p->called[i] == NULL || strcmp(p->called[i]->key, key) != 0)) {
        i++;
    }
    return i;
}

bool parking_is_called(const struct parking *p, const char *key)
{
    return find_called(p, key) < PARKING_CALLED_MAX;
}

/* Somebody who came without being called; rare, so the line is searched. */
static void leave(struct parking *p, const char *key)
{
    struct parked *one = map_remove(p->by_key, sv_from(key)), *before = NULL;

    if (one == NULL) {
        return;
    }
    for (struct parked *at = p->first; at != one; at = at->next) {
        before = at;
    }
    if (before == NULL) {
        p->first = one->next;
    } else {
        before->next = one->next;
    }
    if (p->last == one) {
        p->last = before;
    }
    heap_free(one);
}

bool parking_arrive(struct parking *p, const char *key)
{
    size_t at = find_called(p, key);

    leave(p, key);
    if (at == PARKING_CALLED_MAX) {
        return false;
    }
    heap_free(p->called[at]);
    p->called[at] = NULL;
    return true;
}

struct parked *parking_take_all(struct parking *p)
{
    struct parked *all = p->first;

    for (struct parked *one = all; one != NULL; one = one->next) {
        (void)map_remove(p->by_key, sv_from(one->key));
    }
    p->first = p->last = NULL;
    return all;
}
