/*
 * Completion. kubectl's own completion runs kubectl_complete-tablesync with the words so
 * far, the last of which is to be completed, and reads one candidate a line, its meaning
 * behind a tab, and at the end ":4" (no file names) or ":0" (file names): the protocol of
 * spf13/cobra. The scripts below ask in the same way for kubectl-tablesync itself.
 */
#include "cmd/kubectl/kubectl.h"
#include "loop/loop.h"

#include <stdio.h>
#include <string.h>

#define COMPLETE_MS 3000
#define NO_FILES 4
#define FILES 0

static const struct kube_resource NAMESPACES = {"", "v1", "namespaces", "Namespace"};

/* clang-format off */
static const struct {
    const char *shell, *script;
} SCRIPTS[] = {
    {"bash",
     "# kubectl-tablesync in bash: source <(kubectl tablesync completion bash)\n"
     "# For `kubectl tablesync` kubectl's own completion needs nothing but\n"
     "# kubectl_complete-tablesync, a link to this program, in PATH.\n"
     "_kubectl_tablesync() {\n"
     "    local word lines\n"
     "    COMPREPLY=()\n"
     "    lines=$(kubectl-tablesync __complete \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null) || return\n"
     "    [ \"${lines##*:}\" = 4 ] || compopt -o default\n"
     "    while IFS=$'\\t' read -r word _; do\n"
     "        case $word in :*) ;; \"${COMP_WORDS[COMP_CWORD]}\"*) COMPREPLY+=(\"$word\") ;; esac\n"
     "    done <<< \"$lines\"\n"
     "}\n"
     "complete -F _kubectl_tablesync kubectl-tablesync\n"},
    {"zsh",
     "#compdef kubectl-tablesync\n"
     "# kubectl-tablesync in zsh: source <(kubectl tablesync completion zsh)\n"
     "_kubectl_tablesync() {\n"
     "    local -a found\n"
     "    local line\n"
     "    for line in \"${(@f)$(kubectl-tablesync __complete \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\"; do\n"
     "        case $line in :0) _files ;; :*) ;; *) found+=(\"${line//$'\\t'/:}\") ;; esac\n"
     "    done\n"
     "    _describe kubectl-tablesync found\n"
     "}\n"
     "compdef _kubectl_tablesync kubectl-tablesync\n"},
    {"fish",
     "# kubectl-tablesync in fish: kubectl tablesync completion fish | source\n"
     "function __kubectl_tablesync\n"
     "    set -l words (commandline -opc) (commandline -ct)\n"
     "    kubectl-tablesync __complete $words[2..-1] 2>/dev/null | string match -v -r '^:'\n"
     "end\n"
     "complete -c kubectl-tablesync -f -a '(__kubectl_tablesync)'\n"},
};
/* clang-format on */

int kubectl_completion(const struct options *options)
{
    const char *shell = options->words_n == 1 ? options->words[0] : "";
    struct fault fault = FAULT_INIT;

    for (size_t i = 0; i < COUNT_OF(SCRIPTS); i++) {
        if (strcmp(shell, SCRIPTS[i].shell) == 0) {
            (void)fputs(SCRIPTS[i].script, stdout);
            return EXIT_OK;
        }
    }
    (void)fault_set(&fault, FAULT_SPEC, NULL, "name a shell: bash, zsh or fish");
    return kubectl_failed(&fault);
}

/* --- candidates --- */

static void offer(const char *text, const char *meaning, const char *begun)
{
    if (sv_starts(sv_from(text), sv_from(begun))) {
        (void)printf("%s%s%s\n", text, meaning == NULL ? "" : "\t",
                     meaning == NULL ? "" : meaning);
    }
}

static int end(int directive)
{
    (void)printf(":%d\n", directive);
    return EXIT_OK;
}

static int offer_subcommands(const char *begun)
{
    const char *kind = NULL, *help = NULL, *name = NULL;
    char letter = 0;

    for (size_t i = 0; (name = kubectl_subcommand(i, &letter, &kind, &help)) != NULL;
         i++) {
        offer(name, help, begun);
    }
    offer("help", "what there is", begun);
    return end(NO_FILES);
}

static int offer_flags(char letter, const char *begun)
{
    bool takes_value = false;
    const char *flag = NULL;

    for (size_t i = 0; (flag = options_flag(letter, i, &takes_value)) != NULL; i++) {
        char text[64];

        (void)snprintf(text, sizeof(text), "--%s", flag);
        offer(text, NULL, begun);
    }
    return end(NO_FILES);
}

