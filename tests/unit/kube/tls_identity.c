#include "tls_identity.h"

#include "kube_unit.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

static char *pem_of(BIO *bio)
{
    char *data = NULL;
    long n = BIO_get_mem_data(bio, &data);
    char *copy = strndup(data, (size_t)n);

    assert_non_null(copy);
    (void)BIO_free(bio);
    return copy;
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static void write_pem(struct tls_identity *identity)
{
    BIO *certificate = BIO_new(BIO_s_mem());
    BIO *key = BIO_new(BIO_s_mem());

    assert_int_equal(PEM_write_bio_X509(certificate, identity->certificate), 1);
    assert_int_equal(
        PEM_write_bio_PrivateKey(key, identity->key, NULL, NULL, 0, NULL, NULL), 1);
    identity->certificate_pem = pem_of(certificate);
    identity->key_pem = pem_of(key);
}

void tls_identity_init(struct tls_identity *identity, const char *common_name,
                       const char *names, const struct tls_identity *issuer)
{
    static long serial = 1;
    X509 *c = X509_new();
    EVP_PKEY *key = EVP_EC_gen("P-256");

    assert_non_null(c);
    assert_non_null(key);
    X509 *signer = issuer == NULL ? c : issuer->certificate;
    assert_int_equal(X509_set_version(c, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(c), serial++), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(c), -3600));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(c), 3600));
    assert_int_equal(X509_set_pubkey(c, key), 1);
    assert_int_equal(
        X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC,
                                   (const unsigned char *)common_name, -1, -1, 0),
        1);
    assert_int_equal(X509_set_issuer_name(c, X509_get_subject_name(signer)), 1);
    add_extension(c, signer, NID_basic_constraints,
                  issuer == NULL ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (names != NULL) {
        add_extension(c, signer, NID_subject_alt_name, names);
    }
    assert_true(X509_sign(c, issuer == NULL ? key : issuer->key, EVP_sha256()) > 0);
    *identity = (struct tls_identity){.certificate = c, .key = key};
    write_pem(identity);
}

void tls_identity_deinit(struct tls_identity *identity)
{
    X509_free(identity->certificate);
    EVP_PKEY_free(identity->key);
    free(identity->certificate_pem);
    free(identity->key_pem);
}

SSL_CTX *tls_identity_server(const struct tls_identity *identity,
                             const struct tls_identity *client_ca)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    assert_non_null(context);
    assert_int_equal(SSL_CTX_use_certificate(context, identity->certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, identity->key), 1);
    if (client_ca != NULL) {
        assert_int_equal(
            X509_STORE_add_cert(SSL_CTX_get_cert_store(context), client_ca->certificate),
            1);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           NULL);
    }
    return context;
}
