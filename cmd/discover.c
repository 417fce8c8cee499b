/*
 * `tablesync discover`: the tables of a MySQL connection, whether each can be synced, and
 * TableSyncs for them, ready to be applied.
 */
#include "base/secret.h"
#include "cmd/cmd.h"
#include "cmd/discover_find.h"
#include "cmd/discover_names.h"
#include "cmd/discover_print.h"
#include "cmd/plan_print.h"
#include "ddl/desired.h"
#include "loop/attempt.h"

#include <string.h>

struct discovery {
    struct workbench bench;
    struct arena *arena; /* of the whole run: names */
    const char *namespace;
    struct found_connections found;
    struct session session;
    const struct mysql_server *server;
    const struct secret *password;
    struct strlist names, targets; /* given so far */
    struct json *tables;           /* what discover_print() prints */
};

/* The TableSync as it is to be applied. */
static struct json *make_sync(struct discovery *d, const char *database,
                              const char *table)
{
    const char *wanted = d->bench.options->values[OPTION_TARGET_DATABASE];
    const char *target = wanted != NULL ? wanted : database;
    struct json *object = json_new_object();
    struct json *metadata = NULL, *spec = NULL, *part = NULL;

    json_set_string(object, "apiVersion", TSYNC_GROUP "/" TSYNC_VERSION);
    json_set_string(object, "kind", "TableSync");
    metadata = json_set_object(object, "metadata");
    json_set_string(metadata, "name",
                    discover_name(database, table, d->arena, &d->names));
    json_set_string(metadata, "namespace", d->namespace);
    spec = json_set_object(object, "spec");
    part = json_set_object(spec, "source");
    json_set_string(json_set_object(part, "connectionRef"), "name", d->found.source.name);
    json_set_string(part, "database", database);
    json_set_string(part, "table", table);
    part = json_set_object(spec, "risingWave");
    json_set_string(json_set_object(part, "connectionRef"), "name", d->found.rw.name);
    part = json_set_object(spec, "target");
    json_set_string(json_set_object(part, "connectionRef"), "name", d->found.target.name);
    json_set_string(part, "database", target);
    /* Two databases' tables of one name do not fit into one target. */
    if (discover_taken(arena_printf(d->arena, "%s.%s", target, table), d->arena,
                       &d->targets)) {
        json_set_string(part, "table", arena_printf(d->arena, "%s_%s", database, table));
    }
    return object;
}

/* Does the definition of everything work out? NULL in `out` means it does. */
static bool judge(struct discovery *d, const struct json *object,
                  const struct mysql_table *table, struct arena *arena,
                  struct strlist *out_notes, struct fault *fault)
{
    AUTO(json_freep) struct json *with_uid = json_clone(object);
    struct json *metadata = json_clone(json_get(object, "metadata"));
    struct tablesync sync = {0};
    struct desired desired = {0};
    struct desired_input input = {.sync = &sync,
                                  .source = &d->found.source,
                                  .rw = &d->found.rw,
                                  .target = &d->found.target,
                                  .server = d->server,
                                  .table = table,
                                  .source_user = "user",
                                  .target_user = "user",
                                  .source_password = d->password,
                                  .target_password = d->password,
                                  .first_run = true,
                                  .first_target = true};

    json_set_string(metadata, "uid", PLAN_UNKNOWN_UID);
    json_set(with_uid, "metadata", metadata);
    if (!tablesync_decode(with_uid, arena, &sync, fault) ||
        !desired_build(&input, arena, &desired, fault)) {
        return false;
    }
    *out_notes = desired.notes;
    return true;
}

static void set_strings(struct json *out, const char *key, const struct strlist *list)
{
    struct json *array = json_set_array(out, key);

    for (size_t i = 0; i < list->n; i++) {
        json_push_string(array, list->v[i]);
    }
}

/* One table: what it is, its TableSync if it can have one, else why not. */
static bool add_table(struct discovery *d, const char *database,
                      const struct mysql_table *listed, struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct source_db *db = d->session.source;
    struct mysql_table *table = NULL;
    struct strlist notes = {0};
    struct fault why = FAULT_INIT;
    bool database_exists = false;
    struct json *out = NULL, *object = NULL;

    if (!db->ops->read_table(db, database, listed->name, &d->bench.stop, arena, &table,
                             &database_exists, fault)) {
        return fault_wrap(fault, "read MySQL table %s.%s", database, listed->name);
    }
    if (table == NULL) { /* dropped meanwhile */
        return true;
    }
    out = json_push_object(d->tables);
    json_set_string(out, "database", database);
    json_set_string(out, "table", listed->name);
    json_set_int(out, "rows", listed->row_estimate);
    set_strings(out, "primaryKey", &table->primary_key);
    object = make_sync(d, database, listed->name);
    if (judge(d, object, table, arena, &notes, &why)) {
        json_set_bool(out, "syncable", true);
        set_strings(out, "notes", &notes);
        json_set(out, "tableSync", object);
    } else {
        json_free(object);
        json_set_bool(out, "syncable", false);
        json_set_string(out, "reason", why.reason);
        json_set_string(out, "message", why.text);
    }
    return true;
}

