/* `kubectl tablesync plan` and `approve`: the plan that status holds. */
#include "cmd/documents.h"
#include "cmd/kubectl/draw.h"
#include "cmd/kubectl/kubectl.h"
#include "loop/loop.h"
#include "model/spec.h"

#include <stdio.h>
#include <string.h>

#define HASH_PREFIX "sha256:"
#define HASH_DIGITS_MIN 8

static const char *waiting_hash(const struct json *sync)
{
    return json_path_string(sync, "status.plan.hash");
}

/* Statements with what they risk; the hash at the end is what an approval covers. */
static void draw_statements(const struct json *sync, bool color, struct buf *out)
{
    const struct json *plan = json_path(sync, "status.plan");
    const struct json *list = json_get(plan, "statements");
    int64_t total = json_path_int(plan, "statementsTotal", 0);
    struct draw d = {out, color};
    int64_t number = 0;

    buf_addf(out, "-- TableSync %s/%s: %lld statements, %s\n", kube_namespace(sync),
             kube_name(sync), (long long)total,
             json_get_string(plan, "approvedHash") != NULL ? "approved, being carried out"
                                                           : "waiting for an approval");
    for (const struct json *s = json_first(list); s != NULL; s = json_next(s)) {
        const char *risk = json_get_string(s, "risk");
        bool safe = risk != NULL && strcmp(risk, "Safe") == 0;

        buf_addf(out, "\n-- %lld. %s %s, ", (long long)++number, draw_text(s, "system"),
                 draw_text(s, "object"));
        draw_add(&d, safe ? DRAW_GOOD : DRAW_BAD, risk);
        buf_addc(out, '\n');
        draw_add(&d, DRAW_PLAIN, json_get_string(s, "sql"));
        buf_addz(out, ";\n");
    }
    if (number < total) {
        buf_addf(out, "\n-- and %lld more\n", (long long)(total - number));
    }
    buf_addf(out, "\n-- plan %s\n", draw_text(plan, "hash"));
}

static int print_plan(struct kubectl *k, const struct json *sync)
{
    AUTO(buf_deinit) struct buf text = {0};

    buf_init(&text, KUBECTL_TEXT_MAX);
    draw_statements(sync, k->color, &text);
    (void)fputs(buf_z(&text), stdout);
    return buf_overflowed(&text) ? EXIT_FAILED : EXIT_OK;
}

static int plan_live(struct kubectl *k, struct json *sync, struct fault *fault)
{
    AUTO(documents_freep) struct documents *documents = documents_of(sync);
    struct options options = *k->options;

    if (k->output == OUTPUT_YAML) {
        (void)fault_set(fault, FAULT_SPEC, NULL, "--live prints SQL text or json");
        return -1;
    }
    options.values[OPTION_NAMESPACE] = k->namespace;
    return command_plan_of(&options, documents, fault);
}

int kubectl_plan(struct kubectl *k, struct fault *fault)
{
    AUTO(json_freep) struct json *sync = NULL;
    AUTO(json_freep) struct json *nothing = json_new_object();
    const struct json *plan = NULL;

    if (!kubectl_sync(k, &sync, fault)) {
        return -1;
    }
    if (k->options->values[OPTION_LIVE] != NULL) {
        return plan_live(k, TAKE(sync), fault);
    }
    plan = json_path(sync, "status.plan");
    if (k->output != OUTPUT_TABLE) {
        return kubectl_print(k, plan == NULL ? nothing : plan);
    }
    if (waiting_hash(sync) == NULL) {
        (void)printf("-- TableSync %s/%s: no plan waits for an approval\n",
                     kube_namespace(sync), kube_name(sync));
        return EXIT_OK;
    }
    return print_plan(k, sync);
}

int kubectl_plan_file(const struct options *options)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct options with = *options;

    if (options->words_n > 0) {
        struct fault fault = FAULT_INIT;

        (void)fault_set(&fault, FAULT_SPEC, NULL,
                        "a name and -f exclude each other: the file has the names");
        return kubectl_failed(&fault);
    }
    with.values[OPTION_NAMESPACE] = kubectl_namespace(options, arena);
    return command_plan(&with);
}

