#include "loop/watch.h"

#define NAMES_MAX 8
#define MORE_ROWS_LEAST 1000
#define MORE_PERCENT 1
/* RENAME TABLE of two tables takes a moment, and CREATE_TIME is in seconds. */
#define RENAME_S 2
/* Rows that are looked at for values the stream did not load. */
#define UNLOADED_ROWS_MAX 200000

enum watch_rows watch_rows_compare(int64_t source_rows, int64_t stream_rows, bool whole)
{
    int64_t more = source_rows - stream_rows;

    if (more < 0) {
        return WATCH_ROWS_FEWER;
    }
    /* A running stream is always a little behind. */
    return whole && more > MORE_ROWS_LEAST && more > stream_rows / 100 * MORE_PERCENT
               ? WATCH_ROWS_MORE
               : WATCH_ROWS_AGREE;
}

static bool keeps_create_time(const struct mysql_server *server)
{
    struct sv version = sv_from(server->version);
    int64_t major = 0;

    return server->flavor == MYSQL_ORACLE && sv_int64(sv_cut(&version, '.'), &major) &&
           major >= 8;
}

/* "2026-11-23 07:55:52" in seconds, -1 when it is something else. Only for differences:
 * the session's zone is left out. */
static int64_t seconds_of(const char *created_at)
{
    struct sv text = sv_from(created_at);
    char rfc[CLOCK_RFC3339_SIZE] = "";
    int64_t ms = -1;

    if (text.n == strlen("2026-11-23 07:55:52")) {
        memcpy(rfc, text.p, text.n);
        rfc[strlen("2026-11-23")] = 'T';
        rfc[text.n] = 'Z';
        ms = clock_parse_rfc3339(rfc);
    }
    return ms < 0 ? -1 : ms / 1000;
}

static bool in_one_moment(const char *a, const char *b)
{
    int64_t first_s = seconds_of(a), second_s = seconds_of(b);

    return first_s >= 0 && second_s >= 0 && first_s - second_s <= RENAME_S &&
           second_s - first_s <= RENAME_S;
}

static bool lists(const struct strlist *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++) {
        if (sv_eq_nocase(sv_from(names->v[i]), sv_from(name))) {
            return true;
        }
    }
    return false;
}

static bool has_columns_of(const struct mysql_table *table, const struct rw_table *stream,
                           const struct strlist *kept)
{
    for (size_t i = 0; i < stream->columns.n; i++) {
        const char *name = stream->columns.v[i].name;
        bool found = lists(kept, name);

        for (size_t k = 0; !found && k < table->columns.n; k++) {
            found = sv_eq_nocase(sv_from(table->columns.v[k].name), sv_from(name));
        }
        if (!found) {
            return false;
        }
    }
    return stream->columns.n > 0;
}

const struct mysql_table *watch_swapped(const struct mysql_server *server,
                                        const struct mysql_table *table,
                                        const char *remembered,
                                        const struct mysql_tables *siblings,
                                        const struct rw_table *stream,
                                        const struct strlist *kept)
{
    bool keeps = keeps_create_time(server);

    for (size_t i = 0; i < siblings->tables.n; i++) {
        const struct mysql_table *sibling = &siblings->tables.v[i];
        bool in_time = false;

        if (sibling->created_at == NULL || strcmp(sibling->name, table->name) == 0) {
            continue;
        }
        in_time = keeps ? strcmp(sibling->created_at, remembered) == 0
                        : in_one_moment(sibling->created_at, table->created_at);
        if (in_time && has_columns_of(sibling, stream, kept)) {
            return sibling;
        }
    }
    return NULL;
}

const char *watch_loss_text(const struct column_map *map, int64_t rows,
                            struct arena *arena)
{
    const char *what = "does not fit";
    const char *then = "is delivered as NULL";

