/* factory: the real drivers behind struct db_factory. */
#include "db/db.h"
#include "db/mysql_source.h"
#include "db/mysql_wire.h"
#include "db/risingwave.h"
#include "db/starrocks.h"

bool db_library_init(struct fault *fault)
{
    return mysql_wire_init(fault);
}

bool db_unanswered(const struct fault *fault)
{
    return fault_is(fault, FAULT_UNAVAILABLE, "Unreachable") ||
           fault_is(fault, FAULT_UNAVAILABLE, "Timeout");
}

void db_library_deinit(void)
{
    mysql_wire_deinit();
}

static bool open_source(UNUSED struct db_factory *f, const struct db_endpoint *endpoint,
                        struct cancel *cancel, struct source_db **out_db,
                        struct fault *fault)
{
    return mysql_source_open(endpoint, cancel, out_db, fault);
}

static bool open_stream(UNUSED struct db_factory *f, const struct db_endpoint *endpoint,
                        struct cancel *cancel, struct stream_db **out_db,
                        struct fault *fault)
{
    return risingwave_open(endpoint, cancel, out_db, fault);
}

static bool open_target(UNUSED struct db_factory *f, const struct db_endpoint *endpoint,
                        struct cancel *cancel, struct target_db **out_db,
                        struct fault *fault)
{
    return starrocks_open(endpoint, cancel, out_db, fault);
}

struct db_factory *db_factory_real(void)
{
    static const struct db_factory_ops ops = {open_source, open_stream, open_target};
    static struct db_factory factory = {&ops};

    return &factory;
}
