/*
 * The rules on one trust set: each wrong genesis, well signed by Sam and Lena, is refused with its
 * own error.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/jose.h"
#include "tests/fixture/world.h"

#include <sodium.h>
#include <string.h>

#define ADDRESS "\"sha256:4444444444444444444444444444444444444444444444444444444444444444\""

static json_t *genesis_draft(struct cs_world *world)
{
	json_t *draft = json_deep_copy(json_array_get(cs_world_trust_versions(world), 0));

	json_object_del(draft, "signatures");
	return draft;
}

static json_t *entry(json_t *draft, const char *list, const char *key, const char *id)
{
	json_t *found = (json_t *)(uintptr_t)cs_json_find(json_object_get(draft, list), key, id);

	assert_non_null(found);
	return found;
}

/* Signs the draft (reference taken), makes it the genesis and loads it. */
static void expect_genesis(
	struct cs_world *world, json_t *draft, enum cs_err expected, const char *what)
{
	struct cs_fault fault = {0};

	json_object_del(draft, "signatures");
	cs_world_cosign(world, draft, CS_WORLD_SAM);
	cs_world_cosign(world, draft, CS_WORLD_LENA);
	cs_world_begin_trust(world, draft);
	json_decref(draft);
	enum cs_err err = cs_world_try_trust(world, &fault);
	if (err != expected)
		print_error("%s: %s %s: %s\n", what, cs_err_name(err), fault.path, fault.detail);
	assert_int_equal(err, expected);
	if (err != CS_OK)
		assert_memory_equal(fault.path, "/0", 2);
}

struct edit {
	const char *path, *value;
	enum cs_err err;
};

static void expect_edits(const struct edit *edits, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct cs_world *world = cs_world_new(0);
		json_t *draft = genesis_draft(world);
		cs_world_set(draft, edits[i].path, edits[i].value);
		expect_genesis(world, draft, edits[i].err, edits[i].path);
		cs_world_free(world);
	}
}
#define EXPECT_EDITS(edits) expect_edits(edits, sizeof(edits) / sizeof *(edits))

/*
 * Order of people in the plan: ada, eve, carl, dora, paul, lena, cora, sam, sue; their keys and
 * tokens likewise, then the appliance's.
 */

static void shape_and_text(void **state)
{
	static const struct edit edits[] = {
		{"organisations/0/name", "\"Acme Ltd\"", CS_OK},
		{"organisations/0/name", "\"Acme \\u202eLtd\"", CS_E_TEXT},
		{"persons/0/name", "\"Ada\\nOkafor\"", CS_E_TEXT},
		{"persons/0/name", "\"\"", CS_E_DOCUMENT_INVALID},
		{"persons/0/surname", "\"Okafor\"", CS_E_DOCUMENT_INVALID},
		{"persons/0/id", "\"kye:agent:acme.ada\"", CS_E_DOCUMENT_INVALID},
		{"persons/0/roles/0/role", "\"operator\"", CS_E_DOCUMENT_INVALID},
		{"persons/0/state", "\"retired\"", CS_E_DOCUMENT_INVALID},
		{"issued_at", "\"2026-10-01T08:00:00+00:00\"", CS_E_DOCUMENT_INVALID},
		{"issued_at", "\"2026-02-30T08:00:00Z\"", CS_E_DOCUMENT_INVALID},
		{"keys/0/usage", "\"engine\"", CS_E_DOCUMENT_INVALID},
		{"on_call/+", "{}", CS_E_DOCUMENT_INVALID},
		{"stack_bindings/+", "{}", CS_E_DOCUMENT_INVALID},
		{"appliances/0/origin", "\"acme.example/counter sign\"", CS_E_DOCUMENT_INVALID},
		{"appliances/0/origin", "\"acme.example+countersign\"", CS_E_DOCUMENT_INVALID},
		{"version", "1.5", CS_E_DOCUMENT_INVALID},
	};

	(void)state;
	EXPECT_EDITS(edits);
}

