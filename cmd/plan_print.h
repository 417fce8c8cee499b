/*
 * plan_print: a plan as people read it: comments that say what, what it risks and waits
 * for, then the redacted SQL; at the end the hash that an approval names.
 */
#ifndef CMD_PLAN_PRINT_H
#define CMD_PLAN_PRINT_H

#include "ddl/plan.h"

/* Stands for the uid of a resource that does not exist yet. */
#define PLAN_UNKNOWN_UID "00000000-0000-0000-0000-000000000000"

void plan_print(const struct plan *plan, const struct desired *desired, bool json,
                struct arena *arena);

#endif
