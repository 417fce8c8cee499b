#include "kube/page.h"
#include "kube_unit.h"

#include <stdlib.h>

struct seen {
    struct buf items; /* joined by '|' */
    size_t too_long, count, stop_at;
};

static bool on_item(void *context, struct sv item, struct fault *fault)
{
    struct seen *seen = context;

    seen->count++;
    if (item.p == NULL) {
        seen->too_long = item.n;
    } else {
        buf_add(&seen->items, item);
        buf_addc(&seen->items, '|');
    }
    return seen->count != seen->stop_at || fault_set(fault, FAULT_SPEC, "Stop", "stop");
}

static bool feed(struct page *page, struct sv text, size_t step, struct fault *fault)
{
    while (text.n > 0) {
        struct sv part = sv_sub(text, 0, step);
        char *bytes = malloc(part.n); /* of exactly its size */
        assert_non_null(bytes);
        memcpy(bytes, part.p, part.n);
        bool ok = page_feed(page, (struct sv){bytes, part.n}, fault);
        free(bytes);
        if (!ok) {
            return false;
        }
        text = sv_sub(text, part.n, text.n);
    }
    return true;
}

#define DOCUMENT                                                                         \
    "{\"kind\":\"List\",\"metadata\":{\"items\":[{\"no\":1}],\"continue\":"              \
    "\"it\\\"ems\","                                                                     \
    "\"resourceVersion\":\"9\"},\"items\" : [ {\"a\":\"}]\\\"{\"} "                      \
    ",{\"b\":[{\"c\":[]}]}, "                                                            \
    "{}\n],\"after\":\"items\"}"

static void items_come_whole_from_pieces_of_every_size(void **state)
{
    (void)state;
    struct sv text = SV(DOCUMENT);

    for (size_t step = 1; step <= text.n; step++) {
        struct seen seen = {0};
        AUTO(page_deinit) struct page page;
        AUTO(json_freep) struct json *rest = NULL;
        struct fault f = FAULT_INIT;
        buf_init(&seen.items, 4096);
        page_init(&page, 64, on_item, &seen);
        assert_ok(feed(&page, text, step, &f), f);
        assert_ok(page_finish(&page, &rest, &f), f);
        assert_string_equal(buf_z(&seen.items),
                            "{\"a\":\"}]\\\"{\"}|{\"b\":[{\"c\":[]}]}|{}|");
        assert_string_equal(json_path_string(rest, "metadata.continue"), "it\"ems");
        assert_string_equal(json_path_string(rest, "metadata.resourceVersion"), "9");
        assert_string_equal(json_get_string(rest, "after"), "items");
        assert_int_equal(json_size(json_path(rest, "metadata.items")), 1);
        buf_deinit(&seen.items);
    }
}

static void an_item_above_the_ceiling_is_left_out_however_it_comes(void **state)
{
    (void)state;
    struct sv text = SV("{\"items\":[{\"a\":1},{\"long\":\"0123456789\"},{\"b\":2}]}");

    for (size_t step = 1; step <= text.n; step++) {
        struct seen seen = {0};
        AUTO(page_deinit) struct page page;
        AUTO(json_freep) struct json *rest = NULL;
        struct fault f = FAULT_INIT;
        buf_init(&seen.items, 4096);
        page_init(&page, 16, on_item, &seen);
        assert_ok(feed(&page, text, step, &f), f);
        assert_ok(page_finish(&page, &rest, &f), f);
        assert_string_equal(buf_z(&seen.items), "{\"a\":1}|{\"b\":2}|");
        assert_int_equal(seen.too_long, strlen("{\"long\":\"0123456789\"}"));
        buf_deinit(&seen.items);
    }
}

static void what_is_no_list_is_a_fault_at_the_end(void **state)
{
    (void)state;
    const char *const texts[] = {
        "",
        "<html>",
        "[]",
        "{}",
        "{\"items\":{}}",
        "{\"items\":[7]}",
        "{\"items\":[\"{}\"]}",
        "{\"items\":[{}",
        "{\"items\":[{}]",
        "{\"items\":[{\"a\":\"",
        "{\"items\":[]}}",
        "{\"it\\u0065ms\":[{}]}",
    };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct seen seen = {0};
        AUTO(page_deinit) struct page page;
        AUTO(json_freep) struct json *rest = NULL;
        struct fault f = FAULT_INIT;
        buf_init(&seen.items, 4096);
        page_init(&page, 64, on_item, &seen);
        assert_ok(feed(&page, sv_from(texts[i]), 3, &f), f);
        if (page_finish(&page, &rest, &f)) {
            fail_msg("'%s' was taken", texts[i]);
        }
        assert_string_equal(f.reason, "BadAnswer");
        buf_deinit(&seen.items);
    }
}

static void a_list_without_items_is_an_empty_one(void **state)
{
    (void)state;
    const char *const texts[] = {"{\"items\":null}", "{\"items\":[]}",
                                 "{\"items\": [ ] }"};

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct seen seen = {0};
        AUTO(page_deinit) struct page page;
        AUTO(json_freep) struct json *rest = NULL;
        struct fault f = FAULT_INIT;
        page_init(&page, 64, on_item, &seen);
        assert_ok(feed(&page, sv_from(texts[i]), 1, &f), f);
        assert_ok(page_finish(&page, &rest, &f), f);
        assert_int_equal(seen.count, 0);
    }
}

static void what_is_around_the_items_has_a_ceiling(void **state)
{
    (void)state;
    struct seen seen = {0};
    AUTO(page_deinit) struct page page;
    struct fault f = FAULT_INIT;
    bool good = true;

    page_init(&page, 64, on_item, &seen);
    for (size_t i = 0; good && i < PAGE_REST_MAX / 8 + 2; i++) {
        good = page_feed(&page, SV("{\"a\":1, "), &f);
    }
    assert_false(good);
    assert_string_equal(f.reason, "BadAnswer");
}

static void the_reader_can_stop_between_two_items(void **state)
{
    (void)state;
    struct seen seen = {.stop_at = 2};
    AUTO(page_deinit) struct page page;
    struct fault f = FAULT_INIT;

    buf_init(&seen.items, 4096);
    page_init(&page, 64, on_item, &seen);
    assert_false(feed(&page, SV("{\"items\":[{},{},{}]}"), 100, &f));
    assert_string_equal(f.reason, "Stop");
    assert_int_equal(seen.count, 2);
    buf_deinit(&seen.items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_whole_from_pieces_of_every_size),
        cmocka_unit_test(an_item_above_the_ceiling_is_left_out_however_it_comes),
        cmocka_unit_test(what_is_no_list_is_a_fault_at_the_end),
        cmocka_unit_test(a_list_without_items_is_an_empty_one),
        cmocka_unit_test(what_is_around_the_items_has_a_ceiling),
        cmocka_unit_test(the_reader_can_stop_between_two_items),
    };

    return cmocka_run_group_tests_name("kube/page", tests, NULL, NULL);
}
