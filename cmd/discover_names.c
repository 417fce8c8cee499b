#include "cmd/discover_names.h"

#include "base/buf.h"
#include "base/hash.h"

#define HASH_CHARS 8

static void add_slug(struct buf *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        bool upper = *c >= 'A' && *c <= 'Z';
        bool plain = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9');
        bool after_dash = out->n == 0 || buf_sv(out).p[out->n - 1] == '-';

        if (upper) {
            buf_addc(out, (char)(*c - 'A' + 'a'));
        } else if (plain) {
            buf_addc(out, *c);
        } else if (!after_dash) {
            buf_addc(out, '-');
        }
    }
}

static struct sv without_dash(struct sv name)
{
    while (name.n > 0 && name.p[name.n - 1] == '-') {
        name.n--;
    }
    return name;
}

bool discover_taken(const char *text, struct arena *arena, struct strlist *taken)
{
    for (size_t i = 0; i < taken->n; i++) {
        if (sv_eq(sv_from(taken->v[i]), sv_from(text))) {
            return true;
        }
    }
    VEC_PUSH(arena, taken, text);
    return false;
}

const char *discover_name(const char *database, const char *table, struct arena *arena,
                          struct strlist *taken)
{
    AUTO(buf_deinit) struct buf slug = {0};
    AUTO(hash_freep) struct hash *h = hash_new();
    char hex[HASH_HEX_SIZE];
    const char *name = NULL;
    struct sv plain;

    buf_init(&slug, 2048);
    add_slug(&slug, database);
    buf_addz(&slug, slug.n > 0 && buf_sv(&slug).p[slug.n - 1] != '-' ? "-" : "");
    add_slug(&slug, table);
    plain = without_dash(buf_sv(&slug));
    name = arena_copy(arena, plain);
    if (plain.n > 0 && plain.n <= DISCOVER_NAME_MAX &&
        !discover_taken(name, arena, taken)) {
        return name;
    }
    hash_addz(h, database);
    hash_addz(h, table);
    hash_finish(h, hex);
    plain = without_dash(sv_sub(plain, 0, DISCOVER_NAME_MAX - 1 - HASH_CHARS));
    name = arena_printf(arena, "%.*s%s%.*s", SV_ARGS(plain), plain.n > 0 ? "-" : "t-",
                        HASH_CHARS, hex);
    (void)discover_taken(name, arena, taken);
    return name;
}
