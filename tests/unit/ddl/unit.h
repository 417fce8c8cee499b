/* cmocka, its prerequisites, and what the ddl tests share. */
#ifndef UNIT_DDL_UNIT_H
#define UNIT_DDL_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ddl/plan.h"

#define ASSERT_OK(call, fault)                                                           \
    do {                                                                                 \
        if (!(call)) {                                                                   \
            fail_msg("%s: %s", (fault)->reason, (fault)->text);                          \
        }                                                                                \
    } while (0)

#define ASSERT_REFUSED(call, fault, why)                                                 \
    do {                                                                                 \
        assert_false(call);                                                              \
        assert_string_equal((fault)->reason, (why));                                     \
    } while (0)

#define ASSERT_CONTAINS(text, part)                                                      \
    do {                                                                                 \
        if (sv_find(sv_from(text), sv_from(part)) == SIZE_MAX) {                         \
            fail_msg("'%s' is not in '%s'", (part), (text));                             \
        }                                                                                \
    } while (0)

/* A resource, its connections and a MySQL table, ready to be changed by a test. */
struct fixture {
    struct arena *arena;
    struct tablesync sync;
    struct dbconn source, rw, target;
    struct mysql_server server;
    struct mysql_table table;
    struct secret *password;
};

int fixture_setup(void **state);
int fixture_teardown(void **state);
struct desired_input fixture_input(const struct fixture *f);
/* Adds a column as MySQL would describe it; "PRI" puts it into the key. */
struct mysql_column *fixture_column(struct fixture *f, const char *name,
                                    const char *column_type, const char *key);
/* A column that belongs to no table. */
struct mysql_column column_of(const char *name, const char *column_type);
const char *rendered(const struct stmt *s, struct arena *arena);

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
