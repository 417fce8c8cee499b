/*
 * lease_scene: an API server that holds one Lease, candidates at it, and a clock that
 * tests turn. Requests can be refused, lost, answered late, or answered and lost.
 */
#ifndef LEASE_SCENE_H
#define LEASE_SCENE_H

#include "loop_unit.h"

#include "kube/lease.h"
#include "loop/leader.h"

#define LEASE_MS 30000
#define RENEW_MS 20000
#define RETRY_MS 4000

struct lease_scene {
    struct kube_transport base;
    struct unit_clock clock;
    struct cancel root;
    struct json *lease; /* NULL: there is none */
    int64_t version;
    int64_t gets, posts, puts;

    /* Faults; they stay until a test takes them away. */
    _Atomic int status;  /* all requests are answered this; 0: as they should be */
    int retry_after_s;   /* ... and this */
    bool unreachable;    /* no request arrives */
    bool deaf;           /* writes arrive, their answers do not */
    int64_t lasts_ms;    /* every answer comes that late */
    int64_t pause_ms;    /* so long the process is stopped while a write is answered */
    int64_t limit_ms;    /* what the last request's cancel would have waited */
    const char *strange; /* body of every answer; NULL: the Lease */

    struct leader *a, *b; /* two candidates */
};

int lease_scene_up(void **state);
int lease_scene_down(void **state);

int64_t lease_turn(struct lease_scene *s, struct leader *leader);
/* Turns until it leads, as its thread would; fails after a minute. Returns how long. */
int64_t lease_until_leads(struct lease_scene *s, struct leader *leader);
bool lease_may_write(struct leader *leader);
/* What the Lease says; it must exist. */
struct lease_record lease_said(const struct lease_scene *s);
/* Somebody writes the Lease: `change` is merged into its spec (text) or number. */
void lease_edit(struct lease_scene *s, const char *field, const char *text);
void lease_edit_int(struct lease_scene *s, const char *field, int64_t number);
/* As another candidate writes it, at a time that its own clock shows. */
void lease_other_renews(struct lease_scene *s, const char *holder, int64_t duration_s,
                        int64_t wall_ms);

#define LEASE_TEST(name)                                                                 \
    cmocka_unit_test_setup_teardown(name, lease_scene_up, lease_scene_down)

#endif
