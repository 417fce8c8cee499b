/*
 * `tablesync check -f FILE`: the pre-flight from a shell, for every connection and every
 * TableSync of a file, touching nothing. All that is missing is listed at once.
 */
#include "cmd/check_look.h"
#include "cmd/cmd.h"
#include "model/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- output --- */

static const char *text_of(const struct json *object, const char *key)
{
    const char *text = json_get_string(object, key);

    return text == NULL ? "" : text;
}

/* What ended the look may be what the findings tell with more words. */
static bool is_found(const struct json *object, const char *reason)
{
    const struct json *f = json_first(json_get(object, "findings"));

    while (f != NULL && strcmp(text_of(f, "reason"), reason) != 0) {
        f = json_next(f);
    }
    return f != NULL;
}

static void print_error(const struct json *object)
{
    const struct json *error = json_get(object, "error");

    if (error != NULL && !is_found(object, text_of(error, "reason"))) {
        (void)printf("  missing: %s: %s\n", text_of(error, "reason"),
                     text_of(error, "message"));
    }
}

static void print_findings(const struct json *object)
{
    const struct json *f = json_first(json_get(object, "findings"));

    for (; f != NULL; f = json_next(f)) {
        bool missing = strcmp(text_of(f, "level"), "Missing") == 0;

        (void)printf("  %s: %s: %s: %s\n", missing ? "missing" : "warning",
                     text_of(f, "system"), text_of(f, "reason"), text_of(f, "message"));
    }
}

/* "binlogFormat ROW, gtid true": what the server says of itself, in one line. */
static void print_facts(const struct json *facts)
{
    const char *comma = "  server: ";

    for (const struct json *f = json_first(facts); f != NULL; f = json_next(f)) {
        if (json_kind(f) == JSON_STRING) {
            (void)printf("%s%s %s", comma, json_key(f), json_string(f));
        } else if (json_kind(f) == JSON_BOOL) {
            (void)printf("%s%s %s", comma, json_key(f),
                         json_bool(f, false) ? "yes" : "no");
        } else {
            (void)printf("%s%s %lld", comma, json_key(f), (long long)json_int(f, 0));
        }
        comma = ", ";
    }
    (void)printf("%s", json_size(facts) > 0 ? "\n" : "");
}

static const char *yes_or_no(const struct json *object, const char *key)
{
    const struct json *node = json_get(object, key);

    return node == NULL ? "not tried" : json_bool(node, false) ? "yes" : "no";
}

static void print_connection(const struct json *c)
{
    (void)printf("DatabaseConnection %s/%s: %s at %s\n", text_of(c, "namespace"),
                 text_of(c, "name"), text_of(c, "type"), text_of(c, "address"));
    (void)printf("  reachable: %s, login as '%s': %s, TLS mode %s, version %s\n",
                 yes_or_no(c, "reachable"), text_of(c, "user"), yes_or_no(c, "login"),
                 text_of(c, "tls"),
                 json_get(c, "version") == NULL ? "unknown" : text_of(c, "version"));
    print_facts(json_get(c, "facts"));
    print_error(c);
    print_findings(c);
}

static void print_table(const struct json *table)
{
    const char *comma = ", primary key ";
    int64_t columns = 0;

    if (table == NULL) {
        return;
    }
    if (!json_bool(json_get(table, "found"), false)) {
        (void)printf("  table: not found\n");
        return;
    }
    columns = json_int(json_get(table, "columns"), 0);
    (void)printf("  table: found, %lld column%s", (long long)columns,
                 columns == 1 ? "" : "s");
    for (const struct json *k = json_first(json_get(table, "primaryKey")); k != NULL;
         k = json_next(k)) {
        (void)printf("%s%s", comma, json_string(k));
        comma = ", ";
    }
    (void)printf("\n");
}

static void print_plan(const struct json *plan)
{
    int64_t statements = json_int(json_get(plan, "statements"), 0);

    if (plan == NULL) {
        return;
    }
    if (statements == 0) {
        (void)printf("  plan: nothing to do\n");
        return;
    }
    (void)printf("  plan: %lld statement%s, first: %s%s\n", (long long)statements,
                 statements == 1 ? "" : "s", text_of(plan, "first"),
                 json_bool(json_get(plan, "needsApproval"), false)
                     ? "; it will wait for approval"
                     : "");
}

static void print_sync(const struct json *s)
{
    (void)printf("TableSync %s/%s: %s -> %s\n", text_of(s, "namespace"),
                 text_of(s, "name"), text_of(s, "source"), text_of(s, "target"));
    print_table(json_get(s, "table"));
    print_plan(json_get(s, "plan"));
    print_error(s);
    print_findings(s);
    for (const struct json *n = json_first(json_get(s, "notes")); n != NULL;
         n = json_next(n)) {
        (void)printf("  note: %s\n", json_string(n));
    }
}