static void identifiers_occur_once(void **state)
{
	static const struct edit edits[] = {
		{"organisations/+", "{\"id\":\"kye:ent:acme.other\",\"name\":\"Other\"}", CS_OK},
		{"organisations/+", "{\"id\":\"kye:ent:acme\",\"name\":\"Other\"}",
			CS_E_TRUST_DUPLICATE},
		{"organisations/+", "{\"id\":\"kye:ent:acme.countersign-1\",\"name\":\"Other\"}",
			CS_E_TRUST_DUPLICATE},
		{"persons/1/id", "\"" CS_WORLD_ADA "\"", CS_E_TRUST_DUPLICATE},
		{"agents/1/id", "\"" CS_WORLD_AGENT "\"", CS_E_TRUST_DUPLICATE},
		{"resources/1/id", "\"kye:res:acme.checkout-api.production\"",
			CS_E_TRUST_DUPLICATE},
		{"tokens/1/id", "\"kye:token:acme.ada\"", CS_E_TRUST_DUPLICATE},
		{"keys/1/kid", "\"kye:key:acme.ada.01\"", CS_E_TRUST_DUPLICATE},
		{"persons/0/roles/+",
			"{\"role\":\"engineer\",\"services\":[\"checkout-api\",\"catalog-api\"],"
			"\"environments\":"
			"[\"production\",\"staging\"],\"from\":\"2026-01-01T00:00:00Z\",\"until\":"
			"\"2026-11-01T00:00:00Z\"}",
			CS_E_TRUST_DUPLICATE},
		{"persons/0/roles/+",
			"{\"role\":\"engineer\",\"services\":[\"checkout-api\",\"catalog-api\"],"
			"\"environments\":"
			"[\"production\",\"staging\"],\"from\":\"2026-02-01T00:00:00Z\",\"until\":"
			"\"2026-11-01T00:00:00Z\"}",
			CS_OK},
	};
	static const char *const lists[] = {"grants", "purposes", "delegations", "appliances"};

	(void)state;
	EXPECT_EDITS(edits);
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		struct cs_world *world = cs_world_new(0);
		json_t *draft = genesis_draft(world);
		json_array_append(json_object_get(draft, lists[i]),
			json_array_get(json_object_get(draft, lists[i]), 0));
		expect_genesis(world, draft, CS_E_TRUST_DUPLICATE, lists[i]);
		cs_world_free(world);
	}
}

/* One human under two names would be two people for every rule. */
static void one_employee_one_person(void **state)
{
	struct cs_world *world = cs_world_new(0);
	json_t *draft = genesis_draft(world);

	(void)state;
	json_object_set(entry(draft, "persons", "id", CS_WORLD_CARL), "employee_digest",
		json_object_get(entry(draft, "persons", "id", CS_WORLD_ADA), "employee_digest"));
	expect_genesis(world, draft, CS_E_TRUST_DUPLICATE, "employee");
	cs_world_free(world);
}

static void two_appliances_do_not_share_an_origin(void **state)
{
	struct cs_world *world = cs_world_new(0);
	json_t *draft = genesis_draft(world);
	json_t *second = json_deep_copy(json_array_get(json_object_get(draft, "appliances"), 0));

	(void)state;
	cs_world_set(second, "id", "\"kye:ent:acme.countersign-2\"");
	json_array_append_new(json_object_get(draft, "appliances"), second);
	expect_genesis(world, draft, CS_E_TRUST_DUPLICATE, "origin");
	cs_world_free(world);
}

