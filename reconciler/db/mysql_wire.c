#include "db/mysql_wire.h"

#include "db/guard.h"
#include "db/mysql_greeting.h"
#include "db/mysql_wire_private.h"
#include "db/resolve.h"
#include "db/tls_files.h"
#include "db/tls_trace.h"

#include <fcntl.h>
#include <mysql.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* The library runs its calls on stacks of its own; the default (60 KiB) is less than
 * OpenSSL and the loading of a login plugin may take. */
#define CALL_STACK_BYTES ((size_t)256 * 1024)
#define PACKET_BYTES_MAX ((unsigned long)16 * 1024 * 1024)
/* Plugins that never send the password as it is over a plain connection. */
#define LOGIN_PLUGINS                                                                    \
    "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519"
#define NO_SOCKET ((my_socket)-1)

bool mysql_wire_init(struct fault *fault)
{
    struct sigaction now;

    if (mysql_library_init(0, NULL, NULL) != 0) {
        return fault_set(fault, FAULT_BUG, NULL,
                         "the MySQL client library does not start");
    }
    tls_trace_init();
    /* OpenSSL writes to the socket without MSG_NOSIGNAL. */
    if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL) {
        (void)signal(SIGPIPE, SIG_IGN);
    }
    return true;
}

void mysql_wire_deinit(void)
{
    mysql_library_end();
}

const struct peer *mysql_wire_peer(const struct mysql_wire *wire)
{
    return wire->peer;
}

const char *mysql_wire_version(const struct mysql_wire *wire)
{
    const char *version = mysql_get_server_info(wire->handle);

    return version == NULL ? "" : version;
}

void mysql_wire_break(struct mysql_wire *wire)
{
    my_socket fd = wire->handle == NULL ? NO_SOCKET : mysql_get_socket(wire->handle);

    wire->broken = true;
    if (fd != NO_SOCKET) {
        (void)shutdown(fd, SHUT_RDWR);
    }
}

short mysql_wait_poll_events(int status)
{
    return (short)(((status & MYSQL_WAIT_READ) != 0 ? POLLIN : 0) |
                   ((status & MYSQL_WAIT_WRITE) != 0 ? POLLOUT : 0) |
                   ((status & MYSQL_WAIT_EXCEPT) != 0 ? POLLPRI : 0));
}

int mysql_wait_events(struct mysql_wait *wait, int status)
{
    int wanted = status & (MYSQL_WAIT_READ | MYSQL_WAIT_WRITE | MYSQL_WAIT_EXCEPT);
    short events = mysql_wait_poll_events(status);
    my_socket fd = mysql_get_socket(wait->wire->handle);

    if (!wait->stopped && (fd == NO_SOCKET || !cancel_poll(wait->cancel, fd, events,
                                                           wait->what, wait->fault))) {
        wait->stopped = true;
        mysql_wire_break(wait->wire);
    }
    return wanted;
}

bool mysql_wait_more(const struct mysql_wait *wait, int *turns)
{
    return !wait->stopped || (*turns)++ < UNWIND_TURNS_MAX;
}

bool mysql_wire_failed(struct mysql_wire *wire, const char *what, struct fault *fault)
{
    char code[16];
    const char *text = mysql_error(wire->handle);

    (void)snprintf(code, sizeof(code), "%u", mysql_errno(wire->handle));
    return peer_fault(wire->peer,
                      &(struct peer_answer){.what = what, .code = code, sv_from(text)},
                      &wire->broken, fault);
}

static bool login_failed(struct mysql_wire *wire, const char *what, struct fault *fault)
{
    char code[16];
    const char *text = mysql_error(wire->handle);

    wire->broken = true;
    (void)snprintf(code, sizeof(code), "%u", mysql_errno(wire->handle));
    return peer_login_fault(
        wire->peer, &(struct peer_answer){.what = what, .code = code, sv_from(text)},
        NULL, fault);
}

