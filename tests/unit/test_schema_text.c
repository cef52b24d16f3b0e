/* What the validator does with text: URIs, JSON pointers, patterns and dates. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "schema_node.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static void test_uri_resolution(void **state)
{
	/* RFC 3986 section 5.4, both lists, against this base. */
	static const char base[] = "http://a/b/c/d;p?q";
	static const struct {
		const char *reference;
		const char *target;
	} examples[] = {
		{"g:h", "g:h"},
		{"g", "http://a/b/c/g"},
		{"./g", "http://a/b/c/g"},
		{"g/", "http://a/b/c/g/"},
		{"/g", "http://a/g"},
		{"//g", "http://g"},
		{"?y", "http://a/b/c/d;p?y"},
		{"g?y", "http://a/b/c/g?y"},
		{"#s", "http://a/b/c/d;p?q#s"},
		{"g#s", "http://a/b/c/g#s"},
		{"g?y#s", "http://a/b/c/g?y#s"},
		{";x", "http://a/b/c/;x"},
		{"g;x", "http://a/b/c/g;x"},
		{"g;x?y#s", "http://a/b/c/g;x?y#s"},
		{"", "http://a/b/c/d;p?q"},
		{".", "http://a/b/c/"},
		{"./", "http://a/b/c/"},
		{"..", "http://a/b/"},
		{"../", "http://a/b/"},
		{"../g", "http://a/b/g"},
		{"../..", "http://a/"},
		{"../../", "http://a/"},
		{"../../g", "http://a/g"},
		{"../../../g", "http://a/g"},
		{"../../../../g", "http://a/g"},
		{"/./g", "http://a/g"},
		{"/../g", "http://a/g"},
		{"g.", "http://a/b/c/g."},
		{".g", "http://a/b/c/.g"},
		{"g..", "http://a/b/c/g.."},
		{"..g", "http://a/b/c/..g"},
		{"./../g", "http://a/b/g"},
		{"./g/.", "http://a/b/c/g/"},
		{"g/./h", "http://a/b/c/g/h"},
		{"g/../h", "http://a/b/c/h"},
		{"g;x=1/./y", "http://a/b/c/g;x=1/y"},
		{"g;x=1/../y", "http://a/b/c/y"},
		{"g?y/./x", "http://a/b/c/g?y/./x"},
		{"g?y/../x", "http://a/b/c/g?y/../x"},
		{"g#s/./x", "http://a/b/c/g#s/./x"},
		{"g#s/../x", "http://a/b/c/g#s/../x"},
		{"http:g", "http:g"},
	};
	static const struct {
		const char *base;
		const char *reference;
		const char *target;
	} others[] = {
		{"", "a/b.json", "a/b.json"},
		{"a/b.json", "c.json#/x", "a/c.json#/x"},
		{"urn:x:y", "#/z", "urn:x:y#/z"},
		{"http://a", "b", "http://a/b"},
		{"a", "", "a"},
		{"", "1a:b", "1a:b"},
		{"", "../a", "a"},
		{"", "..", ""},
		{"", ".", ""},
	};
	char too_long[CS_SCHEMA_URI_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
		CS_CLEANUP_BYTES struct cs_bytes out = {0};

		assert_int_equal(cs_schema_uri_resolve(base, examples[i].reference, &out), CS_OK);
		assert_string_equal((char *)out.data, examples[i].target);
	}
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		CS_CLEANUP_BYTES struct cs_bytes out = {0};

		assert_int_equal(
			cs_schema_uri_resolve(others[i].base, others[i].reference, &out), CS_OK);
		assert_string_equal(out.data != NULL ? (char *)out.data : "", others[i].target);
	}
	CS_CLEANUP_BYTES struct cs_bytes out = {0};
	memset(too_long, 'a', sizeof too_long);
	too_long[CS_SCHEMA_URI_MAX + 1] = '\0';
	assert_int_equal(cs_schema_uri_resolve("", too_long, &out), CS_E_SCHEMA_INVALID);
	too_long[CS_SCHEMA_URI_MAX - 3] = '\0';
	assert_int_equal(cs_schema_uri_resolve("", too_long, &out), CS_OK);
	assert_int_equal(cs_schema_uri_resolve("http://a/", too_long, &out), CS_E_SCHEMA_INVALID);
}

