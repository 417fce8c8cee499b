/* tls_identity: certificates made within the test: an authority and what it signs. */
#ifndef TLS_IDENTITY_H
#define TLS_IDENTITY_H

#include <openssl/ssl.h>

struct tls_identity {
    X509 *certificate;
    EVP_PKEY *key;
    char *certificate_pem;
    char *key_pem;
};

/* issuer NULL: signs itself and may sign others. names: "DNS:kube.test,IP:127.0.0.1". */
void tls_identity_init(struct tls_identity *identity, const char *common_name,
                       const char *names, const struct tls_identity *issuer);
void tls_identity_deinit(struct tls_identity *identity);

/* A server's side; the caller frees it with SSL_CTX_free(). */
SSL_CTX *tls_identity_server(const struct tls_identity *identity,
                             const struct tls_identity *client_ca);

#endif
