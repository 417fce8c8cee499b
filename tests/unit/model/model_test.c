#include "unit/model/model_test.h"

#include "base/file.h"
#include "base/yaml.h"

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
