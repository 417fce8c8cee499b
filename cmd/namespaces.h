/* namespaces: the list that --watch-namespace takes. */
#ifndef CMD_NAMESPACES_H
#define CMD_NAMESPACES_H

#include "base/arena.h"
#include "base/fault.h"
#include "base/vec.h"

/* "a,b", with blanks around the names or without; NULL or empty: all, an empty list.
 * FAULT_SPEC names what is no namespace, stands there twice or is one too many. */
MUST_CHECK bool namespaces_parse(const char *text, struct arena *arena,
                                 struct strlist *out_namespaces, struct fault *fault);

#endif
