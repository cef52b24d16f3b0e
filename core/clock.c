#include "clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)

static bool leap_year(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return month == 2 && leap_year(year) ? 29 : days[month - 1];
}

/*
 * Days from 1970-01-01 to the first of March of the (March-based) year, then to the day: the
 * proleptic Gregorian calendar.
 */
static int64_t days_from_date(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t m = month <= 2 ? month + 9 : month - 3;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

static void date_from_days(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
	int64_t from_march_0 = days + 719468;
	int64_t era = from_march_0 / 146097;
	int64_t day_of_era = from_march_0 % 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * day_of_year + 2) / 153;

	*ret_day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
	*ret_month = (int)(month < 10 ? month + 3 : month - 9);
	*ret_year = (int)(year_of_era + era * 400 + (*ret_month <= 2));
}

/* `shape`: 'd' stands for a digit, anything else for itself. */
static bool has_shape(const char *text, const char *shape)
{
	for (; *shape != '\0'; text++, shape++)
		if (*shape == 'd' ? *text < '0' || *text > '9' : *text != *shape)
			return false;
	return true;
}

static int number(const char *text, int digits)
{
	int value = 0;

	for (int i = 0; i < digits; i++)
		value = value * 10 + (text[i] - '0');
	return value;
}

enum cs_err cs_time_parse(const char *text, cs_time *ret_time, struct cs_fault *fault)
{
	int year, month, day, hour, minute, second, milli = 0, digits = 0;

	if (text == NULL)
		return cs_fault_set(fault, CS_E_TIME, "", "no time given");
	if (!has_shape(text, "dddd-dd-ddTdd:dd:dd"))
		goto shape;
	const char *rest = text + 19;
	if (*rest == '.') {
		int scale = 100;
		for (rest++; *rest >= '0' && *rest <= '9' && digits < 4;
			rest++, digits++, scale /= 10)
			milli += (*rest - '0') * scale;
		if (digits < 1 || digits > 3)
			return cs_fault_set(fault, CS_E_TIME, "",
				"'%.64s' needs one to three digits of fraction", text);
	}
	if (strcmp(rest, "Z") != 0)
		goto shape;
	year = number(text, 4);
	month = number(text + 5, 2);
	day = number(text + 8, 2);
	hour = number(text + 11, 2);
	minute = number(text + 14, 2);
	second = number(text + 17, 2);
	if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
		return cs_fault_set(
			fault, CS_E_TIME, "", "'%s' names a day that does not exist", text);
	if (hour > 23 || minute > 59 || second > 59)
		return cs_fault_set(
			fault, CS_E_TIME, "", "'%s' names a time of day that does not exist", text);
	if (year < 1970)
		return cs_fault_set(fault, CS_E_TIME, "", "'%s' is before 1970", text);
	*ret_time = days_from_date(year, month, day) * DAY_MS +
		    (((int64_t)hour * 60 + minute) * 60 + second) * 1000 + milli;
	return CS_OK;
shape:
	return cs_fault_set(fault, CS_E_TIME, "", "'%.64s' is not like 2026-01-31T12:00:00Z", text);
}

const char *cs_time_print(cs_time time, char text[CS_TIME_TEXT])
{
	int year, month, day;

	if (time < 0)
		time = 0;
	if (time > CS_TIME_MAX)
		time = CS_TIME_MAX;
	date_from_days(time / DAY_MS, &year, &month, &day);
	int in_day = (int)(time % DAY_MS);
	int second = in_day / 1000;
	int len = snprintf(text, CS_TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day,
		second / 3600, second / 60 % 60, second % 60);
	if (in_day % 1000 != 0)
		snprintf(text + len, (size_t)(CS_TIME_TEXT - len), ".%03dZ", in_day % 1000);
	else
		snprintf(text + len, (size_t)(CS_TIME_TEXT - len), "Z");
	return text;
}

cs_time cs_time_add_seconds(cs_time time, int64_t seconds)
{
	int64_t ms, sum;

	if (__builtin_mul_overflow(seconds, INT64_C(1000), &ms))
		return seconds < 0 ? 0 : CS_TIME_MAX;
	if (__builtin_add_overflow(time, ms, &sum))
		return ms < 0 ? 0 : CS_TIME_MAX;
	if (sum < 0)
		return 0;
	return sum > CS_TIME_MAX ? CS_TIME_MAX : sum;
}
