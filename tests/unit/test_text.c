/* Text that is refused, and text as it is shown. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "canonical.h"
#include "text.h"
#include "utf8.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void check_code(uint32_t code, enum cs_err expected)
{
	char text[8] = "x";
	struct cs_fault fault;
	size_t len = 1 + cs_utf8_encode(code, text + 1);
	char detail[32];

	if (cs_text_check(text, len, 0, &fault) != expected)
		fail_msg(
			"U+%04X is %s", (unsigned)code, expected == CS_OK ? "refused" : "accepted");
	if (expected == CS_OK)
		return;
	snprintf(detail, sizeof detail, "U+%04X at byte 1", (unsigned)code);
	assert_string_equal(fault.detail, detail);
	assert_string_equal(fault.path, "");
}

static void refuses_characters(void **state)
{
	/*
	 * Bidirectional controls, then other format characters, separators, private use,
	 * noncharacters, unassigned.
	 */
	static const uint32_t bad[] = {0x61c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d,
		0x202e, 0x2066, 0x2067, 0x2068, 0x2069, 0xad, 0x600, 0x6dd, 0x70f, 0x180e, 0x200b,
		0x200c, 0x200d, 0x2060, 0x2061, 0x206a, 0x206f, 0xfeff, 0xfff9, 0xfffb, 0x110bd,
		0x1bca0, 0x1d173, 0xe0001, 0xe0020, 0xe007f, 0x2028, 0x2029, 0xe000, 0xf8ff,
		0xf0000, 0x10fffd, 0xfffe, 0xffff, 0xfdd0, 0x1fffe, 0x10ffff, 0x378, 0x530, 0x2fe0,
		0xe0080, 0x40000};
	static const uint32_t good[] = {' ', 'a', '~', 0xa0, 0xa1, 0xe9, 0xff, 0x301, 0x3a9, 0x416,
		0x5d0, 0x627, 0x915, 0x2014, 0x2026, 0x20ac, 0x3000, 0x3042, 0x4e2d, 0xd55c, 0xfe0f,
		0xfffd, 0x10000, 0x1f602, 0x20000};

	(void)state;
	for (uint32_t code = 0; code < 0x20; code++)
		check_code(code, CS_E_TEXT);
	for (uint32_t code = 0x7f; code < 0xa0; code++)
		check_code(code, CS_E_TEXT);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		check_code(bad[i], CS_E_TEXT);
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		check_code(good[i], CS_OK);
	assert_int_equal(cs_text_check("", 0, 0, NULL), CS_OK);
	assert_int_equal(cs_text_check(NULL, 0, 0, NULL), CS_OK);
}

static void newline_where_it_is_allowed(void **state)
{
	struct cs_fault fault;

	(void)state;
	assert_int_equal(cs_text_check("a\nb\n\n", 5, CS_TEXT_NEWLINE, &fault), CS_OK);
	assert_int_equal(cs_text_check("a\nb", 3, 0, &fault), CS_E_TEXT);
	assert_string_equal(fault.detail, "U+000A at byte 1");
	assert_int_equal(cs_text_check("a\n\r\n", 4, CS_TEXT_NEWLINE, &fault), CS_E_TEXT);
	assert_string_equal(fault.detail, "U+000D at byte 2");
	assert_int_equal(
		cs_text_check("\xc3\xa9\n\xe2\x80\xae", 6, CS_TEXT_NEWLINE, &fault), CS_E_TEXT);
	assert_string_equal(fault.detail, "U+202E at byte 3");
}

static void refuses_bytes(void **state)
{
	static const char *const bad[] = {
		"\x80", "\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xc3"};
	struct cs_fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(cs_text_check(bad[i], strlen(bad[i]), 0, &fault), CS_E_JSON_UTF8);
	assert_int_equal(cs_text_check("ab\xff", 3, 0, &fault), CS_E_JSON_UTF8);
	assert_string_equal(fault.detail, "byte FF at byte 2 is not UTF-8");
}

static json_t *read(const char *text)
{
	json_t *doc = NULL;

	assert_int_equal(cs_json_read(text, strlen(text), strlen(text), &doc, NULL), CS_OK);
	return doc;
}

static void check_document(const char *text, enum cs_err expected, const char *path)
{
	static const char *const newline_keys[] = {"rationale", "plan", NULL};
	CS_CLEANUP_JSON json_t *doc = read(text);
	struct cs_fault fault = {{0}, {0}};
	enum cs_err err = cs_text_check_document(doc, newline_keys, &fault);

	if (err != expected)
		fail_msg("%s: %s", text, cs_err_name(err));
	assert_string_equal(fault.path, path);
}

