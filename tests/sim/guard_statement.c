/* What a statement may do: its effect is found by comparing the servers before and after
 * it. */
#include "guard_private.h"

#include "kube/api.h"
#include "shop.h"

/* A person's interrupted re-sync, the next one and what they replace. */
#define VERSIONS_MAX 3

struct effect {
    struct sim *sim;
    struct guard *guard;
    const struct plan_step *step;
    const char *name; /* of the TableSync whose attempt it is */
};

static void look_before(struct sim *sim)
{
    struct guard *g = guard_of(sim);

    g->streams.n = g->targets.n = 0;
    for (size_t i = 0; i < sim->db->rw.n; i++) {
        const struct fake_rw *rw = sim->db->rw.v[i];

        for (size_t k = 0; k < rw->objects.n; k++) {
            const struct fake_stream_object *o = rw->objects.v[k];
            struct guard_stream s = {rw, o, o->comment, o->rate_limit, o->columns.n};

            VEC_PUSH(sim->arena, &g->streams, s);
        }
    }
    for (size_t i = 0; i < shop_sr(sim)->tables.n; i++) {
        const struct fake_sr_table *t = shop_sr(sim)->tables.v[i];
        struct guard_target target = {t, t->table.comment, t->table.columns.v, t->rows,
                                      t->altered_ms};

        VEC_PUSH(sim->arena, &g->targets, target);
    }
}

/* The TableSync itself, as the API server has it now; NULL: gone. */
static const struct json *living(struct sim *sim, const char *uid)
{
    for (size_t i = 0; i < sim->kube->objects.n; i++) {
        const struct fake_object *o = sim->kube->objects.v[i];

        if (strcmp(o->plural, "tablesyncs") == 0 && strcmp(kube_uid(o->json), uid) == 0) {
            return o->json;
        }
    }
    return NULL;
}

static void check_deletion(const struct effect *e, const struct guard_owner *owner,
                           const struct json *object)
{
    const char *policy = json_path_string(object, "spec.deletionPolicy");
    bool target = e->step->kind == PLAN_DROP_TARGET;

    if (!kube_deleting(object)) {
        return;
    }
    if (policy == NULL || strcmp(policy, "Retain") == 0 ||
        (target && strcmp(policy, "Delete") != 0)) {
        sim_violation(e->sim, "%s is deleted under %s, and its controller did: %s",
                      owner->name, policy == NULL ? "Retain" : policy, e->step->sentence);
    }
}

/* Something of `owner` is gone, or has lost something. */
static void check_loss(const struct effect *e, const struct guard_owner *owner,
                       const char *what)
{
    const struct json *object = living(e->sim, owner->uid);

    if (object == NULL) {
        sim_violation(e->sim, "%s: %s, whose TableSync %s (%s) is not there any more",
                      e->step->sentence, what, owner->name, owner->uid);
        return;
    }
    check_deletion(e, owner, object);
}

static void check_owner(const struct effect *e, const struct guard_owner *owner,
                        const char *what)
{
    if (owner == NULL) {
        sim_violation(e->sim, "an attempt at %s changed %s, which is nobody's: %s",
                      e->name, what, e->step->sentence);
    } else if (strcmp(owner->name, e->name) != 0) {
        sim_violation(e->sim, "an attempt at %s changed %s of %s: %s", e->name, what,
                      owner->name, e->step->sentence);
    }
}

/* --- StarRocks --- */

static bool is_there(const struct fake_sr *sr, const struct fake_sr_table *table)
{
    for (size_t i = 0; i < sr->tables.n; i++) {
        if (sr->tables.v[i] == table) {
            return true;
        }
    }
    return false;
}

static void check_target(const struct effect *e, const struct guard_target *before)
{
    const struct fake_sr_table *t = before->table;
    bool gone = !is_there(shop_sr(e->sim), t);
    const struct guard_owner *owner = NULL;
    struct mark mark;

    if (!gone && t->table.comment == before->comment &&
        (const void *)t->table.columns.v == before->columns && t->rows == before->rows &&
        t->altered_ms == before->altered_ms) {
        return;
    }
    if (mark_parse(before->comment, &mark)) {
        owner = guard_owner(e->guard, mark.uid);
    }
    check_owner(e, owner, t->table.name);
    if (owner != NULL && (gone || t->rows < before->rows)) {
        check_loss(e, owner, t->table.name);
    }
}

/* --- RisingWave --- */

static bool is_in(const struct fake_rw *rw, const struct fake_stream_object *object)
{
    for (size_t i = 0; i < rw->objects.n; i++) {
        if (rw->objects.v[i] == object) {
            return true;
        }
    }
    return false;
}

static const struct guard_owner *owner_of(const struct guard *g,
                                          const struct fake_stream_object *o)
{
    for (size_t i = g->owners.n; i > 0; i--) {
        if (guard_version_of(g->owners.v[i - 1], o) > 0) {
            return g->owners.v[i - 1];
        }
    }
    return NULL;
}

static bool is_listed(const struct guard *g, int64_t id)
{
    for (size_t i = 0; i < g->paused.n; i++) {
        if (g->paused.v[i] == id) {
            return true;
        }
    }
    return false;
}

/* Once paused for the change of sinks, it goes on only when the other one is gone or
 * paused itself: two would leave older values over newer ones. */
