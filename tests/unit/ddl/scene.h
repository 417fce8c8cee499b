/* scene: a fixture, a world for it, and the plan between them. */
#ifndef UNIT_DDL_SCENE_H
#define UNIT_DDL_SCENE_H

#include "unit.h"
#include "world.h"

struct scene {
    struct fixture *f;
    struct world w;
    struct desired_input in; /* what a test changes of it, before scene_plan() */
    struct desired d;
    struct plan plan;
};

/* An empty world with a target database; a table with a cast key and a plain column. */
void scene_open(struct scene *s, void **state);
bool scene_plan(struct scene *s, struct fault *fault);
void scene_apply(struct scene *s);    /* carries the plan out */
void scene_converge(struct scene *s); /* plan, apply; a second plan must be empty */
const char *scene_sql(const struct scene *s, size_t index); /* of one step */

#endif
