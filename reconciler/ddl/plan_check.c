/* Whether anything may be done in RisingWave, each refusal with its way out. */
#include "ddl/plan_parts.h"

#include <string.h>

#define REPORT_BYTES_MAX ((size_t)900) /* leaves room for the sentence around it */

const char *plan_key_names(const struct desired *d, struct arena *arena)
{
    AUTO(buf_deinit) struct buf names = {0};

    buf_init(&names, STMT_BYTES_MAX);
    for (size_t i = 0; i < d->key_count; i++) {
        buf_addz(&names, i > 0 ? "," : "");
        buf_add(&names, ident_name(d->rw_columns.v[i]));
    }
    return buf_take(&names, arena);
}

void plan_report(struct buf *out, const char *format, ...)
{
    va_list args;

    buf_addz(out, out->n > 0 ? "; " : "");
    va_start(args, format);
    buf_vaddf(out, format, args);
    va_end(args);
}

static bool definition_changed(const char *what, const char *object,
                               const char *differences, const char *remedy,
                               struct fault *fault)
{
    return fault_set(fault, FAULT_REFUSED, "DefinitionChanged",
                     "%s %s is not what it should be: "
                     "%s; %s",
                     what, object, differences, remedy);
}

static bool check_source(struct planner *p, struct fault *fault)
{
    AUTO(buf_deinit) struct buf differences = {0};
    const char *database = p->d->in.table->database;
    const struct rw_source *source = p->source;

    buf_init(&differences, REPORT_BYTES_MAX);
    /* Host and user may differ rightly: two connections may name one server. */
    if (source->connector != NULL &&
        !sv_eq_nocase(sv_from(source->connector), SV("mysql-cdc"))) {
        plan_report(&differences, "its connector is %s, mysql-cdc needed",
                    source->connector);
    }
    if (source->database != NULL && strcmp(source->database, database) != 0) {
        plan_report(&differences, "it reads database %s, %s needed", source->database,
                    database);
    }
    return differences.n == 0 ||
           definition_changed(
               "RisingWave source",
               arena_printf(p->arena, "%s.%s", source->schema, source->name),
               buf_z(&differences), "drop it to have it created again", fault);
}

static const struct rw_column *find_rw_column(const struct rw_table *table,
                                              struct sv name)
{
    for (size_t i = 0; i < table->columns.n; i++) {
        if (sv_eq(sv_from(table->columns.v[i].name), name)) {
            return &table->columns.v[i];
        }
    }
    return NULL;
}

static void compare_table(const struct planner *p, struct buf *out)
{
    const struct desired *d = p->d;

    for (size_t i = 0; i < d->columns.n; i++) {
        struct sv name = ident_name(d->rw_columns.v[i]);
        const char *wanted = rw_type_catalog(d->columns.v[i].rw);
        const struct rw_column *seen = find_rw_column(p->table, name);
        if (seen == NULL) {
            plan_report(out, "column '%.*s' of MySQL is missing in it", SV_ARGS(name));
        } else if (!sv_eq_nocase(sv_from(seen->type), sv_from(wanted))) {
            plan_report(out, "column '%.*s' is %s, %s needed", SV_ARGS(name), seen->type,
                        wanted);
        } else if (seen->primary_key != d->columns.v[i].key) {
            plan_report(out, "column '%.*s' %s its primary key", SV_ARGS(name),
                        seen->primary_key ? "must not be in" : "must be in");
        }
    }
    for (size_t i = 0; i < p->table->columns.n; i++) {
        struct sv name = sv_from(p->table->columns.v[i].name);
        bool found = false;
        for (size_t k = 0; k < d->rw_columns.n && !found; k++) {
            found = sv_eq(ident_name(d->rw_columns.v[k]), name);
        }
        if (!found) {
            plan_report(out, "column '%.*s' does not exist in MySQL", SV_ARGS(name));
        }
    }
}

