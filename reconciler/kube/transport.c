#include "kube/transport.h"

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
