#include "base/buf.h"
#include "db/classify.h"
#include "db/classify_rules.h"
#include "unit.h"

struct quoted {
    enum db_engine engine;
    const char *code, *text;
    enum fault_class class;
    const char *reason; /* NULL: the class's default */
    bool broken;
};

#define CHAIN                                                                            \
    "Failed to run the query\n\nCaused by these errors (recent errors listed first):\n"
#define ONE_CAUSE "Failed to run the query\n\nCaused by:\n  "
#define META(call)                                                                       \
    "  1: gRPC request to meta service (call `/ddl_service.DdlService/" call             \
    "`) failed: Internal error\n"
#define VALIDATION                                                                       \
    CHAIN META("CreateSource") "  2: failed to create source worker\n"                   \
                               "  3: failed to create SplitEnumerator\n"                 \
                               "  4: source cannot pass validation\n"
#define SINK CHAIN META("CreateSink") "  2: failed to validate sink\n"
#define LIBPQ "connection to server at \"127.0.0.1\", port 4566 failed: "

/* Texts as the contract and the transcripts quote them. */
static const struct quoted quotes[] = {
    /* Connector/C */
    {DB_MYSQL, "2005", "Unknown server host 'db'", FAULT_UNAVAILABLE, "UnknownHost",
     true},
    {DB_MYSQL, "2002", "Can't connect to server on '127.0.0.1' (111)", FAULT_UNAVAILABLE,
     "Unreachable", true},
    {DB_MYSQL, "2004", "Can't create TCP/IP socket (24)", FAULT_UNAVAILABLE,
     "Unreachable", true},
    {DB_STARROCKS, "2002", "Can't connect to server on '10.0.0.9' (110)",
     FAULT_UNAVAILABLE, "Timeout", true},
    {DB_STARROCKS, "2006", "Server has gone away", FAULT_UNAVAILABLE, "Unreachable",
     true},
    {DB_MYSQL, "4031", "The client was disconnected by the server because of inactivity.",
     FAULT_UNAVAILABLE, "Unreachable", true},
    {DB_STARROCKS, "2013", "Lost connection to server during query", FAULT_UNAVAILABLE,
     "Unreachable", true},
    {DB_STARROCKS, "2026", "TLS/SSL error: wrong version number", FAULT_UNAVAILABLE,
     "TLSFailed", true},
    {DB_STARROCKS, "2026", "TLS/SSL error: self-signed certificate", FAULT_UNAVAILABLE,
     "TLSUntrusted", true},
    {DB_MYSQL, "2026", "TLS/SSL error: self signed certificate in certificate chain",
     FAULT_UNAVAILABLE, "TLSUntrusted", true},
    {DB_MYSQL, "2026",
     "certificate verify failed: unable to get local issuer certificate",
     FAULT_UNAVAILABLE, "TLSUntrusted", true},
    {DB_MYSQL, "2026", "TLS/SSL error: certificate has expired", FAULT_UNAVAILABLE,
     "TLSExpired", true},
    {DB_MYSQL, "2026", "certificate verify failed: certificate is not yet valid",
     FAULT_UNAVAILABLE, "TLSExpired", true},
    {DB_MYSQL, "2026", "TLS/SSL error: Validation of SSL server certificate failed",
     FAULT_UNAVAILABLE, "TLSHostMismatch", true},
    {DB_STARROCKS, "2026",
     "TLS/SSL error: SSL is required, but the server does not support it",
     FAULT_UNAVAILABLE, "TLSNotOffered", true},
    {DB_MYSQL, "2013",
     "Lost connection to server at 'reading authorization packet', system error: 0: "
     "sslv3 alert certificate expired",
     FAULT_UNAVAILABLE, "TLSClientRefused", true},
    {DB_STARROCKS, "2013",
     "Lost connection to server at 'reading authorization packet', system error: 0: "
     "tlsv13 alert certificate required",
     FAULT_UNAVAILABLE, "TLSClientRefused", true},
    {DB_RISINGWAVE, "", LIBPQ "SSL error: ssl/tls alert bad certificate",
     FAULT_UNAVAILABLE, "TLSClientRefused", true},
    {DB_RISINGWAVE, "", LIBPQ "SSL error: tlsv1 alert unknown ca", FAULT_UNAVAILABLE,
     "TLSClientRefused", true},
    {DB_RISINGWAVE, "", LIBPQ "SSL error: sslv3 alert handshake failure",
     FAULT_UNAVAILABLE, "TLSFailed", true},
    {DB_RISINGWAVE, "", LIBPQ "server does not support SSL, but SSL was required",
     FAULT_UNAVAILABLE, "TLSNotOffered", true},
    {DB_RISINGWAVE, "",
     LIBPQ "server certificate for \"elsewhere.example\" (and 1 other name) does not "
           "match host name \"127.0.0.1\"",
     FAULT_UNAVAILABLE, "TLSHostMismatch", true},
    {DB_RISINGWAVE, "",
     LIBPQ "could not read root certificate file \"/x\": no certificate",
     FAULT_UNAVAILABLE, "TLSMaterialInvalid", true},
    /* RisingWave quotes what MySQL's driver said: that is not our TLS. */
    {DB_RISINGWAVE, "XX000",
     VALIDATION "  5: Internal error: certificate verify failed\n", FAULT_REFUSED,
     "SourceFailed", false},
    {DB_MYSQL, "2059", "Authentication plugin 'dialog' cannot be loaded", FAULT_DENIED,
     "AuthFailed", true},
    {DB_MYSQL, "2061",
     "Authentication plugin 'caching_sha2_password' reported error: Authentication "
     "requires "
     "secure connection.",
     FAULT_DENIED, "AuthFailed", true},
    {DB_MYSQL, "5010", "Plugin mysql_clear_password is not allowed", FAULT_DENIED,
     "AuthFailed", true},
    {DB_MYSQL, "2027", "Received malformed packet", FAULT_UNAVAILABLE, "Unreachable",
     true},
    {DB_STARROCKS, "2027", "Received malformed packet", FAULT_REFUSED, NULL, false},
    /* MySQL */
    {DB_MYSQL, "1045", "Access denied for user 'cdc'@'10.0.0.1' (using password: YES)",
     FAULT_DENIED, "AuthFailed", false},
    {DB_MYSQL, "1045", "Access denied for user 'cdc'@'10.0.0.1' (using password: NO)",
     FAULT_DENIED, "AuthFailed", false},
    {DB_MYSQL, "1130", "Host '10.0.0.1' is not allowed to connect to this MySQL server",
     FAULT_DENIED, "NotPermitted", true},
    {DB_MYSQL, "1142", "SELECT command denied to user 'cdc'@'%' for table 'orders'",
     FAULT_DENIED, "MissingGrant", false},
    {DB_MYSQL, "1227",
     "Access denied; you need (at least one of) the REPLICATION SLAVE "
     "privilege(s) for this operation",
     FAULT_DENIED, "MissingGrant", false},
    {DB_MYSQL, "1040", "Too many connections", FAULT_UNAVAILABLE, "TooManyConnections",
     true},
    {DB_MYSQL, "3159",
     "Connections using insecure transport are prohibited while "
     "--require_secure_transport=ON.",
     FAULT_UNAVAILABLE, "TLSFailed", true},
    {DB_MYSQL, "1064", "You have an error in your SQL syntax", FAULT_REFUSED, NULL,
     false},
    /* StarRocks */
    {DB_STARROCKS, "1045", "Access denied for user 'nobody' (using password: YES)",
     FAULT_DENIED, "AuthFailed", false},
    {DB_STARROCKS, "5203",
     "Access denied; you need (at least one of) the CREATE TABLE privilege(s) on "
     "DATABASE d3 "
     "for this operation. Please ask the admin to grant permission(s)",
     FAULT_DENIED, "NotPermitted", false},
    {DB_STARROCKS, "5205", "Connections using insecure transport are prohibited",
     FAULT_UNAVAILABLE, "TLSFailed", true},
    {DB_STARROCKS, "5501", "Unknown database 'nosuch'", FAULT_REFUSED, "DatabaseMissing",
     false},
    {DB_STARROCKS, "1050",
     "Getting analyzing error. Detail message: Table 'orders' already exists.",
     FAULT_REFUSED, "AlreadyExists", false},
    {DB_STARROCKS, "1007", "Can't create database 'ods'; database exists", FAULT_REFUSED,
     "AlreadyExists", false},
    {DB_STARROCKS, "1005", "Can't create table 't' (errno: table already exists)",
     FAULT_REFUSED, "AlreadyExists", false},
    {DB_STARROCKS, "1203",
     "User ctl already has more than 'max_user_connections' active connections",
     FAULT_UNAVAILABLE, "TooManyConnections", true},
    {DB_STARROCKS, "5024", "Query reached its timeout of 300 seconds", FAULT_UNAVAILABLE,
     "Timeout", false},
    {DB_STARROCKS, "1064",
     "Backend node not found. Check if any backend node is down.backend: [127.0.0.10 "
     "alive: "
     "false inBlacklist: false] ",
     FAULT_UNAVAILABLE, "NoBackends", false},
    {DB_STARROCKS, "1064",
     "Getting analyzing error. Detail message: Table replication num should be less than "
     "of "
     "equal to the number of available BE nodes. You can change this default by setting "
     "the "
     "replication_num table properties. Current alive backend is []..",
     FAULT_UNAVAILABLE, "NoBackends", false},
    {DB_STARROCKS, "1064",
     "Table replication num should be less than or equal to the number of available "
     "backends. You can change this default by setting the replication_num table "
     "properties. "
     "Current available backends: [], table=bedown2, replication_num=3",
     FAULT_UNAVAILABLE, "NoBackends", false},
    {DB_STARROCKS, "1064",
     "Getting analyzing error. Detail message: Table replication num should be less than "
     "of "
     "equal to the number of available BE nodes. You can change this default by setting "
     "the "
     "replication_num table properties. Current alive backend is [10001]..",
     FAULT_REFUSED, "ReplicationImpossible", false},
    {DB_STARROCKS, "1064", "Table creation timed out. unfinished replicas(1/3): ...",
     FAULT_UNAVAILABLE, "Timeout", false},
    {DB_STARROCKS, "1064",
     "A schema change operation is in progress on the table orders. Please wait until "
     "the "
     "current operation completes.",
     FAULT_UNAVAILABLE, "AlterInProgress", false},
    {DB_STARROCKS, "1064",
     "Getting analyzing error. Detail message: primary key column[id] type not "
     "supported: "
     "decimal(20, 0).",
     FAULT_REFUSED, "TableFailed", false},
    /* RisingWave */
    {DB_RISINGWAVE, "42710",
     CHAIN "  1: Catalog error\n  2: source with name src_store_1a2b3c4d exists",
     FAULT_REFUSED, "AlreadyExists", false},
    {DB_RISINGWAVE, "42704",
     CHAIN "  1: Catalog error\n  2: schema not found: nosuchschema", FAULT_REFUSED, NULL,
     false},
    {DB_RISINGWAVE, "XX000",
     CHAIN META("CreateSource") "  2: The cluster is recovering\n"
                                "  3: database 1 report failure from 2",
     FAULT_UNAVAILABLE, "Recovering", false},
    {DB_RISINGWAVE, "XX000",
     CHAIN META("CreateSource") "  2: failed to wait streaming job finish: failed over: "
                                "database 1 report failure from 2",
     FAULT_UNAVAILABLE, "Recovering", false},
    {DB_RISINGWAVE, "XX000",
     VALIDATION "  5: Internal error: Access denied for user 'cdc2'@'localhost' (using "
                "password: YES)",
     FAULT_DENIED, "SourceFailed", false},
    {DB_RISINGWAVE, "XX000",
     VALIDATION "  5: INVALID_ARGUMENT: MySQL database 'nosuch' doesn't exist",
     FAULT_REFUSED, "SourceFailed", false},
    {DB_RISINGWAVE, "XX000",
     VALIDATION
     "  5: Internal error: Communications link failure\n\nThe last packet sent "
     "successfully to the server was 0 milliseconds ago. The driver has not "
     "received any packets from the server.",
     FAULT_UNAVAILABLE, "SourceFailed", false},
    {DB_RISINGWAVE, "XX000",
     VALIDATION
     "  5: INTERNAL: MySQL doesn't enable binlog.\nPlease set the value of log_bin "
     "to 'ON' and restart your MySQL server.",
     FAULT_REFUSED, "SourceFailed", false},
    {DB_RISINGWAVE, "XX000",
     VALIDATION "  5: INTERNAL: MySQL user doesn't have enough privileges: [SELECT]",
     FAULT_DENIED, "MissingGrant", false},
    {DB_RISINGWAVE, "XX000",
     CHAIN META(
         "CreateTable") "  2: source cannot pass validation\n  3: INVALID_ARGUMENT: "
                        "Incompatible data type of column id. MySQL type: bigint(20) "
                        "unsigned, RisingWave type: VARCHAR",
     FAULT_REFUSED, "SourceFailed", false},
    {DB_RISINGWAVE, "XX000",
     SINK "  3: Starrocks error: Can't find schema with table \"nosuch\" and database "
          "\"ods2\"",
     FAULT_REFUSED, "SinkRejected", false},
    {DB_RISINGWAVE, "XX000",
     SINK
     "  3: Doris/Starrocks connect error\n  4: Server error: `ERROR 28000 (1045): Access "
     "denied for user 'nobody' (using password: YES)'\n  5: ERROR 28000 (1045): Access "
     "denied for user 'nobody' (using password: YES)",
     FAULT_DENIED, "SinkRejected", false},
    {DB_RISINGWAVE, "XX000",
     SINK "  3: Doris/Starrocks connect error\n  4: Connection refused (os error 111)",
     FAULT_UNAVAILABLE, "SinkRejected", false},
    {DB_RISINGWAVE, "XX000",
     SINK "  3: Doris/Starrocks connect error\n  4: Server error: `ERROR HY000 (1064): "
          "Backend "
          "node not found. Check if any backend node is down.",
     FAULT_UNAVAILABLE, "NoBackends", false},
    {DB_RISINGWAVE, "XX000",
     ONE_CAUSE
     "Permission denied: PermissionDenied: table used by 1 other objects. \nDETAIL: "
     "sink tablesync.k_store_orders_9f8e7d6c_v2 depends on it\nHINT:  Use DROP ... "
     "CASCADE to drop the dependent objects too.",
     FAULT_REFUSED, "DependantsExist", false},
    {DB_RISINGWAVE, "XX000",
     ONE_CAUSE "Permission denied: permission denied for database \"dev\": \"CREATE\"",
     FAULT_DENIED, "SchemaDenied", false},
    {DB_RISINGWAVE, "XX000",
     ONE_CAUSE
     "Permission denied: Only the relation owner, the schema owner, and superuser "
     "can drop or alter a relation.",
     FAULT_DENIED, "NotPermitted", false},
    {DB_RISINGWAVE, "XX000",
     ONE_CAUSE "Protocol error: Actor count per parallelism exceeds the critical limit",
     FAULT_REFUSED, "ActorLimit", false},
    {DB_RISINGWAVE, "XX000", "Panicked when handling the request: normalized SQL",
     FAULT_UNAVAILABLE, NULL, true},
    {DB_RISINGWAVE, "", LIBPQ "Connection refused\n\tIs the server running on that host",
     FAULT_UNAVAILABLE, "Unreachable", true},
    {DB_RISINGWAVE, "", LIBPQ "FATAL:  Invalid password", FAULT_DENIED, "AuthFailed",
     true},
    {DB_RISINGWAVE, "",
     LIBPQ "FATAL:  Failed to start a new session: Role x does not exist", FAULT_DENIED,
     "AuthFailed", true},
    {DB_RISINGWAVE, "", LIBPQ "FATAL: no pg_hba.conf entry for host \"::1\"",
     FAULT_DENIED, "NotPermitted", true},
    {DB_RISINGWAVE, "", LIBPQ "Connection timed out", FAULT_UNAVAILABLE, "Timeout", true},
    {DB_RISINGWAVE, "", "server closed the connection unexpectedly", FAULT_UNAVAILABLE,
     "Unreachable", true},
};

