/*
 * json_scan: is this text JSON, the whole of it, by RFC 8259? The parser below json.h
 * takes more than the standard does (raw control characters, numbers cut short, NUL
 * escapes), and says no more than "no". This one decides, and names what is wrong and
 * where.
 */
#ifndef BASE_JSON_SCAN_H
#define BASE_JSON_SCAN_H

#include "base/sv.h"

struct json_scan {
    const char *problem; /* static text; NULL when the text is fine */
    size_t offset;       /* of the problem, in bytes from 0 */
};

struct json_scan json_scan(struct sv text, unsigned depth_max, size_t nodes_max);

#endif
