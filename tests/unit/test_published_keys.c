/*
 * Published keys: what is refused, and what a JWKS of somebody else is good for.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fixture/ring_case.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define V2 "2026-10-10T08:00:00Z"
#define DECISION "kye.approval_decision.v1"
#define ADA_KEY "kye:key:acme.ada.01"

static void expect_jwks(
	struct cs_world *world, const json_t *jwks, enum cs_err expected, const char *what)
{
	struct cs_keyring *ring = NULL;
	struct cs_fault fault = {0};
	enum cs_err err = cs_keyring_from_jwks(cs_world_registry(world), jwks, &ring, &fault);

	if (err != expected)
		print_error("%s: %s %s: %s\n", what, cs_err_name(err), fault.path, fault.detail);
	assert_int_equal(err, expected);
	assert_true((err == CS_OK) == (ring != NULL));
	cs_keyring_free(ring);
}

/* Signed after the change, so that the change alone is refused. */
static void expect_changed(
	struct cs_world *world, const char *path, const char *value, enum cs_err expected)
{
	CS_CLEANUP_JSON json_t *jwks = NULL;

	assert_int_equal(cs_trust_publish(cs_world_trust(world), &jwks), CS_OK);
	cs_world_set(jwks, path, value);
	cs_world_cosign(world, jwks, CS_WORLD_SAM);
	cs_world_cosign(world, jwks, CS_WORLD_LENA);
	expect_jwks(world, jwks, expected, path);
}

static void a_published_key_has_all_members(void **state)
{
	static const char *const members[] = {"kid", "alg", "use", "entity", "token", "assurance",
		"usage", "not_before", "not_after", "revocation", "origin", "roles", "kty", "crv",
		"x"};
	char path[64];

	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		snprintf(path, sizeof path, "keys/4/%s", members[i]);
		/* The three of the JWK itself are the schema's to miss. */
		expect_changed(*state, path, NULL, i < 12 ? CS_E_KEY : CS_E_DOCUMENT_INVALID);
	}
}

