#include "schema_node.h"

struct reader {
	const char *text;
	size_t len, at;
};

static bool digits(struct reader *r, unsigned count, int *ret_value)
{
	int value = 0;

	for (unsigned i = 0; i < count; i++, r->at++) {
		if (r->at >= r->len || r->text[r->at] < '0' || r->text[r->at] > '9')
			return false;
		value = value * 10 + (r->text[r->at] - '0');
	}
	*ret_value = value;
	return true;
}

static bool one_of(struct reader *r, char a, char b)
{
	if (r->at >= r->len || (r->text[r->at] != a && r->text[r->at] != b))
		return false;
	r->at++;
	return true;
}

static int days_in(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

static bool fraction(struct reader *r)
{
	size_t from;

	if (!one_of(r, '.', '.'))
		return true;
	from = r->at;
	while (r->at < r->len && r->text[r->at] >= '0' && r->text[r->at] <= '9')
		r->at++;
	return r->at > from;
}

/* time-offset; `*ret_minutes` is what to take from local time to get UTC. */
static bool offset(struct reader *r, int *ret_minutes)
{
	int hour, minute, sign;

	if (one_of(r, 'Z', 'z')) {
		*ret_minutes = 0;
		return true;
	}
	if (!one_of(r, '+', '-'))
		return false;
	sign = r->text[r->at - 1] == '-' ? -1 : 1;
	if (!digits(r, 2, &hour) || !one_of(r, ':', ':') || !digits(r, 2, &minute))
		return false;
	if (hour > 23 || minute > 59)
		return false;
	*ret_minutes = sign * (hour * 60 + minute);
	return true;
}

/*
 * Section 5.7: a leap second is 23:59:60 UTC at the end of a month. `minutes` is the time in UTC,
 * counted from midnight of the day as written: -1 is the day before, which ends a month when the
 * day written is a first. The day after cannot be reached, as no offset is a whole day.
 */
static bool leap_second(int year, int month, int day, int minutes)
{
	if (minutes == -1)
		return day == 1;
	return minutes == 23 * 60 + 59 && day == days_in(year, month);
}

bool cs_schema_is_date_time(const char *text, size_t len)
{
	struct reader r = {text, len, 0};
	int year, month, day, hour, minute, second, ahead;

	if (!digits(&r, 4, &year) || !one_of(&r, '-', '-') || !digits(&r, 2, &month) ||
		!one_of(&r, '-', '-') || !digits(&r, 2, &day) || !one_of(&r, 'T', 't') ||
		!digits(&r, 2, &hour) || !one_of(&r, ':', ':') || !digits(&r, 2, &minute) ||
		!one_of(&r, ':', ':') || !digits(&r, 2, &second) || !fraction(&r) ||
		!offset(&r, &ahead) || r.at != r.len)
		return false;
	if (month < 1 || month > 12 || day < 1 || day > days_in(year, month) || hour > 23 ||
		minute > 59)
		return false;
	if (second == 60)
		return leap_second(year, month, day, hour * 60 + minute - ahead);
	return second < 60;
}