static bool check_table(struct planner *p, struct fault *fault)
{
    AUTO(buf_deinit) struct buf differences = {0};
    const char *object = plan_object(p->arena, p->d->rw_schema, p->d->table_name);
    struct mark mark;

    if (mark_parse(p->table->comment, &mark) &&
        !sv_eq(mark.uid, sv_from(p->d->in.sync->uid))) {
        return fault_set(
            fault, FAULT_REFUSED, "OwnedByAnother",
            "RisingWave table %s belongs to the TableSync with uid %.*s; delete "
            "that TableSync or drop the table",
            object, SV_ARGS(mark.uid));
    }
    buf_init(&differences, REPORT_BYTES_MAX);
    compare_table(p, &differences);
    return differences.n == 0 ||
           definition_changed("RisingWave table", object, buf_z(&differences),
                              "undo the change in MySQL, or delete this TableSync with "
                              "deletionPolicy Delete and create it again",
                              fault);
}

static void compare_option(struct buf *out, const char *what, const char *seen,
                           const char *wanted)
{
    if (seen != NULL && strcmp(seen, wanted) != 0) {
        plan_report(out, "its %s is '%s', '%s' needed", what, seen, wanted);
    }
}

/* RisingWave 3.0.3 cannot alter any of these on a sink (verified 38). */
static bool check_sink(struct planner *p, struct fault *fault)
{
    AUTO(buf_deinit) struct buf differences = {0};
    const struct rw_sink *sink = p->sink;
    const struct desired *d = p->d;
    struct arena *arena = p->arena;
    const struct dbconn *target = d->in.target;

    buf_init(&differences, REPORT_BYTES_MAX);
    compare_option(&differences, "host", sink->host, target->host);
    compare_option(&differences, "MySQL port", sink->mysql_port,
                   arena_printf(arena, "%lld", (long long)target->port));
    compare_option(&differences, "HTTP port", sink->http_port,
                   arena_printf(arena, "%lld", (long long)target->http_port));
    compare_option(&differences, "user", sink->user, d->in.target_user);
    compare_option(&differences, "database", sink->database,
                   arena_copy(arena, ident_name(d->target_database)));
    compare_option(&differences, "table", sink->table,
                   arena_copy(arena, ident_name(d->target_table)));
    compare_option(&differences, "primary key", sink->primary_key,
                   plan_key_names(d, arena));
    return differences.n == 0 ||
           definition_changed(
               "RisingWave sink", plan_object(arena, d->rw_schema, d->sink_name),
               buf_z(&differences),
               "RisingWave cannot alter that: drop the sink to have it created "
               "again, which sends every row once more",
               fault);
}

/*
 * The source that feeds an existing CDC table stays the one, whatever its name: after a
 * failover MySQL has another server_uuid, and thus another name would be computed.
 */
static const struct rw_source *feeding_source(const struct planner *p)
{
    for (size_t i = 0; i < p->rw->edges.n; i++) {
        for (size_t k = 0; k < p->rw->sources.n; k++) {
            if (p->rw->edges.v[i].object == p->table->id &&
                p->rw->edges.v[i].referenced == p->rw->sources.v[k].id) {
                return &p->rw->sources.v[k];
            }
        }
    }
    return p->source;
}

bool plan_check(struct planner *p, struct fault *fault)
{
    const struct desired *d = p->d;
    struct arena *arena = p->arena;

    if (p->rw->schema_exists) {
        p->source = rw_catalog_source(p->rw, d->in.rw->rw_schema,
                                      arena_copy(arena, ident_name(d->source_name)));
        p->table = rw_catalog_table(p->rw, arena_copy(arena, ident_name(d->table_name)));
        p->sink = rw_catalog_sink(p->rw, arena_copy(arena, ident_name(d->sink_name)));
    }
    if (p->table != NULL) {
        p->source = feeding_source(p);
    }
    if (p->sr->database_exists) {
        p->target =
            sr_catalog_table(p->sr, arena_copy(arena, ident_name(d->target_table)));
    }
    return (p->source == NULL || check_source(p, fault)) &&
           (p->table == NULL || check_table(p, fault)) && plan_check_target(p, fault) &&
           (p->sink == NULL || check_sink(p, fault));
}
