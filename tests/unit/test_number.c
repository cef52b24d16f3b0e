/* Numbers in canonical form, there and back (ECMA-262). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "number.h"

#include <locale.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double from_bits(uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof value);
	return value;
}

static uint64_t to_bits(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof bits);
	return bits;
}

/* Each row is a double's bits and what node's String() makes of it. */
static void prints_what_the_file_says(void **state)
{
	FILE *file = fopen("tests/unit/data/numbers.txt", "r");
	char line[128], text[CS_NUMBER_TEXT];
	unsigned rows = 0;
	double value;

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof line, file) != NULL) {
		char *expected = strchr(line, ',');
		assert_non_null(expected);
		*expected++ = '\0';
		expected[strcspn(expected, "\n")] = '\0';
		uint64_t bits = strtoull(line, NULL, 16);
		assert_int_equal(cs_number_print(from_bits(bits), text), CS_OK);
		assert_string_equal(text, expected);
		assert_int_equal(cs_number_read(expected, strlen(expected), &value), CS_OK);
		/* Only -0, which prints as 0, does not come back as it was. */
		assert_true(to_bits(value) == (bits << 1 == 0 ? 0 : bits));
		rows++;
	}
	fclose(file);
	assert_in_range(rows, 300, 10000);
}

static void refuses_what_is_not_finite(void **state)
{
	char text[CS_NUMBER_TEXT] = "kept";

	(void)state;
	assert_int_equal(cs_number_print(INFINITY, text), CS_E_JSON_RANGE);
	assert_int_equal(cs_number_print(-INFINITY, text), CS_E_JSON_RANGE);
	assert_int_equal(cs_number_print(NAN, text), CS_E_JSON_RANGE);
	assert_string_equal(text, "kept");
}

/* A decimal as digits without leading or trailing zeros, times ten to a power. */
struct decimal {
	char digits[32];
	int exponent;
};

static struct decimal parse(const char *text)
{
	struct decimal d = {{0}, 0};
	int count = 0;
	bool fraction = false;

	for (; *text != '\0' && *text != 'e'; text++) {
		if (*text == '.')
			fraction = true;
		if (*text < '0' || *text > '9')
			continue;
		d.exponent -= fraction;
		if (count > 0 || *text != '0')
			d.digits[count++] = *text;
	}
	if (*text == 'e')
		d.exponent += atoi(text + 1);
	for (; count > 0 && d.digits[count - 1] == '0'; d.exponent++)
		d.digits[--count] = '\0';
	return d;
}

/*
 * The text of `digits` digits that is closest to `value`: glibc prints exactly, and takes the even
 * digit at a tie.
 */
static struct decimal closest(double value, int digits)
{
	char text[64];

	snprintf(text, sizeof text, "%.*e", digits - 1, fabs(value));
	return parse(text);
}

static bool reads_back(unsigned long long mantissa, int exponent, uint64_t bits)
{
	char text[64];

	snprintf(text, sizeof text, "%llue%d", mantissa, exponent);
	return to_bits(strtod(text, NULL)) == (bits & ~(UINT64_C(1) << 63));
}

/*
 * Shortest: the closest text with one digit less does not read back, nor do those next to it on
 * either side.
 */
static bool is_shortest(double value, int digits)
{
	struct decimal c;

	if (digits == 1)
		return true;
	c = closest(value, digits - 1);
	/*
	 * Back to exactly digits - 1 digits, so that the neighbours are one unit of that length
	 * away.
	 */
	unsigned long long mantissa = strtoull(c.digits, NULL, 10);
	for (int have = (int)strlen(c.digits); have < digits - 1; have++, c.exponent--)
		mantissa *= 10;
	return !reads_back(mantissa, c.exponent, to_bits(value)) &&
	       !reads_back(mantissa - 1, c.exponent, to_bits(value)) &&
	       !reads_back(mantissa + 1, c.exponent, to_bits(value));
}

