/* One program for every scenario; an argument names those to run: sim 'each_*', or those
 * to leave out: sim -x 'a_million*'. Or histories by lot: sim million (million.h). */
#include "million.h"
#include "shop.h"

int main(int argc, char **argv)
{
    int failed = 0;

    if (argc > 1 && strcmp(argv[1], "million") == 0) {
        return million_main(argc - 2, argv + 2);
    }
    if (argc > 2 && strcmp(argv[1], "-x") == 0) {
        cmocka_set_skip_filter(argv[2]);
    } else if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    failed += run_converge_tests();
    failed += run_fault_tests();
    failed += run_deletion_tests();
    failed += run_rival_tests();
    failed += run_edit_tests();
    failed += run_drift_tests();
    failed += run_evolve_tests();
    failed += run_swap_tests();
    failed += run_resync_tests();
    failed += run_approval_tests();
    failed += run_replaced_tests();
    failed += run_policy_tests();
    failed += run_column_tests();
    failed += run_rotation_tests();
    failed += run_source_rotation_tests();
    failed += run_count_tests();
    failed += run_purge_tests();
    failed += run_torture_tests();
    failed += run_history_tests();
    return failed == 0 ? 0 : 1;
}
