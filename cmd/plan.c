/*
 * `tablesync plan -f FILE`: the ordered SQL per server, and nothing touched. With
 * --mysql-schema nothing is even asked.
 */
#include "cmd/cmd.h"
#include "cmd/plan_offline.h"
#include "cmd/plan_print.h"
#include "cmd/workbench.h"
#include "loop/preview.h"
#include "model/spec.h"

#include <stdio.h>
#include <string.h>

struct planning {
    struct workbench bench;
    bool json;
};

static void visit(void *context, struct attempt *a)
{
    const struct planning *p = context;

    plan_print(&a->plan, &a->desired, p->json, a->arena);
}

static bool plan_live(struct planning *p, struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct json *object = NULL;

    for (size_t i = 0;
         (object = documents_copy(p->bench.documents, "TableSync", i)) != NULL; i++) {
        struct tablesync sync = {0};
        const char *key = NULL;

        if (!workbench_sync(&p->bench, object, arena, &sync, &key, fault)) {
            return fault_wrap(fault, "TableSync document %zu", i + 1);
        }
        if (!loop_preview(p->bench.loop, key, visit, p, fault)) {
            return fault_wrap(fault, "TableSync %s/%s", sync.namespace, sync.name);
        }
    }
    return true;
}

static bool check_usage(const struct options *options, struct fault *fault)
{
    const char *output = options->values[OPTION_OUTPUT];

    if (options->values[OPTION_FILE] == NULL) {
        return fault_set(fault, FAULT_SPEC, NULL, "plan needs -f FILE with a TableSync");
    }
    if (strcmp(output, "table") != 0 && strcmp(output, "json") != 0) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "--output is '%s'; plan prints SQL text by default, or json",
                         output);
    }
    return true;
}

int command_plan_of(const struct options *options, struct documents *documents,
                    struct fault *fault)
{
    AUTO(json_freep) struct json *first = documents_copy(documents, "TableSync", 0);
    struct planning p = {.json = strcmp(options->values[OPTION_OUTPUT], "json") == 0};
    bool good = false;

    if (first == NULL) {
        (void)fault_set(fault, FAULT_SPEC, NULL, "%s has no document of kind TableSync",
                        options->values[OPTION_FILE]);
        return command_failed(fault);
    }
    if (options->values[OPTION_MYSQL_SCHEMA] != NULL) {
        good =
            plan_offline(documents, options->values[OPTION_MYSQL_SCHEMA], p.json, fault);
    } else if (workbench_open(options, documents, "plan", &p.bench, fault)) {
        good = plan_live(&p, fault);
        workbench_close(&p.bench);
    }
    return good ? EXIT_OK : command_failed(fault);
}

static int run(const struct options *options, struct fault *fault)
{
    AUTO(documents_freep) struct documents *documents = NULL;
    const char *namespace = options->values[OPTION_NAMESPACE];

    return documents_read(options->values[OPTION_FILE],
                          namespace == NULL ? "default" : namespace, &documents, fault)
               ? command_plan_of(options, documents, fault)
               : command_failed(fault);
}

int command_plan(const struct options *options)
{
    struct fault fault = FAULT_INIT;

    return check_usage(options, &fault) ? with_libraries(options, run)
                                        : command_failed(&fault);
}
