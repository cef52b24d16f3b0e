/* Inline signatures and `sig:` strings. */
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

static json_t *document(void)
{
	json_t *doc = json_loads(
		"{\"schema\":\"countersign.test.v1\",\"z\":1,\"a\":[true,\"\\u00e9\"]}", 0, NULL);

	assert_non_null(doc);
	return doc;
}

/* ---- inline ---- */

static void test_inline(void **state)
{
	(void)state;
	for (size_t i = 0; i < ALG_COUNT; i++) {
		CS_CLEANUP_JSON json_t *doc = document();
		const struct cs_signer *signer = signer_of(i);

		assert_null(cs_inline_kid(doc));
		assert_int_equal(cs_inline_sign(doc, signer, false), CS_OK);
		json_t *signature = json_object_get(doc, "signature");
		assert_int_equal(json_object_size(signature), 3);
		assert_string_equal(
			json_string_value(json_object_get(signature, "alg")), cs_alg_name(algs[i]));
		assert_string_equal(cs_inline_kid(doc), KID);
		assert_int_equal(cs_inline_verify(doc, signature, KID, &signer->key), CS_OK);
		/* Neither form of signature is part of what is signed; everything else is. */
		json_object_set_new(doc, "signatures", json_array());
		assert_int_equal(cs_inline_verify(doc, signature, KID, &signer->key), CS_OK);
		json_object_set_new(doc, "z", json_integer(2));
		assert_int_equal(
			cs_inline_verify(doc, signature, KID, &signer->key), CS_E_SIGNATURE);
		json_object_set_new(doc, "z", json_integer(1));
		json_object_set_new(doc, "extra", json_null());
		assert_int_equal(
			cs_inline_verify(doc, signature, KID, &signer->key), CS_E_SIGNATURE);
		json_object_del(doc, "extra");
		assert_int_equal(cs_inline_verify(doc, signature, KID, &signer->key), CS_OK);
		/* Signing again replaces. */
		json_object_set_new(doc, "z", json_integer(3));
		assert_int_equal(cs_inline_sign(doc, signer, false), CS_OK);
		assert_int_equal(
			cs_inline_verify(doc, json_object_get(doc, "signature"), KID, &signer->key),
			CS_OK);
	}
}

static void test_inline_plural(void **state)
{
	CS_CLEANUP_JSON json_t *doc = document();

	(void)state;
	for (size_t i = 0; i < ALG_COUNT; i++)
		assert_int_equal(cs_inline_sign(doc, signer_of(i), true), CS_OK);
	json_t *list = json_object_get(doc, "signatures");
	assert_int_equal(json_array_size(list), ALG_COUNT);
	assert_null(json_object_get(doc, "signature"));
	for (size_t i = 0; i < ALG_COUNT; i++) {
		assert_int_equal(
			cs_inline_verify(doc, json_array_get(list, i), KID, &signer_of(i)->key),
			CS_OK);
		assert_int_equal(cs_inline_verify(doc, json_array_get(list, i), KID,
					 &signer_of((i + 1) % ALG_COUNT)->key),
			CS_E_ALGORITHM);
	}
	json_object_set_new(doc, "signatures", json_string("x"));
	assert_int_equal(cs_inline_sign(doc, signer_of(0), true), CS_E_SIGNATURE_FORM);
	assert_string_equal(json_string_value(json_object_get(doc, "signatures")), "x");
}

