#include "db/peer.h"
#include "unit.h"

static struct peer *make(enum db_engine engine, const char *host, const char *password)
{
    struct secret *secret = secret_new(sv_from(password));
    const struct dbconn conn = {.host = host, .port = 3306, .database = "dev"};
    const struct db_endpoint endpoint = {
        .conn = &conn, .user = "cdc", .password = secret};
    struct peer *peer = peer_new(&endpoint, engine);

    secret_free(secret); /* the peer has its own */
    return peer;
}

static struct peer *of_namespace(enum db_engine engine, const char *namespace,
                                 const char *password)
{
    AUTO(secret_freep) struct secret *secret = secret_new(sv_from(password));
    const struct dbconn conn = {.namespace = namespace, .host = "h", .port = 1};
    const struct db_endpoint endpoint = {
        .conn = &conn, .user = "cdc", .password = secret};

    return peer_new(&endpoint, engine);
}

/* RisingWave repeats what StarRocks was given, also after it was changed: hidden within
 * the namespace, and within it alone, so that masks tell nobody others' passwords. */
static void passwords_of_neighbours_are_hidden(void **state)
{
    struct peer *rw = of_namespace(DB_RISINGWAVE, "shop", "of-risingwave");
    struct peer *stranger = of_namespace(DB_RISINGWAVE, "lab", "of-lab");
    const struct sv said = SV("stream load of etl:it's \\1@be, of-risingwave");

    peer_free(of_namespace(DB_STARROCKS, "shop", "it's \\1"));
    assert_string_equal(peer_text(rw, said, *state), "stream load of etl:***@be, ***");
    assert_string_equal(peer_text(stranger, SV("table of-risingwave"), *state),
                        "table of-risingwave");
    /* Its own is hidden, whatever became of the memory. */
    secret_forget_all();
    assert_string_equal(peer_text(rw, SV("x of-risingwave"), *state), "x ***");
    peer_free(rw);
    peer_free(stranger);
}

static void the_message_names_server_and_remedy(void **state)
{
    (void)state;
    struct peer *peer = make(DB_MYSQL, "shop-db", "hunter22");
    struct fault f = FAULT_INIT;
    bool broken = false;
    const struct peer_answer answer = {
        "login as cdc", "1045",
        SV("Access denied for user 'cdc'@'10.0.0.1' (using password: YES)")};

    assert_false(peer_fault(peer, &answer, &broken, &f));
    assert_string_equal(
        f.text, "MySQL shop-db:3306, login as cdc: Access denied for user "
                "'cdc'@'10.0.0.1' (using password: YES) (1045). Check the user name "
                "and the password in the connection's Secret, and the hosts the "
                "account may log in from. An account with REQUIRE SSL also wants TLS "
                "(spec.tls.mode), one with REQUIRE X509 a client certificate "
                "(spec.tls.clientCertSecretRef).");
    assert_string_equal(f.code, "1045");
    assert_string_equal(f.reason, "AuthFailed");
    assert_int_equal(f.class, FAULT_DENIED);
    assert_false(broken);
    peer_free(peer);
}

static void a_broken_session_is_told(void **state)
{
    (void)state;
    struct peer *peer = make(DB_STARROCKS, "2001:db8::1", "hunter22");
    struct fault f = FAULT_INIT;
    bool broken = false;

    assert_false(peer_fault(peer, &(struct peer_answer){"reading", "2013", SV("Lost.")},
                            &broken, &f));
    assert_true(broken);
    assert_string_equal(f.text, "StarRocks [2001:db8::1]:3306, reading: Lost (2013).");
    peer_free(peer);
}

static void stops_are_neither_doubled_nor_missing(void **state)
{
    (void)state;
    struct peer *peer = make(DB_STARROCKS, "sr", "");
    const char *const cases[][3] = {
        {"9999", "It failed..", "StarRocks sr:3306, x: It failed (9999)."},
        {"", "It failed", "StarRocks sr:3306, x: It failed."},
        {"", "It failed. ", "StarRocks sr:3306, x: It failed."},
        {"", "Is it there?", "StarRocks sr:3306, x: Is it there?"},
        {"", "", "StarRocks sr:3306, x: no reason given."},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fault f = FAULT_INIT;
        assert_false(peer_fault(
            peer, &(struct peer_answer){"x", cases[i][0], sv_from(cases[i][1])}, NULL,
            &f));
        assert_string_equal(f.text, cases[i][2]);
    }
    peer_free(peer);
}

