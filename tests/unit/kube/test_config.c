#include "kube/config.h"
#include "kube_unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct bench {
    char *folder;
    struct arena *arena;
    struct kube_config_sources sources;
    struct kube_config config;
    struct fault fault;
};

static void setup(struct bench *b)
{
    *b = (struct bench){.folder = test_folder(), .arena = arena_new(ARENA_CEILING_BYTES)};
}

static void teardown(struct bench *b)
{
    kube_config_deinit(&b->config);
    arena_free(b->arena);
    test_folder_remove(b->folder);
}

#define BENCH                                                                            \
    AUTO(teardown) struct bench b;                                                       \
    setup(&b)

static const char *file(struct bench *b, const char *name, const char *content)
{
    char *path = test_file(b->folder, name, content);
    const char *kept = arena_strdup(b->arena, path);

    free(path);
    return kept;
}

static bool load(struct bench *b)
{
    return kube_config_load(&b->sources, b->arena, &b->config, &b->fault);
}

#define HEAD "apiVersion: v1\nkind: Config\n"
#define CONTEXT(user)                                                                    \
    "current-context: here\n"                                                            \
    "contexts: [{name: here, context: {cluster: c, user: " user ", namespace: shop}}]\n"
#define CLUSTER(fields)                                                                  \
    "clusters: [{name: c, cluster: {server: \"https://h:6443/\"" fields "}}]\n"
#define USER(fields) "users: [{name: u, user: {" fields "}}]\n"

static void a_whole_kubeconfig_is_read(void **state)
{
    (void)state;
    BENCH;
    b.sources.explicit_path =
        file(&b, "config",
             HEAD CONTEXT("u") CLUSTER(
                 ", certificate-authority: ca.crt, tls-server-name: kube, "
                 "disable-compression: true, proxy-url: \"http://p:1\"")
                 USER("tokenFile: /abs/token, token: ignored-when-a-file-is-named, "
                      "client-certificate: c.crt, client-key: sub/c.key, username: joe, "
                      "password: pw1"));

    assert_ok(load(&b), b.fault);
    assert_string_equal(b.config.server, "https://h:6443");
    assert_string_equal(b.config.namespace, "shop");
    assert_string_equal(b.config.tls_server_name, "kube");
    assert_string_equal(b.config.proxy_url, "http://p:1");
    assert_string_equal(b.config.ca_file, arena_printf(b.arena, "%s/ca.crt", b.folder));
    assert_string_equal(b.config.client_cert_file,
                        arena_printf(b.arena, "%s/c.crt", b.folder));
    assert_string_equal(b.config.client_key_file,
                        arena_printf(b.arena, "%s/sub/c.key", b.folder));
    assert_string_equal(b.config.token_file, "/abs/token");
    assert_string_equal(b.config.username, "joe");
    assert_string_equal(secret_reveal(b.config.password).p, "pw1");
    assert_false(b.config.insecure_skip_tls_verify);
    assert_true(b.config.disable_compression);
    assert_string_equal(
        b.config.origin,
        arena_printf(b.arena, "kubeconfig %s/config, context here", b.folder));
}

static void data_beats_files(void **state)
{
    (void)state;
    BENCH;
    b.sources.explicit_path = file(
        &b, "config",
        HEAD CONTEXT("u")
            CLUSTER(", certificate-authority: ca.crt, certificate-authority-data: Q0E=")
                USER("client-certificate: c.crt, client-certificate-data: Q0VSVA==, "
                     "client-key: c.key, client-key-data: S0VZ"));

    assert_ok(load(&b), b.fault);
    assert_string_equal(b.config.ca_pem, "CA");
    assert_string_equal(b.config.client_cert_pem, "CERT");
    assert_string_equal(secret_reveal(b.config.client_key_pem).p, "KEY");
    assert_null(b.config.ca_file);
    assert_null(b.config.client_cert_file);
    assert_null(b.config.client_key_file);
}

static void files_merge_and_the_first_wins(void **state)
{
    (void)state;
    BENCH;
    const char *one =
        file(&b, "one",
             HEAD "contexts: [{name: here, context: {cluster: c, user: u}}]\n"
                  "clusters: [{name: c, cluster: {server: \"https://one:1\"}}]\n");
    const char *two = file(
        &b, "two",
        HEAD
        "current-context: here\n"
        "contexts: [{name: here, context: {cluster: other, user: u, namespace: no}}]\n"
        "clusters: [{name: c, cluster: {server: \"https://two:2\", "
        "insecure-skip-tls-verify: true}}]\n" USER("token: from-two"));

    b.sources.kubeconfig_env =
        arena_printf(b.arena, "%s/missing:%s::%s:%s", b.folder, one, two, one);
    assert_ok(load(&b), b.fault);
    assert_string_equal(b.config.server, "https://one:1");
    assert_string_equal(b.config.namespace, "default");
    assert_false(b.config.insecure_skip_tls_verify);
    assert_string_equal(secret_reveal(b.config.token).p, "from-two");
}

