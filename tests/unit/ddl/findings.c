#include "findings.h"

#include <string.h>

const char *findings_reasons(struct fixture *f, const struct findings *findings,
                             enum finding_level level)
{
    const char *all = "";

    for (VEC_EACH(const struct finding, one, &findings->list)) {
        if (one->level == level) {
            all = arena_printf(f->arena, "%s%s%s %s", all, *all == '\0' ? "" : "; ",
                               one->system, one->reason);
        }
    }
    return all;
}

const char *findings_text(const struct findings *findings, const char *reason)
{
    for (VEC_EACH(const struct finding, one, &findings->list)) {
        if (strcmp(one->reason, reason) == 0) {
            return one->text;
        }
    }
    fail_msg("no finding %s", reason);
    return NULL;
}

void findings_lines(struct fixture *f, const char *text, struct strlist *out)
{
    struct sv lines = sv_from(text);

    out->n = 0;
    while (lines.n > 0) {
        VEC_PUSH(f->arena, out, (const char *)arena_copy(f->arena, sv_cut(&lines, '\n')));
    }
}
