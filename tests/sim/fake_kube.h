/*
 * fake_kube: an API server in memory behind struct kube_transport. It knows the requests
 * the controller makes and no others: anything else is a violation.
 *
 * As the real one: every change gets a new resourceVersion, only spec changes and the
 * mark of deletion raise generation, a deleted object with finalizers stays until the
 * last one is removed, a status apply that changes nothing changes no version. Changes
 * reach the loop's stores through the same doors a reflector uses, at once or, when
 * scattered, late, twice and out of order.
 */
#ifndef FAKE_KUBE_H
#define FAKE_KUBE_H

#include "base/json.h"
#include "base/vec.h"
#include "kube/transport.h"

struct sim;

struct fake_object {
    const char *plural; /* "tablesyncs", "databaseconnections", "secrets" */
    const char *namespace, *name;
    struct json *json;
    /* What a cache that lags behind may still show: as it is, as it was before that
     * (NULL: not there), and since when. */
    struct json *shown, *before;
    int64_t shown_ms;
    bool stripped; /* hands took its finalizers off */
};

struct fake_event {
    const char *name; /* of the Event object */
    const char *type, *reason, *note, *about;
    int64_t count;
};

struct fake_delivery { /* a watch event on its way */
    int64_t at_ms;
    const char *plural, *key;
    struct json *json; /* the object as it was then */
    bool deleted;
};

struct fake_kube {
    struct kube_transport base;
    struct sim *sim;
    int64_t version, uids;
    bool down;
    bool holds; /* watch events wait until this is false again */
    VEC(struct fake_object *) objects;
    VEC(struct fake_object *) graves; /* what was deleted */
    VEC(struct fake_event *) events;
    VEC(struct fake_delivery) deliveries;
};

struct fake_kube *fake_kube_new(struct sim *sim);
void fake_kube_free(struct fake_kube *kube);

/* --- what users and other controllers do; none of these counts as a call --- */
/* Creates from JSON text without metadata but a name: {"metadata":{"name":..},"spec":..}.
 */
void fake_kube_create(struct fake_kube *kube, const char *plural, const char *namespace,
                      const char *text);
const struct json *fake_kube_find(const struct fake_kube *kube, const char *plural,
                                  const char *namespace,
                                  const char *name); /* may be NULL */
/* Sets spec.<path> to a JSON value; raises the generation when it differs. */
void fake_kube_edit(struct fake_kube *kube, const char *plural, const char *namespace,
                    const char *name, const char *path, const char *value);
/* value NULL removes it. */
void fake_kube_annotate(struct fake_kube *kube, const char *namespace, const char *name,
                        const char *annotation, const char *value);
void fake_kube_delete(struct fake_kube *kube, const char *plural, const char *namespace,
                      const char *name);
/* Strips the finalizers by hand; what is being deleted is gone then. */
void fake_kube_strip(struct fake_kube *kube, const char *plural, const char *namespace,
                     const char *name);
/* The same, and deletes: gone at once. */
void fake_kube_purge(struct fake_kube *kube, const char *plural, const char *namespace,
                     const char *name);
/* New content for a Secret: its version moves. */
void fake_kube_touch(struct fake_kube *kube, const char *plural, const char *namespace,
                     const char *name);
/* Another value for the key "password" of a Secret. */
void fake_kube_set_password(struct fake_kube *kube, const char *namespace,
                            const char *name, const char *password);
size_t fake_kube_events_of(const struct fake_kube *kube, const char *about,
                           const char *reason);

/* --- the watch --- */
/* Hands over what is due; returns when the next one is, INT64_MAX: none. */
int64_t fake_kube_deliver(struct fake_kube *kube);
/* Fills the loop's empty stores, as a first list does; what was on its way is lost. When
 * scattered, some of it is older. */
void fake_kube_list(struct fake_kube *kube);
/* The watch broke, what was on its way is lost, and all is listed again. */
void fake_kube_relist(struct fake_kube *kube);

/* --- shared by fake_kube*.c --- */
struct fake_reply {
    int status;
    const char *reason, *message; /* of a Status, when not 2xx */
    const char *field;            /* the cause's, or NULL */
};
struct fake_object *fake_kube_object(const struct fake_kube *kube, const char *plural,
                                     const char *namespace, const char *name);
/* Tells the watchers; what is deleted is remembered, for lists that lag behind. */
void fake_kube_announce(struct fake_kube *kube, struct fake_object *object, bool deleted);
void fake_kube_remember(struct fake_kube *kube, struct fake_object *object);
/* Gives the object a new version and tells the watchers; deletes what may go. */
void fake_kube_changed(struct fake_kube *kube, struct fake_object *object);
/* Applies a patch to a copy; *out_json is the new object when status is 200. */
void fake_kube_json_patch(const struct json *object, const struct json *patch,
                          struct fake_reply *reply, struct json **out_json);
void fake_kube_merge_patch(const struct json *object, const struct json *patch,
                           struct fake_reply *reply, struct json **out_json);
void fake_kube_apply_status(struct sim *sim, const struct json *object,
                            const struct json *body, struct fake_reply *reply,
                            struct json **out_json);

#endif