static void print_text(const struct json *root)
{
    const struct json *o = json_first(json_get(root, "connections"));

    for (; o != NULL; o = json_next(o)) {
        print_connection(o);
    }
    for (o = json_first(json_get(root, "tableSyncs")); o != NULL; o = json_next(o)) {
        print_sync(o);
    }
    (void)printf("%s\n", json_bool(json_get(root, "ok"), false)
                             ? "nothing is missing"
                             : "something is missing, see above");
}

/* --- the look --- */

struct checking {
    struct workbench bench;
    struct arena *arena;
    struct json *connections, *syncs;
    bool good;
};

static int by_key(const void *a, const void *b)
{
    const struct kube_object *const *left = a;
    const struct kube_object *const *right = b;

    return strcmp((*left)->key, (*right)->key);
}

static void check_connections(struct checking *c)
{
    size_t count = 0;
    struct kube_object **all = kube_store_all(c->bench.loop->conns, c->arena, &count);

    if (count > 0) {
        qsort(all, count, sizeof(*all), by_key);
    }
    for (size_t i = 0; i < count; i++) {
        c->good =
            check_connection(&c->bench, all[i]->json, json_push_object(c->connections)) &&
            c->good;
        kube_object_put(all[i]);
    }
}

struct named_sync {
    struct tablesync sync;
    const char *key;
};

static bool check_all(struct checking *c, struct fault *fault)
{
    VEC(struct named_sync) syncs = {0};
    struct json *object = NULL;

    for (size_t i = 0;
         (object = documents_copy(c->bench.documents, "DatabaseConnection", i)) != NULL;
         i++) {
        if (kube_name(object) == NULL) {
            json_free(object);
            return fault_set(fault, FAULT_SPEC, "InvalidSpec",
                             "DatabaseConnection document %zu has no metadata.name",
                             i + 1);
        }
        kube_store_put(c->bench.loop->conns, object);
    }
    for (size_t i = 0;
         (object = documents_copy(c->bench.documents, "TableSync", i)) != NULL; i++) {
        struct named_sync s = {0};

        if (!workbench_sync(&c->bench, object, c->arena, &s.sync, &s.key, fault)) {
            return fault_wrap(fault, "TableSync document %zu", i + 1);
        }
        VEC_PUSH(c->arena, &syncs, s);
    }
    check_connections(c);
    for (VEC_EACH(struct named_sync, s, &syncs)) {
        c->good = check_sync(&c->bench, s->key, &s->sync, json_push_object(c->syncs)) &&
                  c->good;
    }
    return true;
}

static int report(struct checking *c, struct json *root, bool json)
{
    json_set_bool(root, "ok", c->good);
    if (!json) {
        print_text(root);
    } else if (command_print_json(root) != EXIT_OK) {
        return EXIT_FAILED;
    }
    return c->good ? EXIT_OK : EXIT_FAILED;
}

static int run(const struct options *options, struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(documents_freep) struct documents *documents = NULL;
    AUTO(json_freep) struct json *root = json_new_object();
    const char *namespace = options->values[OPTION_NAMESPACE];
    struct checking c = {.arena = arena, .good = true};
    bool done = false;

    c.connections = json_set_array(root, "connections");
    c.syncs = json_set_array(root, "tableSyncs");
    if (!documents_read(options->values[OPTION_FILE],
                        namespace == NULL ? "default" : namespace, &documents, fault)) {
        return command_failed(fault);
    }
    if (!documents_has(documents, "TableSync") &&
        !documents_has(documents, "DatabaseConnection")) {
        (void)fault_set(fault, FAULT_SPEC, NULL,
                        "%s has no document of kind TableSync or DatabaseConnection",
                        options->values[OPTION_FILE]);
        return command_failed(fault);
    }
    if (workbench_open(options, documents, "check", &c.bench, fault)) {
        done = check_all(&c, fault);
        workbench_close(&c.bench);
    }
    return done ? report(&c, root, strcmp(options->values[OPTION_OUTPUT], "json") == 0)
                : command_failed(fault);
}

static bool check_usage(const struct options *options, struct fault *fault)
{
    const char *output = options->values[OPTION_OUTPUT];

    if (options->values[OPTION_FILE] == NULL) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "check needs -f FILE with TableSyncs or DatabaseConnections");
    }
    if (strcmp(output, "table") != 0 && strcmp(output, "json") != 0) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "--output is '%s'; check prints table or json", output);
    }
    return true;
}

int command_check(const struct options *options)
{
    struct fault fault = FAULT_INIT;

    return check_usage(options, &fault) ? with_libraries(options, run)
                                        : command_failed(&fault);
}
