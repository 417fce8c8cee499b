/*
 * tests/golden/<case>/: resource.yaml, connections.yaml and schema.json (plus
 * observed.json, the catalogs) go in; risingwave.sql, starrocks.sql and notes.txt, or
 * refused.txt, must come out. A resource with a deletionTimestamp gives the plan of its
 * deletion. UPDATE_GOLDEN=1 rewrites the expected files.
 */
#include "unit.h"
#include "world.h"

#include "base/file.h"
#include "base/yaml.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX ((size_t)1024 * 1024)
#define CASES_MIN 12

struct golden {
    const char *dir;
    struct arena *arena;
    struct tablesync sync;
    struct dbconn source, rw, target;
    struct mysql_server server;
    struct mysql_table table;
    struct world w;
    struct buf risingwave, starrocks, notes, refused;
};

static const char *golden_root(void)
{
    const char *root = getenv("GOLDEN_DIR");

    return root != NULL ? root : "tests/golden";
}

static bool exists(struct golden *g, const char *name)
{
    return access(arena_printf(g->arena, "%s/%s", g->dir, name), R_OK) == 0;
}

static struct sv read_text(struct golden *g, const char *name)
{
    AUTO(buf_deinit) struct buf text = {0};
    struct fault fault = FAULT_INIT;

    buf_init(&text, FILE_MAX);
    ASSERT_OK(file_read(arena_printf(g->arena, "%s/%s", g->dir, name), &text, &fault),
              &fault);
    return arena_sv(g->arena, buf_sv(&text));
}

static void read_resource(struct golden *g)
{
    AUTO(json_freep) struct json *documents = NULL;
    struct fault fault = FAULT_INIT;

    ASSERT_OK(yaml_parse_all(read_text(g, "resource.yaml"), &documents, &fault), &fault);
    ASSERT_OK(tablesync_decode(json_at(documents, 0), g->arena, &g->sync, &fault),
              &fault);
}

static void read_connections(struct golden *g)
{
    AUTO(json_freep) struct json *documents = NULL;
    struct fault fault = FAULT_INIT;

    ASSERT_OK(yaml_parse_all(read_text(g, "connections.yaml"), &documents, &fault),
              &fault);
    for (const struct json *d = json_first(documents); d != NULL; d = json_next(d)) {
        struct dbconn conn;
        ASSERT_OK(dbconn_decode(d, g->arena, &conn, &fault), &fault);
        *(conn.type == DBCONN_MYSQL        ? &g->source
          : conn.type == DBCONN_RISINGWAVE ? &g->rw
                                           : &g->target) = conn;
    }
    assert_true(g->source.type != 0 && g->rw.type != 0 && g->target.type != 0);
}

static void read_schema(struct golden *g)
{
    AUTO(json_freep) struct json *root = NULL;
    struct fault fault = FAULT_INIT;

    ASSERT_OK(json_parse(read_text(g, "schema.json"), FILE_MAX, &root, &fault), &fault);
    ASSERT_OK(mysql_schema_read(root, g->arena, &g->server, &g->table, &fault), &fault);
}

static void read_observed(struct golden *g)
{
    AUTO(json_freep) struct json *root = NULL;
    struct fault fault = FAULT_INIT;

    world_init(&g->w, g->arena, g->rw.rw_schema, g->sync.target_database);
    g->w.sr.database_exists = true;
    if (exists(g, "observed.json")) {
        ASSERT_OK(json_parse(read_text(g, "observed.json"), FILE_MAX, &root, &fault),
                  &fault);
        world_read(&g->w, root);
    }
}

/* "@sink" in a CDC table's mark stands for the sink that the plan comes to. */
static bool fill_marks(struct golden *g, const struct desired *d, struct fault *fault)
{
    struct plan plan;

    for (size_t i = 0; i < g->w.rw.tables.n; i++) {
        struct rw_table *table = &g->w.rw.tables.v[i];
        struct sv comment = sv_from(table->comment);
        size_t at = sv_find(comment, SV("@sink"));

        if (at == SIZE_MAX) {
            continue;
        }
        if (!plan_make(d, &g->w.rw, &g->w.sr, g->arena, &plan, fault)) {
            return false;
        }
        table->comment = arena_printf(
            g->arena, "%.*s%s%.*s", SV_ARGS(sv_sub(comment, 0, at)), plan.sink_hash,
            SV_ARGS(sv_sub(comment, at + strlen("@sink"), comment.n)));
    }
    return true;
}

