/* conn_hold: what is done for those who use a connection: it does not go before them. */
#include "loop/conn.h"
#include "loop/conn_private.h"
#include "loop/keep.h"
#include "loop/publish.h"

static enum hold conflict(struct look *l, struct fault *fault)
{
    (void)publish_conflict(l->loop, &loop_resource_conn, look_object(l), &l->cancel,
                           "the resource changed meanwhile", fault);
    return HOLD_FAULT;
}

static enum hold settle(struct look *l, enum kube_outcome outcome, struct json *answered,
                        struct fault *fault)
{
    switch (outcome) {
    case KUBE_OK:
        look_refresh(l, answered);
        return HOLD_DONE;
    case KUBE_NOT_FOUND:
        return HOLD_GONE;
    case KUBE_CONFLICT:
    case KUBE_EXISTS:
    case KUBE_GONE:
    case KUBE_INVALID: /* no finalizer may come to what is being deleted meanwhile */
    case KUBE_OUTCOME_MAX:
        break;
    }
    return conflict(l, fault);
}

static enum hold take_hold(struct look *l, struct fault *fault)
{
    enum kube_outcome outcome = KUBE_OK;
    struct json *answered = NULL;

    metrics_add(l->loop->metrics, METRIC_API_WRITES, 1);
    if (!kube_add_finalizer(&l->loop->api, &loop_resource_conn, look_object(l),
                            DBCONN_FINALIZER, &l->cancel, &outcome, &answered, fault)) {
        (void)fault_wrap(fault, "add the finalizer");
        return HOLD_FAULT;
    }
    return settle(l, outcome, answered, fault);
}

static enum hold let_go(struct look *l, struct fault *fault)
{
    bool deleting = kube_deleting(look_object(l));
    enum kube_outcome outcome = KUBE_OK;
    struct json *answered = NULL;
    enum hold result = HOLD_FAULT;

    metrics_add(l->loop->metrics, METRIC_API_WRITES, 1);
    if (!kube_remove_finalizer(&l->loop->api, &loop_resource_conn, look_object(l),
                               DBCONN_FINALIZER, &l->cancel, &outcome, &answered,
                               fault)) {
        (void)fault_wrap(fault, "remove the finalizer");
        return HOLD_FAULT;
    }
    if (outcome == KUBE_OK && deleting) {
        /* What the server answers is the object's last state: it is no more. */
        json_free(answered);
        result = HOLD_GONE;
    } else {
        result = settle(l, outcome, answered, fault);
    }
    if (result == HOLD_GONE) {
        lanes_remove(l->loop->lanes, l->key);
    }
    return result;
}

enum hold look_hold(struct look *l, struct fault *fault)
{
    bool used = l->status.in_use_by > 0;
    bool held = kube_has_finalizer(look_object(l), DBCONN_FINALIZER);

    if (used && !held && !kube_deleting(look_object(l))) {
        return take_hold(l, fault);
    }
    if (!used && held) {
        /* What is kept goes with it; a failure is tried again when it is gone. */
        (void)conn_erase(l->loop, l->key, l->arena);
        return let_go(l, fault);
    }
    return HOLD_DONE;
}

bool conn_erase(struct loop *loop, const char *key, struct arena *arena)
{
    struct sv name = sv_from(key);
    const char *namespace = arena_copy(arena, sv_cut(&name, '/'));
    struct fault fault = FAULT_INIT;

    if (keep_erase(loop, namespace, name.p, &fault)) {
        return true;
    }
    lg_error(loop->ports.lg, "kept credentials not erased", LG_CONN(key),
             LG_STR("error", fault.text));
    return false;
}

/* Without a login: is what was kept before still good? */
static void look_at_kept(struct look *l)
{
    AUTO(credentials_deinit) struct credentials credentials = {0};
    struct dbconn conn = {0};
    struct fault fault = FAULT_INIT;

    if (keep_find(l->loop, kube_namespace(l->object->json), kube_name(l->object->json),
                  l->arena, &conn, &credentials, &fault)) {
        look_condition(l, CONDITION_CREDENTIALS_KEPT, "Kept",
                       "the login that last worked is stored, encrypted");
    } else if (strcmp(fault.reason, "KeptUnreadable") == 0) {
        look_condition(l, CONDITION_CREDENTIALS_KEPT, "Unreadable", "%s", fault.text);
    } else {
        look_condition(l, CONDITION_CREDENTIALS_KEPT, "NotTried",
                       "no login worked yet that could be stored: see Ready");
    }
}

void look_keep(struct look *l, const struct credentials *credentials)
{
    struct fault fault = FAULT_INIT;
    const struct kube_condition *before =
        kube_conditions_find(&l->conditions, condition_type(CONDITION_CREDENTIALS_KEPT));

    if (l->status.in_use_by == 0) {
        if ((before != NULL && strcmp(before->reason, "NotInUse") == 0) ||
            conn_erase(l->loop, l->key, l->arena)) {
            look_condition(l, CONDITION_CREDENTIALS_KEPT, "NotInUse",
                           "no TableSync names the connection: nothing of it is stored");
        }
        return;
    }
    if (!keep_is_on(l->loop)) {
        look_condition(l, CONDITION_CREDENTIALS_KEPT, "Off",
                       "the controller runs without --encryption-key-file: when the "
                       "Secret or the connection is deleted before its TableSyncs, "
                       "their deletion waits until it is back");
        return;
    }
    if (credentials == NULL) {
        look_at_kept(l);
    } else if (keep_store(l->loop, &l->conn, credentials, &fault)) {
        look_condition(l, CONDITION_CREDENTIALS_KEPT, "Kept",
                       "the login that last worked is stored, encrypted");
    } else {
        look_condition(l, CONDITION_CREDENTIALS_KEPT, "StoreFailed", "%s", fault.text);
        lg_error(l->loop->ports.lg, "credentials not kept", LG_CONN(l->key),
                 LG_STR("reconcileID", l->run_id), LG_STR("error", fault.text));
    }
}
