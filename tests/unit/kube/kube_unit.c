#include "kube_unit.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int64_t test_now(const struct clock *self)
{
    return ((const struct test_clock *)(const void *)self)->now_ms;
}

void test_clock_init(struct test_clock *clock, int64_t now_ms)
{
    clock->clock = (struct clock){test_now, test_now};
    clock->now_ms = now_ms;
}

static int64_t shift_now(const struct clock *self)
{
    const struct shift_clock *clock = (const struct shift_clock *)(const void *)self;

    return clock_monotonic_ms(clock_system()) + clock->shift_ms;
}

void shift_clock_init(struct shift_clock *clock)
{
    clock->clock = (struct clock){shift_now, shift_now};
    clock->shift_ms = 0;
}

struct json *test_json(const char *text)
{
    struct json *root = NULL;
    struct fault f = FAULT_INIT;

    assert_ok(json_parse(sv_from(text), strlen(text), &root, &f), f);
    return root;
}

char *test_folder(void)
{
    const char *parent = getenv("TMPDIR");
    char *name = NULL;

    assert_true(asprintf(&name, "%s/kube-XXXXXX", parent == NULL ? "/tmp" : parent) > 0);
    assert_non_null(mkdtemp(name));
    return name;
}

char *test_file(const char *folder, const char *name, const char *content)
{
    char *path = NULL;
    char *fresh = NULL;

    assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
    assert_true(asprintf(&fresh, "%s.new", path) > 0);
    FILE *file = fopen(fresh, "w");
    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rename(fresh, path), 0); /* as the kubelet replaces files: whole */
    free(fresh);
    return path;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info;
    (void)type;
    (void)at;
    return remove(path);
}

void test_folder_remove(char *folder)
{
    assert_int_equal(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
    free(folder);
}
