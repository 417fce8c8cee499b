#include "kube/watch.h"

#include <string.h>

#include "kube/api.h"

#define KEEP_BYTES                                                                       \
    ((size_t)64 * 1024) /* of buffer between lines; a giant gives its back */

void watch_frame_init(struct watch_frame *frame, size_t line_bytes_max)
{
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

static bool too_long(const struct watch_frame *frame, struct fault *fault)
{
    return fault_set(fault, FAULT_UNAVAILABLE, "LineTooLong",
                     "a watch event is larger than %zu bytes", frame->line.ceiling_bytes);
}

bool watch_frame_feed(struct watch_frame *frame, struct sv bytes, watch_on_line *on_line,
                      void *context, struct fault *fault)
{
    while (bytes.n > 0) {
        const char *end = memchr(bytes.p, '\n', bytes.n);
        size_t count = end == NULL ? bytes.n : (size_t)(end - bytes.p);
        struct sv part = {bytes.p, count};
        bool whole = end != NULL && frame->line.n == 0;
        if (!whole) {
            buf_add(&frame->line, part);
        }
        if (buf_overflowed(&frame->line) || part.n > frame->line.ceiling_bytes) {
            return too_long(frame, fault);
        }
        if (end == NULL) {
            return true;
        }
        if (!give(whole ? part : buf_sv(&frame->line), on_line, context, fault)) {
            return false;
        }
        if (frame->line.capacity > KEEP_BYTES) {
            buf_deinit(&frame->line);
        } else {
            buf_clear(&frame->line);
        }
        bytes = sv_sub(bytes, count + 1, bytes.n);
    }
    return true;
}

static enum watch_kind kind_parse(const char *type)
{
    static const struct {
        const char *name;
        enum watch_kind kind;
    } kinds[] = {
        {"ADDED", WATCH_ADDED},     {"MODIFIED", WATCH_MODIFIED},
        {"DELETED", WATCH_DELETED}, {"BOOKMARK", WATCH_BOOKMARK},
        {"ERROR", WATCH_ERROR},
    };

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (sv_eq(sv_from(kinds[i].name), sv_from(type))) {
            return kinds[i].kind;
        }
    }
    return WATCH_UNKNOWN;
}

static bool bad_event(struct fault *fault, const char *text)
{
    return fault_set(fault, FAULT_UNAVAILABLE, "BadEvent",
                     "the watch sent what is not an event: %s", text);
}

bool watch_event_parse(struct sv line, struct watch_event *out_event, struct fault *fault)
{
    AUTO(json_freep) struct json *root = NULL;

    if (!json_parse(line, line.n, &root, fault)) {
        char why[sizeof(fault->text)];
        memcpy(why, fault->text, sizeof(why));
        return bad_event(fault, why);
    }
    const char *type = json_get_string(root, "type");
    const struct json *object = json_get(root, "object");
    if (type == NULL || json_kind(object) != JSON_OBJECT) {
        return bad_event(fault, "type or object is missing");
    }
    enum watch_kind kind = kind_parse(type);
    bool needs_name =
        kind == WATCH_ADDED || kind == WATCH_MODIFIED || kind == WATCH_DELETED;
    bool needs_version = needs_name || kind == WATCH_BOOKMARK;
    if ((needs_name && kube_name(object) == NULL) ||
        (needs_version && kube_resource_version(object) == NULL)) {
        return bad_event(fault, "the object has no name or no resourceVersion");
    }
    *out_event = (struct watch_event){.kind = kind, .root = TAKE(root), .object = object};
    return true;
}

void watch_event_deinit(struct watch_event *event)
{
    json_free(TAKE(event->root));
}
