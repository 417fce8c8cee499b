#include "db/mysql_rows.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

#define GRANT_BYTES_MAX 65536

static const char *variable(const struct rows *variables, const char *name)
{
    for (size_t i = 0; i < rows_count(variables); i++) {
        if (sv_eq_nocase(sv_from(rows_get(variables, i, "Variable_name")),
                         sv_from(name))) {
            return rows_text(variables, i, "Value");
        }
    }
    return NULL;
}

static bool is_on(const char *value)
{
    struct sv text = sv_from(value);

    return sv_eq_nocase(text, SV("ON")) || sv_eq(text, SV("1"));
}

static int64_t number(const char *value, int64_t otherwise)
{
    int64_t out = otherwise;

    (void)sv_int64(sv_from(value), &out);
    return out;
}

static char *upper(struct arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, text);

    for (char *p = copy; p != NULL && *p != '\0'; p++) {
        if (*p >= 'a' && *p <= 'z') {
            *p = (char)(*p - 'a' + 'A');
        }
    }
    return copy;
}

/* MySQL 8 has both variables and the seconds win unless they are 0; 5.6 has days only;
 * MariaDB keeps both in step from 10.6. */
static int64_t expire_seconds(const struct rows *variables)
{
    int64_t seconds = number(variable(variables, "binlog_expire_logs_seconds"), -1);
    int64_t days = number(variable(variables, "expire_logs_days"), -1);
    const char *purge = variable(variables, "binlog_expire_logs_auto_purge");

    if (purge != NULL && !is_on(purge)) {
        return 0;
    }
    if (seconds > 0 || days < 0) {
        return seconds;
    }
    return days * 86400;
}

void mysql_rows_server(const struct rows *variables, struct arena *arena,
                       struct mysql_server *out_server)
{
    const char *version = variable(variables, "version");
    const char *uuid = variable(variables, "server_uuid");
    const char *gtid_mode = variable(variables, "gtid_mode");
    struct mysql_server server = {.flavor = MYSQL_ORACLE};
    uint64_t id = 0;

    server.version = arena_strdup(arena, version == NULL ? "" : version);
    if (sv_find_nocase(sv_from(version), SV("mariadb")) != SIZE_MAX) {
        server.flavor = MYSQL_MARIADB;
    }
    server.server_uuid =
        uuid == NULL || uuid[0] == '\0' ? NULL : arena_strdup(arena, uuid);
    (void)sv_uint64(sv_from(variable(variables, "server_id")), &id);
    server.server_id = id;
    server.log_bin = is_on(variable(variables, "log_bin"));
    server.binlog_format = upper(arena, variable(variables, "binlog_format"));
    server.binlog_row_image = upper(arena, variable(variables, "binlog_row_image"));
    server.binlog_expire_seconds = expire_seconds(variables);
    /* MariaDB has no switch: its binary log always carries GTIDs of its own kind. */
    server.gtid = server.flavor == MYSQL_MARIADB
                      ? server.log_bin && variable(variables, "gtid_domain_id") != NULL
                      : is_on(gtid_mode);
    server.lower_case_table_names =
        number(variable(variables, "lower_case_table_names"), 0);
    *out_server = server;
}

static void add_quoted(struct buf *out, struct sv name)
{
    buf_addc(out, '\'');
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '\'' || name.p[i] == '\\') {
            buf_addc(out, name.p[i] == '\'' ? '\'' : '\\');
        }
        buf_addc(out, name.p[i]);
    }
    buf_addc(out, '\'');
}

const char *mysql_rows_account(const char *current_user, struct arena *arena)
{
    struct sv whole = sv_from(current_user);
    const char *at = current_user == NULL ? NULL : strrchr(current_user, '@');
    size_t user = at == NULL ? whole.n : (size_t)(at - current_user);
    struct buf out;

    buf_init(&out, GRANT_BYTES_MAX);
    add_quoted(&out, sv_sub(whole, 0, user));
    if (at != NULL) {
        buf_addc(&out, '@');
        add_quoted(&out, sv_sub(whole, user + 1, whole.n));
    }
    char *account = buf_take(&out, arena);
    buf_deinit(&out);
    return account;
}

/* Behind a quoted literal that starts at `at`; a backslash or a second quote hides one.
 */