static void passwords_do_not_come_back(void **state)
{
    struct peer *peer = make(DB_RISINGWAVE, "rw", "own'secret");
    const char *const texts[] = {
        "bad password own'secret given",
        "near 'own''secret'",
        "near 'own\\'secret'",
        "CREATE SOURCE s WITH (password='own''secret', x='y') failed",
        "CREATE SOURCE s WITH (password = 'foreign''one', x='y') failed own'secret",
        "{\"password\": {\"type\": \"plaintext\", \"value\": \"foreign\"}}",
        "mysql://root:foreign@host:9030/db refused",
        "sql parser error: no\nLINE 1: CREATE SINK k WITH "
        "(starrocks.password='foreign')\n  ^",
    };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        char *text = peer_text(peer, sv_from(texts[i]), *state);
        assert_lacks(text, "own'secret");
        assert_lacks(text, "own''secret");
        assert_lacks(text, "own\\'secret");
        assert_lacks(text, "foreign");
    }
    peer_free(peer);
}

static void texts_are_one_clean_line(void **state)
{
    struct peer *peer = make(DB_MYSQL, "db", "hunter22");

    assert_string_equal(peer_text(peer, SV("\n a \t\r\n b\0c\x7f "), *state), "a b c");
    assert_string_equal(peer_text(peer, SV("h\xc3\xa9 \xff\xfe!"), *state), "h\xc3\xa9 ?"
                                                                            "?!");
    assert_string_equal(peer_text(peer, SV_NULL, *state), "");
    peer_free(peer);
}

static void long_texts_are_cut_between_characters(void **state)
{
    struct peer *peer = make(DB_MYSQL, "db", "hunter22");
    char *long_text = arena_alloc(*state, 4001);

    for (size_t i = 0; i < 4000; i += 2) {
        memcpy(long_text + i, "\xc3\xa9", 2);
    }
    char *text = peer_text(peer, sv_from(long_text), *state);
    assert_true(strlen(text) <= PEER_TEXT_MAX);
    assert_true(strlen(text) > PEER_TEXT_MAX - 10);
    assert_true(sv_is_utf8(sv_from(text)));
    assert_true(sv_ends(sv_from(text), SV("...")));
    peer_free(peer);
}

static void a_huge_answer_is_survived(void **state)
{
    struct peer *peer = make(DB_MYSQL, "db", "xxx");
    size_t bytes = 3 * DB_VALUE_MAX;
    char *huge = arena_alloc(*state, bytes + 1);

    memset(huge, 'x', bytes); /* nothing but the password, again and again */
    char *text = peer_text(peer, (struct sv){huge, bytes}, *state);
    assert_lacks(text, "xxx");
    assert_true(strlen(text) <= PEER_TEXT_MAX);
    peer_free(peer);
}

static void a_tag_cannot_end_its_comment(void **state)
{
    assert_string_equal(peer_tag("tablesync shop/orders 7", *state),
                        "tablesync shop/orders 7");
    assert_string_equal(peer_tag("a */ DROP TABLE t; /* \\ ' \" # \n", *state),
                        "a _/ DROP TABLE t_ /_ _ _ _ _ _");
    char long_tag[400];
    memset(long_tag, 'a', sizeof(long_tag) - 1);
    long_tag[sizeof(long_tag) - 1] = '\0';
    assert_int_equal(strlen(peer_tag(long_tag, *state)), 120);
}

int main(void)
{
#define PEER_TEST(f) cmocka_unit_test_setup_teardown(f, arena_setup, arena_teardown)
    const struct CMUnitTest tests[] = {
        PEER_TEST(the_message_names_server_and_remedy),
        PEER_TEST(a_broken_session_is_told),
        PEER_TEST(stops_are_neither_doubled_nor_missing),
        PEER_TEST(passwords_do_not_come_back),
        PEER_TEST(passwords_of_neighbours_are_hidden),
        PEER_TEST(texts_are_one_clean_line),
        PEER_TEST(long_texts_are_cut_between_characters),
        PEER_TEST(a_huge_answer_is_survived),
        PEER_TEST(a_tag_cannot_end_its_comment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
