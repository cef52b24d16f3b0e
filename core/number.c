#include "number.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * Printing is the free-format algorithm of Steele and White in the form of Burger and Dybvig
 * ("Printing Floating-Point Numbers Quickly and Accurately", 1996) on exact integers: the value is
 * r/s, the neighbours' halfway points lie low below and high above it, and digits come out until
 * the rest falls inside that interval. No step rounds, so the result is the shortest and, among the
 * shortest, the closest for every double, powers of two included.
 */

/* The largest value is 2^1077 * 10 (a denormal's scale) or 2^1076 * 10: 1081 bits. */
#define LIMBS 36

struct big {
	uint32_t limb[LIMBS]; /* least significant first */
	int len;	      /* no leading zero limb; 0 is the number zero */
};

static void big_multiply(struct big *b, uint32_t factor)
{
	uint64_t carry = 0;

	for (int i = 0; i < b->len; i++) {
		carry += (uint64_t)b->limb[i] * factor;
		b->limb[i] = (uint32_t)carry;
		carry >>= 32;
	}
	if (carry != 0)
		b->limb[b->len++] = (uint32_t)carry;
}

static void big_multiply_power10(struct big *b, int power)
{
	for (; power >= 9; power -= 9)
		big_multiply(b, 1000000000);
	for (; power > 0; power--)
		big_multiply(b, 10);
}

/* value << shift */
static void big_set(struct big *b, uint64_t value, int shift)
{
	memset(b, 0, sizeof *b);
	int at = shift / 32, bits = shift % 32;
	b->limb[at] = (uint32_t)(value << bits);
	b->limb[at + 1] = (uint32_t)(value << bits >> 32);
	if (bits != 0)
		b->limb[at + 2] = (uint32_t)(value >> (64 - bits));
	for (b->len = at + 3; b->len > 0 && b->limb[b->len - 1] == 0;)
		b->len--;
}

static int big_compare(const struct big *a, const struct big *b)
{
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	for (int i = a->len - 1; i >= 0; i--)
		if (a->limb[i] != b->limb[i])
			return a->limb[i] < b->limb[i] ? -1 : 1;
	return 0;
}

static void big_add(const struct big *a, const struct big *b, struct big *sum)
{
	uint64_t carry = 0;
	int len = a->len > b->len ? a->len : b->len;

	for (int i = 0; i < len; i++) {
		carry += (i < a->len ? (uint64_t)a->limb[i] : 0) + (i < b->len ? b->limb[i] : 0);
		sum->limb[i] = (uint32_t)carry;
		carry >>= 32;
	}
	sum->len = len;
	if (carry != 0)
		sum->limb[sum->len++] = (uint32_t)carry;
}

/* a -= b, where a >= b */
static void big_subtract(struct big *a, const struct big *b)
{
	int64_t borrow = 0;

	for (int i = 0; i < a->len; i++) {
		borrow += (int64_t)a->limb[i] - (i < b->len ? b->limb[i] : 0);
		a->limb[i] = (uint32_t)borrow;
		borrow >>= 32;
	}
	while (a->len > 0 && a->limb[a->len - 1] == 0)
		a->len--;
}

/* a + b compared with c */
static int big_compare_sum(const struct big *a, const struct big *b, const struct big *c)
{
	struct big sum;

	big_add(a, b, &sum);
	return big_compare(&sum, c);
}

/*
 * floor(power * log10(2)); exact for every exponent of a double, where no power of two but 1 comes
 * near one of ten.
 */
static int floor_log10_pow2(int power)
{
	int64_t scaled = power * INT64_C(301029995663981);

	return (int)(scaled >= 0
			     ? scaled / INT64_C(1000000000000000)
			     : -((-scaled + INT64_C(999999999999999)) / INT64_C(1000000000000000)));
}

/*
 * Shortest digits of mantissa * 2^exponent, without leading or trailing zeros: the value is
 * 0.DIGITS * 10^*ret_point. Returns how many. `narrow`: the gap to the next lower double is half
 * the gap to the next higher one.
 */