static void references_lead_to_entries(void **state)
{
	static const struct edit edits[] = {
		{"persons/0/organisation", "\"kye:ent:other\"", CS_E_TRUST_REFERENCE},
		{"agents/0/organisation", "\"kye:ent:other\"", CS_E_TRUST_REFERENCE},
		{"agents/0/principal", "\"kye:person:acme.nobody\"", CS_E_TRUST_REFERENCE},
		{"keys/0/token", "\"kye:token:acme.other\"", CS_E_TRUST_REFERENCE},
		{"keys/0/entity", "\"kye:person:acme.nobody\"", CS_E_TRUST_REFERENCE},
		{"keys/0/entity", "\"kye:ent:acme\"", CS_E_TRUST_REFERENCE},
		{"keys/9/entity", "\"kye:ent:acme\"", CS_E_TRUST_REFERENCE},
		{"keys/9/entity", "\"" CS_WORLD_ADA "\"", CS_E_TRUST_REFERENCE},
		{"delegations/0/actor_entity_id", "\"kye:agent:acme.other\"", CS_E_TRUST_REFERENCE},
		{"delegations/0/subject_entity_id", "\"kye:ent:other\"", CS_E_TRUST_REFERENCE},
		{"delegations/0/delegator_entity_id", "\"kye:person:acme.nobody\"",
			CS_E_TRUST_REFERENCE},
		{"delegations/0/delegator_entity_id", "\"kye:agent:acme.canary-watch\"", CS_OK},
		{"delegations/0/authorized_by_entity_id", "\"kye:person:acme.nobody\"",
			CS_E_TRUST_REFERENCE},
		{"delegations/0/authorized_by_entity_id", "\"" CS_WORLD_CORA "\"", CS_OK},
		{"delegations/0/scope/resources/+", "\"kye:res:acme.other\"", CS_E_TRUST_REFERENCE},
		{"appliances/0/seal_key", "\"kye:key:acme.other\"", CS_E_TRUST_REFERENCE},
		{"appliances/0/seal_key", "\"kye:key:acme.countersign-1.document.01\"",
			CS_E_TRUST_REFERENCE},
		{"appliances/0/seal_key", "\"kye:key:acme.ada.01\"", CS_E_TRUST_REFERENCE},
		{"appliances/0/checkpoint_key", "\"kye:key:acme.countersign-1.seal.01\"",
			CS_E_TRUST_REFERENCE},
		{"appliances/0/document_key", "\"kye:key:acme.other\"", CS_E_TRUST_REFERENCE},
	};

	(void)state;
	EXPECT_EDITS(edits);
}

static void tokens_have_an_identity(void **state)
{
	static const struct edit edits[] = {
		{"tokens/0/serial", "\"12345678\"", CS_OK},
		{"tokens/0/serial", "\"\"", CS_E_TRUST_TOKEN},
		{"tokens/0/serial", "\"0\"", CS_E_TRUST_TOKEN},
		{"tokens/0/serial", "\"0000000000000000\"", CS_E_TRUST_TOKEN},
		{"tokens/0/serial", "\"00:00:00 00\"", CS_E_TRUST_TOKEN},
		{"tokens/0/product", "\"\"", CS_E_DOCUMENT_INVALID},
		{"tokens/0/assurance", "\"verified\"", CS_E_DOCUMENT_INVALID},
	};
	struct cs_world *world = cs_world_new(0);
	json_t *draft = genesis_draft(world);

	(void)state;
	EXPECT_EDITS(edits);
	cs_world_set(draft, "tokens/0/serial", "\"AB12cd34\"");
	cs_world_set(draft, "tokens/1/serial", "\"ab12CD34\"");
	expect_genesis(world, draft, CS_E_TRUST_DUPLICATE, "the same serial");
	draft = genesis_draft(world);
	cs_world_set(draft, "tokens/1/product", "\"another product\"");
	expect_genesis(world, draft, CS_OK, "the same serial of another product");
	cs_world_free(world);
}

