#include "base/crash.h"

#include "base/attr.h"
#include "base/heap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MAGIC UINT64_C(0x3168736172437354) /* "TsCrash1" */
#define RECORDS 60
#define COUNTS_MS INT64_C(86400000)
/* A handler needs a few hundred bytes, and the kernel room for the widest registers. */
#define STACK_BYTES ((size_t)16 * 1024)

/* Written by a signal handler while other threads may look: only atomics. */
struct record {
    _Atomic uint64_t id, state;
    _Atomic int64_t last_ms; /* since 1970 */
    _Atomic uint64_t count;
};

struct file {
    uint64_t magic, program;
    struct record records[RECORDS];
};

static const int FATAL[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

struct crash_log {
    struct file *file;
    struct sigaction before[COUNT_OF(FATAL)];
};

/* A signal handler gets no context: what it needs stands here, and nothing else does. */
static _Atomic(struct crash_log *) the_log;
static _Thread_local struct crash_subject current;
static _Thread_local char own_stack[STACK_BYTES];

static struct record *find(struct file *file, uint64_t id)
{
    for (size_t i = 0; i < RECORDS; i++) {
        if (atomic_load(&file->records[i].id) == id) {
            return &file->records[i];
        }
    }
    return NULL;
}

static struct record *oldest(struct file *file)
{
    struct record *found = &file->records[0];

    for (size_t i = 1; i < RECORDS; i++) {
        if (atomic_load(&file->records[i].last_ms) < atomic_load(&found->last_ms)) {
            found = &file->records[i];
        }
    }
    return found;
}

static bool counts(const struct record *record, uint64_t state, int64_t now_ms)
{
    int64_t age_ms = now_ms - atomic_load(&record->last_ms);

    return atomic_load(&record->state) == state && age_ms < COUNTS_MS;
}

/* Within a signal handler: nothing but memory and the clock. */
static void note(struct file *file, struct crash_subject subject)
{
    struct record *record = find(file, subject.id);
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_REALTIME, &now);
    int64_t now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (record == NULL) {
        record = oldest(file);
        atomic_store(&record->count, 0);
    } else if (!counts(record, subject.state, now_ms)) {
        atomic_store(&record->count, 0);
    }
    atomic_store(&record->id, subject.id);
    atomic_store(&record->state, subject.state);
    atomic_store(&record->last_ms, now_ms);
    atomic_fetch_add(&record->count, 1);
}

static void on_fatal(int number, siginfo_t *info, void *context)
{
    struct crash_log *log = atomic_load(&the_log);
    int saved = errno;

    (void)context;
    if (log == NULL) {
        (void)signal(number, SIG_DFL);
    } else {
        if (current.id != 0) {
            note(log->file, current);
        }
        for (size_t i = 0; i < COUNT_OF(FATAL); i++) {
            if (FATAL[i] == number) {
                (void)sigaction(number, &log->before[i], NULL);
            }
        }
    }
    /* A fault comes again by itself, once we return; what was sent does not. */
    if (info->si_code <= 0) {
        (void)raise(number);
    }
    errno = saved;
}

/* What overflows its stack has none left for a handler. A sanitizer brings one along. */
static void bring_stack(void)
{
    stack_t stack = {.ss_flags = 0};

    if (sigaltstack(NULL, &stack) == 0 && (stack.ss_flags & SS_DISABLE) != 0) {
        stack = (stack_t){.ss_sp = own_stack, .ss_size = sizeof(own_stack)};
        (void)sigaltstack(&stack, NULL);
    }
}

static void install(struct crash_log *log)
{
    struct sigaction action = {.sa_sigaction = on_fatal,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK};

    (void)sigemptyset(&action.sa_mask);
    atomic_store(&the_log, log);
    for (size_t i = 0; i < COUNT_OF(FATAL); i++) {
        must(sigaction(FATAL[i], &action, &log->before[i]) == 0);
    }
}

/* 0, or why not. */
static int map(int fd, struct file **out_file)
{
    /* The space, too: a handler cannot do anything about a disk that is full. */
    int failure = posix_fallocate(fd, 0, (off_t)sizeof(struct file));

    if (failure != 0) {
        return failure;
    }
    void *memory =
        mmap(NULL, sizeof(struct file), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        return errno;
    }
    *out_file = memory;
    return 0;
}

bool crash_log_open(const char *path, uint64_t program, struct crash_log **out_log,
                    struct fault *fault)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct file *file = NULL;
    int failure = fd < 0 ? errno : map(fd, &file);

    if (fd >= 0) {
        (void)close(fd);
    }
    if (file == NULL) {
        return fault_set(fault, FAULT_UNAVAILABLE, NULL, "open %s: %s", path,
                         strerrordesc_np(failure));
    }
    if (file->magic != MAGIC || file->program != program) {
        memset(file, 0, sizeof(*file));
        file->magic = MAGIC;
        file->program = program;
    }
    must(atomic_load(&the_log) == NULL);
    struct crash_log *log = HEAP_NEW(struct crash_log);
    log->file = file;
    install(log);
    *out_log = log;
    return true;
}

void crash_log_close(struct crash_log *log)
{
    if (log == NULL) {
        return;
    }
    for (size_t i = 0; i < COUNT_OF(FATAL); i++) {
        (void)sigaction(FATAL[i], &log->before[i], NULL);
    }
    atomic_store(&the_log, NULL);
    (void)munmap(log->file, sizeof(*log->file));
    heap_free(log);
}

void crash_log_closep(struct crash_log **log)
{
    crash_log_close(TAKE(*log));
}

struct crash_subject crash_enter(struct crash_subject subject)
{
    struct crash_subject before = current;

    if (atomic_load(&the_log) != NULL) {
        bring_stack();
        current = subject;
    }
    return before;
}

void crash_leave(struct crash_subject before)
{
    current = before;
}

unsigned crash_count(const struct crash_log *log, struct crash_subject subject,
                     int64_t now_ms)
{
    const struct record *record =
        log == NULL || subject.id == 0 ? NULL : find(log->file, subject.id);

    return record != NULL && counts(record, subject.state, now_ms)
               ? (unsigned)atomic_load(&record->count)
               : 0;
}

void crash_forget(struct crash_log *log, uint64_t id)
{
    struct record *record = log == NULL || id == 0 ? NULL : find(log->file, id);

    if (record != NULL) {
        atomic_store(&record->id, 0);
        atomic_store(&record->count, 0);
        atomic_store(&record->last_ms, 0);
    }
}
