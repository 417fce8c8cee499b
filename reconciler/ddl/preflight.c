#include "ddl/preflight_parts.h"

#include <stdarg.h>
#include <string.h>

/* A fault's sentence is shorter; it is cut there, at a character's border. */
#define MESSAGE_MAX ((size_t)16384)

void findings_add(struct findings *findings, struct arena *arena,
                  enum finding_level level, const char *system, const char *reason,
                  const char *format, ...)
{
    struct finding finding = {.level = level, .system = system, .reason = reason};
    va_list args;

    va_start(args, format);
    finding.text = arena_vprintf(arena, format, args);
    va_end(args);
    VEC_PUSH(arena, &findings->list, finding);
}

void version_numbers(const char *version, int64_t *out_major, int64_t *out_minor)
{
    struct sv text = sv_from(version);

    *out_major = *out_minor = 0;
    (void)sv_int64(sv_cut(&text, '.'), out_major);
    (void)sv_int64(sv_cut(&text, '.'), out_minor);
}

/* "; " between two findings of one server, the server's name in front of its first. */
static void add_text(struct buf *out, const struct finding *finding, const char *before,
                     bool named)
{
    bool same = before != NULL && strcmp(before, finding->system) == 0;

    buf_addz(out, before == NULL ? "" : same ? "; " : ". ");
    if (named && !same) {
        buf_addf(out, "%s: ", finding->system);
    }
    buf_addz(out, finding->text);
}

struct summary {
    size_t servers; /* that lack something */
    bool only_grants, only_time;
    const struct finding *first;
};

/* What a person grants, and what passes or is started again. */
static bool is_grant(const struct finding *f)
{
    return strcmp(f->reason, "MissingGrant") == 0 ||
           strcmp(f->reason, "DatabaseMissing") == 0 ||
           strcmp(f->reason, "SchemaDenied") == 0;
}

static bool is_passing(const struct finding *f)
{
    return strcmp(f->reason, "NoBackends") == 0;
}

static struct summary summarize(const struct findings *findings)
{
    struct summary s = {.only_grants = true, .only_time = true};
    const char *system = NULL;

    for (VEC_EACH(const struct finding, f, &findings->list)) {
        if (f->level != FINDING_MISSING) {
            continue;
        }
        s.first = s.first == NULL ? f : s.first;
        s.only_grants = s.only_grants && is_grant(f);
        s.only_time = s.only_time && is_passing(f);
        s.servers += system == NULL || strcmp(system, f->system) != 0;
        system = f->system;
    }
    return s;
}

bool preflight_passed(const struct findings *findings, struct fault *fault)
{
    AUTO(buf_deinit) struct buf text = {0};
    struct summary s = summarize(findings);
    enum fault_class class = FAULT_REFUSED;
    const char *before = NULL;

    if (s.first == NULL) {
        return true;
    }
    if (s.only_grants) {
        class = FAULT_DENIED;
    } else if (s.only_time) {
        class = FAULT_UNAVAILABLE;
    }
    buf_init(&text, MESSAGE_MAX);
    for (VEC_EACH(const struct finding, f, &findings->list)) {
        if (f->level == FINDING_MISSING) {
            add_text(&text, f, before, s.servers > 1);
            before = f->system;
        }
    }
    return s.servers > 1
               ? fault_set(fault, class, s.first->reason,
                           "%zu servers lack what is needed. %s", s.servers, buf_z(&text))
               : fault_set(fault, class, s.first->reason, "%s lacks what is needed: %s",
                           s.first->system, buf_z(&text));
}

const char *preflight_warnings(const struct findings *findings, struct arena *arena)
{
    AUTO(buf_deinit) struct buf text = {0};

    buf_init(&text, MESSAGE_MAX);
    for (VEC_EACH(const struct finding, f, &findings->list)) {
        if (f->level == FINDING_WARNING) {
            buf_addf(&text, "%s%s", text.n > 0 ? "; " : "", f->text);
        }
    }
    return text.n > 0 ? buf_take(&text, arena) : NULL;
}
