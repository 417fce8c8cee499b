/* Status of TableSync: the one place that knows its wire names. */
#include "model/status.h"

#include "base/attr.h"
#include "model/status_json.h"

#include <inttypes.h>
#include <string.h>

static const char *const phases[PHASE_MAX] = {
#define PHASE(name, text, meaning) [PHASE_##name] = (text),
#include "model/phases.def"
#undef PHASE
};

static const int64_t lag_steps[] = {15, 30, 60, 120, 300, 600, 1800, 3600, 10800, 43200};

#define DAY_S ((int64_t)86400)

const char *phase_name(enum phase phase)
{
    bool known = (int)phase >= 0 && phase < PHASE_MAX && phases[phase] != NULL;
    return known ? phases[phase] : "";
}

enum phase phase_parse(const char *text)
{
    for (int i = 0; text != NULL && i < (int)PHASE_MAX; i++) {
        if (phases[i] != NULL && strcmp(phases[i], text) == 0) {
            return (enum phase)i;
        }
    }
    return PHASE_UNSET;
}

static void read_source(const struct json *json, struct arena *arena,
                        struct tsync_status *status)
{
    status->source.schema_hash = status_get(json, "schemaHash", STATUS_TOKEN_MAX, arena);
    status->source.columns = json_int(json_get(json, "columns"), 0);
    status->source.row_estimate = json_int(json_get(json, "rowEstimate"), -1);
    status->source.display = status_get(json, "display", STATUS_NAME_MAX, arena);
    status->source.table_created_at =
        status_get(json, "tableCreatedAt", STATUS_TOKEN_MAX, arena);
    status_get_list(json, "primaryKey", STATUS_KEY_MAX, STATUS_NAME_MAX, arena,
                    &status->source.primary_key);
    status_get_list(json, "keptColumns", STATUS_COLUMNS_MAX, STATUS_COLUMN_MAX, arena,
                    &status->source.kept_columns);
    status_get_list(json, "unloadedColumns", STATUS_COLUMNS_MAX, STATUS_COLUMN_MAX, arena,
                    &status->source.unloaded_columns);
}

static void read_objects(const struct json *array, struct arena *arena,
                         struct tsync_status *status)
{
    for (const struct json *node = json_first(array); node != NULL;
         node = json_next(node)) {
        struct status_object object = {
            .kind = status_get(node, "kind", STATUS_TOKEN_MAX, arena),
            .name = status_get(node, "name", STATUS_NAME_MAX, arena),
            .id = json_int(json_get(node, "id"), 0),
            .owned = json_bool(json_get(node, "owned"), false),
            .shared = json_bool(json_get(node, "shared"), false),
            .state = status_get(node, "state", STATUS_TOKEN_MAX, arena),
            .hash = status_get(node, "hash", STATUS_TOKEN_MAX, arena),
        };
        bool whole = object.kind != NULL && object.name != NULL;
        if (whole && status->objects.n < STATUS_OBJECTS_MAX) {
            VEC_PUSH(arena, &status->objects, object);
        }
    }
}

static void read_plan(const struct json *json, struct arena *arena,
                      struct tsync_status *status)
{
    status->plan.hash = status_get(json, "hash", STATUS_TOKEN_MAX, arena);
    status->plan.approved_hash =
        status_get(json, "approvedHash", STATUS_TOKEN_MAX, arena);
    status->plan.statements_total = json_int(json_get(json, "statementsTotal"), 0);
    const struct json *array = json_get(json, "statements");
    for (const struct json *node = json_first(array); node != NULL;
         node = json_next(node)) {
        struct status_statement statement = {
            .id = status_get(node, "id", STATUS_TOKEN_MAX, arena),
            .system = status_get(node, "system", STATUS_TOKEN_MAX, arena),
            .object = status_get(node, "object", STATUS_NAME_MAX, arena),
            .risk = status_get(node, "risk", STATUS_TOKEN_MAX, arena),
            .sql = status_get(node, "sql", STATUS_SQL_MAX, arena),
        };
        if (statement.id != NULL && status->plan.statements.n < STATUS_STATEMENTS_MAX) {
            VEC_PUSH(arena, &status->plan.statements, statement);
        }
    }
}

