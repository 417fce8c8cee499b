#include "db/classify.h"

#include "db/classify_rules.h"

static bool has(struct sv text, const char *fragment)
{
    return fragment == NULL || sv_find_nocase(text, sv_from(fragment)) != SIZE_MAX;
}

static bool rule_fits(const struct classify_rule *rule, struct sv code, struct sv text)
{
    return (rule->code == NULL || sv_eq(sv_from(rule->code), code)) &&
           has(text, rule->fragment) && has(text, rule->also);
}

static const struct classify_rule *first_fit(const struct classify_rule *rules,
                                             size_t count, struct sv code, struct sv text)
{
    for (size_t i = 0; i < count; i++) {
        if (rule_fits(&rules[i], code, text)) {
            return &rules[i];
        }
    }
    return NULL;
}

/* No code, or one of Connector/C's own numbers (2000 to 2999). */
static bool is_client_code(struct sv code)
{
    return code.n == 0 || (code.n == 4 && code.p[0] == '2');
}

struct db_verdict db_classify(enum db_engine engine, const char *code, struct sv text)
{
    size_t count = 0;
    size_t tls_count = 0;
    const struct classify_rule *rules = classify_rules(engine, &count);
    const struct classify_rule *tls_rules = classify_tls_rules(&tls_count);
    const struct classify_rule *fit = NULL;
    struct sv code_text = sv_from(code);

    if (is_client_code(code_text)) {
        fit = first_fit(tls_rules, tls_count, code_text, text);
    }
    if (fit == NULL) {
        fit = first_fit(rules, count, code_text, text);
    }
    return fit == NULL ? (struct db_verdict){.class = FAULT_REFUSED}
                       : (struct db_verdict){fit->class, fit->reason, fit->advice,
                                             fit->broken == SESSION_BROKEN};
}

/* "  12: cause": what stands behind the number, or the empty view when it is no such
 * line. */
static struct sv numbered(struct sv line)
{
    struct sv rest = sv_trim(line);
    size_t digits = 0;

    while (digits < rest.n && rest.p[digits] >= '0' && rest.p[digits] <= '9') {
        digits++;
    }
    if (digits == 0 || !sv_starts(sv_sub(rest, digits, rest.n), SV(": ")) ||
        !sv_starts(line, SV(" "))) {
        return SV_NULL;
    }
    return sv_sub(rest, digits + 2, rest.n);
}

/* What follows the "Caused by" heading; the whole text when there is none. */
static struct sv chain_of(struct sv text)
{
    static const char *const headings[] = {
        "Caused by these errors (recent errors listed first):", "Caused by:"};

    for (size_t i = 0; i < COUNT_OF(headings); i++) {
        size_t at = sv_find(text, sv_from(headings[i]));
        if (at != SIZE_MAX) {
            return sv_sub(text, at + sv_from(headings[i]).n, text.n);
        }
    }
    return text;
}

/* A parse error repeats the statement under "LINE 1:"; that adds nothing but secrets. */
static struct sv without_statement(struct sv cause)
{
    size_t at = sv_find(cause, SV("LINE "));

    while (at != SIZE_MAX) {
        struct sv rest = sv_sub(cause, at + 5, cause.n);
        struct sv digits = sv_cut(&rest, ':');
        uint64_t number = 0;
        if (sv_uint64(digits, &number)) {
            return sv_trim(sv_sub(cause, 0, at));
        }
        size_t next = sv_find(sv_sub(cause, at + 5, cause.n), SV("LINE "));
        at = next == SIZE_MAX ? SIZE_MAX : at + 5 + next;
    }
    return sv_trim(cause);
}

/* Takes the first cause off the chain: its line and the unnumbered ones that belong to
 * it. */
static struct sv take_cause(struct sv *chain)
{
    struct sv rest = *chain;
    struct sv first = sv_cut(&rest, '\n');
    struct sv opened = numbered(first);
    const char *from = opened.n > 0 ? opened.p : first.p;

    while (rest.n > 0) {
        struct sv ahead = rest;
        if (numbered(sv_cut(&ahead, '\n')).n > 0) {
            break;
        }
        rest = ahead;
    }
    const char *end = rest.n > 0 ? rest.p : chain->p + chain->n;
    *chain = rest;
    return (struct sv){from, (size_t)(end - from)};
}

struct sv db_risingwave_root_cause(struct sv text)
{
    struct sv chain = chain_of(text);
    struct sv cause = SV_NULL;

    while (chain.n > 0) {
        struct sv next = take_cause(&chain);
        if (sv_trim(next).n > 0) {
            cause = next;
        }
    }
    return without_statement(cause);
}

/* Links of the chain that say only which part of RisingWave passed the error on. */
static bool is_plumbing(struct sv cause)
{
    static const char *const openings[] = {"gRPC request to meta service",
                                           "Catalog error",
                                           "failed to create source worker",
                                           "failed to create SplitEnumerator",
                                           "Server error: `",
                                           "Failed to run the query"};

    for (size_t i = 0; i < COUNT_OF(openings); i++) {
        if (sv_starts(cause, sv_from(openings[i]))) {
            return true;
        }
    }
    return false;
}

void classify_reduce_chain(struct sv text, struct buf *out)
{
    struct sv chain = chain_of(text);
    struct sv root = db_risingwave_root_cause(text);
    size_t before = out->n;

    while (chain.n > 0) {
        struct sv cause = without_statement(take_cause(&chain));
        bool is_root = cause.p == root.p && cause.n == root.n;
        if (cause.n == 0 || (is_plumbing(cause) && !is_root)) {
            continue;
        }
        if (out->n > before) {
            buf_add(out, SV(": "));
        }
        buf_add(out, cause);
    }
}
