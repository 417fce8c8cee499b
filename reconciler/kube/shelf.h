/*
 * shelf: the objects of a store by key and by tag. Private to the store, whose lock
 * guards it.
 *
 * An object is one allocation: a head and, behind it, key, uid, resourceVersion and slim
 * text, which is packed (pack.h). A slot is an index that the key keeps as long as it is
 * there; the chains of tags are numbers of slots, not pointers, so that a change that
 * leaves the tags as they are touches none of them.
 */
#ifndef KUBE_SHELF_H
#define KUBE_SHELF_H

#include "kube/pack.h"
#include "kube/reflector.h"
#include "kube/slim.h"

#include <stdatomic.h>

struct held {
    atomic_uint references;
    bool local; /* put by a write; the server's own event is still to come. Under the
                   store's lock */
    uint8_t tag_count;
    uint16_t key_bytes, uid_bytes, version_bytes;
    uint32_t text_bytes, packed_bytes;
    struct dictionary *dictionary; /* of the text; NULL: it needs none */
    uint64_t fingerprint;
    uint64_t tags[]; /* then key, uid and version, each with a NUL, and the packed text */
};

/* NULL when a part of the identity is monstrous. */
struct held *held_new(const struct slim *slim, kube_tagger *tagger, struct packer *packer,
                      bool local);
struct held *held_ref(struct held *held);
void held_put(struct held *held); /* NULL is nothing */
const char *held_key(const struct held *held);
const char *held_uid(const struct held *held);
const char *held_version(const struct held *held);
char *held_text(const struct held *held);   /* text_bytes of it; the caller frees */
size_t held_bytes(const struct held *held); /* of memory */

struct shelf;

struct shelf *shelf_new(uint64_t seed);
void shelf_free(struct shelf *t); /* gives the references back */
struct held *shelf_find(const struct shelf *t, struct sv key);
/* Takes the reference; returns what was replaced, whose reference is the caller's. */
struct held *shelf_put(struct shelf *t, struct held *held);
struct held *shelf_remove(struct shelf *t, struct sv key);
size_t shelf_count(const struct shelf *t);
size_t shelf_bytes(const struct shelf *t); /* of memory, the objects and the tables */
/* `size_t at = 0; while ((held = shelf_next(t, &at)) != NULL)`, in the order of slots. */
struct held *shelf_next(const struct shelf *t, size_t *at);
/* The same over the objects with a tag; begin with *at = SHELF_FIRST. The shelf must not
 * change meanwhile. */
struct held *shelf_next_tagged(const struct shelf *t, uint64_t tag, uint32_t *at);
#define SHELF_FIRST UINT32_MAX

#endif
