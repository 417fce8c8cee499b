#include "http_server.h"
#include "kube/config.h"
#include "kube/transport.h"
#include "tls_identity.h"

#include <signal.h>
#include <stdlib.h>

/* Made once: an authority, a second one, a server of two names, a client. */
struct pki {
    struct tls_identity ca, other_ca, server, named, client;
};

static struct pki pki;

struct bench {
    struct shift_clock clock;
    struct cancel root;
    struct arena *arena;
    char *folder;
    struct http_server *server;
    struct kube_config config;
    struct kube_transport *transport;
    struct kube_response response;
    struct fault fault;
};

static void serve(struct http_peer *peer, void *context)
{
    AUTO(buf_deinit) struct buf request = {0};

    (void)context;
    buf_init(&request, 64 * 1024);
    while (http_peer_read(peer, &request)) {
        http_peer_answer(peer, 200, "", "{}");
    }
}

static void setup(struct bench *b, const struct tls_identity *identity,
                  const struct tls_identity *client_ca)
{
    *b = (struct bench){.folder = test_folder(), .arena = arena_new(ARENA_CEILING_BYTES)};
    shift_clock_init(&b->clock);
    assert_ok(cancel_init_root(&b->root, &b->clock.clock, &b->fault), b->fault);
    b->server = http_server_start(serve, NULL, identity, client_ca);
    b->config =
        (struct kube_config){.server = arena_printf(b->arena, "https://127.0.0.1:%d",
                                                    http_server_port(b->server)),
                             .ca_pem = pki.ca.certificate_pem,
                             .origin = "test"};
}

static void teardown(struct bench *b)
{
    kube_transport_freep(&b->transport);
    http_server_stop(b->server);
    buf_deinit(&b->response.body);
    cancel_deinit(&b->root);
    arena_free(b->arena);
    test_folder_remove(b->folder);
}

#define BENCH(identity, client_ca)                                                       \
    AUTO(teardown) struct bench b;                                                       \
    setup(&b, identity, client_ca)

static bool get(struct bench *b)
{
    const struct kube_request request = {.method = "GET", .path = "/x"};

    fault_clear(&b->fault);
    if (b->transport == NULL) {
        assert_ok(kube_transport_curl_new(&b->config, "t", &b->clock.clock, &b->transport,
                                          &b->fault),
                  b->fault);
    }
    buf_deinit(&b->response.body);
    return b->transport->ops->call(b->transport, &request, &b->root, &b->response,
                                   &b->fault);
}

static void assert_tls_fault(struct bench *b, const char *part)
{
    assert_false(get(b));
    assert_int_equal(b->fault.class, FAULT_UNAVAILABLE);
    assert_string_equal(b->fault.reason, "TLSFailed");
    assert_contains(b->fault.text, b->config.server + strlen("https://"));
    assert_contains(b->fault.text, part);
    assert_int_equal(http_server_requests(b->server), 0);
}

static void a_server_of_our_authority_is_trusted(void **state)
{
    (void)state;
    BENCH(&pki.server, NULL);

    assert_ok(get(&b), b.fault);
    assert_ok(get(&b), b.fault);
    assert_int_equal(b.response.status, 200);
    assert_int_equal(http_server_connections(b.server), 1);
}

static void another_authority_is_not(void **state)
{
    (void)state;
    BENCH(&pki.server, NULL);

    b.config.ca_pem = pki.other_ca.certificate_pem;
    assert_tls_fault(&b, "check certificate-authority");
}

static void without_an_authority_the_systems_roots_decide(void **state)
{
    (void)state;
    BENCH(&pki.server, NULL);

    b.config.ca_pem = NULL;
    assert_tls_fault(&b, "not trusted");
}

static void a_certificate_for_another_host_is_refused(void **state)
{
    (void)state;
    BENCH(&pki.named, NULL);

    assert_tls_fault(&b, "tls-server-name");
}

