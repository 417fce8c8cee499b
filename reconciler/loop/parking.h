/*
 * parking: attempts that wait in line for one thing, by their queue keys. An attempt that
 * cannot have it now ends, its key stands here, and comes back when it is called: so no
 * worker ever waits for another attempt.
 *
 * First come, first served; a key stands in a line once. Who is called has
 * PARKING_CALL_MS to come, and for that long nobody overtakes it; who comes later goes in
 * front again. No lock of its own: it belongs to its owner's.
 */
#ifndef LOOP_PARKING_H
#define LOOP_PARKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARKING_CALL_MS 2000
#define PARKING_CALLED_MAX 8

struct parked { /* one key; a list of them is freed with parked_free() */
    struct parked *next;
    char key[];
};

struct parking {
    struct map *by_key;
    struct parked *first, *last;
    struct parked *called[PARKING_CALLED_MAX]; /* on their way; NULL: free */
    int64_t until_ms[PARKING_CALLED_MAX];
};

void parking_init(struct parking *p);
void parking_deinit(struct parking *p);
size_t parking_count(const struct parking *p); /* without those that were called */
bool parking_is_first(const struct parking *p, const char *key);
/* Puts the key at the end, unless it stands in line already. */
void parking_add(struct parking *p, const char *key);
/* ... or at the front. */
void parking_add_first(struct parking *p, const char *key);
/* Takes the first out and remembers that it was called; NULL: nobody waits. The list of
 * one is the caller's. */
struct parked *parking_call(struct parking *p, int64_t now_ms);
/* How many were called and may still come. */
size_t parking_expected(const struct parking *p, int64_t now_ms);
bool parking_is_called(const struct parking *p, const char *key);
/* The key is here, and what was remembered of it is forgotten. True: it was called. */
bool parking_arrive(struct parking *p, const char *key);
/* Takes everybody out, in order. */
struct parked *parking_take_all(struct parking *p);
void parked_free(struct parked *list);

#endif
