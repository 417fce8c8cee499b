/* disk: the files of the audit: claimed, opened, closed, set aside. Private to this room;
 * the audit's lock is held. */
#ifndef AUDIT_DISK_H
#define AUDIT_DISK_H

#include "audit/lite.h"

/* Claims the file (a writer), opens the database and brings its schema up to date. On a
 * fault nothing stays open. */
MUST_CHECK bool disk_open(struct audit *a, struct fault *fault);
/* as_it_is: nothing is copied from the WAL and no file is removed. */
void disk_close(struct audit *a, bool as_it_is);
/* Closes and renames the database with its -wal and -shm. *out_name lives in the arena.
 */
MUST_CHECK bool disk_set_aside(struct audit *a, struct arena *arena,
                               const char **out_name, struct fault *fault);
/* The file at the path is not the one that is open. */
bool disk_was_replaced(const struct audit *a);

#endif