/* --- approve --- */

/* Whether `given` is the hash, or its beginning, with or without "sha256:". */
static bool names_hash(const char *given, const char *hash)
{
    struct sv digits = sv_from(given), all = sv_from(hash);

    if (sv_starts(digits, SV(HASH_PREFIX))) {
        digits = sv_sub(digits, strlen(HASH_PREFIX), digits.n);
    }
    if (sv_starts(all, SV(HASH_PREFIX))) {
        all = sv_sub(all, strlen(HASH_PREFIX), all.n);
    }
    return digits.n >= HASH_DIGITS_MIN && sv_starts(all, digits);
}

static bool check_hash(struct kubectl *k, const struct json *sync, struct fault *fault)
{
    const char *given = k->options->values[OPTION_HASH];

    if (given == NULL || names_hash(given, waiting_hash(sync))) {
        return true;
    }
    return fault_set(fault, FAULT_CONFLICT, "PlanOutdated",
                     "the plan that waits is %s, not %s: look at it with `kubectl "
                     "tablesync plan %s -n %s`",
                     waiting_hash(sync), given, kube_name(sync), kube_namespace(sync));
}

/* The annotation is set on the object whose plan was shown, or not at all: anybody's
 * write in between is a conflict, and then the same plan must still wait. */
static bool set_approval(struct kubectl *k, const struct json *shown,
                         enum kube_outcome *out_outcome, struct fault *fault)
{
    AUTO(json_freep) struct json *change = json_new_object();
    const char *message = NULL;

    json_set_string(json_set_object(json_set_object(change, "metadata"), "annotations"),
                    TSYNC_ANNOTATION_APPROVE, waiting_hash(shown));
    return kubectl_change(k, shown, change, out_outcome, &message, fault);
}

static bool approve(struct kubectl *k, struct json *first, struct fault *fault)
{
    AUTO(json_freep) struct json *sync = json_clone(first);
    enum kube_outcome outcome = KUBE_OK;

    for (int tries = 0; tries < KUBECTL_TRIES; tries++) {
        if (!set_approval(k, sync, &outcome, fault)) {
            return false;
        }
        if (outcome == KUBE_OK) {
            return true;
        }
        json_free(TAKE(sync));
        if (!kubectl_sync(k, &sync, fault)) {
            return false;
        }
        if (waiting_hash(sync) == NULL ||
            strcmp(waiting_hash(sync), waiting_hash(first)) != 0 ||
            strcmp(kube_uid(sync), kube_uid(first)) != 0) {
            return fault_set(fault, FAULT_CONFLICT, "PlanOutdated",
                             "the plan changed meanwhile and nothing was approved: look "
                             "at it again with `kubectl tablesync plan %s -n %s`",
                             kube_name(first), kube_namespace(first));
        }
    }
    return fault_set(fault, FAULT_CONFLICT, NULL,
                     "the resource keeps changing: nothing was approved; try again");
}

int kubectl_approve(struct kubectl *k, struct fault *fault)
{
    AUTO(json_freep) struct json *sync = NULL;

    if (!kubectl_sync(k, &sync, fault)) {
        return -1;
    }
    if (waiting_hash(sync) == NULL ||
        json_path_string(sync, "status.plan.approvedHash") != NULL) {
        (void)fault_set(fault, FAULT_REFUSED, NULL, "TableSync %s/%s: %s",
                        kube_namespace(sync), kube_name(sync),
                        waiting_hash(sync) == NULL
                            ? "no plan waits for an approval"
                            : "the plan is approved already, and being carried out");
        return -1;
    }
    if (!check_hash(k, sync, fault)) {
        return -1;
    }
    if (k->options->values[OPTION_HASH] == NULL) {
        (void)print_plan(k, sync);
        if (!kubectl_agree(k, "Approve these statements?", fault)) {
            return -1;
        }
    }
    if (!approve(k, sync, fault)) {
        return -1;
    }
    (void)printf("tablesync.tablesync.dev/%s approved: plan %s\n", kube_name(sync),
                 waiting_hash(sync));
    return EXIT_OK;
}