static void check_resumed(const struct effect *e, const struct guard_owner *owner,
                          const struct fake_stream_object *sink)
{
    for (size_t i = 0; i < owner->rw->objects.n; i++) {
        const struct fake_stream_object *o = owner->rw->objects.v[i];

        if (o != sink && o->kind == FAKE_SINK && o->rate_limit != 0 &&
            guard_version_of(owner, o) > 0 &&
            guard_version_of(owner, o) < guard_version_of(owner, sink)) {
            sim_violation(e->sim, "%s delivers again beside %s", sink->name, o->name);
        }
    }
}

static void check_limit(const struct effect *e, const struct guard_owner *owner,
                        const struct guard_stream *before)
{
    const struct fake_stream_object *sink = before->object;

    if (sink->rate_limit == 0 && sink->built && !is_listed(e->guard, sink->id)) {
        VEC_PUSH(e->sim->arena, &e->guard->paused, sink->id);
    } else if (sink->rate_limit != 0 && is_listed(e->guard, sink->id)) {
        check_resumed(e, owner, sink);
    }
}

static void check_stream(const struct effect *e, const struct guard_stream *before)
{
    const struct fake_stream_object *o = before->object;
    bool gone = !is_in(before->rw, o);
    const struct guard_owner *owner = NULL;

    if (!gone && o->comment == before->comment && o->rate_limit == before->rate_limit &&
        o->columns.n == before->columns) {
        return;
    }
    if (o->kind == FAKE_SOURCE && strcmp(o->schema, "tablesync") == 0) {
        return; /* shared by all; nobody drops one that is read */
    }
    owner = owner_of(e->guard, o);
    check_owner(e, owner, o->name);
    if (owner != NULL && gone) {
        check_loss(e, owner, o->name);
    } else if (owner != NULL && o->rate_limit != before->rate_limit) {
        check_limit(e, owner, before);
    }
}

/* Nobody needs more than what is, what replaces it, and one that was given up. */
static void check_versions(const struct effect *e, enum fake_kind kind)
{
    for (size_t i = 0; i < e->guard->owners.n; i++) {
        const struct guard_owner *owner = e->guard->owners.v[i];
        int versions = 0;

        if (strcmp(owner->name, e->name) != 0 || living(e->sim, owner->uid) == NULL) {
            continue;
        }
        for (size_t k = 0; k < owner->rw->objects.n; k++) {
            const struct fake_stream_object *o = owner->rw->objects.v[k];

            versions += o->kind == kind && guard_version_of(owner, o) > 0;
        }
        if (versions > VERSIONS_MAX) {
            sim_violation(e->sim, "%s has %d %s", owner->name, versions,
                          kind == FAKE_SINK ? "sinks" : "CDC tables");
        }
    }
}

/* --- approvals --- */

/* Deletion is a word of its own: what it may do is in check_deletion(). */
static bool is_deleted(const struct effect *e)
{
    const struct json *object = shop_find(e->sim, e->name);

    return object != NULL && kube_deleting(object);
}

static void check_word(const struct effect *e)
{
    for (size_t i = 0; i < e->guard->owners.n; i++) {
        struct guard_owner *owner = e->guard->owners.v[i];

        if (strcmp(owner->name, e->name) != 0) {
            continue;
        }
        for (VEC_EACH(struct guard_word, word, &owner->words)) {
            if (strcmp(word->id, e->step->id) == 0 && !word->used) {
                word->used = true;
                return;
            }
        }
    }
    sim_violation(e->sim, "%s: nobody approved, or not once more: %s %s", e->name,
                  e->step->sentence, e->step->object);
}

/* "tablesync shop/orders 1a2b3c4d" */
static const char *name_in(const char *tag, struct arena *arena)
{
    struct sv rest = sv_from(tag);

    (void)sv_cut(&rest, '/');
    return arena_copy(arena, sv_cut(&rest, ' '));
}

/* What nobody holds may be gone at any time, and what is made for it then stays. */
static void check_held(const struct effect *e)
{
    for (size_t i = 0; i < e->sim->kube->objects.n; i++) {
        const struct fake_object *o = e->sim->kube->objects.v[i];

        if (strcmp(o->plural, "tablesyncs") == 0 && strcmp(o->name, e->name) == 0 &&
            !o->stripped && !kube_has_finalizer(o->json, TSYNC_FINALIZER)) {
            sim_violation(e->sim, "%s has no finalizer, and its controller did: %s",
                          e->name, e->step->sentence);
        }
    }
}

void guard_statement(struct sim *sim, const struct plan_step *step, const char *tag,
                     bool done)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct effect e = {
        .sim = sim, .guard = guard_of(sim), .step = step, .name = name_in(tag, arena)};

    if (!done) {
        check_held(&e);
        look_before(sim);
        return;
    }
    for (VEC_EACH(const struct guard_stream, before, &e.guard->streams)) {
        check_stream(&e, before);
    }
    for (VEC_EACH(const struct guard_target, before, &e.guard->targets)) {
        check_target(&e, before);
    }
    if (step->kind == PLAN_CREATE_TABLE || step->kind == PLAN_CREATE_SINK) {
        check_versions(&e, step->kind == PLAN_CREATE_SINK ? FAKE_SINK : FAKE_TABLE);
    }
    if (step->risk == RISK_DESTRUCTIVE && !is_deleted(&e)) {
        check_word(&e);
    }
}
