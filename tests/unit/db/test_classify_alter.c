/* What the servers say about tables that change: ALTER on either side, and MySQL tables
 * that changed since they were read. Texts as contract and transcripts quote them. */
#include "db/classify.h"
#include "unit.h"

struct quoted {
    const char *code, *text;
    enum fault_class class;
    const char *reason; /* NULL: the class's default */
};

static void check(enum db_engine engine, const struct quoted *quotes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct quoted *q = &quotes[i];
        struct db_verdict v = db_classify(engine, q->code, sv_from(q->text));
        if (v.class != q->class || v.session_broken ||
            !sv_eq(sv_from(v.reason), sv_from(q->reason))) {
            fail_msg("%s %s: class %s, reason %s", q->code, q->text,
                     fault_class_name(v.class), v.reason == NULL ? "-" : v.reason);
        }
    }
}

static void a_busy_table_heals_by_itself(void **state)
{
    static const char *const texts[] = {
        "A schema change operation is in progress on the table s1. Please wait until the "
        "current operation completes. To check the status of the operation, see https",
        "A materialized view or rollup index is being created on the table T. Please "
        "wait "
        "until the current operation completes. To check",
        "The table T is being altered or having a materialized view built on it. Please "
        "wait until the current operation completes.",
        "The table T is currently in state UPDATING_META",
        "Table[T] is doing insert overwrite job, please start schema change after insert "
        "overwrite finished",
        "Table state is not NORMAL: 'SCHEMA_CHANGE'"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const struct quoted q = {"1064", texts[i], FAULT_UNAVAILABLE, "AlterInProgress"};
        check(DB_STARROCKS, &q, 1);
    }
}

static void what_the_matrix_forbids_is_refused(void **state)
{
    static const char *const texts[] = {
        "Can not add key column: c for primary key table",
        "Getting analyzing error from line 1, column 26 to line 1, column 37. Detail "
        "message: Field 'c3' is not null but doesnt have a default value.",
        "Field 'c' is not null but doesn't have a default value",
        "Getting analyzing error from line 1, column 26 to line 1, column 29. Detail "
        "message: Cannot add value column[c9] at first.",
        "Invalid column order. value should be after key. index[1]",
        "Can not add column which already exists in column id: c1, you can remove `c1` "
        "int(11) NULL COMMENT \"\" and try again.",
        "Repeatedly add same column with different definition: e9",
        "Column name 'c' is reserved for primary key table",
        "Getting analyzing error. Detail message: Column name [__op] is a system "
        "reserved "
        "name. Please choose a different one..",
        "unsupported default expr:uuid()",
        "Can not drop key column in primary data model table",
        "Can not drop sort column in primary data model table",
        "Column does not exists: nosuch",
        "Column[nosuch] does not exists",
        "Column[nosuch] does not found",
        "Can not modify key column: k for primary key table",
        "Can't not modify a AUTO_INCREMENT column",
        "Getting syntax error from line 1, column 26 to line 1, column 37. Detail "
        "message: "
        "Column 'c13' can not be AUTO_INCREMENT when ADD COLUMN.",
        "Can not change BIGINT to INT",
        "Can not change DECIMAL64(12,2) to DECIMAL64(12,4)",
        "Can not change from nullable to non-nullable",
        "Can not change default value",
        "Cannot shorten string length",
        "JSON needs minimum length of 1024",
        "MODIFY COLUMN COMMENT can not be combined with other alter operations",
        "Alter operation RENAME conflicts with operation SCHEMA_CHANGE",
        "Can not alter table when there are temp partitions in table"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const struct quoted q = {"1064", texts[i], FAULT_REFUSED, "AlterFailed"};
        check(DB_STARROCKS, &q, 1);
    }
}