static void test_inline_refused(void **state)
{
	CS_CLEANUP_JSON json_t *doc = document();
	const struct cs_public_key *key = &signer_of(0)->key;

	(void)state;
	assert_int_equal(cs_inline_sign(doc, signer_of(0), false), CS_OK);
	json_t *good = json_object_get(doc, "signature");
	const char *value = json_string_value(json_object_get(good, "value_b64"));
	const struct {
		json_t *signature;
		enum cs_err err;
		bool no_kid;
	} cases[] = {
		{json_pack("{s:s, s:s, s:s}", "alg", "EdDSA", "kid", KID, "value_b64", value),
			CS_OK},
		{json_pack("{s:s, s:s, s:s}", "alg", "EdDSA", "kid", "kye:key:other", "value_b64",
			 value),
			CS_E_KEY_UNKNOWN},
		{json_pack("{s:s, s:s, s:s}", "alg", "ES256", "kid", KID, "value_b64", value),
			CS_E_ALGORITHM},
		{json_pack("{s:s, s:s, s:s}", "alg", "eddsa", "kid", KID, "value_b64", value),
			CS_E_ALGORITHM},
		{json_pack("{s:s, s:s, s:s}", "alg", "none", "kid", KID, "value_b64", value),
			CS_E_ALGORITHM},
		{json_pack("{s:s, s:s, s:s, s:n}", "alg", "EdDSA", "kid", KID, "value_b64", value,
			 "x"),
			CS_E_SIGNATURE_FORM, true},
		{json_pack("{s:s, s:s}", "alg", "EdDSA", "kid", KID), CS_E_SIGNATURE_FORM, true},
		{json_pack("{s:s, s:s, s:s}", "alg", "EdDSA", "kid", KID, "value", value),
			CS_E_SIGNATURE_FORM, true},
		{json_pack("{s:s, s:i, s:s}", "alg", "EdDSA", "kid", 1, "value_b64", value),
			CS_E_SIGNATURE_FORM, true},
		/* equal to the kid as a C string only */
		{json_pack("{s:s, s:s#, s:s}", "alg", "EdDSA", "kid", KID "\0x",
			 (int)sizeof KID + 1, "value_b64", value),
			CS_E_SIGNATURE_FORM, true},
		{json_pack("{s:s, s:s, s:s+}", "alg", "EdDSA", "kid", KID, "value_b64", value, "="),
			CS_E_BASE64},
		{json_pack(
			 "{s:s, s:s, s:s+}", "alg", "EdDSA", "kid", KID, "value_b64", value, "AA"),
			CS_E_SIGNATURE_FORM},
		{json_pack("{s:s, s:s, s:s+}", "alg", "EdDSA", "kid", KID, "value_b64", "AAAA",
			 value),
			CS_E_SIGNATURE_FORM},
		{json_pack("{s:s, s:s, s:s}", "alg", "EdDSA", "kid", KID, "value_b64", ""),
			CS_E_SIGNATURE_FORM},
		{json_pack("[s, s, s]", "EdDSA", KID, value), CS_E_SIGNATURE_FORM, true},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CS_CLEANUP_JSON json_t *holder =
			json_pack("{s:o}", "signature", cases[i].signature);
		assert_non_null(holder);
		assert_int_equal(cs_inline_verify(doc, cases[i].signature, KID, key), cases[i].err);
		if (cases[i].no_kid)
			assert_null(cs_inline_kid(holder));
		else
			assert_non_null(cs_inline_kid(holder));
	}
	assert_int_equal(cs_inline_verify(doc, NULL, KID, key), CS_E_SIGNATURE_FORM);
}

static void test_inline_signer(void **state)
{
	CS_CLEANUP_JSON json_t *doc = document();
	CS_CLEANUP_JSON json_t *before = json_deep_copy(doc);
	struct cs_signer signer = cs_test_key_high_s(keys[1]);
	char long_kid[CS_ID_MAX + 2];

	(void)state;
	assert_int_equal(cs_inline_sign(doc, &signer, false), CS_OK);
	assert_int_equal(cs_inline_verify(doc, json_object_get(doc, "signature"), KID, &signer.key),
		CS_E_SIGNATURE_HIGH_S);
	json_object_del(doc, "signature");
	signer = cs_test_key_removed(keys[1]);
	assert_int_equal(cs_inline_sign(doc, &signer, false), CS_E_TOKEN_REMOVED);
	assert_int_equal(cs_inline_sign(doc, &signer, true), CS_E_TOKEN_REMOVED);
	signer = *signer_of(0);
	signer.kid = "";
	assert_int_equal(cs_inline_sign(doc, &signer, false), CS_E_ID);
	memset(long_kid, 'k', sizeof long_kid - 1);
	long_kid[sizeof long_kid - 1] = '\0';
	signer.kid = long_kid;
	assert_int_equal(cs_inline_sign(doc, &signer, false), CS_E_ID);
	assert_true(json_equal(doc, before));
	long_kid[CS_ID_MAX] = '\0';
	assert_int_equal(cs_inline_sign(doc, &signer, false), CS_OK);
}

/* ---- sig: strings ---- */

