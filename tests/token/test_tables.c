/* The parts that need no token: return values, quirks, curve parameters, points, padded fields. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sodium.h>
#include "pkcs11/error.h"
#include "pkcs11/point.h"
#include "pkcs11/quirks.h"
#include "pkcs11/slot.h"
#include "tests/fixture/software_key.h"

static void test_return_values(void **state)
{
	static const struct {
		CK_RV rv;
		const char *name;
		enum cs_err err;
	} rows[] = {
		{0x0, "CKR_OK", CS_OK},
		{0x2, "CKR_HOST_MEMORY", CS_E_NOMEM},
		{0x3, "CKR_SLOT_ID_INVALID", CS_E_TOKEN_REMOVED},
		{0x5, "CKR_GENERAL_ERROR", CS_E_TOKEN},
		{0x7, "CKR_ARGUMENTS_BAD", CS_E_TOKEN},
		{0x30, "CKR_DEVICE_ERROR", CS_E_TOKEN},
		{0x32, "CKR_DEVICE_REMOVED", CS_E_TOKEN_REMOVED},
		{0x54, "CKR_FUNCTION_NOT_SUPPORTED", CS_E_TOKEN_MECHANISM},
		{0x60, "CKR_KEY_HANDLE_INVALID", CS_E_TOKEN_KEY},
		{0x68, "CKR_KEY_FUNCTION_NOT_PERMITTED", CS_E_TOKEN},
		{0x70, "CKR_MECHANISM_INVALID", CS_E_TOKEN_MECHANISM},
		{0x82, "CKR_OBJECT_HANDLE_INVALID", CS_E_TOKEN_KEY},
		{0x90, "CKR_OPERATION_ACTIVE", CS_E_TOKEN},
		{0x91, "CKR_OPERATION_NOT_INITIALIZED", CS_E_TOKEN},
		{0xa0, "CKR_PIN_INCORRECT", CS_E_PIN},
		{0xa1, "CKR_PIN_INVALID", CS_E_PIN},
		{0xa2, "CKR_PIN_LEN_RANGE", CS_E_PIN},
		{0xa3, "CKR_PIN_EXPIRED", CS_E_TOKEN},
		{0xa4, "CKR_PIN_LOCKED", CS_E_PIN_LOCKED},
		{0xb0, "CKR_SESSION_CLOSED", CS_E_TOKEN_REMOVED},
		{0xb1, "CKR_SESSION_COUNT", CS_E_BUSY},
		{0xb3, "CKR_SESSION_HANDLE_INVALID", CS_E_TOKEN_REMOVED},
		{0xe0, "CKR_TOKEN_NOT_PRESENT", CS_E_TOKEN_REMOVED},
		{0xe1, "CKR_TOKEN_NOT_RECOGNIZED", CS_E_TOKEN_REMOVED},
		{0x101, "CKR_USER_NOT_LOGGED_IN", CS_E_TOKEN},
		{0x140, "CKR_CURVE_NOT_SUPPORTED", CS_E_TOKEN_MECHANISM},
		{0x190, "CKR_CRYPTOKI_NOT_INITIALIZED", CS_E_MODULE},
		{0x200, "CKR_FUNCTION_REJECTED", CS_E_TOKEN},
		{0x4, "CKR_UNKNOWN", CS_E_TOKEN},
		{0x7fffffff, "CKR_UNKNOWN", CS_E_TOKEN},
		{0x80000000, "CKR_VENDOR_DEFINED", CS_E_TOKEN},
		{0x80000001, "CKR_VENDOR_DEFINED", CS_E_TOKEN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct cs_fault fault = {0};
		char text[128];
		if (strcmp(cs_ckr_name(rows[i].rv), rows[i].name) != 0 ||
			cs_ckr_err(rows[i].rv) != rows[i].err)
			fail_msg("0x%lx: %s, %s", rows[i].rv, cs_ckr_name(rows[i].rv),
				cs_err_name(cs_ckr_err(rows[i].rv)));
		assert_int_equal(cs_ckr_fault(&fault, "C_Sign", rows[i].rv), rows[i].err);
		snprintf(text, sizeof text, "C_Sign: %s (0x%lx)", rows[i].name, rows[i].rv);
		assert_string_equal(fault.detail, text);
		assert_string_equal(fault.path, "C_Sign");
		assert_int_equal(cs_ckr_fault(NULL, "C_Sign", rows[i].rv), rows[i].err);
	}
}

static void test_quirks(void **state)
{
	(void)state;
	assert_string_equal(cs_quirks_of("SoftHSM project", "SoftHSM v2")->product, "softhsm");
	assert_true(cs_quirks_of("SoftHSM project", "SoftHSM v2")->software);
	assert_string_equal(cs_quirks_of("Yubico (www.yubico.com)", "YubiKey YK5")->product,
		"1.3.6.1.4.1.41482.3");
	assert_false(cs_quirks_of("Yubico (www.yubico.com)", "YubiKey YK5")->software);
	assert_string_equal(
		cs_quirks_of("Yubico (www.yubico.com)", "YubiHSM")->product, "1.3.6.1.4.1.41482.4");
	assert_null(cs_quirks_of("Yubico (www.yubico.com)", "Other")->product);
	assert_null(cs_quirks_of("Acme", "YubiKey YK5")->product);
	assert_null(cs_quirks_of("", "")->product);
	assert_false(cs_quirks_of("Acme", "H1")->software);
	assert_non_null(cs_quirks_module_refused("/usr/lib/x86_64-linux-gnu/pkcs11-spy.so"));
	assert_non_null(cs_quirks_module_refused("pkcs11-spy.so"));
	assert_null(cs_quirks_module_refused("/usr/lib/softhsm/libsofthsm2.so"));
	assert_null(cs_quirks_module_refused("/opt/pkcs11-spy/libreal.so"));
}

static void test_params(void **state)
{
	static const struct {
		const char *der;
		size_t len;
		enum cs_err err;
		enum cs_alg alg;
	} rows[] = {
		{"\x13\x0c"
		 "edwards25519",
			14, CS_OK, CS_ALG_EDDSA},
		{"\x06\x03\x2b\x65\x70", 5, CS_OK, CS_ALG_EDDSA},
		{"\x06\x09\x2b\x06\x01\x04\x01\xda\x47\x0f\x01", 11, CS_OK, CS_ALG_EDDSA},
		{"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 10, CS_OK, CS_ALG_ES256},
		{"\x06\x05\x2b\x81\x04\x00\x22", 7, CS_OK, CS_ALG_ES384},
		{"", 0, CS_E_TOKEN_MECHANISM, 0},
		{"\x13\x0a"
		 "edwards448",
			12, CS_E_TOKEN_MECHANISM, 0},
		{"\x13\x0c"
		 "edwards2551",
			13, CS_E_TOKEN_MECHANISM, 0},
		{"\x13\x0a"
		 "curve25519",
			12, CS_E_TOKEN_MECHANISM, 0},
		{"\x06\x05\x2b\x81\x04\x00\x23", 7, CS_E_TOKEN_MECHANISM, 0}, /* P-521 */
		{"\x06\x05\x2b\x81\x04\x00\x0a", 7, CS_E_TOKEN_MECHANISM, 0}, /* secp256k1 */
		{"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x00", 11, CS_E_TOKEN_MECHANISM, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		enum cs_alg alg = (enum cs_alg)77;
		enum cs_err err =
			cs_curve_params_read((const uint8_t *)rows[i].der, rows[i].len, &alg);
		if (err != rows[i].err || alg != (err == CS_OK ? rows[i].alg : (enum cs_alg)77))
			fail_msg("row %zu: %s", i, cs_err_name(err));
	}
	/* What is asked for when a key is made reads back as the same algorithm. */
	for (int a = CS_ALG_EDDSA; a <= CS_ALG_ES384; a++) {
		const struct cs_curve_params *params = cs_curve_params_of((enum cs_alg)a);
		enum cs_alg alg = (enum cs_alg)77;
		assert_int_equal(
			cs_curve_params_read(params->params, params->params_len, &alg), CS_OK);
		assert_int_equal(alg, a);
	}
}

