/* Of several connections to one MySQL server, whose account a shared source takes. */
#include "watch_scene.h"

#include "loop/follows.h"

#include <stdio.h>

#define OLDER "2026-01-01T00:00:00Z"
#define MIDDLE "2026-02-01T00:00:00Z"
#define YOUNGER "2026-03-01T00:00:00Z"

static int version; /* of the object put last */

static void put_connection(struct watch_scene *s, const char *name, const char *created,
                           const char *more)
{
    char text[512];

    (void)snprintf(text, sizeof(text),
                   "{\"kind\":\"DatabaseConnection\",\"metadata\":{\"name\":\"%s\","
                   "\"namespace\":\"shop\",\"creationTimestamp\":\"%s\","
                   "\"resourceVersion\":\"%d\"%s},"
                   "\"spec\":{\"type\":\"MySQL\"}}",
                   name, created, ++version, more);
    kube_store_put(s->loop->conns, unit_json(text));
}

/* A TableSync that uses the connection and, by its status, the source. */
static void put_user(struct watch_scene *s, const char *connection, const char *rw,
                     const char *source)
{
    char text[1024];

    (void)snprintf(
        text, sizeof(text),
        "{\"kind\":\"TableSync\",\"metadata\":{\"name\":\"user-%s\","
        "\"namespace\":\"shop\",\"resourceVersion\":\"%d\"},"
        "\"spec\":{\"source\":{\"connectionRef\":{"
        "\"name\":\"%s\"}},\"risingWave\":{\"connectionRef\":{\"name\":\"%s\"}}"
        "},\"status\":{\"objects\":[{\"kind\":\"Table\",\"name\":\"x\"},"
        "{\"kind\":\"Source\",\"name\":\"%s\"}]}}",
        connection, ++version, connection, rw, source);
    kube_store_put(s->loop->syncs, unit_json(text));
}

static const char *source(struct watch_scene *s)
{
    s->a.sync.source_connection = "ours";
    s->a.sync.rw_connection = "rw";
    s->mysql.u.mysql.server_uuid = "uuid";
    return arena_printf(s->a.arena, "tablesync.%s",
                        name_source(s->a.arena, "shop", "uuid", "shop"));
}

static void the_only_connection_decides(void **state)
{
    struct watch_scene *s = *state;

    (void)source(s);
    assert_true(follows_decides(&s->a)); /* not even listed yet */
    put_connection(s, "ours", MIDDLE, "");
    put_connection(s, "unused", OLDER, "");
    assert_true(follows_decides(&s->a));
}

static void the_oldest_user_of_the_source_decides(void **state)
{
    struct watch_scene *s = *state;
    const char *ours = source(s);

    put_connection(s, "ours", MIDDLE, "");
    put_connection(s, "younger", YOUNGER, "");
    put_connection(s, "older", OLDER, "");
    put_user(s, "younger", "rw", ours);
    assert_true(follows_decides(&s->a));
    put_user(s, "older", "rw", "tablesync.src_another");
    assert_true(follows_decides(&s->a));
    put_user(s, "older", "another-rw", ours);
    assert_true(follows_decides(&s->a));
    put_user(s, "older", "rw", ours);
    assert_false(follows_decides(&s->a));
}

static void of_the_same_age_the_name_decides(void **state)
{
    struct watch_scene *s = *state;
    const char *ours = source(s);

    put_connection(s, "ours", MIDDLE, "");
    put_connection(s, "zzz", MIDDLE, "");
    put_user(s, "zzz", "rw", ours);
    assert_true(follows_decides(&s->a));
    put_connection(s, "aaa", MIDDLE, "");
    put_user(s, "aaa", "rw", ours);
    assert_false(follows_decides(&s->a));
}

static void a_connection_that_goes_does_not_decide(void **state)
{
    struct watch_scene *s = *state;
    const char *ours = source(s);

    put_connection(s, "ours", MIDDLE, "");
    put_connection(s, "older", OLDER, ",\"deletionTimestamp\":\"2026-04-01T00:00:00Z\"");
    put_user(s, "older", "rw", ours);
    assert_true(follows_decides(&s->a));
    put_connection(s, "ours", MIDDLE, ",\"deletionTimestamp\":\"2026-04-01T00:00:00Z\"");
    assert_true(follows_decides(&s->a)); /* there is no other */
    put_connection(s, "younger", YOUNGER, "");
    put_user(s, "younger", "rw", ours);
    assert_false(follows_decides(&s->a));
}

#define IN_SCENE(test)                                                                   \
    cmocka_unit_test_setup_teardown(test, watch_scene_setup, watch_scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCENE(the_only_connection_decides),
        IN_SCENE(the_oldest_user_of_the_source_decides),
        IN_SCENE(of_the_same_age_the_name_decides),
        IN_SCENE(a_connection_that_goes_does_not_decide),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
