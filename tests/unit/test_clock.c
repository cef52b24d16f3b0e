/* Times as text and as milliseconds, and arithmetic that stops at the ends. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "clock.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void parses_and_prints(void **state)
{
	static const struct {
		const char *text;
		cs_time time;
		const char *printed;
	} cases[] = {
		{"1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"},
		{"1970-01-01T00:00:00.001Z", 1, "1970-01-01T00:00:00.001Z"},
		{"2000-02-29T23:59:59Z", INT64_C(951868799000), "2000-02-29T23:59:59Z"},
		{"2026-11-20T10:27:00.5Z", INT64_C(1795170420500), "2026-11-20T10:27:00.500Z"},
		{"2026-11-20T10:27:00.05Z", INT64_C(1795170420050), "2026-11-20T10:27:00.050Z"},
		{"2026-11-20T10:27:00.000Z", INT64_C(1795170420000), "2026-11-20T10:27:00Z"},
		{"2100-02-28T00:00:00Z", INT64_C(4107456000000), "2100-02-28T00:00:00Z"},
		{"9999-12-31T23:59:59.999Z", CS_TIME_MAX, "9999-12-31T23:59:59.999Z"},
	};
	char text[CS_TIME_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cs_time time = -1;
		assert_int_equal(cs_time_parse(cases[i].text, &time, NULL), CS_OK);
		assert_true(time == cases[i].time);
		assert_ptr_equal(cs_time_print(time, text), text);
		assert_string_equal(text, cases[i].printed);
	}
}

static void refuses(void **state)
{
	static const char *const cases[] = {
		"",
		"Z",
		"2026",
		"2026-11-20",
		"2026-11-20T10:27:00",
		"2026-11-20T10:27Z",
		"2026-11-20T10:27:00z",
		"2026-11-20t10:27:00Z",
		"2026-11-20 10:27:00Z",
		"2026-11-20T10:27:00+00:00",
		"2026-11-20T10:27:00-00:00",
		"2026-11-20T10:27:00.Z",
		"2026-11-20T10:27:00.1234Z",
		"2026-11-20T10:27:00.1",
		"2026-11-20T10:27:00.x5Z",
		"2026-11-20T10:27:00,5Z",
		"2026-11-20T10:27:00Z ",
		" 2026-11-20T10:27:00Z",
		"2026-11-20T10:27:00ZZ",
		"2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-04-31T00:00:00Z",
		"2026-01-00T00:00:00Z",
		"2026-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z",
		"2026-01-01T24:00:00Z",
		"2026-01-01T00:60:00Z",
		"2016-12-31T23:59:60Z",
		"1969-12-31T23:59:59Z",
		"0000-01-01T00:00:00Z",
		"20261-01-01T00:00:00Z",
		"2026-1-01T00:00:00Z",
		"+026-01-01T00:00:00Z",
		"2026-01-01T00:00: 0Z",
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct cs_fault fault = {{0}, {0}};
		cs_time time = 42;
		if (cs_time_parse(cases[i], &time, &fault) != CS_E_TIME)
			fail_msg("'%s' is accepted", cases[i]);
		assert_true(time == 42);
		assert_string_equal(fault.path, "");
		assert_string_not_equal(fault.detail, "");
	}
	cs_time time = 42;
	assert_int_equal(cs_time_parse(NULL, &time, NULL), CS_E_TIME);
	assert_true(time == 42);
}

/* Against the C library: every day, at a time of day that wanders. */
static void agrees_with_the_c_library(void **state)
{
	char expected[32], text[CS_TIME_TEXT];

	(void)state;
	for (int64_t second = 0; second <= CS_TIME_MAX / 1000; second += 86400 + 7) {
		time_t point = (time_t)second;
		struct tm tm;
		cs_time back = -1;
		assert_non_null(gmtime_r(&point, &tm));
		strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%SZ", &tm);
		cs_time_print(second * 1000, text);
		if (strcmp(text, expected) != 0)
			fail_msg("%s, not %s", text, expected);
		assert_int_equal(cs_time_parse(text, &back, NULL), CS_OK);
		assert_true(back == second * 1000);
	}
}

static void prints_within_its_range(void **state)
{
	char text[CS_TIME_TEXT];

	(void)state;
	assert_string_equal(cs_time_print(-1, text), "1970-01-01T00:00:00Z");
	assert_string_equal(cs_time_print(INT64_MAX, text), "9999-12-31T23:59:59.999Z");
}

static void adds_seconds(void **state)
{
	(void)state;
	assert_true(cs_time_add_seconds(5, 1) == 1005);
	assert_true(cs_time_add_seconds(5000, -5) == 0);
	assert_true(cs_time_add_seconds(5000, -6) == 0);
	assert_true(cs_time_add_seconds(0, INT64_MIN) == 0);
	assert_true(cs_time_add_seconds(0, INT64_MAX) == CS_TIME_MAX);
	assert_true(cs_time_add_seconds(CS_TIME_MAX, 1) == CS_TIME_MAX);
	assert_true(cs_time_add_seconds(CS_TIME_MAX, INT64_MAX / 1000) == CS_TIME_MAX);
	assert_true(cs_time_add_seconds(CS_TIME_MAX, 0) == CS_TIME_MAX);
	assert_true(cs_time_add_seconds(0, INT64_MIN / 1000) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_and_prints),
		cmocka_unit_test(refuses),
		cmocka_unit_test(agrees_with_the_c_library),
		cmocka_unit_test(prints_within_its_range),
		cmocka_unit_test(adds_seconds),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