static void test_fragments_and_pointers(void **state)
{
	CS_CLEANUP_BYTES struct cs_bytes out = {0};

	(void)state;
	assert_int_equal(cs_schema_uri_decode("/a%20b%C3%A4%7e", &out), CS_OK);
	assert_string_equal((char *)out.data, "/a b\u00e4~");
	assert_int_equal(cs_schema_uri_decode("%4", &out), CS_E_SCHEMA_INVALID);
	assert_int_equal(cs_schema_uri_decode("%", &out), CS_E_SCHEMA_INVALID);
	assert_int_equal(cs_schema_uri_decode("%g0", &out), CS_E_SCHEMA_INVALID);
	assert_int_equal(cs_schema_uri_decode("%00", &out), CS_E_SCHEMA_INVALID);

	CS_CLEANUP_BYTES struct cs_bytes pointer = {0};
	assert_int_equal(cs_schema_pointer_add(&pointer, "a/b~c"), CS_OK);
	assert_int_equal(cs_schema_pointer_add(&pointer, ""), CS_OK);
	assert_string_equal((char *)pointer.data, "/a~1b~0c/");
}

/* The first text matches, the second does not; NULL leaves one out. */
static const struct {
	const char *pattern;
	const char *yes;
	const char *no;
} matches[] = {
	{"^a$", "a", "a\n"},
	{"^[^b]$", "\n", "b"},
	{"a.c", "abc", "a\nc"},
	{"^.$", "\U0001f512", "\u2028"},
	{"^.$", "\xc2\x85", "\r"},
	{"^\\d+$", "0123456789", "\u0661"},
	{"^\\D$", "\u0661", "1"},
	{"^\\w+$", "aZ_9", "\u00e4"},
	{"^\\W$", "\u00e4", "_"},
	{"^\\s+$", " \t\n\v\f\r\u00a0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000\ufeff",
		"\u200b"},
	{"^\\S$", "\u180e", "\ufeff"},
	{"^[\\s]$", "\u00a0", "a"},
	{"^[^\\s]$", "a", "\u00a0"},
	{"^[\\S]$", "a", "\u2003"},
	{"^[^\\S]$", "\u2003", "a"},
	{"^[\\D5]+$", "5a", "4"},
	{"^[\\W_]+$", "_ ", "a"},
	{"\\bon\\b", "on\u00e4", "upon"},
	{"n\\B", "no", "n"},
	{"^[\\b]$", "\b", "b"},
	{"^\\t\\n\\v\\f\\r$", "\t\n\v\f\r", "tnvfr"},
	{"^\\cJ\\cj$", "\n\n", "cJcj"},
	{"^\\xAf$", "\u00af", "f"},
	{"^\\x41\\u0042\\u{43}\\u{1F512}\\uD83D\\uDD12$", "ABC\U0001f512\U0001f512", "ABC"},
	{"^[\\uD83D\\uDD12-\\uD83D\\uDD13]$", "\U0001f513", "\U0001f514"},
	{"^\\.\\*\\/\\-\\\\$", ".*/-\\", "aa/-\\"},
	{"^[.*+?(){}|^$-]+$", "-.*+?(){}|^$", "a"},
	{"^[[:alpha:]\\]$", ":]", "b"},
	{"^[[a]$", "[", "b"},
	{"^[a-]$", "-", "b"},
	{"^[-a]$", "-", "b"},
	{"^[+--]$", ",", "/"},
	{"[]", NULL, "a"},
	{"^[^]$", "\n", ""},
	{"^a|b$", "ax", "xa"},
	{"^(?:ab)+(c)?(?<name>d)*$", "ababcdd", "aab"},
	{"^a(?=b)", "ab", "ac"},
	{"^a(?!b)", "ac", "ab"},
	{"(?<=a)b", "ab", "cb"},
	{"(?<!a)b", "cb", "ab"},
	{"^a{2}b{1,}c{0,1}d*?e+?f??$", "aabde", "abde"},
	{"^\\p{L}\\p{Letter}\\p{gc=Lu}\\p{General_Category=Decimal_Number}$", "aaA1", "aaa1"},
	{"^\\P{L}$", "1", "a"},
	{"^[\\p{Lu}\\d]+$", "\u00c41", "\u00e4"},
	{"^[^\\p{Lu}]$", "a", "A"},
	{"^[\\P{Lu}]$", "a", "A"},
	{"^\\p{Script=Greek}\\p{sc=Grek}$", "\u03b1\u03b2", "ab"},
	{"^\\p{scx=Hira}$", "\u30fc", "a"},
	{"^\\p{Script_Extensions=Hiragana}$", "\u3042", "a"},
	{"^\\p{Alphabetic}\\p{Lowercase}\\p{Upper}\\p{White_Space}\\p{ASCII}\\p{Any}$",
		"aaA a\u00e4", "aaa aa"},
	{"^\\p{LC}$", "a", "\u4e2d"},
	{"", "", NULL},
	{"^$", "", "a"},
	{"#  x", "#  x", "#x"},
	{"^\\0$", NULL, "0"},
	{"\u00e4+$", "x\u00e4\u00e4", "x"},
	{"\U0001f512{2}", "\U0001f512\U0001f512", "\U0001f512"},
};

