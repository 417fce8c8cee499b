/* Is MySQL's table still the one whose rows RisingWave loaded? See watch.h. */
#include "loop/altered.h"
#include "loop/seen.h"
#include "loop/steps.h"
#include "loop/watch.h"

/* SQLSTATE of a name that does not exist (RisingWave 3.0.3 error/code.rs). */
#define NOT_FOUND "42704"

/* A token that was not taken yet, or a load that is under way: its rows will be those of
 * the table as it is now. */
static bool loads_anew(const struct attempt *a)
{
    struct sv token = sv_from(a->sync.resync_token);

    return sv_eq(sv_from(a->status.resync.state), SV("InProgress")) ||
           (token.n > 0 && !sv_eq(token, sv_from(a->status.resync.token)));
}

static bool is_token_open(const struct attempt *a)
{
    return loads_anew(a) && !sv_eq(sv_from(a->status.resync.state), SV("InProgress"));
}

/* Whether all rows of the table were loaded once, into this very CDC table. */
static bool was_loaded(const struct attempt *a, const struct rw_table *stream)
{
    const char *state = a->before.snapshot.state;

    return stream != NULL && !watch_table_is_new(a, stream) &&
           (sv_eq(sv_from(state), SV("Done")) || sv_eq(sv_from(state), SV("Skipped")));
}

static void remember(struct attempt *a)
{
    a->status.source.table_created_at = a->table->created_at;
    (void)seen_gap_ms(a->loop->seen, a->key, 0, 0, 0);
}

/* What SchemaInSync said when this was found before; NULL: it was not. */
static const char *verdict_before(const struct attempt *a)
{
    const struct kube_condition *before = kube_conditions_find(
        &a->conditions_before, condition_type(CONDITION_SCHEMA_IN_SYNC));

    return before != NULL && strcmp(before->reason, "TableReplaced") == 0
               ? before->message
               : NULL;
}

/* *out_rows -1: the server took too long. */
static bool count_source(struct attempt *a, int64_t rows_max, int64_t *out_rows,
                         struct fault *fault)
{
    struct source_db *db = a->bindings[BIND_SOURCE].session.source;

    return db->ops->count_rows(db, a->sync.source_database, a->sync.source_table,
                               rows_max, &a->cancel, out_rows, fault)
               ? true
               : fault_wrap(fault, "count the rows of MySQL table %s.%s",
                            a->sync.source_database, a->sync.source_table);
}

static bool count_stream(struct attempt *a, const struct rw_table *stream,
                         int64_t *out_rows, struct fault *fault)
{
    struct binding *rw = &a->bindings[BIND_RISINGWAVE];
    struct stream_db *db = rw->session.stream;

    if (db->ops->count_rows(db, rw->conn.rw_schema, stream->name, WATCH_ROWS_MAX,
                            &a->cancel, out_rows, fault)) {
        return true;
    }
    if (strcmp(fault->code, NOT_FOUND) == 0) { /* the catalog may be some seconds old */
        lane_forget(rw->lane);
        return fault_set(fault, FAULT_CONFLICT, NULL, "CDC table %s went meanwhile",
                         stream->name);
    }
    return fault_wrap(fault, "count the rows of CDC table %s", stream->name);
}

static const char *rows_text(struct attempt *a, int64_t rows)
{
    return arena_printf(a->arena, "%s%lld row%s",
                        rows >= WATCH_ROWS_MAX ? "at least " : "", (long long)rows,
                        rows == 1 ? "" : "s");
}

#define WAY_OUT                                                                          \
    "RisingWave notices neither TRUNCATE nor an exchange of tables and keeps the old "   \
    "rows; set spec.resyncToken to a new value to load the table as it is now "          \
    "(resyncMode Truncate also removes the rows that MySQL no longer has)"

static bool check_exchanged(struct attempt *a, const struct rw_table *stream,
                            struct fault *fault)
{
    struct source_db *db = a->bindings[BIND_SOURCE].session.source;
    struct mysql_tables siblings = {0};
    const struct mysql_table *old = NULL;