static void an_explicit_file_is_not_merged(void **state)
{
    (void)state;
    BENCH;
    b.sources.kubeconfig_env = file(&b, "env", HEAD CONTEXT("u") CLUSTER("") USER(""));
    b.sources.explicit_path = file(&b, "explicit", HEAD "current-context: here\n");

    assert_false(load(&b));
    assert_contains(b.fault.text, "/explicit' has no context 'here'");
}

static void a_context_can_be_chosen(void **state)
{
    (void)state;
    BENCH;
    b.sources.context = "there";
    b.sources.explicit_path =
        file(&b, "config",
             HEAD "current-context: here\n"
                  "contexts: [{name: there, context: {cluster: c}}]\n" CLUSTER(""));

    assert_ok(load(&b), b.fault);
    assert_null(b.config.token);
    assert_contains(b.config.origin, "context there");
}

static void bad_kubeconfigs_are_refused_with_a_sentence(void **state)
{
    (void)state;
    const struct {
        const char *content, *part;
    } rows[] = {
        {HEAD, "has no current-context"},
        {HEAD "current-context: x\n", "has no context 'x'"},
        {"- a\n", "is not one YAML mapping"},
        {"a: 1\n---\nb: 2\n", "is not one YAML mapping"},
        {"a: [\n", "/config'"},
        {HEAD CONTEXT("u") USER(""), "context 'here': there is no cluster named 'c'"},
        {HEAD CONTEXT("u") CLUSTER(""), "context 'here': there is no user named 'u'"},
        {HEAD "current-context: here\ncontexts: [{name: here, context: {user: u}}]\n",
         "cluster is missing"},
        {HEAD CONTEXT("u") "clusters: [{name: c, cluster: {}}]\n" USER(""),
         "cluster 'c': server is missing"},
        {HEAD CONTEXT("u") "clusters: [{name: c, cluster: {server: \"h:1\"}}]\n" USER(""),
         "server must begin with https://"},
        {HEAD CONTEXT("u") "clusters: [{name: c, cluster: {server: "
                           "\"https://u:p@h:1\"}}]\n" USER(""),
         "without user, query or spaces"},
        {HEAD CONTEXT("u") CLUSTER(", certificate-authority: x, "
                                   "insecure-skip-tls-verify: true") USER(""),
         "exclude each other"},
        {HEAD CONTEXT("u") CLUSTER(", certificate-authority-data: \"!\"") USER(""),
         "certificate-authority-data is not the base64"},
        {HEAD CONTEXT("u") CLUSTER(", certificate-authority-data: \"  \"") USER(""),
         "certificate-authority-data is not the base64"},
        {HEAD CONTEXT("u") CLUSTER("") USER("client-certificate: x"),
         "client-certificate needs client-key"},
        {HEAD CONTEXT("u") CLUSTER("") USER("client-key-data: S0VZ"),
         "client-key needs client-certificate"},
        {HEAD CONTEXT("u") CLUSTER("") USER("token: 12345"), "token must be a string"},
        {HEAD CONTEXT("u") CLUSTER("") USER("exec: {command: aws}"),
         "user 'u': 'exec' is not supported"},
        {HEAD CONTEXT("u") CLUSTER("") USER("auth-provider: {name: gcp}"),
         "'auth-provider' is not supported"},
        {HEAD CONTEXT("u") CLUSTER("") USER("token: t, as: root"),
         "impersonation ('as') is not supported"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BENCH;
        b.sources.explicit_path = file(&b, "config", rows[i].content);
        if (load(&b)) {
            fail_msg("row %zu was taken", i);
        }
        assert_contains(b.fault.text, rows[i].part);
        assert_contains(b.fault.text, b.folder);
        assert_int_equal(b.fault.class, FAULT_SPEC);
        assert_null(b.config.server);
    }
}

static void a_plugin_beside_a_token_is_not_needed(void **state)
{
    (void)state;
    BENCH;
    b.sources.explicit_path =
        file(&b, "config",
             HEAD CONTEXT("u") CLUSTER("") USER("token: t123, exec: {command: aws}"));

    assert_ok(load(&b), b.fault);
    assert_string_equal(secret_reveal(b.config.token).p, "t123");
}

static void secrets_stay_out_of_sentences(void **state)
{
    (void)state;
    BENCH;
    b.sources.explicit_path = file(
        &b, "config",
        HEAD CONTEXT("u") CLUSTER("") USER(
            "token: sup3rs3cret, password: hunter22, client-key-data: \"hunter22!\", "
            "client-certificate: x"));

    assert_false(load(&b));
    assert_lacks(b.fault.text, "hunter22");
    assert_lacks(b.fault.text, "sup3rs3cret");
}

static void a_pod_finds_its_service_account(void **state)
{
    (void)state;
    const struct {
        const char *host, *server;
    } rows[] = {{"10.0.0.1", "https://10.0.0.1:443"},
                {"fd00::1", "https://[fd00::1]:443"},
                {"[fd00::1]", "https://[fd00::1]:443"}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BENCH;
        b.sources.service_host = rows[i].host;
        b.sources.service_port = "443";
        b.sources.service_account_dir = b.folder;
        (void)file(&b, "token", "abc");
        (void)file(&b, "ca.crt", "pem");
        (void)file(&b, "namespace", "prod\n");
        assert_ok(load(&b), b.fault);
        assert_string_equal(b.config.server, rows[i].server);
        assert_string_equal(b.config.namespace, "prod");
        assert_string_equal(b.config.token_file,
                            arena_printf(b.arena, "%s/token", b.folder));
        assert_string_equal(b.config.ca_file,
                            arena_printf(b.arena, "%s/ca.crt", b.folder));
        assert_string_equal(b.config.origin, "in-cluster");
    }
}

static void a_pod_without_a_token_is_told_so(void **state)
{
    (void)state;
    BENCH;
    b.sources.service_host = "10.0.0.1";
    b.sources.service_port = "443";
    b.sources.service_account_dir = b.folder;

    assert_false(load(&b));
    assert_contains(b.fault.text, "/token' does not exist");
    assert_contains(b.fault.text, "automountServiceAccountToken");
}

static void the_order_of_sources_is_fixed(void **state)
{
    (void)state;
    BENCH;
    char *home = test_folder();
    char *dot = NULL;

    assert_true(asprintf(&dot, "%s/.kube", home) > 0);
    b.sources.service_account_dir = b.folder;
    b.sources.home = home;
    assert_false(load(&b));
    assert_string_equal(b.fault.reason, "NoCluster");
    assert_contains(b.fault.text, "--kubeconfig");
    assert_int_equal(mkdir(dot, 0700), 0);
    free(test_file(dot, "config", HEAD CONTEXT("u") CLUSTER("") USER("")));
    assert_ok(load(&b), b.fault);
    assert_contains(b.config.origin, "/.kube/config");
    b.sources.service_host = "10.0.0.1";
    b.sources.service_port = "443";
    (void)file(&b, "token", "abc");
    (void)file(&b, "ca.crt", "pem");
    assert_ok(load(&b), b.fault);
    assert_string_equal(b.config.origin, "in-cluster");
    b.sources.kubeconfig_env = file(&b, "env", HEAD CONTEXT("u") CLUSTER("") USER(""));
    assert_ok(load(&b), b.fault);
    assert_contains(b.config.origin, "/env");
    b.sources.explicit_path = file(&b, "flag", HEAD CONTEXT("u") CLUSTER("") USER(""));
    assert_ok(load(&b), b.fault);
    assert_contains(b.config.origin, "/flag");
    free(dot);
    test_folder_remove(home);
}

static void a_missing_file_is_never_replaced_by_another_cluster(void **state)
{
    (void)state;
    BENCH;
    b.sources.service_host = "10.0.0.1";
    b.sources.service_port = "443";
    b.sources.service_account_dir = b.folder;
    (void)file(&b, "token", "abc");
    (void)file(&b, "ca.crt", "pem");
    b.sources.kubeconfig_env = arena_printf(b.arena, "%s/nothing", b.folder);

    assert_false(load(&b));
    assert_contains(b.fault.text, "none of the files in KUBECONFIG");
    b.sources.explicit_path = b.sources.kubeconfig_env;
    assert_false(load(&b));
    assert_contains(b.fault.text, "/nothing'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_kubeconfig_is_read),
        cmocka_unit_test(data_beats_files),
        cmocka_unit_test(files_merge_and_the_first_wins),
        cmocka_unit_test(an_explicit_file_is_not_merged),
        cmocka_unit_test(a_context_can_be_chosen),
        cmocka_unit_test(bad_kubeconfigs_are_refused_with_a_sentence),
        cmocka_unit_test(a_plugin_beside_a_token_is_not_needed),
        cmocka_unit_test(secrets_stay_out_of_sentences),
        cmocka_unit_test(a_pod_finds_its_service_account),
        cmocka_unit_test(a_pod_without_a_token_is_told_so),
        cmocka_unit_test(the_order_of_sources_is_fixed),
        cmocka_unit_test(a_missing_file_is_never_replaced_by_another_cluster),
    };

    return cmocka_run_group_tests_name("kube/config", tests, NULL, NULL);
}