static bool search(const char *pattern_text, const char *subject)
{
	struct cs_schema_pattern *pattern;
	const char *why = NULL;
	bool found = false;

	if (cs_schema_pattern_new(pattern_text, strlen(pattern_text), &pattern, &why) != CS_OK)
		fail_msg("%s has %s", pattern_text, why);
	assert_int_equal(
		cs_schema_pattern_search(pattern, subject, strlen(subject), &found), CS_OK);
	cs_schema_pattern_free(pattern);
	return found;
}

static void test_patterns_match_as_in_ecmascript(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof matches / sizeof matches[0]; i++) {
		if (matches[i].yes != NULL && !search(matches[i].pattern, matches[i].yes))
			fail_msg("%s does not match %s", matches[i].pattern, matches[i].yes);
		if (matches[i].no != NULL && search(matches[i].pattern, matches[i].no))
			fail_msg("%s matches %s", matches[i].pattern, matches[i].no);
	}
}

static void test_refused_patterns(void **state)
{
	static const char *const invalid[] = {
		"(",
		")",
		"(a))",
		"((a)",
		"[",
		"[a",
		"[\\",
		"]",
		"{",
		"}",
		"a{",
		"a{,3}",
		"a{1",
		"a{1,2",
		"a{x}",
		"*",
		"+a",
		"?",
		"|*",
		"^*",
		"$+",
		"(*)",
		"a**",
		"a++",
		"a?+",
		"a{2}{3}",
		"\\b+",
		"(?=a)*",
		"(?!a)?",
		"(?<=a)+",
		"(?i)a",
		"(?>a)",
		"(?|a)",
		"(?#a)",
		"(?P<n>a)",
		"(?<>a)",
		"(?<n",
		"(?'n'a)",
		"(?-i:a)",
		"(*UTF)a",
		"(?R)",
		"\\",
		"\\a",
		"\\e",
		"\\A",
		"\\Z",
		"\\z",
		"\\G",
		"\\K",
		"\\R",
		"\\X",
		"\\h",
		"\\N",
		"\\Q",
		"\\E",
		"\\_",
		"\\ ",
		"\\\u00e4",
		"\\c",
		"\\c1",
		"\\x1",
		"\\xg0",
		"\\u12",
		"\\u{}",
		"\\u{12",
		"\\u{110000}",
		"\\01",
		"\\p",
		"\\pL",
		"\\p{}",
		"\\p{L",
		"\\p{^L}",
		"[b-a]",
		"[\\d-z]",
		"[a-\\d]",
		"[a-\\w]",
		"a{2,1}",
	};
	static const char *const unsupported[] = {
		"(a)\\1",
		"\\k<n>",
		"[\\1]",
		"\\uD83D",
		"\\uDD12",
		"[\\uD83D]",
		"\\p{Klingon}",
		"\\p{Script=Klingon}",
		"\\p{greek}",
		"\\p{Greek}",
		"\\p{Emoji_Presentation_X}",
		"\\p{sc=}",
		"\\p{sc=a=b}",
		"\\p{AVeryLongNameThatNoPropertyCouldEverHave_12345}",
		"(?<=a*)b",
		"a{70000}",
		"(((((((((((((((((a{999}){999}){999}){999}))))))))))))))",
	};
	char *deep = calloc(1, 3 * 100), *to = deep;
	struct cs_schema_pattern *pattern;
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++) {
		why = NULL;
		if (cs_schema_pattern_new(invalid[i], strlen(invalid[i]), &pattern, &why) !=
			CS_E_SCHEMA_INVALID)
			fail_msg("%s is not refused as invalid", invalid[i]);
		assert_non_null(why);
	}
	for (size_t i = 0; i < sizeof unsupported / sizeof unsupported[0]; i++) {
		why = NULL;
		if (cs_schema_pattern_new(unsupported[i], strlen(unsupported[i]), &pattern, &why) !=
			CS_E_SCHEMA_UNSUPPORTED)
			fail_msg("%s is not refused as unsupported", unsupported[i]);
		assert_non_null(why);
	}
	for (int i = 0; i < 100; i++)
		*to++ = '(';
	for (int i = 0; i < 100; i++)
		*to++ = ')';
	assert_int_equal(
		cs_schema_pattern_new(deep, strlen(deep), &pattern, &why), CS_E_SCHEMA_UNSUPPORTED);
	/* The same with as many as are allowed. */
	assert_int_equal(cs_schema_pattern_new(deep + 40, 120, &pattern, &why), CS_OK);
	cs_schema_pattern_free(pattern);
	cs_schema_pattern_free(NULL);
	free(deep);
}

