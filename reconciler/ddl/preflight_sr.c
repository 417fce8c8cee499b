/*
 * What StarRocks must grant for one TableSync (starrocks.md 5.1), read from SHOW GRANTS
 * as 4.1 prints it: "GRANT DELETE, INSERT ON ALL TABLES IN DATABASE d TO USER 'u'@'%'",
 * names unquoted. Rights that come through a role are not in it, and cannot be looked up
 * by everybody.
 */
#include "ddl/preflight_parts.h"

#include <string.h>

#define STATEMENTS_MAX ((size_t)8192)

/* One bit each; the order in which a GRANT names them. */
enum right {
    RIGHT_SELECT = 1,
    RIGHT_INSERT = 2,
    RIGHT_UPDATE = 4,
    RIGHT_DELETE = 8,
    RIGHT_ALTER = 16,
    RIGHT_DROP = 32,
    RIGHT_CREATE_TABLE = 64,
    RIGHT_CREATE_DATABASE = 128
};
#define TABLE_RIGHTS 6

static const struct {
    const char *name;
    unsigned right;
} RIGHTS[] = {
    {"SELECT", RIGHT_SELECT},
    {"INSERT", RIGHT_INSERT},
    {"UPDATE", RIGHT_UPDATE},
    {"DELETE", RIGHT_DELETE},
    {"ALTER", RIGHT_ALTER},
    {"DROP", RIGHT_DROP},
    {"CREATE TABLE", RIGHT_CREATE_TABLE},
    {"CREATE DATABASE", RIGHT_CREATE_DATABASE},
};

struct account {
    const char *database, *table;
    unsigned has;
    bool has_roles;
    bool sees_database; /* a grant names it: so it exists */
    struct sv name;     /* "'ctl'@'%'", as the server prints it */
};

static unsigned rights_of(struct sv list)
{
    unsigned rights = 0;

    while (list.n > 0) {
        struct sv name = sv_trim(sv_cut(&list, ','));

        for (size_t i = 0; i < COUNT_OF(RIGHTS); i++) {
            bool all =
                sv_eq_nocase(name, SV("ALL")) || sv_eq_nocase(name, SV("ALL PRIVILEGES"));

            rights |=
                all || sv_eq_nocase(name, sv_from(RIGHTS[i].name)) ? RIGHTS[i].right : 0;
        }
    }
    return rights;
}

/* Without the back-quotes around it, where a version prints them. */
static struct sv bare(struct sv name)
{
    bool quoted = name.n > 1 && name.p[0] == '`' && name.p[name.n - 1] == '`';

    return quoted ? sv_sub(name, 1, name.n - 2) : name;
}

static bool takes(struct sv *text, struct sv prefix)
{
    if (!sv_starts_nocase(*text, prefix)) {
        return false;
    }
    *text = sv_sub(*text, prefix.n, text->n);
    return true;
}

/* "d.t, d.u" or "d, e": is it among them? */
static bool lists(struct sv list, struct sv wanted)
{
    bool found = sv_eq(list, wanted);

    while (list.n > 0 && !found) {
        found = sv_eq(bare(sv_trim(sv_cut(&list, ','))), wanted);
    }
    return found;
}

/* Which of `rights` the object in front of *text gives for our table. */
static unsigned covered(struct arena *arena, struct sv object, unsigned rights,
                        struct account *a)
{
    const unsigned on_tables = RIGHT_CREATE_TABLE - 1;
    struct sv database = sv_from(a->database);
    const char *prefix = arena_printf(arena, "%s.", a->database);
    const char *path = arena_printf(arena, "%s%s", prefix, a->table);
    const char *quoted = arena_printf(arena, "`%s`.`%s`", a->database, a->table);

