/*
 * tags: what TableSyncs are found by in the store, so that no attempt parses all of them.
 * See kube/reflector.h.
 */
#ifndef LOOP_TAGS_H
#define LOOP_TAGS_H

#include "kube/reflector.h"

/* The taggers of the two stores; a DatabaseConnection only has a fingerprint. */
void tags_of_sync(struct sv text, struct kube_tags *out_tags);
void tags_of_conn(struct sv text, struct kube_tags *out_tags);

/* Every TableSync that names the connection, whatever for. */
uint64_t tags_connection(const char *namespace, const char *name);
/* Every TableSync of the namespace that names this table through this connection. */
uint64_t tags_target(const char *namespace, const char *connection, const char *database,
                     const char *table);
uint64_t tags_uid(struct sv uid);

#endif
