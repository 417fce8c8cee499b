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

/* "1795406461.123" or "1795406461": seconds to ms; 0 for anything else. */
static int64_t seconds_ms(const char *text)
{
    struct sv rest = sv_from(text);
    int64_t seconds = 0;
    int64_t ms = 0;
    int64_t unit = 100;

    if (!sv_int64(sv_cut(&rest, '.'), &seconds) || seconds < 0 ||
        seconds > INT64_MAX / 1000 - 1) {
        return 0;
    }
    for (size_t i = 0; i < rest.n && rest.p[i] >= '0' && rest.p[i] <= '9' && unit > 0;
         i++) {
        ms += (rest.p[i] - '0') * unit;
        unit /= 10;
    }
    return seconds * 1000 + ms;
}

struct rw_backlog risingwave_rows_backlog(const struct rows *backlog)
{
    if (rows_count(backlog) == 0) {
        return (struct rw_backlog){.undelivered = -1};
    }
    return (struct rw_backlog){
        .present = true,
        .undelivered = rows_int(backlog, 0, "undelivered", -1),
        .oldest_ms = seconds_ms(rows_get(backlog, 0, "oldest")),
        .now_ms = seconds_ms(rows_get(backlog, 0, "now")),
    };
}

const char *risingwave_rows_offset(const struct rows *offsets, struct arena *arena)
{
    const char *file = NULL;

    for (size_t i = 0; i < rows_count(offsets) && file == NULL; i++) {
        struct json *info = NULL;
        struct json *start = NULL;
        struct fault ignored = FAULT_INIT;
        if (!json_parse(sv_from(rows_get(offsets, i, "offset_info")), DB_VALUE_MAX, &info,
                        &ignored)) {
            continue;
        }
        /* Debezium's position is a JSON text inside the JSON (verified 1). */
        const char *text =
            json_path_string(info, "split_info.mysql_split.inner.start_offset");
        if (text != NULL && json_parse(sv_from(text), DB_VALUE_MAX, &start, &ignored)) {
            file = arena_strdup(arena, json_path_string(start, "sourceOffset.file"));
            json_free(start);
        }
        json_free(info);
    }
    return file;
}

int64_t risingwave_rows_time_ms(const char *text)
{
    struct sv whole = sv_from(text);
    char utc[CLOCK_RFC3339_SIZE];
    size_t zone = 0;
    int hours = 0;
    int minutes = 0;

    if (whole.n < 19 || whole.p[10] != ' ') {
        return 0;
    }
    zone = 19;
    while (zone < whole.n && strchr("+-", whole.p[zone]) == NULL) {
        zone++;
    }
    struct sv offset = sv_sub(whole, zone, whole.n);
    if (offset.n > 0 &&
        (offset.n < 6 || sscanf(offset.p + 1, "%2d:%2d", &hours, &minutes) != 2)) {
        return 0;
    }
    int n = snprintf(utc, sizeof(utc), "%.10sT%.*sZ", text, (int)(zone - 11), text + 11);
    int64_t wall_ms = n < (int)sizeof(utc) ? clock_parse_rfc3339(utc) : -1;
    int64_t shift_ms = ((int64_t)hours * 60 + minutes) * 60000;
    if (wall_ms < 0) {
        return 0;
    }
    return offset.n > 0 && offset.p[0] == '-' ? wall_ms + shift_ms : wall_ms - shift_ms;
}
