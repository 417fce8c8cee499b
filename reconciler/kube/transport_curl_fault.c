/* What a failed transfer means to whoever has to repair it; the words are in errors.def.
 */
#include "kube/errors.h"
#include "kube/transport_curl.h"

#include <curl/curl.h>
#include <errno.h>

static const struct {
    int result; /* CURLcode */
    enum errors_break kind;
} meanings[] = {
    {CURLE_COULDNT_RESOLVE_HOST, ERRORS_BREAK_UNKNOWN_HOST},
    {CURLE_COULDNT_RESOLVE_PROXY, ERRORS_BREAK_UNKNOWN_PROXY},
    {CURLE_COULDNT_CONNECT, ERRORS_BREAK_UNREACHABLE},
    {CURLE_OPERATION_TIMEDOUT, ERRORS_BREAK_TIMEOUT},
    {CURLE_PEER_FAILED_VERIFICATION, ERRORS_BREAK_UNTRUSTED},
    {CURLE_SSL_CONNECT_ERROR, ERRORS_BREAK_HANDSHAKE},
    {CURLE_SSL_CACERT_BADFILE, ERRORS_BREAK_BAD_CA},
    {CURLE_SSL_CERTPROBLEM, ERRORS_BREAK_BAD_CERTIFICATE},
    {CURLE_SSL_CIPHER, ERRORS_BREAK_CIPHER},
    {CURLE_GOT_NOTHING, ERRORS_BREAK_NO_ANSWER},
    {CURLE_PARTIAL_FILE, ERRORS_BREAK_CUT_ANSWER},
    {CURLE_RECV_ERROR, ERRORS_BREAK_CUT_ANSWER},
    {CURLE_SEND_ERROR, ERRORS_BREAK_CUT_REQUEST},
    {CURLE_SEND_FAIL_REWIND, ERRORS_BREAK_UNSURE},
    {CURLE_BAD_CONTENT_ENCODING, ERRORS_BREAK_BAD_ENCODING},
    {CURLE_UNSUPPORTED_PROTOCOL, ERRORS_BREAK_NOT_HTTP},
    {CURLE_WEIRD_SERVER_REPLY, ERRORS_BREAK_NOT_HTTP},
    {CURLE_URL_MALFORMAT, ERRORS_BREAK_BAD_URL},
    {CURLE_PROXY, ERRORS_BREAK_PROXY},
};

bool transport_fault(struct transport_run *run, int result, struct fault *fault)
{
    enum errors_break kind = ERRORS_BREAK_OTHER;
    long os_error = 0;

    for (size_t i = 0; i < COUNT_OF(meanings); i++) {
        if (meanings[i].result == result) {
            kind = meanings[i].kind;
            break;
        }
    }
    if (result == CURLE_COULDNT_CONNECT &&
        curl_easy_getinfo(run->channel->easy, CURLINFO_OS_ERRNO, &os_error) == CURLE_OK &&
        os_error == ECONNREFUSED) {
        kind = ERRORS_BREAK_REFUSED;
    }
    run->untrusted = result == CURLE_PEER_FAILED_VERIFICATION ||
                     result == CURLE_SSL_CONNECT_ERROR || result == CURLE_SSL_CERTPROBLEM;
    const char *detail = run->channel->error;
    return fault_set(fault, FAULT_UNAVAILABLE, errors_break_reason(kind),
                     "API server %s (%s): %s (%s)", run->target->endpoint,
                     run->target->origin, errors_break_text(kind),
                     detail[0] != '\0' ? detail : curl_easy_strerror((CURLcode)result));
}
