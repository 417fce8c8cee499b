/* RisingWave's half of the world. */
#include "reader.h"

#include <string.h>

/* WITH (a.b='x', c='y') */
struct options {
    struct strlist keys, values;
};

static void with_options(struct reader *r, struct options *out)
{
    reader_expect(r, "(");
    do {
        const char *key = reader_take(r, TOKEN_WORD);
        while (reader_accept(r, ".")) {
            key = arena_printf(r->w->arena, "%s.%s", key, reader_take(r, TOKEN_WORD));
        }
        reader_expect(r, "=");
        if (reader_listed(&out->keys, key)) {
            fail_msg("Duplicated option: %s", key);
        }
        VEC_PUSH(r->w->arena, &out->keys, key);
        VEC_PUSH(r->w->arena, &out->values, reader_take(r, TOKEN_STRING));
    } while (reader_accept(r, ","));
    reader_expect(r, ")");
}

static const char *option(const struct options *options, const char *key)
{
    for (size_t i = 0; i < options->keys.n; i++) {
        if (strcmp(options->keys.v[i], key) == 0) {
            return options->values.v[i];
        }
    }
    return NULL;
}

static void add_relation(struct world *w, int64_t id, const char *name, const char *kind)
{
    struct rw_relation relation = {id, w->schema, name, kind};

    for (size_t i = 0; i < w->rw.relations.n; i++) {
        if (strcmp(w->rw.relations.v[i].name, name) == 0) {
            fail_msg("Catalog error: %s with name %s exists", kind, name);
        }
    }
    VEC_PUSH(w->arena, &w->rw.relations, relation);
}

static void add_edge(struct world *w, int64_t object, int64_t referenced)
{
    struct rw_edge edge = {object, referenced};

    VEC_PUSH(w->arena, &w->rw.edges, edge);
}

static void create_source(struct reader *r)
{
    struct world *w = r->w;
    struct options o = {0};
    struct rw_source source = {.id = w->next_id++, .schema = w->schema};

    source.name = reader_qualified(r, w->schema);
    reader_expect(r, "WITH");
    with_options(r, &o);
    source.connector = option(&o, "connector");
    source.hostname = option(&o, "hostname");
    source.port = option(&o, "port");
    source.username = option(&o, "username");
    source.database = option(&o, "database.name");
    source.server_id = option(&o, "server.id");
    source.ssl_mode = option(&o, "ssl.mode");
    assert_string_equal(source.connector, "mysql-cdc");
    source.password_digest = world_digest(w, option(&o, "password"));
    assert_non_null(source.password_digest);
    assert_string_equal(option(&o, "debezium.bigint.unsigned.handling.mode"), "precise");
    assert_string_equal(
        option(&o, "debezium.schema.history.internal.skip.unparseable.ddl"), "true");
    add_relation(w, source.id, source.name, "source");
    VEC_PUSH(w->arena, &w->rw.sources, source);
}

static const char *rw_catalog_type(struct reader *r)
{
    const char *name = reader_take(r, TOKEN_WORD);

    for (enum rw_type type = RW_UNSET + 1; type < RW_TYPE_MAX; type++) {
        if (strcmp(rw_type_name(type), name) == 0) {
            return rw_type_catalog(type);
        }
    }
    fail_msg("unsupported data type: %s", name);
    return NULL;
}

static void create_table(struct reader *r)
{
    struct world *w = r->w;
    struct strlist keys = {0};
    struct options o = {0};
    struct rw_table table = {.id = w->next_id++};

    table.name = reader_qualified(r, w->schema);
    reader_expect(r, "(");
    while (!reader_accept(r, "PRIMARY")) {
        struct rw_column column = {.name = reader_take(r, TOKEN_IDENT)};
        column.type = rw_catalog_type(r);
        reader_expect(r, ",");
        VEC_PUSH(w->arena, &table.columns, column);
    }
    reader_expect(r, "KEY");
    reader_idents(r, &keys);
    reader_expect(r, ")");
    if (reader_accept(r, "WITH")) {
        with_options(r, &o);
    }
    reader_expect(r, "FROM");
    const struct rw_source *source =
        rw_catalog_source(&w->rw, w->schema, reader_qualified(r, w->schema));
    assert_non_null(source);
    reader_expect(r, "TABLE");
    const char *upstream = reader_take(r, TOKEN_STRING);
    assert_true(sv_starts(sv_from(upstream), sv_from(source->database)));
    assert_null(strchr(upstream, '\''));
    for (size_t i = 0; i < table.columns.n; i++) {
        table.columns.v[i].primary_key = reader_listed(&keys, table.columns.v[i].name);
    }
    add_relation(w, table.id, table.name, "table");
    add_edge(w, table.id, source->id);
    VEC_PUSH(w->arena, &w->rw.tables, table);
}

