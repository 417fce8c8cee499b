#include "cmd/discover_print.h"

#include "base/buf.h"
#include "cmd/cmd.h"

#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES ((size_t)16384)

static const char *text_of(const struct json *object, const char *key)
{
    const char *text = json_get_string(object, key);

    return text == NULL ? "" : text;
}

/* Bytes of the character at `c` that YAML takes for the end of a line or refuses: C0, C1
 * and DEL, U+2028, U+2029, U+FFFE, U+FFFF. 0: an honest one. */
static int unprintable(const unsigned char *c)
{
    if (c[0] < 0x20 || c[0] == 0x7f) {
        return 1;
    }
    if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0) {
        return 2;
    }
    if ((c[0] == 0xe2 && c[1] == 0x80 && (c[2] == 0xa8 || c[2] == 0xa9)) ||
        (c[0] == 0xef && c[1] == 0xbf && c[2] >= 0xbe)) {
        return 3;
    }
    return 0;
}

/* Names from MySQL may hold anything: a line must stay a line, a comment a comment. */
static void print_line(const char *before, const char *text)
{
    (void)printf("%s", before);
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0';) {
        int bad = unprintable(c);

        (void)putchar(bad > 0 ? '?' : *c);
        c += bad > 0 ? bad : 1;
    }
}

static void rows_text(const struct json *table, char out_text[32])
{
    int64_t rows = json_int(json_get(table, "rows"), -1);

    (void)snprintf(out_text, 32, rows < 0 ? "?" : "%lld", (long long)rows);
}

/* "a,b"; "-" without a key. */
static void key_text(const struct json *table, struct buf *out)
{
    const struct json *k = json_first(json_get(table, "primaryKey"));

    buf_addz(out, k == NULL ? "-" : "");
    for (const char *comma = ""; k != NULL; k = json_next(k), comma = ",") {
        buf_addf(out, "%s%s", comma, json_string(k));
    }
}

static void print_table(const struct json *tables)
{
    (void)printf("%-24s %-32s %12s %-20s %-8s %s\n", "DATABASE", "TABLE", "ROWS", "KEY",
                 "SYNC", "WHY");
    for (const struct json *t = json_first(tables); t != NULL; t = json_next(t)) {
        AUTO(buf_deinit) struct buf line = {0};
        AUTO(buf_deinit) struct buf key = {0};
        bool syncable = json_bool(json_get(t, "syncable"), false);
        char rows[32];

        buf_init(&line, LINE_MAX_BYTES);
        buf_init(&key, LINE_MAX_BYTES);
        key_text(t, &key);
        rows_text(t, rows);
        buf_addf(&line, "%-24s %-32s %12s %-20s %-8s %s", text_of(t, "database"),
                 text_of(t, "table"), rows, buf_z(&key), syncable ? "yes" : "no",
                 syncable ? "" : text_of(t, "message"));
        print_line("", buf_z(&line));
        (void)printf("\n");
    }
}

/* A JSON string is a YAML scalar whatever it holds. */
static void print_scalar(const char *indent, const char *key, const char *text)
{
    AUTO(buf_deinit) struct buf quoted = {0};

    buf_init(&quoted, LINE_MAX_BYTES);
    json_quote(sv_from(text), &quoted);
    (void)printf("%s%s: %s\n", indent, key, buf_z(&quoted));
}

/* `depth` is bounded: this prints what discover.c built. */
static void print_mapping(const struct json *object, int depth)
{
    static const char *const INDENTS[] = {"", "  ", "    ", "      "};

    for (const struct json *f = json_first(object); f != NULL; f = json_next(f)) {
        if (json_kind(f) == JSON_OBJECT && depth + 1 < (int)COUNT_OF(INDENTS)) {
            (void)printf("%s%s:\n", INDENTS[depth], json_key(f));
            print_mapping(f, depth + 1);
        } else {
            print_scalar(INDENTS[depth], json_key(f), json_string(f));
        }
    }
}

static void print_yaml(const struct json *tables)
{
    for (const struct json *t = json_first(tables); t != NULL; t = json_next(t)) {
        AUTO(buf_deinit) struct buf head = {0};
        bool syncable = json_bool(json_get(t, "syncable"), false);
        char rows[32];

        buf_init(&head, LINE_MAX_BYTES);
        rows_text(t, rows);
        buf_addf(&head, "%s.%s", text_of(t, "database"), text_of(t, "table"));
        if (syncable) {
            buf_addf(&head, ": about %s rows, primary key ", rows);
            key_text(t, &head);
            (void)printf("---\n");
        } else {
            buf_addf(&head, " cannot be synced: %s: %s", text_of(t, "reason"),
                     text_of(t, "message"));
        }
        print_line("# ", buf_z(&head));
        (void)printf("\n");
        for (const struct json *n = json_first(json_get(t, "notes")); n != NULL;
             n = json_next(n)) {
            print_line("# note: ", json_string(n));
            (void)printf("\n");
        }
        print_mapping(json_get(t, "tableSync"), 0);
    }
}

int discover_print(const struct json *root, const char *output)
{
    const struct json *tables = json_get(root, "tables");

    if (strcmp(output, "json") == 0) {
        return command_print_json(root);
    }
    if (strcmp(output, "yaml") == 0) {
        print_yaml(tables);
    } else {
        print_table(tables);
    }
    return EXIT_OK;
}
