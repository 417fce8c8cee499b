/* `kubectl tablesync resync`, `pause` and `resume`: a few fields, and nobody else's. */
#include "cmd/kubectl/draw.h"
#include "cmd/kubectl/kubectl.h"
#include "loop/loop.h"
#include "model/spec.h"

#include <stdio.h>
#include <string.h>

bool kubectl_change(struct kubectl *k, const struct json *sync, struct json *change,
                    enum kube_outcome *out_outcome, const char **out_message,
                    struct fault *fault)
{
    enum kube_outcome outcome = KUBE_OK;
    const char *message = NULL;

    if (!kube_change(&k->api, &loop_resource_sync, sync, change, KUBECTL_MANAGER,
                     k->arena, &k->stop, &outcome, &message, fault)) {
        return false;
    }
    if (outcome != KUBE_OK && outcome != KUBE_CONFLICT) {
        return outcome == KUBE_NOT_FOUND
                   ? fault_set(fault, FAULT_REFUSED, "NotFound",
                               "TableSync %s/%s was deleted meanwhile",
                               kube_namespace(sync), kube_name(sync))
                   : fault_set(fault, FAULT_REFUSED, NULL,
                               "the API server refused the change of TableSync %s/%s: %s",
                               kube_namespace(sync), kube_name(sync), message);
    }
    *out_outcome = outcome;
    *out_message = message;
    return true;
}

bool kubectl_rewrite(struct kubectl *k, kubectl_make_change *make, void *context,
                     bool *out_changed, struct fault *fault)
{
    for (int tries = 0; tries < KUBECTL_TRIES; tries++) {
        AUTO(json_freep) struct json *sync = NULL;
        AUTO(json_freep) struct json *patch = NULL;
        enum kube_outcome outcome = KUBE_OK;
        const char *message = NULL;

        if (!kubectl_sync(k, &sync, fault)) {
            return false;
        }
        patch = make(k, sync, context);
        *out_changed = patch != NULL;
        if (patch == NULL) {
            return true;
        }
        if (!kubectl_change(k, sync, patch, &outcome, &message, fault)) {
            return false;
        }
        if (outcome == KUBE_OK) {
            return true;
        }
    }
    return fault_set(fault, FAULT_CONFLICT, NULL,
                     "the resource keeps changing: nothing was written; try again");
}

static int report(struct kubectl *k, const char *done)
{
    const char *name = "";
    struct fault ignored = FAULT_INIT;

    (void)!kubectl_name(k->options, &name, &ignored);
    (void)printf("tablesync.tablesync.dev/%s %s\n", name, done);
    return EXIT_OK;
}

/* --- resync --- */

struct resync {
    const char *token, *mode; /* mode NULL: as it is */
};

static struct json *make_resync(struct kubectl *k, const struct json *sync, void *context)
{
    const struct resync *r = context;
    struct json *patch = json_new_object();
    struct json *spec = json_set_object(patch, "spec");

    (void)k;
    (void)sync;
    json_set_string(spec, "resyncToken", r->token);
    if (r->mode != NULL) {
        json_set_string(spec, "resyncMode", r->mode);
    }
    return patch;
}

static bool check_mode(const char *mode, struct fault *fault)
{
    static const char *const MODES[] = {"InPlace", "Truncate", "Recreate"};

    for (size_t i = 0; i < COUNT_OF(MODES); i++) {
        if (mode == NULL || strcmp(mode, MODES[i]) == 0) {
            return true;
        }
    }
    return fault_set(fault, FAULT_SPEC, NULL,
                     "--mode is '%s'; it must be InPlace, Truncate or Recreate", mode);
}

/* A token that was used already would do nothing, and Truncate and Recreate empty the
 * table for a while. */