/* Names in the cluster, as far as the caller may list them; else nothing is offered. */
struct listing {
    const struct kube_resource *resource;
    const char *begun;
};
static struct listing listing; /* with_libraries() hands nothing through */

static int offer_names(const struct options *options, struct fault *fault)
{
    AUTO(kubectl_close) struct kubectl k = {0};
    AUTO(json_freep) struct json *list = NULL;
    enum kube_outcome outcome = KUBE_OK;

    if (kubectl_open(options, &k, fault)) {
        k.api.call_timeout_ms = COMPLETE_MS;
        if (kube_list(&k.api, listing.resource,
                      listing.resource == &NAMESPACES ? NULL : k.namespace, NULL, &k.stop,
                      &outcome, &list, fault)) {
            for (const struct json *o = json_first(json_get(list, "items")); o != NULL;
                 o = json_next(o)) {
                offer(kube_name(o), NULL, listing.begun);
            }
        }
    }
    return end(NO_FILES);
}

/* The flag before the word, when it wants the word as its value; NULL: it does not. */
static const char *flag_waiting(char letter, const char *word)
{
    static const char *const SHORTS[][2] = {
        {"-n", "namespace"}, {"-o", "output"}, {"-f", "file"}};
    bool takes_value = false;
    const char *flag = NULL;

    for (size_t i = 0; i < COUNT_OF(SHORTS); i++) {
        if (strcmp(word, SHORTS[i][0]) == 0) {
            return SHORTS[i][1];
        }
    }
    for (size_t i = 0; (flag = options_flag(letter, i, &takes_value)) != NULL; i++) {
        if (takes_value && strncmp(word, "--", 2) == 0 && strcmp(word + 2, flag) == 0) {
            return flag;
        }
    }
    return NULL;
}

static int offer_values(const struct options *options, const char *flag,
                        const char *begun)
{
    static const struct {
        const char *flag, *values[4];
    } KNOWN[] = {{"output", {"table", "json", "yaml"}},
                 {"mode", {"InPlace", "Truncate", "Recreate"}}};

    for (size_t i = 0; i < COUNT_OF(KNOWN); i++) {
        for (size_t v = 0; strcmp(flag, KNOWN[i].flag) == 0 && KNOWN[i].values[v] != NULL;
             v++) {
            offer(KNOWN[i].values[v], NULL, begun);
        }
        if (strcmp(flag, KNOWN[i].flag) == 0) {
            return end(NO_FILES);
        }
    }
    if (strcmp(flag, "namespace") == 0 || strcmp(flag, "controller-namespace") == 0) {
        listing = (struct listing){&NAMESPACES, begun};
        return with_libraries(options, offer_names);
    }
    return end(FILES);
}

static int offer_words(const struct options *options, const char *name, const char *kind,
                       const char *begun)
{
    if (options->words_n > 0) {
        return end(NO_FILES);
    }
    if (strcmp(name, "completion") == 0) {
        for (size_t i = 0; i < COUNT_OF(SCRIPTS); i++) {
            offer(SCRIPTS[i].shell, NULL, begun);
        }
    }
    if (kind == NULL) {
        return end(NO_FILES);
    }
    listing = (struct listing){strcmp(kind, "tablesyncs") == 0 ? &loop_resource_sync
                                                               : &loop_resource_conn,
                               begun};
    return with_libraries(options, offer_names);
}

int command_kubectl_complete(int argc, char *const *argv)
{
    const char *begun = argc > 0 ? argv[argc - 1] : "";
    const char *kind = NULL, *help = NULL, *name = NULL, *flag = NULL;
    struct options options = {0};
    struct fault ignored = FAULT_INIT;
    char letter = 0;
    int given = 0;

    if (argc < 2) {
        return offer_subcommands(begun);
    }
    for (size_t i = 0; (name = kubectl_subcommand(i, &letter, &kind, &help)) != NULL;
         i++) {
        if (strcmp(name, argv[0]) == 0) {
            break;
        }
    }
    if (name == NULL) {
        return end(NO_FILES);
    }
    flag = argc > 2 ? flag_waiting(letter, argv[argc - 2]) : NULL;
    given = argc - 2 - (flag != NULL); /* whole words behind the subcommand */
    if (!options_parse(letter, 1, given, argv + 1, &options, &ignored)) {
        return end(NO_FILES);
    }
    if (flag != NULL) {
        return offer_values(&options, flag, begun);
    }
    return begun[0] == '-' ? offer_flags(letter, begun)
                           : offer_words(&options, name, kind, begun);
}
