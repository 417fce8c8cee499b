/* Each change of a MySQL table under each policy: it is carried to the target, or it
 * stalls with its reason and a re-sync leads out (product.md 2.8). */
#include "living.h"

#include <stdio.h>

static const char *const policies[] = {"Ignore", "Fail", "AddOnly", "Evolve"};

struct change {
    const char *name;
    void (*make)(struct sim *sim);
    /* By policy: what SchemaInSync says then. */
    const char *reasons[4];
    /* By policy: the type of `column` in the target, "" if it is not there; NULL: as it
     * was before the change. */
    const char *column, *types[4];
};

static void add_nullable(struct sim *sim)
{
    living_add(sim, "remark", "varchar(20)");
}

static void add_not_null(struct sim *sim)
{
    struct mysql_column column = living_column("weight", "int");

    column.nullable = false;
    column.default_value = "0";
    fake_mysql_add_column(sim->db, living_table(sim), column);
}

static void drop(struct sim *sim)
{
    fake_mysql_drop_column(sim->db, living_table(sim), "qty");
}

static void lengthen(struct sim *sim)
{
    living_modify(sim, "name", "varchar(200)");
}

static void shorten(struct sim *sim)
{
    living_modify(sim, "name", "varchar(40)");
}

static void widen_integer(struct sim *sim)
{
    living_modify(sim, "qty", "bigint");
}

static void narrow_integer(struct sim *sim)
{
    living_modify(sim, "qty", "smallint");
}

static void change_type(struct sim *sim)
{
    living_modify(sim, "qty", "varchar(30)");
}

static void change_kind(struct sim *sim)
{
    living_modify(sim, "qty", "datetime");
}

static void more_digits(struct sim *sim)
{
    living_modify(sim, "amount", "decimal(20,2)");
}

static void more_decimals(struct sim *sim)
{
    living_modify(sim, "amount", "decimal(10,6)");
}

static void rename_it(struct sim *sim)
{
    fake_mysql_rename_column(sim->db, living_table(sim), "qty", "quantity");
}

static void change_key(struct sim *sim)
{
    fake_mysql_set_key(sim->db, living_table(sim), "id,qty");
}

static void rebuild(struct sim *sim)
{
    fake_mysql_rebuild(sim->db, living_table(sim));
}

#define BLOCKED "ChangeBlockedByPolicy"
#define UNSUPPORTED "ChangeUnsupported"

static const struct change changes[] = {
    {"ADD COLUMN that may be NULL",
     add_nullable,
     {"IgnoredColumns", BLOCKED, "UnloadedColumns", "UnloadedColumns"},
     "remark",
     {"", "", "varchar(80)", "varchar(80)"}},
    {"ADD COLUMN NOT NULL",
     add_not_null,
     {"IgnoredColumns", BLOCKED, "UnloadedColumns", "UnloadedColumns"},
     "weight",
     {"", "", "int(11)", "int(11)"}},
    {"DROP COLUMN",
     drop,
     {"Match", BLOCKED, "Match", "Match"},
     "qty",
     {"int(11)", "int(11)", "int(11)", "int(11)"}},
    {"a longer VARCHAR",
     lengthen,
     {"Match", BLOCKED, "Match", "Match"},
     "name",
     {"varchar(320)", "varchar(320)", "varchar(800)", "varchar(800)"}},
    {"a shorter VARCHAR",
     shorten,
     {"Match", "Match", "Match", "Match"},
     "name",
     {"varchar(320)", "varchar(320)", "varchar(320)", "varchar(320)"}},
    {"INT to BIGINT",
     widen_integer,
     {UNSUPPORTED, BLOCKED, "Match", "Match"},
     "qty",
     {"int(11)", "int(11)", "bigint(20)", "bigint(20)"}},
    {"INT to SMALLINT",
     narrow_integer,
     {UNSUPPORTED, BLOCKED, UNSUPPORTED, "Match"},
     "qty",
     {"int(11)", "int(11)", "int(11)", "int(11)"}},
    {"INT to VARCHAR, which StarRocks can follow",
     change_type,
     {UNSUPPORTED, BLOCKED, UNSUPPORTED, "Match"},
     "qty",
     {"int(11)", "int(11)", "int(11)", "varchar(120)"}},
    {"INT to DATETIME, which it cannot",
     change_kind,
     {UNSUPPORTED, BLOCKED, UNSUPPORTED, "Match"},
     "qty__v2",
     {"", "", "", "datetime"}},
    {"more digits",
     more_digits,
     {"Match", BLOCKED, "Match", "Match"},
     "amount",
     {"decimal(10, 2)", "decimal(10, 2)", "decimal(20, 2)", "decimal(20, 2)"}},
    {"more decimals than StarRocks can add",
     more_decimals,
     {UNSUPPORTED, BLOCKED, UNSUPPORTED, "Match"},
     "amount__v2",
     {"", "", "", "decimal(10, 6)"}},
    {"RENAME COLUMN",
     rename_it,
     {"IgnoredColumns", BLOCKED, UNSUPPORTED, UNSUPPORTED},
     "quantity",
     {"", "", "", ""}},
    {"another primary key",
     change_key,
     {UNSUPPORTED, UNSUPPORTED, UNSUPPORTED, UNSUPPORTED},
     "qty",
     {"int(11)", "int(11)", "int(11)", "int(11)"}},
    {"OPTIMIZE TABLE",
     rebuild,
     {"Match", "Match", "Match", "Match"},
     "qty",
     {"int(11)", "int(11)", "int(11)", "int(11)"}},
};

