#include "living.h"

#include "ddl/desired.h"

#include <stdio.h>
#include <stdlib.h>

#define KEYS 30

void living_grow(struct sim *sim)
{
    fake_mysql_add_column(sim->db, living_table(sim), living_column("qty", "int"));
    shop_add(sim, (struct shop_sync){.name = LIVING});
    check_run_until(sim, living_is_ready, 5 * MINUTE_MS);
    sim_run_for(sim, 15000);
    sim_count_anew(sim);
}

struct sim *living_open(uint64_t seed)
{
    const struct sim_options options = {.seed = seed};
    struct sim *sim = shop_open(&options);

    living_grow(sim);
    return sim;
}

struct fake_upstream *living_table(struct sim *sim)
{
    return fake_mysql_find(shop_mysql(sim), "shop", LIVING);
}

/* Objects are listed in the order in which they were made. */
static struct fake_stream_object *newest(struct sim *sim, enum fake_kind kind)
{
    struct fake_stream_object *found = NULL;

    for (size_t i = 0; i < shop_rw(sim)->objects.n; i++) {
        if (shop_rw(sim)->objects.v[i]->kind == kind) {
            found = shop_rw(sim)->objects.v[i];
        }
    }
    return found;
}

struct fake_stream_object *living_sink(struct sim *sim)
{
    return newest(sim, FAKE_SINK);
}

struct fake_stream_object *living_stream(struct sim *sim)
{
    return newest(sim, FAKE_TABLE);
}

struct fake_sr_table *living_target(struct sim *sim)
{
    return fake_sr_find(shop_sr(sim), "ods", LIVING);
}

const struct sr_column *living_target_column(struct sim *sim, const char *name)
{
    const struct sr_table *table = &living_target(sim)->table;

    for (VEC_EACH(const struct sr_column, c, &table->columns)) {
        if (strcmp(c->name, name) == 0) {
            return c;
        }
    }
    return NULL;
}

/* --- its columns --- */

struct mysql_column living_column(const char *name, const char *type)
{
    static const struct {
        const char *type;
        int64_t digits;
    } integers[] = {{"smallint", 5}, {"int", 10}, {"bigint", 19}};
    struct mysql_column column = {.name = name,
                                  .data_type = type,
                                  .column_type = type,
                                  .nullable = true,
                                  .char_max_length = -1,
                                  .numeric_precision = -1,
                                  .numeric_scale = -1,
                                  .datetime_precision = -1};
    long length = 0, scale = 0;

    for (size_t i = 0; i < COUNT_OF(integers); i++) {
        if (strcmp(type, integers[i].type) == 0) {
            column.numeric_precision = integers[i].digits;
            column.numeric_scale = 0;
        }
    }
    if (sscanf(type, "varchar(%ld)", &length) == 1) {
        column.data_type = "varchar";
        column.char_max_length = length;
        column.charset = "utf8mb4";
        column.collation = "utf8mb4_bin";
    } else if (sscanf(type, "decimal(%ld,%ld)", &length, &scale) == 2) {
        column.data_type = "decimal";
        column.numeric_precision = length;
        column.numeric_scale = scale;
    }
    return column;
}

void living_add(struct sim *sim, const char *name, const char *type)
{
    fake_mysql_add_column(sim->db, living_table(sim), living_column(name, type));
}

void living_modify(struct sim *sim, const char *name, const char *type)
{
    fake_mysql_modify_column(sim->db, living_table(sim), living_column(name, type));
}

/* --- its spec --- */

void living_edit(struct sim *sim, const char *path, const char *value)
{
    fake_kube_edit(sim->kube, "tablesyncs", SHOP, LIVING, path, value);
}

void living_policy(struct sim *sim, const char *policy)
{
    living_edit(sim, "schemaChange.policy", arena_printf(sim->arena, "\"%s\"", policy));
}

void living_resync(struct sim *sim, const char *token, const char *mode)
{
    living_edit(sim, "resyncMode", arena_printf(sim->arena, "\"%s\"", mode));
    living_edit(sim, "resyncToken", arena_printf(sim->arena, "\"%s\"", token));
}

void living_approve(struct sim *sim)
{
    const char *hash = json_path_string(shop_find(sim, LIVING), "status.plan.hash");

    if (hash == NULL) {
        check_fail(sim, "status shows no plan to approve");
    }
    fake_kube_annotate(sim->kube, SHOP, LIVING, TSYNC_ANNOTATION_APPROVE,
                       arena_strdup(sim->arena, hash));
}

/* --- its rows --- */

static int64_t churn_ends_ms;