static void check(uint64_t bits, bool shortest)
{
	double value = from_bits(bits), again;
	char text[CS_NUMBER_TEXT];

	if (cs_number_print(value, text) != CS_OK)
		fail_msg("%016llx is refused", (unsigned long long)bits);
	if (to_bits(strtod(text, NULL)) != bits)
		fail_msg("%016llx prints as %s", (unsigned long long)bits, text);
	if (cs_number_read(text, strlen(text), &again) != CS_OK || to_bits(again) != bits)
		fail_msg("%s is not read as %016llx", text, (unsigned long long)bits);
	if (!shortest)
		return;
	struct decimal printed = parse(text);
	int digits = (int)strlen(printed.digits);
	struct decimal best = closest(value, digits);
	if (!is_shortest(value, digits))
		fail_msg("%016llx prints as %s, fewer digits do", (unsigned long long)bits, text);
	if (reads_back(strtoull(best.digits, NULL, 10), best.exponent, bits) &&
		(strcmp(best.digits, printed.digits) != 0 || best.exponent != printed.exponent))
		fail_msg("%016llx prints as %s, %se%d is closer", (unsigned long long)bits, text,
			best.digits, best.exponent);
}

static void powers_of_two(void **state)
{
	(void)state;
	for (int exponent = -1074; exponent <= 1023; exponent++) {
		uint64_t bits = to_bits(ldexp(1, exponent));
		check(bits, true);
		check(bits + 1, true);
		check(bits | UINT64_C(1) << 63, true);
		if (bits > 1)
			check(bits - 1, true);
	}
}

static void a_million_doubles(void **state)
{
	uint64_t random = UINT64_C(88172645463325252);

	(void)state;
	for (unsigned i = 0; i < 1000000;) {
		/* xorshift64 (Marsaglia 2003): the same numbers on every machine. */
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		if (!isfinite(from_bits(random)))
			continue;
		check(random, i % 8 == 0);
		i++;
	}
}

struct literal {
	const char *text;
	enum cs_err err;
	double value;
};

