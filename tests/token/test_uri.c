/* PKCS #11 URIs (RFC 7512), stricter than the standard. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sodium.h>
#include "pkcs11/uri.h"

#define X32 "abcdefghijklmnopqrstuvwxyz012345"
#define X16 "abcdefghijklmnop"
#define X64 X32 X32
#define X128 X64 X64

static const struct {
	const char *uri;
	const char *path;   /* where the fault is */
	const char *reason; /* a piece of its detail */
} refused[] = {
	/* scheme and shape */
	{"", "", "does not begin with"},
	{"pkcs11", "", "does not begin with"},
	{"http://example.com/", "", "does not begin with"},
	{"pkcs12:token=seal", "", "does not begin with"},
	{" pkcs11:token=seal", "", "does not begin with"},
	{"pkcs11:", "", "names nothing"},
	{"pkcs11:?", "", "names nothing"},
	{"pkcs11:;", "", "empty attribute"},
	{"pkcs11:token=seal;", "", "empty attribute"},
	{"pkcs11:;token=seal", "", "empty attribute"},
	{"pkcs11:token=seal;;serial=1", "", "empty attribute"},
	{"pkcs11:token=seal;?module-path=/m", "", "empty attribute"},
	{"pkcs11:token=seal?module-path=/m&", "", "empty attribute"},
	{"pkcs11:token", "", "without '='"},
	{"pkcs11:=seal", "", "unknown attribute"},
	{"pkcs11:a-name-that-is-longer-than-any-attribute=1", "", "unknown attribute"},
	/* characters */
	{"pkcs11:token=my seal", "", "byte 0x20"},
	{"pkcs11:token=seal\n", "", "byte 0x0a"},
	{"pkcs11:token=a/b", "", "byte 0x2f"},
	{"pkcs11:token=a#b", "", "byte 0x23"},
	{"pkcs11:token=a\"b", "", "byte 0x22"},
	{"pkcs11:token=s\xc3\xa9", "", "byte 0xc3"},
	{"pkcs11:token=a%2", "", "encod"},
	{"pkcs11:token=a%zz", "", "encod"},
	{"pkcs11:token=a%00b", "token", "byte 00"},
	{"pkcs11:object=a%00", "object", "byte 00"},
	{"pkcs11:token=a?module-path=/a%00/b", "module-path", "byte 00"},
	{"pkcs11:token=%20", "token", "blank"},
	{"pkcs11:token=%20seal", "token", "space"},
	{"pkcs11:object=seal%20", "object", "space"},
	{"pkcs11:token=a%1bb", "token", ""},
	{"pkcs11:object=a%E2%80%AEb", "object", ""},
	{"pkcs11:object=%ff", "object", ""},
	/* names */
	{"pkcs11:label=seal", "label", "unknown attribute"},
	{"pkcs11:Token=seal", "Token", "unknown attribute"},
	{"pkcs11:tok%65n=seal", "tok%65n", "unknown attribute"},
	{"pkcs11:token=seal;x-vendor=1", "x-vendor", "unknown attribute"},
	{"pkcs11:object=k;object-type=private", "object-type", "unknown attribute"},
	{"pkcs11:module-path=%2Fm;token=seal", "module-path", "unknown attribute"},
	{"pkcs11:token=seal?token=seal", "token", "unknown attribute"},
	{"pkcs11:token=seal?x-vendor=1", "x-vendor", "unknown attribute"},
	/* twice, empty */
	{"pkcs11:token=one;token=two", "token", "twice"},
	{"pkcs11:token=one;token=one", "token", "twice"},
	{"pkcs11:id=%01;serial=1;id=%01", "id", "twice"},
	{"pkcs11:token=a?module-path=/a&module-path=/b", "module-path", "twice"},
	{"pkcs11:token=", "token", "empty"},
	{"pkcs11:token=seal;serial=", "serial", "empty"},
	{"pkcs11:id=", "id", "empty"},
	{"pkcs11:slot-id=", "slot-id", "empty"},
	{"pkcs11:token=seal?module-path=", "module-path", "empty"},
	/* values */
	{"pkcs11:token=" X32 "6", "", "too long"},
	{"pkcs11:serial=" X16 "6", "", "too long"},
	{"pkcs11:model=" X16 "6", "", "too long"},
	{"pkcs11:object=" X128 "9", "object", "longer than 128 bytes"},
	{"pkcs11:id=" X64 "9", "id", "longer than 64 bytes"},
	{"pkcs11:object=k;type=banana", "", "unknown type"},
	{"pkcs11:object=k;type=Private", "", "unknown type"},
	{"pkcs11:slot-id=-1", "slot-id", "not a number"},
	{"pkcs11:slot-id=0x10", "slot-id", "not a number"},
	{"pkcs11:slot-id=1%30", "slot-id", "not a number"},
	{"pkcs11:slot-id=18446744073709551617", "slot-id", "not a number"},
	{"pkcs11:token=seal?module-path=softhsm.so", "module-path", "absolute"},
	/* PINs, and what we do not do */
	{"pkcs11:token=seal?pin-value=1234", "pin-value", "never comes through a URI"},
	{"pkcs11:token=seal?pin-source=file:/etc/pin", "pin-source", "never comes through a URI"},
	{"pkcs11:token=seal;pinfile=%2Fetc%2Fpin", "pinfile", "never comes through a URI"},
	{"pkcs11:token=seal;pin-value=1234", "pin-value", "unknown attribute"},
	{"pkcs11:token=seal?module-name=softhsm", "module-name", "not supported"},
	{"pkcs11:library-version=2.6", "library-version", "not supported"},
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		struct cs_token_uri uri;
		struct cs_fault fault = {0};
		memset(&uri, 0x5a, sizeof uri);
		enum cs_err err = cs_token_uri_parse(refused[i].uri, 0, &uri, &fault);
		if (err != CS_E_URI || strcmp(fault.path, refused[i].path) != 0 ||
			strstr(fault.detail, refused[i].reason) == NULL || fault.detail[0] == '\0')
			fail_msg("'%s': %s at '%s': %s", refused[i].uri, cs_err_name(err),
				fault.path, fault.detail);
		/* Nothing is written when it is refused. */
		assert_int_equal(uri.token[0], 0x5a);
	}
	assert_true(sizeof refused / sizeof *refused >= 30);
}

