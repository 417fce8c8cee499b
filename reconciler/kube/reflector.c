/*
 * The reflector's loop: list until it works, then watch, then what the watch's end asks
 * for.
 *
 * Constants and order of answers follow client-go v0.36 tools/cache/reflector.go; the
 * list itself is read in pages from the newest state instead of whole from the cache, so
 * that memory is bounded by a page. It never gives up: a missing right or a missing CRD
 * is logged and tried again, because both can appear while we run.
 */
#include "kube/reflector_pass.h"

#include <stdio.h>
#include <string.h>

#define BACKOFF_BASE_MS 800
#define BACKOFF_CAP_MS 30000
#define QUIET_MS 120000 /* without a failure: the next one counts as the first again */

#define GONE_MS 30000 /* two expired versions within this time are no coincidence */

struct pauses {
    unsigned failures;
    int64_t last_failure_ms;
    int64_t last_gone_ms; /* 0: never */
};

static int64_t pause_ms(struct reflector *r, struct pauses *pauses)
{
    int64_t now_ms = clock_monotonic_ms(r->api->clock);
    int64_t base_ms = r->backoff_base_ms > 0 ? r->backoff_base_ms : BACKOFF_BASE_MS;

    if (pauses->failures > 0 && now_ms - pauses->last_failure_ms > QUIET_MS) {
        pauses->failures = 0;
    }
    int64_t pause = backoff_ms(base_ms, BACKOFF_CAP_MS, pauses->failures);
    pause += (int64_t)rng_below(&r->rng, (uint64_t)pause + 1);
    int64_t asked_ms = kube_retry_after_ms(r->api);
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
    int64_t pause = pause_ms(r, pauses);
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

/* Returns whether the next step is a list. */
static bool after_watch(struct reflector_pass *pass, struct pauses *pauses,
                        enum reflector_end end, const struct fault *fault)
{
    bool relist = false;

    switch (end) {
    case REFLECTOR_REOPEN:
        break;
    case REFLECTOR_RETRY:
        fail(pass, pauses, "watch", fault);
        break;
    case REFLECTOR_GONE:
        relist = true;
        /* A compaction or a restart brings one; one after the other needs a pause. */
        if (is_repeated(pass->r, pauses)) {
            fail(pass, pauses, "watch", fault);
        }
        break;
    case REFLECTOR_RELIST:
        relist = true;
        fail(pass, pauses, "watch", fault);
        break;
    case REFLECTOR_END_MAX:
        must(false);
    }
    return relist;
}

void reflector_run(struct reflector *r, struct cancel *cancel)
{
    struct reflector_pass pass = {.r = r, .cancel = cancel};
    struct pauses pauses = {0};
    bool list = true;

    while (!cancel_fired(cancel)) {
        struct fault fault = FAULT_INIT;
        int64_t asked_ms = kube_retry_after_ms(r->api); /* perhaps by another's request */
        if (asked_ms > 0 && !cancel_sleep(cancel, asked_ms)) {
            return;
        }
        if (!list) {
            enum reflector_end end = reflector_watch(&pass, &fault);
            list = after_watch(&pass, &pauses, end, &fault);
        } else if (reflector_list(&pass, &fault)) {
            list = false;
        } else {
            fail(&pass, &pauses, "list", &fault);
        }
    }
}

bool reflector_move(struct reflector_pass *pass, const struct json *object,
                    struct fault *fault)
{
    const char *version = kube_resource_version(object);

    if (version == NULL || version[0] == '\0' ||
        strlen(version) >= sizeof(pass->resource_version)) {
        return fault_set(fault, FAULT_UNAVAILABLE, "BadAnswer",
                         "the answer has no usable metadata.resourceVersion");
    }
    (void)snprintf(pass->resource_version, sizeof(pass->resource_version), "%s", version);
    return true;
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
