/* What several workers share: one read, one turn for DDL. */
#include "loop_unit.h"

#include "loop/lanes.h"

#include <stdio.h>

#define WORKERS 4

struct crew {
    struct lanes *lanes;
    struct unit_db db;
    struct cancel root;
    struct flag entered; /* a worker is about to observe */
    struct flag reading; /* a read has begun */
    int64_t wait_for;    /* workers that must have entered before the first read ends */
    bool fails_once;
    atomic_int answers, parked, keys, woken;
};

static bool slow_read(struct unit_db *db, struct fault *fault)
{
    struct crew *crew = db->context;
    bool first = db->reads == 1;

    flag_raise(&crew->reading);
    if (!first) {
        return true;
    }
    assert_true(flag_wait(&crew->entered, crew->wait_for, 10000));
    /* All the others are on their way; whoever does not wait for us reads now. */
    (void)flag_wait(&crew->reading, 2, 150);
    return !crew->fails_once ||
           fault_set(fault, FAULT_UNAVAILABLE, NULL, "cut in the middle");
}

static void *observe_once(void *argument)
{
    static const struct dbconn conn = {.type = DBCONN_RISINGWAVE, .host = "r"};
    struct crew *crew = argument;
    const struct db_endpoint endpoint = {.conn = &conn, .user = "u"};
    struct lane *lane = lane_get(crew->lanes, "ns/a", "1");
    struct session session = {0};
    struct observation *o = NULL;
    struct fault fault = FAULT_INIT;

    assert_true(session_open(lane, &endpoint, NULL, &crew->root, &session, &fault));
    flag_raise(&crew->entered);
    if (lane_observe(&session, OBSERVE_CATALOG, "x", 60000, &crew->root, &o, &fault)) {
        crew->answers += strcmp(o->u.rw.tables.v[0].name, "x") == 0 ? 1 : 0;
        observation_put(o);
        session_close(&session, NULL);
    } else {
        session_close(&session, &fault);
    }
    lane_put(lane);
    return NULL;
}

static void run_crew(struct crew *crew)
{
    struct fault fault = FAULT_INIT;
    pthread_t threads[WORKERS];

    unit_db_init(&crew->db);
    crew->db.context = crew;
    crew->db.on_read = slow_read;
    crew->wait_for = WORKERS;
    flag_init(&crew->entered);
    flag_init(&crew->reading);
    assert_ok(cancel_init_root(&crew->root, clock_system(), &fault), fault);
    crew->lanes = lanes_new(&crew->db.base, clock_system(), 1);
    for (size_t i = 0; i < WORKERS; i++) {
        must(pthread_create(&threads[i], NULL, observe_once, crew) == 0);
    }
    for (size_t i = 0; i < WORKERS; i++) {
        must(pthread_join(threads[i], NULL) == 0);
    }
    lanes_free(crew->lanes);
    cancel_deinit(&crew->root);
    flag_deinit(&crew->entered);
    flag_deinit(&crew->reading);
}

static void workers_share_one_read(void **state)
{
    struct crew crew = {0};

    (void)state;
    run_crew(&crew);
    assert_int_equal(crew.answers, WORKERS);
    assert_int_equal(crew.db.reads, 1);
}

/* The one that reads may fail; those that waited for it ask themselves. */
static void a_failed_read_does_not_fail_the_others(void **state)
{
    struct crew crew = {.fails_once = true};

    (void)state;
    run_crew(&crew);
    assert_int_equal(crew.answers, WORKERS - 1);
    assert_in_range(crew.db.reads, 2, WORKERS);
}

/* --- the turn for DDL --- */

struct turn {
    struct lane *lane;
    struct cancel root;
    struct flag asking, got;
    bool answer;
};

static void *ask_for_turn(void *argument)
{
    struct turn *turn = argument;
    struct fault fault = FAULT_INIT;
    struct cancel child;

    cancel_init_child(&child, &turn->root, 10000);
    flag_raise(&turn->asking);
    turn->answer = lane_begin_ddl(turn->lane, "second", &child, &fault);
    if (turn->answer) {
        lane_end_ddl(turn->lane);
    } else {
        assert_int_equal(fault.class, FAULT_CANCELLED);
    }
    flag_raise(&turn->got);
    return NULL;
}

static void with_turn(bool stop, bool expect_turn)
{
    struct unit_db db;
    struct lanes *lanes = NULL;
    struct turn turn = {0};
    struct fault fault = FAULT_INIT;
    pthread_t thread;

    unit_db_init(&db);
    lanes = lanes_new(&db.base, clock_system(), 1);
    turn.lane = lane_get(lanes, "ns/a", "1");
    flag_init(&turn.asking);
    flag_init(&turn.got);
    assert_ok(cancel_init_root(&turn.root, clock_system(), &fault), fault);
    assert_ok(lane_begin_ddl(turn.lane, "first", &turn.root, &fault), fault);
    must(pthread_create(&thread, NULL, ask_for_turn, &turn) == 0);
    assert_true(flag_wait(&turn.asking, 1, 10000));
    assert_false(flag_wait(&turn.got, 1, 50)); /* it is ours */
    if (stop) {
        cancel_fire(&turn.root);
    } else {
        lane_end_ddl(turn.lane);
    }
    assert_true(flag_wait(&turn.got, 1, 5000));
    must(pthread_join(thread, NULL) == 0);
    assert_int_equal(turn.answer, expect_turn);
    if (stop) {
        lane_end_ddl(turn.lane);
    }
    lane_put(turn.lane);
    lanes_free(lanes);
    cancel_deinit(&turn.root);
    flag_deinit(&turn.asking);
    flag_deinit(&turn.got);
}

