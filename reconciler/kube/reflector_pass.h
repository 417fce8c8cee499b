/*
 * reflector_pass: one list or one watch of a reflector. Private to the reflector's files:
 * reflector.c decides what comes after a pass and when, reflector_list.c and
 * reflector_watch.c carry it out.
 */
#ifndef KUBE_REFLECTOR_PASS_H
#define KUBE_REFLECTOR_PASS_H

#include "kube/errors.h"
#include "kube/reflector.h"

#define REFLECTOR_VERSION_SIZE 128

struct reflector_pass {
    struct reflector *r;
    struct cancel *cancel;
    char resource_version[REFLECTOR_VERSION_SIZE]; /* where the next watch begins */
};

/* How a watch ended, which is what to do next. The fault is set unless REOPEN. */
enum reflector_end {
    REFLECTOR_REOPEN = 1, /* in good order: at once, from the last version */
    REFLECTOR_RETRY,      /* after a pause, from the last version */
    REFLECTOR_RELIST,     /* after a pause, with a list */
    REFLECTOR_GONE,       /* the version is too old: list now */
    REFLECTOR_END_MAX
};

/* Makes the store equal to the collection; sets resource_version. */
MUST_CHECK bool reflector_list(struct reflector_pass *pass, struct fault *fault);

enum reflector_end reflector_watch(struct reflector_pass *pass, struct fault *fault);

/* Remembers the version of `object`; a fault when it has none or a monstrous one. */
MUST_CHECK bool reflector_move(struct reflector_pass *pass, const struct json *object,
                               struct fault *fault);

struct errors_call reflector_call(const struct reflector *r, const char *verb);

/* The collection's path with the field selector for one name. Further keys by the caller.
 */
const char *reflector_selector(const struct reflector *r, struct arena *arena);

#endif