static void test_pattern_bounds(void **state)
{
	char text[CS_SCHEMA_PATTERN_MAX + 1];
	struct cs_schema_pattern *pattern;
	const char *why;
	bool found = false;

	(void)state;
	memset(text, 'a', sizeof text);
	assert_int_equal(
		cs_schema_pattern_new(text, sizeof text, &pattern, &why), CS_E_SCHEMA_UNSUPPORTED);
	assert_int_equal(cs_schema_pattern_new(text, sizeof text - 1, &pattern, &why), CS_OK);
	assert_int_equal(cs_schema_pattern_search(pattern, text, sizeof text - 1, &found), CS_OK);
	assert_true(found);
	cs_schema_pattern_free(pattern);
	/*
	 * A zero byte in the subject is a character like others; what is no UTF-8 is an error, not
	 * a mismatch.
	 */
	assert_int_equal(cs_schema_pattern_new("^a\\0b$", 6, &pattern, &why), CS_OK);
	assert_int_equal(cs_schema_pattern_search(pattern, "a\0b", 3, &found), CS_OK);
	assert_true(found);
	assert_int_equal(cs_schema_pattern_search(pattern, "a\xff", 2, &found), CS_E_JSON_UTF8);
	cs_schema_pattern_free(pattern);
}

static void test_date_time(void **state)
{
	static const char *const good[] = {
		"2026-11-20T10:00:00Z",
		"2026-11-20t10:00:00z",
		"2026-11-20T10:00:00.000000001Z",
		"0000-01-01T00:00:00Z",
		"9999-12-31T23:59:59Z",
		"2024-02-29T00:00:00Z",
		"2000-02-29T00:00:00Z",
		"2026-11-20T10:00:00+23:59",
		"2026-11-20T10:00:00-00:00",
		"1998-12-31T23:59:60Z",
		"2015-06-30T23:59:60.5Z",
		"1998-12-31T15:59:60-08:00",
		"1999-01-01T00:59:60+01:00",
		"2026-11-30T23:59:60Z",
		"1999-01-01T05:29:60+05:30",
	};
	static const char *const bad[] = {
		"",
		"2026-11-20",
		"2026-11-20T10:00:00",
		"2026-11-20 10:00:00Z",
		"2026-11-20T10:00Z",
		"2026-11-20T10:00:00.Z",
		"2026-11-20T10:00:00,5Z",
		"2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-01-00T00:00:00Z",
		"2026-01-32T00:00:00Z",
		"2026-04-31T00:00:00Z",
		"2026-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z",
		"2026-11-20T24:00:00Z",
		"2026-11-20T10:60:00Z",
		"2026-11-20T10:00:61Z",
		"2026-11-20T10:00:60Z",
		"1998-12-30T23:59:60Z",
		"1998-12-31T22:59:60Z",
		"1998-12-31T23:58:60Z",
		"1998-12-31T23:59:60+01:00",
		"1999-01-02T00:59:60+01:00",
		"2026-11-20T10:00:00+24:00",
		"2026-11-20T10:00:00+01:60",
		"2026-11-20T10:00:00+0100",
		"2026-11-20T10:00:00+1:00",
		"2026-11-20T10:00:00Z ",
		" 2026-11-20T10:00:00Z",
		"2026-11-20T10:00:00ZZ",
		"26-11-20T10:00:00Z",
		"12026-11-20T10:00:00Z",
		"+2026-11-20T10:00:00Z",
		"2026-W47-5T10:00:00Z",
		"2026-324T10:00:00Z",
		"2026-1\u0661-20T10:00:00Z",
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		if (!cs_schema_is_date_time(good[i], strlen(good[i])))
			fail_msg("%s is refused", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (cs_schema_is_date_time(bad[i], strlen(bad[i])))
			fail_msg("%s is accepted", bad[i]);
	/* The length counts, not a zero byte. */
	assert_false(cs_schema_is_date_time("2026-11-20T10:00:00Z\0x", 22));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uri_resolution),
		cmocka_unit_test(test_fragments_and_pointers),
		cmocka_unit_test(test_patterns_match_as_in_ecmascript),
		cmocka_unit_test(test_refused_patterns),
		cmocka_unit_test(test_pattern_bounds),
		cmocka_unit_test(test_date_time),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
