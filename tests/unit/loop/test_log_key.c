#include "loop/log_key.h"
#include "loop_unit.h"

static const char *members(lg_expand *expand, const char *key, struct buf *out)
{
    buf_init(out, 4096);
    expand(out, key);
    return buf_z(out);
}

static void keys_are_those_of_controller_runtime(void **state)
{
    AUTO(buf_deinit) struct buf sync = {0};
    AUTO(buf_deinit) struct buf conn = {0};
    AUTO(buf_deinit) struct buf other = {0};

    (void)state;
    assert_string_equal(
        members(log_key, "TableSync/shop/orders", &sync),
        ",\"controller\":\"tablesync\",\"controllerGroup\":\"tablesync.dev\","
        "\"controllerKind\":\"TableSync\",\"TableSync\":{\"name\":\"orders\","
        "\"namespace\":\"shop\"},\"namespace\":\"shop\",\"name\":\"orders\"");
    assert_string_equal(
        members(log_key, "DatabaseConnection/shop/rw", &conn),
        ",\"controller\":\"databaseconnection\",\"controllerGroup\":\"tablesync.dev\","
        "\"controllerKind\":\"DatabaseConnection\",\"DatabaseConnection\":{\"name\":"
        "\"rw\",\"namespace\":\"shop\"},\"namespace\":\"shop\",\"name\":\"rw\"");
    assert_string_equal(members(log_key_conn, "shop/rw", &other), buf_z(&conn));
}

static void odd_keys_make_no_broken_line(void **state)
{
    static const char *const odd[] = {"", "TableSync/", "TableSync/a\"b/c\nd", "/", "x"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        AUTO(buf_deinit) struct buf line = {0};
        AUTO(json_freep) struct json *parsed = NULL;
        struct fault fault = FAULT_INIT;

        buf_init(&line, 4096);
        buf_addz(&line, "{\"a\":1");
        log_key(&line, odd[i]);
        buf_addc(&line, '}');
        assert_ok(json_parse(buf_sv(&line), 4096, &parsed, &fault), fault);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_those_of_controller_runtime),
        cmocka_unit_test(odd_keys_make_no_broken_line),
    };

    return cmocka_run_group_tests_name("loop/log_key", tests, NULL, NULL);
}
