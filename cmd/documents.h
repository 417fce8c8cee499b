/*
 * documents: the YAML documents of a file as a place the API can be read from. GET finds
 * an object in the file first, then (when there is one) in the cluster. Nothing can be
 * written.
 */
#ifndef CMD_DOCUMENTS_H
#define CMD_DOCUMENTS_H

#include "base/json.h"
#include "kube/transport.h"

struct documents;

/* Reads the file; objects without a namespace get `namespace`. "-": standard input. */
MUST_CHECK bool documents_read(const char *path, const char *namespace,
                               struct documents **out_documents, struct fault *fault);
/* Documents of no file: everything is in the cluster. */
struct documents *documents_none(void);
/* One object, which is taken. */
struct documents *documents_of(struct json *object);
void documents_freep(struct documents **documents);
/* A copy of the index-th object of a kind, the caller frees it; NULL past the end. */
struct json *documents_copy(struct documents *documents, const char *kind, size_t index);
bool documents_has(const struct documents *documents, const char *kind);
/* `next` may be NULL; it is not owned. The transport lives as long as the documents. */
struct kube_transport *documents_transport(struct documents *documents,
                                           struct kube_transport *next);

#endif
