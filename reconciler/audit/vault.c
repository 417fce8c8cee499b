#include "audit/vault.h"
#include "audit/lite.h"

/* Part of what a value is bound to: a later format will not take these for its own. */
#define FORMAT "tablesync kept credentials 1"
#define ASSOCIATED_MAX ((size_t)4096)

/* A row as it is stored; the bytes live in an arena. */
struct row {
    struct vault_entry entry;
    struct sv nonce, sealed;
    int64_t size_bytes; /* what the ciphertext's size was when it was written */
};

static void associate(const struct vault_entry *entry, struct buf *out)
{
    const char *const fields[] = {FORMAT, entry->uid, entry->namespace, entry->name};

    buf_init(out, ASSOCIATED_MAX);
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        struct sv field = sv_from(fields[i]);

        /* With its length in front, no field can end in another one's place. */
        buf_addf(out, "%zu:", field.n);
        buf_add(out, field);
    }
}

/*
 * Takes overwritten pages out of the WAL too. A reader in its midst stops that: then it
 * happens at the next change, at a checkpoint that fills the WAL again, or at the end.
 */
static void settle(struct audit *a)
{
    (void)sqlite3_busy_timeout(a->db, 0);
    (void)sqlite3_wal_checkpoint_v2(a->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    (void)sqlite3_busy_timeout(a->db, lite_busy_ms(a));
}

/* --- writing --- */

static bool store(struct audit *a, const struct row *row, struct fault *fault)
{
    AUTO(lite_stmt_freep) sqlite3_stmt *s = NULL;

    if (!lite_prepare(
            a,
            "INSERT INTO kept_credentials (ns, name, uid, key_id, nonce, ciphertext, "
            "size_bytes, stored_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) "
            "ON CONFLICT (ns, name) DO UPDATE SET uid = ?3, key_id = ?4, nonce = ?5, "
            "ciphertext = ?6, size_bytes = ?7, stored_at = ?8",
            &s, fault)) {
        return false;
    }
    lite_bind_text(s, 1, row->entry.namespace);
    lite_bind_text(s, 2, row->entry.name);
    lite_bind_text(s, 3, row->entry.uid);
    lite_bind_text(s, 4, row->entry.key_id);
    lite_bind_blob(s, 5, row->nonce);
    lite_bind_blob(s, 6, row->sealed);
    lite_bind_int(s, 7, (int64_t)row->sealed.n);
    lite_bind_int(s, 8, row->entry.stored_ms);
    return lite_run(a, s, NULL, fault);
}

/* Encrypts with the current key and stores; the lock is held. */
static bool put(struct audit *a, const struct crypto *crypto,
                const struct vault_entry *entry, struct sv value, struct fault *fault)
{
    AUTO(buf_deinit) struct buf sealed = {0};
    AUTO(buf_deinit) struct buf associated = {0};
    unsigned char nonce[CRYPTO_NONCE_BYTES];
    struct row row = {.entry = *entry};

    if (value.n > VAULT_VALUE_MAX) {
        return fault_set(fault, FAULT_SPEC, "KeptTooLarge",
                         "what is to be kept of connection '%s/%s' is larger than %zu "
                         "bytes",
                         entry->namespace, entry->name, VAULT_VALUE_MAX);
    }
    associate(entry, &associated);
    buf_init(&sealed, VAULT_VALUE_MAX + CRYPTO_TAG_BYTES);
    if (buf_overflowed(&associated)) {
        return fault_set(fault, FAULT_SPEC, "KeptTooLarge",
                         "the connection's namespace, name and uid are too long");
    }
    crypto_seal(crypto, value, buf_sv(&associated), nonce, &sealed);
    must(!buf_overflowed(&sealed));
    row.entry.key_id = crypto_key_id(crypto);
    row.nonce = (struct sv){(const char *)nonce, sizeof(nonce)};
    row.sealed = buf_sv(&sealed);
    return store(a, &row, fault);
}

bool vault_put(struct audit *audit, const struct crypto *crypto, const char *namespace,
               const char *name, const char *uid, struct sv value, struct fault *fault)
{
    const struct vault_entry entry = {.namespace = namespace,
                                      .name = name,
                                      .uid = uid,
                                      .stored_ms = clock_wall_ms(audit->clock)};
    AUTO(lite_leavep) struct audit *held = NULL;

    if (!lite_enter(audit, LITE_OTHER, &held, fault) ||
        !put(audit, crypto, &entry, value, fault)) {
        return false;
    }
    settle(audit);
    return true;
}

bool vault_remove(struct audit *audit, const char *namespace, const char *name,
                  bool *out_removed, struct fault *fault)
{
    AUTO(lite_leavep) struct audit *held = NULL;
    AUTO(lite_stmt_freep) sqlite3_stmt *s = NULL;
    int64_t changed = 0;

    if (!lite_enter(audit, LITE_OTHER, &held, fault) ||
        !lite_prepare(audit, "DELETE FROM kept_credentials WHERE ns = ?1 AND name = ?2",
                      &s, fault)) {
        return false;
    }
    lite_bind_text(s, 1, namespace);
    lite_bind_text(s, 2, name);
    if (!lite_run(audit, s, &changed, fault)) {
        return false;
    }
    lite_stmt_freep(&s);
    if (changed > 0) {
        settle(audit);
    }
    *out_removed = changed > 0;
    return true;
}

/* --- reading --- */

/* More than was ever written is damage, and not taken into memory. */
static struct sv column_blob(struct arena *arena, sqlite3_stmt *s, int index)
{
    const char *bytes = sqlite3_column_blob(s, index);
    struct sv whole = {bytes, bytes == NULL ? 0 : (size_t)sqlite3_column_bytes(s, index)};

    return arena_sv(arena, sv_sub(whole, 0, VAULT_VALUE_MAX + CRYPTO_TAG_BYTES));
}

static struct vault_entry read_entry(struct arena *arena, sqlite3_stmt *s)
{
    return (struct vault_entry){.namespace = lite_column(arena, s, 0),
                                .name = lite_column(arena, s, 1),
                                .uid = lite_column(arena, s, 2),
                                .key_id = lite_column(arena, s, 3),
                                .stored_ms = sqlite3_column_int64(s, 4)};
}

static bool list(struct audit *a, struct arena *arena, struct vault_list *out,
                 struct fault *fault)
{
    AUTO(lite_stmt_freep) sqlite3_stmt *s = NULL;
    struct vault_list found = {0};
    bool row = true;

    if (!lite_prepare(a,
                      "SELECT ns, name, uid, key_id, stored_at FROM kept_credentials "
                      "ORDER BY ns, name",
                      &s, fault)) {
        return false;
    }
    while (row) {
        if (!lite_step(a, s, &row, fault)) {
            return false;
        }
        if (row) {
            VEC_PUSH(arena, &found.entries, read_entry(arena, s));
        }
    }
    *out = found;
    return true;
}

bool vault_list(struct audit *audit, struct arena *arena, struct vault_list *out_list,
                struct fault *fault)
{
    AUTO(lite_leavep) struct audit *held = NULL;

    return lite_enter(audit, LITE_OTHER, &held, fault) &&
           list(audit, arena, out_list, fault);
}

/* The row of namespace/name; entry.namespace NULL: there is none. */
static bool read_row(struct audit *a, const char *namespace, const char *name,
                     struct arena *arena, struct row *out, struct fault *fault)
{
    AUTO(lite_stmt_freep) sqlite3_stmt *s = NULL;
    bool found = false;

    if (!lite_prepare(a,
                      "SELECT ns, name, uid, key_id, stored_at, nonce, ciphertext, "
                      "size_bytes FROM kept_credentials WHERE ns = ?1 AND name = ?2",
                      &s, fault)) {
        return false;
    }
    lite_bind_text(s, 1, namespace);
    lite_bind_text(s, 2, name);
    if (!lite_step(a, s, &found, fault)) {
        return false;
    }
    *out = (struct row){0};
    if (found) {
        out->entry = read_entry(arena, s);
        out->nonce = column_blob(arena, s, 5);
        out->sealed = column_blob(arena, s, 6);
        out->size_bytes = sqlite3_column_int64(s, 7);
    }
    return true;
}

static bool is_whole(const struct row *row)
{
    return row->size_bytes == (int64_t)row->sealed.n &&
           row->nonce.n == CRYPTO_NONCE_BYTES;
}

static bool unseal(const struct crypto *crypto, const struct row *row,
                   const struct vault_entry *whose, struct buf *out)
{
    AUTO(buf_deinit) struct buf associated = {0};

    associate(whose, &associated);
    return crypto_unseal(crypto, row->entry.key_id, (const unsigned char *)row->nonce.p,
                         row->sealed, buf_sv(&associated), out);
}

/* The connection whose row this once was, as far as its own row still stands. */
static const struct vault_entry *find_owner(const struct crypto *crypto,
                                            const struct row *row,
                                            const struct vault_list *all)
{
    for (VEC_EACH(const struct vault_entry, e, &all->entries)) {
        AUTO(buf_deinit_zero) struct buf value = {0};

        buf_init(&value, VAULT_VALUE_MAX + CRYPTO_TAG_BYTES);
        if (unseal(crypto, row, e, &value)) {
            return e;
        }
    }
    return NULL;
}

/* Says why a row does not decrypt. Always false. */
static bool fault_unreadable(struct audit *a, const struct crypto *crypto,
                             const struct row *row, struct arena *arena,
                             struct fault *fault)
{
    const char *of = arena_printf(arena,
                                  "the last-known-good credentials of connection "
                                  "'%s/%s'",
                                  row->entry.namespace, row->entry.name);
    const struct vault_entry *owner = NULL;
    struct vault_list all = {0};

    if (!is_whole(row)) {
        int64_t wanted = row->size_bytes + (int64_t)CRYPTO_NONCE_BYTES;
        int64_t there = (int64_t)(row->sealed.n + row->nonce.n);

        return fault_set(fault, FAULT_DENIED, "KeptUnreadable",
                         "%s in '%s' are %s: %lld of %lld bytes are there", of, a->path,
                         there < wanted ? "cut off" : "damaged", (long long)there,
                         (long long)wanted);
    }
    if (!crypto_has_key(crypto, row->entry.key_id)) {
        return fault_set(
            fault, FAULT_DENIED, "KeptUnreadable",
            "%s are encrypted with key %.16s, and the controller's key is %s: "
            "add the key they were encrypted with to the file of "
            "--encryption-old-key-file and restart the controller",
            of, row->entry.key_id, crypto_key_id(crypto));
    }
    if (!list(a, arena, &all, fault)) {
        return false;
    }
    owner = find_owner(crypto, row, &all);
    if (owner != NULL) {
        return fault_set(fault, FAULT_DENIED, "KeptUnreadable",
                         "%s cannot be used: their row in '%s' holds those of connection "
                         "'%s/%s' instead; somebody changed the file",
                         of, a->path, owner->namespace, owner->name);
    }
    return fault_set(
        fault, FAULT_DENIED, "KeptUnreadable",
        "%s in '%s' are damaged, or were stored for another connection: they "
        "do not decrypt although key %.16s is the one they were encrypted "
        "with",
        of, a->path, row->entry.key_id);
}

/* As vault_get(); the lock is held. */
static bool get(struct audit *a, const struct crypto *crypto, const char *namespace,
                const char *name, struct arena *arena, struct vault_entry *out_entry,
                struct buf *out_value, struct fault *fault)
{
    struct row row;

    if (!read_row(a, namespace, name, arena, &row, fault)) {
        return false;
    }
    if (row.entry.namespace != NULL &&
        (!is_whole(&row) || !unseal(crypto, &row, &row.entry, out_value))) {
        return fault_unreadable(a, crypto, &row, arena, fault);
    }
    *out_entry = row.entry;
    return true;
}

bool vault_get(struct audit *audit, const struct crypto *crypto, const char *namespace,
               const char *name, struct arena *arena, struct vault_entry *out_entry,
               struct buf *out_value, struct fault *fault)
{
    AUTO(lite_leavep) struct audit *held = NULL;

    return lite_enter(audit, LITE_OTHER, &held, fault) &&
           get(audit, crypto, namespace, name, arena, out_entry, out_value, fault);
}

/* --- another key --- */

static bool rekey_one(struct audit *a, const struct crypto *crypto,
                      const struct vault_entry *entry, struct arena *arena,
                      bool *out_readable, struct fault *fault)
{
    AUTO(buf_deinit_zero) struct buf value = {0};
    struct vault_entry read = {0};
    struct fault why = FAULT_INIT;

    buf_init(&value, VAULT_VALUE_MAX + CRYPTO_TAG_BYTES);
    *out_readable =
        get(a, crypto, entry->namespace, entry->name, arena, &read, &value, &why);
    if (*out_readable) {
        return put(a, crypto, &read, buf_sv(&value), fault);
    }
    if (strcmp(why.reason, "KeptUnreadable") != 0) {
        *fault = why;
        return false;
    }
    return true;
}

bool vault_rekey(struct audit *audit, const struct crypto *crypto, int64_t *out_changed,
                 int64_t *out_unreadable, struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(lite_leavep) struct audit *held = NULL;
    struct vault_list all = {0};
    int64_t changed = 0, unreadable = 0;

    if (!lite_enter(audit, LITE_OTHER, &held, fault) ||
        !list(audit, arena, &all, fault)) {
        return false;
    }
    for (VEC_EACH(const struct vault_entry, e, &all.entries)) {
        bool readable = false;

        if (strcmp(e->key_id, crypto_key_id(crypto)) == 0) {
            continue;
        }
        if (!rekey_one(audit, crypto, e, arena, &readable, fault)) {
            return false;
        }
        changed += readable;
        unreadable += !readable;
    }
    if (changed > 0) {
        settle(audit);
    }
    *out_changed = changed;
    *out_unreadable = unreadable;
    return true;
}
