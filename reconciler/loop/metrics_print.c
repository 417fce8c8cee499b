/* Prometheus' text format, version 0.0.4 (prometheus.io, "Exposition formats"). */
#include "loop/metrics_private.h"

struct metric_row {
    const char *type, *name, *labels, *help;
};

static const struct metric_row ROWS[METRIC_MAX] = {
#define METRIC(id, type, name, labels, help) [METRIC_##id] = {type, name, labels, help},
#include "loop/metrics.def"
#undef METRIC
};

static void add(struct metrics_labels *labels, struct sv text)
{
    size_t room = sizeof(labels->text) - labels->n;

    if (text.n < room) {
        memcpy(labels->text + labels->n, text.p, text.n);
        labels->n += text.n;
    }
}

/* Keeps room for what ends it: a value that is too long is cut between characters. */
void metrics_label_add(struct metrics_labels *labels, const char *key, const char *value)
{
    size_t ends = sizeof(labels->text) - 2;
    struct sv rest = sv_utf8_prefix(sv_from(value), METRICS_LABELS_MAX / 4);

    add(labels, labels->n > 0 ? SV(",") : SV(""));
    add(labels, sv_from(key));
    add(labels, SV("=\""));
    for (size_t i = 0; i < rest.n && labels->n + 2 < ends; i++) {
        switch (rest.p[i]) {
        case '\\':
            add(labels, SV("\\\\"));
            break;
        case '"':
            add(labels, SV("\\\""));
            break;
        case '\n':
            add(labels, SV("\\n"));
            break;
        default:
            add(labels, (struct sv){rest.p + i, 1});
        }
    }
    add(labels, SV("\""));
    labels->text[labels->n] = '\0';
}

struct metrics_labels metrics_label(const char *key, const char *value)
{
    struct metrics_labels labels = {.n = 0};

    metrics_label_add(&labels, key, value);
    return labels;
}

struct metrics_labels metrics_key_labels(const char *key)
{
    struct sv name = sv_from(key), namespace = sv_cut(&name, '/');
    char text[METRICS_LABELS_MAX / 4 + 1];
    struct metrics_labels labels = {.n = 0};

    (void)snprintf(text, sizeof(text), "%.*s", SV_ARGS(namespace));
    metrics_label_add(&labels, "namespace", text);
    metrics_label_add(&labels, "name", name.p);
    return labels;
}

static void add_value(struct buf *out, double value)
{
    if (value >= -9e15 && value <= 9e15 && value - (double)(int64_t)value == 0.0) {
        buf_addf(out, " %lld\n", (long long)value);
    } else {
        buf_addf(out, " %.15g\n", value);
    }
}

void metrics_sample(struct buf *out, enum metric metric,
                    const struct metrics_labels *labels, double value)
{
    buf_addz(out, ROWS[metric].name);
    if (labels != NULL) {
        buf_addf(out, "{%.*s}", (int)labels->n, labels->text);
    }
    add_value(out, value);
}

void metrics_histogram(struct buf *out, enum metric histogram,
                       const struct metrics_labels *labels,
                       const struct metrics_buckets *buckets, const int64_t *counts,
                       double sum)
{
    const char *name = ROWS[histogram].name;
    int64_t total = 0;

    for (size_t i = 0; i <= buckets->count; i++) {
        char limit[32] = "+Inf";

        total += counts[i];
        if (i < buckets->count) {
            (void)snprintf(limit, sizeof(limit), "%.15g",
                           (double)buckets->bounds[i] / buckets->unit);
        }
        buf_addf(out, "%s_bucket{%.*s,le=\"%s\"} %lld\n", name, (int)labels->n,
                 labels->text, limit, (long long)total);
    }
    buf_addf(out, "%s_sum{%.*s}", name, (int)labels->n, labels->text);
    add_value(out, sum);
    buf_addf(out, "%s_count{%.*s} %lld\n", name, (int)labels->n, labels->text,
             (long long)total);
}

void metrics_print(struct metrics *metrics, metrics_more *more, void *context,
                   struct buf *out)
{
    const char *last = "";

    for (enum metric i = 1; i < METRIC_MAX; i++) {
        const struct metric_row *row = &ROWS[i];

        if (strcmp(row->name, last) != 0) {
            buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name,
                     row->type);
        }
        last = row->name;
        if ((more != NULL && more(context, i, out)) || metrics_process(metrics, i, out)) {
            continue;
        }
        if (strchr(row->labels, '*') != NULL) {
            metrics_print_family(metrics, i, out);
        } else {
            buf_addf(out, "%s%s %lld\n", row->name, row->labels,
                     (long long)metrics->values[i]);
        }
    }
}
