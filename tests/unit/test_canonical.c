/* JSON read strictly and written in canonical form (RFC 8785). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "canonical.h"

#include <countersign/limits.h>
#include <locale.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX (1024 * 1024)

static json_t *read(const char *text)
{
	struct cs_fault fault = {{0}, {0}};
	json_t *doc = NULL;

	if (cs_json_read(text, strlen(text), MAX, &doc, &fault) != CS_OK)
		fail_msg("%s: %s", text, fault.detail);
	return doc;
}

static void check_form(const char *text, const char *expected)
{
	CS_CLEANUP_JSON json_t *doc = read(text);
	CS_CLEANUP_JSON json_t *again = NULL;
	CS_CLEANUP_BYTES struct cs_bytes form = {0};

	assert_int_equal(cs_canonical_print(doc, &form), CS_OK);
	assert_string_equal((char *)form.data, expected);
	assert_int_equal(cs_json_read_canonical(form.data, form.len, MAX, &again, NULL), CS_OK);
	assert_true(json_equal(doc, again));
	assert_true(cs_json_same(doc, again));
}

static void prints_the_canonical_form(void **state)
{
	(void)state;
	check_form(" [ ] ", "[]");
	check_form("{\t}\r\n", "{}");
	check_form("null", "null");
	check_form("[true,false,null]", "[true,false,null]");
	check_form("\"\"", "\"\"");
	check_form("[-0.0, 1.0, 1e2, 1E-7, 1e21, 0.1, -5]", "[0,1,100,1e-7,1e+21,0.1,-5]");
	check_form("9007199254740992", "9007199254740992");
	check_form("295147905179352830000", "295147905179352830000");
	check_form("{\"b\":1,\"a\":{\"d\":[{\"z\":1,\"y\":2}],\"c\":3}}",
		"{\"a\":{\"c\":3,\"d\":[{\"y\":2,\"z\":1}]},\"b\":1}");
	check_form("{\"\":1,\"aa\":2,\"a\":3,\"B\":4}", "{\"\":1,\"B\":4,\"a\":3,\"aa\":2}");
}

static void escapes_no_more_than_it_must(void **state)
{
	(void)state;
	check_form("\"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f \\u007f\"",
		"\"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f \x7f\"");
	check_form("\"\\\"\\\\\\/<>&'\"", "\"\\\"\\\\/<>&'\"");
	check_form("\"\\u00e9\\u20AC\\ud83d\\uDE02\\u2028\"",
		"\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x82\xe2\x80\xa8\"");
	check_form("\"\xef\xbb\xbf\"", "\"\xef\xbb\xbf\"");
}

/*
 * U+1F602 is D83D DE02 in UTF-16 and so stands before U+E000, U+FB33 and U+FFFD, though it is the
 * larger code point.
 */
static void sorts_by_utf16_units(void **state)
{
	(void)state;
	check_form("{\"\xef\xbf\xbd\":1,\"\xf0\x9f\x98\x82\":2,\"\xee\x80\x80\":3,\"\xed\x9f\xbf\":"
		   "4,\"\xf4\x8f\xbf\xbf\":5,"
		   "\"\xef\xac\xb3\":6,\"\xf0\x90\x80\x80\":7,\"z\":8,\"\xc3\xb6\":9}",
		"{\"z\":8,\"\xc3\xb6\":9,\"\xed\x9f\xbf\":4,\"\xf0\x90\x80\x80\":7,"
		"\"\xf0\x9f\x98\x82\":2,\"\xf4\x8f\xbf\xbf\":5,"
		"\"\xee\x80\x80\":3,\"\xef\xac\xb3\":6,\"\xef\xbf\xbd\":1}");
	check_form("{\"a\xef\xbf\xbd\":1,\"a\xf0\x9f\x98\x82z\":2,\"a\xf0\x9f\x98\x82\":3,\"a\":4}",
		"{\"a\":4,\"a\xf0\x9f\x98\x82\":3,\"a\xf0\x9f\x98\x82z\":2,\"a\xef\xbf\xbd\":1}");
}

