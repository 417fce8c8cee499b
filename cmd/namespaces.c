#include "cmd/namespaces.h"

#include "kube/reflector.h"

#include <string.h>

#define LABEL_MAX 63

static bool is_label(struct sv name)
{
    for (size_t i = 0; i < name.n; i++) {
        bool plain = (name.p[i] >= 'a' && name.p[i] <= 'z') ||
                     (name.p[i] >= '0' && name.p[i] <= '9');
        bool inner = i > 0 && i + 1 < name.n;

        if (!plain && !(inner && name.p[i] == '-')) {
            return false;
        }
    }
    return name.n > 0 && name.n <= LABEL_MAX;
}

static bool add(struct sv name, struct arena *arena, struct strlist *list,
                struct fault *fault)
{
    if (!is_label(name)) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "--watch-namespace has '%.*s', which is no name of a namespace; "
                         "it must be a list like a,b",
                         SV_ARGS(name));
    }
    for (size_t i = 0; i < list->n; i++) {
        if (sv_eq(name, sv_from(list->v[i]))) {
            return fault_set(fault, FAULT_SPEC, NULL, "--watch-namespace has '%s' twice",
                             list->v[i]);
        }
    }
    if (list->n == KUBE_NAMESPACES_MAX) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "--watch-namespace has more than %d namespaces; leave it empty "
                         "to watch all",
                         KUBE_NAMESPACES_MAX);
    }
    VEC_PUSH(arena, list, arena_copy(arena, name));
    return true;
}

bool namespaces_parse(const char *text, struct arena *arena,
                      struct strlist *out_namespaces, struct fault *fault)
{
    struct sv rest = sv_from(text == NULL ? "" : text);
    struct strlist list = {0};
    bool more = rest.n > 0;

    while (more) {
        more = sv_find(rest, SV(",")) != SIZE_MAX;
        if (!add(sv_trim(sv_cut(&rest, ',')), arena, &list, fault)) {
            return false;
        }
    }
    *out_namespaces = list;
    return true;
}
