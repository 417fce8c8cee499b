/*
 * pem_file: a PEM text as a file that a library can open and that no disk ever holds.
 *
 * Connector/C and libpq take certificates and keys as names of files only. The file is
 * anonymous memory (memfd_create) and its name the process's own entry under
 * /proc/self/fd, which a process may follow even without a writable file system and, as
 * seen on Linux 6, while it may not be dumped and runs as somebody other than root. libpq
 * refuses a key that others may read, so the mode is 0600.
 */
#ifndef DB_PEM_FILE_H
#define DB_PEM_FILE_H

#include "base/fault.h"
#include "base/sv.h"

#define PEM_FILE_PATH_SIZE 32

struct pem_file {
    int fd; /* -1: there is none */
    char path[PEM_FILE_PATH_SIZE];
};
#define PEM_FILE_INIT                                                                    \
    {                                                                                    \
        .fd = -1                                                                         \
    }

/* Faults: FAULT_UNAVAILABLE "TLSFailed" when there is no descriptor or memory left. */
MUST_CHECK bool pem_file_open(struct sv pem, struct pem_file *out_file,
                              struct fault *fault);
/* Overwrites the text first; for AUTO(). One that was never opened is fine. */
void pem_file_close(struct pem_file *file);

#endif
