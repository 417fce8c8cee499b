/* The login that last worked is kept for those who use the connection, and no longer. */
#include "conn_scene.h"

#include "audit/vault.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define KEY_1 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_2 "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"

static char folder[] = "/tmp/tablesync-conn-XXXXXX";
static struct audit *audit;
static struct crypto *crypto;

static void path_of(const char *name, char out_path[64])
{
    (void)snprintf(out_path, 64, "%s/%s", folder, name);
}

static void use_key(struct conn_scene *s, const char *text)
{
    struct fault fault = FAULT_INIT;
    char path[64];
    int fd = -1;

    path_of("key", path);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
    crypto_free(TAKE(crypto));
    assert_ok(crypto_load(path, NULL, &crypto, &fault), fault);
    s->loop->ports.crypto = crypto;
}

static void open_audit(struct conn_scene *s, bool read_only)
{
    struct fault fault = FAULT_INIT;
    char path[64];

    path_of("audit.db", path);
    const struct audit_options options = {.path = path, .read_only = read_only};
    audit_close(TAKE(audit));
    assert_ok(audit_open(&options, clock_system(), &audit, &fault), fault);
    s->loop->ports.audit = audit;
}

static int set_up(void **state)
{
    struct conn_scene *s = NULL;

    if (conn_scene_up(state) != 0) {
        return -1;
    }
    s = *state;
    open_audit(s, false);
    use_key(s, KEY_1);
    return 0;
}

static int tear_down(void **state)
{
    static const char *const FILES[] = {"audit.db", "audit.db-wal", "audit.db-shm",
                                        "audit.db.lock", "key"};
    int result = conn_scene_down(state);
    char path[64];

    audit_close(TAKE(audit));
    crypto_free(TAKE(crypto));
    for (size_t i = 0; i < COUNT_OF(FILES); i++) {
        path_of(FILES[i], path);
        (void)unlink(path);
    }
    return result;
}

static size_t kept(void)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct vault_list list = {0};
    struct fault fault = FAULT_INIT;

    assert_ok(vault_list(audit, arena, &list, &fault), fault);
    return list.entries.n;
}

static void it_is_kept_while_somebody_uses_it(void **state)
{
    struct conn_scene *s = *state;

    conn_scene_look(s);
    conn_scene_expect(s, "CredentialsKept", "Unknown", "NotInUse");
    assert_int_equal(kept(), 0);
    conn_scene_user(s, "a", "", "");
    conn_scene_look(s);
    conn_scene_expect(s, "CredentialsKept", "True", "Kept");
    assert_int_equal(kept(), 1);
    conn_scene_user_gone(s, "a");
    conn_scene_look(s);
    conn_scene_expect(s, "CredentialsKept", "Unknown", "NotInUse");
    assert_int_equal(kept(), 0);
}

/* Not what the Secret holds, but what worked: nothing else can clean up. */
static void only_a_login_that_worked_is_kept(void **state)
{
    struct conn_scene *s = *state;

    conn_scene_user(s, "a", "", "");
    s->reason = "AuthFailed";
    s->class = FAULT_DENIED;
    conn_scene_look(s);
    conn_scene_expect(s, "CredentialsKept", "Unknown", "NotTried");
    assert_int_equal(kept(), 0);
    s->reason = NULL;
    s->clock.now_ms += 60000;
    conn_scene_look(s);
    conn_scene_expect(s, "CredentialsKept", "True", "Kept");
    /* A Secret that goes away, or a login that fails later, takes nothing back. */
    s->secret = NULL;
    conn_scene_look(s);
    conn_scene_expect(s, "CredentialsKept", "True", "Kept");
    assert_int_equal(kept(), 1);
}

static void a_lost_key_is_told_until_a_login_works(void **state)
{
    struct conn_scene *s = *state;

    conn_scene_user(s, "a", "", "");
    conn_scene_look(s);
    use_key(s, KEY_2);
    s->reason = "Unreachable";
    s->clock.now_ms += 60000;
    conn_scene_look(s);
    assert_contains(conn_scene_expect(s, "CredentialsKept", "False", "Unreadable"),
                    "key");
    s->reason = NULL;
    s->clock.now_ms += 60000;
    conn_scene_look(s);
    conn_scene_expect(s, "CredentialsKept", "True", "Kept");
}

/* Its users went with it: nobody is left to look for what was kept. */
static void it_is_erased_when_the_connection_goes(void **state)
{
    struct conn_scene *s = *state;

    conn_scene_user(s, "a", "", "");
    conn_scene_look(s);
    conn_scene_delete(s);
    conn_scene_look(s);
    assert_int_equal(kept(), 1); /* somebody still has to clean up */
    conn_scene_user_gone(s, "a");
    conn_scene_look(s);
    assert_true(s->gone);
    assert_int_equal(kept(), 0);
}

static void it_outlives_a_connection_that_was_torn_away(void **state)
{
    struct conn_scene *s = *state;

    conn_scene_user(s, "a", "", "");
    conn_scene_look(s);
    s->gone = true; /* somebody took the finalizer off by hand */
    conn_scene_look(s);
    assert_int_equal(kept(), 1);
    conn_scene_user_gone(s, "a");
    conn_scene_look(s);
    assert_int_equal(kept(), 0);
}

/* The file cannot be written any more. */
static void a_failing_audit_is_told_and_stops_nothing(void **state)
{
    struct conn_scene *s = *state;

    conn_scene_user(s, "a", "", "");
    open_audit(s, true);
    conn_scene_look(s);
    conn_scene_expect(s, "CredentialsKept", "False", "StoreFailed");
    conn_scene_expect(s, "Ready", "True", "Connected");
    open_audit(s, false);
    conn_scene_look(s);
    conn_scene_expect(s, "CredentialsKept", "True", "Kept");
}

#define KEEP_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KEEP_TEST(it_is_kept_while_somebody_uses_it),
        KEEP_TEST(only_a_login_that_worked_is_kept),
        KEEP_TEST(a_lost_key_is_told_until_a_login_works),
        KEEP_TEST(it_is_erased_when_the_connection_goes),
        KEEP_TEST(it_outlives_a_connection_that_was_torn_away),
        KEEP_TEST(a_failing_audit_is_told_and_stops_nothing),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
