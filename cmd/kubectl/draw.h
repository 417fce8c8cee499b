/*
 * kubectl_draw: a TableSync as a picture: one line for each place that rows pass, then
 * what needs somebody. Pure: the same object gives the same text. What servers said is
 * shown without its control characters.
 */
#ifndef CMD_KUBECTL_DRAW_H
#define CMD_KUBECTL_DRAW_H

#include "base/json.h"

/*
 * `picture`: {"tableSync": {...}, "connections": [DatabaseConnection...], "runs": [...],
 * "runsProblem": "why there are none"}; everything but the first may be absent.
 */
void draw_status(const struct json *picture, bool color, struct buf *out);
/* One line for each of the TableSyncs, with a head. */
void draw_list(const struct json *syncs, bool with_namespace, bool color,
               struct buf *out);
bool draw_is_ready(const struct json *sync);

/* --- what the lines are made of; draw_text.c --- */
enum draw_color { DRAW_PLAIN, DRAW_GOOD, DRAW_WAITING, DRAW_BAD, DRAW_FAINT };

struct draw {
    struct buf *out;
    bool color;
};

/* Text as it came from elsewhere: ends of lines become blanks, other control characters
 * '?'. */
void draw_add(struct draw *d, enum draw_color color, const char *text);
void draw_number(struct draw *d, int64_t number); /* 1,203,441 */
/* "41 ms", "4.2 s", "3m12s", "2h5m" */
void draw_duration(struct draw *d, int64_t ms);
/* The condition of that type; NULL: it has none. */
const struct json *draw_condition(const struct json *object, const char *type);
bool draw_is(const struct json *object, const char *key, const char *wanted);
/* json_path_string(), and "" for nothing. */
const char *draw_text(const struct json *object, const char *path);
void draw_label(struct draw *d, const char *name); /* begins a line */
void draw_hash(struct draw *d, const char *hash);  /* its first digits */

/* --- what waits and what was done; draw_work.c --- */
void draw_work(struct draw *d, const struct json *picture);

/* --- what needs somebody; draw_needs.c --- */
void draw_needs(struct draw *d, const struct json *sync);

#endif
