/*
 * Points in time. core/ never reads a clock: "now" always comes in as an argument.
 *
 * A `cs_time` is milliseconds since 1970-01-01T00:00:00Z (no leap seconds), 0 .. 253402300799999.
 */
#ifndef CS_CLOCK_H
#define CS_CLOCK_H

#include <stdint.h>
#include <countersign/error.h>

typedef int64_t cs_time;

#define CS_TIME_TEXT 25 /* "2026-11-20T10:27:00.000Z" and its NUL */
#define CS_TIME_MAX INT64_C(253402300799999)

/*
 * Parses RFC 3339 (section 5.6) as this project allows it: upper-case T and Z, UTC only, no leap
 * second, and none or one to three digits of fraction. CS_E_TIME otherwise (path ""): wrong shape,
 * or a day that does not exist.
 */
CS_MUST_CHECK enum cs_err cs_time_parse(
	const char *text, cs_time *ret_time, struct cs_fault *fault);

/* Writes whole seconds when `time` has no fraction, three digits otherwise. Returns `text`. */
const char *cs_time_print(cs_time time, char text[CS_TIME_TEXT]);

/* Adds whole seconds, saturating at the range of cs_time. */
cs_time cs_time_add_seconds(cs_time time, int64_t seconds);

#endif
