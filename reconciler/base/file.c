#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void closep(int *fd)
{
    if (*fd > STDIN_FILENO) {
        (void)close(*fd);
    }
}

static bool fault_read(const char *name, int error, struct fault *fault)
{
    enum fault_class class =
        error == EACCES || error == EPERM ? FAULT_DENIED : FAULT_UNAVAILABLE;

    return fault_set(fault, class, "FileUnreadable", "%s cannot be read: %s", name,
                     strerrordesc_np(error));
}

static bool read_all(int fd, const char *name, struct buf *out, struct fault *fault)
{
    char chunk[16384];
    ssize_t n = 0;

    do {
        n = read(fd, chunk, sizeof(chunk));
        if (n > 0) {
            buf_add(out, (struct sv){chunk, (size_t)n});
        }
    } while (!buf_overflowed(out) && (n > 0 || (n < 0 && errno == EINTR)));
    int error = errno;

    explicit_bzero(chunk, sizeof(chunk)); /* the file may be a token or a kubeconfig */
    if (buf_overflowed(out)) {
        return fault_set(fault, FAULT_SPEC, "FileTooLarge",
                         "%s is larger than the %zu bytes allowed for it", name,
                         out->ceiling_bytes);
    }
    return n == 0 ? true : fault_read(name, error, fault);
}

bool file_read(const char *path, struct buf *out, struct fault *fault)
{
    bool standard = sv_eq(sv_from(path), SV("-"));
    AUTO(closep) int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    size_t had = out->n;
    char name[1024];

    /* Long enough for a fault; the rest of a longer path helps nobody. */
    (void)snprintf(name, sizeof(name), standard ? "%.1000s" : "file '%.1000s'",
                   standard ? "standard input" : path);
    if (fd < 0) {
        return fault_read(name, errno, fault);
    }
    must(!buf_overflowed(out));
    if (read_all(fd, name, out, fault)) {
        return true;
    }
    /* What was read before the failure is not the file: take it back. */
    out->overflowed = false;
    out->n = had;
    if (out->p != NULL) {
        out->p[had] = '\0';
    }
    return false;
}
