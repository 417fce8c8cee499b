#include "chaos.h"

#include "kube/api.h"
#include "rotate.h"
#include "shop.h"

static const struct shop_sync pool[] = {
    {.name = "orders"},
    {.name = "users"},
    {.name = "accounts", .database = "crm"},
    {.name = "late", .connection = "mysql-b", .table = "orders"},
    {.name = "orders-b",
     .connection = "mysql-b",
     .table = "orders",
     .target = "orders_b"},
    {.name = "far", .rw = "rw-b", .table = "users", .target = "users_far"},
};

static uint64_t draw(struct sim *sim, uint64_t bound)
{
    return rng_below(&sim->rng, bound);
}

static const char *one_of(struct sim *sim, const char *const *list, size_t count)
{
    return list[draw(sim, count)];
}

static const char *policy(struct sim *sim)
{
    static const char *const policies[] = {"Retain", "DeleteStream", "Delete", "Delete"};

    return one_of(sim, policies, COUNT_OF(policies));
}

/* A name of the pool that exists now (or that does not); NULL: none. */
static const struct shop_sync *some_sync(struct sim *sim, bool exists)
{
    size_t first = (size_t)draw(sim, COUNT_OF(pool));

    for (size_t i = 0; i < COUNT_OF(pool); i++) {
        const struct shop_sync *s = &pool[(first + i) % COUNT_OF(pool)];

        if ((shop_find(sim, s->name) != NULL) == exists) {
            return s;
        }
    }
    return NULL;
}

static void edit(struct sim *sim, const char *name, const char *path, const char *value)
{
    fake_kube_edit(sim->kube, "tablesyncs", SHOP, name, path, value);
}

static void create(struct sim *sim, const struct shop_sync *s)
{
    struct shop_sync sync = *s;

    sync.policy = policy(sim);
    sync.state = draw(sim, 6) == 0 ? "Paused" : NULL;
    shop_add(sim, sync);
}

static void a_user_creates(struct sim *sim)
{
    const struct shop_sync *s = some_sync(sim, false);

    if (s != NULL) {
        create(sim, s);
    }
}

void chaos_namesake(struct sim *sim)
{
    const struct shop_sync *s = some_sync(sim, true);

    if (s != NULL) {
        fake_kube_purge(sim->kube, "tablesyncs", SHOP, s->name);
        create(sim, s);
    }
}

static void a_user_edits(struct sim *sim, const char *name)
{
    static const char *const annotations[] = {
        TSYNC_ANNOTATION_PAUSE, TSYNC_ANNOTATION_RETRY, TSYNC_ANNOTATION_PAUSE};

    switch (draw(sim, 6)) {
    case 0:
        edit(sim, name, "sink.commitCheckpointInterval", draw(sim, 2) == 0 ? "5" : "20");
        break;
    case 1:
        edit(sim, name, "state", draw(sim, 2) == 0 ? "\"Paused\"" : "\"Running\"");
        break;
    case 2:
        edit(sim, name, "deletionPolicy",
             arena_printf(sim->arena, "\"%s\"", policy(sim)));
        break;
    case 3:
        if (kube_deleting(shop_find(sim, name))) {
            fake_kube_annotate(sim->kube, SHOP, name, TSYNC_ANNOTATION_ORPHAN, "true");
            break;
        }
        shop_delete(sim, name);
        break;
    case 4:
        fake_kube_annotate(sim->kube, SHOP, name,
                           one_of(sim, annotations, COUNT_OF(annotations)), "true");
        break;
    default:
        fake_kube_annotate(sim->kube, SHOP, name, TSYNC_ANNOTATION_PAUSE, NULL);
        break;
    }
}

static const char *const conns[] = {"mysql", "mysql-b", "rw", "rw-b", "warehouse"};

/* On the server, in the Secret, or in both, in any order. */
static void a_password_rotates(struct sim *sim)
{
    enum rotate_what what = draw(sim, 2) == 0 ? ROTATE_MYSQL : ROTATE_STARROCKS;

    switch (draw(sim, 6)) {
    case 0:
        rotate_server(sim, what);
        break;
    case 1:
        rotate_wrong(sim, what);
        break;
    case 2:
        rotate_back(sim, what);
        break;
    case 3:
        rotate_server(sim, what);
        rotate_secret(sim, what);
        break;
    default:
        rotate_secret(sim, what);
        break;
    }
}

