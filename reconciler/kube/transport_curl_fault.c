/* What a failed transfer means to whoever has to repair it. */
#include "kube/transport_curl.h"

#include <curl/curl.h>
#include <errno.h>

static const struct {
    int result; /* CURLcode */
    const char *reason;
    const char *text;
} meanings[] = {
    {CURLE_COULDNT_RESOLVE_HOST, "UnknownHost",
     "the host name cannot be resolved; check the server address and DNS"},
    {CURLE_COULDNT_RESOLVE_PROXY, "UnknownHost",
     "the proxy's host name cannot be resolved; check proxy-url and DNS"},
    {CURLE_COULDNT_CONNECT, "Unreachable",
     "no connection; check address, routes and firewalls"},
    {CURLE_OPERATION_TIMEDOUT, "Timeout",
     "no connection within 10 s; check address, routes and firewalls"},
    {CURLE_PEER_FAILED_VERIFICATION, "TLSFailed",
     "the server's certificate is not trusted; check certificate-authority and, if the "
     "certificate names another host, tls-server-name"},
    {CURLE_SSL_CONNECT_ERROR, "TLSFailed",
     "the TLS handshake failed; check that this port speaks TLS and that the server "
     "accepts "
     "the client certificate"},
    {CURLE_SSL_CACERT_BADFILE, "TLSFailed",
     "the CA certificate cannot be used; check that certificate-authority is PEM"},
    {CURLE_SSL_CERTPROBLEM, "TLSFailed",
     "the client certificate or its key cannot be used; check that both are PEM and "
     "belong "
     "together"},
    {CURLE_SSL_CIPHER, "TLSFailed", "the TLS handshake failed; no common cipher"},
    {CURLE_GOT_NOTHING, "ConnectionLost", "the connection was closed without an answer"},
    {CURLE_PARTIAL_FILE, "ConnectionLost", "the connection broke off within the answer"},
    {CURLE_RECV_ERROR, "ConnectionLost", "the connection broke off within the answer"},
    {CURLE_SEND_ERROR, "ConnectionLost", "the connection broke off within the request"},
    {CURLE_SEND_FAIL_REWIND, "ConnectionLost",
     "the connection broke off; whether the request was carried out is not known"},
    {CURLE_UNSUPPORTED_PROTOCOL, "BadAnswer",
     "what answers does not speak HTTP/1.1; check the server address and its scheme"},
    {CURLE_WEIRD_SERVER_REPLY, "BadAnswer",
     "what answers does not speak HTTP/1.1; check the server address and its scheme"},
    {CURLE_URL_MALFORMAT, "BadAnswer", "the server address is not a valid URL"},
    {CURLE_PROXY, "ProxyFailed", "the proxy refused; check proxy-url"},
};

bool transport_fault(const struct transport_run *run, int result, struct fault *fault)
{
    const char *reason = "Unavailable";
    const char *text = "the request failed";
    long os_error = 0;

    for (size_t i = 0; i < COUNT_OF(meanings); i++) {
        if (meanings[i].result == result) {
            reason = meanings[i].reason;
            text = meanings[i].text;
            break;
        }
    }
    if (result == CURLE_COULDNT_CONNECT &&
        curl_easy_getinfo(run->channel->easy, CURLINFO_OS_ERRNO, &os_error) == CURLE_OK &&
        os_error == ECONNREFUSED) {
        reason = "ConnectionRefused";
        text = "connection refused; check that it runs and that host and port are right";
    }
    const char *detail = run->channel->error;
    return fault_set(fault, FAULT_UNAVAILABLE, reason, "API server %s (%s): %s (%s)",
                     run->target->endpoint, run->target->origin, text,
                     detail[0] != '\0' ? detail : curl_easy_strerror((CURLcode)result));
}
