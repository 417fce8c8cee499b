/* What is kept of connections, when it is written and erased, and who may use it. */
#include "attempt_scene.h"

#include "audit/vault.h"
#include "base/heap.h"
#include "loop/keep.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define PASSWORD "p'w\\d\"\n \xC3\xA4%s"

struct kept {
    struct scene *scene;
    struct audit *audit;
    struct crypto *crypto;
};

static struct crypto *key(const char *digits)
{
    char path[] = "/tmp/tablesync-keep-XXXXXX";
    int fd = mkstemp(path);
    struct crypto *crypto = NULL;
    struct fault f = FAULT_INIT;

    for (int i = 0; i < 32; i++) {
        assert_int_equal(write(fd, digits, 2), 2);
    }
    (void)close(fd);
    assert_ok(crypto_load(path, NULL, &crypto, &f), f);
    (void)unlink(path);
    return crypto;
}

static int set_up(void **state)
{
    const struct audit_options options = {.path = ":memory:"};
    struct kept *k = HEAP_NEW(struct kept);
    void *scene = NULL;
    struct fault f = FAULT_INIT;

    assert_int_equal(scene_set_up(&scene), 0);
    k->scene = scene;
    k->crypto = key("ab");
    assert_ok(audit_open(&options, &k->scene->clock.base, &k->audit, &f), f);
    k->scene->loop->ports.audit = k->audit;
    k->scene->loop->ports.crypto = k->crypto;
    k->scene->loop->options.attempt_ms = 60000;
    *state = k;
    return 0;
}

static int tear_down(void **state)
{
    struct kept *k = *state;
    void *scene = k->scene;

    (void)scene_tear_down(&scene);
    audit_close(k->audit);
    crypto_free(k->crypto);
    heap_free(k);
    return 0;
}

static struct dbconn a_conn(const char *name)
{
    return (struct dbconn){.namespace = "shop",
                           .name = name,
                           .uid = "c-1",
                           .created = "2026-01-01T00:00:00Z",
                           .generation = 7,
                           .type = DBCONN_RISINGWAVE,
                           .host = "rw.example",
                           .port = 4566,
                           .database = "dev",
                           .secret_name = "login",
                           .username_key = "username",
                           .password_key = "password",
                           .tls_mode = TLS_VERIFY_FULL,
                           .tls_ca_secret = "ca",
                           .tls_ca_key = "ca.crt",
                           .server_id_low = 5400,
                           .server_id_high = 6400,
                           .rw_schema = "tablesync",
                           .http_port = 8030};
}

static struct credentials a_login(const char *password)
{
    return (struct credentials){.username = heap_strdup("tablesync"),
                                .password = secret_new(sv_from(password)),
                                .ca = heap_strdup("CA\nPEM\n"),
                                .cert = heap_strdup("CERT"),
                                .key = secret_new(SV("KEY")),
                                .version = heap_strdup("s-1/9")};
}

static void store(struct kept *k, const struct dbconn *conn, const char *password)
{
    AUTO(credentials_deinit) struct credentials login = a_login(password);
    struct fault f = FAULT_INIT;

    assert_ok(keep_store(k->scene->loop, conn, &login, &f), f);
}

static int64_t stored_ms(struct kept *k, const char *name)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct vault_list list = {0};
    struct fault f = FAULT_INIT;

    assert_ok(vault_list(k->audit, arena, &list, &f), f);
    for (VEC_EACH(struct vault_entry, e, &list.entries)) {
        if (strcmp(e->name, name) == 0) {
            return e->stored_ms;
        }
    }
    return 0;
}

