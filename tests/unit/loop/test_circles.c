/* When the first statement of a plan must not run once more. */
#include "attempt_scene.h"

#include "loop/circles.h"
#include "loop/memo.h"

struct circle {
    struct scene *s;
    struct observation sr;
};

static void circle_begin(struct circle *c, struct scene *s, enum plan_kind kind)
{
    struct fault fault = FAULT_INIT;

    memset(c, 0, sizeof(*c));
    c->s = s;
    scene_begin(s, "apply");
    s->a.sr = &c->sr;
    assert_ok(ident_parse(s->a.arena, SV("orders"), SQL_STARROCKS, IDENT_TABLE,
                          &s->a.desired.target_table, &fault),
              fault);
    VEC_PUSH(s->a.arena, &c->sr.u.sr.tables, (struct sr_table){.name = "orders"});
    (void)scene_step(s, kind, "ods.orders", RISK_SAFE);
    (void)scene_step(s, PLAN_CREATE_SINK, "k", RISK_SAFE);
}

static const char *refusal(struct circle *c, struct fault *fault)
{
    memset(fault, 0, sizeof(*fault));
    if (circles_check(&c->s->a, fault)) {
        return "";
    }
    assert_int_equal(fault->class, FAULT_REFUSED);
    return fault->reason;
}

static void an_accepted_statement_is_not_sent_again(void **state)
{
    struct scene *s = *state;
    struct fault fault;
    struct circle c;

    circle_begin(&c, s, PLAN_CREATE_TABLE);
    assert_string_equal(refusal(&c, &fault), "");
    circles_note(&s->a, &s->a.plan.steps.v[0]);
    assert_string_equal(refusal(&c, &fault), "DefinitionChanged");
    assert_contains(fault.text, "do something to ods.orders");
    assert_string_equal(refusal(&c, &fault), ""); /* said: it may be tried again */
    scene_end(s);
}

/* The rest of the plan whose first statement was run. */
static void the_rest_of_a_plan_is_no_circle(void **state)
{
    struct scene *s = *state;
    struct fault fault;
    struct circle c;

    circle_begin(&c, s, PLAN_CREATE_TABLE);
    circles_note(&s->a, &s->a.plan.steps.v[0]);
    s->a.plan.steps.v++;
    s->a.plan.steps.n--;
    assert_string_equal(refusal(&c, &fault), "");
    scene_end(s);
}

static void a_schema_change_that_was_given_up_tells_why(void **state)
{
    struct scene *s = *state;
    struct fault fault;
    struct circle c;

    circle_begin(&c, s, PLAN_ALTER_TARGET);
    c.sr.u.sr.tables.v[0].alter_failed = "tablet 10 has too many versions";
    assert_string_equal(refusal(&c, &fault), ""); /* an old failure of somebody's */
    circles_note(&s->a, &s->a.plan.steps.v[0]);
    assert_string_equal(refusal(&c, &fault), "AlterFailed");
    assert_contains(fault.text, "tablet 10 has too many versions");
    scene_end(s);
}

static void a_drift_that_comes_back_is_left_for_a_while(void **state)
{
    struct scene *s = *state;
    struct fault fault;
    struct circle c;

    circle_begin(&c, s, PLAN_CREATE_SINK);
    s->a.drifted = true;
    for (int i = 0; i < 2 * MEMO_CORRECTIONS_MAX; i++) { /* tried again and again */
        assert_string_equal(refusal(&c, &fault), "");
    }
    s->a.before.applied_hash = s->a.before.plan_hash = "sha256:0123456789ab";
    for (int i = 0; i < MEMO_CORRECTIONS_MAX; i++) {
        s->a.drifted = true;
        assert_string_equal(refusal(&c, &fault), "");
        assert_string_equal(refusal(&c, &fault), ""); /* it had to wait for its turn */
        circles_note(&s->a, &s->a.plan.steps.v[0]);
        memo_accept(s->loop->memo, s->a.key, NULL); /* it was there, and was undone */
    }
    assert_string_equal(refusal(&c, &fault), "StreamObjectMissing");
    assert_contains(fault.text, "3 times within 10 minutes");
    s->a.drifted = false; /* what the spec or MySQL asks for is not counted */
    assert_string_equal(refusal(&c, &fault), "");
    s->a.drifted = true;
    s->clock.now_ms += MEMO_CORRECTIONS_MS;
    assert_string_equal(refusal(&c, &fault), "");
    scene_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(an_accepted_statement_is_not_sent_again),
        SCENE_TEST(the_rest_of_a_plan_is_no_circle),
        SCENE_TEST(a_schema_change_that_was_given_up_tells_why),
        SCENE_TEST(a_drift_that_comes_back_is_left_for_a_while),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
