#include "loop/conn.h"

#include "loop/publish.h"
#include "loop/seen.h"

#define LOOK_AGAIN_DOWN_MS 15000

struct look {
    struct loop *loop;
    struct arena *arena;
    struct cancel cancel;
    struct kube_object *object;
    const char *now;
    struct dbconn conn;
    struct dbconn_status status;
    struct kube_conditions conditions;
    bool logged_in;
};

static void condition(struct look *l, enum condition type, enum kube_truth status,
                      const char *reason, const char *message)
{
    struct kube_condition c = {.type = condition_type(type),
                               .status = status,
                               .reason = reason,
                               .message = message,
                               .observed_generation = kube_generation(l->object->json)};

    (void)kube_conditions_set(&l->conditions, &c, l->now, l->arena);
}

/* Who names this connection, and which shared sources live on it. */
static void count_users(struct look *l)
{
    const char *namespace = kube_namespace(l->object->json),
               *name = kube_name(l->object->json);
    size_t count = 0;
    struct kube_object **all = kube_store_all(l->loop->syncs, l->arena, &count);

    l->status.in_use_by = 0;
    memset(&l->status.sources, 0, sizeof(l->status.sources));
    for (size_t i = 0; i < count; i++) {
        struct tablesync sync = {0};
        struct tsync_status status = {0};

        tablesync_decode_identity(all[i]->json, l->arena, &sync);
        tsync_status_read(json_get(all[i]->json, "status"), l->arena, &status);
        kube_object_put(all[i]);
        if (strcmp(sync.namespace, namespace) != 0 || sync.source_connection == NULL ||
            sync.rw_connection == NULL || sync.target_connection == NULL) {
            continue;
        }
        bool is_source = strcmp(sync.source_connection, name) == 0;

        l->status.in_use_by += is_source || strcmp(sync.rw_connection, name) == 0 ||
                               strcmp(sync.target_connection, name) == 0;
        for (VEC_EACH(struct status_object, o, &status.objects)) {
            if (!is_source || strcmp(o->kind, "Source") != 0) {
                continue;
            }
            struct dbconn_source *found = NULL;

            for (VEC_EACH(struct dbconn_source, s, &l->status.sources)) {
                found = strcmp(s->rw_source, o->name) == 0 ? s : found;
            }
            if (found == NULL) {
                VEC_PUSH(l->arena, &l->status.sources,
                         (struct dbconn_source){.database = sync.source_database,
                                                .rw_source = o->name,
                                                .rw_connection = sync.rw_connection});
                found = &l->status.sources.v[l->status.sources.n - 1];
            }
            found->users++;
        }
    }
}

/* server.id of each shared source, from RisingWave's catalog if it was read lately. */
static void find_server_ids(struct look *l)
{
    for (VEC_EACH(struct dbconn_source, s, &l->status.sources)) {
        struct sv name = sv_from(s->rw_source);
        struct sv schema = sv_cut(&name, '.');
        const char *key = arena_printf(l->arena, "%s/%s", kube_namespace(l->object->json),
                                       s->rw_connection);
        AUTO(observation_putp) struct observation *seen = NULL;
        const struct rw_source *source = NULL;
        const char *schema_text = arena_copy(l->arena, schema);

        seen = lanes_observed(l->loop->lanes, key, OBSERVE_CATALOG, schema_text);
        source = seen == NULL ? NULL
                              : rw_catalog_source(&seen->u.rw, schema_text,
                                                  arena_copy(l->arena, name));
        if (source != NULL && source->server_id != NULL) {
            (void)sv_int64(sv_from(source->server_id), &s->server_id);
        }
    }
}

