#include "loop_unit.h"

#include "base/heap.h"

#include <time.h>

static int64_t unit_monotonic(const struct clock *clock)
{
    return ((const struct unit_clock *)(const void *)clock)->now_ms;
}

static int64_t unit_wall(const struct clock *clock)
{
    return unit_monotonic(clock) + UNIT_EPOCH_MS +
           ((const struct unit_clock *)(const void *)clock)->wall_jump_ms;
}

void unit_clock_init(struct unit_clock *clock)
{
    clock->base = (struct clock){unit_monotonic, unit_wall};
    clock->now_ms = 1000000;
    clock->wall_jump_ms = 0;
}

/* --- flag --- */

void flag_init(struct flag *flag)
{
    memset(flag, 0, sizeof(*flag));
    must(pthread_mutex_init(&flag->lock, NULL) == 0);
    must(pthread_cond_init(&flag->raised, NULL) == 0);
}

void flag_deinit(struct flag *flag)
{
    (void)pthread_cond_destroy(&flag->raised);
    (void)pthread_mutex_destroy(&flag->lock);
}

void flag_raise(struct flag *flag)
{
    (void)pthread_mutex_lock(&flag->lock);
    flag->count++;
    (void)pthread_cond_broadcast(&flag->raised);
    (void)pthread_mutex_unlock(&flag->lock);
}

bool flag_wait(struct flag *flag, int64_t count, int64_t timeout_ms)
{
    struct timespec until;
    bool came = false;
    int error = 0;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_mutex_lock(&flag->lock);
    while (flag->count < count && error == 0) {
        error = pthread_cond_timedwait(&flag->raised, &flag->lock, &until);
    }
    came = flag->count >= count;
    (void)pthread_mutex_unlock(&flag->lock);
    return came;
}

/* --- databases --- */

struct unit_source {
    struct source_db base;
    struct unit_db *db;
};
struct unit_stream {
    struct stream_db base;
    struct unit_db *db;
};
struct unit_target {
    struct target_db base;
    struct unit_db *db;
};

static bool opened(struct unit_db *db, struct fault *fault)
{
    db->opens++;
    return db->on_open == NULL || db->on_open(db, fault);
}

static bool read_once(struct unit_db *db, struct fault *fault)
{
    db->reads++;
    return db->on_read == NULL || db->on_read(db, fault);
}

static bool source_probe(struct source_db *db, struct cancel *cancel, struct arena *arena,
                         struct mysql_server *out_server, struct fault *fault)
{
    (void)cancel;
    if (!read_once(((struct unit_source *)(void *)db)->db, fault)) {
        return false;
    }
    *out_server = (struct mysql_server){.version = arena_strdup(arena, "8.0.39")};
    if (((struct unit_source *)(void *)db)->db->mysql.version != NULL) {
        *out_server = ((struct unit_source *)(void *)db)->db->mysql;
    }
    return true;
}

static bool source_unparseable(struct source_db *db, const char *database,
                               struct cancel *cancel, struct arena *arena,
                               struct strlist *out_columns, struct fault *fault)
{
    struct unit_db *unit = ((struct unit_source *)(void *)db)->db;

    (void)database;
    (void)cancel;
    (void)fault;
    unit->lists++;
    memset(out_columns, 0, sizeof(*out_columns));
    if (unit->unparseable != NULL) {
        VEC_PUSH(arena, out_columns, unit->unparseable);
    }
    return true;
}

static void source_close(struct source_db *db)
{
    ((struct unit_source *)(void *)db)->db->closes++;
    heap_free(db);
}

static bool stream_probe(struct stream_db *db, struct cancel *cancel, struct arena *arena,
                         struct rw_server *out_server, struct fault *fault)
{
    struct unit_db *unit = ((struct unit_stream *)(void *)db)->db;

    (void)cancel;
    if (!read_once(unit, fault)) {
        return false;
    }
    *out_server = (struct rw_server){.version = arena_strdup(arena, "3.0.3"),
                                     .may_create = -1,
                                     .may_connect = -1,
                                     .actors = -1,
                                     .parallelism = -1};
    if (unit->rw.version != NULL) {
        *out_server = unit->rw;
    }
    return true;
}

static bool stream_catalog(struct stream_db *db, const char *schema,
                           struct cancel *cancel, struct arena *arena,
                           struct rw_catalog *out_catalog, struct fault *fault)
{
    (void)cancel;
    if (!read_once(((struct unit_stream *)(void *)db)->db, fault)) {
        return false;
    }
    memset(out_catalog, 0, sizeof(*out_catalog));
    VEC_PUSH(arena, &out_catalog->tables,
             (struct rw_table){.name = arena_strdup(arena, schema)});
    return true;
}

static void stream_close(struct stream_db *db)
{
    ((struct unit_stream *)(void *)db)->db->closes++;
    heap_free(db);
}