static void numbers_settle(void **state)
{
	CS_CLEANUP_JSON json_t *doc =
		read("[1, 1.0, -9007199254740992.0, 9007199254740994, 1.5, {\"a\":2e0}, -0.0]");

	(void)state;
	assert_int_equal(json_typeof(json_array_get(doc, 0)), JSON_INTEGER);
	assert_int_equal(json_typeof(json_array_get(doc, 1)), JSON_INTEGER);
	assert_int_equal(json_typeof(json_array_get(doc, 2)), JSON_INTEGER);
	assert_int_equal(json_typeof(json_array_get(doc, 3)), JSON_REAL);
	assert_int_equal(json_typeof(json_array_get(doc, 4)), JSON_REAL);
	assert_int_equal(json_typeof(json_object_get(json_array_get(doc, 5), "a")), JSON_INTEGER);
	assert_int_equal(json_typeof(json_array_get(doc, 6)), JSON_INTEGER);
	assert_int_equal(json_integer_value(json_array_get(doc, 2)), -INT64_C(9007199254740992));
	CS_CLEANUP_JSON json_t *top = read("7.0");
	assert_int_equal(json_typeof(top), JSON_INTEGER);
	CS_CLEANUP_JSON json_t *real = read("7.5");
	assert_int_equal(json_typeof(real), JSON_REAL);
}

struct refusal {
	const char *text;
	size_t len;
	enum cs_err err;
};

#define TEXT(text) text, sizeof(text) - 1

