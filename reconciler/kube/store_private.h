/* store_private: what the files of the store share. */
#ifndef KUBE_STORE_PRIVATE_H
#define KUBE_STORE_PRIVATE_H

#include "kube/shelf.h"
#include "kube/store.h"

#include <pthread.h>

#define STORE_GRAVES                                                                     \
    512 /* uids remembered as deleted: longer than answers are on their way */
#define STORE_UID_SIZE 64

struct kube_store {
    pthread_mutex_t lock;
    struct shelf *objects;
    const struct strlist *namespaces; /* NULL: one list is all; set before the threads */
    uint64_t awaited;                 /* a bit for each list that has not come yet */
    kube_tagger *tagger;              /* set before the threads start */
    const char *annotations;          /* the same */
    struct packer *packer;            /* the same; NULL: texts are kept as they are */
    char graves[STORE_GRAVES][STORE_UID_SIZE];
    size_t next_grave;
};

void store_lock(struct kube_store *store);
void store_unlock(struct kube_store *store);

/* -1, 0, 1; versions that are not numbers are only equal or unknown (then 1: take it).
 * Numbers may be compared within one resource type (KEP-5504). */
int store_version_compare(struct sv a, struct sv b);

/* Remembers the uid as deleted. */
void store_bury(struct kube_store *store, struct sv uid);

/* NULL when the tree is no object, or one whose identity is monstrous. */
struct held *store_hold(struct kube_store *store, const struct json *json,
                        const struct kube_resource *resource, bool local);

#endif
