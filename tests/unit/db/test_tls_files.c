/* pem_file, tls_files and tls_trace: what a Secret holds, as files; and OpenSSL's words.
 */
#include "db/tls_files.h"
#include "db/tls_trace.h"
#include "unit.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A self-signed certificate and its key, as PEM. */
struct pair {
    char *cert, *key;
    struct secret *secret;
};

static char *text_of(struct arena *arena, BIO *bio)
{
    char *bytes = NULL;
    long n = BIO_get_mem_data(bio, &bytes);
    char *text = arena_copy(arena, (struct sv){bytes, (size_t)n});

    BIO_free(bio);
    return text;
}

static X509 *self_signed(EVP_PKEY *key, long ends_in_s)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);

    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), -7200));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), ends_in_s));
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                (const unsigned char *)"unit", -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(certificate, name), 1);
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    return certificate;
}

static struct pair make_pair(struct arena *arena)
{
    struct pair pair;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = self_signed(key, 3600);
    BIO *cert_bio = BIO_new(BIO_s_mem());
    BIO *key_bio = BIO_new(BIO_s_mem());

    assert_int_equal(PEM_write_bio_X509(cert_bio, certificate), 1);
    assert_int_equal(PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL),
                     1);
    pair.cert = text_of(arena, cert_bio);
    pair.key = text_of(arena, key_bio);
    pair.secret = secret_new(sv_from(pair.key));
    X509_free(certificate);
    EVP_PKEY_free(key);
    return pair;
}

static const char *content(struct arena *arena, const char *path)
{
    char bytes[4096];
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    size_t n = fread(bytes, 1, sizeof(bytes), file);
    assert_int_equal(fclose(file), 0);
    return arena_copy(arena, (struct sv){bytes, n});
}

