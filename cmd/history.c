#include "cmd/history.h"

#include "audit/show.h"

#include <stdio.h>

bool history_read(const char *path, const struct audit_filter *filter, bool logs,
                  struct json **out_history, struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(audit_closep) struct audit *audit = NULL;
    const struct audit_options open = {.path = path, .read_only = true};
    struct audit_runs runs = {0};
    struct audit_details details = {0};

    if (!audit_open(&open, clock_system(), &audit, fault)) {
        return false;
    }
    if (logs) {
        if (!audit_query_details(audit, filter, arena, &details, fault)) {
            return false;
        }
        *out_history = audit_show_details(&details);
        return true;
    }
    if (!audit_query_runs(audit, filter, arena, &runs, fault)) {
        return false;
    }
    *out_history = audit_show_runs(&runs);
    return true;
}

static const char *text_of(const struct json *object, const char *key)
{
    const char *text = json_get_string(object, key);

    return text == NULL ? "" : text;
}

static const char *time_of(const struct json *object, const char *key)
{
    const char *text = json_get_string(object, key);

    return text == NULL ? "-" : text;
}

static long long int_of(const struct json *object, const char *key)
{
    return (long long)json_int(json_get(object, key), 0);
}

void history_print_runs(const struct json *runs)
{
    (void)printf("%-6s %-20s %-28s %-9s %-12s %-5s %-9s %s\n", "RUN", "STARTED",
                 "RESOURCE", "TRIGGER", "RESULT", "STEPS", "MS", "MESSAGE");
    for (const struct json *r = json_first(runs); r != NULL; r = json_next(r)) {
        const char *name = text_of(r, "name");
        char resource[320];

        /* Without a name: the controller's own, about what could not be recorded. */
        (void)snprintf(resource, sizeof(resource), "%s%s%s", text_of(r, "namespace"),
                       name[0] == '\0' ? "(audit)" : "/", name);
        (void)printf("%-6lld %-20s %-28s %-9s %-12s %-5lld %-9lld %s\n", int_of(r, "id"),
                     time_of(r, "startedAt"), resource, text_of(r, "trigger"),
                     text_of(r, "result"), int_of(r, "steps"), int_of(r, "durationMs"),
                     text_of(r, "message"));
    }
}

void history_print_logs(const struct json *details)
{
    const struct json *s = json_first(json_get(details, "steps"));
    const struct json *line = json_first(json_get(details, "logs"));

    for (; s != NULL; s = json_next(s)) {
        const char *code = text_of(s, "code");

        (void)printf("%s run %lld step %lld %s: %s%s%s in %lld ms\n  %s\n",
                     time_of(s, "startedAt"), int_of(s, "run"), int_of(s, "seq"),
                     text_of(s, "target"), text_of(s, "result"), code[0] ? " " : "", code,
                     int_of(s, "durationMs"), text_of(s, "statement"));
        if (text_of(s, "message")[0] != '\0') {
            (void)printf("  %s\n", text_of(s, "message"));
        }
    }
    for (; line != NULL; line = json_next(line)) {
        (void)printf("%s run %lld %s: %s\n", time_of(line, "at"), int_of(line, "run"),
                     text_of(line, "level"), text_of(line, "message"));
    }
}