static struct cs_token_uri accept_uri(const char *text)
{
	struct cs_token_uri uri;
	struct cs_fault fault = {0};

	memset(&uri, 0x5a, sizeof uri);
	enum cs_err err = cs_token_uri_parse(text, 0, &uri, &fault);
	if (err != CS_OK)
		fail_msg("'%s': %s: %s", text, cs_err_name(err), fault.detail);
	return uri;
}

static void test_every_attribute(void **state)
{
	(void)state;
	struct cs_token_uri uri = accept_uri(
		"pkcs11:token=Seal%20Token;serial=0a1b;manufacturer=Acme;model=H1;slot-id=42;"
		"slot-description=Reader;slot-manufacturer=Slots;library-description=Lib;library-"
		"manufacturer=Vendor;"
		"object=seal%2Fkey;id=%00%01%FF;type=private?module-path=/usr/lib/m%2Bod.so");
	assert_string_equal(uri.token, "Seal Token");
	assert_string_equal(uri.serial, "0a1b");
	assert_string_equal(uri.manufacturer, "Acme");
	assert_string_equal(uri.model, "H1");
	assert_true(uri.has_slot);
	assert_int_equal(uri.slot, 42);
	assert_string_equal(uri.slot_description, "Reader");
	assert_string_equal(uri.slot_manufacturer, "Slots");
	assert_string_equal(uri.library_description, "Lib");
	assert_string_equal(uri.library_manufacturer, "Vendor");
	assert_string_equal(uri.object, "seal/key");
	assert_int_equal(uri.id_len, 3);
	assert_memory_equal(uri.id, "\x00\x01\xff", 3);
	assert_true(uri.has_class);
	assert_int_equal(uri.class, CKO_PRIVATE_KEY);
	assert_string_equal(uri.module_path, "/usr/lib/m+od.so");
}

