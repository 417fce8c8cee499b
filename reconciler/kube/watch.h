/*
 * watch: from a stream's bytes to events. Private to the room.
 *
 * A watch answers one JSON object per line, cut anywhere by the network. Each line is
 * read once, without a tree, and a line has a ceiling: one above it is left out, byte for
 * byte as it comes, and the reader is told how large it was.
 */
#ifndef KUBE_WATCH_H
#define KUBE_WATCH_H

#include "kube/slim.h"

struct watch_frame {
    struct buf line; /* the beginning of a line whose end has not come yet */
    size_t dropped;  /* bytes so far of a line above the ceiling; 0: it is not */
};

/* A line above the ceiling comes without bytes (p is NULL) and with its size. */
typedef bool watch_on_line(void *context, struct sv line, struct fault *fault);

void watch_frame_init(struct watch_frame *frame, size_t line_bytes_max);
void watch_frame_deinit(struct watch_frame *frame);

/*
 * Gives every line that `bytes` completes to on_line, without its line break; empty lines
 * are left out. false as soon as on_line says so.
 */
MUST_CHECK bool watch_frame_feed(struct watch_frame *frame, struct sv bytes,
                                 watch_on_line *on_line, void *context,
                                 struct fault *fault);

enum watch_kind {
    WATCH_ADDED = 1,
    WATCH_MODIFIED,
    WATCH_DELETED,
    WATCH_BOOKMARK, /* only moves the resourceVersion */
    WATCH_ERROR,    /* `object` is a Status */
    WATCH_UNKNOWN,  /* of a later server; to be passed over */
    WATCH_KIND_MAX
};

struct watch_event {
    enum watch_kind kind;
    struct slim object; /* its text lies in the buffer given */
    struct sv raw;      /* the object as it came: a Status, for WATCH_ERROR */
};

/*
 * Reads one line; `text` as slim_read() wants it. FAULT_UNAVAILABLE "BadEvent": not an
 * event, or an object without its identity.
 */
MUST_CHECK bool watch_event_parse(struct sv line, const struct slim_rules *rules,
                                  struct buf *text, struct watch_event *out_event,
                                  struct fault *fault);

#endif
