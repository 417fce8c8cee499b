/*
 * kubeconfig files: two of them, split at a line "---%", merged and resolved as
 * KUBECONFIG with two paths would be.
 */
#include "fuzz.h"

#include "kube/kubeconfig.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define INPUT_BYTES_MAX ((size_t)8192)
#define PATH_BYTES 64

/* A file that is nowhere on a disk; the caller closes it. */
static int file_of(struct sv content, char out_path[PATH_BYTES])
{
    int fd = memfd_create("kubeconfig", MFD_CLOEXEC);

    must(fd >= 0 && write(fd, content.p, content.n) == (ssize_t)content.n);
    must(snprintf(out_path, PATH_BYTES, "/proc/self/fd/%d", fd) < PATH_BYTES);
    return fd;
}

static bool add(struct kubeconfig *k, struct sv content, struct arena *arena,
                struct fault *fault)
{
    char path[PATH_BYTES];
    int fd = file_of(content, path);
    bool good = kubeconfig_add(k, path, arena, fault);

    (void)close(fd);
    return good;
}

static struct sv first_file(struct sv *rest)
{
    const struct sv separator = SV("---%\n");
    struct sv first = *rest;
    size_t at = sv_find(first, separator);

    if (at == SIZE_MAX) {
        *rest = SV_NULL;
        return first;
    }
    *rest = sv_sub(first, at + separator.n, first.n);
    return sv_sub(first, 0, at);
}

static void check_config(const struct kube_config *config)
{
    fuzz_require(config->server != NULL && config->server[0] != '\0', "no server");
    fuzz_require(config->namespace != NULL && config->origin != NULL, "%s",
                 config->server);
    fuzz_require(!config->insecure_skip_tls_verify ||
                     (config->ca_file == NULL && config->ca_pem == NULL),
                 "a CA that nobody asks");
    fuzz_require((config->client_cert_file == NULL && config->client_cert_pem == NULL) ==
                     (config->client_key_file == NULL && config->client_key_pem == NULL),
                 "half a client certificate");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(kubeconfig_deinit) struct kubeconfig merged = {0};
    struct kube_config config = {0};
    struct sv rest = {(const char *)data, size_bytes};
    struct fault fault = FAULT_INIT;

    if (size_bytes > INPUT_BYTES_MAX) {
        return -1;
    }
    struct sv first = first_file(&rest);
    if (!add(&merged, first, arena, &fault) ||
        (rest.n > 0 && !add(&merged, rest, arena, &fault)) ||
        !kubeconfig_resolve(&merged, NULL, arena, &config, &fault)) {
        fuzz_require(fault.class == FAULT_SPEC && fault.text[0] != '\0' &&
                         fuzz_is_utf8(sv_from(fault.text)),
                     "class %d: %s", (int)fault.class, fault.text);
        fuzz_require(config.server == NULL, "output written on failure");
        return 0;
    }
    fuzz_reached();
    check_config(&config);
    kube_config_deinit(&config);
    return 0;
}