static void a_published_key_is_right(void **state)
{
	static const struct {
		const char *path, *value;
		enum cs_err err;
	} cases[] = {
		{"keys/4/not_after", "\"2027-10-01T00:00:00Z\"", CS_OK},
		{"keys/4/alg", "\"ES256\"", CS_E_KEY},
		{"keys/4/x", "\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"", CS_E_KEY},
		{"keys/4/kid", "\"kye:key:acme.ada.01\"", CS_E_TRUST_DUPLICATE},
		{"keys/4/usage", "\"seal\"", CS_E_KEY},
		{"keys/9/usage", "\"person\"", CS_E_KEY},
		{"keys/9/origin", "null", CS_E_KEY},
		{"keys/9/roles/+",
			"{\"role\":\"engineer\",\"services\":[\"*\"],\"environments\":[\"*\"],"
			"\"from\":\"2026-01-01T00:00:00Z\","
			"\"until\":null}",
			CS_E_KEY},
		{"keys/4/not_before", "\"yesterday\"", CS_E_DOCUMENT_INVALID},
		{"keys/4/use", "\"enc\"", CS_E_DOCUMENT_INVALID},
		{"keys/4/comment", "\"x\"", CS_E_DOCUMENT_INVALID},
		{"schema", "\"countersign.published_keys.v2\"", CS_E_DOCUMENT_INVALID},
		{"keys", "[]", CS_E_DOCUMENT_INVALID},
		{"keys", "{}", CS_E_DOCUMENT_INVALID},
		{"countersign/version", "2", CS_E_TRUST_CHAIN},
		{"countersign/issued_at", "\"2026-10-01T08:00:01Z\"", CS_E_TRUST_CHAIN},
		{"countersign/genesis",
			"\"sha256:"
			"5555555555555555555555555555555555555555555555555555555555555555\"",
			CS_E_TRUST_CHAIN},
		{"countersign/trust_set",
			"\"sha256:"
			"5555555555555555555555555555555555555555555555555555555555555555\"",
			CS_E_TRUST_CHAIN},
		{"countersign/history/0/version", "2", CS_E_TRUST_CHAIN},
		{"countersign/history/+",
			"{\"version\":2,\"address\":\"sha256:"
			"5555555555555555555555555555555555555555555555555555555555555555\","
			"\"issued_at\":\"2026-10-01T08:00:00Z\"}",
			CS_E_TRUST_CHAIN},
		/* The roles that the two signers are published with. */
		{"keys/7/roles", "[]", CS_E_TRUST_SIGNERS},
		{"keys/5/roles/0/from", "\"2026-10-01T08:00:01Z\"", CS_E_TRUST_SIGNERS},
		{"keys/7/not_after", "\"2026-10-01T08:00:00Z\"", CS_E_KEY_WINDOW},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		expect_changed(*state, cases[i].path, cases[i].value, cases[i].err);
}

static void a_published_key_has_one_name(void **state)
{
	CS_CLEANUP_JSON json_t *jwks = NULL;

	assert_int_equal(cs_trust_publish(cs_world_trust(*state), &jwks), CS_OK);
	json_t *keys = json_object_get(jwks, "keys");
	json_object_set(
		json_array_get(keys, 2), "x", json_object_get(json_array_get(keys, 0), "x"));
	cs_world_cosign(*state, jwks, CS_WORLD_SAM);
	cs_world_cosign(*state, jwks, CS_WORLD_LENA);
	expect_jwks(*state, jwks, CS_E_TRUST_DUPLICATE, "Carl with Ada's key");
}

static void two_people_publish(void **state)
{
	static const struct {
		const char *a, *b;
		enum cs_err err;
	} cases[] = {
		{CS_WORLD_SUE, CS_WORLD_CORA, CS_OK},
		{NULL, NULL, CS_E_TRUST_UNSIGNED},
		{CS_WORLD_SAM, NULL, CS_E_TRUST_UNSIGNED},
		{CS_WORLD_SAM, CS_WORLD_SAM, CS_E_TRUST_SIGNERS},
		{CS_WORLD_SAM, CS_WORLD_SUE, CS_E_TRUST_SIGNERS},
		{CS_WORLD_LENA, CS_WORLD_CORA, CS_E_TRUST_SIGNERS},
	};
	CS_CLEANUP_JSON json_t *unsigned_jwks = NULL;

	assert_int_equal(cs_trust_publish(cs_world_trust(*state), &unsigned_jwks), CS_OK);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CS_CLEANUP_JSON json_t *jwks = json_deep_copy(unsigned_jwks);
		if (cases[i].a != NULL)
			cs_world_cosign(*state, jwks, cases[i].a);
		if (cases[i].b != NULL)
			cs_world_cosign(*state, jwks, cases[i].b);
		expect_jwks(*state, jwks, cases[i].err, cases[i].a ? cases[i].a : "nobody");
	}
	CS_CLEANUP_JSON json_t *jwks = cs_world_jwks(*state);
	cs_world_set(jwks, "keys/4/assurance", "\"attested\"");
	expect_jwks(*state, jwks, CS_E_SIGNATURE, "changed after signing");
}

/* A person's key that has been revoked still says who held which role before. */
static void revoked_people_keep_their_past(void **state)
{
	const char *const changes[] = {"keys/0/revocation",
		"{\"at\":\"2026-11-01T00:00:00Z\",\"reason\":\"left\",\"invalid_from\":null,\"last_"
		"trusted_checkpoint\":null}",
		"persons/0/state", "\"ended\"", NULL};
	struct cs_keyring *ring = NULL;

	next(*state, V2, changes);
	CS_CLEANUP_JSON json_t *jwks = cs_world_jwks(*state);
	assert_int_equal(cs_keyring_from_jwks(cs_world_registry(*state), jwks, &ring, NULL), CS_OK);
	assert_int_equal(
		role_at(ring, CS_WORLD_ADA, "engineer", NULL, NULL, "2026-10-09T00:00:00Z"), CS_OK);
	assert_int_equal(
		role_at(ring, CS_WORLD_ADA, "engineer", NULL, NULL, V2), CS_E_APPROVAL_ROLE);
	assert_int_equal(
		key_at(ring, ADA_KEY, DECISION, CS_WORLD_ADA, "2026-10-09T00:00:00Z"), CS_OK);
	assert_int_equal(key_at(ring, ADA_KEY, DECISION, CS_WORLD_ADA, "2026-11-01T00:00:00Z"),
		CS_E_KEY_REVOKED);
	cs_keyring_free(ring);
}

/* ---- a JWKS of somebody else ---- */

#define PLAIN \
	"{\"_note\":\"theirs\",\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"k1\"," \
	"\"alg\":\"EdDSA\",\"use\":\"sig\"," \
	"\"x\":\"vEOg9wc9MYGigQQr0Xq17eFpheeC3oVVCL3NF_hma_E\"}]}"

static void a_plain_jwks_only_finds(void **state)
{
	CS_CLEANUP_JSON json_t *jwks = cs_world_json(PLAIN);
	struct cs_keyring *ring = NULL;

	assert_int_equal(cs_keyring_from_jwks(cs_world_registry(*state), jwks, &ring, NULL), CS_OK);
	assert_true(cs_keyring_is_plain(ring));
	assert_int_equal(cs_keyring_find(ring, "k1")->key.alg, CS_ALG_EDDSA);
	assert_null(cs_keyring_find(ring, "k2"));
	assert_int_equal(key_at(ring, "k1", DECISION, NULL, CS_WORLD_NOW_TEXT), CS_E_KEY_USAGE);
	assert_int_equal(role_at(ring, CS_WORLD_ADA, "engineer", NULL, NULL, CS_WORLD_NOW_TEXT),
		CS_E_APPROVAL_ROLE);
	assert_int_equal(
		cs_keyring_version_at(ring, cs_world_trust_genesis(*state), CS_WORLD_NOW, NULL),
		CS_E_STATEMENT_TRUST_SET);
	assert_null(cs_keyring_appliance_key(ring, CS_WORLD_ORIGIN, CS_USAGE_SEAL));
	assert_string_equal(cs_keyring_genesis(ring), "");
	assert_string_equal(cs_keyring_as_of(ring), "");
	cs_keyring_free(ring);
}

static void a_plain_jwks_is_refused_whole(void **state)
{
	static const struct {
		const char *path, *value;
		enum cs_err err;
	} cases[] = {
		{"keys/0/alg", NULL, CS_OK},
		{"keys/0/kid", NULL, CS_E_KEY},
		{"keys/0/kid", "7", CS_E_KEY},
		{"keys/0/alg", "\"ES256\"", CS_E_KEY},
		{"keys/0/kty", "\"RSA\"", CS_E_KEY},
		{"keys/0/x", "\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"", CS_E_KEY},
		{"keys/+", "{\"kid\":\"k2\"}", CS_E_KEY},
		{"keys/+", "7", CS_E_KEY},
		{"keys/+",
			"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"k1\",\"x\":"
			"\"vEOg9wc9MYGigQQr0Xq17eFpheeC3oVVCL3NF_hma_E\"}",
			CS_E_TRUST_DUPLICATE},
		{"keys", "7", CS_E_DOCUMENT_INVALID},
		{"keys", NULL, CS_E_DOCUMENT_INVALID},
		{"schema", "null", CS_E_KEY},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CS_CLEANUP_JSON json_t *jwks = cs_world_json(PLAIN);
		cs_world_set(jwks, cases[i].path, cases[i].value);
		expect_jwks(*state, jwks, cases[i].err, cases[i].path);
	}
	expect_jwks(*state, NULL, CS_E_DOCUMENT_INVALID, "nothing");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_published_key_has_all_members, setup, teardown),
		cmocka_unit_test_setup_teardown(a_published_key_is_right, setup, teardown),
		cmocka_unit_test_setup_teardown(a_published_key_has_one_name, setup, teardown),
		cmocka_unit_test_setup_teardown(two_people_publish, setup, teardown),
		cmocka_unit_test_setup_teardown(revoked_people_keep_their_past, setup, teardown),
		cmocka_unit_test_setup_teardown(a_plain_jwks_only_finds, setup, teardown),
		cmocka_unit_test_setup_teardown(a_plain_jwks_is_refused_whole, setup, teardown),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
