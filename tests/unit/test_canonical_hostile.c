/*
 * Canonical JSON under load: the largest input in its worst shapes, random damage, and memory that
 * runs out.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "canonical.h"

#include <countersign/limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SIZE CS_MESSAGE_MAX

/* jansson's allocations: after `left` more of them (negative: never) each one fails. */
static long left = -1, live;

static void *counted_malloc(size_t size)
{
	if (left == 0)
		return NULL;
	if (left > 0)
		left--;
	void *block = malloc(size);
	live += block != NULL;
	return block;
}

static void counted_free(void *block)
{
	live -= block != NULL;
	free(block);
}

/* Our own allocations. The sanitizers bring their own allocator, so there only jansson's fail. */
#ifndef __SANITIZE_ADDRESS__
static long own_left = -1;

void *__libc_realloc(void *old, size_t size);
void *__libc_calloc(size_t count, size_t size);
void *realloc(void *old, size_t size);
void *calloc(size_t count, size_t size);

static bool own_fails(void)
{
	if (own_left > 0)
		own_left--;
	return own_left == 0;
}

void *realloc(void *old, size_t size)
{
	return own_fails() ? NULL : __libc_realloc(old, size);
}

void *calloc(size_t count, size_t size)
{
	return own_fails() ? NULL : __libc_calloc(count, size);
}
#endif

/*
 * Seconds of processor time in which a megabyte must be judged: quadratic work takes minutes,
 * sanitizers some ten times.
 */
#define PATIENCE 20

/*
 * `unit` over and over, up to SIZE bytes with `head` before and `tail` behind; '#' becomes a
 * running number.
 */
static void fill(struct cs_bytes *out, const char *head, const char *unit, const char *tail)
{
	size_t end = SIZE - strlen(tail);
	unsigned number = 0;

	out->len = 0;
	cs_bytes_add_text(out, head);
	while (out->len + strlen(unit) + 16 < end) {
		const char *mark = strchr(unit, '#');
		if (mark == NULL)
			cs_bytes_add_text(out, unit);
		else
			cs_bytes_addf(
				out, "%.*s%u%s", (int)(mark - unit), unit, number++, mark + 1);
	}
	cs_bytes_add_text(out, tail);
	assert_int_equal(cs_bytes_check(out), CS_OK);
}

static void largest_inputs(void **state)
{
	static const struct {
		const char *head, *unit, *tail;
		enum cs_err err;
	} cases[] = {
		{"", "[", "", CS_E_JSON_DEPTH},
		{"", "{\"a\":", "1", CS_E_JSON_DEPTH},
		{"", "[{\"\":", "1", CS_E_JSON_DEPTH},
		{"[", "[],", "0]", CS_OK},
		{"[", "[[[[[[[[]]]]]]]],", "0]", CS_OK},
		{"[", "0,", "0]", CS_OK},
		{"[", "0.1,", "0]", CS_OK},
		{"[", "5e-324,", "0]", CS_OK},
		{"[", "1.7976931348623157e308,", "0]", CS_OK},
		{"[", "9007199254740994,", "0]", CS_OK},
		{"[", "\"\",", "0]", CS_OK},
		{"[", "{\"a\":1},", "0]", CS_OK},
		{"[", "{\"b\":1,\"a\":2},", "0,]", CS_E_JSON_SYNTAX},
		{"{", "\"#\":0,", "\"a\":0}", CS_OK},
		{"{", "\"#\":0,", "\"7\":0}", CS_E_JSON_DUPLICATE},
		{"{", "\"a\":0,", "\"a\":0}", CS_E_JSON_DUPLICATE},
		{"{", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa#\":{},",
			"\"a\":0}", CS_OK},
		{"", "1", "", CS_E_JSON_RANGE},
		{"0.", "1", "", CS_OK},
		{"1e", "0", "1", CS_OK},
		{"-", "-", "", CS_E_JSON_SYNTAX},
		{"\"", "\\u00e9", "\"", CS_OK},
		{"\"", "\\ud83d\\ude02", "\"", CS_OK},
		{"\"", "\xf0\x9f\x98\x82", "\"", CS_OK},
		{"\"", "\\\\", "\"", CS_OK},
		{"\"", "\\u0001", "\"", CS_OK},
		{"\"", "\\", "", CS_E_JSON_SYNTAX},
		{"\"", "a", "", CS_E_JSON_SYNTAX},
		{"", " ", "", CS_E_JSON_SYNTAX},
		{"", "\n", "1", CS_OK},
		{"1", "\n", "2", CS_E_JSON_TRAILING},
	};
	CS_CLEANUP_BYTES struct cs_bytes text = {0};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CS_CLEANUP_JSON json_t *doc = NULL, *again = NULL;
		CS_CLEANUP_BYTES struct cs_bytes form = {0};
		fill(&text, cases[i].head, cases[i].unit, cases[i].tail);
		clock_t start = clock();
		enum cs_err err = cs_json_read(text.data, text.len, SIZE, &doc, NULL);
		if (err != cases[i].err)
			fail_msg("%s%s…%s: %s", cases[i].head, cases[i].unit, cases[i].tail,
				cs_err_name(err));
		if (err == CS_OK) {
			assert_int_equal(cs_canonical_print(doc, &form), CS_OK);
			assert_int_equal(
				cs_json_read_canonical(form.data, form.len, form.len, &again, NULL),
				CS_OK);
		}
		double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
		if (seconds > PATIENCE)
			fail_msg("%s%s…%s: %.0f seconds", cases[i].head, cases[i].unit,
				cases[i].tail, seconds);
	}
	fill(&text, "[", "0,", "0]     ");
	json_t *doc = NULL;
	assert_int_equal(
		cs_json_read(text.data, text.len, text.len - 1, &doc, NULL), CS_E_TOO_LARGE);
	assert_null(doc);
}

