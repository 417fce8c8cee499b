#include "loop_unit.h"

#include "loop/secrets.h"

#include <stdio.h>

static struct unit_kube kube;
static struct kube_api api;
static struct cancel root;

/* What the API server holds; read and written under the lock of the test's own thread. */
static const char *held;
static int held_status;

static void answer_secret(struct unit_kube *fake, const struct kube_request *request,
                          struct kube_response *response)
{
    (void)fake;
    assert_string_equal(request->method, "GET");
    assert_string_equal(request->path, "/api/v1/namespaces/ns/secrets/login");
    response->status = held_status;
    buf_addz(&response->body, held);
}

static int set_up(void **state)
{
    struct fault fault = FAULT_INIT;

    (void)state;
    unit_kube_init(&kube);
    kube.answer = answer_secret;
    api = (struct kube_api){
        .transport = &kube.base, .clock = clock_system(), .call_timeout_ms = 10000};
    assert_ok(cancel_init_root(&root, clock_system(), &fault), fault);
    held_status = 200;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cancel_deinit(&root);
    return 0;
}

#define SECRET(version, data)                                                            \
    "{\"kind\":\"Secret\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"login\","       \
    "\"namespace\":\"ns\",\"uid\":\"u1\",\"resourceVersion\":\"" version                 \
    "\"},\"data\":{" data "}}"

static const struct dbconn LOGIN_ONLY = {.namespace = "ns",
                                         .secret_name = "login",
                                         .username_key = "username",
                                         .password_key = "password"};

static bool read_login(struct secrets *secrets, struct credentials *out,
                       struct fault *fault)
{
    return secrets_read(secrets, &LOGIN_ONLY, &root, out, fault);
}

static void ignore(void *context, const char *key)
{
    (void)context;
    (void)key;
}

static void the_two_keys_are_decoded(void **state)
{
    struct secrets *secrets = secrets_new(&api, NULL, 1, false, ignore, NULL);
    AUTO(credentials_deinit) struct credentials login = {0};
    AUTO(credentials_deinit) struct credentials again = {0};
    struct fault fault = FAULT_INIT;

    (void)state;
    held = SECRET("7", "\"username\":\"Y2Rj\",\"password\":\"cMOkc3M=\"");
    assert_ok(read_login(secrets, &login, &fault), fault);
    assert_string_equal(login.username, "cdc");
    assert_true(sv_eq(secret_reveal(login.password), SV("p\xc3\xa4ss")));
    held = SECRET("8", "\"username\":\"Y2Rj\",\"password\":\"cMOkc3M=\"");
    assert_ok(read_login(secrets, &again, &fault), fault);
    assert_string_not_equal(login.version, again.version); /* lanes notice a rotation */
    secrets_free(secrets);
}

/* An empty password is legal, an empty user name is not. */
static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *body;
        int status;
        const char *reason, *part;
    } rows[] = {
        {"{\"kind\":\"Status\",\"reason\":\"NotFound\",\"code\":404}", 404,
         "SecretNotFound", "ns/login"},
        {SECRET("1", "\"username\":\"Y2Rj\""), 200, "SecretKeyMissing", "'password'"},
        {SECRET("1", "\"password\":\"Y2Rj\""), 200, "SecretKeyMissing", "'username'"},
        {SECRET("1", "\"username\":\"\",\"password\":\"Y2Rj\""), 200, "SecretKeyMissing",
         "empty"},
        {SECRET("1", "\"username\":\"Y2Rj\",\"password\":\"!!!\""), 200,
         "SecretKeyMissing", "'password'"},
        {SECRET("1", "\"username\":\"Y2Rj\",\"password\":\"/w==\""), 200,
         "SecretKeyMissing", "UTF-8"},
        {SECRET("1", "\"username\":\"YQBi\",\"password\":\"Y2Rj\""), 200,
         "SecretKeyMissing", "NUL"},
        {"{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"no\",\"code\":403}",
         403, "Forbidden", "ns/login"},
    };
    struct secrets *secrets = secrets_new(&api, NULL, 1, false, ignore, NULL);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct credentials login = {0};
        struct fault fault = FAULT_INIT;

        held = rows[i].body;
        held_status = rows[i].status;
        assert_false(read_login(secrets, &login, &fault));
        assert_int_equal(fault.class, FAULT_DENIED);
        assert_string_equal(fault.reason, rows[i].reason);
        assert_contains(fault.text, rows[i].part);
        assert_null(login.username);
    }
    held = SECRET("1", "\"username\":\"Y2Rj\",\"password\":\"\"");
    held_status = 200;
    struct credentials login = {0};
    struct fault fault = FAULT_INIT;
    assert_ok(read_login(secrets, &login, &fault), fault);
    assert_int_equal(secret_reveal(login.password).n, 0);
    credentials_deinit(&login);
    secrets_free(secrets);
}

