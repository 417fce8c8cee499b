#include "kube/transport.h"

bool kube_stream_none(struct kube_transport *t, const struct kube_request *request,
                      int64_t idle_ms, struct cancel *cancel, kube_on_bytes *on_bytes,
                      void *context, int *out_status, struct fault *fault)
{
    (void)t;
    (void)idle_ms;
    (void)cancel;
    (void)on_bytes;
    (void)context;
    (void)out_status;
    return fault_set(fault, FAULT_BUG, NULL, "nothing is watched here: %s",
                     request->path);
}

void kube_transport_free(struct kube_transport *t)
{
    if (t != NULL) {
        t->ops->free(t);
    }
}

void kube_transport_freep(struct kube_transport **t)
{
    kube_transport_free(TAKE(*t));
}
