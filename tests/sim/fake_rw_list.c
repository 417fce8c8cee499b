/* RisingWave's catalogs: what is there, as the real driver reads it. */
#include "fake_db.h"

static const char *kind_name(enum fake_kind kind)
{
    return kind == FAKE_SOURCE  ? "source"
           : kind == FAKE_TABLE ? "table"
           : kind == FAKE_SINK  ? "sink"
                                : "materialized view";
}

static const char *infix(enum fake_kind kind)
{
    return kind == FAKE_SOURCE ? "source" : kind == FAKE_TABLE ? "streamcdcscan" : "sink";
}

const char *fake_rw_internal(const struct fake_stream_object *o, struct arena *arena)
{
    return arena_printf(arena, "__internal_%s_%lld_%s_%lld", o->name,
                        (long long)o->id + 1, infix(o->kind), (long long)o->id + 2);
}

static const char *digest(const char *password, struct arena *arena)
{
    char hex[SECRET_DIGEST_SIZE];

    secret_digest(sv_from(password), hex);
    return arena_strdup(arena, hex);
}

static void list_source(const struct fake_stream_object *o, struct arena *arena,
                        struct rw_catalog *c)
{
    struct rw_source source = {.id = o->id,
                               .schema = o->schema,
                               .name = o->name,
                               .connector = "mysql-cdc",
                               .hostname = o->hostname,
                               .port = o->port,
                               .username = o->username,
                               .database = o->database,
                               .server_id = o->server_id,
                               .ssl_mode = o->ssl_mode,
                               .password_digest = digest(o->password, arena)};

    VEC_PUSH(arena, &c->sources, source);
}

static void list_table(const struct fake_stream_object *o, struct arena *arena,
                       struct rw_catalog *c)
{
    struct rw_table table = {.id = o->id, .name = o->name, .comment = o->comment};

    for (VEC_EACH(struct rw_column, column, &o->columns)) {
        VEC_PUSH(arena, &table.columns, *column);
    }
    VEC_PUSH(arena, &c->tables, table);
}

static void list_sink(const struct fake_stream_object *o, struct arena *arena,
                      struct rw_catalog *c)
{
    struct rw_sink sink = {.id = o->id,
                           .name = o->name,
                           .host = o->target_host,
                           .mysql_port = o->mysql_port,
                           .http_port = o->http_port,
                           .user = o->user,
                           .database = o->target_database,
                           .table = o->target_table,
                           .primary_key = o->primary_key,
                           .commit_checkpoint_interval = o->interval,
                           .password_digest = digest(o->password, arena),
                           .creating = !o->built,
                           .rate_limit = o->rate_limit};

    VEC_PUSH(arena, &c->sinks, sink);
}

static void list_object(const struct fake_stream_object *o, const char *schema,
                        struct arena *arena, struct rw_catalog *c)
{
    bool here = strcmp(o->schema, schema) == 0;
    struct rw_relation relation = {
        .id = o->id, .schema = o->schema, .name = o->name, .kind = kind_name(o->kind)};

    VEC_PUSH(arena, &c->relations, relation);
    if (o->uses != 0) {
        VEC_PUSH(arena, &c->edges,
                 (struct rw_edge){.object = o->id, .referenced = o->uses});
    }
    if (o->kind == FAKE_SOURCE) {
        list_source(o, arena, c);
    } else if (here && o->kind == FAKE_TABLE) {
        list_table(o, arena, c);
    } else if (here && o->kind == FAKE_SINK) {
        list_sink(o, arena, c);
    }
    if (o->kind != FAKE_VIEW) {
        VEC_PUSH(arena, &c->internals,
                 (struct rw_internal){.job = o->id, .name = fake_rw_internal(o, arena)});
    }
}

void fake_rw_list(const struct fake_rw *rw, const char *schema, struct arena *arena,
                  struct rw_catalog *out_catalog)
{
    struct rw_catalog c = {0};

    for (size_t i = 0; i < rw->schemas.n; i++) {
        c.schema_exists = c.schema_exists || strcmp(rw->schemas.v[i], schema) == 0;
    }
    for (size_t i = 0; i < rw->objects.n; i++) {
        list_object(rw->objects.v[i], schema, arena, &c);
    }
    for (VEC_EACH(struct rw_event, e, &rw->events)) {
        VEC_PUSH(arena, &c.events, *e);
    }
    *out_catalog = c;
}
