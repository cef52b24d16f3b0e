#include "schema_node.h"
#include "number.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

bool cs_schema_is_integral(double real)
{
	/* Every double from 2^53 on is an integer; the comparison is false for NaN. */
	if (real >= 9007199254740992.0 || real <= -9007199254740992.0)
		return real - real == 0;
	return real == real && (double)(int64_t)real == real;
}

unsigned cs_schema_types_of(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_NULL:
		return CS_SCHEMA_NULL;
	case JSON_TRUE:
	case JSON_FALSE:
		return CS_SCHEMA_BOOLEAN;
	case JSON_INTEGER:
		return CS_SCHEMA_INTEGER | CS_SCHEMA_NUMBER;
	case JSON_REAL:
		return cs_schema_is_integral(json_real_value(value))
			       ? CS_SCHEMA_INTEGER | CS_SCHEMA_NUMBER
			       : CS_SCHEMA_NUMBER;
	case JSON_STRING:
		return CS_SCHEMA_STRING;
	case JSON_ARRAY:
		return CS_SCHEMA_ARRAY;
	case JSON_OBJECT:
		return CS_SCHEMA_OBJECT;
	}
	return 0;
}

/* An integer against a real: the real's whole part decides, then its fraction. */
static int compare_mixed(json_int_t integer, double real)
{
	json_int_t whole;

	if (real >= 9223372036854775808.0)
		return -1;
	if (real < -9223372036854775808.0)
		return 1;
	whole = (json_int_t)real;
	if (integer != whole)
		return integer < whole ? -1 : 1;
	return (real < (double)whole) - (real > (double)whole);
}

int cs_schema_compare_numbers(const json_t *a, const json_t *b)
{
	if (json_is_integer(a) && json_is_integer(b)) {
		json_int_t x = json_integer_value(a), y = json_integer_value(b);

		return (x > y) - (x < y);
	}
	if (json_is_integer(a))
		return compare_mixed(json_integer_value(a), json_real_value(b));
	if (json_is_integer(b))
		return -compare_mixed(json_integer_value(b), json_real_value(a));
	return (json_real_value(a) > json_real_value(b)) -
	       (json_real_value(a) < json_real_value(b));
}

static bool equal(const json_t *a, const json_t *b, unsigned depth);

static bool equal_objects(const json_t *a, const json_t *b, unsigned depth)
{
	const char *key;
	json_t *value;

	if (json_object_size(a) != json_object_size(b))
		return false;
	/* The macro's iterator takes a json_t * although it only reads. */
	json_object_foreach((json_t *)(uintptr_t)a, key, value)
	{
		const json_t *other = json_object_get(b, key);

		if (other == NULL || !equal(value, other, depth + 1))
			return false;
	}
	return true;
}

static bool equal(const json_t *a, const json_t *b, unsigned depth)
{
	if (depth > CS_JSON_DEPTH_MAX)
		return false;
	if (json_is_number(a) && json_is_number(b))
		return cs_schema_compare_numbers(a, b) == 0;
	if (json_typeof(a) != json_typeof(b))
		return false;
	switch (json_typeof(a)) {
	case JSON_STRING:
		return cs_bytes_equal(json_string_value(a), json_string_length(a),
			json_string_value(b), json_string_length(b));
	case JSON_ARRAY:
		if (json_array_size(a) != json_array_size(b))
			return false;
		for (size_t i = 0; i < json_array_size(a); i++)
			if (!equal(json_array_get(a, i), json_array_get(b, i), depth + 1))
				return false;
		return true;
	case JSON_OBJECT:
		return equal_objects(a, b, depth);
	default:
		return true;
	}
}

bool cs_schema_equal(const json_t *a, const json_t *b)
{
	return equal(a, b, 0);
}

/* `digits` * 10^`exponent`, without trailing zeros; 0 is 0 * 10^0. */
struct decimal {
	uint64_t digits;
	int exponent;
};

