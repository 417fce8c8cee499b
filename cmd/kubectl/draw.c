#include "cmd/kubectl/draw.h"

#include "base/clock.h"
#include "model/spec.h"

#include <stdio.h>
#include <string.h>

#define TEXT_SIZE 512

struct picture {
    struct draw d;
    const struct json *sync, *status, *spec, *all;
};

static const struct json *connection(const struct picture *p, const char *place)
{
    char path[TEXT_SIZE];
    const char *name = NULL;

    (void)snprintf(path, sizeof(path), "%s.connectionRef.name", place);
    name = json_path_string(p->spec, path);
    for (const struct json *c = json_first(json_get(p->all, "connections"));
         c != NULL && name != NULL; c = json_next(c)) {
        if (draw_is(json_get(c, "metadata"), "name", name)) {
            return c;
        }
    }
    return NULL;
}

static const struct json *object_of(const struct picture *p, const char *kind)
{
    const struct json *o = json_first(json_get(p->status, "objects"));

    while (o != NULL && !draw_is(o, "kind", kind)) {
        o = json_next(o);
    }
    return o;
}

static void gap(struct picture *p)
{
    buf_addz(p->d.out, "  ");
}

/* "id,line" */
static void add_names(struct picture *p, const struct json *names)
{
    for (const struct json *n = json_first(names); n != NULL; n = json_next(n)) {
        draw_add(&p->d, DRAW_PLAIN, json_string(n));
        buf_addz(p->d.out, json_next(n) == NULL ? "" : ",");
    }
}

/* The reason of a condition, behind a gap, in a colour: good when it is True. */
static void add_reason(struct picture *p, const char *type)
{
    const struct json *c = draw_condition(p->sync, type);

    if (c != NULL) {
        gap(p);
        draw_add(&p->d, draw_is(c, "status", "True") ? DRAW_GOOD : DRAW_WAITING,
                 json_get_string(c, "reason"));
    }
}

static void draw_head(struct picture *p)
{
    const struct json *ready = draw_condition(p->sync, "Ready");
    const struct json *stalled = draw_condition(p->sync, "Stalled");
    bool is_stalled = draw_is(stalled, "status", "True");

    draw_add(&p->d, DRAW_PLAIN, draw_text(p->sync, "metadata.namespace"));
    buf_addc(p->d.out, '/');
    draw_add(&p->d, DRAW_PLAIN, draw_text(p->sync, "metadata.name"));
    gap(p);
    if (json_get(p->status, "phase") != NULL) {
        draw_add(&p->d, DRAW_PLAIN, draw_text(p->status, "phase"));
        gap(p);
    }
    if (ready == NULL) {
        draw_add(&p->d, DRAW_WAITING, "no controller has seen it yet");
    } else if (draw_is(ready, "status", "True")) {
        draw_add(&p->d, DRAW_GOOD, "Ready");
    } else {
        draw_add(&p->d, is_stalled ? DRAW_BAD : DRAW_WAITING,
                 is_stalled ? "Stalled: " : "not Ready: ");
        draw_add(&p->d, is_stalled ? DRAW_BAD : DRAW_WAITING,
                 json_get_string(ready, "reason"));
    }
    buf_addc(p->d.out, '\n');
}

/* "(8.0.39, ROW/FULL, GTID on)" */
static void add_server(struct picture *p, const struct json *c)
{
    const struct json *can = json_path(c, "status.capabilities");

    if (json_path_string(c, "status.serverVersion") == NULL) {
        return;
    }
    buf_addz(p->d.out, " (");
    draw_add(&p->d, DRAW_PLAIN, draw_text(c, "status.serverVersion"));
    if (json_get_string(can, "binlogFormat") != NULL) {
        buf_addz(p->d.out, ", ");
        draw_add(&p->d, DRAW_PLAIN, json_get_string(can, "binlogFormat"));
        buf_addc(p->d.out, '/');
        draw_add(&p->d, DRAW_PLAIN, json_get_string(can, "rowImage"));
    }
    if (json_get(can, "gtid") != NULL) {
        buf_addz(p->d.out,
                 json_bool(json_get(can, "gtid"), false) ? ", GTID on" : ", GTID off");
    }
    buf_addc(p->d.out, ')');
}