/* A file "resync" in the case holds the mode of a re-sync in progress. */
static enum resync_mode resync_of(struct golden *g)
{
    struct sv mode = exists(g, "resync") ? sv_trim(read_text(g, "resync")) : SV_NULL;

    if (mode.n == 0) {
        return 0;
    }
    return sv_eq(mode, SV("InPlace"))    ? RESYNC_IN_PLACE
           : sv_eq(mode, SV("Truncate")) ? RESYNC_TRUNCATE
                                         : RESYNC_RECREATE;
}

static void note_list(struct golden *g, const char *title, const struct strlist *list)
{
    for (size_t i = 0; i < list->n; i++) {
        buf_addf(&g->notes, "%s: %s\n", title, list->v[i]);
    }
}

static void note_plan(struct golden *g, const struct plan *plan)
{
    note_list(g, "change", &plan->changes);
    note_list(g, "kept", &plan->kept);
    note_list(g, "unloaded", &plan->unloaded);
    note_list(g, "ignored", &plan->ignored);
    note_list(g, "note", &plan->notes);
    if (plan->source_differs != NULL) {
        buf_addf(&g->notes, "source: %s\n", plan->source_differs);
    }
    if (plan->purpose == PURPOSE_ROTATE) {
        buf_addz(&g->notes, "purpose: rotate\n");
    }
}

static bool make_plan(struct golden *g, struct plan *out_plan, struct fault *fault)
{
    AUTO(secret_freep) struct secret *password = secret_new(SV("never shown"));
    struct desired_input input = {.sync = &g->sync,
                                  .source = &g->source,
                                  .rw = &g->rw,
                                  .target = &g->target,
                                  .server = &g->server,
                                  .table = &g->table,
                                  .source_user = "cdc",
                                  .target_user = "loader",
                                  .source_password = password,
                                  .target_password = password,
                                  .source_follows = !exists(g, "not-following"),
                                  .first_run = !exists(g, "applied"),
                                  .first_target = !exists(g, "applied"),
                                  .resync = resync_of(g),
                                  .table_version = resync_of(g) != 0 ? 2 : 0};
    struct plan_drop_input drop = {.sync = &g->sync,
                                   .policy = g->sync.deletion_policy,
                                   .rw_schema = g->rw.rw_schema};
    struct desired d;

    if (g->sync.deleting) {
        return plan_drop(&drop, &g->w.rw, &g->w.sr, g->arena, out_plan, fault);
    }
    if (!mysql_server_check(&g->server, g->table.database, fault) ||
        !desired_build(&input, g->arena, &d, fault)) {
        return false;
    }
    if (!fill_marks(g, &d, fault) ||
        !plan_make(&d, &g->w.rw, &g->w.sr, g->arena, out_plan, fault)) {
        return false;
    }
    buf_clear(&g->notes);
    for (size_t i = 0; i < d.notes.n; i++) {
        buf_addf(&g->notes, "%s\n", d.notes.v[i]);
    }
    note_plan(g, out_plan);
    /* While the password lives: the steps reveal it. */
    for (size_t i = 0; i < out_plan->steps.n; i++) {
        world_apply(&g->w, &out_plan->steps.v[i]);
    }
    return true;
}

static const char *const waits[PLAN_WAIT_MAX] = {
    [WAIT_TARGET_ALTER] = "the target's schema change",
    [WAIT_SNAPSHOT] = "the snapshot",
    [WAIT_BACKFILL] = "the backfill",
    [WAIT_PAUSED] = "the pause",
    [WAIT_DELIVERED] = "the last delivery",
};

