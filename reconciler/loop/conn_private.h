/*
 * conn_private: what the conn*.c files share; nobody else includes it. conn.c is the
 * frame; conn_users.c knows who uses the connection, conn_hold.c holds it and keeps its
 * login for them, conn_probe.c asks the server, conn_show.c says what came of it.
 */
#ifndef LOOP_CONN_PRIVATE_H
#define LOOP_CONN_PRIVATE_H

#include "ddl/preflight.h"
#include "loop/attempt.h"

/* One look at one connection; it lives in one arena and dies with the look. */
struct look {
    struct loop *loop;
    struct arena *arena;
    struct cancel cancel;
    const char *key;            /* "namespace/name" */
    struct kube_object *object; /* as read */
    struct json *fresh;         /* what a write answered; owned; replaces object->json */
    const char *now;
    const char *run_id; /* 8 hex: in logs and Events */
    struct dbconn conn; /* once it was decoded */
    struct dbconn_status status;
    struct kube_conditions conditions;
    struct kube_condition ready_before; /* type NULL: there was none */
    bool usable_before;                 /* users that wait for it need not be woken */
    bool logged_in;
    const char *user;         /* while it is logged in */
    const char *warnings;     /* of the pre-flight; NULL: none */
    struct strlist databases; /* of MySQL, which TableSyncs read through it; sorted */
};

/* The freshest the look has. */
const struct json *look_object(const struct look *l);
/* Takes what a write answered (NULL is ignored) and puts a copy into the store. */
void look_refresh(struct look *l, struct json *answered);

/* --- conn_users.c --- */
/* Who names the connection: inUseBy, users, sources with their server ids, databases. */
void look_users(struct look *l);
/* Sources of ours that read this MySQL server with one server id; NULL: none do. */
const char *look_clashes(struct look *l);
/* "a, b, c and 4 more" */
const char *look_user_names(struct look *l);

/* --- conn_hold.c --- */
enum hold {
    HOLD_FAULT,
    HOLD_DONE, /* the connection may go on being looked at */
    HOLD_GONE  /* it was let go of, or was not there any more */
};
/* The finalizer is there exactly as long as somebody uses the connection. */
enum hold look_hold(struct look *l, struct fault *fault);
/* Keeps the login that just worked; `credentials` NULL: none did. Sets CredentialsKept.
 */
void look_keep(struct look *l, const struct credentials *credentials);
/* Erases what is kept, and says so in the log if that fails. */
bool conn_erase(struct loop *loop, const char *key, struct arena *arena);

/* --- conn_probe.c --- */
/* Logs in and reads the server's facts into status; sets what the login proves. */
MUST_CHECK bool look_probe(struct look *l, struct fault *fault);

/* --- conn_show.c --- */
/* Sets a condition; its status is the one that the table of reasons gives. */
void look_condition(struct look *l, enum condition type, const char *reason,
                    const char *format, ...) PRINTF_LIKE(4, 5);
void look_show_login(struct look *l);
/* Ready and, after a fault (may be NULL), the conditions it speaks about. */
void look_show(struct look *l, const struct fault *fault);
/* An Event when Ready has become another than it was. */
void look_tell(struct look *l);

#endif
