/* conn_show: what a look at a connection means for its conditions and its Events. */
#include "loop/conn_private.h"

#include <stdarg.h>

static enum kube_truth truth_of(enum condition type, const char *reason)
{
    const struct reason_row *row = reason_find(type, reason);

    if (row != NULL && strcmp(row->status, "True") == 0) {
        return KUBE_TRUE;
    }
    return row != NULL && strcmp(row->status, "Unknown") == 0 ? KUBE_UNKNOWN : KUBE_FALSE;
}

void look_condition(struct look *l, enum condition type, const char *reason,
                    const char *format, ...)
{
    struct kube_condition c = {.type = condition_type(type),
                               .status = truth_of(type, reason),
                               .reason = reason,
                               .observed_generation = kube_generation(l->object->json)};
    va_list args;

    va_start(args, format);
    c.message = arena_vprintf(l->arena, format, args);
    va_end(args);
    (void)kube_conditions_set(&l->conditions, &c, l->now, l->arena);
}

void look_show_login(struct look *l)
{
    look_condition(l, CONDITION_REACHABLE, "Connected", "the server answered");
    look_condition(l, CONDITION_CREDENTIALS_VALID, "LoggedIn", "the login works");
    if (l->conn.type != DBCONN_MYSQL) {
        look_condition(l, CONDITION_CDC_CAPABLE, "NotMySQL",
                       "changes are captured from MySQL only");
    }
}

/* The fault's own condition, when the table of reasons has a row for it there. */
static bool speaks_of(const struct fault *fault, enum condition type)
{
    const struct reason_row *row = reason_find(type, fault->reason);

    return row != NULL && strcmp(row->status, "False") == 0;
}

/* After the login: Reachable and CredentialsValid were shown when it worked. */
static void show_late_fault(struct look *l, const struct fault *fault)
{
    if (speaks_of(fault, CONDITION_REACHABLE)) {
        look_condition(l, CONDITION_REACHABLE, fault->reason, "%s", fault->text);
    }
    if (l->conn.type == DBCONN_MYSQL && !speaks_of(fault, CONDITION_CDC_CAPABLE)) {
        look_condition(l, CONDITION_CDC_CAPABLE, "NotTried", "%s", fault->text);
    }
}

/*
 * Which of the conditions a fault speaks about. What was not tried because of it is
 * Unknown: left as it was, it would claim what nobody knows any more.
 */
static void show_fault(struct look *l, const struct fault *fault)
{
    bool answered = strcmp(fault->reason, "AuthFailed") == 0 ||
                    strcmp(fault->reason, "NotPermitted") == 0;

    if (l->logged_in) {
        show_late_fault(l, fault);
        return;
    }
    look_condition(l, CONDITION_CDC_CAPABLE, "NotTried", "the server could not be asked");
    if (speaks_of(fault, CONDITION_CREDENTIALS_VALID)) {
        look_condition(l, CONDITION_CREDENTIALS_VALID, fault->reason, "%s", fault->text);
        look_condition(l, CONDITION_REACHABLE, answered ? "Connected" : "NotTried", "%s",
                       answered ? "the server answered"
                                : "not contacted, for want of credentials");
        return;
    }
    look_condition(l, CONDITION_CREDENTIALS_VALID, "NotTried", "the login was not tried");
    if (speaks_of(fault, CONDITION_REACHABLE)) {
        look_condition(l, CONDITION_REACHABLE, fault->reason, "%s", fault->text);
    } else {
        look_condition(l, CONDITION_REACHABLE, "NotTried",
                       "the server was not contacted");
    }
}

static void show_in_use(struct look *l, const struct fault *fault)
{
    look_condition(
        l, CONDITION_READY, "InUse",
        "the connection is being deleted and used by %lld TableSync%s (%s): it "
        "goes when they are gone; delete them, for the deletion cannot be "
        "taken back%s%s",
        (long long)l->status.in_use_by, l->status.in_use_by == 1 ? "" : "s",
        look_user_names(l), fault == NULL ? "" : ". They may have to wait: ",
        fault == NULL ? "" : fault->text);
}

void look_show(struct look *l, const struct fault *fault)
{
    if (fault != NULL) {
        show_fault(l, fault);
    }
    if (kube_deleting(look_object(l)) && l->status.in_use_by > 0) {
        show_in_use(l, fault);
    } else if (fault != NULL) {
        look_condition(l, CONDITION_READY, fault->reason, "%s", fault->text);
    } else if (l->warnings != NULL && l->conn.type != DBCONN_MYSQL) {
        look_condition(l, CONDITION_READY, "Connected", "the server can be used; %s",
                       l->warnings);
    } else {
        look_condition(l, CONDITION_READY, "Connected", "the server can be used");
    }
}

void look_tell(struct look *l)
{
    const struct kube_condition *before = &l->ready_before;
    const struct kube_condition *now =
        kube_conditions_find(&l->conditions, condition_type(CONDITION_READY));
    bool ready = now != NULL && now->status == KUBE_TRUE;
    struct kube_event event = {.resource = &loop_resource_conn,
                               .object = look_object(l),
                               .warning = !ready,
                               .action = "Reconcile",
                               .annotation = TSYNC_ANNOTATION_RUN,
                               .annotation_value = l->run_id};
    struct fault fault = FAULT_INIT;

    /* A connection that works from the beginning is no news. */
    if (now == NULL || (before->type == NULL && ready) ||
        (before->type != NULL && before->status == now->status &&
         strcmp(before->reason, now->reason) == 0)) {
        return;
    }
    event.reason = now->reason;
    event.note = now->message;
    if (!kube_event_emit(l->loop->events, &event, &l->cancel, &fault)) {
        metrics_add(l->loop->metrics, METRIC_EVENTS_LOST, 1);
        lg_error(l->loop->ports.lg, "event lost", LG_CONN(l->key),
                 LG_STR("reconcileID", l->run_id), LG_STR("event", event.reason),
                 LG_STR("error", fault.text));
    }
}
