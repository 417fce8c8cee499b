/*
 * What deletion drops. Ownership is proven by the mark (CDC table, target) or by the hash
 * of our uid in the name (sinks, and a table that was not marked yet); everything else is
 * somebody else's. Never CASCADE.
 */
#include "ddl/plan_parts.h"

#include <string.h>

struct dropper {
    const struct plan_drop_input *in;
    const struct rw_catalog *rw;
    const struct sr_catalog *sr;
    struct arena *arena;
    struct plan *plan;
    const struct ident *schema;
    const char
        *table_name; /* as it is named while the spec can be read; NULL: it cannot */
    VEC(const struct rw_table *) tables;
    VEC(const struct rw_sink *) sinks;
    VEC(const struct rw_source *) sources;
};

static bool parse_rw(struct dropper *d, const char *name, enum ident_kind kind,
                     const struct ident **out_ident, struct fault *fault)
{
    return ident_parse(d->arena, sv_from(name), SQL_RISINGWAVE, kind, out_ident, fault);
}

static void find_tables(struct dropper *d)
{
    for (size_t i = 0; i < d->rw->tables.n; i++) {
        const struct rw_table *table = &d->rw->tables.v[i];
        struct mark mark;
        bool ours = mark_parse(table->comment, &mark)
                        ? sv_eq(mark.uid, sv_from(d->in->sync->uid))
                        : d->table_name != NULL &&
                              name_table_version_of(sv_from(d->table_name),
                                                    sv_from(table->name)) > 0;
        if (ours) {
            VEC_PUSH(d->arena, &d->tables, table);
        }
    }
}

/* "t_shop_orders_5d21aaaa_v2" -> "t_shop_orders_5d21aaaa": the hash ends the first name.
 */
static struct sv first_name(struct sv table)
{
    for (size_t n = table.n; n > 0; n--) {
        if (table.p[n - 1] == '_' && n < table.n && table.p[n] == 'v' &&
            name_table_version_of(sv_sub(table, 0, n - 1), table) > 0) {
            return sv_sub(table, 0, n - 1);
        }
    }
    return table;
}

/* "t_shop_orders_5d21aaaa" -> does "k_shop_orders_5d21aaaa_v3" belong to it? */
static bool is_sink_of(const struct dropper *d, struct sv table, struct sv sink)
{
    struct sv first = first_name(table);
    const char *prefix =
        arena_printf(d->arena, "k%.*s_v", SV_ARGS(sv_sub(first, strlen("t"), first.n)));

    return sv_starts(table, SV("t_")) && name_sink_version_of(sv_from(prefix), sink) > 0;
}

static void find_sinks(struct dropper *d)
{
    for (size_t i = 0; i < d->rw->sinks.n; i++) {
        const struct rw_sink *sink = &d->rw->sinks.v[i];
        bool ours = d->table_name != NULL &&
                    is_sink_of(d, sv_from(d->table_name), sv_from(sink->name));
        for (size_t k = 0; k < d->tables.n && !ours; k++) {
            ours = is_sink_of(d, sv_from(d->tables.v[k]->name), sv_from(sink->name));
        }
        if (ours) {
            VEC_PUSH(d->arena, &d->sinks, sink);
        }
    }
}

static bool is_ours(const struct dropper *d, int64_t id)
{
    for (size_t i = 0; i < d->tables.n; i++) {
        if (d->tables.v[i]->id == id) {
            return true;
        }
    }
    for (size_t i = 0; i < d->sinks.n; i++) {
        if (d->sinks.v[i]->id == id) {
            return true;
        }
    }
    return false;
}

static bool used_by_others(const struct dropper *d, int64_t id)
{
    for (size_t i = 0; i < d->rw->edges.n; i++) {
        const struct rw_edge *edge = &d->rw->edges.v[i];
        if (edge->referenced == id && !is_ours(d, edge->object)) {
            return true;
        }
    }
    return false;
}

static bool feeds_our_table(const struct dropper *d, int64_t id)
{
    for (size_t i = 0; i < d->rw->edges.n; i++) {
        const struct rw_edge *edge = &d->rw->edges.v[i];
        if (edge->referenced == id && is_ours(d, edge->object)) {
            return true;
        }
    }
    return false;
}

