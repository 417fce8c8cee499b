#include "cmd/plan_print.h"

#include "base/json.h"
#include "loop/approval.h"

#include <stdio.h>
#include <string.h>

#define PLAN_BYTES_MAX ((size_t)16 * 1024 * 1024)

/* Behind a step's name: nothing for what loses nothing. */
static const char *risk_words(enum plan_risk risk)
{
    switch (risk) {
    case RISK_SAFE:
        break;
    case RISK_ASKED:
        return " (loses data, as the spec asks)";
    case RISK_DESTRUCTIVE:
        return " (destructive)";
    }
    return "";
}

static const char *wait_words(const struct plan_step *s, struct arena *arena)
{
    switch (s->wait) {
    case WAIT_NONE:
    case PLAN_WAIT_MAX:
        break;
    case WAIT_TARGET_ALTER:
        return "no schema change of the target table runs";
    case WAIT_SNAPSHOT:
        return arena_printf(arena, "CDC table %s has loaded all rows", s->wait_for);
    case WAIT_BACKFILL:
        return arena_printf(arena, "sink %s has sent the rows its CDC table holds",
                            s->wait_for);
    case WAIT_PAUSED:
        return arena_printf(arena, "sink %s is paused", s->wait_for);
    case WAIT_DELIVERED:
        return arena_printf(arena,
                            "sink %s has delivered what its successor may have "
                            "delivered before",
                            s->wait_for);
    }
    return NULL;
}

static const char *wait_name(enum plan_wait wait)
{
    switch (wait) {
    case WAIT_NONE:
    case PLAN_WAIT_MAX:
        break;
    case WAIT_TARGET_ALTER:
        return "TargetAlter";
    case WAIT_SNAPSHOT:
        return "Snapshot";
    case WAIT_BACKFILL:
        return "Backfill";
    case WAIT_PAUSED:
        return "Paused";
    case WAIT_DELIVERED:
        return "Delivered";
    }
    return NULL;
}

static void print_list(const char *what, const struct strlist *list)
{
    for (size_t i = 0; i < list->n; i++) {
        (void)printf("-- %s: %s\n", what, list->v[i]);
    }
}

static void print_step(const struct plan_step *s, size_t number, struct arena *arena)
{
    const char *waits = wait_words(s, arena);

    (void)printf("\n-- %zu. %s: %s %s%s\n", number, plan_system_name(s->system),
                 s->sentence, s->object, risk_words(s->risk));
    if (waits != NULL) {
        (void)printf("-- waits until %s\n", waits);
    }
    if (s->background) {
        (void)printf("SET background_ddl = true;\n");
    }
    if (s->parallelism > 0) {
        (void)printf("SET streaming_parallelism = %lld;\n", (long long)s->parallelism);
    }
    (void)printf("%s;\n", stmt_redacted(s->stmt, arena));
}

static void print_text(const struct plan *plan, const struct desired *desired,
                       struct arena *arena)
{
    const struct tablesync *sync = desired->in.sync;

    (void)printf("-- TableSync %s/%s: %s.%s -> %s.%s, %zu statement%s\n", sync->namespace,
                 sync->name, sync->source_database, sync->source_table,
                 sync->target_database, sync->target_table, plan->steps.n,
                 plan->steps.n == 1 ? "" : "s");
    if (strcmp(sync->uid, PLAN_UNKNOWN_UID) == 0) {
        (void)printf(
            "-- the resource does not exist yet: the hash at the end of the names "
            "will differ\n");
    }
    print_list("upstream change", &plan->changes);
    print_list("note", &desired->notes);
    print_list("note", &plan->notes);
    for (size_t i = 0; i < plan->steps.n; i++) {
        print_step(&plan->steps.v[i], i + 1, arena);
    }
    if (plan->steps.n == 0) {
        (void)printf("-- nothing to do\n");
        return;
    }
    (void)printf("\n-- plan %s\n", plan->hash);
    if (approval_reason(sync, plan) != NULL) {
        /* Another hash will stand for it once the names are known. */
        (void)printf("-- %s\n", strcmp(sync->uid, PLAN_UNKNOWN_UID) == 0
                                    ? "it will wait for approval"
                                    : approval_message(sync, plan, NULL, arena));
    }
}

static void push_list(struct json *array, const struct strlist *list)
{
    for (size_t i = 0; i < list->n; i++) {
        json_push_string(array, list->v[i]);
    }
}

static void print_json(const struct plan *plan, const struct desired *desired,
                       struct arena *arena)
{
    AUTO(json_freep) struct json *root = json_new_object();
    AUTO(buf_deinit) struct buf text = {0};
    struct json *list = NULL;

    buf_init(&text, PLAN_BYTES_MAX);
    json_set_string(root, "namespace", desired->in.sync->namespace);
    json_set_string(root, "name", desired->in.sync->name);
    json_set_string(root, "hash", plan->hash);
    json_set_bool(root, "needsApproval", approval_reason(desired->in.sync, plan) != NULL);
    push_list(json_set_array(root, "changes"), &plan->changes);
    list = json_set_array(root, "notes");
    push_list(list, &desired->notes);
    push_list(list, &plan->notes);
    list = json_set_array(root, "steps");
    for (VEC_EACH(const struct plan_step, s, &plan->steps)) {
        struct json *o = json_push_object(list);

        json_set_string(o, "system", plan_system_name(s->system));
        json_set_string(o, "action", plan_kind_name(s->kind));
        json_set_string(o, "object", s->object);
        json_set_string(o, "id", s->id);
        json_set_string(o, "risk", plan_risk_name(s->risk));
        if (s->wait != WAIT_NONE) {
            json_set_string(o, "wait", wait_name(s->wait));
        }
        if (s->wait_for != NULL) {
            json_set_string(o, "waitFor", s->wait_for);
        }
        json_set_bool(o, "background", s->background);
        json_set_int(o, "parallelism", s->parallelism);
        json_set_string(o, "sql", stmt_redacted(s->stmt, arena));
    }
    json_print_pretty(root, &text);
    (void)printf("%s\n", buf_z(&text));
}

void plan_print(const struct plan *plan, const struct desired *desired, bool json,
                struct arena *arena)
{
    if (json) {
        print_json(plan, desired, arena);
    } else {
        print_text(plan, desired, arena);
    }
}
