/* What is in RisingWave, by name, by number and by what reads what. */
#include "ddl/types.h"
#include "fake_rw_job.h"

#define LAG_MS 2000 /* a row waits this long in a sink that delivers */

struct fake_stream_object *fake_rw_find(const struct fake_rw *rw, const char *schema,
                                        const char *name)
{
    for (size_t i = 0; i < rw->objects.n; i++) {
        struct fake_stream_object *o = rw->objects.v[i];

        if (strcmp(o->schema, schema) == 0 && strcmp(o->name, name) == 0) {
            return o;
        }
    }
    return NULL;
}

struct fake_stream_object *fake_rw_by_id(const struct fake_rw *rw, int64_t id)
{
    for (size_t i = 0; i < rw->objects.n; i++) {
        if (rw->objects.v[i]->id == id) {
            return rw->objects.v[i];
        }
    }
    return NULL;
}

struct fake_stream_object *fake_rw_add(struct fake_db *db, struct fake_rw *rw,
                                       enum fake_kind kind, const char *schema,
                                       const char *name, int64_t uses)
{
    struct arena *arena = db->sim->arena;
    struct fake_stream_object *o = ARENA_NEW(arena, struct fake_stream_object);

    rw->last_id += 5; /* internal tables take numbers, too */
    *o = (struct fake_stream_object){.kind = kind,
                                     .id = rw->last_id,
                                     .uses = uses,
                                     .schema = arena_strdup(arena, schema),
                                     .name = arena_strdup(arena, name),
                                     .rate_limit = -1,
                                     .lag_ms = LAG_MS};
    rw->tables_made += kind == FAKE_TABLE;
    rw->sinks_made += kind == FAKE_SINK;
    VEC_PUSH(arena, &rw->objects, o);
    return o;
}

void fake_rw_remove(struct fake_rw *rw, const struct fake_stream_object *object)
{
    size_t kept = 0;

    for (size_t i = 0; i < rw->objects.n; i++) {
        if (rw->objects.v[i] != object) {
            rw->objects.v[kept++] = rw->objects.v[i];
        }
    }
    rw->objects.n = kept;
}

struct fake_stream_object *fake_rw_user_of(const struct fake_rw *rw, int64_t id)
{
    for (size_t i = 0; i < rw->objects.n; i++) {
        if (rw->objects.v[i]->uses == id) {
            return rw->objects.v[i];
        }
    }
    return NULL;
}

void fake_rw_drop_cascade(struct fake_rw *rw, const struct fake_stream_object *object)
{
    for (struct fake_stream_object *user = fake_rw_user_of(rw, object->id); user != NULL;
         user = fake_rw_user_of(rw, object->id)) {
        fake_rw_drop_cascade(rw, user);
    }
    fake_rw_remove(rw, object);
}

size_t fake_rw_count(const struct fake_rw *rw, enum fake_kind kind, const char *schema)
{
    size_t count = 0;

    for (size_t i = 0; i < rw->objects.n; i++) {
        count += rw->objects.v[i]->kind == kind &&
                         strcmp(rw->objects.v[i]->schema, schema) == 0
                     ? 1
                     : 0;
    }
    return count;
}

const char *fake_rw_catalog_type(const char *written)
{
    for (int type = RW_UNSET + 1; type < (int)RW_TYPE_MAX; type++) {
        if (strcmp(rw_type_name((enum rw_type)type), written) == 0) {
            return rw_type_catalog((enum rw_type)type);
        }
    }
    return NULL;
}
