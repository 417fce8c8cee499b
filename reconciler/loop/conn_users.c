/* conn_users: who uses a connection, and what lives on it. */
#include "loop/conn_private.h"
#include "loop/quarantine.h"
#include "loop/tags.h"

#include <stdlib.h>

#define NAMES_SHOWN 5
#define CLASHES_SHOWN 3

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort_list(struct strlist *list)
{
    if (list->n > 1) {
        qsort(list->v, list->n, sizeof(*list->v), by_text);
    }
}

/* By name and RisingWave: the order of the store is nobody's business. */
static int by_source(const void *a, const void *b)
{
    const struct dbconn_source *x = a, *y = b;
    int order = strcmp(x->rw_source, y->rw_source);

    return order != 0 ? order : strcmp(x->rw_connection, y->rw_connection);
}

static bool is(const char *name, const char *wanted)
{
    return name != NULL && strcmp(name, wanted) == 0;
}

static bool names(const struct tablesync *sync, const char *namespace, const char *name)
{
    return is(sync->namespace, namespace) &&
           (is(sync->source_connection, name) || is(sync->rw_connection, name) ||
            is(sync->target_connection, name));
}

static struct dbconn_source *find_source(struct dbconn_status *status,
                                         const struct dbconn_source *wanted)
{
    for (VEC_EACH(struct dbconn_source, s, &status->sources)) {
        if (by_source(s, wanted) == 0) {
            return s;
        }
    }
    return NULL;
}

static void count_source(struct look *l, const struct tablesync *sync,
                         const struct status_object *object)
{
    struct dbconn_source source = {.database = sync->source_database,
                                   .rw_source = object->name,
                                   .rw_connection = sync->rw_connection,
                                   .users = 1};
    struct dbconn_source *found = find_source(&l->status, &source);

    if (found != NULL) {
        found->users++;
    } else if (sync->rw_connection != NULL) {
        VEC_PUSH(l->arena, &l->status.sources, source);
    }
}

static void count_user(struct look *l, const struct json *object,
                       const struct tablesync *sync)
{
    struct tsync_status status = {0};
    bool known = false;

    l->status.in_use_by++;
    VEC_PUSH(l->arena, &l->status.users, sync->name);
    if (!is(sync->source_connection, kube_name(l->object->json))) {
        return;
    }
    for (size_t i = 0; i < l->databases.n; i++) {
        known = known || is(sync->source_database, l->databases.v[i]);
    }
    if (!known && sync->source_database != NULL) {
        VEC_PUSH(l->arena, &l->databases, sync->source_database);
    }
    tsync_status_read(json_get(object, "status"), l->arena, &status);
    for (VEC_EACH(struct status_object, o, &status.objects)) {
        if (strcmp(o->kind, "Source") == 0) {
            count_source(l, sync, o);
        }
    }
}

/*
 * server.id of each shared source, from RisingWave's catalog if it was read lately, else
 * as it was shown before: it never changes while the source lives.
 */
static void find_server_ids(struct look *l, struct dbconn_status *before)
{
    for (VEC_EACH(struct dbconn_source, s, &l->status.sources)) {
        struct sv name = sv_from(s->rw_source);
        const char *schema = arena_copy(l->arena, sv_cut(&name, '.'));
        const char *key = arena_printf(l->arena, "%s/%s", kube_namespace(l->object->json),
                                       s->rw_connection);
        AUTO(observation_putp) struct observation *seen = NULL;
        const struct dbconn_source *shown = find_source(before, s);
        const struct rw_source *source = NULL;

        s->server_id = shown == NULL ? 0 : shown->server_id;
        seen = lanes_observed(l->loop->lanes, key, OBSERVE_CATALOG, schema);
        source = seen == NULL
                     ? NULL
                     : rw_catalog_source(&seen->u.rw, schema, arena_copy(l->arena, name));
        if (source != NULL && source->server_id != NULL) {
            (void)sv_int64(sv_from(source->server_id), &s->server_id);
        }
    }
}

static void look_user(struct look *l, const char *key)
{
    AUTO(kube_object_putp)
    struct kube_object *object = kube_store_get(l->loop->syncs, key);
    const char *queue_key = arena_printf(l->arena, LOOP_KEY_SYNC "%s", key);
    struct tablesync sync = {0};
    struct fault ignored = FAULT_INIT;

    if (object == NULL) {
        return; /* it went meanwhile */
    }
    if (!quarantine_admits(l->loop, queue_key, &ignored)) {
        l->status.in_use_by++; /* so its tag says; more is not worth a crash */
        VEC_PUSH(l->arena, &l->status.users,
                 arena_strdup(l->arena, kube_name(object->json)));
        return;
    }
    struct crash_subject before = quarantine_enter(l->loop, queue_key);
    tablesync_decode_identity(object->json, l->arena, &sync);
    if (names(&sync, kube_namespace(l->object->json), kube_name(l->object->json))) {
        count_user(l, object->json, &sync);
    }
    crash_leave(before);
}

