#include "base/json.h"
#include "base/log.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int64_t passed_ms; /* since the fixed moment; only tests turn it */

static int64_t fixed_now(const struct clock *self)
{
    (void)self;
    return INT64_C(1763870706123) + passed_ms;
}

static const struct clock fixed = {fixed_now, fixed_now};

struct sink {
    int fd;
    struct lg *lg;
    struct buf text;
};

static void sink_deinit(struct sink *s)
{
    lg_free(s->lg);
    (void)close(s->fd);
    buf_deinit(&s->text);
}

static void sink_init(struct sink *s, enum lg_level level)
{
    char path[] = "/tmp/tablesync-log-XXXXXX";

    s->fd = mkostemp(path, O_APPEND);
    assert_true(s->fd >= 0);
    (void)unlink(path);
    s->lg = lg_new(s->fd, level, &fixed);
    buf_init(&s->text, 64 << 20);
}

static const char *written(struct sink *s)
{
    char chunk[65536];
    off_t at = 0;
    ssize_t n = 0;

    buf_clear(&s->text);
    while ((n = pread(s->fd, chunk, sizeof(chunk), at)) > 0) {
        buf_add(&s->text, (struct sv){chunk, (size_t)n});
        at += n;
    }
    return buf_z(&s->text);
}

static void writes_one_json_line(void **state)
{
    (void)state;
    AUTO(sink_deinit) struct sink s;

    sink_init(&s, LG_INFO);
    lg_info(s.lg, "table created", LG_STR("table", "shop.\"o\"\n"), LG_INT("rows", -3),
            LG_STR("none", NULL));
    lg_error(s.lg, "failed");
    lg_debug(s.lg, "not seen");
    assert_string_equal(
        written(&s),
        "{\"level\":\"info\",\"ts\":\"2025-11-23T04:05:06.123000Z\",\"logger\":"
        "\"tablesync\","
        "\"msg\":\"table "
        "created\",\"table\":\"shop.\\\"o\\\"\\n\",\"rows\":-3,\"none\":\"\"}\n"
        "{\"level\":\"error\",\"ts\":\"2025-11-23T04:05:06.123000Z\",\"logger\":"
        "\"tablesync\","
        "\"msg\":\"failed\"}\n");
}

static void levels_filter(void **state)
{
    (void)state;
    AUTO(sink_deinit) struct sink s;
    enum lg_level level = LG_INFO;

    sink_init(&s, LG_ERROR);
    lg_info(s.lg, "no");
    assert_string_equal(written(&s), "");
    assert_false(lg_enabled(s.lg, LG_INFO));
    lg_set_level(s.lg, LG_DEBUG);
    assert_true(lg_enabled(s.lg, LG_DEBUG));
    lg_debug(s.lg, "yes");
    assert_contains(written(&s), "\"level\":\"debug\"");
    lg_info(NULL, "nowhere");
    assert_false(lg_enabled(NULL, LG_ERROR));
    assert_true(lg_level_parse("debug", &level));
    assert_int_equal(level, LG_DEBUG);
    assert_false(lg_level_parse("Debug", &level));
    assert_false(lg_level_parse("", &level));
    assert_false(lg_level_parse(NULL, &level));
    assert_int_equal(level, LG_DEBUG);
}

static struct json *only_line(struct sink *s)
{
    struct json *line = NULL;
    struct fault f = FAULT_INIT;
    const char *text = written(s);

    assert_ok(json_parse(sv_from(text), 64 << 20, &line, &f), f);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    return line;
}

static void bad_bytes_and_long_values_are_tamed(void **state)
{
    (void)state;
    AUTO(sink_deinit) struct sink s;
    static char longest[LG_VALUE_MAX + 1];
    static char longer[LG_VALUE_MAX + 100];

    sink_init(&s, LG_INFO);
    memset(longest, 'x', LG_VALUE_MAX);
    memset(longer, 'y', sizeof(longer) - 1);
    memcpy(longer + LG_VALUE_MAX - 4, "\xE2\x82\xAC", 3); /* across the cut */
    lg_info(s.lg, longer, LG_STR("bad", "a\xFF\xC3z"), LG_STR("fits", longest),
            LG_STR("cut", longer));
    AUTO(json_freep) struct json *line = only_line(&s);
    assert_string_equal(json_get_string(line, "bad"), "a\xEF\xBF\xBD\xEF\xBF\xBDz");
    assert_string_equal(json_get_string(line, "fits"), longest);
    const char *cut = json_get_string(line, "cut");
    assert_int_equal(strlen(cut), LG_VALUE_MAX - 1);
    assert_true(sv_ends(sv_from(cut), SV("y...")));
    assert_string_equal(json_get_string(line, "msg"), cut);
}

