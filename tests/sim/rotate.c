#include "rotate.h"

#include "living.h"

#include <stdio.h>

static const char *connection(enum rotate_what what)
{
    return what == ROTATE_MYSQL ? "mysql" : "warehouse";
}

static const char **password_of(struct sim *sim, enum rotate_what what)
{
    return what == ROTATE_MYSQL ? &shop_mysql(sim)->password : &shop_sr(sim)->password;
}

static const char **host_of(struct sim *sim, enum rotate_what what)
{
    return what == ROTATE_MYSQL ? &shop_mysql(sim)->host : &shop_sr(sim)->host;
}

/* Never one that was used before; check_audit() looks for its beginning. */
static const char *new_password(struct sim *sim)
{
    return arena_printf(sim->arena, "s3cr3t-pw-%llx",
                        (unsigned long long)rng_next(&sim->rng));
}

static void tell(struct sim *sim, enum rotate_what what, const char *password)
{
    fake_kube_set_password(sim->kube, SHOP, connection(what), password);
    loop_secret_changed(sim->loop,
                        arena_printf(sim->arena, SHOP "/%s", connection(what)));
}

void rotate_server(struct sim *sim, enum rotate_what what)
{
    *password_of(sim, what) = new_password(sim);
}

void rotate_secret(struct sim *sim, enum rotate_what what)
{
    const char *right = *password_of(sim, what);

    tell(sim, what, right == NULL ? "s3cr3t-pw" : right);
}

void rotate_wrong(struct sim *sim, enum rotate_what what)
{
    tell(sim, what, new_password(sim));
}

void rotate_back(struct sim *sim, enum rotate_what what)
{
    *password_of(sim, what) = "s3cr3t-pw";
    tell(sim, what, "s3cr3t-pw");
}

void rotate_move(struct sim *sim, enum rotate_what what)
{
    *host_of(sim, what) = arena_printf(sim->arena, "moved-%llx.shop",
                                       (unsigned long long)rng_next(&sim->rng));
}

void rotate_follow(struct sim *sim, enum rotate_what what)
{
    fake_kube_edit(sim->kube, "databaseconnections", SHOP, connection(what), "host",
                   arena_printf(sim->arena, "\"%s\"", *host_of(sim, what)));
}

struct sim *rotate_open(const char *story, uint64_t seed)
{
    struct sim *sim = living_open(seed);

    (void)snprintf(sim->label, sizeof(sim->label), "%s, seed %llu: ", story,
                   (unsigned long long)seed);
    shop_mysql(sim)->password = shop_sr(sim)->password = "s3cr3t-pw";
    living_churn_for(sim, INT64_MAX);
    sim_run_for(sim, 15000);
    return sim;
}

void rotate_close(struct sim *sim)
{
    living_calm(sim);
    sim_run_for(sim, 3 * MINUTE_MS);
    living_check_settled(sim);
    if (shop_rw(sim)->tables_made != 1) {
        check_fail(sim, "%lld CDC tables were made",
                   (long long)shop_rw(sim)->tables_made);
    }
    check_audit(sim);
    shop_close(sim);
}

bool rotate_is_current(struct sim *sim)
{
    const struct fake_stream_object *sink = living_sink(sim);
    const struct fake_stream_object *source = shop_first(sim, FAKE_SOURCE);

    return fake_rw_count(shop_rw(sim), FAKE_SINK, "tablesync") == 1 &&
           strcmp(sink->password, shop_sr(sim)->password) == 0 &&
           strcmp(sink->target_host, shop_sr(sim)->host) == 0 &&
           strcmp(source->password, shop_mysql(sim)->password) == 0 &&
           strcmp(source->hostname, shop_mysql(sim)->host) == 0 && living_is_ready(sim);
}
