/* risingwave_start: what libpq is told of the server, the account and TLS. */
#include "db/risingwave_wire_private.h"

#include <libpq-fe.h>

#define APPLICATION_NAME "tablesync"
/* A file that cannot be there: libpq would look into somebody's home directory. */
#define NO_FILE "/dev/null/none"

static const char *ssl_mode(enum tls_mode mode)
{
    switch (mode) {
    case TLS_DISABLE:
        return "disable";
    case TLS_REQUIRE:
        return "require";
    case TLS_VERIFY_CA:
        return "verify-ca";
    case TLS_VERIFY_FULL:
        return "verify-full";
    case TLS_PREFER:
    case TLS_MODE_MAX:
        break;
    }
    return "prefer";
}

/* The same word for each address: libpq wants as many hosts as addresses. */
static const char *joined(const struct strlist *addresses, const char *same,
                          struct arena *arena)
{
    const char *out = "";

    for (size_t i = 0; i < addresses->n; i++) {
        out = arena_printf(arena, "%s%s%s", out, i == 0 ? "" : ",",
                           same == NULL ? addresses->v[i] : same);
    }
    return out;
}

static const char *file_or_none(const char *path)
{
    return path == NULL ? NO_FILE : path;
}

PGconn *risingwave_wire_start(const struct peer *peer, const struct strlist *addresses,
                              const struct tls_files *files)
{
    struct arena *arena = peer->arena;
    struct sv password = secret_reveal(peer->password);
    const struct {
        const char *key, *value;
    } options[] = {
        {"host", joined(addresses, peer->host, arena)},
        {"hostaddr", joined(addresses, NULL, arena)},
        {"port", arena_printf(arena, "%lld", (long long)peer->port)},
        {"dbname", peer->database},
        {"user", peer->user},
        {"password", password.n == 0 ? "" : password.p},
        {"passfile", NO_FILE},
        {"sslmode", ssl_mode(peer->tls_mode)},
        /* "require" with a CA would verify: it gets none. */
        {"sslrootcert", file_or_none(files->ca_path)},
        {"sslcert", file_or_none(files->cert_path)},
        {"sslkey", file_or_none(files->key_path)},
        {"sslcrl", NO_FILE},
        {"gssencmode", "disable"},
        {"client_encoding", "UTF8"},
        {"application_name", APPLICATION_NAME},
        {"keepalives_idle", "30"}, /* a DDL may be silent for minutes */
        {"keepalives_interval", "10"},
        {"keepalives_count", "3"},
    };
    const char *keys[COUNT_OF(options) + 1] = {0};
    const char *values[COUNT_OF(options) + 1] = {0};

    for (size_t i = 0; i < COUNT_OF(options); i++) {
        keys[i] = options[i].key;
        values[i] = options[i].value;
    }
    return PQconnectStartParams(keys, values, 0);
}
