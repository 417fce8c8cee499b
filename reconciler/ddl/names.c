/* Names of what is created in RisingWave, from identity alone (desired.h). */
#include "base/hash.h"
#include "ddl/desired.h"

#include <string.h>

#define NAME_BYTES_MAX ((size_t)63)
#define HASH_CHARS 8
/* Table and sink share their middle, so that one can be told from the other: room for the
 * sink's "_v" and a version of up to five digits. */
#define SINK_SUFFIX_MAX (sizeof("_v99999") - 1)

/* Lower-case ASCII letters, digits and underscores; each other byte becomes one
 * underscore. */
static void add_slug(struct buf *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c >= 'A' && *c <= 'Z') {
            buf_addc(out, (char)(*c - 'A' + 'a'));
        } else if ((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9')) {
            buf_addc(out, *c);
        } else {
            buf_addc(out, '_');
        }
    }
}

static char *make_name(struct arena *arena, const char *prefix, struct buf *slug,
                       struct hash *h, size_t reserved)
{
    char hex[HASH_HEX_SIZE];
    size_t room = NAME_BYTES_MAX - reserved - strlen(prefix) - 1 - HASH_CHARS;

    hash_finish(h, hex);
    return arena_printf(arena, "%s%.*s_%.*s", prefix,
                        SV_ARGS(sv_sub(buf_sv(slug), 0, room)), HASH_CHARS, hex);
}

char *name_source(struct arena *arena, const char *namespace, const char *mysql_identity,
                  const char *database)
{
    AUTO(hash_freep) struct hash *h = hash_new();
    AUTO(buf_deinit) struct buf slug = {0};

    buf_init(&slug, 4096);
    add_slug(&slug, database);
    hash_addz(h, "source");
    hash_addz(h, namespace);
    hash_addz(h, mysql_identity);
    hash_addz(h, database);
    return make_name(arena, "src_", &slug, h, 0);
}

static char *stream_name(struct arena *arena, const char *prefix, const char *uid,
                         const char *database, const char *table)
{
    AUTO(hash_freep) struct hash *h = hash_new();
    AUTO(buf_deinit) struct buf slug = {0};

    buf_init(&slug, 4096);
    add_slug(&slug, database);
    buf_addc(&slug, '_');
    add_slug(&slug, table);
    hash_addz(h, "stream");
    hash_addz(h, uid);
    hash_addz(h, database);
    hash_addz(h, table);
    return make_name(arena, prefix, &slug, h, SINK_SUFFIX_MAX);
}

char *name_table(struct arena *arena, const char *uid, const char *database,
                 const char *table)
{
    return stream_name(arena, "t_", uid, database, table);
}

char *name_table_version(struct arena *arena, struct sv first, int64_t version)
{
    return version <= 1
               ? arena_copy(arena, first)
               : arena_printf(arena, "%.*s_v%lld", SV_ARGS(first), (long long)version);
}

/* The number that `name` has behind `prefix`; only as we print it: "2", never "02". */
static int64_t version_behind(struct sv prefix, struct sv name)
{
    struct sv digits = sv_sub(name, prefix.n, name.n);
    int64_t version = 0;

    if (!sv_starts(name, prefix) || digits.n == 0 || digits.p[0] < '1' ||
        digits.p[0] > '9' || !sv_int64(digits, &version)) {
        return 0;
    }
    return version;
}

int64_t name_table_version_of(struct sv first, struct sv name)
{
    struct sv suffix = sv_sub(name, first.n, name.n);
    int64_t version = 0;

    if (sv_eq(name, first)) {
        return 1;
    }
    if (!sv_starts(name, first) || !sv_starts(suffix, SV("_v"))) {
        return 0;
    }
    version = version_behind(SV("_v"), suffix);
    return version > 1 ? version : 0;
}

int64_t name_sink_version_of(struct sv prefix, struct sv name)
{
    return version_behind(prefix, name);
}

char *name_sink_prefix(struct arena *arena, const char *uid, const char *database,
                       const char *table)
{
    return arena_printf(arena, "%s_v", stream_name(arena, "k_", uid, database, table));
}

const char *mysql_identity(const struct mysql_server *server, const struct dbconn *conn,
                           struct arena *arena)
{
    if (server->server_uuid != NULL && server->server_uuid[0] != '\0') {
        return server->server_uuid;
    }
    return arena_printf(arena, "%s:%lld", conn->host, (long long)conn->port);
}

int64_t server_id_start(const char *source_name, int64_t low, int64_t high)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a: spreads, and stays the same for ever */

    must(low > 0 && low <= high);
    for (const char *c = source_name; *c != '\0'; c++) {
        h = (h ^ (unsigned char)*c) * 1099511628211u;
    }
    return low + (int64_t)(h % (uint64_t)(high - low + 1));
}
