/* What part of a table goes where, and how it lives on: the fields of columns, keys,
 * schema changes, plans, drift and re-syncs. */
#include "unit/model/model_test.h"

#define HEAD                                                                             \
    "metadata: {namespace: data, name: orders}\n"                                        \
    "spec:\n"                                                                            \
    "  source: {connectionRef: {name: shop}, database: shop, table: orders}\n"           \
    "  risingWave: {connectionRef: {name: rw}}\n"
#define TARGET "  target: {connectionRef: {name: sr}, database: ods}\n"
#define WHOLE HEAD TARGET

static struct arena *arena;

static int make_arena(void **state)
{
    (void)state;
    arena = arena_new(ARENA_CEILING_BYTES);
    return 0;
}

static int free_arena(void **state)
{
    (void)state;
    arena_freep(&arena);
    return 0;
}

static struct tablesync good(const char *text)
{
    struct tablesync sync;
    struct fault fault = FAULT_INIT;
    assert_ok(test_tablesync(text, arena, &sync, &fault), fault);
    return sync;
}

/* Without the name of the object. */
static const char *bad(const char *text)
{
    struct tablesync sync;
    struct fault fault = FAULT_INIT;
    static const char head[] = "TableSync data/orders: ";
    assert_false(test_tablesync(text, arena, &sync, &fault));
    assert_int_equal(fault.class, FAULT_SPEC);
    assert_int_equal(strncmp(fault.text, head, strlen(head)), 0);
    return arena_strdup(arena, fault.text + strlen(head));
}

static const char *target(const char *fields)
{
    return arena_printf(
        arena, HEAD "  target: {connectionRef: {name: sr}, database: ods, %s}\n", fields);
}

static const char *columns(const char *fields)
{
    return arena_printf(arena, WHOLE "  columns: {%s}\n", fields);
}

static const char *joined(const struct strlist *list)
{
    const char *text = "";
    for (size_t i = 0; i < list->n; i++) {
        text = arena_printf(arena, "%s%s%s", text, i == 0 ? "" : "|", list->v[i]);
    }
    return text;
}

static void fills_in_the_defaults(void **state)
{
    (void)state;
    struct tablesync sync = good(WHOLE);
    assert_int_equal(sync.existing, EXISTING_FAIL);
    assert_int_equal(sync.buckets, 0);
    assert_int_equal(sync.distributed_by.n, 0);
    assert_string_equal(sync.partition_by, "");
    assert_string_equal(joined(&sync.include), "*");
    assert_int_equal(sync.exclude.n, 0);
    assert_int_equal(sync.overrides.n, 0);
    assert_int_equal(sync.unsupported, UNSUPPORTED_FAIL);
    assert_int_equal(sync.bytes_per_character, 0);
    assert_int_equal(sync.primary_key.n, 0);
    assert_int_equal(sync.data_loss, DATA_LOSS_WARN);
    assert_false(sync.partial_update);
    assert_int_equal(sync.schema_policy, SCHEMA_ADD_ONLY);
    assert_int_equal(sync.drop_column, DROP_COLUMN_KEEP);
    assert_int_equal(sync.plan_mode, PLAN_AUTO);
    assert_int_equal(sync.drift_policy, DRIFT_CORRECT);
    assert_int_equal(sync.drift_interval_ms, 60000);
    assert_string_equal(sync.resync_token, "");
    assert_int_equal(sync.resync_mode, RESYNC_IN_PLACE);
}

