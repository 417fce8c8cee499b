#include "shop.h"

#include "kube/api.h"
#include "kube/conditions.h"

#include <stdio.h>

void shop_connect(struct sim *sim, const char *name, const char *type, const char *host)
{
    char text[512];

    (void)snprintf(text, sizeof(text),
                   "{\"apiVersion\":\"" TSYNC_GROUP "/" TSYNC_VERSION
                   "\",\"kind\":\"DatabaseConnection\",\"metadata\":{\"name\":\"%s\"},"
                   "\"spec\":{\"type\":\"%s\",\"host\":\"%s\",\"credentialsSecretRef\":"
                   "{\"name\":\"%s\"}}}",
                   name, type, host, name);
    fake_kube_create(sim->kube, "databaseconnections", SHOP, text);
    (void)snprintf(
        text, sizeof(text),
        "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"%s\"},"
        "\"data\":{\"username\":\"dGFibGVzeW5j\",\"password\":\"czNjcjN0LXB3\"}}",
        name);
    fake_kube_create(sim->kube, "secrets", SHOP, text);
}

struct sim *shop_open(const struct sim_options *options)
{
    struct sim *sim = sim_new(options);
    struct fake_mysql *mysql =
        fake_db_add_mysql(sim->db, MYSQL_HOST, "11111111-0000-0000-0000-000000000001");
    struct fake_mysql *other =
        fake_db_add_mysql(sim->db, MYSQL_B_HOST, "11111111-0000-0000-0000-000000000002");

    /* Between a scattered look and its report the world may change. */
    sim->on_end = check_audit;
    sim->on_ready = options->scatter ? NULL : check_ready_claim;
    fake_mysql_add_table(sim->db, mysql, "shop", "orders", 1000);
    fake_mysql_add_table(sim->db, mysql, "shop", "users", 20);
    fake_mysql_add_table(sim->db, mysql, "crm", "accounts", 300);
    fake_mysql_add_table(sim->db, other, "shop", "orders", 7);
    (void)fake_db_add_rw(sim->db, RW_HOST);
    (void)fake_db_add_rw(sim->db, RW_B_HOST);
    (void)fake_db_add_sr(sim->db, SR_HOST, "ods");
    shop_connect(sim, "mysql", "MySQL", MYSQL_HOST);
    shop_connect(sim, "mysql-b", "MySQL", MYSQL_B_HOST);
    shop_connect(sim, "rw", "RisingWave", RW_HOST);
    shop_connect(sim, "rw-b", "RisingWave", RW_B_HOST);
    shop_connect(sim, "warehouse", "StarRocks", SR_HOST);
    return sim;
}

void shop_close(struct sim *sim)
{
    char first[sizeof(sim->first_violation)];
    int64_t violations = 0;

    sim_restart(sim); /* closing must leave no session open: sim_free() looks, too */
    violations = sim->violations;
    memcpy(first, sim->first_violation, sizeof(first));
    sim_free(sim);
    if (violations > 0) {
        fail_msg("%s", first);
    }
}

static const char *or_else(const char *text, const char *otherwise)
{
    return text != NULL ? text : otherwise;
}

void shop_add(struct sim *sim, struct shop_sync sync)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    const char *table = or_else(sync.table, sync.name);
    const char *policy = "", *state = "";

    if (sync.policy != NULL) {
        policy = arena_printf(arena, ",\"deletionPolicy\":\"%s\"", sync.policy);
    }
    if (sync.state != NULL) {
        state = arena_printf(arena, ",\"state\":\"%s\"", sync.state);
    }
    fake_kube_create(
        sim->kube, "tablesyncs", SHOP,
        arena_printf(
            arena,
            "{\"apiVersion\":\"" TSYNC_GROUP "/" TSYNC_VERSION
            "\",\"kind\":\"TableSync\",\"metadata\":{\"name\":\"%s\"},\"spec\":{"
            "\"source\":{\"connectionRef\":{\"name\":\"%s\"},\"database\":\"%s\","
            "\"table\":\"%s\"},\"risingWave\":{\"connectionRef\":{\"name\":\"%s\"}},"
            "\"target\":{\"connectionRef\":{\"name\":\"warehouse\"},"
            "\"database\":\"ods\",\"table\":\"%s\"}%s%s}}",
            sync.name, or_else(sync.connection, "mysql"), or_else(sync.database, "shop"),
            table, or_else(sync.rw, "rw"), or_else(sync.target, table), policy, state));
}

