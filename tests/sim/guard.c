#include "guard_private.h"

#include "ddl/desired.h"
#include "kube/api.h"
#include "shop.h"

#define LOOK_BACK_MS 30000 /* an observation may be so old when it is acted upon */
#define RUNS_LOOKED_AT 3

struct guard_owner *guard_owner(const struct guard *g, struct sv uid)
{
    for (size_t i = g->owners.n; i > 0; i--) { /* the living are the newest */
        if (sv_eq(sv_from(g->owners.v[i - 1]->uid), uid)) {
            return g->owners.v[i - 1];
        }
    }
    return NULL;
}

int64_t guard_version_of(const struct guard_owner *owner,
                         const struct fake_stream_object *object)
{
    struct sv name = sv_from(object->name);

    if (object->kind == FAKE_SINK) {
        return name_sink_version_of(sv_from(owner->sink_prefix), name);
    }
    return object->kind == FAKE_TABLE
               ? name_table_version_of(sv_from(owner->first_table), name)
               : 0;
}

const struct fake_stream_object *guard_newest(const struct guard_owner *owner,
                                              enum fake_kind kind)
{
    const struct fake_stream_object *found = NULL;
    int64_t newest = 0;

    for (size_t i = 0; i < owner->rw->objects.n; i++) {
        const struct fake_stream_object *o = owner->rw->objects.v[i];
        int64_t version = o->kind == kind ? guard_version_of(owner, o) : 0;

        if (version > newest) {
            found = o;
            newest = version;
        }
    }
    return found;
}

static struct guard_owner *new_owner(struct sim *sim, const struct json *object)
{
    struct arena *arena = sim->arena;
    struct guard_owner *owner = ARENA_NEW(arena, struct guard_owner);
    const char *uid = arena_strdup(arena, kube_uid(object));
    const char *database = json_path_string(object, "spec.source.database");
    const char *table = json_path_string(object, "spec.source.table");
    const char *rw = json_path_string(object, "spec.risingWave.connectionRef.name");

    *owner = (struct guard_owner){
        .uid = uid,
        .name = arena_strdup(arena, kube_name(object)),
        .first_table = name_table(arena, uid, database, table),
        .sink_prefix = name_sink_prefix(arena, uid, database, table),
        .target = arena_strdup(arena, json_path_string(object, "spec.target.table")),
        .rw = fake_db_rw(sim->db, strcmp(rw, "rw") == 0 ? RW_HOST : RW_B_HOST),
        .could_ms = INT64_MIN / 2};
    VEC_PUSH(arena, &guard_of(sim)->owners, owner);
    return owner;
}

/* --- approvals: what a person allowed, word by word --- */

static void note_words(struct sim *sim, struct guard_owner *owner,
                       const struct json *object)
{
    const struct json *s = json_first(json_path(object, "status.plan.statements"));

    for (; s != NULL; s = json_next(s)) {
        struct guard_word word = {.id =
                                      arena_strdup(sim->arena, json_get_string(s, "id"))};
        VEC_PUSH(sim->arena, &owner->words, word);
    }
    owner->approved = true;
}

static void note_approval(struct sim *sim, struct guard_owner *owner,
                          const struct json *object)
{
    const struct json *annotations = json_path(object, "metadata.annotations");
    const char *value = json_get_string(annotations, TSYNC_ANNOTATION_APPROVE);
    const char *hash = json_path_string(object, "status.plan.hash");

    if (!sv_eq(sv_from(value), sv_from(owner->approval))) {
        owner->approval = value == NULL ? NULL : arena_strdup(sim->arena, value);
        owner->approved = false;
    }
    if (value != NULL && hash != NULL && !owner->approved && strcmp(value, hash) == 0) {
        note_words(sim, owner, object);
    }
}

/* --- what is --- */

/* Whether its newest sink stands, on a loaded table, and delivers to its own target. */
static bool can_deliver(struct sim *sim, const struct guard_owner *owner)
{
    int64_t now_ms = sim->clock.now_ms;
    const struct fake_stream_object *sink = guard_newest(owner, FAKE_SINK);
    const struct fake_stream_object *table =
        sink == NULL ? NULL : fake_rw_by_id(owner->rw, sink->uses);
    const struct fake_sr_table *target = fake_sr_find(shop_sr(sim), "ods", owner->target);
    struct mark mark;

    return table != NULL && (table->live || now_ms >= table->loaded_ms) &&
           (sink->built || now_ms >= sink->built_ms) && sink->rate_limit != 0 &&
           target != NULL && mark_parse(target->table.comment, &mark) &&
           sv_eq(mark.uid, sv_from(owner->uid));
}

void guard_look(struct sim *sim)
{
    struct guard *g = guard_of(sim);

    for (size_t i = 0; i < sim->kube->objects.n; i++) {
        const struct fake_object *o = sim->kube->objects.v[i];
        struct guard_owner *owner = NULL;

        if (strcmp(o->plural, "tablesyncs") != 0) {
            continue;
        }
        owner = guard_owner(g, sv_from(kube_uid(o->json)));
        if (owner == NULL) {
            owner = new_owner(sim, o->json);
        }
        if (g->version != sim->kube->version) {
            note_approval(sim, owner, o->json);
        }
        if (can_deliver(sim, owner)) {
            owner->could_ms = sim->clock.now_ms;
        }
    }
    g->version = sim->kube->version;
}