    if (takes(&object, SV("ALL TABLES IN ALL DATABASES"))) {
        return rights & on_tables;
    }
    if (takes(&object, SV("ALL DATABASES"))) {
        return rights & RIGHT_CREATE_TABLE;
    }
    if (takes(&object, SV("ALL CATALOGS")) ||
        takes(&object, SV("CATALOG default_catalog"))) {
        return rights & RIGHT_CREATE_DATABASE;
    }
    if (takes(&object, SV("ALL TABLES IN DATABASE "))) {
        a->sees_database = a->sees_database || lists(object, database);
        return lists(object, database) ? rights & on_tables : 0;
    }
    if (takes(&object, SV("DATABASE "))) {
        a->sees_database = a->sees_database || lists(object, database);
        return lists(object, database) ? rights & RIGHT_CREATE_TABLE : 0;
    }
    if (takes(&object, SV("TABLE "))) {
        a->sees_database =
            a->sees_database || sv_starts(object, sv_from(prefix)) ||
            sv_starts(object, sv_from(arena_printf(arena, "`%s`.", a->database)));
        return lists(object, sv_from(path)) || lists(object, sv_from(quoted))
                   ? rights & on_tables
                   : 0;
    }
    return 0;
}

/* The last " TO " of a line: a name may hold one too. */
static size_t find_to(struct sv line)
{
    for (size_t i = line.n; i >= 4; i--) {
        if (sv_eq_nocase(sv_sub(line, i - 4, 4), SV(" TO "))) {
            return i - 4;
        }
    }
    return SIZE_MAX;
}

static void read_grant(struct arena *arena, struct sv line, struct account *a)
{
    size_t on = sv_find_nocase(line, SV(" ON ")), to = find_to(line);
    struct sv who = SV_NULL;

    if (!takes(&line, SV("GRANT ")) || to == SIZE_MAX) {
        return;
    }
    on = on == SIZE_MAX ? on : on - strlen("GRANT ");
    to -= strlen("GRANT ");
    if (on == SIZE_MAX || on > to) {
        a->has_roles = true;
        return;
    }
    who = sv_sub(line, to + strlen(" TO "), line.n);
    if (takes(&who, SV("USER "))) {
        size_t options = sv_find_nocase(who, SV(" WITH GRANT OPTION"));

        a->name = options == SIZE_MAX ? who : sv_sub(who, 0, options);
    }
    on += strlen(" ON ");
    a->has |= covered(arena, sv_sub(line, on, to - on),
                      rights_of(sv_sub(line, 0, on - strlen(" ON "))), a);
}

/* What this TableSync's policies may come to need. RisingWave's sink logs in with the
 * same account: it reads the table's definition and loads into it. */
static unsigned rights_needed(const struct tablesync *sync)
{
    unsigned needed = RIGHT_SELECT | RIGHT_INSERT | RIGHT_UPDATE | RIGHT_DELETE;
    bool alters =
        sync->schema_policy == SCHEMA_ADD_ONLY || sync->schema_policy == SCHEMA_EVOLVE;
    /* The mark of a table that was taken over is written by ALTER. */
    bool marks = sync->existing == EXISTING_ADOPT || sync->existing == EXISTING_TRUNCATE;
    bool drops = sync->deletion_policy == DELETION_DELETE ||
                 sync->existing == EXISTING_RECREATE ||
                 sync->resync_mode == RESYNC_RECREATE;

    needed |= alters || marks ? RIGHT_ALTER : 0;
    needed |= drops ? RIGHT_DROP : 0;
    needed |= sync->target_create != CREATE_NEVER ? RIGHT_CREATE_TABLE : 0;
    return needed;
}

static void add_name(struct buf *out, const char *name)
{
    buf_addf(out, "`%s`", name);
}

/* "GRANT ... TO USER ...; GRANT ...", all that `missing` asks for. */
static const char *statements(struct arena *arena, const struct account *a,
                              unsigned missing)
{
    AUTO(buf_deinit) struct buf out = {0};
    const char *comma = "";

    buf_init(&out, STATEMENTS_MAX);
    if ((missing & RIGHT_CREATE_DATABASE) != 0) {
        buf_addf(&out, "GRANT CREATE DATABASE ON CATALOG default_catalog TO USER %.*s",
                 SV_ARGS(a->name));
    }
    if ((missing & RIGHT_CREATE_TABLE) != 0) {
        buf_addz(&out, out.n > 0 ? "; GRANT CREATE TABLE ON DATABASE "
                                 : "GRANT CREATE TABLE ON DATABASE ");
        add_name(&out, a->database);
        buf_addf(&out, " TO USER %.*s", SV_ARGS(a->name));
    }
    if ((missing & (RIGHT_CREATE_TABLE - 1)) == 0) {
        return buf_take(&out, arena);
    }
    buf_addz(&out, out.n > 0 ? "; GRANT " : "GRANT ");
    for (size_t i = 0; i < TABLE_RIGHTS; i++) {
        if ((missing & RIGHTS[i].right) != 0) {
            buf_addf(&out, "%s%s", comma, RIGHTS[i].name);
            comma = ", ";
        }
    }
    /* Not on the one table: such a grant is gone once the table is made anew. */
    buf_addz(&out, " ON ALL TABLES IN DATABASE ");
    add_name(&out, a->database);
    buf_addf(&out, " TO USER %.*s", SV_ARGS(a->name));
    return buf_take(&out, arena);
}

