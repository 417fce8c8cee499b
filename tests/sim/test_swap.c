/*
 * A sink replaced while rows are inserted, changed and deleted at every virtual moment:
 * in the end every row is there, none that MySQL deleted, and none of an older version.
 */
#include "living.h"

#include <stdio.h>

#define SEEDS (SIM_SLOWER > 1 ? 2 : 6)

static int64_t old_lag_ms, new_lag_ms;
static bool clears;     /* the target is to be emptied */
static size_t seen;     /* sinks at the last moment */
static bool was_paused; /* the successor, while the old one delivers */

static size_t set_lags(struct sim *sim)
{
    const struct fake_rw *rw = shop_rw(sim);
    size_t sinks = 0;

    for (size_t i = 0; i < rw->objects.n; i++) {
        if (rw->objects.v[i]->kind == FAKE_SINK) {
            bool old = sv_ends(sv_from(rw->objects.v[i]->name), SV("_v1"));

            rw->objects.v[i]->lag_ms = old ? old_lag_ms : new_lag_ms;
            sinks++;
        }
    }
    return sinks;
}

/* Two sinks never both deliver again once the old one is waited for, and it goes only
 * while its successor holds back. */
static void watch_order(struct sim *sim, size_t sinks)
{
    const struct fake_stream_object *newest = living_sink(sim);

    if (sinks == 2 && newest->rate_limit == 0) {
        was_paused = true;
        if (!newest->built) {
            sim_violation(sim, "%s is paused before its backfill is done", newest->name);
        }
    } else if (sinks == 2 && was_paused) {
        sim_violation(sim, "%s goes on while the old sink is there", newest->name);
    } else if (sinks == 1 && seen == 2) {
        if (newest->rate_limit != 0) {
            sim_violation(sim, "the old sink went while %s delivers", newest->name);
        }
        was_paused = false;
    }
    seen = sinks;
}

/* Rows that nobody touches are always in the target; a cleared one gets them as soon as
 * the new CDC table is there as a whole, and not before it is cleared. */
static void watch_target(struct sim *sim)
{
    const struct fake_sr_table *target = living_target(sim);
    const struct fake_stream_object *stream = living_stream(sim);

    fake_db_tick(sim->db);
    for (int64_t key = 1; key <= LIVING_STILL; key++) {
        bool there = target != NULL && fake_rows_get(&target->data, key) != FAKE_NO_ROW;

        if (!there && !(clears && stream->live)) {
            sim_violation(sim, "the target lacks row %lld for a while", (long long)key);
        }
    }
}

static void churn_and_watch(struct sim *sim)
{
    size_t sinks = set_lags(sim);

    watch_order(sim, sinks);
    watch_target(sim);
    living_churn(sim);
}

static void add_column(struct sim *sim)
{
    living_add(sim, "remark", "varchar(20)");
}

static void widen(struct sim *sim)
{
    living_modify(sim, "qty", "bigint");
}

static void in_place(struct sim *sim)
{
    living_resync(sim, "once", "InPlace");
}

static void truncated(struct sim *sim)
{
    living_resync(sim, "once", "Truncate");
}

static void recreated(struct sim *sim)
{
    living_resync(sim, "once", "Recreate");
}

static const struct {
    const char *name;
    void (*begin)(struct sim *sim);
    bool clears;
} reasons[] = {{"a new column", add_column, false},
               {"a wider type", widen, false},
               {"a re-sync InPlace", in_place, false},
               {"a re-sync Truncate", truncated, true},
               {"a re-sync Recreate", recreated, true}};

static const struct {
    const char *name;
    int64_t old_ms, new_ms;
} lags[] = {{"both are quick", 500, 500},
            {"the old one lags", 45000, 500},
            {"the new one lags", 500, 45000},
            {"both lag", 30000, 40000}};

static void swap_once(size_t why, size_t lag, uint64_t seed)
{
    struct sim *sim = living_open(seed);

    (void)snprintf(sim->label, sizeof(sim->label),
                   "%s, %s, seed %llu: ", reasons[why].name, lags[lag].name,
                   (unsigned long long)seed);
    old_lag_ms = lags[lag].old_ms;
    new_lag_ms = lags[lag].new_ms;
    clears = reasons[why].clears;
    seen = 1;
    was_paused = false;
    living_churn_for(sim, INT64_MAX);
    sim->on_moment = churn_and_watch;
    sim_run_for(sim, 20000);
    reasons[why].begin(sim);
    /* What comes last must not be covered up by later changes. */
    living_churn_for(sim, (int64_t)rng_below(&sim->rng, MINUTE_MS));
    check_run_until(sim, living_has_new_sink, 30 * MINUTE_MS);
    living_calm(sim);
    living_check_settled(sim);
    check_audit(sim);
    shop_close(sim);
}

