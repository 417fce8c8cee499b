/* The calls for RisingWave. */
#ifndef DRIVERS_DRIVER_STREAM_H
#define DRIVERS_DRIVER_STREAM_H

#include "driver_call.h"
#include "driver_values.h"

static inline bool stream_probe(struct call *c)
{
    struct rw_server server = {0};

    if (!c->probe->stream->ops->probe(c->probe->stream, &c->cancel, c->arena, &server,
                                      c->fault)) {
        return false;
    }
    json_set_string(c->value, "version", server.version);
    json_set_string(c->value, "user", server.user);
    json_set_string(c->value, "database", server.database);
    json_set_bool(c->value, "recovering", server.recovering);
    json_set_bool(c->value, "superuser", server.superuser);
    json_set_int(c->value, "mayCreate", server.may_create);
    json_set_int(c->value, "mayConnect", server.may_connect);
    json_set_string(c->value, "license", server.license);
    print_list(c->value, "unavailableFeatures", &server.unavailable_features);
    json_set_int(c->value, "actors", server.actors);
    json_set_int(c->value, "parallelism", server.parallelism);
    return true;
}

static inline bool stream_catalog(struct call *c)
{
    struct rw_catalog catalog = {0};

    if (!c->probe->stream->ops->catalog(c->probe->stream, text_of(c, "schema"),
                                        &c->cancel, c->arena, &catalog, c->fault)) {
        return false;
    }
    print_stream_catalog(&catalog, c->arena, c->value);
    return true;
}

static inline bool stream_offset(struct call *c)
{
    struct rw_offset offset = {0};

    if (!c->probe->stream->ops->source_offset(c->probe->stream, text_of(c, "schema"),
                                              text_of(c, "name"), &c->cancel, c->arena,
                                              &offset, c->fault)) {
        return false;
    }
    json_set_string(c->value, "file", offset.at.file);
    json_set_int(c->value, "eventMs", offset.event_ms);
    return true;
}

static inline bool stream_snapshot(struct call *c)
{
    struct rw_snapshot snapshot = {0};

    if (!c->probe->stream->ops->snapshot(c->probe->stream, text_of(c, "schema"),
                                         text_of(c, "name"), &c->cancel, &snapshot,
                                         c->fault)) {
        return false;
    }
    json_set_bool(c->value, "present", snapshot.present);
    json_set_bool(c->value, "finished", snapshot.finished);
    json_set_int(c->value, "rows", snapshot.rows);
    return true;
}

static inline bool stream_backlog(struct call *c)
{
    struct rw_backlog backlog = {0};

    if (!c->probe->stream->ops->backlog(c->probe->stream, text_of(c, "schema"),
                                        text_of(c, "name"), &c->cancel, &backlog,
                                        c->fault)) {
        return false;
    }
    json_set_bool(c->value, "present", backlog.present);
    json_set_int(c->value, "undelivered", backlog.undelivered);
    json_set_int(c->value, "oldestMs", backlog.oldest_ms);
    json_set_int(c->value, "nowMs", backlog.now_ms);
    return true;
}

static inline bool stream_rows(struct call *c)
{
    int64_t rows = 0;

    if (!c->probe->stream->ops->count_rows(
            c->probe->stream, text_of(c, "schema"), text_of(c, "name"),
            json_path_int(c->in, "rowsMax", 1000000), &c->cancel, &rows, c->fault)) {
        return false;
    }
    json_set_int(c->value, "rows", rows);
    return true;
}

static inline bool stream_log_columns(struct call *c)
{
    struct strlist columns = {0};

    if (!c->probe->stream->ops->log_columns(c->probe->stream, text_of(c, "schema"),
                                            text_of(c, "name"), &c->cancel, c->arena,
                                            &columns, c->fault)) {
        return false;
    }
    print_list(c->value, "columns", &columns);
    return true;
}

/* Deleted keys that the sink's log store holds and the table lacks: the shape of a query
 * the driver runs, with one key column. "width" may lie about it. */
static inline bool stream_ghost_keys(struct call *c)
{
    const struct ident *names[4] = {0};
    static const char *const keys[] = {"schema", "name", "table", "column"};
    struct stmt *s = stmt_new(c->arena, SQL_RISINGWAVE);
    struct ghost_keys found = {0};

    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        if (!ident_parse(c->arena, sv_from(text_of(c, keys[i])), SQL_RISINGWAVE,
                         IDENT_TABLE, &names[i], c->fault)) {
            return false;
        }
    }
    stmt_text(s, "SELECT DISTINCT l.");
    stmt_ident(s, names[3]);
    stmt_text(s, "::varchar AS k0 FROM ");
    stmt_qualified(s, names[0], names[1]);
    stmt_text(s, " l LEFT JOIN ");
    stmt_qualified(s, names[0], names[2]);
    stmt_text(s, " t ON t.\"id\" = l.");
    stmt_ident(s, names[3]);
    stmt_text(s, " WHERE l.kv_log_store_row_op = 2 AND t.\"id\" IS NULL ORDER BY k0 "
                 "LIMIT 2 OFFSET ");
    stmt_int(s, json_path_int(c->in, "offset", 0));
    const struct ghosts_query query = {.stmt = s,
                                       .width = (size_t)json_path_int(c->in, "width", 1)};
    if (!c->probe->stream->ops->ghost_keys(c->probe->stream, &query, &c->cancel, c->arena,
                                           &found, c->fault)) {
        return false;
    }
    json_set_int(c->value, "width", (int64_t)found.width);
    struct json *cells = json_set_array(c->value, "cells");
    for (size_t i = 0; i < found.cells.n; i++) {
        json_push_string(cells, found.cells.v[i]);
    }
    return true;
}

#endif