/* --- after every step --- */

static void check_runs(struct sim *sim)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    const struct audit_filter newest = {.limit = RUNS_LOOKED_AT};
    struct audit_runs runs = {0};
    struct fault fault = FAULT_INIT;

    if (!audit_query_runs(sim->audit, &newest, arena, &runs, &fault)) {
        sim_violation(sim, "audit: %s", fault.text);
    }
    for (VEC_EACH(const struct audit_run, run, &runs.runs)) {
        if (run->result[0] == '\0') {
            sim_violation(sim, "audit run %lld of %s is open although nothing runs",
                          (long long)run->id, run->name);
        }
    }
}

static void after_step(struct sim *sim)
{
    struct guard *g = guard_of(sim);

    guard_look(sim);
    if (g->applies != sim->applies_ever && sim->audit != NULL) {
        g->applies = sim->applies_ever;
        check_runs(sim);
    }
}

/* --- statuses --- */

static const struct json *ready_of(const struct json *object)
{
    const struct json *c = json_first(json_path(object, "status.conditions"));

    while (c != NULL && strcmp(json_get_string(c, "type"), "Ready") != 0) {
        c = json_next(c);
    }
    return c;
}

static bool is_ready(const struct json *object)
{
    const struct json *c = ready_of(object);

    return c != NULL && strcmp(json_get_string(c, "status"), "True") == 0;
}

static void check_claim(struct sim *sim, const struct guard_owner *owner)
{
    if (!can_deliver(sim, owner) && owner->could_ms < sim->began_ms - LOOK_BACK_MS) {
        sim_violation(sim,
                      "%s claims to be Ready, and could not deliver for %lld s before",
                      owner->name, (long long)(sim->began_ms - owner->could_ms) / 1000);
    }
}

/* One token, one table, and done is done. */
static void check_token(struct sim *sim, struct guard_owner *owner,
                        const struct json *object)
{
    const struct json *resync = json_path(object, "status.resync");
    const char *token = json_get_string(resync, "token");
    const char *state = json_get_string(resync, "state");
    int64_t version = json_int(json_get(resync, "tableVersion"), 0);
    bool done = state != NULL && strcmp(state, "Done") == 0;

    if (token == NULL) {
        return;
    }
    for (VEC_EACH(struct guard_token, t, &owner->tokens)) {
        if (strcmp(t->token, token) != 0) {
            continue;
        }
        if ((t->done && !done) || t->table_version != version) {
            sim_violation(sim, "%s acts twice on the re-sync token %s", owner->name,
                          token);
        }
        t->done = done;
        return;
    }
    struct guard_token fresh = {arena_strdup(sim->arena, token), version, done};
    VEC_PUSH(sim->arena, &owner->tokens, fresh);
}

static void on_status(struct sim *sim, const struct json *before,
                      const struct json *after)
{
    struct guard_owner *owner = guard_owner(guard_of(sim), sv_from(kube_uid(after)));

    if (owner == NULL) {
        return;
    }
    if (is_ready(after) && !is_ready(before)) {
        check_claim(sim, owner);
    }
    check_token(sim, owner, after);
}

void guard_begin(struct sim *sim)
{
    sim->watcher = ARENA_NEW(sim->arena, struct guard);
    sim->on_step = after_step;
    sim->on_status = on_status;
    sim->on_statement = guard_statement;
    guard_look(sim);
}

/* --- strangers --- */

static void add_table(struct sim *sim, const char *name)
{
    struct guard *g = guard_of(sim);
    struct fake_sr_table *t = ARENA_NEW(sim->arena, struct fake_sr_table);

    t->database = "ods";
    t->table = (struct sr_table){
        .name = name, .comment = "a table of somebody else", .model = "PRIMARY_KEYS"};
    VEC_PUSH(sim->arena, &shop_sr(sim)->tables, t);
    VEC_PUSH(sim->arena, &g->their_tables, t);
}

void guard_add_strangers(struct sim *sim)
{
    struct guard *g = guard_of(sim);
    struct fake_rw *rw = shop_rw(sim);
    struct fake_stream_object *source = NULL, *table = NULL;

    VEC_PUSH(sim->arena, &rw->schemas, "public");
    source = fake_rw_add(sim->db, rw, FAKE_SOURCE, "public", "src_shop_theirs", 0);
    source->hostname = MYSQL_HOST;
    source->server_id = "9999";
    table = fake_rw_add(sim->db, rw, FAKE_TABLE, "public", "t_shop_orders", source->id);
    table->upstream = "shop.orders";
    VEC_PUSH(sim->arena, &g->their_objects, source);
    VEC_PUSH(sim->arena, &g->their_objects, table);
    add_table(sim, "theirs");
    add_table(sim, "users_far"); /* the target of TableSync "far" */
}

void guard_remove_strangers(struct sim *sim)
{
    struct guard *g = guard_of(sim);

    for (size_t i = g->their_objects.n; i > 0; i--) {
        fake_rw_remove(shop_rw(sim), g->their_objects.v[i - 1]);
    }
    for (size_t i = 0; i < g->their_tables.n; i++) {
        fake_sr_remove(shop_sr(sim), g->their_tables.v[i]);
    }
    g->their_objects.n = g->their_tables.n = 0;
}
