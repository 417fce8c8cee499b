/* clock and rng: time and chance come in as arguments, so that a test owns both. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

struct clock {
    int64_t (*monotonic_ms)(const struct clock *self);
    int64_t (*wall_ms)(const struct clock *self); /* Unix time in milliseconds */
};

const struct clock *clock_system(void);
/* The same, but its monotonic time goes on while the machine is suspended (Linux'
 * CLOCK_BOOTTIME): for promises that others rely on, such as a lease. */
const struct clock *clock_boot(void);
int64_t clock_monotonic_ms(const struct clock *clock);
int64_t clock_wall_ms(const struct clock *clock);

#define CLOCK_RFC3339_SIZE 32
/* "2026-11-23T04:05:06Z" (seconds) into a buffer of CLOCK_RFC3339_SIZE bytes; returns it.
 */
char *clock_format_rfc3339(int64_t wall_ms, char *out_text);
/* The same with microseconds: "2026-11-23T04:05:06.123000Z" (Kubernetes MicroTime). */
char *clock_format_micro(int64_t wall_ms, char *out_text);
/* Parses both forms (1 to 9 digits of fraction), UTC only, from 1970 on. -1 when it is
 * neither. */
int64_t clock_parse_rfc3339(const char *text);

/* A small deterministic generator; one per thread, not for secrets. */
struct rng {
    uint64_t state;
};
void rng_init(struct rng *rng, uint64_t seed);
uint64_t rng_next(struct rng *rng);
uint64_t rng_below(struct rng *rng, uint64_t bound); /* 0 .. bound-1; bound > 0 */
/* value spread evenly over [value*(100-percent)/100, value*(100+percent)/100]. */
int64_t rng_jitter(struct rng *rng, int64_t value, unsigned percent);
uint64_t rng_seed_from_system(void); /* getrandom */

/* base * 2^failures, at most cap; failures counts from 0. No overflow. */
int64_t backoff_ms(int64_t base_ms, int64_t cap_ms, unsigned failures);

#endif