static bool read_mysql(struct look *l, const struct mysql_server *server,
                       struct fault *fault)
{
    l->status.server_version = arena_strdup(l->arena, server->version);
    l->status.server_uuid = arena_strdup(l->arena, server->server_uuid);
    l->status.binlog_format = arena_strdup(l->arena, server->binlog_format);
    l->status.row_image = arena_strdup(l->arena, server->binlog_row_image);
    l->status.gtid = server->gtid ? 1 : 0;
    l->status.binlog_expire_seconds = server->binlog_expire_seconds;
    if (!mysql_server_check(server, l->conn.database, fault)) {
        condition(l, CONDITION_CDC_CAPABLE, KUBE_FALSE, fault->reason, fault->text);
        return false;
    }
    condition(
        l, CONDITION_CDC_CAPABLE, KUBE_TRUE, "Capable",
        server->flavor == MYSQL_MARIADB
            ? "row binlog with full images; MariaDB: after a restart of RisingWave the "
              "first change past its saved position is skipped, prefer MySQL"
            : "row binlog with full images, and the grants CDC needs");
    return true;
}

static bool probe(struct look *l, struct fault *fault)
{
    AUTO(credentials_deinit) struct credentials credentials = {0};
    AUTO(lane_putp) struct lane *lane = NULL;
    AUTO(observation_putp) struct observation *server = NULL;
    struct session session = {0};
    struct db_endpoint endpoint;
    bool good = false;

    if (!connection_resolve(l->loop, l->object->json, l->arena, &l->cancel, &l->conn,
                            &credentials, &lane, fault)) {
        return false;
    }
    endpoint = (struct db_endpoint){
        .conn = &l->conn, .user = credentials.username, .password = credentials.password};
    if (!session_open(lane, &endpoint, &l->cancel, &session, fault)) {
        return false;
    }
    l->logged_in = true;
    condition(l, CONDITION_REACHABLE, KUBE_TRUE, "Connected", "the server answered");
    condition(l, CONDITION_CREDENTIALS_VALID, KUBE_TRUE, "LoggedIn", "the login works");
    if (l->conn.type != DBCONN_MYSQL) {
        condition(l, CONDITION_CDC_CAPABLE, KUBE_UNKNOWN, "NotMySQL",
                  "changes are captured from MySQL only");
    }
    good = lane_observe(&session, OBSERVE_SERVER, "", 0, &l->cancel, &server, fault);
    session_close(&session, good ? NULL : fault);
    if (!good) {
        return false;
    }
    switch (l->conn.type) {
    case DBCONN_MYSQL:
        return read_mysql(l, &server->u.mysql, fault);
    case DBCONN_RISINGWAVE:
        l->status.server_version = arena_strdup(l->arena, server->u.rw_server.version);
        return true;
    case DBCONN_STARROCKS:
        l->status.server_version = arena_strdup(l->arena, server->u.sr_server.version);
        l->status.live_backends = server->u.sr_server.live_backends;
        return true;
    case DBCONN_TYPE_MAX:
        break;
    }
    return fault_set(fault, FAULT_BUG, NULL, "unknown connection type");
}

/* The fault's own condition, when the table of reasons has a row for it there. */
static bool speaks_of(const struct fault *fault, enum condition type)
{
    const struct reason_row *row = reason_find(type, fault->reason);

    return row != NULL && strcmp(row->status, "False") == 0;
}

/*
 * Which of the conditions a fault speaks about. What was not tried because of it is
 * Unknown: left as it was, it would claim what nobody knows any more.
 */
static void show_fault(struct look *l, const struct fault *fault)
{
    bool login = speaks_of(fault, CONDITION_CREDENTIALS_VALID);
    bool capture = speaks_of(fault, CONDITION_CDC_CAPABLE);
    bool answered = strcmp(fault->reason, "AuthFailed") == 0 ||
                    strcmp(fault->reason, "NotPermitted") == 0;

    condition(l, CONDITION_READY, KUBE_FALSE, fault->reason, fault->text);
    if (l->logged_in && !speaks_of(fault, CONDITION_REACHABLE)) {
        /* Reachable and CredentialsValid were shown when the login worked. */
        if (!capture) {
            condition(l, CONDITION_CDC_CAPABLE, KUBE_UNKNOWN, "NotTried", fault->text);
        }
        return;
    }
    condition(l, CONDITION_CDC_CAPABLE, KUBE_UNKNOWN, "NotTried",
              "the server could not be asked");
    if (login) {
        condition(l, CONDITION_CREDENTIALS_VALID, KUBE_FALSE, fault->reason, fault->text);
        if (answered) {
            condition(l, CONDITION_REACHABLE, KUBE_TRUE, "Connected",
                      "the server answered");
        } else {
            condition(l, CONDITION_REACHABLE, KUBE_UNKNOWN, "NotTried",
                      "not contacted, for want of credentials");
        }
        return;
    }
    condition(l, CONDITION_CREDENTIALS_VALID, KUBE_UNKNOWN, "NotTried",
              "the login was not tried");
    if (speaks_of(fault, CONDITION_REACHABLE)) {
        condition(l, CONDITION_REACHABLE, KUBE_FALSE, fault->reason, fault->text);
    } else {
        condition(l, CONDITION_REACHABLE, KUBE_UNKNOWN, "NotTried",
                  "the server was not contacted");
    }
}

