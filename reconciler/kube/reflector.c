/*
 * The reflector's loop: list until it works, then watch, then what the watch's end asks
 * for. A streamed list is a watch that begins with the collection.
 *
 * Constants and order of answers follow client-go v0.36 tools/cache/reflector.go. It
 * never gives up: a missing right or a missing CRD is logged and tried again, because
 * both can appear while we run.
 */
#include "kube/reflector_pass.h"

#include "kube/exchange.h"

#include <stdio.h>
#include <string.h>

#define ARENA_BYTES ((size_t)256 * 1024 * 1024)
#define BACKOFF_BASE_MS 800
#define BACKOFF_CAP_MS 30000
#define QUIET_MS 120000 /* without a failure: the next one counts as the first again */

#define GONE_MS 30000 /* two expired versions within this time are no coincidence */

/* A server that says when to come again is believed so often before pauses grow. */
#define ASKED_MAX 10

struct pauses {
    unsigned failures;
    unsigned asked; /* of them in a row, how many said when to come again */
    int64_t last_failure_ms;
    int64_t last_gone_ms; /* 0: never */
};

/* What the next step asks the server for. */
static bool lists_next(const struct reflector_pass *pass)
{
    return pass->initial && (pass->r->list_only || pass->r->api->list_only);
}

static const char *next_verb(const struct reflector_pass *pass)
{
    return lists_next(pass) ? "list" : "watch";
}

static int64_t pause_ms(struct reflector_pass *pass, struct pauses *pauses)
{
    struct reflector *r = pass->r;
    const struct errors_call call = reflector_call(r, next_verb(pass));
    int64_t now_ms = clock_monotonic_ms(r->api->clock);
    int64_t base_ms = r->backoff_base_ms > 0 ? r->backoff_base_ms : BACKOFF_BASE_MS;
    int64_t asked_ms = exchange_pause_ms(r->api, &call);

    if (pauses->failures > 0 && now_ms - pauses->last_failure_ms > QUIET_MS) {
        pauses->failures = 0;
    }
    pauses->asked = asked_ms > 0 ? pauses->asked + 1 : 0;
    if (asked_ms > 0 && pauses->asked <= ASKED_MAX) {
        return asked_ms + (int64_t)rng_below(&r->rng, (uint64_t)asked_ms / 4 + 1);
    }
    int64_t pause = backoff_ms(base_ms, BACKOFF_CAP_MS, pauses->failures);
    pause += (int64_t)rng_below(&r->rng, (uint64_t)pause + 1);
    pause = asked_ms > pause ? asked_ms : pause;
    pauses->failures++;
    pauses->last_failure_ms = now_ms + pause;
    return pause;
}

/* Logs, counts and waits. */
static void fail(struct reflector_pass *pass, struct pauses *pauses, const char *what,
                 const struct fault *fault)
{
    struct reflector *r = pass->r;

    if (cancel_fired(pass->cancel)) {
        return;
    }
    int64_t pause = pause_ms(pass, pauses);
    r->errors++;
    lg_error(r->lg, "reflector failed, will retry", LG_STR("step", what),
             LG_STR("resource", r->resource->plural), LG_STR("group", r->resource->group),
             LG_STR("namespace", r->namespace), LG_STR("name", r->name),
             LG_STR("reason", fault->reason), LG_STR("error", fault->text),
             LG_INT("retry_in_ms", pause));
    (void)cancel_sleep(pass->cancel, pause);
}

static bool is_repeated(const struct reflector *r, struct pauses *pauses)
{
    int64_t now_ms = clock_monotonic_ms(r->api->clock);
    bool repeated = pauses->last_gone_ms != 0 && now_ms - pauses->last_gone_ms < GONE_MS;

    pauses->last_gone_ms = now_ms;
    return repeated;
}

/* A list that may be any state not older than ours has failed: the newest, at once. */
static bool falls_back(struct reflector_pass *pass)
{
    bool first = pass->initial && pass->not_older;

    pass->not_older = false;
    return first;
}

static void after_watch(struct reflector_pass *pass, struct pauses *pauses,
                        enum reflector_end end, const struct fault *fault)
{
    const char *step = pass->initial ? "list" : "watch";