static void an_administrator_acts(struct sim *sim)
{
    const char *name = one_of(sim, conns, COUNT_OF(conns));

    if (draw(sim, 2) == 0) {
        a_password_rotates(sim);
        return;
    }
    if (draw(sim, 2) == 0) {
        fake_kube_touch(sim->kube, "secrets", SHOP, name);
        loop_secret_changed(sim->loop, arena_printf(sim->arena, SHOP "/%s", name));
        return;
    }
    fake_kube_edit(sim->kube, "databaseconnections", SHOP, name, "tls.mode",
                   draw(sim, 2) == 0 ? "\"Disable\"" : "\"Prefer\"");
}

static void a_server_changes(struct sim *sim)
{
    struct fake_rw *rw =
        draw(sim, 2) == 0 ? shop_rw(sim) : fake_db_rw(sim->db, RW_B_HOST);
    /* Outages end sooner than they begin, or nothing would ever be made. */
    bool fails = draw(sim, 3) == 0;

    switch (draw(sim, 5)) {
    case 0:
        shop_mysql(sim)->down = fails;
        break;
    case 1:
        rw->down = fails;
        break;
    case 2:
        rw->recovering = fails;
        break;
    case 3:
        shop_sr(sim)->down = fails;
        break;
    default:
        sim->kube->down = fails;
        break;
    }
}

/* Something of ours: strangers keep their hands off strangers. */
static void somebody_drops(struct sim *sim)
{
    struct fake_rw *rw =
        draw(sim, 4) == 0 ? fake_db_rw(sim->db, RW_B_HOST) : shop_rw(sim);
    struct mark mark;

    if (draw(sim, 4) == 0 && shop_sr(sim)->tables.n > 0) {
        const struct fake_sr_table *t =
            shop_sr(sim)->tables.v[draw(sim, shop_sr(sim)->tables.n)];

        if (mark_parse(t->table.comment, &mark)) {
            fake_sr_remove(shop_sr(sim), t);
        }
    } else if (rw->objects.n > 0) {
        const struct fake_stream_object *o = rw->objects.v[draw(sim, rw->objects.n)];

        if (strcmp(o->schema, "tablesync") == 0) {
            fake_rw_drop_cascade(rw, o);
        }
    }
}

/* A view of somebody else on a table of ours. */
static void somebody_builds(struct sim *sim)
{
    const struct fake_rw *rw = shop_rw(sim);

    for (size_t i = 0; i < rw->objects.n; i++) {
        if (rw->objects.v[i]->kind == FAKE_TABLE &&
            strcmp(rw->objects.v[i]->schema, "tablesync") == 0 && draw(sim, 2) == 0) {
            (void)fake_rw_add(sim->db, shop_rw(sim), FAKE_VIEW, "public", "report",
                              rw->objects.v[i]->id);
            return;
        }
    }
}

static void drop_views(struct sim *sim)
{
    for (size_t i = 0; i < shop_rw(sim)->objects.n;) {
        if (shop_rw(sim)->objects.v[i]->kind == FAKE_VIEW) {
            fake_rw_remove(shop_rw(sim), shop_rw(sim)->objects.v[i]);
        } else {
            i++;
        }
    }
}

static void fate(struct sim *sim)
{
    static const uint64_t permille[] = {0, 0, 0, 10, 50, 200};

    switch (draw(sim, 4)) {
    case 0:
        sim_restart(sim);
        break;
    case 1:
        sim_run_for(sim, (int64_t)draw(sim, 15) * MINUTE_MS);
        break;
    default:
        sim_plan(sim, SIM_RANDOM, 0, 0);
        sim->faults.permille = permille[draw(sim, COUNT_OF(permille))];
        break;
    }
}