static int shortest_digits(
	uint64_t mantissa, int exponent, bool narrow, char digits[18], int *ret_point)
{
	struct big r, s, low, high;
	/* Reading rounds halves to even, so an even mantissa owns its halfway points. */
	bool even = mantissa % 2 == 0;
	int extra = narrow ? 2 : 1;

	if (exponent >= 0) {
		big_set(&r, mantissa, exponent + extra);
		big_set(&s, 1, extra);
		big_set(&low, 1, exponent);
		big_set(&high, 1, exponent + extra - 1);
	} else {
		big_set(&r, mantissa, extra);
		big_set(&s, 1, extra - exponent);
		big_set(&low, 1, 0);
		big_set(&high, 1, extra - 1);
	}
	int bits = 64 - __builtin_clzll(mantissa);
	int point = floor_log10_pow2(exponent + bits - 1) + 1;
	if (point > 0) {
		big_multiply_power10(&s, point);
	} else {
		big_multiply_power10(&r, -point);
		big_multiply_power10(&low, -point);
		big_multiply_power10(&high, -point);
	}
	/* The estimate is right or one too small. */
	if (big_compare_sum(&r, &high, &s) >= (even ? 0 : 1)) {
		big_multiply(&s, 10);
		point++;
	}

	int count = 0;
	for (;;) {
		char digit = '0';
		big_multiply(&r, 10);
		big_multiply(&low, 10);
		big_multiply(&high, 10);
		for (; big_compare(&r, &s) >= 0; digit++)
			big_subtract(&r, &s);
		bool stop_down = big_compare(&r, &low) < (even ? 1 : 0);
		bool stop_up = big_compare_sum(&r, &high, &s) >= (even ? 0 : 1);
		if (!stop_down && !stop_up) {
			digits[count++] = digit;
			continue;
		}
		if (stop_down && stop_up) {
			/* Both neighbours read back: the closer one, at a tie the even one. */
			int half = big_compare_sum(&r, &r, &s);
			stop_up = half > 0 || (half == 0 && (digit - '0') % 2 != 0);
		}
		digits[count++] = stop_up ? digit + 1 : digit;
		break;
	}
	*ret_point = point;
	return count;
}

/* ECMA-262, Number::toString: `count` digits whose value is 0.DIGITS * 10^point. */
static void lay_out(const char *digits, int count, int point, char *to)
{
	if (point > 21 || point <= -6) {
		int exponent = point - 1;
		*to++ = digits[0];
		if (count > 1) {
			*to++ = '.';
			memcpy(to, digits + 1, (size_t)count - 1);
			to += count - 1;
		}
		*to++ = 'e';
		*to++ = exponent < 0 ? '-' : '+';
		if (exponent < 0)
			exponent = -exponent;
		if (exponent >= 100)
			*to++ = (char)('0' + exponent / 100);
		if (exponent >= 10)
			*to++ = (char)('0' + exponent / 10 % 10);
		*to++ = (char)('0' + exponent % 10);
	} else if (point <= 0) {
		*to++ = '0';
		*to++ = '.';
		for (int i = point; i < 0; i++)
			*to++ = '0';
		memcpy(to, digits, (size_t)count);
		to += count;
	} else {
		for (int i = 0; i < count || i < point; i++) {
			if (i == point)
				*to++ = '.';
			*to++ = i < count ? digits[i] : '0';
		}
	}
	*to = '\0';
}

enum cs_err cs_number_print(double value, char text[CS_NUMBER_TEXT])
{
	char digits[20];
	uint64_t bits;
	int count, point;

	if (!isfinite(value))
		return CS_E_JSON_RANGE;
	memcpy(&bits, &value, sizeof bits);
	if (bits << 1 == 0) {
		memcpy(text, "0", 2);
		return CS_OK;
	}
	char *to = text;
	if (bits >> 63 != 0)
		*to++ = '-';
	double size = fabs(value);
	if (size < 9007199254740992.0 && size == (double)(uint64_t)size) {
		/* Every integer below 2^53 is its own shortest text. */
		count = 0;
		for (uint64_t rest = (uint64_t)size; rest != 0; rest /= 10)
			digits[sizeof digits - (size_t)++count] = (char)('0' + rest % 10);
		lay_out(digits + sizeof digits - (size_t)count, count, count, to);
		return CS_OK;
	}
	uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
	int biased = (int)(bits >> 52 & 2047);
	uint64_t mantissa = biased == 0 ? fraction : fraction | UINT64_C(1) << 52;
	int exponent = (biased == 0 ? 1 : biased) - 1075;
	count = shortest_digits(mantissa, exponent, fraction == 0 && biased > 1, digits, &point);
	lay_out(digits, count, point, to);
	return CS_OK;
}

