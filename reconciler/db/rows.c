#include "db/rows.h"

#include "base/secret.h"
#include "db/db.h"

#include <string.h>

void rows_init(struct rows *rows, struct arena *arena)
{
    *rows = (struct rows){.arena = arena};
}

bool rows_add_column(struct rows *rows, struct sv heading, struct fault *fault)
{
    if (rows->columns.n == ROWS_COLUMNS_MAX) {
        return fault_set(fault, FAULT_REFUSED, "AnswerTooLarge",
                         "the answer has more than %d columns: not what was asked for",
                         ROWS_COLUMNS_MAX);
    }
    VEC_PUSH(rows->arena, &rows->columns, arena_copy(rows->arena, heading));
    return true;
}

static const char *as_hex(struct arena *arena, struct sv value)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = arena_alloc(arena, 2 + value.n * 2 + 1);
    char *p = out;

    *p++ = '0';
    *p++ = 'x';
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        *p++ = digits[c >> 4];
        *p++ = digits[c & 15];
    }
    return out;
}

/* What a cell and a row cost beside their bytes: pointers and the arena's alignment. */
#define CELL_BYTES 24
#define ROW_BYTES 48

static bool charge(struct rows *rows, size_t bytes, struct fault *fault)
{
    rows->bytes += bytes;
    if (rows->bytes > ROWS_BYTES_MAX) {
        return fault_set(
            fault, FAULT_REFUSED, "AnswerTooLarge",
            "the answer takes more than %zu bytes; give TableSync a database "
            "of its own, with fewer objects",
            ROWS_BYTES_MAX);
    }
    return true;
}

static bool push(struct rows *rows, const char *cell, struct fault *fault)
{
    size_t width = rows->columns.n;

    if (width == 0) {
        return fault_set(fault, FAULT_BUG, NULL, "a row came before its headings");
    }
    if (rows->data.n == 0 || rows->filled == width) {
        if (rows->data.n >= DB_ROWS_MAX) {
            return fault_set(
                fault, FAULT_REFUSED, "AnswerTooLarge",
                "the answer has more than %d rows; give TableSync a database "
                "of its own, with fewer objects",
                DB_ROWS_MAX);
        }
        if (!charge(rows, ROW_BYTES, fault)) {
            return false;
        }
        VEC_PUSH(rows->arena, &rows->data,
                 arena_alloc_array(rows->arena, width, sizeof(const char *)));
        rows->filled = 0;
    }
    rows->data.v[rows->data.n - 1][rows->filled++] = cell;
    return true;
}

bool rows_add(struct rows *rows, struct sv value, struct fault *fault)
{
    if (value.n > DB_VALUE_MAX) {
        return fault_set(fault, FAULT_REFUSED, "AnswerTooLarge",
                         "one value of the answer has %zu bytes; at most %zu are read",
                         value.n, DB_VALUE_MAX);
    }
    bool text =
        (value.n == 0 || memchr(value.p, '\0', value.n) == NULL) && sv_is_utf8(value);
    if (!charge(rows, CELL_BYTES + value.n * (text ? 1 : 2), fault)) {
        return false;
    }
    return push(rows, text ? arena_copy(rows->arena, value) : as_hex(rows->arena, value),
                fault);
}

bool rows_add_null(struct rows *rows, struct fault *fault)
{
    return charge(rows, CELL_BYTES, fault) && push(rows, NULL, fault);
}

void rows_wipe(struct rows *rows)
{
    for (size_t i = 0; i < rows->data.n; i++) {
        for (size_t c = 0; c < rows->columns.n; c++) {
            /* The copies are ours; only their readers may not write. */
            char *cell = (char *)(uintptr_t)rows->data.v[i][c];
            if (cell != NULL) {
                secret_wipe(cell, strlen(cell));
            }
        }
    }
}

size_t rows_count(const struct rows *rows)
{
    bool whole = rows->filled == rows->columns.n;

    return rows->data.n == 0 ? 0 : rows->data.n - (whole ? 0 : 1);
}

static size_t find_column(const struct rows *rows, const char *heading)
{
    struct sv wanted = sv_from(heading);

    for (size_t i = 0; i < rows->columns.n; i++) {
        if (sv_eq_nocase(sv_from(rows->columns.v[i]), wanted)) {
            return i;
        }
    }
    return SIZE_MAX;
}

bool rows_has(const struct rows *rows, const char *heading)
{
    return find_column(rows, heading) != SIZE_MAX;
}

const char *rows_get(const struct rows *rows, size_t row, const char *heading)
{
    size_t column = find_column(rows, heading);

    if (column == SIZE_MAX || row >= rows_count(rows)) {
        return NULL;
    }
    return rows->data.v[row][column];
}

const char *rows_text(const struct rows *rows, size_t row, const char *heading)
{
    const char *text = rows_get(rows, row, heading);

    return text == NULL ? "" : text;
}

int64_t rows_int(const struct rows *rows, size_t row, const char *heading,
                 int64_t otherwise)
{
    int64_t value = otherwise;

    (void)sv_int64(sv_from(rows_get(rows, row, heading)), &value);
    return value;
}

bool rows_bool(const struct rows *rows, size_t row, const char *heading)
{
    static const char *const yes[] = {"t", "true", "1", "yes", "on"};
    struct sv text = sv_from(rows_get(rows, row, heading));

    for (size_t i = 0; i < COUNT_OF(yes); i++) {
        if (sv_eq_nocase(text, sv_from(yes[i]))) {
            return true;
        }
    }
    return false;
}
