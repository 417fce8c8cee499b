#include "db/risingwave_rows.h"

#include "base/map.h"
#include "base/secret.h"

#include <stdio.h>
#include <string.h>

const char *risingwave_rows_version(const char *text, struct arena *arena)
{
    struct sv whole = sv_from(text);
    size_t at = sv_find(whole, SV("RisingWave-"));

    if (at == SIZE_MAX) {
        return arena_copy(arena, whole);
    }
    struct sv rest = sv_sub(whole, at + SV("RisingWave-").n, whole.n);
    return arena_copy(arena, sv_cut(&rest, ' '));
}

bool risingwave_rows_recovering(const struct rows *info, const char *database)
{
    for (size_t i = 0; i < rows_count(info); i++) {
        const char *name = rows_get(info, i, "database_name");
        if (name != NULL && strcmp(name, database) == 0) {
            return rows_bool(info, i, "in_global_recovering") ||
                   strcmp(rows_text(info, i, "recovery_state"), "RECOVERING") == 0;
        }
    }
    return false;
}

static const char *schema_name(const struct rows *schemas, int64_t id,
                               struct arena *arena)
{
    for (size_t i = 0; i < rows_count(schemas); i++) {
        if (rows_int(schemas, i, "id", -1) == id) {
            return arena_strdup(arena, rows_text(schemas, i, "name"));
        }
    }
    return "";
}

static void json_freep_or_null(struct json **root)
{
    if (*root != NULL) {
        json_freep(root);
    }
}

static struct json *parse(const char *text)
{
    struct json *root = NULL;
    struct fault ignored = FAULT_INIT;

    if (text == NULL || !json_parse(sv_from(text), DB_VALUE_MAX, &root, &ignored)) {
        return NULL;
    }
    return root;
}

/* {"hostname": {"type": "plaintext", "value": "db"}}; a secret's value is an object. */
static const char *prop(const struct json *props, const char *key, struct arena *arena)
{
    return arena_strdup(arena, json_get_string(json_get(props, key), "value"));
}

/* A password as its digest; the parser's copy is wiped. A SECRET shows its name in an
 * object: then nothing can be compared. */
static const char *digest(const struct json *props, const char *key, struct arena *arena)
{
    const char *value = json_get_string(json_get(props, key), "value");
    char hex[SECRET_DIGEST_SIZE];

    if (value == NULL) {
        return NULL;
    }
    secret_digest(sv_from(value), hex);
    secret_wipe((char *)(uintptr_t)value, strlen(value));
    return arena_strdup(arena, hex);
}

void risingwave_rows_sources(const struct rows *sources, const struct rows *schemas,
                             struct arena *arena, struct rw_catalog *catalog)
{
    for (size_t i = 0; i < rows_count(sources); i++) {
        AUTO(json_freep_or_null)
        struct json *props = parse(rows_get(sources, i, "connector_props"));
        VEC_PUSH(arena, &catalog->sources,
                 (struct rw_source){
                     .id = rows_int(sources, i, "id", 0),
                     .schema = schema_name(schemas, rows_int(sources, i, "schema_id", -1),
                                           arena),
                     .name = arena_strdup(arena, rows_text(sources, i, "name")),
                     .connector = prop(props, "connector", arena),
                     .hostname = prop(props, "hostname", arena),
                     .port = prop(props, "port", arena),
                     .username = prop(props, "username", arena),
                     .database = prop(props, "database.name", arena),
                     .server_id = prop(props, "server.id", arena),
                     .ssl_mode = prop(props, "ssl.mode", arena),
                     .password_digest = digest(props, "password", arena),
                 });
    }
}

void risingwave_rows_relations(const struct rows *relations, const struct rows *schemas,
                               struct arena *arena, struct rw_catalog *catalog)
{
    for (size_t i = 0; i < rows_count(relations); i++) {
        const char *kind = rows_text(relations, i, "relation_type");
        if (strcmp(kind, "system table") == 0) {
            continue;
        }
        VEC_PUSH(arena, &catalog->relations,
                 (struct rw_relation){
                     .id = rows_int(relations, i, "id", 0),
                     .schema = schema_name(
                         schemas, rows_int(relations, i, "schema_id", -1), arena),
                     .name = arena_strdup(arena, rows_text(relations, i, "name")),
                     .kind = arena_strdup(arena, kind),
                 });
    }
}

void risingwave_rows_tables(const struct rows *tables, struct arena *arena,
                            struct rw_catalog *catalog)
{
    for (size_t i = 0; i < rows_count(tables); i++) {
        VEC_PUSH(arena, &catalog->tables,
                 (struct rw_table){
                     .id = rows_int(tables, i, "id", 0),
                     .name = arena_strdup(arena, rows_text(tables, i, "name")),
                 });
    }
}

/* Objects by id in decimal. Only while nothing is added: the vectors would move. */
struct id_key {
    char text[24];
};

static struct sv id_key(int64_t id, struct id_key *out)
{
    int n = snprintf(out->text, sizeof(out->text), "%lld", (long long)id);

