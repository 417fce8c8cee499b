/*
 * mysql_greeting: whether a MySQL server offers TLS, before anything is said to it.
 *
 * Connector/C answers a greeting without TLS in plain text even when told to insist
 * (verified 23), and its answer holds what proves the password. So the greeting is looked
 * at while it still lies in the socket, and the library reads the same bytes afterwards.
 */
#ifndef DB_MYSQL_GREETING_H
#define DB_MYSQL_GREETING_H

#include "base/cancel.h"

enum greeting {
    GREETING_PARTIAL = 0, /* more bytes have to come */
    GREETING_TLS,         /* protocol 10 with CLIENT_SSL */
    GREETING_PLAIN,       /* anything else that a client would answer */
    GREETING_NONE,        /* an error packet, or the end: the library will tell */
};

/* Protocol::HandshakeV10 of MySQL, framed; `n` bytes of it have come. */
enum greeting mysql_greeting_parse(const unsigned char *bytes, size_t n);

/*
 * Waits for the greeting on a connected socket and leaves it there. Faults: those of
 * cancel_poll().
 */
MUST_CHECK bool mysql_greeting_peek(int fd, const struct cancel *cancel, const char *what,
                                    enum greeting *out_greeting, struct fault *fault);

#endif
