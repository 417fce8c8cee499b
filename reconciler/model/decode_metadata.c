/* What is outside of spec: metadata, annotations, apiVersion and kind. */
#include "model/decode.h"

#include "model/spec.h"

#include <string.h>

#define METADATA_MAX 1024

const char *decode_metadata(const struct json *object, const char *key,
                            struct arena *arena)
{
    const char *text = json_get_string(json_get(object, "metadata"), key);
    return text == NULL || strlen(text) > METADATA_MAX ? "" : arena_strdup(arena, text);
}

const char *decode_annotation(const struct json *object, const char *key,
                              struct arena *arena)
{
    /* Not json_path(): the key has dots of its own. */
    const struct json *metadata = json_get(object, "metadata");
    const char *text = json_get_string(json_get(metadata, "annotations"), key);
    if (text == NULL) {
        return NULL;
    }
    return arena_copy(arena, sv_utf8_prefix(sv_from(text), DECODE_ANNOTATION_MAX));
}

void decode_kind(const struct json *object, const char *kind, struct problems *problems)
{
    char shown[PROBLEM_VALUE_MAX];
    const char *version = TSYNC_GROUP "/" TSYNC_VERSION;
    const struct json *node = json_get(object, "kind");
    if (node != NULL && !sv_eq(sv_from(json_string(node)), sv_from(kind))) {
        problem_value(node, shown);
        problems_add(problems, "kind is %s, must be %s", shown, kind);
    }
    node = json_get(object, "apiVersion");
    if (node != NULL && !sv_eq(sv_from(json_string(node)), sv_from(version))) {
        problem_value(node, shown);
        problems_add(problems, "apiVersion is %s, must be %s", shown, version);
    }
}
