/* What the vault gives back, what it refuses and in which words, and what it leaves
 * behind. */
#include "audit/vault.h"
#include "unit.h"

#include <fcntl.h>
#include <sqlite3.h>

#define KEY_1 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_2 "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
#define VALUE "{\"password\":\"hunter2-canary\"}"

static struct crypto *keys(const char *current, const char *old)
{
    const char *const texts[] = {current, old};
    char paths[2][80];
    struct crypto *crypto = NULL;
    struct fault f = FAULT_INIT;

    for (int i = 0; i < 2; i++) {
        (void)snprintf(paths[i], sizeof(paths[i]), "%s/key%d", unit_folder, i);
        int fd = open(paths[i], O_WRONLY | O_CREAT | O_TRUNC, 0600);
        assert_int_equal(write(fd, texts[i], strlen(texts[i])), strlen(texts[i]));
        (void)close(fd);
    }
    assert_ok(crypto_load(paths[0], paths[1], &crypto, &f), f);
    return crypto;
}

static void with_sqlite(const char *sql)
{
    sqlite3 *db = NULL;
    char *said = NULL;

    assert_int_equal(sqlite3_open(unit_path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &said) != SQLITE_OK) {
        fail_msg("%s", said);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void put(struct audit *a, const struct crypto *crypto, const char *name,
                const char *value)
{
    struct fault f = FAULT_INIT;
    char uid[40];

    (void)snprintf(uid, sizeof(uid), "uid-%s", name);
    assert_ok(vault_put(a, crypto, "shop", name, uid, sv_from(value), &f), f);
}

/* The value in the arena; NULL: nothing is stored. */
static const char *get(struct audit *a, const struct crypto *crypto, const char *name,
                       struct arena *arena)
{
    AUTO(buf_deinit_zero) struct buf value = {0};
    struct vault_entry entry = {0};
    struct fault f = FAULT_INIT;

    buf_init(&value, 65536);
    assert_ok(vault_get(a, crypto, "shop", name, arena, &entry, &value, &f), f);
    return entry.namespace == NULL ? NULL : buf_take(&value, arena);
}

static void assert_unreadable(struct audit *a, const struct crypto *crypto,
                              const char *name, const char *says)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(buf_deinit_zero) struct buf value = {0};
    struct vault_entry entry = {0};
    struct fault f = FAULT_INIT;
    char whose[64];

    buf_init(&value, 65536);
    assert_false(vault_get(a, crypto, "shop", name, arena, &entry, &value, &f));
    assert_int_equal(value.n, 0);
    assert_null(entry.namespace);
    assert_int_equal(f.class, FAULT_DENIED);
    assert_string_equal(f.reason, "KeptUnreadable");
    assert_contains(f.text, says);
    (void)snprintf(whose, sizeof(whose), "connection 'shop/%s'", name);
    assert_contains(f.text, whose);
}

static void gives_back_what_was_put(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(crypto_freep) struct crypto *crypto = keys(KEY_1, "");
    AUTO(audit_closep) struct audit *a = open_at(unit_path, (struct audit_options){0});
    struct vault_list list = {0};
    struct fault f = FAULT_INIT;
    bool removed = false;

    assert_null(get(a, crypto, "rw", arena));
    put(a, crypto, "rw", "one");
    put(a, crypto, "my", "two");
    unit_now_ms = 2000000;
    put(a, crypto, "rw", VALUE);
    assert_string_equal(get(a, crypto, "rw", arena), VALUE);
    assert_string_equal(get(a, crypto, "my", arena), "two");
    assert_ok(vault_list(a, arena, &list, &f), f);
    assert_int_equal(list.entries.n, 2);
    assert_string_equal(list.entries.v[1].name, "rw");
    assert_string_equal(list.entries.v[1].namespace, "shop");
    assert_string_equal(list.entries.v[1].uid, "uid-rw");
    assert_string_equal(list.entries.v[1].key_id, crypto_key_id(crypto));
    assert_int_equal(list.entries.v[1].stored_ms, 2000000);
    assert_ok(vault_remove(a, "shop", "rw", &removed, &f), f);
    assert_true(removed);
    assert_null(get(a, crypto, "rw", arena));
    assert_ok(vault_remove(a, "shop", "rw", &removed, &f), f);
    assert_false(removed);
    assert_string_equal(get(a, crypto, "my", arena), "two");
}

static void outlives_the_process_and_retention(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(crypto_freep) struct crypto *crypto = keys(KEY_1, "");
    const struct audit_options options = {.keep_ms = 1, .keep_runs_per_object = 1};
    struct audit *a = open_at(unit_path, options);
    struct fault f = FAULT_INIT;
    int64_t deleted = 0;

    put(a, crypto, "rw", VALUE);
    end_run(a, begin_run(a, "shop", "o"));
    unit_now_ms = INT64_C(1000) * 86400 * 365 * 20;
    assert_ok(audit_prune(a, &deleted, &f), f);
    assert_int_equal(deleted, 1);
    audit_close(a);
    a = open_at(unit_path, (struct audit_options){.read_only = true});
    assert_string_equal(get(a, crypto, "rw", arena), VALUE);
    audit_close(a);
}

static void another_key_is_told(void **state)
{
    (void)state;
    AUTO(crypto_freep) struct crypto *one = keys(KEY_1, "");
    AUTO(crypto_freep) struct crypto *two = keys(KEY_2, "");
    AUTO(audit_closep) struct audit *a = open_at(unit_path, (struct audit_options){0});

    put(a, one, "rw", VALUE);
    assert_unreadable(a, two, "rw", crypto_key_id(one));
    assert_unreadable(a, two, "rw", crypto_key_id(two));
    assert_unreadable(a, two, "rw", "--encryption-old-key-file");
}

static void each_damage_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *says;
    } rows[] = {
        {"UPDATE kept_credentials SET ciphertext = substr(ciphertext, 1, 20)",
         "are cut off: 32 of 57 bytes are there"},
        {"UPDATE kept_credentials SET ciphertext = substr(ciphertext, 2)", "cut off"},
        {"UPDATE kept_credentials SET ciphertext = x''", "cut off"},
        {"UPDATE kept_credentials SET ciphertext = zeroblob(46)",
         "damaged: 58 of 57 bytes"},
        {"UPDATE kept_credentials SET ciphertext = zeroblob(5000000)", "damaged: "},
        {"UPDATE kept_credentials SET nonce = substr(nonce, 1, 4)", "cut off"},
        {"UPDATE kept_credentials SET size_bytes = 3, ciphertext = x'010203'", "damaged"},
        {"UPDATE kept_credentials SET nonce = zeroblob(12)", "damaged"},
        {"UPDATE kept_credentials SET ciphertext = zeroblob(45)", "damaged"},
        {"UPDATE kept_credentials SET uid = 'another'", "stored for another connection"},
        {"UPDATE kept_credentials SET key_id = 'ffffffff'", "with key ffffffff"},
    };
    AUTO(crypto_freep) struct crypto *crypto = keys(KEY_1, "");

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct audit *a = open_at(unit_path, (struct audit_options){0});
        put(a, crypto, "rw", VALUE);
        audit_close(a);
        with_sqlite(rows[i].sql);
        a = open_at(unit_path, (struct audit_options){0});
        assert_unreadable(a, crypto, "rw", rows[i].says);
        audit_close(a);
    }
}