static void finds_what_was_stored(void **state)
{
    struct kept *k = *state;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(credentials_deinit) struct credentials login = {0};
    struct dbconn before = a_conn("rw"), conn = {0};
    struct fault f = FAULT_INIT;

    store(k, &before, PASSWORD);
    assert_ok(keep_find(k->scene->loop, "shop", "rw", arena, &conn, &login, &f), f);
    assert_string_equal(conn.namespace, "shop");
    assert_string_equal(conn.name, "rw");
    assert_string_equal(conn.uid, "c-1");
    assert_string_equal(conn.host, "rw.example");
    assert_string_equal(conn.database, "dev");
    assert_string_equal(conn.rw_schema, "tablesync");
    assert_string_equal(conn.secret_name, "login");
    assert_string_equal(conn.tls_ca_secret, "ca");
    assert_null(conn.tls_client_secret);
    assert_int_equal(conn.type, DBCONN_RISINGWAVE);
    assert_int_equal(conn.tls_mode, TLS_VERIFY_FULL);
    assert_true(conn.port == 4566 && conn.http_port == 8030 && conn.generation == 7);
    assert_true(conn.server_id_low == 5400 && conn.server_id_high == 6400);
    assert_string_equal(login.username, "tablesync");
    assert_true(sv_eq(secret_reveal(login.password), SV(PASSWORD)));
    assert_string_equal(login.ca, "CA\nPEM\n");
    assert_string_equal(login.cert, "CERT");
    assert_true(sv_eq(secret_reveal(login.key), SV("KEY")));
    assert_int_equal(strncmp(login.version, "kept/c-1/", 9), 0);
}

static void writes_only_what_differs(void **state)
{
    struct kept *k = *state;
    struct dbconn conn = a_conn("rw");
    int64_t at = 0;

    store(k, &conn, PASSWORD);
    at = stored_ms(k, "rw");
    assert_true(at > 0);
    k->scene->clock.now_ms += 1000;
    store(k, &conn, PASSWORD);
    assert_int_equal(stored_ms(k, "rw"), at);
    store(k, &conn, "another");
    assert_int_equal(stored_ms(k, "rw"), at + 1000);
    k->scene->clock.now_ms += 1000;
    conn.host = "moved.example";
    store(k, &conn, "another");
    assert_int_equal(stored_ms(k, "rw"), at + 2000);
    k->scene->clock.now_ms += 1000;
    conn.uid = "c-2";
    store(k, &conn, "another");
    assert_int_equal(stored_ms(k, "rw"), at + 3000);
}

/* The words of the fault; the login is untouched. */
static const char *refuses(struct kept *k, const char *name, const char *reason,
                           struct arena *arena)
{
    struct credentials login = {0};
    struct dbconn conn = {0};
    struct fault f = FAULT_INIT;

    assert_false(keep_find(k->scene->loop, "shop", name, arena, &conn, &login, &f));
    assert_string_equal(f.reason, reason);
    assert_int_equal(f.class, FAULT_DENIED);
    assert_null(login.username);
    assert_null(conn.host);
    return arena_strdup(arena, f.text);
}

static void says_why_nothing_is_found(void **state)
{
    struct kept *k = *state;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(crypto_freep) struct crypto *other = key("cd");
    struct dbconn conn = a_conn("rw");

    assert_true(keep_is_on(k->scene->loop));
    assert_contains(refuses(k, "rw", "NothingKept", arena), "connection 'shop/rw'");
    store(k, &conn, PASSWORD);
    k->scene->loop->ports.crypto = other;
    assert_contains(refuses(k, "rw", "KeptUnreadable", arena), crypto_key_id(k->crypto));
    k->scene->loop->ports.crypto = NULL;
    assert_false(keep_is_on(k->scene->loop));
    assert_contains(refuses(k, "rw", "NothingKept", arena), "--encryption-key-file");
    store(k, &conn, "with no key nothing is written, and that is no fault");
    k->scene->loop->ports.crypto = k->crypto;
    assert_true(stored_ms(k, "rw") > 0);
}

static void what_cannot_be_read_is_stored_anew(void **state)
{
    struct kept *k = *state;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(credentials_deinit) struct credentials login = {0};
    AUTO(crypto_freep) struct crypto *other = key("cd");
    struct dbconn conn = a_conn("rw"), found = {0};
    struct fault f = FAULT_INIT;

    store(k, &conn, PASSWORD);
    k->scene->loop->ports.crypto = other;
    store(k, &conn, PASSWORD);
    assert_ok(keep_find(k->scene->loop, "shop", "rw", arena, &found, &login, &f), f);
    assert_true(sv_eq(secret_reveal(login.password), SV(PASSWORD)));
    k->scene->loop->ports.crypto = k->crypto;
}

static void a_new_key_takes_over_at_the_start(void **state)
{
    struct kept *k = *state;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct vault_list list = {0};
    struct dbconn conn = a_conn("rw");
    struct fault f = FAULT_INIT;

    store(k, &conn, PASSWORD);
    keep_rekey(k->scene->loop);
    assert_ok(vault_list(k->audit, arena, &list, &f), f);
    assert_string_equal(list.entries.v[0].key_id, crypto_key_id(k->crypto));
    k->scene->loop->ports.crypto = NULL;
    keep_rekey(k->scene->loop);
}