    if (end != REFLECTOR_LIST && falls_back(pass)) {
        return;
    }
    switch (end) {
    case REFLECTOR_REOPEN:
    case REFLECTOR_LIST:
        break;
    case REFLECTOR_RETRY:
        fail(pass, pauses, step, fault);
        break;
    case REFLECTOR_GONE:
        pass->not_older = !pass->initial;
        pass->initial = true;
        /* A compaction or a restart brings one; one after the other needs a pause. */
        if (is_repeated(pass->r, pauses)) {
            fail(pass, pauses, step, fault);
        }
        break;
    case REFLECTOR_RELIST:
        pass->initial = true;
        fail(pass, pauses, step, fault);
        break;
    case REFLECTOR_END_MAX:
        must(false);
    }
}

static void pass_deinit(struct reflector_pass *pass)
{
    buf_deinit(&pass->text);
}

void reflector_run(struct reflector *r, struct cancel *cancel)
{
    AUTO(pass_deinit)
    struct reflector_pass pass = {.r = r, .cancel = cancel, .initial = true};
    struct pauses pauses = {0};

    buf_init(&pass.text, KUBE_EVENT_LINE_MAX + SLIM_ROOM);
    while (!cancel_fired(cancel)) {
        struct fault fault = FAULT_INIT;
        const struct errors_call call = reflector_call(r, next_verb(&pass));
        /* Perhaps another namespace's request of this kind was asked to wait. */
        int64_t asked_ms = exchange_pause_ms(r->api, &call);
        if (asked_ms > 0 && !cancel_sleep(cancel, asked_ms)) {
            return;
        }
        if (!lists_next(&pass)) {
            after_watch(&pass, &pauses, reflector_watch(&pass, &fault), &fault);
        } else if (!reflector_list(&pass, &fault) && !falls_back(&pass)) {
            fail(&pass, &pauses, "list", &fault);
        }
    }
}

bool reflector_move(struct reflector_pass *pass, struct sv version, struct fault *fault)
{
    if (version.n == 0 || version.n >= sizeof(pass->resource_version)) {
        return fault_set(fault, FAULT_UNAVAILABLE, "BadAnswer",
                         "the answer has no usable metadata.resourceVersion");
    }
    (void)snprintf(pass->resource_version, sizeof(pass->resource_version), "%.*s",
                   SV_ARGS(version));
    return true;
}

struct slim_rules reflector_rules(const struct reflector *r)
{
    return (struct slim_rules){.resource = r->resource,
                               .annotations = store_annotations(r->store)};
}

void reflector_skip(struct reflector_pass *pass, const char *what, size_t bytes,
                    const char *why)
{
    struct reflector *r = pass->r;

    r->unreadable++;
    pass->has_unreadable = true;
    lg_error(
        r->lg,
        "an object cannot be read and is left out; find it by its size and delete or "
        "shorten it",
        LG_STR("resource", r->resource->plural), LG_STR("met_in", what),
        LG_INT("bytes", (int64_t)bytes),
        LG_INT("ceiling_bytes", (int64_t)KUBE_EVENT_LINE_MAX),
        LG_STR("after_version", pass->resource_version), LG_STR("error", why));
}

bool reflector_check_count(const struct reflector_pass *pass,
                           const struct store_listing *listing, struct fault *fault)
{
    return store_listing_count(listing) <= REFLECTOR_OBJECTS_MAX ||
           fault_set(fault, FAULT_REFUSED, "TooManyObjects",
                     "there are more than %zu %s; watch fewer namespaces",
                     REFLECTOR_OBJECTS_MAX, pass->r->resource->plural);
}

void reflector_commit(struct reflector_pass *pass, struct store_listing *listing)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_BYTES);
    struct reflector *r = pass->r;
    struct store_keys keys = {0};
    bool first = false;

    store_listing_commit(listing, pass->resource_version, arena, &keys, &first);
    r->lists++;
    pass->initial = pass->not_older = false;
    for (size_t i = 0; i < keys.list.n && r->on_change != NULL; i++) {
        r->on_change(r->context, keys.list.v[i], first);
    }
}

struct errors_call reflector_call(const struct reflector *r, const char *verb)
{
    return (struct errors_call){.verb = verb,
                                .resource = r->resource,
                                .namespace = r->namespace,
                                .name = r->name};
}

const char *reflector_selector(const struct reflector *r, struct arena *arena)
{
    return r->name == NULL ? NULL : arena_printf(arena, "metadata.name=%s", r->name);
}
