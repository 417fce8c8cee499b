/* circuit_scene: lanes whose hooks note what they are told, for the tests of circuit.c.
 */
#ifndef CIRCUIT_SCENE_H
#define CIRCUIT_SCENE_H

#include "lane_scene.h"

#include "loop/lanes.h"

#define TOLD_MAX 64

struct told { /* what the hooks were told */
    char woken[TOLD_MAX][32];
    int64_t delay_ms[TOLD_MAX];
    enum queue_priority priority[TOLD_MAX];
    size_t n;
    int fell, rose; /* of connection ns/a */
    int64_t pause_ms;
};

extern struct told told;
extern struct lane_scene *scene;
extern struct lane_numbers numbers; /* of ns/a, at the last look */

int circuit_scene_up(void **state);
/* Keys that begin with 'U' are urgent.
 * How often a key was told that its turn has come. */
size_t called(const char *key);
bool enter(struct lane *lane, const char *key, struct session *out_session,
           struct fault *fault);
void expect_enter(struct lane *lane, const char *key, struct session *out_session);
void expect_parked(struct lane *lane, const char *key);
/* A question that nothing remembered answers. */
bool ask(struct session *session, struct fault *fault);
void expect_answer(struct session *session);
/* A lane whose server has answered. */
struct lane *trusted_lane(const char *key);
void look(void);

#define CIRCUIT_TEST(name)                                                               \
    cmocka_unit_test_setup_teardown(name, circuit_scene_up, lane_scene_down)

#endif
