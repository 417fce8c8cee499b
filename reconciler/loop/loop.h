/*
 * loop: the operator. It brings the rooms below together: it reads resources from the
 * stores, runs the steps (steps.c: open that first) and writes status.
 *
 * Threads: the caller's (waits for signals), one per reflector, N workers, the HTTP
 * server's own. Shared state is the stores, the queue, the lanes, the audit and the
 * metrics, each with its own private lock, all leaves: none calls out while holding it.
 *
 * Everything from outside comes in through struct loop_ports, so that the simulation runs
 * the very same code in virtual time without a thread: loop_new(), then loop_reconcile().
 */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include "audit/audit.h"
#include "base/cancel.h"
#include "base/crash.h"
#include "base/crypto.h"
#include "base/fence.h"
#include "base/log.h"
#include "db/db.h"
#include "kube/events.h"
#include "kube/reflector.h"
#include "loop/lane.h"
#include "loop/log_key.h"
#include "loop/metrics.h"
#include "loop/queue.h"

struct loop_ports {
    struct kube_transport *kube;
    struct db_factory *databases;
    const struct clock *clock;
    struct audit *audit;         /* NULL: no audit */
    const struct crypto *crypto; /* NULL: no credentials are kept (keep.h) */
    struct crash_log *crashes;   /* NULL: nobody remembers crashes (quarantine.h) */
    struct lg *lg;               /* NULL: silent */
    /* Asked before every statement and every write to the API (leader.h); NULL: there is
     * nobody else. */
    const struct fence *fence;
    uint64_t seed;
};

struct loop_options {
    struct strlist namespaces; /* empty: all */
    const char *instance;      /* pod name, for events */
    /* Of the same Pod; NULL: events about the controller itself are on TableSyncs. */
    const char *pod_namespace, *pod_uid;
    int64_t resync_ms;     /* how often a connection is looked at: 60 s; a TableSync
                              says it itself, in spec.drift.interval */
    int64_t poll_ms;       /* while a snapshot or a backfill runs: 2 s */
    int64_t watch_idle_ms; /* silence after which a watch is opened anew; 0: 90 s */
    bool list_only;        /* collections are listed in pages, never streamed */
    int64_t attempt_ms;    /* longest attempt: 15 min (DDL may take 10) */
    bool watch_secrets;    /* threads that watch named Secrets; false in the simulation */
};

struct gauges;
struct secrets;
struct seen;
struct memo;
struct tallies;

struct loop {
    struct loop_ports ports;
    struct loop_options options;
    struct kube_api api;
    struct kube_events *events;
    struct kube_store *syncs, *conns;
    struct secrets *secrets;
    struct queue *queue;
    struct lanes *lanes;
    struct metrics *metrics;
    struct gauges *gauges;   /* what attempts found, for metrics */
    struct seen *seen;       /* what was last enqueued for, and how backlogs moved */
    struct memo *memo;       /* how far plans were carried out */
    struct tallies *tallies; /* counts under way */
    struct cancel *stop;
};

extern const struct kube_resource loop_resource_sync, loop_resource_conn,
    loop_resource_secret;

#define LOOP_KEY_SYNC "TableSync/"
#define LOOP_KEY_CONN "DatabaseConnection/"

/* `stop` is a root cancel that outlives the loop. */
struct loop *loop_new(const struct loop_ports *ports, const struct loop_options *options,
                      struct cancel *stop);
void loop_free(struct loop *loop);

/*
 * One attempt at a queue key ("TableSync/ns/name"): everything it learns is in status,
 * the audit and the queue afterwards. Takes nothing from attempt to attempt.
 */
void loop_reconcile(struct loop *loop, const char *key);

/* kube_on_change handlers: translate changes of stores into queue keys. */
void loop_sync_changed(void *loop, const char *key, bool initial);
void loop_conn_changed(void *loop, const char *key, bool initial);
void loop_secret_changed(void *loop, const char *key);

/* Whether the namespace is one of those that are looked after. */
bool loop_watches(const struct loop *loop, const char *namespace);
/* Whether a TableSync, also one that is being deleted, names the connection. */
bool loop_connection_is_used(struct loop *loop, const char *namespace, const char *name);
/* Every TableSync that uses the connection gets an attempt now, without backoff. */
void loop_enqueue_users(struct loop *loop, struct sv namespace, struct sv name);
/* The three connections of a TableSync show its objects and count it: look at them soon.
 */
void loop_enqueue_connections(struct loop *loop, const struct tablesync *sync);

#endif
