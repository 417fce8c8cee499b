/* discover_print: what `tablesync discover` found, as a table, JSON or YAML. */
#ifndef CMD_DISCOVER_PRINT_H
#define CMD_DISCOVER_PRINT_H

#include "base/json.h"

/*
 * {"tables": [{"database", "table", "rows" (-1: unknown), "primaryKey": [], "syncable",
 * "notes": [] and "tableSync" or "reason" and "message"}]}. Returns an exit code.
 */
int discover_print(const struct json *root, const char *output);

#endif