void shop_delete(struct sim *sim, const char *name)
{
    fake_kube_delete(sim->kube, "tablesyncs", SHOP, name);
}

struct fake_mysql *shop_mysql(struct sim *sim)
{
    return sim->db->mysql.v[0]; /* wherever it has moved to */
}

struct fake_rw *shop_rw(struct sim *sim)
{
    return fake_db_rw(sim->db, RW_HOST);
}

struct fake_sr *shop_sr(struct sim *sim)
{
    return sim->db->sr.v[0];
}

const struct json *shop_find(struct sim *sim, const char *name)
{
    return fake_kube_find(sim->kube, "tablesyncs", SHOP, name);
}

static const char *field_of(const struct json *object, const char *type,
                            const char *field)
{
    const struct json *c = json_first(json_path(object, "status.conditions"));

    for (; c != NULL; c = json_next(c)) {
        if (strcmp(json_get_string(c, "type"), type) == 0) {
            return json_get_string(c, field);
        }
    }
    return "";
}

const char *shop_condition(struct sim *sim, const char *name, const char *type)
{
    return field_of(shop_find(sim, name), type, "status");
}

const char *shop_reason(struct sim *sim, const char *name, const char *type)
{
    return field_of(shop_find(sim, name), type, "reason");
}

const char *shop_message(struct sim *sim, const char *name, const char *type)
{
    return field_of(shop_find(sim, name), type, "message");
}

const char *shop_phase(struct sim *sim, const char *name)
{
    return or_else(json_path_string(shop_find(sim, name), "status.phase"), "");
}

static bool is_ready(const struct json *object)
{
    return strcmp(field_of(object, "Ready", "status"), "True") == 0 &&
           json_path_int(object, "status.observedGeneration", -1) ==
               kube_generation(object);
}

bool shop_is_ready(struct sim *sim, const char *name)
{
    return is_ready(shop_find(sim, name));
}

static size_t count_syncs(struct sim *sim, bool ready_only)
{
    size_t count = 0;

    for (size_t i = 0; i < sim->kube->objects.n; i++) {
        const struct fake_object *o = sim->kube->objects.v[i];

        count +=
            strcmp(o->plural, "tablesyncs") == 0 && (!ready_only || is_ready(o->json));
    }
    return count;
}

bool shop_all_ready(struct sim *sim)
{
    size_t all = count_syncs(sim, false);

    return all > 0 && count_syncs(sim, true) == all;
}

bool shop_all_gone(struct sim *sim)
{
    return count_syncs(sim, false) == 0;
}

struct sim *shop_grown(uint64_t seed)
{
    const struct sim_options options = {.seed = seed};
    struct sim *sim = shop_open(&options);

    shop_add(sim, (struct shop_sync){.name = "orders"});
    check_run_until(sim, shop_all_ready, 5 * MINUTE_MS);
    sim_run_for(sim, 2 * MINUTE_MS);
    sim_count_anew(sim);
    return sim;
}

struct fake_stream_object *shop_first(struct sim *sim, enum fake_kind kind)
{
    for (size_t i = 0; i < shop_rw(sim)->objects.n; i++) {
        if (shop_rw(sim)->objects.v[i]->kind == kind) {
            return shop_rw(sim)->objects.v[i];
        }
    }
    fail_msg("no such object in RisingWave");
    return NULL;
}
