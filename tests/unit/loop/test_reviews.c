/* Reviews of bearer tokens: what is asked, what is remembered and for how long, and that
 * a token stands nowhere but in the TokenReview. */
#include "loop_unit.h"

#include "loop/reviews.h"

#include <stdio.h>
#include <stdlib.h>

#define ASKED_MAX 4096
#define KNOWN                                                                            \
    "{\"status\":{\"authenticated\":true,\"user\":{\"username\":\"prom\",\"uid\":"       \
    "\"u1\","                                                                            \
    "\"groups\":[\"g1\",\"g2\"],\"extra\":{\"k\":[\"v\"]}}}}"
#define STRANGER "{\"status\":{\"authenticated\":false}}"
#define YES "{\"status\":{\"allowed\":true}}"
#define NO "{\"status\":{\"allowed\":false}}"

struct scene {
    struct unit_clock clock;
    struct unit_kube kube;
    struct kube_api api;
    struct cancel stop;
    struct reviews *reviews;
    const char *who, *may; /* answers; NULL: the server is not reached */
    int status;            /* of the answers; 0: 201 */
    size_t asked;
    char *paths[ASKED_MAX], *bodies[ASKED_MAX];
};

static void answer(struct unit_kube *kube, const struct kube_request *request,
                   struct kube_response *response)
{
    struct scene *s = kube->context;
    bool who = strstr(request->path, "tokenreviews") != NULL;
    const char *body = who ? s->who : s->may;

    assert_string_equal(request->method, "POST");
    assert_true(s->asked < ASKED_MAX);
    s->paths[s->asked] = strdup(request->path);
    s->bodies[s->asked] = strndup(request->body.p, request->body.n);
    s->asked++;
    response->status = s->status != 0 ? s->status : body == NULL ? 400 : 201;
    buf_addz(&response->body, body == NULL ? "{}" : body);
}

static int setup(void **state)
{
    struct scene *s = calloc(1, sizeof(*s));
    struct fault fault = FAULT_INIT;

    unit_clock_init(&s->clock);
    unit_kube_init(&s->kube);
    s->kube.context = s;
    s->kube.answer = answer;
    s->api = (struct kube_api){.transport = &s->kube.base, .clock = &s->clock.base};
    assert_ok(cancel_init_root(&s->stop, &s->clock.base, &fault), fault);
    s->reviews = reviews_new(&s->api, 7);
    s->who = KNOWN;
    s->may = YES;
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;

    reviews_free(s->reviews);
    cancel_deinit(&s->stop);
    for (size_t i = 0; i < s->asked; i++) {
        free(s->paths[i]);
        free(s->bodies[i]);
    }
    free(s);
    return 0;
}

static enum review check(struct scene *s, const char *authorization)
{
    struct fault fault = FAULT_INIT;
    enum review review =
        reviews_check(s->reviews, authorization, "/metrics", &s->stop, &fault);

    assert_int_equal(review == REVIEW_FAILED, fault.class != FAULT_NONE);
    assert_null(strstr(fault.text, "t0ken"));
    return review;
}

static void test_without_a_bearer_nobody_is_asked(void **state)
{
    static const char *const headers[] = {
        NULL,          "",      " ",           "Bearer",       "Bearer ", "Bearer    ",
        "Basic t0ken", "t0ken", "Bearert0ken", " Bearer t0ken"};
    struct scene *s = *state;

    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        assert_int_equal(check(s, headers[i]), REVIEW_UNKNOWN);
    }
    assert_int_equal(s->asked, 0);
}

static void test_a_token_beyond_the_ceiling_is_not_sent(void **state)
{
    struct scene *s = *state;
    char *header = malloc(20000);

    (void)snprintf(header, 20000, "Bearer %016000d", 1);
    assert_int_equal(check(s, header), REVIEW_ALLOWED);
    (void)snprintf(header, 20000, "Bearer %017000d", 1);
    assert_int_equal(check(s, header), REVIEW_UNKNOWN);
    assert_int_equal(s->asked, 2);
    free(header);
}

static void test_the_user_is_handed_on_as_it_came(void **state)
{
    struct scene *s = *state;

    assert_int_equal(check(s, "bEaReR  t0ken "), REVIEW_ALLOWED);
    assert_int_equal(s->asked, 2);
    assert_contains(s->paths[0], "/apis/authentication.k8s.io/v1/tokenreviews");
    assert_contains(s->bodies[0], "\"token\":\"t0ken\"");
    assert_contains(s->paths[1], "/apis/authorization.k8s.io/v1/subjectaccessreviews");
    assert_null(strstr(s->bodies[1], "t0ken"));
    assert_contains(s->bodies[1], "\"user\":\"prom\"");
    assert_contains(s->bodies[1], "\"uid\":\"u1\"");
    assert_contains(s->bodies[1], "\"groups\":[\"g1\",\"g2\"]");
    assert_contains(s->bodies[1], "\"extra\":{\"k\":[\"v\"]}");
    assert_contains(s->bodies[1], "\"path\":\"/metrics\"");
    assert_contains(s->bodies[1], "\"verb\":\"get\"");
    assert_null(strstr(s->bodies[1], "resourceAttributes"));
}

