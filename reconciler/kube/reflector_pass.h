/*
 * reflector_pass: one list or one watch of a reflector. Private to the reflector's files:
 * reflector.c decides what comes after a pass and when, reflector_list.c and
 * reflector_watch.c carry it out.
 */
#ifndef KUBE_REFLECTOR_PASS_H
#define KUBE_REFLECTOR_PASS_H

#include "kube/errors.h"
#include "kube/store.h"

#define REFLECTOR_VERSION_SIZE 128
#define REFLECTOR_OBJECTS_MAX ((size_t)1000 * 1000)

struct reflector_pass {
    struct reflector *r;
    struct cancel *cancel;
    char resource_version[REFLECTOR_VERSION_SIZE]; /* where the next watch begins */
    bool initial; /* the collection must be read anew; cleared by a commit */
    /* The next list may be any state not older than resource_version, which the server's
     * cache answers; else it must be the newest. */
    bool not_older;
    /* The last list held what cannot be read: listing again would meet it again. */
    bool has_unreadable;
    struct buf text; /* of the object at hand */
};

/* How a watch ended, which is what to do next. The fault is set unless REOPEN or LIST. */
enum reflector_end {
    REFLECTOR_REOPEN = 1, /* in good order: at once, from the last version */
    REFLECTOR_RETRY,      /* after a pause, from the last version */
    REFLECTOR_RELIST,     /* after a pause, with a list, also one that was broken off */
    REFLECTOR_GONE,       /* the version is too old: list now */
    REFLECTOR_LIST,       /* the server does not stream lists: list now, in pages */
    REFLECTOR_END_MAX
};

/* Makes the store equal to the collection, in pages; sets resource_version. */
MUST_CHECK bool reflector_list(struct reflector_pass *pass, struct fault *fault);

/* With pass->initial the stream begins with the collection itself (WatchList). */
enum reflector_end reflector_watch(struct reflector_pass *pass, struct fault *fault);

/* Remembers the version; a fault when there is none or a monstrous one. */
MUST_CHECK bool reflector_move(struct reflector_pass *pass, struct sv version,
                               struct fault *fault);

/* How this reflector's objects are slimmed. */
struct slim_rules reflector_rules(const struct reflector *r);

/* Logs and counts an object that cannot be read and is left out; `what` says where it
 * was met, `why` may be NULL. */
void reflector_skip(struct reflector_pass *pass, const char *what, size_t bytes,
                    const char *why);

/* FAULT_REFUSED "TooManyObjects" past the ceiling. */
MUST_CHECK bool reflector_check_count(const struct reflector_pass *pass,
                                      const struct store_listing *listing,
                                      struct fault *fault);

/* The store becomes the listing of pass->resource_version, and who listens is told. */
void reflector_commit(struct reflector_pass *pass, struct store_listing *listing);

struct errors_call reflector_call(const struct reflector *r, const char *verb);

/* The collection's path with the field selector for one name. Further keys by the caller.
 */
const char *reflector_selector(const struct reflector *r, struct arena *arena);

#endif
