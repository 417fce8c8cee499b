#include "random_table.h"

#include <string.h>

#define COLUMNS_MAX 14 /* of a new table */

static const char *const types[] = {"tinyint(4)",
                                    "tinyint(1)",
                                    "tinyint(3) unsigned",
                                    "smallint(6)",
                                    "smallint(5) unsigned",
                                    "mediumint(9)",
                                    "mediumint(8) unsigned",
                                    "int(11)",
                                    "int(10) unsigned",
                                    "bigint(20)",
                                    "bigint(20) unsigned",
                                    "decimal(10,2)",
                                    "decimal(38,4)",
                                    "float",
                                    "double",
                                    "bit(1)",
                                    "bit(12)",
                                    "char(10)",
                                    "varchar(20)",
                                    "tinytext",
                                    "text",
                                    "mediumtext",
                                    "longtext",
                                    "enum('a','b')",
                                    "date",
                                    "datetime(3)",
                                    "timestamp",
                                    "year(4)",
                                    "time",
                                    "json",
                                    "binary(4)",
                                    "varbinary(9)",
                                    "blob",
                                    "longblob"};
static const char *const charsets[] = {"utf8mb4", "utf8", "latin1", "gbk", "unheard-of"};

const char *random_name(struct rng *rng, struct arena *arena, size_t index)
{
    static const char *const pieces[] = {"a", "B",  "order", " ",  "'",  ".",
                                         ";", "$",  "9",     "列", "-",  "\\",
                                         "%", "--", "#",     "''", "()", "::"};
    AUTO(buf_deinit) struct buf name = {0};

    buf_init(&name, 200);
    for (uint64_t n = rng_below(rng, 4); n > 0; n--) {
        buf_addz(&name, pieces[rng_below(rng, COUNT_OF(pieces))]);
    }
    buf_addf(&name, "%zu", index); /* unique without regard to case */
    return arena_copy(arena, buf_sv(&name));
}

void random_table(struct fixture *f, struct rng *rng)
{
    size_t count = 1 + rng_below(rng, COLUMNS_MAX);

    f->table.columns.n = 0;
    f->table.primary_key.n = 0;
    for (size_t i = 0; i < count; i++) {
        const char *type = types[rng_below(rng, COUNT_OF(types))];
        struct mysql_column *c =
            fixture_column(f, random_name(rng, f->arena, i), type, "");
        struct column_map map;
        struct types_options options = {.flavor = MYSQL_ORACLE,
                                        .mysql_version = "8.0.39"};
        struct fault fault = FAULT_INIT;
        c->charset = charsets[rng_below(rng, COUNT_OF(charsets))];
        c->key_max = rng_below(rng, 2) == 0 ? -1 : 5;
        c->comment = rng_below(rng, 3) == 0 ? "it's\n\"so\"\\" : "";
        bool usable =
            c->name[0] != ' ' && types_map(c, true, &options, f->arena, &map, &fault);
        if (usable && rng_below(rng, 3) == 0) {
            VEC_PUSH(f->arena, &f->table.primary_key, c->name);
        }
    }
    if (f->table.primary_key.n == 0) {
        fixture_column(f, "id", "int(11)", "PRI");
    }
    for (size_t i = f->table.primary_key.n; i > 1;
         i--) { /* key order is not column order */
        size_t k = rng_below(rng, i);
        const char *name = f->table.primary_key.v[k];
        f->table.primary_key.v[k] = f->table.primary_key.v[i - 1];
        f->table.primary_key.v[i - 1] = name;
    }
}

static const char *any_type(struct rng *rng)
{
    return types[rng_below(rng, COUNT_OF(types))];
}

static bool in_key(const struct mysql_table *table, const char *column)
{
    for (size_t i = 0; i < table->primary_key.n; i++) {
        if (strcmp(table->primary_key.v[i], column) == 0) {
            return true;
        }
    }
    return false;
}

/* NULL: every column is in the key. */
static struct mysql_column *any_value_column(struct fixture *f, struct rng *rng)
{
    size_t start = rng_below(rng, f->table.columns.n);

    for (size_t i = 0; i < f->table.columns.n; i++) {
        struct mysql_column *c = &f->table.columns.v[(start + i) % f->table.columns.n];
        if (!in_key(&f->table, c->name)) {
            return c;
        }
    }
    return NULL;
}

static void change_type(struct fixture *f, struct mysql_column *c, const char *type)
{
    struct mysql_column fresh = column_of(c->name, type);

    c->column_type = type;
    c->data_type = arena_strdup(f->arena, fresh.data_type);
}

static void remove_column(struct fixture *f, const struct mysql_column *c)
{
    size_t index = (size_t)(c - f->table.columns.v);

    memmove(&f->table.columns.v[index], &f->table.columns.v[index + 1],
            (f->table.columns.n - index - 1) * sizeof(*f->table.columns.v));
    f->table.columns.n--;
}

void random_alter(struct fixture *f, struct rng *rng, size_t number)
{
    struct mysql_column *c = any_value_column(f, rng);
    uint64_t what = rng_below(rng, c == NULL ? 1 : 12);

    if (what < 4) { /* far away from the names of a new table */
        struct mysql_column *added = fixture_column(
            f, random_name(rng, f->arena, 1000 + number), any_type(rng), "");
        added->charset = charsets[rng_below(rng, COUNT_OF(charsets))];
    } else if (what < 6) {
        remove_column(f, c);
    } else if (what < 7) {
        c->name = random_name(rng, f->arena, 1000 + number);
    } else if (what < 8) {
        /* The key becomes another column, if that one can be a key. */
        struct column_map map;
        struct types_options options = {.flavor = MYSQL_ORACLE,
                                        .mysql_version = "8.0.39"};
        struct fault fault = FAULT_INIT;
        if (c->name[0] != ' ' && types_map(c, true, &options, f->arena, &map, &fault)) {
            memset(&f->table.primary_key, 0, sizeof(f->table.primary_key));
            VEC_PUSH(f->arena, &f->table.primary_key, c->name);
        }
    } else if (what < 10) { /* growth, the commonest change of all */
        static const char *const longer[] = {"varchar(30)",   "varchar(300)", "text",
                                             "decimal(12,2)", "bigint(20)",   "double"};
        change_type(f, c, longer[rng_below(rng, COUNT_OF(longer))]);
    } else {
        change_type(f, c, any_type(rng));
    }
}
