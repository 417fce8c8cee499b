/* The rows of DatabaseConnection. */
#include "model/fields_rows.h"

CHOICES(dbconn_types, DBCONN_TYPE_MAX, "MySQL", "RisingWave", "StarRocks");
CHOICES(tls_modes, TLS_MODE_MAX, "Disable", "Prefer", "Require", "VerifyCA",
        "VerifyFull");

#define IN(member) .offset = offsetof(struct dbconn, member)

static const struct field dbconn_fields[] = {
    {.path = "type",
     .type = FIELD_ENUM,
     IN(type),
     .required = true,
     .immutable = true,
     .choices = &dbconn_types},
    {.path = "host",
     .type = FIELD_STRING,
     IN(host),
     .required = true,
     .length_max = 253,
     .pattern = pattern_host,
     .allowed = "a host name or an IPv4 address alone, without scheme, port or path"},
    {.path = "port", .type = FIELD_INT, IN(port), .min = 1, .max = 65535},
    {.path = "database",
     .type = FIELD_STRING,
     IN(database),
     .length_max = 128,
     .pattern = pattern_rw_database,
     .allowed = "a name without quotes, backslashes or control characters"},
    OBJECT("credentialsSecretRef", true),
    {.path = "credentialsSecretRef.name",
     .type = FIELD_STRING,
     IN(secret_name),
     .required = true,
     OBJECT_NAME},
    {.path = "credentialsSecretRef.usernameKey",
     .type = FIELD_STRING,
     IN(username_key),
     .fallback = "username",
     SECRET_KEY},
    {.path = "credentialsSecretRef.passwordKey",
     .type = FIELD_STRING,
     IN(password_key),
     .fallback = "password",
     SECRET_KEY},
    OBJECT("tls", false),
    {.path = "tls.mode",
     .type = FIELD_ENUM,
     IN(tls_mode),
     .fallback = "Prefer",
     .choices = &tls_modes},
    OBJECT("tls.caSecretRef", false),
    {.path = "tls.caSecretRef.name",
     .type = FIELD_STRING,
     IN(tls_ca_secret),
     .required = true,
     OBJECT_NAME},
    {.path = "tls.caSecretRef.key",
     .type = FIELD_STRING,
     IN(tls_ca_key),
     .fallback = "ca.crt",
     SECRET_KEY},
    OBJECT("tls.clientCertSecretRef", false),
    {.path = "tls.clientCertSecretRef.name",
     .type = FIELD_STRING,
     IN(tls_client_secret),
     .required = true,
     OBJECT_NAME},
    OBJECT("mysql", false),
    {.path = "mysql.serverIdRange",
     .type = FIELD_STRING,
     .offset = FIELD_NOWHERE,
     .fallback = "5400-6400",
     .length_max = 21,
     .pattern = pattern_id_range,
     .allowed = "two numbers joined by '-', such as 5400-6400"},
    OBJECT("risingWave", false),
    {.path = "risingWave.schema",
     .type = FIELD_STRING,
     IN(rw_schema),
     .fallback = "tablesync",
     .length_max = 63,
     .pattern = pattern_rw_schema,
     .allowed = "lower case letters, digits and '_', not starting with a digit"},
    OBJECT("starRocks", false),
    {.path = "starRocks.httpPort",
     .type = FIELD_INT,
     IN(http_port),
     .fallback = "8030",
     .min = 1,
     .max = 65535},
};

const struct field *fields_dbconn(size_t *out_count)
{
    *out_count = COUNT_OF(dbconn_fields);
    return dbconn_fields;
}

const char *dbconn_type_name(enum dbconn_type type)
{
    return choices_name(&dbconn_types, (int)type);
}

const char *tls_mode_name(enum tls_mode mode)
{
    return choices_name(&tls_modes, (int)mode);
}
