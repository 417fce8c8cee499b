#include "loop/conn.h"

#include "loop/conn_private.h"
#include "loop/gauges_attempt.h"
#include "loop/publish.h"
#include "loop/quarantine.h"
#include "loop/seen.h"

#define LOOK_AGAIN_DOWN_MS 15000
#define LOOK_AGAIN_CONFLICT_MS 300

const struct json *look_object(const struct look *l)
{
    return l->fresh != NULL ? l->fresh : l->object->json;
}

void look_refresh(struct look *l, struct json *answered)
{
    if (answered != NULL) {
        json_free(l->fresh);
        l->fresh = answered;
        kube_store_copy(l->loop->conns, answered);
    }
}

static bool write_status(struct look *l, struct fault *fault)
{
    AUTO(json_freep) struct json *status = json_new_object();
    struct json *answered = NULL;
    bool written = false;

    l->status.observed_generation = kube_generation(look_object(l));
    dbconn_status_write(&l->status, status);
    kube_conditions_write(&l->conditions, json_set_array(status, "conditions"));
    if (!publish_status(l->loop, &loop_resource_conn, look_object(l), status, l->arena,
                        &l->cancel, &written, &answered, fault)) {
        return false;
    }
    look_refresh(l, answered);
    if (written) {
        look_tell(l);
    }
    return true;
}

static bool is_condition(const struct look *l, enum condition type, enum kube_truth truth)
{
    const struct kube_condition *c =
        kube_conditions_find(&l->conditions, condition_type(type));

    return c != NULL && c->status == truth;
}

static void look_init(struct look *l)
{
    const struct json *status = json_get(l->object->json, "status");
    const struct kube_condition *ready = NULL;

    dbconn_status_read(status, l->arena, &l->status);
    kube_conditions_read(&l->conditions, json_get(status, "conditions"), l->arena);
    ready = kube_conditions_find(&l->conditions, condition_type(CONDITION_READY));
    if (ready != NULL) {
        l->ready_before = *ready;
    }
    /* Ready is False while it is being deleted, and yet its users may work through it. */
    l->usable_before = is_condition(l, CONDITION_READY, KUBE_TRUE) ||
                       (ready != NULL && strcmp(ready->reason, "InUse") == 0 &&
                        is_condition(l, CONDITION_REACHABLE, KUBE_TRUE) &&
                        is_condition(l, CONDITION_CREDENTIALS_VALID, KUBE_TRUE));
}

/* When to look again after `fault`; a dead server is spared by its lane. */
static int64_t again_after(const struct look *l, const struct fault *fault)
{
    int64_t calm_ms = l->loop->options.resync_ms;

    if (fault->class == FAULT_CONFLICT) {
        return LOOK_AGAIN_CONFLICT_MS;
    }
    return calm_ms < LOOK_AGAIN_DOWN_MS ? calm_ms : LOOK_AGAIN_DOWN_MS;
}

static void log_fault(const struct look *l, const char *what, const struct fault *fault)
{
    if (fault->class == FAULT_CONFLICT) {
        lg_debug(l->loop->ports.lg, what, LG_CONN(l->key),
                 LG_STR("reconcileID", l->run_id), LG_STR("error", fault->text));
    } else {
        lg_error(l->loop->ports.lg, what, LG_CONN(l->key),
                 LG_STR("reconcileID", l->run_id), LG_STR("error", fault->text));
    }
}