static const char seed[] = "{\"b\":[1,-2.5e-3,1e21,true,false,null,9007199254740992,"
			   "\"\\u00e9\\ud83d\\ude02\\n\\\\\"],\"\xc3\xa9\":{\"x\":"
			   "{\"y\":[[],{},\"\xf0\x9f\x98\x82\xef\xbf\xbd\"]}},\"a\":0.1,\"\":-0.0,"
			   "\"b1\":\"\\\"\\/\\b\\f\\t\"}";

static uint64_t random_state = UINT64_C(88172645463325252);

/* xorshift64 (Marsaglia 2003): the same damage on every machine. */
static unsigned random_below(unsigned limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state >> 33) % limit;
}

static size_t damage(char *text, size_t len)
{
	static const char pieces[] =
		"{}[],:\"\\0123456789+-.eEutrfalsn \n\xc3\xa9\xf0\x9f\xed\xa0\x80\xff";

	for (unsigned times = 1 + random_below(3); times > 0; times--) {
		size_t at = random_below((unsigned)len);
		switch (random_below(4)) {
		case 0:
			text[at] = pieces[random_below(sizeof pieces - 1)];
			break;
		case 1:
			text[at] = (char)random_below(256);
			break;
		case 2:
			memmove(text + at, text + at + 1, len - at - 1);
			if (len > 1)
				len--;
			break;
		default:
			memmove(text + at + 1, text + at, len - at);
			len++;
			break;
		}
	}
	return len;
}

/*
 * Whatever is accepted has a canonical form that reads back as the same document, and is what
 * jansson reads; whatever is refused is refused for a reason of its own.
 */
static void random_damage(void **state)
{
	unsigned counts[CS_ERR_COUNT] = {0};
	char text[sizeof seed + 8];

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		CS_CLEANUP_JSON json_t *doc = NULL, *again = NULL;
		CS_CLEANUP_BYTES struct cs_bytes form = {0};
		memcpy(text, seed, sizeof seed);
		size_t len = damage(text, sizeof seed - 1);
		enum cs_err err = cs_json_read(text, len, len, &doc, NULL);
		counts[err]++;
		if (err != CS_OK) {
			assert_null(doc);
			continue;
		}
		assert_int_equal(cs_canonical_print(doc, &form), CS_OK);
		assert_int_equal(
			cs_json_read_canonical(form.data, form.len, form.len, &again, NULL), CS_OK);
		assert_true(json_equal(doc, again));
		CS_CLEANUP_JSON json_t *judge = json_loadb(text, len,
			JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL |
				JSON_DECODE_INT_AS_REAL,
			NULL);
		assert_true(cs_json_same(doc, judge));
	}
	assert_int_equal(counts[CS_E_NOMEM], 0);
	assert_true(counts[CS_OK] > 5000);
	static const enum cs_err expected[] = {CS_E_JSON_NUL, CS_E_JSON_UTF8, CS_E_JSON_SURROGATE,
		CS_E_JSON_DUPLICATE, CS_E_JSON_TRAILING, CS_E_JSON_INEXACT, CS_E_JSON_RANGE,
		CS_E_JSON_SYNTAX};
	unsigned sum = counts[CS_OK];
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
		if (counts[expected[i]] == 0)
			fail_msg("%s never happened", cs_err_name(expected[i]));
		sum += counts[expected[i]];
	}
	assert_int_equal(sum, 100000);
}

