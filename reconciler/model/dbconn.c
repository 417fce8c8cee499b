/* Decoding of DatabaseConnection, and the rules between its fields. */
#include "model/decode.h"
#include "model/spec.h"

#define KIND "DatabaseConnection"
#define SERVER_ID_MAX 4294967295 /* MySQL: server_id is 32 bits */

static const int64_t default_ports[DBCONN_TYPE_MAX] = {
    [DBCONN_MYSQL] = 3306,
    [DBCONN_RISINGWAVE] = 4566,
    [DBCONN_STARROCKS] = 9030,
};

static void decode_ids(const struct json *spec, struct dbconn *conn,
                       struct problems *problems)
{
    const char *range = json_path_string(spec, "mysql.serverIdRange");
    size_t count = 0;
    const struct field *fields = fields_dbconn(&count);
    const struct field *field = fields_find(fields, count, SV("mysql.serverIdRange"));
    if (range == NULL || !field->pattern(sv_from(range))) {
        range = field->fallback; /* what is wrong with it was said already */
    }
    struct sv rest = sv_from(range);
    int64_t low = 0;
    int64_t high = 0;
    must(sv_int64(sv_cut(&rest, '-'), &low) && sv_int64(rest, &high));
    if (low >= high || high > SERVER_ID_MAX) {
        problems_add(problems,
                     "spec.mysql.serverIdRange is \"%s\", must be a lower and a higher "
                     "number from 1 to 4294967295",
                     range);
        return;
    }
    conn->server_id_low = low;
    conn->server_id_high = high;
}

static void check_blocks(const struct json *spec, enum dbconn_type type,
                         struct problems *problems)
{
    static const struct {
        enum dbconn_type type;
        const char *key;
    } blocks[] = {
        {DBCONN_MYSQL, "mysql"},
        {DBCONN_RISINGWAVE, "risingWave"},
        {DBCONN_STARROCKS, "starRocks"},
    };
    for (size_t i = 0; i < COUNT_OF(blocks); i++) {
        const struct json *block = json_get(spec, blocks[i].key);
        if (type != blocks[i].type && json_kind(block) == JSON_OBJECT) {
            problems_add(problems, "spec.%s is only for type %s, this connection is %s",
                         blocks[i].key, dbconn_type_name(blocks[i].type),
                         dbconn_type_name(type));
        }
    }
}

static void check_database(struct dbconn *conn, struct problems *problems)
{
    bool given = conn->database != NULL && conn->database[0] != '\0';
    if (given && conn->type != DBCONN_RISINGWAVE) {
        problems_add(problems,
                     "spec.database is only for type RisingWave: a TableSync names the "
                     "databases of MySQL and StarRocks");
    }
    if (!given) {
        conn->database = conn->type == DBCONN_RISINGWAVE ? "dev" : "";
    }
}

/* What a mode makes no use of is refused: somebody who names certificates believes that
 * they are looked at. */
static void check_tls(const struct json *spec, const struct dbconn *conn,
                      struct problems *problems)
{
    const struct json *tls = json_get(spec, "tls");
    const struct json *mode = json_get(tls, "mode");
    const char *name = tls_mode_name(conn->tls_mode);
    bool given = mode != NULL && json_kind(mode) != JSON_NULL;
    if (given && !sv_eq(sv_from(json_string(mode)), sv_from(name))) {
        return; /* no mode at all, which was said already */
    }
    if (json_kind(json_get(tls, "caSecretRef")) == JSON_OBJECT &&
        conn->tls_mode != TLS_VERIFY_CA && conn->tls_mode != TLS_VERIFY_FULL) {
        problems_add(problems,
                     "spec.tls.caSecretRef is only for mode VerifyCA or VerifyFull: mode "
                     "%s checks no certificate, so it would have no effect",
                     name);
    }
    if (json_kind(json_get(tls, "clientCertSecretRef")) == JSON_OBJECT &&
        conn->tls_mode == TLS_DISABLE) {
        problems_add(problems, "spec.tls.clientCertSecretRef is not for mode Disable: "
                               "without encryption no certificate is shown");
    }
}

/* A schema of our own, so that a person sees at a glance what the controller made. */
static void check_schema(const struct dbconn *conn, struct problems *problems)
{
    struct sv schema = sv_from(conn->rw_schema);
    if (sv_starts(schema, SV("pg_")) || sv_starts(schema, SV("rw_")) ||
        sv_eq(schema, SV("information_schema")) || sv_eq(schema, SV("public"))) {
        problems_add(
            problems,
            "spec.risingWave.schema is \"%.*s\", must be a schema of its own (not "
            "public, information_schema, pg_... or rw_...)",
            SV_ARGS(schema));
    }
}

bool dbconn_decode(const struct json *object, struct arena *arena,
                   struct dbconn *out_conn, struct fault *fault)
{
    struct problems problems AUTO(problems_deinit) = {0};
    problems_init(&problems);
    const struct json *spec = json_get(object, "spec");
    struct dbconn conn = {
        .namespace = decode_metadata(object, "namespace", arena),
        .name = decode_metadata(object, "name", arena),
        .uid = decode_metadata(object, "uid", arena),
        .created = decode_metadata(object, "creationTimestamp", arena),
        .generation = json_path_int(object, "metadata.generation", 0),
        .deleting = json_path_string(object, "metadata.deletionTimestamp") != NULL,
    };
    decode_kind(object, KIND, &problems);
    if (conn.name[0] == '\0') {
        problems_add(&problems, "metadata.name is required");
    }
    size_t count = 0;
    const struct field *fields = fields_dbconn(&count);
    decode_fields(fields, count, spec, arena, &conn, &problems);
    if (conn.type != 0) {
        check_blocks(spec, conn.type, &problems);
        check_database(&conn, &problems);
        conn.port = conn.port == 0 ? default_ports[conn.type] : conn.port;
    }
    check_tls(spec, &conn, &problems);
    check_schema(&conn, &problems);
    decode_ids(spec, &conn, &problems);
    if (!problems_none(&problems, KIND, conn.namespace, conn.name, fault)) {
        return false;
    }
    *out_conn = conn;
    return true;
}
