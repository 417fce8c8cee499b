/*
 * yaml: YAML documents into json trees (YAML 1.2 core schema for plain scalars: null,
 * bool, int, float, string; quoted scalars are strings). For kubeconfig and `-f FILE`.
 */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include "base/json.h"

#define YAML_INPUT_MAX ((size_t)4 * 1024 * 1024)
#define YAML_NODES_MAX 200000 /* aliases count what they stand for: no billion laughs */

/*
 * Parses all documents of `text` into one JSON array (empty documents are left out).
 * Faults: FAULT_SPEC "InvalidYAML" with line and column; duplicate keys, non-string keys,
 * recursion, too deep, too many nodes, too large.
 */
MUST_CHECK bool yaml_parse_all(struct sv text, struct json **out_array,
                               struct fault *fault);

#endif
