/* What the drivers read, as JSON for the tests. */
#ifndef DRIVERS_DRIVER_VALUES_H
#define DRIVERS_DRIVER_VALUES_H

#include "db/db.h"

static inline void print_list(struct json *object, const char *key,
                              const struct strlist *list)
{
    struct json *array = json_set_array(object, key);

    for (size_t i = 0; i < list->n; i++) {
        json_push_string(array, list->v[i]);
    }
}

static inline void print_source_server(const struct mysql_server *server, struct json *o)
{
    json_set_string(o, "version", server->version);
    json_set_bool(o, "mariadb", server->flavor == MYSQL_MARIADB);
    json_set_string(o, "serverUuid", server->server_uuid);
    json_set_int(o, "serverId", (int64_t)server->server_id);
    json_set_bool(o, "logBin", server->log_bin);
    json_set_string(o, "binlogFormat", server->binlog_format);
    json_set_string(o, "binlogRowImage", server->binlog_row_image);
    json_set_int(o, "expireSeconds", server->binlog_expire_seconds);
    json_set_bool(o, "gtid", server->gtid);
    json_set_int(o, "lowerCaseTableNames", server->lower_case_table_names);
    json_set_string(o, "currentUser", server->current_user);
    print_list(o, "grants", &server->grants);
}

static inline void print_stream_table(const struct rw_table *table, struct json *o)
{
    json_set_string(o, "comment", table->comment);
    struct json *columns = json_set_object(o, "columns");
    struct json *key = json_set_array(o, "key");
    for (VEC_EACH(struct rw_column, column, &table->columns)) {
        json_set_string(columns, column->name, column->type);
        if (column->primary_key) {
            json_push_string(key, column->name);
        }
    }
}

static inline void print_stream_sink(const struct rw_sink *sink, struct json *o)
{
    json_set_string(o, "host", sink->host);
    json_set_string(o, "mysqlPort", sink->mysql_port);
    json_set_string(o, "httpPort", sink->http_port);
    json_set_string(o, "user", sink->user);
    json_set_string(o, "database", sink->database);
    json_set_string(o, "table", sink->table);
    json_set_string(o, "primaryKey", sink->primary_key);
    if (sink->password_digest != NULL) {
        json_set_string(o, "passwordDigest", sink->password_digest);
    }
    json_set_bool(o, "creating", sink->creating);
    json_set_int(o, "rateLimit", sink->rate_limit);
}

static inline void print_stream_catalog(const struct rw_catalog *catalog,
                                        struct arena *arena, struct json *value)
{
    json_set_bool(value, "schemaExists", catalog->schema_exists);
    struct json *sources = json_set_array(value, "sources");
    for (VEC_EACH(struct rw_source, source, &catalog->sources)) {
        struct json *o = json_push_object(sources);
        json_set_string(o, "schema", source->schema);
        json_set_string(o, "name", source->name);
        json_set_string(o, "hostname", source->hostname);
        json_set_string(o, "database", source->database);
        json_set_string(o, "serverId", source->server_id);
        if (source->password_digest != NULL) {
            json_set_string(o, "passwordDigest", source->password_digest);
        }
    }
    struct json *tables = json_set_object(value, "tables");
    for (VEC_EACH(struct rw_table, table, &catalog->tables)) {
        print_stream_table(table, json_set_object(tables, table->name));
    }
    struct json *sinks = json_set_object(value, "sinks");
    for (VEC_EACH(struct rw_sink, sink, &catalog->sinks)) {
        print_stream_sink(sink, json_set_object(sinks, sink->name));
    }
    struct json *internals = json_set_array(value, "internals");
    for (VEC_EACH(struct rw_internal, internal, &catalog->internals)) {
        json_push_string(internals, internal->name);
    }
    struct json *relations = json_set_array(value, "relations");
    for (VEC_EACH(struct rw_relation, relation, &catalog->relations)) {
        json_push_string(relations, arena_printf(arena, "%s %s.%s", relation->kind,
                                                 relation->schema, relation->name));
        struct strlist users = {0};
        rw_catalog_users(catalog, relation->id, arena, &users);
        if (users.n > 0) {
            print_list(value, arena_printf(arena, "users of %s", relation->name), &users);
        }
    }
    struct json *events = json_set_array(value, "events");
    for (VEC_EACH(struct rw_event, event, &catalog->events)) {
        struct json *o = json_push_object(events);
        json_set_string(o, "type", event->type);
        json_set_string(o, "object", event->object);
        json_set_string(o, "error", event->error);
    }
}

static inline void print_target_catalog(const struct sr_catalog *catalog,
                                        struct json *value)
{
    json_set_bool(value, "databaseExists", catalog->database_exists);
    json_set_int(value, "liveBackends", catalog->live_backends);
    struct json *tables = json_set_object(value, "tables");
    for (VEC_EACH(struct sr_table, table, &catalog->tables)) {
        struct json *o = json_set_object(tables, table->name);
        json_set_string(o, "comment", table->comment);
        json_set_string(o, "model", table->model);
        print_list(o, "primaryKey", &table->primary_key);
        struct json *columns = json_set_object(o, "columns");
        struct json *defaults = json_set_object(o, "defaults");
        for (VEC_EACH(struct sr_column, column, &table->columns)) {
            json_set_string(columns, column->name, column->type);
            if (column->default_value != NULL) {
                json_set_string(defaults, column->name, column->default_value);
            }
        }
        json_set_bool(o, "altering", table->altering);
        json_set_string(o, "alterFailed", table->alter_failed);
    }
}

#endif
