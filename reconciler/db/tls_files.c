#include "db/tls_files.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <unistd.h>

#define CA_FIELD "spec.tls.caSecretRef"
#define CLIENT_FIELD "spec.tls.clientCertSecretRef"
#define DEBIAN_BUNDLE "/etc/ssl/certs/ca-certificates.crt"

bool tls_mode_verifies(enum tls_mode mode)
{
    return mode == TLS_VERIFY_CA || mode == TLS_VERIFY_FULL;
}

bool tls_mode_demands(enum tls_mode mode)
{
    return mode == TLS_REQUIRE || tls_mode_verifies(mode);
}

#define INVALID(fault, ...)                                                              \
    fault_set(fault, FAULT_UNAVAILABLE, "TLSMaterialInvalid", __VA_ARGS__)

static void bio_freep(BIO **bio)
{
    BIO_free_all(*bio);
    *bio = NULL;
}

static void x509_freep(X509 **certificate)
{
    X509_free(*certificate);
    *certificate = NULL;
}

static void pkey_freep(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
    *key = NULL;
}

static BIO *reading(struct sv text)
{
    BIO *bio = BIO_new_mem_buf(text.n == 0 ? "" : text.p, (int)text.n);

    must(bio != NULL);
    return bio;
}

/* Nobody is there to be asked; *argument tells afterwards that there was a question. */
static int no_passphrase(UNUSED char *buffer, UNUSED int size, UNUSED int for_writing,
                         void *argument)
{
    bool *asked = argument;

    *asked = true;
    return -1;
}

/*
 * All certificates of the text have to be readable, and one there has to be. *out_first,
 * which may be NULL, becomes the caller's.
 */
static bool read_certificates(struct sv pem, X509 **out_first)
{
    AUTO(bio_freep) BIO *bio = reading(pem);
    bool asked = false;
    size_t count = 0;

    ERR_clear_error();
    for (;; count++) {
        AUTO(x509_freep) X509 *next = PEM_read_bio_X509(bio, NULL, no_passphrase, &asked);
        if (next == NULL) {
            break;
        }
        if (count == 0 && out_first != NULL) {
            *out_first = TAKE(next);
        }
    }
    /* The end looks like a text without a further certificate. */
    bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    return count > 0 && ended;
}

static bool check_client(const struct db_tls *tls, struct fault *fault)
{
    AUTO(x509_freep) X509 *certificate = NULL;
    struct sv key_pem = secret_reveal(tls->key);
    bool asked = false;

    if (!read_certificates(sv_from(tls->cert), &certificate)) {
        return INVALID(fault,
                       CLIENT_FIELD ": tls.crt holds no PEM certificate, or a damaged "
                                    "one; it has to hold the client's certificate "
                                    "(-----BEGIN CERTIFICATE-----), its own first.");
    }
    AUTO(bio_freep) BIO *bio = reading(key_pem);
    AUTO(pkey_freep)
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked);
    ERR_clear_error();
    if (asked) {
        return INVALID(fault, CLIENT_FIELD ": the private key in tls.key is protected by "
                                           "a passphrase; store it without one.");
    }
    if (key == NULL) {
        return INVALID(fault, CLIENT_FIELD ": tls.key holds no PEM private key, or a "
                                           "damaged one (-----BEGIN PRIVATE KEY-----).");
    }
    bool pair = X509_check_private_key(certificate, key) == 1;
    ERR_clear_error();
    return pair ? true
                : INVALID(fault,
                          CLIENT_FIELD ": the private key in tls.key does not belong to "
                                       "the certificate in tls.crt; store the two that "
                                       "were made together.");
}

static bool open_client(const struct db_tls *tls, struct tls_files *files,
                        struct fault *fault)
{
    if (tls->cert == NULL && tls->key == NULL) {
        return true;
    }
    if (tls->cert == NULL || tls->key == NULL) {
        return INVALID(fault,
                       CLIENT_FIELD ": the Secret holds %s; it needs both tls.crt "
                                    "and tls.key.",
                       tls->cert == NULL ? "tls.key alone" : "tls.crt alone");
    }
    if (!check_client(tls, fault) ||
        !pem_file_open(sv_from(tls->cert), &files->cert, fault) ||
        !pem_file_open(secret_reveal(tls->key), &files->key, fault)) {
        return false;
    }
    files->cert_path = files->cert.path;
    files->key_path = files->key.path;
    return true;
}

static const char *system_bundle(void)
{
    const char *named = secure_getenv(X509_get_default_cert_file_env());
    const char *own = X509_get_default_cert_file();

    if (named != NULL && named[0] != '\0') {
        return named;
    }
    return access(own, R_OK) == 0 ? own : DEBIAN_BUNDLE;
}

static bool open_ca(const struct db_tls *tls, enum tls_mode mode, struct tls_files *files,
                    struct fault *fault)
{
    if (!tls_mode_verifies(mode)) {
        return true;
    }
    if (tls->ca == NULL) {
        files->ca_path = system_bundle();
        return access(files->ca_path, R_OK) == 0
                   ? true
                   : INVALID(fault,
                             "spec.tls.mode verifies the server and " CA_FIELD
                             " is not set, but this system has no certificates of its "
                             "own (%s cannot be read). Set " CA_FIELD
                             " to the CA that signed the server's certificate.",
                             files->ca_path);
    }
    if (!read_certificates(sv_from(tls->ca), NULL)) {
        return INVALID(fault,
                       CA_FIELD ": the key holds no PEM certificate, or a damaged one; "
                                "it has to hold the CA that signed the server's "
                                "certificate (-----BEGIN CERTIFICATE-----).");
    }
    if (!pem_file_open(sv_from(tls->ca), &files->ca, fault)) {
        return false;
    }
    files->ca_path = files->ca.path;
    return true;
}

bool tls_files_open(const struct db_tls *tls, enum tls_mode mode,
                    struct tls_files *out_files, struct fault *fault)
{
    if (mode == TLS_DISABLE) {
        return true;
    }
    if (open_ca(tls, mode, out_files, fault) && open_client(tls, out_files, fault)) {
        return true;
    }
    tls_files_close(out_files);
    return false;
}

void tls_files_close(struct tls_files *files)
{
    pem_file_close(&files->ca);
    pem_file_close(&files->cert);
    pem_file_close(&files->key);
    files->ca_path = files->cert_path = files->key_path = NULL;
}