    switch (map->loss) {
    case LOSS_TIME_RANGE:
        what = "lies outside 00:00:00 to 23:59:59";
        break;
    case LOSS_DIGITS:
        what = "has more than 28 digits";
        break;
    case LOSS_ZERO_DATE:
        what = "holds a zero date";
        break;
    case LOSS_LENGTH:
        what =
            arena_printf(arena, "is longer than %lld bytes", (long long)map->loss_limit);
        then = "stops the sink";
        break;
    case LOSS_BOOLEAN:
        what = "holds a number other than 0 and 1";
        then = "does not arrive as it is";
        break;
    case LOSS_NONE:
    case LOSS_KIND_MAX:
        break;
    }
    return arena_printf(arena, "in %lld row%s '%s' (%s) %s and %s", (long long)rows,
                        rows == 1 ? "" : "s", map->source->name, map->source->column_type,
                        what, then);
}

static bool resyncs(const struct attempt *a)
{
    return sv_eq(sv_from(a->status.resync.state), SV("InProgress"));
}

const struct rw_table *watch_table(const struct attempt *a)
{
    struct sv first = ident_name(a->desired.table_name);
    const struct rw_table *newest = NULL;
    int64_t newest_version = 0;

    for (size_t i = 0; i < a->rw->u.rw.tables.n; i++) {
        const struct rw_table *table = &a->rw->u.rw.tables.v[i];
        int64_t version = name_table_version_of(first, sv_from(table->name));

        if (version > newest_version) {
            newest = table;
            newest_version = version;
        }
    }
    return resyncs(a) && newest_version < a->status.resync.table_version ? NULL : newest;
}

bool watch_table_is_new(const struct attempt *a, const struct rw_table *table)
{
    const char *name = arena_printf(
        a->arena, "%.*s.%s", SV_ARGS(ident_name(a->desired.rw_schema)), table->name);

    for (size_t i = 0; i < a->before.objects.n; i++) {
        const struct status_object *o = &a->before.objects.v[i];

        if (strcmp(o->kind, "Table") == 0 && strcmp(o->name, name) == 0) {
            return o->id != table->id;
        }
    }
    return true;
}

const char *watch_names(const struct strlist *names, struct arena *arena)
{
    const char *text = "";

    for (size_t i = 0; i < names->n && i < NAMES_MAX; i++) {
        const char *joint = i + 1 == names->n ? " and " : ", ";

        text = arena_printf(arena, "%s%s'%s'", text, i == 0 ? "" : joint, names->v[i]);
    }
    return names->n <= NAMES_MAX
               ? text
               : arena_printf(arena, "%s and %zu more", text, names->n - NAMES_MAX);
}

bool watch_reconnect(struct attempt *a, const struct fault *broken, struct fault *fault)
{
    struct binding *source = &a->bindings[BIND_SOURCE];

    if (broken->class != FAULT_UNAVAILABLE && broken->class != FAULT_BUG) {
        return true;
    }
    session_close(&source->session, broken);
    return session_open(source->lane, &source->endpoint, a->key, &a->cancel,
                        &source->session, fault)
               ? true
               : fault_wrap(fault, "connection '%s' (spec.source)", source->conn.name);
}

/* --- columns that were added after the snapshot --- */

static void tell_changes(struct attempt *a)
{
    const struct strlist *changes = &a->plan.changes;
    const char *text = "";

    for (size_t i = 0; i < changes->n && i < NAMES_MAX; i++) {
        text = arena_printf(a->arena, "%s%s%s", text, i == 0 ? "" : "; ", changes->v[i]);
    }
    if (changes->n > 0) {
        attempt_condition(a, CONDITION_SCHEMA_IN_SYNC, "UpstreamChanged",
                          "MySQL table %s.%s changed, and the change is being carried "
                          "through: %s%s",
                          a->sync.source_database, a->sync.source_table, text,
                          changes->n > NAMES_MAX ? "; and more" : "");
    }
}

void watch_unloaded(struct attempt *a)
{
    struct strlist all = {0};

    tell_changes(a);
    for (size_t i = 0; i < a->status.source.unloaded_columns.n; i++) {
        VEC_PUSH(a->arena, &all, a->status.source.unloaded_columns.v[i]);
    }
    for (size_t i = 0; i < a->plan.unloaded.n; i++) {
        if (!lists(&all, a->plan.unloaded.v[i])) {
            /* A plan's strings live no longer than the catalog it was made from. */
            VEC_PUSH(a->arena, &all, arena_strdup(a->arena, a->plan.unloaded.v[i]));
        }
    }
    a->status.source.unloaded_columns = all;
}

