/*
 * tls_trace: what OpenSSL knows of a failed handshake and a client library does not tell.
 *
 * libpq says "certificate verify failed" whether the certificate is expired or signed by
 * a stranger; Connector/C says "lost connection" when the server refuses ours. Both run
 * OpenSSL in the calling thread, which keeps the result of the verification and a queue
 * of errors. The queue is public; the result is read when OpenSSL gives the verification
 * up (a hook on its extra data), as the libraries free it before they return.
 */
#ifndef DB_TLS_TRACE_H
#define DB_TLS_TRACE_H

#include <stdbool.h>

void tls_trace_init(void);  /* before threads; more than once is fine */
void tls_trace_begin(void); /* forgets, in this thread, what came before */

/*
 * Why the first verification since then did not succeed ("certificate has expired"), NULL
 * when it did or there was none. OpenSSL verifies also for who does not mind the result.
 */
const char *tls_trace_verdict(void);
/* Whether a certificate was looked at: the handshake came as far as that. */
bool tls_trace_met(void);
/* The first error that OpenSSL's TLS left behind ("tlsv13 alert certificate required"),
 * NULL when there is none. */
const char *tls_trace_error(void);

#endif
