/*
 * leader: of several controllers on one cluster, one writes. They elect it with a Lease,
 * by client-go's rules (v0.36 tools/leaderelection), so that any candidate that knows
 * those may take part.
 *
 * Time. Nobody compares clocks: a candidate remembers what the Lease said and when, by
 * its own monotonic clock, it last saw that change; it takes the Lease when it was free
 * or unchanged for the duration that it names. The times written are for people. The
 * leader counts from the moment it SENT the request that renewed: `renew_ms` after that
 * it may write nothing more, while others wait at least `lease_ms`; the difference pays
 * for clocks that run at different speeds. The clock is CLOCK_BOOTTIME: CLOCK_MONOTONIC
 * passes while a process is stopped (SIGSTOP), but not while the machine is suspended. A
 * hypervisor that halts the guest with all its clocks is seen by neither: then the next
 * renewal, at most one retry period later, finds a Lease that is no longer ours.
 *
 * Fence (base/fence.h). Asked right before a statement or an API request other than GET,
 * in loop/statement.c and kube/exchange.c, and a second time where its bytes go out: in
 * db/mysql_ask.c, db/risingwave_wire.c and kube/transport_curl_run.c. Once it says no
 * because time is over, it never says yes again: the process ends ("leader election
 * lost") and its successor starts as a candidate.
 *
 * What is left: a process stopped in the few instructions between the last check and
 * send(2) sends that one request when it goes on. An API request does no harm then: it
 * carries the resourceVersion or the values that were read, and the new leader has
 * written since (an Event, which is harmless, has none). A statement was planned from
 * what is marked as ours, names one object with its version and says neither IF NOT
 * EXISTS nor CASCADE: it fails because the new leader did it already, or does what that
 * one is about to do. A DROP that the new plan no longer wants is found by the next look
 * at the catalog and repaired. Statements that were sent before a loss go on in the
 * server: the new leader observes first and waits for jobs that run. And if the new
 * leader's cache is behind, what it is about to do goes into status first
 * (report_intent()), which the API server refuses for an object that changed or is gone.
 *
 * Threads: one, with a transport and an api of its own, so that neither the traffic of a
 * start nor a server that asks to be left alone keeps the Lease from being renewed.
 */
#ifndef LOOP_LEADER_H
#define LOOP_LEADER_H

#include "base/buf.h"
#include "base/cancel.h"
#include "base/fence.h"
#include "base/log.h"
#include "kube/transport.h"

struct leader_options {
    const char *namespace, *name;         /* of the Lease */
    const char *identity;                 /* "<instance>_<uuid>": never the same twice */
    int64_t lease_ms, renew_ms, retry_ms; /* 30 s, 20 s, 4 s */
};

enum leader_state {
    LEADER_CANDIDATE = 1,
    LEADER_LEADING,
    LEADER_LOST, /* for good */
    LEADER_RESIGNED
};

struct leader;

/* FAULT_SPEC names the flag: durations that cannot work, no name. */
MUST_CHECK bool leader_check(const struct leader_options *options, struct fault *fault);

/* Everything given outlives it. `clock`: clock_boot(). The transport is for it alone. */
struct leader *leader_new(const struct leader_options *options,
                          struct kube_transport *transport, const struct clock *clock,
                          struct lg *lg, uint64_t seed);
void leader_free(struct leader *leader); /* NULL is fine; its thread has ended */

const struct fence *leader_fence(const struct leader *leader);
enum leader_state leader_state(const struct leader *leader);
/* What was lost and why, as a fault "LeaderElectionLost" of class CANCELLED; false. */
bool leader_fault(const struct leader *leader, struct fault *fault);
/* false: it takes itself for the leader, and its thread has not renewed for the lease
 * and 20 s more: only a restart helps. */
bool leader_healthy(const struct leader *leader);
struct leader_numbers { /* for metrics */
    const char *lease;  /* its name; lives as long as the leader */
    bool leading;
    int64_t renewed_ms_ago; /* since the last renewal was sent */
    int64_t slow_paths;     /* renewals that had to read the Lease */
};
struct leader_numbers leader_numbers(const struct leader *leader);

/*
 * One try to acquire or to renew; returns how long to wait before the next, 0 once the
 * Lease is lost. What the thread does in a loop; for tests and simulations.
 */
int64_t leader_turn(struct leader *leader, struct cancel *cancel);
/* Gives the Lease back, if it is ours, so that another takes it at its next try. Writes
 * nothing more from then on. */
void leader_resign(struct leader *leader, struct cancel *cancel);

/* Starts the thread; `stop` is fired when the Lease is lost. */
MUST_CHECK bool leader_start(struct leader *leader, struct cancel *stop,
                             struct fault *fault);
/* Waits until it leads; false when `stop` fires first. */
bool leader_wait(struct leader *leader, struct cancel *stop);
/* Ends the thread, then resigns: everything that writes has ended before. NULL is fine.
 */
void leader_stop(struct leader *leader);

#endif
