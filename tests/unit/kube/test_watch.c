#include "kube/watch.h"
#include "kube_unit.h"

#include <stdlib.h>
#include <string.h>

struct seen {
    struct buf lines; /* joined by '|' */
    size_t count;
    size_t stop_at;  /* the line that ends it all; 0: none */
    size_t too_long; /* bytes of the last line that was left out */
};

static bool on_line(void *context, struct sv line, struct fault *fault)
{
    struct seen *seen = context;

    if (line.p == NULL) {
        seen->too_long = line.n;
        return true;
    }
    buf_add(&seen->lines, line);
    buf_addc(&seen->lines, '|');
    seen->count++;
    return seen->count != seen->stop_at || fault_set(fault, FAULT_SPEC, "Stop", "stop");
}

/* Feeds in pieces of `step` bytes, each in memory of exactly its size. */
static bool feed(struct watch_frame *frame, struct sv text, size_t step,
                 struct seen *seen, struct fault *fault)
{
    while (text.n > 0) {
        struct sv part = sv_sub(text, 0, step);
        char *bytes = malloc(part.n);
        assert_non_null(bytes);
        memcpy(bytes, part.p, part.n);
        bool ok =
            watch_frame_feed(frame, (struct sv){bytes, part.n}, on_line, seen, fault);
        free(bytes);
        if (!ok) {
            return false;
        }
        text = sv_sub(text, part.n, text.n);
    }
    return true;
}

#define STREAM                                                                           \
    "{\"a\":1}\n\n{\"b\":\"\xc3\xbc\"}\r\n   \n{\"c\":\"long long "                      \
    "long\"}\n{\"unfinished"

static void lines_come_whole_from_pieces_of_every_size(void **state)
{
    (void)state;
    struct sv text = SV(STREAM);

    for (size_t step = 1; step <= text.n; step++) {
        AUTO(watch_frame_deinit) struct watch_frame frame;
        struct seen seen = {0};
        struct fault f = FAULT_INIT;
        watch_frame_init(&frame, 64);
        buf_init(&seen.lines, 4096);
        assert_ok(feed(&frame, text, step, &seen, &f), f);
        assert_string_equal(buf_z(&seen.lines),
                            "{\"a\":1}|{\"b\":\"\xc3\xbc\"}|{\"c\":\"long long long\"}|");
        buf_deinit(&seen.lines);
    }
}

static void one_cut_anywhere_changes_nothing(void **state)
{
    (void)state;
    struct sv text = SV(STREAM);

    for (size_t cut = 0; cut <= text.n; cut++) {
        AUTO(watch_frame_deinit) struct watch_frame frame;
        struct seen seen = {0};
        struct fault f = FAULT_INIT;
        watch_frame_init(&frame, 64);
        buf_init(&seen.lines, 4096);
        assert_ok(feed(&frame, sv_sub(text, 0, cut), text.n, &seen, &f), f);
        assert_ok(feed(&frame, sv_sub(text, cut, text.n), text.n, &seen, &f), f);
        assert_int_equal(seen.count, 3);
        buf_deinit(&seen.lines);
    }
}

static void a_line_over_the_ceiling_is_left_out_however_it_comes(void **state)
{
    (void)state;
    AUTO(buf_deinit) struct buf text = {0};

    buf_init(&text, 4096);
    buf_addz(&text, "{\"a\":1}\n");
    for (int i = 0; i < 33; i++) {
        buf_addc(&text, 'x');
    }
    buf_addz(&text, "\n{\"b\":2}\n");
    for (size_t step = 1; step <= text.n; step++) {
        AUTO(watch_frame_deinit) struct watch_frame frame;
        struct seen seen = {0};
        struct fault f = FAULT_INIT;
        watch_frame_init(&frame, 32);
        buf_init(&seen.lines, 4096);
        assert_ok(feed(&frame, buf_sv(&text), step, &seen, &f), f);
        assert_string_equal(buf_z(&seen.lines), "{\"a\":1}|{\"b\":2}|");
        assert_int_equal(seen.too_long, 33);
        assert_true(frame.line.capacity <= 64);
        buf_deinit(&seen.lines);
    }
}

