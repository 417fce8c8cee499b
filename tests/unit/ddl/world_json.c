/* observed.json of the golden cases. */
#include "unit.h"
#include "world.h"

static const char *text(struct world *w, const struct json *node, const char *key)
{
    return arena_strdup(w->arena, json_get_string(node, key));
}

static int64_t number(const struct json *node, const char *key, int64_t otherwise)
{
    return json_int(json_get(node, key), otherwise);
}

static void read_sources(struct world *w, const struct json *list)
{
    for (const struct json *s = json_first(list); s != NULL; s = json_next(s)) {
        struct rw_source source = {.id = number(s, "id", 0),
                                   .schema = text(w, s, "schema"),
                                   .name = text(w, s, "name"),
                                   .connector = text(w, s, "connector"),
                                   .hostname = text(w, s, "hostname"),
                                   .port = text(w, s, "port"),
                                   .username = text(w, s, "username"),
                                   .database = text(w, s, "database"),
                                   .server_id = text(w, s, "serverId"),
                                   .ssl_mode = text(w, s, "sslMode"),
                                   .password_digest =
                                       world_digest(w, json_get_string(s, "password"))};
        struct rw_relation relation = {source.id, source.schema, source.name, "source"};
        VEC_PUSH(w->arena, &w->rw.sources, source);
        VEC_PUSH(w->arena, &w->rw.relations, relation);
    }
}

static void read_rw_tables(struct world *w, const struct json *list)
{
    for (const struct json *t = json_first(list); t != NULL; t = json_next(t)) {
        struct rw_table table = {.id = number(t, "id", 0),
                                 .name = text(w, t, "name"),
                                 .comment = text(w, t, "comment")};
        struct rw_relation relation = {table.id, w->schema, table.name, "table"};
        const struct json *columns = json_get(t, "columns");
        for (const struct json *c = json_first(columns); c != NULL; c = json_next(c)) {
            struct rw_column column = {.name = text(w, c, "name"),
                                       .type = text(w, c, "type"),
                                       .primary_key =
                                           json_bool(json_get(c, "primaryKey"), false)};
            VEC_PUSH(w->arena, &table.columns, column);
        }
        VEC_PUSH(w->arena, &w->rw.tables, table);
        VEC_PUSH(w->arena, &w->rw.relations, relation);
    }
}

static void read_sinks(struct world *w, const struct json *list)
{
    for (const struct json *s = json_first(list); s != NULL; s = json_next(s)) {
        struct rw_sink sink = {
            .id = number(s, "id", 0),
            .name = text(w, s, "name"),
            .host = text(w, s, "host"),
            .mysql_port = text(w, s, "mysqlPort"),
            .http_port = text(w, s, "httpPort"),
            .user = text(w, s, "user"),
            .database = text(w, s, "database"),
            .table = text(w, s, "table"),
            .primary_key = text(w, s, "primaryKey"),
            .commit_checkpoint_interval = text(w, s, "commitCheckpointInterval"),
            .password_digest = world_digest(w, json_get_string(s, "password")),
            .rate_limit = number(s, "rateLimit", -1)};
        struct rw_relation relation = {sink.id, w->schema, sink.name, "sink"};
        VEC_PUSH(w->arena, &w->rw.sinks, sink);
        VEC_PUSH(w->arena, &w->rw.relations, relation);
    }
}

static void read_edges(struct world *w, const struct json *list)
{
    for (const struct json *e = json_first(list); e != NULL; e = json_next(e)) {
        struct rw_edge edge = {json_int(json_at(e, 0), 0), json_int(json_at(e, 1), 0)};
        VEC_PUSH(w->arena, &w->rw.edges, edge);
    }
}

static void read_relations(struct world *w, const struct json *list)
{
    for (const struct json *r = json_first(list); r != NULL; r = json_next(r)) {
        struct rw_relation relation = {number(r, "id", 0), text(w, r, "schema"),
                                       text(w, r, "name"), text(w, r, "kind")};
        VEC_PUSH(w->arena, &w->rw.relations, relation);
    }
}

static void read_sr_tables(struct world *w, const struct json *list)
{
    for (const struct json *t = json_first(list); t != NULL; t = json_next(t)) {
        struct sr_table table = {.name = text(w, t, "name"),
                                 .is_view = json_bool(json_get(t, "isView"), false),
                                 .comment = text(w, t, "comment"),
                                 .model = text(w, t, "model")};
        const struct json *items = json_get(t, "primaryKey");
        for (const struct json *k = json_first(items); k != NULL; k = json_next(k)) {
            VEC_PUSH(w->arena, &table.primary_key,
                     (const char *)arena_strdup(w->arena, json_string(k)));
        }
        items = json_get(t, "columns");
        for (const struct json *c = json_first(items); c != NULL; c = json_next(c)) {
            struct sr_column column = {.name = text(w, c, "name"),
                                       .type = text(w, c, "type"),
                                       .nullable =
                                           json_bool(json_get(c, "nullable"), true),
                                       .comment = ""};
            VEC_PUSH(w->arena, &table.columns, column);
        }
        VEC_PUSH(w->arena, &w->sr.tables, table);
    }
}

void world_read(struct world *w, const struct json *root)
{
    const struct json *rw = json_get(root, "risingwave");
    const struct json *sr = json_get(root, "starrocks");

    w->rw.schema_exists = json_bool(json_get(rw, "schemaExists"), false);
    read_sources(w, json_get(rw, "sources"));
    read_rw_tables(w, json_get(rw, "tables"));
    read_sinks(w, json_get(rw, "sinks"));
    read_edges(w, json_get(rw, "edges"));
    read_relations(w, json_get(rw, "relations"));
    w->sr.database_exists = json_bool(json_get(sr, "databaseExists"), false);
    w->sr.live_backends = number(sr, "liveBackends", -1);
    read_sr_tables(w, json_get(sr, "tables"));
}
