#include "base/clock.h"
#include "base/json.h"
#include "base/secret.h"
#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void holds_and_compares(void **state)
{
    (void)state;
    char source[] = "hunter2";
    AUTO(secret_freep) struct secret *a = secret_new(sv_from(source));
    AUTO(secret_freep) struct secret *b = secret_new(SV("hunter2"));
    AUTO(secret_freep) struct secret *c = secret_new(SV("hunter3"));
    AUTO(secret_freep) struct secret *empty = secret_new(SV_NULL);

    secret_wipe(source, sizeof(source));
    assert_int_equal(source[0], 0);
    assert_sv(secret_reveal(a), "hunter2");
    assert_int_equal(secret_reveal(a).p[7], 0);
    assert_true(secret_equal(a, b));
    assert_false(secret_equal(a, c));
    assert_false(secret_equal(a, empty));
    assert_true(secret_equal(NULL, empty));
    assert_true(secret_equal(NULL, NULL));
    assert_sv(secret_reveal(NULL), "");
    secret_wipe(NULL, 0);
}

static void sizes_around_a_page(void **state)
{
    (void)state;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *text = calloc(1, 3 * page);

    memset(text, 'k', 3 * page);
    for (size_t n = page - 2; n < page + 3; n++) {
        AUTO(secret_freep) struct secret *s = secret_new((struct sv){text, n});
        assert_true(sv_eq(secret_reveal(s), (struct sv){text, n}));
        assert_int_equal(secret_reveal(s).p[n], 0);
    }
    free(text);
}

/* The kernel's own record of the mapping: "dd" is do-not-dump. */
static bool mapping_has_flag(const void *address, const char *flag)
{
    FILE *maps = fopen("/proc/self/smaps", "r");
    char line[512];
    bool inside = false;
    bool found = false;

    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps) != NULL) {
        unsigned long from = 0;
        unsigned long to = 0;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2) {
            inside = (uintptr_t)address >= from && (uintptr_t)address < to;
        } else if (inside && strncmp(line, "VmFlags:", 8) == 0) {
            found = strstr(line, flag) != NULL;
        }
    }
    (void)fclose(maps);
    return found;
}

static void stays_out_of_core_dumps(void **state)
{
    (void)state;
    AUTO(secret_freep) struct secret *s = secret_new(SV("hunter2"));

    assert_true(mapping_has_flag(secret_reveal(s).p, " dd"));
    assert_false(mapping_has_flag(&s, " dd"));
}

static void *take_and_drop(void *secret)
{
    for (int i = 0; i < 20000; i++) {
        AUTO(secret_freep) struct secret *mine = secret_ref(secret);
        if (secret_reveal(mine).n != 7) {
            return secret;
        }
    }
    secret_free(secret);
    return NULL;
}

static void is_shared_between_threads(void **state)
{
    (void)state;
    struct secret *s = secret_new(SV("hunter2"));
    pthread_t threads[3];

    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_drop, secret_ref(s)),
                         0);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        void *wrong = NULL;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
    assert_sv(secret_reveal(s), "hunter2");
    secret_free(s);
    assert_null(secret_ref(NULL));
}

static void assert_redacted(const char *secret, const char *text, const char *expected)
{
    AUTO(secret_freep) struct secret *s = secret_new(sv_from(secret));
    const struct secret *list[] = {s};
    AUTO(buf_deinit) struct buf out;

    buf_init(&out, 10000);
    secret_redact(list, 1, sv_from(text), &out);
    if (!sv_eq(buf_sv(&out), sv_from(expected))) {
        fail_msg("secret <%s> in\n%s\nleaves\n%s\nnot\n%s", secret, text, buf_z(&out),
                 expected);
    }
}

