#include "loop/tags.h"

#include "base/json_cursor.h"

enum path {
    PATH_NAMESPACE = 0,
    PATH_UID,
    PATH_GENERATION,
    PATH_DELETING,
    PATH_ANNOTATIONS,
    PATH_SOURCE,
    PATH_RISINGWAVE,
    PATH_TARGET,
    PATH_DATABASE,
    PATH_TABLE,
    PATH_SOURCE_TABLE,
    PATH_MAX
};

/* The first five are all that a connection's fingerprint needs. */
static const char *const PATHS[PATH_MAX] = {
    [PATH_NAMESPACE] = "metadata.namespace",
    [PATH_UID] = "metadata.uid",
    [PATH_GENERATION] = "metadata.generation",
    [PATH_DELETING] = "metadata.deletionTimestamp",
    [PATH_ANNOTATIONS] = "metadata.annotations",
    [PATH_SOURCE] = "spec.source.connectionRef.name",
    [PATH_RISINGWAVE] = "spec.risingWave.connectionRef.name",
    [PATH_TARGET] = "spec.target.connectionRef.name",
    [PATH_DATABASE] = "spec.target.database",
    [PATH_TABLE] = "spec.target.table",
    [PATH_SOURCE_TABLE] = "spec.source.table",
};

/*
 * Everything of an object whose change deserves an attempt: not its status. Generation
 * covers spec; the server raises it for a deletion too.
 */
static uint64_t fingerprint(const struct sv *raw)
{
    const struct sv parts[] = {raw[PATH_UID], raw[PATH_GENERATION], raw[PATH_DELETING],
                               raw[PATH_ANNOTATIONS]};

    return kube_tag("fingerprint", parts, COUNT_OF(parts));
}

/* The text of a raw string; empty when it is none. */
static struct sv string_of(struct sv raw, struct arena *arena)
{
    AUTO(json_freep) struct json *value = NULL;
    struct sv plain = json_cursor_plain(raw);
    struct fault fault = FAULT_INIT;

    if (plain.n > 0 || raw.n <= 2 || raw.p[0] != '"') {
        return plain;
    }
    return json_parse(raw, raw.n, &value, &fault)
               ? arena_sv(arena, sv_from(json_string(value)))
               : SV_NULL;
}

static uint64_t connection(struct sv namespace, struct sv name)
{
    const struct sv parts[] = {namespace, name};

    return kube_tag("connection", parts, COUNT_OF(parts));
}

static uint64_t target(struct sv namespace, struct sv conn, struct sv database,
                       struct sv table)
{
    const struct sv parts[] = {namespace, conn, database, table};

    return kube_tag("target", parts, COUNT_OF(parts));
}

uint64_t tags_connection(const char *namespace, const char *name)
{
    return connection(sv_from(namespace), sv_from(name));
}

uint64_t tags_target(const char *namespace, const char *connection_name,
                     const char *database, const char *table)
{
    return target(sv_from(namespace), sv_from(connection_name), sv_from(database),
                  sv_from(table));
}

uint64_t tags_uid(struct sv uid)
{
    return kube_tag("uid", &uid, 1);
}

void tags_of_conn(struct sv text, struct kube_tags *out_tags)
{
    struct sv raw[PATH_SOURCE];

    json_pick(text, PATHS, COUNT_OF(raw), raw);
    out_tags->fingerprint = fingerprint(raw);
}

void tags_of_sync(struct sv text, struct kube_tags *out_tags)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct sv raw[PATH_MAX];
    struct sv value[PATH_MAX] = {SV_NULL};

    json_pick(text, PATHS, PATH_MAX, raw);
    for (int i = 0; i < PATH_MAX; i++) {
        value[i] = string_of(raw[i], arena);
    }
    for (int i = PATH_SOURCE; i <= PATH_TARGET; i++) {
        if (value[i].n > 0) {
            kube_tags_add(out_tags, connection(value[PATH_NAMESPACE], value[i]));
        }
    }
    kube_tags_add(
        out_tags,
        target(value[PATH_NAMESPACE], value[PATH_TARGET], value[PATH_DATABASE],
               raw[PATH_TABLE].n > 0 ? value[PATH_TABLE] : value[PATH_SOURCE_TABLE]));
    kube_tags_add(out_tags, tags_uid(value[PATH_UID]));
    out_tags->fingerprint = fingerprint(raw);
}
