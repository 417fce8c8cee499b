/* `kubectl tablesync verify`: asks for a count of both sides' rows and waits for what
 * comes of it. */
#include "cmd/kubectl/draw.h"
#include "cmd/kubectl/kubectl.h"
#include "loop/loop.h"
#include "model/spec.h"

#include <stdio.h>
#include <string.h>

#define LOOK_MS 500

/* What tells our question from others', who may ask at the same time. */
static struct json *make_request(struct kubectl *k, const struct json *sync,
                                 void *context)
{
    struct json *patch = json_new_object();

    (void)k;
    (void)sync;
    json_set_string(json_set_object(json_set_object(patch, "metadata"), "annotations"),
                    TSYNC_ANNOTATION_VERIFY, context);
    return patch;
}

/* It was answered; or somebody else's request replaced it and was, which is as good. */
static bool is_answered(const struct json *sync, const char *token, const char *before)
{
    const char *asked = kube_annotation(sync, TSYNC_ANNOTATION_VERIFY);
    bool waits = asked != NULL && strcmp(asked, token) == 0;

    if (strcmp(draw_text(sync, "status.verification.handledRequest"), token) == 0) {
        return true;
    }
    return !waits && strcmp(draw_text(sync, "status.verification.request"), token) != 0 &&
           strcmp(draw_text(sync, "status.verification.at"), before) != 0;
}

static bool late(struct kubectl *k, const struct json *sync, struct fault *fault)
{
    const char *request = draw_text(sync, "status.verification.request");
    const char *phase = draw_text(sync, "status.phase");

    if (request[0] != '\0') {
        return fault_set(fault, FAULT_REFUSED, NULL,
                         "the rows are still being counted: rows on their way are waited "
                         "for up to four times spec.verify.settleSeconds; see `kubectl "
                         "tablesync status %s`, or give a longer --timeout",
                         kube_name(sync));
    }
    return fault_set(fault, FAULT_REFUSED, NULL,
                     "not within %s: rows are counted while changes flow and nothing is "
                     "being changed, "
                     "and TableSync %s/%s is %s (%s). The request stays until then",
                     k->options->values[OPTION_VERIFY_TIMEOUT], kube_namespace(sync),
                     kube_name(sync),
                     phase[0] == '\0' ? "not looked after by any controller" : phase,
                     draw_text(draw_condition(sync, "Ready"), "message"));
}

static bool wait_answer(struct kubectl *k, const char *token, const char *before,
                        struct json **out_sync, struct fault *fault)
{
    int64_t timeout_ms = 0;
    struct cancel within;

    if (!options_duration(k->options, OPTION_VERIFY_TIMEOUT, 1, &timeout_ms, fault)) {
        return false;
    }
    cancel_init_child(&within, &k->stop, timeout_ms);
    for (;;) {
        struct json *sync = NULL;

        if (!kubectl_sync(k, &sync, fault)) {
            return false;
        }
        if (is_answered(sync, token, before)) {
            *out_sync = sync;
            return true;
        }
        if (!cancel_sleep(&within, LOOK_MS)) {
            (void)late(k, sync, fault);
            json_free(sync);
            return false;
        }
        json_free(sync);
    }
}

static void add_side(struct draw *d, const char *label, const struct json *sync,
                     const char *table, const char *rows)
{
    int64_t number = json_path_int(sync, rows, -1);

    draw_label(d, label);
    draw_add(d, DRAW_PLAIN, draw_text(sync, table));
    buf_addz(d->out, "  ");
    if (number < 0) {
        buf_addz(d->out, "not counted\n");
        return;
    }
    draw_number(d, number);
    buf_addf(d->out, " row%s\n", number == 1 ? "" : "s");
}

static bool is_good(const struct json *sync)
{
    const char *result = draw_text(sync, "status.verification.result");

    return strcmp(result, "Match") == 0 || strcmp(result, "WithinTolerance") == 0;
}

static int show(struct kubectl *k, const struct json *sync)
{
    AUTO(buf_deinit) struct buf text = {0};
    struct draw d = {&text, k->color};

    buf_init(&text, KUBECTL_TEXT_MAX);
    add_side(&d, "Source", sync, "status.source.display",
             "status.verification.sourceRows");
    add_side(&d, "Target", sync, "status.target.display",
             "status.verification.targetRows");
    draw_label(&d, "Result");
    draw_add(&d, is_good(sync) ? DRAW_GOOD : DRAW_BAD,
             draw_text(sync, "status.verification.result"));
    buf_addz(&text, ": ");
    draw_add(&d, DRAW_PLAIN, draw_text(sync, "status.verification.message"));
    buf_addc(&text, '\n');
    (void)fputs(buf_z(&text), stdout);
    return EXIT_OK;
}

int kubectl_verify(struct kubectl *k, struct fault *fault)
{
    AUTO(json_freep) struct json *first = NULL;
    AUTO(json_freep) struct json *sync = NULL;
    char now[CLOCK_RFC3339_SIZE];
    const char *token = NULL;
    bool changed = false;
    int code = EXIT_OK;

    if (!kubectl_sync(k, &first, fault)) {
        return -1;
    }
    token = arena_printf(k->arena, "%s-%08llx",
                         clock_format_rfc3339(clock_wall_ms(clock_system()), now),
                         (unsigned long long)(rng_seed_from_system() & 0xffffffffU));
    if (!kubectl_rewrite(k, make_request, arena_strdup(k->arena, token), &changed,
                         fault) ||
        !wait_answer(k, token, draw_text(first, "status.verification.at"), &sync,
                     fault)) {
        return -1;
    }
    code = k->output == OUTPUT_TABLE
               ? show(k, sync)
               : kubectl_print(k, json_path(sync, "status.verification"));
    return code == EXIT_OK && !is_good(sync) ? EXIT_FAILED : code;
}
