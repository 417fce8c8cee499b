#include "base/attr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void must_failed(const char *expression, const char *file, int line)
{
    char said[512];

    (void)snprintf(said, sizeof(said), "%s:%d: broken invariant: %s\n", file, line,
                   expression);
    /* Past stdio and the logger: either of them may be what broke. */
    ssize_t n = write(STDERR_FILENO, said, strlen(said));
    (void)n;
    abort();
}
