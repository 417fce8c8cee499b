/*
 * The libcurl transport: a target, fresh credentials and a small pool of channels.
 * transport_curl_run.c holds everything about one request.
 */
#include "kube/transport_curl.h"

#include "base/heap.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

_Static_assert(TRANSPORT_ERROR_SIZE >= CURL_ERROR_SIZE, "libcurl writes that much");

/* Idle channels kept: as many as may ever call at once, so that none of them connects
 * anew; what was not used lately is closed by the server or by its age. */
#define POOL_MAX 32
#define UNAUTHORIZED_BODY_MAX ((size_t)64 * 1024)

struct curl_transport {
    struct kube_transport base;
    struct arena *arena;
    const struct clock *clock;
    struct credentials *credentials;
    struct transport_target target;
    pthread_mutex_t lock; /* guards the pool */
    struct transport_channel *idle[POOL_MAX];
    size_t idle_count;
    CURLSH *share; /* TLS sessions, so that a further connection costs one round trip */
    pthread_mutex_t share_lock;
};

/*
 * With CURLOPT_NOSIGNAL libcurl leaves SIGPIPE alone and OpenSSL writes without
 * MSG_NOSIGNAL: a peer that hangs up would end the process. A handler of others stays.
 */
static void ignore_sigpipe(void)
{
    struct sigaction now;

    if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL) {
        const struct sigaction ignore = {.sa_handler = SIG_IGN};
        (void)sigaction(SIGPIPE, &ignore, NULL);
    }
}

bool kube_curl_global_init(struct fault *fault)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    const int needed = CURL_VERSION_SSL | CURL_VERSION_ASYNCHDNS;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
        info->version_num < 0x075800 || (info->features & needed) != needed) {
        return fault_set(
            fault, FAULT_BUG, NULL,
            "libcurl %s cannot be used; 7.88 or newer with TLS and threaded name "
            "resolution is needed",
            info->version);
    }
    ignore_sigpipe();
    return true;
}

void kube_curl_global_deinit(void)
{
    curl_global_cleanup();
}

static void channel_free(struct transport_channel *channel)
{
    if (channel == NULL) {
        return;
    }
    curl_easy_cleanup(channel->easy);
    (void)curl_multi_cleanup(channel->multi);
    credentials_set_deinit(&channel->set);
    heap_free(channel);
}

static void channel_freep(struct transport_channel **channel)
{
    channel_free(TAKE(*channel));
}

static struct transport_channel *pool_pop(struct curl_transport *t)
{
    struct transport_channel *channel = NULL;

    must(pthread_mutex_lock(&t->lock) == 0);
    if (t->idle_count > 0) {
        t->idle_count--;
        channel = TAKE(t->idle[t->idle_count]);
    }
    must(pthread_mutex_unlock(&t->lock) == 0);
    return channel;
}

/* A channel whose connection was made with the TLS material of `set`, or a new one. */
static struct transport_channel *channel_take(struct curl_transport *t,
                                              const struct credentials_set *set)
{
    struct transport_channel *channel = pool_pop(t);

    while (channel != NULL && channel->set.tls_version != set->tls_version) {
        channel_free(channel);
        channel = pool_pop(t);
    }
    if (channel != NULL) {
        return channel;
    }
    channel = heap_new(sizeof(*channel));
    channel->easy = curl_easy_init();
    channel->multi = curl_multi_init();
    channel->share = t->share;
    must(channel->easy != NULL && channel->multi != NULL);
    channel->set.tls_version = set->tls_version;
    for (int i = CREDENTIALS_CA; i < CREDENTIALS_PARTS; i++) {
        channel->set.part[i] = set->part[i] == NULL ? NULL : secret_ref(set->part[i]);
    }
    return channel;
}

static void channel_give(struct curl_transport *t, struct transport_channel *channel)
{
    must(pthread_mutex_lock(&t->lock) == 0);
    if (t->idle_count < POOL_MAX) {
        t->idle[t->idle_count++] = TAKE(channel);
    }
    must(pthread_mutex_unlock(&t->lock) == 0);
    channel_free(channel);
}

