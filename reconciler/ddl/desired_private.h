/* desired_private: what the files that build a struct desired share. */
#ifndef DDL_DESIRED_PRIVATE_H
#define DDL_DESIRED_PRIVATE_H

#include "base/buf.h"
#include "ddl/desired.h"
#include "ddl/expr.h"

#define COMPLAINTS_SHOWN 8

/* Several bad columns are told at once: one reconcile, one ALTER, not one each. */
struct complaints {
    struct buf text;
    size_t count;
    struct fault first;
};

void complaints_init(struct complaints *problems);
void complaints_deinit(struct complaints *problems);
void complaints_add(struct complaints *problems, const struct fault *fault);
/* false with all of them in one sentence, the reason being the first one's. */
MUST_CHECK bool complaints_check(const struct complaints *problems,
                                 const struct mysql_table *table, struct fault *fault);

/* What becomes of one MySQL column. */
struct chosen {
    const struct mysql_column *source;
    const struct column_override *override; /* NULL: none */
    bool selected;                          /* by include and exclude, or as a key */
    bool excluded;                          /* by its name */
    bool cdc_key, target_key;
    bool read;    /* by an expression */
    bool dropped; /* left out by unsupported: Skip */
    bool typed;   /* map holds what the type table says, else fault why it says nothing */
    struct column_map map;
    struct fault fault;
};

struct choice {
    struct desired *d;
    const struct desired_input *in;
    struct arena *arena;
    struct types_options options;
    VEC(struct chosen) columns;           /* as the MySQL table's */
    VEC(struct expr_column) readable;     /* parallel: for expressions */
    VEC(size_t) upstream_key, target_key; /* places in columns, in key order */
    struct complaints problems;
};

/* "spec.columns": which columns there are and which are keys. */
MUST_CHECK bool choice_select(struct choice *choice, struct fault *fault);
/* Fills the lists of *choice->d. */
MUST_CHECK bool choice_fill(struct choice *choice, struct fault *fault);
/* spec.primaryKey or the upstream key. */
MUST_CHECK bool choice_keys(struct choice *choice, struct fault *fault);

/* The place of a column; SIZE_MAX: the table has none of that name, in any case. */
size_t choice_find(const struct choice *choice, const char *name);
/* "it has raw_blob, id, ...": the names there are, the nearest spelling first. */
const char *choice_known_names(const struct choice *choice, const char *wanted);
void choice_note(const struct choice *choice, const char *format, ...) PRINTF_LIKE(2, 3);

/*
 * What a target column is made of: the type table's row, or what the override says.
 * Reads mark other columns as read.
 */
MUST_CHECK bool override_apply(struct choice *choice, size_t place,
                               struct column_map *out_map, struct fault *fault);

/* A value on its way into a target column of another type than its own. */
struct fit {
    enum rw_type from;
    const struct mysql_column *source; /* whose value it is; NULL: an expression's */
    const struct column_map *base;     /* what the type table says; NULL: nothing */
    struct sr_type to;
    const char *rw_version, *starrocks_version;
    bool key;
};

struct fitted {
    enum rw_type delivered;
    bool through_int; /* only INTEGER can be cast to BOOLEAN */
    enum loss_kind loss;
    int64_t loss_limit;
    const char *note;
};

/* FAULT_REFUSED InvalidOverride: the pair is impossible, in the server's own words. */
MUST_CHECK bool fit_type(const struct fit *fit, struct arena *arena,
                         struct fitted *out_fitted, struct fault *fault);

/* Warnings that follow from keys and names; distribution, buckets and partitions. */
void desired_note_keys(struct desired *d, struct arena *arena);
void desired_note_names(struct desired *d, struct arena *arena);
MUST_CHECK bool desired_distribute(struct desired *d, struct arena *arena,
                                   struct fault *fault);
bool desired_is_plain(const char *name, const char *more);

#endif
