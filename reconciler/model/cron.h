/*
 * cron: the five fields of a crontab, in UTC: minute (0-59), hour (0-23), day of the
 * month (1-31), month (1-12 or JAN-DEC), day of the week (0-7 or SUN-SAT; 0 and 7 are
 * Sunday). Each is a star, a number, a range a-b, a star or a range with a step (a-b/n),
 * or a list of these with commas. Where both kinds of days are given, a day that either
 * names counts, as in every cron.
 */
#ifndef MODEL_CRON_H
#define MODEL_CRON_H

#include "base/fault.h"
#include "base/sv.h"

#include <stdint.h>

struct cron {
    uint64_t minutes;
    uint32_t hours, days, months, weekdays; /* bit n: n is named */
    bool any_day, any_weekday;              /* the field is * */
};

/* FAULT_SPEC says which field is wrong, what it holds and what is allowed there, or that
 * no such day ever comes. */
MUST_CHECK bool cron_parse(struct sv text, struct cron *out_cron, struct fault *fault);
/* The first moment after `unix_ms` that the schedule names, in Unix ms; -1: there is none
 * (never for what cron_parse() took and a moment from 1970 on). */
int64_t cron_next_ms(const struct cron *cron, int64_t unix_ms);

#endif
