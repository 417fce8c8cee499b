/* Statements for StarRocks, in the shapes that FE 4.1 accepted (lifecycle.jsonl). */
#include "ddl/plan_parts.h"

#include <string.h>

#define COMMENT_BYTES_MAX ((size_t)1024) /* MySQL's own limit in characters */
#define REPLICAS_MAX 3                   /* StarRocks' default */

static bool push_database(struct planner *p, struct fault *fault)
{
    struct stmt *s = stmt_new(p->arena, SQL_STARROCKS);

    stmt_text(s, "CREATE DATABASE IF NOT EXISTS ");
    stmt_ident(s, p->d.target_database);
    return plan_push(
        p->plan, p->arena,
        (struct plan_step){
            .system = PLAN_STARROCKS,
            .kind = PLAN_CREATE_DATABASE,
            .risk = RISK_SAFE,
            .stmt = s,
            .object = arena_copy(p->arena, ident_name(p->d.target_database)),
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

static void column_definition(struct stmt *s, const struct planner *p, size_t index,
                              const char *default_value)
{
    const struct column_map *map = &p->d.columns.v[index];
    struct sv comment =
        map->source == NULL ? SV_NULL : usable_comment(map->source->comment);

    stmt_ident(s, p->d.sr_columns.v[index]);
    stmt_text(s, " ");
    types_stmt_sr(s, &map->sr);
    /* Nothing upstream protects a NOT NULL column from NULLs (starrocks.md 2.6). */
    if (map->key) {
        stmt_text(s, " NOT NULL");
    } else {
        stmt_text(s, " NULL");
    }
    if (default_value != NULL) {
        stmt_text(s, " DEFAULT ");
        stmt_str(s, sv_from(default_value));
    }
    if (comment.n > 0) {
        stmt_text(s, " COMMENT ");
        stmt_str(s, comment);
    }
}

static void idents(struct stmt *s, const struct ident *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            stmt_text(s, ", ");
        }
        stmt_ident(s, names[i]);
    }
}

static const char *target_mark(const struct planner *p, bool adopted)
{
    return arena_printf(p->arena, "tablesync:v1 uid=%s hash=%s%s", p->d.in.sync->uid,
                        p->d.hash, adopted ? " adopted" : "");
}

static bool push(struct planner *p, struct plan_step step, struct fault *fault)
{
    step.system = PLAN_STARROCKS;
    step.risk = step.risk == 0 ? RISK_SAFE : step.risk;
    step.object = plan_object(p->arena, p->d.target_database, p->d.target_table);
    return plan_push(p->plan, p->arena, step, fault);
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
static void properties(struct stmt *s, const struct planner *p, bool replicas_too)
{
    const struct tablesync *sync = p->d.in.sync;
    int64_t live = p->sr->live_backends;
    bool first = true, given = false;

    for (size_t i = 0; i < sync->properties.n; i++) {
        const struct property *property = &sync->properties.v[i];
        given = given || strcmp(property->key, "replication_num") == 0;
        add_property(s, &first, sv_from(property->key), sv_from(property->value));
    }
    if (!given && live > 0 && replicas_too) {
        int64_t replicas = live < REPLICAS_MAX ? live : REPLICAS_MAX;
        char *value = arena_printf(p->arena, "%lld", (long long)replicas);
        add_property(s, &first, SV("replication_num"), sv_from(value));
    }
    if (!first) {
        stmt_text(s, ")");
    }
}

static struct stmt *target_statement(const struct planner *p, bool replicas_too)
{
    const struct desired *d = &p->d;
    struct stmt *s = stmt_new(p->arena, SQL_STARROCKS);

    stmt_text(s, "CREATE TABLE ");
    stmt_qualified(s, d->target_database, d->target_table);
    stmt_text(s, " (");
    for (size_t i = 0; i < d->columns.n; i++) {
        if (i > 0) {
            stmt_text(s, ", ");
        }
        column_definition(s, p, i, d->columns.v[i].default_value);
    }
    stmt_text(s, ") PRIMARY KEY (");
    idents(s, d->sr_columns.v, d->key_count);
    stmt_text(s, ")");
    stmt_text(s, " COMMENT ");
    stmt_str(s, sv_from(target_mark(p, false)));
    partition_write(s, &d->partition);
    /* Always written: without it 4.1 may distribute by range (starrocks.md 1.6). */
    stmt_text(s, " DISTRIBUTED BY HASH (");
    idents(s, d->distribution.v, d->distribution.n);
    stmt_text(s, ")");
    if (d->in.sync->buckets > 0) {
        stmt_text(s, " BUCKETS ");
        stmt_int(s, d->in.sync->buckets);
    }
    properties(s, p, replicas_too);
    return s;
}

/* An approval of the table holds whatever the number of backends turns out to be. */
static bool push_target(struct planner *p, struct fault *fault)
{
    struct plan_step same = {.system = PLAN_STARROCKS,
                             .kind = PLAN_CREATE_TARGET,
                             .stmt = target_statement(p, false)};

    return push(p,
                (struct plan_step){.kind = PLAN_CREATE_TARGET,
                                   .stmt = target_statement(p, true),
                                   .id = plan_step_id(&same, p->arena),
                                   .sentence = "create the target table"},
                fault);
}

/* The comment that a table of others has goes on standing in front of our mark. */
static bool push_mark(struct planner *p, struct fault *fault)
{
    struct stmt *s = stmt_new(p->arena, SQL_STARROCKS);
    struct sv comment = usable_comment(p->target->comment);
    struct mark old;
    struct sv before = comment;

    if (mark_parse(p->target->comment, &old)) {
        before.n = (size_t)(old.whole.p - comment.p);
    }
    before = sv_trim(before);
    stmt_text(s, "ALTER TABLE ");
    stmt_qualified(s, p->d.target_database, p->d.target_table);
    stmt_text(s, " COMMENT = ");
    stmt_str(s,
             sv_from(arena_printf(p->arena, "%.*s%s%s", SV_ARGS(before),
                                  before.n > 0 ? " " : "", target_mark(p, p->adopts))));
    return push(
        p,
        (struct plan_step){.kind = PLAN_COMMENT_TARGET,
                           .stmt = s,
                           .wait = p->target->altering ? WAIT_TARGET_ALTER : WAIT_NONE,
                           .sentence = "mark the target table as ours"},
        fault);
}

/* Asked for; but nobody asks for an empty table, which it is without a snapshot. */
static enum plan_risk clearing_risk(const struct planner *p)
{
    return p->d.in.sync->snapshot_mode == SNAPSHOT_NEVER ? RISK_DESTRUCTIVE : RISK_ASKED;
}

static bool push_truncate(struct planner *p, enum plan_wait wait, const char *wait_for,
                          struct fault *fault)
{
    struct stmt *s = stmt_new(p->arena, SQL_STARROCKS);
    bool altered = p->target->altering || p->target_adds.n > 0 || p->target_widens.n > 0;

    stmt_text(s, "TRUNCATE TABLE ");
    stmt_qualified(s, p->d.target_database, p->d.target_table);
    return push(p,
                (struct plan_step){
                    .kind = PLAN_TRUNCATE_TARGET,
                    .risk = clearing_risk(p),
                    .stmt = s,
                    .wait = wait == WAIT_NONE && altered ? WAIT_TARGET_ALTER : wait,
                    .wait_for = wait == WAIT_NONE ? NULL : wait_for,
                    .sentence = "empty the target table"},
                fault);
}

/* Without FORCE: StarRocks keeps the dropped table in its recycle bin for a while. */
static bool push_drop(struct planner *p, enum plan_wait wait, const char *wait_for,
                      struct fault *fault)
{
    struct stmt *s = stmt_new(p->arena, SQL_STARROCKS);

    stmt_text(s, "DROP TABLE IF EXISTS ");
    stmt_qualified(s, p->d.target_database, p->d.target_table);
    return push(
        p,
        (struct plan_step){.kind = PLAN_DROP_TARGET,
                           /* What was taken over is never lost unasked twice. */
                           .risk = p->adopts ? RISK_DESTRUCTIVE : clearing_risk(p),
                           .stmt = s,
                           .wait = wait,
                           .wait_for = wait_for,
                           .sentence = "drop the target table, with the grants "
                                       "on it, to create it anew"},
        fault);
}

/* One statement for all of them: a second one would have to wait for the first's job. */
static bool push_alter(struct planner *p, bool adds, const size_t *indexes, size_t count,
                       struct fault *fault)
{
    struct stmt *s = stmt_new(p->arena, SQL_STARROCKS);
    bool busy = p->target->altering || (!adds && p->target_adds.n > 0);

    stmt_text(s, "ALTER TABLE ");
    stmt_qualified(s, p->d.target_database, p->d.target_table);
    for (size_t i = 0; i < count; i++) {
        const struct sr_column *seen =
            adds ? NULL
                 : plan_sr_column(p->target, ident_name(p->d.sr_columns.v[indexes[i]]));

        if (i > 0) {
            stmt_text(s, ",");
        }
        if (adds) {
            stmt_text(s, " ADD COLUMN ");
        } else {
            stmt_text(s, " MODIFY COLUMN ");
        }
        /* MODIFY must repeat the default as it is; an added column gets none, because
         * the rows that are there get theirs from the sink (verified 31). */
        column_definition(s, p, indexes[i], seen == NULL ? NULL : seen->default_value);
    }
    return count == 0 || push(p,
                              (struct plan_step){
                                  .kind = PLAN_ALTER_TARGET,
                                  .stmt = s,
                                  .wait = busy ? WAIT_TARGET_ALTER : WAIT_NONE,
                                  .sentence = adds ? "add columns to the target table"
                                                   : "widen columns of the target table"},
                              fault);
}

static bool push_alters(struct planner *p, struct fault *fault)
{
    return push_alter(p, true, p->target_adds.v, p->target_adds.n, fault) &&
           push_alter(p, false, p->target_widens.v, p->target_widens.n, fault);
}

bool plan_sr_drop_columns(struct planner *p, struct fault *fault)
{
    struct stmt *s = stmt_new(p->arena, SQL_STARROCKS);

    stmt_text(s, "ALTER TABLE ");
    stmt_qualified(s, p->d.target_database, p->d.target_table);
    for (size_t i = 0; i < p->target_drops.n; i++) {
        const struct ident *name = NULL;

        if (!ident_parse(p->arena, sv_from(p->target_drops.v[i]), SQL_STARROCKS,
                         IDENT_COLUMN, &name, fault)) {
            return false;
        }
        if (i > 0) {
            stmt_text(s, ",");
        }
        stmt_text(s, " DROP COLUMN ");
        stmt_ident(s, name);
    }
    return p->target_drops.n == 0 ||
           push(p,
                (struct plan_step){.kind = PLAN_DROP_TARGET_COLUMN,
                                   .risk = RISK_DESTRUCTIVE,
                                   .stmt = s,
                                   .wait = WAIT_TARGET_ALTER,
                                   .sentence = "drop columns that MySQL no longer has, "
                                               "with their values, from the target"},
                fault);
}

bool plan_sr_clear(struct planner *p, enum plan_wait wait, const char *wait_for,
                   struct fault *fault)
{
    switch (p->fate) {
    case TARGET_TRUNCATE:
        return push_truncate(p, wait, wait_for, fault);
    case TARGET_RECREATE:
        return push_drop(p, wait, wait_for, fault) && push_target(p, fault);
    case TARGET_CREATE:
        return push_target(p, fault);
    case TARGET_KEEP:
    case TARGET_MARK:
        break;
    }
    return true;
}

bool plan_sr_objects(struct planner *p, struct fault *fault)
{
    if (!p->sr->database_exists && !push_database(p, fault)) {
        return false;
    }
    if (plan_clears_target(p)) { /* when the new CDC table is complete (plan_swap.c) */
        return p->fate != TARGET_TRUNCATE || push_alters(p, fault);
    }
    switch (p->fate) {
    case TARGET_CREATE:
    case TARGET_RECREATE:
        return plan_sr_clear(p, WAIT_NONE, NULL, fault);
    case TARGET_MARK:
        return push_mark(p, fault);
    case TARGET_TRUNCATE: /* marked last: what looks like ours is empty already */
        return push_truncate(p, WAIT_NONE, NULL, fault) && push_mark(p, fault);
    case TARGET_KEEP:
        break;
    }
    return push_alters(p, fault);
}

/*
 * Many statements are meant, made of keys that only the log store tells (ghosts.h). This
 * one is for people: it says what will be deleted, and is never sent. The log store of a
 * sink whose backfill still runs is not complete.
 */
bool plan_sr_ghosts(struct planner *p, const struct rw_sink *sink, bool first,
                    struct fault *fault)
{
    struct stmt *s = stmt_new(p->arena, SQL_STARROCKS);
    enum plan_wait wait = first ? WAIT_PAUSED : WAIT_NONE;
    const char *wait_for = first ? arena_copy(p->arena, ident_name(p->sink_ident)) : NULL;

    stmt_text(s, "DELETE FROM ");
    stmt_qualified(s, p->d.target_database, p->d.target_table);
    stmt_text(s, " WHERE (");
    for (size_t i = 0; i < p->d.key_count; i++) {
        if (i > 0) {
            stmt_text(s, ", ");
        }
        stmt_ident(s, p->d.sr_columns.v[i]);
    }
    stmt_text(s, ") IN (deletions that RisingWave sink ");
    stmt_str(s, sv_from(sink->name));
    stmt_text(s, " has not delivered)");
    return push(p,
                (struct plan_step){.kind = PLAN_DELETE_GHOSTS,
                                   .risk = RISK_SAFE,
                                   .stmt = s,
                                   .wait = sink->creating ? WAIT_BACKFILL : wait,
                                   .wait_for = sink->creating ? sink->name : wait_for,
                                   .ghosts_of = sink->name,
                                   .sentence = "delete rows whose deletion was not "
                                               "delivered"},
                fault);
}
