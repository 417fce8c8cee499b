#include "model/status_json.h"

#include <string.h>

const char *status_get(const struct json *object, const char *key, size_t max_bytes,
                       struct arena *arena)
{
    const char *text = json_get_string(object, key);
    return text == NULL ? NULL
                        : arena_copy(arena, sv_utf8_prefix(sv_from(text), max_bytes));
}

void status_put(struct json *object, const char *key, const char *text, size_t max_bytes)
{
    if (text == NULL || text[0] == '\0') {
        return;
    }
    struct buf cut AUTO(buf_deinit) = {0};
    buf_init(&cut, max_bytes);
    buf_add(&cut, sv_utf8_prefix(sv_from(text), max_bytes));
    json_set_string(object, key, buf_z(&cut));
}

void status_push(struct json *array, const char *text, size_t max_bytes)
{
    struct buf cut AUTO(buf_deinit) = {0};
    buf_init(&cut, max_bytes);
    buf_add(&cut, sv_utf8_prefix(sv_from(text), max_bytes));
    json_push_string(array, buf_z(&cut));
}

void status_put_cut(struct json *object, const char *key, const char *text,
                    size_t max_bytes)
{
    static const char ellipsis[] = "\xe2\x80\xa6";
    struct sv whole = sv_from(text);
    if (whole.n <= max_bytes) {
        status_put(object, key, text, max_bytes);
        return;
    }
    struct buf cut AUTO(buf_deinit) = {0};
    buf_init(&cut, max_bytes);
    buf_add(&cut, sv_utf8_prefix(whole, max_bytes - strlen(ellipsis)));
    buf_addz(&cut, ellipsis);
    json_set_string(object, key, buf_z(&cut));
}

void status_put_list(struct json *object, const char *key, const struct strlist *list,
                     size_t max_entries, size_t max_bytes)
{
    if (list->n == 0) {
        return;
    }
    struct json *array = json_set_array(object, key);
    for (size_t i = 0; i < list->n && i < max_entries; i++) {
        status_push(array, list->v[i], max_bytes);
    }
}

void status_get_list(const struct json *object, const char *key, size_t max_entries,
                     size_t max_bytes, struct arena *arena, struct strlist *out_list)
{
    struct strlist list = {0};
    const struct json *array = json_get(object, key);
    const struct json *first = json_kind(array) == JSON_ARRAY ? json_first(array) : NULL;
    for (const struct json *node = first; node != NULL; node = json_next(node)) {
        const char *text = json_string(node);
        if (text != NULL && list.n < max_entries) {
            struct sv cut = sv_utf8_prefix(sv_from(text), max_bytes);
            VEC_PUSH(arena, &list, arena_copy(arena, cut));
        }
    }
    *out_list = list;
}

void status_put_known(struct json *object, const char *key, int64_t value)
{
    if (value >= 0) {
        json_set_int(object, key, value);
    }
}

void status_put_count(struct json *object, const char *key, int64_t value)
{
    if (value > 0) {
        json_set_int(object, key, value);
    }
}

void status_drop_empty(struct json *object, const char *key)
{
    if (json_size(json_get(object, key)) == 0) {
        json_remove(object, key);
    }
}
