/* /debug/state: what an operator asks first when something does not move. Lists are cut
 * at INTROSPECT_KEYS_MAX; counts are whole. */
#include "loop/introspect.h"

#include "loop/gauges.h"
#include "loop/queue_show.h"

#include "loop/lanes.h"

#include <malloc.h>
#include <stdio.h>

static void add_keys(struct json *object, const char *name, struct queue *q,
                     enum queue_part part, const char *time)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct json *list = json_set_array(object, name);
    size_t count = 0;
    struct queue_key *keys = queue_show(q, part, INTROSPECT_KEYS_MAX, arena, &count);

    for (size_t i = 0; i < count; i++) {
        struct json *each = json_push_object(list);

        json_set_string(each, "key", keys[i].key);
        json_set_int(each, time, keys[i].ms);
        if (keys[i].failures > 0) {
            json_set_int(each, "failures", keys[i].failures);
        }
        if (keys[i].priority != QUEUE_NORMAL) {
            json_set_string(each, "priority",
                            keys[i].priority == QUEUE_LOW ? "low" : "urgent");
        }
    }
}

static void add_queue(struct json *root, struct queue *q)
{
    const struct queue_numbers numbers = queue_numbers(q);
    struct json *queue = json_set_object(root, "queue");

    json_set_int(queue, "ready", numbers.depth);
    json_set_int(queue, "readyUrgent", numbers.depth_of[QUEUE_URGENT]);
    json_set_int(queue, "readyLowPriority", numbers.depth_of[QUEUE_LOW]);
    json_set_int(queue, "delayed", numbers.delayed);
    json_set_int(queue, "remembered", numbers.keys);
    json_set_int(queue, "adds", numbers.adds);
    json_set_int(queue, "retries", numbers.retries);
    add_keys(queue, "waiting", q, QUEUE_WAITING, "waitingMs");
    add_keys(queue, "later", q, QUEUE_DELAYED, "dueInMs");
}

static void add_workers(struct json *root, const struct introspect *in)
{
    struct json *workers = json_set_object(root, "workers");

    json_set_int(workers, "max", metrics_get(in->loop->metrics, METRIC_MAX_CONCURRENT));
    json_set_int(workers, "busy", queue_numbers(in->loop->queue).processing);
    add_keys(workers, "processing", in->loop->queue, QUEUE_PROCESSING, "busyMs");
}

static void add_cache(struct json *list, const struct reflector *r,
                      const struct clock *clock)
{
    struct json *cache = NULL;
    int64_t contact_ms = 0;

    cache = json_push_object(list);
    contact_ms = r->last_contact_ms;
    json_set_string(cache, "resource", r->resource->plural);
    if (r->namespace != NULL) {
        json_set_string(cache, "namespace", r->namespace);
    }
    json_set_bool(cache, "synced", kube_store_synced(r->store));
    json_set_int(cache, "objects", (int64_t)kube_store_count(r->store));
    json_set_int(cache, "bytes", (int64_t)kube_store_bytes(r->store));
    json_set_int(cache, "lists", r->lists);
    json_set_int(cache, "watches", r->watches);
    json_set_int(cache, "events", r->events);
    json_set_int(cache, "errors", r->errors);
    if (contact_ms != 0) {
        json_set_int(cache, "lastContactMsAgo", clock_monotonic_ms(clock) - contact_ms);
    }
}

static void add_memory(struct json *root)
{
    const struct mallinfo2 heap = mallinfo2();
    struct json *memory = json_set_object(root, "memory");

    json_set_int(memory, "usedBytes", (int64_t)heap.uordblks);
    json_set_int(memory, "freeBytes", (int64_t)heap.fordblks);
    json_set_int(memory, "mappedBytes", (int64_t)heap.hblkhd);
    json_set_int(memory, "arenaBytes", (int64_t)heap.arena);
    json_set_int(memory, "releasableBytes", (int64_t)heap.keepcost);
}

static void add_resources(struct json *root, const struct loop *loop)
{
    const struct gauges_sums sums = gauges_sums(loop->gauges);
    struct json *resources = json_set_object(root, "resources");

    json_set_int(resources, "seen", sums.resources);
    json_set_int(resources, "ready", sums.ready);
    json_set_int(resources, "stalled", sums.stalled);
    json_set_int(resources, "drifted", sums.drifted);
    json_set_int(resources, "lagMaxSeconds", sums.lag_max_s);
}

struct lane_list {
    struct json *array;
    const struct clock *clock;
    size_t left;
};

static void add_breaker(struct json *each, const struct lane_numbers *numbers,
                        const struct clock *clock)
{
    char at[CLOCK_RFC3339_SIZE];

    if (numbers->pause_ms > 0) {
        json_set_int(each, "triesAgainInMs", numbers->pause_ms);
        json_set_string(
            each, "triesAgainAt",
            clock_format_rfc3339(clock_wall_ms(clock) + numbers->pause_ms, at));
    }
    if (numbers->state == LANE_HALF_OPEN) {
        json_set_bool(each, "trying", numbers->trying);
    }
    if (numbers->fault_ago_ms >= 0) {
        json_set_string(each, "lastFault", numbers->fault.text);
        json_set_int(each, "lastFaultMsAgo", numbers->fault_ago_ms);
    }
}

