#include "kube_unit.h"

#include "kube/errors.h"

static const struct kube_resource syncs = {"tablesync.dev", "v1alpha1", "tablesyncs",
                                           "TableSync"};

static const struct errors_call get = {
    .verb = "get", .resource = &syncs, .namespace = "shop", .name = "orders"};
static const struct errors_call list = {.verb = "list", .resource = &syncs};
static const struct errors_call apply = {.verb = "patch",
                                         .resource = &syncs,
                                         .namespace = "shop",
                                         .name = "orders",
                                         .subresource = "status"};
static const struct errors_call patch = {.verb = "patch",
                                         .resource = &syncs,
                                         .namespace = "shop",
                                         .name = "orders",
                                         .json_patch = true};

#define BODY(reason, more)                                                               \
    "{\"kind\":\"Status\",\"message\":\"server words\",\"reason\":\"" reason "\"" more "}"
#define CAUSE(reason) ",\"details\":{\"causes\":[{\"reason\":\"" reason "\"}]}"
#define FIELD ",\"details\":{\"causes\":[{\"field\":\"spec.x\",\"message\":\"is odd\"}]}"

/* As errors.def has them, and what the rows make of each. */
static const struct {
    int code;
    const char *body;
    enum kube_outcome outcome; /* 0: a fault */
    enum fault_class class;
    const char *reason;
    bool keeps, keeps_in_stream; /* the version of a watch */
    const char *words;
} rows[] = {
    {400, BODY("BadRequest", ""), 0, FAULT_BUG, "BadRequest", false, false, "too old"},
    {401, BODY("Unauthorized", ""), 0, FAULT_DENIED, "Unauthorized", true, true, "token"},
    {403, BODY("Forbidden", ""), 0, FAULT_DENIED, "Forbidden", true, true,
     "{apiGroups: [\"tablesync.dev\"], resources: [\"tablesyncs\"], verbs: [\"get\"]}"},
    {403, BODY("Forbidden", CAUSE("NamespaceTerminating")), 0, FAULT_UNAVAILABLE,
     "NamespaceTerminating", false, false, "being deleted"},
    {404, BODY("NotFound", ""), KUBE_NOT_FOUND, 0, NULL, false, false, "server words"},
    {404, "404 page not found", 0, FAULT_UNAVAILABLE, "NotServed", false, false,
     "CustomResourceDefinitions"},
    {404, "<html>", 0, FAULT_UNAVAILABLE, "NotServed", false, false, "\"<html>\""},
    {405, "", 0, FAULT_BUG, "MethodNotAllowed", false, false, "no reason given"},
    {408, "", 0, FAULT_UNAVAILABLE, "Timeout", true, true, "too long to arrive"},
    {409, BODY("AlreadyExists", ""), KUBE_EXISTS, 0, NULL, false, false, "server words"},
    {409, BODY("Conflict", ""), KUBE_CONFLICT, 0, NULL, false, false, "server words"},
    {409, "", KUBE_CONFLICT, 0, NULL, false, false, "no reason given"},
    {410, BODY("Expired", ""), KUBE_GONE, 0, NULL, false, false, "server words"},
    {410, BODY("Gone", ""), KUBE_GONE, 0, NULL, false, false, "server words"},
    {413, "", 0, FAULT_BUG, "RequestTooLarge", false, false, "larger"},
    {415, "", 0, FAULT_BUG, "UnsupportedMediaType", false, false, "patch"},
    {422, BODY("Invalid", FIELD), KUBE_INVALID, 0, NULL, false, false, "server words"},
    {422, BODY("Invalid", ""), KUBE_INVALID, 0, NULL, false, false, "server words"},
    {429, BODY("TooManyRequests", ""), 0, FAULT_UNAVAILABLE, "TooManyRequests", true,
     true, "when the server allows"},
    {500, BODY("InternalError", ""), 0, FAULT_UNAVAILABLE, "ServerError", true, false,
     "log"},
    {502, "<html>\n</html>", 0, FAULT_UNAVAILABLE, "BadGateway", true, true,
     "\"<html>\"; retried"},
    {503, "", 0, FAULT_UNAVAILABLE, "Unavailable", true, true, "not ready"},
    {504, BODY("Timeout", ""), 0, FAULT_UNAVAILABLE, "Timeout", true, true, "too slow"},
    {504, BODY("Timeout", CAUSE("ResourceVersionTooLarge")), 0, FAULT_UNAVAILABLE,
     "ResourceVersionTooLarge", false, false, "newest state"},
    /* Codes without a row. */
    {418, "", 0, FAULT_BUG, "BadRequest", false, false, "refuses the request"},
    {507, "", 0, FAULT_UNAVAILABLE, "ServerError", true, false, "log"},
    {301, "", 0, FAULT_UNAVAILABLE, "Redirected", false, false, "not followed"},
    {307, "", 0, FAULT_UNAVAILABLE, "Redirected", false, false, "credentials"},
    {100, "", 0, FAULT_UNAVAILABLE, "BadAnswer", false, false, "not a Kubernetes API"},
    {0, "", 0, FAULT_UNAVAILABLE, "BadAnswer", false, false, "not a Kubernetes API"},
};

