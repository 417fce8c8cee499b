#include "ddl/plan_parts.h"

#include "base/hash.h"

static const char *const kind_names[PLAN_KIND_MAX] = {
    [PLAN_CREATE_SCHEMA] = "CreateSchema",
    [PLAN_CREATE_SOURCE] = "CreateSource",
    [PLAN_ALTER_SOURCE] = "AlterSource",
    [PLAN_RESET_SOURCE] = "ResetSource",
    [PLAN_CREATE_TABLE] = "CreateTable",
    [PLAN_COMMENT_TABLE] = "CommentTable",
    [PLAN_CREATE_DATABASE] = "CreateDatabase",
    [PLAN_CREATE_TARGET] = "CreateTarget",
    [PLAN_CREATE_SINK] = "CreateSink",
    [PLAN_ALTER_SINK] = "AlterSink",
    [PLAN_ADD_COLUMN] = "AddColumn",
    [PLAN_DROP_COLUMN] = "DropColumn",
    [PLAN_ALTER_TARGET] = "AlterTarget",
    [PLAN_DROP_TARGET_COLUMN] = "DropTargetColumn",
    [PLAN_TRUNCATE_TARGET] = "TruncateTarget",
    [PLAN_DELETE_GHOSTS] = "DeleteGhosts",
    [PLAN_COMMENT_TARGET] = "CommentTarget",
    [PLAN_DROP_SINK] = "DropSink",
    [PLAN_DROP_TABLE] = "DropTable",
    [PLAN_DROP_SOURCE] = "DropSource",
    [PLAN_DROP_TARGET] = "DropTarget",
};

const char *plan_kind_name(enum plan_kind kind)
{
    must(kind > 0 && kind < PLAN_KIND_MAX);
    return kind_names[kind];
}

const char *plan_system_name(enum plan_system system)
{
    must(system == PLAN_RISINGWAVE || system == PLAN_STARROCKS);
    return system == PLAN_RISINGWAVE ? "RisingWave" : "StarRocks";
}

char *plan_object(struct arena *arena, const struct ident *outer,
                  const struct ident *inner)
{
    return arena_printf(arena, "%.*s.%.*s", SV_ARGS(ident_name(outer)),
                        SV_ARGS(ident_name(inner)));
}

const char *plan_step_id(const struct plan_step *step, struct arena *arena)
{
    AUTO(hash_freep) struct hash *h = hash_new();
    char hex[HASH_HEX_SIZE];

    hash_add_int(h, step->system);
    hash_add_int(h, step->kind);
    hash_addz(h, stmt_redacted(step->stmt, arena));
    hash_finish(h, hex);
    return arena_printf(arena, "%.12s", hex);
}

bool plan_push(struct plan *plan, struct arena *arena, struct plan_step step,
               struct fault *fault)
{
    if (!stmt_check(step.stmt, fault)) {
        return fault_wrap(fault, "%s (%s)", step.sentence, step.object);
    }
    if (step.id == NULL) {
        step.id = plan_step_id(&step, arena);
    }
    VEC_PUSH(arena, &plan->steps, step);
    return true;
}

void plan_finish(struct plan *plan, struct arena *arena)
{
    AUTO(hash_freep) struct hash *h = hash_new();
    char hex[HASH_HEX_SIZE];

    for (size_t i = 0; i < plan->steps.n; i++) {
        hash_addz(h, plan->steps.v[i].id);
    }
    hash_finish(h, hex);
    plan->hash = arena_printf(arena, "sha256:%s", hex);
}

static bool id_is_taken(const struct planner *p, int64_t id)
{
    const struct strlist *used = &p->d.in.used_server_ids;
    int64_t other = 0;

    if (p->d.in.server->server_id == (uint64_t)id) {
        return true;
    }
    for (size_t i = 0; i < p->rw->sources.n; i++) {
        if (sv_int64(sv_from(p->rw->sources.v[i].server_id), &other) && other == id) {
            return true;
        }
    }
    for (size_t i = 0; i < used->n; i++) {
        if (sv_int64(sv_from(used->v[i]), &other) && other == id) {
            return true;
        }
    }
    return false;
}

/* A live source keeps its id: RisingWave cannot alter it (verified 37). */
static bool choose_server_id(struct planner *p, struct fault *fault)
{
    int64_t low = p->d.in.source->server_id_low;
    int64_t high = p->d.in.source->server_id_high;
    int64_t start, id = 0;

    if (p->source != NULL) {
        if (sv_int64(sv_from(p->source->server_id), &id)) {
            p->plan->server_id = id;
        }
        return true;
    }
    struct sv name = ident_name(p->d.source_name);
    start = server_id_start(arena_copy(p->arena, name), low, high);
    for (int64_t i = 0; i <= high - low; i++) {
        id = low + (start - low + i) % (high - low + 1);
        if (!id_is_taken(p, id)) {
            p->plan->server_id = id;
            return true;
        }
    }
    return fault_set(
        fault, FAULT_REFUSED, "ServerIdConflict",
        "every server id from %lld to %lld is taken by another source or replica "
        "of this MySQL server; widen spec.mysql.serverIdRange of "
        "DatabaseConnection %s",
        (long long)low, (long long)high, p->d.in.source->name);
}