static void documents(void **state)
{
	(void)state;
	check_document(
		"{\"a\":[\"x\",{\"b\":\"y\"}],\"n\":1,\"t\":true,\"z\":null,\"r\":1.5}", CS_OK, "");
	check_document("\"plain\"", CS_OK, "");
	check_document("\"\\u202e\"", CS_E_TEXT, "");
	check_document("\"a\\nb\"", CS_E_TEXT, "");
	check_document("{\"a\":[\"x\",{\"b\":\"\\u0000\"}]}", CS_E_TEXT, "/a/1/b");
	check_document("{\"a/b\":{\"~\":\"\\u007f\"}}", CS_E_TEXT, "/a~1b/~0");
	check_document("{\"a\":{\"x\\u0085\":1}}", CS_E_TEXT, "/a/x\\u{85}");
	check_document("[[\"\"],[[\"\\ufeff\"]]]", CS_E_TEXT, "/1/0/0");
	check_document("{\"rationale\":\"a\\nb\",\"x\":{\"plan\":\"\\n\"}}", CS_OK, "");
	check_document("{\"title\":\"a\\nb\"}", CS_E_TEXT, "/title");
	check_document("{\"rationale\":\"a\\r\\n\"}", CS_E_TEXT, "/rationale");
	/* The name covers the member's own string only. */
	check_document("{\"plan\":[\"a\\nb\"]}", CS_E_TEXT, "/plan/0");
	check_document("{\"plan\":{\"x\":\"a\\nb\"}}", CS_E_TEXT, "/plan/x");
	check_document("{\"plan\\n\":\"a\"}", CS_E_TEXT, "/plan\\u{A}");

	CS_CLEANUP_JSON json_t *newline = read("{\"plan\":\"\\n\"}");
	assert_int_equal(cs_text_check_document(newline, NULL, NULL), CS_E_TEXT);
}

static void documents_made_in_memory(void **state)
{
	CS_CLEANUP_JSON json_t *bad = json_pack("{s:o}", "a", json_string_nocheck("\xff"));
	json_t *deep = json_string("x");
	struct cs_fault fault;

	(void)state;
	assert_int_equal(cs_text_check_document(bad, NULL, &fault), CS_E_JSON_UTF8);
	assert_string_equal(fault.path, "/a");
	for (unsigned i = 0; i < 64; i++)
		deep = i % 2 == 0 ? json_pack("[o]", deep) : json_pack("{s:o}", "k", deep);
	assert_int_equal(cs_text_check_document(deep, NULL, &fault), CS_OK);
	deep = json_pack("[o]", deep);
	assert_int_equal(cs_text_check_document(deep, NULL, &fault), CS_E_JSON_DEPTH);
	json_decref(deep);
}

static void check_shown(
	const char *text, size_t len, unsigned flags, unsigned indent, const char *expected)
{
	CS_CLEANUP_BYTES struct cs_bytes out = {0};

	cs_bytes_add_text(&out, "<");
	assert_int_equal(cs_text_show(text, len, flags, indent, &out), CS_OK);
	assert_string_equal((char *)out.data + 1, expected);
	assert_int_equal(out.len, 1 + strlen(expected));
}

#define SHOWN(text, expected) check_shown(text, sizeof(text) - 1, 0, 0, expected)

static void shows_escaped(void **state)
{
	(void)state;
	SHOWN("", "");
	SHOWN("plain ~ text", "plain ~ text");
	SHOWN("caf\xc3\xa9 \xe4\xb8\xad \xf0\x9f\x98\x82",
		"caf\xc3\xa9 \xe4\xb8\xad \xf0\x9f\x98\x82");
	SHOWN("a\\b\\\\", "a\\\\b\\\\\\\\");
	SHOWN("\\u{202E}", "\\\\u{202E}");
	SHOWN("\xc3\xa9\\\xc3\xa9\\", "\xc3\xa9\\\\\xc3\xa9\\\\");
	SHOWN("\x1b[31mred\a", "\\u{1B}[31mred\\u{7}");
	SHOWN("a\0b\tc\r\nd\x7f", "a\\u{0}b\\u{9}c\\u{D}\\u{A}d\\u{7F}");
	SHOWN("\xc2\x85\xe2\x80\xa8\xe2\x80\xae\xe2\x81\xa6\xef\xbb\xbf",
		"\\u{85}\\u{2028}\\u{202E}\\u{2066}\\u{FEFF}");
	SHOWN("\xf3\xa0\x80\x81\xf4\x8f\xbf\xbf", "\\u{E0001}\\u{10FFFF}");
	SHOWN("ad\xe2\x80\x8dmin", "ad\\u{200D}min");
	SHOWN("a\xff\xc3"
	      "b\xed\xa0\x80\xe2\x82",
		"a\\u{FF}\\u{C3}b\\u{ED}\\u{A0}\\u{80}\\u{E2}\\u{82}");
}