void look_users(struct look *l)
{
    const char *namespace = kube_namespace(l->object->json),
               *name = kube_name(l->object->json);
    struct dbconn_status before = l->status;
    size_t count = 0;
    const char **keys = kube_store_find(l->loop->syncs, tags_connection(namespace, name),
                                        l->arena, &count);

    l->status.in_use_by = 0;
    memset(&l->status.users, 0, sizeof(l->status.users));
    memset(&l->status.sources, 0, sizeof(l->status.sources));
    for (size_t i = 0; i < count; i++) {
        look_user(l, keys[i]);
    }
    sort_list(&l->status.users);
    sort_list(&l->databases);
    if (l->status.sources.n > 1) {
        qsort(l->status.sources.v, l->status.sources.n, sizeof(*l->status.sources.v),
              by_source);
    }
    find_server_ids(l, &before);
}

const char *look_user_names(struct look *l)
{
    AUTO(buf_deinit) struct buf list = {0};
    size_t shown = l->status.users.n < NAMES_SHOWN ? l->status.users.n : NAMES_SHOWN;

    buf_init(&list, 4096);
    for (size_t i = 0; i < shown; i++) {
        buf_addf(&list, "%s%s", i == 0 ? "" : ", ", l->status.users.v[i]);
    }
    if ((int64_t)shown < l->status.in_use_by) {
        buf_addf(&list, " and %lld more",
                 (long long)l->status.in_use_by - (long long)shown);
    }
    return buf_take(&list, l->arena);
}

/* --- one server id twice --- */

/* Where a connection leads: two of them may lead to one server. */
static const char *address_of(struct look *l, const struct json *object)
{
    return arena_printf(l->arena, "%s:%lld", json_path_string(object, "spec.host"),
                        (long long)json_int(json_path(object, "spec.port"), 0));
}

static const char *address_of_key(struct look *l, const char *namespace, const char *name)
{
    const char *key = arena_printf(l->arena, "%s/%s", namespace, name);
    AUTO(kube_object_putp)
    struct kube_object *object = kube_store_get(l->loop->conns, key);

    return object == NULL ? key : address_of(l, object->json);
}

static bool is_same_server(struct look *l, const struct json *other,
                           const struct dbconn_status *status)
{
    if (l->status.server_uuid != NULL && status->server_uuid != NULL) {
        return strcmp(l->status.server_uuid, status->server_uuid) == 0;
    }
    return strcmp(address_of(l, l->object->json), address_of(l, other)) == 0;
}

static void add_clash(struct look *l, struct buf *out, size_t *count,
                      const struct dbconn_source *mine, const struct json *other,
                      const struct dbconn_source *theirs)
{
    const char *here = kube_namespace(l->object->json), *there = kube_namespace(other);
    bool same = strcmp(mine->rw_source, theirs->rw_source) == 0 &&
                strcmp(address_of_key(l, here, mine->rw_connection),
                       address_of_key(l, there, theirs->rw_connection)) == 0;

    if (mine->server_id == 0 || mine->server_id != theirs->server_id || same ||
        *count >= CLASHES_SHOWN) {
        return;
    }
    buf_addf(out,
             "%ssource %s of RisingWave '%s/%s' and source %s of RisingWave '%s/%s' both "
             "read this server as server.id %lld, and MySQL ends one whenever the other "
             "comes: delete the TableSyncs of one of them and create them again with "
             "another spec.mysql.serverIdRange in DatabaseConnection '%s/%s'",
             *count == 0 ? "" : "; ", mine->rw_source, here, mine->rw_connection,
             theirs->rw_source, there, theirs->rw_connection, (long long)mine->server_id,
             there, kube_name(other));
    (*count)++;
}

const char *look_clashes(struct look *l)
{
    AUTO(buf_deinit) struct buf text = {0};
    size_t count = 0, clashes = 0;
    struct kube_object **all = kube_store_all(l->loop->conns, l->arena, &count);

    buf_init(&text, 8192);
    for (size_t i = 0; i < count; i++) {
        const struct json *other = all[i]->json;
        struct dbconn_status status = l->status;
        bool self = is(kube_uid(other), kube_uid(l->object->json));

        if (!self) {
            dbconn_status_read(json_get(other, "status"), l->arena, &status);
        }
        for (size_t m = 0;
             m < l->status.sources.n && (self || is_same_server(l, other, &status));
             m++) {
            /* Each pair of one's own sources once. */
            for (size_t t = self ? m + 1 : 0; t < status.sources.n; t++) {
                add_clash(l, &text, &clashes, &l->status.sources.v[m], other,
                          &status.sources.v[t]);
            }
        }
        kube_object_put(all[i]);
    }
    return clashes == 0 ? NULL : buf_take(&text, l->arena);
}
