/* mend: what is done about a file that fails (care.h). Private to this room; the audit's
 * lock is held. */
#ifndef AUDIT_MEND_H
#define AUDIT_MEND_H

#include "audit/lite.h"

/* Opens the file for the first time; whatever comes of it, the audit is there. */
void mend_open(struct audit *a);
/* After errors of SQLite: decides what becomes of the file. */
void mend_after(struct audit *a);

#endif