static void add_lane(void *context, const struct lane_numbers *numbers)
{
    static const char *const STATES[] = {
        [LANE_CLOSED] = "closed", [LANE_OPEN] = "open", [LANE_HALF_OPEN] = "half-open"};
    struct lane_list *list = context;
    struct json *each = NULL;

    if (list->left == 0) {
        return;
    }
    list->left--;
    each = json_push_object(list->array);
    json_set_string(each, "connection", numbers->connection);
    json_set_string(each, "breaker", STATES[numbers->state]);
    json_set_bool(each, "suspect", numbers->suspect);
    json_set_int(each, "inside", numbers->inside);
    json_set_int(each, "parked", numbers->parked);
    json_set_int(each, "sessionsInUse", numbers->in_use);
    json_set_int(each, "sessionsIdle", numbers->idle);
    add_breaker(each, numbers, list->clock);
}

static void add_lanes(struct json *root, const struct loop *loop)
{
    struct lane_list list = {json_set_array(root, "connections"), loop->ports.clock,
                             INTROSPECT_KEYS_MAX};

    lanes_visit(loop->lanes, add_lane, &list);
}

/* false: there is no audit. */
static bool read_audit(const struct loop *loop, struct audit_state *out_state)
{
    if (loop->ports.audit == NULL) {
        return false;
    }
    audit_state(loop->ports.audit, out_state);
    return true;
}

static void add_audit(struct json *root, const struct loop *loop)
{
    struct json *audit = json_set_object(root, "audit");
    struct audit_state state = {0};
    char since[CLOCK_RFC3339_SIZE];

    if (!read_audit(loop, &state)) {
        json_set_bool(audit, "kept", false);
        return;
    }
    json_set_bool(audit, "degraded", state.degraded);
    if (state.degraded) {
        json_set_string(audit, "since", clock_format_rfc3339(state.since_ms, since));
        json_set_int(audit, "missed", state.missed);
        json_set_string(audit, "fault", state.last.text);
    }
}

static const char *role_of(const struct leader *leader)
{
    switch (leader_state(leader)) {
    case LEADER_CANDIDATE:
        return "candidate";
    case LEADER_LEADING:
        return "leader";
    case LEADER_LOST:
        return "lost";
    case LEADER_RESIGNED:
        break;
    }
    return "resigned";
}

static void add_leader(struct json *root, const struct leader *leader)
{
    struct json *object = json_set_object(root, "leader");
    struct leader_numbers numbers = {0};

    json_set_bool(object, "election", leader != NULL);
    if (leader != NULL) {
        numbers = leader_numbers(leader);
        json_set_string(object, "role", role_of(leader));
        json_set_string(object, "lease", numbers.lease);
        json_set_int(object, "renewedMsAgo", numbers.renewed_ms_ago);
    }
}

static void add_log(struct json *root, const struct lg *lg)
{
    const struct lg_numbers numbers = lg_numbers(lg);
    struct json *log = json_set_object(root, "log");

    json_set_string(log, "level", lg_level_name(lg_get_level(lg)));
    json_set_int(log, "errors", numbers.lines[LG_ERROR]);
    json_set_int(log, "suppressed", numbers.suppressed);
}

void introspect_audit_detail(void *context, char out_text[HTTP_DETAIL_SIZE])
{
    const struct introspect *in = context;
    struct audit_state state = {0};
    char since[CLOCK_RFC3339_SIZE];

    if (in->loop->ports.audit != NULL) {
        audit_state(in->loop->ports.audit, &state);
    }
    if (state.degraded) {
        (void)snprintf(
            out_text, HTTP_DETAIL_SIZE, "degraded: %lld records were dropped since %s",
            (long long)state.missed, clock_format_rfc3339(state.since_ms, since));
    }
}

void introspect_state(const struct introspect *in, struct buf *out)
{
    AUTO(json_freep) struct json *root = json_new_object();
    const struct clock *clock = in->loop->ports.clock;
    char now[CLOCK_RFC3339_SIZE];
    struct json *caches = NULL;

    json_set_string(root, "time", clock_format_rfc3339(clock_wall_ms(clock), now));
    json_set_string(root, "instance", in->loop->options.instance);
    add_queue(root, in->loop->queue);
    add_workers(root, in);
    caches = json_set_array(root, "caches");
    for (size_t i = 0; i < in->reflector_count; i++) {
        add_cache(caches, &in->reflectors[i], clock);
    }
    add_resources(root, in->loop);
    add_lanes(root, in->loop);
    add_audit(root, in->loop);
    add_leader(root, in->leader);
    add_memory(root);
    add_log(root, in->loop->ports.lg);
    json_print_pretty(root, out);
    buf_addc(out, '\n');
}
