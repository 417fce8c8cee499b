/* Statements for RisingWave, in the shapes that 3.0.3 accepted (lifecycle.jsonl). */
#include "ddl/plan_parts.h"

#include <string.h>

#define DEFAULT_BATCH_SIZE 1000
#define DEFAULT_COMMIT_INTERVAL 10

/* WITH takes quoted values only in practice: a number that is not one can panic it. */
static void quoted_int(struct stmt *s, int64_t value)
{
    stmt_text(s, "'");
    stmt_int(s, value);
    stmt_text(s, "'");
}

static bool push(struct planner *p, struct plan_step step, const struct ident *name,
                 struct fault *fault)
{
    step.system = PLAN_RISINGWAVE;
    step.risk = RISK_SAFE;
    step.object = plan_object(p->arena, p->d->rw_schema, name);
    return plan_push(p->plan, p->arena, step, fault);
}

static bool push_schema(struct planner *p, struct fault *fault)
{
    struct stmt *s = stmt_new(p->arena, SQL_RISINGWAVE);

    stmt_text(s, "CREATE SCHEMA IF NOT EXISTS ");
    stmt_ident(s, p->d->rw_schema);
    return plan_push(p->plan, p->arena,
                     (struct plan_step){.system = PLAN_RISINGWAVE,
                                        .kind = PLAN_CREATE_SCHEMA,
                                        .risk = RISK_SAFE,
                                        .stmt = s,
                                        .object = p->d->in.rw->rw_schema,
                                        .sentence = "create the RisingWave schema"},
                     fault);
}

/* The two debezium options are never left out: verified 4 and 8. */
static bool push_source(struct planner *p, struct fault *fault)
{
    const struct desired_input *in = &p->d->in;
    struct stmt *s = stmt_new(p->arena, SQL_RISINGWAVE);

    stmt_text(s, "CREATE SOURCE ");
    stmt_qualified(s, p->d->rw_schema, p->d->source_name);
    stmt_text(s, " WITH (connector='mysql-cdc', hostname=");
    stmt_str(s, sv_from(in->source->host));
    stmt_text(s, ", port=");
    quoted_int(s, in->source->port);
    stmt_text(s, ", username=");
    stmt_str(s, sv_from(in->source_user));
    stmt_text(s, ", password=");
    stmt_secret(s, in->source_password);
    stmt_text(s, ", database.name=");
    stmt_str(s, sv_from(in->table->database));
    stmt_text(s, ", server.id=");
    quoted_int(s, p->plan->server_id);
    if (in->source->tls_mode == TLS_PREFER) {
        stmt_text(s, ", ssl.mode='preferred'");
    } else if (in->source->tls_mode == TLS_REQUIRE) {
        stmt_text(s, ", ssl.mode='required'");
    }
    stmt_text(s, ", debezium.bigint.unsigned.handling.mode='precise'"
                 ", debezium.schema.history.internal.skip.unparseable.ddl='true')");
    return push(p,
                (struct plan_step){.kind = PLAN_CREATE_SOURCE,
                                   .stmt = s,
                                   .sentence = "create the shared CDC source"},
                p->d->source_name, fault);
}

static void snapshot_options(struct stmt *s, const struct tablesync *sync)
{
    bool batch =
        sync->snapshot_batch_size > 0 && sync->snapshot_batch_size != DEFAULT_BATCH_SIZE;

    if (sync->snapshot_mode == SNAPSHOT_NEVER) {
        stmt_text(s, " WITH (snapshot='false')");
        return;
    }
    if (!batch && sync->snapshot_rate_limit <= 0) {
        return;
    }
    stmt_text(s, " WITH (");
    if (batch) {
        stmt_text(s, "snapshot.batch_size=");
        quoted_int(s, sync->snapshot_batch_size);
    }
    if (sync->snapshot_rate_limit > 0) {
        if (batch) {
            stmt_text(s, ", ");
        }
        stmt_text(s, "backfill_rate_limit=");
        quoted_int(s, sync->snapshot_rate_limit);
    }
    stmt_text(s, ")");
}

