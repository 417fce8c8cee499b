#include "ddl/observed.h"

#include <string.h>

const struct rw_source *rw_catalog_source(const struct rw_catalog *catalog,
                                          const char *schema, const char *name)
{
    for (size_t i = 0; i < catalog->sources.n; i++) {
        const struct rw_source *source = &catalog->sources.v[i];
        if (strcmp(source->schema, schema) == 0 && strcmp(source->name, name) == 0) {
            return source;
        }
    }
    return NULL;
}

const struct rw_table *rw_catalog_table(const struct rw_catalog *catalog,
                                        const char *name)
{
    for (size_t i = 0; i < catalog->tables.n; i++) {
        if (strcmp(catalog->tables.v[i].name, name) == 0) {
            return &catalog->tables.v[i];
        }
    }
    return NULL;
}

const struct rw_sink *rw_catalog_sink(const struct rw_catalog *catalog, const char *name)
{
    for (size_t i = 0; i < catalog->sinks.n; i++) {
        if (strcmp(catalog->sinks.v[i].name, name) == 0) {
            return &catalog->sinks.v[i];
        }
    }
    return NULL;
}

static const char *object_name(const struct rw_catalog *catalog, int64_t id,
                               struct arena *arena)
{
    for (size_t i = 0; i < catalog->relations.n; i++) {
        const struct rw_relation *relation = &catalog->relations.v[i];
        if (relation->id == id) {
            return arena_printf(arena, "%s %s.%s", relation->kind, relation->schema,
                                relation->name);
        }
    }
    return arena_printf(arena, "object %lld", (long long)id);
}

void rw_catalog_users(const struct rw_catalog *catalog, int64_t id, struct arena *arena,
                      struct strlist *out_names)
{
    struct strlist names = {0};

    for (size_t i = 0; i < catalog->edges.n; i++) {
        const struct rw_edge *edge = &catalog->edges.v[i];
        if (edge->referenced == id) {
            VEC_PUSH(arena, &names, object_name(catalog, edge->object, arena));
        }
    }
    *out_names = names;
}

/* "..._26_sink_10" ends in "_sink_" and a number; the job's own name may hold "_sink_"
 * too. */
static bool ends_in_numbered(struct sv name, struct sv infix)
{
    size_t digits = 0;

    while (digits < name.n && name.p[name.n - 1 - digits] >= '0' &&
           name.p[name.n - 1 - digits] <= '9') {
        digits++;
    }
    return digits > 0 && sv_ends(sv_sub(name, 0, name.n - digits), infix);
}

const char *rw_catalog_internal(const struct rw_catalog *catalog, int64_t job,
                                const char *infix)
{
    for (size_t i = 0; i < catalog->internals.n; i++) {
        const struct rw_internal *internal = &catalog->internals.v[i];
        if (internal->job == job &&
            ends_in_numbered(sv_from(internal->name), sv_from(infix))) {
            return internal->name;
        }
    }
    return NULL;
}

const struct sr_table *sr_catalog_table(const struct sr_catalog *catalog,
                                        const char *name)
{
    for (size_t i = 0; i < catalog->tables.n; i++) {
        if (strcmp(catalog->tables.v[i].name, name) == 0) {
            return &catalog->tables.v[i];
        }
    }
    return NULL;
}

static struct sv take_word(struct sv text)
{
    size_t n = 0;

    while (n < text.n && text.p[n] != ' ' && text.p[n] != '\n' && text.p[n] != '\t') {
        n++;
    }
    return sv_sub(text, 0, n);
}

/* Takes "key=value" off the front of *text; false leaves it as it was. */
static bool take_field(struct sv *text, struct sv key, struct sv *out_value)
{
    struct sv word = take_word(*text);

    if (!sv_starts(word, key) || word.n == key.n) {
        return false;
    }
    *out_value = sv_sub(word, key.n, word.n);
    *text = sv_sub(*text, word.n, text->n);
    if (text->n > 0 && text->p[0] == ' ') {
        *text = sv_sub(*text, 1, text->n);
    }
    return true;
}

bool mark_parse(const char *comment, struct mark *out_mark)
{
    struct sv text = sv_from(comment), version = SV_NULL;
    struct sv head = SV("tablesync:v1 ");
    size_t at = sv_find(text, head);
    struct mark mark = {0};

    if (at == SIZE_MAX) {
        return false;
    }
    mark.whole = sv_sub(text, at, text.n);
    text = sv_sub(text, at + head.n, text.n);
    if (!take_field(&text, SV("uid="), &mark.uid) ||
        !take_field(&text, SV("hash="), &mark.hash)) {
        return false;
    }
    if (take_field(&text, SV("sink="), &version) &&
        (!sv_int64(version, &mark.sink) || mark.sink < 1)) {
        mark.sink = 0;
    }
    if (take_field(&text, SV("after="), &version) &&
        (!sv_int64(version, &mark.after) || mark.after < 1)) {
        mark.after = 0;
    }
    mark.adopted = sv_eq(take_word(text), SV("adopted"));
    if (mark.adopted) {
        text = sv_sub(text, strlen("adopted"), text.n);
    }
    mark.whole.n = (size_t)(text.p - mark.whole.p);
    *out_mark = mark;
    return true;
}
