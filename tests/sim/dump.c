/* The whole shop on paper, for a test that failed. */
#include "shop.h"

#include "kube/api.h"

static void dump_sync(const struct fake_object *o)
{
    const struct json *c = json_first(json_path(o->json, "status.conditions"));
    const char *phase = json_path_string(o->json, "status.phase");

    print_message("TableSync %s %s, %s, policy %s%s\n", o->name, kube_uid(o->json),
                  phase == NULL ? "no phase" : phase,
                  json_path_string(o->json, "spec.deletionPolicy") == NULL
                      ? "default"
                      : json_path_string(o->json, "spec.deletionPolicy"),
                  kube_deleting(o->json) ? ", being deleted" : "");
    for (; c != NULL; c = json_next(c)) {
        print_message("  %s=%s %s: %s\n", json_get_string(c, "type"),
                      json_get_string(c, "status"), json_get_string(c, "reason"),
                      json_get_string(c, "message"));
    }
}

static void dump_rw(const struct fake_rw *rw)
{
    static const char *const kinds[] = {"", "source", "table", "sink", "view"};

    for (size_t i = 0; i < rw->objects.n; i++) {
        const struct fake_stream_object *o = rw->objects.v[i];

        print_message("%s %s %lld %s.%s of %lld %s%s\n", rw->host, kinds[o->kind],
                      (long long)o->id, o->schema, o->name, (long long)o->uses,
                      o->comment == NULL ? "" : o->comment, o->built ? "built" : "");
    }
}

void shop_dump(struct sim *sim)
{
    print_message("virtual %lld s, %lld reconciles, %lld restarts\n",
                  (long long)(sim->clock.now_ms - SIM_START_MS) / 1000,
                  (long long)sim->counts.reconciles, (long long)sim->counts.restarts);
    for (size_t i = 0; i < sim->kube->objects.n; i++) {
        if (strcmp(sim->kube->objects.v[i]->plural, "tablesyncs") == 0) {
            dump_sync(sim->kube->objects.v[i]);
        }
    }
    for (size_t i = 0; i < sim->db->rw.n; i++) {
        dump_rw(sim->db->rw.v[i]);
    }
    for (size_t i = 0; i < shop_sr(sim)->tables.n; i++) {
        const struct fake_sr_table *t = shop_sr(sim)->tables.v[i];

        print_message("%s %s.%s %s, %lld rows\n", SR_HOST, t->database, t->table.name,
                      t->table.comment, (long long)t->rows);
    }
}
