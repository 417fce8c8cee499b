#include "unit.h"

#include "ddl/labels.h"

#include <string.h>

struct list {
    const char *column_type;
    const char *labels; /* joined by "|"; NULL: no list of labels */
    int64_t longest;
};

static const struct list lists[] = {
    {"enum('a')", "a", 1},
    {"enum('a','bb','ccc')", "a|bb|ccc", 3},
    {"ENUM ( 'a' , 'b' )", "a|b", 1},
    {"set('x','y')", "x|y", 1},
    {"enum('')", "", 0},
    {"enum('','x')", "|x", 1},
    {"enum('it''s','''','''''')", "it's|'|''", 4},
    {"enum('a,b','c)d','(e')", "a,b|c)d|(e", 3},
    {"enum('é','日本語','😀😀')", "é|日本語|😀😀", 3},
    {"enum(' a ','b')", " a |b", 3},
    /* as MariaDB 10.11 prints them: every backslash twice */
    {"enum('a\\\\b','c''d','z)')", "a\\b|c'd|z)", 3},
    {"enum('a\\\\','b')", "a\\|b", 2},
    {"enum('a\\nb\\r\\\\n')", "a\nb\r\\n", 6},
    /* backslashes as they are, and escaped quotes */
    {"enum('a\\','b')", "a\\|b", 2},
    {"enum('a\\b','c\\dd')", "a\\b|c\\dd", 4},
    {"enum('it\\'s','b')", "it's|b", 4},
    {"enum('a\\')", "a\\", 2},
    /* not such a type */
    {"varchar(20)", NULL, 0},
    {"enum", NULL, 0},
    {"enum(", NULL, 0},
    {"enum()", NULL, 0},
    {"enum(a,b)", NULL, 0},
    {"(", NULL, 0},
    {"", NULL, 0},
    {"enumeration('a')", NULL, 0},
    /* broken ones end where they break */
    {"enum('", "", 0},
    {"enum('ab", "ab", 2},
    {"enum('ab\\", "ab\\", 3},
    {"enum('ab''", "ab'", 3},
    {"enum('a'b'cc')", "a", 1},
    {"enum('a',,'bb')", "a", 1},
    {"enum('a',", "a", 1},
    {"enum('a',b,'cc')", "a", 1},
    {"enum('a')'bbb'", "a", 1},
};

static void reads_labels(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        struct sv text = sv_from(lists[i].column_type), written;
        struct labels labels;
        AUTO(buf_deinit) struct buf joined = {0};
        bool opened = labels_open(text, &labels);

        buf_init(&joined, 4096);
        if (opened != (lists[i].labels != NULL)) {
            fail_msg("%s: %s", lists[i].column_type, opened ? "opened" : "not opened");
        }
        for (size_t n = 0; opened && labels_next(&labels, &written); n++) {
            buf_addz(&joined, n == 0 ? "" : "|");
            buf_addz(&joined, label_text(written, f->arena));
            assert_int_equal(label_length(written),
                             sv_utf8_length(sv_from(label_text(written, f->arena))));
        }
        assert_string_equal(buf_z(&joined), opened ? lists[i].labels : "");
        assert_int_equal(labels_longest(text), lists[i].longest);
        if (opened) {
            assert_false(labels_next(&labels, &written)); /* the end stays the end */
        }
    }
}

/* A NUL, which MySQL prints as \0, ends the text of a label but not its length. */
static void counts_nul(void **state)
{
    struct fixture *f = *state;
    struct labels labels;
    struct sv written;

    assert_true(labels_open(SV("enum('a\\0b','c')"), &labels));
    assert_true(labels_next(&labels, &written));
    assert_int_equal(label_length(written), 3);
    assert_memory_equal(label_text(written, f->arena), "a\0b", 4);
    assert_true(labels_next(&labels, &written));
    assert_true(sv_eq(written, SV("c")));
}

/* Every cut of a text is read within its bounds: the sanitizers watch the copy's end. */
static void reads_no_further_than_the_end(void **state)
{
    static const char whole[] = "enum('a\\\\b','c''d','\\','é\\'f' , 'g','')";

    (void)state;
    for (size_t n = 0; n < sizeof(whole); n++) {
        char *copy = test_malloc(n + 1);
        struct labels labels;
        struct sv written;
        size_t count = 0;

        memcpy(copy, whole, n);
        if (labels_open((struct sv){copy, n}, &labels)) {
            while (labels_next(&labels, &written)) {
                assert_true(written.p >= copy && written.p + written.n <= copy + n);
                assert_true(label_length(written) <= (int64_t)written.n);
                count++;
            }
        }
        assert_true(count <= 6);
        test_free(copy);
    }
}

/* MySQL's most: 65535 labels. */
static void reads_as_many_as_there_can_be(void **state)
{
    struct fixture *f = *state;
    enum { COUNT = 65535 };
    char *text = arena_alloc(f->arena, COUNT * 4 + 16);
    size_t n = 0, count = 0;
    struct labels labels;
    struct sv written;

    memcpy(text, "enum(", 5);
    for (n = 5; count < COUNT; count++, n += 4) {
        memcpy(text + n, "'x',", 4);
    }
    text[n - 1] = ')';
    assert_true(labels_open((struct sv){text, n}, &labels));
    for (count = 0; labels_next(&labels, &written); count++) {
        assert_int_equal(written.n, 1);
    }
    assert_int_equal(count, COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_labels),
        TEST(counts_nul),
        TEST(reads_no_further_than_the_end),
        TEST(reads_as_many_as_there_can_be),
    };

    return cmocka_run_group_tests_name("labels", tests, NULL, NULL);
}
