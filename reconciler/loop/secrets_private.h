/* secrets_private: what secrets.c and secrets_read.c share; nobody else includes it. */
#ifndef LOOP_SECRETS_PRIVATE_H
#define LOOP_SECRETS_PRIVATE_H

#include "loop/secrets.h"

#include <pthread.h>

struct secrets {
    struct kube_api *api;
    struct lg *lg;
    struct rng rng;
    bool watch;
    void (*on_change)(void *context, const char *key);
    void *context;
    pthread_mutex_t lock;
    struct map *by_key;
};

/* The watched copy, when there is one that has synced; otherwise a watch is begun. */
struct kube_object *secrets_watched(struct secrets *secrets, const char *key,
                                    const char *namespace, const char *name);
/* Remembers what a read past the watch answered, for the watch's first list. */
void secrets_note_given(struct secrets *secrets, const char *key, const char *version);

#endif
