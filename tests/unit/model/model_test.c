#include "unit/model/model_test.h"

#include "base/file.h"
#include "base/yaml.h"

#include <stdio.h>

struct json *test_yaml_text(const char *text)
{
    struct json *documents = NULL;
    struct fault fault = FAULT_INIT;
    assert_ok(yaml_parse_all(sv_from(text), &documents, &fault), fault);
    return documents;
}

struct json *test_yaml_file(const char *path)
{
    struct buf content AUTO(buf_deinit);
    struct fault fault = FAULT_INIT;
    buf_init(&content, YAML_INPUT_MAX);
    assert_ok(file_read(path, &content, &fault), fault);
    return test_yaml_text(buf_z(&content));
}

const char *test_file_mark(const char *path, const char *mark, struct arena *arena)
{
    struct buf content AUTO(buf_deinit);
    struct fault fault = FAULT_INIT;
    buf_init(&content, YAML_INPUT_MAX);
    assert_ok(file_read(path, &content, &fault), fault);
    for (struct sv rest = buf_sv(&content); rest.n > 0;) {
        struct sv line = sv_cut(&rest, '\n');
        if (sv_starts(line, sv_from(mark))) {
            return arena_copy(arena, sv_sub(line, strlen(mark), line.n));
        }
    }
    return "";
}

bool test_dbconn(const char *text, struct arena *arena, struct dbconn *out_conn,
                 struct fault *fault)
{
    struct json *documents AUTO(json_freep) = test_yaml_text(text);
    return dbconn_decode(json_at(documents, 0), arena, out_conn, fault);
}

bool test_tablesync(const char *text, struct arena *arena, struct tablesync *out_sync,
                    struct fault *fault)
{
    struct json *documents AUTO(json_freep) = test_yaml_text(text);
    return tablesync_decode(json_at(documents, 0), arena, out_sync, fault);
}

const struct json *test_schema(const struct json *documents)
{
    const struct json *versions = json_path(json_at(documents, 0), "spec.versions");
    assert_int_equal(json_size(versions), 1);
    const struct json *schema = json_path(json_at(versions, 0), "schema.openAPIV3Schema");
    assert_non_null(schema);
    return schema;
}

void test_same(const struct json *a, const struct json *b)
{
    struct buf left AUTO(buf_deinit);
    struct buf right AUTO(buf_deinit);
    buf_init(&left, 1 << 20);
    buf_init(&right, 1 << 20);
    json_print(a, &left);
    json_print(b, &right);
    if (!json_equal(a, b)) {
        fail_msg("%s\nis not\n%s", buf_z(&left), buf_z(&right));
    }
}

static void assert_fits(const struct json *schema, const struct json *node,
                        const char *path)
{
    if (schema == NULL) {
        fail_msg("%s is written and not in the CRD", path);
    }
    const char *text = json_string(node);
    if (text != NULL) {
        int64_t most = json_int(json_get(schema, "maxLength"), INT64_MAX);
        if ((int64_t)sv_utf8_length(sv_from(text)) > most) {
            fail_msg("%s is longer than the CRD allows", path);
        }
    }
    if (json_kind(node) == JSON_ARRAY) {
        assert_true((int64_t)json_size(node) <= json_path_int(schema, "maxItems", 0));
        for (const struct json *item = json_first(node); item != NULL;
             item = json_next(item)) {
            assert_fits(json_get(schema, "items"), item, path);
        }
    }
    if (json_kind(node) == JSON_OBJECT) {
        for (const struct json *child = json_first(node); child != NULL;
             child = json_next(child)) {
            char below[256];
            (void)snprintf(below, sizeof(below), "%s.%s", path, json_key(child));
            const struct json *properties = json_get(schema, "properties");
            assert_fits(json_get(properties, json_key(child)), child, below);
        }
    }
}

void test_fits_crd(const char *crd, const struct json *status)
{
    struct json *documents AUTO(json_freep) = test_yaml_file(crd);
    assert_fits(json_path(test_schema(documents), "properties.status"), status, "status");
}
