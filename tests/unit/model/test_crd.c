/*
 * The CRD and the decoder's table say the same: every field of one is in the other, with
 * the same type, default, limits, names and form. The API server and the controller are
 * two gates, and a resource that passes one and not the other helps nobody.
 */
#include "unit/model/model_test.h"

#include "model/fields.h"

#include <stdio.h>

struct check {
    const struct field *fields;
    size_t count;
    const struct json *spec; /* its schema */
    const char *head; /* of paths in messages: "spec.", "spec.columns.overrides[]." */
    bool *seen;
    struct arena *arena;
};

static const char *const wire_types[FIELD_TYPE_MAX] = {
    [FIELD_OBJECT] = "object", [FIELD_STRING] = "string", [FIELD_INT] = "integer",
    [FIELD_BOOL] = "boolean",  [FIELD_ENUM] = "string",   [FIELD_DURATION] = "string",
    [FIELD_MAP] = "object",    [FIELD_LIST] = "array",    [FIELD_OBJECTS] = "array",
};

static bool list_has(const struct json *array, const char *text)
{
    for (const struct json *node = json_first(array); node != NULL;
         node = json_next(node)) {
        if (strcmp(json_string(node), text) == 0) {
            return true;
        }
    }
    return false;
}

/* The first rule of a schema that contains `part`; NULL: none. */
static const char *find_rule(const struct json *schema, const char *part)
{
    const struct json *rules = json_get(schema, "x-kubernetes-validations");
    for (const struct json *node = json_first(rules); node != NULL;
         node = json_next(node)) {
        const char *rule = json_get_string(node, "rule");
        if (strstr(rule, part) != NULL) {
            return rule;
        }
    }
    return NULL;
}

static void compare_default(const struct field *field, const struct json *schema)
{
    const struct json *node = json_get(schema, "default");
    if (field->type == FIELD_OBJECT) {
        assert_true(node == NULL ||
                    (json_kind(node) == JSON_OBJECT && json_size(node) == 0));
        return;
    }
    if (field->type == FIELD_LIST && node != NULL) {
        assert_int_equal(json_kind(node), JSON_ARRAY);
        assert_int_equal(json_size(node), 1); /* more than one has no place in a row */
        node = json_at(node, 0);
    }
    struct buf text AUTO(buf_deinit);
    buf_init(&text, 256);
    if (json_kind(node) == JSON_STRING) {
        buf_addz(&text, json_string(node));
    } else if (node != NULL) {
        json_print(node, &text);
    }
    const char *fallback = field->fallback == NULL ? "" : field->fallback;
    if (strcmp(buf_z(&text), fallback) != 0) {
        fail_msg("spec.%s: default '%s' in the CRD, '%s' in the decoder", field->path,
                 buf_z(&text), fallback);
    }
}

static void compare_number(const struct field *field, const struct json *schema,
                           const char *key, int64_t ours)
{
    int64_t theirs = json_int(json_get(schema, key), -1);
    if (theirs != ours) {
        fail_msg("spec.%s: %s is %lld in the CRD, %lld in the decoder", field->path, key,
                 (long long)theirs, (long long)ours);
    }
}

static void compare_names(const struct field *field, const struct json *schema)
{
    const struct json *names = json_get(schema, "enum");
    assert_int_equal(json_size(names), field->choices->count);
    for (int i = 1; i <= field->choices->count; i++) {
        assert_string_equal(json_string(json_at(names, (size_t)i - 1)),
                            choices_name(field->choices, i));
    }
}

/* The value of a CEL literal: duration('1h') after `what`. */
static int64_t duration_after(const char *rule, const char *what, struct arena *arena)
{
    const char *at = strstr(rule, what);
    assert_non_null(at);
    struct sv rest = sv_from(at + strlen(what));
    struct sv literal = sv_cut(&rest, '\'');
    return duration_parse_ms(arena_copy(arena, literal));
}

