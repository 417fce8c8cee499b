/* `tablesync types`: the type table, also as the README has it. */
#include "ddl/types.h"
#include "base/json.h"
#include "cmd/cmd.h"

#include <stdio.h>
#include <string.h>

#define TYPES_BYTES_MAX ((size_t)1024 * 1024)

#define CELLS 6

static void cells_of(const struct type_row *row, const char *cells[CELLS])
{
    cells[0] = row->mysql;
    cells[1] = row->rw;
    cells[2] = row->expr;
    cells[3] = row->starrocks;
    cells[4] = row->as_key;
    cells[5] = row->note;
}

/* As wide as the longest cell of each column; the note ends the line. */
static void print_table(const struct type_row *rows, size_t count)
{
    const struct type_row head = {"MYSQL",     "RISINGWAVE", "SINK",
                                  "STARROCKS", "AS KEY",     "NOTE"};
    const char *cells[CELLS];
    int widths[CELLS] = {0};

    for (size_t i = 0; i <= count; i++) {
        cells_of(i == 0 ? &head : &rows[i - 1], cells);
        for (size_t c = 0; c < CELLS - 1; c++) {
            int width = (int)strlen(cells[c]);
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    for (size_t i = 0; i <= count; i++) {
        cells_of(i == 0 ? &head : &rows[i - 1], cells);
        for (size_t c = 0; c < CELLS; c++) {
            (void)printf("%-*s%s", widths[c], cells[c], c < CELLS - 1 ? "  " : "\n");
        }
    }
}

static void print_markdown(const struct type_row *rows, size_t count)
{
    (void)printf("| MySQL | RisingWave | in the sink | StarRocks | as key | note |\n"
                 "|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++) {
        (void)printf("| %s | %s | %s | %s | %s | %s |\n", rows[i].mysql, rows[i].rw,
                     rows[i].expr, rows[i].starrocks, rows[i].as_key, rows[i].note);
    }
}

static void print_json(const struct type_row *rows, size_t count)
{
    AUTO(json_freep) struct json *list = json_new_array();
    AUTO(buf_deinit) struct buf text = {0};

    buf_init(&text, TYPES_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        struct json *row = json_push_object(list);

        json_set_string(row, "mysql", rows[i].mysql);
        json_set_string(row, "risingWave", rows[i].rw);
        json_set_string(row, "sink", rows[i].expr);
        json_set_string(row, "starRocks", rows[i].starrocks);
        json_set_string(row, "asKey", rows[i].as_key);
        json_set_string(row, "note", rows[i].note);
    }
    json_print_pretty(list, &text);
    (void)printf("%s\n", buf_z(&text));
}

int command_types(const struct options *options)
{
    const char *format = options->values[OPTION_OUTPUT];
    struct fault fault = FAULT_INIT;
    size_t count = 0;
    const struct type_row *rows = types_rows(&count);

    if (strcmp(format, "table") == 0) {
        print_table(rows, count);
    } else if (strcmp(format, "markdown") == 0) {
        print_markdown(rows, count);
    } else if (strcmp(format, "json") == 0) {
        print_json(rows, count);
    } else {
        (void)fault_set(&fault, FAULT_SPEC, NULL,
                        "--output is '%s'; types prints table, markdown or json", format);
        return command_failed(&fault);
    }
    return EXIT_OK;
}
