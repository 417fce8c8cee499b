#include "db/classify_rules.h"

/* A row whose session goes on, and one whose session is over. */
#define SAYS(code, one, other, class, reason, advice)                                    \
    {                                                                                    \
        code, one, other, reason, advice, FAULT_##class, SESSION_USABLE                  \
    }
#define ENDS(code, one, other, class, reason, advice)                                    \
    {                                                                                    \
        code, one, other, reason, advice, FAULT_##class, SESSION_BROKEN                  \
    }

#define ADVICE_PASSWORD                                                                  \
    "Check the user name and the password in the connection's Secret, and the hosts "    \
    "the "                                                                               \
    "account may log in from."
/* MySQL and MariaDB refuse both with the number of a wrong password. */
#define ADVICE_MYSQL_LOGIN                                                               \
    ADVICE_PASSWORD                                                                      \
    " An account with REQUIRE SSL also wants TLS (spec.tls.mode), one with REQUIRE "     \
    "X509 a client certificate (spec.tls.clientCertSecretRef)."
#define ADVICE_TLS_MODE "Check spec.tls.mode of the connection against the server."
#define ADVICE_PLUGIN                                                                    \
    "Set spec.tls.mode to Require, or give the account a plugin that works without TLS " \
    "(mysql_native_password)."
#define ADVICE_ADDRESS                                                                   \
    "Check spec.host and spec.port of the connection, and that the server runs and may " \
    "be "                                                                                \
    "reached from the controller's pod."
#define ADVICE_NAME "Check spec.host of the connection."
#define ADVICE_CAPTURE                                                                   \
    "GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT to this account, as the "       \
    "message "                                                                           \
    "says what is missing."
#define ADVICE_SR_GRANT                                                                  \
    "Grant it to the account; a role helps only when SET DEFAULT ROLE made it active."
#define ADVICE_SINK_LOGIN                                                                \
    "Check the StarRocks account in the connection's Secret, and that it may log in "    \
    "from "                                                                              \
    "RisingWave's address."
#define ADVICE_SINK_REACH                                                                \
    "RisingWave itself has to reach StarRocks at this address: check the StarRocks "     \
    "connection's host and ports from RisingWave's network."
#define ADVICE_SOURCE_LOGIN                                                              \
    "Check the MySQL account in the connection's Secret, and that it may log in from "   \
    "RisingWave's address."
#define ADVICE_SOURCE_REACH                                                              \
    "RisingWave itself has to reach MySQL at this address: check the MySQL "             \
    "connection's "                                                                      \
    "host and port from RisingWave's network."
#define ADVICE_BACKENDS "Tried again until a StarRocks backend is alive."
#define ADVICE_REPLICAS                                                                  \
    "Set spec.target.properties.replication_num to at most the number of live "          \
    "backends, or "                                                                      \
    "add backends."
#define ADVICE_CONNECTIONS "Raise the limit or end unused sessions; tried again later."
#define ADVICE_SOCKET                                                                    \
    "The controller could not open a socket of its own, whatever the server does: 24 "   \
    "is "                                                                                \
    "'too many open files'; tried again later."
#define ADVICE_QUOTA                                                                     \
    "Raise the database's quota in StarRocks (ALTER DATABASE ... SET DATA QUOTA, SET "   \
    "REPLICA QUOTA)."
#define ADVICE_UPSTREAM                                                                  \
    "Change the server's settings and restart it, then the source is retried."

