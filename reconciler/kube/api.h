/*
 * api: typed verbs over a transport: paths, Status bodies, patches.
 *
 * Outcomes that a controller must handle are an enum, not faults: a caller switches on
 * them. Everything else (5xx, 429, timeouts, refused) is a fault with the server's own
 * sentence: 401/403 FAULT_DENIED (naming verb, resource and the missing rule), 429/5xx
 * FAULT_UNAVAILABLE (with Retry-After remembered for calls of that kind), 4xx FAULT_BUG.
 */
#ifndef KUBE_API_H
#define KUBE_API_H

#include "base/arena.h"
#include "base/fence.h"
#include "base/json.h"
#include "kube/transport.h"

#define KUBE_FIELD_MANAGER "tablesync-controller"

enum kube_outcome {
    KUBE_OK = 1,
    KUBE_NOT_FOUND, /* 404 */
    KUBE_EXISTS,    /* 409 AlreadyExists */
    KUBE_CONFLICT,  /* 409 Conflict, or 422 from a failed JSON Patch `test` */
    KUBE_GONE,      /* 410: list again */
    KUBE_INVALID,   /* 422 otherwise: *fault's text is NOT set; see out_message */
    KUBE_OUTCOME_MAX
};

/* A resource type; static constants of the caller. */
struct kube_resource {
    const char *group;   /* "" for core */
    const char *version; /* "v1alpha1" */
    const char *plural;  /* "tablesyncs" */
    const char *kind;    /* "TableSync" */
};

/* Until when the server asked one kind of call (verb, resource, subresource) to wait. */
struct kube_pause {
    _Atomic uint64_t call; /* 0: free */
    _Atomic int64_t until_ms;
};

#define KUBE_PAUSES 32 /* twice the kinds of calls there are */

struct kube_api {
    struct kube_transport *transport;
    const struct clock *clock;
    int64_t call_timeout_ms; /* per request; the caller's cancel may be shorter */
    int64_t watch_idle_ms;   /* a watch silent for so long is opened anew; 0: 90 s */
    bool list_only;          /* collections are listed in pages, never streamed */
    /* What the server asked to be left alone with (Retry-After, at most 60 s): calls of
     * that kind fail at once with FAULT_UNAVAILABLE, others go on. Written by the api. */
    struct kube_pause pauses[KUBE_PAUSES];
    /* Asked right before every request but GET is sent; what it says is the fault. NULL:
     * everything may be written. */
    const struct fence *fence;
};

/* For whoever must ask nevertheless: calls that were asked to wait need not. */
void kube_forget_pauses(struct kube_api *api);

/* "/apis/tablesync.dev/v1alpha1/namespaces/ns/tablesyncs/name/status". namespace NULL:
 * all; name NULL: the collection; subresource NULL: none. Parts are percent-encoded. */
char *kube_path(struct arena *arena, const struct kube_resource *resource,
                const char *namespace, const char *name, const char *subresource);
/* path?key=value&...: keys and values alternate in a NULL-terminated list; encoded. */
char *kube_path_query(struct arena *arena, const char *path, ...)
    __attribute__((sentinel));

/* *out_object is NULL unless KUBE_OK; the caller frees it. */
MUST_CHECK bool kube_get(struct kube_api *api, const struct kube_resource *resource,
                         const char *namespace, const char *name, struct cancel *cancel,
                         enum kube_outcome *out_outcome, struct json **out_object,
                         struct fault *fault);
/* Whether the collection may be read: asks for one object of it. KUBE_NOT_FOUND: the
 * server has no such kind. */
MUST_CHECK bool kube_may_list(struct kube_api *api, const struct kube_resource *resource,
                              const char *namespace, struct cancel *cancel,
                              enum kube_outcome *out_outcome, struct fault *fault);
/* A collection as one list, for programs that look once; a controller has reflectors.
 * namespace NULL: all; label_selector NULL: none. */
MUST_CHECK bool kube_list(struct kube_api *api, const struct kube_resource *resource,
                          const char *namespace, const char *label_selector,
                          struct cancel *cancel, enum kube_outcome *out_outcome,
                          struct json **out_list, struct fault *fault);
MUST_CHECK bool kube_create(struct kube_api *api, const struct kube_resource *resource,
                            const char *namespace, const struct json *object,
                            struct cancel *cancel, enum kube_outcome *out_outcome,
                            struct json **out_object, struct fault *fault);
/*
 * Server-side apply of {"apiVersion","kind","metadata":{name,namespace,resourceVersion},
 * "status":...} on /status with force and KUBE_FIELD_MANAGER. A resourceVersion in the
 * body guards against a namesake and against stale writes (KUBE_CONFLICT). KUBE_INVALID:
 * the server's sentence is copied into the arena as *out_message.
 */
MUST_CHECK bool kube_apply_status(struct kube_api *api,
                                  const struct kube_resource *resource,
                                  const char *namespace, const char *name,
                                  const struct json *body, struct arena *arena,
                                  struct cancel *cancel, enum kube_outcome *out_outcome,
                                  struct json **out_object, const char **out_message,
                                  struct fault *fault);
/*
 * JSON Patch on the main resource guarded by `test` operations: adds or removes one
 * finalizer given the object as last read. Doing nothing when already so is KUBE_OK with
 * *out_object NULL.
 */
MUST_CHECK bool kube_add_finalizer(struct kube_api *api,
                                   const struct kube_resource *resource,
                                   const struct json *object, const char *finalizer,
                                   struct cancel *cancel, enum kube_outcome *out_outcome,
                                   struct json **out_object, struct fault *fault);
MUST_CHECK bool kube_remove_finalizer(struct kube_api *api,
                                      const struct kube_resource *resource,
                                      const struct json *object, const char *finalizer,
                                      struct cancel *cancel,
                                      enum kube_outcome *out_outcome,
                                      struct json **out_object, struct fault *fault);
/* Removes one annotation (merge patch with the object's resourceVersion). */
MUST_CHECK bool kube_remove_annotation(struct kube_api *api,
                                       const struct kube_resource *resource,
                                       const struct json *object, const char *annotation,
                                       struct cancel *cancel,
                                       enum kube_outcome *out_outcome,
                                       struct json **out_object, struct fault *fault);
/*
 * Merge patch of `change`, whose metadata gets the uid and the resourceVersion of
 * `object`: KUBE_CONFLICT when anything about it has changed since it was read.
 * KUBE_INVALID: the server's sentence is copied into the arena as *out_message.
 * `manager` is recorded as who set the fields.
 */
MUST_CHECK bool kube_change(struct kube_api *api, const struct kube_resource *resource,
                            const struct json *object, struct json *change,
                            const char *manager, struct arena *arena,
                            struct cancel *cancel, enum kube_outcome *out_outcome,
                            const char **out_message, struct fault *fault);

/* Metadata getters; NULL/0 when absent. */
const char *kube_uid(const struct json *object);
const char *kube_name(const struct json *object);
const char *kube_namespace(const struct json *object);
const char *kube_resource_version(const struct json *object);
int64_t kube_generation(const struct json *object);
bool kube_deleting(const struct json *object);
bool kube_has_finalizer(const struct json *object, const char *finalizer);
const char *kube_annotation(const struct json *object, const char *key);

#endif
