#include "canonical.h"
#include "number.h"
#include "utf8.h"

#include <countersign/limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct member {
	const char *key;
	size_t len;
	const json_t *value;
};

/*
 * RFC 8785 sorts by UTF-16 code units. The order of UTF-8 bytes is the same but for one thing: what
 * UTF-16 writes with surrogates (first byte F0 and up) comes before U+E000 to U+FFFF (first byte EE
 * or EF).
 */
static int unit_order(unsigned char c)
{
	return c == 0xee || c == 0xef ? c + 0x10 : c;
}

static int compare_members(const void *left, const void *right)
{
	const struct member *a = left, *b = right;
	size_t len = a->len < b->len ? a->len : b->len;

	if (memcmp(a->key, b->key, len) == 0)
		return (a->len > b->len) - (a->len < b->len);
	size_t i = 0;
	while (a->key[i] == b->key[i])
		i++;
	return unit_order((unsigned char)a->key[i]) - unit_order((unsigned char)b->key[i]);
}

static enum cs_err print_string(const char *text, size_t len, struct cs_bytes *out)
{
	static const char shorts[] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
	size_t from = 0, plain = 0;

	/* Most strings are written as they are. */
	while (plain < len && text[plain] >= 0x20 && text[plain] < 0x7f && text[plain] != '"' &&
		text[plain] != '\\')
		plain++;
	if (plain == len) {
		cs_bytes_add(out, "\"", 1);
		cs_bytes_add(out, text, len);
		return cs_bytes_add(out, "\"", 1);
	}
	/* A document made in memory may hold anything. */
	if (cs_utf8_valid(text, len) != len)
		return CS_E_JSON_UTF8;
	cs_bytes_add(out, "\"", 1);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		char escape[7] = {'\\', (char)c};
		size_t size = 2;
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		if (c < sizeof shorts && shorts[c] != 0) {
			escape[1] = shorts[c];
		} else if (c < 0x20) {
			memcpy(escape, "\\u00", 4);
			cs_hex_encode(&c, 1, escape + 4);
			size = 6;
		}
		cs_bytes_add(out, text + from, i - from);
		cs_bytes_add(out, escape, size);
		from = i + 1;
	}
	cs_bytes_add(out, text + from, len - from);
	cs_bytes_add(out, "\"", 1);
	return cs_bytes_check(out);
}

static enum cs_err print_real(double value, struct cs_bytes *out)
{
	char text[CS_NUMBER_TEXT];
	enum cs_err err = cs_number_print(value, text);

	return err != CS_OK ? err : cs_bytes_add_text(out, text);
}

/* A JSON number is a double: an integer that no double holds has no canonical form. */
static enum cs_err print_integer(json_int_t value, struct cs_bytes *out)
{
	double real = (double)value;

	if (real >= 9223372036854775808.0 || (json_int_t)real != value)
		return CS_E_JSON_RANGE;
	return print_real(real, out);
}

static bool listed(const struct member *member, const char *const *list)
{
	for (; list != NULL && *list != NULL; list++)
		if (cs_bytes_equal(member->key, member->len, *list, strlen(*list)))
			return true;
	return false;
}

static enum cs_err print_value(
	const json_t *value, unsigned depth, const char *const *skip, struct cs_bytes *out);

static enum cs_err print_members(
	const struct member *members, size_t count, unsigned depth, struct cs_bytes *out)
{
	cs_bytes_add(out, "{", 1);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			cs_bytes_add(out, ",", 1);
		enum cs_err err = print_string(members[i].key, members[i].len, out);
		if (err != CS_OK)
			return err;
		cs_bytes_add(out, ":", 1);
		err = print_value(members[i].value, depth, NULL, out);
		if (err != CS_OK)
			return err;
	}
	return cs_bytes_add(out, "}", 1);
}

static enum cs_err print_object(
	const json_t *object, unsigned depth, const char *const *skip, struct cs_bytes *out)
{
	size_t size = json_object_size(object), count = 0;
	struct member *members = calloc(size + 1, sizeof *members);
	/* jansson's iterators take a plain pointer only; nothing here changes the object. */
	json_t *plain = (json_t *)(uintptr_t)object;

	if (members == NULL)
		return CS_E_NOMEM;
	for (void *at = json_object_iter(plain); at != NULL && count < size;
		at = json_object_iter_next(plain, at)) {
		members[count].key = json_object_iter_key(at);
		members[count].len = json_object_iter_key_len(at);
		members[count].value = json_object_iter_value(at);
		if (!listed(&members[count], skip))
			count++;
	}
	qsort(members, count, sizeof *members, compare_members);
	enum cs_err err = print_members(members, count, depth, out);
	free(members);
	return err;
}

static enum cs_err print_array(const json_t *array, unsigned depth, struct cs_bytes *out)
{
	cs_bytes_add(out, "[", 1);
	for (size_t i = 0; i < json_array_size(array); i++) {
		if (i > 0)
			cs_bytes_add(out, ",", 1);
		enum cs_err err = print_value(json_array_get(array, i), depth, NULL, out);
		if (err != CS_OK)
			return err;
	}
	return cs_bytes_add(out, "]", 1);
}

/* `depth`: how many containers are open around `value`. */
static enum cs_err print_value(
	const json_t *value, unsigned depth, const char *const *skip, struct cs_bytes *out)
{
	if (value == NULL)
		return CS_E_INTERNAL;
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return depth >= CS_JSON_DEPTH_MAX ? CS_E_JSON_DEPTH
						  : print_object(value, depth + 1, skip, out);
	case JSON_ARRAY:
		return depth >= CS_JSON_DEPTH_MAX ? CS_E_JSON_DEPTH
						  : print_array(value, depth + 1, out);
	case JSON_STRING:
		return print_string(json_string_value(value), json_string_length(value), out);
	case JSON_INTEGER:
		return print_integer(json_integer_value(value), out);
	case JSON_REAL:
		return print_real(json_real_value(value), out);
	case JSON_TRUE:
		return cs_bytes_add_text(out, "true");
	case JSON_FALSE:
		return cs_bytes_add_text(out, "false");
	case JSON_NULL:
		return cs_bytes_add_text(out, "null");
	}
	return CS_E_INTERNAL;
}

/* A refusal leaves what was in `out` before as it was. */
static enum cs_err print(const json_t *doc, const char *const *skip, struct cs_bytes *out)
{
	size_t before = out->len;
	enum cs_err err = print_value(doc, 0, skip, out);

	if (err != CS_OK && out->data != NULL) {
		out->len = before;
		out->data[before] = '\0';
	}
	return err;
}

enum cs_err cs_canonical_print(const json_t *doc, struct cs_bytes *out)
{
	return print(doc, NULL, out);
}

enum cs_err cs_canonical_print_without(
	const json_t *doc, const char *const *skip, struct cs_bytes *out)
{
	return json_is_object(doc) ? print(doc, skip, out) : CS_E_INTERNAL;
}

bool cs_json_same(const json_t *a, const json_t *b)
{
	CS_CLEANUP_BYTES struct cs_bytes left = {0};
	CS_CLEANUP_BYTES struct cs_bytes right = {0};

	return cs_canonical_print(a, &left) == CS_OK && cs_canonical_print(b, &right) == CS_OK &&
	       cs_bytes_equal(left.data, left.len, right.data, right.len);
}