/* Connector/C's own numbers: the same whichever server is behind them. */
#define CLIENT_RULES                                                                     \
    ENDS("2005", NULL, NULL, UNAVAILABLE, "UnknownHost", ADVICE_NAME),                   \
        ENDS("2026", NULL, NULL, UNAVAILABLE, "TLSFailed", ADVICE_TLS_MODE),             \
        ENDS("2002", "(110)", NULL, UNAVAILABLE, "Timeout", ADVICE_ADDRESS),             \
        ENDS("2003", "(110)", NULL, UNAVAILABLE, "Timeout", ADVICE_ADDRESS),             \
        ENDS("2002", NULL, NULL, UNAVAILABLE, "Unreachable", ADVICE_ADDRESS),            \
        ENDS("2003", NULL, NULL, UNAVAILABLE, "Unreachable", ADVICE_ADDRESS),            \
        ENDS("2004", NULL, NULL, UNAVAILABLE, "Unreachable", ADVICE_SOCKET),             \
        ENDS("2006", NULL, NULL, UNAVAILABLE, "Unreachable", NULL),                      \
        ENDS("2007", NULL, NULL, UNAVAILABLE, "Unreachable", ADVICE_ADDRESS),            \
        ENDS("2012", NULL, NULL, UNAVAILABLE, "Unreachable", ADVICE_ADDRESS),            \
        ENDS("2013", NULL, NULL, UNAVAILABLE, "Unreachable", NULL),                      \
        ENDS("2014", NULL, NULL, UNAVAILABLE, "Unreachable", NULL),                      \
        ENDS("2020", NULL, NULL, REFUSED, NULL, NULL),                                   \
        ENDS("2054", NULL, NULL, DENIED, "AuthFailed", ADVICE_PLUGIN),                   \
        ENDS("2059", NULL, NULL, DENIED, "AuthFailed", ADVICE_PLUGIN),                   \
        ENDS("2061", NULL, NULL, DENIED, "AuthFailed", ADVICE_PLUGIN),                   \
        ENDS("5010", NULL, NULL, DENIED, "AuthFailed",                                   \
             "The account's login plugin would send the password as it is; give it "     \
             "mysql_native_password, caching_sha2_password or ed25519."),                \
        ENDS("5012", NULL, NULL, DENIED, "AuthFailed", ADVICE_PLUGIN),                   \
        ENDS("5013", NULL, NULL, UNAVAILABLE, "Unreachable", NULL),                      \
        ENDS("5014", NULL, NULL, UNAVAILABLE, "Unreachable", NULL)

static const struct classify_rule mysql_rules[] = {
    CLIENT_RULES,
    ENDS("2027", NULL, NULL, UNAVAILABLE, "Unreachable", NULL),
    SAYS("1045", "using password: NO", NULL, DENIED, "AuthFailed",
         "The connection's Secret holds no password, or the account demands TLS."),
    SAYS("1045", NULL, NULL, DENIED, "AuthFailed", ADVICE_MYSQL_LOGIN),
    SAYS("1698", NULL, NULL, DENIED, "AuthFailed", ADVICE_PASSWORD),
    SAYS("1251", NULL, NULL, DENIED, "AuthFailed", ADVICE_PLUGIN),
    SAYS("1524", NULL, NULL, DENIED, "AuthFailed", ADVICE_PLUGIN),
    SAYS("1820", NULL, NULL, DENIED, "AuthFailed",
         "The password has expired: set a new one."),
    SAYS("1862", NULL, NULL, DENIED, "AuthFailed",
         "The password has expired: set a new one."),
    SAYS("3118", NULL, NULL, DENIED, "AuthFailed", "Unlock the account."),
    SAYS("4151", NULL, NULL, DENIED, "AuthFailed", "Unlock the account."),
    ENDS("1130", NULL, NULL, DENIED, "NotPermitted",
         "Create the account for the controller's address, or for '%'."),
    ENDS("1129", NULL, NULL, UNAVAILABLE, "Unreachable",
         "The server blocks this address after many failed attempts: run FLUSH HOSTS on "
         "it."),
    ENDS("3159", NULL, NULL, UNAVAILABLE, "TLSFailed",
         "The server accepts TLS only: set spec.tls.mode to Require."),
    SAYS("1044", NULL, NULL, DENIED, "MissingGrant", ADVICE_CAPTURE),
    SAYS("1142", NULL, NULL, DENIED, "MissingGrant", ADVICE_CAPTURE),
    SAYS("1143", NULL, NULL, DENIED, "MissingGrant", ADVICE_CAPTURE),
    SAYS("1227", NULL, NULL, DENIED, "MissingGrant", ADVICE_CAPTURE),
    SAYS("1049", NULL, NULL, REFUSED, "DatabaseNotFound", NULL),
    ENDS("1040", NULL, NULL, UNAVAILABLE, "TooManyConnections", ADVICE_CONNECTIONS),
    ENDS("1203", NULL, NULL, UNAVAILABLE, "TooManyConnections", ADVICE_CONNECTIONS),
    ENDS("1226", NULL, NULL, UNAVAILABLE, "TooManyConnections", ADVICE_CONNECTIONS),
    ENDS("1053", NULL, NULL, UNAVAILABLE, "Unreachable", NULL),
    ENDS("1927", NULL, NULL, UNAVAILABLE, "Unreachable", NULL),
    /* What MySQL says from 8.0.24 on before it closes an idle session. */
    ENDS("4031", NULL, NULL, UNAVAILABLE, "Unreachable", NULL),
    /* What is asked for was in information_schema a moment ago. */
    SAYS("1054", NULL, NULL, CONFLICT, NULL, NULL),
    SAYS("1146", NULL, NULL, CONFLICT, NULL, NULL),
    SAYS("1412", NULL, NULL, CONFLICT, NULL, NULL),
    SAYS("1205", NULL, NULL, UNAVAILABLE, "Timeout", NULL),
    SAYS("1317", NULL, NULL, UNAVAILABLE, "Timeout", NULL),
    SAYS("1969", NULL, NULL, UNAVAILABLE, "Timeout", NULL),
    SAYS("3024", NULL, NULL, UNAVAILABLE, "Timeout", NULL),
};

