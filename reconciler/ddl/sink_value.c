#include "ddl/sink_value.h"

#include "ddl/expr.h"

void sink_value(struct stmt *s, const struct column_map *map, const struct ident *name)
{
    switch (map->expr) {
    case SINK_PASS:
        stmt_ident(s, name);
        break;
    case SINK_CAST_BIGINT:
        stmt_ident(s, name);
        stmt_text(s, "::BIGINT");
        break;
    case SINK_CAST_VARCHAR:
        stmt_ident(s, name);
        stmt_text(s, "::VARCHAR");
        break;
    case SINK_CAST_JSONB:
        stmt_ident(s, name);
        stmt_text(s, "::JSONB");
        break;
    case SINK_AT_UTC:
        stmt_ident(s, name);
        stmt_text(s, " AT TIME ZONE 'UTC'");
        break;
    case SINK_HEX:
        stmt_text(s, "encode(");
        stmt_ident(s, name);
        stmt_text(s, ", 'hex')");
        break;
    case SINK_CUSTOM:
        expr_write(s, map->custom);
        break;
    case SINK_EXPR_MAX:
        must(!"sink expression");
    }
}