static void comment_on(struct reader *r)
{
    reader_expect(r, "ON TABLE");
    const struct rw_table *seen =
        rw_catalog_table(&r->w->rw, reader_qualified(r, r->w->schema));
    assert_non_null(seen);
    reader_expect(r, "IS");
    const char *comment = reader_take(r, TOKEN_STRING);
    r->w->rw.tables.v[seen - r->w->rw.tables.v].comment = comment;
}

/* The sink's own substring check (starrocks.md 2.4). */
static const char *needed_word(const char *rw_type)
{
    static const char *const words[][2] = {{"boolean", "tinyint"},
                                           {"smallint", "smallint"},
                                           {"integer", "int"},
                                           {"bigint", "bigint"},
                                           {"numeric", "decimal"},
                                           {"real", "float"},
                                           {"double precision", "double"},
                                           {"character varying", "varchar"},
                                           {"date", "date"},
                                           {"timestamp without time zone", "datetime"},
                                           {"jsonb", "json"}};

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (strcmp(words[i][0], rw_type) == 0) {
            return words[i][1];
        }
    }
    fail_msg("%s is not supported for Starrocks sink", rw_type);
    return NULL;
}

static const struct rw_column *table_column(const struct rw_table *table,
                                            const char *name)
{
    for (size_t i = 0; i < table->columns.n; i++) {
        if (strcmp(table->columns.v[i].name, name) == 0) {
            return &table->columns.v[i];
        }
    }
    fail_msg("no column %s", name);
    return NULL;
}

struct item {
    const char *column, *name, *cast; /* cast: NULL, or the catalog type it gives */
    struct strlist reads;
    bool custom; /* an expression of the user's: its type is not worked out here */
};

/* Everything up to its alias; parentheses count, so that a comma inside is no end. */
static void custom_item(struct reader *r, struct item *item)
{
    int depth = 0;

    item->custom = true;
    while (depth > 0 || !reader_accept(r, "AS")) {
        if (r->next.kind == TOKEN_END) {
            fail_msg("an expression without a name: %s", r->sql);
        }
        if (r->next.kind == TOKEN_IDENT) {
            VEC_PUSH(r->w->arena, &item->reads,
                     (const char *)arena_copy(r->w->arena, r->next.text));
        }
        if (r->next.kind == TOKEN_PUNCT) {
            depth += sv_eq(r->next.text, SV("(")) ? 1 : 0;
            depth -= sv_eq(r->next.text, SV(")")) ? 1 : 0;
        }
        reader_advance(r);
    }
    item->name = reader_take(r, TOKEN_IDENT);
}

static struct item select_item(struct reader *r)
{
    struct item item = {0};

    if (reader_accept(r, "encode")) {
        reader_expect(r, "(");
        item.column = reader_take(r, TOKEN_IDENT);
        reader_expect(r, ",");
        assert_string_equal(reader_take(r, TOKEN_STRING), "hex");
        reader_expect(r, ")");
        item.cast = "character varying";
    } else if (r->next.kind != TOKEN_IDENT) {
        custom_item(r, &item);
        return item;
    } else {
        item.column = reader_take(r, TOKEN_IDENT);
        if (reader_accept(r, "::")) {
            item.cast = rw_catalog_type(r);
        } else if (reader_accept(r, "AT")) {
            reader_expect(r, "TIME ZONE");
            assert_string_equal(reader_take(r, TOKEN_STRING), "UTC");
            item.cast = "timestamp without time zone";
        }
    }
    VEC_PUSH(r->w->arena, &item.reads, item.column);
    if (r->next.kind != TOKEN_END && !sv_eq(r->next.text, SV(",")) &&
        !sv_eq(r->next.text, SV("AS")) && !sv_eq(r->next.text, SV("FROM"))) {
        custom_item(r, &item); /* it only began like a plain column */
        return item;
    }
    item.name = reader_accept(r, "AS") ? reader_take(r, TOKEN_IDENT) : item.column;
    return item;
}

static void check_sink_column(const struct world *w, const struct rw_table *table,
                              const struct sr_table *target, const struct item *item)
{
    const struct rw_column *column =
        item->cast != NULL || item->custom ? NULL : table_column(table, item->column);
    const char *type = column != NULL ? column->type : item->cast;

    for (size_t i = 0; i < item->reads.n; i++) {
        (void)table_column(table, item->reads.v[i]);
    }
    for (size_t i = 0; i < target->columns.n; i++) {
        if (strcmp(target->columns.v[i].name, item->name) == 0) {
            if (type != NULL &&
                strstr(target->columns.v[i].type, needed_word(type)) == NULL) {
                fail_msg(
                    "Column type don't match, column name is \"%s\". starrocks type is "
                    "\"%s\" risingwave type is %s",
                    item->name, target->columns.v[i].type, type);
            }
            return;
        }
    }
    fail_msg("Column name don't find in starrocks, risingwave is \"%s\" (%lld)",
             item->name, (long long)w->next_id);
}