static bool write_status(struct look *l, struct fault *fault)
{
    AUTO(json_freep) struct json *status = json_new_object();
    struct json *answered = NULL;
    bool written = false;

    l->status.observed_generation = kube_generation(l->object->json);
    dbconn_status_write(&l->status, status);
    kube_conditions_write(&l->conditions, json_set_array(status, "conditions"));
    if (!publish_status(l->loop, &loop_resource_conn, l->object->json, status, l->arena,
                        &l->cancel, &written, &answered, fault)) {
        return false;
    }
    if (answered != NULL) {
        kube_store_put(l->loop->conns, answered);
    }
    return true;
}

static int64_t look_at(struct look *l)
{
    struct fault fault = FAULT_INIT, unwritten = FAULT_INIT;
    bool good = false, was_ready = false;
    int64_t again_ms = l->loop->options.resync_ms;
    const struct kube_condition *ready = NULL;

    dbconn_status_read(json_get(l->object->json, "status"), l->arena, &l->status);
    kube_conditions_read(&l->conditions,
                         json_get(json_get(l->object->json, "status"), "conditions"),
                         l->arena);
    ready = kube_conditions_find(&l->conditions, condition_type(CONDITION_READY));
    was_ready = ready != NULL && ready->status == KUBE_TRUE;
    count_users(l);
    find_server_ids(l);
    good = probe(l, &fault);
    if (good && !was_ready) {
        /* They may be waiting out a long backoff for a server that is back. */
        loop_enqueue_users(l->loop, sv_from(kube_namespace(l->object->json)),
                           sv_from(kube_name(l->object->json)));
    }
    if (good) {
        condition(l, CONDITION_READY, KUBE_TRUE, "Connected", "the server can be used");
    } else if (fault.class == FAULT_CANCELLED) {
        return 0;
    } else {
        show_fault(l, &fault);
        again_ms = LOOK_AGAIN_DOWN_MS;
    }
    if (!write_status(l, &unwritten)) {
        again_ms = unwritten.class == FAULT_CONFLICT ? 300 : LOOK_AGAIN_DOWN_MS;
        lg_error(l->loop->ports.lg, "connection status not written",
                 LG_STR("key", l->object->key), LG_STR("error", unwritten.text));
    }
    return again_ms;
}

void conn_reconcile(struct loop *loop, const char *key)
{
    const char *store_key = key + strlen(LOOP_KEY_CONN);
    struct look look = {.loop = loop};
    char now[CLOCK_RFC3339_SIZE];
    struct rng rng;
    int64_t again_ms = 0;

    look.object = kube_store_get(loop->conns, store_key);
    if (look.object == NULL) {
        lanes_remove(loop->lanes, store_key);
        seen_forget(loop->seen, key);
        return;
    }
    look.arena = arena_new(ARENA_CEILING_BYTES);
    look.now = clock_format_rfc3339(clock_wall_ms(loop->ports.clock), now);
    cancel_init_child(&look.cancel, loop->stop, loop->options.attempt_ms);
    again_ms = look_at(&look);
    if (again_ms > 0) {
        rng_init(&rng,
                 loop->ports.seed ^ (uint64_t)clock_monotonic_ms(loop->ports.clock));
        queue_add_after(loop->queue, key, rng_jitter(&rng, again_ms, 20));
    }
    cancel_deinit(&look.cancel);
    kube_object_put(look.object);
    arena_free(look.arena);
}