static void a_swapped_row_names_its_owner(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(crypto_freep) struct crypto *crypto = keys(KEY_1, "");
    struct audit *a = open_at(unit_path, (struct audit_options){0});

    put(a, crypto, "my", "mysql's");
    put(a, crypto, "rw", VALUE);
    audit_close(a);
    with_sqlite("CREATE TEMP TABLE t AS SELECT * FROM kept_credentials;"
                "UPDATE kept_credentials SET (key_id, nonce, ciphertext, size_bytes) = "
                "(SELECT key_id, nonce, ciphertext, size_bytes FROM t "
                "WHERE t.name != kept_credentials.name)");
    a = open_at(unit_path, (struct audit_options){0});
    assert_unreadable(a, crypto, "rw", "holds those of connection 'shop/my' instead");
    assert_unreadable(a, crypto, "my", "holds those of connection 'shop/rw' instead");
    put(a, crypto, "rw", VALUE);
    assert_string_equal(get(a, crypto, "rw", arena), VALUE);
    audit_close(a);
}

static void a_new_key_takes_over(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(crypto_freep) struct crypto *one = keys(KEY_1, "");
    AUTO(crypto_freep) struct crypto *both = keys(KEY_2, "# last year\n" KEY_1 "\n");
    AUTO(crypto_freep) struct crypto *two = keys(KEY_2, "");
    AUTO(audit_closep) struct audit *a = open_at(unit_path, (struct audit_options){0});
    struct vault_list list = {0};
    struct fault f = FAULT_INIT;
    int64_t changed = 0, unreadable = 0;

    put(a, one, "my", "mysql's");
    put(a, one, "rw", VALUE);
    unit_now_ms = 3000000;
    assert_ok(vault_rekey(a, two, &changed, &unreadable, &f), f);
    assert_true(changed == 0 && unreadable == 2);
    assert_string_equal(get(a, one, "rw", arena), VALUE);
    assert_string_equal(get(a, both, "rw", arena), VALUE);
    assert_ok(vault_rekey(a, both, &changed, &unreadable, &f), f);
    assert_true(changed == 2 && unreadable == 0);
    assert_ok(vault_rekey(a, both, &changed, &unreadable, &f), f);
    assert_true(changed == 0 && unreadable == 0);
    assert_string_equal(get(a, two, "rw", arena), VALUE);
    assert_string_equal(get(a, two, "my", arena), "mysql's");
    assert_unreadable(a, one, "rw", crypto_key_id(two));
    assert_ok(vault_list(a, arena, &list, &f), f);
    assert_int_equal(list.entries.v[0].stored_ms, 1000000);
}

