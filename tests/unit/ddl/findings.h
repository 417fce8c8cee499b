/* findings: what the tests of the pre-flight read out of its findings. */
#ifndef TESTS_UNIT_DDL_FINDINGS_H
#define TESTS_UNIT_DDL_FINDINGS_H

#include "unit.h"

#include "ddl/preflight.h"

/* The findings of a level as "System Reason; System Reason". */
const char *findings_reasons(struct fixture *f, const struct findings *findings,
                             enum finding_level level);
/* The sentence of the first finding with that reason; fails the test without one. */
const char *findings_text(const struct findings *findings, const char *reason);
/* The lines of `text`, as a server's SHOW GRANTS gives them. */
void findings_lines(struct fixture *f, const char *text, struct strlist *out);

#endif
