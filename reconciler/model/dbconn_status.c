/* Status of DatabaseConnection: the one place that knows its wire names. */
#include "model/status.h"
#include "model/status_json.h"

static void read_sources(const struct json *array, struct arena *arena,
                         struct dbconn_status *status)
{
    for (const struct json *node = json_first(array); node != NULL;
         node = json_next(node)) {
        struct dbconn_source source = {
            .database = status_get(node, "mysqlDatabase", STATUS_NAME_MAX, arena),
            .rw_source = status_get(node, "rwSource", STATUS_NAME_MAX, arena),
            .rw_connection = status_get(node, "rwConnection", STATUS_NAME_MAX, arena),
            .server_id = json_int(json_get(node, "serverId"), 0),
            .users = json_int(json_get(node, "users"), 0),
        };
        bool whole = source.rw_source != NULL && source.rw_connection != NULL;
        if (whole && status->sources.n < STATUS_SOURCES_MAX) {
            VEC_PUSH(arena, &status->sources, source);
        }
    }
}

void dbconn_status_read(const struct json *json, struct arena *arena,
                        struct dbconn_status *out_status)
{
    const struct json *can = json_get(json, "capabilities");
    const struct json *gtid = json_get(can, "gtid");
    struct dbconn_status status = {
        .observed_generation = json_int(json_get(json, "observedGeneration"), -1),
        .server_version = status_get(json, "serverVersion", STATUS_TOKEN_MAX, arena),
        .server_uuid = status_get(json, "serverUUID", STATUS_TOKEN_MAX, arena),
        .binlog_format = status_get(can, "binlogFormat", STATUS_TOKEN_MAX, arena),
        .row_image = status_get(can, "rowImage", STATUS_TOKEN_MAX, arena),
        .gtid = json_kind(gtid) == JSON_BOOL ? (json_bool(gtid, false) ? 1 : 0) : -1,
        .binlog_expire_seconds = json_int(json_get(can, "binlogExpireSeconds"), -1),
        .live_backends = json_int(json_get(can, "liveBackends"), -1),
        .license = status_get(can, "license", STATUS_TOKEN_MAX, arena),
        .actors = json_int(json_get(can, "actors"), -1),
        .parallelism = json_int(json_get(can, "parallelism"), -1),
        .in_use_by = json_int(json_get(json, "inUseBy"), 0),
    };
    status_get_list(can, "unavailableFeatures", STATUS_FEATURES_MAX, STATUS_TOKEN_MAX,
                    arena, &status.unavailable_features);
    status_get_list(json, "users", STATUS_USERS_MAX, STATUS_OBJECT_MAX, arena,
                    &status.users);
    read_sources(json_get(json, "sources"), arena, &status);
    *out_status = status;
}

static void write_sources(const struct dbconn_status *status, struct json *object)
{
    struct json *sources = json_set_array(object, "sources");
    for (size_t i = 0; i < status->sources.n && i < STATUS_SOURCES_MAX; i++) {
        const struct dbconn_source *from = &status->sources.v[i];
        struct json *to = json_push_object(sources);
        status_put(to, "mysqlDatabase", from->database, STATUS_NAME_MAX);
        status_put(to, "rwSource", from->rw_source, STATUS_NAME_MAX);
        status_put(to, "rwConnection", from->rw_connection, STATUS_NAME_MAX);
        status_put_count(to, "serverId", from->server_id);
        status_put_known(to, "users", from->users);
    }
    status_drop_empty(object, "sources");
}

/* Up and to two digits: the number moves with every job, and not each move is worth a
 * write. */
static int64_t round_actors(int64_t actors)
{
    int64_t unit = 1;
    while (actors / unit >= 100) {
        unit *= 10;
    }
    int64_t over = actors % unit;
    return over == 0 || actors > INT64_MAX - unit ? actors : actors - over + unit;
}

static void write_capabilities(const struct dbconn_status *status, struct json *can)
{
    status_put(can, "binlogFormat", status->binlog_format, STATUS_TOKEN_MAX);
    status_put(can, "rowImage", status->row_image, STATUS_TOKEN_MAX);
    if (status->gtid >= 0) {
        json_set_bool(can, "gtid", status->gtid != 0);
    }
    status_put_known(can, "binlogExpireSeconds", status->binlog_expire_seconds);
    status_put_known(can, "liveBackends", status->live_backends);
    status_put(can, "license", status->license, STATUS_TOKEN_MAX);
    status_put_list(can, "unavailableFeatures", &status->unavailable_features,
                    STATUS_FEATURES_MAX, STATUS_TOKEN_MAX);
    status_put_known(can, "actors", round_actors(status->actors));
    status_put_known(can, "parallelism", status->parallelism);
}

void dbconn_status_write(const struct dbconn_status *status, struct json *object)
{
    json_set_int(object, "observedGeneration", status->observed_generation);
    status_put(object, "serverVersion", status->server_version, STATUS_TOKEN_MAX);
    status_put(object, "serverUUID", status->server_uuid, STATUS_TOKEN_MAX);
    write_capabilities(status, json_set_object(object, "capabilities"));
    status_drop_empty(object, "capabilities");
    write_sources(status, object);
    status_put_known(object, "inUseBy", status->in_use_by);
    status_put_list(object, "users", &status->users, STATUS_USERS_MAX, STATUS_OBJECT_MAX);
}
