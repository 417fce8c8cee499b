#include "base/fault.h"
#include "unit.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void sets_class_reason_and_sentence(void **state)
{
    (void)state;
    struct fault f = FAULT_INIT;

    assert_false(
        fault_set(&f, FAULT_DENIED, "BadPassword", "user '%s' is refused", "repl"));
    assert_int_equal(f.class, FAULT_DENIED);
    assert_string_equal(f.reason, "BadPassword");
    assert_string_equal(f.text, "user 'repl' is refused");
    assert_string_equal(f.code, "");
}

static void takes_the_default_reason(void **state)
{
    (void)state;
    struct fault f = FAULT_INIT;

    (void)fault_set(&f, FAULT_SPEC, NULL, "x");
    assert_string_equal(f.reason, "InvalidSpec");
    assert_false(fault_reason(&f, "NoPrimaryKey"));
    assert_string_equal(f.reason, "NoPrimaryKey");
    assert_string_equal(f.text, "x");
}

static void keeps_the_code_until_set_again(void **state)
{
    (void)state;
    struct fault f = FAULT_INIT;

    (void)fault_set(&f, FAULT_DENIED, NULL, "x");
    assert_false(fault_code(&f, "%d", 1045));
    assert_string_equal(f.code, "1045");
    (void)fault_wrap(&f, "connect");
    assert_string_equal(f.code, "1045");
    (void)fault_code(&f, "%s", "0123456789abcdefXYZ");
    assert_string_equal(f.code, "0123456789abcde");
    (void)fault_set(&f, FAULT_DENIED, NULL, "y");
    assert_string_equal(f.code, "");
}

static void wraps_in_front(void **state)
{
    (void)state;
    struct fault f = FAULT_INIT;

    (void)fault_set(&f, FAULT_UNAVAILABLE, NULL, "connection refused");
    assert_false(fault_wrap(&f, "host %s", "db"));
    assert_false(fault_wrap(&f, "table %d", 7));
    assert_string_equal(f.text, "table 7: host db: connection refused");
}

static void cuts_at_a_character(void **state)
{
    (void)state;
    char text[4001];

    /* The offset moves the cut over every byte of the four-byte character. */
    for (size_t offset = 0; offset < 4; offset++) {
        struct fault f = FAULT_INIT;
        memset(text, 'a', offset);
        for (size_t i = offset; i + 4 < sizeof(text); i += 4) {
            memcpy(text + i, "\xF0\x9F\x90\xA7", 5);
        }
        (void)fault_set(&f, FAULT_SPEC, NULL, "%s", text);
        assert_true(sv_is_utf8(sv_from(f.text)));
        assert_true(sv_ends(sv_from(f.text), SV("\xA7...")));
        assert_in_range(strlen(f.text), sizeof(f.text) - 4, sizeof(f.text) - 1);
    }
}

static void fits_exactly_without_dots(void **state)
{
    (void)state;
    struct fault f = FAULT_INIT;
    char text[sizeof(f.text)];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    (void)fault_set(&f, FAULT_SPEC, NULL, "%s", text);
    assert_string_equal(f.text, text);
}

static void wraps_a_full_text(void **state)
{
    (void)state;
    struct fault f = FAULT_INIT;
    char text[3000];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    (void)fault_set(&f, FAULT_SPEC, NULL, "%s", text);
    (void)fault_wrap(&f, "outer");
    assert_int_equal(strlen(f.text), sizeof(f.text) - 1);
    assert_true(sv_starts(sv_from(f.text), SV("outer: xxx")));
    assert_true(sv_ends(sv_from(f.text), SV("x...")));
    /* A context without end leaves room for the cause. */
    (void)fault_set(&f, FAULT_SPEC, NULL, "the cause");
    (void)fault_wrap(&f, "%s", text);
    assert_true(sv_ends(sv_from(f.text), SV("x...: the cause")));
}

static void replaces_what_is_not_utf8(void **state)
{
    (void)state;
    struct fault f = FAULT_INIT;

    (void)fault_set(&f, FAULT_REFUSED, NULL, "table '%s'", "caf\xE9\xFF.");
    assert_string_equal(f.text, "table 'caf??.'");
    (void)fault_wrap(&f, "\xC3(");
    assert_string_equal(f.text, "?(: table 'caf??.'");
}

static void may_read_itself(void **state)
{
    (void)state;
    struct fault f = FAULT_INIT;

    (void)fault_set(&f, FAULT_SPEC, "A", "inner");
    (void)fault_set(&f, FAULT_REFUSED, f.reason, "outer (%s)", f.text);
    assert_string_equal(f.text, "outer (inner)");
    assert_string_equal(f.reason, "A");
}

static void clears(void **state)
{
    (void)state;
    struct fault f = FAULT_INIT;

    (void)fault_set(&f, FAULT_SPEC, NULL, "x");
    fault_clear(&f);
    assert_int_equal(f.class, FAULT_NONE);
    assert_string_equal(f.text, "");
    assert_string_equal(f.reason, "");
}

static void every_class_is_described(void **state)
{
    (void)state;

    for (int c = FAULT_NONE + 1; c < FAULT_MAX; c++) {
        assert_true(strlen(fault_class_name((enum fault_class)c)) > 0);
        assert_true(strlen(fault_class_reason((enum fault_class)c)) > 0);
        assert_true(strlen(fault_class_meaning((enum fault_class)c)) > 10);
    }
    assert_string_equal(fault_class_name(FAULT_UNAVAILABLE), "Unavailable");
    assert_string_equal(fault_class_reason(FAULT_DENIED), "AccessDenied");
    assert_int_equal(fault_class_retry(FAULT_SPEC), FAULT_RETRY_NONE);
    assert_int_equal(fault_class_retry(FAULT_CONFLICT), FAULT_RETRY_SOON);
    assert_int_equal(fault_class_retry(FAULT_BUG), FAULT_RETRY_SLOW);
}

static void must_ends_the_process(void **state)
{
    (void)state;
    int out[2];
    char said[200] = "";

    assert_int_equal(pipe(out), 0);
    pid_t child = fork();
    if (child == 0) {
        (void)dup2(out[1], STDERR_FILENO);
        must(child != 0);
        _exit(0);
    }
    (void)close(out[1]);
    ssize_t n = read(out[0], said, sizeof(said) - 1);
    (void)close(out[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_true(n > 0);
    assert_contains(said, "broken invariant: child != 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_class_reason_and_sentence),
        cmocka_unit_test(takes_the_default_reason),
        cmocka_unit_test(keeps_the_code_until_set_again),
        cmocka_unit_test(wraps_in_front),
        cmocka_unit_test(cuts_at_a_character),
        cmocka_unit_test(fits_exactly_without_dots),
        cmocka_unit_test(wraps_a_full_text),
        cmocka_unit_test(replaces_what_is_not_utf8),
        cmocka_unit_test(may_read_itself),
        cmocka_unit_test(clears),
        cmocka_unit_test(every_class_is_described),
        cmocka_unit_test(must_ends_the_process),
    };
    return cmocka_run_group_tests_name("base/fault", tests, NULL, NULL);
}
