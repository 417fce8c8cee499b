/* Keys from files, and what does not decrypt. */
#include "base/crypto.h"
#include "base/heap.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define BASE64 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define HEX "000102030405060708090a0B0C0D0E0F101112131415161718191a1b1c1d1e1f"
#define OTHER "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="

static char folder[] = "/tmp/tablesync-crypto-XXXXXX";
static char key_path[64], old_path[64];

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
}

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    (void)snprintf(key_path, sizeof(key_path), "%s/key", folder);
    (void)snprintf(old_path, sizeof(old_path), "%s/old", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(key_path);
    (void)unlink(old_path);
    return rmdir(folder);
}

static struct crypto *load(const char *key, const char *old)
{
    struct crypto *crypto = NULL;
    struct fault f = FAULT_INIT;

    put(key_path, key);
    put(old_path, old);
    assert_ok(crypto_load(key_path, old_path, &crypto, &f), f);
    return crypto;
}

static void both_spellings_are_the_same_key(void **state)
{
    (void)state;
    AUTO(crypto_freep) struct crypto *a = load(BASE64 "\n", "");
    AUTO(crypto_freep) struct crypto *b = load("  " HEX "\r\n", "");
    AUTO(crypto_freep) struct crypto *c = load(OTHER, "");

    assert_int_equal(strlen(crypto_key_id(a)), 8);
    assert_string_equal(crypto_key_id(a), crypto_key_id(b));
    assert_string_not_equal(crypto_key_id(a), crypto_key_id(c));
    assert_true(crypto_has_key(a, crypto_key_id(b)));
    assert_false(crypto_has_key(a, crypto_key_id(c)));
}

static void assert_refused(const char *key, const char *old, const char *says)
{
    struct crypto *crypto = NULL;
    struct fault f = FAULT_INIT;

    put(key_path, key);
    put(old_path, old);
    assert_false(crypto_load(key_path, old_path, &crypto, &f));
    assert_null(crypto);
    assert_int_equal(f.class, FAULT_SPEC);
    assert_contains(f.text, says);
    assert_contains(f.text, folder);
    if (strlen(key) > 20) {
        assert_lacks(f.text, key);
    }
}

static void a_bad_file_says_how_to_make_a_key(void **state)
{
    (void)state;
    static const struct {
        const char *key, *says;
    } rows[] = {
        {"", "holds no key"},
        {" \n\n", "holds no key"},
        {"AAECAwQFBgcICQoLDA0ODw==", "this is 24 characters;"},
        {BASE64 "AAAA", "this is 48 characters;"},
        {BASE64 "\n" OTHER "\n", "this is 89 characters;"},
        {"0123456789abcdef0123456789abcdef", "this is 32 characters;"},
        {"g00102030405060708090a0B0C0D0E0F101112131415161718191a1b1c1d1e1f",
         "not all of them are of that alphabet"},
        {"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8-",
         "not all of them are of that alphabet"},
        {"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh==",
         "not all of them are of that alphabet"},
        {"AAECAwQFBgcICQoL=A0ODxAREhMUFRYXGBkaGxwdHh8=",
         "not all of them are of that alphabet"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_refused(rows[i].key, "", rows[i].says);
        assert_refused(rows[i].key, "", "openssl rand -base64 32");
    }
    assert_refused(BASE64, "# of last year\n\n" OTHER "\nnonsense\n", "line 4 of");
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    struct crypto *crypto = NULL;
    struct fault f = FAULT_INIT;

    assert_false(crypto_load("/nowhere/key", NULL, &crypto, &f));
    assert_contains(f.text, "the encryption key: file '/nowhere/key'");
    put(key_path, BASE64);
    assert_false(crypto_load(key_path, "/nowhere/old", &crypto, &f));
    assert_contains(f.text, "the old encryption keys: file '/nowhere/old'");
}

static void sizes_have_ceilings(void **state)
{
    (void)state;
    AUTO(buf_deinit) struct buf many = {0};

    buf_init(&many, 1 << 20);
    for (unsigned i = 0; i <= CRYPTO_OLD_KEYS_MAX; i++) {
        buf_addf(&many, "%064x\n", i);
    }
    assert_refused(BASE64, buf_z(&many), "more than 64 old encryption keys");
    buf_clear(&many);
    for (int i = 0; i < 5000; i++) {
        buf_addc(&many, ' ');
    }
    assert_refused(buf_z(&many), "", "is larger than the 4096 bytes");
}

static void seal(const struct crypto *crypto, const char *plain, const char *whose,
                 unsigned char *out_nonce, struct buf *out)
{
    buf_init(out, 65536);
    crypto_seal(crypto, sv_from(plain), sv_from(whose), out_nonce, out);
    assert_int_equal(out->n, strlen(plain) + CRYPTO_TAG_BYTES);
}

static bool opens(const struct crypto *crypto, const char *key_id,
                  const unsigned char *nonce, struct sv sealed, const char *whose,
                  const char *plain)
{
    AUTO(buf_deinit) struct buf out = {0};
    bool good = false;

    buf_init(&out, 65536);
    good = crypto_unseal(crypto, key_id, nonce, sealed, sv_from(whose), &out);
    assert_true(good ? sv_eq(buf_sv(&out), sv_from(plain)) : out.n == 0);
    return good;
}

static void decrypts_what_it_encrypted(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "x", "hunter2",
                                        "0123456789abcdef0123456789abcdef0"};
    AUTO(crypto_freep) struct crypto *crypto = load(BASE64, "");
    const char *id = crypto_key_id(crypto);

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        AUTO(buf_deinit) struct buf one = {0};
        AUTO(buf_deinit) struct buf two = {0};
        unsigned char n1[CRYPTO_NONCE_BYTES], n2[CRYPTO_NONCE_BYTES];

        seal(crypto, texts[i], "me", n1, &one);
        seal(crypto, texts[i], "me", n2, &two);
        assert_true(opens(crypto, id, n1, buf_sv(&one), "me", texts[i]));
        assert_memory_not_equal(n1, n2, CRYPTO_NONCE_BYTES);
        assert_false(sv_eq(buf_sv(&one), buf_sv(&two)));
        assert_false(opens(crypto, id, n2, buf_sv(&one), "me", texts[i]));
        assert_false(opens(crypto, id, n1, buf_sv(&one), "you", texts[i]));
        assert_false(opens(crypto, "00000000", n1, buf_sv(&one), "me", texts[i]));
    }
}