static void every_quoted_text_has_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(quotes); i++) {
        const struct quoted *q = &quotes[i];
        struct db_verdict v = db_classify(q->engine, q->code, sv_from(q->text));
        if (v.class != q->class || v.session_broken != q->broken) {
            fail_msg("%s %s: class %s, broken %d", q->code, q->text,
                     fault_class_name(v.class), v.session_broken);
        }
        if ((v.reason == NULL) != (q->reason == NULL) ||
            (v.reason != NULL && strcmp(v.reason, q->reason) != 0)) {
            fail_msg("%s %s: reason %s", q->code, q->text, v.reason);
        }
    }
}

/* The chain on one line, as messages carry it, is judged as the original is. */
static void reducing_does_not_change_the_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(quotes); i++) {
        const struct quoted *q = &quotes[i];
        AUTO(buf_deinit) struct buf reduced;
        buf_init(&reduced, 65536);
        classify_reduce_chain(sv_from(q->text), &reduced);
        struct db_verdict whole = db_classify(q->engine, q->code, sv_from(q->text));
        struct db_verdict line = db_classify(q->engine, q->code, buf_sv(&reduced));
        if (whole.class != line.class || whole.reason != line.reason) {
            fail_msg("%s: %s", q->text, buf_z(&reduced));
        }
    }
}

