/*
 * StarRocks types as users write them and as catalogs show them. The first line of an
 * input is one type, the rest another.
 */
#include "column.h"
#include "fuzz.h"

#include <string.h>

#define INPUT_BYTES_MAX ((size_t)1024)
#define SR_DIGITS_MAX ((int64_t)76) /* DECIMAL256 */

static void check_override(struct sv text, struct arena *arena)
{
    struct sr_type type, untouched;
    struct fault fault = FAULT_INIT;

    memset(&untouched, 0x5a, sizeof(untouched));
    memcpy(&type, &untouched, sizeof(type));
    if (!sr_type_parse(text, &type, &fault)) {
        fuzz_refusal(&fault, "InvalidOverride");
        fuzz_require(memcmp(&type, &untouched, sizeof(type)) == 0,
                     "output written on failure");
        return;
    }
    fuzz_reached();
    fuzz_sr_sound(&type, SR_DIGITS_MAX, arena);
}

static void check_sinks(struct sv text)
{
    for (enum rw_type type = RW_UNSET + 1; type < RW_TYPE_MAX; type++) {
        static const char *const versions[] = {NULL, "3.0.3", "3.1.0"};
        for (size_t i = 0; i < COUNT_OF(versions); i++) {
            const char *refusal = types_sink_refusal(type, text, versions[i]);
            fuzz_require((refusal == NULL) == fuzz_sink_takes(type, text, i == 2),
                         "%s into %.*s: %s", rw_type_name(type), SV_ARGS(text),
                         refusal == NULL ? "accepted" : refusal);
        }
    }
}

static void check_kept(struct sv text, const struct sr_type *known, struct arena *arena)
{
    for (enum rw_type type = RW_UNSET + 1; type < RW_TYPE_MAX; type++) {
        struct column_map map = {0};
        if (!types_map_kept(type, text, &map)) {
            continue;
        }
        fuzz_require(known != NULL && map.rw == type && map.source == NULL, "%.*s",
                     SV_ARGS(text));
        fuzz_sr_same(known, &map.sr, "kept");
        const char *normal = sr_type_catalog(&map.sr, arena);
        fuzz_require(types_sink_refusal(map.delivered, sv_from(normal), NULL) == NULL,
                     "%s into %s is refused", rw_type_name(type), normal);
    }
}

/* Whether it is a type; true: it reads back as itself. */
static bool check_catalog(struct sv text, struct arena *arena, struct sr_type *out_type)
{
    struct sr_type type = {0}, again = {0};

    check_sinks(text);
    enum rw_type rw = rw_type_of_catalog(text);
    fuzz_require(rw == RW_UNSET ||
                     sv_eq_nocase(sv_trim(text), sv_from(rw_type_catalog(rw))),
                 "%.*s", SV_ARGS(text));
    if (!sr_type_of_catalog(text, &type)) {
        check_kept(text, NULL, arena);
        return false;
    }
    check_kept(text, &type, arena);
    const char *normal = sr_type_catalog(&type, arena);
    fuzz_require(sr_type_of_catalog(sv_from(normal), &again), "%s", normal);
    fuzz_sr_same(&type, &again, "normal form");
    fuzz_require(sr_type_same(&type, text) && sr_type_holds(&type, text) &&
                     sr_type_can_become(&type, &type),
                 "%.*s is not %s", SV_ARGS(text), normal);
    *out_type = type;
    return true;
}

static int64_t integer_bits(enum sr_kind kind)
{
    return kind == SR_TINYINT    ? 8
           : kind == SR_SMALLINT ? 16
           : kind == SR_INT      ? 32
           : kind == SR_BIGINT   ? 64
           : kind == SR_LARGEINT ? 128
                                 : 0;
}

/* Growing is all that a MODIFY COLUMN of ours may do. */
static void check_pair(const struct sr_type *from, const struct sr_type *to,
                       const char *to_text)
{
    if (sr_type_can_become(from, to)) {
        int64_t bits = integer_bits(from->kind);
        fuzz_require(to->kind != from->kind || to->length >= from->length,
                     "varchar(%lld) to %s", (long long)from->length, to_text);
        fuzz_require(to->kind != SR_DECIMAL || from->kind != SR_DECIMAL ||
                         (to->scale >= from->scale &&
                          to->precision - to->scale >= from->precision - from->scale),
                     "decimal(%lld, %lld) to %s", (long long)from->precision,
                     (long long)from->scale, to_text);
        fuzz_require(bits == 0 || integer_bits(to->kind) == 0 ||
                         bits <= integer_bits(to->kind),
                     "an integer of %lld bits to %s", (long long)bits, to_text);
    }
    fuzz_require(!sr_type_same(from, sv_from(to_text)) ||
                     (from->kind == to->kind && from->length == to->length &&
                      from->precision == to->precision && from->scale == to->scale),
                 "not the same: %s", to_text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    AUTO(arena_freep) struct arena *arena = NULL;
    struct sv rest = {(const char *)data, size_bytes};
    struct sv first = fuzz_line(&rest);
    struct sr_type from = {0}, to = {0};

    if (size_bytes > INPUT_BYTES_MAX) {
        return -1;
    }
    arena = arena_new(ARENA_CEILING_BYTES);
    check_override(first, arena);
    check_override(rest, arena);
    bool has_from = check_catalog(first, arena, &from);
    bool has_to = check_catalog(rest, arena, &to);
    if (has_from && has_to) {
        check_pair(&from, &to, sr_type_catalog(&to, arena));
    }
    return 0;
}