static bool push_table(struct planner *p, struct fault *fault)
{
    const struct desired *d = p->d;
    struct stmt *s = stmt_new(p->arena, SQL_RISINGWAVE);
    const char *upstream =
        arena_printf(p->arena, "%s.%s", d->in.table->database, d->in.table->name);

    stmt_text(s, "CREATE TABLE ");
    stmt_qualified(s, d->rw_schema, d->table_name);
    stmt_text(s, " (");
    for (size_t i = 0; i < d->columns.n; i++) {
        stmt_ident(s, d->rw_columns.v[i]);
        stmt_text(s, " ");
        types_stmt_rw(s, d->columns.v[i].rw);
        stmt_text(s, ", ");
    }
    stmt_text(s, "PRIMARY KEY (");
    for (size_t i = 0; i < d->key_count; i++) {
        if (i > 0) {
            stmt_text(s, ", ");
        }
        stmt_ident(s, d->rw_columns.v[i]);
    }
    stmt_text(s, "))");
    snapshot_options(s, d->in.sync);
    stmt_text(s, " FROM ");
    stmt_qualified(s, d->rw_schema, d->source_name);
    stmt_text(s, " TABLE ");
    stmt_str(s, sv_from(upstream));
    return push(p,
                (struct plan_step){.kind = PLAN_CREATE_TABLE,
                                   .stmt = s,
                                   .sentence = "create the CDC table",
                                   .parallelism = d->in.sync->parallelism},
                d->table_name, fault);
}

static bool push_comment(struct planner *p, struct fault *fault)
{
    struct stmt *s = stmt_new(p->arena, SQL_RISINGWAVE);

    stmt_text(s, "COMMENT ON TABLE ");
    stmt_qualified(s, p->d->rw_schema, p->d->table_name);
    stmt_text(s, " IS ");
    stmt_str(s, sv_from(p->d->mark));
    return push(p,
                (struct plan_step){.kind = PLAN_COMMENT_TABLE,
                                   .stmt = s,
                                   .sentence = "mark the CDC table as ours"},
                p->d->table_name, fault);
}

bool plan_rw_objects(struct planner *p, struct fault *fault)
{
    struct mark mark;

    if (!p->rw->schema_exists && !push_schema(p, fault)) {
        return false;
    }
    if (p->source == NULL && !push_source(p, fault)) {
        return false;
    }
    if (p->table == NULL && !push_table(p, fault)) {
        return false;
    }
    if (p->table == NULL || !mark_parse(p->table->comment, &mark)) {
        return push_comment(p, fault);
    }
    return true;
}

static void sink_expression(struct stmt *s, enum sink_expr expr, const struct ident *name)
{
    switch (expr) {
    case SINK_PASS:
        stmt_ident(s, name);
        return;
    case SINK_CAST_BIGINT:
        stmt_ident(s, name);
        stmt_text(s, "::BIGINT");
        break;
    case SINK_CAST_VARCHAR:
        stmt_ident(s, name);
        stmt_text(s, "::VARCHAR");
        break;
    case SINK_CAST_JSONB:
        stmt_ident(s, name);
        stmt_text(s, "::JSONB");
        break;
    case SINK_AT_UTC:
        stmt_ident(s, name);
        stmt_text(s, " AT TIME ZONE 'UTC'");
        break;
    case SINK_HEX:
        stmt_text(s, "encode(");
        stmt_ident(s, name);
        stmt_text(s, ", 'hex')");
        break;
    case SINK_EXPR_MAX:
        must(!"sink expression");
    }
    stmt_text(s, " AS ");
    stmt_ident(s, name);
}

