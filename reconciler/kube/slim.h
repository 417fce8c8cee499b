/*
 * slim: from the JSON text of an object, as the API server sends it, to the part of it
 * that is kept, in one pass that checks every byte and builds no tree. Private to the
 * room.
 *
 * Kept are apiVersion, kind, spec, status and whatever else stands beside metadata, all
 * as it is written; of metadata only what somebody reads: name, namespace, uid,
 * resourceVersion, generation, the two timestamps, finalizers and some annotations.
 * managedFields, labels and what kubectl last applied are most of an object's bytes and
 * never stored.
 */
#ifndef KUBE_SLIM_H
#define KUBE_SLIM_H

#include "base/buf.h"
#include "base/json_cursor.h"
#include "kube/api.h"

struct slim_rules {
    /* Written as apiVersion and kind, which the items of built-in lists lack; NULL: as
     * they are. */
    const struct kube_resource *resource;
    /* Annotations to keep begin so ("example.org/"); NULL: all but kubectl's copy. */
    const char *annotations;
};

/* Views into the input and, `text`, into the buffer given; valid as long as these. */
struct slim {
    struct sv namespace, name, uid, version; /* empty: absent */
    struct sv text;
    bool initial_end; /* annotated as the end of a watch's initial events */
};

/*
 * Reads one object at the cursor; its slim text replaces the content of `text`, whose
 * ceiling must exceed the input by SLIM_ROOM. false: the cursor says what is wrong.
 */
bool slim_read(struct json_cursor *c, const struct slim_rules *rules, struct buf *text,
               struct slim *out_slim);
#define SLIM_ROOM ((size_t)4096)

/* The same of a text that is one object. FAULT_UNAVAILABLE "BadAnswer". */
MUST_CHECK bool slim_parse(struct sv object, const struct slim_rules *rules,
                           struct buf *text, struct slim *out_slim, struct fault *fault);

/* "namespace/name", or "name" without a namespace. */
void slim_key(const struct slim *slim, struct buf *out);

#endif
