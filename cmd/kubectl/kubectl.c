/* `kubectl tablesync`: its subcommands, help and exit codes. */
#include "cmd/kubectl/kubectl.h"

#include <stdio.h>
#include <string.h>

#define HELP_BYTES_MAX ((size_t)64 * 1024)

/* clang-format off */
static const struct subcommand {
    const char *name;
    char letter;
    size_t words_max;
    const char *words;   /* for help */
    const char *kind;    /* what the word names; NULL: nothing that could be completed */
    kubectl_run *run;    /* with the API server */
    command_run *plain;  /* without; with both: when -f is given */
    const char *help, *examples;
} SUBCOMMANDS[] = {
    {"status",   'S', 1, "[NAME]", "tablesyncs", kubectl_status, kubectl_status_file,
     "draw a TableSync from MySQL to StarRocks, and what it needs; without a name list them",
     "  kubectl tablesync status orders -n shop\n"
     "  kubectl tablesync status -A\n"
     "  kubectl tablesync status orders -n shop -o json\n"},
    {"runs",     'R', 1, "[NAME]", "tablesyncs", kubectl_runs, NULL,
     "list task runs from the audit log of the running controller",
     "  kubectl tablesync runs orders -n shop --limit 10\n"
     "  kubectl tablesync runs -A -o json\n"},
    {"logs",     'L', 1, "[NAME]", "tablesyncs", kubectl_logs, NULL,
     "show the statements and messages of task runs",
     "  kubectl tablesync logs orders -n shop --limit 1\n"
     "  kubectl tablesync logs -n shop --run 5312\n"},
    {"plan",     'P', 1, "[NAME]", "tablesyncs", kubectl_plan, kubectl_plan_file,
     "show the statements that wait for an approval; with -f or --live compute what would run",
     "  kubectl tablesync plan orders -n shop\n"
     "  kubectl tablesync plan -n shop -f orders.yaml\n"},
    {"approve",  'A', 1, "NAME", "tablesyncs", kubectl_approve, NULL,
     "approve the plan that waits: exactly the statements it shows",
     "  kubectl tablesync approve orders -n shop\n"
     "  kubectl tablesync approve orders -n shop --hash sha256:4a1c93e2\n"},
    {"resync",   'Y', 1, "NAME", "tablesyncs", kubectl_resync, NULL,
     "load all rows of a TableSync once more",
     "  kubectl tablesync resync orders -n shop\n"
     "  kubectl tablesync resync orders -n shop --mode Truncate --yes\n"},
    {"verify",   'V', 1, "NAME", "tablesyncs", kubectl_verify, NULL,
     "count the rows of both tables now, and wait for what comes of it",
     "  kubectl tablesync verify orders -n shop\n"
     "  kubectl tablesync verify orders -n shop --timeout 20m -o json\n"},
    {"pause",    'Z', 1, "NAME", "tablesyncs", kubectl_pause, NULL,
     "hold the rows back in RisingWave, or only the controller",
     "  kubectl tablesync pause orders -n shop\n"
     "  kubectl tablesync pause orders -n shop --controller-only\n"},
    {"resume",   'U', 1, "NAME", "tablesyncs", kubectl_resume, NULL,
     "undo either kind of pause",
     "  kubectl tablesync resume orders -n shop\n"},
    {"tables",   'T', 1, "CONNECTION", "databaseconnections", NULL, kubectl_tables,
     "list the tables of a MySQL connection, and which can be synced",
     "  kubectl tablesync tables shop-mysql -n shop\n"},
    {"discover", 'D', 0, "", NULL, NULL, kubectl_discover,
     "write TableSyncs for the tables of a MySQL connection, ready to apply",
     "  kubectl tablesync discover -n shop --database shop > syncs.yaml\n"},
    {"report",   'B', 0, "", NULL, kubectl_report, NULL,
     "write a support bundle: resources, Events, runs, logs, state and metrics, no Secrets",
     "  kubectl tablesync report -n shop\n"
     "  kubectl tablesync report -A --to report.yaml\n"},
    {"completion", 'C', 1, "bash|zsh|fish", NULL, NULL, kubectl_completion,
     "print a script that completes kubectl-tablesync in a shell",
     "  source <(kubectl tablesync completion bash)\n"},
};
/* clang-format on */

static const char EXIT_CODES[] =
    "Exit codes: 0 done, for `status NAME` Ready, for `verify` as many rows; 1 it "
    "failed, is not\nReady or not known to have as many; 2 wrong command line; 4 no such "
    "resource; 5 the API\nserver does not let you; 6 the API server, the controller or "
    "kubectl cannot be reached; 7 it\nwas changed meanwhile, nothing was written.\n";

