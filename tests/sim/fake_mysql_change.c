/* What becomes of MySQL's tables: rows, columns, keys, names. */
#include "fake_db.h"
#include "sim.h"

/* CREATE_TIME in UTC, to the second; another one than before, as a second has passed
 * between any two ALTERs of a person. */
static void touch(struct fake_db *db, struct fake_upstream *up)
{
    char text[CLOCK_RFC3339_SIZE];
    char *made = NULL;
    int64_t wall_ms = sim_wall_ms(db->sim);

    do {
        made = arena_strdup(db->sim->arena, clock_format_rfc3339(wall_ms, text));
        made[10] = ' ';
        made[19] = '\0';
        wall_ms += 1000;
    } while (up->table.created_at != NULL && strcmp(made, up->table.created_at) <= 0);
    up->table.created_at = made;
}

static const struct mysql_column new_columns[] = {{.name = "id",
                                                   .data_type = "bigint",
                                                   .column_type = "bigint",
                                                   .key = "PRI",
                                                   .char_max_length = -1,
                                                   .numeric_precision = 19,
                                                   .numeric_scale = 0},
                                                  {.name = "name",
                                                   .data_type = "varchar",
                                                   .column_type = "varchar(80)",
                                                   .nullable = true,
                                                   .key = "",
                                                   .charset = "utf8mb4",
                                                   .collation = "utf8mb4_bin",
                                                   .comment = "it's \"quoted\", \\ and ,",
                                                   .char_max_length = 80,
                                                   .numeric_precision = -1,
                                                   .numeric_scale = -1},
                                                  {.name = "amount",
                                                   .data_type = "decimal",
                                                   .column_type = "decimal(10,2)",
                                                   .nullable = true,
                                                   .key = "",
                                                   .char_max_length = -1,
                                                   .numeric_precision = 10,
                                                   .numeric_scale = 2},
                                                  {.name = "created at",
                                                   .data_type = "datetime",
                                                   .column_type = "datetime",
                                                   .nullable = true,
                                                   .key = "",
                                                   .char_max_length = -1,
                                                   .numeric_precision = -1,
                                                   .numeric_scale = -1},
                                                  {.name = "flags",
                                                   .data_type = "bit",
                                                   .column_type = "bit(1)",
                                                   .nullable = true,
                                                   .key = "",
                                                   .char_max_length = -1,
                                                   .numeric_precision = 1,
                                                   .numeric_scale = -1},
                                                  {.name = "extra",
                                                   .data_type = "json",
                                                   .column_type = "json",
                                                   .nullable = true,
                                                   .key = "",
                                                   .char_max_length = -1,
                                                   .numeric_precision = -1,
                                                   .numeric_scale = -1}};

void fake_mysql_add_table(struct fake_db *db, struct fake_mysql *mysql,
                          const char *database, const char *name, int64_t rows)
{
    struct arena *arena = db->sim->arena;
    struct fake_upstream *up = ARENA_NEW(arena, struct fake_upstream);

    up->table = (struct mysql_table){.database = database,
                                     .name = name,
                                     .type = "BASE TABLE",
                                     .engine = "InnoDB",
                                     .comment = "",
                                     .row_estimate = rows};
    for (int64_t key = 1; key <= rows; key++) {
        fake_rows_put(&up->data, arena, key, up->last_version);
    }
    up->rows = up->data.count;
    up->table.auto_increment = rows + 1;
    for (size_t i = 0; i < COUNT_OF(new_columns); i++) {
        struct mysql_column column = new_columns[i];

        column.ordinal = (int64_t)i + 1;
        column.extra = "";
        column.comment = column.comment == NULL ? "" : column.comment;
        column.datetime_precision = -1;
        VEC_PUSH(arena, &up->table.columns, column);
    }
    VEC_PUSH(arena, &up->table.primary_key, "id");
    touch(db, up);
    VEC_PUSH(arena, &mysql->tables, up);
}

struct fake_upstream *fake_mysql_find(const struct fake_mysql *mysql,
                                      const char *database, const char *name)
{
    for (size_t i = 0; i < mysql->tables.n; i++) {
        struct fake_upstream *up = mysql->tables.v[i];

        if (strcmp(up->table.database, database) == 0 &&
            strcmp(up->table.name, name) == 0) {
            return up;
        }
    }
    return NULL;
}

void fake_mysql_drop_table(struct fake_mysql *mysql, const struct fake_upstream *table)
{
    size_t kept = 0;

    for (size_t i = 0; i < mysql->tables.n; i++) {
        if (mysql->tables.v[i] != table) {
            mysql->tables.v[kept++] = mysql->tables.v[i];
        }
    }
    mysql->tables.n = kept;
}

/* --- rows --- */

/* MariaDB counts and keeps CREATE_TIME where MySQL 8 does the opposite: see watch.h. */
static bool is_mariadb(struct fake_db *db, const struct fake_upstream *table)
{
    for (size_t i = 0; i < db->mysql.n; i++) {
        for (size_t k = 0; k < db->mysql.v[i]->tables.n; k++) {
            if (db->mysql.v[i]->tables.v[k] == table) {
                return db->mysql.v[i]->server.flavor == MYSQL_MARIADB;
            }
        }
    }
    return false;
}

