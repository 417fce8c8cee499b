#include "cmd/check_look.h"

#include "loop/approval.h"
#include "loop/preview.h"

#include <string.h>

void check_set_error(struct json *out, const struct fault *fault)
{
    struct json *error = json_set_object(out, "error");

    json_set_string(error, "reason", fault->reason);
    json_set_string(error, "message", fault->text);
}

/* False when one of them is more than a warning. */
static bool set_findings(struct json *out, const struct findings *findings)
{
    struct json *list = json_set_array(out, "findings");
    bool good = true;

    for (VEC_EACH(const struct finding, f, &findings->list)) {
        struct json *o = json_push_object(list);
        bool missing = f->level == FINDING_MISSING;

        json_set_string(o, "level", missing ? "Missing" : "Warning");
        json_set_string(o, "system", f->system);
        json_set_string(o, "reason", f->reason);
        json_set_string(o, "message", f->text);
        good = good && !missing;
    }
    return good;
}

/* --- connections --- */

static void set_known(struct json *out, const char *key, int64_t value)
{
    if (value >= 0) {
        json_set_int(out, key, value);
    }
}

static void look_at_mysql(const struct mysql_server *server, enum tls_mode mode,
                          struct arena *arena, struct json *out,
                          struct findings *findings)
{
    struct json *facts = json_set_object(out, "facts");

    json_set_string(out, "version", server->version);
    json_set_string(facts, "binlogFormat", server->binlog_format);
    json_set_string(facts, "rowImage", server->binlog_row_image);
    set_known(facts, "binlogExpireSeconds", server->binlog_expire_seconds);
    json_set_bool(facts, "gtid", server->gtid);
    preflight_mysql(server, "", NULL, arena, findings);
    preflight_mysql_tls(server, mode, arena, findings);
}

static void look_at_risingwave(const struct rw_server *server, struct arena *arena,
                               struct json *out, struct findings *findings)
{
    struct json *facts = json_set_object(out, "facts");

    json_set_string(out, "version", server->version);
    if (server->license != NULL) {
        json_set_string(facts, "license", server->license);
    }
    set_known(facts, "actors", server->actors);
    set_known(facts, "parallelism", server->parallelism);
    json_set_bool(facts, "superuser", server->superuser);
    preflight_risingwave(server, arena, findings);
}

static void look_at_starrocks(const struct sr_server *server, struct arena *arena,
                              struct json *out, struct findings *findings)
{
    struct json *facts = json_set_object(out, "facts");

    json_set_string(out, "version", server->version);
    set_known(facts, "liveBackends", server->live_backends);
    preflight_starrocks(server, NULL, NULL, arena, findings);
}

static bool look(struct workbench *bench, const struct json *object, struct arena *arena,
                 struct json *out, struct findings *findings, struct fault *fault)
{
    AUTO(credentials_deinit) struct credentials credentials = {0};
    AUTO(lane_putp) struct lane *lane = NULL;
    AUTO(observation_putp) struct observation *server = NULL;
    struct session session = {0};
    struct dbconn conn = {0};
    struct db_endpoint endpoint;
    bool good = false;

    if (!connection_resolve(bench->loop, object, arena, &bench->stop, &conn, &credentials,
                            &lane, fault)) {
        return false;
    }
    json_set_string(out, "user", credentials.username);
    endpoint = connection_endpoint(&conn, &credentials);
    if (!session_open(lane, &endpoint, NULL, &bench->stop, &session, fault)) {
        /* Whoever refuses a login has answered. */
        json_set_bool(out, "reachable", fault->class == FAULT_DENIED);
        json_set_bool(out, "login", false);
        return false;
    }
    json_set_bool(out, "reachable", true);
    json_set_bool(out, "login", true);
    good = lane_observe(&session, OBSERVE_SERVER, "", 0, &bench->stop, &server, fault);
    session_close(&session, good ? NULL : fault);
    if (!good) {
        return false;
    }
    switch (conn.type) {
    case DBCONN_MYSQL:
        look_at_mysql(&server->u.mysql, conn.tls_mode, arena, out, findings);
        break;
    case DBCONN_RISINGWAVE:
        look_at_risingwave(&server->u.rw_server, arena, out, findings);
        break;
    case DBCONN_STARROCKS:
        look_at_starrocks(&server->u.sr_server, arena, out, findings);
        break;
    case DBCONN_TYPE_MAX:
        break;
    }
    return true;
}

bool check_connection(struct workbench *bench, const struct json *object,
                      struct json *out)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct findings findings = {0};
    struct fault fault = FAULT_INIT;
    struct dbconn conn = {0};
    bool good = false;

    json_set_string(out, "namespace", kube_namespace(object));
    json_set_string(out, "name", kube_name(object));
    if (dbconn_decode(object, arena, &conn, &fault)) {
        json_set_string(out, "type", dbconn_type_name(conn.type));
        json_set_string(out, "address",
                        arena_printf(arena, "%s:%lld", conn.host, (long long)conn.port));
        json_set_string(out, "tls", tls_mode_name(conn.tls_mode));
        good = look(bench, object, arena, out, &findings, &fault);
    }
    if (!good) {
        check_set_error(out, &fault);
    }
    return set_findings(out, &findings) && good;
}

/* --- TableSyncs --- */

struct sync_look {
    struct json *out;
    bool good;
};

static void set_strings(struct json *out, const char *key, const struct strlist *list)
{
    struct json *array = json_set_array(out, key);

    for (size_t i = 0; i < list->n; i++) {
        json_push_string(array, list->v[i]);
    }
}

static void set_table(struct json *out, const struct attempt *a)
{
    struct json *table = json_set_object(out, "table");

    json_set_bool(table, "found", a->table != NULL);
    if (a->table != NULL) {
        json_set_int(table, "columns", (int64_t)a->table->columns.n);
        set_strings(table, "primaryKey", &a->table->primary_key);
    }
}

static void set_plan(struct json *out, const struct attempt *a)
{
    struct json *plan = json_set_object(out, "plan");

    set_strings(out, "notes", &a->desired.notes);
    json_set_int(plan, "statements", (int64_t)a->plan.steps.n);
    if (a->plan.steps.n > 0) {
        const struct plan_step *first = &a->plan.steps.v[0];

        json_set_string(plan, "first",
                        arena_printf(a->arena, "%s %s", first->sentence, first->object));
        json_set_string(plan, "hash", a->plan.hash);
    }
    json_set_bool(plan, "needsApproval", approval_reason(&a->sync, &a->plan) != NULL);
}

static void visit(void *context, struct attempt *a, const struct fault *stopped)
{
    struct sync_look *l = context;

    l->good = set_findings(l->out, &a->findings) && stopped == NULL;
    set_table(l->out, a);
    if (stopped != NULL) {
        check_set_error(l->out, stopped);
    } else {
        set_plan(l->out, a);
    }
}

bool check_sync(struct workbench *bench, const char *key, const struct tablesync *sync,
                struct json *out)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct sync_look l = {.out = out};
    struct fault fault = FAULT_INIT;

    json_set_string(out, "namespace", sync->namespace);
    json_set_string(out, "name", sync->name);
    json_set_string(
        out, "source",
        arena_printf(arena, "%s.%s", sync->source_database, sync->source_table));
    json_set_string(
        out, "target",
        arena_printf(arena, "%s.%s", sync->target_database, sync->target_table));
    if (!loop_check(bench->loop, key, visit, &l, &fault)) {
        check_set_error(out, &fault);
        return false;
    }
    return l.good;
}
