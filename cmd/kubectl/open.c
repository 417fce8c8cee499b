/* What every subcommand that speaks to the API server shares. */
#include "cmd/kubectl/kubectl.h"
#include "cmd/kubectl/transport.h"
#include "cmd/yaml_print.h"
#include "loop/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CALL_MS 20000
#define ANSWER_BYTES 16

bool kubectl_output(const struct options *options, enum kubectl_output *out,
                    struct fault *fault)
{
    static const struct {
        const char *name;
        enum kubectl_output output;
    } FORMATS[] = {{"table", OUTPUT_TABLE}, {"json", OUTPUT_JSON}, {"yaml", OUTPUT_YAML}};
    const char *wanted = options->values[OPTION_OUTPUT];

    for (size_t i = 0; i < COUNT_OF(FORMATS); i++) {
        if (wanted == NULL || strcmp(wanted, FORMATS[i].name) == 0) {
            *out = FORMATS[i].output;
            return true;
        }
    }
    return fault_set(fault, FAULT_SPEC, NULL,
                     "--output is '%s'; it must be table, json or yaml", wanted);
}

bool kubectl_color(const struct options *options)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    return options->values[OPTION_NO_COLOR] == NULL &&
           (no_color == NULL || no_color[0] == '\0') &&
           (term == NULL || strcmp(term, "dumb") != 0) && isatty(STDOUT_FILENO) == 1;
}

const char *kubectl_namespace(const struct options *options, struct arena *arena)
{
    const char *given = options->values[OPTION_NAMESPACE];
    struct kube_config config = {0};
    struct fault ignored = FAULT_INIT;
    const char *found = NULL;

    if (given != NULL) {
        return given;
    }
    if (!cluster_config(options, arena, &config, &ignored)) {
        return "default";
    }
    found = arena_strdup(arena, config.namespace);
    kube_config_deinit(&config);
    return found == NULL ? "default" : found;
}

/* A login that only kubectl knows how to make (exec plugins, impersonation) is left to
 * it: then each call is one of kubectl's. */
static bool open_transport(struct kubectl *k, struct fault *fault)
{
    struct fault why = FAULT_INIT;

    if (cluster_open(k->options, &k->cluster, &why)) {
        k->transport = k->cluster.transport;
        k->namespace = k->options->values[OPTION_NAMESPACE] != NULL
                           ? k->options->values[OPTION_NAMESPACE]
                           : k->cluster.config.namespace;
        return true;
    }
    if (strcmp(why.reason, CONFIG_LOGIN_NOT_SUPPORTED) != 0) {
        *fault = why;
        return false;
    }
    k->transport = kubectl_transport_new(k->options);
    return kubectl_transport_namespace(k->options, k->arena, &k->stop, &k->namespace,
                                       fault);
}

bool kubectl_open(const struct options *options, struct kubectl *out_k,
                  struct fault *fault)
{
    *out_k = (struct kubectl){.options = options, .color = kubectl_color(options)};
    if (!kubectl_output(options, &out_k->output, fault) ||
        !cancel_init_root(&out_k->stop, clock_system(), fault)) {
        return false;
    }
    out_k->arena = arena_new(ARENA_CEILING_BYTES);
    if (!open_transport(out_k, fault)) {
        return false;
    }
    if (options->values[OPTION_ALL_NAMESPACES] != NULL) {
        out_k->namespace = NULL;
    }
    out_k->api = (struct kube_api){.transport = out_k->transport,
                                   .clock = clock_system(),
                                   .call_timeout_ms = CALL_MS};
    return true;
}

void kubectl_close(struct kubectl *k)
{
    if (k->arena == NULL) {
        return;
    }
    if (k->transport != k->cluster.transport) {
        kube_transport_free(k->transport);
    }
    cluster_close(&k->cluster);
    cancel_deinit(&k->stop);
    arena_free(k->arena);
    k->arena = NULL;
}

bool kubectl_name(const struct options *options, const char **out_name,
                  struct fault *fault)
{
    static const char *const KINDS[] = {
        "tsync/",
        "tablesync/",
        "tablesyncs/",
        "tablesync.tablesync.dev/",
        "dbconn/",
        "databaseconnection/",
        "databaseconnections/",
        "tablesyncs.tablesync.dev/",
    };
    const char *word = options->words_n == 1 ? options->words[0] : "";

    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        if (sv_starts(sv_from(word), sv_from(KINDS[i]))) {
            word += strlen(KINDS[i]);
            break;
        }
    }
    if (word[0] == '\0' || strchr(word, '/') != NULL) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         word[0] == '\0' ? "name the resource; see --help"
                                         : "'%s' is not the name of a resource; see "
                                           "--help",
                         word);
    }
    *out_name = word;
    return true;
}

bool kubectl_sync(struct kubectl *k, struct json **out_sync, struct fault *fault)
{
    enum kube_outcome outcome = KUBE_OK;
    const char *name = NULL;

    if (!kubectl_name(k->options, &name, fault)) {
        return false;
    }
    if (k->namespace == NULL) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "a name and --all-namespaces exclude each other: give "
                         "--namespace");
    }
    if (!kube_get(&k->api, &loop_resource_sync, k->namespace, name, &k->stop, &outcome,
                  out_sync, fault)) {
        return false;
    }
    if (outcome == KUBE_OK) {
        return true;
    }
    return fault_set(fault, FAULT_REFUSED, "NotFound",
                     "there is no TableSync %s in namespace %s; `kubectl get tablesyncs "
                     "-n %s` lists those that there are",
                     name, k->namespace, k->namespace);
}

void kubectl_trim(struct json *object)
{
    struct json *metadata = json_clone(json_get(object, "metadata"));
    struct json *annotations = json_clone(json_get(metadata, "annotations"));

    if (json_kind(metadata) != JSON_OBJECT) {
        json_free(annotations);
        json_free(metadata);
        return;
    }
    json_remove(metadata, "managedFields");
    if (json_kind(annotations) == JSON_OBJECT) {
        json_remove(annotations, "kubectl.kubernetes.io/last-applied-configuration");
        json_set(metadata, "annotations", annotations);
    } else {
        json_free(annotations);
    }
    json_set(object, "metadata", metadata);
}

int kubectl_print(const struct kubectl *k, const struct json *root)
{
    AUTO(buf_deinit) struct buf text = {0};

    if (k->output == OUTPUT_JSON) {
        return command_print_json(root);
    }
    buf_init(&text, KUBECTL_TEXT_MAX);
    yaml_print(root, &text);
    (void)fputs(buf_z(&text), stdout);
    return buf_overflowed(&text) ? EXIT_FAILED : EXIT_OK;
}

bool kubectl_agree(const struct kubectl *k, const char *question, struct fault *fault)
{
    char answer[ANSWER_BYTES] = "";

    if (k->options->values[OPTION_YES] != NULL) {
        return true;
    }
    if (isatty(STDIN_FILENO) != 1) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "%s Nobody can be asked here: add --yes to agree", question);
    }
    (void)fprintf(stderr, "%s [y/N] ", question);
    if (fgets(answer, sizeof(answer), stdin) != NULL &&
        (answer[0] == 'y' || answer[0] == 'Y')) {
        return true;
    }
    return fault_set(fault, FAULT_CANCELLED, NULL, "nothing was changed");
}
