/* held: one object of a store in one allocation. See shelf.h. */
#include "base/heap.h"
#include "kube/shelf.h"

#include <string.h>

#define PACKED_BYTES_MAX ((size_t)UINT32_MAX / 2)

static char *bytes_of(const struct held *held)
{
    return (char *)(uintptr_t)(held->tags + held->tag_count);
}

static char *put_part(char *to, struct sv part)
{
    if (part.n > 0) {
        memcpy(to, part.p, part.n);
    }
    to[part.n] = '\0';
    return to + part.n + 1;
}

struct held *held_new(const struct slim *slim, kube_tagger *tagger, struct packer *packer,
                      bool local)
{
    AUTO(buf_deinit) struct buf packed = {0};
    struct kube_tags tags = {.count = 0};
    size_t key_bytes = slim->namespace.n + (slim->namespace.n > 0 ? 1 : 0) + slim->name.n;
    struct dictionary *dictionary = NULL;

    if (key_bytes > UINT16_MAX || slim->uid.n > UINT16_MAX ||
        slim->version.n > UINT16_MAX || slim->text.n > PACKED_BYTES_MAX) {
        return NULL;
    }
    if (tagger != NULL) {
        tagger(slim->text, &tags);
        must(tags.count <= KUBE_TAGS_MAX);
    }
    buf_init(&packed, PACKED_BYTES_MAX);
    if (packer == NULL) {
        buf_add(&packed, slim->text);
    } else {
        packer_pack(packer, slim->text, &packed, &dictionary);
    }
    size_t bytes = key_bytes + slim->uid.n + slim->version.n + packed.n + 4;
    struct held *held =
        heap_new(sizeof(*held) + tags.count * sizeof(held->tags[0]) + bytes);
    atomic_init(&held->references, 1);
    held->local = local;
    held->tag_count = (uint8_t)tags.count;
    held->key_bytes = (uint16_t)key_bytes;
    held->uid_bytes = (uint16_t)slim->uid.n;
    held->version_bytes = (uint16_t)slim->version.n;
    held->text_bytes = (uint32_t)slim->text.n;
    held->packed_bytes = (uint32_t)packed.n;
    held->dictionary = dictionary;
    held->fingerprint = tags.fingerprint;
    memcpy(held->tags, tags.tag, tags.count * sizeof(held->tags[0]));
    char *to = bytes_of(held);
    if (slim->namespace.n > 0) {
        to = put_part(to, slim->namespace);
        to[-1] = '/';
    }
    to = put_part(to, slim->name);
    to = put_part(to, slim->uid);
    to = put_part(to, slim->version);
    (void)put_part(to, buf_sv(&packed));
    return held;
}

struct held *held_ref(struct held *held)
{
    atomic_fetch_add(&held->references, 1);
    return held;
}

void held_put(struct held *held)
{
    if (held != NULL && atomic_fetch_sub(&held->references, 1) == 1) {
        dictionary_put(held->dictionary);
        heap_free(held);
    }
}

const char *held_key(const struct held *held)
{
    return bytes_of(held);
}

const char *held_uid(const struct held *held)
{
    return bytes_of(held) + held->key_bytes + 1;
}

const char *held_version(const struct held *held)
{
    return held_uid(held) + held->uid_bytes + 1;
}

char *held_text(const struct held *held)
{
    struct sv packed = {held_version(held) + held->version_bytes + 1, held->packed_bytes};

    return packed_read(packed, held->text_bytes, held->dictionary);
}

size_t held_bytes(const struct held *held)
{
    return sizeof(*held) + held->tag_count * sizeof(held->tags[0]) + held->key_bytes +
           held->uid_bytes + held->version_bytes + held->packed_bytes + 4;
}
