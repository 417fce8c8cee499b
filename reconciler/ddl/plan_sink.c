/* Statements about sinks, in the shapes that 3.0.3 accepted (lifecycle.jsonl). */
#include "ddl/plan_parts.h"
#include "ddl/sink_value.h"

static void sink_column(struct stmt *s, const struct desired *d, size_t index)
{
    const struct column_map *map = &d->columns.v[index];
    const struct ident *name = d->rw_columns.v[index], *alias = d->aliases.v[index];

    sink_value(s, map, name);
    if (map->expr != SINK_PASS || !sv_eq(ident_name(name), ident_name(alias))) {
        stmt_text(s, " AS ");
        stmt_ident(s, alias);
    }
}

static void sink_options(struct stmt *s, const struct planner *p, const char *key_names)
{
    const struct desired_input *in = &p->d.in;
    int64_t interval = in->sync->commit_checkpoint_interval;

    stmt_text(s, " WITH (connector='starrocks', type='upsert', primary_key=");
    stmt_str(s, sv_from(key_names));
    stmt_text(s, ", starrocks.host=");
    stmt_str(s, sv_from(in->target->host));
    stmt_text(s, ", starrocks.mysqlport=");
    plan_rw_int(s, in->target->port);
    stmt_text(s, ", starrocks.httpport=");
    plan_rw_int(s, in->target->http_port);
    stmt_text(s, ", starrocks.user=");
    stmt_str(s, sv_from(in->target_user));
    stmt_text(s, ", starrocks.password=");
    stmt_secret(s, in->target_password);
    stmt_text(s, ", starrocks.database=");
    stmt_str(s, ident_name(p->d.target_database));
    stmt_text(s, ", starrocks.table=");
    stmt_str(s, ident_name(p->d.target_table));
    stmt_text(s, ", commit_checkpoint_interval=");
    plan_rw_int(s, interval < 1 ? PLAN_COMMIT_INTERVAL : interval);
    if (in->sync->max_batch_bytes > 0) {
        stmt_text(s, ", starrocks.max_batch_size_bytes=");
        plan_rw_int(s, in->sync->max_batch_bytes);
    }
    if (in->sync->partial_update) {
        stmt_text(s, ", starrocks.partial_update='true'");
    }
    stmt_text(s, ")");
}

/* What WAIT_SNAPSHOT waits for is always the CDC table to deliver from. */
static const char *waited_for(const struct planner *p, enum plan_wait wait,
                              const char *sink)
{
    if (wait == WAIT_SNAPSHOT) {
        return arena_copy(p->arena, ident_name(p->table_ident));
    }
    return wait == WAIT_NONE || wait == WAIT_TARGET_ALTER ? NULL : sink;
}

bool plan_rw_sink(struct planner *p, enum plan_wait wait, const char *wait_for,
                  struct fault *fault)
{
    const struct desired *d = &p->d;
    struct stmt *s = stmt_new(p->arena, SQL_RISINGWAVE);

    stmt_text(s, "CREATE SINK ");
    stmt_qualified(s, d->rw_schema, p->sink_ident);
    stmt_text(s, " AS SELECT ");
    for (size_t i = 0; i < d->columns.n; i++) {
        if (i > 0) {
            stmt_text(s, ", ");
        }
        sink_column(s, d, i);
    }
    stmt_text(s, " FROM ");
    stmt_qualified(s, d->rw_schema, p->table_ident);
    sink_options(s, p, plan_key_names(d, p->arena));
    return plan_rw_push(
        p,
        (struct plan_step){.kind = PLAN_CREATE_SINK,
                           .risk = p->retires ? RISK_DESTRUCTIVE : RISK_SAFE,
                           .stmt = s,
                           .sentence = p->retires
                                           ? "create the sink, without columns that thus "
                                             "turn NULL in the target,"
                                           : "create the sink",
                           .wait = wait,
                           .wait_for = waited_for(p, wait, wait_for),
                           .background = true,
                           .parallelism = d->in.sync->parallelism},
        p->sink_ident, fault);
}

static bool sink_ident(struct planner *p, const char *sink,
                       const struct ident **out_ident, struct fault *fault)
{
    return ident_parse(p->arena, sv_from(sink), SQL_RISINGWAVE, IDENT_TABLE, out_ident,
                       fault);
}

bool plan_rw_rate(struct planner *p, const char *sink, bool paused, enum plan_wait wait,
                  const char *wait_for, struct fault *fault)
{
    struct stmt *s = stmt_new(p->arena, SQL_RISINGWAVE);
    const struct ident *name = NULL;

    if (!sink_ident(p, sink, &name, fault)) {
        return false;
    }
    stmt_text(s, "ALTER SINK ");
    stmt_qualified(s, p->d.rw_schema, name);
    if (paused) {
        stmt_text(s, " SET sink_rate_limit TO 0");
    } else {
        stmt_text(s, " SET sink_rate_limit TO DEFAULT");
    }
    return plan_rw_push(
        p,
        (struct plan_step){.kind = PLAN_ALTER_SINK,
                           .stmt = s,
                           .wait = wait,
                           .wait_for = waited_for(p, wait, wait_for),
                           .sentence = paused ? "pause the sink" : "resume the sink"},
        name, fault);
}

bool plan_rw_interval(struct planner *p, int64_t interval, struct fault *fault)
{
    struct stmt *s = stmt_new(p->arena, SQL_RISINGWAVE);

    stmt_text(s, "ALTER SINK ");
    stmt_qualified(s, p->d.rw_schema, p->sink_ident);
    stmt_text(s, " CONNECTOR WITH (commit_checkpoint_interval=");
    plan_rw_int(s, interval);
    stmt_text(s, ")");
    return plan_rw_push(p,
                        (struct plan_step){.kind = PLAN_ALTER_SINK,
                                           .stmt = s,
                                           .sentence = "set how often the sink commits"},
                        p->sink_ident, fault);
}

bool plan_rw_drop(struct planner *p, enum plan_kind kind, const char *name,
                  enum plan_wait wait, const char *wait_for, struct fault *fault)
{
    struct stmt *s = stmt_new(p->arena, SQL_RISINGWAVE);
    const struct ident *ident = NULL;

    if (!sink_ident(p, name, &ident, fault)) {
        return false;
    }
    if (kind == PLAN_DROP_SINK) {
        stmt_text(s, "DROP SINK IF EXISTS ");
    } else {
        stmt_text(s, "DROP TABLE IF EXISTS ");
    }
    stmt_qualified(s, p->d.rw_schema, ident);
    return plan_rw_push(
        p,
        (struct plan_step){.kind = kind,
                           .stmt = s,
                           .wait = wait,
                           .wait_for = wait_for,
                           .sentence = kind == PLAN_DROP_SINK
                                           ? "drop the sink that was replaced"
                                           : "drop the CDC table that was "
                                             "replaced"},
        ident, fault);
}