static void too_many_fields_leave_the_message(void **state)
{
    (void)state;
    AUTO(sink_deinit) struct sink s;
    static char value[LG_VALUE_MAX + 1];
    static struct lg_field fields[100];

    sink_init(&s, LG_INFO);
    memset(value, 1, LG_VALUE_MAX);
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        fields[i] = LG_STR("k", value);
    }
    lg_write(s.lg, LG_INFO, "tablesync", "much", fields, COUNT_OF(fields));
    AUTO(json_freep) struct json *line = only_line(&s);
    assert_string_equal(json_get_string(line, "msg"), "much");
    assert_true(json_bool(json_get(line, "cut"), false));
}

static void errno_survives_and_failures_are_silent(void **state)
{
    (void)state;
    struct lg *lg = lg_new(-1, LG_INFO, NULL);

    errno = ERANGE;
    lg_info(lg, "into the void");
    assert_int_equal(errno, ERANGE);
    lg_free(lg);
    lg_free(NULL);
}

static int lines_with(const char *text, const char *part)
{
    int count = 0;

    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        count++;
    }
    return count;
}

static void fail_often(struct lg *lg, int times, const char *reason)
{
    for (int i = 0; i < times; i++) {
        lg_error(lg, "reconcile failed", LG_GROUP("reason", reason), LG_INT("n", i));
    }
}

static void alike_errors_are_counted_after_the_first(void **state)
{
    (void)state;
    AUTO(sink_deinit) struct sink s;

    sink_init(&s, LG_INFO);
    fail_often(s.lg, 10000, "Unreachable");
    fail_often(s.lg, LG_ALIKE_MAX, "SinkFailed");
    for (int i = 0; i < 3 * LG_ALIKE_MAX; i++) {
        lg_info(s.lg, "statement succeeded"); /* work is told, however much */
    }
    assert_int_equal(lines_with(written(&s), "\"reason\":\"Unreachable\""), LG_ALIKE_MAX);
    assert_int_equal(lines_with(written(&s), "\"reason\":\"SinkFailed\""), LG_ALIKE_MAX);
    assert_int_equal(lines_with(written(&s), "statement succeeded"), 3 * LG_ALIKE_MAX);
    assert_null(strstr(written(&s), "left out"));
    assert_int_equal(lg_numbers(s.lg).suppressed, 10000 - LG_ALIKE_MAX);
    assert_int_equal(lg_numbers(s.lg).lines[LG_ERROR], 2 * LG_ALIKE_MAX);
}

static void what_was_left_out_is_told_when_the_minute_is_over(void **state)
{
    (void)state;
    AUTO(sink_deinit) struct sink s;

    sink_init(&s, LG_INFO);
    fail_often(s.lg, LG_ALIKE_MAX + 7, "Unreachable");
    passed_ms += LG_ALIKE_MS - 1;
    lg_flush(s.lg);
    assert_null(strstr(written(&s), "left out"));
    passed_ms += 1;
    lg_flush(s.lg);
    lg_flush(s.lg);
    assert_int_equal(lines_with(written(&s),
                                "\"suppressed\":\"reconcile failed\",\"group\":"
                                "\"Unreachable\",\"lines\":7}"),
                     1);
    fail_often(s.lg, LG_ALIKE_MAX + 1, "Unreachable"); /* a new minute */
    assert_int_equal(lines_with(written(&s), "\"reason\":\"Unreachable\""),
                     2 * LG_ALIKE_MAX);
    passed_ms += LG_ALIKE_MS;
    lg_info(s.lg, "anything");
    assert_int_equal(lines_with(written(&s), "\"lines\":1}"), 1);
}

