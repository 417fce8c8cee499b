/*
 * libyaml's events become a json tree, node by node. Limits are kept while building,
 * aliases included, so that no input makes a tree larger than its own ceilings.
 */
#include "base/yaml.h"
#include "base/map.h"
#include "base/yaml_scalar.h"

#include <stdint.h>
#include <string.h>
#include <yaml.h>

/* Bytes of scalars and keys after aliases are expanded. */
#define EXPANDED_BYTES_MAX (4 * YAML_INPUT_MAX)
#define REASON "InvalidYAML"

struct reader {
    yaml_parser_t parser;
    struct sv text;
    struct map *anchors; /* name -> struct json in the tree being built */
    size_t nodes;
    size_t bytes;
};

static void reader_deinit(struct reader *r)
{
    map_free(r->anchors);
    yaml_parser_delete(&r->parser);
}

static bool fault_at(yaml_mark_t mark, const char *problem, struct sv detail,
                     struct fault *fault)
{
    struct sv shown = sv_utf8_prefix(detail, 200);

    return fault_set(fault, FAULT_SPEC, REASON,
                     "the YAML is invalid at line %zu, column %zu: %s%s%.*s%s",
                     mark.line + 1, mark.column + 1, problem,
                     detail.p == NULL ? "" : " '", SV_ARGS(shown),
                     detail.p == NULL ? "" : "'");
}

/* The reader of libyaml, unlike its scanner, knows offsets only. */
static yaml_mark_t mark_of_offset(struct sv text, size_t offset)
{
    yaml_mark_t mark = {.index = offset};

    for (size_t i = 0; i < offset && i < text.n; i++) {
        if (text.p[i] == '\n') {
            mark.line++;
            mark.column = 0;
        } else if (((unsigned char)text.p[i] & 0xC0) != 0x80) {
            mark.column++;
        }
    }
    return mark;
}

static bool next_event(struct reader *r, yaml_event_t *out_event, struct fault *fault)
{
    if (yaml_parser_parse(&r->parser, out_event) != 0) {
        return true;
    }
    const char *problem =
        r->parser.problem == NULL ? "cannot be read" : r->parser.problem;
    must(r->parser.error != YAML_MEMORY_ERROR);
    yaml_mark_t mark = r->parser.error == YAML_READER_ERROR
                           ? mark_of_offset(r->text, r->parser.problem_offset)
                           : r->parser.problem_mark;
    return fault_at(mark, problem, SV_NULL, fault);
}

static bool spend(struct reader *r, size_t nodes, size_t bytes, yaml_mark_t mark,
                  struct fault *fault)
{
    r->nodes += nodes;
    r->bytes += bytes;
    if (r->nodes > YAML_NODES_MAX) {
        return fault_at(mark, "it has too many values, aliases included", SV_NULL, fault);
    }
    if (r->bytes > EXPANDED_BYTES_MAX) {
        return fault_at(mark, "it is too large once its aliases are expanded", SV_NULL,
                        fault);
    }
    return true;
}

struct extent {
    size_t nodes, bytes;
    unsigned height;
};

static struct extent measure(const struct json *node)
{
    struct extent e = {.nodes = 1};

    e.bytes = json_kind(node) == JSON_STRING ? strlen(json_string(node)) : 0;
    for (const struct json *c = json_first(node); c != NULL; c = json_next(c)) {
        struct extent inner = measure(c);
        e.nodes += inner.nodes;
        e.bytes += inner.bytes + (json_key(c) == NULL ? 0 : strlen(json_key(c)));
        e.height = inner.height > e.height ? inner.height : e.height;
    }
    if (json_kind(node) == JSON_ARRAY || json_kind(node) == JSON_OBJECT) {
        e.height++;
    }
    return e;
}

static bool build_alias(struct reader *r, const yaml_event_t *event, unsigned depth,
                        struct json **out_node, struct fault *fault)
{
    struct sv name = sv_from((const char *)event->data.alias.anchor);
    const struct json *target = map_find(r->anchors, name);

