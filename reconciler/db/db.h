/*
 * db: the ports to the three databases, and the factory that opens them.
 *
 * A session is one connection used by one thread at a time. Every call takes a cancel
 * (stop signal and deadline) and an arena for what it returns.
 *
 * Faults carry the server's code and its own words, redacted; the class and reason come
 * from one classification table per engine (classify.c): AuthFailed, NotPermitted
 * (DENIED) · Unreachable, UnknownHost, Timeout (UNAVAILABLE) · TLSNotOffered (a server
 * without TLS), TLSUntrusted (its certificate is signed by nobody that is trusted),
 * TLSExpired, TLSHostMismatch, TLSClientRefused (our certificate, or the lack of one),
 * TLSMaterialInvalid (what a Secret holds is no PEM), TLSFailed (anything else about TLS)
 * (UNAVAILABLE) · Recovering (UNAVAILABLE) · MissingGrant (DENIED) · what the server
 * refuses (REFUSED). After a fault of class UNAVAILABLE or CANCELLED the session is
 * broken: close it.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include "base/cancel.h"
#include "base/fault.h"
#include "base/fence.h"
#include "base/secret.h"
#include "db/source.h"
#include "db/stream.h"
#include "db/target.h"
#include "model/spec.h"

#define DB_CONNECT_TIMEOUT_MS 10000
#define DB_QUERY_TIMEOUT_MS 60000
#define DB_DDL_TIMEOUT_MS 600000 /* StarRocks waits up to 600 s for tablets */
#define DB_ROWS_MAX 200000       /* per result; more is a fault */
#define DB_VALUE_MAX ((size_t)1024 * 1024)

/* What TLS verifies with; how much it verifies is conn->tls_mode. */
struct db_tls {
    const char *ca;           /* PEM; NULL: the system's certificates */
    const char *cert;         /* client certificate and chain, PEM; NULL: none */
    const struct secret *key; /* its private key, PEM; NULL: none */
};
struct db_endpoint {
    const struct dbconn *conn;
    const char *user;
    const struct secret *password;
    struct db_tls tls;
    /* Asked as late as can be, right before a statement that changes something is sent;
     * outlives the session. NULL: none. */
    const struct fence *fence;
};

struct db_result {
    int64_t affected;
    const char *tag;        /* RisingWave's command tag; NULL otherwise */
    struct strlist notices; /* redacted */
};

/* `tag` (NULL: none) lets a DBA trace a run: a comment in front of the statement, in
 * RisingWave the application_name. What could end a comment is taken out of it. */
struct db_factory;
struct db_factory_ops {
    bool (*open_source)(struct db_factory *f, const struct db_endpoint *endpoint,
                        struct cancel *cancel, struct source_db **out_db,
                        struct fault *fault);
    bool (*open_stream)(struct db_factory *f, const struct db_endpoint *endpoint,
                        struct cancel *cancel, struct stream_db **out_db,
                        struct fault *fault);
    bool (*open_target)(struct db_factory *f, const struct db_endpoint *endpoint,
                        struct cancel *cancel, struct target_db **out_db,
                        struct fault *fault);
};
struct db_factory {
    const struct db_factory_ops *ops;
};

/* Nobody was there, or nobody answered in time: the server itself has said nothing. */
bool db_unanswered(const struct fault *fault);

/* The real ones. db_library_init() comes before threads start. */
MUST_CHECK bool db_library_init(struct fault *fault);
void db_library_deinit(void);
struct db_factory *db_factory_real(void);

#endif
