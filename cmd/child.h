/*
 * child: another program, run by name from PATH, for as long as we live at most: it is
 * killed when its owner closes it, and by the kernel when we end without having done so.
 * Only what runs for a person on a terminal uses this; the controller starts no programs.
 */
#ifndef CMD_CHILD_H
#define CMD_CHILD_H

#include "base/buf.h"
#include "base/cancel.h"

#include <sys/types.h>

#define CHILD_TEXT_MAX ((size_t)64 * 1024 * 1024)

struct child {
    pid_t pid;  /* 0: none */
    int fds[2]; /* its standard output and error; -1: closed by it */
    struct buf texts[2];
};

/* `words` ends with NULL. FAULT_UNAVAILABLE "ProgramMissing": there is no such program.
 */
MUST_CHECK bool child_start(const char *const *words, struct child *out_child,
                            struct fault *fault);
/* Waits until it writes something or has closed both; appends that to texts. */
MUST_CHECK bool child_read(struct child *child, struct cancel *cancel,
                           struct fault *fault);
bool child_silent(const struct child *child); /* it will write nothing more */
/* Ends it if it has not ended yet. Its exit status; -1 when it was killed. */
int child_close(struct child *child);
void child_deinit(struct child *child); /* for AUTO(); fine when empty */

#endif
