/*
 * lane: what the workers share about one DatabaseConnection: idle sessions, the last bulk
 * observation, the turn to run DDL, and the memory that the server is down.
 *
 * Observation is bulk: one catalog query serves every TableSync that asks within its
 * freshness. DDL on one server runs one resource at a time. After a failed login or
 * connect the lane answers with that fault for a while, so that many resources behind a
 * dead server neither hammer it nor wait for its timeouts; then one of them tries, and
 * until a login has worked no second one does at the same time (circuit.c).
 *
 * So many attempts are in a lane at once, and no more (LANE_LIMIT); one while nobody
 * knows whether the server answers. Whoever cannot enter, or would have to wait long for
 * what another attempt does (a login, a catalog read, DDL), is *parked*: it gets a fault
 * that lane_is_parked() tells, ends quietly, and its queue key comes back through the
 * hooks when there is room: fresh changes first, without starving the others (parking.h).
 * So a server that hangs holds few workers, and none for the sake of another attempt.
 * Only what is over in a moment is waited for in place.
 *
 * A lane's identity is its fingerprint (connection uid, generation, Secret version): when
 * it changes, sessions, observations and the memory of being down are dropped.
 * Thread-safe; no lock is held while a server is talked to.
 */
#ifndef LOOP_LANE_H
#define LOOP_LANE_H

#include "base/cancel.h"
#include "db/db.h"

struct lanes;
struct lane;

#define LANE_LIMIT 4 /* attempts in one lane at once */

/* A bulk observation: immutable, refcounted, owns its arena. */
struct observation {
    struct arena *arena;
    int64_t taken_ms; /* monotonic: when the read began */
    union {
        struct mysql_server mysql;
        struct rw_server rw_server;
        struct sr_server sr_server;
        struct rw_catalog rw;
        struct sr_catalog sr;
        struct strlist unparseable;
    } u;
    _Atomic int64_t references;
};

enum observation_kind {
    OBSERVE_SERVER = 1,
    OBSERVE_CATALOG,
    OBSERVE_UNPARSEABLE /* MySQL: columns that the connector cannot parse */
};

struct lanes *lanes_new(struct db_factory *factory, const struct clock *clock,
                        uint64_t seed);
void lanes_free(struct lanes *lanes); /* no session may be out */
/* The fault only says that the attempt is to end quietly and comes back by itself. */
bool lane_is_parked(const struct fault *fault);

/*
 * The lane of connection `key` ("namespace/name"), kept until lanes_remove(). Callers
 * hold it while they use it: give it back with lane_put(), also through AUTO(lane_putp).
 */
struct lane *lane_get(struct lanes *lanes, const char *key, const char *fingerprint);
void lane_put(struct lane *lane);
void lane_putp(struct lane **lane);
void lanes_remove(struct lanes *lanes, const char *key);
/*
 * Which lane to enter first, when an attempt needs several: the lower, the less likely it
 * gets in. Who is not let into the lane of a dead server should not have taken room in
 * the lanes of others before.
 */
int lane_rank(struct lane *lane, const char *key);
/* Forgets that the server was down: the next attempt tries again at once. */
void lane_retry(struct lane *lane);

struct door;

/* A session: an idle one, or newly opened. Exactly one of the pointers is set, by type.
 */
struct session {
    struct lane *lane;
    struct source_db *source;
    struct stream_db *stream;
    struct target_db *target;
    struct door *door; /* the lane's side of it */
    int64_t epoch;     /* of the lane's fingerprint */
    enum dbconn_type type;
    bool reused; /* it was idle before */
};

/*
 * `key`: the queue key of who asks, which is one and the same string (not a copy of it)
 * for all sessions of an attempt, and lives as long as they do. NULL: a command, which is
 * never parked.
 */
MUST_CHECK bool session_open(struct lane *lane, const struct db_endpoint *endpoint,
                             const char *key, struct cancel *cancel,
                             struct session *out_session, struct fault *fault);
/* The same, never an idle one: it proves that the login works now. */
MUST_CHECK bool session_open_new(struct lane *lane, const struct db_endpoint *endpoint,
                                 const char *key, struct cancel *cancel,
                                 struct session *out_session, struct fault *fault);
/* While this is on, whoever has the session (which may be empty) is not parked any more:
 * it is in the middle of something. */
void session_commit(struct session *session, bool on);
/* It was idle, and what was asked over it first was never answered: the server may have
 * closed it long ago, which says nothing about today. False for an empty one. */
bool session_was_stale(const struct session *session);
/*
 * Gives a session back to its lane, or closes it and all idle ones of the lane when
 * `fault` (may be NULL) is of a class after which a session is broken. Safe on an empty
 * session. The lane must still be held.
 */
void session_close(struct session *session, const struct fault *fault);

/*
 * The lane's observation, at most max_age_ms old: an older one is read again through
 * `session`. `scope` is RisingWave's schema or the database ("" for
 * OBSERVE_SERVER). Give it back with observation_put().
 */
MUST_CHECK bool lane_observe(struct session *session, enum observation_kind kind,
                             const char *scope, int64_t max_age_ms, struct cancel *cancel,
                             struct observation **out_observation, struct fault *fault);
/* The last one of connection `key` without reading; NULL when there is none. */
struct observation *lanes_observed(struct lanes *lanes, const char *key,
                                   enum observation_kind kind, const char *scope);
void observation_put(struct observation *observation);
void observation_putp(struct observation **observation);
/* The catalogs that were observed are out of date, because a statement ran. */
void lane_forget(struct lane *lane);

/*
 * How many backends StarRocks has, learned from its own refusal of a table with too many
 * replicas: most accounts may not list them. 0: never learned.
 */
void lane_learn_backends(struct lane *lane, int64_t count);
int64_t lane_backends(struct lane *lane);

/*
 * The turn to run DDL on this server. Who is next waits for it in place, for as long as
 * a short statement takes; others, and who waits longer, are parked.
 */
MUST_CHECK bool lane_begin_ddl(struct lane *lane, const char *key, struct cancel *cancel,
                               struct fault *fault);
void lane_end_ddl(struct lane *lane);

#endif
