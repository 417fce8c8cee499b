/*
 * column: a MySQL column and a server out of the first lines of an input, as hostile as
 * the input likes:
 *
 *   flags            m MariaDB, n nullable, p part of the primary key, e its default may
 *                    be the empty text
 *   server version   empty: not told
 *   EXTRA
 *   character set    empty: not text
 *   numbers          length, precision, scale, fraction digits, greatest key, with blanks
 *   DATA_TYPE        empty: the word that COLUMN_TYPE begins with
 */
#ifndef FUZZ_COLUMN_H
#define FUZZ_COLUMN_H

#include "ddl/types.h"

struct fuzz_column {
    struct mysql_column column; /* its column_type and default_value stay NULL */
    enum mysql_flavor flavor;
    const char *version;
    bool empty_default;
};

void fuzz_column(struct sv *rest, struct arena *arena, struct fuzz_column *out_column);
/* Adds COLUMN_TYPE, and DATA_TYPE if no line told it. */
void fuzz_column_typed(struct fuzz_column *column, struct sv column_type,
                       struct arena *arena);
/* COLUMN_DEFAULT, that of the flags where `text` is empty. */
void fuzz_column_default(struct fuzz_column *column, struct sv text, struct arena *arena);

/* What no accepted column may break, whatever it was made from. */
void fuzz_map_sound(const struct column_map *map, const struct types_options *options,
                    struct arena *arena);
/* A type that can be created, and that reads back as itself from everywhere. */
void fuzz_sr_sound(const struct sr_type *type, int64_t digits_max, struct arena *arena);
void fuzz_sr_same(const struct sr_type *a, const struct sr_type *b, const char *where);
/* RisingWave's check of a sink, by the contract (risingwave.md 4.4). */
bool fuzz_sink_takes(enum rw_type type, struct sv column_type, bool from_3_1);

#endif