static bool target_probe(struct target_db *db, struct cancel *cancel, struct arena *arena,
                         struct sr_server *out_server, struct fault *fault)
{
    (void)cancel;
    if (!read_once(((struct unit_target *)(void *)db)->db, fault)) {
        return false;
    }
    *out_server = (struct sr_server){.version = arena_strdup(arena, "4.1.0")};
    if (((struct unit_target *)(void *)db)->db->sr.version != NULL) {
        *out_server = ((struct unit_target *)(void *)db)->db->sr;
    }
    return true;
}

static void target_close(struct target_db *db)
{
    ((struct unit_target *)(void *)db)->db->closes++;
    heap_free(db);
}

static bool open_source(struct db_factory *f, const struct db_endpoint *endpoint,
                        struct cancel *cancel, struct source_db **out_db,
                        struct fault *fault)
{
    static const struct source_db_ops ops = {.probe = source_probe,
                                             .list_unparseable = source_unparseable,
                                             .close = source_close};
    struct unit_db *db = (struct unit_db *)(void *)f;
    struct unit_source *made = NULL;

    (void)endpoint;
    (void)cancel;
    if (!opened(db, fault)) {
        return false;
    }
    made = HEAP_NEW(struct unit_source);
    made->base.ops = &ops;
    made->db = db;
    *out_db = &made->base;
    return true;
}

static bool open_stream(struct db_factory *f, const struct db_endpoint *endpoint,
                        struct cancel *cancel, struct stream_db **out_db,
                        struct fault *fault)
{
    static const struct stream_db_ops ops = {
        .probe = stream_probe, .catalog = stream_catalog, .close = stream_close};
    struct unit_db *db = (struct unit_db *)(void *)f;
    struct unit_stream *made = NULL;

    (void)endpoint;
    (void)cancel;
    if (!opened(db, fault)) {
        return false;
    }
    made = HEAP_NEW(struct unit_stream);
    made->base.ops = &ops;
    made->db = db;
    *out_db = &made->base;
    return true;
}

static bool open_target(struct db_factory *f, const struct db_endpoint *endpoint,
                        struct cancel *cancel, struct target_db **out_db,
                        struct fault *fault)
{
    static const struct target_db_ops ops = {.probe = target_probe,
                                             .close = target_close};
    struct unit_db *db = (struct unit_db *)(void *)f;
    struct unit_target *made = NULL;

    (void)endpoint;
    (void)cancel;
    if (!opened(db, fault)) {
        return false;
    }
    made = HEAP_NEW(struct unit_target);
    made->base.ops = &ops;
    made->db = db;
    *out_db = &made->base;
    return true;
}

void unit_db_init(struct unit_db *db)
{
    static const struct db_factory_ops ops = {open_source, open_stream, open_target};

    memset(db, 0, sizeof(*db));
    db->base.ops = &ops;
}

/* --- the API server --- */

static bool kube_call(struct kube_transport *t, const struct kube_request *request,
                      struct cancel *cancel, struct kube_response *out_response,
                      struct fault *fault)
{
    struct unit_kube *kube = (struct unit_kube *)(void *)t;
    struct kube_response response = {.status = 404};

    (void)cancel;
    (void)fault;
    kube->calls++;
    buf_init(&response.body, KUBE_BODY_MAX);
    kube->answer(kube, request, &response);
    *out_response = response;
    return true;
}

static bool kube_stream(struct kube_transport *t, const struct kube_request *request,
                        int64_t idle_ms, struct cancel *cancel, kube_on_bytes *on_bytes,
                        void *context, int *out_status, struct fault *fault)
{
    struct unit_kube *kube = (struct unit_kube *)(void *)t;
    struct kube_response response = {.status = 404};

    (void)idle_ms;
    *out_status = 200;
    if (strstr(request->path, "sendInitialEvents=") != NULL) {
        *out_status = 422; /* this server lists, and it streams only what changes */
        return on_bytes(context, SV("{\"kind\":\"Status\",\"code\":422}"), fault);
    }
    if (strstr(request->path, "watch=1") == NULL) {
        if (!kube_call(t, request, cancel, &response, fault)) {
            return false;
        }
        *out_status = response.status;
        bool good = on_bytes(context, buf_sv(&response.body), fault);
        buf_deinit(&response.body);
        return good;
    }
    return kube->watch == NULL || kube->watch(kube, cancel, on_bytes, context, fault);
}

static void kube_free(struct kube_transport *t)
{
    (void)t; /* the test owns it */
}

void unit_kube_init(struct unit_kube *kube)
{
    static const struct kube_transport_ops ops = {kube_call, kube_stream, kube_free};

    memset(kube, 0, sizeof(*kube));
    kube->base.ops = &ops;
}

struct json *unit_json(const char *text)
{
    struct fault fault = FAULT_INIT;
    struct json *json = NULL;

    assert_ok(json_parse(sv_from(text), KUBE_BODY_MAX, &json, &fault), fault);
    return json;
}
