/* What happens to MySQL's tables and what users wish for them, drawn by lot. */
#include "chaos.h"

#include "living.h"

#define COLUMNS_MAX 12
#define KEYS 60

static uint64_t draw(struct sim *sim, uint64_t bound)
{
    return rng_below(&sim->rng, bound);
}

static struct fake_upstream *some_table(struct sim *sim)
{
    struct fake_mysql *mysql = sim->db->mysql.v[draw(sim, sim->db->mysql.n)];

    return mysql->tables.v[draw(sim, mysql->tables.n)];
}

/* --- rows --- */

static void change_row(struct sim *sim, struct fake_upstream *table)
{
    int64_t key = 1 + (int64_t)draw(sim, KEYS);

    if (fake_rows_get(&table->data, key) == FAKE_NO_ROW) {
        fake_mysql_insert(sim->db, table, key);
    } else if (draw(sim, 4) == 0) {
        fake_mysql_delete(sim->db, table, key);
    } else {
        fake_mysql_update(sim->db, table, key);
    }
}

/* --- columns --- */

static const char *some_type(struct sim *sim)
{
    static const char *const types[] = {"smallint",    "int",          "bigint",
                                        "varchar(20)", "varchar(200)", "decimal(12,2)",
                                        "datetime",    "text"};

    return types[draw(sim, COUNT_OF(types))];
}

/* One that was added here; NULL: none. */
static const char *some_column(struct sim *sim, const struct fake_upstream *table)
{
    size_t first = (size_t)draw(sim, table->table.columns.n);

    for (size_t i = 0; i < table->table.columns.n; i++) {
        const char *name =
            table->table.columns.v[(first + i) % table->table.columns.n].name;

        if (sv_starts(sv_from(name), SV("c_"))) {
            return name;
        }
    }
    return NULL;
}

static const char *new_name(struct sim *sim)
{
    return arena_printf(sim->arena, "c_%llu",
                        (unsigned long long)rng_next(&sim->rng) % 100000);
}

static void change_columns(struct sim *sim, struct fake_upstream *table)
{
    const char *column = some_column(sim, table), *name = new_name(sim);
    uint64_t what = draw(sim, 10);

    if (what < 4 || column == NULL) {
        if (table->table.columns.n < COLUMNS_MAX &&
            mysql_table_find(&table->table, name) == NULL) {
            fake_mysql_add_column(sim->db, table, living_column(name, some_type(sim)));
        }
    } else if (what < 6) {
        fake_mysql_drop_column(sim->db, table, column);
    } else if (what < 9) {
        fake_mysql_modify_column(sim->db, table, living_column(column, some_type(sim)));
    } else if (mysql_table_find(&table->table, name) == NULL) {
        fake_mysql_rename_column(sim->db, table, column, name);
    }
}

void chaos_upstream(struct sim *sim)
{
    struct fake_upstream *table = some_table(sim);
    uint64_t what = draw(sim, 40);

    if (what < 28) {
        for (uint64_t rows = draw(sim, 8); rows > 0; rows--) {
            change_row(sim, table);
        }
    } else if (what < 37) {
        change_columns(sim, table);
    } else if (what < 39) {
        fake_mysql_rebuild(sim->db, table);
    } else {
        fake_mysql_truncate(sim->db, table);
    }
}

/* --- wishes --- */

static void edit(struct sim *sim, const char *name, const char *path,
                 const char *const *words, size_t count)
{
    fake_kube_edit(sim->kube, "tablesyncs", SHOP, name, path,
                   arena_printf(sim->arena, "\"%s\"", words[draw(sim, count)]));
}

static void resync(struct sim *sim, const char *name)
{
    static const char *const modes[] = {"InPlace", "Truncate", "Recreate"};
    const char *token = new_name(sim);

    edit(sim, name, "resyncMode", modes, COUNT_OF(modes));
    edit(sim, name, "resyncToken", &token, 1);
}

/* The MySQL table of a TableSync. */
static struct fake_upstream *table_of(struct sim *sim, const char *name)
{
    const struct json *spec = json_get(shop_find(sim, name), "spec");
    bool other =
        strcmp(json_path_string(spec, "source.connectionRef.name"), "mysql-b") == 0;

    return fake_mysql_find(sim->db->mysql.v[other ? 1 : 0],
                           json_path_string(spec, "source.database"),
                           json_path_string(spec, "source.table"));
}

/* A column goes, and its TableSync is to let it go: what only a person can allow. */
static void lose_column(struct sim *sim, const char *name)
{
    struct fake_upstream *table = table_of(sim, name);
    const char *column = some_column(sim, table);

    if (column != NULL) {
        fake_mysql_drop_column(sim->db, table, column);
    }
}

/* Drop goes with Evolve only: a CEL rule. */
static void follow(struct sim *sim, const char *name)
{
    static const char *const changes[] = {"Ignore", "Fail", "AddOnly", "Evolve"};
    static const char *const drops[] = {"Keep", "Drop"};

    if (draw(sim, 3) == 0) {
        edit(sim, name, "schemaChange.policy", &changes[3], 1);
        edit(sim, name, "schemaChange.dropColumn", &drops[1], 1);
        lose_column(sim, name);
    } else {
        edit(sim, name, "schemaChange.dropColumn", &drops[0], 1);
        edit(sim, name, "schemaChange.policy", changes, COUNT_OF(changes));
    }
}

