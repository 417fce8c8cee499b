/*
 * JSON and YAML documents, from files and from servers. The input is read as each of
 * them; a tree that came out of it is written down and read again, and must be the same.
 */
#include "fuzz.h"

#include "base/json.h"
#include "base/yaml.h"

#define INPUT_BYTES_MAX ((size_t)8192)
/* A byte of YAML may stand for a whole alias. */
#define PRINTED_BYTES_MAX ((size_t)32 * 1024 * 1024)

static void check_printed(const struct json *tree, bool pretty)
{
    AUTO(json_freep) struct json *again = NULL;
    AUTO(buf_deinit) struct buf text = {0};
    struct fault fault = FAULT_INIT;

    buf_init(&text, PRINTED_BYTES_MAX);
    if (pretty) {
        json_print_pretty(tree, &text);
    } else {
        json_print(tree, &text);
    }
    if (buf_overflowed(&text)) {
        return;
    }
    fuzz_require(fuzz_is_utf8(buf_sv(&text)), "%s", buf_z(&text));
    fuzz_require(json_parse(buf_sv(&text), PRINTED_BYTES_MAX, &again, &fault), "%s: %s",
                 fault.text, buf_z(&text));
    fuzz_require(json_equal(tree, again), "%s", buf_z(&text));
}

/* Getters of any kind on anything: a default, or what is there. */
static void check_getters(const struct json *node)
{
    fuzz_require((json_kind(node) == JSON_STRING) == (json_string(node) != NULL), "%d",
                 (int)json_kind(node));
    fuzz_require(json_kind(node) == JSON_NUMBER || json_int(node, 7) == 7, "%d",
                 (int)json_kind(node));
    fuzz_require(json_get(node, "a") == NULL || json_kind(node) == JSON_OBJECT, "%d",
                 (int)json_kind(node));
    (void)json_path_string(node, "metadata.name");
    (void)json_path_int(node, "a.b.c", 0);
    size_t count = 0;
    for (const struct json *child = json_first(node); child != NULL;
         child = json_next(child)) {
        fuzz_require((json_key(child) != NULL) == (json_kind(node) == JSON_OBJECT), "%d",
                     (int)json_kind(node));
        check_getters(child);
        count++;
    }
    fuzz_require(count == json_size(node), "%zu of %zu", count, json_size(node));
}

static void check_tree(const struct json *tree)
{
    AUTO(json_freep) struct json *copy = json_clone(tree);

    fuzz_reached();
    fuzz_require(json_equal(tree, copy), "a copy is another");
    check_getters(tree);
    check_printed(tree, false);
    check_printed(tree, true);
}

static void check_fault(const struct fault *fault)
{
    fuzz_require(fault->class == FAULT_SPEC && fault->text[0] != '\0' &&
                     fuzz_is_utf8(sv_from(fault->text)),
                 "class %d: %s", (int)fault->class, fault->text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    AUTO(json_freep) struct json *json = NULL;
    AUTO(json_freep) struct json *yaml = NULL;
    struct sv text = {(const char *)data, size_bytes};
    struct fault fault = FAULT_INIT, yaml_fault = FAULT_INIT;

    if (size_bytes > INPUT_BYTES_MAX) {
        return -1;
    }
    if (json_parse(text, INPUT_BYTES_MAX, &json, &fault)) {
        check_tree(json);
    } else {
        fuzz_require(json == NULL, "output written on failure");
        check_fault(&fault);
    }
    if (yaml_parse_all(text, &yaml, &yaml_fault)) {
        fuzz_require(json_kind(yaml) == JSON_ARRAY, "%d", (int)json_kind(yaml));
        /* The array around the documents is not counted in the depth of any. */
        for (const struct json *document = json_first(yaml); document != NULL;
             document = json_next(document)) {
            check_tree(document);
        }
    } else {
        fuzz_require(yaml == NULL, "output written on failure");
        check_fault(&yaml_fault);
    }
    return 0;
}