/* --- what the plan is about --- */

static bool is_setting(const struct plan_step *step)
{
    return step->kind == PLAN_ALTER_SINK || step->kind == PLAN_ALTER_SOURCE ||
           step->kind == PLAN_COMMENT_TABLE || step->kind == PLAN_COMMENT_TARGET;
}

static enum plan_purpose purpose_of(const struct planner *p)
{
    const struct plan *plan = p->plan;
    bool settings = p->sink != NULL && p->sinks.n == 1;

    for (size_t i = 0; i < plan->steps.n; i++) {
        settings = settings && is_setting(&plan->steps.v[i]);
    }
    if (plan->steps.n == 0) {
        return PURPOSE_NOTHING;
    }
    if (p->d.in.resync != 0) {
        return PURPOSE_RESYNC;
    }
    if (settings) {
        return PURPOSE_SETTINGS;
    }
    if (p->table != NULL && p->mark.hash.n == 0 && plan->changes.n == 0 &&
        !p->d.in.first_run) {
        return PURPOSE_REPAIR; /* somebody wiped our mark: nobody knows the sink's shape
                                */
    }
    if (p->rotates && plan->changes.n == 0 &&
        sv_eq(p->mark.hash, sv_from(p->sink_hash))) {
        return PURPOSE_ROTATE;
    }
    if (plan->changes.n > 0 || p->sinks.n > 1 || (p->sinks.n > 0 && p->sink == NULL)) {
        return PURPOSE_EVOLVE;
    }
    return p->d.in.first_run ? PURPOSE_PROVISION : PURPOSE_REPAIR;
}

/* Deletes that nobody delivered leave rows in the target which no backfill removes. */
static void note_ghosts(struct planner *p)
{
    if (p->plan->purpose == PURPOSE_REPAIR && p->sinks.n == 0 && p->target != NULL) {
        VEC_PUSH(p->arena, &p->plan->notes,
                 "the sink was gone: rows deleted in MySQL meanwhile stay in the target; "
                 "a new spec.resyncToken with spec.resyncMode Truncate removes them");
    }
}

static void tell_result(struct planner *p)
{
    struct plan *plan = p->plan;

    struct desired *definition = ARENA_NEW(p->arena, struct desired);

    *definition = p->d;
    plan->definition = definition;
    plan->table = arena_copy(p->arena, ident_name(p->table_ident));
    plan->sink = arena_copy(p->arena, ident_name(p->sink_ident));
    plan->sink_hash = p->sink_hash;
    plan->table_version = p->table_version;
    plan->sink_version = p->sink_version;
    plan->adopted = p->adopts && p->fate != TARGET_RECREATE;
    plan->purpose = purpose_of(p);
    note_ghosts(p);
}

/* Nothing can be replaced while nothing is delivered: pausing comes first. */
static bool waits_for_resume(const struct planner *p)
{
    return p->d.in.sync->state == STATE_PAUSED && p->sinks.n > 0 &&
           (p->sink == NULL || p->sinks.n > 1);
}

static bool pause_all(struct planner *p, struct fault *fault)
{
    for (size_t i = 0; i < p->sinks.n; i++) {
        if (p->sinks.v[i]->rate_limit != 0 &&
            !plan_rw_rate(p, p->sinks.v[i]->name, true, WAIT_NONE, NULL, fault)) {
            return false;
        }
    }
    return true;
}

static bool write_steps(struct planner *p, struct fault *fault)
{
    if (waits_for_resume(p)) {
        p->plan->postponed = true;
        /* Once all are paused nobody could tell that one was not. */
        return plan_rw_source(p, fault) &&
               (!p->resumed || p->table == NULL || plan_rw_mark(p, fault)) &&
               pause_all(p, fault);
    }
    return plan_rw_objects(p, fault) && plan_sr_objects(p, fault) &&
           plan_rw_add_columns(p,
                               p->target != NULL &&
                                       (p->target->altering || p->target_adds.n > 0 ||
                                        p->target_widens.n > 0)
                                   ? WAIT_TARGET_ALTER
                                   : WAIT_NONE,
                               fault) &&
           plan_swap(p, fault);
}

bool plan_make(const struct desired *desired, const struct rw_catalog *rw,
               const struct sr_catalog *sr, struct arena *arena, struct plan *out_plan,
               struct fault *fault)
{
    struct plan plan = {0};
    struct planner p = {.wanted = desired,
                        .d = *desired,
                        .rw = rw,
                        .sr = sr,
                        .arena = arena,
                        .plan = &plan};

    if (!plan_find(&p, fault) || !plan_check(&p, fault) || !plan_changes(&p, fault) ||
        !plan_find_sink(&p, fault) || !plan_target(&p, fault) ||
        !plan_check_sink(&p, fault) || !choose_server_id(&p, fault) ||
        !write_steps(&p, fault)) {
        return false;
    }
    tell_result(&p);
    plan_finish(&plan, arena);
    *out_plan = plan;
    return true;
}