/* --- a server that no login has worked on yet --- */

static bool slow_refusal(struct unit_db *db, struct fault *fault)
{
    struct crew *crew = db->context;

    db->closes++;
    flag_raise(&crew->reading);
    /* Whoever does not wait for our answer logs in now. */
    (void)flag_wait(&crew->reading, 2, 150);
    return fault_set(fault, FAULT_DENIED, "AuthFailed", "no");
}

static bool slow_welcome(struct unit_db *db, struct fault *fault)
{
    struct crew *crew = db->context;

    (void)fault;
    flag_raise(&crew->reading);
    (void)flag_wait(&crew->reading, 2, 150);
    return true;
}

static void *open_once(void *argument)
{
    static const struct dbconn conn = {.type = DBCONN_MYSQL, .host = "m"};
    struct crew *crew = argument;
    const struct db_endpoint endpoint = {.conn = &conn, .user = "u"};
    struct lane *lane = lane_get(crew->lanes, "ns/a", "1");
    struct session session = {0};
    struct fault fault = FAULT_INIT;
    char key[16];

    (void)snprintf(key, sizeof(key), "k%d", crew->keys++);
    if (session_open(lane, &endpoint, key, &crew->root, &session, &fault)) {
        crew->answers++;
        session_close(&session, NULL);
    } else if (lane_is_parked(&fault)) {
        crew->parked++;
    } else {
        crew->answers += strcmp(fault.reason, "AuthFailed") == 0 ? 1 : 0;
    }
    lane_put(lane);
    return NULL;
}

static void open_with_all(struct crew *crew)
{
    pthread_t threads[WORKERS];

    for (size_t i = 0; i < WORKERS; i++) {
        must(pthread_create(&threads[i], NULL, open_once, crew) == 0);
    }
    for (size_t i = 0; i < WORKERS; i++) {
        must(pthread_join(threads[i], NULL) == 0);
    }
}

static void woken(void *context, const char *key, int64_t delay_ms,
                  enum queue_priority priority)
{
    struct crew *crew = context;

    (void)key;
    /* The rest looks again by itself. */
    crew->woken += priority == QUEUE_LOW && delay_ms < 1000 ? 1 : 0;
}

static void told(void *context, const char *connection, int64_t pause_ms)
{
    (void)context;
    (void)connection;
    (void)pause_ms;
}

static void told_risen(void *context, const char *connection)
{
    told(context, connection, 0);
}

/* One tries, and the others are parked until it is known, or hear what it heard before:
 * also when the pause after it is over. */
static void one_at_a_time_tries_a_bad_login(void **state)
{
    struct crew crew = {0};
    struct unit_clock clock;
    struct fault fault = FAULT_INIT;

    (void)state;
    unit_db_init(&crew.db);
    unit_clock_init(&clock);
    crew.db.context = &crew;
    crew.db.on_open = slow_refusal;
    flag_init(&crew.reading);
    assert_ok(cancel_init_root(&crew.root, &clock.base, &fault), fault);
    crew.lanes = lanes_new(&crew.db.base, &clock.base, 1);
    lanes_listen(crew.lanes,
                 &(struct lanes_hooks){
                     .context = &crew, .wake = woken, .fell = told, .rose = told_risen});
    open_with_all(&crew);
    assert_int_equal(crew.answers + crew.parked, WORKERS);
    assert_int_equal(crew.db.opens, 1);
    assert_true(crew.woken >= crew.parked);
    crew.parked = 0;
    clock.now_ms += 60000;
    crew.reading.count = 0;
    crew.answers = 0;
    open_with_all(&crew);
    assert_int_equal(crew.answers, WORKERS);
    assert_int_equal(crew.db.opens, 2);
    /* Once a login has worked they come as they like. */
    crew.db.on_open = slow_welcome;
    clock.now_ms += 60000;
    crew.reading.count = 1;
    (void)open_once(&crew);
    assert_int_equal(crew.answers, WORKERS + 1);
    lanes_free(crew.lanes);
    cancel_deinit(&crew.root);
    flag_deinit(&crew.reading);
}

static void ddl_waits_for_its_turn(void **state)
{
    (void)state;
    with_turn(false, true);
}

static void a_stop_ends_the_wait(void **state)
{
    (void)state;
    with_turn(true, false);
}

static void a_deadline_ends_the_wait(void **state)
{
    struct unit_db db;
    struct lanes *lanes = NULL;
    struct lane *lane = NULL;
    struct cancel root, child;
    struct fault fault = FAULT_INIT;

    (void)state;
    unit_db_init(&db);
    lanes = lanes_new(&db.base, clock_system(), 1);
    lane = lane_get(lanes, "ns/a", "1");
    assert_ok(cancel_init_root(&root, clock_system(), &fault), fault);
    assert_ok(lane_begin_ddl(lane, NULL, &root, &fault), fault);
    cancel_init_child(&child, &root, 30);
    assert_false(lane_begin_ddl(lane, "k", &child, &fault));
    assert_true(lane_is_parked(&fault));
    lane_end_ddl(lane);
    lane_put(lane);
    lanes_free(lanes);
    cancel_deinit(&root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_share_one_read),
        cmocka_unit_test(a_failed_read_does_not_fail_the_others),
        cmocka_unit_test(one_at_a_time_tries_a_bad_login),
        cmocka_unit_test(ddl_waits_for_its_turn),
        cmocka_unit_test(a_stop_ends_the_wait),
        cmocka_unit_test(a_deadline_ends_the_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