    if (!db->ops->list_like(db, a->sync.source_database, a->sync.source_table, &a->cancel,
                            a->arena, &siblings, fault)) {
        return fault_wrap(fault, "list the tables of MySQL database %s",
                          a->sync.source_database);
    }
    old = watch_swapped(&a->mysql->u.mysql, a->table, a->before.source.table_created_at,
                        &siblings, stream, &a->before.source.kept_columns);
    if (old == NULL) {
        return true;
    }
    return fault_set(
        fault, FAULT_REFUSED, "TableReplaced",
        "MySQL table %s.%s was exchanged: '%s' looks like the table that was replicated "
        "until then. " WAY_OUT ". If '%s' is nothing but a copy, set the annotation "
        "tablesync.dev/retry=now and the numbers of rows decide",
        a->sync.source_database, a->sync.source_table, old->name, old->name);
}

static bool replaced(struct attempt *a, int64_t source_rows, int64_t stream_rows,
                     struct fault *fault)
{
    return fault_set(
        fault, FAULT_REFUSED, "TableReplaced",
        "MySQL table %s.%s was truncated or replaced: it holds %s, RisingWave's copy of "
        "it %s. " WAY_OUT,
        a->sync.source_database, a->sync.source_table, rows_text(a, source_rows),
        rows_text(a, stream_rows));
}

/*
 * *out_doubt: the numbers differ and it is too early to tell whether changes on their way
 * explain it. A fault once they do not, from then on until the numbers agree.
 */
static bool judge(struct attempt *a, int64_t source_rows, int64_t stream_rows,
                  bool *out_doubt, struct fault *fault)
{
    bool whole = sv_eq(sv_from(a->before.snapshot.state), SV("Done"));
    enum watch_rows rows = watch_rows_compare(source_rows, stream_rows, whole);
    int64_t enough_ms = stream_rows >= WATCH_ROWS_MAX ? WATCH_CAPPED_MS : WATCH_APART_MS;
    int64_t lasted_ms = 0, gap = 0;
    enum metric verdict = METRIC_NONE;

    /* A sink with work to do tells of a stream that is catching up. */
    if (rows == WATCH_ROWS_FEWER ||
        (rows == WATCH_ROWS_MORE && a->before.stream.undelivered <= 0)) {
        gap = source_rows - stream_rows;
    }
    if (altered_is_recent(a)) {
        gap = 0; /* its changes are minutes late, all of them */
    }
    lasted_ms = seen_gap_ms(a->loop->seen, a->key, gap, stream_rows,
                            clock_monotonic_ms(a->loop->ports.clock));
    *out_doubt = rows != WATCH_ROWS_AGREE && lasted_ms != SEEN_GAP_EXPLAINED;
    verdict = !*out_doubt ? METRIC_ROWS_AGREE : METRIC_ROWS_WAITING;
    if (*out_doubt && (verdict_before(a) != NULL || lasted_ms >= enough_ms)) {
        verdict = METRIC_ROWS_DIFFER;
    }
    metrics_add(a->loop->metrics, verdict, 1);
    if (verdict == METRIC_ROWS_DIFFER) {
        return replaced(a, source_rows, stream_rows, fault);
    }
    return true;
}

static void accept(struct attempt *a, const char *how)
{
    remember(a);
    if (!a->preview) {
        attempt_audit_log(a, "info",
                          "MySQL table %s.%s was rebuilt (ALTER, OPTIMIZE) or refilled "
                          "and is taken for the one that was loaded: %s",
                          a->sync.source_database, a->sync.source_table, how);
    }
}

/* Another CREATE_TIME, or found replaced before: do both sides hold the same rows? */
static bool compare(struct attempt *a, const struct rw_table *stream, bool *out_doubt,
                    struct fault *fault)
{
    int64_t source_rows = -1, stream_rows = -1;

