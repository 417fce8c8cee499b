/* What every test of this room includes: cmocka in its order, a clock to turn, doubles.
 */
#ifndef LOOP_UNIT_H
#define LOOP_UNIT_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "loop/loop.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define assert_ok(call, fault)                                                           \
    do {                                                                                 \
        if (!(call)) {                                                                   \
            fail_msg("%s: %s", #call, (fault).text);                                     \
        }                                                                                \
    } while (0)

#define assert_contains(text, part)                                                      \
    do {                                                                                 \
        const char *in_ = (text);                                                        \
        if (in_ == NULL || strstr(in_, (part)) == NULL) {                                \
            fail_msg("'%s' does not contain '%s'", in_ == NULL ? "NULL" : in_, (part));  \
        }                                                                                \
    } while (0)

/* A clock that only tests turn; the wall shows UNIT_EPOCH_MS more, and may jump. */
#define UNIT_EPOCH_MS INT64_C(1790000000000)
struct unit_clock {
    struct clock base;
    _Atomic int64_t now_ms;
    int64_t wall_jump_ms;
};
void unit_clock_init(struct unit_clock *clock);

/* A signal between threads: raise once, wait at most ten seconds (true: it came). */
struct flag {
    pthread_mutex_t lock;
    pthread_cond_t raised;
    int64_t count;
};
void flag_init(struct flag *flag);
void flag_deinit(struct flag *flag);
void flag_raise(struct flag *flag);
/* Until it was raised `count` times. */
bool flag_wait(struct flag *flag, int64_t count, int64_t timeout_ms);

/*
 * Databases that count: each open and each read passes a hook that may refuse or wait.
 * Sessions of all three types; every catalog is empty.
 */
struct unit_db {
    struct db_factory base;
    _Atomic int64_t opens, closes, reads;
    void *context;
    bool (*on_open)(struct unit_db *db, struct fault *fault); /* NULL: works */
    bool (*on_read)(struct unit_db *db, struct fault *fault);
    /* What the servers say of themselves; no version: hardly anything. */
    struct mysql_server mysql;
    struct rw_server rw;
    struct sr_server sr;
    const char *unparseable; /* the one column of each database; NULL: none */
    _Atomic int64_t lists;   /* how often it was asked for */
};
void unit_db_init(struct unit_db *db);

/* An API server by hand: `answer` fills status and body of each request. */
struct unit_kube {
    struct kube_transport base;
    _Atomic int64_t calls;
    void *context;
    void (*answer)(struct unit_kube *kube, const struct kube_request *request,
                   struct kube_response *response);
    /* A watch: gives lines until it likes; NULL: it ends at once. */
    bool (*watch)(struct unit_kube *kube, struct cancel *cancel, kube_on_bytes *on_bytes,
                  void *to, struct fault *fault);
};
void unit_kube_init(struct unit_kube *kube);

/* Parses or fails the test; the caller frees. */
struct json *unit_json(const char *text);

#endif
