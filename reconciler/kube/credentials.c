#include "kube/credentials.h"

#include "base/file.h"
#include "base/heap.h"
#include "kube/base64.h"

#include <pthread.h>

struct credentials {
    pthread_mutex_t lock; /* guards set and checked_ms */
    struct arena *arena;
    const struct clock *clock;
    const char *files[CREDENTIALS_PARTS]; /* NULL: the part does not come from a file */
    struct credentials_set set;
    int64_t checked_ms;
    const char *username;
    struct secret *password;
};

static const char *const part_names[CREDENTIALS_PARTS] = {
    [CREDENTIALS_TOKEN] = "token",
    [CREDENTIALS_CA] = "CA certificate",
    [CREDENTIALS_CERT] = "client certificate",
    [CREDENTIALS_KEY] = "client key",
};

static struct secret *share(const struct secret *s)
{
    /* The count inside is not part of the value that const protects. */
    return s == NULL ? NULL : secret_ref((struct secret *)(uintptr_t)s);
}

/* A line break in a token would add header lines of its own. */
static bool is_header_safe(struct sv text)
{
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] < 0x20 || (unsigned char)text.p[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool check_token(struct sv token, const char *where, struct fault *fault)
{
    if (token.n == 0 || !is_header_safe(token)) {
        return fault_set(fault, FAULT_SPEC, "InvalidCredentials", "the token in %s is %s",
                         where, token.n == 0 ? "empty" : "not one line of text");
    }
    return true;
}

static bool read_part(const struct credentials *c, enum credentials_part part,
                      struct secret **out_secret, struct fault *fault)
{
    AUTO(buf_deinit_zero) struct buf text = {0};

    buf_init(&text, CREDENTIALS_FILE_MAX);
    if (!file_read(c->files[part], &text, fault)) {
        return fault_wrap(fault, "%s", part_names[part]);
    }
    struct sv value = buf_sv(&text);
    if (part == CREDENTIALS_TOKEN) {
        value = sv_trim(value);
        if (!check_token(value, c->files[part], fault)) {
            return false;
        }
    }
    *out_secret = secret_new(value);
    return true;
}

/* Replaces what changed. Keeps the old content of a file that cannot be read. */
static void refresh_locked(struct credentials *c)
{
    bool token_changed = false;
    bool tls_changed = false;

    c->checked_ms = clock_monotonic_ms(c->clock);
    for (int i = 0; i < CREDENTIALS_PARTS; i++) {
        AUTO(secret_freep) struct secret *fresh = NULL;
        struct fault ignored = FAULT_INIT;
        if (c->files[i] == NULL ||
            !read_part(c, (enum credentials_part)i, &fresh, &ignored) ||
            secret_equal(fresh, c->set.part[i])) {
            continue;
        }
        secret_free(c->set.part[i]);
        c->set.part[i] = TAKE(fresh);
        token_changed = token_changed || i == CREDENTIALS_TOKEN;
        tls_changed = tls_changed || i != CREDENTIALS_TOKEN;
    }
    c->set.token_version += token_changed ? 1 : 0;
    c->set.tls_version += tls_changed ? 1 : 0;
}

static bool load(struct credentials *c, const struct kube_config *config,
                 struct fault *fault)
{
    const char *files[CREDENTIALS_PARTS] = {config->token_file, config->ca_file,
                                            config->client_cert_file,
                                            config->client_key_file};

    if (config->ca_pem != NULL) {
        c->set.part[CREDENTIALS_CA] = secret_new(sv_from(config->ca_pem));
    }
    if (config->client_cert_pem != NULL) {
        c->set.part[CREDENTIALS_CERT] = secret_new(sv_from(config->client_cert_pem));
    }
    c->set.part[CREDENTIALS_KEY] = share(config->client_key_pem);
    if (config->token_file == NULL && config->token != NULL) {
        if (!check_token(secret_reveal(config->token), config->origin, fault)) {
            return false;
        }
        c->set.part[CREDENTIALS_TOKEN] = share(config->token);
    }
    for (int i = 0; i < CREDENTIALS_PARTS; i++) {
        if (files[i] == NULL || c->set.part[i] != NULL) {
            continue;
        }
        c->files[i] = arena_strdup(c->arena, files[i]);
        if (!read_part(c, (enum credentials_part)i, &c->set.part[i], fault)) {
            return false;
        }
    }
    c->username = arena_strdup(c->arena, config->username);
    c->password = share(config->password);
    return true;
}

bool credentials_new(const struct kube_config *config, const struct clock *clock,
                     struct credentials **out_credentials, struct fault *fault)
{
    AUTO(credentials_freep) struct credentials *c = heap_new(sizeof(*c));

    must(pthread_mutex_init(&c->lock, NULL) == 0);
    c->arena = arena_new(CREDENTIALS_FILE_MAX);
    c->clock = clock;
    c->set.token_version = 1;
    c->set.tls_version = 1;
    c->checked_ms = clock_monotonic_ms(clock);
    if (!load(c, config, fault)) {
        return false;
    }
    *out_credentials = TAKE(c);
    return true;
}

void credentials_free(struct credentials *c)
{
    if (c == NULL) {
        return;
    }
    credentials_set_deinit(&c->set);
    secret_free(c->password);
    arena_free(c->arena);
    (void)pthread_mutex_destroy(&c->lock);
    heap_free(c);
}

void credentials_freep(struct credentials **c)
{
    credentials_free(TAKE(*c));
}

void credentials_get(struct credentials *c, struct credentials_set *out_set)
{
    must(pthread_mutex_lock(&c->lock) == 0);
    if (clock_monotonic_ms(c->clock) - c->checked_ms >= CREDENTIALS_CHECK_MS) {
        refresh_locked(c);
    }
    *out_set = c->set;
    for (int i = 0; i < CREDENTIALS_PARTS; i++) {
        out_set->part[i] = share(c->set.part[i]);
    }
    must(pthread_mutex_unlock(&c->lock) == 0);
}

bool credentials_reread(struct credentials *c, const struct credentials_set *used)
{
    must(pthread_mutex_lock(&c->lock) == 0);
    refresh_locked(c);
    bool differs = c->set.token_version != used->token_version ||
                   c->set.tls_version != used->tls_version;
    must(pthread_mutex_unlock(&c->lock) == 0);
    return differs;
}

void credentials_set_deinit(struct credentials_set *set)
{
    for (int i = 0; i < CREDENTIALS_PARTS; i++) {
        secret_free(TAKE(set->part[i]));
    }
}

void credentials_add_header(const struct credentials *c,
                            const struct credentials_set *set, struct buf *out)
{
    if (set->part[CREDENTIALS_TOKEN] != NULL) {
        buf_addz(out, "Authorization: Bearer ");
        buf_add(out, secret_reveal(set->part[CREDENTIALS_TOKEN]));
    } else if (c->username != NULL) {
        AUTO(buf_deinit_zero) struct buf pair = {0};
        buf_init(&pair, CREDENTIALS_FILE_MAX);
        buf_addf(&pair, "%s:", c->username);
        buf_add(&pair, secret_reveal(c->password));
        buf_addz(out, "Authorization: Basic ");
        base64_format(buf_sv(&pair), out);
    }
}
