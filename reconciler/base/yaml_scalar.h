/* yaml_scalar: what a YAML scalar means by the core schema of YAML 1.2, chapter 10.3. */
#ifndef BASE_YAML_SCALAR_H
#define BASE_YAML_SCALAR_H

#include "base/json.h"
#include "base/sv.h"

#include <stdbool.h>

struct yaml_scalar {
    struct sv text;
    struct sv tag; /* resolved ("tag:yaml.org,2002:str"); empty for none */
    bool plain;    /* not quoted, not a block */
};

/* NULL and *out_node (owned by the caller), or what is wrong, as static text. */
const char *yaml_scalar_parse(const struct yaml_scalar *scalar, struct json **out_node);

#endif
