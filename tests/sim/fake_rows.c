#include "fake_rows.h"

int64_t fake_rows_get(const struct fake_rows *rows, int64_t key)
{
    must(key > 0);
    return (size_t)key <= rows->versions.n ? rows->versions.v[key - 1] : FAKE_NO_ROW;
}

void fake_rows_put(struct fake_rows *rows, struct arena *arena, int64_t key,
                   int64_t version)
{
    int64_t before = fake_rows_get(rows, key);

    while (rows->versions.n < (size_t)key) {
        VEC_PUSH(arena, &rows->versions, FAKE_NO_ROW);
    }
    rows->versions.v[key - 1] = version;
    rows->count += (version != FAKE_NO_ROW) - (before != FAKE_NO_ROW);
}

void fake_rows_clear(struct fake_rows *rows)
{
    rows->versions.n = 0;
    rows->count = 0;
}

void fake_rows_merge(struct fake_rows *to, const struct fake_rows *from,
                     struct arena *arena)
{
    for (size_t i = 0; i < from->versions.n; i++) {
        if (from->versions.v[i] != FAKE_NO_ROW) {
            fake_rows_put(to, arena, (int64_t)i + 1, from->versions.v[i]);
        }
    }
}

void fake_rows_copy(struct fake_rows *to, const struct fake_rows *from,
                    struct arena *arena)
{
    fake_rows_clear(to);
    fake_rows_merge(to, from, arena);
}

bool fake_rows_differ(const struct fake_rows *truth, const struct fake_rows *target,
                      struct fake_difference *out_difference)
{
    size_t n =
        truth->versions.n > target->versions.n ? truth->versions.n : target->versions.n;
    struct fake_difference d = {0};

    for (size_t i = 0; i < n; i++) {
        int64_t wanted = fake_rows_get(truth, (int64_t)i + 1);
        int64_t seen = fake_rows_get(target, (int64_t)i + 1);

        d.missing += wanted != FAKE_NO_ROW && seen == FAKE_NO_ROW;
        d.ghosts += wanted == FAKE_NO_ROW && seen != FAKE_NO_ROW;
        d.stale += wanted != FAKE_NO_ROW && seen != FAKE_NO_ROW && wanted != seen;
    }
    *out_difference = d;
    return d.missing + d.ghosts + d.stale > 0;
}
