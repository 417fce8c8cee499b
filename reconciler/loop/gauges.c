#include "loop/gauges.h"

#include "base/heap.h"

#include <pthread.h>

struct entry {
    struct gauges_row row;
    char key[];
};

struct gauges {
    pthread_mutex_t lock;
    struct entry **entries; /* sorted by key */
    size_t count, capacity;
};

struct gauges *gauges_new(void)
{
    struct gauges *gauges = HEAP_NEW(struct gauges);

    must(pthread_mutex_init(&gauges->lock, NULL) == 0);
    return gauges;
}

void gauges_free(struct gauges *gauges)
{
    if (gauges == NULL) {
        return;
    }
    for (size_t i = 0; i < gauges->count; i++) {
        heap_free(gauges->entries[i]);
    }
    heap_free(gauges->entries);
    (void)pthread_mutex_destroy(&gauges->lock);
    heap_free(gauges);
}

/* Where the key is, or where it belongs. */
static size_t position(const struct gauges *gauges, const char *key, bool *out_there)
{
    size_t low = 0, high = gauges->count;

    *out_there = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(gauges->entries[middle]->key, key);

        if (order == 0) {
            *out_there = true;
            return middle;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return low;
}

static void grow(struct gauges *gauges)
{
    size_t capacity = gauges->capacity == 0 ? 16 : gauges->capacity * 2;
    struct entry **entries = NULL;

    if (gauges->count < gauges->capacity) {
        return;
    }
    entries = heap_new(capacity * sizeof(struct entry *));
    if (gauges->count > 0) {
        memcpy(entries, gauges->entries, gauges->count * sizeof(struct entry *));
    }
    heap_free(gauges->entries);
    gauges->entries = entries;
    gauges->capacity = capacity;
}

static struct entry *entry_of(struct gauges *gauges, const char *key)
{
    bool there = false;
    size_t at = position(gauges, key, &there), size = strlen(key) + 1;
    struct entry *entry = NULL;

    if (there) {
        return gauges->entries[at];
    }
    grow(gauges);
    entry = heap_new(sizeof(*entry) + size);
    memcpy(entry->key, key, size);
    memmove(&gauges->entries[at + 1], &gauges->entries[at],
            (gauges->count - at) * sizeof(struct entry *));
    gauges->entries[at] = entry;
    gauges->count++;
    return entry;
}

void gauges_set(struct gauges *gauges, const char *key, const struct gauges_row *row)
{
    struct entry *entry = NULL;

    must(pthread_mutex_lock(&gauges->lock) == 0);
    entry = entry_of(gauges, key);
    entry->row = *row;
    must(pthread_mutex_unlock(&gauges->lock) == 0);
}

void gauges_remove(struct gauges *gauges, const char *key)
{
    bool there = false;
    size_t at = 0;

    must(pthread_mutex_lock(&gauges->lock) == 0);
    at = position(gauges, key, &there);
    if (there) {
        heap_free(gauges->entries[at]);
        gauges->count--;
        memmove(&gauges->entries[at], &gauges->entries[at + 1],
                (gauges->count - at) * sizeof(struct entry *));
    }
    must(pthread_mutex_unlock(&gauges->lock) == 0);
}

bool gauges_get(struct gauges *gauges, const char *key, struct gauges_row *out_row)
{
    bool there = false;
    size_t at = 0;

    must(pthread_mutex_lock(&gauges->lock) == 0);
    at = position(gauges, key, &there);
    if (there) {
        *out_row = gauges->entries[at]->row;
    }
    must(pthread_mutex_unlock(&gauges->lock) == 0);
    return there;
}

struct gauges_sums gauges_sums(struct gauges *gauges)
{
    struct gauges_sums sums = {0};

    must(pthread_mutex_lock(&gauges->lock) == 0);
    sums.resources = (int64_t)gauges->count;
    for (size_t i = 0; i < gauges->count; i++) {
        const struct gauges_row *row = &gauges->entries[i]->row;

        sums.ready += row->ready == GAUGE_TRUE;
        sums.stalled += row->stalled == GAUGE_TRUE;
        sums.drifted += row->in_sync == GAUGE_FALSE || row->in_sync == GAUGE_UNKNOWN;
        sums.lag_max_s = row->lag_s > sums.lag_max_s ? row->lag_s : sums.lag_max_s;
    }
    must(pthread_mutex_unlock(&gauges->lock) == 0);
    return sums;
}

int64_t gauges_runway_s(struct gauges *gauges, int64_t now_ms)
{
    int64_t least_s = -1;

    must(pthread_mutex_lock(&gauges->lock) == 0);
    for (size_t i = 0; i < gauges->count; i++) {
        const struct gauges_row *row = &gauges->entries[i]->row;
        int64_t left_s = row->retention_s - (now_ms - row->position_ms) / 1000;

        if (row->position_ms > 0 && row->retention_s > 0 &&
            (least_s < 0 || left_s < least_s)) {
            least_s = left_s < 0 ? 0 : left_s;
        }
    }
    must(pthread_mutex_unlock(&gauges->lock) == 0);
    return least_s;
}

/* --- writing --- */

static void print_number(const struct entry *entry, enum metric metric, int64_t value,
                         struct buf *out)
{
    struct metrics_labels labels;

    if (value >= 0) {
        labels = metrics_key_labels(entry->key);
        metrics_sample(out, metric, &labels, (double)value);
    }
}

static void print_sink(const struct entry *entry, struct buf *out)
{
    struct metrics_labels labels;

    if (entry->row.sink != NULL) {
        labels = metrics_key_labels(entry->key);
        metrics_label_add(&labels, "state", entry->row.sink);
        metrics_sample(out, METRIC_SINK_STATE, &labels, 1);
    }
}

static void print_conditions(const struct entry *entry, struct buf *out)
{
    static const char *const TRUTHS[] = {
        [GAUGE_TRUE] = "True", [GAUGE_FALSE] = "False", [GAUGE_UNKNOWN] = "Unknown"};
    const struct {
        const char *type;
        enum gauge_truth truth;
    } each[] = {{"Ready", entry->row.ready},
                {"Stalled", entry->row.stalled},
                {"InSync", entry->row.in_sync}};

    for (size_t i = 0; i < COUNT_OF(each); i++) {
        struct metrics_labels labels;

        if (each[i].truth != GAUGE_UNSET) {
            labels = metrics_key_labels(entry->key);
            metrics_label_add(&labels, "type", each[i].type);
            metrics_label_add(&labels, "status", TRUTHS[each[i].truth]);
            metrics_sample(out, METRIC_CONDITION, &labels, 1);
        }
    }
}

static int64_t known(int64_t value)
{
    return value > 0 ? value : -1;
}

static void print_entry(const struct entry *entry, enum metric metric, struct buf *out)
{
    if (metric == METRIC_LAG) {
        print_number(entry, metric, entry->row.lag_s, out);
    } else if (metric == METRIC_UNDELIVERED) {
        print_number(entry, metric, entry->row.undelivered, out);
    } else if (metric == METRIC_SNAPSHOT_ROWS) {
        print_number(entry, metric, entry->row.snapshot_rows, out);
    } else if (metric == METRIC_VERIFY_DIFFERENCE) {
        print_number(entry, metric, entry->row.difference, out);
    } else if (metric == METRIC_POSITION) {
        print_number(entry, metric, known(entry->row.position_ms / 1000), out);
    } else if (metric == METRIC_RETENTION) {
        print_number(entry, metric, known(entry->row.retention_s), out);
    } else if (metric == METRIC_SINK_STATE) {
        print_sink(entry, out);
    } else {
        print_conditions(entry, out);
    }
}

/* The lock is held. Every phase is written, also those nobody is in. */
static void print_phases(const struct gauges *gauges, struct buf *out)
{
    int64_t counts[PHASE_MAX] = {0};

    for (size_t i = 0; i < gauges->count; i++) {
        counts[gauges->entries[i]->row.phase]++;
    }
    for (int phase = PHASE_UNSET + 1; phase < PHASE_MAX; phase++) {
        struct metrics_labels labels =
            metrics_label("phase", phase_name((enum phase)phase));

        metrics_sample(out, METRIC_PHASES, &labels, (double)counts[phase]);
    }
}

/* The lock is held. States are few static texts: pointers name them. */
static void print_sinks(const struct gauges *gauges, struct buf *out)
{
    struct {
        const char *state;
        int64_t count;
    } found[32];
    size_t states = 0;

    for (size_t i = 0; i < gauges->count; i++) {
        const char *state = gauges->entries[i]->row.sink;
        size_t at = 0;

        while (at < states && found[at].state != state) {
            at++;
        }
        if (state == NULL || at == COUNT_OF(found)) {
            continue;
        }
        if (at == states) {
            found[states].state = state;
            found[states++].count = 0;
        }
        found[at].count++;
    }
    for (size_t at = 0; at < states; at++) {
        struct metrics_labels labels = metrics_label("state", found[at].state);

        metrics_sample(out, METRIC_SINKS, &labels, (double)found[at].count);
    }
}

static bool is_of_resources(enum metric metric)
{
    return metric == METRIC_LAG || metric == METRIC_UNDELIVERED ||
           metric == METRIC_SNAPSHOT_ROWS || metric == METRIC_VERIFY_DIFFERENCE ||
           metric == METRIC_POSITION || metric == METRIC_RETENTION ||
           metric == METRIC_SINK_STATE || metric == METRIC_CONDITION;
}

bool gauges_print(struct gauges *gauges, int64_t limit, enum metric metric,
                  struct buf *out)
{
    int64_t shown = 0;

    if (!is_of_resources(metric) && metric != METRIC_PHASES && metric != METRIC_SINKS &&
        metric != METRIC_OMITTED) {
        return false;
    }
    must(pthread_mutex_lock(&gauges->lock) == 0);
    for (size_t i = 0; i < gauges->count && shown < limit; i++) {
        shown++;
        if (is_of_resources(metric)) {
            print_entry(gauges->entries[i], metric, out);
        }
    }
    if (metric == METRIC_PHASES) {
        print_phases(gauges, out);
    } else if (metric == METRIC_SINKS) {
        print_sinks(gauges, out);
    } else if (metric == METRIC_OMITTED) {
        metrics_sample(out, metric, NULL, (double)((int64_t)gauges->count - shown));
    }
    must(pthread_mutex_unlock(&gauges->lock) == 0);
    return true;
}