static void every_answer_has_its_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct errors_answer answer = {.status = rows[i].code,
                                             .body = sv_from(rows[i].body)};
        AUTO(buf_deinit) struct buf words = {0};
        struct fault fault = FAULT_INIT;
        enum kube_outcome outcome = KUBE_OUTCOME_MAX;
        int wait_s = -1;

        buf_init(&words, 65536);
        bool ok = errors_classify(&get, &answer, &outcome, &words, &wait_s, &fault);
        assert_int_equal(wait_s, 0);
        assert_int_equal(ok, rows[i].outcome != 0);
        if (ok) {
            assert_int_equal(outcome, rows[i].outcome);
            assert_string_equal(buf_z(&words), rows[i].words);
        } else {
            assert_int_equal(outcome, KUBE_OUTCOME_MAX);
            assert_int_equal(fault.class, rows[i].class);
            assert_string_equal(fault.reason, rows[i].reason);
            assert_contains(fault.text,
                            "get tablesyncs.tablesync.dev shop/orders: HTTP ");
            assert_contains(fault.text, rows[i].words);
        }
        assert_int_equal(errors_keeps_version(&answer, false), rows[i].keeps);
        assert_int_equal(errors_keeps_version(&answer, true), rows[i].keeps_in_stream);
    }
}

static void every_success_is_one(void **state)
{
    (void)state;
    for (int code = 200; code < 300; code++) {
        const struct errors_answer answer = {.status = code, .retry_after_s = 9};
        struct fault fault = FAULT_INIT;
        enum kube_outcome outcome = KUBE_OUTCOME_MAX;
        int wait_s = -1;

        assert_ok(errors_classify(&get, &answer, &outcome, NULL, &wait_s, &fault), fault);
        assert_int_equal(outcome, KUBE_OK);
        assert_int_equal(wait_s, 0);
    }
}

static void a_patch_whose_test_fails_is_a_conflict(void **state)
{
    (void)state;
    const struct {
        const struct errors_call *call;
        const char *body;
        enum kube_outcome outcome;
    } cases[] = {
        {&patch, BODY("Invalid", ""), KUBE_CONFLICT},
        {&patch, BODY("Invalid", FIELD), KUBE_INVALID},
        {&apply, BODY("Invalid", ""), KUBE_INVALID},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct errors_answer answer = {.status = 422,
                                             .body = sv_from(cases[i].body)};
        struct fault fault = FAULT_INIT;
        enum kube_outcome outcome = KUBE_OUTCOME_MAX;
        int wait_s = 0;

        assert_ok(
            errors_classify(cases[i].call, &answer, &outcome, NULL, &wait_s, &fault),
            fault);
        assert_int_equal(outcome, cases[i].outcome);
    }
}

static void causes_speak_where_the_message_is_empty(void **state)
{
    (void)state;
    static const char body[] =
        "{\"kind\":\"Status\",\"message\":\"\",\"reason\":\"Invalid\",\"details\":{"
        "\"causes\":[{\"field\":\"spec.x\",\"message\":\"is odd\"},{\"reason\":\"Odd\"},"
        "{\"message\":\"and late\"}]}}";
    const struct errors_answer answer = {.status = 422, .body = sv_from(body)};
    AUTO(buf_deinit) struct buf words = {0};
    struct fault fault = FAULT_INIT;
    enum kube_outcome outcome = KUBE_OK;
    int wait_s = 0;

    buf_init(&words, 65536);
    assert_ok(errors_classify(&apply, &answer, &outcome, &words, &wait_s, &fault), fault);
    assert_string_equal(buf_z(&words), "spec.x: is odd; and late");
}

static void retry_after_is_the_larger_of_two_and_capped(void **state)
{
    (void)state;
    static const char body[] =
        "{\"kind\":\"Status\",\"details\":{\"retryAfterSeconds\":5}}";
    const struct {
        int code, header_s;
        const char *body;
        int expected_s;
    } cases[] = {
        {429, 3, body, 5}, {429, 8, body, 8}, {503, 0, body, 5},      {500, 2, "", 2},
        {504, 99, "", 60}, {429, -4, "", 0},  {429, 2000000, "", 60}, {409, 8, body, 0},
        {401, 8, body, 0}, {302, 8, "", 0},   {404, 8, body, 0},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct errors_answer answer = {.status = cases[i].code,
                                             .retry_after_s = cases[i].header_s,
                                             .body = sv_from(cases[i].body)};
        struct fault fault = FAULT_INIT;
        enum kube_outcome outcome = KUBE_OK;
        int wait_s = -1;

        (void)!errors_classify(&get, &answer, &outcome, NULL, &wait_s, &fault);
        assert_int_equal(wait_s, cases[i].expected_s);
    }
}

