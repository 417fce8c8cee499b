#include "ddl/desired_private.h"

#include <string.h>

static bool refuse_upstream(const char *kind, const char *name, const char *what,
                            struct fault *fault)
{
    return fault_set(fault, FAULT_REFUSED, "UnsupportedName",
                     "MySQL %s name '%s' cannot be replicated: %s; rename the %s", kind,
                     name, what, kind);
}

/*
 * Seen on RisingWave 3.0.3 (verified 6): letters, digits, hyphen, underscore and dot
 * stream; a space, a dollar sign or other alphabets load the snapshot and then never a
 * change; a single quote crashes its frontend. The connector's topic names know no other
 * characters, so anything else is refused with them. The database's name ends at the
 * first dot.
 */
static bool check_upstream(const struct mysql_table *table, struct fault *fault)
{
    const struct {
        const char *kind, *name, *more;
    } names[] = {{"database", table->database, "_-"}, {"table", table->name, "_-."}};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (desired_is_plain(names[i].name, names[i].more)) {
            continue;
        }
        bool dotted = desired_is_plain(names[i].name, "_-.");
        return refuse_upstream(
            names[i].kind, names[i].name,
            dotted ? "RisingWave takes what stands before the first dot for the database"
            : strpbrk(names[i].name, "'\"`") != NULL
                ? "RisingWave's SQL cannot carry a quote in it, a single quote crashes it"
                : "with any character but letters, digits, hyphen, underscore and dot "
                  "RisingWave loads the present rows and then never receives a change",
            fault);
    }
    return true;
}

static bool check_table(const struct mysql_table *table, struct fault *fault)
{
    if (strcmp(table->type, "BASE TABLE") != 0) {
        return fault_set(
            fault, FAULT_REFUSED, "NotABaseTable",
            "%s.%s is a %s; only base tables have a binary log: name a table",
            table->database, table->name, table->type);
    }
    if (table->primary_key.n == 0) {
        return fault_set(
            fault, FAULT_REFUSED, "NoPrimaryKey",
            "%s.%s has no primary key, and without one RisingWave cannot tell "
            "its rows apart: add one with ALTER TABLE ... ADD PRIMARY KEY",
            table->database, table->name);
    }
    return check_upstream(table, fault);
}

static bool name_streams(struct desired *d, struct arena *arena, struct fault *fault)
{
    const struct tablesync *sync = d->in.sync;
    const char *identity = mysql_identity(d->in.server, d->in.source, arena);
    char *source =
        name_source(arena, d->in.source->namespace, identity, d->in.table->database);
    /* From the spec's spelling, so that deletion finds the same names without MySQL. */
    char *table = name_table(arena, sync->uid, sync->source_database, sync->source_table);

    d->sink_prefix =
        name_sink_prefix(arena, sync->uid, sync->source_database, sync->source_table);
    return ident_parse(arena, sv_from(d->in.rw->rw_schema), SQL_RISINGWAVE, IDENT_SCHEMA,
                       &d->rw_schema, fault) &&
           ident_parse(arena, sv_from(source), SQL_RISINGWAVE, IDENT_TABLE,
                       &d->source_name, fault) &&
           ident_parse(arena, sv_from(table), SQL_RISINGWAVE, IDENT_TABLE, &d->table_name,
                       fault);
}

/* RisingWave asks StarRocks for the table by "name" in double quotes, unescaped, and
 * sends it as an HTTP header (starrocks.md 6.1). */
static bool name_target(struct desired *d, struct arena *arena, struct fault *fault)
{
    const struct tablesync *sync = d->in.sync;
    const char *table =
        sync->target_table != NULL ? sync->target_table : sync->source_table;

    if (strpbrk(table, "\"\\") != NULL) {
        return fault_set(
            fault, FAULT_REFUSED, "UnsupportedName",
            "target table name '%s' cannot be used: RisingWave's sink does not "
            "escape double quotes and backslashes; set spec.target.table",
            table);
    }
    return ident_parse(arena, sv_from(sync->target_database), SQL_STARROCKS,
                       IDENT_DATABASE, &d->target_database, fault) &&
           ident_parse(arena, sv_from(table), SQL_STARROCKS, IDENT_TABLE,
                       &d->target_table, fault);
}

static void deinit_choice(struct choice *choice)
{
    complaints_deinit(&choice->problems);
}

static bool choose_columns(struct desired *d, struct arena *arena, struct fault *fault)
{
    AUTO(deinit_choice) struct choice choice = {.d = d, .in = &d->in, .arena = arena};

    complaints_init(&choice.problems);
    return choice_select(&choice, fault) && choice_fill(&choice, fault);
}

bool desired_build(const struct desired_input *input, struct arena *arena,
                   struct desired *out_desired, struct fault *fault)
{
    struct desired d = {.in = *input};

    if (!check_table(input->table, fault) || !name_target(&d, arena, fault) ||
        !name_streams(&d, arena, fault) || !choose_columns(&d, arena, fault) ||
        !desired_distribute(&d, arena, fault)) {
        return false;
    }
    desired_note_keys(&d, arena);
    desired_note_names(&d, arena);
    desired_hash(&d, arena);
    *out_desired = d;
    return true;
}
