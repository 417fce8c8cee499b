/*
 * tls_files: what a connection verifies with and shows of itself, checked and as files.
 *
 * The client libraries say of a wrong file little more than "no start line", after they
 * have connected; so the texts out of the Secrets are parsed here first, and the message
 * names the field of the resource.
 */
#ifndef DB_TLS_FILES_H
#define DB_TLS_FILES_H

#include "db/db.h"
#include "db/pem_file.h"

struct tls_files {
    const char *ca_path;              /* NULL: the server is not verified */
    const char *cert_path, *key_path; /* NULL: no client certificate */
    struct pem_file ca, cert, key;
};
#define TLS_FILES_INIT                                                                   \
    {                                                                                    \
        .ca = PEM_FILE_INIT, .cert = PEM_FILE_INIT, .key = PEM_FILE_INIT                 \
    }

/* VerifyCA and VerifyFull. */
bool tls_mode_verifies(enum tls_mode mode);
/* A server without TLS is refused: all but Disable and Prefer. */
bool tls_mode_demands(enum tls_mode mode);

/*
 * Opens what `mode` needs of `tls`, into caller's storage that starts as TLS_FILES_INIT;
 * the paths live as long as the structure does not move and is not closed. Without a CA
 * a mode that verifies takes the system's: the file that SSL_CERT_FILE names, else
 * OpenSSL's own default, else Debian's bundle.
 * Faults: FAULT_UNAVAILABLE "TLSMaterialInvalid" naming spec.tls.caSecretRef or
 * spec.tls.clientCertSecretRef and what is wrong with it; those of pem_file_open().
 */
MUST_CHECK bool tls_files_open(const struct db_tls *tls, enum tls_mode mode,
                               struct tls_files *out_files, struct fault *fault);
void tls_files_close(struct tls_files *files); /* for AUTO() */

#endif