static void create_sink(struct reader *r)
{
    struct world *w = r->w;
    struct options o = {0};
    VEC(struct item) items = {0};
    struct rw_sink sink = {.id = w->next_id++, .rate_limit = -1};

    sink.name = reader_qualified(r, w->schema);
    reader_expect(r, "AS SELECT");
    do {
        VEC_PUSH(w->arena, &items, select_item(r));
    } while (reader_accept(r, ","));
    reader_expect(r, "FROM");
    const struct rw_table *table =
        rw_catalog_table(&w->rw, reader_qualified(r, w->schema));
    assert_non_null(table);
    reader_expect(r, "WITH");
    with_options(r, &o);
    assert_string_equal(option(&o, "connector"), "starrocks");
    assert_string_equal(option(&o, "type"), "upsert");
    sink.password_digest = world_digest(w, option(&o, "starrocks.password"));
    assert_non_null(sink.password_digest);
    sink.host = option(&o, "starrocks.host");
    sink.mysql_port = option(&o, "starrocks.mysqlport");
    sink.http_port = option(&o, "starrocks.httpport");
    sink.user = option(&o, "starrocks.user");
    sink.database = option(&o, "starrocks.database");
    sink.table = option(&o, "starrocks.table");
    sink.primary_key = option(&o, "primary_key");
    sink.commit_checkpoint_interval = option(&o, "commit_checkpoint_interval");
    const struct sr_table *target = sr_catalog_table(&w->sr, sink.table);
    assert_non_null(target);
    for (size_t i = 0; i < items.n; i++) {
        check_sink_column(w, table, target, &items.v[i]);
        for (size_t k = 0; k < items.v[i].reads.n; k++) {
            VEC_PUSH(w->arena, &w->reads,
                     (struct world_read){sink.id, items.v[i].reads.v[k]});
        }
    }
    struct sv names = sv_from(sink.primary_key);
    size_t key_count = 0;
    while (names.n > 0) {
        struct sv name = sv_trim(sv_cut(&names, ','));
        assert_true(reader_listed(&target->primary_key, arena_copy(w->arena, name)));
        key_count++;
    }
    assert_int_equal(key_count, target->primary_key.n);
    add_relation(w, sink.id, sink.name, "sink");
    add_edge(w, sink.id, table->id);
    VEC_PUSH(w->arena, &w->rw.sinks, sink);
}

static void alter_sink(struct reader *r)
{
    const struct rw_sink *seen =
        rw_catalog_sink(&r->w->rw, reader_qualified(r, r->w->schema));
    struct options o = {0};

    assert_non_null(seen);
    struct rw_sink *sink = &r->w->rw.sinks.v[seen - r->w->rw.sinks.v];
    if (reader_accept(r, "SET")) {
        reader_expect(r, "sink_rate_limit TO");
        sink->rate_limit = reader_accept(r, "0") ? 0 : -1;
        if (sink->rate_limit != 0) {
            reader_expect(r, "DEFAULT");
        }
        return;
    }
    reader_expect(r, "CONNECTOR WITH");
    with_options(r, &o);
    assert_int_equal(o.keys.n, 1);
    sink->commit_checkpoint_interval = option(&o, "commit_checkpoint_interval");
    assert_non_null(sink->commit_checkpoint_interval);
}

/* verified 37: whatever else is refused. */
static void alter_source(struct reader *r)
{
    struct world *w = r->w;
    const struct rw_source *seen =
        rw_catalog_source(&w->rw, w->schema, reader_qualified(r, w->schema));
    struct options o = {0};

    assert_non_null(seen);
    struct rw_source *source = &w->rw.sources.v[seen - w->rw.sources.v];
    reader_expect(r, "CONNECTOR WITH");
    with_options(r, &o);
    for (size_t i = 0; i < o.keys.n; i++) {
        const char *key = o.keys.v[i], *value = o.values.v[i];

        if (strcmp(key, "hostname") == 0) {
            source->hostname = value;
        } else if (strcmp(key, "port") == 0) {
            source->port = value;
        } else if (strcmp(key, "username") == 0) {
            source->username = value;
        } else if (strcmp(key, "password") == 0) {
            source->password_digest = world_digest(w, value);
        } else {
            fail_msg("Field '%s' is not allowed to be altered on the fly for connector: "
                     "mysql-cdc",
                     key);
        }
    }
}

