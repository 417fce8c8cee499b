/*
 * What comes out of a watch or a list, cut anywhere. The first line says how ("watch" or
 * "list"), how many bytes come at a time and how large a line or an item may be; the rest
 * is the stream. However it is cut, the same must come of it.
 */
#include "fuzz.h"

#include "base/json.h"
#include "kube/page.h"
#include "kube/watch.h"

#define INPUT_BYTES_MAX ((size_t)8192)
#define OUTPUT_BYTES_MAX ((size_t)4 * 1024 * 1024)

struct reader {
    struct buf seen; /* what came of it, in words */
    size_t ceiling_bytes;
};

static void check_slim(const struct slim *slim)
{
    AUTO(json_freep) struct json *tree = NULL;
    struct fault fault = FAULT_INIT;

    fuzz_reached();
    fuzz_require(json_parse(slim->text, slim->text.n, &tree, &fault), "%s: %.*s",
                 fault.text, SV_ARGS(slim->text));
    fuzz_require(json_kind(tree) == JSON_OBJECT, "%.*s", SV_ARGS(slim->text));
    fuzz_require(json_path(tree, "metadata.managedFields") == NULL, "%.*s",
                 SV_ARGS(slim->text));
}

static void read_one(struct reader *reader, struct sv raw, bool watch)
{
    static const struct slim_rules rules = {.annotations = "tablesync.dev/"};
    AUTO(buf_deinit) struct buf text = {0};
    struct watch_event event = {0};
    struct fault fault = FAULT_INIT;
    bool good = false;

    if (raw.p == NULL) {
        buf_addf(&reader->seen, "%zu too large\n", raw.n);
        fuzz_require(raw.n > reader->ceiling_bytes, "%zu", raw.n);
        return;
    }
    buf_init(&text, INPUT_BYTES_MAX + SLIM_ROOM);
    good = watch ? watch_event_parse(raw, &rules, &text, &event, &fault)
                 : slim_parse(raw, &rules, &text, &event.object, &fault);
    if (!good) {
        fuzz_require(fault.class == FAULT_UNAVAILABLE && fault.text[0] != '\0' &&
                         fuzz_is_utf8(sv_from(fault.text)),
                     "%d: %s", (int)fault.class, fault.text);
        buf_addf(&reader->seen, "bad: %s\n", fault.text);
        return;
    }
    if (!watch || event.kind < WATCH_ERROR) {
        check_slim(&event.object);
    }
    buf_addf(&reader->seen, "%d %.*s\n", (int)event.kind, SV_ARGS(event.object.text));
}

static bool on_line(void *context, struct sv line, UNUSED struct fault *fault)
{
    read_one(context, line, true);
    return true;
}

static bool on_item(void *context, struct sv item, UNUSED struct fault *fault)
{
    read_one(context, item, false);
    return true;
}

static void feed_watch(struct reader *reader, struct sv stream, size_t step)
{
    struct watch_frame frame;
    struct fault fault = FAULT_INIT;

    watch_frame_init(&frame, reader->ceiling_bytes);
    for (size_t at = 0; at < stream.n; at += step) {
        fuzz_require(
            watch_frame_feed(&frame, sv_sub(stream, at, step), on_line, reader, &fault),
            "%s", fault.text);
    }
    watch_frame_deinit(&frame);
}

static void feed_list(struct reader *reader, struct sv stream, size_t step)
{
    AUTO(json_freep) struct json *rest = NULL;
    struct page page;
    struct fault fault = FAULT_INIT;
    bool good = true;

    page_init(&page, reader->ceiling_bytes, on_item, reader);
    for (size_t at = 0; good && at < stream.n; at += step) {
        good = page_feed(&page, sv_sub(stream, at, step), &fault);
    }
    good = good && page_finish(&page, &rest, &fault);
    if (good) {
        json_print(rest, &reader->seen);
    } else {
        fuzz_require(fault.class == FAULT_UNAVAILABLE && fault.text[0] != '\0', "%d: %s",
                     (int)fault.class, fault.text);
        buf_addz(&reader->seen, "not a list");
    }
    page_deinit(&page);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    struct reader whole = {0}, cut = {0};
    struct sv rest = {(const char *)data, size_bytes}, line;

    if (size_bytes > INPUT_BYTES_MAX) {
        return -1;
    }
    line = fuzz_line(&rest);
    bool watch = sv_eq(sv_cut(&line, ' '), SV("watch"));
    int64_t step = fuzz_number(&line, 1), ceiling = fuzz_number(&line, 4096);
    if (step < 1 || step > 8192 || ceiling < 16 || ceiling > 8192) {
        return -1;
    }
    whole.ceiling_bytes = cut.ceiling_bytes = (size_t)ceiling;
    buf_init(&whole.seen, OUTPUT_BYTES_MAX);
    buf_init(&cut.seen, OUTPUT_BYTES_MAX);
    if (watch) {
        feed_watch(&whole, rest, rest.n + 1);
        feed_watch(&cut, rest, (size_t)step);
    } else {
        feed_list(&whole, rest, rest.n + 1);
        feed_list(&cut, rest, (size_t)step);
    }
    fuzz_require(sv_eq(buf_sv(&whole.seen), buf_sv(&cut.seen)), "%s\ninstead of\n%s",
                 buf_z(&cut.seen), buf_z(&whole.seen));
    buf_deinit(&whole.seen);
    buf_deinit(&cut.seen);
    return 0;
}
