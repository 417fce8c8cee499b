#include "circuit_scene.h"

#include <stdio.h>

struct told told;
struct lane_scene *scene;
struct lane_numbers numbers;

static void wake(void *context, const char *key, int64_t delay_ms,
                 enum queue_priority priority)
{
    struct told *t = context;

    must(t->n < TOLD_MAX);
    (void)snprintf(t->woken[t->n], sizeof(t->woken[0]), "%s", key);
    t->delay_ms[t->n] = delay_ms;
    t->priority[t->n++] = priority;
}

static bool urgent(void *context, const char *key)
{
    (void)context;
    return key[0] == 'U';
}

static void fell(void *context, const char *connection, int64_t pause_ms)
{
    struct told *t = context;

    assert_string_equal(connection, "ns/a");
    t->fell++;
    t->pause_ms = pause_ms;
}

static void rose(void *context, const char *connection)
{
    assert_string_equal(connection, "ns/a");
    ((struct told *)context)->rose++;
}

int circuit_scene_up(void **state)
{
    const struct lanes_hooks hooks = {
        .context = &told, .wake = wake, .urgent = urgent, .fell = fell, .rose = rose};

    memset(&told, 0, sizeof(told));
    if (lane_scene_up(state) != 0) {
        return -1;
    }
    scene = *state;
    lanes_listen(scene->lanes, &hooks);
    return 0;
}

size_t called(const char *key)
{
    size_t count = 0;

    for (size_t i = 0; i < told.n; i++) {
        bool by_itself = told.priority[i] == QUEUE_LOW || told.delay_ms[i] > 0;

        count += !by_itself && strcmp(told.woken[i], key) == 0 ? 1 : 0;
    }
    return count;
}

bool enter(struct lane *lane, const char *key, struct session *out_session,
           struct fault *fault)
{
    const struct db_endpoint endpoint = {.conn = &lane_rw, .user = "u"};

    return session_open(lane, &endpoint, key, &scene->root, out_session, fault);
}

void expect_enter(struct lane *lane, const char *key, struct session *out_session)
{
    struct fault fault = FAULT_INIT;

    assert_ok(enter(lane, key, out_session, &fault), fault);
}

void expect_parked(struct lane *lane, const char *key)
{
    struct fault fault = FAULT_INIT;
    struct session none = {0};

    assert_false(enter(lane, key, &none, &fault));
    assert_true(lane_is_parked(&fault));
    assert_contains(fault.text, "ns/a");
}

bool ask(struct session *session, struct fault *fault)
{
    struct observation *o = NULL;
    bool answered = false;

    scene->clock.now_ms++; /* what was read this very moment would do */
    answered = lane_observe(session, OBSERVE_SERVER, "", 0, &scene->root, &o, fault);

    observation_put(answered ? o : NULL);
    return answered;
}

void expect_answer(struct session *session)
{
    struct fault fault = FAULT_INIT;

    assert_ok(ask(session, &fault), fault);
}

struct lane *trusted_lane(const char *key)
{
    struct lane *lane = lane_get(scene->lanes, key, "1");
    struct session first = {0};

    expect_enter(lane, "first", &first);
    expect_answer(&first);
    session_close(&first, NULL);
    return lane;
}

static void take_numbers(void *context, const struct lane_numbers *of)
{
    if (strcmp(of->connection, context) == 0) {
        numbers = *of;
    }
}

void look(void)
{
    char connection[] = "ns/a";

    memset(&numbers, 0, sizeof(numbers));
    lanes_visit(scene->lanes, take_numbers, connection);
}
