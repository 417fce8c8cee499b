/* What exists already: our tables and sinks in every version, the source, the target. */
#include "ddl/plan_parts.h"

#include <string.h>

const struct rw_column *plan_rw_column(const struct rw_table *table, struct sv name)
{
    for (size_t i = 0; i < table->columns.n; i++) {
        if (sv_eq(sv_from(table->columns.v[i].name), name)) {
            return &table->columns.v[i];
        }
    }
    return NULL;
}

const struct sr_column *plan_sr_column(const struct sr_table *table, struct sv name)
{
    for (size_t i = 0; table != NULL && i < table->columns.n; i++) {
        if (sv_eq_nocase(sv_from(table->columns.v[i].name), name)) {
            return &table->columns.v[i];
        }
    }
    return NULL;
}

static void find_tables(struct planner *p)
{
    struct sv first = ident_name(p->d.table_name);

    for (size_t i = 0; i < p->rw->tables.n; i++) {
        const struct rw_table *table = &p->rw->tables.v[i];
        int64_t version = name_table_version_of(first, sv_from(table->name));
        size_t at = p->tables.n;

        if (version == 0) {
            continue;
        }
        VEC_PUSH(p->arena, &p->tables, table);
        for (; at > 0 &&
               name_table_version_of(first, sv_from(p->tables.v[at - 1]->name)) < version;
             at--) {
            p->tables.v[at] = p->tables.v[at - 1];
        }
        p->tables.v[at] = table;
    }
}

static void find_sinks(struct planner *p)
{
    struct sv prefix = sv_from(p->d.sink_prefix);

    for (size_t i = 0; i < p->rw->sinks.n; i++) {
        const struct rw_sink *sink = &p->rw->sinks.v[i];
        int64_t version = name_sink_version_of(prefix, sv_from(sink->name));
        size_t at = p->sinks.n;

        if (version == 0) {
            continue;
        }
        VEC_PUSH(p->arena, &p->sinks, sink);
        for (; at > 0 &&
               name_sink_version_of(prefix, sv_from(p->sinks.v[at - 1]->name)) < version;
             at--) {
            p->sinks.v[at] = p->sinks.v[at - 1];
        }
        p->sinks.v[at] = sink;
    }
}

static bool depends(const struct planner *p, int64_t object, int64_t referenced)
{
    for (size_t i = 0; i < p->rw->edges.n; i++) {
        if (p->rw->edges.v[i].object == object &&
            p->rw->edges.v[i].referenced == referenced) {
            return true;
        }
    }
    return false;
}

/*
 * The source that feeds an existing CDC table stays the one, whatever its name: after a
 * failover MySQL has another server_uuid, and thus another name would be computed.
 */
static const struct rw_source *feeding_source(const struct planner *p)
{
    for (size_t i = 0; i < p->tables.n; i++) {
        for (size_t k = 0; k < p->rw->sources.n; k++) {
            if (depends(p, p->tables.v[i]->id, p->rw->sources.v[k].id)) {
                return &p->rw->sources.v[k];
            }
        }
    }
    return rw_catalog_source(p->rw, p->d.in.rw->rw_schema,
                             arena_copy(p->arena, ident_name(p->d.source_name)));
}

/* A re-sync wants a newer table than any that exists; otherwise the newest is used. */
static void choose_table(struct planner *p)
{
    struct sv first = ident_name(p->d.table_name);

    p->table_version = p->d.in.table_version > 1 ? p->d.in.table_version : 1;
    if (p->tables.n > 0) {
        int64_t newest = name_table_version_of(first, sv_from(p->tables.v[0]->name));

        if (newest >= p->table_version) {
            p->table = p->tables.v[0];
            p->table_version = newest;
        }
    }
}

bool plan_find(struct planner *p, struct fault *fault)
{
    if (p->rw->schema_exists) {
        find_tables(p);
        find_sinks(p);
        p->source = feeding_source(p);
    }
    choose_table(p);
    if (p->table != NULL) {
        (void)mark_parse(p->table->comment, &p->mark);
    }
    if (p->sr->database_exists) {
        p->target =
            sr_catalog_table(p->sr, arena_copy(p->arena, ident_name(p->d.target_table)));
    }
    if (p->source != NULL) { /* the CDC table is made from the one that lives */
        return ident_parse(p->arena, sv_from(p->source->name), SQL_RISINGWAVE,
                           IDENT_TABLE, &p->d.source_name, fault);
    }
    return true;
}

/*
 * The mark of the CDC table tells which sink version its hash defines. It is written
 * before that sink is made: a sink that is there without it was made for something else.
 */
const struct rw_sink *plan_marked_sink(const struct planner *p)
{
    struct sv prefix = sv_from(p->d.sink_prefix);

    if (p->table == NULL ||
        !sv_eq(p->mark.hash,
               sv_from(desired_sink_hash(&p->d, p->table_version, p->arena)))) {
        return NULL;
    }
    for (size_t i = 0; i < p->sinks.n; i++) {
        const struct rw_sink *sink = p->sinks.v[i];

        if (name_sink_version_of(prefix, sv_from(sink->name)) == p->mark.sink &&
            depends(p, sink->id, p->table->id)) {
            return sink;
        }
    }
    return NULL;
}

int64_t plan_version_of(const struct planner *p, const struct rw_sink *sink)
{
    return name_sink_version_of(sv_from(p->d.sink_prefix), sv_from(sink->name));
}

static int64_t next_sink_version(const struct planner *p)
{
    int64_t newest = p->sinks.n > 0 ? plan_version_of(p, p->sinks.v[0]) : 0;

    if (sv_eq(p->mark.hash, sv_from(p->sink_hash)) && p->mark.sink > newest) {
        return p->mark.sink; /* marked, and not made yet or lost since */
    }
    return (p->mark.sink > newest ? p->mark.sink : newest) + 1;
}

bool plan_find_sink(struct planner *p, struct fault *fault)
{
    const char *name = NULL;

    p->sink_hash = desired_sink_hash(&p->d, p->table_version, p->arena);
    p->sink = plan_marked_sink(p);
    plan_rotation(p);
    p->sink_version = p->sink != NULL ? p->mark.sink : next_sink_version(p);
    name = arena_printf(p->arena, "%s%lld", p->d.sink_prefix, (long long)p->sink_version);
    return ident_parse(p->arena, sv_from(name), SQL_RISINGWAVE, IDENT_TABLE,
                       &p->sink_ident, fault);
}

bool plan_is_delivered(const struct planner *p)
{
    for (size_t i = 0; p->table != NULL && i < p->sinks.n; i++) {
        if (depends(p, p->sinks.v[i]->id, p->table->id)) {
            return true;
        }
    }
    return false;
}

/* Once a sink reads the table that the re-sync made, the target is being filled. */
bool plan_clears_target(const struct planner *p)
{
    return (p->d.in.resync == RESYNC_TRUNCATE || p->d.in.resync == RESYNC_RECREATE) &&
           !plan_is_delivered(p);
}
