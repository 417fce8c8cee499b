/*
 * kubectl: `kubectl tablesync`. Every subcommand works with the caller's own rights: what
 * it reads and writes goes through the API server, and so does the way to the audit log
 * of the running controller (ask.h). Only `discover`, `tables` and `plan` with -f or
 * --live log in to databases themselves.
 */
#ifndef CMD_KUBECTL_KUBECTL_H
#define CMD_KUBECTL_KUBECTL_H

#include "base/cancel.h"
#include "cmd/cluster.h"
#include "cmd/cmd.h"
#include "kube/api.h"

#define KUBECTL_MANAGER "kubectl-tablesync"
#define KUBECTL_TRIES 5 /* writes that somebody else's came before */
#define KUBECTL_TEXT_MAX ((size_t)64 * 1024 * 1024)

enum kubectl_output { OUTPUT_TABLE = 1, OUTPUT_JSON, OUTPUT_YAML };

struct kubectl {
    const struct options *options;
    struct cluster cluster;
    struct arena *arena;
    struct kube_transport *transport;
    struct kube_api api;
    struct cancel stop;
    const char *namespace; /* NULL: all */
    enum kubectl_output output;
    bool color;
};

/* Prints, and returns an exit code; negative: a fault was set. */
typedef int kubectl_run(struct kubectl *k, struct fault *fault);

kubectl_run kubectl_status, kubectl_runs, kubectl_logs, kubectl_plan, kubectl_approve,
    kubectl_resync, kubectl_verify, kubectl_pause, kubectl_resume, kubectl_report;
/* Work without all that; they say themselves what failed. */
command_run kubectl_tables, kubectl_discover, kubectl_plan_file, kubectl_status_file,
    kubectl_completion;

/* --- kubectl.c --- */
/* "tablesync: <sentence>" on standard error, and the exit code that fits. */
int kubectl_failed(const struct fault *fault);
/* The i-th subcommand, for completion; NULL past the end. *out_letter is that of its
 * flags, *out_kind what its word names: "tablesyncs", "databaseconnections" or NULL. */
const char *kubectl_subcommand(size_t index, char *out_letter, const char **out_kind,
                               const char **out_help);

/* --- open.c --- */
/* *out_k is for kubectl_close(). Library set-up must have happened. */
MUST_CHECK bool kubectl_open(const struct options *options, struct kubectl *out_k,
                             struct fault *fault);
void kubectl_close(struct kubectl *k);
/* -n, else the namespace of the kubeconfig's context, else "default"; in the arena. */
const char *kubectl_namespace(const struct options *options, struct arena *arena);
/* Of -o. FAULT_SPEC names what it may be. */
MUST_CHECK bool kubectl_output(const struct options *options, enum kubectl_output *out,
                               struct fault *fault);
/* "orders" of "orders", "tsync/orders", "tablesync/orders" and their like. */
MUST_CHECK bool kubectl_name(const struct options *options, const char **out_name,
                             struct fault *fault);
/* The TableSync that the only word names; the caller frees it. FAULT_REFUSED "NotFound".
 */
MUST_CHECK bool kubectl_sync(struct kubectl *k, struct json **out_sync,
                             struct fault *fault);
/* Without managedFields and what kubectl last applied. */
void kubectl_trim(struct json *object);
/* On a terminal that shows them, unless somebody does not want them. */
bool kubectl_color(const struct options *options);
/* JSON or YAML on standard output. */
int kubectl_print(const struct kubectl *k, const struct json *root);
/* y on a terminal, or --yes; else FAULT_SPEC says what --yes would agree to. */
MUST_CHECK bool kubectl_agree(const struct kubectl *k, const char *question,
                              struct fault *fault);

/* --- change.c --- */
/* Merge patch of the TableSync as it was read: KUBE_OK or KUBE_CONFLICT; what the API
 * server refuses is a fault. */
MUST_CHECK bool kubectl_change(struct kubectl *k, const struct json *sync,
                               struct json *change, enum kube_outcome *out_outcome,
                               const char **out_message, struct fault *fault);
/* What is to be changed, computed from the object as it is; NULL: nothing. */
typedef struct json *kubectl_make_change(struct kubectl *k, const struct json *sync,
                                         void *context);
/* Writes what `make` gives; somebody's write in between means that it is made anew. */
MUST_CHECK bool kubectl_rewrite(struct kubectl *k, kubectl_make_change *make,
                                void *context, bool *out_changed, struct fault *fault);

#endif
