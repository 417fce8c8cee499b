/* json_pick: several values of one text in one pass. See json_cursor.h. */
#include "base/attr.h"
#include "base/json.h"
#include "base/json_cursor.h"

#define PATHS_MAX 32

struct picking {
    struct json_cursor c;
    struct sv rest[PATHS_MAX]; /* of each path, what lies below where we are */
    struct sv *out_raw;
    size_t count;
};

/* The paths of `below` that `key` leads on with; each end reached is noted in *ends. */
static uint32_t step(struct picking *p, uint32_t below, struct sv key, uint32_t *ends)
{
    uint32_t on = 0;

    for (size_t i = 0; i < p->count; i++) {
        struct sv rest = p->rest[i];
        if ((below >> i & 1) == 0 || !sv_eq(sv_cut(&rest, '.'), key)) {
            continue;
        }
        if (rest.n == 0) {
            *ends |= UINT32_C(1) << i;
        } else {
            on |= UINT32_C(1) << i;
        }
    }
    return on;
}

static void pick(struct picking *p, uint32_t below, unsigned depth);

/* Goes into one member: the paths of `on` lead through it. */
static void pick_below(struct picking *p, uint32_t on, unsigned depth)
{
    struct sv before[PATHS_MAX];

    for (size_t i = 0; i < p->count; i++) {
        before[i] = p->rest[i];
        if (on >> i & 1) {
            (void)sv_cut(&p->rest[i], '.');
        }
    }
    pick(p, on, depth - 1);
    for (size_t i = 0; i < p->count; i++) {
        p->rest[i] = before[i];
    }
}

static void pick(struct picking *p, uint32_t below, unsigned depth)
{
    struct sv key = SV_NULL;
    struct sv raw = SV_NULL;
    bool begun = false;

    if (!json_cursor_open(&p->c, '{')) {
        return;
    }
    while (json_cursor_next(&p->c, '}', &begun, &key)) {
        uint32_t ends = 0;
        uint32_t on = step(p, below, key, &ends);

        for (size_t i = 0; i < p->count; i++) {
            if (on >> i & 1) {
                p->out_raw[i] = SV_NULL; /* of two of one name the last counts */
            }
        }
        if (on != 0 && depth > 1 && json_cursor_peek(&p->c) == '{') {
            size_t from = p->c.at;
            pick_below(p, on, depth);
            raw = sv_trim((struct sv){p->c.p + from, p->c.at - from});
        } else if (!json_cursor_value(&p->c, depth - 1, &raw)) {
            return;
        }
        for (size_t i = 0; i < p->count; i++) {
            if (ends >> i & 1) {
                p->out_raw[i] = raw;
            }
        }
    }
}

void json_pick(struct sv object, const char *const *paths, size_t count,
               struct sv *out_raw)
{
    struct picking p = {.out_raw = out_raw, .count = count};

    must(count <= PATHS_MAX);
    for (size_t i = 0; i < count; i++) {
        p.rest[i] = sv_from(paths[i]);
        out_raw[i] = SV_NULL;
    }
    json_cursor_init(&p.c, object, JSON_NODES_MAX);
    pick(&p, (uint32_t)((UINT64_C(1) << count) - 1), JSON_DEPTH_MAX);
}