void living_churn_for(struct sim *sim, int64_t duration_ms)
{
    churn_ends_ms =
        duration_ms == INT64_MAX ? INT64_MAX : sim->clock.now_ms + duration_ms;
    sim->on_moment = sim->on_moment == NULL ? living_churn : sim->on_moment;
}

void living_churn(struct sim *sim)
{
    struct fake_upstream *table = living_table(sim);
    int64_t key = LIVING_STILL + 1 + (int64_t)rng_below(&sim->rng, KEYS);

    if (sim->clock.now_ms >= churn_ends_ms) {
        return;
    }
    if (fake_rows_get(&table->data, key) == FAKE_NO_ROW) {
        fake_mysql_insert(sim->db, table, key);
    } else if (rng_below(&sim->rng, 3) == 0) {
        fake_mysql_delete(sim->db, table, key);
    } else {
        fake_mysql_update(sim->db, table, key);
    }
}

void living_calm(struct sim *sim)
{
    sim->on_moment = NULL;
    sim_run_for(sim, 2 * MINUTE_MS);
}

/* --- what it says --- */

bool living_is_ready(struct sim *sim)
{
    return shop_is_ready(sim, LIVING);
}

bool living_is_stalled(struct sim *sim)
{
    return strcmp(shop_condition(sim, LIVING, "Stalled"), "True") == 0;
}

bool living_has_new_sink(struct sim *sim)
{
    return fake_rw_count(shop_rw(sim), FAKE_SINK, "tablesync") == 1 &&
           !sv_ends(sv_from(living_sink(sim)->name), SV("_v1")) && living_is_ready(sim);
}

bool living_is_handled(struct sim *sim)
{
    const char *token = json_path_string(shop_find(sim, LIVING), "status.resync.token");
    const char *state = json_path_string(shop_find(sim, LIVING), "status.resync.state");

    return token != NULL && state != NULL && strcmp(state, "Done") == 0 &&
           strcmp(token, json_path_string(shop_find(sim, LIVING), "spec.resyncToken")) ==
               0 &&
           living_is_ready(sim);
}

void living_check_reason(struct sim *sim, const char *type, const char *reason)
{
    if (strcmp(shop_reason(sim, LIVING, type), reason) != 0) {
        check_fail(sim, "%s is %s (%s), not %s", type, shop_reason(sim, LIVING, type),
                   shop_message(sim, LIVING, type), reason);
    }
}

void living_check_settled(struct sim *sim)
{
    check_run_until(sim, living_is_ready, 5 * MINUTE_MS);
    check_quiet_looks(sim, 1);
    check_world(sim);
}

void living_check_statements(struct sim *sim, int64_t skipped,
                             const struct living_statement *expected, size_t count)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    const struct audit_filter all = {.limit = 100000};
    struct audit_details details = {0};
    struct fault fault = FAULT_INIT;

    if (!audit_query_details(sim->audit, &all, arena, &details, &fault)) {
        check_fail(sim, "audit: %s", fault.text);
    }
    for (size_t i = 0; i < count; i++) {
        size_t at = (size_t)skipped + i;
        const char *seen = at < details.steps.n ? details.steps.v[at].statement : "";

        if (strstr(seen, expected[i].first) == NULL ||
            strstr(seen, expected[i].second) == NULL) {
            check_fail(sim, "statement %zu is '%s', not '%s ... %s'", i + 1, seen,
                       expected[i].first, expected[i].second);
        }
    }
    if (details.steps.n != (size_t)skipped + count) {
        check_fail(sim, "%zu statements more, first: %s",
                   details.steps.n - (size_t)skipped - count,
                   details.steps.v[(size_t)skipped + count].statement);
    }
}

/* --- accidents on the way --- */

void living_starrocks_is_down(struct sim *sim)
{
    shop_sr(sim)->down = true;
    sim_run_for(sim, 40000);
    shop_sr(sim)->down = false;
}

void living_risingwave_recovers(struct sim *sim)
{
    shop_rw(sim)->recovering = true;
    sim_run_for(sim, 30000);
    shop_rw(sim)->recovering = false;
}

void living_controller_restarts(struct sim *sim)
{
    for (int i = 0; i < 5; i++) {
        sim_restart(sim);
        sim_run_for(sim, 4000);
    }
}

void living_nothing_can_be_trusted(struct sim *sim)
{
    sim_plan(sim, SIM_RANDOM, 0, 0);
    sim->faults.permille = 150;
    sim_run_for(sim, 5 * MINUTE_MS);
    sim_plan(sim, SIM_NO_FAULTS, 0, 0);
}
