#include "unit.h"

struct rows recorded(struct arena *arena, size_t width, const char *const *texts,
                     size_t count)
{
    struct rows rows;
    struct fault f = FAULT_INIT;

    rows_init(&rows, arena);
    assert_int_equal(count % width, 0);
    for (size_t i = 0; i < width; i++) {
        assert_ok(rows_add_column(&rows, sv_from(texts[i]), &f), f);
    }
    for (size_t i = width; i < count; i++) {
        assert_ok(texts[i] == NULL ? rows_add_null(&rows, &f)
                                   : rows_add(&rows, sv_from(texts[i]), &f),
                  f);
    }
    return rows;
}

int arena_setup(void **state)
{
    *state = arena_new(ARENA_CEILING_BYTES);
    return 0;
}

int arena_teardown(void **state)
{
    arena_free(*state);
    return 0;
}