/* A signed document may hold these; a reader would not see them, or not what they stand on. */
static void shows_the_invisible(void **state)
{
	(void)state;
	/* Spaces of other kinds: no-break, em, ideographic; a blank that is a symbol. */
	SHOWN("a\xc2\xa0"
	      "b\xe2\x80\x83\xe3\x80\x80\xe2\xa0\x80",
		"a\\u{A0}b\\u{2003}\\u{3000}\\u{2800}");
	/* Fillers, a joiner that is a mark, variation selectors. */
	SHOWN("x\xe3\x85\xa4\xef\xbe\xa0\xe1\x85\x9f\xcd\x8f\xef\xb8\x8f\xf3\xa0\x84\x80",
		"x\\u{3164}\\u{FFA0}\\u{115F}\\u{34F}\\u{FE0F}\\u{E0100}");
	/* Marks at the beginning, also of a line; four on a letter; five; then a letter again. */
	SHOWN("\xcc\x81\xcc\x82"
	      "a\xcc\x81",
		"\\u{301}\\u{302}a\xcc\x81");
	check_shown("a\n\xcc\x81", 4, CS_TEXT_NEWLINE, 2, "a\n  \\u{301}");
	SHOWN("e\xcc\x81\xcc\x82\xcc\x83\xcc\x84", "e\xcc\x81\xcc\x82\xcc\x83\xcc\x84");
	SHOWN("e\xcc\x81\xcc\x82\xcc\x83\xcc\x84\xcc\x85\xcc\x86"
	      "f\xcc\x81",
		"e\xcc\x81\xcc\x82\xcc\x83\xcc\x84\\u{305}\\u{306}f\xcc\x81");
	assert_int_equal(cs_text_check("\xcc\x81\xc2\xa0\xef\xb8\x8f", 7, 0, NULL), CS_OK);
}

static void shows_lines(void **state)
{
	(void)state;
	check_shown("a\nb\n\nc", 6, CS_TEXT_NEWLINE, 4, "a\n    b\n    \n    c");
	check_shown("a\nb", 3, CS_TEXT_NEWLINE, 0, "a\nb");
	check_shown("a\nb", 3, 0, 4, "a\\u{A}b");
	check_shown("a\r\nb\x1b", 5, CS_TEXT_NEWLINE, 2, "a\\u{D}\n  b\\u{1B}");
	check_shown(
		"\xc3\xa9\n\xc3\xa9\xff\n", 7, CS_TEXT_NEWLINE, 1, "\xc3\xa9\n \xc3\xa9\\u{FF}\n ");
}

#define MIXED " [mixed scripts]"

static void marks_mixed_scripts(void **state)
{
	(void)state;
	/*
	 * Latin with Cyrillic a; the same with the Latin part first; with Greek; Armenian; only the
	 * word concerned.
	 */
	SHOWN("p\xd0\xb0ypal", "p\xd0\xb0ypal" MIXED);
	SHOWN("\xd0\xb0pple pie", "\xd0\xb0pple" MIXED " pie");
	SHOWN("to root\xd0\xb5 now", "to root\xd0\xb5" MIXED " now");
	SHOWN("k\xce\xa9", "k\xce\xa9" MIXED);
	SHOWN("\xd5\xb0i", "\xd5\xb0i" MIXED);
	SHOWN("p\xd0\xb0y/p\xd0\xb0l", "p\xd0\xb0y" MIXED "/p\xd0\xb0l" MIXED);
	/* Digits, underscores and marks do not part a word. */
	SHOWN("svc_1_\xd0\xb0", "svc_1_\xd0\xb0" MIXED);
	SHOWN("e\xcc\x81\xd0\xb0", "e\xcc\x81\xd0\xb0" MIXED);
	/* Digits of two kinds. */
	SHOWN("1\xd9\xa1", "1\xd9\xa1" MIXED);
	/* Whole words in different scripts. */
	SHOWN("api \xd1\x81\xd0\xb5\xd1\x80\xd0\xb2\xd0\xb8\xd1\x81-\xce\xb1\xce\xb2",
		"api \xd1\x81\xd0\xb5\xd1\x80\xd0\xb2\xd0\xb8\xd1\x81-\xce\xb1\xce\xb2");
	SHOWN("na\xc3\xafve \xc2\xb5s 5\xe2\x82\xac e\xcc\x81t\xc3\xa9",
		"na\xc3\xafve \xc2\xb5s 5\xe2\x82\xac e\xcc\x81t\xc3\xa9");
	/* Ordinary Japanese, Chinese and Korean, with Latin. */
	SHOWN("T\xe3\x82\xb7\xe3\x83\xa3\xe3\x83\x84\xe3\x81\xae\xe6\xbc\xa2\xe5\xad\x97",
		"T\xe3\x82\xb7\xe3\x83\xa3\xe3\x83\x84\xe3\x81\xae\xe6\xbc\xa2\xe5\xad\x97");
	SHOWN("\xe3\x83\xad\xe3\x83\xbc\xe3\x83\xab", "\xe3\x83\xad\xe3\x83\xbc\xe3\x83\xab");
	SHOWN("LG\xec\xa0\x84\xec\x9e\x90\xe4\xb8\xad", "LG\xec\xa0\x84\xec\x9e\x90\xe4\xb8\xad");
	SHOWN("\xe3\x84\x85\xe4\xb8\xad", "\xe3\x84\x85\xe4\xb8\xad");
	/* But not all of them at once, and not with Cyrillic. */
	SHOWN("\xec\xa0\x84\xe3\x81\xae", "\xec\xa0\x84\xe3\x81\xae" MIXED);
	SHOWN("\xe3\x84\x85\xe3\x81\xae", "\xe3\x84\x85\xe3\x81\xae" MIXED);
	SHOWN("\xe4\xb8\xad\xd0\xb0", "\xe4\xb8\xad\xd0\xb0" MIXED);
	/* What a signed document may hold is the same; the mark is for the reader. */
	assert_int_equal(cs_text_check("p\xd0\xb0ypal", 6, 0, NULL), CS_OK);
}

