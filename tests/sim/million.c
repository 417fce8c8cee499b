#include "million.h"

#include "history.h"
#include "sim.h"

#include "base/sv.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOBS_MAX 64
#define TOLD_EVERY 100000

struct plan_of_seeds {
    int64_t seed, steps, jobs;
    bool one; /* just this seed */
};

struct news { /* from a worker: it begins a history, or has ended one */
    int64_t seed;
    bool ended;
    struct history_counts counts;
};

struct worker {
    pid_t pid;
    int news;
    int64_t seed; /* at work on it; 0: none */
};

struct sums {
    int64_t steps, histories, reconciles, takeovers, restarts, told;
    int64_t began_ms;
};

static int64_t real_ms(void)
{
    return clock_monotonic_ms(clock_system());
}

/* --- a worker --- */

static void send(int to, const struct news *news)
{
    const char *at = (const char *)news;

    must(write(to, at, sizeof(*news)) == (ssize_t)sizeof(*news));
}

/* Seeds first, first + jobs, ... until its share is done. */
static _Noreturn void work(const struct plan_of_seeds *plan, int64_t first, int to)
{
    int64_t share = plan->steps / plan->jobs, done = 0;

    for (int64_t seed = first; done < share; seed += plan->jobs) {
        struct news news = {.seed = seed};

        send(to, &news);
        history_run((uint64_t)seed, &news.counts);
        news.ended = true;
        done += news.counts.steps;
        send(to, &news);
    }
    exit(0);
}

static struct worker start(const struct plan_of_seeds *plan, int64_t index)
{
    int ends[2];
    struct worker w = {0};

    must(pipe(ends) == 0);
    (void)fflush(NULL);
    w.pid = fork();
    must(w.pid >= 0);
    if (w.pid == 0) {
        (void)close(ends[0]);
        work(plan, plan->seed + index, ends[1]);
    }
    (void)close(ends[1]);
    w.news = ends[0];
    return w;
}

/* --- the one that waits for them --- */

static void add(struct sums *t, const struct history_counts *counts)
{
    t->histories++;
    t->steps += counts->steps;
    t->reconciles += counts->reconciles;
    t->takeovers += counts->takeovers;
    t->restarts += counts->restarts;
}

static void tell(const struct sums *t)
{
    double seconds = (double)(real_ms() - t->began_ms) / 1000.0;

    printf("%lld steps, %lld histories, %lld seeds, %lld reconciles, %lld changes of "
           "leaders, %lld crashes, %.1f seconds\n",
           (long long)t->steps, (long long)t->histories, (long long)t->histories,
           (long long)t->reconciles, (long long)t->takeovers, (long long)t->restarts,
           seconds);
    (void)fflush(stdout);
}

/* False at the end of its news. */
static bool hear(struct worker *w, struct sums *t)
{
    struct news news;
    ssize_t n = read(w->news, &news, sizeof(news));

    if (n != (ssize_t)sizeof(news)) {
        return n < 0 && errno == EINTR;
    }
    w->seed = news.ended ? 0 : news.seed;
    if (news.ended) {
        add(t, &news.counts);
    }
    if (t->steps / TOLD_EVERY > t->told) {
        t->told = t->steps / TOLD_EVERY;
        tell(t);
    }
    return true;
}

static bool ended_well(struct worker *w)
{
    int status = 0;

    (void)close(w->news);
    while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (status == 0) {
        return true;
    }
    printf("seed %lld failed; replay it with: sim million --seed %lld\n",
           (long long)w->seed, (long long)w->seed);
    return false;
}

static bool listen_to_all(struct worker *workers, int64_t count, struct sums *t)
{
    struct pollfd polled[JOBS_MAX];
    int64_t left = count;
    bool well = true;

    for (int64_t i = 0; i < count; i++) {
        polled[i] = (struct pollfd){.fd = workers[i].news, .events = POLLIN};
    }
    while (left > 0) {
        if (poll(polled, (nfds_t)count, -1) < 0) {
            continue;
        }
        for (int64_t i = 0; i < count; i++) {
            if (polled[i].revents != 0 && !hear(&workers[i], t)) {
                well = ended_well(&workers[i]) && well;
                polled[i].fd = -1;
                left--;
            }
        }
    }
    return well;
}

static int replay(int64_t seed)
{
    struct sums t = {.began_ms = real_ms()};
    struct history_counts counts = {0};

    history_run((uint64_t)seed, &counts);
    add(&t, &counts);
    printf("seed %lld, digest %016llx\n", (long long)seed,
           (unsigned long long)counts.digest);
    tell(&t);
    return 0;
}

static int run(const struct plan_of_seeds *plan)
{
    struct worker workers[JOBS_MAX];
    struct sums t = {.began_ms = real_ms()};
    bool well = false;

    for (int64_t i = 0; i < plan->jobs; i++) {
        workers[i] = start(plan, i);
    }
    well = listen_to_all(workers, plan->jobs, &t);
    tell(&t);
    return well ? 0 : 1;
}

static bool read_arguments(int argc, char **argv, struct plan_of_seeds *out_plan)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct plan_of_seeds plan = {
        .seed = 1, .steps = 0, .jobs = processors > 0 ? processors : 1};
    bool seeded = false;

    for (int i = 0; i < argc; i += 2) {
        const struct {
            const char *name;
            int64_t *value;
        } options[] = {
            {"--seed", &plan.seed}, {"--steps", &plan.steps}, {"--jobs", &plan.jobs}};
        bool known = false;

        for (size_t k = 0; k < COUNT_OF(options) && i + 1 < argc; k++) {
            known = known || (strcmp(argv[i], options[k].name) == 0 &&
                              sv_int64(sv_from(argv[i + 1]), options[k].value) &&
                              *options[k].value > 0);
        }
        if (!known) {
            return false;
        }
        seeded = seeded || strcmp(argv[i], "--seed") == 0;
    }
    plan.one = seeded && plan.steps == 0;
    must(plan.steps > 0 || sv_int64(SV(MILLION_STEPS), &plan.steps));
    plan.jobs = plan.jobs < JOBS_MAX ? plan.jobs : JOBS_MAX;
    *out_plan = plan;
    return true;
}

int million_main(int argc, char **argv)
{
    struct plan_of_seeds plan;

    if (!read_arguments(argc, argv, &plan)) {
        (void)fprintf(stderr, "usage: sim million [--seed N] [--steps N] [--jobs N]\n");
        return 2;
    }
    return plan.one ? replay(plan.seed) : run(&plan);
}
