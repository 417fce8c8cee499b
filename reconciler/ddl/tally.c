#include "ddl/tally.h"

/* From this version on MariaDB limits a statement's time. */
#define MARIADB_LIMITS INT64_C(100100)

void tally_select(struct stmt *s, enum mysql_flavor flavor, int64_t version,
                  int64_t limit_ms)
{
    if (flavor == MYSQL_ORACLE) {
        stmt_text(s, "SELECT /*+ MAX_EXECUTION_TIME(");
        stmt_int(s, limit_ms);
        stmt_text(s, ") */ ");
        return;
    }
    if (version >= MARIADB_LIMITS) {
        stmt_text(s, "SET STATEMENT max_statement_time = ");
        stmt_int(s, limit_ms / 1000);
        stmt_text(s, " FOR ");
    }
    stmt_text(s, "SELECT ");
}

static bool ask(struct stmt *s, enum sql_dialect dialect, const char *database,
                const char *table, struct arena *arena, struct tally_query *out_query,
                struct fault *fault)
{
    const struct ident *outer = NULL, *inner = NULL;

    if (!ident_parse(arena, sv_from(database), dialect, IDENT_DATABASE, &outer, fault) ||
        !ident_parse(arena, sv_from(table), dialect, IDENT_TABLE, &inner, fault)) {
        return false;
    }
    stmt_text(s, "COUNT(*) AS n FROM ");
    stmt_qualified(s, outer, inner);
    *out_query = (struct tally_query){
        .database = database, .table = table, .stmt = s, .limit_ms = TALLY_LIMIT_MS};
    return true;
}

bool tally_ask_mysql(const struct mysql_server *server, const char *database,
                     const char *table, struct arena *arena,
                     struct tally_query *out_query, struct fault *fault)
{
    struct stmt *s = stmt_new(arena, SQL_MYSQL);

    tally_select(s, server->flavor, mysql_version_number(server->version),
                 TALLY_LIMIT_MS);
    return ask(s, SQL_MYSQL, database, table, arena, out_query, fault);
}

bool tally_ask_starrocks(const char *database, const char *table, struct arena *arena,
                         struct tally_query *out_query, struct fault *fault)
{
    struct stmt *s = stmt_new(arena, SQL_STARROCKS);

    stmt_text(s, "SELECT ");
    return ask(s, SQL_STARROCKS, database, table, arena, out_query, fault);
}

enum tally_verdict tally_look(struct tally *tally, int64_t source, int64_t target,
                              bool arrived, int64_t tolerance)
{
    bool again = tally->looks > 0;
    bool source_moved = again && source != tally->source;
    bool target_moved = again && target != tally->target;
    int64_t apart = source < target ? target - source : source - target;

    tally->source_moves = tally->source_moves || source_moved;
    tally->target_moves = tally->target_moves || target_moved;
    tally->still = again && !source_moved && !target_moved ? tally->still + 1 : 0;
    tally->source = source;
    tally->target = target;
    tally->looks++;
    if (apart == 0) {
        return TALLY_MATCH;
    }
    if (apart <= tolerance) {
        return TALLY_WITHIN;
    }
    if (tally->still > 0 && arrived) {
        return TALLY_MISMATCH;
    }
    return tally->looks >= TALLY_LOOKS_MAX ? TALLY_INCONCLUSIVE : TALLY_AGAIN;
}