static void the_end_tells_what_was_left_out(void **state)
{
    (void)state;
    AUTO(sink_deinit) struct sink s;

    sink_init(&s, LG_INFO);
    fail_often(s.lg, LG_ALIKE_MAX + 2, "Unreachable");
    lg_free(TAKE(s.lg));
    assert_int_equal(lines_with(written(&s), "\"lines\":2}"), 1);
}

static void many_kinds_of_errors_forget_no_count(void **state)
{
    (void)state;
    AUTO(sink_deinit) struct sink s;
    char reason[16];

    sink_init(&s, LG_INFO);
    for (int i = 0; i < 500; i++) {
        (void)snprintf(reason, sizeof(reason), "r%d", i);
        fail_often(s.lg, LG_ALIKE_MAX + 1, reason);
    }
    lg_free(TAKE(s.lg));
    assert_int_equal(lines_with(written(&s), "left out"), 500);
}

static void the_level_is_switched_while_it_runs(void **state)
{
    (void)state;
    AUTO(sink_deinit) struct sink s;

    sink_init(&s, LG_INFO);
    lg_toggle_debug(s.lg);
    assert_int_equal(lg_get_level(s.lg), LG_DEBUG);
    lg_debug(s.lg, "seen");
    lg_toggle_debug(s.lg);
    assert_int_equal(lg_get_level(s.lg), LG_INFO);
    lg_debug(s.lg, "unseen");
    lg_set_level(s.lg, LG_ERROR);
    lg_toggle_debug(s.lg);
    assert_int_equal(lg_get_level(s.lg), LG_DEBUG);
    assert_contains(written(&s), "\"msg\":\"seen\"");
    assert_null(strstr(written(&s), "unseen"));
    assert_string_equal(lg_level_name(LG_ERROR), "error");
    assert_int_equal(lg_get_level(NULL), LG_LEVEL_MAX);
    assert_string_equal(lg_level_name(LG_LEVEL_MAX), "none");
}

static void two_members(struct buf *line, const char *text)
{
    buf_addf(line, ",\"a\":{\"x\":%s},\"b\":1", text);
}

static void members_are_written_as_they_are(void **state)
{
    (void)state;
    AUTO(sink_deinit) struct sink s;

    sink_init(&s, LG_INFO);
    lg_info(s.lg, "m", LG_MEMBERS(two_members, "7"), LG_INT("c", 2));
    AUTO(json_freep) struct json *line = only_line(&s);
    assert_int_equal(json_path_int(line, "a.x", 0), 7);
    assert_int_equal(json_path_int(line, "c", 0), 2);
}

enum { THREADS = 4, LINES = 200 };

static void *talk(void *lg)
{
    char value[3000];

    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    for (int i = 0; i < LINES; i++) {
        lg_info(lg, "line", LG_STR("value", value));
        lg_set_level(lg, LG_DEBUG);
    }
    return NULL;
}

static void threads_do_not_mix_their_lines(void **state)
{
    (void)state;
    AUTO(sink_deinit) struct sink s;
    pthread_t threads[THREADS];

    sink_init(&s, LG_INFO);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, talk, s.lg), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    struct sv left = sv_from(written(&s));
    int lines = 0;
    for (; left.n > 0; lines++) {
        AUTO(json_freep) struct json *line = NULL;
        struct fault f = FAULT_INIT;
        assert_ok(json_parse(sv_cut(&left, '\n'), 100000, &line, &f), f);
        assert_int_equal(strlen(json_get_string(line, "value")), 2999);
    }
    assert_int_equal(lines, THREADS * LINES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_one_json_line),
        cmocka_unit_test(levels_filter),
        cmocka_unit_test(bad_bytes_and_long_values_are_tamed),
        cmocka_unit_test(too_many_fields_leave_the_message),
        cmocka_unit_test(errno_survives_and_failures_are_silent),
        cmocka_unit_test(alike_errors_are_counted_after_the_first),
        cmocka_unit_test(what_was_left_out_is_told_when_the_minute_is_over),
        cmocka_unit_test(the_end_tells_what_was_left_out),
        cmocka_unit_test(many_kinds_of_errors_forget_no_count),
        cmocka_unit_test(the_level_is_switched_while_it_runs),
        cmocka_unit_test(members_are_written_as_they_are),
        cmocka_unit_test(threads_do_not_mix_their_lines),
    };
    return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