static void test_absent_is_empty(void **state)
{
	(void)state;
	struct cs_token_uri uri = accept_uri("PKCS11:serial=7");
	assert_string_equal(uri.serial, "7");
	assert_string_equal(uri.token, "");
	assert_string_equal(uri.model, "");
	assert_string_equal(uri.object, "");
	assert_string_equal(uri.module_path, "");
	assert_string_equal(uri.library_description, "");
	assert_false(uri.has_slot);
	assert_false(uri.has_class);
	assert_int_equal(uri.id_len, 0);
}

static void test_limits(void **state)
{
	(void)state;
	struct cs_token_uri uri =
		accept_uri("pkcs11:token=" X32 ";serial=" X16 ";object=" X128 ";id=" X64);
	assert_string_equal(uri.token, X32);
	assert_string_equal(uri.serial, X16);
	assert_string_equal(uri.object, X128);
	assert_int_equal(uri.id_len, 64);
	assert_int_equal(accept_uri("pkcs11:slot-id=4294967295").slot, 4294967295);
	assert_int_equal(accept_uri("pkcs11:object=k;type=public").class, CKO_PUBLIC_KEY);
	assert_int_equal(accept_uri("pkcs11:object=k;type=cert").class, CKO_CERTIFICATE);
	assert_string_equal(accept_uri("pkcs11:token=%C3%A9t%C3%A9").token, "\xc3\xa9t\xc3\xa9");
	/* In the path '&' is an ordinary character, in the query '?' and '/' are. */
	assert_string_equal(accept_uri("pkcs11:token=a&b=c").token, "a&b=c");
	assert_string_equal(accept_uri("pkcs11:token=a?module-path=/x?y").module_path, "/x?y");

	char text[CS_URI_MAX + 64];
	struct cs_fault fault = {0};
	memset(text, 'a', sizeof text);
	memcpy(text, "pkcs11:object=", 14);
	text[CS_URI_MAX + 1] = '\0';
	assert_int_equal(cs_token_uri_parse(text, 0, &uri, &fault), CS_E_URI);
	assert_non_null(strstr(fault.detail, "longer than 2048 bytes"));
}

static void expect(const char *text, unsigned demand, enum cs_err want, const char *path)
{
	struct cs_token_uri uri;
	struct cs_fault fault = {0};
	enum cs_err err = cs_token_uri_parse(text, demand, &uri, &fault);

	if (err != want || strcmp(fault.path, path) != 0)
		fail_msg("'%s': %s at '%s': %s", text, cs_err_name(err), fault.path, fault.detail);
}

static void test_demands(void **state)
{
	(void)state;
	expect("pkcs11:object=k", 0, CS_OK, "");
	expect("pkcs11:object=k", CS_URI_TOKEN, CS_E_URI, "token");
	expect("pkcs11:manufacturer=Acme;model=H1", CS_URI_TOKEN, CS_E_URI, "token");
	expect("pkcs11:token=t", CS_URI_TOKEN, CS_OK, "");
	expect("pkcs11:serial=1", CS_URI_TOKEN, CS_OK, "");
	expect("pkcs11:slot-id=0", CS_URI_TOKEN, CS_OK, "");
	expect("pkcs11:token=t", CS_URI_KEY, CS_E_URI, "object");
	expect("pkcs11:token=t;type=private", CS_URI_KEY, CS_E_URI, "object");
	expect("pkcs11:object=k", CS_URI_KEY, CS_OK, "");
	expect("pkcs11:id=%01", CS_URI_KEY, CS_OK, "");
	expect("pkcs11:id=%01;type=private", CS_URI_KEY, CS_OK, "");
	expect("pkcs11:id=%01;type=cert", CS_URI_KEY, CS_E_URI, "type");
	expect("pkcs11:token=t;id=%01", CS_URI_KEY | CS_URI_TOKEN, CS_OK, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_every_attribute),
		cmocka_unit_test(test_absent_is_empty),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_demands),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
