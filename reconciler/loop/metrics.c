#include "loop/metrics.h"

#include "base/heap.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

struct metric_row {
    const char *type, *name, *labels, *help;
};

static const struct metric_row ROWS[] = {
    [0] = {"", "", "", ""},
#define METRIC(id, type, name, labels, help) {type, name, labels, help},
#include "loop/metrics.def"
#undef METRIC
};

/* controller-runtime v0.24 pkg/internal/controller/metrics: the same buckets, in ms. */
static const int64_t BUCKETS_MS[] = {
    5,    10,   25,    50,    100,   150,   200,   250,   300,   350,
    400,  450,  500,   600,   700,   800,   900,   1000,  1250,  1500,
    1750, 2000, 2500,  3000,  3500,  4000,  4500,  5000,  6000,  7000,
    8000, 9000, 10000, 15000, 20000, 25000, 30000, 40000, 50000, 60000};

struct metrics {
    const struct clock *clock;
    int64_t started_wall_ms;
    _Atomic int64_t values[METRIC_MAX + 1];
    _Atomic int64_t buckets[COUNT_OF(BUCKETS_MS) + 1];
    _Atomic int64_t time_sum_ms, time_count;
};

struct metrics *metrics_new(const struct clock *clock)
{
    struct metrics *metrics = HEAP_NEW(struct metrics);

    metrics->clock = clock;
    metrics->started_wall_ms = clock_wall_ms(clock);
    return metrics;
}

void metrics_free(struct metrics *metrics)
{
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

void metrics_reconcile_time(struct metrics *metrics, int64_t duration_ms)
{
    size_t i = 0;

    while (i < COUNT_OF(BUCKETS_MS) && duration_ms > BUCKETS_MS[i]) {
        i++;
    }
    metrics->buckets[i]++;
    metrics->time_sum_ms += duration_ms;
    metrics->time_count++;
}

static void print_histogram(const struct metrics *metrics, struct buf *out)
{
    static const char NAME[] = "controller_runtime_reconcile_time_seconds";
    int64_t total = 0;

    buf_addf(out, "# HELP %s Length of time per reconciliation\n# TYPE %s histogram\n",
             NAME, NAME);
    for (size_t i = 0; i <= COUNT_OF(BUCKETS_MS); i++) {
        total += metrics->buckets[i];
        if (i < COUNT_OF(BUCKETS_MS)) {
            buf_addf(out, "%s_bucket{controller=\"tablesync\",le=\"%g\"} %lld\n", NAME,
                     (double)BUCKETS_MS[i] / 1000.0, (long long)total);
        } else {
            buf_addf(out, "%s_bucket{controller=\"tablesync\",le=\"+Inf\"} %lld\n", NAME,
                     (long long)total);
        }
    }
    buf_addf(out, "%s_sum{controller=\"tablesync\"} %.3f\n", NAME,
             (double)metrics->time_sum_ms / 1000.0);
    buf_addf(out, "%s_count{controller=\"tablesync\"} %lld\n", NAME, (long long)total);
}

static void gauge(struct buf *out, const char *name, const char *type, const char *help,
                  double value)
{
    buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n%s %.15g\n", name, help, name, type, name,
             value);
}

/* The second number of /proc/self/statm; 0 where there is none. */
static int64_t resident_pages(void)
{
    char line[128] = "";
    FILE *statm = fopen("/proc/self/statm", "re");
    struct sv text = SV_NULL;
    int64_t pages = 0;

    if (statm == NULL) {
        return 0;
    }
    text = sv_from(fgets(line, sizeof(line), statm));
    (void)fclose(statm);
    (void)sv_cut(&text, ' ');
    return sv_int64(sv_cut(&text, ' '), &pages) ? pages : 0;
}

static void print_process(const struct metrics *metrics, struct buf *out)
{
    struct rusage usage = {0};

    (void)getrusage(RUSAGE_SELF, &usage);
    gauge(out, "process_cpu_seconds_total", "counter", "User and system CPU time",
          (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
              (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    gauge(out, "process_resident_memory_bytes", "gauge", "Resident memory",
          (double)resident_pages() * (double)sysconf(_SC_PAGESIZE));
    gauge(out, "process_start_time_seconds", "gauge", "Start time, Unix seconds",
          (double)metrics->started_wall_ms / 1000.0);
}

void metrics_print(const struct metrics *metrics, struct buf *out)
{
    const char *last = "";

    for (size_t i = 1; i < COUNT_OF(ROWS); i++) {
        const struct metric_row *row = &ROWS[i];

        if (strcmp(row->name, last) != 0) {
            buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name,
                     row->type);
        }
        last = row->name;
        buf_addf(out, "%s%s %lld\n", row->name, row->labels,
                 (long long)metrics->values[i]);
    }
    print_histogram(metrics, out);
    print_process(metrics, out);
}
