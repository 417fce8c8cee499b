/* Decoding of TableSync, and the rules between its fields. */
#include "model/columns.h"
#include "model/cron.h"
#include "model/decode.h"
#include "model/patterns.h"
#include "model/spec.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define KIND "TableSync"

/* Debezium never captures the first four (its table.ignore.builtin), and StarRocks lets
 * nobody create tables in its own. */
static const char *const mysql_system[] = {"mysql", "information_schema",
                                           "performance_schema", "sys"};
static const char *const starrocks_system[] = {"information_schema", "sys",
                                               "_statistics_"};

static void check_system(const char *path, const char *name, const char *const *reserved,
                         size_t count, struct problems *problems)
{
    for (size_t i = 0; name != NULL && i < count; i++) {
        if (sv_eq_nocase(sv_from(name), sv_from(reserved[i]))) {
            problems_add(
                problems,
                "spec.%s is \"%s\", must be a database of your own: the server's "
                "system databases cannot be used",
                path, name);
        }
    }
}

static int compare_properties(const void *a, const void *b)
{
    const struct property *left = a;
    const struct property *right = b;
    return strcmp(left->key, right->key);
}

/* "1" to "99" without a leading zero, as the CRD has it. */
static bool is_replicas(struct sv value)
{
    int64_t number = 0;
    return value.n <= 2 && sv_int64(value, &number) && value.p[0] >= '1' &&
           value.p[0] <= '9';
}

static void check_property(const struct field *row, const struct json *node,
                           struct problems *problems)
{
    struct sv key = sv_from(json_key(node));
    const char *value = json_string(node);
    struct sv shown = sv_utf8_prefix(key, PROPERTY_KEY_MAX);
    char shown_value[PROBLEM_VALUE_MAX];
    problem_value(node, shown_value);
    if (!pattern_sr_property(key) || key.n > PROPERTY_KEY_MAX) {
        problems_add(problems,
                     "spec.target.properties has the key \"%.*s\", must be lower case "
                     "letters, digits, '_' and '.', at most %d characters",
                     SV_ARGS(shown), PROPERTY_KEY_MAX);
    } else if (value == NULL) {
        problems_add(problems, "spec.target.properties.%.*s is %s, must be a string",
                     SV_ARGS(shown), shown_value);
    } else if (sv_utf8_length(sv_from(value)) > row->length_max) {
        problems_add(
            problems,
            "spec.target.properties.%.*s has %zu characters, must have at most %zu",
            SV_ARGS(shown), sv_utf8_length(sv_from(value)), row->length_max);
    } else if (sv_eq(key, SV("replication_num")) && !is_replicas(sv_from(value))) {
        problems_add(
            problems,
            "spec.target.properties.replication_num is %s, must be a number from "
            "1 to 99",
            shown_value);
    }
}

static void decode_properties(const struct json *spec, struct arena *arena,
                              struct tablesync *sync, struct problems *problems)
{
    size_t count = 0;
    const struct field *fields = fields_tablesync(&count);
    const struct field *row = fields_find(fields, count, SV("target.properties"));
    const struct json *map = json_path(spec, "target.properties");
    size_t before = problems->count;
    if (json_kind(map) != JSON_OBJECT || json_size(map) > (size_t)row->max) {
        return; /* said already */
    }
    for (const struct json *node = json_first(map); node != NULL;
         node = json_next(node)) {
        check_property(row, node, problems);
    }
    if (problems->count > before) {
        return; /* also: never copies more than the ceilings checked above */
    }
    for (const struct json *node = json_first(map); node != NULL;
         node = json_next(node)) {
        struct property property = {.key = arena_strdup(arena, json_key(node)),
                                    .value = arena_strdup(arena, json_string(node))};
        VEC_PUSH(arena, &sync->properties, property);
    }
    if (sync->properties.n > 0) {
        qsort(sync->properties.v, sync->properties.n, sizeof(*sync->properties.v),
              compare_properties);
    }
}

static void check_between(const struct tablesync *sync, struct problems *problems)
{
    check_system("source.database", sync->source_database, mysql_system,
                 COUNT_OF(mysql_system), problems);
    check_system("target.database", sync->target_database, starrocks_system,
                 COUNT_OF(starrocks_system), problems);
    if (sync->backoff_base_ms > sync->backoff_max_ms) {
        problems_add(problems,
                     "spec.retry.backoffBase is %" PRId64
                     " ms, must not be longer than spec.retry.backoffMax (%" PRId64
                     " ms)",
                     sync->backoff_base_ms, sync->backoff_max_ms);
    }
    if (sync->snapshot_mode == SNAPSHOT_NEVER && sync->snapshot_rate_limit > 0) {
        problems_add(problems,
                     "spec.snapshot.rateLimit is %" PRId64
                     ", must be left out when spec.snapshot.mode is Never",
                     sync->snapshot_rate_limit);
    }
}

