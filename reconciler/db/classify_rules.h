/*
 * The rows behind db_classify(), one table per engine, first fit wins. Codes are exact;
 * fragments are stable parts of texts, compared without case.
 * Sources: contract starrocks.md 5.5, risingwave.md 7.2, verified.md, transcripts.
 */
#ifndef DB_CLASSIFY_RULES_H
#define DB_CLASSIFY_RULES_H

#include "base/buf.h"
#include "db/classify.h"

enum session_state { SESSION_USABLE = 0, SESSION_BROKEN };

struct classify_rule {
    const char *code;            /* NULL: any; "": the library's own words, no code */
    const char *fragment, *also; /* both must be there; NULL: anything */
    const char *reason;          /* NULL: the class's default */
    const char *advice;          /* a sentence, or NULL */
    enum fault_class class;
    enum session_state broken;
};

const struct classify_rule *classify_rules(enum db_engine engine, size_t *out_count);
/* What OpenSSL and the two client libraries say of TLS, whichever server is behind them:
 * for texts without a code or with a client's number only. */
const struct classify_rule *classify_tls_rules(size_t *out_count);

/*
 * RisingWave's cause chain as one line: telling links joined by ": ", the root cause
 * last; the statement a parse error repeats is left out. Appends to `out`.
 */
void classify_reduce_chain(struct sv text, struct buf *out);

#endif
