/* CREATE SINK and ALTER SINK. Checks and texts: contract risingwave.md 4.3 and 4.4. */
#include "ddl/types.h"
#include "fake_rw_job.h"

/* What the SELECT says of one column of the target. */
struct output {
    const char *name;  /* AS, or the column itself */
    const char *bare;  /* the column whose value it is, as it is; else NULL */
    enum rw_type type; /* of the value; RW_UNSET: an expression's */
};

struct reading {
    struct fake_rw_job *job;
    struct strlist reads;
    VEC(struct output) outputs;
};

static bool is_listed(const struct strlist *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->v[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static const struct rw_column *column_of(const struct fake_stream_object *table,
                                         const char *name)
{
    for (VEC_EACH(struct rw_column, c, &table->columns)) {
        if (strcmp(c->name, name) == 0) {
            return c;
        }
    }
    return NULL;
}

/* One item: an expression with balanced parentheses, perhaps AS "name". A bare column
 * and a bare column with a cast have a type that is known here. */
static void read_output(struct reading *r)
{
    struct sql *s = &r->job->sql;
    struct arena *arena = r->job->db->sim->arena;
    struct output out = {0};
    const char *first = NULL, *cast = NULL;
    size_t tokens = 0, depth = 0;

    while (!s->broken && s->token != SQL_END) {
        bool plain = s->token == SQL_WORD || s->token == SQL_MARK;

        if (depth == 0 && plain &&
            (strcmp(s->value, ",") == 0 || strcmp(s->value, "AS") == 0 ||
             strcmp(s->value, "FROM") == 0)) {
            break;
        }
        depth += plain && strcmp(s->value, "(") == 0;
        depth -= plain && strcmp(s->value, ")") == 0;
        if (s->token == SQL_NAME) {
            const char *name = arena_strdup(arena, s->value);
            first = tokens == 0 ? name : first;
            if (!is_listed(&r->reads, name)) {
                VEC_PUSH(arena, &r->reads, name);
            }
        }
        cast = tokens == 3 && s->token == SQL_WORD ? s->value : NULL;
        (void)sql_take_any(s);
        tokens++;
    }
    out.name = tokens == 1 ? first : NULL;
    if (sql_take(s, "AS")) {
        out.name = arena_strdup(arena, sql_want_name(s));
    }
    s->broken = s->broken || tokens == 0 || out.name == NULL;
    /* "c" : : TYPE */
    if (first != NULL && tokens == 4 && cast != NULL) {
        const char *shown = fake_rw_catalog_type(cast);
        out.type = shown == NULL ? RW_UNSET : rw_type_of_catalog(sv_from(shown));
    } else if (tokens == 1) {
        out.bare = first; /* its type is known when the table is */
    }
    VEC_PUSH(arena, &r->outputs, out);
}

static bool check_reads(struct fake_rw_job *j, struct reading *r,
                        const struct fake_stream_object *table)
{
    for (size_t i = 0; i < r->reads.n; i++) {
        if (column_of(table, r->reads.v[i]) == NULL) {
            return fake_rw_refuse(j, "XX000", "Item not found: Invalid column",
                                  r->reads.v[i]);
        }
    }
    return true;
}

static const struct sr_column *target_column(const struct sr_table *target,
                                             const char *name)
{
    for (VEC_EACH(struct sr_column, c, &target->columns)) {
        if (strcmp(c->name, name) == 0) {
            return c;
        }
    }
    return NULL;
}

/* Each column must be in the target, and of a type that the sink itself accepts. */
static bool check_outputs(struct fake_rw_job *j, const struct reading *r,
                          const struct sr_table *target)
{
    for (VEC_EACH(const struct output, out, &r->outputs)) {
        const struct sr_column *column = target_column(target, out->name);

        if (column == NULL) {
            return fake_rw_refuse(j, "XX000",
                                  "Column name don't find in starrocks, risingwave is",
                                  out->name);
        }
        const char *refusal =
            out->type == RW_UNSET
                ? NULL
                : types_sink_refusal(out->type, sv_from(column->type), NULL);
        if (refusal != NULL) {
            return fake_rw_refuse(
                j, "XX000", "Column type don't match, column name is",
                arena_printf(j->sql.arena, "\"%s\": %s", out->name, refusal));
        }
    }
    return r->outputs.n <= target->columns.n ||
           fake_rw_refuse(j, "XX000", "The columns of the sink must be equal to",
                          target->name);
}

/* "a,b": each must be a key column of the target. */
static bool check_key(struct fake_rw_job *j, const char *key,
                      const struct sr_table *target)
{
    struct sv rest = sv_from(key);

    while (rest.n > 0) {
        const char *name = arena_copy(j->sql.arena, sv_cut(&rest, ','));

        if (!is_listed(&target->primary_key, name)) {
            return fake_rw_refuse(j, "XX000", "Can't find pk", name);
        }
    }
    return key != NULL || fake_rw_refuse(j, "XX000", "no primary key", target->name);
}

/* The sink's target must be there and fit; checked against StarRocks itself. */
static bool check_target(struct fake_rw_job *j, const struct reading *r,
                         const struct sql_options *with)
{
    const char *host = sql_option(with, "starrocks.host");
    struct fake_sr *sr = host == NULL ? NULL : fake_db_sr(j->db, host);
    const struct fake_sr_table *target = NULL;

    if (sr == NULL || sr->down || sr->live_backends == 0 ||
        !fake_db_accepts(sr->password, sql_option(with, "starrocks.password"))) {
        (void)fault_set(j->fault, FAULT_UNAVAILABLE, "SinkRejected",
                        "Doris/Starrocks connect error: %s",
                        host == NULL ? "no host" : host);
        return fault_code(j->fault, "XX000");
    }
    target = fake_sr_find(sr, sql_option(with, "starrocks.database"),
                          sql_option(with, "starrocks.table"));
    if (target == NULL) {
        return fake_rw_refuse(j, "XX000", "Starrocks table not found",
                              sql_option(with, "starrocks.table"));
    }
    return check_key(j, sql_option(with, "primary_key"), &target->table) &&
           check_outputs(j, r, &target->table);
}

static void fill_sink(struct fake_rw_job *j, struct fake_stream_object *o,
                      const struct reading *r, const struct sql_options *with)
{
    struct arena *arena = j->db->sim->arena;
    const struct fake_stream_object *table = fake_rw_by_id(j->rw, o->uses);

    o->target_host = arena_strdup(arena, sql_option(with, "starrocks.host"));
    o->mysql_port = arena_strdup(arena, sql_option(with, "starrocks.mysqlport"));
    o->http_port = arena_strdup(arena, sql_option(with, "starrocks.httpport"));
    o->user = arena_strdup(arena, sql_option(with, "starrocks.user"));
    o->target_database = arena_strdup(arena, sql_option(with, "starrocks.database"));
    o->target_table = arena_strdup(arena, sql_option(with, "starrocks.table"));
    o->primary_key = arena_strdup(arena, sql_option(with, "primary_key"));
    o->interval = arena_strdup(arena, sql_option(with, "commit_checkpoint_interval"));
    o->password = arena_strdup(arena, sql_option(with, "starrocks.password"));
    o->reads = r->reads;
    for (VEC_EACH(const struct output, out, &r->outputs)) {
        VEC_PUSH(arena, &o->writes, out->name);
    }
    fake_rows_copy(&o->backfill, &table->data, arena);
    o->pending = o->backfill.count;
    o->made_ms = j->db->sim->clock.now_ms;
    o->built_ms = o->made_ms + j->db->build_ms;
}

static void know_types(struct reading *r, const struct fake_stream_object *table)
{
    for (VEC_EACH(struct output, out, &r->outputs)) {
        const struct rw_column *column =
            out->bare == NULL ? NULL : column_of(table, out->bare);

        if (column != NULL) {
            out->type = rw_type_of_catalog(sv_from(column->type));
        }
    }
}

bool fake_rw_create_sink(struct fake_rw_job *j)
{
    const char *schema = NULL, *from = NULL;
    struct sql_options with = {0};
    struct reading r = {.job = j};

    if (!fake_rw_new_name(j)) {
        return false;
    }
    sql_want(&j->sql, "AS SELECT");
    do {
        read_output(&r);
    } while (!j->sql.broken && sql_take(&j->sql, ","));
    sql_want(&j->sql, "FROM");
    sql_qualified(&j->sql, &schema, &from);
    sql_want(&j->sql, "WITH");
    sql_options(&j->sql, &with);
    if (!fake_rw_understood(j)) {
        return false;
    }
    if (!j->step->background) {
        sim_violation(j->db->sim, "sink %s would block until its backfill is done",
                      j->name);
    }
    struct fake_stream_object *table = fake_rw_find(j->rw, schema, from);
    if (table == NULL || table->kind != FAKE_TABLE) {
        return fake_rw_refuse(j, "42704", "table or source not found", from);
    }
    know_types(&r, table);
    if (!check_reads(j, &r, table) || !check_target(j, &r, &with)) {
        return false;
    }
    fill_sink(j, fake_rw_add(j->db, j->rw, FAKE_SINK, j->schema, j->name, table->id), &r,
              &with);
    return true;
}

bool fake_rw_alter_sink(struct fake_rw_job *j)
{
    struct fake_stream_object *o = NULL;
    struct sql_options with = {0};
    const char *limit = NULL;

    sql_qualified(&j->sql, &j->schema, &j->name);
    if (sql_take(&j->sql, "SET")) {
        sql_want(&j->sql, "sink_rate_limit TO");
        limit = sql_take_any(&j->sql);
        j->sql.broken =
            j->sql.broken || (strcmp(limit, "0") != 0 && strcmp(limit, "DEFAULT") != 0);
    } else {
        sql_want(&j->sql, "CONNECTOR WITH");
        sql_options(&j->sql, &with);
    }
    if (!fake_rw_understood(j)) {
        return false;
    }
    o = fake_rw_find(j->rw, j->schema, j->name);
    if (o == NULL || o->kind != FAKE_SINK) {
        return fake_rw_refuse(j, "42704", "sink not found", j->name);
    }
    if (limit != NULL) {
        o->rate_limit = strcmp(limit, "0") == 0 ? 0 : -1;
    } else {
        o->interval = arena_strdup(j->db->sim->arena,
                                   sql_option(&with, "commit_checkpoint_interval"));
    }
    return true;
}
