/* The offline form of a MySQL schema: one table of fields reads and writes it. */
#include "ddl/schema.h"

#include <stddef.h>
#include <string.h>

#define COLUMNS_MAX ((size_t)4096)   /* MySQL's own limit */
#define EXACT_MAX ((int64_t)1 << 53) /* larger numbers are written as text */

enum field_kind {
    FIELD_TEXT,
    FIELD_NULLABLE_TEXT,
    FIELD_INT,
    FIELD_UINT,
    FIELD_BOOL,
    FIELD_LIST
};

struct field {
    const char *key;
    enum field_kind kind;
    size_t offset;
    int64_t otherwise;
};

#define FIELD(type, key, kind, member, otherwise)                                        \
    {                                                                                    \
        key, FIELD_##kind, offsetof(struct type, member), otherwise                      \
    }

static const struct field server_fields[] = {
    FIELD(mysql_server, "version", TEXT, version, 0),
    FIELD(mysql_server, "serverUuid", NULLABLE_TEXT, server_uuid, 0),
    FIELD(mysql_server, "serverId", UINT, server_id, 0),
    FIELD(mysql_server, "logBin", BOOL, log_bin, true),
    FIELD(mysql_server, "binlogFormat", TEXT, binlog_format, 0),
    FIELD(mysql_server, "binlogRowImage", TEXT, binlog_row_image, 0),
    FIELD(mysql_server, "binlogExpireSeconds", INT, binlog_expire_seconds, -1),
    FIELD(mysql_server, "gtid", BOOL, gtid, false),
    FIELD(mysql_server, "lowerCaseTableNames", INT, lower_case_table_names, 0),
    FIELD(mysql_server, "currentUser", TEXT, current_user, 0),
    FIELD(mysql_server, "grants", LIST, grants, 0),
    FIELD(mysql_server, "require", NULLABLE_TEXT, require, 0),
};

static const struct field table_fields[] = {
    FIELD(mysql_table, "database", TEXT, database, 0),
    FIELD(mysql_table, "name", TEXT, name, 0),
    FIELD(mysql_table, "type", NULLABLE_TEXT, type, 0),
    FIELD(mysql_table, "engine", NULLABLE_TEXT, engine, 0),
    FIELD(mysql_table, "comment", TEXT, comment, 0),
    FIELD(mysql_table, "rowEstimate", INT, row_estimate, -1),
    FIELD(mysql_table, "autoIncrement", INT, auto_increment, 0),
    FIELD(mysql_table, "primaryKey", LIST, primary_key, 0),
    FIELD(mysql_table, "createdAt", NULLABLE_TEXT, created_at, 0),
};

static const struct field column_fields[] = {
    FIELD(mysql_column, "name", TEXT, name, 0),
    FIELD(mysql_column, "ordinal", INT, ordinal, 0),
    FIELD(mysql_column, "dataType", TEXT, data_type, 0),
    FIELD(mysql_column, "columnType", TEXT, column_type, 0),
    FIELD(mysql_column, "nullable", BOOL, nullable, true),
    FIELD(mysql_column, "key", TEXT, key, 0),
    FIELD(mysql_column, "defaultValue", NULLABLE_TEXT, default_value, 0),
    FIELD(mysql_column, "extra", TEXT, extra, 0),
    FIELD(mysql_column, "charset", NULLABLE_TEXT, charset, 0),
    FIELD(mysql_column, "collation", NULLABLE_TEXT, collation, 0),
    FIELD(mysql_column, "comment", TEXT, comment, 0),
    FIELD(mysql_column, "generationExpression", NULLABLE_TEXT, generation_expression, 0),
    FIELD(mysql_column, "charMaxLength", INT, char_max_length, -1),
    FIELD(mysql_column, "numericPrecision", INT, numeric_precision, -1),
    FIELD(mysql_column, "numericScale", INT, numeric_scale, -1),
    FIELD(mysql_column, "datetimePrecision", INT, datetime_precision, -1),
    FIELD(mysql_column, "keyMax", INT, key_max, 0),
};

static const char *const kind_names[] = {
    [FIELD_TEXT] = "a string",      [FIELD_NULLABLE_TEXT] = "a string or null",
    [FIELD_INT] = "a number",       [FIELD_UINT] = "a number from 0 on",
    [FIELD_BOOL] = "true or false", [FIELD_LIST] = "a list of strings",
};

static bool wrong_kind(const char *path, const struct field *field, struct fault *fault)
{
    return fault_set(fault, FAULT_SPEC, "InvalidSchema", "%s%s must be %s", path,
                     field->key, kind_names[field->kind]);
}

static bool read_list(const struct json *node, struct arena *arena,
                      struct strlist *out_list)
{
    struct strlist list = {0};

    if (json_kind(node) != JSON_ARRAY && node != NULL) {
        return false;
    }
    for (const struct json *item = json_first(node); item != NULL;
         item = json_next(item)) {
        if (json_string(item) == NULL) {
            return false;
        }
        VEC_PUSH(arena, &list, (const char *)arena_strdup(arena, json_string(item)));
    }
    *out_list = list;
    return true;
}

