/*
 * tablesync: one binary, one table of commands.
 */
#include "cmd/cmd.h"

#include <stdio.h>
#include <string.h>

#define HELP_BYTES_MAX ((size_t)64 * 1024)
#define KUBECTL "kubectl"
#define KUBECTL_HELP                                                                     \
    "the same as `kubectl tablesync`, which is this program as kubectl-tablesync"
#define OUTPUT_BYTES_MAX ((size_t)64 * 1024 * 1024)

/* clang-format off */
static const struct command {
    const char *name;
    char letter;
    command_run *run;
    const char *help;
} COMMANDS[] = {
    {"controller", 'c', command_controller, "run the controller"},
    {"plan",       'p', command_plan,       "print the SQL a TableSync would run or still has to run, touching nothing"},
    {"check",      'k', command_check,      "say all that servers and accounts lack for the TableSyncs of a file"},
    {"discover",   'd', command_discover,   "list the tables of a MySQL connection, and print TableSyncs for them"},
    {"ready",      'y', command_ready,      "say whether a controller leads and can read what it needs"},
    {"runs",       'r', command_runs,       "list task runs from the audit log"},
    {"logs",       'l', command_logs,       "show the statements and messages of task runs"},
    {"types",      't', command_types,      "print the type table: MySQL to RisingWave to StarRocks"},
    {"version",    'v', command_version,    "print the version"},
};
/* clang-format on */

int command_failed(const struct fault *fault)
{
    (void)fprintf(stderr, "tablesync: %s\n", fault->text);
    return fault->class == FAULT_SPEC ? EXIT_USAGE : EXIT_FAILED;
}

int command_print_json(const struct json *root)
{
    AUTO(buf_deinit) struct buf text = {0};

    buf_init(&text, OUTPUT_BYTES_MAX);
    json_print_pretty(root, &text);
    (void)printf("%s\n", buf_z(&text));
    return buf_overflowed(&text) ? EXIT_FAILED : EXIT_OK;
}

static int usage(FILE *out)
{
    (void)fprintf(out, "Keeps MySQL tables flowing into StarRocks through RisingWave.\n\n"
                       "usage: tablesync COMMAND [flags]\n\n");
    for (size_t i = 0; i < COUNT_OF(COMMANDS); i++) {
        (void)fprintf(out, "  %-12s %s\n", COMMANDS[i].name, COMMANDS[i].help);
    }
    (void)fprintf(out, "  %-12s %s\n", KUBECTL, KUBECTL_HELP);
    (void)fprintf(out, "\n`tablesync COMMAND --help` lists a command's flags.\n");
    return out == stdout ? EXIT_OK : EXIT_USAGE;
}

static int command_help(const struct command *command)
{
    AUTO(buf_deinit) struct buf text = {0};

    buf_init(&text, HELP_BYTES_MAX);
    options_print_help(command->letter, &text);
    (void)printf("tablesync %s: %s\n\n%s", command->name, command->help, buf_z(&text));
    return EXIT_OK;
}

static int run(const struct command *command, int argc, char *const *argv)
{
    struct options options;
    struct fault fault = FAULT_INIT;

    if (!options_parse(command->letter, 0, argc, argv, &options, &fault)) {
        return command_failed(&fault);
    }
    if (options.values[OPTION_HELP] != NULL) {
        return command_help(command);
    }
    return command->run(&options);
}

/* As which program it was called: under a plugin's name it is one. */
static const char *program_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

int main(int argc, char **argv)
{
    const char *name = argc > 0 ? program_name(argv[0]) : "";

    if (strcmp(name, "kubectl-tablesync") == 0) {
        return command_kubectl(argc - 1, argv + 1);
    }
    if (strcmp(name, "kubectl_complete-tablesync") == 0) {
        return command_kubectl_complete(argc - 1, argv + 1);
    }
    if (argc < 2) {
        return usage(stderr);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        return usage(stdout);
    }
    if (strcmp(argv[1], KUBECTL) == 0) {
        return command_kubectl(argc - 2, argv + 2);
    }
    for (size_t i = 0; i < COUNT_OF(COMMANDS); i++) {
        if (strcmp(argv[1], COMMANDS[i].name) == 0) {
            return run(&COMMANDS[i], argc - 2, argv + 2);
        }
    }
    (void)fprintf(stderr, "tablesync: there is no command '%s'\n\n", argv[1]);
    return usage(stderr);
}
