/* The picture's lower half: what waits, what was done; and many TableSyncs as a list. */
#include "cmd/kubectl/draw.h"

#include <stdio.h>
#include <string.h>

static enum draw_color verify_color(const struct json *verification)
{
    if (draw_is(verification, "result", "Mismatch")) {
        return DRAW_BAD;
    }
    return draw_is(verification, "result", "Inconclusive") ? DRAW_WAITING : DRAW_GOOD;
}

/* "Count 0 3 * * *  1,203,441 = 1,203,441  Match  2026-11-24T03:00:14Z" */
static void draw_verify(struct draw *d, const struct json *sync)
{
    const struct json *verification = json_path(sync, "status.verification");
    int64_t source = json_path_int(verification, "sourceRows", -1);
    int64_t target = json_path_int(verification, "targetRows", -1);
    bool counts = strcmp(draw_text(sync, "spec.verify.mode"), "Count") == 0;

    if (json_get_string(verification, "result") == NULL) {
        return;
    }
    draw_label(d, "Verify");
    buf_addz(d->out, counts ? "Count" : "on request");
    if (counts && draw_text(sync, "spec.verify.schedule")[0] != '\0') {
        buf_addc(d->out, ' ');
        draw_add(d, DRAW_PLAIN, draw_text(sync, "spec.verify.schedule"));
    }
    if (source >= 0 && target >= 0) {
        buf_addz(d->out, "  ");
        draw_number(d, source);
        buf_addz(d->out, source == target ? " = " : " and ");
        draw_number(d, target);
    }
    buf_addz(d->out, "  ");
    draw_add(d, verify_color(verification), json_get_string(verification, "result"));
    buf_addz(d->out, "  ");
    draw_add(d, DRAW_PLAIN, draw_text(verification, "at"));
    buf_addc(d->out, '\n');
}

static void draw_plan(struct draw *d, const struct json *sync)
{
    const struct json *plan = json_path(sync, "status.plan");
    bool approved = json_get_string(plan, "approvedHash") != NULL;

    if (json_get_string(plan, "hash") == NULL) {
        return;
    }
    draw_label(d, "Plan");
    buf_addf(d->out, "%lld statements, ",
             (long long)json_path_int(plan, "statementsTotal", 0));
    draw_hash(d, draw_text(plan, "hash"));
    buf_addz(d->out, ", ");
    draw_add(d, approved ? DRAW_GOOD : DRAW_WAITING,
             approved ? "approved" : "not approved");
    if (!approved) {
        buf_addz(d->out, ": kubectl tablesync approve ");
        draw_add(d, DRAW_PLAIN, draw_text(sync, "metadata.name"));
        buf_addz(d->out, " -n ");
        draw_add(d, DRAW_PLAIN, draw_text(sync, "metadata.namespace"));
    }
    buf_addc(d->out, '\n');
}

static void draw_resync(struct draw *d, const struct json *sync)
{
    const struct json *resync = json_path(sync, "status.resync");

    if (json_get_string(resync, "token") == NULL) {
        return;
    }
    draw_label(d, "Resync");
    draw_add(d, DRAW_PLAIN, draw_text(resync, "token"));
    buf_addz(d->out, "  ");
    draw_add(d, DRAW_PLAIN, draw_text(resync, "mode"));
    buf_addz(d->out, "  ");
    draw_add(d, draw_is(resync, "state", "Done") ? DRAW_GOOD : DRAW_WAITING,
             draw_text(resync, "state"));
    buf_addc(d->out, '\n');
}

/* "5312 Spec Succeeded 4.2 s" */
static void add_run(struct draw *d, const struct json *run)
{
    bool good = draw_is(run, "result", "Succeeded");

    buf_addf(d->out, "%lld ", (long long)json_path_int(run, "id", 0));
    draw_add(d, DRAW_PLAIN, draw_text(run, "trigger"));
    buf_addc(d->out, ' ');
    draw_add(d, good ? DRAW_GOOD : DRAW_WAITING, good ? "ok" : draw_text(run, "result"));
    if (json_get(run, "durationMs") != NULL) {
        buf_addc(d->out, ' ');
        draw_duration(d, json_path_int(run, "durationMs", 0));
    }
}

