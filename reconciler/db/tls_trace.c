#include "db/tls_trace.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stddef.h>

static struct {
    pthread_once_t once;
} hook = {PTHREAD_ONCE_INIT};

static _Thread_local struct {
    bool verified;
    int result;
} trace;

/*
 * The server's certificate comes first; building our own chain is a verification too. A
 * context is freed once before it is filled, without a certificate.
 */
static void on_free(void *parent, void *own, CRYPTO_EX_DATA *all, int index, long number,
                    void *argument)
{
    (void)own;
    (void)all;
    (void)index;
    (void)number;
    (void)argument;
    if (!trace.verified && X509_STORE_CTX_get0_cert(parent) != NULL) {
        trace.verified = true;
        trace.result = X509_STORE_CTX_get_error(parent);
    }
}

static void install(void)
{
    (void)X509_STORE_CTX_get_ex_new_index(0, NULL, NULL, NULL, on_free);
}

void tls_trace_init(void)
{
    (void)pthread_once(&hook.once, install);
}

void tls_trace_begin(void)
{
    ERR_clear_error();
    trace.verified = false;
    trace.result = X509_V_OK;
}

const char *tls_trace_verdict(void)
{
    return trace.result == X509_V_OK ? NULL : X509_verify_cert_error_string(trace.result);
}

bool tls_trace_met(void)
{
    return trace.verified;
}

const char *tls_trace_error(void)
{
    unsigned long first = ERR_peek_error();

    /* Connector/C's farewell to a connection that has failed before. */
    if (ERR_GET_LIB(first) != ERR_LIB_SSL ||
        ERR_GET_REASON(first) == SSL_R_SHUTDOWN_WHILE_IN_INIT) {
        return NULL;
    }
    return ERR_reason_error_string(first);
}
