/*
 * Address and account of what RisingWave connects to: what differs from the connections
 * is altered where RisingWave can alter it (the source: verified 37), and taken over by
 * another sink where it cannot (verified 38; how is told in plan_rotate.c).
 *
 * Which sinks are retired for it is told by the mark: "after=<m>" says that every sink up
 * to version m is paused before a later one is made. Sinks are retired together, all that
 * exist at that moment, also those of a replacement that was under way: each of them has
 * written, so each may hold the deletion of a row that it wrote.
 */
#include "ddl/plan_parts.h"

#include "base/secret.h"

#include <string.h>

/* --- what differs --- */

/* NULL: the server did not show it to this account. */
static bool differs(const char *seen, const char *wanted)
{
    return seen != NULL && strcmp(seen, wanted) != 0;
}

static bool port_differs(const char *seen, int64_t wanted)
{
    int64_t port = 0;

    return seen != NULL && !(sv_int64(sv_trim(sv_from(seen)), &port) && port == wanted);
}

static bool password_differs(const char *seen_digest, const struct secret *wanted)
{
    char digest[SECRET_DIGEST_SIZE];

    if (seen_digest == NULL || wanted == NULL) {
        return false;
    }
    secret_digest(secret_reveal(wanted), digest);
    return strcmp(seen_digest, digest) != 0;
}

static bool sink_fits(const struct planner *p, const struct rw_sink *sink)
{
    const struct desired_input *in = &p->d.in;

    return !differs(sink->host, in->target->host) &&
           !port_differs(sink->mysql_port, in->target->port) &&
           !port_differs(sink->http_port, in->target->http_port) &&
           !differs(sink->user, in->target_user) &&
           !password_differs(sink->password_digest, in->target_password);
}

/* --- sinks --- */

static bool exists_up_to(const struct planner *p, int64_t version)
{
    for (size_t i = 0; i < p->sinks.n; i++) {
        if (plan_version_of(p, p->sinks.v[i]) <= version) {
            return true;
        }
    }
    return false;
}

/* While a CDC table is loaded beside another one, the mark of either may tell. */
static int64_t told_after(const struct planner *p)
{
    int64_t after = 0;

    for (size_t i = 0; i < p->tables.n; i++) {
        struct mark mark;

        if (mark_parse(p->tables.v[i]->comment, &mark) &&
            sv_eq(mark.uid, sv_from(p->d.in.sync->uid)) && mark.after > after) {
            after = mark.after;
        }
    }
    return exists_up_to(p, after) ? after : 0; /* else that rotation is over */
}

/* A retired sink runs again beside a later one: somebody resumed it, and it may have
 * written older values over newer ones. */
static bool was_resumed(const struct planner *p, int64_t after)
{
    bool runs = false, later = false;

    for (size_t i = 0; i < p->sinks.n; i++) {
        bool retired = plan_version_of(p, p->sinks.v[i]) <= after;

        runs = runs || (retired && p->sinks.v[i]->rate_limit != 0);
        later = later || !retired;
    }
    return runs && later;
}

void plan_rotation(struct planner *p)
{
    int64_t newest = p->sinks.n > 0 ? plan_version_of(p, p->sinks.v[0]) : 0;
    int64_t after = told_after(p);

    if (p->sink != NULL && !sink_fits(p, p->sink)) {
        p->sink = NULL;
    }
    if (plan_clears_target(p)) {
        return; /* every sink is dropped, and the target is filled anew */
    }
    if (after > 0) {
        bool vouched = p->sink == NULL || p->mark.after == after;

        p->resumed = was_resumed(p, after);
        after = p->resumed || !vouched ? newest : after;
    }
    for (size_t i = 0; i < p->sinks.n && after == 0; i++) {
        if (!sink_fits(p, p->sinks.v[i])) {
            after = newest;
        }
    }
    if (p->sink != NULL && plan_version_of(p, p->sink) <= after) {
        p->sink = NULL;
    }
    p->rotates = after > 0;
    p->after = after;
}

/* --- the source --- */

const char *plan_ssl_mode(enum tls_mode mode)
{
    if (mode == TLS_PREFER) {
        return "preferred";
    }
    /* RisingWave knows no way of verifying MySQL's certificate (risingwave.md 1.4). */
    return mode > TLS_PREFER ? "required" : "disabled";
}

static void option(struct stmt *s, bool *first)
{
    if (!*first) {
        stmt_text(s, ", ");
    }
    *first = false;
}

/* NULL: nothing differs. All at once, for each restart of the reader costs two minutes
 * (verified 12). */
static struct stmt *alter_source(struct planner *p, struct buf *words)
{
    const struct desired_input *in = &p->d.in;
    const struct rw_source *seen = p->source;
    struct stmt *s = stmt_new(p->arena, SQL_RISINGWAVE);
    bool first = true;

