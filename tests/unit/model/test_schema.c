/* What every schema of a CRD must have, and that all of crd/examples is as it claims. */
#include "unit/model/model_test.h"

#include "model/status.h"

#include <glob.h>
#include <stdio.h>

static const char *const crds[] = {"crd/databaseconnections.yaml", "crd/tablesyncs.yaml"};

/* An unbounded value makes CEL rules dear and lets one resource fill etcd. */
static void check_bounded(const struct json *schema, const char *path)
{
    const char *type = json_get_string(schema, "type");
    const char *format = json_get_string(schema, "format");
    const char *limit = NULL;
    if (strcmp(type, "string") == 0 && json_get(schema, "enum") == NULL &&
        (format == NULL || strcmp(format, "date-time") != 0)) {
        limit = "maxLength";
    } else if (strcmp(type, "array") == 0) {
        limit = "maxItems";
    } else if (json_get(schema, "additionalProperties") != NULL) {
        limit = "maxProperties";
    }
    if (limit != NULL && json_get(schema, limit) == NULL) {
        fail_msg("%s has no %s", path, limit);
    }
}

/* An apply error shows the message; the person must see which field it means. */
static void check_rules(const struct json *schema, const char *path)
{
    const struct json *rules = json_get(schema, "x-kubernetes-validations");
    for (const struct json *rule = json_first(rules); rule != NULL;
         rule = json_next(rule)) {
        const char *message = json_get_string(rule, "message");
        if (message == NULL || strstr(message, "spec.") == NULL) {
            fail_msg("a rule of %s has no message that names the field", path);
        }
    }
}

static void check_schema(const struct json *schema, const char *path)
{
    check_bounded(schema, path);
    check_rules(schema, path);
    const struct json *properties = json_get(schema, "properties");
    for (const struct json *child = json_first(properties); child != NULL;
         child = json_next(child)) {
        char below[512];
        (void)snprintf(below, sizeof(below), "%s.%s", path, json_key(child));
        if (json_get_string(child, "description") == NULL) {
            fail_msg("%s has no description", below);
        }
        check_schema(child, below);
    }
    const struct json *items = json_get(schema, "items");
    if (items != NULL) {
        check_schema(items, path);
    }
}

static void every_field_is_bounded_and_described(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(crds); i++) {
        struct json *documents AUTO(json_freep) = test_yaml_file(crds[i]);
        const struct json *schema = test_schema(documents);
        check_schema(json_path(schema, "properties.spec"), "spec");
        check_schema(json_path(schema, "properties.status"), "status");
        assert_int_equal(
            json_path_int(schema, "properties.status.default.observedGeneration", 0), -1);
    }
}

static void phases_are_those_of_the_table(void **state)
{
    (void)state;
    struct json *documents AUTO(json_freep) = test_yaml_file("crd/tablesyncs.yaml");
    const struct json *names =
        json_path(test_schema(documents), "properties.status.properties.phase.enum");
    size_t count = 0;
    for (int i = 0; i < (int)PHASE_MAX; i++) {
        if (phase_name((enum phase)i)[0] != '\0') {
            assert_string_equal(json_string(json_at(names, count)),
                                phase_name((enum phase)i));
            count++;
        }
    }
    assert_int_equal(json_size(names), count);
}

static bool decode(const struct json *object, struct arena *arena, struct fault *fault)
{
    struct dbconn conn;
    struct tablesync sync;
    const char *kind = json_get_string(object, "kind");
    if (strcmp(kind, "DatabaseConnection") == 0) {
        return dbconn_decode(object, arena, &conn, fault);
    }
    if (strcmp(kind, "TableSync") == 0) {
        return tablesync_decode(object, arena, &sync, fault);
    }
    assert_string_equal(kind, "Secret");
    return true;
}

static void every_example_is_accepted(void **state)
{
    (void)state;
    struct arena *arena AUTO(arena_freep) = arena_new(ARENA_CEILING_BYTES);
    glob_t found;
    assert_int_equal(glob("crd/examples/*.yaml", 0, NULL, &found), 0);
    assert_true(found.gl_pathc >= 3);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct json *documents AUTO(json_freep) = test_yaml_file(found.gl_pathv[i]);
        assert_true(json_size(documents) > 0);
        for (const struct json *object = json_first(documents); object != NULL;
             object = json_next(object)) {
            struct fault fault = FAULT_INIT;
            if (!decode(object, arena, &fault)) {
                fail_msg("%s: %s", found.gl_pathv[i], fault.text);
            }
        }
    }
    globfree(&found);
}

/* Each says on its first line which words the error must have. */
static void every_invalid_example_is_refused(void **state)
{
    (void)state;
    struct arena *arena AUTO(arena_freep) = arena_new(ARENA_CEILING_BYTES);
    glob_t found;
    assert_int_equal(glob("crd/examples/invalid/*.yaml", 0, NULL, &found), 0);
    assert_true(found.gl_pathc >= 12);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *path = found.gl_pathv[i];
        struct json *documents AUTO(json_freep) = test_yaml_file(path);
        const char *expect = test_file_mark(path, "# expect: ", arena);
        struct fault fault = FAULT_INIT;
        assert_int_equal(json_size(documents), 1);
        assert_true(expect[0] != '\0');
        if (decode(json_at(documents, 0), arena, &fault)) {
            fail_msg("%s was accepted", path);
        }
        if (strstr(fault.text, expect) == NULL) {
            fail_msg("%s: '%s' does not name %s", path, fault.text, expect);
        }
    }
    globfree(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_bounded_and_described),
        cmocka_unit_test(phases_are_those_of_the_table),
        cmocka_unit_test(every_example_is_accepted),
        cmocka_unit_test(every_invalid_example_is_refused),
    };
    return cmocka_run_group_tests_name("model/schema", tests, NULL, NULL);
}
