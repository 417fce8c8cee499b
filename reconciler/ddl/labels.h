/*
 * labels: the value list of enum('a','b''c') and set(...), as information_schema prints
 * COLUMN_TYPE: a quote within a label is doubled, a backslash, a line feed, a carriage
 * return and a NUL are escaped with a backslash, in every sql_mode (executed on MariaDB
 * 10.11; MySQL's append_unescaped does the same). A text that escapes a quote with a
 * backslash, or no backslash at all, is read too.
 *
 * The text comes from a server: whatever it is, a reader looks at each byte once or
 * twice, never past the end, and allocates nothing.
 */
#ifndef DDL_LABELS_H
#define DDL_LABELS_H

#include "base/arena.h"

struct labels {
    struct sv rest; /* from the opening quote of the next label on */
};

/* Whether it is an enum(...) or set(...) with a label in it. */
bool labels_open(struct sv column_type, struct labels *out_labels);
/*
 * The next label as it is written between its quotes. false: there is none, or what
 * stands there is no label; nothing more comes then. An unclosed label ends with the
 * text.
 */
bool labels_next(struct labels *labels, struct sv *out_written);
/* Characters of a label, from its written form. */
int64_t label_length(struct sv written);
/* The label itself. */
char *label_text(struct sv written, struct arena *arena);
/* Characters of the longest label; 0: no label. */
int64_t labels_longest(struct sv column_type);

#endif
