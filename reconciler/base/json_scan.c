#include "base/json_scan.h"
#include "base/json_cursor.h"

struct json_scan json_scan(struct sv text, unsigned depth_max, size_t nodes_max)
{
    size_t valid = sv_utf8_valid_bytes(text);
    struct json_cursor c;
    struct sv raw = SV_NULL;

    if (valid < text.n) {
        return (struct json_scan){"it is not valid UTF-8", valid};
    }
    json_cursor_init(&c, text, nodes_max);
    (void)(json_cursor_value(&c, depth_max, &raw) && json_cursor_end(&c));
    return (struct json_scan){c.problem, c.at};
}