static void compare_durations(const struct check *check, const struct field *field,
                              const struct json *schema)
{
    const char *rule = find_rule(schema, "duration(self)");
    assert_non_null(rule);
    assert_int_equal(duration_after(rule, ">= duration('", check->arena), field->min);
    assert_int_equal(duration_after(rule, "<= duration('", check->arena), field->max);
}

/* That order matters in it, and that nobody else adds to it. */
static void compare_list(const struct field *field, const struct json *schema)
{
    const char *kind = json_get_string(schema, "x-kubernetes-list-type");
    compare_number(field, schema, "maxItems", field->max);
    if (field->min > 0 || json_get(schema, "minItems") != NULL) {
        compare_number(field, schema, "minItems", field->min);
    }
    if ((find_rule(schema, "self.all(x, self.exists_one(y, y.lowerAscii()") != NULL) !=
        field->unique) {
        fail_msg("spec.%s: unique in only one of the two", field->path);
    }
    if (field->type == FIELD_LIST) {
        assert_string_equal(kind, "atomic");
        assert_string_equal(json_path_string(schema, "items.type"), "string");
        compare_number(field, json_get(schema, "items"), "maxLength",
                       (int64_t)field->length_max);
        return;
    }
    const struct json *keys = json_get(schema, "x-kubernetes-list-map-keys");
    assert_string_equal(kind, "map");
    assert_int_equal(json_size(keys), 1);
    assert_string_equal(json_string(json_at(keys, 0)), field->items[0].path);
    assert_true(field->items[0].required);
}

static void compare_limits(const struct check *check, const struct field *field,
                           const struct json *schema)
{
    switch (field->type) {
    case FIELD_INT:
        compare_number(field, schema, "minimum", field->min);
        compare_number(field, schema, "maximum", field->max);
        break;
    case FIELD_ENUM:
        compare_names(field, schema);
        break;
    case FIELD_DURATION:
        compare_durations(check, field, schema);
        compare_number(field, schema, "maxLength", (int64_t)field->length_max);
        break;
    case FIELD_STRING:
        compare_number(field, schema, "maxLength", (int64_t)field->length_max);
        if (field->min > 0 || json_get(schema, "minLength") != NULL) {
            compare_number(field, schema, "minLength", field->min);
        }
        break;
    case FIELD_MAP:
        compare_number(field, schema, "maxProperties", field->max);
        compare_number(field, json_get(schema, "additionalProperties"), "maxLength",
                       (int64_t)field->length_max);
        break;
    case FIELD_LIST:
    case FIELD_OBJECTS:
        compare_list(field, schema);
        break;
    case FIELD_BOOL:
    case FIELD_OBJECT:
    case FIELD_TYPE_MAX:
        break;
    }
}

/* The regular expression of a field: its pattern, or the literal in self.matches('...').
 */
static const char *expression_of(const struct json *schema, struct arena *arena)
{
    const char *pattern = json_get_string(schema, "pattern");
    if (pattern != NULL) {
        return pattern;
    }
    const char *rule = find_rule(schema, "self.matches('");
    if (rule == NULL) {
        return NULL;
    }
    const char *from = strstr(rule, "self.matches('") + strlen("self.matches('");
    char *text = arena_strdup(arena, from);
    size_t length = 0;
    for (; *from != '\'' && *from != '\0'; from++) {
        if (*from == '\\') {
            from++; /* CEL's own escape */
        }
        text[length++] = *from;
    }
    text[length] = '\0';
    return text;
}

static void compare_form(const struct check *check, const struct field *field,
                         const struct json *schema)
{
    if (field->type == FIELD_LIST) {
        schema = json_get(schema, "items");
    }
    const char *expression = expression_of(schema, check->arena);
    if ((expression == NULL) != (field->pattern == NULL)) {
        fail_msg("spec.%s: only one of the CRD and the decoder has a pattern",
                 field->path);
    }
    if (expression != NULL) {
        assert_non_null(field->allowed);
        test_pattern(field->path, field->pattern, expression);
    }
}