void chaos_step(struct sim *sim)
{
    const struct shop_sync *s = some_sync(sim, true);
    uint64_t what = draw(sim, 100);

    if (what < 16 || s == NULL) {
        a_user_creates(sim);
    } else if (what < 33) {
        a_user_edits(sim, s->name);
    } else if (what < 45) {
        chaos_wish(sim, s->name);
    } else if (what < 51) {
        an_administrator_acts(sim);
    } else if (what < 64) {
        a_server_changes(sim);
    } else if (what < 70) {
        somebody_drops(sim);
    } else if (what < 73) {
        somebody_builds(sim);
    } else if (what < 76) {
        drop_views(sim);
    } else if (what < 92) {
        chaos_upstream(sim);
    } else {
        fate(sim);
    }
}

void chaos_heal(struct sim *sim)
{
    sim_plan(sim, SIM_NO_FAULTS, 0, 0);
    sim->kube->down = false;
    shop_mysql(sim)->down = false;
    shop_sr(sim)->down = false;
    for (size_t i = 0; i < sim->db->rw.n; i++) {
        sim->db->rw.v[i]->down = sim->db->rw.v[i]->recovering = false;
        sim->db->rw.v[i]->refuses = 0;
    }
    sim->kube->holds = false;
    rotate_secret(sim, ROTATE_MYSQL);
    rotate_secret(sim, ROTATE_STARROCKS);
}

void chaos_end(struct sim *sim)
{
    chaos_heal(sim);
    drop_views(sim);
    chaos_wish_nothing(sim);
    for (size_t i = 0; i < COUNT_OF(pool); i++) {
        if (shop_find(sim, pool[i].name) != NULL) {
            fake_kube_annotate(sim->kube, SHOP, pool[i].name, TSYNC_ANNOTATION_PAUSE,
                               NULL);
            edit(sim, pool[i].name, "state", "\"Running\"");
        }
    }
    if (shop_find(sim, "late") != NULL) {
        shop_delete(sim, "late");
    }
}

/* The TableSync that a mark names, if it lives. */
static bool lives(struct sim *sim, const char *comment)
{
    struct mark mark;

    for (size_t i = 0; mark_parse(comment, &mark) && i < sim->kube->objects.n; i++) {
        const struct fake_object *o = sim->kube->objects.v[i];

        if (strcmp(o->plural, "tablesyncs") == 0 &&
            sv_eq(mark.uid, sv_from(kube_uid(o->json)))) {
            return true;
        }
    }
    return false;
}

static bool feeds_nothing(struct sim *sim, const struct fake_stream_object *o)
{
    return o->kind == FAKE_SINK &&
           fake_sr_find(shop_sr(sim), o->target_database, o->target_table) == NULL;
}

static void sweep_rw(struct sim *sim, struct fake_rw *rw)
{
    for (size_t i = 0; i < rw->objects.n;) {
        const struct fake_stream_object *o = rw->objects.v[i];
        bool dead = (o->kind == FAKE_TABLE && !lives(sim, o->comment)) ||
                    feeds_nothing(sim, o) ||
                    (o->kind == FAKE_SOURCE && fake_rw_user_of(rw, o->id) == NULL);

        if (dead) {
            fake_rw_drop_cascade(rw, o);
            i = 0;
        } else {
            i++;
        }
    }
}

void chaos_sweep(struct sim *sim)
{
    for (size_t i = 0; i < shop_sr(sim)->tables.n;) {
        const struct fake_sr_table *t = shop_sr(sim)->tables.v[i];

        if (lives(sim, t->table.comment)) {
            i++;
        } else {
            fake_sr_remove(shop_sr(sim), t);
        }
    }
    for (size_t i = 0; i < sim->db->rw.n; i++) {
        sweep_rw(sim, sim->db->rw.v[i]);
    }
}

void chaos_delete_all(struct sim *sim)
{
    for (size_t i = 0; i < sim->kube->objects.n; i++) {
        const struct fake_object *o = sim->kube->objects.v[i];

        if (strcmp(o->plural, "tablesyncs") == 0) {
            edit(sim, o->name, "deletionPolicy", "\"Delete\"");
            shop_delete(sim, o->name);
        }
    }
}

size_t chaos_left(struct sim *sim)
{
    size_t left = shop_sr(sim)->tables.n;

    for (size_t i = 0; i < sim->db->rw.n; i++) {
        left += sim->db->rw.v[i]->objects.n;
    }
    return left;
}
