#include "cmd/discover_find.h"

#include "base/buf.h"

#include <string.h>

struct candidates {
    struct json *objects; /* array */
    struct arena *arena;
    const char *namespace;
};

static bool listed(const struct json *array, const char *name)
{
    for (const struct json *o = json_first(array); o != NULL; o = json_next(o)) {
        if (sv_eq(sv_from(kube_name(o)), sv_from(name))) {
            return true;
        }
    }
    return false;
}

static void add(struct candidates *c, const struct json *object)
{
    if (kube_name(object) != NULL &&
        sv_eq(sv_from(kube_namespace(object)), sv_from(c->namespace)) &&
        !listed(c->objects, kube_name(object))) {
        json_push(c->objects, json_clone(object));
    }
}

/* Everything of the namespace in the cluster. A cluster that does not answer is told of
 * when something has to be read from it. */
static bool add_of_cluster(struct workbench *bench, struct candidates *c,
                           struct fault *fault)
{
    struct kube_request request = {.method = "GET"};
    struct kube_response response = {0};
    AUTO(json_freep) struct json *list = NULL;
    bool good = false;

    if (bench->cluster.transport == NULL) {
        return true;
    }
    request.path = kube_path(c->arena, &loop_resource_conn, c->namespace, NULL, NULL);
    if (!bench->cluster.transport->ops->call(bench->cluster.transport, &request,
                                             &bench->stop, &response, fault)) {
        return json_size(c->objects) > 0;
    }
    good = response.status == 200 &&
           json_parse(buf_sv(&response.body), KUBE_BODY_MAX, &list, fault);
    buf_deinit(&response.body);
    if (!good) {
        return json_size(c->objects) > 0 ||
               fault_set(fault, FAULT_DENIED, NULL,
                         "list DatabaseConnections in namespace %s: the API server "
                         "answered %d",
                         c->namespace, response.status);
    }
    for (const struct json *o = json_first(json_get(list, "items")); o != NULL;
         o = json_next(o)) {
        add(c, o);
    }
    return true;
}

/* "a, b" of those of the type. */
static const char *names_of(const struct candidates *c, enum dbconn_type type)
{
    AUTO(buf_deinit) struct buf names = {0};

    buf_init(&names, 4096);
    for (const struct json *o = json_first(c->objects); o != NULL; o = json_next(o)) {
        if (sv_eq(sv_from(json_path_string(o, "spec.type")),
                  sv_from(dbconn_type_name(type)))) {
            buf_addf(&names, "%s%s", names.n > 0 ? ", " : "", kube_name(o));
        }
    }
    return buf_take(&names, c->arena);
}

/* The one named, else the only one of the type; NULL and a fault otherwise. */
static const struct json *pick(const struct candidates *c, enum dbconn_type type,
                               const char *name, const char *flag, struct fault *fault)
{
    const struct json *found = NULL;
    size_t count = 0;

    for (const struct json *o = json_first(c->objects); o != NULL; o = json_next(o)) {
        bool fits = name != NULL ? sv_eq(sv_from(kube_name(o)), sv_from(name))
                                 : sv_eq(sv_from(json_path_string(o, "spec.type")),
                                         sv_from(dbconn_type_name(type)));

        found = fits ? o : found;
        count += fits;
    }
    if (count == 1) {
        return found;
    }
    if (name != NULL) {
        (void)fault_set(fault, FAULT_SPEC, NULL,
                        "namespace %s has no DatabaseConnection '%s'", c->namespace,
                        name);
    } else if (count == 0) {
        (void)fault_set(fault, FAULT_SPEC, NULL,
                        "namespace %s has no DatabaseConnection of type %s", c->namespace,
                        dbconn_type_name(type));
    } else {
        (void)fault_set(fault, FAULT_SPEC, NULL,
                        "namespace %s has several DatabaseConnections of type %s (%s): "
                        "name one with --%s",
                        c->namespace, dbconn_type_name(type), names_of(c, type), flag);
    }
    return NULL;
}

static bool decode(const struct candidates *c, const struct json *object,
                   enum dbconn_type type, struct dbconn *out_conn, struct fault *fault)
{
    if (!dbconn_decode(object, c->arena, out_conn, fault)) {
        return fault_wrap(fault, "DatabaseConnection '%s'", kube_name(object));
    }
    return out_conn->type == type
               ? true
               : fault_set(fault, FAULT_SPEC, NULL,
                           "DatabaseConnection '%s' is of type %s, not %s",
                           out_conn->name, dbconn_type_name(out_conn->type),
                           dbconn_type_name(type));
}

/* Not having one is only told when a TableSync needs it. */
static bool find_other(const struct candidates *c, enum dbconn_type type,
                       const char *name, const char *flag, struct dbconn *out_conn,
                       const char **out_problem, struct fault *fault)
{
    struct fault why = FAULT_INIT;
    const struct json *object = pick(c, type, name, flag, &why);

    if (object == NULL && name != NULL) {
        *fault = why;
        return false;
    }
    if (object == NULL) {
        *out_problem = arena_strdup(c->arena, why.text);
        return true;
    }
    return decode(c, object, type, out_conn, fault);
}

static bool find_all(struct workbench *bench, const struct candidates *c,
                     struct found_connections *found, struct fault *fault)
{
    const char *const *flags = bench->options->values;
    const struct json *source =
        pick(c, DBCONN_MYSQL, flags[OPTION_CONNECTION], "connection", fault);

    if (source == NULL || !decode(c, source, DBCONN_MYSQL, &found->source, fault) ||
        !find_other(c, DBCONN_RISINGWAVE, flags[OPTION_RISINGWAVE_CONNECTION],
                    "risingwave-connection", &found->rw, &found->rw_problem, fault) ||
        !find_other(c, DBCONN_STARROCKS, flags[OPTION_TARGET_CONNECTION],
                    "target-connection", &found->target, &found->target_problem, fault)) {
        return false;
    }
    found->source_object = json_clone(source);
    return true;
}

bool discover_find(struct workbench *bench, const char *namespace, struct arena *arena,
                   struct found_connections *out_found, struct fault *fault)
{
    AUTO(json_freep) struct json *objects = json_new_array();
    struct candidates c = {.objects = objects, .arena = arena, .namespace = namespace};
    struct found_connections found = {0};
    struct json *object = NULL;

    for (size_t i = 0;
         (object = documents_copy(bench->documents, "DatabaseConnection", i)) != NULL;
         i++) {
        add(&c, object);
        json_free(object);
    }
    if (!add_of_cluster(bench, &c, fault) || !find_all(bench, &c, &found, fault)) {
        return false;
    }
    *out_found = found;
    return true;
}

void discover_found_deinit(struct found_connections *found)
{
    json_free(found->source_object);
    found->source_object = NULL;
}