static void test_who_is_not_known_is_not_asked_about_rights(void **state)
{
    /* Nothing but `true` says yes. */
    static const char *const answers[] = {STRANGER,
                                          "{}",
                                          "{\"status\":{}}",
                                          "{\"status\":{\"authenticated\":\"true\"}}",
                                          "{\"status\":{\"authenticated\":1}}",
                                          "{\"status\":[true]}"};
    struct scene *s = *state;
    char header[32];

    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        (void)snprintf(header, sizeof(header), "Bearer %zu", i);
        s->who = answers[i];
        assert_int_equal(check(s, header), REVIEW_UNKNOWN);
        assert_int_equal(s->asked, i + 1);
    }
}

static void test_only_allowed_is_a_yes(void **state)
{
    static const char *const answers[] = {NO, "{}", "{\"status\":{\"allowed\":\"true\"}}",
                                          "{\"status\":{\"allowed\":null}}",
                                          "{\"allowed\":true}"};
    struct scene *s = *state;
    char header[32];

    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        (void)snprintf(header, sizeof(header), "Bearer %zu", i);
        s->may = answers[i];
        assert_int_equal(check(s, header), REVIEW_FORBIDDEN);
    }
}

static void test_a_yes_lasts_a_minute_and_no_longer(void **state)
{
    struct scene *s = *state;

    assert_int_equal(check(s, "Bearer t0ken"), REVIEW_ALLOWED);
    s->may = NO;
    s->clock.now_ms += 59999;
    assert_int_equal(check(s, "Bearer t0ken"), REVIEW_ALLOWED);
    assert_int_equal(s->asked, 2);
    s->clock.now_ms += 1;
    assert_int_equal(check(s, "Bearer t0ken"), REVIEW_FORBIDDEN);
    assert_int_equal(s->asked, 4);
}

static void test_a_no_lasts_ten_seconds(void **state)
{
    struct scene *s = *state;

    s->who = STRANGER;
    assert_int_equal(check(s, "Bearer t0ken"), REVIEW_UNKNOWN);
    s->who = KNOWN;
    s->clock.now_ms += 9999;
    assert_int_equal(check(s, "Bearer t0ken"), REVIEW_UNKNOWN);
    s->clock.now_ms += 1;
    assert_int_equal(check(s, "Bearer t0ken"), REVIEW_ALLOWED);
}

static void test_an_answer_is_for_that_token_alone(void **state)
{
    struct scene *s = *state;

    assert_int_equal(check(s, "Bearer t0ken"), REVIEW_ALLOWED);
    s->who = STRANGER;
    assert_int_equal(check(s, "Bearer t0ken2"), REVIEW_UNKNOWN);
    assert_int_equal(check(s, "Bearer t0ke"), REVIEW_UNKNOWN);
    assert_int_equal(check(s, "Bearer t0ken"), REVIEW_ALLOWED);
}

/* Neither yes nor no, and asked again the next time. */
static void test_a_failure_is_not_remembered(void **state)
{
    static const int statuses[] = {400, 401, 403, 404, 409, 410, 422};
    struct scene *s = *state;

    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        s->status = statuses[i];
        assert_int_equal(check(s, "Bearer t0ken"), REVIEW_FAILED);
    }
    s->status = 0;
    assert_int_equal(check(s, "Bearer t0ken"), REVIEW_ALLOWED);
}

static void test_rights_that_cannot_be_asked_about(void **state)
{
    struct scene *s = *state;

    s->may = NULL;
    assert_int_equal(check(s, "Bearer t0ken"), REVIEW_FAILED);
    s->may = YES;
    assert_int_equal(check(s, "Bearer t0ken"), REVIEW_ALLOWED);
}

/* Somebody tries tokens: memory stays bounded, and answers stay right. */
static void test_many_tokens(void **state)
{
    struct scene *s = *state;
    char header[64];

    s->who = STRANGER;
    for (int i = 0; i < 2500; i++) {
        (void)snprintf(header, sizeof(header), "Bearer guess-%d", i);
        assert_int_equal(check(s, header), REVIEW_UNKNOWN);
    }
    assert_int_equal(s->asked, 2500);
    assert_int_equal(check(s, "Bearer guess-2499"), REVIEW_UNKNOWN);
    assert_int_equal(s->asked, 2500); /* still remembered */
    assert_int_equal(check(s, "Bearer guess-0"), REVIEW_UNKNOWN);
    assert_int_equal(s->asked, 2501); /* given up */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_without_a_bearer_nobody_is_asked, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_token_beyond_the_ceiling_is_not_sent,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_user_is_handed_on_as_it_came, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_who_is_not_known_is_not_asked_about_rights,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_only_allowed_is_a_yes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_yes_lasts_a_minute_and_no_longer, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_no_lasts_ten_seconds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_answer_is_for_that_token_alone, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_failure_is_not_remembered, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_rights_that_cannot_be_asked_about, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_many_tokens, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