/* Numbers over 2^53 come as text, so that none is rounded. */
static bool read_int(const struct json *node, int64_t otherwise, int64_t *out_value)
{
    if (json_kind(node) == JSON_STRING) {
        return sv_int64(sv_from(json_string(node)), out_value);
    }
    *out_value = json_int(node, otherwise);
    return node == NULL || json_kind(node) == JSON_NUMBER;
}

static bool read_field(const struct json *node, const struct field *field, void *member,
                       struct arena *arena)
{
    int64_t number = 0;
    bool absent = json_kind(node) == JSON_MISSING || json_kind(node) == JSON_NULL;
    const char *text = absent ? NULL : json_string(node);

    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_NULLABLE_TEXT:
        if (!absent && text == NULL) {
            return false;
        }
        if (absent && field->kind == FIELD_TEXT) {
            text = "";
        }
        *(const char **)member = arena_strdup(arena, text);
        return true;
    case FIELD_INT:
    case FIELD_UINT:
        if (!read_int(absent ? NULL : node, field->otherwise, &number)) {
            return false;
        }
        if (field->kind == FIELD_INT) {
            *(int64_t *)member = number;
            return true;
        }
        *(uint64_t *)member = (uint64_t)number;
        return number >= 0;
    case FIELD_BOOL:
        *(bool *)member = json_bool(node, field->otherwise != 0);
        return absent || json_kind(node) == JSON_BOOL;
    case FIELD_LIST:
        return read_list(absent ? NULL : node, arena, member);
    }
    return false;
}

static bool read_fields(const struct json *object, const char *path,
                        const struct field *fields, size_t count, void *out,
                        struct arena *arena, struct fault *fault)
{
    for (size_t i = 0; i < count; i++) {
        void *member = (char *)out + fields[i].offset;
        if (!read_field(json_get(object, fields[i].key), &fields[i], member, arena)) {
            return wrong_kind(path, &fields[i], fault);
        }
    }
    return true;
}

static bool required(const char *path, const char *key, const char *value,
                     struct fault *fault)
{
    must(value != NULL);
    if (value[0] == '\0') {
        return fault_set(fault, FAULT_SPEC, "InvalidSchema", "%s%s is missing", path,
                         key);
    }
    return true;
}

/* "int(10) unsigned" -> "int" */
static const char *leading_word(struct arena *arena, const char *column_type)
{
    size_t n = strcspn(column_type, "( ");

    return arena_copy(arena, (struct sv){column_type, n});
}

static bool read_column(const struct json *node, size_t index, struct arena *arena,
                        struct mysql_column *out_column, struct fault *fault)
{
    const char *path = arena_printf(arena, "table.columns[%zu].", index);
    struct mysql_column column = {0};

    if (!read_fields(node, path, column_fields, COUNT_OF(column_fields), &column, arena,
                     fault) ||
        !required(path, "name", column.name, fault) ||
        !required(path, "columnType", column.column_type, fault)) {
        return false;
    }
    if (column.data_type[0] == '\0') {
        column.data_type = leading_word(arena, column.column_type);
    }
    if (column.ordinal == 0) {
        column.ordinal = (int64_t)index + 1;
    }
    *out_column = column;
    return true;
}

/* {"uniqueKeys": {"name": ["column", ...]}} */
static bool read_unique_keys(const struct json *node, struct arena *arena,
                             struct mysql_table *table, struct fault *fault)
{
    bool is_map = json_kind(node) == JSON_OBJECT;

    for (const struct json *item = is_map ? json_first(node) : NULL; item != NULL;
         item = json_next(item)) {
        struct mysql_key key = {.name = arena_strdup(arena, json_key(item))};

        if (table->unique_keys.n == COLUMNS_MAX ||
            !read_list(item, arena, &key.columns)) {
            return fault_set(
                fault, FAULT_SPEC, "InvalidSchema",
                "table.uniqueKeys must map each index to its list of columns");
        }
        VEC_PUSH(arena, &table->unique_keys, key);
    }
    return node == NULL || is_map ||
           fault_set(fault, FAULT_SPEC, "InvalidSchema",
                     "table.uniqueKeys must be a map");
}

static bool read_table(const struct json *node, struct arena *arena,
                       struct mysql_table *out_table, struct fault *fault)
{
    struct mysql_table table = {0};
    const struct json *columns = json_get(node, "columns");