static void refuses(void **state)
{
	static const struct refusal cases[] = {
		{TEXT("[1,\0 2]"), CS_E_JSON_NUL},
		{TEXT("1\0"), CS_E_JSON_NUL},
		{TEXT("\"\0\""), CS_E_JSON_NUL},
		{TEXT("\xef\xbb\xbf{}"), CS_E_JSON_BOM},
		{TEXT("\xef\xbb\xbf"), CS_E_JSON_BOM},
		{TEXT("\xff\xfe{\0}\0"), CS_E_JSON_UTF8},
		{TEXT("\"\x80\""), CS_E_JSON_UTF8},
		{TEXT("\"\xc0\xaf\""), CS_E_JSON_UTF8},
		{TEXT("\"\xc1\xbf\""), CS_E_JSON_UTF8},
		{TEXT("\"\xe0\x9f\xbf\""), CS_E_JSON_UTF8},
		{TEXT("\"\xf0\x8f\xbf\xbf\""), CS_E_JSON_UTF8},
		{TEXT("\"\xf4\x90\x80\x80\""), CS_E_JSON_UTF8},
		{TEXT("\"\xf5\x80\x80\x80\""), CS_E_JSON_UTF8},
		{TEXT("\"\xc3\""), CS_E_JSON_UTF8},
		{TEXT("\"\xe2\x82"), CS_E_JSON_UTF8},
		{TEXT("{\"\xff\":1}"), CS_E_JSON_UTF8},
		{TEXT("\"\xed\xa0\x80\""), CS_E_JSON_SURROGATE},
		{TEXT("\"\xed\xbf\xbf\""), CS_E_JSON_SURROGATE},
		{TEXT("\"\xed\xa0\xbd\xed\xb8\x82\""), CS_E_JSON_SURROGATE},
		{TEXT("\"\\ud800\""), CS_E_JSON_SURROGATE},
		{TEXT("\"\\uDFFF\""), CS_E_JSON_SURROGATE},
		{TEXT("\"\\ude02\\ud83d\""), CS_E_JSON_SURROGATE},
		{TEXT("\"\\udc00\\udc00\""), CS_E_JSON_SURROGATE},
		{TEXT("\"\\ud83d\\n\""), CS_E_JSON_SURROGATE},
		{TEXT("\"\\ud83dx\""), CS_E_JSON_SURROGATE},
		{TEXT("\"\\ud83d\\ud83d\""), CS_E_JSON_SURROGATE},
		{TEXT("{\"\\ud83d\":1}"), CS_E_JSON_SURROGATE},
		{TEXT("{\"a\":1,\"a\":1}"), CS_E_JSON_DUPLICATE},
		{TEXT("{\"a\":1,\"\\u0061\":2}"), CS_E_JSON_DUPLICATE},
		{TEXT("[{\"b\":{\"\":1,\"x\":2,\"\":3}}]"), CS_E_JSON_DUPLICATE},
		{TEXT("1 2"), CS_E_JSON_TRAILING},
		{TEXT("{}{}"), CS_E_JSON_TRAILING},
		{TEXT("[]]"), CS_E_JSON_TRAILING},
		{TEXT("null,"), CS_E_JSON_TRAILING},
		{TEXT("truefalse"), CS_E_JSON_TRAILING},
		{TEXT("\"a\"\"b\""), CS_E_JSON_TRAILING},
		{TEXT("9007199254740993"), CS_E_JSON_INEXACT},
		{TEXT("[-0]"), CS_E_JSON_INEXACT},
		{TEXT("{\"a\":18446744073709551616}"), CS_E_JSON_INEXACT},
		{TEXT("1e309"), CS_E_JSON_RANGE},
		{TEXT("[-1e999]"), CS_E_JSON_RANGE},
		{TEXT("{\"\\u0000\":1}"), CS_E_JSON_NUL_KEY},
		{TEXT("{\"a\":{\"b\\u0000c\":1}}"), CS_E_JSON_NUL_KEY},
		{TEXT(""), CS_E_JSON_SYNTAX},
		{TEXT(" \n"), CS_E_JSON_SYNTAX},
		{TEXT("["), CS_E_JSON_SYNTAX},
		{TEXT("{"), CS_E_JSON_SYNTAX},
		{TEXT("[1"), CS_E_JSON_SYNTAX},
		{TEXT("[1,"), CS_E_JSON_SYNTAX},
		{TEXT("[1,]"), CS_E_JSON_SYNTAX},
		{TEXT("[,1]"), CS_E_JSON_SYNTAX},
		{TEXT("[1 2]"), CS_E_JSON_SYNTAX},
		{TEXT("[1}"), CS_E_JSON_SYNTAX},
		{TEXT("{\"a\":1]"), CS_E_JSON_SYNTAX},
		{TEXT("{\"a\"}"), CS_E_JSON_SYNTAX},
		{TEXT("{\"a\" 1}"), CS_E_JSON_SYNTAX},
		{TEXT("{\"a\":}"), CS_E_JSON_SYNTAX},
		{TEXT("{\"a\":1,}"), CS_E_JSON_SYNTAX},
		{TEXT("{a:1}"), CS_E_JSON_SYNTAX},
		{TEXT("{1:1}"), CS_E_JSON_SYNTAX},
		{TEXT("{'a':1}"), CS_E_JSON_SYNTAX},
		{TEXT("]"), CS_E_JSON_SYNTAX},
		{TEXT("\"abc"), CS_E_JSON_SYNTAX},
		{TEXT("\"a\nb\""), CS_E_JSON_SYNTAX},
		{TEXT("\"a\tb\""), CS_E_JSON_SYNTAX},
		{TEXT("\"\x1f\""), CS_E_JSON_SYNTAX},
		{TEXT("{\"\x01\":1}"), CS_E_JSON_SYNTAX},
		{TEXT("\"\\"), CS_E_JSON_SYNTAX},
		{TEXT("\"\\x\""), CS_E_JSON_SYNTAX},
		{TEXT("\"\\u12\""), CS_E_JSON_SYNTAX},
		{TEXT("\"\\u12g4\""), CS_E_JSON_SYNTAX},
		{TEXT("\"\\U0041\""), CS_E_JSON_SYNTAX},
		{TEXT("01"), CS_E_JSON_SYNTAX},
		{TEXT("+1"), CS_E_JSON_SYNTAX},
		{TEXT(".5"), CS_E_JSON_SYNTAX},
		{TEXT("[1.]"), CS_E_JSON_SYNTAX},
		{TEXT("-"), CS_E_JSON_SYNTAX},
		{TEXT("NaN"), CS_E_JSON_SYNTAX},
		{TEXT("Infinity"), CS_E_JSON_SYNTAX},
		{TEXT("True"), CS_E_JSON_SYNTAX},
		{TEXT("nul"), CS_E_JSON_SYNTAX},
		{TEXT("// x\n1"), CS_E_JSON_SYNTAX},
		{TEXT("\f1"), CS_E_JSON_SYNTAX},
		{TEXT("\xc2\xa0"
		      "1"),
			CS_E_JSON_SYNTAX},
		{TEXT("[1,\xef\xbb\xbf"
		      "2]"),
			CS_E_JSON_SYNTAX},
	};
	json_t *doc = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct cs_fault fault = {{0}, {0}};
		enum cs_err err = cs_json_read(cases[i].text, cases[i].len, MAX, &doc, &fault);
		if (err != cases[i].err)
			fail_msg("%s: %s", cases[i].text, cs_err_name(err));
		assert_string_not_equal(fault.detail, "");
		assert_int_equal(cs_json_read(cases[i].text, cases[i].len, MAX, &doc, NULL), err);
		assert_null(doc);
	}
}

