/*
 * attempt_scene: one TableSync in a loop whose API server is a function, and an attempt
 * at it that has come as far as a test likes.
 */
#ifndef ATTEMPT_SCENE_H
#define ATTEMPT_SCENE_H

#include "loop_unit.h"

#include "loop/steps.h"

struct scene {
    struct unit_clock clock;
    struct unit_kube kube;
    struct unit_db db;
    struct cancel root;
    struct loop *loop;
    struct attempt a;
    struct json *written; /* the status of the last apply; NULL: none */
    int64_t writes, events, removals, conflicts;
    char last_event[64];       /* its reason */
    char last_regarding[256];  /* kind/name uid of what it is about */
    struct buf all_events;     /* reasons with a blank behind each */
    int64_t writes_at_removal; /* how many came before the annotation went */
};

int scene_set_up(void **state);
int scene_tear_down(void **state);

/* An attempt that has come as far as `step`; scene_end() before the next one. */
void scene_begin(struct scene *s, const char *step);
void scene_end(struct scene *s);

const struct json *scene_condition(const struct json *status, const char *type);
/* Of the status written last; `status` NULL: the condition is not there. */
void scene_expect(const struct scene *s, const char *type, const char *status,
                  const char *reason);
/* The same of what the attempt holds, and its message. */
const char *scene_holds(const struct scene *s, enum condition condition,
                        const char *reason);

/* Adds a statement to the attempt's plan, whose hash follows from all of them. */
struct plan_step *scene_step(struct scene *s, enum plan_kind kind, const char *object,
                             enum plan_risk risk);

#define SCENE_TEST(name)                                                                 \
    cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)

#endif
