/* file: whole small files with a ceiling. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buf.h"
#include "base/fault.h"

/* Appends the file's content to `out`; "-" reads standard input. Faults name the path. */
MUST_CHECK bool file_read(const char *path, struct buf *out, struct fault *fault);

#endif
