#include "fake_kube.h"

#include "kube/api.h"
#include "sim.h"

#define CREATED_SIZE CLOCK_RFC3339_SIZE

static struct json *parse(const char *text)
{
    struct fault fault = FAULT_INIT;
    struct json *json = NULL;

    must(json_parse(sv_from(text), KUBE_BODY_MAX, &json, &fault));
    return json;
}

struct fake_object *fake_kube_object(const struct fake_kube *kube, const char *plural,
                                     const char *namespace, const char *name)
{
    for (size_t i = 0; i < kube->objects.n; i++) {
        struct fake_object *o = kube->objects.v[i];

        if (strcmp(o->plural, plural) == 0 && strcmp(o->namespace, namespace) == 0 &&
            strcmp(o->name, name) == 0) {
            return o;
        }
    }
    return NULL;
}

const struct json *fake_kube_find(const struct fake_kube *kube, const char *plural,
                                  const char *namespace, const char *name)
{
    const struct fake_object *o = fake_kube_object(kube, plural, namespace, name);

    return o == NULL ? NULL : o->json;
}

/* --- changes --- */

static void new_version(struct fake_kube *kube, struct fake_object *o)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct json *metadata = json_clone(json_get(o->json, "metadata"));

    json_set_string(metadata, "resourceVersion",
                    arena_printf(arena, "%lld", (long long)++kube->version));
    json_set(o->json, "metadata", metadata);
}

static void set_metadata_int(struct fake_object *o, const char *key, int64_t value)
{
    struct json *metadata = json_clone(json_get(o->json, "metadata"));

    json_set_int(metadata, key, value);
    json_set(o->json, "metadata", metadata);
}

static void forget(struct fake_kube *kube, const struct fake_object *object)
{
    size_t kept = 0;

    for (size_t i = 0; i < kube->objects.n; i++) {
        if (kube->objects.v[i] != object) {
            kube->objects.v[kept++] = kube->objects.v[i];
        }
    }
    kube->objects.n = kept;
}

void fake_kube_changed(struct fake_kube *kube, struct fake_object *object)
{
    bool going = json_path_string(object->json, "metadata.deletionTimestamp") != NULL;
    bool held = json_size(json_path(object->json, "metadata.finalizers")) > 0;

    new_version(kube, object);
    fake_kube_announce(kube, object, going && !held);
    if (going && !held) {
        forget(kube, object);
        fake_kube_remember(kube, object);
        json_free(object->json);
        object->json = NULL;
    }
}

void fake_kube_create(struct fake_kube *kube, const char *plural, const char *namespace,
                      const char *text)
{
    struct arena *arena = kube->sim->arena;
    struct fake_object *o = ARENA_NEW(arena, struct fake_object);
    struct json *metadata = NULL;
    char created[CREATED_SIZE];

    *o = (struct fake_object){.plural = plural, .json = parse(text)};
    o->namespace = arena_strdup(arena, namespace);
    o->name = arena_strdup(arena, json_path_string(o->json, "metadata.name"));
    must(fake_kube_object(kube, plural, namespace, o->name) == NULL);
    metadata = json_clone(json_get(o->json, "metadata"));
    json_set_string(metadata, "namespace", namespace);
    json_set_string(
        metadata, "uid",
        arena_printf(arena, "00000000-0000-4000-8000-%012lld", (long long)++kube->uids));
    json_set_string(metadata, "creationTimestamp",
                    clock_format_rfc3339(sim_wall_ms(kube->sim), created));
    json_set_int(metadata, "generation", 1);
    json_set(o->json, "metadata", metadata);
    VEC_PUSH(arena, &kube->objects, o);
    fake_kube_changed(kube, o);
}

/* A copy of `object` in which the dotted path holds `value` (taken). */
static struct json *with_value(const struct json *object, struct sv path,
                               struct json *value)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct json *copy = object == NULL ? json_new_object() : json_clone(object);
    struct sv rest = path;
    const char *key = arena_copy(arena, sv_cut(&rest, '.'));

    json_set(copy, key,
             rest.n == 0 ? value : with_value(json_get(copy, key), rest, value));
    return copy;
}

void fake_kube_edit(struct fake_kube *kube, const char *plural, const char *namespace,
                    const char *name, const char *path, const char *value)
{
    struct fake_object *o = fake_kube_object(kube, plural, namespace, name);

    must(o != NULL);
    struct json *spec =
        with_value(json_get(o->json, "spec"), sv_from(path), parse(value));
    if (json_equal(spec, json_get(o->json, "spec"))) {
        json_free(spec);
        return;
    }
    json_set(o->json, "spec", spec);
    set_metadata_int(o, "generation",
                     json_path_int(o->json, "metadata.generation", 0) + 1);
    fake_kube_changed(kube, o);
}

