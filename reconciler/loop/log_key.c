#include "loop/log_key.h"

#include "base/json.h"
#include "loop/loop.h"
#include "model/spec.h"

static void member(struct buf *line, const char *key, struct sv value)
{
    buf_addf(line, ",\"%s\":", key);
    json_quote(value, line);
}

static void object(struct buf *line, const char *controller,
                   const struct kube_resource *resource, struct sv key)
{
    struct sv name = key, namespace = sv_cut(&name, '/');

    member(line, "controller", sv_from(controller));
    member(line, "controllerGroup", SV(TSYNC_GROUP));
    member(line, "controllerKind", sv_from(resource->kind));
    buf_addf(line, ",\"%s\":{\"name\":", resource->kind);
    json_quote(name, line);
    buf_addz(line, ",\"namespace\":");
    json_quote(namespace, line);
    buf_addc(line, '}');
    member(line, "namespace", namespace);
    member(line, "name", name);
}

const char *log_key_controller(const char *key)
{
    return sv_starts(sv_from(key), SV(LOOP_KEY_CONN)) ? "databaseconnection"
                                                      : "tablesync";
}

void log_key(struct buf *line, const char *key)
{
    struct sv rest = sv_from(key);
    bool conn = sv_starts(rest, SV(LOOP_KEY_CONN));

    (void)sv_cut(&rest, '/');
    object(line, log_key_controller(key),
           conn ? &loop_resource_conn : &loop_resource_sync, rest);
}

void log_key_conn(struct buf *line, const char *key)
{
    object(line, "databaseconnection", &loop_resource_conn, sv_from(key));
}
