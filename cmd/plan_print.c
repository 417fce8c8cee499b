#include "cmd/plan_print.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>

#define PLAN_BYTES_MAX ((size_t)16 * 1024 * 1024)

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
    for (size_t i = 0; i < desired->notes.n; i++) {
        (void)printf("-- note: %s\n", desired->notes.v[i]);
    }
    for (size_t i = 0; i < plan->steps.n; i++) {
        const struct plan_step *s = &plan->steps.v[i];

        (void)printf("\n-- %zu. %s: %s %s%s\n", i + 1, plan_system_name(s->system),
                     s->sentence, s->object,
                     s->risk == RISK_DESTRUCTIVE ? " (destructive)" : "");
        if (s->background) {
            (void)printf("SET background_ddl = true;\n");
        }
        if (s->parallelism > 0) {
            (void)printf("SET streaming_parallelism = %lld;\n",
                         (long long)s->parallelism);
        }
        (void)printf("%s;\n", stmt_redacted(s->stmt, arena));
    }
    if (plan->steps.n == 0) {
        (void)printf("-- nothing to do\n");
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
    list = json_set_array(root, "notes");
    for (size_t i = 0; i < desired->notes.n; i++) {
        json_push_string(list, desired->notes.v[i]);
    }
    list = json_set_array(root, "steps");
    for (VEC_EACH(const struct plan_step, s, &plan->steps)) {
        struct json *o = json_push_object(list);

        json_set_string(o, "system", plan_system_name(s->system));
        json_set_string(o, "action", plan_kind_name(s->kind));
        json_set_string(o, "object", s->object);
        json_set_string(o, "risk", s->risk == RISK_DESTRUCTIVE ? "Destructive" : "Safe");
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
