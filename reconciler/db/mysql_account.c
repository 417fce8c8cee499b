/* mysql_account: what a server asks of the account that is logged in. */
#include "db/mysql_source_private.h"

/* Before 5.7 and on MariaDB the terms stand in SHOW GRANTS. */
static bool shows_users(const struct mysql_source *db)
{
    return db->flavor == MYSQL_ORACLE && mysql_source_version(db) >= 50700;
}

bool mysql_read_require(const struct reading *r, const struct rows *grants,
                        const char **out_require)
{
    struct fault refused = FAULT_INIT;
    struct reading quiet = *r;
    struct rows user = {0};
    struct stmt *s = mysql_source_stmt(r);

    if (!shows_users(r->db)) {
        *out_require = mysql_rows_require(grants, r->arena);
        return true;
    }
    /* Of oneself no privilege is needed; a server that refuses all the same costs the
     * answer and nothing else. */
    stmt_text(s, "SHOW CREATE USER CURRENT_USER()");
    quiet.fault = &refused;
    if (mysql_source_read(&quiet, s, &user)) {
        *out_require = mysql_rows_require(&user, r->arena);
        rows_wipe(&user); /* the password's hash stands there */
        return true;
    }
    if (refused.class == FAULT_REFUSED || refused.class == FAULT_DENIED) {
        *out_require = NULL;
        return true;
    }
    *r->fault = refused;
    return false;
}
