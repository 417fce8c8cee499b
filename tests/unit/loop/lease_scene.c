#include "lease_scene.h"

#include "base/heap.h"

#include <stdio.h>

static void bump(struct lease_scene *s)
{
    char version[32];

    (void)snprintf(version, sizeof(version), "%lld", (long long)++s->version);
    json_set_string((struct json *)(uintptr_t)json_get(s->lease, "metadata"),
                    "resourceVersion", version);
}

static struct json *spec_of(struct lease_scene *s)
{
    return (struct json *)(uintptr_t)json_get(s->lease, "spec");
}

static int create(struct lease_scene *s, const struct kube_request *request)
{
    struct fault fault = FAULT_INIT;

    s->posts++;
    if (s->lease != NULL) {
        return 409;
    }
    assert_ok(json_parse(request->body, KUBE_BODY_MAX, &s->lease, &fault), fault);
    bump(s);
    return 201;
}

static int replace(struct lease_scene *s, const struct kube_request *request)
{
    struct fault fault = FAULT_INIT;
    struct json *next = NULL;

    s->puts++;
    if (s->lease == NULL) {
        return 404;
    }
    assert_ok(json_parse(request->body, KUBE_BODY_MAX, &next, &fault), fault);
    if (strcmp(kube_resource_version(next), kube_resource_version(s->lease)) != 0) {
        json_free(next);
        return 409;
    }
    json_free(s->lease);
    s->lease = next;
    bump(s);
    return 200;
}

static int serve(struct lease_scene *s, const struct kube_request *request)
{
    bool writes = strcmp(request->method, "GET") != 0;

    if (s->status != 0) {
        s->gets += !writes;
        s->puts += writes;
        return s->status;
    }
    if (!writes) {
        s->gets++;
        return s->lease == NULL ? 404 : 200;
    }
    return strcmp(request->method, "POST") == 0 ? create(s, request)
                                                : replace(s, request);
}

static bool call(struct kube_transport *t, const struct kube_request *request,
                 struct cancel *cancel, struct kube_response *out_response,
                 struct fault *fault)
{
    struct lease_scene *s = (struct lease_scene *)(void *)t;
    struct kube_response response = {.retry_after_s = s->retry_after_s};
    bool writes = strcmp(request->method, "GET") != 0;

    s->limit_ms = cancel_remaining_ms(cancel);
    if (s->unreachable) {
        s->clock.now_ms += s->lasts_ms < s->limit_ms ? s->lasts_ms : s->limit_ms;
        return fault_set(fault, FAULT_UNAVAILABLE, "Timeout", "nobody answers");
    }
    response.status = serve(s, request);
    s->clock.now_ms += s->lasts_ms;
    if (s->deaf && writes) {
        return fault_set(fault, FAULT_UNAVAILABLE, "Timeout", "the answer was lost");
    }
    if (s->lasts_ms > s->limit_ms) {
        return fault_set(fault, FAULT_UNAVAILABLE, "Timeout", "too late");
    }
    buf_init(&response.body, KUBE_BODY_MAX);
    if (s->strange != NULL) {
        buf_addz(&response.body, s->strange);
    } else if (response.status < 300) {
        json_print(s->lease, &response.body);
    } else {
        buf_addf(&response.body,
                 "{\"kind\":\"Status\",\"message\":\"server words\",\"reason\":\"%s\"}",
                 response.status == 404                 ? "NotFound"
                 : response.status != 409               ? ""
                 : strcmp(request->method, "POST") == 0 ? "AlreadyExists"
                                                        : "Conflict");
    }
    s->clock.now_ms += writes ? s->pause_ms : 0;
    *out_response = response;
    return true;
}

static void free_nothing(struct kube_transport *t)
{
    (void)t; /* the scene's own */
}

int lease_scene_up(void **state)
{
    static const struct kube_transport_ops ops = {.call = call, .free = free_nothing};
    struct lease_scene *s = HEAP_NEW(struct lease_scene);
    struct leader_options options = {.namespace = "ops",
                                     .name = "tablesync-controller",
                                     .identity = "a_1",
                                     .lease_ms = LEASE_MS,
                                     .renew_ms = RENEW_MS,
                                     .retry_ms = RETRY_MS};
    struct fault fault = FAULT_INIT;

    s->base.ops = &ops;
    unit_clock_init(&s->clock);
    assert_ok(cancel_init_root(&s->root, &s->clock.base, &fault), fault);
    s->a = leader_new(&options, &s->base, &s->clock.base, NULL, 1);
    options.identity = "b_2";
    s->b = leader_new(&options, &s->base, &s->clock.base, NULL, 2);
    *state = s;
    return 0;
}

int lease_scene_down(void **state)
{
    struct lease_scene *s = *state;

    leader_free(s->a);
    leader_free(s->b);
    json_free(s->lease);
    cancel_deinit(&s->root);
    heap_free(s);
    return 0;
}

int64_t lease_turn(struct lease_scene *s, struct leader *leader)
{
    return leader_turn(leader, &s->root);
}

int64_t lease_until_leads(struct lease_scene *s, struct leader *leader)
{
    int64_t began_ms = s->clock.now_ms;

    for (;;) {
        int64_t wait_ms = lease_turn(s, leader);

        if (leader_state(leader) == LEADER_LEADING) {
            return s->clock.now_ms - began_ms;
        }
        assert_true(wait_ms >= RETRY_MS && wait_ms <= RETRY_MS * 22 / 10);
        s->clock.now_ms += wait_ms;
        if (s->clock.now_ms - began_ms > 60000) {
            fail_msg("it does not lead after a minute");
        }
    }
}

bool lease_may_write(struct leader *leader)
{
    struct fault fault = FAULT_INIT;
    bool may = fence_check(leader_fence(leader), &fault);

    if (!may) {
        assert_int_equal(fault.class, FAULT_CANCELLED);
        assert_string_equal(fault.reason, "NotLeader");
        assert_contains(fault.text, "ops/tablesync-controller");
    }
    return may;
}

struct lease_record lease_said(const struct lease_scene *s)
{
    struct lease_record r = {0};

    assert_non_null(s->lease);
    lease_read(s->lease, &r);
    return r;
}

void lease_edit(struct lease_scene *s, const char *field, const char *text)
{
    json_set_string(spec_of(s), field, text);
    bump(s);
}

void lease_edit_int(struct lease_scene *s, const char *field, int64_t number)
{
    json_set_int(spec_of(s), field, number);
    bump(s);
}

void lease_other_renews(struct lease_scene *s, const char *holder, int64_t duration_s,
                        int64_t wall_ms)
{
    char at[CLOCK_RFC3339_SIZE];

    if (s->lease == NULL) {
        s->lease = unit_json(
            "{\"kind\":\"Lease\",\"metadata\":{\"name\":\"tablesync-controller\","
            "\"namespace\":\"ops\"},\"spec\":{}}");
    }
    json_set_string(spec_of(s), "holderIdentity", holder);
    json_set_int(spec_of(s), "leaseDurationSeconds", duration_s);
    json_set_string(spec_of(s), "renewTime", clock_format_micro(wall_ms, at));
    bump(s);
}
