/*
 * conn_scene: a loop whose API server is a function that holds one DatabaseConnection and
 * its Secrets, and whose database servers say what a test lets them.
 */
#ifndef CONN_SCENE_H
#define CONN_SCENE_H

#include "loop_unit.h"

#include "model/spec.h"

#define CONN_KEY LOOP_KEY_CONN "shop/c"

struct conn_scene {
    struct unit_clock clock;
    struct unit_kube kube;
    struct unit_db db;
    struct cancel root;
    struct loop *loop;
    const char *type, *more; /* of the connection's spec */
    bool gone, held, deleting;
    int64_t generation;
    struct json *status;    /* of the connection as the API server has it */
    const char *reason;     /* of the fault that the database servers answer */
    enum fault_class class; /* FAULT_UNAVAILABLE unless a test says otherwise */
    const char *secret;     /* the login Secret's data; NULL: it does not exist */
    int64_t secret_version;
    int64_t versions; /* resourceVersions given */
    int64_t status_writes, patches, events;
    int patch_status;      /* what a patch of finalizers is answered; 0: it works */
    struct buf all_events; /* "Warning/AuthFailed " of each */
};

int conn_scene_up(void **state);
int conn_scene_down(void **state);

/* The connection anew: its type and what else its spec holds (begins with a comma). */
void conn_scene_connection(struct conn_scene *s, const char *type, const char *more);
/* A TableSync of MySQL database shop that uses connection "c" in the role of its type. */
void conn_scene_user(struct conn_scene *s, const char *name, const char *more_metadata,
                     const char *status);
void conn_scene_user_gone(struct conn_scene *s, const char *name);
/* Somebody asks for the deletion; without finalizers the connection is gone at once. */
void conn_scene_delete(struct conn_scene *s);
/* One look, with what the API server has in the store. */
void conn_scene_look(struct conn_scene *s);
/* Whether `key` is ready in the queue now; all that is ready is taken. */
bool conn_scene_woken(struct conn_scene *s, const char *key);
/* The condition's message; fails unless it stands with this status and reason. */
const char *conn_scene_expect(struct conn_scene *s, const char *type, const char *status,
                              const char *reason);

#define CONN_TEST(name)                                                                  \
    cmocka_unit_test_setup_teardown(name, conn_scene_up, conn_scene_down)

#endif