/*
 * ALTER TABLE (contract starrocks.md 3.3-3.5, verified 31). The table's state heals by
 * itself; what the matrix of types or the key forbids stays forbidden.
 */
#define ALTER_REFUSED(one) SAYS(NULL, one, NULL, REFUSED, "AlterFailed", NULL)
#define ALTER_RULES                                                                      \
    SAYS(NULL, "Please wait until the current operation completes", NULL, UNAVAILABLE,   \
         "AlterInProgress", NULL),                                                       \
        SAYS(NULL, "is currently in state", NULL, UNAVAILABLE, "AlterInProgress", NULL), \
        SAYS(NULL, "is in progress on the table", NULL, UNAVAILABLE, "AlterInProgress",  \
             NULL),                                                                      \
        SAYS(NULL, "Table state is not NORMAL", NULL, UNAVAILABLE, "AlterInProgress",    \
             NULL),                                                                      \
        SAYS(NULL, "is doing insert overwrite job", NULL, UNAVAILABLE,                   \
             "AlterInProgress", NULL),                                                   \
        SAYS(NULL, "column which already exists in base table", NULL, REFUSED,           \
             "AlreadyExists", NULL),                                                     \
        ALTER_REFUSED("column which already exists in column id"),                       \
        ALTER_REFUSED("Repeatedly add same column"), ALTER_REFUSED("Can not add "),      \
        ALTER_REFUSED("Can not change "), ALTER_REFUSED("Cannot shorten "),              \
        ALTER_REFUSED("Can not modify "), ALTER_REFUSED("Can not drop "),                \
        ALTER_REFUSED("Can not alter "), ALTER_REFUSED("Can't not modify "),             \
        ALTER_REFUSED("Cannot add value column"), ALTER_REFUSED("Invalid column order"), \
        ALTER_REFUSED("does not exists"), ALTER_REFUSED("] does not found"),             \
        ALTER_REFUSED("is reserved for primary key table"),                              \
        ALTER_REFUSED("is a system reserved name"),                                      \
        ALTER_REFUSED("is not null but does"),                                           \
        ALTER_REFUSED("unsupported default expr"),                                       \
        ALTER_REFUSED("JSON needs minimum length"), ALTER_REFUSED("when ADD COLUMN"),    \
        ALTER_REFUSED("conflicts with operation"),                                       \
        ALTER_REFUSED("can not be combined with other alter operations")

/* Nearly every failure of the FE is 1064 (contract starrocks.md 5.5): the text decides.
 */
