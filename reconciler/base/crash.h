/*
 * crash: what a thread was at work on when the process died of a mistake of its own.
 *
 * C has no way to go on after a bad access: the process ends and is started again, meets
 * the same work, and ends again. A record of what was worked on survives in a file that
 * is mapped into memory, written by the handler of the fatal signal and nobody else, so
 * that work that kills can be left alone. A kill from outside (SIGKILL, the OOM killer,
 * a power cut) is nobody's mistake and leaves no record.
 */
#ifndef BASE_CRASH_H
#define BASE_CRASH_H

#include "base/fault.h"

#include <stdint.h>

/* `id`: what; `state`: which state of it, so that another one counts anew. id 0: none. */
struct crash_subject {
    uint64_t id, state;
};

struct crash_log;

/*
 * Opens or creates the file (2 KiB, readable by the owner only) and installs handlers of
 * SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT for the whole process; what these did
 * before they still do. Records that another `program` left are forgotten: it may be the
 * mended one. One log at a time. FAULT_UNAVAILABLE: there is no such file and none can be
 * made.
 */
MUST_CHECK bool crash_log_open(const char *path, uint64_t program,
                               struct crash_log **out_log, struct fault *fault);
/* Takes the handlers away; the file stays. NULL: nothing. */
void crash_log_close(struct crash_log *log);
void crash_log_closep(struct crash_log **log);

/* This thread is at work on `subject` from here on; returns what it was at work on, which
 * is to be given to crash_leave(). */
struct crash_subject crash_enter(struct crash_subject subject);
void crash_leave(struct crash_subject before);

/* How often the process died of this state of the subject, of late: a record counts for
 * 24 hours after the last time. 0 without a log. */
unsigned crash_count(const struct crash_log *log, struct crash_subject subject,
                     int64_t now_ms);
void crash_forget(struct crash_log *log, uint64_t id);

#endif
