#include "model/fields.h"

#include <string.h>

const struct field *fields_find(const struct field *fields, size_t count, struct sv path)
{
    for (size_t i = 0; i < count; i++) {
        if (sv_eq(sv_from(fields[i].path), path)) {
            return &fields[i];
        }
    }
    return NULL;
}

const char *choices_name(const struct choices *choices, int value)
{
    return value >= 1 && value <= choices->count ? choices->names[value - 1] : "";
}

int choices_parse(const struct choices *choices, const char *name)
{
    for (int i = 0; i < choices->count; i++) {
        if (strcmp(choices->names[i], name) == 0) {
            return i + 1;
        }
    }
    return 0;
}
