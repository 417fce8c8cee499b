/*
 * map: string keys to pointers, iterated in the order of first insertion, so that nothing
 * observable (DDL order, golden files) depends on the hash. The hash is seeded.
 * Owns its keys, not its values. Not thread-safe.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/sv.h"

#include <stdbool.h>
#include <stddef.h>

struct map;

struct map *map_new(uint64_t seed);
void map_free(struct map *m);
void map_freep(struct map **m);
void *map_find(const struct map *m, struct sv key); /* NULL when absent */
/* Returns the value that was replaced, or NULL. `value` must not be NULL. */
void *map_put(struct map *m, struct sv key, void *value);
void *map_remove(struct map *m, struct sv key); /* the removed value, or NULL */
size_t map_count(const struct map *m);
/*
 * Iteration: `size_t at = 0; while (map_next(m, &at, &key, &value))`. The map must not
 * change meanwhile, except that the entry just returned may be removed.
 */
bool map_next(const struct map *m, size_t *at, struct sv *out_key, void **out_value);

#endif