#define SYNC(namespace, name, rw)                                                        \
    "{\"metadata\":{\"name\":\"" name                                                    \
    "\",\"namespace\":\"" namespace "\",\"uid\":\"u-" name                               \
                                    "\",\"resourceVersion\":\"9\"},\"spec\":{"           \
                                    "\"risingWave\":{"                                   \
                                    "\"connectionRef\":{\"name\":\"" rw "\"}}}}"

static void a_sweep_takes_what_nobody_needs(void **state)
{
    struct kept *k = *state;
    struct loop *loop = k->scene->loop;
    const char *const names[] = {"used", "there", "neither"};
    const char *elsewhere = "else";

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct dbconn conn = a_conn(names[i]);
        store(k, &conn, PASSWORD);
    }
    kube_store_put(loop->syncs, unit_json(SYNC("shop", "one", "used")));
    kube_store_put(loop->syncs, unit_json(SYNC("else", "two", "neither")));
    kube_store_put(loop->conns,
                   unit_json("{\"metadata\":{\"name\":\"there\",\"namespace\":\"shop\","
                             "\"uid\":\"c\",\"resourceVersion\":\"9\"}}"));
    keep_sweep(loop, "else");
    assert_true(stored_ms(k, "neither") > 0);
    loop->options.namespaces = (struct strlist){.v = &elsewhere, .n = 1};
    /* Nothing is known of shop then. */
    keep_sweep(loop, NULL);
    assert_true(stored_ms(k, "neither") > 0);
    loop->options.namespaces = (struct strlist){0};
    loop->ports.crypto = NULL; /* erasing needs no key */
    keep_sweep(loop, "shop");
    assert_int_equal(stored_ms(k, "neither"), 0);
    assert_true(stored_ms(k, "used") > 0 && stored_ms(k, "there") > 0);
    kube_store_remove(loop->syncs, "shop/one");
    keep_sweep(loop, NULL);
    assert_int_equal(stored_ms(k, "used"), 0);
    assert_true(stored_ms(k, "there") > 0);
}

static void the_last_sync_takes_it_along(void **state)
{
    struct kept *k = *state;
    struct dbconn conn = a_conn("rw");

    store(k, &conn, PASSWORD);
    kube_store_put(k->scene->loop->syncs, unit_json(SYNC("shop", "one", "rw")));
    kube_store_remove(k->scene->loop->syncs, "shop/orders");
    loop_reconcile(k->scene->loop, "TableSync/shop/orders");
    assert_true(stored_ms(k, "rw") > 0);
    kube_store_remove(k->scene->loop->syncs, "shop/one");
    loop_reconcile(k->scene->loop, "TableSync/shop/one");
    assert_int_equal(stored_ms(k, "rw"), 0);
}

/* --- logging in --- */

static void no_secret(struct unit_kube *kube, const struct kube_request *request,
                      struct kube_response *response)
{
    (void)kube;
    assert_contains(request->path, "/secrets/");
    response->status = 404;
    buf_addz(&response->body, "{\"kind\":\"Status\",\"reason\":\"NotFound\"}");
}

static bool binds(struct kept *k, bool deleting, struct fault *fault)
{
    struct attempt *a = &k->scene->a;
    bool good = false;

    scene_begin(k->scene, "connections");
    a->sync.deleting = deleting;
    a->sync.rw_connection = "rw";
    good = binding_open(a, BIND_RISINGWAVE, fault);
    assert_true(!good || (a->bindings[BIND_RISINGWAVE].session.stream != NULL &&
                          a->bindings[BIND_RISINGWAVE].kept_for != NULL));
    binding_close(a, BIND_RISINGWAVE, NULL);
    scene_end(k->scene);
    return good;
}

#define CONN(metadata)                                                                   \
    "{\"apiVersion\":\"tablesync.dev/v1alpha1\",\"kind\":\"DatabaseConnection\","        \
    "\"metadata\":{\"name\":\"rw\",\"namespace\":\"shop\",\"uid\":\"c-1\","              \
    "\"resourceVersion\":\"9\"" metadata "},\"spec\":{\"type\":\"RisingWave\","          \
    "\"host\":\"h\",\"credentialsSecretRef\":{\"name\":\"login\"}}}"