static void expect_point(
	enum cs_alg alg, const uint8_t *value, size_t len, const struct cs_public_key *want)
{
	struct cs_public_key key = {0};
	enum cs_err err = cs_ec_point_read(alg, value, len, &key);

	if (want == NULL) {
		assert_int_equal(err, CS_E_KEY);
		assert_int_equal(key.point_len, 0);
		return;
	}
	assert_int_equal(err, CS_OK);
	assert_true(cs_public_key_equal(&key, want));
}

static void test_points(void **state)
{
	(void)state;
	for (int a = CS_ALG_EDDSA; a <= CS_ALG_ES384; a++) {
		enum cs_alg alg = (enum cs_alg)a;
		struct cs_test_key *made = NULL;
		uint8_t value[CS_POINT_MAX + 4];
		assert_int_equal(cs_test_key_make(alg, "k", "points", &made), CS_OK);
		const struct cs_public_key *key = &cs_test_key_signer(made)->key;
		size_t len = key->point_len;

		expect_point(alg, key->point, len, key);
		value[0] = 0x04;
		value[1] = (uint8_t)len;
		memcpy(value + 2, key->point, len);
		expect_point(alg, value, len + 2, key);

		expect_point(alg, value, 0, NULL);
		expect_point(alg, value, 1, NULL);
		expect_point(alg, key->point, len - 1, NULL);
		expect_point(alg, value, len + 1, NULL);
		value[len + 2] = 0;
		expect_point(alg, value, len + 3, NULL);
		value[1] = (uint8_t)(len - 1);
		expect_point(alg, value, len + 2, NULL);
		value[1] = (uint8_t)len;
		value[0] = 0x03; /* BIT STRING */
		expect_point(alg, value, len + 2, NULL);
		/* DER has one form of a length: not the long one. */
		value[0] = 0x04;
		value[1] = 0x81;
		value[2] = (uint8_t)len;
		memcpy(value + 3, key->point, len);
		expect_point(alg, value, len + 3, NULL);
		/* Wrapped twice. */
		value[1] = (uint8_t)(len + 2);
		value[2] = 0x04;
		value[3] = (uint8_t)len;
		memcpy(value + 4, key->point, len);
		expect_point(alg, value, len + 4, NULL);
		/* Right length, no point. */
		memset(value, 0, sizeof value);
		expect_point(alg, value, len, NULL);
		if (alg != CS_ALG_EDDSA) {
			memcpy(value, key->point, len);
			value[len - 1] ^= 1;
			expect_point(alg, value, len, NULL);
			value[0] = 0x02;
			expect_point(alg, value, len / 2 + 1, NULL);
		}
		cs_test_key_free(made);
	}
}

static void expect_field(const char *field, size_t len, const char *want)
{
	char text[33];

	memset(text, 'x', sizeof text);
	cs_field_copy((const CK_UTF8CHAR *)field, len, text);
	assert_string_equal(text, want);
}

static void test_fields(void **state)
{
	(void)state;
	expect_field("seal                            ", 32, "seal");
	expect_field("two words       ", 16, "two words");
	expect_field("full to the end!", 16, "full to the end!");
	expect_field("nul\0\0\0\0\0", 8, "nul");
	expect_field("nul \0 \0", 7, "nul");
	expect_field("a\0b     ", 8, "a?b");
	expect_field("  left  ", 8, "left");
	expect_field("        ", 8, "");
	expect_field("\0\0\0\0", 4, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_return_values),
		cmocka_unit_test(test_quirks),
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_points),
		cmocka_unit_test(test_fields),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