static void draw_runs(struct draw *d, const struct json *picture)
{
    const struct json *status = json_path(picture, "tableSync.status");
    const struct json *runs = json_get(picture, "runs");
    const struct json *last = json_get(status, "lastRun");
    const char *problem = json_get_string(picture, "runsProblem");

    if (json_size(runs) == 0 && last == NULL && problem == NULL) {
        return;
    }
    draw_label(d, "Runs");
    for (const struct json *r = json_first(runs); r != NULL; r = json_next(r)) {
        add_run(d, r);
        buf_addz(d->out, json_next(r) == NULL ? "" : " | ");
    }
    if (json_size(runs) == 0 && last != NULL) {
        add_run(d, last);
    }
    if (problem != NULL) {
        buf_addz(d->out, last == NULL ? "" : "\n         ");
        draw_add(d, DRAW_FAINT, problem);
    }
    buf_addc(d->out, '\n');
    if (json_path_string(status, "nextRetryAt") != NULL) {
        draw_label(d, "Retry");
        buf_addf(d->out, "%lld failed in a row, the next at ",
                 (long long)json_path_int(status, "retries", 0));
        draw_add(d, DRAW_PLAIN, draw_text(status, "nextRetryAt"));
        buf_addc(d->out, '\n');
    }
}

void draw_work(struct draw *d, const struct json *picture)
{
    const struct json *sync = json_get(picture, "tableSync");

    draw_verify(d, sync);
    draw_plan(d, sync);
    draw_resync(d, sync);
    draw_runs(d, picture);
}

/* --- a list --- */

#define COLUMNS 7

static const struct column {
    const char *title, *path;
} LIST[COLUMNS] = {{"NAMESPACE", "metadata.namespace"},
                   {"NAME", "metadata.name"},
                   {"SOURCE", "status.source.display"},
                   {"TARGET", "status.target.display"},
                   {"PHASE", "status.phase"},
                   {"LAG", "status.stream.lag"},
                   {"READY", NULL}}; /* the last: with its reason */

static const char *cell(const struct json *sync, const struct column *column)
{
    const char *text = column->path == NULL
                           ? json_get_string(draw_condition(sync, "Ready"), "reason")
                           : json_path_string(sync, column->path);

    return text == NULL || text[0] == '\0' ? "-" : text;
}

static void add_cell(struct draw *d, enum draw_color color, const char *text,
                     size_t width)
{
    size_t length = sv_utf8_length(sv_from(text));

    draw_add(d, color, text);
    for (size_t i = length; i < width; i++) {
        buf_addc(d->out, ' ');
    }
}

static enum draw_color list_color(const struct json *sync, size_t column)
{
    if (column != COLUMNS - 1) {
        return DRAW_PLAIN;
    }
    if (draw_is_ready(sync)) {
        return DRAW_GOOD;
    }
    return draw_is(draw_condition(sync, "Stalled"), "status", "True") ? DRAW_BAD
                                                                      : DRAW_WAITING;
}

bool draw_is_ready(const struct json *sync)
{
    return draw_is(draw_condition(sync, "Ready"), "status", "True");
}

void draw_list(const struct json *syncs, bool with_namespace, bool color, struct buf *out)
{
    struct draw d = {out, color};
    size_t widths[COLUMNS] = {0};

    for (size_t i = 0; i < COLUMNS; i++) {
        widths[i] = strlen(LIST[i].title);
        for (const struct json *s = json_first(syncs); s != NULL; s = json_next(s)) {
            size_t n = sv_utf8_length(sv_from(cell(s, &LIST[i])));
            widths[i] = n > widths[i] ? n : widths[i];
        }
        widths[i] = i == COLUMNS - 1 ? 0 : widths[i] + 3;
    }
    for (size_t i = with_namespace ? 0 : 1; i < COLUMNS; i++) {
        add_cell(&d, DRAW_PLAIN, LIST[i].title, widths[i]);
    }
    buf_addc(out, '\n');
    for (const struct json *s = json_first(syncs); s != NULL; s = json_next(s)) {
        for (size_t i = with_namespace ? 0 : 1; i < COLUMNS; i++) {
            add_cell(&d, list_color(s, i), cell(s, &LIST[i]), widths[i]);
        }
        buf_addc(out, '\n');
    }
}
