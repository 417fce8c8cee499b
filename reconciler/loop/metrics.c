#include "loop/metrics.h"

#include "base/heap.h"
#include "base/map.h"
#include "loop/metrics_private.h"

#include <pthread.h>

/* controller-runtime v0.24 pkg/internal/controller/metrics, in ms. */
static const int64_t RECONCILE_MS[] = {
    5,    10,   25,    50,    100,   150,   200,   250,   300,   350,
    400,  450,  500,   600,   700,   800,   900,   1000,  1250,  1500,
    1750, 2000, 2500,  3000,  3500,  4000,  4500,  5000,  6000,  7000,
    8000, 9000, 10000, 15000, 20000, 25000, 30000, 40000, 50000, 60000};
/* pkg/internal/metrics/workqueue.go: 10e-9 * 10^k, in ns. */
static const int64_t QUEUE_NS[] = {10,
                                   100,
                                   1000,
                                   10000,
                                   100000,
                                   1000000,
                                   10000000,
                                   100000000,
                                   INT64_C(1000000000),
                                   INT64_C(10000000000),
                                   INT64_C(100000000000),
                                   INT64_C(1000000000000)};
/* component-base metrics/prometheus/restclient/metrics.go. */
static const int64_t REST_MS[] = {5,    25,   100,  250,   500,   1000,
                                  2000, 4000, 8000, 15000, 30000, 60000};
static const int64_t SIZES[] = {64,    256,    512,     1024,    4096,    16384,
                                65536, 262144, 1048576, 4194304, 16777216};
/* DDL lasts from milliseconds to its deadline of ten minutes. */
static const int64_t STATEMENT_MS[] = {10,   50,    100,   500,   1000,   2500,
                                       5000, 10000, 30000, 60000, 300000, 600000};

static const struct metrics_buckets BUCKETS[METRIC_MAX] = {
    [METRIC_RECONCILE_TIME] = {RECONCILE_MS, COUNT_OF(RECONCILE_MS), 1000.0},
    [METRIC_QUEUE_WAITING] = {QUEUE_NS, COUNT_OF(QUEUE_NS), 1e9},
    [METRIC_QUEUE_WORKING] = {QUEUE_NS, COUNT_OF(QUEUE_NS), 1e9},
    [METRIC_REST_DURATION] = {REST_MS, COUNT_OF(REST_MS), 1000.0},
    [METRIC_REST_REQUEST_SIZE] = {SIZES, COUNT_OF(SIZES), 1.0},
    [METRIC_REST_RESPONSE_SIZE] = {SIZES, COUNT_OF(SIZES), 1.0},
    [METRIC_STATEMENT_DURATION] = {STATEMENT_MS, COUNT_OF(STATEMENT_MS), 1000.0},
};

/* A series that was found at run time: a counter, or a histogram. */
struct series {
    int64_t value, sum;
    int64_t counts[];
};

struct metrics *metrics_new(const struct clock *clock)
{
    struct metrics *metrics = HEAP_NEW(struct metrics);

    metrics->clock = clock;
    metrics->started_wall_ms = clock_wall_ms(clock);
    must(pthread_mutex_init(&metrics->lock, NULL) == 0);
    return metrics;
}

void metrics_free(struct metrics *metrics)
{
    if (metrics == NULL) {
        return;
    }
    for (size_t i = 0; i < COUNT_OF(metrics->families); i++) {
        size_t at = 0;
        struct sv labels = SV_NULL;
        void *series = NULL;

        while (metrics->families[i] != NULL &&
               map_next(metrics->families[i], &at, &labels, &series)) {
            heap_free(series);
        }
        map_free(metrics->families[i]);
    }
    (void)pthread_mutex_destroy(&metrics->lock);
    heap_free(metrics);
}

void metrics_add(struct metrics *metrics, enum metric metric, int64_t value)
{
    metrics->values[metric] += value;
}

void metrics_set(struct metrics *metrics, enum metric metric, int64_t value)
{
    metrics->values[metric] = value;
}

int64_t metrics_get(const struct metrics *metrics, enum metric metric)
{
    return metrics->values[metric];
}

const struct metrics_buckets *metrics_buckets(enum metric histogram)
{
    must(BUCKETS[histogram].count > 0);
    return &BUCKETS[histogram];
}

/* Its values become "other", its keys stay: `system="other",result="other"`. */
static struct metrics_labels overflow_of(const struct metrics_labels *labels)
{
    struct metrics_labels other = {.n = 0};
    struct sv rest = {labels->text, labels->n};

    while (rest.n > 0) {
        char key[64];
        struct sv name = sv_cut(&rest, '=');
        bool escaped = false;
        size_t end = 1;

        (void)snprintf(key, sizeof(key), "%.*s", SV_ARGS(name));
        metrics_label_add(&other, key, "other");
        while (end < rest.n && (escaped || rest.p[end] != '"')) {
            escaped = !escaped && rest.p[end] == '\\';
            end++;
        }
        rest = sv_sub(rest, end + 2, rest.n); /* the quote and the comma */
    }
    return other;
}

/* The lock is held. */
static struct series *series_of(struct metrics *metrics, enum metric family,
                                const struct metrics_labels *labels)
{
    struct sv key = {labels->text, labels->n};
    size_t counts = BUCKETS[family].count == 0 ? 0 : BUCKETS[family].count + 1;
    struct map **series = &metrics->families[family];
    struct metrics_labels other;
    struct series *found = NULL;

    *series = *series == NULL ? map_new(family) : *series;
    found = map_find(*series, key);
    if (found == NULL && map_count(*series) >= METRICS_SERIES_MAX) {
        other = overflow_of(labels);
        key = (struct sv){other.text, other.n};
        found = map_find(*series, key);
    }
    if (found == NULL) {
        found = heap_new(sizeof(*found) + counts * sizeof(found->counts[0]));
        (void)map_put(*series, key, found);
    }
    return found;
}

void metrics_count(struct metrics *metrics, enum metric family,
                   const struct metrics_labels *labels, int64_t value)
{
    must(pthread_mutex_lock(&metrics->lock) == 0);
    series_of(metrics, family, labels)->value += value;
    must(pthread_mutex_unlock(&metrics->lock) == 0);
}

void metrics_observe(struct metrics *metrics, enum metric family,
                     const struct metrics_labels *labels, int64_t value)
{
    const struct metrics_buckets *buckets = metrics_buckets(family);
    struct series *series = NULL;
    size_t i = 0;

    while (i < buckets->count && value > buckets->bounds[i]) {
        i++;
    }
    must(pthread_mutex_lock(&metrics->lock) == 0);
    series = series_of(metrics, family, labels);
    series->counts[i]++;
    series->sum += value;
    must(pthread_mutex_unlock(&metrics->lock) == 0);
}

void metrics_print_family(struct metrics *metrics, enum metric family, struct buf *out)
{
    const struct metrics_buckets *buckets = &BUCKETS[family];
    struct sv labels = SV_NULL;
    void *found = NULL;
    size_t at = 0;

    must(pthread_mutex_lock(&metrics->lock) == 0);
    while (metrics->families[family] != NULL &&
           map_next(metrics->families[family], &at, &labels, &found)) {
        const struct series *series = found;
        struct metrics_labels text = {.n = labels.n};

        memcpy(text.text, labels.p, labels.n);
        if (buckets->count == 0) {
            metrics_sample(out, family, &text, (double)series->value);
        } else {
            metrics_histogram(out, family, &text, buckets, series->counts,
                              (double)series->sum / buckets->unit);
        }
    }
    must(pthread_mutex_unlock(&metrics->lock) == 0);
}