/* Every row once more, so that each must pass the sink as it is now. */
static void update_all(struct sim *sim)
{
    struct fake_upstream *table = living_table(sim);

    for (size_t i = 0; i < table->data.versions.n; i++) {
        if (table->data.versions.v[i] != FAKE_NO_ROW) {
            fake_mysql_update(sim->db, table, (int64_t)i + 1);
        }
    }
}

static void check_type(struct sim *sim, const struct change *change, const char *type)
{
    const struct sr_column *seen = living_target_column(sim, change->column);

    if (strcmp(seen == NULL ? "" : seen->type, type) != 0) {
        check_fail(sim, "column %s is '%s' in the target, not '%s'", change->column,
                   seen == NULL ? "" : seen->type, type);
    }
}

/* Rows go on flowing in the old shape, nothing else is done, and a re-sync leads out. */
static void lead_out(struct sim *sim, const char *reason)
{
    int64_t sent = sim->applies_ever;

    living_check_reason(sim, "Stalled", reason);
    living_check_reason(sim, "Ready", reason);
    update_all(sim);
    sim_run_for(sim, 20 * MINUTE_MS);
    check_quiet_looks(sim, 2); /* what stalls is said once */
    check_world(sim);
    if (sim->applies_ever != sent) {
        check_fail(sim, "statements run while the change is held back");
    }
    living_resync(sim, "lead-out", "Recreate");
    check_run_until(sim, living_is_handled, 10 * MINUTE_MS);
}

static void under_policy(const struct change *change, size_t policy)
{
    struct sim *sim = living_open(100 + policy);
    const char *reason = change->reasons[policy];

    (void)snprintf(sim->label, sizeof(sim->label), "%s under %s: ", change->name,
                   policies[policy]);
    living_policy(sim, policies[policy]);
    sim_run_for(sim, 5000);
    change->make(sim);
    update_all(sim);
    sim_run_for(sim, 4 * MINUTE_MS);
    living_check_reason(sim, "SchemaInSync", reason);
    check_type(sim, change, change->types[policy]);
    if (strcmp(reason, BLOCKED) == 0 || strcmp(reason, UNSUPPORTED) == 0) {
        lead_out(sim, reason);
    }
    living_check_settled(sim);
    check_audit(sim);
    shop_close(sim);
}

static void every_change_under_every_policy(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        for (size_t policy = 0; policy < COUNT_OF(policies); policy++) {
            under_policy(&changes[i], policy);
        }
    }
}

int run_evolve_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_change_under_every_policy),
    };

    return cmocka_run_group_tests_name("evolve", tests, NULL, NULL);
}
