/* yaml_print: a JSON tree as YAML that reads back as the same tree. */
#ifndef CMD_YAML_PRINT_H
#define CMD_YAML_PRINT_H

#include "base/json.h"

/* Appends one document without its "---". */
void yaml_print(const struct json *node, struct buf *out);

#endif
