/* The debug listener: for whoever is on this machine, and for nobody's browser. */
#include "loop/http_private.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>

#define STATE_BYTES_MAX ((size_t)8 * 1024 * 1024)

/* Everything before the last colon, without brackets of an IPv6 address. */
static struct sv host_of(const char *address)
{
    struct sv text = sv_from(address);
    const char *colon = strrchr(address, ':');
    const char *bracket = strrchr(address, ']');

    if (colon != NULL && (bracket == NULL || colon > bracket)) {
        text.n = (size_t)(colon - address);
    }
    if (text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']') {
        text = sv_sub(text, 1, text.n - 2);
    }
    return text;
}

bool http_is_loopback(const char *address)
{
    struct sv host = host_of(address);
    struct in_addr in = {0};
    char text[64];

    (void)snprintf(text, sizeof(text), "%.*s", SV_ARGS(host));
    return sv_eq(host, SV("localhost")) ||
           (host.n < sizeof(text) && inet_pton(AF_INET, text, &in) == 1 &&
            (ntohl(in.s_addr) >> 24) == 127);
}

bool http_host_is_local(const char *host)
{
    struct sv name = host == NULL ? SV_NULL : host_of(host);

    return sv_eq(name, SV("localhost")) || sv_eq(name, SV("127.0.0.1")) ||
           sv_eq(name, SV("::1"));
}

static int answer_text(struct MHD_Connection *connection, unsigned status, struct sv text)
{
    return http_answer(connection, status, NULL, text);
}

static int put_level(struct http *http, struct MHD_Connection *connection,
                     const struct http_body *body)
{
    const char *argument = http_argument(connection, "level");
    struct sv given = sv_trim((struct sv){body->text, body->n});
    char word[HTTP_BODY_MAX + 1];
    enum lg_level level = LG_INFO;

    if (argument != NULL) {
        given = sv_from(argument);
    }
    (void)snprintf(word, sizeof(word), "%.*s", SV_ARGS(given));
    if (body->too_long || !lg_level_parse(word, &level)) {
        return answer_text(connection, MHD_HTTP_BAD_REQUEST,
                           SV("send debug, info or error, as the body or as ?level=\n"));
    }
    if (http->listen.lg != NULL && level != lg_get_level(http->listen.lg)) {
        lg_set_level(http->listen.lg, level);
        lg_info(http->listen.lg, "log level changed", LG_STR("to", lg_level_name(level)));
    }
    return http_answer(connection, MHD_HTTP_OK, NULL, sv_from(lg_level_name(level)));
}

static int answer_state(const struct http *http, struct MHD_Connection *connection)
{
    AUTO(buf_deinit) struct buf text = {0};

    buf_init(&text, STATE_BYTES_MAX);
    http->answers.state(http->answers.context, &text);
    return buf_overflowed(&text)
               ? answer_text(connection, MHD_HTTP_INTERNAL_SERVER_ERROR,
                             SV("the state is too large\n"))
               : http_answer(connection, MHD_HTTP_OK, "application/json", buf_sv(&text));
}

int http_debug(struct http *http, struct MHD_Connection *connection, struct sv path,
               bool put, const struct http_body *body)
{
    const char *host =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
    bool is_level = sv_eq(path, SV("/debug/log-level"));
    int result = MHD_NO;

    if (!http_host_is_local(host)) {
        return answer_text(connection, MHD_HTTP_FORBIDDEN,
                           SV("only asked as localhost, 127.0.0.1 or [::1]\n"));
    }
    if (is_level && put) {
        return put_level(http, connection, body);
    }
    if (put) {
        return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
                           SV("only /debug/log-level takes a PUT\n"));
    }
    if (is_level) {
        return answer_text(connection, MHD_HTTP_OK,
                           sv_from(lg_level_name(lg_get_level(http->listen.lg))));
    }
    if (sv_eq(path, SV("/debug/state"))) {
        return answer_state(http, connection);
    }
    if (http_audit(http, connection, path, &result)) {
        return result;
    }
    return answer_text(connection, MHD_HTTP_NOT_FOUND,
                       SV("/debug/state, /debug/log-level, /audit/runs and /audit/logs "
                          "are served here\n"));
}