static void the_rest_of_starrocks(void **state)
{
    static const struct quoted quotes[] = {
        {"1064", "Can not add column which already exists in base table: c1",
         FAULT_REFUSED, "AlreadyExists"},
        {"1064", "Getting analyzing error. Detail message: Table nosuch is not found.",
         FAULT_REFUSED, "TableMissing"},
        {"1064",
         "Getting analyzing error. Detail message: Database default_catalog.nosuch is "
         "not "
         "found.",
         FAULT_REFUSED, "DatabaseMissing"},
        {"5502", "Getting analyzing error. Detail message: Unknown table 'casetab'.",
         FAULT_REFUSED, "TableMissing"},
        {"1064", "Table[t]'s meta has been changed. try again.", FAULT_UNAVAILABLE, NULL},
        {"1064",
         "There are still some transactions in the COMMITTED state waiting to be "
         "completed. The table [t] cannot be dropped.",
         FAULT_UNAVAILABLE, NULL},
        {"1060", "Duplicate column name 'a'", FAULT_REFUSED, "TableFailed"},
        {"1113", "A table must have at least 1 column", FAULT_REFUSED, "TableFailed"},
        {"1117", "The number of columns in a table must be less than or equal to 10000",
         FAULT_REFUSED, "TableFailed"},
        {"5510", "The number of buckets is too large, the maximum is 1024.",
         FAULT_REFUSED, "TableFailed"},
        {"1064", "Replication num should larger than 0", FAULT_REFUSED,
         "ReplicationImpossible"},
        {"1064", "Database[ods] data size exceeds quota[1.000 TB]", FAULT_REFUSED,
         "QuotaExceeded"},
        {"1064", "Database[ods] replica number exceeds quota[1000]", FAULT_REFUSED,
         "QuotaExceeded"}};

    (void)state;
    check(DB_STARROCKS, quotes, COUNT_OF(quotes));
}

static void what_risingwave_says_about_alter(void **state)
{
    static const struct quoted quotes[] = {
        {"XX000",
         "Failed to run the query\n\nCaused by:\n  Invalid input syntax: column "
         "\"channel\" of table \"tablesync.\"t_store_orders_9f8e7d6c\"\" already "
         "exists",
         FAULT_REFUSED, "AlreadyExists"},
        {"XX000",
         "Failed to run the query\n\nCaused by:\n  Invalid Parameter Value: Invalid "
         "parameter: unable to drop the column due to being referenced by downstream "
         "materialized views or sinks",
         FAULT_REFUSED, "DependantsExist"},
        {"XX000",
         "Field 'starrocks.password' is not allowed to be altered on the fly for sink: "
         "starrocks",
         FAULT_REFUSED, "NotAlterable"},
        {"XX000", "feature SecretManagement is not available due to license error",
         FAULT_REFUSED, "LicenseLimit"},
        {"XX000", "feature SecretManagement is not available based on your license",
         FAULT_REFUSED, "LicenseLimit"},
        {"42710", "table with name t_x exists but under creation", FAULT_UNAVAILABLE,
         "BeingCreated"},
        {"42710", "table with name t_x exists", FAULT_REFUSED, "AlreadyExists"}};

    (void)state;
    check(DB_RISINGWAVE, quotes, COUNT_OF(quotes));
}

/* Between the look at the schema and the question about its columns. */
static void a_mysql_table_that_changed_is_read_again(void **state)
{
    static const struct quoted quotes[] = {
        {"1054", "Unknown column 'gone' in 'field list'", FAULT_CONFLICT, NULL},
        {"1146", "Table 'shop.orders' doesn't exist", FAULT_CONFLICT, NULL},
        {"1412", "Table definition has changed, please retry transaction", FAULT_CONFLICT,
         NULL},
        {"1969", "Query execution was interrupted (max_statement_time exceeded)",
         FAULT_UNAVAILABLE, "Timeout"},
        {"3024",
         "Query execution was interrupted, maximum statement execution time exceeded",
         FAULT_UNAVAILABLE, "Timeout"},
        {"1317", "Query execution was interrupted", FAULT_UNAVAILABLE, "Timeout"}};

    (void)state;
    check(DB_MYSQL, quotes, COUNT_OF(quotes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_busy_table_heals_by_itself),
        cmocka_unit_test(what_the_matrix_forbids_is_refused),
        cmocka_unit_test(the_rest_of_starrocks),
        cmocka_unit_test(what_risingwave_says_about_alter),
        cmocka_unit_test(a_mysql_table_that_changed_is_read_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
