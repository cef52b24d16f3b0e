/*
 * Published artefacts: a payload beside its signature, under a plain JWKS and under keys that say
 * more.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fixture/verdict.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static struct cs_world *world;

static int make_world(void **state)
{
	(void)state;
	world = cs_world_new(0);
	return 0;
}

static int free_world(void **state)
{
	(void)state;
	cs_world_free(world);
	return 0;
}

/* As others make them. */
static json_t *artefact(const json_t *payload, const struct cs_signer *signer)
{
	CS_CLEANUP_BYTES struct cs_bytes message = {0};
	CS_CLEANUP_BYTES struct cs_bytes value = {0};
	uint8_t signature[CS_SIGNATURE_MAX];

	assert_int_equal(cs_canonical_print(payload, &message), CS_OK);
	assert_int_equal(
		signer->sign(signer->context, message.data, message.len, signature), CS_OK);
	assert_int_equal(
		cs_base64url_encode(signature, cs_alg_signature_len(signer->key.alg), &value),
		CS_OK);
	return json_pack("{sO s{ss ss ss ss}}", "payload", payload, "signature", "alg",
		cs_alg_name(signer->key.alg), "kid", signer->kid, "sig", (const char *)value.data,
		"canonicalisation", "rfc8785-style/sorted-keys-no-ws");
}

static struct cs_keyring *plain_ring(const struct cs_signer *signer)
{
	CS_CLEANUP_JSON json_t *jwks = json_pack("{s[]}", "keys");
	struct cs_keyring *ring = NULL;
	json_t *jwk = NULL;

	assert_int_equal(cs_public_key_to_jwk(&signer->key, &jwk), CS_OK);
	json_object_set_new(jwk, "kid", json_string(signer->kid));
	json_array_append_new(json_object_get(jwks, "keys"), jwk);
	assert_int_equal(cs_keyring_from_jwks(cs_world_registry(world), jwks, &ring, NULL), CS_OK);
	return ring;
}

static json_t *verify(const struct cs_keyring *ring, const json_t *document, bool expect_allow)
{
	const struct cs_verify_input input = {
		.registry = cs_world_registry(world),
		.ring = ring,
		.document = document,
		.expect_allow = expect_allow,
		.now = CS_WORLD_NOW,
	};

	return cs_verdict_of(&input);
}

static void expect(const struct cs_keyring *ring, const json_t *document, const char *failures)
{
	CS_CLEANUP_JSON json_t *verdict = verify(ring, document, false);

	assert_string_equal(cs_verdict_failures(verdict), failures);
	assert_int_equal(json_is_true(json_object_get(verdict, "authentic")), failures[0] == '\0');
	assert_string_equal(cs_json_text(verdict, "kind"), "payload");
	assert_true(json_is_false(json_object_get(verdict, "authorised")));
	assert_string_equal(cs_json_text(verdict, "summary"),
		failures[0] == '\0' ? "authentic" : "NOT authentic");
}

static void test_under_a_plain_jwks(void **state)
{
	static const enum cs_alg algs[] = {CS_ALG_EDDSA, CS_ALG_ES256, CS_ALG_ES384};
	static const char *const kids[] = {"audit-ed", "audit-256", "audit-384"};
	CS_CLEANUP_JSON json_t *payload =
		json_pack("{ss si}", "schema", "kye.audit.v1", "score", 1);

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const struct cs_signer *signer = cs_world_stranger(world, algs[i], kids[i]);
		struct cs_keyring *ring = plain_ring(signer);
		CS_CLEANUP_JSON json_t *document = artefact(payload, signer);

		expect(ring, document, "");
		cs_keyring_free(ring);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *path, *value, *failures;
	} rows[] = {
		{"payload/score", "2", "signature=bad_signature"},
		{"payload/other", "1", "signature=bad_signature"},
		{"payload", "null", "signature=bad_signature"},
		{"signature/kid", "\"other\"", "signature=key_unknown"},
		{"signature/kid", NULL, "signature=key_unknown"},
		{"signature", NULL, "signature=key_unknown"},
		{"signature/alg", "\"ES256\"", "signature=algorithm_mismatch"},
		{"signature/alg", "\"none\"", "signature=algorithm_mismatch"},
		{"signature/sig", "\"\"", "signature=bad_signature_form"},
		{"signature/sig", "\"!\"", "signature=bad_base64url"},
		{"signature/canonicalisation", "\"none\"", "signature=bad_signature_form"},
		{"signature/x", "1", "signature=bad_signature_form"},
		{"x", "1", "signature=bad_signature_form"},
	};
	const struct cs_signer *signer = cs_world_stranger(world, CS_ALG_EDDSA, "audit");
	struct cs_keyring *ring = plain_ring(signer);
	CS_CLEANUP_JSON json_t *payload =
		json_pack("{ss si}", "schema", "kye.audit.v1", "score", 1);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CS_CLEANUP_JSON json_t *document = artefact(payload, signer);

		cs_world_set(document, rows[i].path, rows[i].value);
		expect(ring, document, rows[i].failures);
	}
	cs_keyring_free(ring);
}

