/* risingwave_facts: the second half of risingwave_rows.h, what runs rather than what is.
 */
#include "db/risingwave_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *first_string(const struct json *object, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        const char *text = json_get_string(object, *keys);
        if (text != NULL) {
            return text;
        }
    }
    return NULL;
}

/* {"sinkFail": {"sinkId": 94, "sinkName": "k", "connector": "starrocks", "error":
 * "..."}}: each kind of event has one key of its own and its own names below it. */
static struct rw_event read_event(const struct rows *events, size_t row,
                                  const struct peer *peer, struct arena *arena)
{
    static const char *const names[] = {"sinkName", "tableName", "name", NULL};
    static const char *const errors[] = {"error", "failInfo", NULL};
    static const char *const ids[] = {"sinkId", "tableId", "id"};
    struct json *root = NULL;
    struct fault ignored = FAULT_INIT;
    const char *info = rows_text(events, row, "info");
    struct rw_event event = {
        .type = arena_strdup(arena, rows_text(events, row, "event_type")),
        .at_ms = risingwave_rows_time_ms(rows_get(events, row, "timestamp")),
        .object = "",
        .error = "",
    };

    if (!json_parse(sv_from(info), DB_VALUE_MAX, &root, &ignored)) {
        return event;
    }
    const struct json *body = json_first(root);
    const char *name = first_string(body, names);
    const char *error = first_string(body, errors);
    for (size_t i = 0; i < COUNT_OF(ids) && event.object_id == 0; i++) {
        event.object_id = json_int(json_get(body, ids[i]), 0);
    }
    if (name != NULL) {
        event.object = arena_strdup(arena, name);
    }
    if (error != NULL) {
        event.error = peer_text(peer, sv_from(error), arena);
    }
    json_free(root);
    return event;
}

static int newest_first(const void *a, const void *b)
{
    const struct rw_event *left = a;
    const struct rw_event *right = b;

    return (left->at_ms < right->at_ms) - (left->at_ms > right->at_ms);
}

void risingwave_rows_events(const struct rows *events, const struct peer *peer,
                            struct arena *arena, struct rw_catalog *catalog)
{
    for (size_t i = 0; i < rows_count(events); i++) {
        VEC_PUSH(arena, &catalog->events, read_event(events, i, peer, arena));
    }
    if (catalog->events.n > 1) {
        qsort(catalog->events.v, catalog->events.n, sizeof(*catalog->events.v),
              newest_first);
    }
}

struct rw_snapshot risingwave_rows_snapshot(const struct rows *progress)
{
    struct rw_snapshot snapshot = {.present = rows_count(progress) > 0, .finished = true};

    for (size_t i = 0; i < rows_count(progress); i++) {
        snapshot.rows += rows_int(progress, i, "row_count", 0);
        snapshot.finished =
            snapshot.finished && rows_bool(progress, i, "backfill_finished");
    }
    snapshot.finished = snapshot.finished && snapshot.present;
    return snapshot;
}

/*
 * A log store's epoch as Unix ms: milliseconds since 2021-04-01 shifted by 16, stored
 * with its sign bit turned so that it orders as a signed number (verified 36).
 */
static int64_t epoch_ms(const char *text)
{
    int64_t epoch = 0;

    if (text == NULL || !sv_int64(sv_from(text), &epoch)) {
        return 0;
    }
    return (int64_t)(((uint64_t)epoch + (UINT64_C(1) << 63)) >> 16) +
           INT64_C(1617235200000);
}

struct rw_backlog risingwave_rows_backlog(const struct rows *backlog)
{
    if (rows_count(backlog) == 0) {
        return (struct rw_backlog){.undelivered = -1};
    }
    return (struct rw_backlog){
        .present = true,
        .undelivered = rows_int(backlog, 0, "undelivered", -1),
        .oldest_ms = epoch_ms(rows_get(backlog, 0, "oldest")),
        .now_ms = risingwave_rows_time_ms(rows_get(backlog, 0, "now")),
    };
}

/* {"sourceOffset": {"file": .., "pos": .., "gtids": .., "ts_sec": ..}}, a JSON text
 * inside the JSON. */
static struct rw_offset debezium_offset(const char *text, struct arena *arena)
{
    struct json *start = NULL;
    struct fault ignored = FAULT_INIT;
    struct rw_offset offset = {0};

    if (text == NULL || !json_parse(sv_from(text), DB_VALUE_MAX, &start, &ignored)) {
        return offset;
    }
    int64_t seconds = json_path_int(start, "sourceOffset.ts_sec", 0);
    offset.at.file = arena_strdup(arena, json_path_string(start, "sourceOffset.file"));
    offset.at.pos = json_path_int(start, "sourceOffset.pos", -1);
    offset.at.gtids = arena_strdup(arena, json_path_string(start, "sourceOffset.gtids"));
    if (offset.at.file != NULL && seconds > 0 && seconds <= INT64_MAX / 1000) {
        offset.event_ms = seconds * 1000;
    }
    json_free(start);
    return offset;
}

struct rw_offset risingwave_rows_offset(const struct rows *offsets, struct arena *arena)
{
    struct rw_offset offset = {0};

    for (size_t i = 0; i < rows_count(offsets) && offset.at.file == NULL; i++) {
        struct json *info = NULL;
        struct fault ignored = FAULT_INIT;
        if (!json_parse(sv_from(rows_get(offsets, i, "offset_info")), DB_VALUE_MAX, &info,
                        &ignored)) {
            continue;
        }
        offset = debezium_offset(
            json_path_string(info, "split_info.mysql_split.inner.start_offset"), arena);
        json_free(info);
    }
    return offset;
}

void risingwave_rows_log_columns(const struct rows *log, struct arena *arena,
                                 struct strlist *out_columns)
{
    for (size_t i = 0; i < log->columns.n; i++) {
        if (!sv_starts(sv_from(log->columns.v[i]), SV("kv_log_store_"))) {
            VEC_PUSH(arena, out_columns, arena_strdup(arena, log->columns.v[i]));
        }
    }
}

/* "+08:00" in ms; false when it is no such text. The empty one is UTC. */
static bool zone_ms(struct sv zone, int64_t *out_ms)
{
    struct sv rest = sv_sub(zone, 1, zone.n);
    int64_t hours = 0;
    int64_t minutes = 0;

    if (zone.n > 0 && (zone.n != 6 || !sv_int64(sv_cut(&rest, ':'), &hours) ||
                       !sv_int64(rest, &minutes) || hours < 0 || minutes < 0)) {
        return false;
    }
    int64_t ms = (hours * 60 + minutes) * 60000;
    *out_ms = zone.n > 0 && zone.p[0] == '-' ? -ms : ms;
    return true;
}

int64_t risingwave_rows_time_ms(const char *text)
{
    struct sv whole = sv_from(text);
    char utc[CLOCK_RFC3339_SIZE];
    size_t zone = 19;
    int64_t shift_ms = 0;

    if (whole.n < zone || whole.p[10] != ' ') {
        return 0;
    }
    while (zone < whole.n && whole.p[zone] != '+' && whole.p[zone] != '-') {
        zone++;
    }
    if (!zone_ms(sv_sub(whole, zone, whole.n), &shift_ms)) {
        return 0;
    }
    int n = snprintf(utc, sizeof(utc), "%.10sT%.*sZ", text, (int)(zone - 11), text + 11);
    int64_t wall_ms = n < (int)sizeof(utc) ? clock_parse_rfc3339(utc) : -1;
    return wall_ms < 0 ? 0 : wall_ms - shift_ms;
}
