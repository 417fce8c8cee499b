/*
 * discover_names: names for the TableSyncs that `tablesync discover` prints: DNS-1123,
 * at most 63 characters, each one once, and the same in every run.
 */
#ifndef CMD_DISCOVER_NAMES_H
#define CMD_DISCOVER_NAMES_H

#include "base/arena.h"
#include "base/vec.h"

#define DISCOVER_NAME_MAX 63

/*
 * "shop-orders" for shop.orders. What does not fit, or is taken already, ends in a hash
 * of both names. `taken` is what was given before; the name is added to it.
 */
const char *discover_name(const char *database, const char *table, struct arena *arena,
                          struct strlist *taken);
/* True when `text` was in the list already; else it is added. */
bool discover_taken(const char *text, struct arena *arena, struct strlist *taken);

#endif