static void read_resync(const struct json *json, struct arena *arena,
                        struct tsync_status *status)
{
    status->resync.token = status_get(json, "token", STATUS_TOKEN_MAX, arena);
    status->resync.mode = status_get(json, "mode", STATUS_TOKEN_MAX, arena);
    status->resync.state = status_get(json, "state", STATUS_TOKEN_MAX, arena);
    status->resync.table_version = json_int(json_get(json, "tableVersion"), 0);
}

static void read_verification(const struct json *json, struct arena *arena,
                              struct tsync_status *status)
{
    status->verification.at = status_get(json, "at", STATUS_TOKEN_MAX, arena);
    status->verification.mode = status_get(json, "mode", STATUS_TOKEN_MAX, arena);
    status->verification.source_rows = json_int(json_get(json, "sourceRows"), -1);
    status->verification.target_rows = json_int(json_get(json, "targetRows"), -1);
    status->verification.result = status_get(json, "result", STATUS_TOKEN_MAX, arena);
    status->verification.message = status_get(json, "message", STATUS_SQL_MAX, arena);
    status->verification.next_at = status_get(json, "nextAt", STATUS_TOKEN_MAX, arena);
    status->verification.request = status_get(json, "request", STATUS_HANDLED_MAX, arena);
    status->verification.handled_request =
        status_get(json, "handledRequest", STATUS_HANDLED_MAX, arena);
}

static void read_progress(const struct json *json, struct arena *arena,
                          struct tsync_status *status)
{
    const struct json *part = json_get(json, "snapshot");
    status->snapshot.state = status_get(part, "state", STATUS_TOKEN_MAX, arena);
    status->snapshot.rows = json_int(json_get(part, "rows"), -1);
    status->snapshot.started_at = status_get(part, "startedAt", STATUS_TOKEN_MAX, arena);
    status->snapshot.finished_at =
        status_get(part, "finishedAt", STATUS_TOKEN_MAX, arena);
    part = json_get(json, "stream");
    status->stream.source_offset =
        status_get(part, "sourceOffset", STATUS_NAME_MAX, arena);
    status->stream.sink_lag_seconds = json_int(json_get(part, "sinkLagSeconds"), -1);
    status->stream.lag = status_get(part, "lag", STATUS_TOKEN_MAX, arena);
    status->stream.undelivered = json_int(json_get(part, "undelivered"), -1);
    read_verification(json_get(json, "verification"), arena, status);
    part = json_get(json, "lastRun");
    status->last_run.id = json_int(json_get(part, "id"), 0);
    status->last_run.run_id = status_get(part, "runId", STATUS_TOKEN_MAX, arena);
    status->last_run.trigger = status_get(part, "trigger", STATUS_TOKEN_MAX, arena);
    status->last_run.result = status_get(part, "result", STATUS_TOKEN_MAX, arena);
    status->last_run.steps = json_int(json_get(part, "steps"), 0);
    status->last_run.duration_ms = json_int(json_get(part, "durationMs"), 0);
}

void tsync_status_read(const struct json *json, struct arena *arena,
                       struct tsync_status *out_status)
{
    struct tsync_status status = {
        .observed_generation = json_int(json_get(json, "observedGeneration"), -1),
        .phase = phase_parse(json_get_string(json, "phase")),
        .plan_hash = status_get(json, "planHash", STATUS_TOKEN_MAX, arena),
        .applied_hash = status_get(json, "appliedHash", STATUS_TOKEN_MAX, arena),
        .target_display =
            status_get(json_get(json, "target"), "display", STATUS_NAME_MAX, arena),
        .retries = json_int(json_get(json, "retries"), 0),
        .next_retry_at = status_get(json, "nextRetryAt", STATUS_TOKEN_MAX, arena),
        .handled_retry = status_get(json, "handledRetry", STATUS_HANDLED_MAX, arena),
    };
    read_source(json_get(json, "source"), arena, &status);
    read_resync(json_get(json, "resync"), arena, &status);
    read_plan(json_get(json, "plan"), arena, &status);
    read_objects(json_get(json, "objects"), arena, &status);
    read_progress(json, arena, &status);
    *out_status = status;
}