/* Every file in the folder, searched for these bytes. */
static bool on_disk(struct sv needle)
{
    DIR *folder = opendir(unit_folder);
    bool found = false;

    for (struct dirent *e = readdir(folder); e != NULL; e = readdir(folder)) {
        int fd = openat(dirfd(folder), e->d_name, O_RDONLY);
        char *text = calloc(1, 1 << 22);
        ssize_t n = read(fd, text, 1 << 22);

        found = found || (n > 0 && memmem(text, (size_t)n, needle.p, needle.n) != NULL);
        free(text);
        (void)close(fd);
    }
    (void)closedir(folder);
    return found;
}

static void read_ciphertext(const char *name, unsigned char *out, size_t size)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;

    assert_int_equal(sqlite3_open(unit_path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT ciphertext FROM kept_credentials WHERE name = ?1",
                           -1, &s, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    assert_true((size_t)sqlite3_column_bytes(s, 0) >= size);
    memcpy(out, sqlite3_column_blob(s, 0), size);
    (void)sqlite3_finalize(s);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void nothing_lingers_in_the_file(void **state)
{
    (void)state;
    AUTO(crypto_freep) struct crypto *crypto = keys(KEY_1, "");
    AUTO(audit_closep) struct audit *a = open_at(unit_path, (struct audit_options){0});
    struct fault f = FAULT_INIT;
    unsigned char first[40], second[40];
    bool removed = false;
    char large[20001];

    /* Small enough for its page, and large enough for pages of its own. */
    memset(large, 'p', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    const char *const values[] = {VALUE, large};

    put(a, crypto, "other", "stays");
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        put(a, crypto, "rw", values[i]);
        read_ciphertext("rw", first, sizeof(first));
        assert_true(on_disk((struct sv){(const char *)first, sizeof(first)}));
        put(a, crypto, "rw", values[i]);
        read_ciphertext("rw", second, sizeof(second));
        assert_false(on_disk((struct sv){(const char *)first, sizeof(first)}));
        assert_ok(vault_remove(a, "shop", "rw", &removed, &f), f);
        assert_false(on_disk((struct sv){(const char *)second, sizeof(second)}));
        assert_false(on_disk(SV("hunter2-canary")));
        assert_false(on_disk(SV("pppppppp")));
    }
}

/* A file of the version before there was a vault, as the release that made it left it. */
static void an_older_file_gets_the_table(void **state)
{
    (void)state;
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(crypto_freep) struct crypto *crypto = keys(KEY_1, "");
    struct audit *a = open_at(unit_path, (struct audit_options){0});
    struct fault f = FAULT_INIT;

    end_run(a, begin_run(a, "shop", "o"));
    audit_close(a);
    with_sqlite("DROP TABLE kept_credentials; PRAGMA user_version = 1");
    assert_false(opens(unit_path, true, &f));
    assert_string_equal(f.reason, "AuditTooOld");
    a = open_at(unit_path, (struct audit_options){0});
    put(a, crypto, "rw", VALUE);
    assert_string_equal(get(a, crypto, "rw", arena), VALUE);
    assert_int_equal(runs_of(a, arena).runs.n, 1);
    audit_close(a);
}

static void sizes_have_ceilings(void **state)
{
    (void)state;
    AUTO(crypto_freep) struct crypto *crypto = keys(KEY_1, "");
    AUTO(audit_closep) struct audit *a = open_at(unit_path, (struct audit_options){0});
    char *large = calloc(1, VAULT_VALUE_MAX + 1);
    struct fault f = FAULT_INIT;

    assert_true(
        vault_put(a, crypto, "shop", "rw", "u", (struct sv){large, VAULT_VALUE_MAX}, &f));
    assert_false(vault_put(a, crypto, "shop", "rw", "u",
                           (struct sv){large, VAULT_VALUE_MAX + 1}, &f));
    assert_string_equal(f.reason, "KeptTooLarge");
    memset(large, 'n', 5000);
    assert_false(vault_put(a, crypto, "shop", large, "u", SV("v"), &f));
    assert_string_equal(f.reason, "KeptTooLarge");
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(gives_back_what_was_put, fresh_folder),
        cmocka_unit_test_setup(outlives_the_process_and_retention, fresh_folder),
        cmocka_unit_test_setup(another_key_is_told, fresh_folder),
        cmocka_unit_test_setup(each_damage_is_told, fresh_folder),
        cmocka_unit_test_setup(a_swapped_row_names_its_owner, fresh_folder),
        cmocka_unit_test_setup(a_new_key_takes_over, fresh_folder),
        cmocka_unit_test_setup(nothing_lingers_in_the_file, fresh_folder),
        cmocka_unit_test_setup(an_older_file_gets_the_table, fresh_folder),
        cmocka_unit_test_setup(sizes_have_ceilings, fresh_folder),
    };
    return cmocka_run_group_tests_name("audit/vault", tests, make_folder, drop_folder);
}
