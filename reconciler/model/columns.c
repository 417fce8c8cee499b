#include "model/columns.h"

#include <string.h>

static bool has_name(const struct strlist *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++) {
        if (sv_eq_nocase(sv_from(list->v[i]), sv_from(name))) {
            return true;
        }
    }
    return false;
}

static void check_choice(const struct tablesync *sync, struct problems *problems)
{
    if (sync->include.n > 1 && has_name(&sync->include, "*")) {
        problems_add(problems,
                     "spec.columns.include must hold either \"*\" alone or names of "
                     "columns");
    }
    for (size_t i = 0; i < sync->exclude.n; i++) {
        if (has_name(&sync->include, sync->exclude.v[i])) {
            problems_add(problems,
                         "spec.columns.exclude must not name a column that "
                         "spec.columns.include names too, it has \"%s\"",
                         sync->exclude.v[i]);
        }
    }
}

static bool same(const char *a, const char *b)
{
    return a != NULL && b != NULL && sv_eq_nocase(sv_from(a), sv_from(b));
}

/* Against those before it, so that each pair is told once. */
static void check_repeated(const struct tablesync *sync, size_t at,
                           struct problems *problems)
{
    const struct column_override *override = &sync->overrides.v[at];
    for (size_t i = 0; i < at; i++) {
        const struct column_override *before = &sync->overrides.v[i];
        if (same(before->name, override->name)) {
            problems_add(problems,
                         "spec.columns.overrides must not override a column twice, it "
                         "has \"%s\" again",
                         override->name);
        } else if (same(before->target_name, override->target_name)) {
            problems_add(problems,
                         "spec.columns.overrides must not give two columns the same "
                         "targetName, it has \"%s\" for \"%s\" and \"%s\"",
                         override->target_name, before->name == NULL ? "" : before->name,
                         override->name == NULL ? "" : override->name);
        }
    }
}

void columns_check(const struct tablesync *sync, struct problems *problems)
{
    check_choice(sync, problems);
    for (size_t i = 0; i < sync->overrides.n; i++) {
        const struct column_override *override = &sync->overrides.v[i];
        if (override->target_name == NULL && override->target_type == NULL &&
            override->expression == NULL) {
            problems_add(problems,
                         "spec.columns.overrides[%zu] must set targetName, targetType or "
                         "expression",
                         i);
        }
        if (override->name != NULL && has_name(&sync->exclude, override->name)) {
            problems_add(problems,
                         "spec.columns.overrides must not override a column that "
                         "spec.columns.exclude names, it has \"%s\"",
                         override->name);
        }
        check_repeated(sync, i, problems);
    }
}
