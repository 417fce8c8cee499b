#include "kube/slim.h"

#include <string.h>

#define DEPTH_BELOW (JSON_DEPTH_MAX - 2) /* an object stands in an event or a list */
#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"
#define INITIAL_END "k8s.io/initial-events-end"

static void begin_member(struct buf *text)
{
    if (text->n > 0 && text->p[text->n - 1] != '{') {
        buf_addc(text, ',');
    }
}

static void add_member(struct buf *text, struct sv key, struct sv raw)
{
    begin_member(text);
    buf_addc(text, '"');
    buf_add(text, key);
    buf_add(text, SV("\":"));
    buf_add(text, raw);
}

static bool is_kept(struct sv key)
{
    static const struct sv keys[] = {
        SV_INIT("name"),
        SV_INIT("namespace"),
        SV_INIT("uid"),
        SV_INIT("resourceVersion"),
        SV_INIT("generation"),
        SV_INIT("creationTimestamp"),
        SV_INIT("deletionTimestamp"),
        SV_INIT("finalizers"),
    };

    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        if (sv_eq(keys[i], key)) {
            return true;
        }
    }
    return false;
}

static bool keeps_annotation(const struct slim_rules *rules, struct sv key)
{
    return rules->annotations == NULL ? !sv_eq(key, SV(LAST_APPLIED))
                                      : sv_starts(key, sv_from(rules->annotations));
}

static void add_annotations(struct json_cursor *c, const struct slim_rules *rules,
                            struct buf *text, struct slim *slim)
{
    struct sv key = SV_NULL;
    struct sv raw = SV_NULL;
    bool begun = false;
    size_t count = 0;

    slim->initial_end = false;
    if (!json_cursor_open(c, '{')) {
        return;
    }
    while (json_cursor_next(c, '}', &begun, &key) &&
           json_cursor_value(c, DEPTH_BELOW - 2, &raw)) {
        if (sv_eq(key, SV(INITIAL_END))) {
            slim->initial_end = sv_eq(raw, SV("\"true\""));
        }
        if (!keeps_annotation(rules, key)) {
            continue;
        }
        if (count++ == 0) {
            begin_member(text);
            buf_add(text, SV("\"annotations\":{"));
        }
        add_member(text, key, raw);
    }
    if (count > 0) {
        buf_addc(text, '}');
    }
}

static void note_identity(struct slim *slim, struct sv key, struct sv raw)
{
    struct sv value = json_cursor_plain(raw);

    if (sv_eq(key, SV("name"))) {
        slim->name = value;
    } else if (sv_eq(key, SV("namespace"))) {
        slim->namespace = value;
    } else if (sv_eq(key, SV("uid"))) {
        slim->uid = value;
    } else if (sv_eq(key, SV("resourceVersion"))) {
        slim->version = value;
    }
}

/* A key written otherwise than it reads would be one thing here and another in a tree. */
static bool is_readable(struct json_cursor *c, struct sv key)
{
    if (key.n > 0 && memchr(key.p, '\\', key.n) != NULL) {
        c->problem = "a key of the object or of its metadata has escapes in it";
    }
    return c->problem == NULL;
}

static void add_metadata(struct json_cursor *c, const struct slim_rules *rules,
                         struct buf *text, struct slim *slim)
{
    struct sv key = SV_NULL;
    struct sv raw = SV_NULL;
    bool begun = false;

    slim->namespace = slim->name = slim->uid = slim->version = SV_NULL;
    slim->initial_end = false;
    if (!json_cursor_open(c, '{')) {
        return;
    }
    begin_member(text);
    buf_add(text, SV("\"metadata\":{"));
    while (json_cursor_next(c, '}', &begun, &key) && is_readable(c, key)) {
        if (sv_eq(key, SV("annotations")) && json_cursor_peek(c) == '{') {
            add_annotations(c, rules, text, slim);
            continue;
        }
        if (!json_cursor_value(c, DEPTH_BELOW - 1, &raw)) {
            return;
        }
        if (is_kept(key)) {
            add_member(text, key, raw);
            note_identity(slim, key, raw);
        }
    }
    buf_addc(text, '}');
}

static void begin_object(const struct kube_resource *resource, struct buf *text)
{
    buf_clear(text);
    buf_addc(text, '{');
    if (resource != NULL) {
        buf_addf(text, "\"apiVersion\":\"%s%s%s\",\"kind\":\"%s\"", resource->group,
                 resource->group[0] == '\0' ? "" : "/", resource->version,
                 resource->kind);
    }
}

bool slim_read(struct json_cursor *c, const struct slim_rules *rules, struct buf *text,
               struct slim *out_slim)
{
    struct slim slim = {.initial_end = false};
    struct sv key = SV_NULL;
    struct sv raw = SV_NULL;
    bool begun = false;

    begin_object(rules->resource, text);
    if (!json_cursor_open(c, '{')) {
        return false;
    }
    while (json_cursor_next(c, '}', &begun, &key) && is_readable(c, key)) {
        if (sv_eq(key, SV("metadata")) && json_cursor_peek(c) == '{') {
            add_metadata(c, rules, text, &slim);
            continue;
        }
        if (!json_cursor_value(c, DEPTH_BELOW, &raw)) {
            return false;
        }
        if (sv_eq(key, SV("metadata")) ||
            (rules->resource != NULL &&
             (sv_eq(key, SV("apiVersion")) || sv_eq(key, SV("kind"))))) {
            continue;
        }
        add_member(text, key, raw);
    }
    if (c->problem != NULL) {
        return false;
    }
    buf_addc(text, '}');
    must(!buf_overflowed(text));
    slim.text = buf_sv(text);
    *out_slim = slim;
    return true;
}

bool slim_parse(struct sv object, const struct slim_rules *rules, struct buf *text,
                struct slim *out_slim, struct fault *fault)
{
    struct json_cursor c;

    json_cursor_init(&c, object, JSON_NODES_MAX);
    if (!slim_read(&c, rules, text, out_slim) || !json_cursor_end(&c)) {
        return fault_set(fault, FAULT_UNAVAILABLE, "BadAnswer",
                         "an object of %zu bytes is not JSON at offset %zu: %s", object.n,
                         c.at, c.problem);
    }
    return true;
}

void slim_key(const struct slim *slim, struct buf *out)
{
    if (slim->namespace.n > 0) {
        buf_add(out, slim->namespace);
        buf_addc(out, '/');
    }
    buf_add(out, slim->name);
}