static void write_source(const struct tsync_status *status, struct json *object)
{
    struct json *source = json_set_object(object, "source");
    status_put(source, "display", status->source.display, STATUS_NAME_MAX);
    status_put(source, "schemaHash", status->source.schema_hash, STATUS_TOKEN_MAX);
    status_put_count(source, "columns", status->source.columns);
    if (status->source.schema_hash != NULL) {
        status_put_known(source, "rowEstimate", status->source.row_estimate);
    }
    status_put(source, "tableCreatedAt", status->source.table_created_at,
               STATUS_TOKEN_MAX);
    status_put_list(source, "primaryKey", &status->source.primary_key, STATUS_KEY_MAX,
                    STATUS_NAME_MAX);
    status_put_list(source, "keptColumns", &status->source.kept_columns,
                    STATUS_COLUMNS_MAX, STATUS_COLUMN_MAX);
    status_put_list(source, "unloadedColumns", &status->source.unloaded_columns,
                    STATUS_COLUMNS_MAX, STATUS_COLUMN_MAX);
    status_drop_empty(object, "source");
    struct json *target = json_set_object(object, "target");
    status_put(target, "display", status->target_display, STATUS_NAME_MAX);
    status_drop_empty(object, "target");
}

static void write_resync(const struct tsync_status *status, struct json *object)
{
    /* Once more by itself: what to compare spec.resyncToken with. */
    status_put(object, "resyncTokenHandled", status->resync.token, STATUS_TOKEN_MAX);
    struct json *resync = json_set_object(object, "resync");
    status_put(resync, "token", status->resync.token, STATUS_TOKEN_MAX);
    status_put(resync, "mode", status->resync.mode, STATUS_TOKEN_MAX);
    status_put(resync, "state", status->resync.state, STATUS_TOKEN_MAX);
    status_put_count(resync, "tableVersion", status->resync.table_version);
    status_drop_empty(object, "resync");
}

static void write_plan(const struct tsync_status *status, struct json *object)
{
    struct json *plan = json_set_object(object, "plan");
    status_put(plan, "hash", status->plan.hash, STATUS_TOKEN_MAX);
    status_put(plan, "approvedHash", status->plan.approved_hash, STATUS_TOKEN_MAX);
    status_put_count(plan, "statementsTotal", status->plan.statements_total);
    struct json *statements = json_set_array(plan, "statements");
    for (size_t i = 0; i < status->plan.statements.n && i < STATUS_STATEMENTS_MAX; i++) {
        const struct status_statement *from = &status->plan.statements.v[i];
        struct json *to = json_push_object(statements);
        status_put(to, "id", from->id, STATUS_TOKEN_MAX);
        status_put(to, "system", from->system, STATUS_TOKEN_MAX);
        status_put(to, "object", from->object, STATUS_NAME_MAX);
        status_put(to, "risk", from->risk, STATUS_TOKEN_MAX);
        status_put_cut(to, "sql", from->sql, STATUS_SQL_MAX);
    }
    status_drop_empty(plan, "statements");
    status_drop_empty(object, "plan");
}

static void write_objects(const struct tsync_status *status, struct json *object)
{
    struct json *objects = json_set_array(object, "objects");
    for (size_t i = 0; i < status->objects.n && i < STATUS_OBJECTS_MAX; i++) {
        const struct status_object *from = &status->objects.v[i];
        struct json *to = json_push_object(objects);
        status_put(to, "kind", from->kind, STATUS_TOKEN_MAX);
        status_put(to, "name", from->name, STATUS_NAME_MAX);
        status_put_count(to, "id", from->id);
        if (from->owned) {
            json_set_bool(to, "owned", true);
        }
        if (from->shared) {
            json_set_bool(to, "shared", true);
        }
        status_put(to, "state", from->state, STATUS_TOKEN_MAX);
        status_put(to, "hash", from->hash, STATUS_TOKEN_MAX);
    }
    status_drop_empty(object, "objects");
}

static void write_verification(const struct tsync_status *status, struct json *object)
{
    struct json *part = json_set_object(object, "verification");
    status_put(part, "at", status->verification.at, STATUS_TOKEN_MAX);
    status_put(part, "mode", status->verification.mode, STATUS_TOKEN_MAX);
    if (status->verification.result != NULL) {
        status_put_known(part, "sourceRows", status->verification.source_rows);
        status_put_known(part, "targetRows", status->verification.target_rows);
    }
    status_put(part, "result", status->verification.result, STATUS_TOKEN_MAX);
    status_put_cut(part, "message", status->verification.message, STATUS_SQL_MAX);
    status_put(part, "nextAt", status->verification.next_at, STATUS_TOKEN_MAX);
    status_put(part, "request", status->verification.request, STATUS_HANDLED_MAX);
    status_put(part, "handledRequest", status->verification.handled_request,
               STATUS_HANDLED_MAX);
    status_drop_empty(object, "verification");
}

