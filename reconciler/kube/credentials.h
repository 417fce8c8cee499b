/*
 * credentials: what proves who we are and who the server is, kept fresh. Private to the
 * room.
 *
 * Token, CA, client certificate and key come from files or from memory. Files are
 * compared by content at most every CREDENTIALS_CHECK_MS, and at once after a 401 or a
 * failed TLS handshake; a file that cannot be read any more leaves the last good content
 * in use, because the kubelet replaces them while we run. Thread-safe.
 */
#ifndef KUBE_CREDENTIALS_H
#define KUBE_CREDENTIALS_H

#include "base/clock.h"
#include "kube/config.h"

#define CREDENTIALS_CHECK_MS 10000
#define CREDENTIALS_FILE_MAX ((size_t)1024 * 1024)

enum credentials_part {
    CREDENTIALS_TOKEN = 0,
    CREDENTIALS_CA,
    CREDENTIALS_CERT,
    CREDENTIALS_KEY,
    CREDENTIALS_PARTS
};

/* References to one consistent set; a part is NULL when it is not configured. */
struct credentials_set {
    struct secret *part[CREDENTIALS_PARTS];
    uint64_t token_version;
    uint64_t
        tls_version; /* of CA, certificate and key: a change needs a new connection */
};

struct credentials;

MUST_CHECK bool credentials_new(const struct kube_config *config,
                                const struct clock *clock,
                                struct credentials **out_credentials,
                                struct fault *fault);
void credentials_free(struct credentials *c);
void credentials_freep(struct credentials **c);

void credentials_get(struct credentials *c, struct credentials_set *out_set);
/* After a refusal: reads the files now. true when something differs from `used`. */
bool credentials_reread(struct credentials *c, const struct credentials_set *used);
void credentials_set_deinit(struct credentials_set *set);

/* Appends "Authorization: ..." for the set; nothing when nobody logs in. */
void credentials_add_header(const struct credentials *c,
                            const struct credentials_set *set, struct buf *out);

#endif