void fake_kube_annotate(struct fake_kube *kube, const char *namespace, const char *name,
                        const char *annotation, const char *value)
{
    struct fake_object *o = fake_kube_object(kube, "tablesyncs", namespace, name);
    struct json *metadata = NULL, *annotations = NULL;

    must(o != NULL);
    metadata = json_clone(json_get(o->json, "metadata"));
    annotations = json_get(metadata, "annotations") == NULL
                      ? json_new_object()
                      : json_clone(json_get(metadata, "annotations"));
    if (value == NULL) {
        json_remove(annotations, annotation);
    } else {
        json_set_string(annotations, annotation, value);
    }
    json_set(metadata, "annotations", annotations);
    json_set(o->json, "metadata", metadata);
    fake_kube_changed(kube, o);
}

void fake_kube_delete(struct fake_kube *kube, const char *plural, const char *namespace,
                      const char *name)
{
    struct fake_object *o = fake_kube_object(kube, plural, namespace, name);
    struct json *metadata = NULL;
    char now[CREATED_SIZE];

    must(o != NULL);
    if (json_path_string(o->json, "metadata.deletionTimestamp") != NULL) {
        return;
    }
    metadata = json_clone(json_get(o->json, "metadata"));
    json_set_string(metadata, "deletionTimestamp",
                    clock_format_rfc3339(sim_wall_ms(kube->sim), now));
    json_set_int(metadata, "generation",
                 json_int(json_get(metadata, "generation"), 0) + 1);
    json_set(o->json, "metadata", metadata);
    fake_kube_changed(kube, o);
}

void fake_kube_strip(struct fake_kube *kube, const char *plural, const char *namespace,
                     const char *name)
{
    struct fake_object *o = fake_kube_object(kube, plural, namespace, name);
    struct json *metadata = NULL;

    must(o != NULL);
    o->stripped = true;
    metadata = json_clone(json_get(o->json, "metadata"));
    json_remove(metadata, "finalizers");
    json_set(o->json, "metadata", metadata);
    fake_kube_changed(kube, o);
}

void fake_kube_purge(struct fake_kube *kube, const char *plural, const char *namespace,
                     const char *name)
{
    fake_kube_strip(kube, plural, namespace, name);
    if (fake_kube_object(kube, plural, namespace, name) != NULL) {
        fake_kube_delete(kube, plural, namespace, name);
    }
}

/* Base64 (RFC 4648, 4), as the values of a Secret are written. */
static const char *encoded(const char *text, struct arena *arena)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    AUTO(buf_deinit) struct buf out;
    size_t n = strlen(text);

    buf_init(&out, 4096);
    for (size_t i = 0; i < n; i += 3) {
        unsigned bits = 0;

        for (size_t k = 0; k < 3; k++) {
            bits = bits << 8 | (i + k < n ? (unsigned char)text[i + k] : 0U);
        }
        for (size_t k = 0; k < 4; k++) {
            buf_addc(&out, i + k > n ? '=' : digits[bits >> (18 - 6 * k) & 63]);
        }
    }
    return buf_take(&out, arena);
}

void fake_kube_set_password(struct fake_kube *kube, const char *namespace,
                            const char *name, const char *password)
{
    struct fake_object *o = fake_kube_object(kube, "secrets", namespace, name);
    struct json *data = NULL;

    must(o != NULL);
    data = json_clone(json_get(o->json, "data"));
    json_set_string(data, "password", encoded(password, kube->sim->arena));
    json_set(o->json, "data", data);
    fake_kube_changed(kube, o);
}

void fake_kube_touch(struct fake_kube *kube, const char *plural, const char *namespace,
                     const char *name)
{
    struct fake_object *o = fake_kube_object(kube, plural, namespace, name);

    must(o != NULL);
    fake_kube_changed(kube, o);
}

size_t fake_kube_events_of(const struct fake_kube *kube, const char *about,
                           const char *reason)
{
    size_t count = 0;

    for (size_t i = 0; i < kube->events.n; i++) {
        count += strcmp(kube->events.v[i]->about, about) == 0 &&
                         strcmp(kube->events.v[i]->reason, reason) == 0
                     ? 1
                     : 0;
    }
    return count;
}