static void finds_every_spelling(void **state)
{
    (void)state;

    assert_redacted("hunter2", "x hunter2, hunter2hunter2 y", "x ***, ****** y");
    assert_redacted("hunter2", "hunter", "hunter");
    assert_redacted("hunter2", "", "");
    assert_redacted("it's", "password='it''s' and it's", "password='***' and ***");
    assert_redacted("it's", "'it\\'s'", "'***'");
    assert_redacted("a\\b\"c", "raw a\\b\"c sql 'a\\\\b\\\"c' json \"a\\\\b\\\"c\"",
                    "raw *** sql '***' json \"***\"");
    assert_redacted("a'b\\c", "'a''b\\\\c' 'a\\'b\\\\c' 'a''b\\c' \"a'b\\\\c\"",
                    "'***' '***' '***' \"***\"");
    /* SQL with doubled quotes inside JSON, and backslashes escaped twice. */
    assert_redacted("a'b\"c", "{\"sql\":\"p='a''b\\\"c'\"}", "{\"sql\":\"p='***'\"}");
    assert_redacted("a\\b!", "{\"sql\":\"'a\\\\\\\\b!'\"}", "{\"sql\":\"'***'\"}");
    assert_redacted("tab\there", "tab\\there tab\there", "*** ***");
    assert_redacted("a<b>&c", "\"a\\u003cb\\u003e\\u0026c\"", "\"***\"");
    assert_redacted("p@ss/w rd", "mysql://root:p%40ss%2Fw%20rd@db p%40ss%2fw%20rd",
                    "mysql://root:***@db ***");
    assert_redacted("'quoted'", "'''quoted'''", "'***'");
    assert_redacted("gr\xC3\xBC\xC3\x9F", "x gr\xC3\xBC\xC3\x9F y", "x *** y");
    assert_redacted("\\\\\\", "a\\\\\\b", "a***b");
}

static void short_ones_are_left(void **state)
{
    (void)state;

    assert_redacted("ab", "ab abab", "ab abab");
    assert_redacted("", "text", "text");
    assert_redacted("abc", "abc ab", "*** ab");
}

static void knows_many_at_once(void **state)
{
    (void)state;
    AUTO(secret_freep) struct secret *brief = secret_new(SV("secret"));
    AUTO(secret_freep) struct secret *longer = secret_new(SV("secret-and-more"));
    const struct secret *list[] = {brief, NULL, longer};
    AUTO(buf_deinit) struct buf out;

    buf_init(&out, 1000);
    buf_addz(&out, "> ");
    secret_redact(list, COUNT_OF(list), SV("secret-and-more secret"), &out);
    assert_sv(buf_sv(&out), "> *** ***"); /* the longer one wins, nothing of it remains */
}

/* Whatever the password, however it is written: it does not come through. */
static void no_spelling_comes_through(void **state)
{
    (void)state;
    struct rng rng;

    rng_init(&rng, 99);
    for (int round = 0; round < 3000; round++) {
        static const char letters[] = "ab'\\\"/%<&\n\t\x01 \xC3\xA9";
        char value[12];
        size_t n = 5 + rng_below(&rng, 6);
        for (size_t i = 0; i < n; i++) {
            value[i] = letters[rng_below(&rng, sizeof(letters) - 1)];
        }
        value[0] = 'Z'; /* ends that the text around cannot be taken for */
        value[n - 1] = 'Z';
        struct sv raw = {value, n};
        AUTO(buf_deinit) struct buf sql;
        AUTO(buf_deinit) struct buf text;
        AUTO(buf_deinit) struct buf out;
        buf_init(&sql, 1000);
        buf_init(&text, 4000);
        buf_init(&out, 4000);
        bool doubled = rng_below(&rng, 2) == 0;
        bool slashed = rng_below(&rng, 2) == 0;
        buf_addz(&sql, "p='");
        for (size_t i = 0; i < n; i++) {
            if (value[i] == '\'' && (doubled || slashed)) {
                buf_addc(&sql, doubled ? '\'' : '\\');
            }
            if (value[i] == '\\' && slashed) {
                buf_addc(&sql, '\\');
            }
            buf_addc(&sql, value[i]);
        }
        buf_addz(&sql, "'");
        if (sv_is_utf8(raw) && rng_below(&rng, 2) == 0) {
            json_quote(buf_sv(&sql), &text);
        } else {
            buf_add(&text, buf_sv(&sql));
        }
        AUTO(secret_freep) struct secret *s = secret_new(raw);
        const struct secret *list[] = {s};
        secret_redact(list, 1, buf_sv(&text), &out);
        if (strstr(buf_z(&out), "p='***'") == NULL) {
            fail_msg("%s became %s", buf_z(&text), buf_z(&out));
        }
    }
}