static const struct classify_rule starrocks_rules[] = {
    CLIENT_RULES,
    SAYS(
        "2027", NULL, NULL, REFUSED, NULL,
        "StarRocks answered with an error number between 5001 and 5026, which the client "
        "library cannot show; 5024, a query that took too long, is the usual one."),
    SAYS("1045", NULL, NULL, DENIED, "AuthFailed", ADVICE_PASSWORD),
    SAYS("1251", NULL, NULL, DENIED, "AuthFailed", ADVICE_PLUGIN),
    SAYS("5206", NULL, NULL, DENIED, "AuthFailed", ADVICE_PASSWORD),
    SAYS("5208", NULL, NULL, DENIED, "AuthFailed", ADVICE_PASSWORD),
    SAYS("5203", NULL, NULL, DENIED, "NotPermitted", ADVICE_SR_GRANT),
    SAYS("5204", NULL, NULL, DENIED, "NotPermitted", ADVICE_SR_GRANT),
    ENDS("5205", NULL, NULL, UNAVAILABLE, "TLSFailed",
         "The server accepts TLS only: set spec.tls.mode to Require."),
    ENDS("5400", NULL, NULL, UNAVAILABLE, "TLSFailed", ADVICE_TLS_MODE),
    SAYS("1049", NULL, NULL, REFUSED, "DatabaseMissing", NULL),
    SAYS("5501", NULL, NULL, REFUSED, "DatabaseMissing", NULL),
    SAYS("1007", NULL, NULL, REFUSED, "AlreadyExists", NULL),
    SAYS("1050", NULL, NULL, REFUSED, "AlreadyExists", NULL),
    SAYS("1005", "already exists", NULL, REFUSED, "AlreadyExists", NULL),
    ENDS("1040", NULL, NULL, UNAVAILABLE, "TooManyConnections", ADVICE_CONNECTIONS),
    ENDS("1203", NULL, NULL, UNAVAILABLE, "TooManyConnections", ADVICE_CONNECTIONS),
    SAYS("1317", NULL, NULL, UNAVAILABLE, "Timeout", NULL),
    SAYS("5024", NULL, NULL, UNAVAILABLE, "Timeout", NULL),
    SAYS("5300", NULL, NULL, UNAVAILABLE, NULL, NULL),
    SAYS("5301", NULL, NULL, UNAVAILABLE, NULL, NULL),
    SAYS("5401", NULL, NULL, UNAVAILABLE, NULL, NULL),
    SAYS("5903", NULL, NULL, UNAVAILABLE, NULL, "Resume the warehouse."),
    SAYS(NULL, "Backend node not found", NULL, UNAVAILABLE, "NoBackends",
         ADVICE_BACKENDS),
    SAYS(NULL, "Compute node not found", NULL, UNAVAILABLE, "NoBackends",
         ADVICE_BACKENDS),
    SAYS(NULL, "alive backend is []", NULL, UNAVAILABLE, "NoBackends", ADVICE_BACKENDS),
    SAYS(NULL, "available backends: []", NULL, UNAVAILABLE, "NoBackends",
         ADVICE_BACKENDS),
    SAYS(NULL, "no available capacity", NULL, UNAVAILABLE, "NoBackends", ADVICE_BACKENDS),
    SAYS(NULL, "available CN nodes is 0", NULL, UNAVAILABLE, "NoBackends",
         ADVICE_BACKENDS),
    SAYS(NULL, "Table replication num should be less than", NULL, REFUSED,
         "ReplicationImpossible", ADVICE_REPLICAS),
    SAYS(NULL, "Replication num should larger than 0", NULL, REFUSED,
         "ReplicationImpossible", ADVICE_REPLICAS),
    SAYS(NULL, "Failed to find enough hosts", NULL, REFUSED, "NoBackends",
         ADVICE_REPLICAS),
    SAYS(NULL, "Table creation timed out", NULL, UNAVAILABLE, "Timeout", NULL),
    ALTER_RULES,
    SAYS(NULL, "meta has been changed", NULL, UNAVAILABLE, NULL, NULL),
    SAYS(NULL, "current running txns on db", NULL, UNAVAILABLE, NULL, NULL),
    SAYS(NULL, "transactions in the COMMITTED state", NULL, UNAVAILABLE, NULL, NULL),
    SAYS("5502", NULL, NULL, REFUSED, "TableMissing", NULL),
    SAYS("1064", "Table ", " is not found", REFUSED, "TableMissing", NULL),
    SAYS("1064", "Database ", " is not found", REFUSED, "DatabaseMissing", NULL),
    SAYS("1060", NULL, NULL, REFUSED, "TableFailed", NULL),
    SAYS("1102", NULL, NULL, REFUSED, "TableFailed", NULL),
    SAYS("1104", NULL, NULL, REFUSED, "TableFailed", NULL),
    SAYS("1113", NULL, NULL, REFUSED, "TableFailed", NULL),
    SAYS("1117", NULL, NULL, REFUSED, "TableFailed", NULL),
    SAYS("1166", NULL, NULL, REFUSED, "TableFailed", NULL),
    SAYS("5510", NULL, NULL, REFUSED, "TableFailed", NULL),
    SAYS(NULL, "size exceeds quota", NULL, REFUSED, "QuotaExceeded", ADVICE_QUOTA),
    SAYS(NULL, "number exceeds quota", NULL, REFUSED, "QuotaExceeded", ADVICE_QUOTA),
    SAYS("1064", "Detail message", NULL, REFUSED, "TableFailed", NULL),
};