static void print_step(struct golden *g, const struct plan_step *step)
{
    struct buf *out = step->system == PLAN_RISINGWAVE ? &g->risingwave : &g->starrocks;

    buf_addf(out, "-- %s %s: %s", plan_kind_name(step->kind), step->object,
             step->sentence);
    if (step->risk != RISK_SAFE) {
        buf_addz(out, step->risk == RISK_ASKED ? " [asked for]" : " [destructive]");
    }
    if (step->wait != WAIT_NONE) {
        buf_addf(out, " [after %s%s%s]", waits[step->wait],
                 step->wait_for != NULL ? " of " : "",
                 step->wait_for != NULL ? step->wait_for : "");
    }
    if (step->background) {
        buf_addz(out, " [background]");
    }
    if (step->parallelism > 0) {
        buf_addf(out, " [parallelism %lld]", (long long)step->parallelism);
    }
    buf_addf(out, "\n%s;\n", stmt_redacted(step->stmt, g->arena));
}

static void compare(struct golden *g, const char *name, const struct buf *got)
{
    const char *path = arena_printf(g->arena, "%s/%s", g->dir, name);

    assert_false(buf_overflowed(got));
    if (getenv("UPDATE_GOLDEN") != NULL) {
        (void)unlink(path);
        FILE *file = got->n > 0 ? fopen(path, "w") : NULL;
        if (got->n > 0) {
            assert_non_null(file);
            assert_int_equal(fwrite(got->p, 1, got->n, file), got->n);
            assert_int_equal(fclose(file), 0);
        }
        return;
    }
    struct sv expected = exists(g, name) ? read_text(g, name) : SV_NULL;
    if (!sv_eq(expected, buf_sv(got))) {
        fail_msg("%s differs (UPDATE_GOLDEN=1 rewrites it); now it is:\n%s", path,
                 buf_z(got));
    }
}

static void run_case(struct golden *g)
{
    struct plan plan = {0};
    struct fault fault = FAULT_INIT;

    read_resource(g);
    read_connections(g);
    read_schema(g);
    read_observed(g);
    if (!make_plan(g, &plan, &fault)) {
        buf_addf(&g->refused, "%s %s\n%s\n", fault_class_name(fault.class), fault.reason,
                 fault.text);
    }
    for (size_t i = 0; i < plan.steps.n; i++) {
        print_step(g, &plan.steps.v[i]);
    }
    compare(g, "risingwave.sql", &g->risingwave);
    compare(g, "starrocks.sql", &g->starrocks);
    compare(g, "notes.txt", &g->notes);
    compare(g, "refused.txt", &g->refused);
    if (!g->sync.deleting && g->refused.n == 0) {
        ASSERT_OK(make_plan(g, &plan, &fault), &fault);
        assert_int_equal(plan.steps.n, 0); /* carried out, nothing is left to do */
    }
}

static void run_in_directory(const char *dir)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct golden g = {.dir = dir, .arena = arena};
    struct buf *outputs[] = {&g.risingwave, &g.starrocks, &g.notes, &g.refused};

    for (size_t i = 0; i < COUNT_OF(outputs); i++) {
        buf_init(outputs[i], FILE_MAX);
    }
    print_message("%s\n", dir);
    run_case(&g);
    for (size_t i = 0; i < COUNT_OF(outputs); i++) {
        buf_deinit(outputs[i]);
    }
}

static void cases_come_out_as_written(void **state)
{
    struct fixture *f = *state;
    struct dirent **entries = NULL;
    int count = scandir(golden_root(), &entries, NULL, alphasort);
    size_t cases = 0;

    if (count < 0) {
        fail_msg("cannot read %s; run from the repository's root", golden_root());
    }
    for (int i = 0; i < count; i++) {
        const char *dir =
            arena_printf(f->arena, "%s/%s", golden_root(), entries[i]->d_name);
        bool is_case = access(arena_printf(f->arena, "%s/schema.json", dir), R_OK) == 0;
        free(entries[i]);
        if (is_case) {
            run_in_directory(dir);
            cases++;
        }
    }
    free(entries);
    assert_true(cases >= CASES_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cases_come_out_as_written),
    };

    return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}
