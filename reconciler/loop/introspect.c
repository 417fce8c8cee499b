#include "loop/introspect.h"

#include "loop/gauges.h"

#include "loop/lanes.h"

#define QUEUE_NAME "tablesync"

/* What one scrape looks up once. */
struct scrape {
    const struct introspect *in;
    struct queue_numbers queue;
    struct gauges_sums sums;
    struct lg_numbers log;
};

static struct metrics_labels queue_labels(void)
{
    struct metrics_labels labels = metrics_label("name", QUEUE_NAME);

    metrics_label_add(&labels, "controller", QUEUE_NAME);
    return labels;
}

/* controller-runtime's priorities: 0, and -100 for what comes by itself; others are a
 * controller's own. */
static void print_depth(const struct scrape *s, struct buf *out)
{
    const struct {
        const char *priority;
        int64_t depth;
    } each[] = {{"100", s->queue.depth_of[QUEUE_URGENT]},
                {"0", s->queue.depth_of[QUEUE_NORMAL]},
                {"-100", s->queue.depth_of[QUEUE_LOW]}};

    for (size_t i = 0; i < COUNT_OF(each); i++) {
        struct metrics_labels labels = queue_labels();

        metrics_label_add(&labels, "priority", each[i].priority);
        metrics_sample(out, METRIC_QUEUE_DEPTH, &labels, (double)each[i].depth);
    }
}

static bool print_queue(const struct scrape *s, enum metric metric, struct buf *out)
{
    const struct metrics_labels labels = queue_labels();

    if (metric == METRIC_QUEUE_DEPTH) {
        print_depth(s, out);
    } else if (metric == METRIC_QUEUE_ADDS) {
        metrics_sample(out, metric, &labels, (double)s->queue.adds);
    } else if (metric == METRIC_QUEUE_RETRIES) {
        metrics_sample(out, metric, &labels, (double)s->queue.retries);
    } else if (metric == METRIC_QUEUE_UNFINISHED) {
        metrics_sample(out, metric, &labels, s->queue.unfinished_s);
    } else if (metric == METRIC_QUEUE_LONGEST) {
        metrics_sample(out, metric, &labels, s->queue.longest_s);
    } else if (metric == METRIC_QUEUE_WAITING || metric == METRIC_QUEUE_WORKING) {
        const struct queue_histogram *h =
            metric == METRIC_QUEUE_WAITING ? &s->queue.waited : &s->queue.worked;

        metrics_histogram(out, metric, &labels, metrics_buckets(metric), h->counts,
                          h->sum_s);
    } else {
        return false;
    }
    return true;
}

static double age_s(const struct reflector *r, const struct clock *clock)
{
    int64_t contact_ms = r->last_contact_ms;

    return contact_ms == 0 ? -1
                           : (double)(clock_monotonic_ms(clock) - contact_ms) / 1000.0;
}

/* Of one reflector; -1: there is no such number yet. */
static double watch_number(const struct scrape *s, const struct reflector *r,
                           enum metric metric)
{
    if (metric == METRIC_WATCH_AGE) {
        return age_s(r, s->in->loop->ports.clock);
    }
    if (metric == METRIC_LISTS) {
        return (double)r->lists;
    }
    if (metric == METRIC_WATCHES) {
        return (double)r->watches;
    }
    if (metric == METRIC_WATCH_EVENTS) {
        return (double)r->events;
    }
    return (double)r->errors;
}

/* Of a kind: its reflectors share the store; counts add up, and of ages the oldest
 * counts. */
static double kind_number(const struct scrape *s, const struct kube_resource *resource,
                          enum metric metric)
{
    double result = -1;

    for (size_t i = 0; i < s->in->reflector_count; i++) {
        const struct reflector *r = &s->in->reflectors[i];
        double number = 0;

        if (r->resource != resource) {
            continue;
        }
        if (metric == METRIC_CACHE_OBJECTS) {
            return (double)kube_store_count(r->store);
        }
        if (metric == METRIC_CACHE_BYTES) {
            return (double)kube_store_bytes(r->store);
        }
        number = watch_number(s, r, metric);
        if (result < 0 || (metric == METRIC_WATCH_AGE && number > result)) {
            result = number;
        } else if (metric != METRIC_WATCH_AGE) {
            result += number;
        }
    }
    return result;
}

static bool print_watches(const struct scrape *s, enum metric metric, struct buf *out)
{
    const struct kube_resource *const each[] = {&loop_resource_sync, &loop_resource_conn};

    if (metric != METRIC_WATCH_AGE && metric != METRIC_LISTS &&
        metric != METRIC_WATCHES && metric != METRIC_WATCH_EVENTS &&
        metric != METRIC_WATCH_ERRORS && metric != METRIC_CACHE_OBJECTS &&
        metric != METRIC_CACHE_BYTES) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(each); i++) {
        struct metrics_labels labels = metrics_label("resource", each[i]->plural);
        double number = kind_number(s, each[i], metric);

        if (number >= 0) {
            metrics_sample(out, metric, &labels, number);
        }
    }
    return true;
}

