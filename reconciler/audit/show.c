#include "audit/show.h"

static const char *text_or(const char *text, const char *otherwise)
{
    return text == NULL || text[0] == '\0' ? otherwise : text;
}

static void set_time(struct json *object, const char *key, int64_t ms)
{
    char text[CLOCK_RFC3339_SIZE];

    if (ms != 0) {
        json_set_string(object, key, clock_format_rfc3339(ms, text));
    }
}

struct json *audit_show_runs(const struct audit_runs *runs)
{
    struct json *list = json_new_array();

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
        if (r->finished_ms != 0) {
            json_set_int(o, "durationMs", r->finished_ms - r->started_ms);
        }
        set_time(o, "startedAt", r->started_ms);
        set_time(o, "finishedAt", r->finished_ms);
    }
    return list;
}

struct json *audit_show_details(const struct audit_details *details)
{
    struct json *root = json_new_object();
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
    return root;
}