static void every_beginning(void **state)
{
	json_t *doc = NULL;

	(void)state;
	for (size_t len = 0; len < sizeof seed - 1; len++) {
		/* A copy of the exact size, so that a sanitizer sees a read beyond it. */
		char *copy = malloc(len + 1);
		memcpy(copy, seed, len);
		enum cs_err err = cs_json_read(copy, len, len, &doc, NULL);
		free(copy);
		/* "-0" is the beginning of "-0.0". */
		assert_true(err == CS_E_JSON_SYNTAX || err == CS_E_JSON_UTF8 ||
			    err == CS_E_JSON_SURROGATE || err == CS_E_JSON_INEXACT);
		assert_null(doc);
	}
}

static void jansson_runs_out_of_memory(void **state)
{
	static const char *const texts[] = {
		seed, "7", "7.5", "\"text\"", "[1.0,[2,{\"a\":3}]]", "{\"a\":{\"b\":1,\"c\":2.5}}"};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		enum cs_err err = CS_E_NOMEM;
		for (long n = 0; err != CS_OK; n++) {
			json_t *doc = NULL;
			struct cs_fault fault;
			long before = live;
			left = n;
			err = cs_json_read(texts[i], strlen(texts[i]), SIZE, &doc, &fault);
			left = -1;
			if (err == CS_OK) {
				assert_true(n > 0);
			} else {
				assert_int_equal(err, CS_E_NOMEM);
				assert_null(doc);
			}
			cs_json_cleanup(&doc);
			assert_int_equal(live, before);
		}
	}
	/* A duplicate is never mistaken for exhaustion once memory suffices, nor the reverse. */
	enum cs_err err = CS_E_NOMEM;
	for (long n = 0; err == CS_E_NOMEM; n++) {
		json_t *doc = NULL;
		left = n;
		err = cs_json_read("{\"a\":1,\"a\":2}", 13, SIZE, &doc, NULL);
		left = -1;
		assert_null(doc);
	}
	assert_int_equal(err, CS_E_JSON_DUPLICATE);
}

static void printing_runs_out_of_memory(void **state)
{
	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip();
#else
	CS_CLEANUP_JSON json_t *doc = NULL;
	enum cs_err err = CS_E_NOMEM;

	assert_int_equal(cs_json_read(seed, sizeof seed - 1, SIZE, &doc, NULL), CS_OK);
	for (long n = 1; err != CS_OK; n++) {
		CS_CLEANUP_BYTES struct cs_bytes out = {0};
		own_left = n;
		err = cs_canonical_print(doc, &out);
		own_left = -1;
		if (err == CS_OK) {
			assert_true(n > 5);
		} else {
			assert_int_equal(err, CS_E_NOMEM);
			assert_int_equal(out.len, 0);
		}
	}
	/* Reading demands the form as well, and then fails in the same ways. */
	CS_CLEANUP_BYTES struct cs_bytes form = {0};
	assert_int_equal(cs_canonical_print(doc, &form), CS_OK);
	err = CS_E_NOMEM;
	for (long n = 1; err != CS_OK; n++) {
		CS_CLEANUP_JSON json_t *again = NULL;
		own_left = n;
		err = cs_json_read_canonical(form.data, form.len, SIZE, &again, NULL);
		own_left = -1;
		assert_true(err == CS_OK || err == CS_E_NOMEM);
		assert_true((again != NULL) == (err == CS_OK));
	}
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(largest_inputs),
		cmocka_unit_test(random_damage),
		cmocka_unit_test(every_beginning),
		cmocka_unit_test(jansson_runs_out_of_memory),
		cmocka_unit_test(printing_runs_out_of_memory),
	};

	if (sodium_init() < 0)
		return 1;
	json_set_alloc_funcs(counted_malloc, counted_free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