/* A lane's series: at most as many as resources have. */
struct lane_print {
    enum metric metric;
    int64_t left;
    struct buf *out;
};

static void print_lane(void *context, const struct lane_numbers *numbers)
{
    static const double STATES[] = {
        [LANE_CLOSED] = 0, [LANE_HALF_OPEN] = 1, [LANE_OPEN] = 2};
    struct lane_print *print = context;
    struct metrics_labels labels;

    if (print->left-- > 0) {
        labels = metrics_key_labels(numbers->connection);
        metrics_sample(print->out, print->metric, &labels,
                       print->metric == METRIC_BREAKER ? STATES[numbers->state]
                                                       : (double)numbers->parked);
    }
}

static bool print_lanes(const struct scrape *s, enum metric metric, struct buf *out)
{
    struct lane_print print = {metric, s->in->per_resource, out};

    if (metric != METRIC_BREAKER && metric != METRIC_PARKED) {
        return false;
    }
    lanes_visit(s->in->loop->lanes, print_lane, &print);
    return true;
}

static bool print_log(const struct scrape *s, enum metric metric, struct buf *out)
{
    if (metric == METRIC_LOG_SUPPRESSED) {
        metrics_sample(out, metric, NULL, (double)s->log.suppressed);
        return true;
    }
    for (int level = LG_DEBUG; metric == METRIC_LOG_LINES && level < LG_LEVEL_MAX;
         level++) {
        struct metrics_labels labels =
            metrics_label("level", lg_level_name((enum lg_level)level));

        metrics_sample(out, metric, &labels, (double)s->log.lines[level]);
    }
    return metric == METRIC_LOG_LINES;
}

static bool print_sums(const struct scrape *s, enum metric metric, struct buf *out)
{
    struct loop *loop = s->in->loop;
    struct audit_state audit = {0};
    double value = 0;

    if (metric == METRIC_SYNCS) {
        metrics_set(loop->metrics, metric, (int64_t)kube_store_count(loop->syncs));
        return false;
    }
    if (metric == METRIC_CONNS) {
        metrics_set(loop->metrics, metric, (int64_t)kube_store_count(loop->conns));
        return false;
    }
    if (metric == METRIC_READY) {
        value = (double)s->sums.ready;
    } else if (metric == METRIC_STALLED) {
        value = (double)s->sums.stalled;
    } else if (metric == METRIC_AUDIT_DEGRADED && loop->ports.audit != NULL) {
        audit_state(loop->ports.audit, &audit);
        value = audit.degraded;
    } else if (metric == METRIC_DRIFTED) {
        value = (double)s->sums.drifted;
    } else if (metric == METRIC_LAG_MAX) {
        value = (double)s->sums.lag_max_s;
    } else {
        return false;
    }
    metrics_sample(out, metric, NULL, value);
    return true;
}

static bool print_runway(const struct scrape *s, enum metric metric, struct buf *out)
{
    const struct loop *loop = s->in->loop;
    int64_t runway_s = -1;

    if (metric != METRIC_RUNWAY) {
        return false;
    }
    runway_s = gauges_runway_s(loop->gauges, clock_wall_ms(loop->ports.clock));
    if (runway_s >= 0) {
        metrics_sample(out, metric, NULL, (double)runway_s);
    }
    return true;
}

static bool print_leader(const struct scrape *s, enum metric metric, struct buf *out)
{
    struct leader_numbers numbers = {0};
    struct metrics_labels labels;

    if (metric != METRIC_LEADER_MASTER && metric != METRIC_LEADER_SLOW) {
        return false;
    }
    if (s->in->leader != NULL) {
        numbers = leader_numbers(s->in->leader);
        labels = metrics_label("name", numbers.lease);
        metrics_sample(out, metric, &labels,
                       metric == METRIC_LEADER_SLOW ? (double)numbers.slow_paths
                                                    : (numbers.leading ? 1.0 : 0.0));
    }
    return true;
}

static bool more(void *context, enum metric metric, struct buf *out)
{
    const struct scrape *s = context;

    return print_queue(s, metric, out) || print_watches(s, metric, out) ||
           print_log(s, metric, out) || print_leader(s, metric, out) ||
           print_lanes(s, metric, out) || print_sums(s, metric, out) ||
           print_runway(s, metric, out) ||
           gauges_print(s->in->loop->gauges, s->in->per_resource, metric, out);
}

void introspect_metrics(const struct introspect *in, struct buf *out)
{
    struct scrape scrape = {.in = in,
                            .queue = queue_numbers(in->loop->queue),
                            .sums = gauges_sums(in->loop->gauges),
                            .log = lg_numbers(in->loop->ports.lg)};

    metrics_print(in->loop->metrics, more, &scrape, out);
}
