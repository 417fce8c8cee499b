/*
 * workbench: a loop without workers for commands that look and write nothing. What the
 * file holds is found there, everything else in the cluster, if there is one.
 */
#ifndef CMD_WORKBENCH_H
#define CMD_WORKBENCH_H

#include "cmd/cluster.h"
#include "cmd/documents.h"
#include "loop/loop.h"

struct tablesync;

struct workbench {
    const struct options *options;
    struct documents *documents; /* not owned */
    struct cluster cluster;
    struct loop *loop;
    struct kube_api api;
    struct cancel stop;
};

/*
 * A cluster that flags name must answer; one that only happens to be configured may be
 * away, which is said on standard error. `instance` names the command. Library set-up
 * must have happened (with_libraries).
 */
MUST_CHECK bool workbench_open(const struct options *options, struct documents *documents,
                               const char *instance, struct workbench *out_bench,
                               struct fault *fault);
void workbench_close(struct workbench *bench); /* fine when not open */

/* Brings a DatabaseConnection into the loop's store, if it exists anywhere. */
MUST_CHECK bool workbench_connection(struct workbench *bench, const char *namespace,
                                     const char *name, struct fault *fault);
/*
 * Takes a TableSync's document: gives it the uid and the status that the cluster knows,
 * decodes it, and brings it and its connections into the loop's stores. *out_key is its
 * queue key, in the arena.
 */
MUST_CHECK bool workbench_sync(struct workbench *bench, struct json *document,
                               struct arena *arena, struct tablesync *out_sync,
                               const char **out_key, struct fault *fault);

#endif
