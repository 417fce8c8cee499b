/* classify_tls: what is said of TLS. OpenSSL's words differ a little between versions
 * ("sslv3 alert", "ssl/tls alert"); the fragments are what they have in common. */
#include "db/classify_rules.h"

#define TLS(fragment, reason, advice)                                                    \
    {                                                                                    \
        NULL, fragment, NULL, reason, advice, FAULT_UNAVAILABLE, SESSION_BROKEN          \
    }

#define ADVICE_OFFER                                                                     \
    "Give the server a certificate, or set spec.tls.mode to Prefer or Disable."
#define ADVICE_CLIENT                                                                    \
    "The server wants a client certificate that it trusts: check the one in "            \
    "spec.tls.clientCertSecretRef, its dates and who signed it."
#define ADVICE_EXPIRED "Renew the server's certificate; check both clocks as well."
#define ADVICE_HOST                                                                      \
    "Set spec.host to a name that stands in the server's certificate, give the server "  \
    "one for this host, or set spec.tls.mode to VerifyCA, which compares no names."
#define ADVICE_CA                                                                        \
    "Put the CA that signed the server's certificate, with what stands between the "     \
    "two, into the Secret of spec.tls.caSecretRef; without one the system's CAs count."
#define ADVICE_FILE                                                                      \
    "Check the Secrets of spec.tls.caSecretRef and spec.tls.clientCertSecretRef."

/* An alert is the other side's word on what we have shown; it comes first, since some
 * name the same thing ("alert certificate expired"). */
static const struct classify_rule tls_rules[] = {
    TLS("alert certificate required", "TLSClientRefused", ADVICE_CLIENT),
    TLS("alert unknown ca", "TLSClientRefused", ADVICE_CLIENT),
    TLS("alert bad certificate", "TLSClientRefused", ADVICE_CLIENT),
    TLS("alert certificate expired", "TLSClientRefused", ADVICE_CLIENT),
    TLS("alert certificate revoked", "TLSClientRefused", ADVICE_CLIENT),
    TLS("alert certificate unknown", "TLSClientRefused", ADVICE_CLIENT),
    TLS("alert unsupported certificate", "TLSClientRefused", ADVICE_CLIENT),
    TLS("alert no certificate", "TLSClientRefused", ADVICE_CLIENT),
    TLS("alert access denied", "TLSClientRefused", ADVICE_CLIENT),
    TLS("alert decrypt error", "TLSClientRefused", ADVICE_CLIENT),
    TLS("hung up right after the TLS handshake", "TLSClientRefused", ADVICE_CLIENT),
    TLS("server does not support SSL", "TLSNotOffered", ADVICE_OFFER),
    TLS("SSL is required, but the server does not", "TLSNotOffered", ADVICE_OFFER),
    TLS("certificate has expired", "TLSExpired", ADVICE_EXPIRED),
    TLS("certificate is not yet valid", "TLSExpired", ADVICE_EXPIRED),
    TLS("does not match host name", "TLSHostMismatch", ADVICE_HOST),
    TLS("Validation of SSL server certificate failed", "TLSHostMismatch", ADVICE_HOST),
    TLS("hostname mismatch", "TLSHostMismatch", ADVICE_HOST),
    TLS("IP address mismatch", "TLSHostMismatch", ADVICE_HOST),
    TLS("could not get server's host name", "TLSHostMismatch", ADVICE_HOST),
    TLS("certificate verify failed", "TLSUntrusted", ADVICE_CA),
    TLS("self-signed certificate", "TLSUntrusted", ADVICE_CA),
    TLS("self signed certificate", "TLSUntrusted", ADVICE_CA),
    TLS("unable to get local issuer certificate", "TLSUntrusted", ADVICE_CA),
    TLS("unable to verify the first certificate", "TLSUntrusted", ADVICE_CA),
    TLS("root certificate file", "TLSMaterialInvalid", ADVICE_FILE),
    TLS("could not read certificate file", "TLSMaterialInvalid", ADVICE_FILE),
    TLS("could not load private key file", "TLSMaterialInvalid", ADVICE_FILE),
    TLS("alert handshake failure", "TLSFailed",
        "The two have no cipher or protocol in common, or the server wants a client "
        "certificate (spec.tls.clientCertSecretRef)."),
};

const struct classify_rule *classify_tls_rules(size_t *out_count)
{
    *out_count = COUNT_OF(tls_rules);
    return tls_rules;
}
