/*
 * What a MySQL account lacks for CDC. RisingWave's own validator looks for words in SHOW
 * GRANTS (MySqlValidator, 3.0.3) and lets much pass that fails later; this one reads
 * them.
 */
#include "ddl/preflight_parts.h"

#include <string.h>

#define STATEMENTS_MAX ((size_t)4096)

struct rights {
    bool select, replication_slave, replication_client;
    bool has_roles;
};

/* LIKE: % and _ are wildcards, a backslash takes the next byte as it is. */
static bool like(struct sv pattern, struct sv text)
{
    size_t p = 0, t = 0;
    size_t star = SIZE_MAX, retry = 0;

    while (t < text.n) {
        bool more = p < pattern.n;
        bool escaped = p + 1 < pattern.n && pattern.p[p] == '\\';
        if (more && pattern.p[p] == '%') {
            star = p++;
            retry = t;
        } else if (more &&
                   (pattern.p[p] == '_' || pattern.p[escaped ? p + 1 : p] == text.p[t])) {
            p += escaped ? 2 : 1;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++retry;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '%') {
        p++;
    }
    return p == pattern.n;
}

/* Takes one name off the front: `quoted`, "quoted" or up to a dot or blank. */
static struct sv take_name(struct arena *arena, struct sv *text, bool *out_quoted)
{
    bool quoted = text->n > 0 && (text->p[0] == '`' || text->p[0] == '"');
    char *name = arena_alloc(arena, text->n + 1);
    size_t n = 0, i = quoted ? 1 : 0;

    for (; i < text->n; i++) {
        char c = text->p[i];
        if (quoted && c == text->p[0]) {
            if (i + 1 < text->n && text->p[i + 1] == c) {
                i++;
            } else {
                i++;
                break;
            }
        } else if (!quoted && (c == '.' || c == ' ')) {
            break;
        }
        name[n++] = c;
    }
    *text = sv_sub(*text, i, text->n);
    *out_quoted = quoted;
    return (struct sv){name, n};
}

/* Does "*.*", "`db`.*" or "`db`.`table`" (in front of *text) take in the database? */
static bool object_covers(struct arena *arena, struct sv text, const char *database,
                          bool *out_global)
{
    bool quoted = false, table_quoted = false;
    struct sv first = take_name(arena, &text, &quoted);

    *out_global = false;
    if (text.n == 0 || text.p[0] != '.') {
        return false;
    }
    text = sv_sub(text, 1, text.n);
    struct sv second = take_name(arena, &text, &table_quoted);
    bool whole = !table_quoted && sv_eq(second, SV("*"));
    if (!quoted && sv_eq(first, SV("*"))) {
        *out_global = true;
        return true;
    }
    /* Wildcards count in grants on whole databases only. */
    return whole ? like(first, sv_from(database)) : sv_eq(first, sv_from(database));
}

static void apply_privilege(struct sv privilege, bool global, bool value,
                            struct rights *rights)
{
    bool all = sv_eq_nocase(privilege, SV("ALL PRIVILEGES")) ||
               sv_eq_nocase(privilege, SV("ALL"));

    if (all || sv_eq_nocase(privilege, SV("SELECT"))) {
        rights->select = value;
    }
    if (!global) {
        return;
    }
    /* REPLICATION SLAVE ADMIN is another right: whole words only. MariaDB 10.5 renamed
     * REPLICATION CLIENT to BINLOG MONITOR and takes REPLICA for SLAVE. */
    if (all || sv_eq_nocase(privilege, SV("REPLICATION SLAVE")) ||
        sv_eq_nocase(privilege, SV("REPLICATION REPLICA"))) {
        rights->replication_slave = value;
    }
    if (all || sv_eq_nocase(privilege, SV("REPLICATION CLIENT")) ||
        sv_eq_nocase(privilege, SV("BINLOG MONITOR"))) {
        rights->replication_client = value;
    }
}

/* Finds " ON " outside quotes; a role line has none. */
static size_t find_on(struct sv line)
{
    char quote = '\0';

    for (size_t i = 0; i + 4 <= line.n; i++) {
        char c = line.p[i];
        if (quote != '\0') {
            if (c == quote) {
                quote = '\0';
            }
        } else if (c == '`' || c == '"' || c == '\'') {
            quote = c;
        } else if (sv_eq_nocase(sv_sub(line, i, 4), SV(" ON "))) {
            return i;
        }
    }
    return SIZE_MAX;
}

static void read_grant(struct arena *arena, struct sv line, const char *database,
                       struct rights *rights)
{
    bool grants = sv_starts_nocase(line, SV("GRANT "));
    bool global = false;
    size_t on = find_on(line);

    if (!grants && !sv_starts_nocase(line, SV("REVOKE "))) {
        return;
    }
    if (on == SIZE_MAX) {
        rights->has_roles = true;
        return;
    }
    if (!object_covers(arena, sv_trim(sv_sub(line, on + 4, line.n)), database, &global)) {
        return;
    }
    size_t from = grants ? strlen("GRANT ") : strlen("REVOKE ");
    struct sv list = sv_sub(line, from, on - from);
    while (list.n > 0) {
        /* SELECT (a, b) covers some columns only: its pieces match no privilege. */
        apply_privilege(sv_trim(sv_cut(&list, ',')), global, grants, rights);
    }
}

/* CURRENT_USER() says cdc@%; GRANT wants 'cdc'@'%'. */
static void add_account(struct buf *out, const char *user)
{
    struct sv text = sv_from(user);
    size_t at = SIZE_MAX;

    if (text.n == 0) {
        buf_addz(out, "the account");
        return;
    }
    for (size_t i = text.n; i > 0 && at == SIZE_MAX; i--) {
        at = text.p[i - 1] == '@' ? i - 1 : SIZE_MAX;
    }
    if (text.p[0] == '\'' || text.p[0] == '`' || at == SIZE_MAX) {
        buf_add(out, text);
        return;
    }
    buf_addf(out, "'%.*s'@'%.*s'", SV_ARGS(sv_sub(text, 0, at)),
             SV_ARGS(sv_sub(text, at + 1, text.n)));
}

static void add_database(struct buf *out, const char *database)
{
    buf_addc(out, '`');
    for (const char *c = database; *c != '\0'; c++) {
        buf_addz(out, *c == '`' ? "`" : "");
        buf_addc(out, *c);
    }
    buf_addc(out, '`');
}

const char *mysql_grants_missing(const struct mysql_server *server, const char *database,
                                 struct arena *arena)
{
    AUTO(buf_deinit) struct buf out = {0};
    struct rights rights = {0};

    for (size_t i = 0; i < server->grants.n; i++) {
        read_grant(arena, sv_from(server->grants.v[i]), database == NULL ? "" : database,
                   &rights);
    }
    bool replication = rights.replication_slave && rights.replication_client;
    /* A connection names no database: who may read what is each TableSync's question. */
    rights.select = rights.select || database == NULL || database[0] == '\0';
    /* Every account has at least one line: none means that nobody asked (offline plans).
     */
    if (server->grants.n == 0 || (rights.select && replication)) {
        return NULL;
    }
    buf_init(&out, STATEMENTS_MAX);
    buf_addz(&out, "the account lacks rights: run ");
    if (!replication) {
        buf_addf(&out, "GRANT %s%s%s ON *.* TO ",
                 rights.replication_slave ? "" : "REPLICATION SLAVE",
                 rights.replication_slave || rights.replication_client ? "" : ", ",
                 rights.replication_client ? "" : "REPLICATION CLIENT");
        add_account(&out, server->current_user);
        buf_addz(&out, rights.select ? "" : "; ");
    }
    if (!rights.select) {
        buf_addz(&out, "GRANT SELECT ON ");
        add_database(&out, database);
        buf_addz(&out, ".* TO ");
        add_account(&out, server->current_user);
    }
    if (rights.has_roles) {
        buf_addz(&out,
                 " (rights that come through a role do not count: RisingWave reads only "
                 "what SHOW GRANTS lists for the account itself)");
    }
    return buf_take(&out, arena);
}
