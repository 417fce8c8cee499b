#include "unit/model/model_test.h"

#include <regex.h>

static const char *const corpus[] = {
    "",
    "a",
    "A",
    "_",
    "_1",
    "__",
    "-",
    "a-",
    "-a",
    "a.",
    ".",
    "a..b",
    "a.-b",
    "a-.b",
    "1",
    "1.2.3.4",
    "x_y.z",
    "UPPER.example",
    "db.example.com.",
    "a b",
    " a",
    "a ",
    "a`b",
    "a'b",
    "a\"b",
    "a\\b",
    "a\nb",
    "a\x7f",
    "a\tb ",
    "订单",
    "a:1",
    "::1",
    "http://a",
    "a/b",
    "5400-6400",
    "0-1",
    "1-0",
    "1-",
    "-1",
    "12345678901-2",
    "1-2-3",
    "5s",
    "250ms",
    "1h30m",
    "1.5h",
    "1.5555s",
    "100000s",
    "1s1s1s1s",
    "1s1s1s1s1s",
    "5sm",
    "5 s",
    "replication_num",
    "dynamic_partition.enable",
    "a$b",
    "0 3 * * *",
    "*/5 1-2 * JAN 1,2",
    "0 3 * *",
    "0 3 * * * *",
    "0  3 * * *",
    " 0 3 * * *",
    "0 3 * * ?",
    "@ a b c d",
    "a~!@#$%^&<>=+",
    "*",
    "a,b",
    "a<b",
    "2026-01-02.1",
    "tls.crt",
};

static bool regex_says(const regex_t *regex, const char *text)
{
    return regexec(regex, text, 0, NULL, 0) == 0;
}

void test_pattern(const char *path, bool (*pattern)(struct sv), const char *expression)
{
    static const char alphabet[] = "aaZ019__--..'\"`\\ :/smh$~=,<!*\n\x7f\xc3\xa9";
    regex_t regex;
    uint32_t random = 12345;
    assert_int_equal(regcomp(&regex, expression, REG_EXTENDED | REG_NOSUB), 0);
    for (size_t i = 0; i < COUNT_OF(corpus) + 20000; i++) {
        char drawn[16];
        size_t length = i % 12;
        for (size_t k = 0; k < length; k++) {
            random = random * 1664525 + 1013904223;
            drawn[k] = alphabet[(random >> 16) % (sizeof(alphabet) - 1)];
        }
        drawn[length] = '\0';
        const char *text = i < COUNT_OF(corpus) ? corpus[i] : drawn;
        if (pattern(sv_from(text)) != regex_says(&regex, text)) {
            fail_msg("spec.%s: the CRD and the decoder disagree about '%s'", path, text);
        }
    }
    regfree(&regex);
}