static void the_name_to_verify_can_be_given(void **state)
{
    (void)state;
    BENCH(&pki.named, NULL);

    b.config.tls_server_name = "kube.test";
    assert_ok(get(&b), b.fault);
    assert_string_equal(http_server_sni(b.server), "kube.test");
    assert_contains(
        http_server_request(b.server, 0),
        arena_printf(b.arena, "\r\nHost: 127.0.0.1:%d\r\n", http_server_port(b.server)));
}

static void the_given_name_is_verified_instead_of_the_host(void **state)
{
    (void)state;
    BENCH(&pki.server, NULL); /* which is valid for 127.0.0.1 */

    b.config.tls_server_name = "other.test";
    assert_tls_fault(&b, "not trusted");
}

static void verification_is_skipped_only_on_demand(void **state)
{
    (void)state;
    BENCH(&pki.named, NULL);

    b.config.ca_pem = NULL;
    b.config.insecure_skip_tls_verify = true;
    assert_ok(get(&b), b.fault);
}

static void a_client_certificate_logs_in(void **state)
{
    (void)state;
    BENCH(&pki.server, &pki.ca);
    AUTO(secret_freep) struct secret *key = secret_new(sv_from(pki.client.key_pem));

    b.config.client_cert_pem = pki.client.certificate_pem;
    b.config.client_key_pem = key;
    assert_ok(get(&b), b.fault);
    assert_string_equal(http_server_client(b.server), "jane");
}

static void a_client_certificate_comes_from_files_too(void **state)
{
    (void)state;
    BENCH(&pki.server, &pki.ca);
    char *cert = test_file(b.folder, "c.crt", pki.client.certificate_pem);
    char *key = test_file(b.folder, "c.key", pki.client.key_pem);

    b.config.client_cert_file = cert;
    b.config.client_key_file = key;
    assert_ok(get(&b), b.fault);
    assert_string_equal(http_server_client(b.server), "jane");
    free(cert);
    free(key);
}

static void a_key_that_is_not_the_certificates_is_named(void **state)
{
    (void)state;
    BENCH(&pki.server, &pki.ca);
    AUTO(secret_freep) struct secret *key = secret_new(sv_from(pki.server.key_pem));

    b.config.client_cert_pem = pki.client.certificate_pem;
    b.config.client_key_pem = key;
    assert_tls_fault(&b, "belong together");
    assert_lacks(b.fault.text, "PRIVATE");
}

static void an_authority_that_is_no_pem_is_named(void **state)
{
    (void)state;
    BENCH(&pki.server, NULL);

    b.config.ca_pem = "not a certificate";
    assert_tls_fault(&b, "certificate-authority");
}

/* Speaks no TLS at all. */
static void serve_plain(struct http_peer *peer, void *context)
{
    (void)context;
    http_peer_write(peer, "HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n");
    http_peer_wait_closed(peer);
}

static void a_port_without_tls_is_told(void **state)
{
    (void)state;
    BENCH(&pki.server, NULL);
    struct http_server *plain = http_server_start(serve_plain, NULL, NULL, NULL);

    b.config.server =
        arena_printf(b.arena, "https://127.0.0.1:%d", http_server_port(plain));
    assert_tls_fault(&b, "speaks TLS");
    http_server_stop(plain);
}

static bool gather(void *context, struct sv bytes, struct fault *fault)
{
    (void)fault;
    buf_add(context, bytes);
    return true;
}

static bool stream(struct bench *b)
{
    const struct kube_request request = {.method = "GET", .path = "/x"};
    struct buf heard = {0};
    int status = 0;
    bool ended = false;

    buf_init(&heard, 1000);
    fault_clear(&b->fault);
    ended = b->transport->ops->stream(b->transport, &request, 10000, &b->root, gather,
                                      &heard, &status, &b->fault);
    assert_int_equal(status, ended ? 200 : 0);
    buf_deinit(&heard);
    return ended;
}

/* The server has a certificate of another authority, and its file is replaced a while
 * later: the next call has it, without a failure that anybody would be told of. */