static void assert_pattern(const char *text, const char *expected)
{
    AUTO(buf_deinit) struct buf out;

    buf_init(&out, 10000);
    secret_redact_pattern(sv_from(text), &out);
    if (!sv_eq(buf_sv(&out), sv_from(expected))) {
        fail_msg("\n%s\ngives\n%s\nnot\n%s", text, buf_z(&out), expected);
    }
}

static void patterns_in_sql(void **state)
{
    (void)state;

    assert_pattern("WITH (password='s3cret', username = 'u')",
                   "WITH (password='***', username = 'u')");
    assert_pattern("starrocks.password = 'a''b', x='y'",
                   "starrocks.password = '***', x='y'");
    assert_pattern("PASSWORD  =\n\t'x'", "PASSWORD  =\n\t'***'");
    assert_pattern("password='it\\'s me', a='b'", "password='***', a='b'");
    assert_pattern("password='', a='b'", "password='***', a='b'");
    assert_pattern("password='''q''', a='b'", "password='***', a='b'");
    assert_pattern("password='open and no end", "password='***");
    assert_pattern("password='", "password='***");
    assert_pattern("password = E'a b\\'c', d", "password = E'***', d");
    assert_pattern("'user.password' = 'x' , k", "'user.password' = '***' , k");
    assert_pattern("CREATE USER 'a'@'%' IDENTIFIED BY 'pw' REQUIRE SSL",
                   "CREATE USER 'a'@'%' IDENTIFIED BY '***' REQUIRE SSL");
    assert_pattern("identified  by password '*ABC'", "identified  by password '***'");
    assert_pattern("IDENTIFIED WITH 'mysql_native_password' BY 'pw'",
                   "IDENTIFIED WITH 'mysql_native_password' BY '***'");
    assert_pattern("IDENTIFIED WITH caching_sha2_password AS 'hash'",
                   "IDENTIFIED WITH caching_sha2_password AS '***'");
    assert_pattern("SET PASSWORD FOR 'a' = PASSWORD('pw')",
                   "SET PASSWORD FOR 'a' = PASSWORD('***')");
    assert_pattern("EXECUTE 'CREATE SOURCE WITH (password=''a b'')'",
                   "EXECUTE 'CREATE SOURCE WITH (password=''***'')'");
}

static void patterns_in_json_and_urls(void **state)
{
    (void)state;

    assert_pattern("{\"password\": \"x\\\"y\", \"a\": 1}",
                   "{\"password\": \"***\", \"a\": 1}");
    assert_pattern("{\"password\":{\"type\": \"plaintext\", \"value\": \"a}b\"},\"c\":2}",
                   "{\"password\":\"***\",\"c\":2}");
    assert_pattern("{\"password\": {\"type\": \"plaintext\", \"val",
                   "{\"password\": \"***\"");
    assert_pattern("{\"password\":12345}", "{\"password\":***}");
    assert_pattern("\"{\\\"password\\\":\\\"a b\\\",\\\"c\\\":1}\"",
                   "\"{\\\"password\\\":\\\"***\\\",\\\"c\\\":1}\"");
    assert_pattern("mysql://root:pw@db:3306/x", "mysql://root:***@db:3306/x");
    assert_pattern("at postgres://u:p@ss@host/db?x=1 ok",
                   "at postgres://u:***@host/db?x=1 ok");
    assert_pattern("http://u:a/b@h/", "http://u:***@h/");
    assert_pattern("jdbc:mysql://db:3306/a?user=u&password=pw&c=d",
                   "jdbc:mysql://db:3306/a?user=u&password=***&c=d");
    assert_pattern("http://db:8030/api?mail=a@b", "http://db:8030/api?mail=a@b");
    assert_pattern("https://host/path", "https://host/path");
    assert_pattern("host=db password=pw user=u", "host=db password=*** user=u");
    assert_pattern("Authorization: Basic cm9vdDpwdw==\r\nX: y",
                   "Authorization: ***\r\nX: y");
}

