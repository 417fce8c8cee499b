/*
 * Resources as the API server, or a file, gives them: any JSON or YAML as a TableSync and
 * as a DatabaseConnection, with whatever their status holds.
 */
#include "fuzz.h"

#include "base/json.h"
#include "base/yaml.h"
#include "model/spec.h"
#include "model/status.h"

#define INPUT_BYTES_MAX ((size_t)8192)

static void check_refused(const struct fault *fault)
{
    fuzz_require(fault->class == FAULT_SPEC && strcmp(fault->reason, "InvalidSpec") == 0,
                 "class %d, %s: %s", (int)fault->class, fault->reason, fault->text);
    fuzz_require(fault->text[0] != '\0' && fuzz_is_utf8(sv_from(fault->text)), "%s",
                 fault->text);
}

static void check_sync(const struct json *object, struct arena *arena)
{
    struct tablesync sync = {0}, known = {0};
    struct fault fault = FAULT_INIT;

    tablesync_decode_identity(object, arena, &known);
    fuzz_require(known.name != NULL && known.namespace != NULL && known.uid != NULL,
                 "no identity");
    if (!tablesync_decode(object, arena, &sync, &fault)) {
        check_refused(&fault);
        return;
    }
    fuzz_reached();
    fuzz_require(sync.source_table[0] != '\0' && sync.target_table[0] != '\0' &&
                     sync.source_connection[0] != '\0',
                 "a table has no name");
    fuzz_require(sync.backoff_base_ms > 0 && sync.backoff_max_ms >= sync.backoff_base_ms,
                 "%lld, %lld", (long long)sync.backoff_base_ms,
                 (long long)sync.backoff_max_ms);
    fuzz_require(sync.drift_interval_ms > 0, "%lld", (long long)sync.drift_interval_ms);
}

static void check_conn(const struct json *object, struct arena *arena)
{
    struct dbconn conn = {0};
    struct fault fault = FAULT_INIT;

    if (!dbconn_decode(object, arena, &conn, &fault)) {
        check_refused(&fault);
        return;
    }
    fuzz_reached();
    fuzz_require(conn.host[0] != '\0' && conn.port > 0 && conn.port < 65536, "%s:%lld",
                 conn.host, (long long)conn.port);
    fuzz_require(conn.server_id_low <= conn.server_id_high, "%lld-%lld",
                 (long long)conn.server_id_low, (long long)conn.server_id_high);
}

static struct json *sync_again(const struct json *status, struct arena *arena)
{
    struct json *written = json_new_object();
    struct tsync_status s = {0};

    tsync_status_read(status, arena, &s);
    tsync_status_write(&s, written);
    return written;
}

static struct json *conn_again(const struct json *status, struct arena *arena)
{
    struct json *written = json_new_object();
    struct dbconn_status s = {0};

    dbconn_status_read(status, arena, &s);
    dbconn_status_write(&s, written);
    return written;
}

/*
 * What we wrote is read the same, so that a second look writes nothing. What somebody
 * else wrote may become what we would have written: one pass for that.
 */
static void check_status(const struct json *status, struct arena *arena,
                         struct json *(*again)(const struct json *, struct arena *))
{
    AUTO(json_freep) struct json *ours = again(status, arena);
    AUTO(json_freep) struct json *first = again(ours, arena);
    AUTO(json_freep) struct json *second = again(first, arena);

    fuzz_require(json_equal(first, second), "a status changes by being read");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(json_freep) struct json *documents = NULL;
    struct sv text = {(const char *)data, size_bytes};
    struct fault fault = FAULT_INIT;

    if (size_bytes > INPUT_BYTES_MAX || !yaml_parse_all(text, &documents, &fault)) {
        return -1;
    }
    for (const struct json *o = json_first(documents); o != NULL; o = json_next(o)) {
        check_sync(o, arena);
        check_conn(o, arena);
        check_status(json_get(o, "status"), arena, sync_again);
        check_status(json_get(o, "status"), arena, conn_again);
    }
    return 0;
}
