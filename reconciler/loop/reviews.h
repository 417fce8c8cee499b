/*
 * reviews: may the bearer of this token read /metrics? The API server is asked as every
 * component does: TokenReview tells who it is, SubjectAccessReview whether that one may
 * `get` the path (nonResourceURLs). Answers are remembered, as controller-runtime does: a
 * yes for a minute, a no for ten seconds. Tokens are remembered by a keyed hash only.
 * Thread-safe.
 */
#ifndef LOOP_REVIEWS_H
#define LOOP_REVIEWS_H

#include "kube/api.h"

enum review {
    REVIEW_ALLOWED = 1,
    REVIEW_UNKNOWN,   /* no token, or one that the API server does not know: 401 */
    REVIEW_FORBIDDEN, /* known, and not allowed: 403 */
    REVIEW_FAILED     /* the API server could not be asked: 503 */
};

struct reviews;

struct reviews *reviews_new(struct kube_api *api, uint64_t seed);
void reviews_free(struct reviews *reviews); /* NULL is fine */

/* `authorization`: the header's value, NULL without one. Faults are told with
 * REVIEW_FAILED only; *fault is otherwise left alone. */
enum review reviews_check(struct reviews *reviews, const char *authorization,
                          const char *path, struct cancel *cancel, struct fault *fault);

#endif
