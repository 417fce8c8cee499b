/* What must not be touched in RisingWave, each refusal with its way out. */
#include "ddl/plan_parts.h"

#include <stdarg.h>
#include <string.h>

const char *plan_key_names(const struct desired *d, struct arena *arena)
{
    AUTO(buf_deinit) struct buf names = {0};

    buf_init(&names, STMT_BYTES_MAX);
    for (size_t i = 0; i < d->key_count; i++) {
        buf_addz(&names, i > 0 ? "," : "");
        buf_add(&names, ident_name(d->aliases.v[i]));
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
    const char *database = p->d.in.table->database;
    const struct rw_source *source = p->source;

    buf_init(&differences, PLAN_REPORT_BYTES_MAX);
    /* Address and account may differ: plan_account.c alters them, or lets them be. */
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

static bool check_table(const struct planner *p, const struct rw_table *table,
                        struct fault *fault)
{
    struct mark mark;

    if (!mark_parse(table->comment, &mark) ||
        sv_eq(mark.uid, sv_from(p->d.in.sync->uid))) {
        return true;
    }
    return fault_set(
        fault, FAULT_REFUSED, "OwnedByAnother",
        "RisingWave table %s.%s belongs to the TableSync with uid %.*s; delete "
        "that TableSync or drop the table",
        p->d.in.rw->rw_schema, table->name, SV_ARGS(mark.uid));
}

bool plan_check(struct planner *p, struct fault *fault)
{
    for (size_t i = 0; i < p->tables.n; i++) {
        if (!check_table(p, p->tables.v[i], fault)) {
            return false;
        }
    }
    return p->source == NULL || check_source(p, fault);
}

static void compare_option(struct buf *out, const char *what, const char *seen,
                           const char *wanted)
{
    if (seen != NULL && strcmp(seen, wanted) != 0) {
        plan_report(out, "its %s is '%s', '%s' needed", what, seen, wanted);
    }
}

/* RisingWave 3.0.3 cannot alter any of these on a sink (verified 38); nor its address and
 * account, which another sink takes over (plan_account.c). */
bool plan_check_sink(const struct planner *p, struct fault *fault)
{
    AUTO(buf_deinit) struct buf differences = {0};
    const struct rw_sink *sink = p->sink;
    const struct desired *d = &p->d;
    struct arena *arena = p->arena;

    if (sink == NULL) {
        return true;
    }
    buf_init(&differences, PLAN_REPORT_BYTES_MAX);
    compare_option(&differences, "database", sink->database,
                   arena_copy(arena, ident_name(d->target_database)));
    compare_option(&differences, "table", sink->table,
                   arena_copy(arena, ident_name(d->target_table)));
    compare_option(&differences, "primary key", sink->primary_key,
                   plan_key_names(d, arena));
    return differences.n == 0 ||
           definition_changed("RisingWave sink",
                              plan_object(arena, d->rw_schema, p->sink_ident),
                              buf_z(&differences),
                              "RisingWave cannot alter that: drop the sink to have it "
                              "created again, which sends every row once more",
                              fault);
}
