/* One attempt at a table that was loaded before, with servers that answer by script. */
#ifndef WATCH_SCENE_H
#define WATCH_SCENE_H

#include "loop_unit.h"

#include "loop/steps.h"

#define WATCH_CHECKS_MAX 8

struct watch_scene {
    struct unit_clock clock;
    struct unit_kube kube;
    struct unit_db db;
    struct cancel root;
    struct loop *loop;
    struct attempt a;

    struct source_db source;
    struct stream_db stream;
    /* What the servers answer. */
    int64_t source_rows, stream_rows; /* -1: MySQL takes too long */
    int64_t counts[WATCH_CHECKS_MAX];
    bool complete;
    struct mysql_tables siblings;
    struct rw_snapshot snapshot;
    struct rw_backlog backlog;
    struct rw_offset offset;
    struct binlog_answer binlog;
    enum fault_class refusal; /* FAULT_NONE, or of what the next count fails with */
    /* What they were asked. */
    int64_t counted_source, counted_stream, counted_losses, listed;
    int64_t source_rows_max;
    struct loss_check checks[WATCH_CHECKS_MAX];
    size_t check_count;
    int64_t events, source_closes;

    struct observation rw, sr, mysql;
    struct mysql_table table;
};

int watch_scene_setup(void **state);
int watch_scene_teardown(void **state);

/*
 * The next attempt: status and conditions of the last one are what it finds. In the
 * catalogs are the CDC table (id 17, columns id and note), known to status as loaded, the
 * sink (id 30) and the target with our mark.
 */
void watch_scene_next(struct watch_scene *s);
/* The shared source is in the catalog, too (id 9, "src_shop"). */
void watch_scene_source(struct watch_scene *s);
/* Leaves arena and attempt of the last one behind as a controller's restart would. */
void watch_scene_restart(struct watch_scene *s);

void watch_scene_before(struct watch_scene *s, enum condition condition,
                        const char *reason, const char *message);
const struct kube_condition *watch_scene_condition(const struct watch_scene *s,
                                                   enum condition condition);

#endif