static size_t literal_end(struct sv line, size_t at)
{
    char quote = line.p[at++];

    while (at < line.n) {
        char next = '\0';
        if (at + 1 < line.n) {
            next = line.p[at + 1];
        }
        if ((line.p[at] == '\\' && next != '\0') ||
            (line.p[at] == quote && next == quote)) {
            at += 2;
        } else if (line.p[at++] == quote) {
            break;
        }
    }
    return at;
}

/*
 * Walks over the line: quoted names before IDENTIFIED stay, every literal behind it goes,
 * whatever keyword introduces it (BY PASSWORD, WITH .. AS, MariaDB's VIA .. USING .. OR
 * ..).
 */
static const char *without_credentials(const char *text, struct arena *arena)
{
    struct sv line = sv_from(text);
    bool identified = false;
    size_t at = 0;
    struct buf out;

    buf_init(&out, GRANT_BYTES_MAX);
    while (at < line.n) {
        char c = line.p[at];
        if (c == '\'' || c == '"' || c == '`') {
            size_t end = literal_end(line, at);
            bool hidden = identified && c != '`';
            buf_add(&out, hidden ? SV("'***'") : sv_sub(line, at, end - at));
            at = end;
            continue;
        }
        if (sv_starts_nocase(sv_sub(line, at, line.n), SV(" IDENTIFIED "))) {
            identified = true;
        }
        buf_addc(&out, c);
        at++;
    }
    char *safe = buf_take(&out, arena);
    buf_deinit(&out);
    return safe;
}

void mysql_rows_grants(const struct rows *grants, struct arena *arena,
                       struct strlist *out_grants)
{
    for (size_t i = 0; i < rows_count(grants); i++) {
        const char *line = grants->data.v[i][0];
        if (line != NULL) {
            VEC_PUSH(arena, out_grants, without_credentials(line, arena));
        }
    }
}

static const char *required(const char *text, struct arena *arena)
{
    struct sv line = sv_from(text), rest = SV_NULL;
    size_t at = 0;

    while (at < line.n) {
        char c = line.p[at];
        if (c == '\'' || c == '"' || c == '`') {
            at = literal_end(line, at);
        } else if (sv_starts_nocase(sv_sub(line, at, line.n), SV(" REQUIRE "))) {
            rest = sv_sub(line, at + strlen(" REQUIRE "), line.n);
            break;
        } else {
            at++;
        }
    }
    rest = sv_cut(&rest, ' ');
    if (rest.n == 0 || sv_eq_nocase(rest, SV("NONE"))) {
        return NULL;
    }
    return arena_copy(arena, rest);
}

const char *mysql_rows_require(const struct rows *lines, struct arena *arena)
{
    const char *found = NULL;

    for (size_t i = 0; i < rows_count(lines) && found == NULL; i++) {
        const char *line = lines->data.v[i][0];

        found = line == NULL ? NULL : required(line, arena);
    }
    return found;
}

size_t mysql_rows_named(const struct rows *rows, const char *heading, const char *name,
                        int64_t lower_case_table_names)
{
    size_t close = SIZE_MAX;

    for (size_t i = 0; i < rows_count(rows); i++) {
        struct sv found = sv_from(rows_get(rows, i, heading));
        if (sv_eq(found, sv_from(name))) {
            return i;
        }
        if (lower_case_table_names != 0 && sv_eq_nocase(found, sv_from(name))) {
            close = i;
        }
    }
    return close;
}

void mysql_rows_binlogs(const struct rows *logs, const struct binlog_position *at,
                        struct arena *arena, struct binlog_answer *out_answer)
{
    size_t count = rows_count(logs);

    *out_answer = (struct binlog_answer){
        .lost = count > 0,
        .oldest =
            count == 0 ? NULL : arena_strdup(arena, rows_text(logs, 0, "Log_name"))};
    for (size_t i = 0; i < count; i++) {
        if (sv_eq(sv_from(rows_text(logs, i, "Log_name")), sv_from(at->file))) {
            out_answer->lost = at->pos > rows_int(logs, i, "File_size", INT64_MAX);
        }
    }
}

void mysql_rows_replicas(const struct rows *hosts, struct arena *arena,
                         struct strlist *out_ids)
{
    for (size_t i = 0; i < rows_count(hosts); i++) {
        const char *id = rows_get(hosts, i, "Server_id");
        if (id != NULL) {
            VEC_PUSH(arena, out_ids, arena_strdup(arena, id));
        }
    }
}