static void keys_are_usable(void **state)
{
	static const struct edit edits[] = {
		/* the neutral element, a point of order 4, and y = p - 1 */
		{"keys/0/jwk/x", "\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"", CS_E_KEY},
		{"keys/0/jwk/x", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"", CS_E_KEY},
		{"keys/0/jwk/x", "\"7P_______________________________________38\"", CS_E_KEY},
		{"keys/9/jwk/x", "\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"", CS_E_KEY},
		{"keys/0/jwk/crv", "\"P-256\"", CS_E_KEY},
		{"keys/0/jwk/d", "\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"",
			CS_E_DOCUMENT_INVALID},
		{"keys/0/jwk/kty", "\"RSA\"", CS_E_DOCUMENT_INVALID},
	};

	(void)state;
	EXPECT_EDITS(edits);
}

static void a_public_key_has_one_name(void **state)
{
	struct cs_world *world = cs_world_new(0);
	json_t *draft = genesis_draft(world);

	(void)state;
	json_object_set(entry(draft, "keys", "kid", "kye:key:acme.countersign-1.checkpoint.01"),
		"jwk",
		json_object_get(
			entry(draft, "keys", "kid", "kye:key:acme.countersign-1.seal.01"), "jwk"));
	expect_genesis(world, draft, CS_E_TRUST_DUPLICATE, "one key for two usages");
	cs_world_free(world);
}

static void enrolment_proves_the_key(void **state)
{
	static const struct edit edits[] = {
		{"keys/0/enrolment", "null", CS_E_TRUST_ENROLMENT},
		{"keys/0/enrolment/nonce",
			"\"4444444444444444444444444444444444444444444444444444444444444444\"",
			CS_E_TRUST_ENROLMENT},
		{"keys/0/enrolment/issued_at", "\"2026-10-01T07:00:01Z\"", CS_E_TRUST_ENROLMENT},
		{"keys/0/enrolment/trust_set", ADDRESS, CS_E_TRUST_ENROLMENT},
		{"keys/0/enrolment/person", "\"" CS_WORLD_EVE "\"", CS_E_TRUST_ENROLMENT},
		{"keys/0/enrolment/kid", "\"kye:key:acme.eve.01\"", CS_E_TRUST_ENROLMENT},
		{"keys/0/enrolment/signature/kid", "\"kye:key:acme.eve.01\"", CS_E_TRUST_ENROLMENT},
		{"keys/0/enrolment/signature/alg", "\"ES256\"", CS_E_TRUST_ENROLMENT},
		{"keys/0/entity", "\"" CS_WORLD_EVE "\"", CS_E_TRUST_ENROLMENT},
		{"keys/0/enrolment/signature", NULL, CS_E_DOCUMENT_INVALID},
		{"keys/0/enrolment/nonce", "\"44\"", CS_E_DOCUMENT_INVALID},
	};
	struct cs_world *world = cs_world_new(0);
	json_t *draft = genesis_draft(world);
	json_t *ada = entry(draft, "keys", "kid", "kye:key:acme.ada.01");

	(void)state;
	EXPECT_EDITS(edits);
	/*
	 * The key was swapped after the enrolment; then the challenge too, which its old signature
	 * does not cover.
	 */
	json_t *jwk = NULL;
	assert_int_equal(
		cs_public_key_to_jwk(&cs_world_stranger(world, CS_ALG_EDDSA, "other")->key, &jwk),
		CS_OK);
	json_object_set(ada, "jwk", jwk);
	expect_genesis(world, json_incref(draft), CS_E_TRUST_ENROLMENT, "another key");
	json_object_set(json_object_get(ada, "enrolment"), "jwk", jwk);
	expect_genesis(world, draft, CS_E_TRUST_ENROLMENT, "another key in both");
	json_decref(jwk);
	/* Appliances do not enrol. */
	draft = genesis_draft(world);
	json_object_set(entry(draft, "keys", "kid", "kye:key:acme.countersign-1.seal.01"),
		"enrolment",
		json_object_get(entry(draft, "keys", "kid", "kye:key:acme.ada.01"), "enrolment"));
	expect_genesis(world, draft, CS_E_TRUST_ENROLMENT, "an appliance");
	cs_world_free(world);
}

static void officers_are_two(void **state)
{
	static const struct edit edits[] = {
		{"persons/8/state", "\"suspended\"", CS_E_TRUST_OFFICERS},
		{"persons/8/state", "\"ended\"", CS_E_TRUST_OFFICERS},
		{"persons/8/roles/0/until", "\"2027-10-01T00:00:00Z\"", CS_E_TRUST_OFFICERS},
		{"persons/8/roles/0/from", "\"2026-10-01T08:00:01Z\"", CS_E_TRUST_OFFICERS},
		{"persons/8/roles/0/from", "\"2026-10-01T08:00:00Z\"", CS_OK},
		{"persons/8/roles/0/role", "\"auditor\"", CS_E_TRUST_OFFICERS},
		{"persons/8/roles", "[]", CS_E_TRUST_OFFICERS},
	};

	(void)state;
	EXPECT_EDITS(edits);
}

/* ---- the appliance's keys ---- */

static json_t *second_seal_key(struct cs_world *world, json_t *draft, const char *kid)
{
	json_t *key =
		json_deep_copy(entry(draft, "keys", "kid", "kye:key:acme.countersign-1.seal.01"));
	json_t *jwk = NULL, *name = json_string(kid);

	assert_int_equal(
		cs_public_key_to_jwk(&cs_world_stranger(world, CS_ALG_ES256, kid)->key, &jwk),
		CS_OK);
	json_object_set_new(key, "jwk", jwk);
	json_object_set_new(key, "kid", name);
	json_array_append_new(json_object_get(draft, "keys"), key);
	return key;
}

static void a_log_has_one_live_seal_key(void **state)
{
	const char *kid = "kye:key:acme.countersign-1.seal.02";
	const char *revocation = "{\"at\":\"2026-10-01T08:00:00Z\",\"reason\":\"lost\",\"invalid_"
				 "from\":null,\"last_trusted_checkpoint\":null}";
	const struct {
		const char *which, *path, *value;
		enum cs_err err;
	} cases[] = {
		{kid, "pin_policy", "\"always\"", CS_E_TRUST_REFERENCE},
		{kid, "not_before", "\"2027-01-01T00:00:00Z\"", CS_E_TRUST_REFERENCE},
		{kid, "not_after", "\"2026-10-01T08:00:00Z\"", CS_OK},
		{kid, "not_after", "\"2026-10-01T08:00:01Z\"", CS_E_TRUST_REFERENCE},
		{kid, "revocation", revocation, CS_OK},
		{kid, "usage", "\"checkpoint\"", CS_E_TRUST_REFERENCE},
		{kid, "usage", "\"binding\"", CS_OK},
		/*
		 * The one that the appliance names has ended, the other is live: the name must
		 * move.
		 */
		{"kye:key:acme.countersign-1.seal.01", "revocation", revocation,
			CS_E_TRUST_REFERENCE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct cs_world *world = cs_world_new(0);
		json_t *draft = genesis_draft(world);
		second_seal_key(world, draft, kid);
		cs_world_set(
			entry(draft, "keys", "kid", cases[i].which), cases[i].path, cases[i].value);
		expect_genesis(world, draft, cases[i].err, cases[i].path);
		cs_world_free(world);
	}
}

static void an_appliance_has_one_token(void **state)
{
	static const char *const kids[] = {"kye:key:acme.countersign-1.seal.01",
		"kye:key:acme.countersign-1.checkpoint.01",
		"kye:key:acme.countersign-1.document.01"};

	(void)state;
	for (size_t i = 0; i < sizeof kids / sizeof *kids; i++) {
		struct cs_world *world = cs_world_new(0);
		json_t *draft = genesis_draft(world);
		cs_world_set(
			entry(draft, "keys", "kid", kids[i]), "token", "\"kye:token:acme.ada\"");
		expect_genesis(world, draft, CS_E_TRUST_REFERENCE, kids[i]);
		cs_world_free(world);
	}
}

/* ---- grants ---- */

/* Changes the grant, has `person` sign it again when not NULL, and loads. */
static void expect_grant(const char *list, const char *path, const char *value, const char *person,
	enum cs_err expected)
{
	struct cs_world *world = cs_world_new(0);
	json_t *draft = genesis_draft(world);
	json_t *grant = json_array_get(json_object_get(draft, list), 0);

	cs_world_set(grant, path, value);
	if (person != NULL)
		cs_world_sign_grant(world, grant, person);
	expect_genesis(world, draft, expected, path);
	cs_world_free(world);
}

static void grants_are_signed_by_their_grantor(void **state)
{
	static const struct {
		const char *path, *value, *person;
		enum cs_err err;
	} cases[] = {
		{"not_after", "\"2027-01-01T00:00:00Z\"", CS_WORLD_LENA, CS_OK},
		{"not_after", "\"2027-01-01T00:00:00Z\"", NULL, CS_E_SIGNATURE},
		{"revoked_at", "\"2026-10-01T07:45:00Z\"", NULL, CS_OK},
		{"issued_by", "\"" CS_WORLD_CORA "\"", CS_WORLD_CORA, CS_OK},
		{"issued_by", "\"" CS_WORLD_CORA "\"", CS_WORLD_LENA, CS_E_KEY_ENTITY},
		{"issued_by", "\"kye:person:acme.nobody\"", CS_WORLD_LENA, CS_E_TRUST_REFERENCE},
		{"issued_by", "\"" CS_WORLD_AGENT "\"", CS_WORLD_LENA, CS_E_TRUST_REFERENCE},
		{"principal", "\"kye:ent:other\"", CS_WORLD_LENA, CS_E_TRUST_REFERENCE},
		{"grantee", "\"kye:agent:acme.other\"", CS_WORLD_LENA, CS_E_TRUST_REFERENCE},
		{"scope/resources/+", "\"kye:res:acme.other\"", CS_WORLD_LENA,
			CS_E_TRUST_REFERENCE},
		{"issued_at", "\"2026-10-01T06:59:59Z\"", CS_WORLD_LENA, CS_E_KEY_WINDOW},
		{"issued_at", "\"2026-10-01T08:00:00Z\"", CS_WORLD_LENA, CS_OK},
		{"issued_at", "\"2026-10-01T08:00:01Z\"", CS_WORLD_LENA, CS_E_TRUST_CHAIN},
		{"signature", "\"placeholder\"", NULL, CS_E_SIGNATURE_FORM},
		{"signature", "\"sig:eddsa:kye:key:acme.nobody.01:AAAA\"", NULL, CS_E_KEY_UNKNOWN},
		{"signature", "\"sig:es256:kye:key:acme.lena.01:AAAA\"", NULL, CS_E_ALGORITHM},
		{"signature", "\"sig:eddsa:kye:key:acme.lena.01:AAAA\"", NULL, CS_E_SIGNATURE_FORM},
		{"signature", "\"sig:eddsa:kye:key:acme.countersign-1.seal.01:AAAA\"", NULL,
			CS_E_KEY_USAGE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		expect_grant(
			"grants", cases[i].path, cases[i].value, cases[i].person, cases[i].err);
		expect_grant(
			"purposes", cases[i].path, cases[i].value, cases[i].person, cases[i].err);
	}
	expect_grant("grants", "revocation_chain/0/grant_id", "\"kye:authority:acme.board\"",
		CS_WORLD_LENA, CS_E_TRUST_REFERENCE);
	expect_grant("grants", "revocation_chain/0/issuer", "\"kye:ent:other\"", CS_WORLD_LENA,
		CS_E_TRUST_REFERENCE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(shape_and_text),
		cmocka_unit_test(identifiers_occur_once),
		cmocka_unit_test(one_employee_one_person),
		cmocka_unit_test(two_appliances_do_not_share_an_origin),
		cmocka_unit_test(references_lead_to_entries),
		cmocka_unit_test(tokens_have_an_identity),
		cmocka_unit_test(keys_are_usable),
		cmocka_unit_test(a_public_key_has_one_name),
		cmocka_unit_test(enrolment_proves_the_key),
		cmocka_unit_test(officers_are_two),
		cmocka_unit_test(a_log_has_one_live_seal_key),
		cmocka_unit_test(an_appliance_has_one_token),
		cmocka_unit_test(grants_are_signed_by_their_grantor),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
