/*
 * `kubectl tablesync report`: one YAML document for whoever is asked for help. Secrets
 * are never read, and every text is searched for what looks like a credential before it
 * is written. What could not be read is listed, and the rest is there.
 */
#include "cmd/kubectl/report.h"
#include "cmd/kubectl/ask.h"
#include "cmd/yaml_print.h"
#include "loop/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_MODE 0600

static void problem(struct json *report, const char *what, const struct fault *fault)
{
    AUTO(buf_deinit) struct buf text = {0};
    struct json *problems = json_clone(json_get(report, "problems"));

    buf_init(&text, KUBECTL_TEXT_MAX);
    buf_addf(&text, "%s: %s", what, fault->text);
    json_push_string(problems, buf_z(&text));
    json_set(report, "problems", problems);
}

/* Every object of a kind, trimmed; false: told as a problem. */
static bool add_list(struct kubectl *k, struct json *report, const char *key,
                     const struct kube_resource *resource)
{
    AUTO(json_freep) struct json *list = NULL;
    struct json *out = json_set_array(report, key);
    enum kube_outcome outcome = KUBE_OK;
    struct fault fault = FAULT_INIT;

    if (!kube_list(&k->api, resource, k->namespace, NULL, &k->stop, &outcome, &list,
                   &fault)) {
        problem(report, key, &fault);
        return false;
    }
    for (const struct json *o = json_first(json_get(list, "items")); o != NULL;
         o = json_next(o)) {
        struct json *copy = json_clone(o);

        kubectl_trim(copy);
        json_push(out, copy);
    }
    return true;
}

static void add_history(struct kubectl *k, struct asked *asked, struct json *report)
{
    struct audit_filter filter = {.namespace = k->namespace};
    struct fault fault = FAULT_INIT;
    struct json *found = NULL;

    if (!options_int(k->options, OPTION_LIMIT, 1, 100000, &filter.limit, &fault) ||
        !asked_history(k, asked, &filter, false, &found, &fault)) {
        problem(report, "runs", &fault);
        return;
    }
    json_set(report, "runs", found);
    if (!asked_history(k, asked, &filter, true, &found, &fault)) {
        problem(report, "logs", &fault);
        return;
    }
    json_set(report, "logs", found);
}

static void add_state(struct asked *asked, struct json *report)
{
    AUTO(buf_deinit) struct buf body = {0};
    AUTO(buf_deinit) struct buf metrics = {0};
    struct json *state = NULL;
    struct fault fault = FAULT_INIT;

    buf_init(&body, KUBECTL_TEXT_MAX);
    buf_init(&metrics, KUBECTL_TEXT_MAX);
    if (asked_get(asked, "/debug/state", &body, &fault) &&
        json_parse(buf_sv(&body), KUBECTL_TEXT_MAX, &state, &fault)) {
        json_set(report, "state", state);
    } else {
        problem(report, "state", &fault);
    }
    if (asked_metrics(asked, &metrics, &fault)) {
        json_set_string(report, "metrics", buf_z(&metrics));
    } else {
        problem(report, "metrics", &fault);
    }
}

static void add_controller(struct kubectl *k, struct json *report)
{
    AUTO(asked_close) struct asked asked = {0};
    struct fault fault = FAULT_INIT;

    if (!asked_find(k, &asked, &fault)) {
        problem(report, "controller", &fault);
    } else {
        json_set(report, "controller", report_pod(asked.pod));
        if (!asked_open(&asked, true, &fault)) {
            problem(report, "state, metrics", &fault);
        } else {
            add_state(&asked, report);
        }
    }
    if (k->options->values[OPTION_AUDIT_FILE] != NULL || asked.debug != NULL) {
        add_history(k, &asked, report);
    } else {
        problem(report, "runs, logs", &fault);
    }
}

/* Created, never written over, and readable by its owner alone. */
static bool write_file(const char *path, struct sv text, struct fault *fault)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    bool good = fd >= 0;
    int error = errno;

    for (size_t written = 0; good && written < text.n;) {
        ssize_t n = write(fd, text.p + written, text.n - written);

        error = errno;
        good = n > 0;
        written += n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0 && close(fd) != 0) {
        good = false;
        error = errno;
    }
    return good ? true
                : fault_set(fault, FAULT_REFUSED, NULL, "cannot write %s: %s", path,
                            strerrordesc_np(error));
}

/* "tablesync-report-20261123T183000Z.yaml" */
static const char *file_name(struct kubectl *k)
{
    char now[CLOCK_RFC3339_SIZE];
    char compact[CLOCK_RFC3339_SIZE];
    size_t n = 0;

    (void)clock_format_rfc3339(clock_wall_ms(clock_system()), now);
    for (const char *c = now; *c != '\0'; c++) {
        if (*c != '-' && *c != ':') {
            compact[n++] = *c;
        }
    }
    compact[n] = '\0';
    return arena_printf(k->arena, "tablesync-report-%s.yaml", compact);
}

static int write_report(struct kubectl *k, const struct json *report, struct fault *fault)
{
    AUTO(buf_deinit) struct buf text = {0};
    const char *path = k->options->values[OPTION_TO];
    const struct json *problems = json_get(report, "problems");

    buf_init(&text, 2 * KUBECTL_TEXT_MAX);
    yaml_print(report, &text);
    if (buf_overflowed(&text)) {
        (void)fault_set(fault, FAULT_REFUSED, NULL,
                        "the report is too large: ask for one namespace, or lower "
                        "--limit");
        return -1;
    }
    path = path == NULL ? file_name(k) : path;
    if (strcmp(path, "-") == 0) {
        (void)fputs(buf_z(&text), stdout);
    } else if (!write_file(path, buf_sv(&text), fault)) {
        return -1;
    } else {
        (void)printf("%s\n", path);
    }
    for (const struct json *p = json_first(problems); p != NULL; p = json_next(p)) {
        (void)fprintf(stderr, "tablesync: not in the report: %s\n", json_string(p));
    }
    return EXIT_OK;
}

int kubectl_report(struct kubectl *k, struct fault *fault)
{
    static const struct kube_resource EVENTS = {"events.k8s.io", "v1", "events", "Event"};
    AUTO(json_freep) struct json *report = json_new_object();
    AUTO(json_freep) struct json *redacted = NULL;
    char now[CLOCK_RFC3339_SIZE];
    bool complete = true;
    int code = 0;

    json_set_string(report, "generatedAt",
                    clock_format_rfc3339(clock_wall_ms(clock_system()), now));
    json_set_string(report, "program", command_version_text());
    json_set_string(report, "namespace", k->namespace == NULL ? "(all)" : k->namespace);
    (void)json_set_array(report, "problems");
    report_version(k, report);
    complete = add_list(k, report, "tableSyncs", &loop_resource_sync);
    complete =
        add_list(k, report, "databaseConnections", &loop_resource_conn) && complete;
    if (add_list(k, report, "events", &EVENTS)) {
        report_only_ours(report, "events");
    }
    add_controller(k, report);
    redacted = report_redacted(report);
    code = write_report(k, redacted, fault);
    return code == EXIT_OK && !complete ? EXIT_FAILED : code;
}