/*
 * Reading. The literal is handed to strtod() as DIGITSeEXPONENT: without a decimal point no locale
 * plays a part. A halfway point between two doubles has at most 768 significant digits, so beyond
 * DIGITS_MAX only "is anything left" matters, and a literal of a megabyte costs no memory.
 */
#define DIGITS_MAX 800
#define EXPONENT_MAX 100000000

struct literal {
	char text[DIGITS_MAX + 32];
	size_t count;	  /* significant digits kept in `text`, after a '-' if there is one */
	int64_t exponent; /* of the last kept digit */
	bool tail;	  /* a non-zero digit was left out */
	bool integer;	  /* no fraction, no exponent */
};

static void keep_digit(struct literal *l, size_t sign, char digit, bool fraction)
{
	if (l->count == 0 && digit == '0') {
		l->exponent -= fraction;
	} else if (l->count < DIGITS_MAX) {
		l->text[sign + l->count++] = digit;
		l->exponent -= fraction;
	} else {
		l->tail |= digit != '0';
		l->exponent += !fraction;
	}
}

static bool is_digit(const char *at, const char *end)
{
	return at < end && *at >= '0' && *at <= '9';
}

/* The grammar of RFC 8259 section 6; false when the text is no number. */
static bool scan(const char *at, const char *end, struct literal *l)
{
	size_t sign = 0;

	l->integer = true;
	if (at < end && *at == '-') {
		l->text[sign++] = '-';
		at++;
	}
	if (!is_digit(at, end) || (*at == '0' && is_digit(at + 1, end)))
		return false;
	for (; is_digit(at, end); at++)
		keep_digit(l, sign, *at, false);
	if (at < end && *at == '.') {
		l->integer = false;
		if (!is_digit(++at, end))
			return false;
		for (; is_digit(at, end); at++)
			keep_digit(l, sign, *at, true);
	}
	if (at < end && (*at == 'e' || *at == 'E')) {
		int64_t exponent = 0;
		bool negative = false;
		l->integer = false;
		at++;
		if (at < end && (*at == '+' || *at == '-'))
			negative = *at++ == '-';
		if (!is_digit(at, end))
			return false;
		for (; is_digit(at, end); at++)
			if (exponent < EXPONENT_MAX)
				exponent = exponent * 10 + (*at - '0');
		l->exponent += negative ? -exponent : exponent;
	}
	if (l->tail) {
		l->text[sign + l->count++] = '1';
		l->exponent--;
	}
	l->text[sign + l->count] = '\0';
	return at == end;
}

/* "e" and the exponent, where a text ends. */
static void add_exponent(char *to, int64_t exponent)
{
	char digits[24];
	int count = 0;

	*to++ = 'e';
	if (exponent < 0) {
		*to++ = '-';
		exponent = -exponent;
	}
	do
		digits[count++] = (char)('0' + exponent % 10);
	while ((exponent /= 10) != 0);
	while (count > 0)
		*to++ = digits[--count];
	*to = '\0';
}

enum cs_err cs_number_read(const char *text, size_t len, double *ret_value)
{
	struct literal l;
	char canonical[CS_NUMBER_TEXT];
	double value;

	l.count = 0;
	l.exponent = 0;
	l.tail = false;
	if (!scan(text, text + len, &l))
		return CS_E_JSON_SYNTAX;
	if (l.count == 0) {
		value = text[0] == '-' ? -0.0 : 0.0;
	} else {
		int saved = errno;
		add_exponent(l.text + strlen(l.text), l.exponent);
		value = strtod(l.text, NULL);
		errno = saved;
	}
	if (!isfinite(value))
		return CS_E_JSON_RANGE;
	if (l.integer) {
		enum cs_err err = cs_number_print(value, canonical);
		if (err != CS_OK)
			return err;
		if (strlen(canonical) != len || memcmp(canonical, text, len) != 0)
			return CS_E_JSON_INEXACT;
	}
	*ret_value = value;
	return CS_OK;
}