static void a_line_of_exactly_the_ceiling_is_taken(void **state)
{
    (void)state;
    for (size_t step = 1; step <= 9; step++) {
        AUTO(watch_frame_deinit) struct watch_frame frame;
        struct seen seen = {0};
        struct fault f = FAULT_INIT;
        watch_frame_init(&frame, 8);
        buf_init(&seen.lines, 64);
        assert_ok(feed(&frame, SV("12345678\n"), step, &seen, &f), f);
        assert_int_equal(seen.count, 1);
        buf_deinit(&seen.lines);
    }
}

static void the_reader_can_stop_between_two_lines(void **state)
{
    (void)state;
    AUTO(watch_frame_deinit) struct watch_frame frame;
    struct seen seen = {.stop_at = 2};
    struct fault f = FAULT_INIT;

    watch_frame_init(&frame, 64);
    buf_init(&seen.lines, 4096);
    assert_false(feed(&frame, SV("1\n2\n3\n"), 100, &seen, &f));
    assert_string_equal(f.reason, "Stop");
    assert_string_equal(buf_z(&seen.lines), "1|2|");
    buf_deinit(&seen.lines);
}

static const struct slim_rules ALL = {.resource = NULL};

static void events_are_told_apart(void **state)
{
    (void)state;
    const struct {
        const char *line;
        enum watch_kind kind;
    } rows[] = {
        {"{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\","
         "\"resourceVersion\":"
         "\"1\"}}}",
         WATCH_ADDED},
        {"{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":\"a\","
         "\"resourceVersion\":\"1\"}}}",
         WATCH_MODIFIED},
        {"{\"object\":{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"1\"}},"
         "\"type\":\"DELETED\"}",
         WATCH_DELETED},
        {"{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"1\"}}}",
         WATCH_BOOKMARK},
        {"{\"type\":\"ERROR\",\"object\":{\"code\":410}}", WATCH_ERROR},
        {"{\"type\":\"NEWER\",\"object\":{}}", WATCH_UNKNOWN},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buf_deinit) struct buf text = {0};
        struct watch_event event = {0};
        struct fault f = FAULT_INIT;
        buf_init(&text, SLIM_ROOM * 2);
        assert_ok(watch_event_parse(sv_from(rows[i].line), &ALL, &text, &event, &f), f);
        assert_int_equal(event.kind, rows[i].kind);
        assert_true(sv_starts(event.raw, SV("{")) && sv_ends(event.raw, SV("}")));
    }
}

static void what_is_not_an_event_is_a_fault(void **state)
{
    (void)state;
    const char *lines[] = {
        "garbage",
        "{\"type\":\"ADDED\"",
        "[]",
        "{}",
        "{\"type\":\"ADDED\"}",
        "{\"type\":7,\"object\":{}}",
        "{\"type\":\"ADDED\",\"object\":\"x\"}",
        "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\"}}}",
        "{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"resourceVersion\":\"1\"}}}",
        "{\"type\":\"BOOKMARK\",\"object\":{}}",
        "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\\u0062\","
        "\"resourceVersion\":\"1\"}}}",
        "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"n\\u0061me\":\"a\","
        "\"name\":\"b\",\"resourceVersion\":\"1\"}}}",
        "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\","
        "\"resourceVersion\":\"1\"}},\"object\":7}",
        "{\"type\":\"ERROR\",\"object\":{}} {}",
    };

    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        AUTO(buf_deinit) struct buf text = {0};
        struct watch_event event = {0};
        struct fault f = FAULT_INIT;
        buf_init(&text, SLIM_ROOM * 2);
        if (watch_event_parse(sv_from(lines[i]), &ALL, &text, &event, &f)) {
            fail_msg("'%s' was taken", lines[i]);
        }
        assert_string_equal(f.reason, "BadEvent");
        assert_int_equal(f.class, FAULT_UNAVAILABLE);
        assert_int_equal(event.kind, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_whole_from_pieces_of_every_size),
        cmocka_unit_test(one_cut_anywhere_changes_nothing),
        cmocka_unit_test(a_line_over_the_ceiling_is_left_out_however_it_comes),
        cmocka_unit_test(a_line_of_exactly_the_ceiling_is_taken),
        cmocka_unit_test(the_reader_can_stop_between_two_lines),
        cmocka_unit_test(events_are_told_apart),
        cmocka_unit_test(what_is_not_an_event_is_a_fault),
    };

    return cmocka_run_group_tests_name("kube/watch", tests, NULL, NULL);
}
