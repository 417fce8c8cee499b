/*
 * problems: everything that is wrong with one object, as one sentence. Private to the
 * room.
 *
 * A person who fixes a resource wants the whole list at once, so decoding never stops at
 * the first problem. The values shown are from specs, which hold no secrets.
 */
#ifndef MODEL_PROBLEMS_H
#define MODEL_PROBLEMS_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/json.h"

struct problems {
    struct buf text; /* each ends in "; "; what passes the ceiling is left out */
    size_t count;
};

void problems_init(struct problems *problems);
void problems_deinit(struct problems *problems); /* for AUTO() */
/* One problem, without a full stop: "spec.host is required". */
void problems_add(struct problems *problems, const char *format, ...) PRINTF_LIKE(2, 3);
/* true: none. Otherwise FAULT_SPEC "InvalidSpec": "TableSync data/orders: a; b". */
MUST_CHECK bool problems_none(const struct problems *problems, const char *kind,
                              const char *namespace, const char *name,
                              struct fault *fault);

#define PROBLEM_VALUE_MAX 80
/* A value as a message shows it: short, in quotes when a string, without control bytes.
 */
void problem_value(const struct json *node, char out_text[PROBLEM_VALUE_MAX]);

#endif
