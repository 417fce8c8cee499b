#include "cmd/plan_offline.h"

#include "base/file.h"
#include "base/secret.h"
#include "base/yaml.h"
#include "cmd/plan_print.h"
#include "kube/api.h"

#include <stdio.h>

struct offline {
    struct documents *documents;
    struct arena *arena;
    struct mysql_server server;
    struct mysql_table table;
    const struct secret *password;
    bool json;
};

static bool read_schema(struct offline *o, const char *path, struct fault *fault)
{
    AUTO(buf_deinit) struct buf text = {0};
    AUTO(json_freep) struct json *list = NULL;

    buf_init(&text, YAML_INPUT_MAX);
    if (!file_read(path, &text, fault)) {
        return false;
    }
    /* JSON is YAML: one reader serves both. */
    if (!yaml_parse_all(buf_sv(&text), &list, fault) ||
        !mysql_schema_read(json_first(list), o->arena, &o->server, &o->table, fault)) {
        return fault_wrap(fault, "%s", path);
    }
    return true;
}

/* The connection of that name in the file, or one with every default. */
static bool connection(struct offline *o, const struct tablesync *sync, const char *name,
                       enum dbconn_type type, struct dbconn *out_conn,
                       struct fault *fault)
{
    struct json *found = NULL;
    AUTO(json_freep) struct json *assumed = NULL;
    struct json *metadata = NULL, *spec = NULL;

    for (size_t i = 0;
         (found = documents_copy(o->documents, "DatabaseConnection", i)) != NULL; i++) {
        bool same = sv_eq(sv_from(kube_name(found)), sv_from(name)) &&
                    sv_eq(sv_from(kube_namespace(found)), sv_from(sync->namespace));
        bool decoded = same && dbconn_decode(found, o->arena, out_conn, fault);

        json_free(found);
        if (same) {
            return decoded;
        }
    }
    (void)fprintf(
        stderr,
        "tablesync: DatabaseConnection '%s' is not in the file; assuming defaults\n",
        name);
    assumed = json_new_object();
    metadata = json_set_object(assumed, "metadata");
    json_set_string(metadata, "name", name);
    json_set_string(metadata, "namespace", sync->namespace);
    json_set_string(metadata, "uid", PLAN_UNKNOWN_UID);
    spec = json_set_object(assumed, "spec");
    json_set_string(spec, "type", dbconn_type_name(type));
    json_set_string(spec, "host", name);
    json_set_string(json_set_object(spec, "credentialsSecretRef"), "name", name);
    return dbconn_decode(assumed, o->arena, out_conn, fault);
}

static bool plan_one(struct offline *o, const struct json *object, struct fault *fault)
{
    struct tablesync sync = {0};
    struct dbconn source = {0}, rw = {0}, target = {0};
    struct rw_catalog rw_catalog = {0};
    struct sr_catalog sr_catalog = {.database_exists = true, .live_backends = -1};
    struct desired desired = {0};
    struct plan plan = {0};

    if (!tablesync_decode(object, o->arena, &sync, fault) ||
        !connection(o, &sync, sync.source_connection, DBCONN_MYSQL, &source, fault) ||
        !connection(o, &sync, sync.rw_connection, DBCONN_RISINGWAVE, &rw, fault) ||
        !connection(o, &sync, sync.target_connection, DBCONN_STARROCKS, &target, fault)) {
        return false;
    }
    struct desired_input input = {.sync = &sync,
                                  .source = &source,
                                  .rw = &rw,
                                  .target = &target,
                                  .server = &o->server,
                                  .table = &o->table,
                                  .source_user = "user",
                                  .target_user = "user",
                                  .source_password = o->password,
                                  .target_password = o->password,
                                  .first_run = true,
                                  .first_target = true};
    sr_catalog.database_exists = sync.create_database == CREATE_NEVER;
    if (!desired_build(&input, o->arena, &desired, fault) ||
        !plan_make(&desired, &rw_catalog, &sr_catalog, o->arena, &plan, fault)) {
        return fault_wrap(fault, "TableSync %s/%s", sync.namespace, sync.name);
    }
    plan_print(&plan, &desired, o->json, o->arena);
    return true;
}

/* A file need not say a uid; the API server would give one. */
static void complete(struct json *object)
{
    struct json *metadata = json_clone(json_get(object, "metadata"));

    if (json_get_string(metadata, "uid") == NULL) {
        json_set_string(metadata, "uid", PLAN_UNKNOWN_UID);
    }
    json_set(object, "metadata", metadata);
}

bool plan_offline(struct documents *documents, const char *schema_path, bool json,
                  struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(secret_freep) struct secret *password = secret_new(SV("password"));
    struct offline o = {
        .documents = documents, .arena = arena, .password = password, .json = json};
    struct json *object = NULL;

    if (!read_schema(&o, schema_path, fault)) {
        return false;
    }
    for (size_t i = 0; (object = documents_copy(documents, "TableSync", i)) != NULL;
         i++) {
        bool good = false;

        complete(object);
        good = plan_one(&o, object, fault);
        json_free(object);
        if (!good) {
            return false;
        }
    }
    return true;
}
