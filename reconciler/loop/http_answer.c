#include "loop/http_private.h"

#include <microhttpd.h>

int http_answer(struct MHD_Connection *connection, unsigned status, const char *type,
                struct sv body)
{
    /* MHD copies the bytes and does not change them, whatever its signature says. */
    union {
        const char *in;
        char *out;
    } bytes = {.in = body.p == NULL ? "" : body.p};
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.n, bytes.out, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result = MHD_NO;

    if (response == NULL) {
        return MHD_NO;
    }
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                  type == NULL ? "text/plain; charset=utf-8" : type);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    (void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (status == MHD_HTTP_UNAUTHORIZED) {
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                                      "Bearer");
    }
    result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return (int)result;
}

static enum MHD_Result find_argument(void *context, enum MHD_ValueKind kind,
                                     const char *key, const char *value)
{
    struct {
        const char *name, *value;
    } *wanted = context;

    (void)kind;
    if (strcmp(key, wanted->name) == 0) {
        wanted->value = value == NULL ? "" : value;
        return MHD_NO;
    }
    return MHD_YES;
}

const char *http_argument(struct MHD_Connection *connection, const char *name)
{
    struct {
        const char *name, *value;
    } wanted = {name, NULL};

    (void)MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, find_argument,
                                    &wanted);
    return wanted.value;
}
