/* sink_value: what a sink delivers of a column, as its SELECT says it. */
#ifndef DDL_SINK_VALUE_H
#define DDL_SINK_VALUE_H

#include "ddl/types.h"

/* The value alone; the caller names it. `name`: the CDC table's column; unused with
 * SINK_CUSTOM. */
void sink_value(struct stmt *s, const struct column_map *map, const struct ident *name);

#endif
