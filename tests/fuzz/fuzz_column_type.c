/*
 * The type table. The lines of column.h, a line with COLUMN_DEFAULT, and
 * all that is left is COLUMN_TYPE. It is mapped as a value and as a key, with every
 * option that spec.columns has.
 */
#include "column.h"
#include "fuzz.h"

#include <string.h>

#define INPUT_BYTES_MAX ((size_t)8192)

static bool map_one(const struct mysql_column *column, bool key,
                    const struct types_options *options, struct arena *arena)
{
    struct column_map map, untouched;
    struct fault fault = FAULT_INIT;

    memset(&untouched, 0x5a, sizeof(untouched));
    memcpy(&map, &untouched, sizeof(map));
    if (!types_map(column, key, options, arena, &map, &fault)) {
        bool as_key = key && strcmp(fault.reason, "UnsupportedKey") == 0;
        fuzz_refusal(&fault, as_key ? "UnsupportedKey" : "UnsupportedType");
        fuzz_require(memcmp(&map, &untouched, sizeof(map)) == 0,
                     "output written on failure");
        return false;
    }
    fuzz_reached();
    fuzz_require(fault.class == FAULT_NONE, "%s", fault.text);
    fuzz_require(map.source == column && map.key == key, "of another column");
    fuzz_map_sound(&map, options, arena);
    return true;
}

static void map_all(const struct mysql_column *column, struct types_options options,
                    struct arena *arena)
{
    static const int64_t bytes_per_character[] = {0, 1, 4};

    for (size_t i = 0; i < COUNT_OF(bytes_per_character); i++) {
        options.bytes_per_character = bytes_per_character[i];
        for (int key = 0; key < 2; key++) {
            options.to_string = false;
            bool faithful = map_one(column, key == 1, &options, arena);
            options.to_string = true;
            bool as_text = map_one(column, key == 1, &options, arena);
            fuzz_require(as_text || !faithful, "%s is refused by ToString only",
                         column->column_type);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    static const char *const rw_versions[] = {NULL, "3.1.0"};
    static const char *const starrocks_versions[] = {NULL, "3.3.0"};
    AUTO(arena_freep) struct arena *arena = NULL;
    struct sv rest = {(const char *)data, size_bytes};
    struct fuzz_column column = {0};

    if (size_bytes > INPUT_BYTES_MAX) {
        return -1;
    }
    arena = arena_new(ARENA_CEILING_BYTES);
    fuzz_column(&rest, arena, &column);
    fuzz_column_default(&column, fuzz_line(&rest), arena);
    fuzz_column_typed(&column, rest, arena);
    for (size_t i = 0; i < COUNT_OF(rw_versions); i++) {
        struct types_options options = {.flavor = column.flavor,
                                        .mysql_version = column.version,
                                        .rw_version = rw_versions[i],
                                        .starrocks_version = starrocks_versions[i]};
        map_all(&column.column, options, arena);
    }
    return 0;
}
