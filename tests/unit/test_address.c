/* Addresses, content hashes and identifiers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "address.h"

#include <sodium.h>
#include <string.h>

static json_t *read(const char *text)
{
	json_t *doc = NULL;

	assert_int_equal(cs_json_read(text, strlen(text), strlen(text), &doc, NULL), CS_OK);
	return doc;
}

static void check_address(const char *text, const char *form)
{
	CS_CLEANUP_JSON json_t *doc = read(text);
	char address[CS_ADDRESS_TEXT], expected[CS_ADDRESS_TEXT];

	cs_address_of_bytes(form, strlen(form), expected);
	assert_int_equal(cs_address_of(doc, address), CS_OK);
	assert_string_equal(address, expected);
	assert_true(cs_address_ok(address));
}

static void addresses(void **state)
{
	char address[CS_ADDRESS_TEXT];

	(void)state;
	cs_address_of_bytes("abc", 3, address);
	assert_string_equal(
		address, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	cs_address_of_bytes(NULL, 0, address);
	assert_string_equal(
		address, "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	check_address("{ \"b\": 1.0, \"a\": [ ] }", "{\"a\":[],\"b\":1}");
	check_address("{\"signature\":{\"x\":1},\"a\":1}", "{\"a\":1}");
	check_address("{\"a\":1,\"signatures\":[]}", "{\"a\":1}");
	/* Only at the top, and only these names. */
	check_address(
		"{\"a\":{\"signature\":1},\"signed\":2}", "{\"a\":{\"signature\":1},\"signed\":2}");
	check_address("{\"content_hash\":\"x\",\"signature\":1}", "{\"content_hash\":\"x\"}");
	check_address("[{\"signature\":1}]", "[{\"signature\":1}]");
	check_address("\"signature\"", "\"signature\"");
}

static void addresses_of_what_has_no_form(void **state)
{
	CS_CLEANUP_JSON json_t *doc = json_pack("{s:I}", "a", (json_int_t)9007199254740993);
	char address[CS_ADDRESS_TEXT] = "kept", hex[65] = "kept";

	(void)state;
	assert_int_equal(cs_address_of(doc, address), CS_E_JSON_RANGE);
	assert_int_equal(cs_content_hash(doc, hex), CS_E_JSON_RANGE);
	assert_int_equal(cs_address_of(NULL, address), CS_E_INTERNAL);
	assert_string_equal(address, "kept");
	assert_string_equal(hex, "kept");
}

static void content_hashes(void **state)
{
	CS_CLEANUP_JSON json_t *doc = read("{\"content_hash\":\"00\",\"signature\":{},"
					   "\"signatures\":[],\"a\":{\"content_hash\":1}}");
	const char *form = "{\"a\":{\"content_hash\":1},\"signatures\":[]}";
	char hex[65], expected[CS_ADDRESS_TEXT];

	(void)state;
	cs_address_of_bytes(form, strlen(form), expected);
	assert_int_equal(cs_content_hash(doc, hex), CS_OK);
	assert_string_equal(hex, expected + strlen("sha256:"));
}

#define DIGITS "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void digests_behind_addresses(void **state)
{
	static const char *const bad[] = {
		"",
		"sha256:",
		DIGITS,
		"sha256" DIGITS,
		"SHA256:" DIGITS,
		"sha512:" DIGITS,
		" sha256:" DIGITS,
		"sha256:" DIGITS "0",
		"sha256:" DIGITS "\n",
		"sha256: a7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"sha256:BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"sha256:a7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"sha256:ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	};
	uint8_t digest[32], expected[32];

	(void)state;
	cs_sha256("abc", 3, expected);
	assert_int_equal(cs_address_digest("sha256:" DIGITS, digest), CS_OK);
	assert_memory_equal(digest, expected, 32);
	assert_true(cs_address_ok("sha256:" DIGITS));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (cs_address_ok(bad[i]))
			fail_msg("'%s' is accepted", bad[i]);
		assert_int_equal(cs_address_digest(bad[i], digest), CS_E_ADDRESS);
		assert_memory_equal(digest, expected, 32);
	}
	assert_false(cs_address_ok(NULL));
	assert_int_equal(cs_address_digest(NULL, digest), CS_E_ADDRESS);
}

static void ulids(void **state)
{
	static const uint8_t zero[10];
	static const uint8_t ones[10] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
	static const uint8_t mixed[10] = {
		0x00, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb6, 0x35, 0xcf};
	char text[CS_ULID_TEXT];

	(void)state;
	cs_ulid_print(0, zero, text);
	assert_string_equal(text, "00000000000000000000000000");
	cs_ulid_print(INT64_C(0xffffffffffff), ones, text);
	assert_string_equal(text, "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
	/* The ULID specification's own time, and the digits 0, 1, 2 … 15 of five bits each. */
	cs_ulid_print(INT64_C(1469918176385), mixed, text);
	assert_string_equal(text, "01ARYZ6S410123456789ABCDEF");
}

static void identifiers(void **state)
{
	static const char *const good[] = {
		"kye:ent:acme-bank",
		"kye:ent:acme-bank.ciso",
		"kye:ent:acme:person:01JYCFO",
		"kye:ent:a_b:v1.4.2:build-9c",
	};
	static const char *const bad[] = {
		"",
		"kye",
		"kye:",
		"kye:ent",
		"kye:ent:",
		"kye::x",
		"kye:ent::x",
		"kye:ent:x:",
		"kye:ent:x::y",
		"kye:enty:x",
		"kye:en:x",
		"kye:person:x",
		"KYE:ent:x",
		"kye:Ent:x",
		"kye:ent:x y",
		"kye:ent:x/y",
		"kye:ent:\xc3\xa9",
		"kye:ent:x\n",
		" kye:ent:x",
		"urn:kye:ent:x",
	};
	char longest[CS_ID_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (!cs_id_ok(good[i], "ent"))
			fail_msg("'%s' is refused", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (cs_id_ok(bad[i], "ent"))
			fail_msg("'%s' is accepted", bad[i]);
	assert_false(cs_id_ok(NULL, "ent"));
	assert_true(cs_id_ok("kye:decision-map:x.1", "decision-map"));

	memset(longest, 'a', sizeof longest);
	memcpy(longest, "kye:ent:", 8);
	longest[CS_ID_MAX + 1] = '\0';
	assert_false(cs_id_ok(longest, "ent"));
	longest[CS_ID_MAX] = '\0';
	assert_true(cs_id_ok(longest, "ent"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(addresses_of_what_has_no_form),
		cmocka_unit_test(content_hashes),
		cmocka_unit_test(digests_behind_addresses),
		cmocka_unit_test(ulids),
		cmocka_unit_test(identifiers),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
