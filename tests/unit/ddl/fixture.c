#include "unit.h"

#include <string.h>

struct mysql_column column_of(const char *name, const char *column_type)
{
    static char data_types[64][32];
    static unsigned next;
    char *data_type = data_types[next++ % COUNT_OF(data_types)];
    size_t n = strcspn(column_type, "( ");

    assert_in_range(n, 1, sizeof(data_types[0]) - 1);
    memcpy(data_type, column_type, n);
    data_type[n] = '\0';
    return (struct mysql_column){.name = name,
                                 .data_type = data_type,
                                 .column_type = column_type,
                                 .nullable = true,
                                 .key = "",
                                 .extra = "",
                                 .comment = "",
                                 .charset = "utf8mb4",
                                 .char_max_length = -1,
                                 .numeric_precision = -1,
                                 .numeric_scale = -1,
                                 .datetime_precision = -1};
}

struct mysql_column *fixture_column(struct fixture *f, const char *name,
                                    const char *column_type, const char *key)
{
    struct mysql_column column = column_of(name, column_type);

    column.data_type = arena_strdup(f->arena, column.data_type);
    column.key = key;
    column.ordinal = (int64_t)f->table.columns.n + 1;
    if (strcmp(key, "PRI") == 0) {
        column.nullable = false;
        VEC_PUSH(f->arena, &f->table.primary_key, name);
    }
    VEC_PUSH(f->arena, &f->table.columns, column);
    return &f->table.columns.v[f->table.columns.n - 1];
}

int fixture_setup(void **state)
{
    static struct fixture f;

    f = (struct fixture){.arena = arena_new(ARENA_CEILING_BYTES)};
    f.password = secret_new(SV("s3cr'et\\"));
    f.sync = (struct tablesync){.namespace = "data",
                                .name = "orders",
                                .uid = "7b6c0000-0000-4000-8000-00000000abcd",
                                .source_database = "shop",
                                .source_table = "orders",
                                .parallelism = 1,
                                .target_database = "ods",
                                .target_table = "orders",
                                .target_create = CREATE_IF_NOT_EXISTS,
                                .create_database = CREATE_NEVER,
                                .snapshot_mode = SNAPSHOT_INITIAL,
                                .snapshot_batch_size = 1000,
                                .commit_checkpoint_interval = 10,
                                .state = STATE_RUNNING,
                                .existing = EXISTING_FAIL,
                                .unsupported = UNSUPPORTED_FAIL,
                                .data_loss = DATA_LOSS_WARN,
                                .schema_policy = SCHEMA_ADD_ONLY,
                                .drop_column = DROP_COLUMN_KEEP,
                                .partition_by = "",
                                .deletion_policy = DELETION_RETAIN};
    f.source = (struct dbconn){.namespace = "data",
                               .name = "shop-mysql",
                               .type = DBCONN_MYSQL,
                               .host = "mysql.shop.svc",
                               .port = 3306,
                               .tls_mode = TLS_PREFER,
                               .server_id_low = 5400,
                               .server_id_high = 6400};
    f.rw = (struct dbconn){.namespace = "data",
                           .name = "rw",
                           .type = DBCONN_RISINGWAVE,
                           .host = "rw",
                           .port = 4566,
                           .rw_schema = "tablesync"};
    f.target = (struct dbconn){.namespace = "data",
                               .name = "warehouse",
                               .type = DBCONN_STARROCKS,
                               .host = "fe",
                               .port = 9030,
                               .http_port = 8030};
    f.server =
        (struct mysql_server){.version = "8.0.39",
                              .flavor = MYSQL_ORACLE,
                              .server_uuid = "1eef6886-e592-11e4-a12f-84a6c8c6729e",
                              .server_id = 1,
                              .log_bin = true,
                              .binlog_format = "ROW",
                              .binlog_row_image = "FULL",
                              .current_user = "cdc@%"};
    f.table = (struct mysql_table){.database = "shop",
                                   .name = "orders",
                                   .type = "BASE TABLE",
                                   .engine = "InnoDB",
                                   .comment = "",
                                   .row_estimate = -1};
    *state = &f;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;

    secret_freep(&f->password);
    arena_freep(&f->arena);
    return 0;
}

struct desired_input fixture_input(const struct fixture *f)
{
    return (struct desired_input){.sync = &f->sync,
                                  .source = &f->source,
                                  .rw = &f->rw,
                                  .target = &f->target,
                                  .server = &f->server,
                                  .table = &f->table,
                                  .source_user = "cdc",
                                  .target_user = "loader",
                                  .source_password = f->password,
                                  .target_password = f->password,
                                  .source_follows = true,
                                  .first_run = true,
                                  .first_target = true};
}

const char *rendered(const struct stmt *s, struct arena *arena)
{
    AUTO(buf_deinit) struct buf sql = {0};

    buf_init(&sql, STMT_BYTES_MAX);
    stmt_render(s, &sql);
    return arena_copy(arena, buf_sv(&sql));
}
