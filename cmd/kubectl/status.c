/* `kubectl tablesync status`: what is needed for the picture, and the picture. */
#include "cmd/kubectl/ask.h"
#include "cmd/kubectl/draw.h"
#include "loop/loop.h"

#include "base/file.h"
#include "base/yaml.h"

#include <stdio.h>

#define RUNS_SHOWN 3

/* The picture is complete without what cannot be read. */
static void add_connections(struct kubectl *k, const struct json *sync, struct json *out)
{
    static const char *const PLACES[] = {"spec.source.connectionRef.name",
                                         "spec.risingWave.connectionRef.name",
                                         "spec.target.connectionRef.name"};

    for (size_t i = 0; i < COUNT_OF(PLACES); i++) {
        const char *name = json_path_string(sync, PLACES[i]);
        struct json *found = NULL;
        enum kube_outcome outcome = KUBE_OK;
        struct fault ignored = FAULT_INIT;

        if (name != NULL &&
            kube_get(&k->api, &loop_resource_conn, k->namespace, name, &k->stop, &outcome,
                     &found, &ignored) &&
            outcome == KUBE_OK) {
            kubectl_trim(found);
            json_push(out, found);
        }
    }
}

static void add_runs(struct kubectl *k, const struct json *sync, struct json *picture)
{
    AUTO(asked_close) struct asked asked = {0};
    const struct audit_filter filter = {
        .namespace = kube_namespace(sync), .name = kube_name(sync), .limit = RUNS_SHOWN};
    struct json *runs = NULL;
    struct fault why = FAULT_INIT;

    if (asked_history(k, &asked, &filter, false, &runs, &why)) {
        json_set(picture, "runs", runs);
    } else {
        json_set_string(
            picture, "runsProblem",
            arena_printf(k->arena, "the audit log was not read: %s", why.text));
    }
}

static int print_text(struct buf *text)
{
    (void)fputs(buf_z(text), stdout);
    return buf_overflowed(text) ? EXIT_FAILED : EXIT_OK;
}

static int one(struct kubectl *k, struct fault *fault)
{
    AUTO(json_freep) struct json *picture = json_new_object();
    AUTO(buf_deinit) struct buf text = {0};
    struct json *sync = NULL;
    int code = EXIT_OK;

    if (!kubectl_sync(k, &sync, fault)) {
        return -1;
    }
    kubectl_trim(sync);
    json_set(picture, "tableSync", sync);
    add_connections(k, sync, json_set_array(picture, "connections"));
    add_runs(k, sync, picture);
    if (k->output != OUTPUT_TABLE) {
        code = kubectl_print(k, picture);
    } else {
        buf_init(&text, KUBECTL_TEXT_MAX);
        draw_status(picture, k->color, &text);
        code = print_text(&text);
    }
    return code == EXIT_OK && !draw_is_ready(sync) ? EXIT_FAILED : code;
}

static int many(struct kubectl *k, struct fault *fault)
{
    AUTO(json_freep) struct json *list = NULL;
    AUTO(json_freep) struct json *syncs = json_new_array();
    AUTO(buf_deinit) struct buf text = {0};
    enum kube_outcome outcome = KUBE_OK;

    if (!kube_list(&k->api, &loop_resource_sync, k->namespace, NULL, &k->stop, &outcome,
                   &list, fault)) {
        return -1;
    }
    for (const struct json *s = json_first(json_get(list, "items")); s != NULL;
         s = json_next(s)) {
        struct json *copy = json_clone(s);

        kubectl_trim(copy);
        json_push(syncs, copy);
    }
    if (k->output != OUTPUT_TABLE) {
        return kubectl_print(k, syncs);
    }
    if (json_size(syncs) == 0) {
        (void)fprintf(stderr, "No TableSyncs found%s%s.\n",
                      k->namespace == NULL ? "" : " in namespace ",
                      k->namespace == NULL ? "" : k->namespace);
        return EXIT_OK;
    }
    buf_init(&text, KUBECTL_TEXT_MAX);
    draw_list(syncs, k->namespace == NULL, k->color, &text);
    return print_text(&text);
}

int kubectl_status(struct kubectl *k, struct fault *fault)
{
    return k->options->words_n > 0 ? one(k, fault) : many(k, fault);
}

/* One picture that was recorded: drawn, or as another format. */
static int redraw(const struct options *options, const struct json *picture,
                  struct fault *fault)
{
    AUTO(buf_deinit) struct buf text = {0};
    struct kubectl k = {.options = options, .color = kubectl_color(options)};

    if (!kubectl_output(options, &k.output, fault)) {
        return -1;
    }
    if (json_get(picture, "tableSync") == NULL) {
        (void)fault_set(fault, FAULT_SPEC, NULL,
                        "%s is not what `kubectl tablesync status NAME -o json` prints: "
                        "it has no tableSync",
                        options->values[OPTION_FILE]);
        return -1;
    }
    if (k.output != OUTPUT_TABLE) {
        return kubectl_print(&k, picture);
    }
    buf_init(&text, KUBECTL_TEXT_MAX);
    draw_status(picture, k.color, &text);
    return print_text(&text);
}

int kubectl_status_file(const struct options *options)
{
    AUTO(buf_deinit) struct buf text = {0};
    AUTO(json_freep) struct json *documents = NULL;
    struct fault fault = FAULT_INIT;
    int code = EXIT_OK;

    buf_init(&text, YAML_INPUT_MAX);
    if (!file_read(options->values[OPTION_FILE], &text, &fault) ||
        !yaml_parse_all(buf_sv(&text), &documents, &fault)) {
        return kubectl_failed(&fault);
    }
    for (const struct json *p = json_first(documents); p != NULL; p = json_next(p)) {
        int one_code = redraw(options, p, &fault);

        if (one_code < 0) {
            return kubectl_failed(&fault);
        }
        if (one_code != EXIT_OK || !draw_is_ready(json_get(p, "tableSync"))) {
            code = EXIT_FAILED;
        }
    }
    return code;
}