static bool reads_from(const struct world *w, int64_t sink, int64_t table)
{
    for (size_t i = 0; i < w->rw.edges.n; i++) {
        if (w->rw.edges.v[i].object == sink && w->rw.edges.v[i].referenced == table) {
            return true;
        }
    }
    return false;
}

static void alter_table(struct reader *r)
{
    struct world *w = r->w;
    const struct rw_table *seen =
        rw_catalog_table(&w->rw, reader_qualified(r, w->schema));
    struct rw_table *table = NULL;
    const char *name = NULL;
    bool adds = reader_accept(r, "ADD");

    assert_non_null(seen);
    table = &w->rw.tables.v[seen - w->rw.tables.v];
    if (!adds) {
        reader_expect(r, "DROP");
    }
    reader_expect(r, "COLUMN");
    name = reader_take(r, TOKEN_IDENT);
    for (size_t i = 0; i < table->columns.n; i++) {
        if (strcmp(table->columns.v[i].name, name) != 0) {
            continue;
        }
        if (adds) {
            fail_msg("column \"%s\" of table \"%s\" already exists", name, table->name);
        }
        for (size_t k = 0; k < w->reads.n; k++) {
            if (strcmp(w->reads.v[k].column, name) == 0 &&
                reads_from(w, w->reads.v[k].sink, table->id)) {
                fail_msg("unable to drop the column due to being referenced by "
                         "downstream materialized views or sinks: %s",
                         name);
            }
        }
        REMOVE(&table->columns, i);
        return;
    }
    if (!adds) {
        fail_msg("no column %s to drop", name);
    }
    VEC_PUSH(w->arena, &table->columns,
             (struct rw_column){.name = name, .type = rw_catalog_type(r)});
}

static int64_t remove_relation(struct world *w, const char *name)
{
    for (size_t i = 0; i < w->rw.relations.n; i++) {
        if (strcmp(w->rw.relations.v[i].name, name) == 0) {
            int64_t id = w->rw.relations.v[i].id;
            REMOVE(&w->rw.relations, i);
            return id;
        }
    }
    fail_msg("nothing named %s", name);
    return 0;
}

static void drop_rw(struct reader *r)
{
    struct world *w = r->w;

    if (!reader_accept(r, "SINK") && !reader_accept(r, "TABLE")) {
        reader_expect(r, "SOURCE");
    }
    reader_expect(r, "IF EXISTS");
    int64_t id = remove_relation(w, reader_qualified(r, w->schema));
    for (size_t i = w->rw.edges.n; i > 0; i--) {
        if (w->rw.edges.v[i - 1].referenced == id) {
            fail_msg("PermissionDenied: used by other objects: %s", r->sql);
        }
        if (w->rw.edges.v[i - 1].object == id) {
            REMOVE(&w->rw.edges, i - 1);
        }
    }
    for (size_t i = 0; i < w->rw.sources.n; i++) {
        if (w->rw.sources.v[i].id == id) {
            REMOVE(&w->rw.sources, i);
        }
    }
    for (size_t i = 0; i < w->rw.tables.n; i++) {
        if (w->rw.tables.v[i].id == id) {
            REMOVE(&w->rw.tables, i);
        }
    }
    for (size_t i = 0; i < w->rw.sinks.n; i++) {
        if (w->rw.sinks.v[i].id == id) {
            REMOVE(&w->rw.sinks, i);
        }
    }
}

void world_apply_rw(struct reader *r)
{
    if (reader_accept(r, "COMMENT")) {
        comment_on(r);
    } else if (reader_accept(r, "ALTER")) {
        if (reader_accept(r, "TABLE")) {
            alter_table(r);
            return;
        }
        if (reader_accept(r, "SOURCE")) {
            alter_source(r);
            return;
        }
        reader_expect(r, "SINK");
        alter_sink(r);
    } else if (reader_accept(r, "DROP")) {
        drop_rw(r);
    } else {
        reader_expect(r, "CREATE");
        if (reader_accept(r, "SCHEMA")) {
            reader_expect(r, "IF NOT EXISTS");
            assert_string_equal(reader_take(r, TOKEN_IDENT), r->w->schema);
            r->w->rw.schema_exists = true;
            return;
        }
        if (!r->w->rw.schema_exists) {
            fail_msg("schema not found: %s", r->w->schema);
        }
        if (reader_accept(r, "SOURCE")) {
            create_source(r);
        } else if (reader_accept(r, "TABLE")) {
            create_table(r);
        } else {
            reader_expect(r, "SINK");
            create_sink(r);
        }
    }
}
