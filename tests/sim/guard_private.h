/* guard_private: what the guard knows. See guard.h. */
#ifndef GUARD_PRIVATE_H
#define GUARD_PRIVATE_H

#include "guard.h"

#include "ddl/observed.h"

struct guard_word { /* one statement that an approval covers */
    const char *id;
    bool used;
};

struct guard_token {
    const char *token;
    int64_t table_version;
    bool done;
};

struct guard_owner { /* a TableSync that is or was */
    const char *uid, *name;
    const char *first_table, *sink_prefix, *target;
    struct fake_rw *rw;
    int64_t could_ms;     /* when it last could deliver */
    const char *approval; /* the annotation's value as it was last seen; NULL: none */
    bool approved;        /* it named the plan that was shown */
    VEC(struct guard_word) words;
    VEC(struct guard_token) tokens;
};

struct guard_stream { /* what RisingWave had before a statement */
    const struct fake_rw *rw;
    const struct fake_stream_object *object;
    const char *comment;
    int64_t rate_limit;
    size_t columns;
};

struct guard_target { /* what StarRocks had */
    const struct fake_sr_table *table;
    const char *comment;
    const void *columns;
    int64_t rows, altered_ms;
};

struct guard {
    VEC(struct guard_owner *) owners;
    VEC(struct guard_stream) streams;
    VEC(struct guard_target) targets;
    VEC(int64_t) paused; /* ids of sinks that were paused when they were built */
    VEC(struct fake_stream_object *) their_objects;
    VEC(struct fake_sr_table *) their_tables;
    int64_t version; /* of the API server, when it was last looked at */
    int64_t applies;
};

static inline struct guard *guard_of(struct sim *sim)
{
    return sim->watcher;
}

/* NULL: nobody has this uid. */
struct guard_owner *guard_owner(const struct guard *g, struct sv uid);
/* The newest CDC table or sink of an owner; NULL: none. */
const struct fake_stream_object *guard_newest(const struct guard_owner *owner,
                                              enum fake_kind kind);
int64_t guard_version_of(const struct guard_owner *owner,
                         const struct fake_stream_object *object);
/* The hook of sim.on_statement. */
void guard_statement(struct sim *sim, const struct plan_step *step, const char *tag,
                     bool done);

#endif
