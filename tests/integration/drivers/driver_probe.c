/*
 * driver_probe: the three database drivers on a string, for test_drivers.py.
 *
 * Reads one JSON object a line: first the endpoint ("type", "host", "port", "user",
 * "password", "database", "tls" (the mode), "ca", "cert" and "key" (PEM texts),
 * "timeoutMs", "cancelAfterMs"), then calls ("op" and its arguments, "timeoutMs",
 * "cancelAfterMs"; "statements": so many pass the fence, which is shut then). Answers one
 * JSON object a line:
 * {"ok": true, "ms": .., "value": ..} or {"ok": false, "ms": .., "class", "reason",
 * "code", "text"}. A test can thus stop a server between two calls. Passwords come by
 * standard input and are never printed.
 */
#include "db/db.h"
#include "driver_alarm.h"
#include "driver_source.h"
#include "driver_statements.h"
#include "driver_stream.h"
#include "driver_values.h"

#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 65536
#define TIMEOUT_MS 10000

typedef bool (*op_function)(struct call *c);

/* --- the fence of every session --- */

static int64_t passes = INT64_MAX;

static bool may_write(const struct fence *fence, struct fault *fault)
{
    (void)fence;
    return passes-- > 0
               ? true
               : fault_set(fault, FAULT_CANCELLED, "NotLeader", "the fence is shut");
}

/* --- applying: the few statements a test needs, made by the typed builder --- */

static bool run_step(struct call *c, const struct stmt *stmt)
{
    const struct plan_step step = {
        .stmt = stmt,
        .object = text_of(c, "name"),
        .sentence = text_of(c, "op"),
        .background = json_path_bool(c->in, "background", false),
        .parallelism = json_path_int(c->in, "parallelism", 0),
    };
    const char *tag = json_get_string(c->in, "tag");
    struct db_result result = {0};
    bool done =
        c->probe->stream != NULL
            ? c->probe->stream->ops->apply(c->probe->stream, &step, tag, &c->cancel,
                                           c->arena, &result, c->fault)
            : c->probe->target->ops->apply(c->probe->target, &step, tag, &c->cancel,
                                           c->arena, &result, c->fault);

    if (done) {
        json_set_int(c->value, "affected", result.affected);
        json_set_string(c->value, "tag", result.tag);
        print_list(c->value, "notices", &result.notices);
    }
    return done;
}

/* RisingWave and StarRocks alike. */
static bool apply(struct call *c)
{
    enum sql_dialect dialect = c->probe->stream != NULL ? SQL_RISINGWAVE : SQL_STARROCKS;
    const struct making making = {c->in, stmt_new(c->arena, dialect), c->arena, c->fault};

    return make_statement(&making) && run_step(c, making.stmt);
}

/* --- StarRocks --- */

static bool target_probe(struct call *c)
{
    struct sr_server server = {0};

    if (!c->probe->target->ops->probe(c->probe->target, &c->cancel, c->arena, &server,
                                      c->fault)) {
        return false;
    }
    json_set_string(c->value, "version", server.version);
    json_set_int(c->value, "liveBackends", server.live_backends);
    print_list(c->value, "grants", &server.grants);
    json_set_bool(c->value, "root", server.root);
    return true;
}

static bool target_catalog(struct call *c)
{
    struct sr_catalog catalog = {0};

    if (!c->probe->target->ops->catalog(c->probe->target, text_of(c, "database"),
                                        &c->cancel, c->arena, &catalog, c->fault)) {
        return false;
    }
    print_target_catalog(&catalog, c->value);
    return true;
}

static bool target_all(struct call *c)
{
    struct target_db *db = c->probe->target;
    struct tally_query query = {0};
    int64_t rows = 0;

    if (!tally_ask_starrocks(text_of(c, "database"), text_of(c, "table"), c->arena,
                             &query, c->fault) ||
        !db->ops->count_all(db, &query, &c->cancel, &rows, c->fault)) {
        return false;
    }
    json_set_int(c->value, "rows", rows);
    return true;
}