    if (target == NULL) {
        return fault_at(event->start_mark, "an alias names no finished anchor before it",
                        name, fault);
    }
    struct extent e = measure(target);
    if (e.height > JSON_DEPTH_MAX - depth) {
        return fault_at(event->start_mark, "it is nested too deep", SV_NULL, fault);
    }
    if (!spend(r, e.nodes, e.bytes, event->start_mark, fault)) {
        return false;
    }
    *out_node = json_clone(target);
    return true;
}

static bool build_scalar(struct reader *r, const yaml_event_t *event,
                         struct json **out_node, struct fault *fault)
{
    struct yaml_scalar scalar = {
        .text = {(const char *)event->data.scalar.value, event->data.scalar.length},
        .tag = sv_from((const char *)event->data.scalar.tag),
        .plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE,
    };

    if (!spend(r, 1, scalar.text.n, event->start_mark, fault)) {
        return false;
    }
    const char *problem = yaml_scalar_parse(&scalar, out_node);
    /* The value itself is not shown: a kubeconfig holds tokens. */
    return problem == NULL ? true : fault_at(event->start_mark, problem, SV_NULL, fault);
}

static bool build(struct reader *r, const yaml_event_t *event, unsigned depth,
                  struct json **out_node, struct fault *fault);

static bool check_key(struct reader *r, struct map *keys, const yaml_event_t *event,
                      struct fault *fault)
{
    AUTO(json_freep) struct json *key = NULL;

    if (event->type != YAML_SCALAR_EVENT) {
        return fault_at(event->start_mark, "a key must be a string", SV_NULL, fault);
    }
    if (!build_scalar(r, event, &key, fault)) {
        return false;
    }
    struct sv text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    if (json_kind(key) != JSON_STRING) {
        return fault_at(event->start_mark, "a key must be a string: quote", text, fault);
    }
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && sv_eq(text, SV("<<"))) {
        return fault_at(
            event->start_mark,
            "merge keys are not supported: write the merged fields out instead of", text,
            fault);
    }
    if (event->data.scalar.anchor != NULL) {
        return fault_at(event->start_mark, "a key cannot carry an anchor", text, fault);
    }
    if (map_put(keys, text, keys) != NULL) {
        return fault_at(event->start_mark, "duplicate key", text, fault);
    }
    return true;
}

static bool build_mapping(struct reader *r, unsigned depth, struct json *object,
                          struct fault *fault)
{
    AUTO(map_freep) struct map *keys = map_new((uint64_t)(uintptr_t)object);

    for (;;) {
        AUTO(yaml_event_delete) yaml_event_t key = {0};
        AUTO(yaml_event_delete) yaml_event_t event = {0};
        struct json *value = NULL;

        if (!next_event(r, &key, fault)) {
            return false;
        }
        if (key.type == YAML_MAPPING_END_EVENT) {
            return true;
        }
        if (!check_key(r, keys, &key, fault) || !next_event(r, &event, fault) ||
            !build(r, &event, depth, &value, fault)) {
            return false;
        }
        json_add(object, (const char *)key.data.scalar.value, value);
    }
}

static bool build_sequence(struct reader *r, unsigned depth, struct json *array,
                           struct fault *fault)
{
    for (;;) {
        AUTO(yaml_event_delete) yaml_event_t event = {0};
        struct json *value = NULL;

        if (!next_event(r, &event, fault)) {
            return false;
        }
        if (event.type == YAML_SEQUENCE_END_EVENT) {
            return true;
        }
        if (!build(r, &event, depth, &value, fault)) {
            return false;
        }
        json_push(array, value);
    }
}

static bool check_container_tag(const yaml_event_t *event, bool mapping,
                                struct fault *fault)
{
    struct sv tag = sv_from((const char *)(mapping ? event->data.mapping_start.tag
                                                   : event->data.sequence_start.tag));

    if (tag.p == NULL || sv_eq(tag, SV("!")) ||
        sv_eq(tag, mapping ? SV(YAML_MAP_TAG) : SV(YAML_SEQ_TAG))) {
        return true;
    }
    return fault_at(event->start_mark, "unknown tag", tag, fault);
}

