/*
 * Passwords that belong together: one server repeats what another one was given. The
 * table holds references, each value once for its scope; the one not used for longest
 * gives way.
 */
#include "base/secret.h"

#include "base/heap.h"

#include <pthread.h>
#include <string.h>

#define REMEMBERED_MAX 1024

struct remembered {
    char *scope; /* NULL: free */
    struct secret *secret;
    uint64_t used;
};

static struct {
    pthread_mutex_t lock;
    struct remembered rows[REMEMBERED_MAX];
    uint64_t uses;
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void release(struct remembered *row)
{
    secret_free(row->secret);
    heap_free(row->scope);
    *row = (struct remembered){0};
}

void secret_remember(const char *scope, struct secret *s)
{
    struct remembered *row = &table.rows[0];
    bool known = false;

    if (s == NULL) {
        return;
    }
    must(pthread_mutex_lock(&table.lock) == 0);
    for (size_t i = 0; i < REMEMBERED_MAX && !known; i++) {
        struct remembered *each = &table.rows[i];

        known = each->scope != NULL && strcmp(each->scope, scope) == 0 &&
                secret_equal(each->secret, s);
        row = known || each->used < row->used ? each : row;
    }
    if (!known) {
        release(row);
        row->scope = heap_strdup(scope);
        row->secret = secret_ref(s);
    }
    row->used = ++table.uses;
    must(pthread_mutex_unlock(&table.lock) == 0);
}

void secret_redact_scope(const char *scope, struct sv text, struct buf *out)
{
    struct secret *found[REMEMBERED_MAX];
    const struct secret *views[REMEMBERED_MAX];
    size_t count = 0;

    must(pthread_mutex_lock(&table.lock) == 0);
    for (size_t i = 0; i < REMEMBERED_MAX; i++) {
        const struct remembered *each = &table.rows[i];

        if (each->scope != NULL && strcmp(each->scope, scope) == 0) {
            found[count] = secret_ref(each->secret);
            views[count] = found[count];
            count++;
        }
    }
    must(pthread_mutex_unlock(&table.lock) == 0);
    secret_redact(views, count, text, out);
    for (size_t i = 0; i < count; i++) {
        secret_free(found[i]);
    }
}

void secret_forget_all(void)
{
    must(pthread_mutex_lock(&table.lock) == 0);
    for (size_t i = 0; i < REMEMBERED_MAX; i++) {
        release(&table.rows[i]);
    }
    must(pthread_mutex_unlock(&table.lock) == 0);
}