/* An annotation without a value asks for nothing. */
static const char *decode_filled(const struct json *object, const char *key,
                                 struct arena *arena)
{
    const char *value = decode_annotation(object, key, arena);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* What is no five words at all was said already. */
static void check_schedule(const struct tablesync *sync, struct problems *problems)
{
    struct sv schedule = sv_from(sync->verify_schedule);
    struct cron cron;
    struct fault wrong = FAULT_INIT;
    if (schedule.n == 0 || !pattern_schedule(schedule)) {
        return;
    }
    if (sync->verify_mode != VERIFY_COUNT) {
        problems_add(problems, "spec.verify.schedule must be left out unless "
                               "spec.verify.mode is Count");
    }
    if (!cron_parse(schedule, &cron, &wrong)) {
        problems_add(problems, "spec.verify.schedule is \"%.*s\": %s", SV_ARGS(schedule),
                     wrong.text);
    }
}

static void check_policies(const struct tablesync *sync, struct problems *problems)
{
    if (sync->target_create == CREATE_NEVER &&
        (sync->existing == EXISTING_TRUNCATE || sync->existing == EXISTING_RECREATE)) {
        problems_add(problems,
                     "spec.target.existing is %s, must be Fail or Adopt when "
                     "spec.target.create is Never",
                     existing_policy_name(sync->existing));
    }
    if (sync->drop_column == DROP_COLUMN_DROP && sync->schema_policy != SCHEMA_EVOLVE) {
        problems_add(problems,
                     "spec.schemaChange.dropColumn is Drop, must be Keep unless "
                     "spec.schemaChange.policy is Evolve (it is %s)",
                     schema_policy_name(sync->schema_policy));
    }
}

void tablesync_decode_metadata(const struct json *object, struct arena *arena,
                               struct tablesync *out_sync)
{
    const char *pause = decode_annotation(object, TSYNC_ANNOTATION_PAUSE, arena);
    const char *orphan = decode_annotation(object, TSYNC_ANNOTATION_ORPHAN, arena);
    *out_sync = (struct tablesync){
        .namespace = decode_metadata(object, "namespace", arena),
        .name = decode_metadata(object, "name", arena),
        .uid = decode_metadata(object, "uid", arena),
        .created = decode_metadata(object, "creationTimestamp", arena),
        .generation = json_path_int(object, "metadata.generation", 0),
        .resource_version = decode_metadata(object, "resourceVersion", arena),
        .deleting = json_path_string(object, "metadata.deletionTimestamp") != NULL,
        .annotation_pause = pause != NULL && strcmp(pause, "true") == 0,
        .annotation_orphan = orphan != NULL && strcmp(orphan, "true") == 0,
        .annotation_retry = decode_annotation(object, TSYNC_ANNOTATION_RETRY, arena),
        .annotation_verify = decode_filled(object, TSYNC_ANNOTATION_VERIFY, arena),
        .annotation_approve = decode_filled(object, TSYNC_ANNOTATION_APPROVE, arena),
        .annotation_adopt = decode_filled(object, TSYNC_ANNOTATION_ADOPT, arena),
    };
}

static void decode_all(const struct json *object, struct arena *arena,
                       struct tablesync *sync, struct problems *problems)
{
    const struct json *spec = json_get(object, "spec");
    size_t count = 0;
    const struct field *fields = fields_tablesync(&count);
    tablesync_decode_metadata(object, arena, sync);
    decode_kind(object, KIND, problems);
    if (sync->name[0] == '\0') {
        problems_add(problems, "metadata.name is required");
    }
    decode_fields(fields, count, spec, arena, sync, problems);
    decode_properties(spec, arena, sync, problems);
    check_between(sync, problems);
    check_policies(sync, problems);
    check_schedule(sync, problems);
    columns_check(sync, problems);
    if (sync->target_table == NULL) {
        sync->target_table = sync->source_table;
    }
}

bool tablesync_read(const struct json *object, struct arena *arena,
                    struct tablesync *out_sync, struct fault *fault)
{
    struct problems problems AUTO(problems_deinit) = {0};
    problems_init(&problems);
    decode_all(object, arena, out_sync, &problems);
    return problems_none(&problems, KIND, out_sync->namespace, out_sync->name, fault);
}

bool tablesync_decode(const struct json *object, struct arena *arena,
                      struct tablesync *out_sync, struct fault *fault)
{
    struct tablesync sync;
    if (!tablesync_read(object, arena, &sync, fault)) {
        return false;
    }
    *out_sync = sync;
    return true;
}

void tablesync_decode_identity(const struct json *object, struct arena *arena,
                               struct tablesync *out_sync)
{
    struct problems ignored AUTO(problems_deinit) = {0};
    problems_init(&ignored);
    decode_all(object, arena, out_sync, &ignored);
}