static void set_options(struct mysql_wire *wire, const struct cancel *cancel)
{
    MYSQL *handle = wire->handle;
    const size_t stack_bytes = CALL_STACK_BYTES;
    const unsigned long packet_bytes = PACKET_BYTES_MAX;
    /* Rounded up: our own deadline comes first, this one only backs up the guard. */
    const unsigned int connect_s = (unsigned int)(cancel_remaining_ms(cancel) / 1000 + 1);
    const unsigned int io_s = DB_DDL_TIMEOUT_MS / 1000;
    const unsigned int no_files = 0;
    const unsigned int tcp = MYSQL_PROTOCOL_TCP;
    const my_bool off = 0;
    const my_bool encrypt = wire->peer->tls_mode == TLS_DISABLE ? 0 : 1;

    (void)mysql_options(handle, MYSQL_OPT_NONBLOCK, &stack_bytes);
    (void)mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
    (void)mysql_options(handle, MYSQL_OPT_READ_TIMEOUT, &io_s);
    (void)mysql_options(handle, MYSQL_OPT_WRITE_TIMEOUT, &io_s);
    (void)mysql_options(handle, MYSQL_OPT_PROTOCOL, &tcp);
    (void)mysql_options(handle, MYSQL_OPT_LOCAL_INFILE, &no_files);
    (void)mysql_options(handle, MYSQL_OPT_RECONNECT, &off);
    (void)mysql_options(handle, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet_bytes);
    (void)mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    (void)mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &encrypt);
    (void)mysql_optionsv(handle, MARIADB_OPT_RESTRICTED_AUTH, LOGIN_PLUGINS);
    (void)mysql_optionsv(handle, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "tablesync");
}

/* A CA makes the library verify the chain, the other option the host as well. */
static void set_tls(struct mysql_wire *wire, const struct tls_files *files)
{
    const my_bool name_too = wire->peer->tls_mode == TLS_VERIFY_FULL ? 1 : 0;

    (void)mysql_options(wire->handle, MYSQL_OPT_SSL_CA, files->ca_path);
    (void)mysql_options(wire->handle, MYSQL_OPT_SSL_CERT, files->cert_path);
    (void)mysql_options(wire->handle, MYSQL_OPT_SSL_KEY, files->key_path);
    (void)mysql_options(wire->handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &name_too);
}

static bool not_offered(const struct mysql_wire *wire, const char *what,
                        struct fault *fault)
{
    return fault_set(fault, FAULT_UNAVAILABLE, "TLSNotOffered",
                     "%s: spec.tls.mode is %s and the server offers no TLS. Give it "
                     "a certificate, or set spec.tls.mode to Prefer or Disable.",
                     what, tls_mode_name(wire->peer->tls_mode));
}

/* What the library's connect goes through, from the first wait on. */
struct meeting {
    struct mysql_wire *wire;
    struct mysql_wait *wait;
    char *host; /* as the library was given it: see run_connect() */
    struct guard *guard;
    bool met;
};

/* The socket is connected; nothing has been read from it and nothing written. */
static void meet_server(struct meeting *m, my_socket fd)
{
    const struct peer *peer = m->wire->peer;
    struct mysql_wait *wait = m->wait;
    enum greeting greeting = GREETING_NONE;

    m->met = true;
    m->guard = guard_start(fd, wait->cancel);
    if (tls_mode_demands(peer->tls_mode) &&
        (!mysql_greeting_peek(fd, wait->cancel, wait->what, &greeting, wait->fault) ||
         (greeting == GREETING_PLAIN &&
          !not_offered(m->wire, wait->what, wait->fault)))) {
        wait->stopped = true;
        mysql_wire_break(m->wire);
    }
    memcpy(m->host, peer->host, strlen(peer->host) + 1);
}

/*
 * true when the library's call has ended by itself, well or badly.
 *
 * The library looks the host up, which may block for as long as it likes, so it gets an
 * address; and it compares the certificate with that same string, which has to be the
 * name then. It reads the caller's string for both (seen with 3.3), so the one
 * takes the other's place once the socket is connected. Were it to keep a copy, no
 * certificate would fit: the test of VerifyFull tells.
 */
static bool run_connect(struct mysql_wire *wire, const char *address,
                        struct mysql_wait *wait, MYSQL **out_connected)
{
    const struct peer *peer = wire->peer;
    struct sv password = secret_reveal(peer->password);
    struct meeting m = {.wire = wire, .wait = wait, .met = peer->tls_mode == TLS_DISABLE};
    int turns = 0;

