/*
 * fields: what a spec may hold, as data. One row a field, parents before children;
 * decode.c interprets the rows, and tests/unit/model/test_crd.c compares them with the
 * CRD both ways, so that the two gates cannot drift apart. Private to the room (and to
 * its tests).
 */
#ifndef MODEL_FIELDS_H
#define MODEL_FIELDS_H

#include "base/sv.h"

#include <stddef.h>

enum field_type {
    FIELD_OBJECT = 1,
    FIELD_STRING,   /* const char * */
    FIELD_INT,      /* int64_t */
    FIELD_BOOL,     /* bool */
    FIELD_ENUM,     /* an enum whose first value is 1 */
    FIELD_DURATION, /* a string on the wire, int64_t milliseconds here */
    FIELD_MAP,      /* string to string; the kind's own decoder stores it */
    FIELD_LIST,     /* of strings: struct strlist */
    FIELD_OBJECTS,  /* a list of objects: a VEC of structs that `items` describes */
    FIELD_TYPE_MAX
};

/* Names of an enum's values, from 1 on. */
struct choices {
    const char *const *names;
    int count;
};

#define FIELD_NOWHERE SIZE_MAX /* checked, but stored by the kind's own decoder */

struct field {
    const char *path; /* below spec, or below an item: "source.connectionRef.name" */
    enum field_type type;
    bool required;        /* when its parent is there */
    bool immutable;       /* the API server enforces it; here only for the comparison */
    bool unique;          /* LIST: no text twice, whatever its case */
    size_t offset;        /* in struct dbconn, struct tablesync or an item's struct */
    const char *fallback; /* the default as the CRD writes it; LIST: its only text */
    int64_t min, max;     /* INT: inclusive; DURATION: ms; MAP, LIST, OBJECTS: entries;
                             STRING: min is the least number of characters */
    size_t length_max;    /* characters; MAP: of a value; LIST: of a text */
    bool (*pattern)(struct sv text); /* LIST: of each text */
    const char *allowed;             /* what the pattern allows, ending "must be ..." */
    const struct choices *choices;
    const struct field *items; /* OBJECTS: the rows of one item; never lists themselves */
    size_t item_count, item_size_bytes;
};

const struct field *fields_dbconn(size_t *out_count);
const struct field *fields_tablesync(size_t *out_count);
const struct field *fields_find(const struct field *fields, size_t count, struct sv path);

const char *choices_name(const struct choices *choices, int value); /* "" outside */
int choices_parse(const struct choices *choices, const char *name); /* 0: none */

#define PROPERTY_KEY_MAX 64 /* characters of a StarRocks property's name */

#endif
