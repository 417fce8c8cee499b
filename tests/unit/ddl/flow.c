#include "flow.h"

#include "reader.h"

#include <string.h>

static struct flow_sink *find(struct flow *f, const char *name)
{
    for (size_t i = 0; i < f->sinks.n; i++) {
        if (strcmp(f->sinks.v[i].name, name) == 0) {
            return &f->sinks.v[i];
        }
    }
    return NULL;
}

static struct rw_sink *seen(struct flow *f, const char *name)
{
    const struct rw_sink *sink = rw_catalog_sink(&f->w->rw, name);

    return sink == NULL ? NULL : &f->w->rw.sinks.v[sink - f->w->rw.sinks.v];
}

static void append(struct flow *f, struct flow_sink *sink, size_t key)
{
    VEC_PUSH(f->w->arena, &sink->log, (struct flow_change){key, f->table[key]});
}

static void backfill(struct flow *f, struct flow_sink *sink)
{
    if (sink->backfilled == FLOW_KEYS) {
        return;
    }
    if (f->table[sink->backfilled] != 0) {
        append(f, sink, sink->backfilled);
    }
    sink->backfilled++;
    seen(f, sink->name)->creating = sink->backfilled < FLOW_KEYS;
}

bool flow_accepts(const struct flow *f, const char *digest)
{
    return reader_listed(&f->accepted, digest);
}

static void deliver(struct flow *f, struct flow_sink *sink, uint64_t count)
{
    const struct rw_sink *catalog = seen(f, sink->name);

    if (catalog->rate_limit == 0 || !flow_accepts(f, catalog->password_digest)) {
        return;
    }
    for (; count > 0 && sink->delivered < sink->log.n; count--) {
        struct flow_change change = sink->log.v[sink->delivered++];

        f->target[change.key] = change.value;
    }
}

void flow_change(struct flow *f)
{
    size_t key = rng_below(f->rng, FLOW_KEYS);
    bool goes = f->table[key] != 0 && rng_below(f->rng, 2) == 0;

    f->table[key] = goes ? 0 : ++f->newest;
    for (size_t i = 0; i < f->sinks.n; i++) {
        if (key < f->sinks.v[i].backfilled) {
            append(f, &f->sinks.v[i], key);
        }
    }
}

void flow_deliver(struct flow *f)
{
    for (size_t i = 0; i < f->sinks.n; i++) {
        if (rng_below(f->rng, 2) == 0) {
            backfill(f, &f->sinks.v[i]);
        }
        if (!f->sinks.v[i].slow || rng_below(f->rng, 8) == 0) {
            deliver(f, &f->sinks.v[i], rng_below(f->rng, 4));
        }
    }
}

void flow_drain(struct flow *f)
{
    for (size_t i = 0; i < f->sinks.n; i++) {
        while (f->sinks.v[i].backfilled < FLOW_KEYS) {
            backfill(f, &f->sinks.v[i]);
        }
        deliver(f, &f->sinks.v[i], UINT64_MAX);
    }
}

static bool is_paused(struct flow *f, const char *name)
{
    return seen(f, name) != NULL && seen(f, name)->rate_limit == 0;
}

/* The moment at which the successor is first seen paused counts. */
static bool old_has_delivered(struct flow *f, const char *name)
{
    struct flow_sink *old = find(f, name);
    const char *successor = f->sinks.v[f->sinks.n - 1].name;

    assert_non_null(old);
    if (!is_paused(f, successor)) {
        f->successor = NULL;
        return false;
    }
    if (f->successor == NULL || strcmp(f->successor, successor) != 0) {
        f->successor = successor;
        f->until = old->log.n;
    }
    return old->delivered >= f->until;
}

bool flow_may_run(struct flow *f, const struct plan_step *step)
{
    switch (step->wait) {
    case WAIT_NONE:
    case WAIT_TARGET_ALTER:
    case WAIT_SNAPSHOT:
    case PLAN_WAIT_MAX:
        break;
    case WAIT_BACKFILL:
        return seen(f, step->wait_for) != NULL && !seen(f, step->wait_for)->creating;
    case WAIT_PAUSED:
        return is_paused(f, step->wait_for);
    case WAIT_DELIVERED:
        return old_has_delivered(f, step->wait_for);
    }
    return true;
}

/* What ghosts_query() asks for, and ghosts_delete() does. */
static void delete_ghosts(struct flow *f, const char *name)
{
    const struct flow_sink *old = find(f, name);

    assert_non_null(old);
    for (size_t i = old->delivered; i < old->log.n; i++) {
        struct flow_change change = old->log.v[i];

        if (change.value == 0 && f->table[change.key] == 0) {
            f->ghosts += f->target[change.key] != 0 ? 1 : 0;
            f->target[change.key] = 0;
        }
    }
}

void flow_apply(struct flow *f, const struct plan_step *step)
{
    world_apply(f->w, step);
    if (step->kind == PLAN_DELETE_GHOSTS) {
        assert_true(is_paused(f, f->sinks.v[f->sinks.n - 1].name));
        delete_ghosts(f, step->ghosts_of);
    }
    if (step->kind == PLAN_CREATE_SINK) {
        struct rw_sink *made = &f->w->rw.sinks.v[f->w->rw.sinks.n - 1];

        made->creating = true;
        VEC_PUSH(
            f->w->arena, &f->sinks,
            (struct flow_sink){.name = made->name, .slow = rng_below(f->rng, 3) == 0});
    }
    for (size_t i = f->sinks.n; i > 0; i--) {
        if (seen(f, f->sinks.v[i - 1].name) == NULL) {
            REMOVE(&f->sinks, i - 1);
        }
    }
}