    return (struct sv){out->text, n > 0 ? (size_t)n : 0};
}

static struct map *index_tables(struct rw_catalog *catalog)
{
    struct map *index = map_new(0);
    struct id_key key;

    for (VEC_EACH(struct rw_table, table, &catalog->tables)) {
        (void)map_put(index, id_key(table->id, &key), table);
    }
    return index;
}

static struct map *index_sinks(struct rw_catalog *catalog)
{
    struct map *index = map_new(0);
    struct id_key key;

    for (VEC_EACH(struct rw_sink, sink, &catalog->sinks)) {
        (void)map_put(index, id_key(sink->id, &key), sink);
    }
    return index;
}

static void *find_by(const struct map *index, const struct rows *rows, size_t row,
                     const char *heading)
{
    struct id_key key;

    return map_find(index, id_key(rows_int(rows, row, heading, -1), &key));
}

void risingwave_rows_comments(const struct rows *descriptions, struct arena *arena,
                              struct rw_catalog *catalog)
{
    AUTO(map_freep) struct map *index = index_tables(catalog);

    for (size_t i = 0; i < rows_count(descriptions); i++) {
        struct rw_table *table = find_by(index, descriptions, i, "objoid");
        const char *text = rows_get(descriptions, i, "description");
        if (table != NULL && text != NULL &&
            rows_get(descriptions, i, "objsubid") == NULL) {
            table->comment = arena_strdup(arena, text);
        }
    }
}

void risingwave_rows_columns(const struct rows *columns, struct arena *arena,
                             struct rw_catalog *catalog)
{
    AUTO(map_freep) struct map *index = index_tables(catalog);

    for (size_t i = 0; i < rows_count(columns); i++) {
        struct rw_table *table = find_by(index, columns, i, "relation_id");
        if (table == NULL || rows_bool(columns, i, "is_hidden")) {
            continue;
        }
        VEC_PUSH(arena, &table->columns,
                 (struct rw_column){
                     .name = arena_strdup(arena, rows_text(columns, i, "name")),
                     .type = arena_strdup(arena, rows_text(columns, i, "data_type")),
                     .primary_key = rows_bool(columns, i, "is_primary_key"),
                 });
    }
}

void risingwave_rows_sinks(const struct rows *sinks, struct arena *arena,
                           struct rw_catalog *catalog)
{
    for (size_t i = 0; i < rows_count(sinks); i++) {
        AUTO(json_freep_or_null)
        struct json *props = parse(rows_get(sinks, i, "connector_props"));
        VEC_PUSH(arena, &catalog->sinks,
                 (struct rw_sink){
                     .id = rows_int(sinks, i, "id", 0),
                     .name = arena_strdup(arena, rows_text(sinks, i, "name")),
                     .host = prop(props, "starrocks.host", arena),
                     .mysql_port = prop(props, "starrocks.mysqlport", arena),
                     .http_port = prop(props, "starrocks.httpport", arena),
                     .user = prop(props, "starrocks.user", arena),
                     .database = prop(props, "starrocks.database", arena),
                     .table = prop(props, "starrocks.table", arena),
                     .primary_key = prop(props, "primary_key", arena),
                     .commit_checkpoint_interval =
                         prop(props, "commit_checkpoint_interval", arena),
                     .password_digest = digest(props, "starrocks.password", arena),
                     .rate_limit = -1,
                 });
    }
}

void risingwave_rows_jobs(const struct rows *jobs, const struct rows *limits,
                          struct rw_catalog *catalog)
{
    AUTO(map_freep) struct map *index = index_sinks(catalog);

    for (size_t i = 0; i < rows_count(jobs); i++) {
        struct rw_sink *sink = find_by(index, jobs, i, "id");
        if (sink != NULL) {
            sink->creating = strcmp(rows_text(jobs, i, "status"), "CREATED") != 0;
        }
    }
    for (size_t i = 0; i < rows_count(limits); i++) {
        struct rw_sink *sink = find_by(index, limits, i, "table_id");
        /* A job has a limit per kind of node; the backfill's is another one. */
        if (sink != NULL && strcmp(rows_text(limits, i, "node_name"), "SINK") == 0) {
            sink->rate_limit = rows_int(limits, i, "rate_limit", -1);
        }
    }
}

void risingwave_rows_edges(const struct rows *depend, struct arena *arena,
                           struct rw_catalog *catalog)
{
    for (size_t i = 0; i < rows_count(depend); i++) {
        VEC_PUSH(arena, &catalog->edges,
                 (struct rw_edge){.object = rows_int(depend, i, "objid", 0),
                                  .referenced = rows_int(depend, i, "refobjid", 0)});
    }
}

void risingwave_rows_internals(const struct rows *internals, struct arena *arena,
                               struct rw_catalog *catalog)
{
    for (size_t i = 0; i < rows_count(internals); i++) {
        VEC_PUSH(arena, &catalog->internals,
                 (struct rw_internal){
                     .job = rows_int(internals, i, "job_id", 0),
                     .name = arena_strdup(arena, rows_text(internals, i, "name")),
                 });
    }
}