/* Somebody whose plan waits, or else the one that is given. */
static const char *who_waits(struct sim *sim, const char *name)
{
    size_t first = (size_t)draw(sim, sim->kube->objects.n);

    for (size_t i = 0; i < sim->kube->objects.n; i++) {
        const struct fake_object *o =
            sim->kube->objects.v[(first + i) % sim->kube->objects.n];

        if (strcmp(o->plural, "tablesyncs") == 0 &&
            json_path_string(o->json, "status.plan.hash") != NULL) {
            return o->name;
        }
    }
    return name;
}

/* The plan that status shows, or one that it does not. */
static void approve(struct sim *sim, const char *given)
{
    const char *name = who_waits(sim, given);
    const char *hash = json_path_string(shop_find(sim, name), "status.plan.hash");

    if (hash != NULL || draw(sim, 10) == 0) {
        fake_kube_annotate(sim->kube, SHOP, name, TSYNC_ANNOTATION_APPROVE,
                           hash == NULL ? "sha256:none" : arena_strdup(sim->arena, hash));
    }
}

void chaos_wish(struct sim *sim, const char *name)
{
    static const char *const modes[] = {"Auto", "Auto", "Manual"};
    static const char *const drifts[] = {"Observe", "Correct", "Correct", "Ignore"};

    switch (draw(sim, 9)) {
    case 0:
    case 1:
    case 2:
        follow(sim, name);
        break;
    case 3:
        edit(sim, name, "plan.mode", modes, COUNT_OF(modes));
        break;
    case 4:
        edit(sim, name, "drift.policy", drifts, COUNT_OF(drifts));
        break;
    case 5:
    case 6:
        resync(sim, name);
        break;
    default:
        approve(sim, name);
        break;
    }
}

/* --- and the way out --- */

static const char *const no_wishes[][2] = {{"plan.mode", "\"Auto\""},
                                           {"drift.policy", "\"Correct\""}};

/* What only a person can end, by its reason. */
static bool is_for_a_person(const char *reason)
{
    static const char *const reasons[] = {
        "ChangeBlockedByPolicy", "ChangeUnsupported", "TableReplaced",     "TargetDrift",
        "DestructiveChange",     "PlanOutdated",      "IncompatibleSchema"};

    for (size_t i = 0; i < COUNT_OF(reasons); i++) {
        if (strcmp(reason, reasons[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool chaos_is_settled(struct sim *sim, const char *name)
{
    return shop_is_ready(sim, name) || is_for_a_person(shop_reason(sim, name, "Ready"));
}

bool chaos_is_in_the_way(struct sim *sim, const char *name)
{
    const char *reason = shop_reason(sim, name, "Ready");

    return strcmp(reason, "OwnedByAnother") == 0 || strcmp(reason, "AlreadyExists") == 0;
}

static void for_each(struct sim *sim, void (*visit)(struct sim *sim, const char *name))
{
    for (size_t i = 0; i < sim->kube->objects.n; i++) {
        if (strcmp(sim->kube->objects.v[i]->plural, "tablesyncs") == 0) {
            visit(sim, sim->kube->objects.v[i]->name);
        }
    }
}

static void wish_nothing(struct sim *sim, const char *name)
{
    for (size_t i = 0; i < COUNT_OF(no_wishes); i++) {
        fake_kube_edit(sim->kube, "tablesyncs", SHOP, name, no_wishes[i][0],
                       no_wishes[i][1]);
    }
    fake_kube_annotate(sim->kube, SHOP, name, TSYNC_ANNOTATION_APPROVE, NULL);
}

void chaos_wish_nothing(struct sim *sim)
{
    for_each(sim, wish_nothing);
}

/* Who is Ready has every row, and perhaps some that a lost sink did not delete. */
static void load_anew(struct sim *sim, const char *name)
{
    bool ready = shop_is_ready(sim, name);

    if (ready) {
        check_one(sim, shop_find(sim, name), true);
    } else if (!is_for_a_person(shop_reason(sim, name, "Ready"))) {
        check_fail(sim, "%s is not Ready and nobody is asked to help: %s (%s)", name,
                   shop_reason(sim, name, "Ready"), shop_message(sim, name, "Ready"));
    }
    fake_kube_edit(sim->kube, "tablesyncs", SHOP, name, "resyncMode",
                   ready ? "\"Truncate\"" : "\"Recreate\"");
    fake_kube_edit(sim->kube, "tablesyncs", SHOP, name, "resyncToken", "\"peace\"");
}

void chaos_load_anew(struct sim *sim)
{
    fake_db_tick(sim->db);
    for_each(sim, load_anew);
}

bool chaos_is_loaded(struct sim *sim)
{
    for (size_t i = 0; i < sim->kube->objects.n; i++) {
        const struct json *object = sim->kube->objects.v[i]->json;
        const char *state = json_path_string(object, "status.resync.state");
        const char *token = json_path_string(object, "status.resync.token");

        if (strcmp(sim->kube->objects.v[i]->plural, "tablesyncs") == 0 &&
            (state == NULL || strcmp(state, "Done") != 0 || token == NULL ||
             strcmp(token, "peace") != 0)) {
            return false;
        }
    }
    return shop_all_ready(sim);
}