static void test_sig_string(void **state)
{
	static const char *const starts[] = {
		"sig:eddsa:" KID ":", "sig:es256:" KID ":", "sig:es384:" KID ":"};

	(void)state;
	for (size_t i = 0; i < ALG_COUNT; i++) {
		CS_CLEANUP_JSON json_t *doc = document();
		CS_CLEANUP_BYTES struct cs_bytes text = {0};
		const struct cs_signer *signer = signer_of(i);
		char kid[CS_ID_MAX + 1];

		assert_int_equal(cs_sig_string_sign(doc, signer, &text), CS_OK);
		const char *string = (const char *)text.data;
		assert_memory_equal(string, starts[i], strlen(starts[i]));
		assert_int_equal(cs_sig_string_kid(string, kid, sizeof kid), CS_OK);
		assert_string_equal(kid, KID);
		assert_int_equal(cs_sig_string_kid(string, kid, strlen(KID)), CS_E_SIGNATURE_FORM);
		assert_int_equal(cs_sig_string_kid(string, kid, strlen(KID) + 1), CS_OK);
		assert_int_equal(cs_sig_string_verify(doc, string, KID, &signer->key), CS_OK);
		/* Without `signature`, and without nothing else. */
		json_object_set_new(doc, "signature", json_string(string));
		assert_int_equal(cs_sig_string_verify(doc, string, KID, &signer->key), CS_OK);
		json_object_set_new(doc, "signatures", json_array());
		assert_int_equal(
			cs_sig_string_verify(doc, string, KID, &signer->key), CS_E_SIGNATURE);
		json_object_del(doc, "signatures");
		assert_int_equal(cs_sig_string_verify(doc, string, "kye:key:anna", &signer->key),
			CS_E_KEY_UNKNOWN);
		assert_int_equal(cs_sig_string_verify(
					 doc, string, KID, &signer_of((i + 1) % ALG_COUNT)->key),
			CS_E_ALGORITHM);
		if (i == 0)
			assert_int_equal(cs_sig_string_verify(doc, string, KID,
						 &cs_test_key_signer(stranger)->key),
				CS_E_SIGNATURE);
		/* Every character counts. */
		for (size_t at = 0; at < text.len; at++) {
			text.data[at] ^= 1;
			assert_int_not_equal(
				cs_sig_string_verify(doc, string, KID, &signer->key), CS_OK);
			text.data[at] ^= 1;
		}
		for (size_t cut = 0; cut < text.len; cut++) {
			uint8_t kept = text.data[cut];
			text.data[cut] = '\0';
			assert_int_not_equal(
				cs_sig_string_verify(doc, string, KID, &signer->key), CS_OK);
			text.data[cut] = kept;
		}
	}
}

static void test_sig_string_form(void **state)
{
	static const struct {
		const char *text;
		const char *kid; /* NULL: CS_E_SIGNATURE_FORM */
	} cases[] = {
		{"sig:eddsa:k:AA", "k"},
		{"sig:eddsa:kye:key:x:AA", "kye:key:x"},
		{"sig:es384::::AA", "::"},
		{"sig:eddsa:AA", NULL},
		{"sig:eddsa::AA", NULL},
		{"sig:eddsa:k:", NULL},
		{"sig:EdDSA:k:AA", NULL},
		{"sig:none:k:AA", NULL},
		{"sig::k:AA", NULL},
		{"sig:es256:", NULL},
		{"SIG:eddsa:k:AA", NULL},
		{"sig:averyveryverylongname:k:AA", NULL},
		{"sig", NULL},
		{"", NULL},
	};
	char kid[CS_ID_MAX + 1];
	char text[CS_ID_MAX + 40];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		strcpy(kid, "untouched");
		assert_int_equal(cs_sig_string_kid(cases[i].text, kid, sizeof kid),
			cases[i].kid ? CS_OK : CS_E_SIGNATURE_FORM);
		assert_string_equal(kid, cases[i].kid ? cases[i].kid : "untouched");
	}
	for (size_t len = CS_ID_MAX; len <= CS_ID_MAX + 1; len++) {
		strcpy(text, "sig:eddsa:");
		memset(text + 10, 'k', len);
		strcpy(text + 10 + len, ":AA");
		assert_int_equal(cs_sig_string_kid(text, kid, sizeof kid),
			len > CS_ID_MAX ? CS_E_SIGNATURE_FORM : CS_OK);
	}
	CS_CLEANUP_JSON json_t *doc = document();
	assert_int_equal(cs_sig_string_verify(doc, "sig:eddsa:" KID ":A", KID, &signer_of(0)->key),
		CS_E_BASE64);
	assert_int_equal(cs_sig_string_verify(doc, "sig:eddsa:" KID ":AA", KID, &signer_of(0)->key),
		CS_E_SIGNATURE_FORM);
}