static bool add_database(struct discovery *d, const char *database, struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct source_db *db = d->session.source;
    struct mysql_tables tables = {0};

    if (!db->ops->list_tables(db, database, &d->bench.stop, arena, &tables, fault)) {
        return fault_wrap(fault, "list the tables of MySQL database %s", database);
    }
    for (VEC_EACH(const struct mysql_table, t, &tables.tables)) {
        if (!add_table(d, database, t, fault)) {
            return false;
        }
    }
    return true;
}

static bool add_databases(struct discovery *d, struct fault *fault)
{
    const char *wanted = d->bench.options->values[OPTION_DATABASE];
    struct source_db *db = d->session.source;
    struct strlist databases = {0};
    bool found = wanted == NULL;

    if (!db->ops->list_databases(db, &d->bench.stop, d->arena, &databases, fault)) {
        return fault_wrap(fault, "list the databases of MySQL");
    }
    for (size_t i = 0; i < databases.n; i++) {
        bool asked = wanted == NULL || strcmp(wanted, databases.v[i]) == 0;

        found = found || asked;
        if (asked && !add_database(d, databases.v[i], fault)) {
            return false;
        }
    }
    return found ? true
                 : fault_set(fault, FAULT_REFUSED, "DatabaseNotFound",
                             "MySQL has no database '%s' that the account of "
                             "DatabaseConnection '%s' may see",
                             wanted, d->found.source.name);
}

static bool look(struct discovery *d, struct fault *fault)
{
    AUTO(credentials_deinit) struct credentials credentials = {0};
    AUTO(lane_putp) struct lane *lane = NULL;
    AUTO(observation_putp) struct observation *server = NULL;
    struct dbconn conn = {0};
    struct db_endpoint endpoint;
    bool good = false;

    if (!connection_resolve(d->bench.loop, d->found.source_object, d->arena,
                            &d->bench.stop, &conn, &credentials, &lane, fault)) {
        return false;
    }
    endpoint = connection_endpoint(&conn, &credentials);
    if (!session_open(lane, &endpoint, NULL, &d->bench.stop, &d->session, fault)) {
        return fault_wrap(fault, "DatabaseConnection '%s'", conn.name);
    }
    good =
        lane_observe(&d->session, OBSERVE_SERVER, "", 0, &d->bench.stop, &server, fault);
    if (good) {
        d->server = &server->u.mysql;
        good = add_databases(d, fault);
    }
    session_close(&d->session, good ? NULL : fault);
    return good;
}

/* For the list alone the two other connections need not be known. */
static bool complete(struct discovery *d, struct fault *fault)
{
    bool yaml = strcmp(d->bench.options->values[OPTION_OUTPUT], "yaml") == 0;
    const char *problem =
        d->found.rw_problem != NULL ? d->found.rw_problem : d->found.target_problem;

    if (yaml && problem != NULL) {
        return fault_set(fault, FAULT_SPEC, NULL, "%s", problem);
    }
    if (d->found.rw_problem != NULL) {
        d->found.rw = (struct dbconn){.namespace = d->namespace,
                                      .name = "risingwave",
                                      .type = DBCONN_RISINGWAVE,
                                      .host = "risingwave",
                                      .port = 4566,
                                      .database = "dev",
                                      .rw_schema = "tablesync"};
    }
    if (d->found.target_problem != NULL) {
        d->found.target = (struct dbconn){.namespace = d->namespace,
                                          .name = "starrocks",
                                          .type = DBCONN_STARROCKS,
                                          .host = "starrocks",
                                          .port = 9030,
                                          .http_port = 8030};
    }
    return true;
}

static int run(const struct options *options, struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(documents_freep) struct documents *documents = NULL;
    AUTO(secret_freep) struct secret *password = secret_new(SV("password"));
    AUTO(json_freep) struct json *root = json_new_object();
    const char *namespace = options->values[OPTION_NAMESPACE];
    struct discovery d = {.arena = arena, .password = password};
    bool good = false;

    d.namespace = namespace == NULL ? "default" : namespace;
    d.tables = json_set_array(root, "tables");
    if (options->values[OPTION_FILE] == NULL) {
        documents = documents_none();
    } else if (!documents_read(options->values[OPTION_FILE], d.namespace, &documents,
                               fault)) {
        return command_failed(fault);
    }
    if (workbench_open(options, documents, "discover", &d.bench, fault)) {
        good = discover_find(&d.bench, d.namespace, arena, &d.found, fault) &&
               complete(&d, fault) && look(&d, fault);
        discover_found_deinit(&d.found);
        workbench_close(&d.bench);
    }
    return good ? discover_print(root, options->values[OPTION_OUTPUT])
                : command_failed(fault);
}

int command_discover(const struct options *options)
{
    const char *output = options->values[OPTION_OUTPUT];
    struct fault fault = FAULT_INIT;

    if (strcmp(output, "table") != 0 && strcmp(output, "json") != 0 &&
        strcmp(output, "yaml") != 0) {
        (void)fault_set(&fault, FAULT_SPEC, NULL,
                        "--output is '%s'; discover prints table, json or yaml", output);
        return command_failed(&fault);
    }
    return with_libraries(options, run);
}
