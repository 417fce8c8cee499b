/*
 * fields_rows: what the tables of both kinds share in their rows. Private to the room.
 */
#ifndef MODEL_FIELDS_ROWS_H
#define MODEL_FIELDS_ROWS_H

#include "base/attr.h"
#include "model/fields.h"
#include "model/patterns.h"
#include "model/spec.h"

/* `max`: the last, unused value of the enum; a name for each before it, in its order. */
#define CHOICES(variable, max, ...)                                                      \
    static const char *const variable##_names[] = {__VA_ARGS__};                         \
    static const struct choices variable = {variable##_names,                            \
                                            COUNT_OF(variable##_names)};                 \
    _Static_assert(COUNT_OF(variable##_names) == (max)-1, "a name each")

#define OBJECT(wire, need)                                                               \
    {                                                                                    \
        .path = (wire), .type = FIELD_OBJECT, .required = (need),                        \
        .offset = FIELD_NOWHERE                                                          \
    }
/* What a name of the same kind needs everywhere. */
#define OBJECT_NAME                                                                      \
    .length_max = 253, .pattern = pattern_object_name,                                   \
    .allowed = "the name of an object in the same namespace (lower case letters, "       \
               "digits, '-' and '.')"
#define SECRET_KEY                                                                       \
    .length_max = 253, .pattern = pattern_secret_key,                                    \
    .allowed = "a key of the Secret's data (letters, digits, '-', '_' and '.')"
#define MYSQL_NAME                                                                       \
    .length_max = 64, .pattern = pattern_mysql_name,                                     \
    .allowed = "a MySQL name without back-quotes, control characters or a blank at "     \
               "its end"
#define STARROCKS_COLUMN                                                                 \
    .length_max = 64, .pattern = pattern_sr_column,                                      \
    .allowed = "a StarRocks column name without quotes, commas, control characters "     \
               "and any of = < > ! *"
#define DURATION_TEXT                                                                    \
    .length_max = 32, .pattern = pattern_duration,                                       \
    .allowed = "a duration such as 250ms, 5s or 1h30m"

#endif