static void says_where(void **state)
{
	struct cs_fault fault;
	json_t *doc = NULL;

	(void)state;
	assert_int_equal(cs_json_read(TEXT("{\n \"\xc3\xa9\": 1,\n  \"\xe2\x82\xac\": +1}"), MAX,
				 &doc, &fault),
		CS_E_JSON_SYNTAX);
	assert_string_equal(fault.path, "");
	assert_string_equal(fault.detail, "line 3, column 8: no value where one is needed");
	assert_int_equal(
		cs_json_read(TEXT("{\"x\":1,\n\"x\":2}"), MAX, &doc, &fault), CS_E_JSON_DUPLICATE);
	assert_string_equal(fault.detail, "line 2, column 1: the key 'x' occurs twice");
	assert_int_equal(cs_json_read(TEXT("[1, 2]"), 5, &doc, &fault), CS_E_TOO_LARGE);
	assert_string_equal(fault.detail, "6 bytes, at most 5 are allowed");
	assert_null(doc);
	assert_int_equal(cs_json_read(TEXT("[1, 2]"), 6, &doc, &fault), CS_OK);
	cs_json_cleanup(&doc);
}

static void canonical_or_not(void **state)
{
	static const char *const not_canonical[] = {" 1", "1\n", "1.0", "1e2", "{\"b\":1,\"a\":2}",
		"[1, 2]", "\"\\/\"", "\"\\u00e9\"", "\"\\u001F\"", "\"\\u000a\"", "-0.0", "1E21"};
	struct cs_fault fault;
	json_t *doc = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof not_canonical / sizeof *not_canonical; i++) {
		const char *text = not_canonical[i];
		assert_int_equal(cs_json_read_canonical(text, strlen(text), MAX, &doc, &fault),
			CS_E_NOT_CANONICAL);
		assert_null(doc);
	}
	assert_int_equal(
		cs_json_read_canonical(TEXT("[1, 2]"), MAX, &doc, &fault), CS_E_NOT_CANONICAL);
	assert_string_equal(fault.detail, "differs from the canonical form at byte 3");
	assert_int_equal(cs_json_read_canonical(TEXT("{\"a\":1,\"a\":1}"), MAX, &doc, NULL),
		CS_E_JSON_DUPLICATE);
	assert_null(doc);
	assert_int_equal(cs_json_read_canonical(TEXT("{\"a\":[1,2]}"), MAX, &doc, NULL), CS_OK);
	cs_json_cleanup(&doc);
}

static json_t *nested(unsigned depth)
{
	json_t *doc = json_true();

	while (depth-- > 0)
		doc = depth % 2 == 0 ? json_pack("[o]", doc) : json_pack("{s:o}", "a", doc);
	return doc;
}

