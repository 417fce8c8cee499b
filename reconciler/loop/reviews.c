#include "loop/reviews.h"

#include "base/heap.h"
#include "base/map.h"
#include "base/secret.h"

#include <pthread.h>
#include <string.h>

#define REVIEW_MS 10000
#define YES_MS 60000
#define NO_MS 10000
#define REMEMBERED_MAX 1000
#define TOKEN_BYTES_MAX ((size_t)16 * 1024)

struct verdict {
    enum review review;
    int64_t until_ms; /* monotonic */
};

struct reviews {
    struct kube_api *api;
    pthread_mutex_t lock;
    struct map *by_token; /* digest -> struct verdict; one path is asked about */
    uint64_t seed;
};

static const struct kube_resource token_review = {
    .group = "authentication.k8s.io",
    .version = "v1",
    .plural = "tokenreviews",
    .kind = "TokenReview",
};
static const struct kube_resource access_review = {
    .group = "authorization.k8s.io",
    .version = "v1",
    .plural = "subjectaccessreviews",
    .kind = "SubjectAccessReview",
};

struct reviews *reviews_new(struct kube_api *api, uint64_t seed)
{
    struct reviews *reviews = HEAP_NEW(struct reviews);

    reviews->api = api;
    reviews->seed = seed;
    reviews->by_token = map_new(seed);
    must(pthread_mutex_init(&reviews->lock, NULL) == 0);
    return reviews;
}

static void forget_all(struct map *verdicts)
{
    size_t at = 0;
    struct sv key;
    void *value = NULL;

    while (map_next(verdicts, &at, &key, &value)) {
        heap_free(value);
    }
    map_free(verdicts);
}

void reviews_free(struct reviews *reviews)
{
    if (reviews == NULL) {
        return;
    }
    forget_all(reviews->by_token);
    (void)pthread_mutex_destroy(&reviews->lock);
    heap_free(reviews);
}

/* "Bearer <token>"; the scheme is not case-sensitive (RFC 9110). */
static struct sv bearer(const char *authorization)
{
    struct sv rest = sv_from(authorization);
    struct sv scheme = sv_cut(&rest, ' ');

    if (!sv_eq_nocase(scheme, SV("Bearer")) || rest.n > TOKEN_BYTES_MAX) {
        return SV_NULL;
    }
    return sv_trim(rest);
}

static enum review recall(struct reviews *reviews, struct sv key, int64_t now_ms)
{
    const struct verdict *found = NULL;
    enum review review = 0;

    (void)pthread_mutex_lock(&reviews->lock);
    found = map_find(reviews->by_token, key);
    review = found != NULL && now_ms < found->until_ms ? found->review : 0;
    (void)pthread_mutex_unlock(&reviews->lock);
    return review;
}

static void remember(struct reviews *reviews, struct sv key, enum review review,
                     int64_t now_ms)
{
    struct verdict *verdict = HEAP_NEW(struct verdict);
    struct map *full = NULL;

    verdict->review = review;
    verdict->until_ms = now_ms + (review == REVIEW_ALLOWED ? YES_MS : NO_MS);
    (void)pthread_mutex_lock(&reviews->lock);
    /* Somebody tries tokens: asking anew costs less than keeping count of them. */
    if (map_count(reviews->by_token) >= REMEMBERED_MAX) {
        full = reviews->by_token;
        reviews->by_token = map_new(reviews->seed);
    }
    heap_free(map_put(reviews->by_token, key, verdict));
    (void)pthread_mutex_unlock(&reviews->lock);
    if (full != NULL) {
        forget_all(full);
    }
}

static bool post(struct reviews *reviews, const struct kube_resource *resource,
                 struct json *spec, struct cancel *cancel, struct json **out_answer,
                 struct fault *fault)
{
    AUTO(json_freep) struct json *body = json_new_object();
    enum kube_outcome outcome = KUBE_OK;

    json_set_string(body, "apiVersion",
                    resource == &token_review ? "authentication.k8s.io/v1"
                                              : "authorization.k8s.io/v1");
    json_set_string(body, "kind", resource->kind);
    json_set(body, "spec", spec);
    bool asked = kube_create(reviews->api, resource, NULL, body, cancel, &outcome,
                             out_answer, fault);
    /* A question may be asked twice: a connection that the server has just closed is only
     * noticed by writing to it. */
    if (!asked && fault->class == FAULT_UNAVAILABLE) {
        fault_clear(fault);
        asked = kube_create(reviews->api, resource, NULL, body, cancel, &outcome,
                            out_answer, fault);
    }
    if (!asked) {
        return fault_wrap(fault, "review of a bearer token for /metrics");
    }
    return outcome == KUBE_OK
               ? true
               : fault_set(fault, FAULT_UNAVAILABLE, NULL,
                           "the API server does not take a %s", resource->kind);
}

/* The user as the API server named it, in the words of a SubjectAccessReview. */
static struct json *access_spec(const struct json *user, const char *path)
{
    static const char *const COPIED[] = {"groups", "extra"};
    struct json *spec = json_new_object();
    struct json *attributes = NULL;
    const char *name = json_string(json_get(user, "username"));
    const char *uid = json_string(json_get(user, "uid"));

    json_set_string(spec, "user", name == NULL ? "" : name);
    json_set_string(spec, "uid", uid == NULL ? "" : uid);
    for (size_t i = 0; i < COUNT_OF(COPIED); i++) {
        if (json_get(user, COPIED[i]) != NULL) {
            json_set(spec, COPIED[i], json_clone(json_get(user, COPIED[i])));
        }
    }
    attributes = json_set_object(spec, "nonResourceAttributes");
    json_set_string(attributes, "path", path);
    json_set_string(attributes, "verb", "get");
    return spec;
}

static enum review ask(struct reviews *reviews, struct sv token, const char *path,
                       struct cancel *cancel, struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(json_freep) struct json *who = NULL;
    AUTO(json_freep) struct json *may = NULL;
    struct json *spec = json_new_object();
    const struct json *status = NULL;
    char *text = arena_copy(arena, token);

    json_set_string(spec, "token", text);
    secret_wipe(text, token.n);
    if (!post(reviews, &token_review, spec, cancel, &who, fault)) {
        return REVIEW_FAILED;
    }
    status = json_get(who, "status");
    if (!json_bool(json_get(status, "authenticated"), false)) {
        return REVIEW_UNKNOWN;
    }
    spec = access_spec(json_get(status, "user"), path);
    if (!post(reviews, &access_review, spec, cancel, &may, fault)) {
        return REVIEW_FAILED;
    }
    return json_bool(json_get(json_get(may, "status"), "allowed"), false)
               ? REVIEW_ALLOWED
               : REVIEW_FORBIDDEN;
}

enum review reviews_check(struct reviews *reviews, const char *authorization,
                          const char *path, struct cancel *cancel, struct fault *fault)
{
    struct sv token = bearer(authorization);
    int64_t now_ms = clock_monotonic_ms(reviews->api->clock);
    char digest[SECRET_DIGEST_SIZE];
    struct cancel child;
    enum review review = 0;

    if (token.n == 0) {
        return REVIEW_UNKNOWN;
    }
    secret_digest(token, digest);
    review = recall(reviews, sv_from(digest), now_ms);
    if (review == 0) {
        cancel_init_child(&child, cancel, REVIEW_MS);
        review = ask(reviews, token, path, &child, fault);
        if (review != REVIEW_FAILED) {
            remember(reviews, sv_from(digest), review, now_ms);
        }
    }
    return review;
}