static const struct {
    enum dbconn_type type;
    const char *name;
    op_function run;
} ops[] = {
    {DBCONN_MYSQL, "probe", source_probe},
    {DBCONN_MYSQL, "table", source_table},
    {DBCONN_MYSQL, "losses", source_losses},
    {DBCONN_MYSQL, "rows", source_rows},
    {DBCONN_MYSQL, "all", source_all},
    {DBCONN_MYSQL, "like", source_like},
    {DBCONN_MYSQL, "replicas", source_replicas},
    {DBCONN_MYSQL, "databases", source_databases},
    {DBCONN_MYSQL, "tables", source_tables},
    {DBCONN_MYSQL, "unparseable", source_unparseable},
    {DBCONN_RISINGWAVE, "probe", stream_probe},
    {DBCONN_RISINGWAVE, "catalog", stream_catalog},
    {DBCONN_RISINGWAVE, "offset", stream_offset},
    {DBCONN_RISINGWAVE, "snapshot", stream_snapshot},
    {DBCONN_RISINGWAVE, "backlog", stream_backlog},
    {DBCONN_RISINGWAVE, "rows", stream_rows},
    {DBCONN_RISINGWAVE, "logColumns", stream_log_columns},
    {DBCONN_RISINGWAVE, "ghostKeys", stream_ghost_keys},
    {DBCONN_RISINGWAVE, "addColumn", apply},
    {DBCONN_RISINGWAVE, "dropColumn", apply},
    {DBCONN_RISINGWAVE, "createSchema", apply},
    {DBCONN_RISINGWAVE, "createSource", apply},
    {DBCONN_STARROCKS, "probe", target_probe},
    {DBCONN_STARROCKS, "catalog", target_catalog},
    {DBCONN_STARROCKS, "all", target_all},
    {DBCONN_STARROCKS, "createDatabase", apply},
    {DBCONN_STARROCKS, "createTable", apply},
    {DBCONN_STARROCKS, "addColumn", apply},
    {DBCONN_STARROCKS, "dropColumn", apply},
    {DBCONN_STARROCKS, "widenColumn", apply},
    {DBCONN_STARROCKS, "commentTable", apply},
};

static bool run_op(struct call *c)
{
    for (size_t i = 0; i < COUNT_OF(ops); i++) {
        if (ops[i].type == c->probe->conn.type &&
            strcmp(ops[i].name, text_of(c, "op")) == 0) {
            return ops[i].run(c);
        }
    }
    return fault_set(c->fault, FAULT_BUG, NULL, "no such op: %s", text_of(c, "op"));
}

/* The first line: decodes the endpoint and opens it. */
static bool open_endpoint(struct call *c)
{
    static const char *const types[] = {"", "MySQL", "RisingWave", "StarRocks"};
    static const char *const modes[] = {"",        "Disable",  "Prefer",
                                        "Require", "VerifyCA", "VerifyFull"};
    static const struct fence door = {may_write};
    struct probe *p = c->probe;
    AUTO(secret_freep)
    struct secret *password = secret_new(sv_from(text_of(c, "password")));
    const char *key_pem = json_get_string(c->in, "key");
    AUTO(secret_freep)
    struct secret *key = key_pem == NULL ? NULL : secret_new(sv_from(key_pem));
    const struct db_endpoint endpoint = {
        .conn = &p->conn,
        .user = text_of(c, "user"),
        .password = password,
        .tls = {json_get_string(c->in, "ca"), json_get_string(c->in, "cert"), key},
        .fence = &door};
    struct db_factory *factory = db_factory_real();

    p->conn = (struct dbconn){.host = text_of(c, "host"),
                              .database = text_of(c, "database"),
                              .port = json_path_int(c->in, "port", 0),
                              .tls_mode = TLS_PREFER};
    for (size_t i = 1; i < COUNT_OF(types); i++) {
        if (strcmp(text_of(c, "type"), types[i]) == 0) {
            p->conn.type = (enum dbconn_type)i;
        }
    }
    for (size_t i = 1; i < COUNT_OF(modes); i++) {
        if (strcmp(text_of(c, "tls"), modes[i]) == 0) {
            p->conn.tls_mode = (enum tls_mode)i;
        }
    }
    switch (p->conn.type) {
    case DBCONN_MYSQL:
        return factory->ops->open_source(factory, &endpoint, &c->cancel, &p->source,
                                         c->fault);
    case DBCONN_RISINGWAVE:
        return factory->ops->open_stream(factory, &endpoint, &c->cancel, &p->stream,
                                         c->fault);
    case DBCONN_STARROCKS:
        return factory->ops->open_target(factory, &endpoint, &c->cancel, &p->target,
                                         c->fault);
    case DBCONN_TYPE_MAX:
        break;
    }
    return fault_set(c->fault, FAULT_BUG, NULL, "no such type: %s", text_of(c, "type"));
}

