/*
 * What an API server, or whatever answers in its place, says to a request. The first
 * line: HTTP status, Retry-After, the verb and whether the request was a JSON Patch; the
 * rest is the body.
 */
#include "fuzz.h"

#include "kube/errors.h"

#define INPUT_BYTES_MAX ((size_t)8192)
#define WORDS_BYTES_MAX ((size_t)256 * 1024)

static const struct kube_resource SYNCS = {"tablesync.dev", "v1alpha1", "tablesyncs",
                                           "TableSync"};
static const struct kube_resource SECRETS = {"", "v1", "secrets", "Secret"};
static const char *const VERBS[] = {"get", "list", "watch", "create", "patch"};

static struct errors_call call_of(int64_t what)
{
    size_t at = (size_t)(what < 0 ? 0 : what);

    return (struct errors_call){.verb = VERBS[at % COUNT_OF(VERBS)],
                                .resource = at % 2 == 0 ? &SYNCS : &SECRETS,
                                .namespace = at % 3 == 0 ? NULL : "shop",
                                .name = at % 3 == 2 ? "orders" : NULL,
                                .subresource = at % 7 == 0 ? "status" : NULL,
                                .json_patch = at % 11 == 0};
}

static void check_fault(const struct fault *fault)
{
    fuzz_require(fault->class == FAULT_DENIED || fault->class == FAULT_UNAVAILABLE ||
                     fault->class == FAULT_BUG,
                 "class %d", (int)fault->class);
    fuzz_require(fault->reason[0] != '\0' && fault->text[0] != '\0' &&
                     fuzz_is_utf8(sv_from(fault->text)),
                 "%s: %s", fault->reason, fault->text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    AUTO(buf_deinit) struct buf words = {0};
    struct sv rest = {(const char *)data, size_bytes}, line;
    struct fault fault = FAULT_INIT;
    enum kube_outcome outcome = KUBE_OUTCOME_MAX;
    int wait_s = -1;

    if (size_bytes > INPUT_BYTES_MAX) {
        return -1;
    }
    line = fuzz_line(&rest);
    int64_t status = fuzz_number(&line, 500), asked_s = fuzz_number(&line, 0);
    struct errors_call call = call_of(fuzz_number(&line, 0));
    if (status < 100 || status > 999 || asked_s < 0 || asked_s > INT32_MAX) {
        return -1;
    }
    struct errors_answer answer = {
        .status = (int)status, .retry_after_s = (int)asked_s, .body = rest};
    buf_init(&words, WORDS_BYTES_MAX);
    if (errors_classify(&call, &answer, &outcome, &words, &wait_s, &fault)) {
        fuzz_reached();
        fuzz_require(outcome >= KUBE_OK && outcome < KUBE_OUTCOME_MAX, "%d",
                     (int)outcome);
        fuzz_require((outcome == KUBE_OK) == (status >= 200 && status < 300), "%d of %d",
                     (int)outcome, (int)status);
        fuzz_require(fuzz_is_utf8(buf_sv(&words)), "%s", buf_z(&words));
    } else {
        fuzz_require(outcome == KUBE_OUTCOME_MAX, "output written on failure");
        check_fault(&fault);
    }
    fuzz_require(wait_s >= 0 && wait_s <= ERRORS_RETRY_AFTER_MAX_S, "%d", wait_s);
    fuzz_require(wait_s == 0 || status == 429 || status >= 500, "%d after %d", wait_s,
                 (int)status);
    return 0;
}