static void takes_what_is_given(void **state)
{
    (void)state;
    struct tablesync sync = good(
        HEAD "  target:\n    connectionRef: {name: sr}\n    database: ods\n"
             "    existing: Recreate\n    buckets: 1024\n    distributedBy: [b, a 订]\n"
             "    partitionBy: date_trunc('day', day)\n"
             "  columns:\n    include: [id, 'a b', Status]\n    exclude: ['*', raw]\n"
             "    unsupported: ToString\n    charBytesPerCharacter: 4\n"
             "    overrides:\n    - {name: Status, targetName: order_status,\n"
             "       targetType: SMALLINT, expression: 'status::smallint'}\n"
             "    - {name: id, targetName: Id}\n"
             "  primaryKey: [code, id]\n  dataLoss: Fail\n"
             "  sink: {partialUpdate: true}\n"
             "  schemaChange: {policy: Evolve, onUnsupported: Stall, dropColumn: Drop}\n"
             "  plan: {mode: Manual}\n  drift: {policy: Ignore, interval: 24h}\n"
             "  resyncToken: 2026-01-02.1\n  resyncMode: Recreate\n");
    assert_int_equal(sync.existing, EXISTING_RECREATE);
    assert_int_equal(sync.buckets, 1024);
    assert_string_equal(joined(&sync.distributed_by), "b|a 订");
    assert_string_equal(sync.partition_by, "date_trunc('day', day)");
    assert_string_equal(joined(&sync.include), "id|a b|Status");
    assert_string_equal(joined(&sync.exclude), "*|raw");
    assert_int_equal(sync.unsupported, UNSUPPORTED_TO_STRING);
    assert_int_equal(sync.bytes_per_character, 4);
    assert_int_equal(sync.overrides.n, 2);
    assert_string_equal(sync.overrides.v[0].name, "Status");
    assert_string_equal(sync.overrides.v[0].target_name, "order_status");
    assert_string_equal(sync.overrides.v[0].target_type, "SMALLINT");
    assert_string_equal(sync.overrides.v[0].expression, "status::smallint");
    assert_string_equal(sync.overrides.v[1].target_name, "Id");
    assert_null(sync.overrides.v[1].target_type);
    assert_null(sync.overrides.v[1].expression);
    assert_string_equal(joined(&sync.primary_key), "code|id");
    assert_int_equal(sync.data_loss, DATA_LOSS_FAIL);
    assert_true(sync.partial_update);
    assert_int_equal(sync.schema_policy, SCHEMA_EVOLVE);
    assert_int_equal(sync.drop_column, DROP_COLUMN_DROP);
    assert_int_equal(sync.plan_mode, PLAN_MANUAL);
    assert_int_equal(sync.drift_policy, DRIFT_IGNORE);
    assert_int_equal(sync.drift_interval_ms, 86400000);
    assert_string_equal(sync.resync_token, "2026-01-02.1");
    assert_int_equal(sync.resync_mode, RESYNC_RECREATE);
}

/* The order of names in the rows is the order of the enums. */
static void every_choice_is_the_one_it_names(void **state)
{
    (void)state;
    assert_int_equal(good(target("existing: Fail")).existing, EXISTING_FAIL);
    assert_int_equal(good(target("existing: Adopt")).existing, EXISTING_ADOPT);
    assert_int_equal(good(target("existing: Truncate")).existing, EXISTING_TRUNCATE);
    assert_int_equal(good(columns("unsupported: Skip")).unsupported, UNSUPPORTED_SKIP);
    assert_int_equal(good(WHOLE "  schemaChange: {policy: Ignore}\n").schema_policy,
                     SCHEMA_IGNORE);
    assert_int_equal(good(WHOLE "  schemaChange: {policy: Fail}\n").schema_policy,
                     SCHEMA_FAIL);
    assert_int_equal(good(WHOLE "  schemaChange: {policy: AddOnly}\n").schema_policy,
                     SCHEMA_ADD_ONLY);
    assert_int_equal(good(WHOLE "  drift: {policy: Observe}\n").drift_policy,
                     DRIFT_OBSERVE);
    assert_int_equal(good(WHOLE "  resyncMode: Truncate\n").resync_mode, RESYNC_TRUNCATE);
    assert_string_equal(existing_policy_name(EXISTING_TRUNCATE), "Truncate");
    assert_string_equal(schema_policy_name(SCHEMA_ADD_ONLY), "AddOnly");
    for (int mode = 1; mode < (int)RESYNC_MODE_MAX; mode++) {
        assert_int_equal(resync_mode_parse(resync_mode_name((enum resync_mode)mode)),
                         mode);
    }
    assert_int_equal(resync_mode_parse(NULL), 0);
    assert_int_equal(resync_mode_parse("inplace"), 0);
    assert_string_equal(resync_mode_name((enum resync_mode)0), "");
}

