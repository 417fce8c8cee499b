/* What CDC needs of a MySQL server's settings, and what its users should know of it. */
#include "ddl/preflight_parts.h"

#define DAY_S INT64_C(86400)
#define KEEP_DAYS 7     /* what we advise */
#define COLUMNS_SHOWN 8 /* of those the connector cannot parse */

static bool setting_wrong(const char *value, const char *wanted)
{
    /* Old servers lack a variable; RisingWave's check passes then, and rightly. */
    return value != NULL && value[0] != '\0' &&
           !sv_eq_nocase(sv_from(value), sv_from(wanted));
}

static void check_settings(const struct mysql_server *server, struct arena *arena,
                           struct findings *findings)
{
    if (!server->log_bin) {
        findings_add(findings, arena, FINDING_MISSING, SYSTEM_MYSQL, "BinlogOff",
                     "the binary log is off: set log_bin in the server's configuration "
                     "and restart it");
    }
    /* Such a server answers a reader of its log "Misconfigured master". */
    if (server->server_id == 0) {
        findings_add(findings, arena, FINDING_MISSING, SYSTEM_MYSQL, "ServerIdUnset",
                     "server_id is 0, so nobody may read the binary log: run SET GLOBAL "
                     "server_id = 1, or another number that no replica has, and put it "
                     "into the configuration");
    }
    if (setting_wrong(server->binlog_format, "ROW")) {
        findings_add(findings, arena, FINDING_MISSING, SYSTEM_MYSQL, "BinlogNotRow",
                     "binlog_format is %s: run SET GLOBAL binlog_format = 'ROW' and put "
                     "it into the configuration",
                     server->binlog_format);
    }
    if (setting_wrong(server->binlog_row_image, "FULL")) {
        findings_add(findings, arena, FINDING_MISSING, SYSTEM_MYSQL, "RowImageNotFull",
                     "binlog_row_image is %s: run SET GLOBAL binlog_row_image = 'FULL' "
                     "and put it into the configuration",
                     server->binlog_row_image);
    }
}

/* "90 min", "12 h": how long the log is kept, rounded down. */
static const char *span(int64_t seconds, struct arena *arena)
{
    return seconds < 7200 ? arena_printf(arena, "%lld min", (long long)(seconds / 60))
                          : arena_printf(arena, "%lld h", (long long)(seconds / 3600));
}

/* The variable in seconds came with MySQL 8.0; MariaDB kept the one in days, too. */
static void warn_of_expiry(const struct mysql_server *server, struct arena *arena,
                           struct findings *findings)
{
    int64_t major = 0, minor = 0;
    bool seconds = false;

    if (server->binlog_expire_seconds <= 0 || server->binlog_expire_seconds >= DAY_S) {
        return;
    }
    version_numbers(server->version, &major, &minor);
    seconds = server->flavor != MYSQL_MARIADB && major >= 8;
    findings_add(findings, arena, FINDING_WARNING, SYSTEM_MYSQL, "BinlogExpiresSoon",
                 "binary logs are deleted after %s, and changes that RisingWave did not "
                 "read by then are lost: run SET GLOBAL %s = %lld and put it into the "
                 "configuration",
                 span(server->binlog_expire_seconds, arena),
                 seconds ? "binlog_expire_logs_seconds" : "expire_logs_days",
                 (long long)(seconds ? KEEP_DAYS * DAY_S : KEEP_DAYS));
}

/* verified 8 */
static void warn_of_columns(const struct strlist *unparseable, struct arena *arena,
                            struct findings *findings)
{
    AUTO(buf_deinit) struct buf names = {0};

    if (unparseable == NULL || unparseable->n == 0) {
        return;
    }
    buf_init(&names, (size_t)COLUMNS_SHOWN * 1024);
    for (size_t i = 0; i < unparseable->n && i < COLUMNS_SHOWN; i++) {
        buf_addf(&names, "%s%s", i > 0 ? ", " : "", unparseable->v[i]);
    }
    if (unparseable->n > COLUMNS_SHOWN) {
        buf_addf(&names, " and %zu more", unparseable->n - COLUMNS_SHOWN);
    }
    findings_add(findings, arena, FINDING_WARNING, SYSTEM_MYSQL, "UnparseableColumns",
                 "the connector cannot parse the definition of %s: such a table cannot "
                 "be replicated as long as it has the column, and an ALTER of it is "
                 "skipped; other tables are not affected",
                 buf_z(&names));
}

static void check_account(const struct mysql_server *server, const char *database,
                          struct arena *arena, struct findings *findings)
{
    const char *missing = mysql_grants_missing(server, database, arena);

    if (missing != NULL) {
        findings_add(findings, arena, FINDING_MISSING, SYSTEM_MYSQL, "MissingGrant", "%s",
                     missing);
    }
}

void preflight_mysql(const struct mysql_server *server, const char *database,
                     const struct strlist *unparseable, struct arena *arena,
                     struct findings *findings)
{
    check_settings(server, arena, findings);
    check_account(server, database, arena, findings);
    warn_of_expiry(server, arena, findings);
    /* verified 7 */
    if (server->flavor == MYSQL_MARIADB) {
        findings_add(findings, arena, FINDING_WARNING, SYSTEM_MYSQL, "MariaDBSource",
                     "this is MariaDB: after a restart of RisingWave the first change "
                     "past its saved position is skipped; prefer MySQL, or re-sync after "
                     "such a restart");
    }
    warn_of_columns(unparseable, arena, findings);
}

void preflight_mysql_tls(const struct mysql_server *server, enum tls_mode mode,
                         struct arena *arena, struct findings *findings)
{
    const char *account = server->current_user == NULL ? "" : server->current_user;

    if (server->require == NULL) {
        return;
    }
    if (!sv_eq_nocase(sv_from(server->require), SV("SSL"))) {
        findings_add(findings, arena, FINDING_MISSING, SYSTEM_MYSQL, "TLSRequired",
                     "the account must show a certificate (REQUIRE %s), and RisingWave "
                     "has none to show: run ALTER USER %s REQUIRE SSL, or GRANT USAGE ON "
                     "*.* TO %s REQUIRE SSL before MySQL 5.7",
                     server->require, account, account);
    } else if (mode < TLS_REQUIRE) {
        findings_add(findings, arena, FINDING_MISSING, SYSTEM_MYSQL, "TLSRequired",
                     "the account must use TLS (REQUIRE SSL), and RisingWave reads the "
                     "snapshot without it unless spec.tls.mode of the DatabaseConnection "
                     "is Require, VerifyCA or VerifyFull: set one of these");
    }
}

bool mysql_server_check(const struct mysql_server *server, const char *database,
                        struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(buf_deinit) struct buf problems = {0};
    struct findings findings = {0};
    struct fault found = FAULT_INIT;

    check_settings(server, arena, &findings);
    check_account(server, database, arena, &findings);
    if (preflight_passed(&findings, &found)) {
        return true;
    }
    buf_init(&problems, sizeof(found.text));
    for (VEC_EACH(const struct finding, f, &findings.list)) {
        buf_addf(&problems, "%s%s", f == findings.list.v ? "" : "; ", f->text);
    }
    return fault_set(fault, found.class, found.reason, "MySQL %s cannot be captured: %s",
                     server->version, buf_z(&problems));
}
