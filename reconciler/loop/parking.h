/*
 * parking: attempts that wait in line for one thing, by their queue keys. An attempt that
 * cannot have it now ends, its key stands here, and comes back when it is called: so no
 * worker ever waits for another attempt.
 *
 * Those who are urgent (QUEUE_URGENT) go before the others; first come, first served
 * among each. Nobody starves: as in the queue, of those that have waited for QUEUE_LOW_MS
 * the one that has longest is every QUEUE_AGED_EVERYth to be called. A key stands in a
 * line once, and is urgent if it ever came so. Who is called has PARKING_CALL_MS to come,
 * and for that long nobody overtakes it; who comes later goes in front of its kind again
 * and has waited since it first came. No lock of its own: it belongs to its owner's.
 */
#ifndef LOOP_PARKING_H
#define LOOP_PARKING_H

#include "loop/queue.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARKING_CALL_MS 2000
#define PARKING_CALLED_MAX 8

struct parked { /* one key; a list of them is freed with parked_free() */
    struct parked *next;
    int64_t since_ms; /* when it came */
    bool urgent;
    char key[];
};

struct parking {
    struct map *by_key;
    struct parking_file {
        struct parked *first, *last;
    } urgent, others;
    size_t calls;                              /* made so far */
    struct parked *called[PARKING_CALLED_MAX]; /* on their way; NULL: free */
    int64_t until_ms[PARKING_CALLED_MAX];
};

void parking_init(struct parking *p);
void parking_deinit(struct parking *p);
size_t parking_count(const struct parking *p); /* without those that were called */
/* Nobody stands before it, but for who has waited too long. */
bool parking_is_first(const struct parking *p, const char *key);
/* Puts the key at the end of its kind, unless it stands in line already and is no more
 * urgent than before. */
void parking_add(struct parking *p, const char *key, bool urgent, int64_t now_ms);
/* ... or at the front; a call of it is over, as with parking_arrive(). */
void parking_add_first(struct parking *p, const char *key, bool urgent, int64_t now_ms);
/* Takes the next out and remembers that it was called; NULL: nobody waits. The list of
 * one is the caller's. */
struct parked *parking_call(struct parking *p, int64_t now_ms);
/* How many were called and may still come. */
size_t parking_expected(const struct parking *p, int64_t now_ms);
bool parking_is_called(const struct parking *p, const char *key);
/* The key is here, and what was remembered of it is forgotten. True: it was called. */
bool parking_arrive(struct parking *p, const char *key);
/* Takes everybody out, in order, the urgent ones first. */
struct parked *parking_take_all(struct parking *p);
void parked_free(struct parked *list);

#endif
