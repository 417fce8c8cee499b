/*
 * Can RisingWave read on? When MySQL has deleted binary logs that a source had yet to
 * read, RisingWave retries for ever, and no catalog, no event and no job's status says so
 * (verified 1). Its saved position beside what MySQL still has does.
 *
 * Nothing that was loaded from such a source can be trusted any more, also once the
 * source reads again: each TableSync that reads it says so from then on (SourceReady is
 * its memory), until a re-sync has loaded its rows anew. So the source goes on only after
 * all of them have taken note.
 */
#include "loop/altered.h"
#include "loop/follows.h"
#include "loop/steps.h"
#include "loop/tags.h"
#include "loop/watch.h"

/* SQLSTATE of a name that does not exist (RisingWave 3.0.3 error/code.rs). */
#define NOT_FOUND "42704"
/*
 * A reader that is well saves where it is every minute, also when nothing changes (its
 * heartbeat). Lost for less than two of these and a half may be a position that it has
 * left behind since, or one from before a reset.
 */
#define LOST_SURE_MS INT64_C(150000)
#define LOOK_AGAIN_MS INT64_C(10000)
#define PURGED "BinlogPurged"

static const char *source_name(const struct attempt *a)
{
    return arena_printf(a->arena, "%.*s.%.*s", SV_ARGS(ident_name(a->desired.rw_schema)),
                        SV_ARGS(ident_name(a->desired.source_name)));
}

void position_source_shared(struct attempt *a)
{
    attempt_condition(a, CONDITION_SOURCE_READY, "Shared",
                      "source %s, shared by all tables of this database", source_name(a));
}

/* What SourceReady said when this was found before; NULL: it was not. */
static const char *verdict_before(const struct attempt *a)
{
    const struct kube_condition *before = kube_conditions_find(
        &a->conditions_before, condition_type(CONDITION_SOURCE_READY));

    return before != NULL && strcmp(before->reason, PURGED) == 0 ? before->message : NULL;
}

bool position_keeps(const struct attempt *a, enum condition condition,
                    const struct fault *fault)
{
    const struct kube_condition *now =
        kube_conditions_find(&a->conditions, condition_type(CONDITION_SOURCE_READY));

    return condition == CONDITION_SOURCE_READY && now != NULL &&
           strcmp(now->reason, PURGED) == 0 && strcmp(fault->reason, PURGED) != 0;
}

static bool in_progress(const struct attempt *a)
{
    return sv_eq(sv_from(a->status.resync.state), SV("InProgress"));
}

static bool is_token_open(const struct attempt *a)
{
    struct sv token = sv_from(a->sync.resync_token);

    return token.n > 0 && !sv_eq(token, sv_from(a->status.resync.token));
}

/* Whether rows were loaded that what is lost would have changed. */
static bool has_rows(const struct attempt *a)
{
    return !is_token_open(a) && watch_table(a) != NULL;
}

static bool read_offset(struct attempt *a, struct fault *fault)
{
    struct stream_db *db = a->bindings[BIND_RISINGWAVE].session.stream;
    const char *schema = a->bindings[BIND_RISINGWAVE].conn.rw_schema;
    const struct rw_source *source = rw_catalog_source(
        &a->rw->u.rw, schema, arena_copy(a->arena, ident_name(a->desired.source_name)));
    const char *internal =
        source == NULL ? NULL : rw_catalog_internal(&a->rw->u.rw, source->id, "_source_");

    if (internal != NULL && !db->ops->source_offset(db, schema, internal, &a->cancel,
                                                    a->arena, &a->offset, fault)) {
        if (strcmp(fault->code, NOT_FOUND) == 0) { /* the catalog is some seconds old */
            lane_forget(a->bindings[BIND_RISINGWAVE].lane);
            return fault_set(fault, FAULT_CONFLICT, NULL,
                             "read the source's position: the source went meanwhile");
        }
        return fault_wrap(fault, "read the source's position");
    }
    a->status.stream.source_offset = a->offset.at.file;
    return true;
}

static bool ask_source(struct attempt *a, struct binlog_answer *out_answer,
                       struct fault *fault)
{
    struct source_db *db = a->bindings[BIND_SOURCE].session.source;

    return a->offset.at.file == NULL ||
           db->ops->binlog_lost(db, &a->offset.at, &a->cancel, a->arena, out_answer,
                                fault) ||
           fault_wrap(fault, "read MySQL's binary logs");
}

/* Lost, for long enough to be sure or as was told before. *out_doubt: not long enough. */
static bool is_lost(struct attempt *a, const struct binlog_answer *answer,
                    bool *out_doubt)
{
    int64_t now_ms = clock_monotonic_ms(a->loop->ports.clock);

    if (!answer->lost || altered_was_reset(a)) {
        altered_not_lost(a);
        return false;
    }
    *out_doubt = verdict_before(a) == NULL && !a->preview &&
                 now_ms - altered_lost_since(a) < LOST_SURE_MS;
    return !*out_doubt;
}