static bool check_resync(struct kubectl *k, const struct resync *r, struct fault *fault)
{
    AUTO(json_freep) struct json *sync = NULL;
    const char *mode = NULL;

    if (!check_mode(r->mode, fault) || !kubectl_sync(k, &sync, fault)) {
        return false;
    }
    if (strcmp(draw_text(sync, "spec.resyncToken"), r->token) == 0 ||
        strcmp(draw_text(sync, "status.resyncTokenHandled"), r->token) == 0) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "the token '%s' was used already: give another --token",
                         r->token);
    }
    mode = r->mode != NULL ? r->mode : draw_text(sync, "spec.resyncMode");
    if (strcmp(mode, "Truncate") != 0 && strcmp(mode, "Recreate") != 0) {
        return true;
    }
    return kubectl_agree(
        k,
        arena_printf(k->arena,
                     "StarRocks table %s is emptied (resyncMode %s) before MySQL's rows "
                     "are written into it again%s. Go on?",
                     draw_text(sync, "status.target.display"), mode,
                     strcmp(draw_text(sync, "spec.snapshot.mode"), "Never") == 0
                         ? "; with snapshot.mode Never only later changes fill it"
                         : ""),
        fault);
}

int kubectl_resync(struct kubectl *k, struct fault *fault)
{
    char now[CLOCK_RFC3339_SIZE];
    struct resync r = {.token = k->options->values[OPTION_TOKEN],
                       .mode = k->options->values[OPTION_MODE]};
    bool changed = false;

    if (r.token == NULL) {
        r.token = clock_format_rfc3339(clock_wall_ms(clock_system()), now);
    }
    if (!check_resync(k, &r, fault) ||
        !kubectl_rewrite(k, make_resync, &r, &changed, fault)) {
        return -1;
    }
    return report(
        k, arena_printf(k->arena, "will be loaded again: resyncToken %s", r.token));
}

/* --- pause and resume --- */

static bool is_paused(const struct json *sync)
{
    return strcmp(draw_text(sync, "spec.state"), "Paused") == 0;
}

static bool is_left_alone(const struct json *sync)
{
    const char *value = kube_annotation(sync, TSYNC_ANNOTATION_PAUSE);

    return value != NULL && strcmp(value, "true") == 0;
}

static struct json *make_pause(struct kubectl *k, const struct json *sync, void *context)
{
    bool controller = k->options->values[OPTION_CONTROLLER_ONLY] != NULL;
    struct json *patch = NULL;

    (void)context;
    if (controller ? is_left_alone(sync) : is_paused(sync)) {
        return NULL;
    }
    patch = json_new_object();
    if (controller) {
        json_set_string(
            json_set_object(json_set_object(patch, "metadata"), "annotations"),
            TSYNC_ANNOTATION_PAUSE, "true");
    } else {
        json_set_string(json_set_object(patch, "spec"), "state", "Paused");
    }
    return patch;
}

int kubectl_pause(struct kubectl *k, struct fault *fault)
{
    bool controller = k->options->values[OPTION_CONTROLLER_ONLY] != NULL;
    bool changed = false;

    if (!kubectl_rewrite(k, make_pause, NULL, &changed, fault)) {
        return -1;
    }
    if (!changed) {
        return report(k, "was paused already");
    }
    return report(k, controller ? "paused: the controller leaves it alone, rows flow on"
                                : "paused: changes wait in RisingWave");
}

static struct json *make_resume(struct kubectl *k, const struct json *sync, void *context)
{
    struct json *patch = NULL;

    (void)k;
    (void)context;
    if (!is_paused(sync) && !is_left_alone(sync)) {
        return NULL;
    }
    patch = json_new_object();
    if (is_paused(sync)) {
        json_set_string(json_set_object(patch, "spec"), "state", "Running");
    }
    if (is_left_alone(sync)) {
        json_set(json_set_object(json_set_object(patch, "metadata"), "annotations"),
                 TSYNC_ANNOTATION_PAUSE, json_new_null());
    }
    return patch;
}

int kubectl_resume(struct kubectl *k, struct fault *fault)
{
    bool changed = false;

    return kubectl_rewrite(k, make_resume, NULL, &changed, fault)
               ? report(k, changed ? "resumed" : "was not paused")
               : -1;
}