    m.host = arena_alloc(peer->arena, strlen(address) + strlen(peer->host) + 1);
    memcpy(m.host, address, strlen(address) + 1);
    int status = mysql_real_connect_start(out_connected, wire->handle, m.host, peer->user,
                                          password.n == 0 ? "" : password.p, NULL,
                                          (unsigned int)peer->port, NULL, 0);
    while (status != 0 && mysql_wait_more(wait, &turns)) {
        int ready = mysql_wait_events(wait, status);
        my_socket fd = mysql_get_socket(wire->handle);
        if (!m.met && !wait->stopped && fd != NO_SOCKET) {
            meet_server(&m, fd);
        }
        status = mysql_real_connect_cont(out_connected, wire->handle, ready);
    }
    guard_stop(m.guard);
    return status == 0;
}

/* The library went on without waiting, so that the greeting was not looked at. */
static bool check_encrypted(struct mysql_wire *wire, const char *what,
                            struct fault *fault)
{
    if (!tls_mode_demands(wire->peer->tls_mode) ||
        mysql_get_ssl_cipher(wire->handle) != NULL) {
        return true;
    }
    mysql_wire_break(wire);
    (void)not_offered(wire, what, fault);
    return peer_wrap(wire->peer, fault);
}

/*
 * After a TLS handshake the library leaves the socket in blocking mode, and its
 * "non-blocking" reads then block in SSL_read() (seen with 3.3 under a frozen server).
 */
static void never_block(struct mysql_wire *wire)
{
    my_socket fd = mysql_get_socket(wire->handle);
    int flags = fcntl(fd, F_GETFL);

    if (flags >= 0) {
        (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    }
}

bool mysql_wire_reach(struct mysql_wire *wire, const char *address,
                      const struct cancel *cancel, struct fault *fault)
{
    const char *what = arena_printf(wire->peer->arena, "login as %s", wire->peer->user);
    MYSQL *connected = NULL;
    struct mysql_wait wait = {
        .wire = wire, .cancel = cancel, .what = what, .fault = fault};

    /* Read while the library connects. */
    AUTO(tls_files_close) struct tls_files files = TLS_FILES_INIT;

    if (!tls_files_open(&wire->peer->tls, wire->peer->tls_mode, &files, fault)) {
        return peer_wrap(wire->peer, fault);
    }
    if (wire->handle != NULL) {
        mysql_close(wire->handle);
    }
    wire->handle = mysql_init(NULL);
    must(wire->handle != NULL);
    wire->broken = false;
    wire->address = address;
    set_options(wire, cancel);
    set_tls(wire, &files);
    tls_trace_begin();
    bool ended = run_connect(wire, address, &wait, &connected);
    if (wait.stopped) {
        return peer_wrap(wire->peer, fault);
    }
    if (ended && connected != NULL) {
        never_block(wire);
        return check_encrypted(wire, what, fault);
    }
    wire->broken = true;
    /* The guard may have ended a handshake of which the library knows only that it ended.
     */
    if (!cancel_check(cancel, what, fault)) {
        return peer_wrap(wire->peer, fault);
    }
    return login_failed(wire, what, fault);
}

bool mysql_wire_open(const struct db_endpoint *endpoint, enum db_engine engine,
                     struct cancel *cancel, struct mysql_wire **out_wire,
                     struct fault *fault)
{
    struct peer *peer = peer_new(endpoint, engine);
    AUTO(mysql_wire_closep)
    struct mysql_wire *wire = ARENA_NEW(peer->arena, struct mysql_wire);
    struct strlist addresses = {0};
    struct fault attempt = FAULT_INIT;
    struct cancel limit;
    bool reached = false;

    wire->peer = peer;
    cancel_init_child(&limit, cancel, DB_CONNECT_TIMEOUT_MS);
    if (!resolve_host(peer->host, "looking up the host", &limit, peer->arena, &addresses,
                      fault)) {
        return peer_wrap(peer, fault);
    }
    for (size_t i = 0; i < addresses.n && !reached; i++) {
        reached = mysql_wire_reach(wire, addresses.v[i], &limit, &attempt);
        /* Another address of the host may do better only when nobody was at this one. */
        if (!reached && (!db_unanswered(&attempt) || cancel_remaining_ms(&limit) == 0)) {
            break;
        }
    }
    if (!reached) {
        *fault = attempt;
        return false;
    }
    *out_wire = TAKE(wire);
    return true;
}

void mysql_wire_close(struct mysql_wire *wire)
{
    if (wire == NULL) {
        return;
    }
    if (wire->handle != NULL) {
        mysql_close(wire->handle);
    }
    peer_free(wire->peer);
}

void mysql_wire_closep(struct mysql_wire **wire)
{
    mysql_wire_close(*wire);
    *wire = NULL;
}
