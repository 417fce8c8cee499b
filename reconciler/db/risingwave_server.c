/* risingwave_server: the third part of risingwave_rows.h, what RisingWave says of itself
 * and of the account. */
#include "db/risingwave_rows.h"

#include <string.h>

static size_t find_row(const struct rows *rows, const char *heading, const char *value)
{
    for (size_t i = 0; i < rows_count(rows); i++) {
        if (strcmp(rows_text(rows, i, heading), value) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* Takes the next item of "{a,\"b c\",d}" behind the opening brace, without its quotes and
 * escapes, into `item`; false at the end. */
static bool take_item(struct sv *list, struct buf *item)
{
    size_t at = 0;
    bool quoted = false;

    buf_clear(item);
    if (list->n == 0 || list->p[0] == '}') {
        return false;
    }
    for (; at < list->n; at++) {
        char c = list->p[at];
        if (c == '"') {
            quoted = !quoted;
        } else if (c == '\\' && quoted && at + 1 < list->n) {
            buf_addc(item, list->p[++at]);
        } else if (!quoted && (c == ',' || c == '}')) {
            break;
        } else {
            buf_addc(item, c);
        }
    }
    size_t behind = at < list->n && list->p[at] == ',' ? at + 1 : at;
    *list = sv_sub(*list, behind, list->n);
    return true;
}

/* Whether "name=letters/grantor" gives `name` the letter. A name that holds an equals
 * sign could pretend to be another one: then the rest holds it and is no grantor. */
static bool item_grants(struct sv item, struct sv name, char letter)
{
    struct sv rest = sv_sub(item, name.n, item.n);

    if (!sv_starts(item, name) || rest.n == 0 || rest.p[0] != '=' ||
        sv_contains(sv_sub(rest, 1, rest.n), SV("="))) {
        return false;
    }
    rest = sv_sub(rest, 1, rest.n);
    struct sv letters = sv_cut(&rest, '/');
    return letters.n > 0 && memchr(letters.p, letter, letters.n) != NULL;
}

/* "name=letters/grantor", with nothing but letters and the '*' of a grant option. */
static bool is_item(struct sv item)
{
    size_t at = sv_find(item, SV("="));
    struct sv rest = at == SIZE_MAX ? SV_NULL : sv_sub(item, at + 1, item.n);
    struct sv letters = sv_cut(&rest, '/');
    bool fits = at != SIZE_MAX && rest.n > 0;

    for (size_t i = 0; i < letters.n && fits; i++) {
        char c = letters.p[i];
        fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '*';
    }
    return fits;
}

/* 0 only when every item is one that we know how to read: a right that is there and is
 * called missing would stop everything. */
static int granted(const char *acl, const char *user, char letter)
{
    AUTO(buf_deinit) struct buf item = {0};
    struct sv list = sv_from(acl);
    int found = -1;

    buf_init(&item, DB_VALUE_MAX);
    if (list.n < 2 || list.p[0] != '{' || list.p[list.n - 1] != '}') {
        return -1;
    }
    list = sv_sub(list, 1, list.n);
    while (take_item(&list, &item)) {
        if (!is_item(buf_sv(&item))) {
            return -1;
        }
        /* Without a name it is for everybody. */
        if (item_grants(buf_sv(&item), sv_from(user), letter) ||
            item_grants(buf_sv(&item), SV(""), letter)) {
            return 1;
        }
        found = 0;
    }
    return found;
}

void risingwave_rows_account(const struct rows *users, const struct rows *databases,
                             struct rw_server *server)
{
    size_t user = find_row(users, "name", server->user);
    size_t database = find_row(databases, "name", server->database);
    int64_t owner = rows_int(databases, database, "owner", -1);

    server->superuser = rows_bool(users, user, "is_super");
    server->may_create = -1;
    server->may_connect = -1;
    if (rows_bool(users, user, "is_admin") && !server->superuser) {
        return; /* of an administrator's rights nothing is documented */
    }
    if (server->superuser || (owner >= 0 && owner == rows_int(users, user, "id", -2))) {
        server->may_create = 1;
        server->may_connect = 1;
    } else if (user != SIZE_MAX && database != SIZE_MAX) {
        const char *acl = rows_get(databases, database, "acl");
        server->may_create = granted(acl, server->user, 'C');
        server->may_connect = granted(acl, server->user, 'c');
    }
}

void risingwave_rows_features(const struct rows *features, struct arena *arena,
                              struct rw_server *server)
{
    struct strlist missing = {0};

    for (size_t i = 0; i < rows_count(features); i++) {
        if (!rows_bool(features, i, "available")) {
            VEC_PUSH(arena, &missing,
                     arena_strdup(arena, rows_text(features, i, "name")));
        }
    }
    server->unavailable_features = missing;
    if (rows_count(features) == 0) {
        server->license = NULL;
    } else if (missing.n == 0) {
        server->license = "all features";
    } else {
        server->license =
            missing.n < rows_count(features) ? "some features" : "no licensed features";
    }
}

static int64_t actors_of(const struct rows *actors, int64_t worker)
{
    for (size_t i = 0; i < rows_count(actors); i++) {
        if (rows_int(actors, i, "worker_id", -1) == worker) {
            return rows_int(actors, i, "actors", 0);
        }
    }
    return 0;
}

void risingwave_rows_actors(const struct rows *actors, const struct rows *workers,
                            struct rw_server *server)
{
    server->actors = -1;
    server->parallelism = -1;
    for (size_t i = 0; i < rows_count(workers); i++) {
        int64_t units = rows_int(workers, i, "parallelism", 0);
        int64_t count = actors_of(actors, rows_int(workers, i, "id", -1));
        if (!rows_bool(workers, i, "is_streaming") || units <= 0 ||
            strcmp(rows_text(workers, i, "state"), "RUNNING") != 0) {
            continue;
        }
        if (server->parallelism < 0 ||
            (double)count / (double)units >
                (double)server->actors / (double)server->parallelism) {
            server->actors = count;
            server->parallelism = units;
        }
    }
}