static void answer(const struct call *c, bool done, int64_t ms)
{
    AUTO(json_freep) struct json *out = json_new_object();
    AUTO(buf_deinit) struct buf line;

    json_set_bool(out, "ok", done);
    json_set_int(out, "ms", ms);
    if (done) {
        json_set(out, "value", json_clone(c->value));
    } else {
        json_set_string(out, "class", fault_class_name(c->fault->class));
        json_set_string(out, "reason", c->fault->reason);
        json_set_string(out, "code", c->fault->code);
        json_set_string(out, "text", c->fault->text);
    }
    buf_init(&line, ARENA_CEILING_BYTES);
    json_print(out, &line);
    (void)fwrite(line.p, 1, line.n, stdout);
    (void)fputc('\n', stdout);
    (void)fflush(stdout);
}

static bool handle(struct probe *probe, struct arena *arena, const char *line,
                   op_function op)
{
    AUTO(json_freep) struct json *value = json_new_object();
    struct json *in = NULL;
    struct fault fault = FAULT_INIT;
    struct alarm alarm;
    struct call c = {.probe = probe, .value = value, .arena = arena, .fault = &fault};
    int64_t begun_ms = clock_monotonic_ms(clock_system());

    if (!json_parse(sv_trim(sv_from(line)), LINE_MAX_BYTES, &in, &fault)) {
        answer(&c, false, 0);
        return false;
    }
    c.in = in;
    passes = json_path_int(in, "statements", INT64_MAX);
    cancel_init_child(&c.cancel, &probe->root,
                      json_path_int(in, "timeoutMs", TIMEOUT_MS));
    alarm_start(&alarm, &probe->root, json_path_int(in, "cancelAfterMs", 0));
    bool done = op(&c);
    alarm_stop(&alarm);
    answer(&c, done, clock_monotonic_ms(clock_system()) - begun_ms);
    json_free(in);
    return done;
}

static void close_all(struct probe *probe)
{
    if (probe->source != NULL) {
        probe->source->ops->close(probe->source);
    }
    if (probe->stream != NULL) {
        probe->stream->ops->close(probe->stream);
    }
    if (probe->target != NULL) {
        probe->target->ops->close(probe->target);
    }
}

int main(void)
{
    static char line[LINE_MAX_BYTES];
    struct probe probe = {0};
    struct fault fault = FAULT_INIT;
    bool opened = false;

    must(db_library_init(&fault));
    must(cancel_init_root(&probe.root, clock_system(), &fault));
    while (fgets(line, sizeof(line), stdin) != NULL) {
        AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
        if (!opened && !handle(&probe, arena, line, open_endpoint)) {
            break;
        }
        if (opened) {
            (void)handle(&probe, arena, line, run_op);
        }
        opened = true;
    }
    close_all(&probe);
    cancel_deinit(&probe.root);
    db_library_deinit();
    return 0;
}