static void a_rotated_authority_counts_at_the_next_handshake(void **state)
{
    (void)state;
    BENCH(&pki.server, NULL);
    char *path = test_file(b.folder, "ca.crt", pki.other_ca.certificate_pem);

    b.config.ca_pem = NULL;
    b.config.ca_file = path;
    assert_tls_fault(&b, "not trusted");
    assert_tls_fault(&b, "not trusted");
    free(test_file(b.folder, "ca.crt", pki.ca.certificate_pem));
    assert_ok(get(&b), b.fault);
    free(path);
}

static void a_stream_has_it_too(void **state)
{
    (void)state;
    BENCH(&pki.server, NULL);
    char *path = test_file(b.folder, "ca.crt", pki.other_ca.certificate_pem);

    b.config.ca_pem = NULL;
    b.config.ca_file = path;
    assert_tls_fault(&b, "not trusted");
    assert_false(stream(&b));
    assert_contains(b.fault.text, "not trusted");
    free(test_file(b.folder, "ca.crt", pki.ca.certificate_pem));
    assert_ok(stream(&b), b.fault);
    free(path);
}

static void a_withdrawn_authority_counts_within_ten_seconds(void **state)
{
    (void)state;
    BENCH(&pki.server, NULL);
    char *path = test_file(b.folder, "ca.crt", pki.ca.certificate_pem);

    b.config.ca_pem = NULL;
    b.config.ca_file = path;
    assert_ok(get(&b), b.fault);
    /* Also the connection that is open must not be used any longer. */
    free(test_file(b.folder, "ca.crt", pki.other_ca.certificate_pem));
    b.clock.shift_ms += 10000;
    assert_false(get(&b));
    assert_string_equal(b.fault.reason, "TLSFailed");
    assert_int_equal(http_server_requests(b.server), 1);
    free(path);
}

/* OpenSSL writes without MSG_NOSIGNAL: a peer that hangs up must not end the process. */
static void a_broken_pipe_is_not_deadly_after_the_init(void **state)
{
    (void)state;
    struct sigaction now;

    assert_int_equal(sigaction(SIGPIPE, NULL, &now), 0);
    assert_true(now.sa_handler == SIG_IGN);
}

static int global_setup(void **state)
{
    struct fault fault = FAULT_INIT;

    (void)state;
    tls_identity_init(&pki.ca, "authority", NULL, NULL);
    tls_identity_init(&pki.other_ca, "stranger", NULL, NULL);
    tls_identity_init(&pki.server, "server", "DNS:localhost,IP:127.0.0.1", &pki.ca);
    tls_identity_init(&pki.named, "named", "DNS:kube.test", &pki.ca);
    tls_identity_init(&pki.client, "jane", NULL, &pki.ca);
    return kube_curl_global_init(&fault) ? 0 : -1;
}

static int global_teardown(void **state)
{
    struct tls_identity *all[] = {&pki.ca, &pki.other_ca, &pki.server, &pki.named,
                                  &pki.client};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        tls_identity_deinit(all[i]);
    }
    kube_curl_global_deinit();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_of_our_authority_is_trusted),
        cmocka_unit_test(another_authority_is_not),
        cmocka_unit_test(without_an_authority_the_systems_roots_decide),
        cmocka_unit_test(a_certificate_for_another_host_is_refused),
        cmocka_unit_test(the_name_to_verify_can_be_given),
        cmocka_unit_test(the_given_name_is_verified_instead_of_the_host),
        cmocka_unit_test(verification_is_skipped_only_on_demand),
        cmocka_unit_test(a_client_certificate_logs_in),
        cmocka_unit_test(a_client_certificate_comes_from_files_too),
        cmocka_unit_test(a_key_that_is_not_the_certificates_is_named),
        cmocka_unit_test(an_authority_that_is_no_pem_is_named),
        cmocka_unit_test(a_port_without_tls_is_told),
        cmocka_unit_test(a_broken_pipe_is_not_deadly_after_the_init),
        cmocka_unit_test(a_rotated_authority_counts_at_the_next_handshake),
        cmocka_unit_test(a_stream_has_it_too),
        cmocka_unit_test(a_withdrawn_authority_counts_within_ten_seconds),
    };

    return cmocka_run_group_tests_name("kube/transport_tls", tests, global_setup,
                                       global_teardown);
}