static struct decimal strip(uint64_t digits, int exponent)
{
	if (digits == 0)
		return (struct decimal){0, 0};
	while (digits % 10 == 0) {
		digits /= 10;
		exponent++;
	}
	return (struct decimal){digits, exponent};
}

/*
 * A double is taken for the shortest decimal that reads back as it: the number that somebody wrote.
 */
static enum cs_err decimal_of(const json_t *number, struct decimal *ret_decimal)
{
	char text[CS_NUMBER_TEXT];
	uint64_t digits = 0;
	int exponent = 0;
	bool fraction = false;
	enum cs_err err;

	if (json_is_integer(number)) {
		json_int_t value = json_integer_value(number);

		*ret_decimal = strip(value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 0);
		return CS_OK;
	}
	err = cs_number_print(json_real_value(number), text);
	if (err != CS_OK)
		return err;
	for (const char *c = text; *c != '\0'; c++) {
		if (*c == 'e' || *c == 'E') {
			exponent += atoi(c + 1);
			break;
		}
		if (*c == '.') {
			fraction = true;
		} else if (*c >= '0' && *c <= '9') {
			/*
			 * Up to 17 digits matter; the zeros that pad an integer up to 21 digits
			 * would overflow.
			 */
			if (digits > (UINT64_MAX - 9) / 10) {
				exponent += fraction ? 0 : 1;
				continue;
			}
			digits = digits * 10 + (uint64_t)(*c - '0');
			exponent -= fraction ? 1 : 0;
		}
	}
	*ret_decimal = strip(digits, exponent);
	return CS_OK;
}

enum cs_err cs_schema_is_multiple(const json_t *value, const json_t *of, bool *ret_multiple)
{
	struct decimal a = {0}, b = {0};
	unsigned __int128 rest, factor;
	enum cs_err err = decimal_of(value, &a);

	if (err == CS_OK)
		err = decimal_of(of, &b);
	if (err != CS_OK)
		return err;
	if (a.digits == 0 || a.exponent < b.exponent) {
		/*
		 * With a lower exponent `value` would need a trailing zero, and those are stripped.
		 */
		*ret_multiple = a.digits == 0;
		return CS_OK;
	}
	rest = a.digits % b.digits;
	factor = 10 % b.digits;
	for (unsigned n = (unsigned)(a.exponent - b.exponent); n > 0; n >>= 1) {
		if (n & 1)
			rest = rest * factor % b.digits;
		factor = factor * factor % b.digits;
	}
	*ret_multiple = rest == 0;
	return CS_OK;
}

struct printed {
	const uint8_t *bytes;
	size_t from, len;
};

static int compare_printed(const void *left, const void *right)
{
	const struct printed *a = left, *b = right;
	size_t len = a->len < b->len ? a->len : b->len;
	int order = len > 0 ? memcmp(a->bytes, b->bytes, len) : 0;

	return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

enum cs_err cs_schema_all_unique(const json_t *array, bool *ret_unique)
{
	size_t count = json_array_size(array);
	struct cs_bytes text = {0};
	struct printed *forms;
	enum cs_err err = CS_OK;

	if (count < 2) {
		*ret_unique = true;
		return CS_OK;
	}
	forms = calloc(count, sizeof *forms);
	if (forms == NULL)
		return CS_E_NOMEM;
	for (size_t i = 0; i < count && err == CS_OK; i++) {
		forms[i].from = text.len;
		err = cs_canonical_print(json_array_get(array, i), &text);
		forms[i].len = text.len - forms[i].from;
	}
	if (err == CS_OK) {
		/* Only now: the buffer moves while it grows. */
		for (size_t i = 0; i < count; i++)
			forms[i].bytes = text.data + forms[i].from;
		qsort(forms, count, sizeof *forms, compare_printed);
		*ret_unique = true;
		for (size_t i = 1; i < count; i++)
			if (compare_printed(&forms[i - 1], &forms[i]) == 0)
				*ret_unique = false;
	}
	cs_bytes_free(&text);
	free(forms);
	return err;
}