static void checks_single_values(void **state)
{
    (void)state;
    static const struct {
        const char *fields, *problem;
    } rows[] = {
        {"  dataLoss: Ignore\n",
         "spec.dataLoss is \"Ignore\", must be one of Warn, Fail"},
        {"  sink: {partialUpdate: 'true'}\n",
         "spec.sink.partialUpdate is \"true\", must be true or false"},
        {"  sink: {partialUpdate: 1}\n", "spec.sink.partialUpdate is 1, must be true"},
        {"  schemaChange: {onUnsupported: Fail}\n",
         "spec.schemaChange.onUnsupported is \"Fail\", must be Stall"},
        {"  plan: {mode: manual}\n", "spec.plan.mode is \"manual\", must be one of Auto"},
        {"  drift: {interval: 999ms}\n",
         "spec.drift.interval is \"999ms\", must be from 1000 ms to 86400 s"},
        {"  drift: {interval: 24h1ms}\n", "spec.drift.interval is \"24h1ms\", must be"},
        {"  resyncToken: 'a b'\n", "spec.resyncToken is \"a b\", must be printable ASCII "
                                   "characters without blanks"},
        {"  resyncToken: 订\n", "spec.resyncToken is \"订\", must be printable"},
        {"  columns: []\n", "spec.columns is [], must be an object"},
        {"  columns: {charBytesPerCharacter: 0}\n",
         "spec.columns.charBytesPerCharacter is 0, must be from 1 to 4"},
        {"  primaryKey: id\n", "spec.primaryKey is \"id\", must be a list"},
        {"  primaryKey: {id: 1}\n", "spec.primaryKey is {\"id\":1}, must be a list"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_contains(bad(arena_printf(arena, WHOLE "%s", rows[i].fields)),
                        rows[i].problem);
    }
    assert_contains(bad(target("buckets: 1025")),
                    "spec.target.buckets is 1025, must be from 0 to 1024");
}

static void checks_each_text_of_a_list(void **state)
{
    (void)state;
    assert_string_equal(
        bad(columns("include: [id, 5, 'a`b'], exclude: ['x ', {}]")),
        "spec.columns.include[1] is 5, must be a string; "
        "spec.columns.include[2] is \"a`b\", must be a MySQL name without back-quotes, "
        "control characters or a blank at its end; "
        "spec.columns.exclude[0] is \"x \", must be a MySQL name without back-quotes, "
        "control characters or a blank at its end; "
        "spec.columns.exclude[1] is {}, must be a string");
    static const char *const forbidden[] = {"a`b", "a,b", "a=b", "a<b", "a>b",
                                            "a!b", "a*",  "\"a", "a\tb"};
    for (size_t i = 0; i < COUNT_OF(forbidden); i++) {
        struct json *documents AUTO(json_freep) = test_yaml_text(WHOLE);
        struct json *object AUTO(json_freep) = json_clone(json_at(documents, 0));
        struct json *spec = json_clone(json_get(object, "spec"));
        struct json *at = json_clone(json_get(spec, "target"));
        json_push_string(json_set_array(at, "distributedBy"), forbidden[i]);
        json_set(spec, "target", at);
        json_set(object, "spec", spec);
        struct tablesync sync;
        struct fault fault = FAULT_INIT;
        assert_false(tablesync_decode(object, arena, &sync, &fault));
        assert_contains(fault.text, "must be a StarRocks column name without quotes");
    }
}

/* key: [c0, c1, ...], each between `before` and `after`. */
static const char *many(const char *key, int count, const char *before, const char *after)
{
    const char *text = arena_printf(arena, "%s: [", key);
    for (int i = 0; i < count; i++) {
        text = arena_printf(arena, "%s%s%sc%d%s", text, i == 0 ? "" : ", ", before, i,
                            after);
    }
    return arena_printf(arena, "%s]", text);
}

static void bounds_lists(void **state)
{
    (void)state;
    assert_int_equal(good(columns(many("exclude", 256, "", ""))).exclude.n, 256);
    assert_contains(bad(columns(many("exclude", 257, "", ""))),
                    "spec.columns.exclude has 257 entries, must have at most 256");
    assert_contains(bad(target(many("distributedBy", 33, "", ""))),
                    "spec.target.distributedBy has 33 entries, must have at most 32");
    assert_contains(bad(columns("include: []")),
                    "spec.columns.include has 0 entries, must have at least 1");
    assert_int_equal(good(WHOLE "  primaryKey: []\n").primary_key.n, 0);
    struct tablesync sync =
        good(columns(many("overrides", 256, "{name: ", ", targetType: INT}")));
    assert_int_equal(sync.overrides.n, 256);
    assert_string_equal(sync.overrides.v[255].name, "c255");
    assert_contains(bad(columns(many("overrides", 257, "{name: ", ", targetType: INT}"))),
                    "spec.columns.overrides has 257 entries, must have at most 256");
    char name[66];
    memset(name, 'n', sizeof(name));
    name[65] = '\0';
    assert_contains(bad(arena_printf(arena, WHOLE "  primaryKey: [a, %s]\n", name)),
                    "spec.primaryKey[1] has 65 characters, must have at most 64");
}

static void checks_overrides_one_by_one(void **state)
{
    (void)state;
    assert_string_equal(
        bad(columns("overrides: [{targetType: INT}, {name: a, targetType: ''}, "
                    "{name: b, targetName: 'x,y'}, {name: c, expression: ''}]")),
        "spec.columns.overrides[0].name is required; "
        "spec.columns.overrides[1].targetType has 0 characters, must have at least 1; "
        "spec.columns.overrides[2].targetName is \"x,y\", must be a StarRocks column "
        "name "
        "without quotes, commas, control characters and any of = < > ! *; "
        "spec.columns.overrides[3].expression has 0 characters, must have at least 1");
    assert_contains(bad(columns("overrides: [a]")),
                    "spec.columns.overrides[0] is \"a\", must be an object");
    assert_contains(bad(columns("overrides: {name: a}")),
                    "spec.columns.overrides is {\"name\":\"a\"}, must be a list");
    assert_string_equal(bad(columns("overrides: [{name: a}]")),
                        "spec.columns.overrides[0] must set targetName, targetType or "
                        "expression");
}

static void refuses_contradictions_between_columns(void **state)
{
    (void)state;
    assert_string_equal(bad(columns("include: [id, '*']")),
                        "spec.columns.include must hold either \"*\" alone or names of "
                        "columns");
    assert_string_equal(bad(columns("include: [id, note], exclude: [x, NOTE]")),
                        "spec.columns.exclude must not name a column that "
                        "spec.columns.include names too, it has \"NOTE\"");
    assert_string_equal(
        bad(columns("exclude: [Note], overrides: [{name: note, targetType: INT}]")),
        "spec.columns.overrides must not override a column that spec.columns.exclude "
        "names, it has \"note\"");
    assert_string_equal(bad(columns("overrides: [{name: a, targetName: Value}, "
                                    "{name: b, targetName: b2}, "
                                    "{name: c, targetName: value}]")),
                        "spec.columns.overrides must not give two columns the same "
                        "targetName, it has \"value\" for \"a\" and \"c\"");
    assert_string_equal(bad(columns("overrides: [{name: a, targetName: x}, "
                                    "{name: A, targetType: INT}]")),
                        "spec.columns.overrides must not override a column twice, it has "
                        "\"A\" again");
    assert_string_equal(bad(WHOLE "  primaryKey: [id, part, ID]\n"),
                        "spec.primaryKey must not name a column twice, it has \"ID\" "
                        "again");
    assert_string_equal(bad(target("distributedBy: [a, a]")),
                        "spec.target.distributedBy must not name a column twice, it has "
                        "\"a\" again");
}

static void refuses_contradictions_between_policies(void **state)
{
    (void)state;
    assert_string_equal(bad(target("create: Never, existing: Truncate")),
                        "spec.target.existing is Truncate, must be Fail or Adopt when "
                        "spec.target.create is Never");
    assert_contains(bad(target("create: Never, existing: Recreate")),
                    "spec.target.existing is Recreate, must be Fail or Adopt");
    assert_int_equal(good(target("create: Never, existing: Adopt")).existing,
                     EXISTING_ADOPT);
    assert_string_equal(bad(WHOLE "  schemaChange: {dropColumn: Drop}\n"),
                        "spec.schemaChange.dropColumn is Drop, must be Keep unless "
                        "spec.schemaChange.policy is Evolve (it is AddOnly)");
}

/* What cannot be kept leaves the default, and nothing else of the spec is lost. */
static void a_bad_list_leaves_the_rest(void **state)
{
    (void)state;
    struct json *documents AUTO(json_freep) =
        test_yaml_text(columns("include: 5, exclude: [a, 7], overrides: [3, {name: b}]"));
    struct tablesync sync;
    tablesync_decode_identity(json_at(documents, 0), arena, &sync);
    assert_string_equal(joined(&sync.include), "*");
    assert_string_equal(joined(&sync.exclude), "a");
    assert_int_equal(sync.overrides.n, 2);
    assert_null(sync.overrides.v[0].name);
    assert_string_equal(sync.overrides.v[1].name, "b");
    assert_string_equal(sync.target_database, "ods");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_in_the_defaults),
        cmocka_unit_test(takes_what_is_given),
        cmocka_unit_test(every_choice_is_the_one_it_names),
        cmocka_unit_test(checks_single_values),
        cmocka_unit_test(checks_each_text_of_a_list),
        cmocka_unit_test(bounds_lists),
        cmocka_unit_test(checks_overrides_one_by_one),
        cmocka_unit_test(refuses_contradictions_between_columns),
        cmocka_unit_test(refuses_contradictions_between_policies),
        cmocka_unit_test(a_bad_list_leaves_the_rest),
    };
    return cmocka_run_group_tests_name("model/columns", tests, make_arena, free_arena);
}
