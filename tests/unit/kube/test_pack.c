/* Packed texts: what was put in comes out, what is alike is small, and threads may share.
 */
#include "kube/pack.h"
#include "kube_unit.h"

#include "base/clock.h"
#include "base/heap.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>

#define LONG_BYTES ((size_t)1024 * 1024)
#define CEILING_BYTES (LONG_BYTES * 2)

static void freep(struct packer **p)
{
    packer_free(*p);
}

struct kept {
    struct buf packed;
    struct dictionary *dictionary;
    size_t text_bytes;
};

static struct kept keep(struct packer *p, struct sv text)
{
    struct kept kept = {.text_bytes = text.n};

    buf_init(&kept.packed, CEILING_BYTES);
    packer_pack(p, text, &kept.packed, &kept.dictionary);
    return kept;
}

static void drop(struct kept *kept)
{
    buf_deinit(&kept->packed);
    dictionary_put(TAKE(kept->dictionary));
}

static void assert_reads(const struct kept *kept, struct sv text)
{
    AUTO(heap_freep)
    char *read = packed_read(buf_sv(&kept->packed), kept->text_bytes, kept->dictionary);

    assert_int_equal(kept->text_bytes, text.n);
    assert_true(text.n == 0 || memcmp(read, text.p, text.n) == 0);
    assert_int_equal(read[text.n], '\0');
}

/* Another server's words for the same. */
static struct sv shouted(struct sv text, char out[2048])
{
    for (size_t i = 0; i < text.n; i++) {
        out[i] = (char)toupper((unsigned char)text.p[i]);
    }
    return (struct sv){out, text.n};
}

/* Packs and reads back; returns how many bytes it took. */
static size_t round_trip(struct packer *p, struct sv text)
{
    struct kept kept = keep(p, text);
    size_t n = kept.packed.n;

    assert_reads(&kept, text);
    drop(&kept);
    return n;
}

/* What an API server says of the n-th resource of a kind. */
static struct sv status_of(int n, const char *kind, char out[2048])
{
    int length = snprintf(
        out, 2048,
        "{\"kind\":\"%s\",\"metadata\":{\"name\":\"orders-%05d\",\"namespace\":\"shop\","
        "\"uid\":\"%08x-0000-4000-8000-%012d\",\"generation\":1},\"spec\":{\"source\":"
        "{\"connectionRef\":{\"name\":\"%s-mysql\"},\"table\":\"orders_%05d\"}},"
        "\"status\":{\"phase\":\"%s\",\"conditions\":[{\"type\":\"Ready\",\"status\":"
        "\"False\",\"reason\":\"%sNotFound\",\"message\":\"there is no %s for %d\"}]}}",
        kind, n, (unsigned)n * 2654435761U, n, kind, n, kind, kind, kind, n);

    return (struct sv){out, (size_t)length};
}

static void what_was_packed_is_read(void **state)
{
    AUTO(freep) struct packer *p = packer_new();
    AUTO(heap_freep) char *random = heap_new(LONG_BYTES);
    AUTO(heap_freep) char *same = heap_new(LONG_BYTES);
    struct rng rng = {0};
    char text[2048];

    (void)state;
    rng_init(&rng, 7);
    for (size_t i = 0; i < LONG_BYTES; i++) {
        random[i] = (char)rng_next(&rng);
        same[i] = 'a';
    }
    for (int round = 0; round < 2; round++) { /* without a dictionary, and with one */
        static const size_t sizes[] = {0, 1, 2, 13, 300, 8192, 8193, 70000, LONG_BYTES};

        for (size_t i = 0; i < COUNT_OF(sizes); i++) {
            /* Noise is kept as it is, and never longer. */
            assert_int_equal(round_trip(p, (struct sv){random, sizes[i]}), sizes[i]);
            assert_true(round_trip(p, (struct sv){same, sizes[i]}) <=
                        sizes[i] / 200 + 13);
        }
        (void)round_trip(p, status_of(1, "TableSync", text));
    }
}

/* A twentieth of what the first one needs would be better still; a fifth is promised. */
static void texts_that_are_alike_are_small(void **state)
{
    AUTO(freep) struct packer *p = packer_new();
    char text[2048];
    size_t plain = 0, packed = 0;

    (void)state;
    (void)round_trip(p, status_of(0, "TableSync", text));
    for (int i = 1; i < 1000; i++) {
        struct sv each = status_of(i, "TableSync", text);

        plain += each.n;
        packed += round_trip(p, each);
    }
    assert_true(packed * 5 < plain);
}

/* Texts of another kind: soon they are as small, and what stands from before is read. */
static void another_kind_of_text_is_learned(void **state)
{
    AUTO(freep) struct packer *p = packer_new();
    struct kept before[2];
    char text[2048], loud[2048];
    size_t n = 0, bytes = 0;

    (void)state;
    for (int i = 0; i < 2; i++) {
        before[i] = keep(p, status_of(i, "TableSync", text));
    }
    assert_null(before[0].dictionary);
    assert_non_null(before[1].dictionary);
    for (int i = 0; i <= PACK_LEARN_EVERY; i++) {
        struct sv last = shouted(status_of(i, "TableSync", text), loud);

        n = round_trip(p, last);
        assert_true(i > 0 || n * PACK_GOOD > last.n);
        bytes = last.n;
    }
    assert_true(n * PACK_GOOD < bytes);
    for (int i = 0; i < 2; i++) {
        assert_reads(&before[i], status_of(i, "TableSync", text));
    }
    packer_free(TAKE(p)); /* a reader may be slower than a store is closed */
    for (int i = 0; i < 2; i++) {
        assert_reads(&before[i], status_of(i, "TableSync", text));
        drop(&before[i]);
    }
}

/* Nothing is like anything before: a new dictionary now and then, not each time. */
static void dictionaries_are_few(void **state)
{
    AUTO(freep) struct packer *p = packer_new();
    const struct dictionary *last = NULL;
    struct rng rng = {0};
    char noise[512] = "";
    int changes = 0;

    (void)state;
    rng_init(&rng, 11);
    for (int i = 0; i < 20 * PACK_LEARN_EVERY; i++) {
        for (size_t at = 0; at < sizeof(noise) / 2; at++) { /* half of it packs */
            noise[at] = (char)rng_next(&rng);
        }
        struct kept kept = keep(p, (struct sv){noise, sizeof(noise)});
        changes += kept.dictionary != last;
        last = kept.dictionary;
        assert_reads(&kept, (struct sv){noise, sizeof(noise)});
        drop(&kept);
    }
    assert_in_range(changes, 15, 21);
}

static void *share(void *context)
{
    char text[2048];

    for (int i = 0; i < 2000; i++) {
        (void)round_trip(context, status_of(i, i / 300 % 2 == 0 ? "A" : "Bcdefgh", text));
    }
    return NULL;
}

static void threads_share_a_packer(void **state)
{
    AUTO(freep) struct packer *p = packer_new();
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, share, p), 0);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_packed_is_read),
        cmocka_unit_test(texts_that_are_alike_are_small),
        cmocka_unit_test(another_kind_of_text_is_learned),
        cmocka_unit_test(dictionaries_are_few),
        cmocka_unit_test(threads_share_a_packer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