/* Runs the prepared request once with current credentials. */
static bool run_once(struct curl_transport *t, struct transport_run *run,
                     const struct credentials_set *set, struct fault *fault)
{
    AUTO(channel_freep) struct transport_channel *channel = channel_take(t, set);
    AUTO(buf_deinit_zero) struct buf authorization = {0};

    buf_init(&authorization, CREDENTIALS_FILE_MAX * 2);
    credentials_add_header(t->credentials, set, &authorization);
    run->target = &t->target;
    run->clock = t->clock;
    run->channel = channel;
    run->authorization = buf_sv(&authorization);
    if (!transport_run(run, fault)) {
        return false; /* and the connection, whose state nobody knows, goes with the
                         channel */
    }
    channel_give(t, TAKE(channel));
    return true;
}

/* The first handshake failed, and a certificate on disk is another one by now. */
static bool may_trust_now(struct curl_transport *t, const struct transport_run *run,
                          const struct credentials_set *used, int attempt,
                          struct fault *fault)
{
    bool again =
        run->untrusted && attempt == 1 && credentials_reread(t->credentials, used);

    if (again) {
        fault_clear(fault);
    }
    return again;
}

static struct curl_transport *of(struct kube_transport *base)
{
    return (struct curl_transport *)(void *)base; /* base is the first member */
}

static bool transport_call(struct kube_transport *base,
                           const struct kube_request *request, struct cancel *cancel,
                           struct kube_response *out_response, struct fault *fault)
{
    struct curl_transport *t = of(base);

    for (int attempt = 1;; attempt++) {
        AUTO(credentials_set_deinit) struct credentials_set set = {0};
        AUTO(buf_deinit) struct buf body = {0};
        buf_init(&body, request->response_max_bytes == 0 ? KUBE_BODY_MAX
                                                         : request->response_max_bytes);
        struct transport_run run = {.request = request,
                                    .cancel = cancel,
                                    .body = &body,
                                    .gzip = !t->target.disable_compression &&
                                            strcmp(request->method, "GET") == 0};
        credentials_get(t->credentials, &set);
        if (!run_once(t, &run, &set, fault)) {
            if (may_trust_now(t, &run, &set, attempt, fault)) {
                continue;
            }
            return false;
        }
        if (run.status == 401 && attempt == 1 &&
            credentials_reread(t->credentials, &set)) {
            continue;
        }
        *out_response = (struct kube_response){
            .status = run.status, .retry_after_s = run.retry_after_s, .body = body};
        body = (struct buf){0};
        return true;
    }
}

/* Holds a 401's body back: nobody shall see it when the second try gets through. */
struct stream_gate {
    kube_on_bytes *on_bytes;
    void *context;
    const int *status;
    struct buf held;
    bool hold;
};

static bool gate_on_bytes(void *context, struct sv bytes, struct fault *fault)
{
    struct stream_gate *gate = context;

    if (*gate->status == 401 && gate->hold) {
        buf_add(&gate->held,
                bytes); /* past the ceiling it is cut: it is for a sentence */
        return true;
    }
    return gate->on_bytes(gate->context, bytes, fault);
}

static void gate_deinit(struct stream_gate *gate)
{
    buf_deinit(&gate->held);
}

static bool transport_stream(struct kube_transport *base,
                             const struct kube_request *request, int64_t idle_ms,
                             struct cancel *cancel, kube_on_bytes *on_bytes,
                             void *context, int *out_status, struct fault *fault)
{
    struct curl_transport *t = of(base);

    for (int attempt = 1;; attempt++) {
        AUTO(credentials_set_deinit) struct credentials_set set = {0};
        AUTO(gate_deinit)
        struct stream_gate gate = {.on_bytes = on_bytes,
                                   .context = context,
                                   .status = out_status,
                                   .hold = attempt == 1};
        *out_status = 0;
        buf_init(&gate.held, UNAUTHORIZED_BODY_MAX);
        struct transport_run run = {.request = request,
                                    .idle_ms = idle_ms,
                                    .gzip =
                                        request->gzip && !t->target.disable_compression,
                                    .cancel = cancel,
                                    .on_bytes = gate_on_bytes,
                                    .context = &gate,
                                    .out_status = out_status};
        credentials_get(t->credentials, &set);
        bool done = run_once(t, &run, &set, fault);
        if (!done) {
            if (may_trust_now(t, &run, &set, attempt, fault)) {
                continue;
            }
            return false;
        }
        if (request->out_retry_after_s != NULL) {
            *request->out_retry_after_s = run.retry_after_s;
        }
        if (*out_status != 401 || attempt > 1) {
            return true;
        }
        if (!credentials_reread(t->credentials, &set)) {
            return on_bytes(context, buf_sv(&gate.held), fault);
        }
    }
}

