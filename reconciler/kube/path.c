/*
 * Paths and queries. Every part is percent-encoded, because names come from outside: a
 * name with '/', '?' or '&' must not be able to change the request (RFC 3986 section 2).
 */
#include "base/buf.h"
#include "kube/api.h"

#include <stdarg.h>

#define PATH_BYTES_MAX ((size_t)8 * 1024 * 1024) /* five times the largest object */

static bool is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '.' || c == '_' || c == '~';
}

static void add_encoded(struct buf *out, const char *part)
{
    for (const char *p = part; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        if (is_unreserved(c)) {
            buf_addc(out, *p);
        } else {
            buf_addf(out, "%%%02X", c);
        }
    }
}

/* "." and ".." are unreserved yet clients and proxies fold them away: encode the dots. */
static void add_part(struct buf *out, const char *part)
{
    struct sv text = sv_from(part);

    buf_addc(out, '/');
    if (sv_eq(text, SV("."))) {
        buf_addz(out, "%2E");
    } else if (sv_eq(text, SV(".."))) {
        buf_addz(out, "%2E%2E");
    } else {
        add_encoded(out, part);
    }
}

char *kube_path(struct arena *arena, const struct kube_resource *resource,
                const char *namespace, const char *name, const char *subresource)
{
    AUTO(buf_deinit) struct buf path = {0};

    buf_init(&path, PATH_BYTES_MAX);
    if (resource->group[0] == '\0') {
        buf_addz(&path, "/api");
    } else {
        buf_addz(&path, "/apis");
        add_part(&path, resource->group);
    }
    add_part(&path, resource->version);
    if (namespace != NULL) {
        buf_addz(&path, "/namespaces");
        add_part(&path, namespace);
    }
    add_part(&path, resource->plural);
    if (name != NULL) {
        add_part(&path, name);
        if (subresource != NULL) {
            add_part(&path, subresource);
        }
    }
    must(!buf_overflowed(&path));
    return buf_take(&path, arena);
}

char *kube_path_query(struct arena *arena, const char *path, ...)
{
    AUTO(buf_deinit) struct buf out = {0};
    va_list args;
    char separator = '?';

    buf_init(&out, PATH_BYTES_MAX);
    buf_addz(&out, path);
    va_start(args, path);
    for (const char *key = va_arg(args, const char *); key != NULL;
         key = va_arg(args, const char *)) {
        const char *value = va_arg(args, const char *);
        buf_addc(&out, separator);
        add_encoded(&out, key);
        buf_addc(&out, '=');
        add_encoded(&out, value);
        separator = '&';
    }
    va_end(args);
    must(!buf_overflowed(&out));
    return buf_take(&out, arena);
}
