#include "audit/show.h"
#include "loop/introspect.h"

/* The next page begins below the last run of this one; a page that is not full is the
 * last. */
static void set_next(struct json *page, const struct audit_runs *runs,
                     const struct audit_filter *filter)
{
    if (runs->runs.n > 0 && (int64_t)runs->runs.n == filter->limit) {
        json_set_int(page, "next", runs->runs.v[runs->runs.n - 1].id);
    }
}

bool introspect_audit(const struct introspect *in, const struct audit_filter *filter,
                      bool logs, struct buf *out, struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(audit_closep) struct audit *reader = NULL;
    AUTO(json_freep) struct json *page = NULL;
    struct audit_runs runs = {0};
    struct audit_details details = {0};
    struct audit_filter same = *filter;

    if (!audit_open_reader(in->loop->ports.audit, &reader, fault) ||
        !audit_query_runs(reader, filter, arena, &runs, fault)) {
        return false;
    }
    if (runs.runs.n > 0) { /* a run that began meanwhile must not push out the last */
        same.before = runs.runs.v[0].id + 1;
    }
    if (logs && !audit_query_details(reader, &same, arena, &details, fault)) {
        return false;
    }
    if (logs) {
        page = audit_show_details(&details);
    } else {
        page = json_new_object();
        json_set(page, "runs", audit_show_runs(&runs));
    }
    set_next(page, &runs, filter);
    json_print(page, out);
    return true;
}
