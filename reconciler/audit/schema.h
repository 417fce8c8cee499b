/* schema: the tables, how older files become current ones, and what a crash left open. */
#ifndef AUDIT_SCHEMA_H
#define AUDIT_SCHEMA_H

#include "audit/lite.h"

/* Read-write: checks integrity, migrates, closes what is open. Needs the writer's lock.
 */
MUST_CHECK bool schema_bring_up(struct audit *a, struct fault *fault);
/* Read-only: the version must be this program's. */
MUST_CHECK bool schema_check(struct audit *a, struct fault *fault);

#endif
