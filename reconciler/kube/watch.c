#include "kube/watch.h"

#include <string.h>

#define KEEP_BYTES                                                                       \
    ((size_t)64 * 1024) /* of buffer between lines; a giant gives its back */

void watch_frame_init(struct watch_frame *frame, size_t line_bytes_max)
{
    *frame = (struct watch_frame){.dropped = 0};
    buf_init(&frame->line, line_bytes_max);
}

void watch_frame_deinit(struct watch_frame *frame)
{
    buf_deinit(&frame->line);
}

static bool give(struct sv line, watch_on_line *on_line, void *context,
                 struct fault *fault)
{
    line = sv_trim(line);
    return line.n == 0 || on_line(context, line, fault);
}

/* What is left of a line above the ceiling is counted and forgotten. */
static bool drop(struct watch_frame *frame, struct sv part, bool whole,
                 watch_on_line *on_line, void *context, struct fault *fault)
{
    frame->dropped += part.n;
    if (!whole) {
        return true;
    }
    struct sv told = {NULL, frame->dropped};
    frame->dropped = 0;
    return on_line(context, told, fault);
}

/* One line, or the piece of one that there is. */
static bool feed(struct watch_frame *frame, struct sv part, bool whole,
                 watch_on_line *on_line, void *context, struct fault *fault)
{
    struct buf *line = &frame->line;

    if (frame->dropped > 0 || line->n + part.n > line->ceiling_bytes) {
        frame->dropped += line->n;
        buf_deinit(line);
        return drop(frame, part, whole, on_line, context, fault);
    }
    if (whole && line->n == 0) {
        return give(part, on_line, context, fault); /* mostly: nothing is copied */
    }
    buf_add(line, part);
    if (!whole) {
        return true;
    }
    bool good = give(buf_sv(line), on_line, context, fault);
    if (line->capacity > KEEP_BYTES) {
        buf_deinit(line);
    } else {
        buf_clear(line);
    }
    return good;
}

bool watch_frame_feed(struct watch_frame *frame, struct sv bytes, watch_on_line *on_line,
                      void *context, struct fault *fault)
{
    while (bytes.n > 0) {
        const char *end = memchr(bytes.p, '\n', bytes.n);
        size_t count = end == NULL ? bytes.n : (size_t)(end - bytes.p);
        struct sv part = {bytes.p, count};

        if (!feed(frame, part, end != NULL, on_line, context, fault)) {
            return false;
        }
        if (end == NULL) {
            return true;
        }
        bytes = sv_sub(bytes, count + 1, bytes.n);
    }
    return true;
}

static enum watch_kind kind_parse(struct sv type)
{
    static const struct {
        struct sv name;
        enum watch_kind kind;
    } kinds[] = {
        {SV_INIT("ADDED"), WATCH_ADDED},     {SV_INIT("MODIFIED"), WATCH_MODIFIED},
        {SV_INIT("DELETED"), WATCH_DELETED}, {SV_INIT("BOOKMARK"), WATCH_BOOKMARK},
        {SV_INIT("ERROR"), WATCH_ERROR},
    };

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (sv_eq(kinds[i].name, type)) {
            return kinds[i].kind;
        }
    }
    return WATCH_UNKNOWN;
}

static bool bad_event(struct fault *fault, size_t offset, const char *text)
{
    return fault_set(fault, FAULT_UNAVAILABLE, "BadEvent",
                     "the watch sent what is not an event (offset %zu): %s", offset,
                     text);
}

/* The members in any order: {"type":"ADDED","object":{...}}. */
static bool read_event(struct json_cursor *c, const struct slim_rules *rules,
                       struct buf *text, struct watch_event *event, struct sv *out_type)
{
    struct sv key = SV_NULL;
    struct sv raw = SV_NULL;
    bool begun = false;

    if (!json_cursor_open(c, '{')) {
        return false;
    }
    while (json_cursor_next(c, '}', &begun, &key)) {
        if (sv_eq(key, SV("object")) && json_cursor_peek(c) == '{') {
            size_t from = c->at;
            if (!slim_read(c, rules, text, &event->object)) {
                return false;
            }
            event->raw = sv_trim((struct sv){c->p + from, c->at - from});
        } else if (!json_cursor_value(c, JSON_DEPTH_MAX - 1, &raw)) {
            return false;
        } else if (sv_eq(key, SV("type"))) {
            *out_type = json_cursor_plain(raw);
        } else if (sv_eq(key, SV("object"))) {
            event->raw = SV_NULL; /* of two members of one name the last counts */
        }
    }
    return json_cursor_end(c);
}

bool watch_event_parse(struct sv line, const struct slim_rules *rules, struct buf *text,
                       struct watch_event *out_event, struct fault *fault)
{
    struct watch_event event = {.raw = SV_NULL};
    struct sv type = SV_NULL;
    struct json_cursor c;

    json_cursor_init(&c, line, JSON_NODES_MAX);
    if (!read_event(&c, rules, text, &event, &type)) {
        return bad_event(fault, c.at, c.problem);
    }
    if (type.n == 0 || event.raw.n == 0) {
        return bad_event(fault, 0, "type or object is missing");
    }
    event.kind = kind_parse(type);
    bool needs_name = event.kind == WATCH_ADDED || event.kind == WATCH_MODIFIED ||
                      event.kind == WATCH_DELETED;
    bool needs_version = needs_name || event.kind == WATCH_BOOKMARK;
    if ((needs_name && event.object.name.n == 0) ||
        (needs_version && event.object.version.n == 0)) {
        return bad_event(fault, 0, "the object has no name or no resourceVersion");
    }
    *out_event = event;
    return true;
}