static void no_row_is_lost_old_or_a_ghost(void **state)
{
    (void)state;
    for (size_t why = 0; why < COUNT_OF(reasons); why++) {
        for (size_t lag = 0; lag < COUNT_OF(lags); lag++) {
            for (uint64_t seed = 1; seed <= SEEDS; seed++) {
                swap_once(why, lag, seed);
            }
        }
    }
}

/* --- and if something comes between --- */

static void churn_with_lags(struct sim *sim)
{
    (void)set_lags(sim);
    living_churn(sim);
}

static void another_column_comes(struct sim *sim)
{
    living_add(sim, "second", "int");
    sim_run_for(sim, 2 * MINUTE_MS);
}

static void another_token_comes(struct sim *sim)
{
    living_resync(sim, "another", "InPlace");
    sim_run_for(sim, 2 * MINUTE_MS);
}

static void it_is_paused_for_a_while(struct sim *sim)
{
    living_edit(sim, "state", "\"Paused\"");
    sim_run_for(sim, 90000);
    living_edit(sim, "state", "\"Running\"");
}

static void the_new_sink_is_dropped(struct sim *sim)
{
    if (!sv_ends(sv_from(living_sink(sim)->name), SV("_v1"))) {
        fake_rw_remove(shop_rw(sim), living_sink(sim));
    }
}

static const struct {
    const char *name;
    void (*happens)(struct sim *sim);
} accidents[] = {{"StarRocks is down", living_starrocks_is_down},
                 {"RisingWave recovers", living_risingwave_recovers},
                 {"restarts", living_controller_restarts},
                 {"faults", living_nothing_can_be_trusted},
                 {"another column", another_column_comes},
                 {"another token", another_token_comes},
                 {"a pause", it_is_paused_for_a_while},
                 {"the new sink is dropped", the_new_sink_is_dropped}};

static void swap_with(size_t why, size_t accident, uint64_t seed)
{
    struct sim *sim = living_open(seed);

    (void)snprintf(sim->label, sizeof(sim->label), "%s, %s, %llu: ", reasons[why].name,
                   accidents[accident].name, (unsigned long long)seed);
    old_lag_ms = 500 + (int64_t)rng_below(&sim->rng, 30000);
    new_lag_ms = 500 + (int64_t)rng_below(&sim->rng, 30000);
    living_churn_for(sim, INT64_MAX);
    sim->on_moment = churn_with_lags;
    sim_run_for(sim, 10000);
    reasons[why].begin(sim);
    sim_run_for(sim, (int64_t)rng_below(&sim->rng, MINUTE_MS));
    accidents[accident].happens(sim);
    /* What comes last must not be covered up by later changes. */
    living_churn_for(sim, (int64_t)rng_below(&sim->rng, MINUTE_MS));
    check_run_until(sim, living_has_new_sink, 60 * MINUTE_MS);
    living_calm(sim);
    if (accidents[accident].happens == the_new_sink_is_dropped) {
        /* With it went deletions of rows that it had written after the old one had
         * deleted them: nobody can know. */
        check_quiet_looks(sim, 1);
        check_world_but_ghosts(sim);
    } else {
        living_check_settled(sim);
    }
    check_audit(sim);
    shop_close(sim);
}

static void nor_when_something_comes_between(void **state)
{
    (void)state;
    for (size_t why = 0; why < COUNT_OF(reasons); why++) {
        for (size_t accident = 0; accident < COUNT_OF(accidents); accident++) {
            for (uint64_t seed = 1; seed <= SEEDS / 2; seed++) {
                swap_with(why, accident, seed);
            }
        }
    }
}

int run_swap_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_row_is_lost_old_or_a_ghost),
        cmocka_unit_test(nor_when_something_comes_between),
    };

    return cmocka_run_group_tests_name("swap", tests, NULL, NULL);
}
