/* Compact JWS of one form. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/address.h"
#include "tests/fixture/jose_case.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static void test_jws(void **state)
{
	static const char *const payloads[] = {
		"", "x", "{\"kind\":\"decision\"}", "\xff\xfe any bytes \x01"};

	(void)state;
	for (size_t i = 0; i < ALG_COUNT; i++) {
		for (size_t p = 0; p < sizeof payloads / sizeof *payloads; p++) {
			CS_CLEANUP_BYTES struct cs_bytes jws = {0};
			CS_CLEANUP_BYTES struct cs_bytes payload = {0};
			const struct cs_signer *signer = signer_of(i);
			size_t len = strlen(payloads[p]);
			char kid[CS_ID_MAX + 1];

			assert_int_equal(cs_jws_sign(signer, payloads[p], len, &jws), CS_OK);
			const char *text = (const char *)jws.data;
			assert_int_equal(
				cs_jws_open(text, jws.len, kid, sizeof kid, &payload), CS_OK);
			assert_string_equal(kid, KID);
			assert_true(cs_bytes_equal(payload.data, payload.len, payloads[p], len));
			assert_int_equal(cs_jws_verify(text, jws.len, KID, &signer->key), CS_OK);
			assert_int_equal(cs_jws_verify(text, jws.len, "kye:key:anna", &signer->key),
				CS_E_KEY_UNKNOWN);
			assert_int_equal(cs_jws_verify(text, jws.len, KID,
						 &signer_of((i + 1) % ALG_COUNT)->key),
				CS_E_ALGORITHM);
			for (size_t at = 0; at < jws.len; at++) {
				jws.data[at] ^= 1;
				assert_int_not_equal(
					cs_jws_verify(text, jws.len, KID, &signer->key), CS_OK);
				jws.data[at] ^= 1;
			}
			for (size_t cut = 0; cut < jws.len; cut++)
				assert_int_not_equal(
					cs_jws_verify(text, cut, KID, &signer->key), CS_OK);
		}
	}
	CS_CLEANUP_BYTES struct cs_bytes jws = {0};
	assert_int_equal(cs_jws_sign(cs_test_key_signer(stranger), "x", 1, &jws), CS_OK);
	assert_int_equal(cs_jws_verify((const char *)jws.data, jws.len, KID, &signer_of(0)->key),
		CS_E_SIGNATURE);
}

static void test_jws_header_bytes(void **state)
{
	static const char header[] =
		"{\"alg\":\"EdDSA\",\"kid\":\"" KID "\",\"typ\":\"countersign-seal+jws\"}";
	CS_CLEANUP_BYTES struct cs_bytes expected = {0};
	CS_CLEANUP_BYTES struct cs_bytes input = {0};

	(void)state;
	assert_int_equal(
		cs_base64url_encode((const uint8_t *)header, strlen(header), &expected), CS_OK);
	assert_int_equal(cs_bytes_add_text(&expected, ".eHk"), CS_OK);
	assert_int_equal(cs_jws_signing_input(&signer_of(0)->key, KID, "xy", 2, &input), CS_OK);
	assert_true(cs_bytes_equal(input.data, input.len, expected.data, expected.len));
	assert_int_equal(cs_jws_signing_input(&signer_of(0)->key, "", "xy", 2, &input), CS_E_ID);
	assert_int_equal(input.len, expected.len);
}

/* A JWS over this header, really signed by the key: only the header is wrong. */
static enum cs_err verify_header(const char *header, enum cs_err *ret_open)
{
	CS_CLEANUP_BYTES struct cs_bytes jws = {0};
	CS_CLEANUP_BYTES struct cs_bytes payload = {0};
	const struct cs_signer *signer = signer_of(0);
	uint8_t signature[64];
	char kid[CS_ID_MAX + 1];

	assert_int_equal(cs_base64url_encode((const uint8_t *)header, strlen(header), &jws), CS_OK);
	assert_int_equal(cs_bytes_add_text(&jws, ".eA"), CS_OK);
	assert_int_equal(signer->sign(signer->context, jws.data, jws.len, signature), CS_OK);
	assert_int_equal(cs_bytes_add_text(&jws, "."), CS_OK);
	assert_int_equal(cs_base64url_encode(signature, sizeof signature, &jws), CS_OK);
	*ret_open = cs_jws_open((const char *)jws.data, jws.len, kid, sizeof kid, &payload);
	return cs_jws_verify((const char *)jws.data, jws.len, KID, &signer->key);
}

