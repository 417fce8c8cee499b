#include "db/pem_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool failed(const char *doing, struct fault *fault)
{
    return fault_set(fault, FAULT_UNAVAILABLE, "TLSFailed",
                     "a certificate or key cannot be handed to the client library: %s: "
                     "%s",
                     doing, strerrordesc_np(errno));
}

static bool write_all(int fd, struct sv text)
{
    while (text.n > 0) {
        ssize_t n = write(fd, text.p, text.n);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        if (n > 0) {
            text = sv_sub(text, (size_t)n, text.n);
        }
    }
    return true;
}

bool pem_file_open(struct sv pem, struct pem_file *out_file, struct fault *fault)
{
    AUTO(pem_file_close) struct pem_file file = PEM_FILE_INIT;

    /* The name shows in /proc only, and says nothing. */
    file.fd = memfd_create("pem", MFD_CLOEXEC);
    if (file.fd < 0) {
        return failed("making a file in memory", fault);
    }
    if (fchmod(file.fd, S_IRUSR | S_IWUSR) != 0 || !write_all(file.fd, pem)) {
        return failed("filling a file in memory", fault);
    }
    (void)snprintf(file.path, sizeof(file.path), "/proc/self/fd/%d", file.fd);
    *out_file = file;
    file.fd = -1;
    return true;
}

static void overwrite(int fd)
{
    static const char zeros[4096];
    off_t size_bytes = lseek(fd, 0, SEEK_END);

    for (off_t at = 0; at < size_bytes;) {
        off_t left = size_bytes - at;
        size_t piece = left < (off_t)sizeof(zeros) ? (size_t)left : sizeof(zeros);
        ssize_t n = pwrite(fd, zeros, piece, at);
        if (n <= 0) {
            return;
        }
        at += n;
    }
}

void pem_file_close(struct pem_file *file)
{
    if (file->fd >= 0) {
        overwrite(file->fd);
        (void)close(file->fd);
        file->fd = -1;
    }
}