static void every_bit_and_every_length_counts(void **state)
{
    (void)state;
    AUTO(crypto_freep) struct crypto *crypto = load(BASE64, "");
    const char *id = crypto_key_id(crypto);
    AUTO(buf_deinit) struct buf sealed = {0};
    unsigned char nonce[CRYPTO_NONCE_BYTES];

    seal(crypto, "hunter2", "me", nonce, &sealed);
    for (size_t bit = 0; bit < sealed.n * 8; bit++) {
        sealed.p[bit / 8] = (char)(sealed.p[bit / 8] ^ (1 << (bit % 8)));
        assert_false(opens(crypto, id, nonce, buf_sv(&sealed), "me", ""));
        sealed.p[bit / 8] = (char)(sealed.p[bit / 8] ^ (1 << (bit % 8)));
    }
    for (size_t n = 0; n < sealed.n; n++) {
        assert_false(opens(crypto, id, nonce, sv_sub(buf_sv(&sealed), 0, n), "me", ""));
    }
    assert_true(opens(crypto, id, nonce, buf_sv(&sealed), "me", "hunter2"));
}

static void an_old_key_still_decrypts(void **state)
{
    (void)state;
    AUTO(crypto_freep) struct crypto *before = load(BASE64, "");
    AUTO(crypto_freep) struct crypto *after = load(OTHER, "# before\n\n" HEX "\r\n");
    AUTO(crypto_freep) struct crypto *without = load(OTHER, "");
    AUTO(buf_deinit) struct buf sealed = {0};
    AUTO(buf_deinit) struct buf again = {0};
    const char *id = crypto_key_id(before);
    unsigned char nonce[CRYPTO_NONCE_BYTES];

    seal(before, "hunter2", "me", nonce, &sealed);
    assert_true(opens(after, id, nonce, buf_sv(&sealed), "me", "hunter2"));
    assert_false(opens(without, id, nonce, buf_sv(&sealed), "me", "hunter2"));
    assert_string_equal(crypto_key_id(after), crypto_key_id(without));
    seal(after, "hunter2", "me", nonce, &again);
    assert_true(
        opens(without, crypto_key_id(without), nonce, buf_sv(&again), "me", "hunter2"));
}

/* SP 800-38D's test case 16 is the reference of everybody: AES-256, with associated data.
 */
static void is_the_standard_cipher(void **state)
{
    (void)state;
    static const unsigned char nonce[CRYPTO_NONCE_BYTES] = {
        0xca, 0xfe, 0xba, 0xbe, 0xfa, 0xce, 0xdb, 0xad, 0xde, 0xca, 0xf8, 0x88};
    static const char sealed[] =
        "\x52\x2d\xc1\xf0\x99\x56\x7d\x07\xf4\x7f\x37\xa3\x2a\x84\x42\x7d"
        "\x64\x3a\x8c\xdc\xbf\xe5\xc0\xc9\x75\x98\xa2\xbd\x25\x55\xd1\xaa"
        "\x8c\xb0\x8e\x48\x59\x0d\xbb\x3d\xa7\xb0\x8b\x10\x56\x82\x88\x38"
        "\xc5\xf6\x1e\x63\x93\xba\x7a\x0a\xbc\xc9\xf6\x62"
        "\x76\xfc\x6e\xce\x0f\x4e\x17\x68\xcd\xdf\x88\x53\xbb\x2d\x55\x1b";
    static const char associated[] = "\xfe\xed\xfa\xce\xde\xad\xbe\xef\xfe\xed\xfa\xce"
                                     "\xde\xad\xbe\xef\xab\xad\xda\xd2";
    AUTO(crypto_freep)
    struct crypto *crypto =
        load("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "");
    AUTO(buf_deinit) struct buf plain = {0};

    buf_init(&plain, 1024);
    assert_true(crypto_unseal(crypto, crypto_key_id(crypto), nonce,
                              (struct sv){sealed, sizeof(sealed) - 1},
                              sv_from(associated), &plain));
    assert_int_equal(plain.n, 60);
    assert_memory_equal(plain.p, "\xd9\x31\x32\x25\xf8\x84\x06\xe5", 8);
    assert_memory_equal(plain.p + 56, "\xba\x63\x7b\x39", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_spellings_are_the_same_key),
        cmocka_unit_test(a_bad_file_says_how_to_make_a_key),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(sizes_have_ceilings),
        cmocka_unit_test(decrypts_what_it_encrypted),
        cmocka_unit_test(every_bit_and_every_length_counts),
        cmocka_unit_test(an_old_key_still_decrypts),
        cmocka_unit_test(is_the_standard_cipher),
    };
    return cmocka_run_group_tests_name("base/crypto", tests, set_up, tear_down);
}
