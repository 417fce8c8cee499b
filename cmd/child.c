#include "cmd/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIECE_BYTES 16384
#define NOT_STARTED 127

struct pipes {
    int out[2], err[2], failure[2];
};

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
}

static void pipes_deinit(struct pipes *p)
{
    int *const all[] = {&p->out[0], &p->out[1],     &p->err[0],
                        &p->err[1], &p->failure[0], &p->failure[1]};

    for (size_t i = 0; i < COUNT_OF(all); i++) {
        close_fd(all[i]);
    }
}

/* In the new process, where only system calls are safe. Its pipes carry CLOEXEC. */
NORETURN static void become(const char *const *words, const struct pipes *p, pid_t parent)
{
    union {
        const char *const *in;
        char *const *out;
    } argv = {.in = words};
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int error = 0;

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) {
        _exit(NOT_STARTED);
    }
    (void)signal(SIGPIPE, SIG_DFL);
    if (nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 &&
        dup2(p->out[1], STDOUT_FILENO) >= 0 && dup2(p->err[1], STDERR_FILENO) >= 0) {
        (void)execvp(argv.out[0], argv.out);
    }
    error = errno;
    (void)!write(p->failure[1], &error, sizeof(error));
    _exit(NOT_STARTED);
}

static bool fault_start(const char *program, int error, struct fault *fault)
{
    if (error == ENOENT) {
        return fault_set(fault, FAULT_UNAVAILABLE, "ProgramMissing",
                         "the program '%s' is not in PATH: install it, or add its folder "
                         "to PATH",
                         program);
    }
    return fault_set(fault, FAULT_UNAVAILABLE, NULL, "the program '%s' cannot be run: %s",
                     program, strerrordesc_np(error));
}

bool child_start(const char *const *words, struct child *out_child, struct fault *fault)
{
    AUTO(pipes_deinit) struct pipes p = {{-1, -1}, {-1, -1}, {-1, -1}};
    pid_t self = getpid();
    pid_t pid = 0;
    int error = 0;

    if (pipe2(p.out, O_CLOEXEC) != 0 || pipe2(p.err, O_CLOEXEC) != 0 ||
        pipe2(p.failure, O_CLOEXEC) != 0 || (pid = fork()) < 0) {
        return fault_start(words[0], errno, fault);
    }
    if (pid == 0) {
        become(words, &p, self);
    }
    close_fd(&p.failure[1]);
    if (read(p.failure[0], &error, sizeof(error)) == (ssize_t)sizeof(error)) {
        (void)waitpid(pid, NULL, 0);
        return fault_start(words[0], error, fault);
    }
    *out_child = (struct child){.pid = pid, .fds = {p.out[0], p.err[0]}};
    p.out[0] = -1;
    p.err[0] = -1;
    for (size_t i = 0; i < COUNT_OF(out_child->texts); i++) {
        buf_init(&out_child->texts[i], CHILD_TEXT_MAX);
    }
    return true;
}

static void take_piece(struct child *child, size_t i)
{
    char piece[PIECE_BYTES];
    ssize_t got = read(child->fds[i], piece, sizeof(piece));

    if (got > 0) {
        buf_add(&child->texts[i], (struct sv){piece, (size_t)got});
    } else if (got == 0 || errno != EINTR) {
        close_fd(&child->fds[i]);
    }
}

bool child_read(struct child *child, struct cancel *cancel, struct fault *fault)
{
    while (!child_silent(child)) {
        struct pollfd fds[] = {{.fd = child->fds[0], .events = POLLIN},
                               {.fd = child->fds[1], .events = POLLIN},
                               {.fd = cancel_fd(cancel), .events = POLLIN}};
        int64_t left_ms = cancel_remaining_ms(cancel);

        if (!cancel_check(cancel, "waiting for a program", fault)) {
            return false;
        }
        if (poll(fds, COUNT_OF(fds), left_ms > 60000 ? 60000 : (int)left_ms) > 0) {
            bool heard = fds[0].revents != 0 || fds[1].revents != 0;

            for (size_t i = 0; i < COUNT_OF(child->fds); i++) {
                if (fds[i].revents != 0) {
                    take_piece(child, i);
                }
            }
            if (heard) {
                return true;
            }
        }
    }
    return true;
}

bool child_silent(const struct child *child)
{
    return child->fds[0] < 0 && child->fds[1] < 0;
}

int child_close(struct child *child)
{
    int status = 0;
    pid_t ended = 0;

    if (child->pid == 0) {
        return -1;
    }
    if (!child_silent(child)) {
        (void)kill(child->pid, SIGKILL);
    }
    do {
        ended = waitpid(child->pid, &status, 0);
    } while (ended < 0 && errno == EINTR);
    close_fd(&child->fds[0]);
    close_fd(&child->fds[1]);
    child->pid = 0;
    return ended > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void child_deinit(struct child *child)
{
    if (child->pid != 0) {
        (void)child_close(child);
    }
    buf_deinit(&child->texts[0]);
    buf_deinit(&child->texts[1]);
}