/* A row behind a wider one can never be reached. */
static void no_row_hides_another(void **state)
{
    (void)state;
    for (int engine = DB_MYSQL; engine <= DB_STARROCKS; engine++) {
        size_t count = 0;
        const struct classify_rule *rules =
            classify_rules((enum db_engine)engine, &count);
        for (size_t i = 0; i < count; i++) {
            for (size_t k = 0; k < i; k++) {
                bool code =
                    rules[k].code == NULL ||
                    (rules[i].code != NULL && !strcmp(rules[k].code, rules[i].code));
                bool text = rules[k].fragment == NULL ||
                            (rules[i].fragment != NULL &&
                             sv_find_nocase(sv_from(rules[i].fragment),
                                            sv_from(rules[k].fragment)) != SIZE_MAX);
                if (code && text && rules[k].also == NULL) {
                    fail_msg("row %zu of engine %d hides row %zu", k, engine, i);
                }
            }
        }
    }
}

static void unknown_words_are_a_refusal(void **state)
{
    (void)state;
    struct db_verdict v = db_classify(DB_STARROCKS, "9999", SV("something new"));

    assert_int_equal(v.class, FAULT_REFUSED);
    assert_null(v.reason);
    assert_null(v.advice);
    assert_false(v.session_broken);
}

static void advice_is_a_sentence(void **state)
{
    (void)state;
    for (int engine = DB_MYSQL; engine <= DB_STARROCKS; engine++) {
        size_t count = 0;
        const struct classify_rule *rules =
            classify_rules((enum db_engine)engine, &count);
        for (size_t i = 0; i < count; i++) {
            const char *advice = rules[i].advice;
            if (advice != NULL &&
                (advice[0] < 'A' || advice[strlen(advice) - 1] != '.')) {
                fail_msg("not a sentence: %s", advice);
            }
        }
    }
}