static void sink_options(struct stmt *s, const struct planner *p, const char *key_names)
{
    const struct desired_input *in = &p->d->in;
    int64_t interval = in->sync->commit_checkpoint_interval;

    stmt_text(s, " WITH (connector='starrocks', type='upsert', primary_key=");
    stmt_str(s, sv_from(key_names));
    stmt_text(s, ", starrocks.host=");
    stmt_str(s, sv_from(in->target->host));
    stmt_text(s, ", starrocks.mysqlport=");
    quoted_int(s, in->target->port);
    stmt_text(s, ", starrocks.httpport=");
    quoted_int(s, in->target->http_port);
    stmt_text(s, ", starrocks.user=");
    stmt_str(s, sv_from(in->target_user));
    stmt_text(s, ", starrocks.password=");
    stmt_secret(s, in->target_password);
    stmt_text(s, ", starrocks.database=");
    stmt_str(s, ident_name(p->d->target_database));
    stmt_text(s, ", starrocks.table=");
    stmt_str(s, ident_name(p->d->target_table));
    stmt_text(s, ", commit_checkpoint_interval=");
    quoted_int(s, interval < 1 ? DEFAULT_COMMIT_INTERVAL : interval);
    if (in->sync->max_batch_bytes > 0) {
        stmt_text(s, ", starrocks.max_batch_size_bytes=");
        quoted_int(s, in->sync->max_batch_bytes);
    }
    stmt_text(s, ")");
}

static bool push_sink(struct planner *p, struct fault *fault)
{
    const struct desired *d = p->d;
    struct stmt *s = stmt_new(p->arena, SQL_RISINGWAVE);

    stmt_text(s, "CREATE SINK ");
    stmt_qualified(s, d->rw_schema, d->sink_name);
    stmt_text(s, " AS SELECT ");
    for (size_t i = 0; i < d->columns.n; i++) {
        if (i > 0) {
            stmt_text(s, ", ");
        }
        sink_expression(s, plan_column(p, i).expr, d->rw_columns.v[i]);
    }
    stmt_text(s, " FROM ");
    stmt_qualified(s, d->rw_schema, d->table_name);
    sink_options(s, p, plan_key_names(d, p->arena));
    return push(p,
                (struct plan_step){.kind = PLAN_CREATE_SINK,
                                   .stmt = s,
                                   .sentence = "create the sink",
                                   .background = true,
                                   .parallelism = d->in.sync->parallelism},
                d->sink_name, fault);
}

static bool push_rate(struct planner *p, bool paused, struct fault *fault)
{
    struct stmt *s = stmt_new(p->arena, SQL_RISINGWAVE);

    stmt_text(s, "ALTER SINK ");
    stmt_qualified(s, p->d->rw_schema, p->d->sink_name);
    if (paused) {
        stmt_text(s, " SET sink_rate_limit TO 0");
    } else {
        stmt_text(s, " SET sink_rate_limit TO DEFAULT");
    }
    return push(
        p,
        (struct plan_step){.kind = PLAN_ALTER_SINK,
                           .stmt = s,
                           .sentence = paused ? "pause the sink" : "resume the sink"},
        p->d->sink_name, fault);
}

static bool push_interval(struct planner *p, int64_t interval, struct fault *fault)
{
    struct stmt *s = stmt_new(p->arena, SQL_RISINGWAVE);

    stmt_text(s, "ALTER SINK ");
    stmt_qualified(s, p->d->rw_schema, p->d->sink_name);
    stmt_text(s, " CONNECTOR WITH (commit_checkpoint_interval=");
    quoted_int(s, interval);
    stmt_text(s, ")");
    return push(p,
                (struct plan_step){.kind = PLAN_ALTER_SINK,
                                   .stmt = s,
                                   .sentence = "set how often the sink commits"},
                p->d->sink_name, fault);
}

bool plan_rw_sink(struct planner *p, struct fault *fault)
{
    bool paused = p->d->in.sync->state == STATE_PAUSED;
    int64_t interval = p->d->in.sync->commit_checkpoint_interval;
    int64_t seen = DEFAULT_COMMIT_INTERVAL;

    if (p->sink == NULL) {
        return push_sink(p, fault) && (!paused || push_rate(p, true, fault));
    }
    if (p->sink->rate_limit != (paused ? 0 : -1) && !push_rate(p, paused, fault)) {
        return false;
    }
    (void)sv_int64(sv_from(p->sink->commit_checkpoint_interval), &seen);
    interval = interval < 1 ? DEFAULT_COMMIT_INTERVAL : interval;
    return interval == seen || push_interval(p, interval, fault);
}