static void test_jws_header(void **state)
{
	static const struct {
		const char *header;
		enum cs_err open;
		enum cs_err verify;
	} cases[] = {
		{"{\"alg\":\"EdDSA\",\"kid\":\"" KID "\",\"typ\":\"countersign-seal+jws\"}", CS_OK,
			CS_OK},
		{"{\"alg\":\"EdDSA\",\"kid\":\"kye:key:b\",\"typ\":\"countersign-seal+jws\"}",
			CS_OK, CS_E_KEY_UNKNOWN},
		{"{\"alg\":\"ES256\",\"kid\":\"" KID "\",\"typ\":\"countersign-seal+jws\"}", CS_OK,
			CS_E_ALGORITHM},
		{"{\"alg\":\"none\",\"kid\":\"" KID "\",\"typ\":\"countersign-seal+jws\"}",
			CS_E_SIGNATURE_FORM, CS_E_ALGORITHM},
		{"{\"kid\":\"" KID "\",\"alg\":\"EdDSA\",\"typ\":\"countersign-seal+jws\"}",
			CS_E_SIGNATURE_FORM, CS_E_SIGNATURE_FORM},
		{"{\"alg\": \"EdDSA\",\"kid\":\"" KID "\",\"typ\":\"countersign-seal+jws\"}",
			CS_E_SIGNATURE_FORM, CS_E_SIGNATURE_FORM},
		{"{\"alg\":\"EdDSA\",\"kid\":\"" KID "\",\"typ\":\"countersign-seal+jws\"}\n",
			CS_E_SIGNATURE_FORM, CS_E_SIGNATURE_FORM},
		{"{\"alg\":\"EdDSA\",\"kid\":\"" KID "\",\"typ\":\"JWT\"}", CS_E_SIGNATURE_FORM,
			CS_E_SIGNATURE_FORM},
		{"{\"alg\":\"EdDSA\",\"kid\":\"" KID "\"}", CS_E_SIGNATURE_FORM,
			CS_E_SIGNATURE_FORM},
		{"{\"alg\":\"EdDSA\",\"crit\":[],\"kid\":\"" KID
		 "\",\"typ\":\"countersign-seal+jws\"}",
			CS_E_SIGNATURE_FORM, CS_E_SIGNATURE_FORM},
		{"{\"alg\":\"EdDSA\",\"kid\":\"\",\"typ\":\"countersign-seal+jws\"}",
			CS_E_SIGNATURE_FORM, CS_E_SIGNATURE_FORM},
		{"{\"alg\":\"EdDSA\",\"kid\":\"" KID "\\u0000\",\"typ\":\"countersign-seal+jws\"}",
			CS_E_SIGNATURE_FORM, CS_E_SIGNATURE_FORM},
		{"{\"alg\":\"EdDSA\",\"alg\":\"EdDSA\",\"kid\":\"" KID
		 "\",\"typ\":\"countersign-seal+jws\"}",
			CS_E_SIGNATURE_FORM, CS_E_SIGNATURE_FORM},
		{"[]", CS_E_SIGNATURE_FORM, CS_E_SIGNATURE_FORM},
		{"", CS_E_SIGNATURE_FORM, CS_E_SIGNATURE_FORM},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		enum cs_err open;
		assert_int_equal(verify_header(cases[i].header, &open), cases[i].verify);
		assert_int_equal(open, cases[i].open);
	}
}

static void test_jws_parts(void **state)
{
	CS_CLEANUP_BYTES struct cs_bytes jws = {0};
	CS_CLEANUP_BYTES struct cs_bytes payload = {0};
	char kid[CS_ID_MAX + 1];

	(void)state;
	assert_int_equal(cs_jws_sign(signer_of(0), "x", 1, &jws), CS_OK);
	const struct {
		const char *text;
		enum cs_err err;
	} cases[] = {
		{"", CS_E_SIGNATURE_FORM},
		{".", CS_E_SIGNATURE_FORM},
		{"a.b", CS_E_SIGNATURE_FORM},
		{"..", CS_E_SIGNATURE_FORM},
		{"a.b.c.d", CS_E_SIGNATURE_FORM},
		{"a.b.c", CS_E_BASE64},
		{"e30=.eA.eA", CS_E_BASE64},
		{"e30.eA.eA", CS_E_SIGNATURE_FORM},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t len = strlen(cases[i].text);
		assert_int_equal(
			cs_jws_open(cases[i].text, len, kid, sizeof kid, &payload), cases[i].err);
		assert_int_equal(
			cs_jws_verify(cases[i].text, len, KID, &signer_of(0)->key), cases[i].err);
	}
	assert_int_equal(cs_jws_open((const char *)jws.data, jws.len, kid, strlen(KID), &payload),
		CS_E_SIGNATURE_FORM);
	assert_int_equal(payload.len, 0);
	/* A padded payload is another text for the same bytes. */
	const char *dot = strchr((const char *)jws.data, '.');
	CS_CLEANUP_BYTES struct cs_bytes padded = {0};
	assert_int_equal(cs_bytes_addf(&padded, "%.*s.eA==%s", (int)(dot - (const char *)jws.data),
				 (const char *)jws.data, strrchr((const char *)jws.data, '.')),
		CS_OK);
	assert_int_equal(
		cs_jws_verify((const char *)padded.data, padded.len, KID, &signer_of(0)->key),
		CS_E_BASE64);
	assert_int_equal(
		cs_jws_open((const char *)padded.data, padded.len, kid, sizeof kid, &payload),
		CS_E_BASE64);
	assert_int_equal(payload.len, 0);
}

static void test_jws_signer(void **state)
{
	CS_CLEANUP_BYTES struct cs_bytes jws = {0};
	struct cs_signer signer = cs_test_key_high_s(keys[1]);

	(void)state;
	assert_int_equal(cs_jws_sign(&signer, "x", 1, &jws), CS_OK);
	assert_int_equal(cs_jws_verify((const char *)jws.data, jws.len, KID, &signer.key),
		CS_E_SIGNATURE_HIGH_S);
	size_t len = jws.len;
	signer = cs_test_key_removed(keys[1]);
	assert_int_equal(cs_jws_sign(&signer, "x", 1, &jws), CS_E_TOKEN_REMOVED);
	assert_int_equal(jws.len, len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jws),
		cmocka_unit_test(test_jws_header_bytes),
		cmocka_unit_test(test_jws_header),
		cmocka_unit_test(test_jws_parts),
		cmocka_unit_test(test_jws_signer),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
