/*
 * patterns: which texts a field may hold, as plain functions. Each says the same as the
 * regular expression of its field in the CRD; tests/unit/model/test_crd.c compares the
 * two over a corpus. None of them looks at length: the row's maxLength does.
 */
#ifndef MODEL_PATTERNS_H
#define MODEL_PATTERNS_H

#include "base/sv.h"

/* A DNS-1123 subdomain, as Kubernetes wants for names of objects. */
bool pattern_object_name(struct sv text);
/* A key of a Secret's data. */
bool pattern_secret_key(struct sv text);
/* A host name or an IPv4 address: no scheme, port, path or IPv6 literal (RisingWave 3.0.3
 * puts the host in front of ":port" without brackets). */
bool pattern_host(struct sv text);
/* A RisingWave database: nothing that has to be escaped. May be empty. */
bool pattern_rw_database(struct sv text);
/* A schema that needs no quotes in a psql session: lower case, digits, underscore. */
bool pattern_rw_schema(struct sv text);
/* "5400-6400": two numbers without leading zeros; the order is checked elsewhere. */
bool pattern_id_range(struct sv text);
/* A MySQL database or table: no back-quote, no control character, no blank at the end. */
bool pattern_mysql_name(struct sv text);
/* StarRocks 4.1 FeNameFormat: a letter, or "_" and a letter or digit, then word
 * characters and -~!@#$%^&<>=+ */
bool pattern_sr_database(struct sv text);
/* StarRocks: anything but a back-quote (its parser drops them) and control characters. */
bool pattern_sr_table(struct sv text);
/* A StarRocks column, as ddl/ident.c has it: a back-quote is dropped, a comma and control
 * characters break the column list of a load, = < > ! * are refused in it, and RisingWave
 * cannot write a double quote inside the alias that carries the name. */
bool pattern_sr_column(struct sv text);
/* The name of a StarRocks table property: "replication_num", "dynamic_partition.enable".
 */
bool pattern_sr_property(struct sv text);
/* Printable ASCII without blanks; may be empty. */
bool pattern_token(struct sv text);
/* Five words of a crontab's characters with blanks between them; may be empty. What the
 * words say: cron.h. */
bool pattern_schedule(struct sv text);
/* A duration of up to four parts: "5s", "1h30m", "250ms", "1.5h". */
bool pattern_duration(struct sv text);

#endif
