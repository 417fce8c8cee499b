/*
 * pack: texts that are much alike, kept in a fraction of their bytes. Private to the
 * room.
 *
 * LZ4 with an earlier text as its dictionary: what a resource says is mostly what the one
 * before it said. A dictionary lives as long as a text that was packed with it; a new one
 * is chosen when texts no longer look like the old one, and not more often than every
 * PACK_LEARN_EVERY texts, so that dictionaries cost little beside what they save.
 */
#ifndef KUBE_PACK_H
#define KUBE_PACK_H

#include "base/buf.h"

#define PACK_LEARN_EVERY 256
#define PACK_DICTIONARY_BYTES_MAX ((size_t)8 * 1024)
/* Of packed texts one that needs more than one byte in PACK_GOOD is not like the
 * dictionary. */
#define PACK_GOOD 8

struct packer;
struct dictionary;

struct packer *packer_new(void);
void packer_free(struct packer *p); /* what it packed can be read on; NULL is nothing */

/*
 * Adds the packed text to `out`, or the text itself when packing saves nothing: then it
 * is as long as before. *out_dictionary is a reference of the caller's, to be given back
 * when the packed text goes; NULL: none is needed. Threads may share a packer. Text is
 * shorter than 2 GiB.
 */
void packer_pack(struct packer *p, struct sv text, struct buf *out,
                 struct dictionary **out_dictionary);

/* The text, with a NUL behind it; the caller frees it (heap_free). `text_bytes` is its
 * length without that. */
char *packed_read(struct sv packed, size_t text_bytes,
                  const struct dictionary *dictionary);

void dictionary_put(struct dictionary *d); /* NULL is nothing */

#endif
