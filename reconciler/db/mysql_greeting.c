#include "db/mysql_greeting.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define HEADER_BYTES 4
#define PROTOCOL_10 10
#define ERROR_PACKET 0xff
/* Behind the version: thread id, first part of the scramble, a filler byte. */
#define BEFORE_CAPABILITIES ((size_t)4 + 8 + 1)
#define CLIENT_SSL_FLAG 0x0800U
/* Versions are short; a greeting whose capabilities stand further back is none. */
#define LOOK_BYTES ((size_t)1024)

enum greeting mysql_greeting_parse(const unsigned char *bytes, size_t n)
{
    if (n <= HEADER_BYTES) {
        return GREETING_PARTIAL;
    }
    size_t length = (size_t)bytes[0] | (size_t)bytes[1] << 8 | (size_t)bytes[2] << 16;
    size_t end = HEADER_BYTES + length;
    if (length > 0 && bytes[HEADER_BYTES] == ERROR_PACKET) {
        return GREETING_NONE;
    }
    if (length == 0 || bytes[HEADER_BYTES] != PROTOCOL_10) {
        return GREETING_PLAIN;
    }
    size_t seen = n < end ? n : end;
    const unsigned char *version = bytes + HEADER_BYTES + 1;
    const unsigned char *nul = memchr(version, 0, seen - HEADER_BYTES - 1);
    size_t at = nul == NULL ? seen : (size_t)(nul - bytes) + 1 + BEFORE_CAPABILITIES;
    if (at + 2 > end || (nul == NULL && n >= end)) {
        return GREETING_PLAIN;
    }
    if (nul == NULL || at + 2 > n) {
        return n >= LOOK_BYTES ? GREETING_PLAIN : GREETING_PARTIAL;
    }
    unsigned int capabilities = bytes[at] | (unsigned int)bytes[at + 1] << 8;
    return (capabilities & CLIENT_SSL_FLAG) != 0 ? GREETING_TLS : GREETING_PLAIN;
}

/* poll() sleeps until so many bytes are there. */
static void wake_at(int fd, size_t bytes)
{
    const int low_water = (int)bytes;

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &low_water, sizeof(low_water));
}

bool mysql_greeting_peek(int fd, const struct cancel *cancel, const char *what,
                         enum greeting *out_greeting, struct fault *fault)
{
    unsigned char bytes[LOOK_BYTES];
    enum greeting greeting = GREETING_PARTIAL;
    size_t before = 0;

    while (greeting == GREETING_PARTIAL) {
        if (!cancel_poll(cancel, fd, POLLIN, what, fault)) {
            return false;
        }
        ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
        /* Awake without a further byte: nothing more will come. */
        if (n <= 0 || (size_t)n <= before) {
            greeting = GREETING_NONE;
            break;
        }
        before = (size_t)n;
        greeting = mysql_greeting_parse(bytes, before);
        if (greeting == GREETING_PARTIAL) {
            wake_at(fd, before + 1);
        }
    }
    wake_at(fd, 1);
    *out_greeting = greeting;
    return true;
}