/* Up to now first: what was loaded or delivered before did not know of the change. */
static void change(struct fake_db *db, struct fake_upstream *up, int64_t key,
                   int64_t version)
{
    fake_db_tick(db);
    fake_rows_put(&up->data, db->sim->arena, key, version);
    up->rows = up->data.count;
    if (key >= up->table.auto_increment) {
        up->table.auto_increment = key + 1;
    }
    fake_rw_pass(db, up, key, version);
}

void fake_mysql_write(struct fake_db *db, struct fake_mysql *mysql, const char *database,
                      const char *name, int64_t rows)
{
    struct fake_upstream *up = fake_mysql_find(mysql, database, name);

    must(up != NULL);
    up->last_version++;
    for (int64_t i = 0; i < rows; i++) {
        change(db, up, (int64_t)up->data.versions.n + 1, up->last_version);
    }
}

void fake_mysql_insert(struct fake_db *db, struct fake_upstream *table, int64_t key)
{
    must(fake_rows_get(&table->data, key) == FAKE_NO_ROW);
    change(db, table, key, ++table->last_version);
}

void fake_mysql_update(struct fake_db *db, struct fake_upstream *table, int64_t key)
{
    must(fake_rows_get(&table->data, key) != FAKE_NO_ROW);
    change(db, table, key, ++table->last_version);
}

void fake_mysql_delete(struct fake_db *db, struct fake_upstream *table, int64_t key)
{
    must(fake_rows_get(&table->data, key) != FAKE_NO_ROW);
    change(db, table, key, FAKE_NO_ROW);
}

/* --- the table --- */

void fake_mysql_truncate(struct fake_db *db, struct fake_upstream *table)
{
    fake_db_tick(db);
    fake_rows_clear(&table->data);
    table->rows = 0;
    table->table.auto_increment = 1;
    if (!is_mariadb(db, table)) {
        touch(db, table);
    }
}

void fake_mysql_rebuild(struct fake_db *db, struct fake_upstream *table)
{
    touch(db, table);
}

void fake_mysql_add_column(struct fake_db *db, struct fake_upstream *table,
                           struct mysql_column column)
{
    must(mysql_table_find(&table->table, column.name) == NULL);
    column.ordinal = (int64_t)table->table.columns.n + 1;
    column.key = column.key == NULL ? "" : column.key;
    column.extra = column.extra == NULL ? "" : column.extra;
    column.comment = column.comment == NULL ? "" : column.comment;
    VEC_PUSH(db->sim->arena, &table->table.columns, column);
    touch(db, table);
}

static size_t index_of(const struct fake_upstream *table, const char *name)
{
    for (size_t i = 0; i < table->table.columns.n; i++) {
        if (strcmp(table->table.columns.v[i].name, name) == 0) {
            return i;
        }
    }
    must(!"a column of that name");
    return 0;
}

void fake_mysql_drop_column(struct fake_db *db, struct fake_upstream *table,
                            const char *name)
{
    struct mysql_table *t = &table->table;

    for (size_t i = index_of(table, name); i + 1 < t->columns.n; i++) {
        t->columns.v[i] = t->columns.v[i + 1];
        t->columns.v[i].ordinal = (int64_t)i + 1;
    }
    t->columns.n--;
    touch(db, table);
}

void fake_mysql_rename_column(struct fake_db *db, struct fake_upstream *table,
                              const char *from, const char *to)
{
    struct arena *arena = db->sim->arena;

    table->table.columns.v[index_of(table, from)].name = arena_strdup(arena, to);
    for (size_t i = 0; i < table->table.primary_key.n; i++) {
        if (strcmp(table->table.primary_key.v[i], from) == 0) {
            table->table.primary_key.v[i] = arena_strdup(arena, to);
        }
    }
    touch(db, table);
}

void fake_mysql_modify_column(struct fake_db *db, struct fake_upstream *table,
                              struct mysql_column column)
{
    struct mysql_column *old = &table->table.columns.v[index_of(table, column.name)];

    column.ordinal = old->ordinal;
    column.key = old->key;
    column.extra = column.extra == NULL ? "" : column.extra;
    column.comment = column.comment == NULL ? "" : column.comment;
    *old = column;
    touch(db, table);
}

void fake_mysql_set_key(struct fake_db *db, struct fake_upstream *table,
                        const char *columns)
{
    struct arena *arena = db->sim->arena;
    struct sv rest = sv_from(columns);
    struct strlist key = {0};

    for (VEC_EACH(struct mysql_column, column, &table->table.columns)) {
        column->key = "";
    }
    while (rest.n > 0) {
        const char *name = arena_copy(arena, sv_trim(sv_cut(&rest, ',')));
        struct mysql_column *column = &table->table.columns.v[index_of(table, name)];

        column->key = "PRI";
        column->nullable = false;
        VEC_PUSH(arena, &key, name);
    }
    table->table.primary_key = key;
    touch(db, table);
}

void fake_mysql_swap(struct fake_db *db, struct fake_upstream *a, struct fake_upstream *b)
{
    const char *name = a->table.name;

    fake_db_tick(db);
    a->table.name = b->table.name;
    b->table.name = name;
    if (is_mariadb(db, a)) {
        touch(db, a);
        touch(db, b);
    }
}