static void depth_ends_at_64(void **state)
{
	CS_CLEANUP_BYTES struct cs_bytes out = {0}, text = {0};
	json_t *doc = nested(64), *back = NULL;

	(void)state;
	assert_int_equal(cs_canonical_print(doc, &out), CS_OK);
	assert_int_equal(cs_json_read(out.data, out.len, MAX, &back, NULL), CS_OK);
	assert_true(cs_json_same(doc, back));
	cs_json_cleanup(&back);
	cs_json_cleanup(&doc);

	doc = nested(65);
	size_t len = out.len;
	assert_int_equal(cs_canonical_print(doc, &out), CS_E_JSON_DEPTH);
	/* What was there before stays, the beginning of what failed does not. */
	assert_int_equal(out.len, len);
	assert_int_equal(out.data[len], 0);
	char *dumped = json_dumps(doc, 0);
	assert_int_equal(cs_json_read(dumped, strlen(dumped), MAX, &back, NULL), CS_E_JSON_DEPTH);
	assert_null(back);
	free(dumped);
	cs_json_cleanup(&doc);
	/* Empty containers count as well. */
	for (unsigned i = 0; i < 64; i++)
		cs_bytes_add_text(&text, "[");
	cs_bytes_add_text(&text, "{}");
	assert_int_equal(cs_json_read(text.data, text.len, MAX, &back, NULL), CS_E_JSON_DEPTH);
}

static void prints_what_was_made_in_memory(void **state)
{
	CS_CLEANUP_BYTES struct cs_bytes out = {0};
	CS_CLEANUP_JSON json_t *good = json_pack("{s:I,s:f,s:I}", "a",
		(json_int_t)-9007199254740992, "b", 1.0, "c", (json_int_t)1 << 62);
	CS_CLEANUP_JSON json_t *inexact = json_integer(INT64_C(9007199254740993));
	CS_CLEANUP_JSON json_t *largest = json_integer(INT64_MAX);
	CS_CLEANUP_JSON json_t *smallest = json_integer(INT64_MIN);
	CS_CLEANUP_JSON json_t *text = json_string_nocheck("a\xff");
	CS_CLEANUP_JSON json_t *surrogate = json_string_nocheck("\xed\xa0\x80");
	CS_CLEANUP_JSON json_t *key = json_object();

	(void)state;
	json_object_set_new_nocheck(key, "\x80", json_true());
	assert_int_equal(cs_canonical_print(good, &out), CS_OK);
	assert_string_equal(
		(char *)out.data, "{\"a\":-9007199254740992,\"b\":1,\"c\":4611686018427388000}");
	assert_int_equal(cs_canonical_print(inexact, &out), CS_E_JSON_RANGE);
	assert_int_equal(cs_canonical_print(largest, &out), CS_E_JSON_RANGE);
	assert_int_equal(cs_canonical_print(text, &out), CS_E_JSON_UTF8);
	assert_int_equal(cs_canonical_print(surrogate, &out), CS_E_JSON_UTF8);
	assert_int_equal(cs_canonical_print(key, &out), CS_E_JSON_UTF8);
	assert_int_equal(cs_canonical_print(NULL, &out), CS_E_INTERNAL);
	assert_int_equal(cs_bytes_check(&out), CS_OK);
	assert_string_equal(
		(char *)out.data, "{\"a\":-9007199254740992,\"b\":1,\"c\":4611686018427388000}");
	assert_int_equal(cs_canonical_print(smallest, &out), CS_OK);
	assert_false(cs_json_same(inexact, inexact));
	assert_false(cs_json_same(NULL, NULL));
	assert_false(cs_json_same(good, NULL));
}

static void leaves_out_members(void **state)
{
	static const char *const skip[] = {"signature", "signatures", NULL};
	CS_CLEANUP_JSON json_t *doc =
		read("{\"signatures\":[],\"b\":{\"signature\":1},\"signature\":{},\"signatur\":0}");
	CS_CLEANUP_JSON json_t *array = read("[]");
	CS_CLEANUP_BYTES struct cs_bytes out = {0};

	(void)state;
	/* A key that only begins like a name in the list, as seen by strcmp(), is not that name. */
	assert_int_equal(json_object_setn_new(doc, "signature\0x", 11, json_true()), 0);
	assert_int_equal(cs_canonical_print_without(doc, skip, &out), CS_OK);
	assert_string_equal((char *)out.data,
		"{\"b\":{\"signature\":1},\"signatur\":0,\"signature\\u0000x\":true}");
	assert_int_equal(cs_canonical_print_without(array, skip, &out), CS_E_INTERNAL);
	assert_int_equal(cs_canonical_print_without(NULL, skip, &out), CS_E_INTERNAL);
}