static void without_watching_each_use_reads(void **state)
{
    struct secrets *secrets = secrets_new(&api, NULL, 1, false, ignore, NULL);

    (void)state;
    held = SECRET("7", "\"username\":\"Y2Rj\",\"password\":\"Y2Rj\"");
    for (int i = 0; i < 3; i++) {
        struct credentials login = {0};
        struct fault fault = FAULT_INIT;

        assert_ok(read_login(secrets, &login, &fault), fault);
        credentials_deinit(&login);
    }
    assert_int_equal(kube.calls, 3);
    secrets_free(secrets);
}

/* --- TLS --- */

/* "cGVt" is "pem"; what is asked for, and what stands in each Secret. */
static const char *ca_held, *client_held;

static void answer_tls(struct unit_kube *fake, const struct kube_request *request,
                       struct kube_response *response)
{
    const char *data = NULL;

    (void)fake;
    response->status = 200;
    if (strstr(request->path, "/login") != NULL) {
        data = "\"username\":\"Y2Rj\",\"password\":\"cHc=\"";
    } else if (strstr(request->path, "/ca") != NULL) {
        data = ca_held;
    } else if (strstr(request->path, "/client") != NULL) {
        data = client_held;
    }
    if (data == NULL) {
        response->status = 404;
        buf_addz(&response->body, "{\"kind\":\"Status\",\"reason\":\"NotFound\"}");
        return;
    }
    buf_addf(&response->body,
             "{\"kind\":\"Secret\",\"metadata\":{\"uid\":\"u\","
             "\"resourceVersion\":\"%zu\"},\"data\":{%s}}",
             strlen(data), data);
}

static const struct dbconn WITH_TLS = {.namespace = "ns",
                                       .secret_name = "login",
                                       .username_key = "username",
                                       .password_key = "password",
                                       .tls_ca_secret = "ca",
                                       .tls_ca_key = "root.pem",
                                       .tls_client_secret = "client"};

#define CLIENT "\"tls.crt\":\"Y2VydA==\",\"tls.key\":\"a2V5\""

static void what_tls_wants_is_read_too(void **state)
{
    struct secrets *secrets = secrets_new(&api, NULL, 1, false, ignore, NULL);
    AUTO(credentials_deinit) struct credentials first = {0};
    AUTO(credentials_deinit) struct credentials second = {0};
    AUTO(credentials_deinit) struct credentials plain = {0};
    struct fault fault = FAULT_INIT;

    (void)state;
    kube.answer = answer_tls;
    ca_held = "\"root.pem\":\"cGVt\"";
    client_held = CLIENT;
    assert_ok(secrets_read(secrets, &WITH_TLS, &root, &first, &fault), fault);
    assert_string_equal(first.username, "cdc");
    assert_string_equal(first.ca, "pem");
    assert_string_equal(first.cert, "cert");
    assert_true(sv_eq(secret_reveal(first.key), SV("key")));
    /* A change of any of them is another version. */
    ca_held = "\"root.pem\":\"cGVtMg==\"";
    assert_ok(secrets_read(secrets, &WITH_TLS, &root, &second, &fault), fault);
    assert_string_not_equal(first.version, second.version);
    assert_ok(secrets_read(secrets, &LOGIN_ONLY, &root, &plain, &fault), fault);
    assert_null(plain.ca);
    assert_null(plain.cert);
    assert_null(plain.key);
    secrets_free(secrets);
}