static void transport_close(struct kube_transport *base)
{
    struct curl_transport *t = of(base);

    for (size_t i = 0; i < t->idle_count; i++) {
        channel_free(t->idle[i]);
    }
    must(curl_share_cleanup(t->share) == CURLSHE_OK);
    (void)pthread_mutex_destroy(&t->share_lock);
    credentials_free(t->credentials);
    arena_free(t->arena);
    (void)pthread_mutex_destroy(&t->lock);
    heap_free(t);
}

static void share_lock(CURL *easy, curl_lock_data data, curl_lock_access access,
                       void *context)
{
    struct curl_transport *t = context;

    (void)easy;
    (void)data;
    (void)access;
    must(pthread_mutex_lock(&t->share_lock) == 0);
}

static void share_unlock(CURL *easy, curl_lock_data data, void *context)
{
    struct curl_transport *t = context;

    (void)easy;
    (void)data;
    must(pthread_mutex_unlock(&t->share_lock) == 0);
}

static void share_init(struct curl_transport *t)
{
    must(pthread_mutex_init(&t->share_lock, NULL) == 0);
    t->share = curl_share_init();
    must(t->share != NULL &&
         curl_share_setopt(t->share, CURLSHOPT_LOCKFUNC, share_lock) == CURLSHE_OK &&
         curl_share_setopt(t->share, CURLSHOPT_UNLOCKFUNC, share_unlock) == CURLSHE_OK &&
         curl_share_setopt(t->share, CURLSHOPT_USERDATA, t) == CURLSHE_OK &&
         curl_share_setopt(t->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) ==
             CURLSHE_OK);
}

static const struct kube_transport_ops transport_ops = {
    .call = transport_call, .stream = transport_stream, .free = transport_close};

/* Splits "scheme://host:port/prefix" and says where to go and which name to verify. */
static void target_init(struct transport_target *target, const struct kube_config *config,
                        const char *user_agent, struct arena *arena)
{
    struct sv rest = sv_from(config->server);
    bool tls = sv_starts_nocase(rest, SV("https://"));
    size_t scheme = sv_find(rest, SV("://"));

    must(scheme != SIZE_MAX);
    rest = sv_sub(rest, scheme + 3, rest.n);
    struct sv authority = sv_cut(&rest, '/');
    const char *last_colon = memrchr(authority.p, ':', authority.n);
    bool has_port =
        last_colon != NULL &&
        memchr(last_colon, ']', (size_t)(authority.p + authority.n - last_colon)) == NULL;
    const char *endpoint =
        has_port ? arena_copy(arena, authority)
                 : arena_printf(arena, "%.*s:%d", SV_ARGS(authority), tls ? 443 : 80);
    const char *name = tls ? config->tls_server_name : NULL;

    *target = (struct transport_target){
        .endpoint = endpoint,
        .url = arena_strdup(arena, config->server),
        .origin = arena_strdup(arena,
                               config->origin == NULL ? "no kubeconfig" : config->origin),
        .user_agent = arena_strdup(arena, user_agent),
        .insecure_skip_tls_verify = config->insecure_skip_tls_verify,
        .disable_compression = config->disable_compression,
        .proxy = config->proxy_url == NULL ? "" : arena_strdup(arena, config->proxy_url),
    };
    if (name != NULL) {
        const char *port = strrchr(endpoint, ':') + 1;
        target->url = arena_printf(arena, "https://%s:%s%s%.*s", name, port,
                                   rest.n == 0 ? "" : "/", SV_ARGS(rest));
        target->connect_to = arena_printf(arena, "::%s", endpoint);
        target->host_header = arena_printf(arena, "Host: %s", endpoint);
    }
}

bool kube_transport_curl_new(const struct kube_config *config, const char *user_agent,
                             const struct clock *clock,
                             struct kube_transport **out_transport, struct fault *fault)
{
    struct credentials *credentials = NULL;

    if (!credentials_new(config, clock, &credentials, fault)) {
        return fault_wrap(fault, "%s",
                          config->origin == NULL ? "cluster access" : config->origin);
    }
    struct curl_transport *t = heap_new(sizeof(*t));
    must(pthread_mutex_init(&t->lock, NULL) == 0);
    t->base.ops = &transport_ops;
    t->arena = arena_new(KUBE_BODY_MAX);
    t->clock = clock;
    t->credentials = credentials;
    share_init(t);
    target_init(&t->target, config, user_agent, t->arena);
    *out_transport = &t->base;
    return true;
}
