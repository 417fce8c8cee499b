/* base64: RFC 4648 section 4, as kubeconfig data and basic authentication use it. */
#ifndef KUBE_BASE64_H
#define KUBE_BASE64_H

#include "base/buf.h"

/* Appends the decoded bytes; white space is skipped. false: not base64 (out is
 * undefined). */
MUST_CHECK bool base64_parse(struct sv text, struct buf *out);
void base64_format(struct sv bytes, struct buf *out);

#endif