static void what_tls_lacks_is_named(void **state)
{
    static const struct {
        const char *ca, *client, *reason, *part, *field;
    } rows[] = {
        {NULL, CLIENT, "SecretNotFound", "'ns/ca'", "spec.tls.caSecretRef"},
        {"\"ca.crt\":\"cGVt\"", CLIENT, "SecretKeyMissing", "'root.pem'",
         "spec.tls.caSecretRef"},
        {"\"root.pem\":\"\"", CLIENT, "SecretKeyMissing", "empty",
         "spec.tls.caSecretRef"},
        {"\"root.pem\":\"cGVt\"", NULL, "SecretNotFound", "'tls.crt' and 'tls.key'",
         "spec.tls.clientCertSecretRef"},
        {"\"root.pem\":\"cGVt\"", "\"tls.crt\":\"cGVt\"", "SecretKeyMissing", "'tls.key'",
         "spec.tls.clientCertSecretRef"},
    };
    struct secrets *secrets = secrets_new(&api, NULL, 1, false, ignore, NULL);

    (void)state;
    kube.answer = answer_tls;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct credentials credentials = {0};
        struct fault fault = FAULT_INIT;

        ca_held = rows[i].ca;
        client_held = rows[i].client;
        assert_false(secrets_read(secrets, &WITH_TLS, &root, &credentials, &fault));
        assert_int_equal(fault.class, FAULT_DENIED);
        assert_string_equal(fault.reason, rows[i].reason);
        assert_contains(fault.text, rows[i].part);
        assert_contains(fault.text, rows[i].field);
        assert_null(credentials.username);
    }
    secrets_free(secrets);
}

/* --- watching --- */

struct watching {
    struct flag listed, rotate, changed;
    char key[64];
};

static void answer_both(struct unit_kube *fake, const struct kube_request *request,
                        struct kube_response *response)
{
    static const char FIRST[] =
        SECRET("7", "\"username\":\"Y2Rj\",\"password\":\"b25l\"");

    response->status = 200;
    if (strstr(request->path, "fieldSelector=metadata.name%3Dlogin") != NULL) {
        buf_addf(&response->body,
                 "{\"kind\":\"SecretList\",\"metadata\":{\"resourceVersion\":\"7\"},"
                 "\"items\":[%s]}",
                 FIRST);
        flag_raise(&((struct watching *)fake->context)->listed);
        return;
    }
    assert_string_equal(request->path, "/api/v1/namespaces/ns/secrets/login");
    buf_addz(&response->body, FIRST);
}

static bool watch_secret(struct unit_kube *fake, struct cancel *cancel,
                         kube_on_bytes *on_bytes, void *to, struct fault *fault)
{
    static const char EVENT[] = "{\"type\":\"MODIFIED\",\"object\":" SECRET(
        "9", "\"username\":\"Y2Rj\",\"password\":\"dHdv\"") "}\n";
    struct watching *w = fake->context;

    if (!flag_wait(&w->rotate, 1, 10000) || !on_bytes(to, sv_from(EVENT), fault)) {
        return false;
    }
    return cancel_poll(cancel, -1, 0, "watch", fault);
}

static void on_change(void *context, const char *key)
{
    struct watching *w = context;

    (void)snprintf(w->key, sizeof(w->key), "%s", key);
    flag_raise(&w->changed);
}

/* Read once, then watched: a rotation is told, and no further GET is needed. */
static void a_watched_secret_is_told_when_it_rotates(void **state)
{
    struct watching w = {.key = ""};
    struct secrets *secrets = NULL;
    struct credentials login = {0};
    struct fault fault = FAULT_INIT;
    int64_t calls = 0;

    (void)state;
    flag_init(&w.listed);
    flag_init(&w.rotate);
    flag_init(&w.changed);
    kube.context = &w;
    kube.answer = answer_both;
    kube.watch = watch_secret;
    secrets = secrets_new(&api, NULL, 1, true, on_change, &w);
    assert_ok(read_login(secrets, &login, &fault), fault);
    assert_true(sv_eq(secret_reveal(login.password), SV("one")));
    credentials_deinit(&login);
    assert_true(flag_wait(&w.listed, 1, 10000));
    flag_raise(&w.rotate);
    assert_true(flag_wait(&w.changed, 1, 10000));
    assert_string_equal(w.key, "ns/login");
    calls = kube.calls;
    assert_ok(read_login(secrets, &login, &fault), fault);
    assert_true(sv_eq(secret_reveal(login.password), SV("two")));
    credentials_deinit(&login);
    assert_int_equal(kube.calls, calls);
    cancel_fire(&root);
    secrets_free(secrets);
    flag_deinit(&w.listed);
    flag_deinit(&w.rotate);
    flag_deinit(&w.changed);
}

#define SECRET_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SECRET_TEST(the_two_keys_are_decoded),
        SECRET_TEST(what_is_wrong_is_named),
        SECRET_TEST(without_watching_each_use_reads),
        SECRET_TEST(what_tls_wants_is_read_too),
        SECRET_TEST(what_tls_lacks_is_named),
        SECRET_TEST(a_watched_secret_is_told_when_it_rotates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
