/* Statements for RisingWave, in the shapes that 3.0.3 accepted (lifecycle.jsonl). */
#include "ddl/plan_parts.h"

#include <string.h>

#define DEFAULT_BATCH_SIZE 1000

/* WITH takes quoted values only in practice: a number that is not one can panic it. */
void plan_rw_int(struct stmt *s, int64_t value)
{
    stmt_text(s, "'");
    stmt_int(s, value);
    stmt_text(s, "'");
}

bool plan_rw_push(struct planner *p, struct plan_step step, const struct ident *name,
                  struct fault *fault)
{
    step.system = PLAN_RISINGWAVE;
    step.risk = step.risk == 0 ? RISK_SAFE : step.risk;
    step.object = plan_object(p->arena, p->d.rw_schema, name);
    return plan_push(p->plan, p->arena, step, fault);
}

static bool push_schema(struct planner *p, struct fault *fault)
{
    struct stmt *s = stmt_new(p->arena, SQL_RISINGWAVE);

    stmt_text(s, "CREATE SCHEMA IF NOT EXISTS ");
    stmt_ident(s, p->d.rw_schema);
    return plan_push(p->plan, p->arena,
                     (struct plan_step){.system = PLAN_RISINGWAVE,
                                        .kind = PLAN_CREATE_SCHEMA,
                                        .risk = RISK_SAFE,
                                        .stmt = s,
                                        .object = p->d.in.rw->rw_schema,
                                        .sentence = "create the RisingWave schema"},
                     fault);
}

/* None of RisingWave's readers of MySQL verifies a certificate (risingwave.md 1.4). */
static void note_verification(struct planner *p)
{
    enum tls_mode mode = p->d.in.source->tls_mode;

    if (mode == TLS_VERIFY_CA || mode == TLS_VERIFY_FULL) {
        VEC_PUSH(p->arena, &p->plan->notes,
                 "RisingWave's own connection to MySQL is encrypted, but RisingWave does "
                 "not verify MySQL's certificate: spec.tls.mode is kept by TableSync's "
                 "connection alone");
    }
}

/* The two debezium options are never left out: verified 4 and 8. */
static bool push_source(struct planner *p, struct fault *fault)
{
    const struct desired_input *in = &p->d.in;
    struct stmt *s = stmt_new(p->arena, SQL_RISINGWAVE);

    note_verification(p);
    stmt_text(s, "CREATE SOURCE ");
    stmt_qualified(s, p->d.rw_schema, p->d.source_name);
    stmt_text(s, " WITH (connector='mysql-cdc', hostname=");
    stmt_str(s, sv_from(in->source->host));
    stmt_text(s, ", port=");
    plan_rw_int(s, in->source->port);
    stmt_text(s, ", username=");
    stmt_str(s, sv_from(in->source_user));
    stmt_text(s, ", password=");
    stmt_secret(s, in->source_password);
    stmt_text(s, ", database.name=");
    stmt_str(s, sv_from(in->table->database));
    stmt_text(s, ", server.id=");
    plan_rw_int(s, p->plan->server_id);
    if (in->source->tls_mode > TLS_DISABLE) {
        stmt_text(s, ", ssl.mode=");
        stmt_str(s, sv_from(plan_ssl_mode(in->source->tls_mode)));
    }
    stmt_text(s, ", debezium.bigint.unsigned.handling.mode='precise'"
                 ", debezium.schema.history.internal.skip.unparseable.ddl='true')");
    return plan_rw_push(p,
                        (struct plan_step){.kind = PLAN_CREATE_SOURCE,
                                           .stmt = s,
                                           .sentence = "create the shared CDC source"},
                        p->d.source_name, fault);
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
        plan_rw_int(s, sync->snapshot_batch_size);
    }
    if (sync->snapshot_rate_limit > 0) {
        if (batch) {
            stmt_text(s, ", ");
        }
        stmt_text(s, "backfill_rate_limit=");
        plan_rw_int(s, sync->snapshot_rate_limit);
    }
    stmt_text(s, ")");
}

static void key_columns(struct stmt *s, const struct desired *d)
{
    stmt_text(s, "PRIMARY KEY (");
    for (size_t i = 0; i < d->cdc_key_count; i++) {
        if (i > 0) {
            stmt_text(s, ", ");
        }
        stmt_ident(s, d->cdc.v[i].name);
    }
    stmt_text(s, "))");
}

