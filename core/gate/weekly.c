/* The weekly window of a purpose grant. */
#include "checks.h"

#include <string.h>

/* Monday is bit 0. 1970-01-01 was a Thursday. */
static const char days[7][3] = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};

static bool read_days(const char *text, size_t len, uint32_t *set)
{
	for (;;) {
		size_t day = 0;

		if (len < 2)
			return false;
		while (day < 7 && memcmp(text, days[day], 2) != 0)
			day++;
		if (day == 7)
			return false;
		*set |= UINT32_C(1) << day;
		text += 2;
		len -= 2;
		if (len == 0)
			return true;
		if (*text != ',')
			return false;
		text++;
		len--;
	}
}

static bool read_hours(const char *text, size_t len, uint32_t *set)
{
	for (;;) {
		unsigned hour = 0;
		size_t digits = 0;

		while (digits < 2 && digits < len && text[digits] >= '0' && text[digits] <= '9')
			hour = hour * 10 + (unsigned)(text[digits++] - '0');
		if (digits == 0 || hour > 23)
			return false;
		*set |= UINT32_C(1) << hour;
		text += digits;
		len -= digits;
		if (len == 0)
			return true;
		if (*text != ',')
			return false;
		text++;
		len--;
	}
}

enum cs_weekly cs_weekly_window(const char *rule, cs_time now)
{
	int64_t hours = now / 3600000;
	uint32_t day_set = 0, hour_set = 0;
	bool weekly = false;

	while (*rule != '\0') {
		size_t len = strcspn(rule, ";");

		if (len == 11 && memcmp(rule, "FREQ=WEEKLY", 11) == 0 && !weekly)
			weekly = true;
		else if (len > 6 && memcmp(rule, "BYDAY=", 6) == 0 && day_set == 0) {
			if (!read_days(rule + 6, len - 6, &day_set))
				return CS_WEEKLY_UNKNOWN;
		} else if (len > 7 && memcmp(rule, "BYHOUR=", 7) == 0 && hour_set == 0) {
			if (!read_hours(rule + 7, len - 7, &hour_set))
				return CS_WEEKLY_UNKNOWN;
		} else
			return CS_WEEKLY_UNKNOWN;
		rule += len;
		if (*rule == ';' && *++rule == '\0')
			return CS_WEEKLY_UNKNOWN;
	}
	/* Without BYDAY the rule recurs on the weekday of a start that a grant does not name. */
	if (!weekly || day_set == 0)
		return CS_WEEKLY_UNKNOWN;
	if ((day_set >> ((hours / 24 + 3) % 7) & 1) == 0)
		return CS_WEEKLY_OUTSIDE;
	return hour_set == 0 || (hour_set >> (hours % 24) & 1) != 0 ? CS_WEEKLY_INSIDE
								    : CS_WEEKLY_OUTSIDE;
}