static void draw_source(struct picture *p)
{
    const struct json *source = json_get(p->status, "source");
    int64_t rows = json_path_int(source, "rowEstimate", -1);

    draw_label(&p->d, "Source");
    draw_add(&p->d, DRAW_PLAIN, draw_text(p->spec, "source.connectionRef.name"));
    add_server(p, connection(p, "source"));
    gap(p);
    draw_add(&p->d, DRAW_PLAIN, draw_text(p->spec, "source.database"));
    buf_addc(p->d.out, '.');
    draw_add(&p->d, DRAW_PLAIN, draw_text(p->spec, "source.table"));
    if (json_get(source, "columns") != NULL) {
        buf_addf(p->d.out, "  %lld columns  PK ",
                 (long long)json_path_int(source, "columns", 0));
        add_names(p, json_get(source, "primaryKey"));
    }
    if (rows >= 0) {
        buf_addz(p->d.out, "  about ");
        draw_number(&p->d, rows);
        buf_addz(p->d.out, " rows");
    }
    if (json_get(source, "schemaHash") != NULL) {
        buf_addz(p->d.out, "  schema ");
        draw_hash(&p->d, draw_text(source, "schemaHash"));
        add_reason(p, "SchemaInSync");
    }
    buf_addc(p->d.out, '\n');
}

/* The shared source as the MySQL connection lists it. */
static const struct json *shared_source(const struct picture *p, const char *name)
{
    const struct json *s =
        json_first(json_path(connection(p, "source"), "status.sources"));

    while (s != NULL && !draw_is(s, "rwSource", name)) {
        s = json_next(s);
    }
    return s;
}

static void draw_stream(struct picture *p)
{
    const struct json *object = object_of(p, "Source");
    const char *name = draw_text(object, "name");
    const struct json *shared = shared_source(p, name);

    draw_label(&p->d, "Stream");
    draw_add(&p->d, DRAW_PLAIN, object == NULL ? "not made yet" : name);
    if (shared != NULL) {
        buf_addf(p->d.out, " (shared by %lld, server.id %lld)",
                 (long long)json_path_int(shared, "users", 0),
                 (long long)json_path_int(shared, "serverId", 0));
    }
    if (json_path_string(p->status, "stream.sourceOffset") != NULL) {
        gap(p);
        draw_add(&p->d, DRAW_PLAIN, draw_text(p->status, "stream.sourceOffset"));
    }
    add_reason(p, "SourceReady");
    buf_addc(p->d.out, '\n');
}

static void add_snapshot(struct picture *p)
{
    const struct json *s = json_get(p->status, "snapshot");
    int64_t rows = json_path_int(s, "rows", -1);
    int64_t from = clock_parse_rfc3339(draw_text(s, "startedAt"));
    int64_t to = clock_parse_rfc3339(draw_text(s, "finishedAt"));

    if (json_get(s, "state") == NULL) {
        return;
    }
    buf_addz(p->d.out, "  snapshot ");
    draw_add(&p->d,
             draw_is(s, "state", "Done") || draw_is(s, "state", "Skipped") ? DRAW_GOOD
                                                                           : DRAW_WAITING,
             draw_text(s, "state"));
    if (rows >= 0) {
        buf_addz(p->d.out, "  ");
        draw_number(&p->d, rows);
        buf_addz(p->d.out, " rows");
    }
    if (from >= 0 && to > from) {
        buf_addz(p->d.out, " in ");
        draw_duration(&p->d, to - from);
    } else if (from >= 0 && to < 0) {
        buf_addf(p->d.out, " since %s", draw_text(s, "startedAt"));
    }
}

static void draw_table(struct picture *p)
{
    const struct json *object = object_of(p, "Table");

    draw_label(&p->d, "Table");
    draw_add(&p->d, DRAW_PLAIN,
             object == NULL ? "not made yet" : draw_text(object, "name"));
    add_snapshot(p);
    buf_addc(p->d.out, '\n');
}

