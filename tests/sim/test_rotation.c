/*
 * Passwords change and servers move while rows are inserted, changed and deleted at every
 * virtual moment: in the end every row is there, none that MySQL deleted, nothing was
 * loaded again, and the statements were as few as they can be.
 */
#include "living.h"
#include "rotate.h"

#define SEEDS (SIM_SLOWER > 1 ? 2 : 8)

#define draw(sim, bound) rng_below(&(sim)->rng, (uint64_t)(bound))

/* --- the target's password --- */

static bool ghosts_were; /* at some moment the target held rows that MySQL had not */

/* Sooner or later nothing changes any more: a row that was left behind must not be
 * covered up by what comes after it. */
static void calm_down(struct sim *sim)
{
    living_churn_for(sim, (int64_t)draw(sim, 90000));
}

/* The sink's successor holds back while rows are deleted in its stead. */
static void churn_and_look(struct sim *sim)
{
    struct fake_difference d = {0};

    fake_db_tick(sim->db);
    (void)fake_rows_differ(&living_stream(sim)->data, &living_target(sim)->data, &d);
    ghosts_were = ghosts_were || d.ghosts > 0;
    living_churn(sim);
}

static void the_targets_password_rotates(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sim *sim = rotate_open("StarRocks' password", seed);

        ghosts_were = false;
        sim->on_moment = churn_and_look;
        rotate_server(sim, ROTATE_STARROCKS);
        calm_down(sim);
        sim_run_for(sim, (int64_t)draw(sim, 3 * MINUTE_MS));
        rotate_secret(sim, ROTATE_STARROCKS);
        check_run_until(sim, living_has_new_sink, 20 * MINUTE_MS);
        assert_true(ghosts_were);
        rotate_close(sim);
    }
}

static const char *last_trigger(struct sim *sim)
{
    const char *text = json_path_string(shop_find(sim, LIVING), "status.lastRun.trigger");

    return text == NULL ? "" : text;
}

static bool is_updating(struct sim *sim)
{
    return strcmp(shop_reason(sim, LIVING, "Ready"), "Updating") == 0;
}

static void it_says_what_it_does(void **state)
{
    struct sim *sim = rotate_open("what it says", 1);

    (void)state;
    rotate_server(sim, ROTATE_STARROCKS);
    /* A row that only the old sink's log store knows to be gone. */
    fake_mysql_delete(sim->db, living_table(sim), 1);
    sim_run_for(sim, 20000);
    rotate_secret(sim, ROTATE_STARROCKS);
    check_run_until(sim, is_updating, 5 * MINUTE_MS);
    if (strstr(shop_message(sim, LIVING, "Ready"), "rows wait in RisingWave") == NULL ||
        strcmp(shop_phase(sim, LIVING), "Streaming") != 0) {
        check_fail(sim, "it says: %s", shop_message(sim, LIVING, "Ready"));
    }
    check_run_until(sim, living_has_new_sink, 20 * MINUTE_MS);
    assert_string_equal(last_trigger(sim), "Secret");
    assert_int_equal(fake_kube_events_of(sim->kube, LIVING, "DeleteGhosts"), 1);
    assert_int_equal(fake_rows_get(&living_target(sim)->data, 1), FAKE_NO_ROW);
    rotate_close(sim);
}

/* --- accidents on the way --- */

static enum rotate_what rotated;

static void it_rotates_again(struct sim *sim)
{
    rotate_server(sim, rotated);
    sim_run_for(sim, (int64_t)draw(sim, MINUTE_MS));
    rotate_secret(sim, rotated);
}

static void it_goes_back(struct sim *sim)
{
    rotate_back(sim, rotated);
}

static void the_secret_is_wrong_for_a_while(struct sim *sim)
{
    rotate_wrong(sim, rotated);
    sim_run_for(sim, 2 * MINUTE_MS);
    rotate_secret(sim, rotated);
}

static void a_column_comes(struct sim *sim)
{
    living_add(sim, "second", "int");
}

static void it_is_paused_for_a_while(struct sim *sim)
{
    living_edit(sim, "state", "\"Paused\"");
    sim_run_for(sim, 90000);
    living_edit(sim, "state", "\"Running\"");
}

static void the_server_moves_too(struct sim *sim)
{
    rotate_move(sim, rotated);
    sim_run_for(sim, (int64_t)draw(sim, 30000));
    rotate_follow(sim, rotated);
}

static const struct {
    const char *name;
    void (*happens)(struct sim *sim);
} accidents[] = {{"StarRocks is down", living_starrocks_is_down},
                 {"RisingWave recovers", living_risingwave_recovers},
                 {"restarts", living_controller_restarts},
                 {"faults", living_nothing_can_be_trusted},
                 {"once more", it_rotates_again},
                 {"and back", it_goes_back},
                 {"wrong for a while", the_secret_is_wrong_for_a_while},
                 {"a column", a_column_comes},
                 {"a pause", it_is_paused_for_a_while},
                 {"a move", the_server_moves_too}};

static void rotate_with(enum rotate_what what, size_t accident, uint64_t seed)
{
    struct sim *sim = rotate_open(accidents[accident].name, seed);

    rotated = what;
    rotate_server(sim, what);
    calm_down(sim);
    sim_run_for(sim, (int64_t)draw(sim, 30000));
    rotate_secret(sim, what);
    sim_run_for(sim, (int64_t)draw(sim, 30000));
    accidents[accident].happens(sim);
    check_run_until(sim, rotate_is_current, 60 * MINUTE_MS);
    rotate_close(sim);
}

static void nor_is_a_row_lost_when_something_comes_between(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(accidents); i++) {
        for (uint64_t seed = 1; seed <= (SEEDS + 1) / 2; seed++) {
            rotate_with(ROTATE_STARROCKS, i, seed);
        }
        rotate_with(ROTATE_MYSQL, i, 1);
    }
}

/* --- wrong passwords, and moves --- */

static void a_wrong_password_tears_nothing_down(void **state)
{
    static const enum rotate_what both[] = {ROTATE_MYSQL, ROTATE_STARROCKS};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(both); i++) {
        struct sim *sim = rotate_open("a wrong password", i);
        int64_t applies = sim->applies_ever;

        rotate_wrong(sim, both[i]);
        sim_run_for(sim, 5 * MINUTE_MS);
        living_check_reason(sim, "ConnectionsReady", "AuthFailed");
        assert_int_equal(sim->applies_ever, applies);
        rotate_back(sim, both[i]);
        check_run_until(sim, living_is_ready, 5 * MINUTE_MS);
        assert_int_equal(sim->applies_ever, applies);
        rotate_close(sim);
    }
}

static void servers_move(void **state)
{
    static const enum rotate_what both[] = {ROTATE_MYSQL, ROTATE_STARROCKS};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(both); i++) {
        struct sim *sim = rotate_open("a move", i);

        rotate_move(sim, both[i]);
        calm_down(sim);
        sim_run_for(sim, (int64_t)draw(sim, 3 * MINUTE_MS));
        rotate_follow(sim, both[i]);
        check_run_until(sim, rotate_is_current, 20 * MINUTE_MS);
        assert_string_equal(last_trigger(sim), "Connection");
        rotate_close(sim);
    }
}

int run_rotation_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_targets_password_rotates),
        cmocka_unit_test(it_says_what_it_does),
        cmocka_unit_test(nor_is_a_row_lost_when_something_comes_between),
        cmocka_unit_test(a_wrong_password_tears_nothing_down),
        cmocka_unit_test(servers_move),
    };

    return cmocka_run_group_tests_name("rotation", tests, NULL, NULL);
}