const char *kubectl_subcommand(size_t index, char *out_letter, const char **out_kind,
                               const char **out_help)
{
    if (index >= COUNT_OF(SUBCOMMANDS)) {
        return NULL;
    }
    *out_letter = SUBCOMMANDS[index].letter;
    *out_kind = SUBCOMMANDS[index].kind;
    *out_help = SUBCOMMANDS[index].help;
    return SUBCOMMANDS[index].name;
}

static int exit_code(const struct fault *fault)
{
    switch (fault->class) {
    case FAULT_SPEC:
        return EXIT_USAGE;
    case FAULT_CONFLICT:
        return EXIT_CHANGED;
    case FAULT_DENIED:
        return EXIT_DENIED;
    case FAULT_UNAVAILABLE:
        return EXIT_UNREACHABLE;
    case FAULT_REFUSED:
        return strcmp(fault->reason, "NotFound") == 0 ? EXIT_NOT_FOUND : EXIT_FAILED;
    case FAULT_NONE:
    case FAULT_CANCELLED:
    case FAULT_BUG:
    case FAULT_MAX:
        break;
    }
    return EXIT_FAILED;
}

int kubectl_failed(const struct fault *fault)
{
    (void)command_failed(fault);
    return exit_code(fault);
}

static int usage(FILE *out)
{
    (void)fprintf(out,
                  "MySQL tables that flow into StarRocks through RisingWave: what "
                  "they do, and why.\n\nusage: kubectl tablesync COMMAND [flags]\n\n");
    for (size_t i = 0; i < COUNT_OF(SUBCOMMANDS); i++) {
        (void)fprintf(out, "  %-11s %s\n", SUBCOMMANDS[i].name, SUBCOMMANDS[i].help);
    }
    (void)fprintf(out,
                  "  %-11s %s\n\n`kubectl tablesync COMMAND --help` has examples and "
                  "flags.\n\n%s",
                  "help", "this text", EXIT_CODES);
    return out == stdout ? EXIT_OK : EXIT_USAGE;
}

static int help(const struct subcommand *s)
{
    AUTO(buf_deinit) struct buf text = {0};

    buf_init(&text, HELP_BYTES_MAX);
    options_print_help(s->letter, &text);
    (void)printf("kubectl tablesync %s%s%s: %s\n\n%s\n%s\n%s", s->name,
                 s->words[0] == '\0' ? "" : " ", s->words, s->help, s->examples,
                 buf_z(&text), EXIT_CODES);
    return EXIT_OK;
}

static const struct subcommand *find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(SUBCOMMANDS); i++) {
        if (strcmp(SUBCOMMANDS[i].name, name) == 0) {
            return &SUBCOMMANDS[i];
        }
    }
    return NULL;
}

static const struct subcommand *find_letter(char letter)
{
    for (size_t i = 0; i < COUNT_OF(SUBCOMMANDS); i++) {
        if (SUBCOMMANDS[i].letter == letter) {
            return &SUBCOMMANDS[i];
        }
    }
    return NULL;
}

static int run_opened(const struct options *options, struct fault *fault)
{
    AUTO(kubectl_close) struct kubectl k = {0};
    const struct subcommand *s = find_letter(options->command);
    int code = -1;

    must(s != NULL);
    if (kubectl_open(options, &k, fault)) {
        code = s->run(&k, fault);
    }
    return code < 0 ? kubectl_failed(fault) : code;
}

static int run(const struct subcommand *s, int argc, char *const *argv)
{
    struct options options;
    struct fault fault = FAULT_INIT;

    if (!options_parse(s->letter, s->words_max, argc, argv, &options, &fault)) {
        return kubectl_failed(&fault);
    }
    if (options.values[OPTION_HELP] != NULL) {
        return help(s);
    }
    if (s->run == NULL || (s->plain != NULL && options.values[OPTION_FILE] != NULL)) {
        return s->plain(&options);
    }
    return with_libraries(&options, run_opened);
}

int command_kubectl(int argc, char *const *argv)
{
    const struct subcommand *s = NULL;

    if (argc < 1) {
        return usage(stderr);
    }
    if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 ||
        (strcmp(argv[0], "help") == 0 && argc < 2)) {
        return usage(stdout);
    }
    if (strcmp(argv[0], "help") == 0 && (s = find(argv[1])) != NULL) {
        return help(s);
    }
    if (strcmp(argv[0], "__complete") == 0) {
        return command_kubectl_complete(argc - 1, argv + 1);
    }
    s = find(argv[0]);
    if (s == NULL) {
        (void)fprintf(stderr, "tablesync: there is no command 'kubectl tablesync %s'\n\n",
                      argv[0]);
        return usage(stderr);
    }
    return run(s, argc - 1, argv + 1);
}
