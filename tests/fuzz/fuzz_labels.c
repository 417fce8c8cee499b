/*
 * Value lists of ENUM and SET. The input is read twice: as a COLUMN_TYPE that a server
 * might have sent, where nothing may be read beyond its end, and as labels with the byte
 * 0x1f between them, which are written down as MySQL does and must be read back the same.
 */
#include "fuzz.h"

#include "ddl/labels.h"

#include <string.h>

#define INPUT_BYTES_MAX ((size_t)8192)
#define LABELS_MAX ((size_t)512)

static int64_t characters(struct sv text)
{
    int64_t count = 0;

    for (size_t i = 0; i < text.n; i++) {
        count += ((unsigned char)text.p[i] & 0xc0) != 0x80;
    }
    return count;
}

static void check_any(struct sv text, struct arena *arena)
{
    struct labels labels = {SV_NULL};
    struct sv written = SV_NULL;
    const char *last = text.p;
    int64_t longest = 0;
    size_t count = 0;

    bool opened = labels_open(text, &labels);
    while (opened && labels_next(&labels, &written)) {
        fuzz_require(written.p >= last && written.p + written.n <= text.p + text.n,
                     "a label outside the text");
        last = written.p + written.n;
        int64_t length = label_length(written);
        fuzz_require(length >= 0 && length <= (int64_t)written.n, "%lld characters",
                     (long long)length);
        fuzz_require(strlen(label_text(written, arena)) <= written.n, "it grew");
        longest = length > longest ? length : longest;
        fuzz_require(++count <= text.n, "labels without end");
    }
    fuzz_require(!opened || count > 0, "opened without a label");
    fuzz_require(!labels_next(&labels, &written), "more after the end");
    fuzz_require(labels_longest(text) == longest, "%lld instead of %lld",
                 (long long)labels_longest(text), (long long)longest);
}

/* As append_unescaped() of MySQL and MariaDB does; a label cannot hold NUL here. */
static void write_label(struct sv label, struct buf *out)
{
    static const char plain[] = "'\\\n\r";
    static const char *const escape[] = {"''", "\\\\", "\\n", "\\r"};

    buf_addc(out, '\'');
    for (size_t i = 0; i < label.n; i++) {
        const char *at = strchr(plain, label.p[i]);
        if (at == NULL) {
            buf_addc(out, label.p[i]);
        } else {
            buf_addz(out, escape[at - plain]);
        }
    }
    buf_addc(out, '\'');
}

static void check_read_back(struct sv type, const struct sv *wanted, size_t count,
                            struct arena *arena)
{
    struct labels labels = {SV_NULL};
    struct sv written = SV_NULL;
    int64_t longest = 0;

    fuzz_require(labels_open(type, &labels), "%.*s", SV_ARGS(type));
    for (size_t i = 0; i < count; i++) {
        fuzz_require(labels_next(&labels, &written), "%zu labels of %zu: %.*s", i, count,
                     SV_ARGS(type));
        struct sv label = sv_from(label_text(written, arena));
        fuzz_require(sv_eq(label, wanted[i]), "'%.*s' instead of '%.*s' in %.*s",
                     SV_ARGS(label), SV_ARGS(wanted[i]), SV_ARGS(type));
        int64_t length = characters(wanted[i]);
        fuzz_require(label_length(written) == length, "%lld characters instead of %lld",
                     (long long)label_length(written), (long long)length);
        longest = length > longest ? length : longest;
    }
    fuzz_require(!labels_next(&labels, &written), "more than %zu labels: %.*s", count,
                 SV_ARGS(type));
    fuzz_require(labels_longest(type) == longest, "%.*s", SV_ARGS(type));
    fuzz_reached();
}

static void check_list(const char *name, struct sv rest, struct arena *arena)
{
    AUTO(buf_deinit) struct buf type = {0};
    struct sv labels[LABELS_MAX];
    size_t count = 0;

    buf_init(&type, INPUT_BYTES_MAX * 4);
    buf_addz(&type, name);
    do {
        labels[count] = sv_cut(&rest, '\x1f');
        buf_addz(&type, count == 0 ? "(" : ",");
        write_label(labels[count++], &type);
    } while (rest.n > 0 && count < LABELS_MAX);
    buf_addz(&type, ")");
    check_read_back(arena_sv(arena, buf_sv(&type)), labels, count, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    AUTO(arena_freep) struct arena *arena = NULL;

    if (size_bytes > INPUT_BYTES_MAX) {
        return -1;
    }
    arena = arena_new(ARENA_CEILING_BYTES);
    struct sv text = {(const char *)data, size_bytes};
    check_any(text, arena);
    struct sv labels = sv_from(fuzz_text(arena, text));
    check_list("enum", labels, arena);
    check_list("set", labels, arena);
    return 0;
}