static bool is_recorded(const struct dropper *d, const struct rw_source *source)
{
    const char *name = arena_printf(d->arena, "%s.%s", source->schema, source->name);

    for (size_t i = 0; i < d->in->rw_sources.n; i++) {
        if (strcmp(d->in->rw_sources.v[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Ours by place and name; a source of a user's own is left, whatever reads it. */
static void find_sources(struct dropper *d)
{
    for (size_t i = 0; i < d->rw->sources.n; i++) {
        const struct rw_source *source = &d->rw->sources.v[i];
        if (strcmp(source->schema, d->in->rw_schema) == 0 &&
            sv_starts(sv_from(source->name), SV("src_")) &&
            (is_recorded(d, source) || feeds_our_table(d, source->id)) &&
            !used_by_others(d, source->id)) {
            VEC_PUSH(d->arena, &d->sources, source);
        }
    }
}

static bool check_dependants(const struct dropper *d, struct fault *fault)
{
    AUTO(buf_deinit) struct buf names = {0};

    buf_init(&names, 900);
    for (size_t i = 0; i < d->rw->edges.n; i++) {
        const struct rw_edge *edge = &d->rw->edges.v[i];
        struct rw_catalog one = *d->rw;
        struct strlist users;
        if (!is_ours(d, edge->referenced) || is_ours(d, edge->object)) {
            continue;
        }
        one.edges.v = d->rw->edges.v + i; /* this edge alone, for its name */
        one.edges.n = 1;
        rw_catalog_users(&one, edge->referenced, d->arena, &users);
        for (size_t k = 0; k < users.n; k++) {
            if (sv_find(buf_sv(&names), sv_from(users.v[k])) == SIZE_MAX) {
                buf_addf(&names, "%s%s", names.n > 0 ? ", " : "", users.v[k]);
            }
        }
    }
    if (names.n == 0) {
        return true;
    }
    return fault_set(
        fault, FAULT_REFUSED, "DependantsExist",
        "objects of others use what is to be dropped in RisingWave: %s; drop them "
        "first, or set spec.deletionPolicy to Retain",
        buf_z(&names));
}

static bool push(struct dropper *d, struct plan_step step, struct fault *fault)
{
    step.risk = RISK_DESTRUCTIVE;
    return plan_push(d->plan, d->arena, step, fault);
}

/* IF EXISTS: a drop that was interrupted goes on without us (risingwave.md 6.3). */
static bool push_rw(struct dropper *d, enum plan_kind kind, const char *name,
                    const char *sentence, struct fault *fault)
{
    struct stmt *s = stmt_new(d->arena, SQL_RISINGWAVE);
    const struct ident *ident;

    if (!parse_rw(d, name, IDENT_TABLE, &ident, fault)) {
        return false;
    }
    if (kind == PLAN_DROP_SINK) {
        stmt_text(s, "DROP SINK IF EXISTS ");
    } else if (kind == PLAN_DROP_TABLE) {
        stmt_text(s, "DROP TABLE IF EXISTS ");
    } else {
        stmt_text(s, "DROP SOURCE IF EXISTS ");
    }
    stmt_qualified(s, d->schema, ident);
    return push(d,
                (struct plan_step){.system = PLAN_RISINGWAVE,
                                   .kind = kind,
                                   .stmt = s,
                                   .object = plan_object(d->arena, d->schema, ident),
                                   .sentence = sentence},
                fault);
}

static bool drop_stream(struct dropper *d, struct fault *fault)
{
    for (size_t i = 0; i < d->sinks.n; i++) {
        if (!push_rw(d, PLAN_DROP_SINK, d->sinks.v[i]->name, "drop the sink", fault)) {
            return false;
        }
    }
    for (size_t i = 0; i < d->tables.n; i++) {
        if (!push_rw(d, PLAN_DROP_TABLE, d->tables.v[i]->name, "drop the CDC table",
                     fault)) {
            return false;
        }
    }
    for (size_t i = 0; i < d->sources.n; i++) {
        if (!push_rw(d, PLAN_DROP_SOURCE, d->sources.v[i]->name,
                     "drop the CDC source, which nobody uses any more", fault)) {
            return false;
        }
    }
    return true;
}

/* Without FORCE: StarRocks keeps the dropped table in its recycle bin for a while. */
static bool drop_target(struct dropper *d, struct fault *fault)
{
    const struct tablesync *sync = d->in->sync;
    const char *name =
        sync->target_table != NULL ? sync->target_table : sync->source_table;
    const struct ident *database, *table;
    struct mark mark;

    if (name == NULL || sync->target_database == NULL) {
        return true;
    }
    const struct sr_table *seen = sr_catalog_table(d->sr, name);
    if (seen == NULL || seen->is_view || !mark_parse(seen->comment, &mark) ||
        !sv_eq(mark.uid, sv_from(sync->uid)) || mark.adopted) {
        return true; /* what was taken over is never dropped */
    }
    if (!ident_parse(d->arena, sv_from(sync->target_database), SQL_STARROCKS,
                     IDENT_DATABASE, &database, fault) ||
        !ident_parse(d->arena, sv_from(name), SQL_STARROCKS, IDENT_TABLE, &table,
                     fault)) {
        return false;
    }
    struct stmt *s = stmt_new(d->arena, SQL_STARROCKS);
    stmt_text(s, "DROP TABLE IF EXISTS ");
    stmt_qualified(s, database, table);
    return push(d,
                (struct plan_step){.system = PLAN_STARROCKS,
                                   .kind = PLAN_DROP_TARGET,
                                   .stmt = s,
                                   .object = plan_object(d->arena, database, table),
                                   .sentence = "drop the target table and its rows"},
                fault);
}

bool plan_drop(const struct plan_drop_input *input, const struct rw_catalog *rw,
               const struct sr_catalog *sr, struct arena *arena, struct plan *out_plan,
               struct fault *fault)
{
    const struct tablesync *sync = input->sync;
    struct plan plan = {0};
    struct dropper d = {.in = input, .rw = rw, .sr = sr, .arena = arena, .plan = &plan};

    if (input->policy != DELETION_RETAIN && sync->uid != NULL && sync->uid[0] != '\0') {
        must(rw != NULL && (sr != NULL || input->policy != DELETION_DELETE));
        if (sync->source_database != NULL && sync->source_table != NULL) {
            d.table_name =
                name_table(arena, sync->uid, sync->source_database, sync->source_table);
        }
        if (!parse_rw(&d, input->rw_schema, IDENT_SCHEMA, &d.schema, fault)) {
            return false;
        }
        find_tables(&d);
        find_sinks(&d);
        find_sources(&d);
        if (!check_dependants(&d, fault) || !drop_stream(&d, fault) ||
            (input->policy == DELETION_DELETE && !drop_target(&d, fault))) {
            return false;
        }
    }
    plan_finish(&plan, arena);
    *out_plan = plan;
    return true;
}