static void compare_immutable(const struct check *check, const struct field *field,
                              const struct json *schema)
{
    char whole[256];
    (void)snprintf(whole, sizeof(whole), "has(oldSelf.%s)", field->path);
    bool fixed = find_rule(schema, "self == oldSelf") != NULL ||
                 find_rule(check->spec, whole) != NULL;
    if (fixed != field->immutable) {
        fail_msg("spec.%s: immutable in only one of the two", field->path);
    }
}

static void compare_object(const struct check *check, const struct json *schema,
                           const char *prefix);
static void compare_rows(const struct check *check, const struct json *schema);

static void compare_items(const struct check *check, const struct field *field,
                          const struct json *schema)
{
    bool seen[16] = {false};
    struct check inner = *check;
    assert_string_equal(json_path_string(schema, "items.type"), "object");
    assert_true(field->item_count <= COUNT_OF(seen));
    inner.fields = field->items;
    inner.count = field->item_count;
    inner.spec = json_get(schema, "items");
    inner.head = arena_printf(check->arena, "spec.%s[].", field->path);
    inner.seen = seen;
    compare_rows(&inner, inner.spec);
}

static void compare_field(const struct check *check, const struct json *parent,
                          const struct json *schema, const char *prefix)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s%s", prefix, json_key(schema));
    const struct field *field = fields_find(check->fields, check->count, sv_from(path));
    if (field == NULL) {
        fail_msg("%s%s is in the CRD and not in the decoder", check->head, path);
    }
    check->seen[field - check->fields] = true;
    assert_string_equal(json_get_string(schema, "type"), wire_types[field->type]);
    assert_non_null(json_get_string(schema, "description"));
    if (list_has(json_get(parent, "required"), json_key(schema)) != field->required) {
        fail_msg("spec.%s: required in only one of the two", path);
    }
    compare_default(field, schema);
    compare_limits(check, field, schema);
    if (field->type != FIELD_MAP) {
        compare_form(check, field, schema);
    }
    compare_immutable(check, field, schema);
    if (field->type == FIELD_OBJECT) {
        (void)snprintf(path, sizeof(path), "%s.", field->path);
        compare_object(check, schema, path);
    } else if (field->type == FIELD_OBJECTS) {
        compare_items(check, field, schema);
    }
}

static void compare_object(const struct check *check, const struct json *schema,
                           const char *prefix)
{
    const struct json *properties = json_get(schema, "properties");
    for (const struct json *child = json_first(properties); child != NULL;
         child = json_next(child)) {
        compare_field(check, schema, child, prefix);
    }
}

/* Both ways: what the schema has and the rows lack, and the other way round. */
static void compare_rows(const struct check *check, const struct json *schema)
{
    compare_object(check, schema, "");
    for (size_t i = 0; i < check->count; i++) {
        if (!check->seen[i]) {
            fail_msg("%s%s is in the decoder and not in the CRD", check->head,
                     check->fields[i].path);
        }
    }
}

static void compare(const char *path, const struct field *fields, size_t count)
{
    struct json *documents AUTO(json_freep) = test_yaml_file(path);
    struct arena *arena AUTO(arena_freep) = arena_new(ARENA_CEILING_BYTES);
    const struct json *spec = json_path(test_schema(documents), "properties.spec");
    bool seen[128] = {false};
    assert_true(count <= COUNT_OF(seen));
    struct check check = {fields, count, spec, "spec.", seen, arena};
    compare_rows(&check, spec);
}

static void connections_agree(void **state)
{
    (void)state;
    size_t count = 0;
    const struct field *fields = fields_dbconn(&count);
    compare("crd/databaseconnections.yaml", fields, count);
}

static void tablesyncs_agree(void **state)
{
    (void)state;
    size_t count = 0;
    const struct field *fields = fields_tablesync(&count);
    compare("crd/tablesyncs.yaml", fields, count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_agree),
        cmocka_unit_test(tablesyncs_agree),
    };
    return cmocka_run_group_tests_name("model/crd", tests, NULL, NULL);
}