static void write_progress(const struct tsync_status *status, struct json *object)
{
    struct json *part = json_set_object(object, "snapshot");
    status_put(part, "state", status->snapshot.state, STATUS_TOKEN_MAX);
    if (status->snapshot.state != NULL) {
        status_put_known(part, "rows", status->snapshot.rows);
    }
    status_put(part, "startedAt", status->snapshot.started_at, STATUS_TOKEN_MAX);
    status_put(part, "finishedAt", status->snapshot.finished_at, STATUS_TOKEN_MAX);
    status_drop_empty(object, "snapshot");
    part = json_set_object(object, "stream");
    status_put(part, "sourceOffset", status->stream.source_offset, STATUS_NAME_MAX);
    status_put_known(part, "sinkLagSeconds", status->stream.sink_lag_seconds);
    status_put(part, "lag", status->stream.lag, STATUS_TOKEN_MAX);
    status_put_known(part, "undelivered", status->stream.undelivered);
    status_drop_empty(object, "stream");
    if (status->last_run.id > 0) {
        part = json_set_object(object, "lastRun");
        json_set_int(part, "id", status->last_run.id);
        status_put(part, "runId", status->last_run.run_id, STATUS_TOKEN_MAX);
        status_put(part, "trigger", status->last_run.trigger, STATUS_TOKEN_MAX);
        status_put(part, "result", status->last_run.result, STATUS_TOKEN_MAX);
        status_put_known(part, "steps", status->last_run.steps);
        status_put_known(part, "durationMs", status->last_run.duration_ms);
    }
}

void tsync_status_write(const struct tsync_status *status, struct json *object)
{
    json_set_int(object, "observedGeneration", status->observed_generation);
    status_put(object, "phase", phase_name(status->phase), STATUS_TOKEN_MAX);
    status_put(object, "planHash", status->plan_hash, STATUS_TOKEN_MAX);
    status_put(object, "appliedHash", status->applied_hash, STATUS_TOKEN_MAX);
    write_source(status, object);
    write_resync(status, object);
    write_plan(status, object);
    write_objects(status, object);
    write_progress(status, object);
    write_verification(status, object);
    status_put_count(object, "retries", status->retries);
    status_put(object, "nextRetryAt", status->next_retry_at, STATUS_TOKEN_MAX);
    status_put(object, "handledRetry", status->handled_retry, STATUS_HANDLED_MAX);
}

int64_t status_lag_step(int64_t lag_seconds)
{
    if (lag_seconds < 0) {
        return -1;
    }
    for (size_t i = 0; i < COUNT_OF(lag_steps); i++) {
        if (lag_seconds < lag_steps[i]) {
            return lag_steps[i];
        }
    }
    int64_t days = lag_seconds / DAY_S;
    return days >= INT64_MAX / DAY_S - 1 ? INT64_MAX / DAY_S * DAY_S : (days + 1) * DAY_S;
}

char *status_lag_text(struct arena *arena, int64_t step_seconds)
{
    if (step_seconds < 0) {
        return NULL;
    }
    if (step_seconds >= DAY_S) {
        return arena_printf(arena, "<%" PRId64 "d", step_seconds / DAY_S);
    }
    if (step_seconds >= 3600) {
        return arena_printf(arena, "<%" PRId64 "h", step_seconds / 3600);
    }
    if (step_seconds >= 60) {
        return arena_printf(arena, "<%" PRId64 "m", step_seconds / 60);
    }
    return arena_printf(arena, "<%" PRId64 "s", step_seconds);
}

int64_t status_round_up(int64_t value)
{
    int64_t power = 1;
    if (value <= 0) {
        return value < 0 ? -1 : 0;
    }
    while (power < value && power <= INT64_MAX / 10) {
        power *= 10;
    }
    return power;
}

int64_t status_round_rows(int64_t value)
{
    int64_t unit = 1;
    if (value < 0) {
        return -1;
    }
    while (value / unit >= 100) {
        unit *= 10;
    }
    int64_t rest = value % unit;
    int64_t down = value - rest;
    bool up = rest >= unit - rest && unit > 1 && down <= INT64_MAX - unit;
    return up ? down + unit : down;
}
