/* What the model room's tests share. They run in the repository's top folder. */
#ifndef MODEL_TEST_H
#define MODEL_TEST_H

#include "unit/base/unit.h"

#include "base/arena.h"
#include "base/json.h"
#include "model/spec.h"

/* Each fails the test with the reason; the caller frees the tree. */
struct json *test_yaml_text(const char *text); /* all documents, as an array */
struct json *test_yaml_file(const char *path);
/* The first line of a file that begins with `mark`, after it; "" when there is none. */
const char *test_file_mark(const char *path, const char *mark, struct arena *arena);

/* Decode the first document of a YAML text. */
bool test_dbconn(const char *text, struct arena *arena, struct dbconn *out_conn,
                 struct fault *fault);
bool test_tablesync(const char *text, struct arena *arena, struct tablesync *out_sync,
                    struct fault *fault);

/*
 * Compares a pattern of the decoder with the CRD's regular expression: over a corpus of
 * awkward texts, and over 20000 drawn from the characters that patterns care about.
 */
void test_pattern(const char *path, bool (*pattern)(struct sv), const char *expression);

/* openAPIV3Schema of the CRD's only version. */
const struct json *test_schema(const struct json *documents);

/* Fails the test and shows both when they differ. */
void test_same(const struct json *a, const struct json *b);
/* Fails the test when the CRD lacks a field of the status or forbids its value: what it
 * does not name is pruned without a word; what it forbids is refused whole. */
void test_fits_crd(const char *crd, const struct json *status);

#endif
