/* One program for every scenario. */
#include "shop.h"

int main(void)
{
    int failed = 0;

    failed += run_converge_tests();
    failed += run_fault_tests();
    failed += run_deletion_tests();
    failed += run_rival_tests();
    failed += run_edit_tests();
    failed += run_drift_tests();
    failed += run_random_tests();
    return failed == 0 ? 0 : 1;
}