static void access_by_type(void **state)
{
	CS_CLEANUP_JSON json_t *doc =
		read("{\"t\":\"x\",\"n\":7,\"r\":7.5,\"z\":\"engineer\\u0000y\",\"o\":{\"a\":[{"
		     "\"k\":\"v\"},"
		     "{\"k\":1},3,\"s\",{\"k\":\"w\",\"i\":2}],\"\":{\"e\":\"f\"}}}");
	const json_t *array = cs_json_at(doc, "o/a");

	(void)state;
	assert_string_equal(cs_json_text(doc, "t"), "x");
	assert_null(cs_json_text(doc, "n"));
	assert_null(cs_json_text(doc, "none"));
	assert_null(cs_json_text(doc, "z"));
	assert_null(cs_json_text(NULL, "t"));
	assert_null(cs_json_text(array, "t"));

	assert_true(json_is_array(array));
	assert_ptr_equal(cs_json_at(doc, "o/a/0"), json_array_get(array, 0));
	assert_string_equal(cs_json_text_at(doc, "o/a/0/k"), "v");
	assert_string_equal(cs_json_text_at(doc, "o/a/3"), "s");
	assert_string_equal(cs_json_text_at(doc, "o//e"), "f");
	static const char *const absent[] = {"o/a/5", "o/a/00", "o/a/-1", "o/a/+0", "o/a/ 0",
		"o/a/", "o/a/1x", "o/b", "t/x", "o/a/0/k/x", "", "/o", "o/",
		"o/a/99999999999999999999", "o/a/4294967296"};
	for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
		assert_null(cs_json_text_at(doc, absent[i]));
	assert_null(cs_json_at(NULL, "a"));
	assert_null(cs_json_text_at(doc, "o/a/1/k"));

	assert_int_equal(cs_json_integer(doc, "n", -1), 7);
	assert_int_equal(cs_json_integer(doc, "r", -1), -1);
	assert_int_equal(cs_json_integer(doc, "t", -1), -1);
	assert_int_equal(cs_json_integer(NULL, "n", -1), -1);

	assert_int_equal(cs_json_integer(cs_json_find(array, "k", "w"), "i", -1), 2);
	assert_null(cs_json_find(array, "k", "u"));
	assert_null(cs_json_find(array, "none", "v"));
	assert_null(cs_json_find(doc, "k", "v"));
	assert_null(cs_json_find(NULL, "k", "v"));
	assert_true(cs_json_has_text(array, "s"));
	assert_false(cs_json_has_text(array, "v"));
	assert_false(cs_json_has_text(NULL, "s"));
	CS_CLEANUP_JSON json_t *hidden = read("[\"engineer\\u0000x\"]");
	assert_false(cs_json_has_text(hidden, "engineer"));
}

static void same_by_canonical_form(void **state)
{
	CS_CLEANUP_JSON json_t *a = json_pack("{s:f,s:[s]}", "x", 1.0, "y", "z");
	CS_CLEANUP_JSON json_t *b = read("{\"y\":[\"z\"],\"x\":1}");
	CS_CLEANUP_JSON json_t *c = read("{\"y\":[\"z\"],\"x\":2}");

	(void)state;
	assert_true(cs_json_same(a, b));
	assert_false(cs_json_same(b, c));
}

static void no_locale_plays_a_part(void **state)
{
	(void)state;
	if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL) {
		print_message("SKIP no locale with a decimal comma is installed\n");
		skip();
	}
	check_form("[1.5,-2.25e-3]", "[1.5,-0.00225]");
	assert_string_equal(localeconv()->decimal_point, ",");
	setlocale(LC_ALL, "C");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_the_canonical_form),
		cmocka_unit_test(escapes_no_more_than_it_must),
		cmocka_unit_test(sorts_by_utf16_units),
		cmocka_unit_test(numbers_settle),
		cmocka_unit_test(refuses),
		cmocka_unit_test(says_where),
		cmocka_unit_test(canonical_or_not),
		cmocka_unit_test(depth_ends_at_64),
		cmocka_unit_test(prints_what_was_made_in_memory),
		cmocka_unit_test(leaves_out_members),
		cmocka_unit_test(access_by_type),
		cmocka_unit_test(same_by_canonical_form),
		cmocka_unit_test(no_locale_plays_a_part),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
