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
    parked_free(p->urgent.first);
    parked_free(p->others.first);
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
    const struct parked *first =
        p->urgent.first != NULL ? p->urgent.first : p->others.first;

    return first != NULL && strcmp(first->key, key) == 0;
}

/* --- files: the urgent, and the others --- */

static struct parking_file *file_of(struct parking *p, const struct parked *one)
{
    return one->urgent ? &p->urgent : &p->others;
}

static void append(struct parking *p, struct parked *one)
{
    struct parking_file *file = file_of(p, one);

    one->next = NULL;
    if (file->last == NULL) {
        file->first = one;
    } else {
        file->last->next = one;
    }
    file->last = one;
}

static void prepend(struct parking *p, struct parked *one)
{
    struct parking_file *file = file_of(p, one);

    one->next = file->first;
    file->first = one;
    if (file->last == NULL) {
        file->last = one;
    }
}

/* It is at the front but for who came without being called: rare, so the file is
 * searched. */
static void take_out(struct parking *p, struct parked *one)
{
    struct parking_file *file = file_of(p, one);
    struct parked *before = NULL;

    for (struct parked *at = file->first; at != one; at = at->next) {
        before = at;
    }
    if (before == NULL) {
        file->first = one->next;
    } else {
        before->next = one->next;
    }
    if (file->last == one) {
        file->last = before;
    }
    one->next = NULL;
}

/* --- coming --- */

static struct parked *parked_new(const char *key, bool urgent, int64_t since_ms)
{
    size_t bytes = strlen(key) + 1;
    struct parked *one = heap_new(sizeof(struct parked) + bytes);

    one->urgent = urgent;
    one->since_ms = since_ms;
    memcpy(one->key, key, bytes);
    return one;
}

void parking_add(struct parking *p, const char *key, bool urgent, int64_t now_ms)
{
    struct parked *one = map_find(p->by_key, sv_from(key));

    if (one != NULL && (one->urgent || !urgent)) {
        return;
    }
    if (one != NULL) {
        take_out(p, one);
        one->urgent = true;
    } else {
        one = parked_new(key, urgent, now_ms);
        (void)map_put(p->by_key, sv_from(key), one);
    }
    append(p, one);
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

void parking_add_first(struct parking *p, const char *key, bool urgent, int64_t now_ms)
{
    size_t at = find_called(p, key);
    struct parked *one =
        at < PARKING_CALLED_MAX ? TAKE(p->called[at]) : parked_new(key, urgent, now_ms);
    struct parked *standing = map_remove(p->by_key, sv_from(key));

    one->urgent = one->urgent || urgent;
    if (standing != NULL) {
        take_out(p, standing);
        one->urgent = one->urgent || standing->urgent;
        heap_free(standing);
    }
    (void)map_put(p->by_key, sv_from(key), one);
    prepend(p, one);
}

/* --- being called --- */

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

/* Whose turn it is; NULL: nobody waits. */
static struct parked *next_of(const struct parking *p, int64_t now_ms)
{
    struct parked *urgent = p->urgent.first, *other = p->others.first;
    bool aged = p->calls % QUEUE_AGED_EVERY == 0 && other != NULL &&
                other->since_ms <= now_ms - QUEUE_LOW_MS;

    if (urgent == NULL || (aged && other->since_ms < urgent->since_ms)) {
        return other;
    }
    return urgent;
}

struct parked *parking_call(struct parking *p, int64_t now_ms)
{
    struct parked *one = next_of(p, now_ms);
    size_t at = place(p);

    if (one == NULL) {
        return NULL;
    }
    p->calls++;
    take_out(p, one);
    (void)map_remove(p->by_key, sv_from(one->key));
    heap_free(p->called[at]);
    p->called[at] = parked_new(one->key, one->urgent, one->since_ms);
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

bool parking_is_called(const struct parking *p, const char *key)
{
    return find_called(p, key) < PARKING_CALLED_MAX;
}

bool parking_arrive(struct parking *p, const char *key)
{
    size_t at = find_called(p, key);
    struct parked *one = map_remove(p->by_key, sv_from(key));

    if (one != NULL) {
        take_out(p, one);
        heap_free(one);
    }
    if (at == PARKING_CALLED_MAX) {
        return false;
    }
    heap_free(p->called[at]);
    p->called[at] = NULL;
    return true;
}

struct parked *parking_take_all(struct parking *p)
{
    struct parked *all = p->urgent.first != NULL ? p->urgent.first : p->others.first;

    if (p->urgent.last != NULL) {
        p->urgent.last->next = p->others.first;
    }
    for (struct parked *one = all; one != NULL; one = one->next) {
        (void)map_remove(p->by_key, sv_from(one->key));
    }
    p->urgent = p->others = (struct parking_file){0};
    return all;
}
