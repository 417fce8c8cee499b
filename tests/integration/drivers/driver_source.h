/* The calls for MySQL. */
#ifndef DRIVERS_DRIVER_SOURCE_H
#define DRIVERS_DRIVER_SOURCE_H

#include "driver_call.h"
#include "driver_values.h"

#include <string.h>

#define LOSS_CHECKS_MAX 300

static inline bool source_probe(struct call *c)
{
    struct mysql_server server = {0};

    if (!c->probe->source->ops->probe(c->probe->source, &c->cancel, c->arena, &server,
                                      c->fault)) {
        return false;
    }
    print_source_server(&server, c->value);
    return true;
}

static inline bool source_table(struct call *c)
{
    struct mysql_server nobody = {.version = ""};
    struct mysql_table *table = NULL;
    bool database_exists = false;

    if (!c->probe->source->ops->read_table(c->probe->source, text_of(c, "database"),
                                           text_of(c, "table"), &c->cancel, c->arena,
                                           &table, &database_exists, c->fault)) {
        return false;
    }
    json_set_bool(c->value, "databaseExists", database_exists);
    json_set_bool(c->value, "exists", table != NULL);
    if (table == NULL) {
        return true;
    }
    mysql_schema_write(&nobody, table, c->value);
    struct json *maxima = json_set_object(c->value, "keyMax");
    for (VEC_EACH(struct mysql_column, column, &table->columns)) {
        json_set_int(maxima, column->name, column->key_max);
    }
    json_set_string(c->value, "createdAt", table->created_at);
    struct json *keys = json_set_object(c->value, "uniqueKeys");
    for (VEC_EACH(struct mysql_key, key, &table->unique_keys)) {
        print_list(keys, key->name, &key->columns);
    }
    return true;
}

static inline bool source_replicas(struct call *c)
{
    struct strlist ids = {0};

    if (!c->probe->source->ops->replica_ids(c->probe->source, &c->cancel, c->arena, &ids,
                                            c->fault)) {
        return false;
    }
    print_list(c->value, "ids", &ids);
    return true;
}

static inline enum loss_kind loss_of(const char *name)
{
    static const char *const names[LOSS_KIND_MAX] = {
        [LOSS_NONE] = "notNull",  [LOSS_TIME_RANGE] = "timeRange",
        [LOSS_DIGITS] = "digits", [LOSS_ZERO_DATE] = "zeroDate",
        [LOSS_LENGTH] = "length", [LOSS_BOOLEAN] = "boolean"};

    for (int kind = 0; kind < (int)LOSS_KIND_MAX; kind++) {
        if (strcmp(names[kind], name) == 0) {
            return (enum loss_kind)kind;
        }
    }
    must(!"no such kind of loss");
}

/* "checks": [{"column", "kind", "limit"}] */
static inline bool source_losses(struct call *c)
{
    struct loss_check checks[LOSS_CHECKS_MAX];
    int64_t counts[LOSS_CHECKS_MAX];
    size_t count = 0;
    bool complete = false;
    const struct json *each = json_first(json_get(c->in, "checks"));

    for (; each != NULL && count < LOSS_CHECKS_MAX; each = json_next(each)) {
        checks[count++] =
            (struct loss_check){.column = json_get_string(each, "column"),
                                .kind = loss_of(json_get_string(each, "kind")),
                                .limit = json_path_int(each, "limit", 0)};
    }
    if (!c->probe->source->ops->count_losses(
            c->probe->source, checks, count, text_of(c, "database"), text_of(c, "table"),
            json_path_int(c->in, "rowsMax", 1000000), &c->cancel, c->arena, counts,
            &complete, c->fault)) {
        return false;
    }
    json_set_bool(c->value, "complete", complete);
    struct json *array = json_set_array(c->value, "counts");
    for (size_t i = 0; i < count; i++) {
        json_push_string(array, arena_printf(c->arena, "%lld", (long long)counts[i]));
    }
    return true;
}

static inline bool source_rows(struct call *c)
{
    int64_t rows = 0;

    if (!c->probe->source->ops->count_rows(
            c->probe->source, text_of(c, "database"), text_of(c, "table"),
            json_path_int(c->in, "rowsMax", 1000000), &c->cancel, &rows, c->fault)) {
        return false;
    }
    json_set_int(c->value, "rows", rows);
    return true;
}

static inline bool source_all(struct call *c)
{
    struct source_db *db = c->probe->source;
    struct mysql_server server = {0};
    struct tally_query query = {0};
    int64_t rows = 0;

    if (!db->ops->probe(db, &c->cancel, c->arena, &server, c->fault) ||
        !tally_ask_mysql(&server, text_of(c, "database"), text_of(c, "table"), c->arena,
                         &query, c->fault) ||
        !db->ops->count_all(db, &query, &c->cancel, &rows, c->fault)) {
        return false;
    }
    json_set_int(c->value, "rows", rows);
    return true;
}

static inline bool source_like(struct call *c)
{
    struct mysql_tables found = {0};

    if (!c->probe->source->ops->list_like(c->probe->source, text_of(c, "database"),
                                          text_of(c, "part"), &c->cancel, c->arena,
                                          &found, c->fault)) {
        return false;
    }
    struct json *tables = json_set_object(c->value, "tables");
    for (VEC_EACH(struct mysql_table, table, &found.tables)) {
        struct json *o = json_set_object(tables, table->name);
        json_set_string(o, "createdAt", table->created_at);
        struct json *columns = json_set_object(o, "columns");
        for (VEC_EACH(struct mysql_column, column, &table->columns)) {
            json_set_string(columns, column->name, column->column_type);
        }
    }
    return true;
}

static inline bool source_databases(struct call *c)
{
    struct strlist names = {0};

    if (!c->probe->source->ops->list_databases(c->probe->source, &c->cancel, c->arena,
                                               &names, c->fault)) {
        return false;
    }
    print_list(c->value, "names", &names);
    return true;
}

static inline bool source_tables(struct call *c)
{
    struct mysql_tables found = {0};

    if (!c->probe->source->ops->list_tables(c->probe->source, text_of(c, "database"),
                                            &c->cancel, c->arena, &found, c->fault)) {
        return false;
    }
    struct json *tables = json_set_array(c->value, "tables");
    for (VEC_EACH(struct mysql_table, table, &found.tables)) {
        struct json *o = json_push_object(tables);
        json_set_string(o, "name", table->name);
        json_set_string(o, "type", table->type);
        json_set_int(o, "rows", table->row_estimate);
        print_list(o, "key", &table->primary_key);
    }
    return true;
}

static inline bool source_unparseable(struct call *c)
{
    struct strlist columns = {0};

    if (!c->probe->source->ops->list_unparseable(c->probe->source, text_of(c, "database"),
                                                 &c->cancel, c->arena, &columns,
                                                 c->fault)) {
        return false;
    }
    print_list(c->value, "columns", &columns);
    return true;
}

#endif