    stmt_text(s, "ALTER SOURCE ");
    stmt_qualified(s, p->d.rw_schema, p->d.source_name);
    stmt_text(s, " CONNECTOR WITH (");
    if (differs(seen->hostname, in->source->host)) {
        option(s, &first);
        stmt_text(s, "hostname=");
        stmt_str(s, sv_from(in->source->host));
        plan_report(words, "its hostname is %s, not %s", seen->hostname,
                    in->source->host);
    }
    if (port_differs(seen->port, in->source->port)) {
        option(s, &first);
        stmt_text(s, "port=");
        plan_rw_int(s, in->source->port);
        plan_report(words, "its port is %s, not %lld", seen->port,
                    (long long)in->source->port);
    }
    if (differs(seen->username, in->source_user)) {
        option(s, &first);
        stmt_text(s, "username=");
        stmt_str(s, sv_from(in->source_user));
        plan_report(words, "its user is %s, not %s", seen->username, in->source_user);
    }
    if (password_differs(seen->password_digest, in->source_password)) {
        option(s, &first);
        stmt_text(s, "password=");
        stmt_secret(s, in->source_password);
        plan_report(words, "its password is another one");
    }
    stmt_text(s, ")");
    return first ? NULL : s;
}

/* The spellings that 3.0.3 accepts (risingwave.md 1.4); left out is "disabled". */
static const char *ssl_mode_of(const struct rw_source *source)
{
    static const char *const spellings[][2] = {{"disable", "disabled"},
                                               {"prefer", "preferred"},
                                               {"require", "required"},
                                               {"verify-ca", "required"},
                                               {"verify-full", "required"}};
    const char *seen = source->ssl_mode == NULL ? "disabled" : source->ssl_mode;

    for (size_t i = 0; i < COUNT_OF(spellings); i++) {
        if (strcmp(spellings[i][0], seen) == 0) {
            return spellings[i][1];
        }
    }
    return seen;
}

/* "Field 'ssl.mode' is not allowed to be altered on the fly for connector: mysql-cdc" */
static const char *ssl_difference(struct planner *p)
{
    const char *wanted = plan_ssl_mode(p->d.in.source->tls_mode);
    const char *seen = ssl_mode_of(p->source);

    if (p->source->hostname == NULL || strcmp(seen, wanted) == 0) {
        return NULL; /* without the host nothing was shown */
    }
    return arena_printf(
        p->arena,
        "its ssl.mode is '%s' and spec.tls.mode of DatabaseConnection %s asks for '%s', "
        "which RisingWave cannot alter on a source: keep the mode, or delete every "
        "TableSync of MySQL database %s with deletionPolicy DeleteStream and create them "
        "again, which makes the source anew",
        seen, p->d.in.source->name, wanted, p->d.in.table->database);
}

static const char *tell_source(struct planner *p, const char *account)
{
    const char *ssl = ssl_difference(p), *words = NULL;

    if (account[0] != '\0') {
        words = arena_printf(p->arena,
                             "%s; another DatabaseConnection of this namespace, which is "
                             "older, decides the source's address and account",
                             account);
    }
    if (words == NULL && ssl == NULL) {
        return NULL;
    }
    return arena_printf(p->arena, "RisingWave source %s.%s is left as it is: %s%s%s",
                        p->source->schema, p->source->name, words == NULL ? "" : words,
                        words == NULL || ssl == NULL ? "" : "; ", ssl == NULL ? "" : ssl);
}

/* RisingWave 3.0.3 (risingwave.md: ALTER SOURCE): changes up to MySQL's newest are not
 * read any more, and tables that were loaded before have a gap. */
static bool reset_source(struct planner *p, struct fault *fault)
{
    struct stmt *s = stmt_new(p->arena, SQL_RISINGWAVE);

    if (!p->d.in.resets_source) {
        return true;
    }
    stmt_text(s, "ALTER SOURCE ");
    stmt_qualified(s, p->d.rw_schema, p->d.source_name);
    stmt_text(s, " RESET");
    return plan_rw_push(
        p,
        (struct plan_step){.kind = PLAN_RESET_SOURCE,
                           .stmt = s,
                           .sentence =
                               "let the CDC source go on from where MySQL is now"},
        p->d.source_name, fault);
}

static bool follow_account(struct planner *p, struct fault *fault)
{
    AUTO(buf_deinit) struct buf words = {0};
    struct stmt *s = NULL;

    buf_init(&words, PLAN_REPORT_BYTES_MAX);
    s = alter_source(p, &words);
    p->plan->source_differs = tell_source(p, p->d.in.source_follows ? "" : buf_z(&words));
    if (s == NULL || !p->d.in.source_follows) {
        return true;
    }
    return plan_rw_push(
        p,
        (struct plan_step){.kind = PLAN_ALTER_SOURCE,
                           .stmt = s,
                           .sentence = "give the CDC source its new address or account"},
        p->d.source_name, fault);
}

bool plan_rw_source(struct planner *p, struct fault *fault)
{
    return p->source == NULL || (follow_account(p, fault) && reset_source(p, fault));
}
