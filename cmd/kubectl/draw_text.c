#include "cmd/kubectl/draw.h"

#include <stdio.h>
#include <string.h>

#define NUMBER_SIZE 32
#define SECOND_MS 1000
#define MINUTE_S 60
#define HOUR_S 3600
#define HASH_SHOWN 8
#define LABEL_WIDTH 9

static const char *const COLORS[] = {[DRAW_PLAIN] = "",
                                     [DRAW_GOOD] = "\033[32m",
                                     [DRAW_WAITING] = "\033[33m",
                                     [DRAW_BAD] = "\033[31m",
                                     [DRAW_FAINT] = "\033[2m"};

/* Bytes of the control character at `c`, which could move a terminal's cursor or change
 * what stands there already; 0: an honest one. */
static int control(const unsigned char *c)
{
    if (c[0] < 0x20 || c[0] == 0x7f) {
        return 1;
    }
    return c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0 ? 2 : 0;
}

static bool is_space(unsigned char c)
{
    return c == '\n' || c == '\r' || c == '\t';
}

void draw_add(struct draw *d, enum draw_color color, const char *text)
{
    bool painted = d->color && color != DRAW_PLAIN;

    buf_addz(d->out, painted ? COLORS[color] : "");
    for (const unsigned char *c = (const unsigned char *)(text == NULL ? "" : text);
         *c != '\0';) {
        int bad = control(c);

        char shown = (char)*c;

        if (bad > 0) {
            shown = is_space(*c) ? ' ' : '?';
        }
        buf_addc(d->out, shown);
        c += bad > 0 ? bad : 1;
    }
    buf_addz(d->out, painted ? "\033[0m" : "");
}

void draw_number(struct draw *d, int64_t number)
{
    char digits[NUMBER_SIZE];
    size_t n = 0;

    (void)snprintf(digits, sizeof(digits), "%lld", (long long)number);
    n = strlen(digits);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0 && digits[i - 1] != '-') {
            buf_addc(d->out, ',');
        }
        buf_addc(d->out, digits[i]);
    }
}

void draw_duration(struct draw *d, int64_t ms)
{
    int64_t s = ms / SECOND_MS;

    if (ms < SECOND_MS) {
        buf_addf(d->out, "%lld ms", (long long)ms);
    } else if (s < MINUTE_S) {
        buf_addf(d->out, "%lld.%lld s", (long long)s, (long long)(ms % SECOND_MS / 100));
    } else if (s < HOUR_S) {
        buf_addf(d->out, "%lldm%llds", (long long)(s / MINUTE_S),
                 (long long)(s % MINUTE_S));
    } else {
        buf_addf(d->out, "%lldh%lldm", (long long)(s / HOUR_S),
                 (long long)(s % HOUR_S / MINUTE_S));
    }
}

const struct json *draw_condition(const struct json *object, const char *type)
{
    for (const struct json *c = json_first(json_path(object, "status.conditions"));
         c != NULL; c = json_next(c)) {
        if (draw_is(c, "type", type)) {
            return c;
        }
    }
    return NULL;
}

bool draw_is(const struct json *object, const char *key, const char *wanted)
{
    const char *text = json_get_string(object, key);

    return text != NULL && strcmp(text, wanted) == 0;
}

const char *draw_text(const struct json *object, const char *path)
{
    const char *text = json_path_string(object, path);

    return text == NULL ? "" : text;
}

void draw_label(struct draw *d, const char *name)
{
    buf_addf(d->out, "%-*s", LABEL_WIDTH, name);
}

void draw_hash(struct draw *d, const char *hash)
{
    char shown[HASH_SHOWN + 1];
    const char *colon = strchr(hash, ':');

    (void)snprintf(shown, sizeof(shown), "%s", colon == NULL ? hash : colon + 1);
    draw_add(d, DRAW_FAINT, shown);
}
