#include "base/log.h"
#include "base/attr.h"
#include "base/json.h"
#include "base/log_limit.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Escaping makes six bytes of one at worst; a line of dozens of full values still fits.
 */
#define LINE_MAX_BYTES ((size_t)1024 * 1024)

struct lg {
    int fd;
    atomic_int level;
    const struct clock *clock;
    /* Keeps lines whole when the descriptor takes them in pieces, and the limit. */
    pthread_mutex_t lock;
    struct log_limit limit;
    _Atomic int64_t lines[LG_LEVEL_MAX], suppressed;
};

static const char *const level_names[LG_LEVEL_MAX] = {
    [LG_DEBUG] = "debug", [LG_INFO] = "info", [LG_ERROR] = "error"};

struct lg *lg_new(int fd, enum lg_level level, const struct clock *clock)
{
    struct lg *lg = calloc(1, sizeof(*lg));

    must(lg != NULL);
    lg->fd = fd;
    lg->clock = clock == NULL ? clock_system() : clock;
    atomic_init(&lg->level, (int)level);
    must(pthread_mutex_init(&lg->lock, NULL) == 0);
    return lg;
}

void lg_set_level(struct lg *lg, enum lg_level level)
{
    atomic_store(&lg->level, (int)level);
}

enum lg_level lg_get_level(const struct lg *lg)
{
    return lg == NULL ? LG_LEVEL_MAX : (enum lg_level)atomic_load(&lg->level);
}

void lg_toggle_debug(struct lg *lg)
{
    atomic_store(&lg->level, atomic_load(&lg->level) == LG_DEBUG ? LG_INFO : LG_DEBUG);
}

struct lg_numbers lg_numbers(const struct lg *lg)
{
    struct lg_numbers numbers = {0};

    for (int level = LG_DEBUG; lg != NULL && level < LG_LEVEL_MAX; level++) {
        numbers.lines[level] = lg->lines[level];
    }
    numbers.suppressed = lg == NULL ? 0 : lg->suppressed;
    return numbers;
}

bool lg_enabled(const struct lg *lg, enum lg_level level)
{
    return lg != NULL && (int)level >= atomic_load(&lg->level);
}

bool lg_level_parse(const char *text, enum lg_level *out_level)
{
    for (int level = LG_DEBUG; level < LG_LEVEL_MAX; level++) {
        if (sv_eq(sv_from(text), sv_from(level_names[level]))) {
            *out_level = (enum lg_level)level;
            return true;
        }
    }
    return false;
}

const char *lg_level_name(enum lg_level level)
{
    return level > 0 && level < LG_LEVEL_MAX ? level_names[level] : "none";
}

static void add_text(struct buf *line, const char *key, const char *text)
{
    char cut[LG_VALUE_MAX + 1];
    struct sv value = sv_from(text);

    if (value.n > LG_VALUE_MAX) {
        size_t n = sv_utf8_prefix(value, LG_VALUE_MAX - 3).n;
        memcpy(cut, value.p, n);
        memcpy(cut + n, "...", sizeof("..."));
        value = (struct sv){cut, n + 3};
    }
    buf_addc(line, ',');
    json_quote(sv_from(key), line);
    buf_addc(line, ':');
    json_quote(value, line);
}

static void format_line(const struct lg *lg, enum lg_level level, const char *logger,
                        const char *msg, struct buf *line)
{
    char stamp[CLOCK_RFC3339_SIZE];

    buf_addf(line, "{\"level\":\"%s\",\"ts\":\"%s\"", level_names[level],
             clock_format_micro(clock_wall_ms(lg->clock), stamp));
    add_text(line, "logger", logger);
    add_text(line, "msg", msg);
}

static void write_whole(struct lg *lg, struct sv line)
{
    (void)pthread_mutex_lock(&lg->lock);
    while (line.n > 0) {
        ssize_t n = write(lg->fd, line.p, line.n);
        if (n < 0 && errno != EINTR) {
            break; /* a log that cannot be written has nobody to tell */
        }
        line = sv_sub(line, n < 0 ? 0 : (size_t)n, line.n);
    }
    (void)pthread_mutex_unlock(&lg->lock);
}

/* One line, whatever the level and the limit say. */
static void write_line(struct lg *lg, enum lg_level level, const char *logger,
                       const char *msg, const struct lg_field *fields, size_t count)
{
    AUTO(buf_deinit) struct buf line = {0};

    buf_init(&line, LINE_MAX_BYTES);
    format_line(lg, level, logger, msg, &line);
    for (size_t i = 0; i < count; i++) {
        if (fields[i].expand != NULL) {
            fields[i].expand(&line, fields[i].text);
        } else if (fields[i].text != NULL) {
            add_text(&line, fields[i].key, fields[i].text);
        } else {
            buf_addc(&line, ',');
            json_quote(sv_from(fields[i].key), &line);
            buf_addf(&line, ":%lld", (long long)fields[i].number);
        }
    }
    buf_addz(&line, "}\n");
    if (buf_overflowed(&line)) {
        buf_clear(&line);
        format_line(lg, level, logger, msg, &line);
        buf_addz(&line, ",\"cut\":true}\n");
    }
    lg->lines[level]++;
    write_whole(lg, buf_sv(&line));
}

static void tell(struct lg *lg, const struct log_limit_row *row)
{
    const struct lg_field fields[] = {LG_STR("suppressed", row->msg),
                                      LG_STR("group", row->group),
                                      LG_INT("lines", row->suppressed)};

    write_line(lg, LG_ERROR, "tablesync", "lines like these were left out", fields,
               COUNT_OF(fields));
}

static void tell_suppressed(struct lg *lg, bool all)
{
    struct log_limit_row row = {0};
    bool found = true;

    while (found) {
        (void)pthread_mutex_lock(&lg->lock);
        found = log_limit_take(&lg->limit, clock_monotonic_ms(lg->clock), all, &row);
        (void)pthread_mutex_unlock(&lg->lock);
        if (found) {
            tell(lg, &row);
        }
    }
}

void lg_flush(struct lg *lg)
{
    if (lg != NULL) {
        tell_suppressed(lg, false);
    }
}

static bool may_write(struct lg *lg, const char *msg, const struct lg_field *fields,
                      size_t count)
{
    struct log_limit_row ended = {0};
    bool pass = false;

    (void)pthread_mutex_lock(&lg->lock);
    pass = log_limit_pass(&lg->limit, msg, fields, count, clock_monotonic_ms(lg->clock),
                          &ended);
    (void)pthread_mutex_unlock(&lg->lock);
    if (ended.suppressed > 0) {
        tell(lg, &ended);
    }
    lg->suppressed += !pass;
    return pass;
}

void lg_write(struct lg *lg, enum lg_level level, const char *logger, const char *msg,
              const struct lg_field *fields, size_t count)
{
    int saved = errno;

    must(level > 0 && level < LG_LEVEL_MAX);
    if (!lg_enabled(lg, level)) {
        return;
    }
    tell_suppressed(lg, false);
    if (level != LG_ERROR || may_write(lg, msg, fields, count)) {
        write_line(lg, level, logger, msg, fields, count);
    }
    errno = saved;
}

void lg_free(struct lg *lg)
{
    if (lg != NULL) {
        tell_suppressed(lg, true);
        (void)pthread_mutex_destroy(&lg->lock);
        free(lg);
    }
}
