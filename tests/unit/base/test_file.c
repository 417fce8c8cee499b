#include "base/file.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/tablesync-file-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL || snprintf(path, sizeof(path), "%s/file", folder) < 0;
}

static int drop_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static void put(struct sv content)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(content.p, 1, content.n, file), content.n);
    assert_int_equal(fclose(file), 0);
}

static void reads_whole_files(void **state)
{
    (void)state;
    struct fault f = FAULT_INIT;
    AUTO(buf_deinit) struct buf out;
    AUTO(buf_deinit) struct buf big;

    buf_init(&out, 100);
    buf_addz(&out, "before ");
    put(SV("a\0b\n"));
    assert_ok(file_read(path, &out, &f), f);
    assert_sv(buf_sv(&out), "before a\0b\n");
    put(SV(""));
    assert_ok(file_read(path, &out, &f), f);
    assert_int_equal(out.n, 11);
    buf_init(&big, 200000);
    for (int i = 0; i < 20000; i++) {
        buf_addz(&big, "0123456789");
    }
    put(buf_sv(&big));
    AUTO(buf_deinit) struct buf again;
    buf_init(&again, 200000);
    assert_ok(file_read(path, &again, &f), f);
    assert_true(sv_eq(buf_sv(&again), buf_sv(&big)));
}

static void faults_name_the_file(void **state)
{
    (void)state;
    struct fault f = FAULT_INIT;
    AUTO(buf_deinit) struct buf out;

    buf_init(&out, 10);
    buf_addz(&out, "kept");
    assert_false(file_read("/nonexistent/x", &out, &f));
    assert_int_equal(f.class, FAULT_UNAVAILABLE);
    assert_string_equal(f.reason, "FileUnreadable");
    assert_string_equal(
        f.text, "file '/nonexistent/x' cannot be read: No such file or directory");
    assert_false(file_read(folder, &out, &f));
    assert_contains(f.text, "Is a directory");
    put(SV("1234567"));
    assert_false(file_read(path, &out, &f));
    assert_int_equal(f.class, FAULT_SPEC);
    assert_string_equal(f.reason, "FileTooLarge");
    assert_contains(f.text, path);
    assert_contains(f.text, "larger than the 10 bytes");
    assert_false(buf_overflowed(&out));
    assert_sv(buf_sv(&out), "kept");
    assert_false(file_read("/dev/zero", &out, &f));
    assert_string_equal(f.reason, "FileTooLarge");
}

static void dash_is_standard_input(void **state)
{
    (void)state;
    struct fault f = FAULT_INIT;
    AUTO(buf_deinit) struct buf out;
    int saved = dup(STDIN_FILENO);
    int ends[2];

    buf_init(&out, 100);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(write(ends[1], "from the pipe", 13), 13);
    (void)close(ends[1]);
    (void)close(ends[0]);
    assert_ok(file_read("-", &out, &f), f);
    assert_sv(buf_sv(&out), "from the pipe");
    assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0); /* it is not ours to close */
    (void)close(STDIN_FILENO);
    assert_false(file_read("-", &out, &f));
    assert_contains(f.text, "standard input cannot be read");
    assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
    (void)close(saved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_whole_files),
        cmocka_unit_test(faults_name_the_file),
        cmocka_unit_test(dash_is_standard_input),
    };
    return cmocka_run_group_tests_name("base/file", tests, make_folder, drop_folder);
}