static void only_a_deletion_uses_what_is_kept(void **state)
{
    struct kept *k = *state;
    struct dbconn conn = a_conn("rw");
    struct fault f = FAULT_INIT;

    store(k, &conn, PASSWORD);
    k->scene->kube.answer = no_secret;
    assert_false(binds(k, false, &f));
    assert_string_equal(f.reason, "ConnectionNotFound");
    assert_ok(binds(k, true, &f), f);
    kube_store_put(k->scene->loop->conns, unit_json(CONN("")));
    assert_false(binds(k, false, &f));
    assert_string_equal(f.reason, "SecretNotFound");
    assert_ok(binds(k, true, &f), f);
    assert_int_equal(k->scene->db.opens, 1); /* the second time it was in the pool */
}

static bool refuse_login(struct unit_db *db, struct fault *fault)
{
    (void)db;
    return fault_set(fault, FAULT_DENIED, "AuthFailed", "access denied");
}

static void a_kept_login_that_is_refused_is_told(void **state)
{
    struct kept *k = *state;
    struct dbconn conn = a_conn("rw");
    struct fault f = FAULT_INIT;

    store(k, &conn, PASSWORD);
    k->scene->db.on_open = refuse_login;
    assert_false(binds(k, true, &f));
    assert_string_equal(f.reason, "AuthFailed");
    assert_contains(f.text, "with its last-known-good credentials");
    assert_contains(f.text, "access denied");
}

static void what_is_missing_and_what_would_help_is_told(void **state)
{
    struct kept *k = *state;
    AUTO(crypto_freep) struct crypto *other = key("cd");
    struct dbconn conn = a_conn("rw");
    struct fault f = FAULT_INIT;

    assert_false(binds(k, true, &f));
    assert_string_equal(f.reason, "ConnectionNotFound");
    assert_contains(f.text, "there is no DatabaseConnection 'rw'");
    assert_contains(f.text, "; no last-known-good credentials");
    kube_store_put(k->scene->loop->conns, unit_json(CONN("")));
    k->scene->kube.answer = no_secret;
    assert_false(binds(k, true, &f));
    assert_string_equal(f.reason, "SecretNotFound");
    assert_contains(f.text, "'shop/login'");
    assert_contains(f.text, "; no last-known-good credentials");
    store(k, &conn, PASSWORD);
    k->scene->loop->ports.crypto = other;
    assert_false(binds(k, true, &f));
    assert_contains(f.text, "add the key they were encrypted with");
    k->scene->loop->ports.crypto = NULL;
    assert_false(binds(k, true, &f));
    assert_contains(f.text, "runs without --encryption-key-file");
}

static void nothing_begins_on_what_is_being_deleted(void **state)
{
    struct kept *k = *state;
    struct attempt *a = &k->scene->a;
    struct fault f = FAULT_INIT;

    kube_store_put(k->scene->loop->conns,
                   unit_json(CONN(",\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"")));
    k->scene->kube.answer = no_secret;
    assert_false(binds(k, false, &f));
    assert_string_equal(f.reason, "ConnectionDeleting");
    assert_contains(f.text, "'rw' (spec.risingWave.connectionRef.name)");
    scene_begin(k->scene, "connections");
    a->sync.rw_connection = "rw";
    a->before.applied_hash = "sha256:x"; /* it streams: on it goes */
    assert_false(binding_open(a, BIND_RISINGWAVE, &f));
    assert_string_equal(f.reason, "SecretNotFound");
    binding_close(a, BIND_RISINGWAVE, NULL);
    scene_end(k->scene);
}

#define KEEP_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        KEEP_TEST(finds_what_was_stored),
        KEEP_TEST(writes_only_what_differs),
        KEEP_TEST(says_why_nothing_is_found),
        KEEP_TEST(what_cannot_be_read_is_stored_anew),
        KEEP_TEST(a_new_key_takes_over_at_the_start),
        KEEP_TEST(a_sweep_takes_what_nobody_needs),
        KEEP_TEST(the_last_sync_takes_it_along),
        KEEP_TEST(only_a_deletion_uses_what_is_kept),
        KEEP_TEST(a_kept_login_that_is_refused_is_told),
        KEEP_TEST(what_is_missing_and_what_would_help_is_told),
        KEEP_TEST(nothing_begins_on_what_is_being_deleted),
    };
    return cmocka_run_group_tests_name("loop/keep", tests, NULL, NULL);
}
