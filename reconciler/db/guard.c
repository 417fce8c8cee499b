#include "db/guard.h"

#include "base/heap.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct guard {
    const struct cancel *cancel;
    int socket_fd; /* a duplicate: the original's number may be reused meanwhile */
    int done_fd;
    pthread_t thread;
};

static void *guard_run(void *argument)
{
    struct guard *g = argument;
    struct fault ignored = FAULT_INIT;

    if (!cancel_poll(g->cancel, g->done_fd, POLLIN, "guard", &ignored)) {
        (void)shutdown(g->socket_fd, SHUT_RDWR);
    }
    return NULL;
}

static void guard_free(struct guard *g)
{
    if (g->socket_fd >= 0) {
        (void)close(g->socket_fd);
    }
    if (g->done_fd >= 0) {
        (void)close(g->done_fd);
    }
    heap_free(g);
}

struct guard *guard_start(int fd, const struct cancel *cancel)
{
    struct guard *g = HEAP_NEW(struct guard);

    g->cancel = cancel;
    g->socket_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    g->done_fd = eventfd(0, EFD_CLOEXEC);
    if (g->socket_fd < 0 || g->done_fd < 0 ||
        pthread_create(&g->thread, NULL, guard_run, g) != 0) {
        guard_free(g);
        return NULL;
    }
    return g;
}

void guard_stop(struct guard *guard)
{
    const uint64_t one = 1;

    if (guard == NULL) {
        return;
    }
    ssize_t n = write(guard->done_fd, &one, sizeof(one));
    (void)n;
    (void)pthread_join(guard->thread, NULL);
    guard_free(guard);
}

void guard_stopp(struct guard **guard)
{
    guard_stop(*guard);
    *guard = NULL;
}
