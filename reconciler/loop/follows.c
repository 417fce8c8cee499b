#include "loop/follows.h"

#include "kube/api.h"
#include "loop/tags.h"

static const char *created_at(const struct json *object)
{
    const char *text = json_path_string(object, "metadata.creationTimestamp");

    return text == NULL ? "" : text;
}

/* RFC 3339 in UTC, as the API server writes it, sorts as text. */
static bool is_older(const struct json *one, const struct json *other)
{
    int order = strcmp(created_at(one), created_at(other));

    return order != 0 ? order < 0 : strcmp(kube_name(one), kube_name(other)) < 0;
}

/* Connection objects of our namespace that might decide instead of `ours`. */
static struct strlist rivals(struct attempt *a, const struct json *ours)
{
    size_t count = 0;
    struct kube_object **all = kube_store_all(a->loop->conns, a->arena, &count);
    struct strlist names = {0};

    for (size_t i = 0; i < count; i++) {
        const struct json *o = all[i]->json;
        const char *type = json_path_string(o, "spec.type");

        if (sv_eq(sv_from(kube_namespace(o)), sv_from(a->sync.namespace)) &&
            type != NULL && strcmp(type, dbconn_type_name(DBCONN_MYSQL)) == 0 &&
            !kube_deleting(o) && strcmp(kube_name(o), a->sync.source_connection) != 0 &&
            (kube_deleting(ours) || is_older(o, ours))) {
            VEC_PUSH(a->arena, &names,
                     (const char *)arena_strdup(a->arena, kube_name(o)));
        }
        kube_object_put(all[i]);
    }
    return names;
}

static bool is_listed(const struct strlist *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++) {
        if (name != NULL && strcmp(names->v[i], name) == 0) {
            return true;
        }
    }
    return false;
}

bool follows_source(const struct json *sync, const char *source)
{
    const struct json *o = json_first(json_path(sync, "status.objects"));

    for (; o != NULL; o = json_next(o)) {
        const char *kind = json_get_string(o, "kind"), *name = json_get_string(o, "name");

        if (kind != NULL && name != NULL && strcmp(kind, "Source") == 0 &&
            strcmp(name, source) == 0) {
            return true;
        }
    }
    return false;
}

static const char *source_path(struct attempt *a)
{
    const struct dbconn *conn = &a->bindings[BIND_SOURCE].conn;

    return arena_printf(a->arena, "%s.%s", a->bindings[BIND_RISINGWAVE].conn.rw_schema,
                        name_source(a->arena, a->sync.namespace,
                                    mysql_identity(&a->mysql->u.mysql, conn, a->arena),
                                    a->sync.source_database));
}

static bool uses(const struct attempt *a, const struct json *sync,
                 const struct strlist *names, const char *source)
{
    const char *rw = json_path_string(sync, "spec.risingWave.connectionRef.name");

    return sv_eq(sv_from(kube_namespace(sync)), sv_from(a->sync.namespace)) &&
           is_listed(names, json_path_string(sync, "spec.source.connectionRef.name")) &&
           rw != NULL && strcmp(rw, a->sync.rw_connection) == 0 &&
           follows_source(sync, source);
}

/* Whether a TableSync reads our source through the connection `name`. */
static bool is_followed(struct attempt *a, const char *name, const struct strlist *names,
                        const char *source)
{
    uint64_t tag = tags_connection(a->sync.namespace, name);
    size_t count = 0;
    const char **keys = kube_store_find(a->loop->syncs, tag, a->arena, &count);
    bool found = false;

    for (size_t i = 0; i < count && !found; i++) {
        AUTO(kube_object_putp)
        struct kube_object *sync = kube_store_get(a->loop->syncs, keys[i]);

        found = sync != NULL && uses(a, sync->json, names, source);
    }
    return found;
}

bool follows_decides(struct attempt *a)
{
    AUTO(kube_object_putp)
    struct kube_object *ours =
        kube_store_get(a->loop->conns, arena_printf(a->arena, "%s/%s", a->sync.namespace,
                                                    a->sync.source_connection));
    struct strlist names = {0};
    const char *source = NULL;

    if (ours != NULL) {
        names = rivals(a, ours->json);
    }
    if (names.n == 0) { /* nearly always: one connection for one server */
        return true;
    }
    source = source_path(a);
    for (size_t i = 0; i < names.n; i++) {
        if (is_followed(a, names.v[i], &names, source)) {
            return false;
        }
    }
    return true;
}
