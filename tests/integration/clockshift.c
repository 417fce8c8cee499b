/*
 * clockshift: a wall clock that a test moves while the program runs. Preloaded, it adds
 * to CLOCK_REALTIME, and to what else tells the time of day, the milliseconds that the
 * file CLOCKSHIFT_FILE holds as one int64_t. All other clocks stay as they are.
 *
 * System calls are made directly: the functions of the same names, which a sanitizer may
 * have replaced, are not asked.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const _Atomic int64_t *shift_ms; /* NULL: not yet there, or nobody moves it */

__attribute__((constructor)) static void open_shift(void)
{
    const char *path = getenv("CLOCKSHIFT_FILE");
    long fd = path == NULL ? -1 : syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);

    if (fd >= 0) {
        long at = syscall(SYS_mmap, NULL, sizeof(*shift_ms), PROT_READ, MAP_SHARED, fd,
                          (off_t)0);

        shift_ms = at == -1 ? NULL : (const _Atomic int64_t *)at;
        (void)syscall(SYS_close, fd);
    }
}

int clock_gettime(clockid_t id, struct timespec *out)
{
    long result = syscall(SYS_clock_gettime, id, out);

    if (result == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) &&
        shift_ms != NULL) {
        int64_t ms = *shift_ms;

        out->tv_sec += ms / 1000;
        out->tv_nsec += ms % 1000 * 1000000;
        if (out->tv_nsec >= 1000000000) {
            out->tv_sec++;
            out->tv_nsec -= 1000000000;
        }
    }
    return (int)result;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now = {0};
    int result = clock_gettime(CLOCK_REALTIME, &now);

    (void)zone;
    *out = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return result;
}

time_t time(time_t *out)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL) {
        *out = now.tv_sec;
    }
    return now.tv_sec;
}