/* What a load balancer or a proxy says is cut to a line, and never makes a message. */
static void words_of_strangers_are_cut(void **state)
{
    (void)state;
    AUTO(buf_deinit) struct buf page = {0};
    struct fault fault = FAULT_INIT;
    enum kube_outcome outcome = KUBE_OK;
    int wait_s = 0;

    buf_init(&page, 1024 * 1024);
    buf_addf(&page, "  <html>%01000d\nsecond line", 0);
    const struct errors_answer answer = {.status = 502, .body = buf_sv(&page)};
    assert_false(errors_classify(&get, &answer, &outcome, NULL, &wait_s, &fault));
    assert_contains(fault.text, "\"<html>0000");
    assert_lacks(fault.text, "second line");
    assert_true(strlen(fault.text) < 500);
    const struct errors_answer binary = {.status = 502, .body = SV("\xff\xfe")};
    assert_false(errors_classify(&get, &binary, &outcome, NULL, &wait_s, &fault));
    assert_contains(fault.text, "no reason given");
}

static void a_success_must_be_what_was_asked_for(void **state)
{
    (void)state;
    const struct {
        const struct errors_call *call;
        const char *body, *reason, *words; /* reason NULL: it is */
    } cases[] = {
        {&get, "{\"kind\":\"TableSync\"}", NULL, NULL},
        {&list, "{\"kind\":\"TableSyncList\",\"items\":[]}", NULL, NULL},
        {&patch, "{\"kind\":\"TableSync\"}", NULL, NULL},
        {&patch, "{\"metadata\":{}}", NULL, NULL},
        {&get, "", "BadAnswer", "is empty"},
        {&get, " \n", "BadAnswer", "is empty"},
        {&get, "\n <!doctype html>", "BadAnswer", "a web page"},
        {&get, "ok", "BadAnswer", "not JSON"},
        {&get, "{\"kind\":\"TableSync\"", "BadAnswer", "not JSON"},
        {&get, "[]", "BadAnswer", "not a JSON object"},
        {&get, "null", "BadAnswer", "not a JSON object"},
        {&get, "{}", "WrongKind", "another kind"},
        {&get, "{\"kind\":\"Pod\"}", "WrongKind", "another kind"},
        {&get, "{\"kind\":7}", "WrongKind", "another kind"},
        {&get, "{\"kind\":\"TableSyncList\"}", "WrongKind", "a list and not the object"},
        {&get, "{\"kind\":\"Status\",\"message\":\"why\"}", "WrongKind",
         "a Status and not"},
        {&get, "{\"kind\":\"Status\",\"message\":\"why\"}", "WrongKind", ": why"},
        {&list, "{\"kind\":\"TableSync\"}", "WrongKind", "another kind"},
        {&list, "{\"kind\":\"PodList\"}", "WrongKind", "another kind"},
        {&list, "{\"items\":[]}", "WrongKind", "another kind"},
        {&patch, "{\"kind\":\"Status\"}", "WrongKind", "a Status and not"},
        {&patch, "{\"kind\":\"TableSyncList\"}", "WrongKind", "a list and not"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(json_freep) struct json *root = NULL;
        struct fault fault = FAULT_INIT;
        struct sv body = sv_from(cases[i].body);

        if (!json_parse(body, 65536, &root, &fault)) {
            root = NULL;
        }
        fault_clear(&fault);
        bool ok = errors_check_body(cases[i].call, body, root, &fault);
        if (ok != (cases[i].reason == NULL)) {
            fail_msg("%s: %s", cases[i].body, fault.text);
        }
        if (!ok) {
            assert_int_equal(fault.class, FAULT_UNAVAILABLE);
            assert_string_equal(fault.reason, cases[i].reason);
            assert_contains(fault.text, cases[i].words);
            assert_contains(fault.text, "tablesyncs.tablesync.dev");
        }
    }
}

static void every_break_has_words(void **state)
{
    (void)state;
    for (int i = 0; i < ERRORS_BREAK_MAX; i++) {
        const char *reason = errors_break_reason((enum errors_break)i);

        assert_true(reason[0] >= 'A' && reason[0] <= 'Z');
        assert_true(strlen(errors_break_text((enum errors_break)i)) > 10);
    }
    assert_string_equal(errors_break_reason(ERRORS_BREAK_REFUSED), "ConnectionRefused");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_has_its_row),
        cmocka_unit_test(every_success_is_one),
        cmocka_unit_test(a_patch_whose_test_fails_is_a_conflict),
        cmocka_unit_test(causes_speak_where_the_message_is_empty),
        cmocka_unit_test(retry_after_is_the_larger_of_two_and_capped),
        cmocka_unit_test(words_of_strangers_are_cut),
        cmocka_unit_test(a_success_must_be_what_was_asked_for),
        cmocka_unit_test(every_break_has_words),
    };

    return cmocka_run_group_tests_name("kube/errors", tests, NULL, NULL);
}
