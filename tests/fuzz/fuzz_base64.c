/* base64 as Secrets and kubeconfigs carry it: what is written is read, bit by bit. */
#include "fuzz.h"

#include "kube/base64.h"

#define INPUT_BYTES_MAX ((size_t)8192)
#define OUTPUT_BYTES_MAX ((size_t)64 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    AUTO(buf_deinit) struct buf text = {0};
    AUTO(buf_deinit) struct buf bytes = {0};
    AUTO(buf_deinit) struct buf loose = {0};
    struct sv input = {(const char *)data, size_bytes};

    if (size_bytes > INPUT_BYTES_MAX) {
        return -1;
    }
    buf_init(&text, OUTPUT_BYTES_MAX);
    buf_init(&bytes, OUTPUT_BYTES_MAX);
    buf_init(&loose, OUTPUT_BYTES_MAX);
    base64_format(input, &text);
    fuzz_require(base64_parse(buf_sv(&text), &bytes), "%s", buf_z(&text));
    fuzz_require(sv_eq(buf_sv(&bytes), input), "%s", buf_z(&text));
    if (base64_parse(input, &loose)) {
        fuzz_reached();
        fuzz_require(loose.n <= size_bytes / 4 * 3 + 3, "%zu of %zu", loose.n,
                     size_bytes);
    }
    return 0;
}
