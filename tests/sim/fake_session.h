/*
 * fake_session: what the sessions of all three kinds of servers have in common: a login
 * that may be refused, and calls of which none may follow the one that broke the session.
 */
#ifndef FAKE_SESSION_H
#define FAKE_SESSION_H

#include "fake_db.h"

struct fake_gate {
    const char *host;
    bool known, down, refuses_login;
    const char *password; /* the right one; NULL: any but none */
};
bool fake_db_login(struct fake_db *db, enum sim_call_kind kind,
                   const struct fake_gate *gate, const struct db_endpoint *endpoint,
                   struct fault *fault);
struct fake_session {
    struct fake_db *db;
    const char *host;
    bool broken;
};
/* Counts the call; false with the fault when it is broken or the server is down. */
bool fake_session_call(struct fake_session *session, bool down, enum sim_call_kind kind,
                       struct cancel *cancel, const char *what,
                       enum sim_verdict *out_verdict, struct fault *fault);
/* The end of a call whose answer may be lost. */
bool fake_session_end(struct fake_session *session, enum sim_verdict verdict,
                      const char *what, struct fault *fault);
/* Tells who watches that a statement is about to take effect, or that it did. */
void fake_db_carries_out(struct fake_db *db, const struct plan_step *step,
                         const char *tag, bool done);
void fake_session_close(struct fake_session *session);

#endif