static bool build_container(struct reader *r, const yaml_event_t *event, unsigned depth,
                            struct json **out_node, struct fault *fault)
{
    bool mapping = event->type == YAML_MAPPING_START_EVENT;
    AUTO(json_freep) struct json *node = mapping ? json_new_object() : json_new_array();

    if (depth >= JSON_DEPTH_MAX) {
        return fault_at(event->start_mark, "it is nested too deep", SV_NULL, fault);
    }
    if (!spend(r, 1, 0, event->start_mark, fault) ||
        !check_container_tag(event, mapping, fault)) {
        return false;
    }
    if (!(mapping ? build_mapping : build_sequence)(r, depth + 1, node, fault)) {
        return false;
    }
    *out_node = TAKE(node);
    return true;
}

/* The value that starts with `event`. An anchor counts from its end: no node holds
 * itself. */
static bool build(struct reader *r, const yaml_event_t *event, unsigned depth,
                  struct json **out_node, struct fault *fault)
{
    const yaml_char_t *anchor = NULL;
    struct json *node = NULL;

    if (event->type == YAML_ALIAS_EVENT) {
        return build_alias(r, event, depth, out_node, fault);
    }
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        if (!build_scalar(r, event, &node, fault)) {
            return false;
        }
    } else {
        anchor = event->type == YAML_MAPPING_START_EVENT
                     ? event->data.mapping_start.anchor
                     : event->data.sequence_start.anchor;
        if (!build_container(r, event, depth, &node, fault)) {
            return false;
        }
    }
    if (anchor != NULL) {
        (void)map_put(r->anchors, sv_from((const char *)anchor), node);
    }
    *out_node = node;
    return true;
}

/* After the start of a document: its root, then its end. */
static bool build_document(struct reader *r, struct json *documents, struct fault *fault)
{
    AUTO(yaml_event_delete) yaml_event_t first = {0};
    AUTO(yaml_event_delete) yaml_event_t last = {0};
    AUTO(json_freep) struct json *root = NULL;

    map_free(r->anchors);
    r->anchors = map_new((uint64_t)(uintptr_t)documents);
    if (!next_event(r, &first, fault) || !build(r, &first, 0, &root, fault) ||
        !next_event(r, &last, fault)) {
        return false;
    }
    must(last.type == YAML_DOCUMENT_END_EVENT);
    if (json_kind(root) != JSON_NULL) {
        json_push(documents, TAKE(root));
    }
    return true;
}

static bool build_stream(struct reader *r, struct json *documents, struct fault *fault)
{
    for (;;) {
        AUTO(yaml_event_delete) yaml_event_t event = {0};

        if (!next_event(r, &event, fault)) {
            return false;
        }
        if (event.type == YAML_STREAM_END_EVENT) {
            return true;
        }
        if (event.type == YAML_DOCUMENT_START_EVENT &&
            !build_document(r, documents, fault)) {
            return false;
        }
    }
}

bool yaml_parse_all(struct sv text, struct json **out_array, struct fault *fault)
{
    AUTO(json_freep) struct json *documents = json_new_array();

    if (text.n > YAML_INPUT_MAX) {
        return fault_set(fault, FAULT_SPEC, REASON,
                         "the YAML has %zu bytes, more than the %zu allowed", text.n,
                         YAML_INPUT_MAX);
    }
    size_t valid = sv_utf8_valid_bytes(text);
    if (valid < text.n) {
        return fault_at(mark_of_offset(text, valid), "it is not valid UTF-8", SV_NULL,
                        fault);
    }
    if (sv_starts(text, SV("\xEF\xBB\xBF"))) {
        text = sv_sub(text, 3, text.n);
    }

    AUTO(reader_deinit) struct reader r = {.text = text};
    must(yaml_parser_initialize(&r.parser) != 0);
    /* Told, not guessed: a byte order mark must not turn the text into UTF-16. */
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(
        &r.parser, (const unsigned char *)(text.n == 0 ? "" : text.p), text.n);
    if (!build_stream(&r, documents, fault)) {
        return false;
    }
    *out_array = TAKE(documents);
    return true;
}
