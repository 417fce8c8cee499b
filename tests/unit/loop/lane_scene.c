#include "lane_scene.h"

#include "base/heap.h"

const struct dbconn lane_mysql = {.type = DBCONN_MYSQL, .host = "m"};
const struct dbconn lane_rw = {.type = DBCONN_RISINGWAVE, .host = "r"};
const struct dbconn lane_sr = {.type = DBCONN_STARROCKS, .host = "s"};

int lane_scene_up(void **state)
{
    struct lane_scene *s = HEAP_NEW(struct lane_scene);
    struct fault fault = FAULT_INIT;

    unit_clock_init(&s->clock);
    unit_db_init(&s->db);
    assert_ok(cancel_init_root(&s->root, &s->clock.base, &fault), fault);
    s->lanes = lanes_new(&s->db.base, &s->clock.base, 1);
    *state = s;
    return 0;
}

int lane_scene_down(void **state)
{
    struct lane_scene *s = *state;
    int64_t left = 0;

    lanes_free(s->lanes);
    cancel_deinit(&s->root);
    left = s->db.opens - s->db.closes;
    heap_free(s);
    assert_int_equal(left, 0);
    return 0;
}

struct session lane_scene_open(struct lane_scene *s, struct lane *lane,
                               const struct dbconn *conn)
{
    const struct db_endpoint endpoint = {.conn = conn, .user = "u"};
    struct fault fault = FAULT_INIT;
    struct session session = {0};

    assert_ok(session_open(lane, &endpoint, NULL, &s->root, &session, &fault), fault);
    return session;
}