/* Nothing of ours depends on what is lost; others may wait until this was noted. */
static void note_alone(struct attempt *a)
{
    if (a->offset_lost) {
        attempt_condition(a, CONDITION_SOURCE_READY, PURGED,
                          "source %s cannot read on from %s, which MySQL has deleted; it "
                          "goes on from where MySQL is before this table is loaded",
                          source_name(a), a->offset.at.file);
    } else if (verdict_before(a) != NULL && !is_token_open(a)) {
        position_source_shared(a);
    }
}

#define WAY_OUT                                                                          \
    "Set spec.resyncToken to a new value to load the table again (with resyncMode "      \
    "Truncate rows that were deleted meanwhile go, too), in each TableSync of MySQL "    \
    "database %s"

/* Always returns STEP_FAULT. */
static enum step_result tell(struct attempt *a, const struct binlog_answer *answer,
                             struct fault *fault)
{
    const char *has =
        answer->oldest == NULL
            ? "MySQL has purged transactions that come after that"
            : arena_printf(a->arena, "MySQL's oldest one is %s", answer->oldest);

    if (!a->offset_lost) { /* somebody let the source go on; the gap is still there */
        (void)fault_set(fault, FAULT_REFUSED, PURGED, "%s", verdict_before(a));
        return STEP_FAULT;
    }
    (void)fault_set(
        fault, FAULT_REFUSED, PURGED,
        "source %s has read MySQL's binary log up to %s, and %s: RisingWave "
        "cannot read on and says nothing, and changes made since are missing. " WAY_OUT,
        source_name(a), a->offset.at.file, has, a->sync.source_database);
    return STEP_FAULT;
}

enum step_result step_position(struct attempt *a, struct fault *fault)
{
    struct binlog_answer answer = {0};
    bool doubt = false;

    if (!read_offset(a, fault) || !ask_source(a, &answer, fault)) {
        return STEP_FAULT;
    }
    a->offset_lost = is_lost(a, &answer, &doubt);
    if (doubt && !has_rows(a)) { /* nothing may be built on it before it is known */
        a->requeue_ms = LOOK_AGAIN_MS;
        a->working = "looking once more whether MySQL still has what RisingWave has yet "
                     "to read";
        return STEP_REQUEUE;
    }
    if (doubt) {
        a->look_ms = LOOK_AGAIN_MS;
        return STEP_CONTINUE;
    }
    if (!has_rows(a)) {
        note_alone(a);
        return STEP_CONTINUE;
    }
    if (a->offset_lost || (verdict_before(a) != NULL && !in_progress(a))) {
        return tell(a, &answer, fault);
    }
    if (verdict_before(a) != NULL) { /* loaded anew: what is lost from now on is news */
        position_source_shared(a);
    }
    return STEP_CONTINUE;
}

/* --- letting the source go on --- */

static bool has_noted(const struct json *sync)
{
    const struct json *c = json_first(json_path(sync, "status.conditions"));

    for (; c != NULL; c = json_next(c)) {
        const char *type = json_get_string(c, "type");
        const char *reason = json_get_string(c, "reason");

        if (type != NULL && reason != NULL && strcmp(reason, PURGED) == 0 &&
            strcmp(type, condition_type(CONDITION_SOURCE_READY)) == 0) {
            return true;
        }
    }
    return false;
}

/* Other TableSyncs that read the source and have not said yet that their rows have a gap;
 * they are called. */
static struct strlist unaware(struct attempt *a)
{
    uint64_t tag = tags_connection(a->sync.namespace, a->sync.rw_connection);
    const char *source = source_name(a);
    struct strlist names = {0};
    size_t count = 0;
    const char **keys = kube_store_find(a->loop->syncs, tag, a->arena, &count);

    for (size_t i = 0; i < count; i++) {
        AUTO(kube_object_putp)
        struct kube_object *other = kube_store_get(a->loop->syncs, keys[i]);

        if (other == NULL || kube_deleting(other->json) ||
            sv_eq(sv_from(kube_uid(other->json)), sv_from(a->sync.uid)) ||
            !follows_source(other->json, source) || has_noted(other->json)) {
            continue;
        }
        VEC_PUSH(a->arena, &names,
                 (const char *)arena_strdup(a->arena, kube_name(other->json)));
        queue_add(a->loop->queue, arena_printf(a->arena, LOOP_KEY_SYNC "%s", keys[i]),
                  QUEUE_URGENT);
    }
    return names;
}

enum step_result position_prepare(struct attempt *a)
{
    struct strlist names = {0};

    if (!a->offset_lost) {
        return STEP_CONTINUE;
    }
    a->desired.in.resets_source = true;
    if (a->preview) {
        return STEP_CONTINUE;
    }
    names = unaware(a);
    if (names.n == 0) {
        return STEP_CONTINUE;
    }
    a->requeue_ms = LOOK_AGAIN_MS;
    a->working = arena_printf(
        a->arena,
        "source %s goes on once every TableSync that reads it has noted that changes are "
        "missing; not yet: %s (one that is left alone, or cannot be carried out, never "
        "does: let it go on, or delete it)",
        source_name(a), watch_names(&names, a->arena));
    return STEP_REQUEUE;
}

void position_look_again(struct attempt *a)
{
    if (a->desired.in.resets_source) {
        a->desired.in.resets_source = !altered_was_reset(a);
        position_source_shared(a); /* from here on what is lost is news */
    }
}
