/*
 * shop: the little world that every scenario lives in (two MySQL servers, a RisingWave, a
 * StarRocks, their connections and Secrets in namespace "shop"), and what must hold in
 * it.
 */
#ifndef SHOP_H
#define SHOP_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "audit/query.h"
#include "sim.h"

#define SHOP "shop"
#define MYSQL_HOST "mysql.shop"
#define MYSQL_B_HOST "mysql-b.shop"
#define RW_HOST "rw.shop"
#define RW_B_HOST "rw-b.shop"
#define SR_HOST "sr.shop"
#define MINUTE_MS INT64_C(60000)

/* Fields left out take the defaults in the comments. */
struct shop_sync {
    const char *name;
    const char *connection, *database, *table; /* mysql, shop, the name */
    const char *rw;                            /* rw */
    const char *target;                        /* the table */
    const char *policy;                        /* the CRD's default */
    const char *state;                         /* the CRD's default */
};

struct sim *shop_open(const struct sim_options *options);
/* Fails the test on violations, and frees the sim. */
void shop_close(struct sim *sim);
void shop_add(struct sim *sim, struct shop_sync sync);
/* A DatabaseConnection with a Secret of its own, of the same name. */
void shop_connect(struct sim *sim, const char *name, const char *type, const char *host);
void shop_delete(struct sim *sim, const char *name);

/* With one TableSync, orders, that is Ready and has delivered everything. */
struct sim *shop_grown(uint64_t seed);
/* The first of its kind in RisingWave; fails the test when there is none. */
struct fake_stream_object *shop_first(struct sim *sim, enum fake_kind kind);

struct fake_mysql *shop_mysql(struct sim *sim);
struct fake_rw *shop_rw(struct sim *sim);
struct fake_sr *shop_sr(struct sim *sim);

const struct json *shop_find(struct sim *sim, const char *name); /* NULL: gone */
/* "True", "False", "Unknown"; "" without such a condition. */
const char *shop_condition(struct sim *sim, const char *name, const char *type);
const char *shop_reason(struct sim *sim, const char *name, const char *type);
const char *shop_message(struct sim *sim, const char *name, const char *type);
const char *shop_phase(struct sim *sim, const char *name);
bool shop_is_ready(struct sim *sim, const char *name);

/* For sim_run_until(). */
bool shop_all_ready(struct sim *sim); /* and there is at least one */
bool shop_all_gone(struct sim *sim);  /* no TableSync is left */

/* --- what must hold; each fails the test with a sentence --- */
void check_sane(struct sim *sim); /* no violation so far */
/* Every run has ended, every step has a result or belongs to an interrupted run, and
 * there are as many steps as statements were sent since `applies` was last zero. */
void check_audit(struct sim *sim);
/* The hook of sim.on_ready: who claims to be Ready has loaded and delivers. */
void check_ready_claim(struct sim *sim, const struct json *object);
/* Exactly one of each object for each TableSync, complete, marked and fed. */
void check_world(struct sim *sim);
/* The same, where a sink was dropped by hand while rows may have been deleted. */
void check_world_but_ghosts(struct sim *sim);
/* The same of one TableSync alone. */
void check_one(struct sim *sim, const struct json *object, bool ghosts);
/* Ten further looks at everything: no write, no statement, no audit run. */
void check_quiet(struct sim *sim);
void check_quiet_looks(struct sim *sim, int64_t looks); /* so many instead of ten */
int64_t audit_runs(struct sim *sim);

/* Prints every resource with its conditions and every object on the servers. */
void shop_dump(struct sim *sim);

/* fail_msg() that says which trial it was and shows the world. */
#define check_fail(sim, format, ...)                                                     \
    do {                                                                                 \
        shop_dump(sim);                                                                  \
        fail_msg("%s" format, (sim)->label, ##__VA_ARGS__);                              \
    } while (0)

#define check_run_until(sim, done, duration_ms)                                          \
    do {                                                                                 \
        if (!sim_run_until(sim, done, duration_ms)) {                                    \
            check_sane(sim);                                                             \
            check_fail(sim, "%s: not within %lld s", #done,                              \
                       (long long)(duration_ms) / 1000);                                 \
        }                                                                                \
    } while (0)

/*
 * The same story again and again, each time with the next call broken, until the story
 * ends before the call is made: prepare, break, run until done (30 virtual minutes at
 * most), then verify. Of a story with a stride each mode breaks every so many-th call
 * only, and all modes together break all; SIM_STRIDE=1 sets it for all stories.
 */
struct trial {
    const char *name;
    void (*prepare)(struct sim *sim);
    void (*begin)(
        struct sim *sim); /* what is done once the faults are armed; may be NULL */
    bool (*done)(struct sim *sim);
    void (*verify)(struct sim *sim);
    int64_t stride; /* 0: 1 */
};
void run_trials(const struct trial *trial, enum sim_mode mode);

/* --- the groups of sim_main.c --- */
int run_converge_tests(void);
int run_fault_tests(void);
int run_deletion_tests(void);
int run_rival_tests(void);
int run_edit_tests(void);
int run_drift_tests(void);
int run_evolve_tests(void);
int run_swap_tests(void);
int run_resync_tests(void);
int run_approval_tests(void);
int run_replaced_tests(void);
int run_policy_tests(void);
int run_column_tests(void);
int run_rotation_tests(void);
int run_source_rotation_tests(void);
int run_count_tests(void);
int run_purge_tests(void);
int run_torture_tests(void);
int run_history_tests(void);

#endif
