/* What RisingWave must grant and have room for. */
#include "ddl/preflight_parts.h"

/* RisingWave 3.0.3, by its own words (verified 18): above the first every CREATE is
 * answered with a NOTICE, above the second it is refused. */
#define ACTORS_SOFT 100
#define ACTORS_HARD 400
/* A table and its sink add some; the last of them must not be refused half-way. */
#define ACTORS_RESERVE 20

static const char *text_or(const char *text, const char *otherwise)
{
    return text == NULL || text[0] == '\0' ? otherwise : text;
}

/* verified 39 */
static void check_rights(const struct rw_server *server, struct arena *arena,
                         struct findings *findings)
{
    bool create = server->may_create == 0, connect = server->may_connect == 0;

    if (server->superuser || (!create && !connect)) {
        return;
    }
    findings_add(findings, arena, FINDING_MISSING, SYSTEM_RISINGWAVE, "SchemaDenied",
                 "the account lacks rights: run GRANT %s%s%s ON DATABASE \"%s\" TO "
                 "\"%s\"",
                 create ? "CREATE" : "", create && connect ? ", " : "",
                 connect ? "CONNECT" : "", text_or(server->database, "dev"),
                 text_or(server->user, "the account"));
}

static void check_room(const struct rw_server *server, struct arena *arena,
                       struct findings *findings)
{
    int64_t each = 0;

    if (server->actors < 0 || server->parallelism <= 0) {
        return;
    }
    each = server->actors / server->parallelism;
    if (each >= ACTORS_HARD - ACTORS_RESERVE) {
        findings_add(findings, arena, FINDING_MISSING, SYSTEM_RISINGWAVE, "ActorLimit",
                     "%lld actors run on a parallelism of %lld, and above %d each it "
                     "refuses new ones: add compute nodes, drop streaming jobs, or lower "
                     "their parallelism",
                     (long long)server->actors, (long long)server->parallelism,
                     ACTORS_HARD);
    } else if (each >= ACTORS_SOFT) {
        findings_add(findings, arena, FINDING_WARNING, SYSTEM_RISINGWAVE, "ManyActors",
                     "%lld actors run on a parallelism of %lld: above %d each RisingWave "
                     "advises against more, above %d it refuses them; add compute nodes "
                     "or lower spec.risingWave.parallelism",
                     (long long)server->actors, (long long)server->parallelism,
                     ACTORS_SOFT, ACTORS_HARD);
    }
}

void preflight_risingwave(const struct rw_server *server, struct arena *arena,
                          struct findings *findings)
{
    int64_t major = 0, minor = 0;

    check_rights(server, arena, findings);
    check_room(server, arena, findings);
    if (server->recovering) {
        findings_add(findings, arena, FINDING_WARNING, SYSTEM_RISINGWAVE, "Recovering",
                     "RisingWave is recovering and takes no statements meanwhile: wait, "
                     "and look at its own logs if it lasts");
    }
    version_numbers(server->version, &major, &minor);
    if (major > 0 && major < 3) {
        findings_add(findings, arena, FINDING_WARNING, SYSTEM_RISINGWAVE,
                     "VersionNotVerified",
                     "RisingWave %s is older than 3.0, with which this controller was "
                     "verified: upgrade it, or expect refusals",
                     server->version);
    }
}
