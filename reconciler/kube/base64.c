#include "kube/base64.h"

#include <string.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool base64_parse(struct sv text, struct buf *out)
{
    uint32_t bits = 0;
    unsigned count = 0; /* characters of the current group of four */
    unsigned padding = 0;

    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (is_space(c)) {
            continue;
        }
        if (c == '=') {
            padding++;
            continue;
        }
        const char *at = c == '\0' ? NULL : strchr(alphabet, c);
        if (at == NULL || padding > 0) {
            return false;
        }
        bits = (bits << 6) | (uint32_t)(at - alphabet);
        if (++count == 4) {
            buf_addc(out, (char)(bits >> 16 & 0xff));
            buf_addc(out, (char)(bits >> 8 & 0xff));
            buf_addc(out, (char)(bits & 0xff));
            bits = 0;
            count = 0;
        }
    }
    if (count == 1 || padding > 2 || (padding > 0 && count + padding != 4)) {
        return false;
    }
    if (count >= 2) {
        bits <<= 6 * (4 - count);
        buf_addc(out, (char)(bits >> 16 & 0xff));
    }
    if (count == 3) {
        buf_addc(out, (char)(bits >> 8 & 0xff));
    }
    return !buf_overflowed(out);
}

void base64_format(struct sv bytes, struct buf *out)
{
    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t left = bytes.n - i;
        uint32_t bits = (uint32_t)(unsigned char)bytes.p[i] << 16;
        if (left > 1) {
            bits |= (uint32_t)(unsigned char)bytes.p[i + 1] << 8;
        }
        if (left > 2) {
            bits |= (uint32_t)(unsigned char)bytes.p[i + 2];
        }
        buf_addc(out, alphabet[bits >> 18 & 63]);
        buf_addc(out, alphabet[bits >> 12 & 63]);
        buf_addc(out, (char)(left > 1 ? alphabet[bits >> 6 & 63] : '='));
        buf_addc(out, (char)(left > 2 ? alphabet[bits & 63] : '='));
    }
}