/* Nothing that is shown could be refused, other than the newlines asked for. */
static void what_is_shown_is_safe(void **state)
{
	uint64_t random = UINT64_C(88172645463325252);

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		CS_CLEANUP_BYTES struct cs_bytes out = {0};
		char text[24];
		for (size_t at = 0; at < sizeof text;) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			uint32_t code =
				(uint32_t)(random >> 40) % (random % 3 == 0 ? 0x110000 : 0x2100);
			if (random % 5 == 0 || (code >= 0xd800 && code < 0xe000) ||
				at + 4 > sizeof text)
				text[at++] = (char)code;
			else
				at += cs_utf8_encode(code, text + at);
		}
		assert_int_equal(cs_text_show(text, sizeof text, 0, 0, &out), CS_OK);
		assert_int_equal(cs_text_check((char *)out.data, out.len, 0, NULL), CS_OK);
		out.len = 0;
		assert_int_equal(cs_text_show(text, sizeof text, CS_TEXT_NEWLINE, 3, &out), CS_OK);
		assert_int_equal(
			cs_text_check((char *)out.data, out.len, CS_TEXT_NEWLINE, NULL), CS_OK);
	}
}

/* A megabyte of the worst: quadratic work would take minutes. */
static void large_texts(void **state)
{
	static const char *const units[] = {"\xff", "\x1b", "\xe2\x80\xae", "\n", "\\", "a ",
		"\xd0\xb0"
		"b ",
		"\xd0\xb0", "aaaaaaa\xd0\xb0", "\xe2\x80\x94 ", "\xd0\xb0\n", "a\xff", "\xcc\x81",
		"1\xd9\xa1"};
	const size_t size = 1024 * 1024;
	char *text = malloc(size);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		CS_CLEANUP_BYTES struct cs_bytes out = {0};
		size_t unit = strlen(units[i]), len = 0;
		for (; len + unit <= size; len += unit)
			memcpy(text + len, units[i], unit);
		clock_t start = clock();
		assert_int_equal(cs_text_show(text, len, CS_TEXT_NEWLINE, 2, &out), CS_OK);
		(void)!cs_text_check(text, len, CS_TEXT_NEWLINE, NULL);
		double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
		if (seconds > 20)
			fail_msg("unit %zu: %.0f seconds", i, seconds);
	}
	/* One ASCII beginning and its far end: each word is looked at once. */
	memset(text, ' ', size);
	for (size_t at = 0; at < size; at += 2)
		text[at] = 'a';
	memcpy(text + size - 2, "\xd0\xb0", 2);
	CS_CLEANUP_BYTES struct cs_bytes out = {0};
	assert_int_equal(cs_text_show(text, size, 0, 0, &out), CS_OK);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_characters),
		cmocka_unit_test(newline_where_it_is_allowed),
		cmocka_unit_test(refuses_bytes),
		cmocka_unit_test(documents),
		cmocka_unit_test(documents_made_in_memory),
		cmocka_unit_test(shows_escaped),
		cmocka_unit_test(shows_the_invisible),
		cmocka_unit_test(shows_lines),
		cmocka_unit_test(marks_mixed_scripts),
		cmocka_unit_test(what_is_shown_is_safe),
		cmocka_unit_test(large_texts),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