/*
 * Only 42710, 42704 and 3D000 carry meaning in RisingWave (contract risingwave.md 7.2),
 * and libpq's own failures carry no code at all. The order of rows is the order of
 * judgement: a sink's refusal quotes StarRocks, a source's quotes MySQL.
 */
static const struct classify_rule risingwave_rules[] = {
    SAYS("42710", "under creation", NULL, UNAVAILABLE, "BeingCreated", NULL),
    SAYS("42710", NULL, NULL, REFUSED, "AlreadyExists", NULL),
    SAYS("3D000", NULL, NULL, REFUSED, NULL,
         "Check spec.database of the RisingWave connection."),
    SAYS("42704", "database not found", NULL, REFUSED, NULL,
         "Check spec.database of the RisingWave connection."),
    SAYS("42704", NULL, NULL, REFUSED, NULL, NULL),
    SAYS(NULL, "The cluster is recovering", NULL, UNAVAILABLE, "Recovering", NULL),
    SAYS(NULL, "The cluster is bootstrapping", NULL, UNAVAILABLE, "Recovering", NULL),
    SAYS(NULL, "report failure from", NULL, UNAVAILABLE, "Recovering", NULL),
    SAYS(NULL, "failed over", NULL, UNAVAILABLE, "Recovering", NULL),
    SAYS(NULL, "Service unavailable", NULL, UNAVAILABLE, "Recovering", NULL),
    SAYS(NULL, "Empty workers found", NULL, UNAVAILABLE, "Recovering", NULL),
    SAYS(NULL, "exceeds the critical limit", NULL, REFUSED, "ActorLimit",
         "Add parallelism to the RisingWave cluster, lower spec.risingWave.parallelism, "
         "or move tables to another cluster."),
    /* CREATE SINK: what StarRocks said to RisingWave */
    SAYS(NULL, "Backend node not found", NULL, UNAVAILABLE, "NoBackends",
         ADVICE_BACKENDS),
    SAYS(NULL, "Doris/Starrocks connect error", "Access denied", DENIED, "SinkRejected",
         ADVICE_SINK_LOGIN),
    SAYS(NULL, "Doris/Starrocks connect error", NULL, UNAVAILABLE, "SinkRejected",
         ADVICE_SINK_REACH),
    SAYS(NULL, "Can't find schema with table", NULL, REFUSED, "SinkRejected",
         "The table must exist in StarRocks and its sink account must have a privilege "
         "on it."),
    SAYS(NULL, "failed to validate sink", NULL, REFUSED, "SinkRejected", NULL),
    SAYS(NULL, "Starrocks error: ", NULL, REFUSED, "SinkRejected", NULL),
    /* CREATE SOURCE and CREATE TABLE: what MySQL said to RisingWave */
    SAYS(NULL, "enough privileges", NULL, DENIED, "MissingGrant", ADVICE_CAPTURE),
    SAYS(NULL, "doesn't enable binlog", NULL, REFUSED, "SourceFailed", ADVICE_UPSTREAM),
    SAYS(NULL, "binlog_format should be", NULL, REFUSED, "SourceFailed", ADVICE_UPSTREAM),
    SAYS(NULL, "binlog_row_image should be", NULL, REFUSED, "SourceFailed",
         ADVICE_UPSTREAM),
    SAYS(NULL, "source cannot pass validation", "Access denied", DENIED, "SourceFailed",
         ADVICE_SOURCE_LOGIN),
    SAYS(NULL, "Communications link failure", NULL, UNAVAILABLE, "SourceFailed",
         ADVICE_SOURCE_REACH),
    SAYS(NULL, "failed to start cdc connector", NULL, UNAVAILABLE, "SourceFailed",
         ADVICE_SOURCE_REACH),
    SAYS(NULL, "MySQL database '", NULL, REFUSED, "SourceFailed",
         "Check spec.source.database."),
    SAYS(NULL, "Incompatible data type of column", NULL, REFUSED, "SourceFailed", NULL),
    SAYS(NULL, "not found in the upstream database", NULL, REFUSED, "SourceFailed", NULL),
    SAYS(NULL, "Primary key mismatch", NULL, REFUSED, "SourceFailed", NULL),
    SAYS(NULL, "MySQL table '", NULL, REFUSED, "SourceFailed",
         "Check spec.source.table."),
    SAYS(NULL, "CDC table without primary key", NULL, REFUSED, "SourceFailed", NULL),
    SAYS(NULL, "source cannot pass validation", NULL, REFUSED, "SourceFailed", NULL),
    /* ALTER (contract risingwave.md 6.4 and 6.5, verified 15 and 38) */
    SAYS(NULL, "column \"", "already exists", REFUSED, "AlreadyExists", NULL),
    SAYS(NULL, "unable to drop the column due to being referenced by", NULL, REFUSED,
         "DependantsExist",
         "Drop the sink or materialized view that reads it first; TableSync never drops "
         "other people's objects."),
    SAYS(NULL, "is not allowed to be altered on the fly", NULL, REFUSED, "NotAlterable",
         "The object has to be made anew."),
    SAYS(NULL, "is not available due to license error", NULL, REFUSED, "LicenseLimit",
         NULL),
    SAYS(NULL, "is not available based on your license", NULL, REFUSED, "LicenseLimit",
         NULL),
    /* rights and dependants */
    SAYS(NULL, "used by ", "other objects", REFUSED, "DependantsExist",
         "Drop what depends on it first; TableSync never drops other people's objects."),
    SAYS(NULL, "schema is not empty", NULL, REFUSED, "DependantsExist", NULL),
    SAYS(NULL, "permission denied for database", NULL, DENIED, "SchemaDenied",
         "As a superuser run GRANT CREATE, CONNECT ON DATABASE to this user."),
    SAYS(NULL, "permission denied for schema", NULL, DENIED, "SchemaDenied",
         "Let this user own the schema, or GRANT USAGE, CREATE ON SCHEMA to it."),
    SAYS(NULL, "CONNECT privilege", NULL, DENIED, "NotPermitted",
         "As a superuser run GRANT CREATE, CONNECT ON DATABASE to this user."),
    SAYS(NULL, "Only the relation owner", NULL, DENIED, "NotPermitted", NULL),
    SAYS(NULL, "Permission denied", NULL, DENIED, "NotPermitted", NULL),
    /* login */
    ENDS("", "database not found", NULL, REFUSED, NULL,
         "Check spec.database of the RisingWave connection."),
    ENDS(NULL, "Invalid password", NULL, DENIED, "AuthFailed", ADVICE_PASSWORD),
    ENDS("", "Role ", "does not exist", DENIED, "AuthFailed", ADVICE_PASSWORD),
    ENDS(NULL, "password authentication failed", NULL, DENIED, "AuthFailed",
         ADVICE_PASSWORD),
    ENDS(NULL, "no password supplied", NULL, DENIED, "AuthFailed", ADVICE_PASSWORD),
    ENDS(NULL, "no pg_hba.conf entry", NULL, DENIED, "NotPermitted",
         "RisingWave has no rule for this address; it knows none for IPv6."),
    ENDS(NULL, "SSL connection is required", NULL, UNAVAILABLE, "TLSFailed",
         "The server accepts TLS only: set spec.tls.mode to Require."),
    ENDS("", "SSL", NULL, UNAVAILABLE, "TLSFailed", ADVICE_TLS_MODE),
    ENDS(NULL, "could not translate host name", NULL, UNAVAILABLE, "UnknownHost",
         ADVICE_NAME),
    ENDS("", "timed out", NULL, UNAVAILABLE, "Timeout", ADVICE_ADDRESS),
    ENDS(NULL, "too many connections", NULL, UNAVAILABLE, "TooManyConnections",
         ADVICE_CONNECTIONS),
    ENDS("", "Failed to start a new session", NULL, UNAVAILABLE, NULL, NULL),
    ENDS("", "connection to server at", NULL, UNAVAILABLE, "Unreachable", ADVICE_ADDRESS),
    ENDS("", NULL, NULL, UNAVAILABLE, "Unreachable", NULL),
    ENDS(NULL, "Panicked when handling", NULL, UNAVAILABLE, NULL, NULL),
};

const struct classify_rule *classify_rules(enum db_engine engine, size_t *out_count)
{
    switch (engine) {
    case DB_MYSQL:
        *out_count = COUNT_OF(mysql_rules);
        return mysql_rules;
    case DB_RISINGWAVE:
        *out_count = COUNT_OF(risingwave_rules);
        return risingwave_rules;
    case DB_STARROCKS:
        *out_count = COUNT_OF(starrocks_rules);
        return starrocks_rules;
    }
    *out_count = 0;
    return NULL;
}
