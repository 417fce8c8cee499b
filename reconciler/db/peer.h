/*
 * peer: the server a session talks to, as its messages need it: name, account, and the
 * password to keep out of every text that comes back.
 *
 * The drivers turn whatever a server or a client library says into a fault here and
 * nowhere else: redacted, reduced to what a reader needs, classified (classify.h), with
 * the address, the account (never the password) and what to do next.
 */
#ifndef DB_PEER_H
#define DB_PEER_H

#include "base/arena.h"
#include "db/classify.h"
#include "db/db.h"

/* Longest server text in a message; the root cause stands first and is kept. */
#define PEER_TEXT_MAX 800

struct peer {
    struct arena *arena; /* lives as long as the session; drivers put theirs in it too */
    enum db_engine engine;
    const char *label; /* "MySQL shop-db:3306" */
    const char *host, *user, *database;
    int64_t port;
    enum tls_mode tls_mode;
    struct db_tls tls;             /* own copies */
    const struct secret *password; /* own copy; NULL: none */
    /* The namespace: a server may repeat the passwords of all its connections, RisingWave
     * those of MySQL and StarRocks. */
    const char *scope;
    const struct fence *fence; /* as the endpoint's */
};

/* Copies everything out of the endpoint, which may go away; its fence stays. */
struct peer *peer_new(const struct db_endpoint *endpoint, enum db_engine engine);
void peer_free(struct peer *peer); /* NULL is fine; frees the arena as well */

/*
 * `text` without passwords, without line breaks and control bytes, valid UTF-8, at most
 * PEER_TEXT_MAX bytes. RisingWave's chain is reduced to its telling lines.
 */
char *peer_text(const struct peer *peer, struct sv text, struct arena *arena);

struct peer_answer {
    const char *what; /* "reading table shop.orders": what was being done */
    const char *code; /* MySQL number or SQLSTATE; "" when there is none */
    struct sv text;   /* the server's or library's words, raw */
};

/*
 * Classifies the answer and sets the fault. Always returns false. *out_broken, which may
 * be NULL, is set to true when the session cannot be used any more and left alone
 * otherwise.
 */
bool peer_fault(const struct peer *peer, const struct peer_answer *answer,
                bool *out_broken, struct fault *fault);

/*
 * The same for a connection that did not come about since tls_trace_begin(): what OpenSSL
 * says of the handshake stands in for, or behind, what the library says of it.
 */
bool peer_login_fault(const struct peer *peer, const struct peer_answer *answer,
                      bool *out_broken, struct fault *fault);

/* Puts the server's name in front of a fault of cancel_poll() and the like; false. */
bool peer_wrap(const struct peer *peer, struct fault *fault);

/*
 * What may stand in a comment or a name in front of a statement: letters, digits and
 * "-_./:= "; anything else becomes '_', so that no comment can end early. At most 120
 * bytes.
 */
char *peer_tag(const char *tag, struct arena *arena);

#endif