static void what_is_no_credential_stays(void **state)
{
    (void)state;
    static const char *const same[] = {
        "Access denied for user 'u'@'h' (using password: YES)",
        "Access denied for user 'u'@'h' (using password: NO)",
        "CREATE TABLE t (`password` varchar(20), passwords int)",
        "the password is wrong",
        "WITH (password = secret my_secret, a = 'b')",
        "identified by the column",
        "key 'password' of the Secret is missing",
        "password",
        "password =",
        "identified",
        "://",
        "a://",
        "",
        "caf\xC3\xA9 \xFF",
    };

    for (size_t i = 0; i < COUNT_OF(same); i++) {
        assert_pattern(same[i], same[i]);
    }
}

/* Any cut of any text: no crash, and a value once recognised is never shown. */
static void cut_anywhere_nothing_leaks(void **state)
{
    (void)state;
    static const char text[] =
        "{\"sql\":\"WITH (x.password = 'HIDE''HIDE\\\\', y)\",\"password\" : "
        "{\"value\":\"HIDE\"}} IDENTIFIED BY 'HIDE' x://u:HIDE@h "
        "password=''HIDE'' \\\"password\\\":\\\"HIDE\\\" pwd=\"HIDE\"";

    for (size_t from = 0; from < 12; from++) {
        for (size_t n = 0; n <= sizeof(text) - 1 - from; n++) {
            AUTO(buf_deinit) struct buf out;
            buf_init(&out, 10000);
            secret_redact_pattern((struct sv){text + from, n}, &out);
            /* A URL is known by its '@' alone. */
            if (strstr(buf_z(&out), "HIDE") != NULL &&
                strstr(buf_z(&out), "x://u:HIDE") == NULL) {
                fail_msg("from %zu, %zu bytes: %s", from, n, buf_z(&out));
            }
        }
    }
}

static void expect_scope(const char *scope, const char *text, const char *want)
{
    AUTO(buf_deinit) struct buf out = {0};

    buf_init(&out, 4096);
    secret_redact_scope(scope, sv_from(text), &out);
    assert_string_equal(buf_z(&out), want);
}

/* What one server was given is hidden in what another one says, within the scope alone.
 */
static void remembers_for_a_scope(void **state)
{
    (void)state;
    AUTO(secret_freep) struct secret *a = secret_new(SV("it's one"));
    AUTO(secret_freep) struct secret *b = secret_new(SV("two\\"));

    secret_remember("shop", NULL);
    expect_scope("shop", "it's one", "it's one");
    secret_remember("shop", a);
    secret_remember("shop", b);
    secret_remember("shop", a);
    expect_scope("shop", "of canary:it''s one@be and two\\\\.",
                 "of canary:***@be and ***.");
    expect_scope("lab", "it's one", "it's one");
    secret_forget_all();
    expect_scope("shop", "it's one", "it's one");
}

/* The value outlives the secret it came from, as it does on the server that repeats it;
 * and the table is bounded: what was not used for longest goes first. */
static void remembers_what_was_changed_since(void **state)
{
    (void)state;
    char value[32];

    for (int i = 0; i < 1025; i++) {
        AUTO(secret_freep) struct secret *s = NULL;
        AUTO(secret_freep) struct secret *first = secret_new(SV("the first"));

        (void)snprintf(value, sizeof(value), "number-%d.", i);
        s = secret_new(sv_from(value));
        secret_remember("shop", first); /* again and again: never the oldest */
        secret_remember("shop", s);
    }
    expect_scope("shop", "the first", "***");
    expect_scope("shop", "number-1024.", "***");
    expect_scope("shop", "number-2.", "***");
    expect_scope("shop", "number-0.", "number-0.");
    secret_forget_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remembers_for_a_scope),
        cmocka_unit_test(remembers_what_was_changed_since),
        cmocka_unit_test(holds_and_compares),
        cmocka_unit_test(sizes_around_a_page),
        cmocka_unit_test(stays_out_of_core_dumps),
        cmocka_unit_test(is_shared_between_threads),
        cmocka_unit_test(finds_every_spelling),
        cmocka_unit_test(short_ones_are_left),
        cmocka_unit_test(knows_many_at_once),
        cmocka_unit_test(no_spelling_comes_through),
        cmocka_unit_test(patterns_in_sql),
        cmocka_unit_test(patterns_in_json_and_urls),
        cmocka_unit_test(what_is_no_credential_stays),
        cmocka_unit_test(cut_anywhere_nothing_leaks),
    };
    return cmocka_run_group_tests_name("base/secret", tests, NULL, NULL);
}
