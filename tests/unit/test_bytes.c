/* Growing bytes, hexadecimal and Base64. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "bytes.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/*
 * Allocations from this count on fail. The sanitizers bring their own allocator, so there the tests
 * of exhaustion are skipped.
 */
#ifndef __SANITIZE_ADDRESS__
static long allocations_left = -1;

void *__libc_realloc(void *old, size_t size);
void *realloc(void *old, size_t size);

void *realloc(void *old, size_t size)
{
	if (allocations_left == 0)
		return NULL;
	if (allocations_left > 0)
		allocations_left--;
	return __libc_realloc(old, size);
}
#endif

static void appends(void **state)
{
	struct cs_bytes b = {0};

	(void)state;
	assert_int_equal(cs_bytes_add(&b, NULL, 0), CS_OK);
	assert_null(b.data);
	assert_int_equal(cs_bytes_add_text(&b, "one"), CS_OK);
	assert_int_equal(cs_bytes_add(&b, "\0x", 2), CS_OK);
	assert_int_equal(cs_bytes_addf(&b, " %d %s", 7, "eight"), CS_OK);
	assert_int_equal(cs_bytes_addf(&b, "%s", ""), CS_OK);
	assert_int_equal(cs_bytes_check(&b), CS_OK);
	assert_true(cs_bytes_equal(b.data, b.len, "one\0x 7 eight", 13));
	assert_int_equal(b.data[b.len], 0);
	cs_bytes_free(&b);
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	cs_bytes_free(&b);
	cs_bytes_free(NULL);
}

static void grows(void **state)
{
	CS_CLEANUP_BYTES struct cs_bytes b = {0};

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		uint8_t byte = (uint8_t)(i * 7);
		assert_int_equal(cs_bytes_add(&b, &byte, 1), CS_OK);
	}
	assert_int_equal(b.len, 100000);
	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal(b.data[i], (uint8_t)(i * 7));
	assert_true(b.cap < 4 * b.len);
}

static void refuses_impossible_sizes(void **state)
{
	struct cs_bytes b = {0};

	(void)state;
	assert_int_equal(cs_bytes_add_text(&b, "kept"), CS_OK);
	assert_int_equal(cs_bytes_add(&b, "x", SIZE_MAX), CS_E_NOMEM);
	assert_true(b.failed);
	assert_int_equal(cs_bytes_check(&b), CS_E_NOMEM);
	/* Everything after a failure does nothing. */
	assert_int_equal(cs_bytes_add_text(&b, "more"), CS_E_NOMEM);
	assert_int_equal(cs_bytes_add(&b, NULL, 0), CS_E_NOMEM);
	assert_int_equal(cs_bytes_addf(&b, "%d", 1), CS_E_NOMEM);
	assert_int_equal(cs_base64url_encode((const uint8_t *)"a", 1, &b), CS_E_NOMEM);
	assert_int_equal(cs_base64url_encode(NULL, 0, &b), CS_E_NOMEM);
	assert_int_equal(cs_base64url_decode("YQ", 2, &b), CS_E_NOMEM);
	assert_int_equal(cs_base64url_decode("", 0, &b), CS_E_NOMEM);
	assert_string_equal((char *)b.data, "kept");
	cs_bytes_free(&b);
	assert_int_equal(cs_bytes_add_text(&b, "again"), CS_OK);
	cs_bytes_free(&b);
	assert_int_equal(cs_base64_encode((const uint8_t *)"a", SIZE_MAX / 2, &b), CS_E_NOMEM);
	cs_bytes_free(&b);
}

static void survives_exhaustion(void **state)
{
	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip();
#else
	static const uint8_t data[500];
	bool completed = false;

	for (long n = 0; !completed; n++) {
		struct cs_bytes b = {0};
		allocations_left = n;
		cs_bytes_add_text(&b, "start");
		for (unsigned i = 0; i < 50; i++)
			cs_bytes_addf(&b, "%u,", i);
		cs_base64url_encode(data, sizeof data, &b);
		(void)!cs_base64url_decode("AAAA", 4, &b);
		allocations_left = -1;
		completed = cs_bytes_check(&b) == CS_OK;
		assert_true(b.data == NULL || b.data[b.len] == 0);
		if (completed)
			assert_true(n > 0);
		else
			assert_int_equal(cs_bytes_add_text(&b, "x"), CS_E_NOMEM);
		cs_bytes_free(&b);
	}
#endif
}

static void compares(void **state)
{
	(void)state;
	assert_true(cs_bytes_equal(NULL, 0, "", 0));
	assert_true(cs_bytes_equal("ab", 2, "ab", 2));
	assert_false(cs_bytes_equal("ab", 2, "ac", 2));
	assert_false(cs_bytes_equal("ab", 2, "ab", 3));
}

/* RFC 4648 section 10, without padding, and the two characters in which the alphabets differ. */
static const struct {
	const char *plain;
	const char *url;
	const char *standard;
} pairs[] = {
	{"", "", ""},
	{"f", "Zg", "Zg=="},
	{"fo", "Zm8", "Zm8="},
	{"foo", "Zm9v", "Zm9v"},
	{"foob", "Zm9vYg", "Zm9vYg=="},
	{"fooba", "Zm9vYmE", "Zm9vYmE="},
	{"foobar", "Zm9vYmFy", "Zm9vYmFy"},
	{"\xfb\xff\xfe", "-__-", "+//+"},
};

