#include "kube/credentials.h"
#include "kube_unit.h"

#include <stdlib.h>
#include <unistd.h>

struct bench {
    char *folder;
    char *token;
    char *ca;
    struct test_clock clock;
    struct kube_config config;
    struct credentials *c;
    struct fault fault;
};

static void setup(struct bench *b)
{
    *b = (struct bench){.folder = test_folder()};
    b->token = test_file(b->folder, "token", "one\n");
    b->ca = test_file(b->folder, "ca.crt", "ca-one");
    b->config = (struct kube_config){.server = "https://h:1",
                                     .token_file = b->token,
                                     .ca_file = b->ca,
                                     .origin = "test"};
    test_clock_init(&b->clock, 50000);
    assert_ok(credentials_new(&b->config, &b->clock.clock, &b->c, &b->fault), b->fault);
}

static void teardown(struct bench *b)
{
    credentials_free(b->c);
    free(b->token);
    free(b->ca);
    test_folder_remove(b->folder);
}

#define BENCH                                                                            \
    AUTO(teardown) struct bench b;                                                       \
    setup(&b)

static void rewrite(struct bench *b, const char *name, const char *content)
{
    free(test_file(b->folder, name, content));
}

static void assert_header(struct bench *b, const char *expected)
{
    AUTO(credentials_set_deinit) struct credentials_set set = {0};
    AUTO(buf_deinit) struct buf line = {0};

    buf_init(&line, 4096);
    credentials_get(b->c, &set);
    credentials_add_header(b->c, &set, &line);
    assert_string_equal(buf_z(&line), expected);
}

static void a_rotated_token_is_seen_within_ten_seconds(void **state)
{
    (void)state;
    BENCH;
    assert_header(&b, "Authorization: Bearer one");
    rewrite(&b, "token", "two");
    b.clock.now_ms += CREDENTIALS_CHECK_MS - 1;
    assert_header(&b, "Authorization: Bearer one");
    b.clock.now_ms += 1;
    assert_header(&b, "Authorization: Bearer two");
}

static void a_reread_says_whether_anything_changed(void **state)
{
    (void)state;
    BENCH;
    AUTO(credentials_set_deinit) struct credentials_set set = {0};

    credentials_get(b.c, &set);
    assert_false(credentials_reread(b.c, &set));
    rewrite(&b, "token", "two");
    assert_true(credentials_reread(b.c, &set));
    assert_header(&b, "Authorization: Bearer two");
    /* Also when another thread was quicker. */
    assert_true(credentials_reread(b.c, &set));
}

static void tls_material_has_a_version_of_its_own(void **state)
{
    (void)state;
    BENCH;
    AUTO(credentials_set_deinit) struct credentials_set first = {0};
    AUTO(credentials_set_deinit) struct credentials_set second = {0};
    AUTO(credentials_set_deinit) struct credentials_set third = {0};

    credentials_get(b.c, &first);
    rewrite(&b, "token", "two");
    b.clock.now_ms += CREDENTIALS_CHECK_MS;
    credentials_get(b.c, &second);
    assert_true(second.tls_version == first.tls_version);
    assert_false(second.token_version == first.token_version);
    rewrite(&b, "ca.crt", "ca-two");
    b.clock.now_ms += CREDENTIALS_CHECK_MS;
    credentials_get(b.c, &third);
    assert_false(third.tls_version == first.tls_version);
    assert_string_equal(secret_reveal(third.part[CREDENTIALS_CA]).p, "ca-two");
    /* What a connection holds stays whole while the files change. */
    assert_string_equal(secret_reveal(first.part[CREDENTIALS_CA]).p, "ca-one");
}

static void an_unreadable_file_leaves_the_last_good_content(void **state)
{
    (void)state;
    const char *bad[] = {"", "two\nInjected: yes", "  \n"};
    BENCH;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        rewrite(&b, "token", bad[i]);
        b.clock.now_ms += CREDENTIALS_CHECK_MS;
        assert_header(&b, "Authorization: Bearer one");
    }
    assert_int_equal(unlink(b.token), 0);
    b.clock.now_ms += CREDENTIALS_CHECK_MS;
    assert_header(&b, "Authorization: Bearer one");
}

static void the_first_read_must_succeed(void **state)
{
    (void)state;
    BENCH;
    struct credentials *c = NULL;

    rewrite(&b, "token", "a\nb");
    assert_false(credentials_new(&b.config, &b.clock.clock, &c, &b.fault));
    assert_contains(b.fault.text, "not one line");
    assert_contains(b.fault.text, "/token");
    assert_int_equal(unlink(b.ca), 0);
    rewrite(&b, "token", "x");
    assert_false(credentials_new(&b.config, &b.clock.clock, &c, &b.fault));
    assert_contains(b.fault.text, "CA certificate");
    assert_contains(b.fault.text, "ca.crt");
    assert_null(c);
}

static void passwords_and_inline_tokens_make_headers(void **state)
{
    (void)state;
    AUTO(secret_freep) struct secret *word = secret_new(SV("open sesame"));
    struct test_clock clock;
    struct fault fault = FAULT_INIT;
    const struct {
        struct kube_config config;
        const char *header;
    } rows[] = {
        {{.username = "Aladdin", .password = word, .origin = "t"},
         "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}, /* RFC 7617 section 2 */
        {{.token = word, .username = "Aladdin", .origin = "t"},
         "Authorization: Bearer open sesame"},
        {{.origin = "t"}, ""},
    };

    test_clock_init(&clock, 1);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bench b = {0};
        assert_ok(credentials_new(&rows[i].config, &clock.clock, &b.c, &fault), fault);
        assert_header(&b, rows[i].header);
        credentials_free(b.c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rotated_token_is_seen_within_ten_seconds),
        cmocka_unit_test(a_reread_says_whether_anything_changed),
        cmocka_unit_test(tls_material_has_a_version_of_its_own),
        cmocka_unit_test(an_unreadable_file_leaves_the_last_good_content),
        cmocka_unit_test(the_first_read_must_succeed),
        cmocka_unit_test(passwords_and_inline_tokens_make_headers),
    };

    return cmocka_run_group_tests_name("kube/credentials", tests, NULL, NULL);
}
