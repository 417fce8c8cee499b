/*
 * secrets: the Secrets that connections name, one by one; never a list of all of them.
 *
 * The first time a name is asked for it is read with GET and, when watching is on, a
 * thread begins to watch that one object (list and watch with a fieldSelector on its
 * name), so that a rotated password is seen within seconds. At most SECRETS_WATCHED_MAX
 * are watched; more are read with GET at each use. A name nobody asked for in
 * SECRETS_IDLE_MS is dropped.
 */
#ifndef LOOP_SECRETS_H
#define LOOP_SECRETS_H

#include "base/cancel.h"
#include "base/log.h"
#include "base/secret.h"
#include "kube/reflector.h"
#include "model/spec.h"

#define SECRETS_WATCHED_MAX 256
#define SECRETS_IDLE_MS INT64_C(600000)

struct secrets;

/* `on_change` is told "namespace/name" when a watched Secret changed. */
struct secrets *secrets_new(struct kube_api *api, struct lg *lg, uint64_t seed,
                            bool watch, void (*on_change)(void *context, const char *key),
                            void *context);
/* Stops and joins the watches; `stop` must have fired. */
void secrets_free(struct secrets *secrets);

struct credentials {
    char *username; /* heap, like the other strings */
    struct secret *password;
    char *ca, *cert;    /* PEM; NULL: none asked for */
    struct secret *key; /* PEM; NULL: none asked for */
    char *version; /* uid and resourceVersion of every Secret: part of fingerprints */
};
void credentials_deinit(struct credentials *credentials); /* for AUTO() */

/*
 * Reads the keys of every Secret that the connection names: user and password, and with
 * spec.tls also the CA and the client's certificate and key. Faults: FAULT_DENIED
 * "SecretNotFound" or "SecretKeyMissing" naming namespace, Secret, key and the field that
 * asks for it, or the API server's own.
 */
MUST_CHECK bool secrets_read(struct secrets *secrets, const struct dbconn *conn,
                             struct cancel *cancel, struct credentials *out_credentials,
                             struct fault *fault);

#endif
