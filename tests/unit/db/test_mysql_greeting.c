/* Whether a MySQL server offers TLS, from the bytes of its greeting. */
#include "db/mysql_greeting.h"
#include "unit.h"

#include <sys/socket.h>
#include <unistd.h>

struct packet {
    unsigned char bytes[2048];
    size_t n;
};

static void put(struct packet *p, const void *bytes, size_t n)
{
    assert_true(p->n + n <= sizeof(p->bytes));
    memcpy(p->bytes + p->n, bytes, n);
    p->n += n;
}

static void frame(struct packet *p)
{
    size_t length = p->n - 4;

    p->bytes[0] = (unsigned char)(length & 0xff);
    p->bytes[1] = (unsigned char)(length >> 8);
}

static struct packet greeting(const char *version, unsigned int capabilities)
{
    struct packet p = {.n = 4};
    const unsigned char low[] = {(unsigned char)(capabilities & 0xff),
                                 (unsigned char)(capabilities >> 8)};

    put(&p, "\x0a", 1);
    put(&p, version, strlen(version) + 1);
    put(&p,
        "\x05\0\0\0"
        "12345678\0",
        13);
    put(&p, low, 2);
    put(&p,
        "\x21\x02\0\xff\xff\x15\0\0\0\0\0\0\0\0\0\0"
        "123456789012\0",
        29);
    frame(&p);
    return p;
}

static void the_flag_decides(void **state)
{
    (void)state;
    struct packet with = greeting("8.0.33", 0xaa00 | 0x0800);
    struct packet without = greeting("5.5.5-10.11.6-MariaDB", 0xf7ff);

    assert_int_equal(mysql_greeting_parse(with.bytes, with.n), GREETING_TLS);
    assert_int_equal(mysql_greeting_parse(without.bytes, without.n), GREETING_PLAIN);
}

/* 4 of the frame, 1 protocol, the version, 13 more, then the two bytes that tell. */
static void until_the_flag_has_come_nothing_is_said(void **state)
{
    (void)state;
    struct packet p = greeting("8.0.33", 0x0800);
    size_t enough = 4 + 1 + strlen("8.0.33") + 1 + 13 + 2;

    for (size_t n = 0; n < p.n; n++) {
        assert_int_equal(mysql_greeting_parse(p.bytes, n),
                         n < enough ? GREETING_PARTIAL : GREETING_TLS);
    }
}

static void errors_are_the_librarys(void **state)
{
    (void)state;
    struct packet p = {.n = 4};

    put(&p, "\xff\x10\x04Too many connections", 23);
    frame(&p);
    assert_int_equal(mysql_greeting_parse(p.bytes, p.n), GREETING_NONE);
}

/* Whatever a client might answer without TLS counts as no offer. */
static void what_is_no_greeting_offers_nothing(void **state)
{
    (void)state;
    struct packet empty = {.n = 4};
    struct packet old = greeting("3.23", 0x0800);
    struct packet cut = greeting("8.0.33", 0x0800);
    struct packet endless = {.n = 4};
    char version[1500];

    assert_int_equal(mysql_greeting_parse(empty.bytes, 5), GREETING_PLAIN);
    old.bytes[4] = 9;
    assert_int_equal(mysql_greeting_parse(old.bytes, old.n), GREETING_PLAIN);
    cut.bytes[0] = 20; /* the packet ends before the flag, whatever follows it */
    assert_int_equal(mysql_greeting_parse(cut.bytes, cut.n), GREETING_PLAIN);
    cut.bytes[0] = 3;
    assert_int_equal(mysql_greeting_parse(cut.bytes, cut.n), GREETING_PLAIN);
    memset(version, 'v', sizeof(version));
    put(&endless, "\x0a", 1);
    put(&endless, version, sizeof(version));
    frame(&endless);
    assert_int_equal(mysql_greeting_parse(endless.bytes, 1000), GREETING_PARTIAL);
    assert_int_equal(mysql_greeting_parse(endless.bytes, 1024), GREETING_PLAIN);
}

static void peeking_takes_nothing(void **state)
{
    (void)state;
    AUTO(cancel_deinit) struct cancel root = {0};
    struct fault f = FAULT_INIT;
    enum greeting found = GREETING_PARTIAL;
    struct packet p = greeting("8.0.33", 0);
    unsigned char again[sizeof(p.bytes)];
    int fds[2];

    assert_ok(cancel_init_root(&root, clock_system(), &f), f);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(write(fds[1], p.bytes, p.n), p.n);
    assert_ok(mysql_greeting_peek(fds[0], &root, "connecting", &found, &f), f);
    assert_int_equal(found, GREETING_PLAIN);
    assert_int_equal(read(fds[0], again, sizeof(again)), p.n);
    assert_memory_equal(again, p.bytes, p.n);
    close(fds[0]);
    close(fds[1]);
}

static void an_end_in_the_middle_is_the_librarys(void **state)
{
    (void)state;
    AUTO(cancel_deinit) struct cancel root = {0};
    struct fault f = FAULT_INIT;
    enum greeting found = GREETING_PARTIAL;
    struct packet p = greeting("8.0.33", 0);
    int fds[2];

    assert_ok(cancel_init_root(&root, clock_system(), &f), f);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(write(fds[1], p.bytes, 10), 10);
    close(fds[1]);
    assert_ok(mysql_greeting_peek(fds[0], &root, "connecting", &found, &f), f);
    assert_int_equal(found, GREETING_NONE);
    close(fds[0]);
}

static void silence_ends_at_the_deadline(void **state)
{
    (void)state;
    AUTO(cancel_deinit) struct cancel root = {0};
    struct cancel limit;
    struct fault f = FAULT_INIT;
    enum greeting found = GREETING_PARTIAL;
    int fds[2];

    assert_ok(cancel_init_root(&root, clock_system(), &f), f);
    cancel_init_child(&limit, &root, 30);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_false(mysql_greeting_peek(fds[0], &limit, "connecting", &found, &f));
    assert_string_equal(f.reason, "Timeout");
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_flag_decides),
        cmocka_unit_test(until_the_flag_has_come_nothing_is_said),
        cmocka_unit_test(errors_are_the_librarys),
        cmocka_unit_test(what_is_no_greeting_offers_nothing),
        cmocka_unit_test(peeking_takes_nothing),
        cmocka_unit_test(an_end_in_the_middle_is_the_librarys),
        cmocka_unit_test(silence_ends_at_the_deadline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