/*
 * A database that no grant names may still have to be made, and grants on it cannot be
 * given before; whoever makes it gets no right in it (verified 25).
 */
static bool check_founder(const struct account *a, unsigned needed, struct arena *arena,
                          struct findings *findings)
{
    unsigned missing = needed & ~a->has;

    if (a->sees_database || missing == 0) {
        return false;
    }
    if ((a->has & RIGHT_CREATE_DATABASE) != 0) {
        return true;
    }
    findings_add(findings, arena, a->has_roles ? FINDING_WARNING : FINDING_MISSING,
                 SYSTEM_STARROCKS, a->has_roles ? "RightsNotChecked" : "MissingGrant",
                 "the account %s to make database %s: run %s; creating a database gives "
                 "its creator no right in it, so once it is there run %s",
                 a->has_roles ? "may lack the right" : "lacks the right", a->database,
                 statements(arena, a, RIGHT_CREATE_DATABASE),
                 statements(arena, a, missing));
    return true;
}

static void check_rights(const struct sr_server *server, const char *user,
                         const struct tablesync *sync, struct arena *arena,
                         struct findings *findings)
{
    struct account a = {.database = sync->target_database, .table = sync->target_table};
    unsigned needed = rights_needed(sync);

    a.name = sv_from(arena_printf(arena, "'%s'@'%%'", user == NULL ? "" : user));
    for (size_t i = 0; i < server->grants.n; i++) {
        read_grant(arena, sv_from(server->grants.v[i]), &a);
    }
    if (sync->create_database == CREATE_IF_NOT_EXISTS &&
        check_founder(&a, needed, arena, findings)) {
        return;
    }
    if ((needed & ~a.has) == 0) {
        return;
    }
    /* SHOW DATABASES hides what one has no right in: it may not be there at all. */
    if (!a.has_roles && !a.sees_database &&
        (a.has & ~(unsigned)RIGHT_CREATE_DATABASE) == 0) {
        findings_add(
            findings, arena, FINDING_MISSING, SYSTEM_STARROCKS, "DatabaseMissing",
            "the account sees no database %s: if it is not there, run CREATE "
            "DATABASE `%s`, or set spec.target.createDatabase to IfNotExists; "
            "for %s.%s then run %s",
            a.database, a.database, a.database, a.table, statements(arena, &a, needed));
        return;
    }
    if (a.has_roles) {
        findings_add(findings, arena, FINDING_WARNING, SYSTEM_STARROCKS,
                     "RightsNotChecked",
                     "whether the account has what %s.%s needs could not be checked, for "
                     "it has roles: if a statement is denied, make the role a default "
                     "role (SET DEFAULT ROLE), or run %s",
                     a.database, a.table, statements(arena, &a, needed & ~a.has));
        return;
    }
    findings_add(findings, arena, FINDING_MISSING, SYSTEM_STARROCKS, "MissingGrant",
                 "the account lacks rights for %s.%s: run %s", a.database, a.table,
                 statements(arena, &a, needed & ~a.has));
}

void preflight_starrocks(const struct sr_server *server, const char *user,
                         const struct tablesync *sync, struct arena *arena,
                         struct findings *findings)
{
    bool known = server->grants_known || server->grants.n > 0;

    if (server->live_backends == 0) {
        findings_add(findings, arena, FINDING_MISSING, SYSTEM_STARROCKS, "NoBackends",
                     "no backend is alive to put a table on: start one; it is tried "
                     "again meanwhile");
    }
    if (sync != NULL && known && !server->root) {
        check_rights(server, user, sync, arena, findings);
    }
}