    if (!count_source(a, WATCH_ROWS_MAX, &source_rows, fault)) {
        return false;
    }
    if (source_rows < 0 && verdict_before(a) != NULL) {
        return fault_set(fault, FAULT_REFUSED, "TableReplaced", "%s", verdict_before(a));
    }
    if (source_rows < 0) {
        accept(a, "its rows could not be counted in time, and were not compared with "
                  "RisingWave's");
        return true;
    }
    if (!count_stream(a, stream, &stream_rows, fault) ||
        !judge(a, source_rows, stream_rows, out_doubt, fault)) {
        return false;
    }
    if (!*out_doubt) {
        accept(a, arena_printf(a->arena, "it holds %s, RisingWave's copy %s",
                               rows_text(a, source_rows), rows_text(a, stream_rows)));
    }
    return true;
}

/* TRUNCATE does not renew CREATE_TIME everywhere (MariaDB 10.11 keeps it). */
static bool check_emptied(struct attempt *a, const struct rw_table *stream,
                          bool *out_doubt, struct fault *fault)
{
    int64_t source_rows = -1, stream_rows = 0;

    if (!count_source(a, 1, &source_rows, fault)) {
        return false;
    }
    if (source_rows != 0) {
        (void)seen_gap_ms(a->loop->seen, a->key, 0, 0, 0);
        return true;
    }
    return count_stream(a, stream, &stream_rows, fault) &&
           judge(a, 0, stream_rows, out_doubt, fault);
}

static bool check(struct attempt *a, const struct rw_table *stream, bool *out_doubt,
                  struct fault *fault)
{
    const char *remembered = a->before.source.table_created_at;
    bool rebuilt = remembered != NULL && a->table->created_at != NULL &&
                   strcmp(remembered, a->table->created_at) != 0;
    bool asked = strcmp(a->trigger, "Manual") == 0;
    /* TRUNCATE resets it, also where it keeps CREATE_TIME. -1 is beyond all others. */
    int64_t counter = a->table->auto_increment < 0 ? INT64_MAX : a->table->auto_increment;
    bool reset = seen_fell(a->loop->seen, a->key, counter);

    if (remembered == NULL) {
        a->status.source.table_created_at = a->table->created_at;
    }
    /* Told of a sibling, somebody looked at it and says that it is none. */
    if (rebuilt && !(asked && verdict_before(a) != NULL) &&
        !check_exchanged(a, stream, fault)) {
        return false;
    }
    return rebuilt || reset || verdict_before(a) != NULL
               ? compare(a, stream, out_doubt, fault)
               : check_emptied(a, stream, out_doubt, fault);
}

/* Since the last look, or it was found to and nothing was built on it yet. */
static bool definition_changed(const struct attempt *a)
{
    const struct kube_condition *before = kube_conditions_find(
        &a->conditions_before, condition_type(CONDITION_SCHEMA_IN_SYNC));

    return !sv_eq(sv_from(a->before.source.schema_hash),
                  sv_from(a->status.source.schema_hash)) ||
           (before != NULL && strcmp(before->reason, "UpstreamChanged") == 0);
}

enum step_result step_identity(struct attempt *a, struct fault *fault)
{
    const struct rw_table *stream = watch_table(a);
    bool doubt = false;

    if (stream == NULL || watch_table_is_new(a, stream) || is_token_open(a)) {
        remember(a);
        return STEP_CONTINUE;
    }
    if (loads_anew(a) || !was_loaded(a, stream)) {
        return STEP_CONTINUE;
    }
    if (!check(a, stream, &doubt, fault)) {
        return STEP_FAULT;
    }
    if (!doubt) {
        return STEP_CONTINUE;
    }
    a->calm_look_ms = WATCH_APART_MS / SEEN_GAP_LOOKS;
    if (definition_changed(a)) {
        a->requeue_ms = a->calm_look_ms;
        a->working = "comparing the rows of the changed MySQL table with RisingWave's "
                     "once more, before anything is built on the change";
        attempt_condition(a, CONDITION_SCHEMA_IN_SYNC, "UpstreamChanged",
                          "the definition of MySQL table %s.%s changed and its rows "
                          "differ from RisingWave's: %s",
                          a->sync.source_database, a->sync.source_table, a->working);
        return STEP_REQUEUE;
    }
    return STEP_CONTINUE;
}
