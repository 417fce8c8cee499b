#include "cmd/forward.h"

#include "base/arena.h"

#include <string.h>

#define OPEN_MS 20000
#define COMPLAINT_MS 500
#define WORDS_MAX 16
#define WORDS_BYTES_MAX ((size_t)64 * 1024)

size_t forward_kubectl(const struct options *options, const char **out_words)
{
    size_t n = 0;

    out_words[n++] = "kubectl";
    if (options->values[OPTION_KUBECONFIG] != NULL) {
        out_words[n++] = "--kubeconfig";
        out_words[n++] = options->values[OPTION_KUBECONFIG];
    }
    if (options->values[OPTION_CONTEXT] != NULL) {
        out_words[n++] = "--context";
        out_words[n++] = options->values[OPTION_CONTEXT];
    }
    return n;
}

/* "Forwarding from 127.0.0.1:40001 -> 6060": the local port of that remote one. */
static int local_port(struct sv text, int remote)
{
    while (text.n > 0) {
        struct sv line = sv_cut(&text, '\n');
        struct sv prefix = SV("Forwarding from 127.0.0.1:");
        size_t arrow = sv_find(line, SV(" -> "));
        int64_t from = 0, to = 0;

        if (sv_starts(line, prefix) && arrow != SIZE_MAX &&
            sv_int64(sv_sub(line, prefix.n, arrow - prefix.n), &from) &&
            sv_int64(sv_trim(sv_sub(line, arrow + 4, line.n)), &to) && to == remote &&
            from > 0 && from < 65536) {
            return (int)from;
        }
    }
    return 0;
}

static bool all_there(struct forward *f, const int *remote_ports, size_t count)
{
    bool all = true;

    for (size_t i = 0; i < count; i++) {
        f->ports[i] = local_port(buf_sv(&f->child.texts[0]), remote_ports[i]);
        all = all && f->ports[i] != 0;
    }
    return all;
}

static bool fault_ended(const struct forward *f, const char *namespace, const char *pod,
                        struct fault *fault)
{
    struct sv said = sv_trim(buf_sv(&f->child.texts[1]));

    if (sv_contains(said, SV(" is forbidden: "))) { /* the API server's own words */
        return fault_set(fault, FAULT_DENIED, NULL,
                         "you may not forward ports of Pod %s/%s: ask for the right to "
                         "create pods/portforward in namespace %s, or name a copy of the "
                         "audit log with --audit-db; the API server said: %.*s",
                         namespace, pod, namespace, SV_ARGS(said));
    }
    return fault_set(fault, FAULT_UNAVAILABLE, NULL,
                     "kubectl could not forward a port of Pod %s/%s: %.*s", namespace,
                     pod, SV_ARGS(said));
}

static bool wait_open(struct forward *f, const char *namespace, const char *pod,
                      const int *remote_ports, size_t count, struct cancel *cancel,
                      struct fault *fault)
{
    while (!all_there(f, remote_ports, count)) {
        if (child_silent(&f->child)) {
            return fault_ended(f, namespace, pod, fault);
        }
        if (!child_read(&f->child, cancel, fault)) {
            return fault_wrap(fault, "kubectl port-forward to Pod %s/%s", namespace, pod);
        }
    }
    return true;
}

bool forward_open(const struct options *options, const char *namespace, const char *pod,
                  const int *remote_ports, size_t count, struct cancel *cancel,
                  struct forward *out_forward, struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(WORDS_BYTES_MAX);
    struct forward f = {0};
    const char *words[WORDS_MAX];
    size_t n = forward_kubectl(options, words);
    struct cancel until;
    bool good = false;

    must(count <= FORWARD_PORTS_MAX);
    words[n++] = "port-forward";
    words[n++] = "--namespace";
    words[n++] = namespace;
    words[n++] = "--address=127.0.0.1";
    words[n++] = arena_printf(arena, "pod/%s", pod);
    for (size_t i = 0; i < count; i++) {
        words[n++] = arena_printf(arena, ":%d", remote_ports[i]);
    }
    words[n] = NULL;
    if (!child_start(words, &f.child, fault)) {
        return fault_wrap(fault, "the running controller is reached through kubectl");
    }
    cancel_init_child(&until, cancel, OPEN_MS);
    good = wait_open(&f, namespace, pod, remote_ports, count, &until, fault);
    cancel_deinit(&until);
    if (!good) {
        forward_close(&f);
        return false;
    }
    *out_forward = f;
    return true;
}

const char *forward_complaint(struct forward *forward, struct cancel *cancel)
{
    struct cancel until;
    struct fault ignored = FAULT_INIT;

    cancel_init_child(&until, cancel, COMPLAINT_MS);
    while (forward->child.texts[1].n == 0 && !child_silent(&forward->child) &&
           child_read(&forward->child, &until, &ignored)) {
    }
    cancel_deinit(&until);
    return buf_z(&forward->child.texts[1]);
}

void forward_close(struct forward *forward)
{
    child_deinit(&forward->child);
}