static bool push_table(struct planner *p, struct fault *fault)
{
    const struct desired *d = &p->d;
    struct stmt *s = stmt_new(p->arena, SQL_RISINGWAVE);
    const char *upstream =
        arena_printf(p->arena, "%s.%s", d->in.table->database, d->in.table->name);

    stmt_text(s, "CREATE TABLE ");
    stmt_qualified(s, d->rw_schema, p->table_ident);
    stmt_text(s, " (");
    for (size_t i = 0; i < d->cdc.n; i++) {
        stmt_ident(s, d->cdc.v[i].name);
        stmt_text(s, " ");
        types_stmt_rw(s, d->cdc.v[i].type);
        stmt_text(s, ", ");
    }
    key_columns(s, d);
    snapshot_options(s, d->in.sync);
    stmt_text(s, " FROM ");
    stmt_qualified(s, d->rw_schema, d->source_name);
    stmt_text(s, " TABLE ");
    stmt_str(s, sv_from(upstream));
    return plan_rw_push(
        p,
        (struct plan_step){.kind = PLAN_CREATE_TABLE,
                           .stmt = s,
                           .sentence = p->tables.n > 0
                                           ? "create the CDC table anew, beside "
                                             "the one in use"
                                           : "create the CDC table",
                           .parallelism = d->in.sync->parallelism},
        p->table_ident, fault);
}

/* The mark says which sink its hash defines, before that sink is made (plan_find.c). */
bool plan_rw_mark(struct planner *p, struct fault *fault)
{
    struct stmt *s = stmt_new(p->arena, SQL_RISINGWAVE);
    const char *mark =
        arena_printf(p->arena, "tablesync:v1 uid=%s hash=%s sink=%lld", p->d.in.sync->uid,
                     p->sink_hash, (long long)p->sink_version);

    if (p->rotates) {
        mark = arena_printf(p->arena, "%s after=%lld", mark, (long long)p->after);
    }
    stmt_text(s, "COMMENT ON TABLE ");
    stmt_qualified(s, p->d.rw_schema, p->table_ident);
    stmt_text(s, " IS ");
    stmt_str(s, sv_from(mark));
    return plan_rw_push(p,
                        (struct plan_step){.kind = PLAN_COMMENT_TABLE,
                                           .stmt = s,
                                           .sentence = "mark the CDC table as ours"},
                        p->table_ident, fault);
}

bool plan_rw_objects(struct planner *p, struct fault *fault)
{
    if (!p->rw->schema_exists && !push_schema(p, fault)) {
        return false;
    }
    if (!(p->source == NULL ? push_source(p, fault) : plan_rw_source(p, fault))) {
        return false;
    }
    return p->table != NULL || (push_table(p, fault) && plan_rw_mark(p, fault));
}

/* Always after the target has it, so that no sink is asked for a column that is not
 * there; its type is the one CREATE TABLE would have checked (verified 3). */
bool plan_rw_add_columns(struct planner *p, enum plan_wait wait, struct fault *fault)
{
    for (size_t i = 0; i < p->adds.n; i++) {
        const struct cdc_column *column = &p->d.cdc.v[p->adds.v[i]];
        struct stmt *s = stmt_new(p->arena, SQL_RISINGWAVE);

        stmt_text(s, "ALTER TABLE ");
        stmt_qualified(s, p->d.rw_schema, p->table_ident);
        stmt_text(s, " ADD COLUMN ");
        stmt_ident(s, column->name);
        stmt_text(s, " ");
        types_stmt_rw(s, column->type);
        if (!plan_rw_push(p,
                          (struct plan_step){.kind = PLAN_ADD_COLUMN,
                                             .stmt = s,
                                             .wait = i == 0 ? wait : WAIT_NONE,
                                             .sentence = "add a column to the CDC table"},
                          p->table_ident, fault)) {
            return false;
        }
    }
    return true;
}

bool plan_rw_drop_column(struct planner *p, const char *column, struct fault *fault)
{
    struct stmt *s = stmt_new(p->arena, SQL_RISINGWAVE);
    const struct ident *name = NULL;

    if (!ident_parse(p->arena, sv_from(column), SQL_RISINGWAVE, IDENT_COLUMN, &name,
                     fault)) {
        return false;
    }
    stmt_text(s, "ALTER TABLE ");
    stmt_qualified(s, p->d.rw_schema, p->table_ident);
    stmt_text(s, " DROP COLUMN ");
    stmt_ident(s, name);
    return plan_rw_push(p,
                        (struct plan_step){.kind = PLAN_DROP_COLUMN,
                                           .risk = RISK_DESTRUCTIVE,
                                           .stmt = s,
                                           .sentence =
                                               "drop a column that MySQL no longer has "
                                               "from the CDC table"},
                        p->table_ident, fault);
}
