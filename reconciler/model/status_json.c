#include "model/status_json.h"

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