static void base64_pairs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		CS_CLEANUP_BYTES struct cs_bytes url = {0}, standard = {0}, back = {0};
		const char *plain = pairs[i].plain;
		size_t len = strlen(plain);
		assert_int_equal(cs_base64url_encode((const uint8_t *)plain, len, &url), CS_OK);
		assert_int_equal(cs_base64_encode((const uint8_t *)plain, len, &standard), CS_OK);
		assert_true(cs_bytes_equal(url.data, url.len, pairs[i].url, strlen(pairs[i].url)));
		assert_true(cs_bytes_equal(
			standard.data, standard.len, pairs[i].standard, strlen(pairs[i].standard)));
		/* Appending, not replacing. */
		assert_int_equal(cs_bytes_add_text(&back, "<"), CS_OK);
		assert_int_equal(
			cs_base64url_decode(pairs[i].url, strlen(pairs[i].url), &back), CS_OK);
		assert_int_equal(
			cs_base64_decode(pairs[i].standard, strlen(pairs[i].standard), &back),
			CS_OK);
		assert_int_equal(back.len, 1 + 2 * len);
		assert_memory_equal(back.data + 1, plain, len);
		assert_memory_equal(back.data + 1 + len, plain, len);
	}
}

static void base64_refusals(void **state)
{
	static const char *const url[] = {"Z", "A", "Zm9vA", "Zg==", "Zg=", "Zh", "Zm9", "Zm9v\n",
		" Zm9v", "Zm 9v", "+//+", "Zm9v=", "Zm9vY", "=", "Zm8\xc3"};
	static const char *const standard[] = {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm8",
		"Zm9v\n", "-__-", "=", "====", "Zg==Zg==", "Zm9vYg==\n"};
	CS_CLEANUP_BYTES struct cs_bytes out = {0};

	(void)state;
	assert_int_equal(cs_bytes_add_text(&out, "kept"), CS_OK);
	for (size_t i = 0; i < sizeof url / sizeof *url; i++)
		if (cs_base64url_decode(url[i], strlen(url[i]), &out) != CS_E_BASE64)
			fail_msg("base64url '%s' is accepted", url[i]);
	for (size_t i = 0; i < sizeof standard / sizeof *standard; i++)
		if (cs_base64_decode(standard[i], strlen(standard[i]), &out) != CS_E_BASE64)
			fail_msg("base64 '%s' is accepted", standard[i]);
	assert_int_equal(cs_base64url_decode("Zm9v\0", 5, &out), CS_E_BASE64);
	assert_int_equal(cs_bytes_check(&out), CS_OK);
	assert_string_equal((char *)out.data, "kept");
	assert_int_equal(out.len, 4);
}

/*
 * Of all texts of up to three characters exactly those are accepted that encode the bytes they
 * decode to.
 */
static void base64url_is_canonical(void **state)
{
	CS_CLEANUP_BYTES struct cs_bytes bytes = {0}, text = {0};
	const unsigned each = 256;
	unsigned accepted = 0;

	(void)state;
	for (unsigned n = 0; n < each * each * each; n++) {
		char in[3] = {(char)(n % each), (char)(n / each % each), (char)(n / each / each)};
		for (size_t len = 2; len <= 3; len++) {
			bytes.len = text.len = 0;
			if (len == 2 && in[2] != 0)
				continue;
			if (cs_base64url_decode(in, len, &bytes) != CS_OK)
				continue;
			cs_base64url_encode(bytes.data, bytes.len, &text);
			if (!cs_bytes_equal(text.data, text.len, in, len))
				fail_msg("'%.*s' is accepted", (int)len, in);
			accepted++;
		}
	}
	assert_int_equal(accepted, 256 + 65536);
}

static void hexadecimal(void **state)
{
	uint8_t data[4] = {0};
	char text[9];

	(void)state;
	cs_hex_encode((const uint8_t *)"\x00\x9a\xff\x10", 4, text);
	assert_string_equal(text, "009aff10");
	cs_hex_encode(NULL, 0, text);
	assert_string_equal(text, "");
	assert_int_equal(cs_hex_decode("009aff10", 8, data, 4), CS_OK);
	assert_memory_equal(data, "\x00\x9a\xff\x10", 4);
	assert_int_equal(cs_hex_decode("", 0, data, 0), CS_OK);
	assert_int_equal(cs_hex_decode("009AFF10", 8, data, 4), CS_E_HEX);
	assert_int_equal(cs_hex_decode("009aff1", 7, data, 4), CS_E_HEX);
	assert_int_equal(cs_hex_decode("009aff101", 9, data, 4), CS_E_HEX);
	assert_int_equal(cs_hex_decode("009aff", 6, data, 4), CS_E_HEX);
	assert_int_equal(cs_hex_decode("109aff1g", 8, data, 4), CS_E_HEX);
	assert_int_equal(cs_hex_decode(" 09aff10", 8, data, 4), CS_E_HEX);
	/* A refusal writes nothing. */
	assert_memory_equal(data, "\x00\x9a\xff\x10", 4);
}

/* FIPS 180-4's example and the hash of nothing. */
static void sha256(void **state)
{
	uint8_t digest[32];
	char hex[65];

	(void)state;
	cs_sha256("abc", 3, digest);
	cs_hex_encode(digest, 32, hex);
	assert_string_equal(
		hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	cs_sha256(NULL, 0, digest);
	cs_hex_encode(digest, 32, hex);
	assert_string_equal(
		hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends),
		cmocka_unit_test(grows),
		cmocka_unit_test(refuses_impossible_sizes),
		cmocka_unit_test(survives_exhaustion),
		cmocka_unit_test(compares),
		cmocka_unit_test(base64_pairs),
		cmocka_unit_test(base64_refusals),
		cmocka_unit_test(base64url_is_canonical),
		cmocka_unit_test(hexadecimal),
		cmocka_unit_test(sha256),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