static void the_root_cause_is_the_last_one(void **state)
{
    (void)state;
    const char *const cases[][2] = {
        {CHAIN "  1: Catalog error\n  2: source not found: nosource",
         "source not found: nosource"},
        {ONE_CAUSE "Permission denied: table used by 1 other objects. \nDETAIL: sink a.b "
                   "depends on it\nHINT:  Use DROP",
         "Permission denied: table used by 1 other objects. \nDETAIL: sink a.b depends "
         "on "
         "it\nHINT:  Use DROP"},
        {VALIDATION "  5: Internal error: Communications link failure\n\nThe last packet",
         "Internal error: Communications link failure\n\nThe last packet"},
        {ONE_CAUSE
         "sql parser error: expected description of the format, found: ;\nLINE 1: "
         "CREATE SOURCE e11 WITH (password='rwpass');\n           ^",
         "sql parser error: expected description of the format, found: ;"},
        {"Invalid password", "Invalid password"},
        {"", ""},
        {CHAIN "  10: ten\n  11: DEADLINE 5 is no repeated statement",
         "DEADLINE 5 is no repeated statement"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sv root = db_risingwave_root_cause(sv_from(cases[i][0]));
        if (!sv_eq(root, sv_from(cases[i][1]))) {
            fail_msg("'%.*s' is not '%s'", SV_ARGS(root), cases[i][1]);
        }
    }
}

static void the_chain_keeps_what_tells(void **state)
{
    (void)state;
    AUTO(buf_deinit) struct buf out;

    buf_init(&out, 4096);
    classify_reduce_chain(sv_from(SINK "  3: Starrocks error: Column type don't match"),
                          &out);
    assert_string_equal(
        buf_z(&out), "failed to validate sink: Starrocks error: Column type don't match");
    buf_clear(&out);
    classify_reduce_chain(
        sv_from(CHAIN "  1: Catalog error\n  2: table with name t exists"), &out);
    assert_string_equal(buf_z(&out), "table with name t exists");
    buf_clear(&out);
    classify_reduce_chain(SV("Failed to run the query\n\nCaused by:\n  Catalog error"),
                          &out);
    assert_string_equal(buf_z(&out), "Catalog error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_quoted_text_has_its_verdict),
        cmocka_unit_test(reducing_does_not_change_the_verdict),
        cmocka_unit_test(no_row_hides_another),
        cmocka_unit_test(unknown_words_are_a_refusal),
        cmocka_unit_test(advice_is_a_sentence),
        cmocka_unit_test(the_root_cause_is_the_last_one),
        cmocka_unit_test(the_chain_keeps_what_tells),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