static void draw_sink(struct picture *p)
{
    const struct json *object = object_of(p, "Sink");
    int64_t every = json_path_int(p->spec, "sink.commitCheckpointInterval", 0);
    int64_t waiting = json_path_int(p->status, "stream.undelivered", 0);

    draw_label(&p->d, "Sink");
    draw_add(&p->d, DRAW_PLAIN,
             object == NULL ? "not made yet" : draw_text(object, "name"));
    add_reason(p, "SinkReady");
    if (every > 0) {
        buf_addf(p->d.out, ", commits every %lld checkpoints", (long long)every);
    }
    if (json_path_string(p->status, "stream.lag") != NULL) {
        buf_addz(p->d.out, ", lag ");
        draw_add(&p->d, DRAW_PLAIN, draw_text(p->status, "stream.lag"));
    }
    if (waiting > 0) {
        buf_addz(p->d.out, ", at most ");
        draw_number(&p->d, waiting);
        buf_addz(p->d.out, " rows undelivered");
    }
    buf_addc(p->d.out, '\n');
}

/* The name that a column has in StarRocks. */
static const char *target_name(const struct picture *p, const char *column)
{
    const struct json *o = json_first(json_path(p->spec, "columns.overrides"));

    for (; o != NULL; o = json_next(o)) {
        if (draw_is(o, "name", column) && json_get_string(o, "targetName") != NULL) {
            return json_get_string(o, "targetName");
        }
    }
    return column;
}

static void add_key(struct picture *p, const char *word, const struct json *names,
                    bool renamed)
{
    buf_addf(p->d.out, "  %s(", word);
    for (const struct json *n = json_first(names); n != NULL; n = json_next(n)) {
        const char *name = json_string(n);

        draw_add(&p->d, DRAW_PLAIN,
                 renamed && name != NULL ? target_name(p, name) : name);
        buf_addz(p->d.out, json_next(n) == NULL ? "" : ",");
    }
    buf_addc(p->d.out, ')');
}

/* As the source's table, unless it was given a name. */
static const char *target_table(const struct picture *p)
{
    const char *name = json_path_string(p->spec, "target.table");

    return name != NULL ? name : draw_text(p->spec, "source.table");
}

static void draw_target(struct picture *p)
{
    const struct json *key = json_get(p->spec, "primaryKey");
    const struct json *by = json_path(p->spec, "target.distributedBy");
    const char *replicas =
        json_get_string(json_path(p->spec, "target.properties"), "replication_num");

    key = json_size(key) > 0 ? key : json_path(p->status, "source.primaryKey");
    draw_label(&p->d, "Target");
    draw_add(&p->d, DRAW_PLAIN, draw_text(p->spec, "target.connectionRef.name"));
    add_server(p, connection(p, "target"));
    gap(p);
    draw_add(&p->d, DRAW_PLAIN, draw_text(p->spec, "target.database"));
    buf_addc(p->d.out, '.');
    draw_add(&p->d, DRAW_PLAIN, target_table(p));
    if (json_size(key) > 0) {
        bool by_key = json_size(by) == 0;

        add_key(p, "PRIMARY KEY", key, true);
        add_key(p, "HASH", by_key ? key : by, by_key);
    }
    if (replicas != NULL) {
        buf_addz(p->d.out, "  replicas ");
        draw_add(&p->d, DRAW_PLAIN, replicas);
    }
    add_reason(p, "TargetTableReady");
    add_reason(p, "InSync");
    buf_addc(p->d.out, '\n');
}

void draw_status(const struct json *picture, bool color, struct buf *out)
{
    const struct json *sync = json_get(picture, "tableSync");
    struct picture p = {.d = {out, color},
                        .sync = sync,
                        .status = json_get(sync, "status"),
                        .spec = json_get(sync, "spec"),
                        .all = picture};

    draw_head(&p);
    draw_source(&p);
    draw_stream(&p);
    draw_table(&p);
    draw_sink(&p);
    draw_target(&p);
    draw_work(&p.d, picture);
    draw_needs(&p.d, sync);
}
