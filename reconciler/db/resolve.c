#include "db/resolve.h"

#include "base/heap.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Shared by the waiter and the look-up; whoever lets go last frees it. */
struct lookup {
    atomic_int holders;
    int done_fd;
    char *host;
    atomic_bool done;
    int error; /* of getaddrinfo(); this and the next are valid once done */
    struct addrinfo *found;
};

static int ask(const char *host, int flags, struct addrinfo **out)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags};

    return getaddrinfo(host, NULL, &hints, out);
}

static void lookup_drop(struct lookup *l)
{
    if (atomic_fetch_sub(&l->holders, 1) != 1) {
        return;
    }
    if (l->found != NULL) {
        freeaddrinfo(l->found);
    }
    if (l->done_fd >= 0) {
        (void)close(l->done_fd);
    }
    heap_free(l->host);
    heap_free(l);
}

static void lookup_dropp(struct lookup **l)
{
    if (*l != NULL) {
        lookup_drop(*l);
        *l = NULL;
    }
}

static void *lookup_run(void *argument)
{
    struct lookup *l = argument;
    const uint64_t one = 1;

    l->error = ask(l->host, AI_ADDRCONFIG, &l->found);
    atomic_store(&l->done, true);
    /* The counter starts at 0, so this cannot block or fail. */
    ssize_t n = write(l->done_fd, &one, sizeof(one));
    (void)n;
    lookup_drop(l);
    return NULL;
}

static bool lookup_start(struct lookup *l)
{
    pthread_attr_t attributes;
    pthread_t thread;
    bool started = false;

    if (pthread_attr_init(&attributes) != 0) {
        return false;
    }
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    atomic_fetch_add(&l->holders, 1);
    started = pthread_create(&thread, &attributes, lookup_run, l) == 0;
    if (!started) {
        atomic_fetch_sub(&l->holders, 1);
    }
    (void)pthread_attr_destroy(&attributes);
    return started;
}

static void keep(const struct addrinfo *found, struct arena *arena, struct strlist *out)
{
    char text[NI_MAXHOST];

    for (const struct addrinfo *a = found; a != NULL && out->n < RESOLVE_ADDRESSES_MAX;
         a = a->ai_next) {
        bool known = false;
        if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof(text), NULL, 0,
                        NI_NUMERICHOST) != 0) {
            continue;
        }
        for (size_t i = 0; i < out->n; i++) {
            known = known || strcmp(out->v[i], text) == 0;
        }
        if (!known) {
            VEC_PUSH(arena, out, arena_strdup(arena, text));
        }
    }
}

static bool unknown(const char *host, const char *what, const char *why,
                    struct fault *fault)
{
    return fault_set(
        fault, FAULT_UNAVAILABLE, "UnknownHost",
        "%s: the host name \"%s\" has no address (%s). Check spec.host of the "
        "connection.",
        what, host, why);
}

bool resolve_host(const char *host, const char *what, const struct cancel *cancel,
                  struct arena *arena, struct strlist *out_addresses, struct fault *fault)
{
    AUTO(lookup_dropp) struct lookup *l = NULL;
    struct strlist addresses = {0};
    struct addrinfo *numeric = NULL;

    if (host[0] == '\0') {
        return unknown(host, what, "it is empty", fault);
    }
    if (ask(host, AI_NUMERICHOST, &numeric) == 0) {
        keep(numeric, arena, out_addresses);
        freeaddrinfo(numeric);
        return true;
    }
    l = HEAP_NEW(struct lookup);
    atomic_init(&l->holders, 1);
    atomic_init(&l->done, false);
    l->host = heap_strdup(host);
    l->done_fd = eventfd(0, EFD_CLOEXEC);
    if (l->done_fd < 0 || !lookup_start(l)) {
        return fault_set(fault, FAULT_UNAVAILABLE, NULL,
                         "%s: the look-up of \"%s\" cannot be started: %s", what, host,
                         strerrordesc_np(errno));
    }
    if (!cancel_poll(cancel, l->done_fd, POLLIN, what, fault)) {
        return false;
    }
    must(atomic_load(&l->done)); /* orders the thread's writes before our reads */
    if (l->error == 0) {
        keep(l->found, arena, &addresses);
    }
    if (addresses.n == 0) {
        return unknown(host, what,
                       l->error == 0 ? "no usable address" : gai_strerror(l->error),
                       fault);
    }
    *out_addresses = addresses;
    return true;
}