static bool in_stream(const struct rw_table *stream, const char *column)
{
    for (size_t i = 0; i < stream->columns.n; i++) {
        if (sv_eq_nocase(sv_from(stream->columns.v[i].name), sv_from(column))) {
            return true;
        }
    }
    return false;
}

/* A question that could not be answered leaves all names: a gap is told once too often
 * rather than not at all. */
static bool keep_filled(struct attempt *a, struct strlist *names, struct fault *fault)
{
    struct source_db *db = a->bindings[BIND_SOURCE].session.source;
    struct loss_check *checks =
        arena_alloc_array(a->arena, names->n, sizeof(struct loss_check));
    int64_t *counts = arena_alloc_array(a->arena, names->n, sizeof(int64_t));
    struct strlist filled = {0};
    struct fault refused = FAULT_INIT;
    bool complete = false;

    for (size_t i = 0; i < names->n; i++) {
        checks[i] = (struct loss_check){.column = names->v[i], .kind = LOSS_NONE};
    }
    if (!db->ops->count_losses(db, checks, names->n, a->sync.source_database,
                               a->sync.source_table, UNLOADED_ROWS_MAX, &a->cancel,
                               a->arena, counts, &complete, &refused)) {
        if (refused.class == FAULT_CANCELLED) {
            *fault = refused;
            return false;
        }
        return watch_reconnect(a, &refused, fault);
    }
    for (size_t i = 0; i < names->n; i++) {
        if (counts[i] != 0 || !complete) {
            VEC_PUSH(a->arena, &filled, names->v[i]);
        }
    }
    *names = filled;
    return true;
}

static const char *unloaded_text(struct attempt *a, const struct strlist *names)
{
    return arena_printf(a->arena,
                        "rows loaded before column%s %s %s added hold NULL there until "
                        "they change; set spec.resyncToken to a new value to load all "
                        "rows once more",
                        names->n == 1 ? "" : "s", watch_names(names, a->arena),
                        names->n == 1 ? "was" : "were");
}

const char *watch_unloaded_text(struct attempt *a)
{
    return unloaded_text(a, &a->status.source.unloaded_columns);
}

static bool was_told(struct attempt *a, const struct strlist *names)
{
    const struct kube_condition *before = kube_conditions_find(
        &a->conditions_before, condition_type(CONDITION_SCHEMA_IN_SYNC));

    return before != NULL && strcmp(before->reason, "UnloadedColumns") == 0 &&
           sv_eq(sv_from(before->message), sv_from(unloaded_text(a, names)));
}

/* Names that the CDC table received after its first rows, or is about to. */
static struct strlist added_later(struct attempt *a)
{
    const struct rw_table *stream = watch_table(a);
    struct strlist names = {0};

    for (size_t i = 0; i < a->status.source.unloaded_columns.n; i++) {
        const char *name = a->status.source.unloaded_columns.v[i];
        /* A re-sync has yet to make its table: until then nothing has changed. */
        bool added = stream == NULL ||
                     (!watch_table_is_new(a, stream) && in_stream(stream, name) &&
                      mysql_table_find(a->table, name) != NULL);

        if (added || lists(&a->plan.unloaded, name)) {
            VEC_PUSH(a->arena, &names, name);
        }
    }
    return names;
}

bool watch_loaded(struct attempt *a, struct fault *fault)
{
    struct strlist names = added_later(a);

    if (names.n > 0 && a->plan.unloaded.n == 0 && !was_told(a, &names)) {
        if (!keep_filled(a, &names, fault)) {
            return false;
        }
        if (names.n > 0 && !was_told(a, &names)) {
            attempt_event(a, true, "ColumnNotLoaded", "Reconcile",
                          unloaded_text(a, &names));
        }
    }
    a->status.source.unloaded_columns = names;
    return true;
}
