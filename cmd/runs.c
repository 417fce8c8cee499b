/* `tablesync runs` and `tablesync logs`: reading the audit log, also while it is written.
 */
#include "audit/audit.h"
#include "base/json.h"
#include "cmd/cmd.h"

#include <stdio.h>
#include <string.h>

static const char *text_or(const char *text, const char *otherwise)
{
    return text == NULL || text[0] == '\0' ? otherwise : text;
}

static const char *time_text(int64_t ms, char *out_text)
{
    return ms == 0 ? "-" : clock_format_rfc3339(ms, out_text);
}

static bool open_audit(const struct options *options, struct audit **out_audit,
                       struct audit_filter *out_filter, struct fault *fault)
{
    struct audit_options open = {.path = options->values[OPTION_AUDIT_DB],
                                 .read_only = true};

    out_filter->namespace = options->values[OPTION_NAMESPACE];
    out_filter->name = options->values[OPTION_NAME];
    if (!options_int(options, OPTION_LIMIT, 1, 100000, &out_filter->limit, fault)) {
        return false;
    }
    if (options->values[OPTION_RUN] != NULL &&
        !options_int(options, OPTION_RUN, 1, INT64_MAX, &out_filter->run, fault)) {
        return false;
    }
    if (strcmp(options->values[OPTION_OUTPUT], "table") != 0 &&
        strcmp(options->values[OPTION_OUTPUT], "json") != 0) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "--output is '%s'; it must be table or json",
                         options->values[OPTION_OUTPUT]);
    }
    return audit_open(&open, clock_system(), out_audit, fault);
}

static void set_time(struct json *object, const char *key, int64_t ms)
{
    char text[CLOCK_RFC3339_SIZE];

    if (ms != 0) {
        json_set_string(object, key, clock_format_rfc3339(ms, text));
    }
}

static int runs_json(const struct audit_runs *runs)
{
    AUTO(json_freep) struct json *list = json_new_array();

    for (VEC_EACH(const struct audit_run, r, &runs->runs)) {
        struct json *o = json_push_object(list);

        json_set_int(o, "id", r->id);
        json_set_string(o, "runID", r->run_id);
        json_set_string(o, "kind", r->kind);
        json_set_string(o, "namespace", r->namespace);
        json_set_string(o, "name", r->name);
        json_set_string(o, "uid", r->uid);
        json_set_int(o, "generation", r->generation);
        json_set_string(o, "trigger", r->trigger);
        json_set_string(o, "planHash", text_or(r->plan_hash, ""));
        json_set_string(o, "result", text_or(r->result, "Running"));
        json_set_string(o, "errorClass", text_or(r->error_class, ""));
        json_set_string(o, "message", text_or(r->message, ""));
        json_set_int(o, "steps", r->steps);
        set_time(o, "startedAt", r->started_ms);
        set_time(o, "finishedAt", r->finished_ms);
    }
    return command_print_json(list);
}

static int runs_table(const struct audit_runs *runs)
{
    char started[CLOCK_RFC3339_SIZE];

    (void)printf("%-6s %-20s %-28s %-9s %-12s %-5s %-9s %s\n", "RUN", "STARTED",
                 "RESOURCE", "TRIGGER", "RESULT", "STEPS", "MS", "MESSAGE");
    for (VEC_EACH(const struct audit_run, r, &runs->runs)) {
        char resource[320];

        /* Without a name: the controller's own, about what could not be recorded. */
        (void)snprintf(resource, sizeof(resource), "%s%s%s", r->namespace,
                       r->name[0] == '\0' ? "(audit)" : "/", r->name);
        (void)printf(
            "%-6lld %-20s %-28s %-9s %-12s %-5lld %-9lld %s\n", (long long)r->id,
            time_text(r->started_ms, started), resource, r->trigger,
            text_or(r->result, "Running"), (long long)r->steps,
            (long long)(r->finished_ms == 0 ? 0 : r->finished_ms - r->started_ms),
            text_or(r->message, ""));
    }
    return EXIT_OK;
}

int command_runs(const struct options *options)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(audit_closep) struct audit *audit = NULL;
    struct audit_filter filter = {0};
    struct audit_runs runs = {0};
    struct fault fault = FAULT_INIT;

    if (!open_audit(options, &audit, &filter, &fault) ||
        !audit_query_runs(audit, &filter, arena, &runs, &fault)) {
        return command_failed(&fault);
    }
    return strcmp(options->values[OPTION_OUTPUT], "json") == 0 ? runs_json(&runs)
                                                               : runs_table(&runs);
}

static int logs_json(const struct audit_details *details)
{
    AUTO(json_freep) struct json *root = json_new_object();
    struct json *steps = json_set_array(root, "steps");
    struct json *lines = json_set_array(root, "logs");

    for (VEC_EACH(const struct audit_step, s, &details->steps)) {
        struct json *o = json_push_object(steps);

        json_set_int(o, "run", s->run);
        json_set_int(o, "seq", s->seq);
        json_set_string(o, "target", s->target);
        json_set_string(o, "statement", s->statement);
        json_set_string(o, "result", text_or(s->result, "Running"));
        json_set_string(o, "code", text_or(s->code, ""));
        json_set_string(o, "message", text_or(s->message, ""));
        json_set_int(o, "durationMs", s->duration_ms);
        set_time(o, "startedAt", s->started_ms);
    }
    for (VEC_EACH(const struct audit_line, line, &details->lines)) {
        struct json *o = json_push_object(lines);

        json_set_int(o, "run", line->run);
        json_set_string(o, "level", line->level);
        json_set_string(o, "message", line->message);
        set_time(o, "at", line->at_ms);
    }
    return command_print_json(root);
}

static int logs_table(const struct audit_details *details)
{
    char at[CLOCK_RFC3339_SIZE];

    for (VEC_EACH(const struct audit_step, s, &details->steps)) {
        (void)printf("%s run %lld step %lld %s: %s%s%s in %lld ms\n  %s\n",
                     time_text(s->started_ms, at), (long long)s->run, (long long)s->seq,
                     s->target, text_or(s->result, "Running"),
                     text_or(s->code, "")[0] ? " " : "", text_or(s->code, ""),
                     (long long)s->duration_ms, s->statement);
        if (text_or(s->message, "")[0] != '\0') {
            (void)printf("  %s\n", s->message);
        }
    }
    for (VEC_EACH(const struct audit_line, line, &details->lines)) {
        (void)printf("%s run %lld %s: %s\n", time_text(line->at_ms, at),
                     (long long)line->run, line->level, line->message);
    }
    return EXIT_OK;
}

int command_logs(const struct options *options)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(audit_closep) struct audit *audit = NULL;
    struct audit_filter filter = {0};
    struct audit_details details = {0};
    struct fault fault = FAULT_INIT;

    if (!open_audit(options, &audit, &filter, &fault) ||
        !audit_query_details(audit, &filter, arena, &details, &fault)) {
        return command_failed(&fault);
    }
    return strcmp(options->values[OPTION_OUTPUT], "json") == 0 ? logs_json(&details)
                                                               : logs_table(&details);
}
