/* lane_scene: lanes over counting databases and a clock to turn, for the tests of lanes.
 */
#ifndef LANE_SCENE_H
#define LANE_SCENE_H

#include "loop_unit.h"

struct lane_scene {
    struct unit_clock clock;
    struct unit_db db;
    struct cancel root;
    struct lanes *lanes;
};

extern const struct dbconn lane_mysql, lane_rw, lane_sr;

/* Setup and teardown of a test; *state is the scene. Teardown asks that no session
 * leaked. */
int lane_scene_up(void **state);
int lane_scene_down(void **state);
/* Opens or fails the test. */
struct session lane_scene_open(struct lane_scene *s, struct lane *lane,
                               const struct dbconn *conn);

#define LANE_TEST(name)                                                                  \
    cmocka_unit_test_setup_teardown(name, lane_scene_up, lane_scene_down)

#endif
