/* What the operating system and the allocator know about the process. */
#include "loop/metrics_private.h"

#include <dirent.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

/* The numbers of /proc/self/statm in bytes; 0 where there is none. */
static double memory_bytes(int word)
{
    char line[128] = "";
    FILE *statm = fopen("/proc/self/statm", "re");
    struct sv text = SV_NULL;
    int64_t pages = 0;

    if (statm == NULL) {
        return 0;
    }
    text = sv_from(fgets(line, sizeof(line), statm));
    (void)fclose(statm);
    for (int i = 0; i < word; i++) {
        (void)sv_cut(&text, ' ');
    }
    return sv_int64(sv_cut(&text, ' '), &pages)
               ? (double)pages * (double)sysconf(_SC_PAGESIZE)
               : 0;
}

static double cpu_seconds(void)
{
    struct rusage usage = {0};

    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    const struct dirent *entry = NULL;
    double count = -1; /* the folder itself */

    if (folder == NULL) {
        return 0;
    }
    while ((entry = readdir(folder)) != NULL) {
        count += entry->d_name[0] != '.';
    }
    (void)closedir(folder);
    return count;
}

static double descriptor_limit(void)
{
    struct rlimit limit = {0};

    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (double)limit.rlim_cur : 0;
}

static double heap_bytes(bool used)
{
    const struct mallinfo2 heap = mallinfo2();

    return used ? (double)heap.uordblks + (double)heap.hblkhd : (double)heap.fordblks;
}

bool metrics_process(const struct metrics *metrics, enum metric metric, struct buf *out)
{
    double value = 0;

    if (metric == METRIC_PROCESS_CPU) {
        value = cpu_seconds();
    } else if (metric == METRIC_PROCESS_RESIDENT) {
        value = memory_bytes(1);
    } else if (metric == METRIC_PROCESS_VIRTUAL) {
        value = memory_bytes(0);
    } else if (metric == METRIC_PROCESS_OPEN_FDS) {
        value = open_descriptors();
    } else if (metric == METRIC_PROCESS_MAX_FDS) {
        value = descriptor_limit();
    } else if (metric == METRIC_PROCESS_START) {
        value = (double)metrics->started_wall_ms / 1000.0;
    } else if (metric == METRIC_MEMORY_ALLOCATED) {
        value = heap_bytes(true);
    } else if (metric == METRIC_MEMORY_FREE) {
        value = heap_bytes(false);
    } else {
        return false;
    }
    metrics_sample(out, metric, NULL, value);
    return true;
}
