/* tags: the hashes that objects of a store are found by. See reflector.h. */
#include "base/siphash.h"
#include "kube/reflector.h"

uint64_t kube_tag(const char *kind, const struct sv *parts, size_t count)
{
    static const uint64_t seed[2] = {UINT64_C(0x7461626c6573796e),
                                     UINT64_C(0x63206f626a656374)};
    uint64_t tag = siphash(seed, sv_from(kind));

    for (size_t i = 0; i < count; i++) {
        const uint64_t next[2] = {tag, seed[1] + parts[i].n};
        tag = siphash(next, parts[i]);
    }
    return tag;
}

void kube_tags_add(struct kube_tags *tags, uint64_t tag)
{
    for (size_t i = 0; i < tags->count; i++) {
        if (tags->tag[i] == tag) {
            return;
        }
    }
    must(tags->count < KUBE_TAGS_MAX);
    tags->tag[tags->count++] = tag;
}
