/* One call of driver_probe: the session it goes to, what it says, what it is answered. */
#ifndef DRIVERS_DRIVER_CALL_H
#define DRIVERS_DRIVER_CALL_H

#include "db/db.h"

struct probe {
    struct cancel root;
    struct dbconn conn;
    struct source_db *source;
    struct stream_db *stream;
    struct target_db *target;
};

/* One line of input under way. */
struct call {
    struct probe *probe;
    const struct json *in;
    struct json *value; /* an object to fill */
    struct cancel cancel;
    struct arena *arena;
    struct fault *fault;
};

static inline const char *text_of(const struct call *c, const char *key)
{
    const char *text = json_get_string(c->in, key);

    return text == NULL ? "" : text;
}

#endif