static void reads_literals(void **state)
{
	static const struct literal cases[] = {
		{"0", CS_OK, 0},
		{"1", CS_OK, 1},
		{"-1", CS_OK, -1},
		{"1.0", CS_OK, 1},
		{"-0.0", CS_OK, -0.0},
		{"-0e7", CS_OK, -0.0},
		{"1e2", CS_OK, 100},
		{"1E+2", CS_OK, 100},
		{"12.5e-1", CS_OK, 1.25},
		{"1e-400", CS_OK, 0},
		{"2.4703282292062327e-324", CS_OK, 0},
		{"2.4703282292062328e-324", CS_OK, 5e-324},
		{"1.7976931348623158e308", CS_OK, 1.7976931348623157e308},
		{"9007199254740992", CS_OK, 9007199254740992.0},
		{"9007199254740993.0", CS_OK, 9007199254740992.0},
		{"9007199254740994", CS_OK, 9007199254740994.0},
		{"295147905179352830000", CS_OK, 295147905179352830000.0},
		{"0e99999999999999999999", CS_OK, 0},
		{"1e-99999999999999999999", CS_OK, 0},
		{"-0", CS_E_JSON_INEXACT, 0},
		{"9007199254740993", CS_E_JSON_INEXACT, 0},
		{"-9007199254740993", CS_E_JSON_INEXACT, 0},
		{"295147905179352825856", CS_E_JSON_INEXACT, 0},
		{"1000000000000000000000", CS_E_JSON_INEXACT, 0},
		{"18446744073709551615", CS_E_JSON_INEXACT, 0},
		{"1.7976931348623159e308", CS_E_JSON_RANGE, 0},
		{"-1e309", CS_E_JSON_RANGE, 0},
		{"1e99999999999999999999", CS_E_JSON_RANGE, 0},
		{"", CS_E_JSON_SYNTAX, 0},
		{"-", CS_E_JSON_SYNTAX, 0},
		{"+1", CS_E_JSON_SYNTAX, 0},
		{"01", CS_E_JSON_SYNTAX, 0},
		{"-01", CS_E_JSON_SYNTAX, 0},
		{".5", CS_E_JSON_SYNTAX, 0},
		{"1.", CS_E_JSON_SYNTAX, 0},
		{"1.e5", CS_E_JSON_SYNTAX, 0},
		{"1e", CS_E_JSON_SYNTAX, 0},
		{"1e+", CS_E_JSON_SYNTAX, 0},
		{"1e1.5", CS_E_JSON_SYNTAX, 0},
		{"0x10", CS_E_JSON_SYNTAX, 0},
		{"1 ", CS_E_JSON_SYNTAX, 0},
		{" 1", CS_E_JSON_SYNTAX, 0},
		{"1,5", CS_E_JSON_SYNTAX, 0},
		{"NaN", CS_E_JSON_SYNTAX, 0},
		{"Infinity", CS_E_JSON_SYNTAX, 0},
		{"1-2", CS_E_JSON_SYNTAX, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		double value = 42;
		enum cs_err err = cs_number_read(cases[i].text, strlen(cases[i].text), &value);
		if (err != cases[i].err)
			fail_msg("%s: %s", cases[i].text, cs_err_name(err));
		assert_true(to_bits(value) == to_bits(err == CS_OK ? cases[i].value : 42));
	}
}

/* The length rules, not a terminator: what follows the literal plays no part. */
static void reads_no_further_than_told(void **state)
{
	double value = 0;

	(void)state;
	assert_int_equal(cs_number_read("1234", 2, &value), CS_OK);
	assert_true(value == 12);
	assert_int_equal(cs_number_read("1e5", 2, &value), CS_E_JSON_SYNTAX);
	assert_int_equal(cs_number_read("1.5", 3, &value), CS_OK);
	assert_true(value == 1.5);
}

static uint64_t read_bits(const char *text, size_t len)
{
	double value = -1;

	assert_int_equal(cs_number_read(text, len, &value), CS_OK);
	return to_bits(value);
}

/* Halfway between two doubles, decided by the last of a million digits. */
static void long_literals(void **state)
{
	static char text[1024 * 1024];
	const size_t len = sizeof text;
	double value = 42;

	(void)state;
	memset(text, '0', len);
	memcpy(text, "9007199254740993.", 17);
	assert_true(read_bits(text, len) == to_bits(9007199254740992.0));
	text[len - 1] = '1';
	assert_true(read_bits(text, len) == to_bits(9007199254740994.0));

	memset(text, '1', len);
	assert_int_equal(cs_number_read(text, len, &value), CS_E_JSON_RANGE);
	memset(text, '0', len);
	assert_int_equal(cs_number_read(text, len, &value), CS_E_JSON_SYNTAX);
	text[1] = '.';
	assert_true(read_bits(text, len) == 0);
	/* A million places down and as many up again. */
	int tail = snprintf(text + len - 16, 16, "1e%zu", len - 17);
	assert_in_range(tail, 8, 15);
	assert_true(read_bits(text, len - 16 + (size_t)tail) == to_bits(1));
}

/*
 * The longest halfway points have 768 significant digits; a long double holds them exactly, and
 * glibc prints it exactly.
 */
static void longest_halfway_points(void **state)
{
	const uint64_t smallest_normal = UINT64_C(0x0010000000000000);
	char text[2000];

	(void)state;
	for (uint64_t bits = smallest_normal - 3; bits < smallest_normal + 3; bits++) {
		long double half =
			((long double)from_bits(bits) + (long double)from_bits(bits + 1)) / 2;
		size_t len = (size_t)snprintf(text, sizeof text, "%.1075Lf", half);
		assert_int_equal(len, 1077);
		assert_int_equal(text[len - 1], '5');
		assert_true(read_bits(text, len) == bits + bits % 2);
		text[len - 1] = '4';
		assert_true(read_bits(text, len) == bits);
		text[len - 1] = '5';
		memset(text + len, '0', 900);
		assert_true(read_bits(text, len + 900) == bits + bits % 2);
		text[len + 899] = '1';
		assert_true(read_bits(text, len + 900) == bits + 1);
	}
}

static void no_locale_plays_a_part(void **state)
{
	static const char *const names[] = {
		"de_DE.UTF-8", "fr_FR.UTF-8", "nl_NL.UTF-8", "pt_BR.UTF-8"};
	char text[CS_NUMBER_TEXT];
	unsigned tried = 0;

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (setlocale(LC_ALL, names[i]) == NULL)
			continue;
		assert_true(strtod("1,5", NULL) == 1.5);
		assert_int_equal(cs_number_print(1.5, text), CS_OK);
		assert_string_equal(text, "1.5");
		assert_true(read_bits("1.5", 3) == to_bits(1.5));
		tried++;
	}
	setlocale(LC_ALL, "C");
	if (tried == 0) {
		print_message("SKIP no locale with a decimal comma is installed\n");
		skip();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_what_the_file_says),
		cmocka_unit_test(refuses_what_is_not_finite),
		cmocka_unit_test(powers_of_two),
		cmocka_unit_test(a_million_doubles),
		cmocka_unit_test(reads_literals),
		cmocka_unit_test(reads_no_further_than_told),
		cmocka_unit_test(long_literals),
		cmocka_unit_test(longest_halfway_points),
		cmocka_unit_test(no_locale_plays_a_part),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