/* How long until the next look; 0: there is none. *fault: what the look failed with. */
static int64_t look_at(struct look *l, struct fault *fault)
{
    struct fault unheld = FAULT_INIT, unwritten = FAULT_INIT;
    enum hold hold = HOLD_DONE;
    int64_t again_ms = l->loop->options.resync_ms;

    look_init(l);
    look_users(l);
    hold = look_hold(l, &unheld);
    if (hold == HOLD_GONE) {
        return 0;
    }
    if (hold == HOLD_FAULT) {
        log_fault(l, "connection's finalizer not set", &unheld);
        again_ms = again_after(l, &unheld);
        *fault = unheld;
        if (unheld.class == FAULT_CONFLICT || unheld.class == FAULT_CANCELLED) {
            return unheld.class == FAULT_CONFLICT ? again_ms : 0;
        }
    }
    if (quarantine_admits(l->loop, arena_printf(l->arena, LOOP_KEY_CONN "%s", l->key),
                          fault) &&
        look_probe(l, fault)) {
        look_show(l, NULL);
        if (!l->usable_before) {
            /* They may be waiting out a long backoff for a server that is back. */
            loop_enqueue_users(l->loop, sv_from(kube_namespace(l->object->json)),
                               sv_from(kube_name(l->object->json)));
        }
    } else if (fault->class == FAULT_CANCELLED || lane_is_parked(fault)) {
        return 0;
    } else {
        look_show(l, fault);
        again_ms = again_after(l, fault);
    }
    if (!write_status(l, &unwritten)) {
        again_ms = again_after(l, &unwritten);
        log_fault(l, "connection status not written", &unwritten);
        *fault = unwritten;
    }
    return again_ms;
}

/* The connection is not there: what is left of it goes with its last user (keep_sweep()
 * is there for those that go later). */
static void look_at_nothing(struct loop *loop, const char *key, struct arena *arena)
{
    struct sv name = sv_from(key);
    const char *namespace = arena_copy(arena, sv_cut(&name, '/'));

    if (!loop_connection_is_used(loop, namespace, name.p)) {
        lanes_remove(loop->lanes, key);
        conn_erase(loop, key, arena);
    }
}

void conn_reconcile(struct loop *loop, const char *key)
{
    struct look look = {.loop = loop, .key = key + strlen(LOOP_KEY_CONN)};
    char now[CLOCK_RFC3339_SIZE];
    struct fault fault = FAULT_INIT;
    struct rng rng;
    int64_t again_ms = 0, began_ms = clock_monotonic_ms(loop->ports.clock);

    look.arena = arena_new(ARENA_CEILING_BYTES);
    look.object = kube_store_get(loop->conns, look.key);
    look.now = clock_format_rfc3339(clock_wall_ms(loop->ports.clock), now);
    rng_init(&rng, loop->ports.seed ^ (uint64_t)clock_wall_ms(loop->ports.clock) ^
                       (uint64_t)(uintptr_t)look.arena);
    look.run_id =
        arena_printf(look.arena, "%08x", (unsigned)(rng_next(&rng) & 0xffffffffU));
    cancel_init_child(&look.cancel, loop->stop, loop->options.attempt_ms);
    if (look.object == NULL) {
        seen_forget(loop->seen, key);
        look_at_nothing(loop, look.key, look.arena);
    } else {
        again_ms = look_at(&look, &fault);
    }
    if (fault.class != FAULT_CANCELLED && !lane_is_parked(&fault)) {
        gauges_look(loop, began_ms, fault.class == FAULT_NONE ? NULL : &fault, again_ms);
    }
    if (again_ms > 0) {
        rng_init(&rng,
                 loop->ports.seed ^ (uint64_t)clock_monotonic_ms(loop->ports.clock));
        queue_add_after(loop->queue, key, rng_jitter(&rng, again_ms, 20), QUEUE_NORMAL);
    }
    cancel_deinit(&look.cancel);
    json_free(look.fresh);
    kube_object_put(look.object);
    arena_free(look.arena);
}

void conn_enqueue_held(struct loop *loop, struct sv namespace)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    size_t count = 0;
    struct kube_object **all = kube_store_all(loop->conns, arena, &count);

    for (size_t i = 0; i < count; i++) {
        if (sv_eq(sv_from(kube_namespace(all[i]->json)), namespace) &&
            kube_has_finalizer(all[i]->json, DBCONN_FINALIZER)) {
            /* Many may go at once; each look is a login. */
            queue_add_after(loop->queue,
                            arena_printf(arena, LOOP_KEY_CONN "%s", all[i]->key), 1000,
                            QUEUE_NORMAL);
        }
        kube_object_put(all[i]);
    }
}