static void test_sig_string_signer(void **state)
{
	CS_CLEANUP_JSON json_t *doc = document();
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	struct cs_signer signer = cs_test_key_high_s(keys[1]);

	(void)state;
	assert_int_equal(cs_bytes_add_text(&text, "before "), CS_OK);
	assert_int_equal(cs_sig_string_sign(doc, &signer, &text), CS_OK);
	assert_memory_equal(text.data, "before sig:es256:", 17);
	assert_int_equal(cs_sig_string_verify(doc, (const char *)text.data + 7, KID, &signer.key),
		CS_E_SIGNATURE_HIGH_S);
	size_t len = text.len;
	signer = cs_test_key_removed(keys[1]);
	assert_int_equal(cs_sig_string_sign(doc, &signer, &text), CS_E_TOKEN_REMOVED);
	signer.kid = "";
	assert_int_equal(cs_sig_string_sign(doc, &signer, &text), CS_E_ID);
	assert_int_equal(text.len, len);
}

/* ---- beside a payload ---- */

#define CANONICALISATION "rfc8785-style/sorted-keys-no-ws"

static json_t *artefact(const struct cs_signer *signer)
{
	CS_CLEANUP_BYTES struct cs_bytes value = {0};
	CS_CLEANUP_BYTES struct cs_bytes message = {0};
	uint8_t signature[CS_SIGNATURE_MAX];
	json_t *payload = document();

	assert_int_equal(cs_canonical_print(payload, &message), CS_OK);
	assert_int_equal(
		signer->sign(signer->context, message.data, message.len, signature), CS_OK);
	assert_int_equal(
		cs_base64url_encode(signature, cs_alg_signature_len(signer->key.alg), &value),
		CS_OK);
	return json_pack("{s:o, s:{s:s, s:s, s:s, s:s}}", "payload", payload, "signature", "alg",
		cs_alg_name(signer->key.alg), "kid", KID, "sig", (const char *)value.data,
		"canonicalisation", CANONICALISATION);
}

static void test_payload(void **state)
{
	struct cs_signer high = cs_test_key_high_s(keys[1]);

	(void)state;
	for (size_t i = 0; i < ALG_COUNT; i++) {
		CS_CLEANUP_JSON json_t *doc = artefact(signer_of(i));
		const struct cs_public_key *key = &signer_of(i)->key;
		json_t *signature = json_object_get(doc, "signature");

		assert_int_equal(cs_payload_verify(doc, KID, key), CS_OK);
		assert_int_equal(cs_payload_verify(doc, "kye:key:b", key), CS_E_KEY_UNKNOWN);
		assert_int_equal(cs_payload_verify(doc, KID, &signer_of((i + 1) % ALG_COUNT)->key),
			CS_E_ALGORITHM);
		json_object_set_new(json_object_get(doc, "payload"), "z", json_integer(2));
		assert_int_equal(cs_payload_verify(doc, KID, key), CS_E_SIGNATURE);
		json_object_set_new(json_object_get(doc, "payload"), "z", json_integer(1));
		json_object_set_new(doc, "more", json_null());
		assert_int_equal(cs_payload_verify(doc, KID, key), CS_E_SIGNATURE_FORM);
		json_object_del(doc, "more");
		json_object_set_new(signature, "canonicalisation", json_string("none"));
		assert_int_equal(cs_payload_verify(doc, KID, key), CS_E_SIGNATURE_FORM);
		json_object_set_new(signature, "canonicalisation", json_string(CANONICALISATION));
		json_object_set_new(signature, "more", json_string(""));
		assert_int_equal(cs_payload_verify(doc, KID, key), CS_E_SIGNATURE_FORM);
		json_object_del(signature, "more");
		assert_int_equal(cs_payload_verify(doc, KID, key), CS_OK);
		json_object_set_new(signature, "sig", json_string("A"));
		assert_int_equal(cs_payload_verify(doc, KID, key), CS_E_BASE64);
		json_object_del(signature, "sig");
		assert_int_equal(cs_payload_verify(doc, KID, key), CS_E_SIGNATURE_FORM);
	}
	/* Others make these, and the standard knows no low S. */
	CS_CLEANUP_JSON json_t *doc = artefact(&high);
	assert_int_equal(cs_payload_verify(doc, KID, &high.key), CS_OK);
	json_object_del(doc, "payload");
	json_object_set_new(doc, "body", json_null());
	assert_int_equal(cs_payload_verify(doc, KID, &high.key), CS_E_SIGNATURE_FORM);
	assert_int_equal(cs_payload_verify(NULL, KID, &high.key), CS_E_SIGNATURE_FORM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inline),
		cmocka_unit_test(test_inline_plural),
		cmocka_unit_test(test_inline_refused),
		cmocka_unit_test(test_inline_signer),
		cmocka_unit_test(test_sig_string),
		cmocka_unit_test(test_sig_string_form),
		cmocka_unit_test(test_sig_string_signer),
		cmocka_unit_test(test_payload),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