    if (!read_fields(node, "table.", table_fields, COUNT_OF(table_fields), &table, arena,
                     fault) ||
        !required("table.", "database", table.database, fault) ||
        !required("table.", "name", table.name, fault)) {
        return false;
    }
    if (json_kind(columns) != JSON_ARRAY || json_size(columns) > COLUMNS_MAX) {
        return fault_set(fault, FAULT_SPEC, "InvalidSchema",
                         "table.columns must be a list of at most %zu columns",
                         COLUMNS_MAX);
    }
    for (const struct json *item = json_first(columns); item != NULL;
         item = json_next(item)) {
        struct mysql_column column;
        if (!read_column(item, table.columns.n, arena, &column, fault)) {
            return false;
        }
        VEC_PUSH(arena, &table.columns, column);
    }
    if (!read_unique_keys(json_get(node, "uniqueKeys"), arena, &table, fault)) {
        return false;
    }
    table.type = table.type == NULL ? "BASE TABLE" : table.type;
    if (json_get(node, "primaryKey") == NULL) {
        for (size_t i = 0; i < table.columns.n; i++) {
            if (strcmp(table.columns.v[i].key, "PRI") == 0) {
                VEC_PUSH(arena, &table.primary_key, table.columns.v[i].name);
            }
        }
    }
    *out_table = table;
    return true;
}

static bool read_server(const struct json *node, struct arena *arena,
                        struct mysql_server *out_server, struct fault *fault)
{
    struct mysql_server server = {0};
    const char *flavor = json_get_string(node, "flavor");

    if (!read_fields(node, "server.", server_fields, COUNT_OF(server_fields), &server,
                     arena, fault)) {
        return false;
    }
    if (flavor == NULL) {
        flavor = sv_find_nocase(sv_from(server.version), SV("mariadb")) == SIZE_MAX
                     ? "MySQL"
                     : "MariaDB";
    }
    if (strcmp(flavor, "MySQL") != 0 && strcmp(flavor, "MariaDB") != 0) {
        return fault_set(fault, FAULT_SPEC, "InvalidSchema",
                         "server.flavor must be MySQL or MariaDB");
    }
    server.flavor = strcmp(flavor, "MariaDB") == 0 ? MYSQL_MARIADB : MYSQL_ORACLE;
    *out_server = server;
    return true;
}

bool mysql_schema_read(const struct json *root, struct arena *arena,
                       struct mysql_server *out_server, struct mysql_table *out_table,
                       struct fault *fault)
{
    struct mysql_server server;
    struct mysql_table table;

    if (json_kind(json_get(root, "table")) != JSON_OBJECT) {
        return fault_set(
            fault, FAULT_SPEC, "InvalidSchema",
            "the schema must be an object {\"server\": {...}, \"table\": {...}}");
    }
    if (!read_server(json_get(root, "server"), arena, &server, fault) ||
        !read_table(json_get(root, "table"), arena, &table, fault)) {
        return false;
    }
    *out_server = server;
    *out_table = table;
    return true;
}

static void write_int(struct json *object, const char *key, int64_t value)
{
    AUTO(buf_deinit) struct buf text = {0};

    if (value <= EXACT_MAX && value >= -EXACT_MAX) {
        json_set_int(object, key, value);
        return;
    }
    buf_init(&text, 32);
    buf_addf(&text, "%lld", (long long)value);
    json_set_string(object, key, buf_z(&text));
}

static void write_field(struct json *object, const struct field *field,
                        const void *member)
{
    const struct strlist *list = member;
    struct json *array;

    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_NULLABLE_TEXT:
        if (*(const char *const *)member != NULL) {
            json_set_string(object, field->key, *(const char *const *)member);
        }
        break;
    case FIELD_INT:
        write_int(object, field->key, *(const int64_t *)member);
        break;
    case FIELD_UINT:
        write_int(object, field->key, (int64_t) * (const uint64_t *)member);
        break;
    case FIELD_BOOL:
        json_set_bool(object, field->key, *(const bool *)member);
        break;
    case FIELD_LIST:
        array = json_set_array(object, field->key);
        for (size_t i = 0; i < list->n; i++) {
            json_push_string(array, list->v[i]);
        }
        break;
    }
}

static void write_fields(struct json *object, const struct field *fields, size_t count,
                         const void *from)
{
    for (size_t i = 0; i < count; i++) {
        write_field(object, &fields[i], (const char *)from + fields[i].offset);
    }
}

void mysql_schema_write(const struct mysql_server *server,
                        const struct mysql_table *table, struct json *object)
{
    struct json *node = json_set_object(object, "server");

    json_set_string(node, "flavor",
                    server->flavor == MYSQL_MARIADB ? "MariaDB" : "MySQL");
    write_fields(node, server_fields, COUNT_OF(server_fields), server);
    node = json_set_object(object, "table");
    write_fields(node, table_fields, COUNT_OF(table_fields), table);
    struct json *keys = json_set_object(node, "uniqueKeys");
    for (size_t i = 0; i < table->unique_keys.n; i++) {
        const struct mysql_key *key = &table->unique_keys.v[i];
        struct json *list = json_set_array(keys, key->name);

        for (size_t k = 0; k < key->columns.n; k++) {
            json_push_string(list, key->columns.v[k]);
        }
    }
    struct json *columns = json_set_array(node, "columns");
    for (size_t i = 0; i < table->columns.n; i++) {
        write_fields(json_push_object(columns), column_fields, COUNT_OF(column_fields),
                     &table->columns.v[i]);
    }
}