/* An artefact may be authentic; an authorisation it is never. */
static void test_authorises_nothing(void **state)
{
	const struct cs_signer *signer = cs_world_stranger(world, CS_ALG_EDDSA, "audit-allow");
	struct cs_keyring *ring = plain_ring(signer);
	CS_CLEANUP_JSON json_t *payload =
		json_pack("{ss ss}", "schema", "countersign.seal_statement.v1", "outcome", "allow");
	CS_CLEANUP_JSON json_t *document = artefact(payload, signer);
	CS_CLEANUP_JSON json_t *verdict = verify(ring, document, true);

	(void)state;
	assert_true(json_is_true(json_object_get(verdict, "authentic")));
	assert_true(json_is_false(json_object_get(verdict, "authorised")));
	assert_string_equal(cs_verdict_check(verdict, "authorisation"), "not_an_authorisation");
	cs_keyring_free(ring);
}

/*
 * What a key may sign counts in this form too: only what the table lists, and no key that was
 * revoked.
 */
static void test_under_published_keys(void **state)
{
	struct cs_world *other = cs_world_new(0);
	const struct cs_signer *ada = cs_world_person(other, CS_WORLD_ADA);
	CS_CLEANUP_JSON json_t *decision = json_pack("{ss}", "schema", "kye.approval_decision.v1");
	CS_CLEANUP_JSON json_t *audit = json_pack("{ss}", "schema", "kye.audit.v1");
	CS_CLEANUP_JSON json_t *nameless = json_object();
	CS_CLEANUP_JSON json_t *by_ada = artefact(decision, ada);
	CS_CLEANUP_JSON json_t *other_kind = artefact(audit, ada);
	CS_CLEANUP_JSON json_t *no_kind = artefact(nameless, ada);
	CS_CLEANUP_JSON json_t *by_seal_key =
		artefact(decision, cs_world_appliance(other, CS_USAGE_SEAL));
	json_t *draft;

	(void)state;
	expect(cs_world_keyring(other), by_ada, "");
	expect(cs_world_keyring(other), other_kind, "signature=key_usage");
	expect(cs_world_keyring(other), no_kind, "signature=key_usage");
	expect(cs_world_keyring(other), by_seal_key, "signature=key_usage");
	draft = cs_world_next_trust(other, "2026-11-20T10:30:00Z");
	json_object_set_new(
		(json_t *)(uintptr_t)cs_json_find(json_object_get(draft, "keys"), "kid", ada->kid),
		"revocation",
		cs_world_json("{\"at\": \"2026-11-20T10:30:00Z\", \"reason\": \"lost\", "
			      "\"invalid_from\": null, \"last_trusted_checkpoint\": null}"));
	cs_world_cosign(other, draft, CS_WORLD_SUE);
	cs_world_cosign(other, draft, CS_WORLD_CORA);
	cs_world_add_trust(other, draft);
	json_decref(draft);
	expect(cs_world_keyring(other), by_ada, "signature=key_revoked");
	cs_world_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_under_a_plain_jwks),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_authorises_nothing),
		cmocka_unit_test(test_under_published_keys),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, make_world, free_world);
}
