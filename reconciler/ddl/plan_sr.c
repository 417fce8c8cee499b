/* Statements for StarRocks, in the shapes that FE 4.1 accepted (lifecycle.jsonl). */
#include "ddl/plan_parts.h"

#include <string.h>

#define COMMENT_BYTES_MAX ((size_t)1024) /* MySQL's own limit in characters */
#define REPLICAS_MAX 3                   /* StarRocks' default */

static bool push_database(struct planner *p, struct fault *fault)
{
    struct stmt *s = stmt_new(p->arena, SQL_STARROCKS);

    stmt_text(s, "CREATE DATABASE IF NOT EXISTS ");
    stmt_ident(s, p->d->target_database);
    return plan_push(
        p->plan, p->arena,
        (struct plan_step){
            .system = PLAN_STARROCKS,
            .kind = PLAN_CREATE_DATABASE,
            .risk = RISK_SAFE,
            .stmt = s,
            .object = arena_copy(p->arena, ident_name(p->d->target_database)),
            /* verified 25: creating it gives no rights in it */
            .sentence = "create the database (rights in it are granted apart)"},
        fault);
}

/* What StarRocks can store of a comment: up to the first NUL, whole characters. */
static struct sv usable_comment(const char *comment)
{
    struct sv text = sv_from(comment);

    text.n = sv_utf8_valid_bytes(text);
    return sv_utf8_prefix(text, COMMENT_BYTES_MAX);
}

static void column_definition(struct stmt *s, const struct planner *p, size_t index)
{
    struct column_map map = plan_column(p, index);
    struct sv comment = usable_comment(map.source->comment);

    stmt_ident(s, p->d->sr_columns.v[index]);
    stmt_text(s, " ");
    types_stmt_sr(s, &map.sr);
    /* Nothing upstream protects a NOT NULL column from NULLs (starrocks.md 2.6). */
    if (map.key) {
        stmt_text(s, " NOT NULL");
    } else {
        stmt_text(s, " NULL");
    }
    if (comment.n > 0) {
        stmt_text(s, " COMMENT ");
        stmt_str(s, comment);
    }
}

static void key_columns(struct stmt *s, const struct desired *d)
{
    stmt_text(s, " (");
    for (size_t i = 0; i < d->key_count; i++) {
        if (i > 0) {
            stmt_text(s, ", ");
        }
        stmt_ident(s, d->sr_columns.v[i]);
    }
    stmt_text(s, ")");
}

static void add_property(struct stmt *s, bool *first, struct sv key, struct sv value)
{
    if (*first) {
        stmt_text(s, " PROPERTIES (");
    } else {
        stmt_text(s, ", ");
    }
    *first = false;
    stmt_str(s, key);
    stmt_text(s, " = ");
    stmt_str(s, value);
}

/* replication_num above the live backends is refused by StarRocks (starrocks.md 1.8). */
static void properties(struct stmt *s, const struct planner *p)
{
    const struct tablesync *sync = p->d->in.sync;
    int64_t live = p->sr->live_backends;
    bool first = true, given = false;

    for (size_t i = 0; i < sync->properties.n; i++) {
        const struct property *property = &sync->properties.v[i];
        given = given || strcmp(property->key, "replication_num") == 0;
        add_property(s, &first, sv_from(property->key), sv_from(property->value));
    }
    if (!given && live > 0) {
        int64_t replicas = live < REPLICAS_MAX ? live : REPLICAS_MAX;
        char *value = arena_printf(p->arena, "%lld", (long long)replicas);
        add_property(s, &first, SV("replication_num"), sv_from(value));
    }
    if (!first) {
        stmt_text(s, ")");
    }
}

static bool push_target(struct planner *p, struct fault *fault)
{
    const struct desired *d = p->d;
    struct stmt *s = stmt_new(p->arena, SQL_STARROCKS);

    stmt_text(s, "CREATE TABLE ");
    stmt_qualified(s, d->target_database, d->target_table);
    stmt_text(s, " (");
    for (size_t i = 0; i < d->columns.n; i++) {
        if (i > 0) {
            stmt_text(s, ", ");
        }
        column_definition(s, p, i);
    }
    stmt_text(s, ") PRIMARY KEY");
    key_columns(s, d);
    stmt_text(s, " COMMENT ");
    stmt_str(s, sv_from(d->mark));
    /* Always written: without it 4.1 may distribute by range (starrocks.md 1.6). */
    stmt_text(s, " DISTRIBUTED BY HASH");
    key_columns(s, d);
    properties(s, p);
    return plan_push(
        p->plan, p->arena,
        (struct plan_step){.system = PLAN_STARROCKS,
                           .kind = PLAN_CREATE_TARGET,
                           .risk = RISK_SAFE,
                           .stmt = s,
                           .object =
                               plan_object(p->arena, d->target_database, d->target_table),
                           .sentence = "create the target table"},
        fault);
}

bool plan_sr_objects(struct planner *p, struct fault *fault)
{
    if (!p->sr->database_exists && !push_database(p, fault)) {
        return false;
    }
    return p->target != NULL || push_target(p, fault);
}