static void a_pem_file_is_a_private_regular_file(void **state)
{
    AUTO(pem_file_close) struct pem_file file = PEM_FILE_INIT;
    struct fault f = FAULT_INIT;
    struct stat about;
    char link[64] = {0};

    assert_ok(pem_file_open(SV("some text"), &file, &f), f);
    assert_string_equal(content(*state, file.path), "some text");
    assert_string_equal(content(*state, file.path), "some text"); /* from its start */
    assert_int_equal(stat(file.path, &about), 0);
    assert_true(S_ISREG(about.st_mode));
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_true(readlink(file.path, link, sizeof(link) - 1) > 0);
    assert_contains(link, "/memfd:");
    assert_int_equal(fcntl(file.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

static void a_closed_pem_file_holds_nothing(void **state)
{
    struct pem_file file = PEM_FILE_INIT;
    struct fault f = FAULT_INIT;
    char bytes[16] = "untouched";

    (void)state;
    assert_ok(pem_file_open(SV("secret text"), &file, &f), f);
    int other = fcntl(file.fd, F_DUPFD_CLOEXEC, 0);
    pem_file_close(&file);
    assert_int_equal(file.fd, -1);
    assert_int_equal(pread(other, bytes, 11, 0), 11);
    assert_memory_equal(bytes, "\0\0\0\0\0\0\0\0\0\0\0", 11);
    close(other);
    pem_file_close(&file); /* twice is fine */
}

static void each_mode_opens_what_it_needs(void **state)
{
    struct pair pair = make_pair(*state);
    const struct db_tls tls = {.ca = pair.cert, .cert = pair.cert, .key = pair.secret};

    for (int mode = TLS_DISABLE; mode < TLS_MODE_MAX; mode++) {
        AUTO(tls_files_close) struct tls_files files = TLS_FILES_INIT;
        struct fault f = FAULT_INIT;
        bool verifies = mode == TLS_VERIFY_CA || mode == TLS_VERIFY_FULL;
        assert_ok(tls_files_open(&tls, (enum tls_mode)mode, &files, &f), f);
        assert_int_equal(files.ca_path != NULL, verifies);
        assert_int_equal(files.cert_path != NULL, mode != TLS_DISABLE);
        assert_int_equal(files.key_path != NULL, mode != TLS_DISABLE);
        assert_int_equal(tls_mode_verifies((enum tls_mode)mode), verifies);
        assert_int_equal(tls_mode_demands((enum tls_mode)mode),
                         verifies || mode == TLS_REQUIRE);
        if (verifies) {
            assert_string_equal(content(*state, files.ca_path), pair.cert);
            assert_string_equal(content(*state, files.key_path), pair.key);
        }
    }
    secret_free(pair.secret);
}

static void what_is_no_pem_is_said(void **state)
{
    struct arena *arena = *state;
    struct pair pair = make_pair(arena);
    struct pair other = make_pair(arena);
    AUTO(secret_freep) struct secret *junk = secret_new(SV("junk"));
    char *damaged = arena_printf(arena, "%s%s", pair.cert, pair.cert);
    memcpy(strstr(damaged + strlen(pair.cert), "MI"), "!!", 2);
    const struct {
        struct db_tls tls;
        const char *field, *words;
    } cases[] = {
        {{.ca = ""}, "spec.tls.caSecretRef", "no PEM certificate"},
        {{.ca = "junk"}, "spec.tls.caSecretRef", "no PEM certificate"},
        {{.ca = pair.key}, "spec.tls.caSecretRef", "no PEM certificate"},
        {{.ca = damaged}, "spec.tls.caSecretRef", "damaged"},
        {{pair.cert, "junk", pair.secret}, "spec.tls.clientCertSecretRef", "tls.crt"},
        {{pair.cert, pair.cert, junk},
         "spec.tls.clientCertSecretRef",
         "tls.key holds no"},
        {{pair.cert, pair.cert, other.secret},
         "spec.tls.clientCertSecretRef",
         "does not belong"},
        {{pair.cert, pair.cert, NULL}, "spec.tls.clientCertSecretRef", "tls.crt alone"},
        {{pair.cert, NULL, pair.secret}, "spec.tls.clientCertSecretRef", "tls.key alone"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(tls_files_close) struct tls_files files = TLS_FILES_INIT;
        struct fault f = FAULT_INIT;
        assert_false(tls_files_open(&cases[i].tls, TLS_VERIFY_FULL, &files, &f));
        assert_int_equal(f.class, FAULT_UNAVAILABLE);
        assert_string_equal(f.reason, "TLSMaterialInvalid");
        assert_contains(f.text, cases[i].field);
        assert_contains(f.text, cases[i].words);
        assert_null(files.ca_path);
        assert_int_equal(files.ca.fd, -1);
        assert_lacks(f.text, "MI");
    }
    secret_free(pair.secret);
    secret_free(other.secret);
}

static void without_a_ca_the_systems_is_taken(void **state)
{
    AUTO(pem_file_close) struct pem_file bundle = PEM_FILE_INIT;
    AUTO(tls_files_close) struct tls_files files = TLS_FILES_INIT;
    const struct db_tls none = {0};
    struct pair pair = make_pair(*state);
    struct fault f = FAULT_INIT;

    assert_ok(pem_file_open(sv_from(pair.cert), &bundle, &f), f);
    assert_int_equal(setenv("SSL_CERT_FILE", bundle.path, 1), 0);
    assert_ok(tls_files_open(&none, TLS_VERIFY_CA, &files, &f), f);
    assert_string_equal(files.ca_path, bundle.path);
    assert_int_equal(setenv("SSL_CERT_FILE", "/nowhere/at/all.pem", 1), 0);
    assert_false(tls_files_open(&none, TLS_VERIFY_CA, &files, &f));
    assert_string_equal(f.reason, "TLSMaterialInvalid");
    assert_contains(f.text, "/nowhere/at/all.pem");
    assert_contains(f.text, "spec.tls.caSecretRef");
    assert_ok(tls_files_open(&none, TLS_REQUIRE, &files, &f), f); /* verifies nothing */
    assert_int_equal(unsetenv("SSL_CERT_FILE"), 0);
    secret_free(pair.secret);
}

static void verify(X509 *certificate, X509 *trusted)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *run = X509_STORE_CTX_new();

    if (trusted != NULL) {
        assert_int_equal(X509_STORE_add_cert(store, trusted), 1);
    }
    assert_int_equal(X509_STORE_CTX_init(run, store, certificate, NULL), 1);
    (void)X509_verify_cert(run);
    X509_STORE_CTX_free(run);
    X509_STORE_free(store);
}

static void the_first_verdict_is_kept(void **state)
{
    (void)state;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *good = self_signed(key, 3600);
    X509 *old = self_signed(key, -3600);

    tls_trace_init();
    tls_trace_init();
    tls_trace_begin();
    assert_false(tls_trace_met());
    assert_null(tls_trace_verdict());
    verify(old, old);
    assert_true(tls_trace_met());
    assert_string_equal(tls_trace_verdict(), "certificate has expired");
    verify(good, good);
    assert_string_equal(tls_trace_verdict(), "certificate has expired");

    tls_trace_begin();
    assert_null(tls_trace_verdict());
    verify(good, good);
    verify(old, NULL); /* as building our own chain may fail */
    assert_true(tls_trace_met());
    assert_null(tls_trace_verdict());
    X509_free(good);
    X509_free(old);
    EVP_PKEY_free(key);
}

int main(void)
{
#define FILES_TEST(f) cmocka_unit_test_setup_teardown(f, arena_setup, arena_teardown)
    const struct CMUnitTest tests[] = {
        FILES_TEST(a_pem_file_is_a_private_regular_file),
        FILES_TEST(a_closed_pem_file_holds_nothing),
        FILES_TEST(each_mode_opens_what_it_needs),
        FILES_TEST(what_is_no_pem_is_said),
        FILES_TEST(without_a_ca_the_systems_is_taken),
        FILES_TEST(the_first_verdict_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
