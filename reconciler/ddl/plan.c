#include "ddl/plan_parts.h"

#include "base/hash.h"

static const char *const kind_names[PLAN_KIND_MAX] = {
    [PLAN_CREATE_SCHEMA] = "CreateSchema",
    [PLAN_CREATE_SOURCE] = "CreateSource",
    [PLAN_CREATE_TABLE] = "CreateTable",
    [PLAN_COMMENT_TABLE] = "CommentTable",
    [PLAN_CREATE_DATABASE] = "CreateDatabase",
    [PLAN_CREATE_TARGET] = "CreateTarget",
    [PLAN_CREATE_SINK] = "CreateSink",
    [PLAN_ALTER_SINK] = "AlterSink",
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

bool plan_push(struct plan *plan, struct arena *arena, struct plan_step step,
               struct fault *fault)
{
    if (!stmt_check(step.stmt, fault)) {
        return fault_wrap(fault, "%s (%s)", step.sentence, step.object);
    }
    VEC_PUSH(arena, &plan->steps, step);
    return true;
}

void plan_finish(struct plan *plan, struct arena *arena)
{
    AUTO(hash_freep) struct hash *h = hash_new();
    char hex[HASH_HEX_SIZE];

    for (size_t i = 0; i < plan->steps.n; i++) {
        const struct plan_step *step = &plan->steps.v[i];
        hash_add_int(h, step->system);
        hash_add_int(h, step->kind);
        hash_addz(h, stmt_redacted(step->stmt, arena));
    }
    hash_finish(h, hex);
    plan->hash = arena_printf(arena, "sha256:%s", hex);
}

static bool id_is_taken(const struct planner *p, int64_t id)
{
    const struct strlist *used = &p->d->in.used_server_ids;
    int64_t other = 0;

    if (p->d->in.server->server_id == (uint64_t)id) {
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
    int64_t low = p->d->in.source->server_id_low;
    int64_t high = p->d->in.source->server_id_high;
    int64_t start, id = 0;

    if (p->source != NULL) {
        if (sv_int64(sv_from(p->source->server_id), &id)) {
            p->plan->server_id = id;
        }
        return true;
    }
    struct sv name = ident_name(p->d->source_name);
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
        (long long)low, (long long)high, p->d->in.source->name);
}

bool plan_make(const struct desired *desired, const struct rw_catalog *rw,
               const struct sr_catalog *sr, struct arena *arena, struct plan *out_plan,
               struct fault *fault)
{
    struct plan plan = {0};
    struct planner p = {.d = desired, .rw = rw, .sr = sr, .arena = arena, .plan = &plan};

    if (!plan_check(&p, fault) || !choose_server_id(&p, fault) ||
        !plan_rw_objects(&p, fault) || !plan_sr_objects(&p, fault) ||
        !plan_rw_sink(&p, fault)) {
        return false;
    }
    plan_finish(&plan, arena);
    *out_plan = plan;
    return true;
}
