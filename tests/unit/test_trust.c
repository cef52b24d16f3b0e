/*
 * The chain of trust sets: pinned genesis, two people under the predecessor's keys and roles,
 * rotation, nobody for themselves.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fixture/version_case.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define V2 "2026-10-10T08:00:00Z"
#define V3 "2026-10-20T08:00:00Z"

/* A copy of the genesis without signatures. */
static json_t *genesis_draft(struct cs_world *world)
{
	json_t *draft = json_deep_copy(json_array_get(cs_world_trust_versions(world), 0));

	json_object_del(draft, "signatures");
	return draft;
}

/* ---- the genesis ---- */

static void genesis_loads_in_every_variant(void **state)
{
	(void)state;
	for (unsigned flags = 0; flags < 32; flags++) {
		struct cs_world *world = cs_world_new(flags);
		const struct cs_trust *trust = cs_world_trust(world);
		assert_int_equal(cs_trust_count(trust), 1);
		assert_int_equal(cs_trust_version(trust), 1);
		assert_string_equal(cs_trust_address(trust), cs_world_trust_genesis(world));
		assert_string_equal(cs_trust_address_of(trust, 0), cs_world_trust_genesis(world));
		cs_world_free(world);
	}
}

static void entries_are_found_by_id(void **state)
{
	const struct cs_trust *trust = cs_world_trust(*state);

	assert_string_equal(
		cs_json_text(cs_trust_person(trust, CS_WORLD_ADA), "name"), "Ada Okafor");
	assert_string_equal(
		cs_json_text(cs_trust_agent(trust, CS_WORLD_AGENT), "principal"), CS_WORLD_PAUL);
	assert_string_equal(
		cs_json_text(cs_trust_resource(trust, "kye:res:acme.checkout-api.production"),
			"service"),
		"checkout-api");
	assert_string_equal(
		cs_json_text(cs_trust_appliance(trust, CS_WORLD_ORIGIN), "id"), CS_WORLD_APPLIANCE);
	assert_null(cs_trust_person(trust, CS_WORLD_AGENT));
	assert_null(cs_trust_agent(trust, CS_WORLD_ADA));
	assert_null(cs_trust_resource(trust, "kye:res:acme.other"));
	assert_null(cs_trust_appliance(trust, "acme.example/other"));
	assert_null(cs_trust_person(trust, NULL));
}

static void genesis_is_pinned(void **state)
{
	struct cs_world *world = *state;
	const char *other =
		"sha256:0000000000000000000000000000000000000000000000000000000000000000";
	struct cs_trust *trust = NULL;
	CS_CLEANUP_JSON json_t *none = json_array();
	CS_CLEANUP_JSON json_t *draft = genesis_draft(world);

	assert_int_equal(cs_trust_load(cs_world_registry(world), cs_world_trust_versions(world),
				 other, &trust, NULL),
		CS_E_TRUST_GENESIS);
	assert_int_equal(cs_trust_load(cs_world_registry(world), cs_world_trust_versions(world),
				 NULL, &trust, NULL),
		CS_E_TRUST_GENESIS);
	assert_int_equal(cs_trust_load(cs_world_registry(world), none,
				 cs_world_trust_genesis(world), &trust, NULL),
		CS_E_TRUST_GENESIS);
	/* Well signed by the same people, and still not the one that is pinned. */
	cs_world_set(draft, "persons/0/name", "\"Ada O.\"");
	sign(world, draft, CS_WORLD_SAM, CS_WORLD_LENA);
	json_array_set(cs_world_trust_versions(world), 0, draft);
	expect(world, CS_E_TRUST_GENESIS, "another genesis");
	assert_null(trust);
}

static void genesis_is_the_first_version(void **state)
{
	static const struct {
		const char *path, *value;
	} cases[] = {
		{"version", "2"},
		{"previous", "\"sha256:"
			     "1111111111111111111111111111111111111111111111111111111111111111\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct cs_world *world = cs_world_new(0);
		json_t *draft = genesis_draft(world);
		cs_world_set(draft, cases[i].path, cases[i].value);
		sign(world, draft, CS_WORLD_SAM, CS_WORLD_LENA);
		cs_world_begin_trust(world, draft);
		json_decref(draft);
		expect(world, CS_E_TRUST_CHAIN, cases[i].path);
		cs_world_free(world);
	}
}

/* ---- who signs ---- */

static void roles_of_the_two_signers(void **state)
{
	static const struct {
		const char *a, *b;
		enum cs_err err;
	} cases[] = {
		{CS_WORLD_SAM, CS_WORLD_LENA, CS_OK},
		{CS_WORLD_LENA, CS_WORLD_SAM, CS_OK},
		{CS_WORLD_SUE, CS_WORLD_CORA, CS_OK},
		{NULL, NULL, CS_E_TRUST_UNSIGNED},
		{CS_WORLD_SAM, NULL, CS_E_TRUST_UNSIGNED},
		{CS_WORLD_SAM, CS_WORLD_SAM, CS_E_TRUST_SIGNERS},
		{CS_WORLD_SAM, CS_WORLD_SUE, CS_E_TRUST_SIGNERS},
		{CS_WORLD_LENA, CS_WORLD_CORA, CS_E_TRUST_SIGNERS},
		{CS_WORLD_SAM, CS_WORLD_ADA, CS_E_TRUST_SIGNERS},
		{CS_WORLD_LENA, CS_WORLD_PAUL, CS_E_TRUST_SIGNERS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (unsigned later = 0; later < 2; later++) {
			struct cs_world *world = cs_world_new(0);
			json_t *draft =
				later ? cs_world_next_trust(world, V2) : genesis_draft(world);
			sign(world, draft, cases[i].a, cases[i].b);
			if (later)
				cs_world_add_trust(world, draft);
			else
				cs_world_begin_trust(world, draft);
			json_decref(draft);
			expect(world, cases[i].err, cases[i].a ? cases[i].a : "nobody");
			cs_world_free(world);
		}
	}
}

/* Whatever stands in signatures[1] of a second version beside a good one of Sam's. */
static void expect_second(struct cs_world *world, const struct cs_signer *signer,
	enum cs_err expected, const char *what)
{
	json_t *draft = cs_world_next_trust(world, V2);

	cs_world_cosign(world, draft, CS_WORLD_SAM);
	assert_int_equal(cs_inline_sign(draft, signer, true), CS_OK);
	add(world, draft);
	expect(world, expected, what);
	json_array_remove(cs_world_trust_versions(world), 1);
}

static void keys_of_the_two_signers(void **state)
{
	struct cs_world *world = *state;

	expect_second(world, cs_world_person(world, CS_WORLD_LENA), CS_OK, "Lena");
	expect_second(world, cs_world_stranger(world, CS_ALG_EDDSA, "kye:key:acme.nobody.01"),
		CS_E_KEY_UNKNOWN, "stranger");
	expect_second(world, cs_world_stranger(world, CS_ALG_EDDSA, "kye:key:acme.lena.01"), CS_OK,
		"the same seed is the same key");
	expect_second(world, cs_world_stranger(world, CS_ALG_ES256, "kye:key:acme.lena.01"),
		CS_E_ALGORITHM, "another key under her name");
	expect_second(world, cs_world_appliance(world, CS_USAGE_SEAL), CS_E_KEY_USAGE, "seal key");
	expect_second(
		world, cs_world_appliance(world, CS_USAGE_ENGINE), CS_E_KEY_UNKNOWN, "engine key");
}

static void every_signature_must_verify(void **state)
{
	struct cs_world *world = *state;
	json_t *draft = cs_world_next_trust(world, V2);

	sign(world, draft, CS_WORLD_SAM, CS_WORLD_LENA);
	cs_world_set(draft, "persons/0/name", "\"Ada Changed\"");
	add(world, draft);
	expect(world, CS_E_SIGNATURE, "changed after signing");
	cs_world_set(draft, "persons/0/name", "\"Ada Okafor\"");
	expect(world, CS_OK, "changed back");
	cs_world_set(draft, "signatures/1/alg", "\"ES256\"");
	expect(world, CS_E_ALGORITHM, "algorithm");
	cs_world_set(draft, "signatures/1/alg", "\"EdDSA\"");
	cs_world_set(draft, "signatures/1/kid", "\"kye:key:acme.cora.01\"");
	expect(world, CS_E_SIGNATURE, "Cora's name on Lena's signature");
}

static void a_third_signature_has_no_place(void **state)
{
	json_t *draft = cs_world_next_trust(*state, V2);

	sign(*state, draft, CS_WORLD_SAM, CS_WORLD_LENA);
	cs_world_cosign(*state, draft, CS_WORLD_CORA);
	add(*state, draft);
	expect(*state, CS_E_DOCUMENT_INVALID, "three signatures");
}

static void two_signers_on_one_token(void **state)
{
	struct cs_world *world = *state;
	json_t *draft = genesis_draft(world);
	const json_t *sam =
		cs_json_find(json_object_get(draft, "keys"), "kid", "kye:key:acme.sam.01");
	json_t *lena = (json_t *)(uintptr_t)cs_json_find(
		json_object_get(draft, "keys"), "kid", "kye:key:acme.lena.01");

	json_object_set(lena, "token", json_object_get(sam, "token"));
	sign(world, draft, CS_WORLD_SAM, CS_WORLD_LENA);
	cs_world_begin_trust(world, draft);
	expect(world, CS_E_TRUST_SIGNERS, "one token");
	json_object_del(draft, "signatures");
	sign(world, draft, CS_WORLD_SAM, CS_WORLD_CORA);
	cs_world_begin_trust(world, draft);
	json_decref(draft);
	expect(world, CS_OK, "two tokens");
}

/* The window and revocation of Sam's key, and the time of his role, at the version's issued_at. */
static void signers_are_judged_at_issued_at(void **state)
{
	static const struct {
		const char *list, *path, *value;
		enum cs_err err;
	} cases[] = {
		{"keys", "not_after", "\"2026-10-10T08:00:00.001Z\"", CS_OK},
		{"keys", "not_after", "\"2026-10-10T08:00:00Z\"", CS_E_KEY_WINDOW},
		{"keys", "not_before", "\"2026-10-10T08:00:01Z\"", CS_E_KEY_WINDOW},
		{"keys", "revocation",
			"{\"at\":\"2026-10-10T08:00:00Z\",\"reason\":\"left\",\"invalid_from\":"
			"null,"
			"\"last_trusted_checkpoint\":null}",
			CS_E_KEY_REVOKED},
		{"keys", "revocation",
			"{\"at\":\"2026-12-01T08:00:00Z\",\"reason\":\"compromise\","
			"\"invalid_from\":\"2026-10-09T08:00:00Z\",\"last_trusted_checkpoint\":"
			"null}",
			CS_E_KEY_REVOKED},
		{"keys", "revocation",
			"{\"at\":\"2026-12-01T08:00:00Z\",\"reason\":\"lost\",\"invalid_from\":"
			"null,"
			"\"last_trusted_checkpoint\":null}",
			CS_OK},
		{"persons", "roles/0/until", "\"2026-10-10T08:00:00Z\"", CS_E_TRUST_SIGNERS},
		{"persons", "roles/0/until", "\"2026-10-10T08:00:01Z\"", CS_OK},
		{"persons", "roles/0/from", "\"2026-10-10T08:00:01Z\"", CS_E_TRUST_SIGNERS},
		{"persons", "state", "\"suspended\"", CS_E_TRUST_SIGNERS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct cs_world *world = cs_world_new(0);
		json_t *draft = genesis_draft(world);
		bool key = strcmp(cases[i].list, "keys") == 0;
		const json_t *entry = cs_json_find(json_object_get(draft, cases[i].list),
			key ? "kid" : "id", key ? "kye:key:acme.sam.01" : CS_WORLD_SAM);
		/* A third officer, so that ending Sam leaves two. */
		cs_world_set(draft, "persons/1/roles/+",
			"{\"role\":\"security_officer\",\"services\":[\"*\"],\"environments\":[\"*"
			"\"],"
			"\"from\":\"2026-01-01T00:00:00Z\",\"until\":null}");
		cs_world_set((json_t *)(uintptr_t)entry, cases[i].path, cases[i].value);
		sign(world, draft, CS_WORLD_SUE, CS_WORLD_CORA);
		cs_world_begin_trust(world, draft);
		json_decref(draft);
		draft = cs_world_next_trust(world, V2);
		sign(world, draft, CS_WORLD_SAM, CS_WORLD_LENA);
		add(world, draft);
		expect(world, cases[i].err, cases[i].value);
		cs_world_free(world);
	}
}

/* ---- the chain ---- */

static void versions_follow_each_other(void **state)
{
	static const struct {
		const char *path, *value;
		enum cs_err err;
	} cases[] = {
		{"issued_at", "\"2026-10-01T08:00:00.001Z\"", CS_OK},
		{"issued_at", "\"2026-10-01T08:00:00Z\"", CS_E_TRUST_CHAIN},
		{"issued_at", "\"2026-10-01T07:30:00Z\"", CS_E_TRUST_CHAIN},
		{"version", "1", CS_E_TRUST_CHAIN},
		{"version", "3", CS_E_TRUST_CHAIN},
		{"previous", "null", CS_E_TRUST_CHAIN},
		{"previous",
			"\"sha256:"
			"1111111111111111111111111111111111111111111111111111111111111111\"",
			CS_E_TRUST_CHAIN},
		{"id", "\"kye:trust-set:other\"", CS_E_TRUST_CHAIN},
		{"schema", "\"countersign.policy.v1\"", CS_E_DOCUMENT_INVALID},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct cs_world *world = cs_world_new(0);
		json_t *draft = cs_world_next_trust(world, V2);
		cs_world_set(draft, cases[i].path, cases[i].value);
		sign(world, draft, CS_WORLD_SAM, CS_WORLD_LENA);
		add(world, draft);
		expect(world, cases[i].err, cases[i].path);
		cs_world_free(world);
	}
}

static void add_signed(struct cs_world *world, const char *at)
{
	json_t *draft = cs_world_next_trust(world, at);

	sign(world, draft, CS_WORLD_SAM, CS_WORLD_LENA);
	add(world, draft);
}

static void order_and_gaps(void **state)
{
	struct cs_world *world = *state;
	json_t *versions = cs_world_trust_versions(world);

	add_signed(world, V2);
	add_signed(world, V3);
	assert_int_equal(cs_trust_count(cs_world_trust(world)), 3);
	assert_int_equal(cs_trust_version(cs_world_trust(world)), 3);
	assert_string_not_equal(
		cs_trust_address(cs_world_trust(world)), cs_world_trust_genesis(world));

	CS_CLEANUP_JSON json_t *second = json_incref(json_array_get(versions, 1));
	json_array_remove(versions, 1);
	expect(world, CS_E_TRUST_CHAIN, "the second is missing");
	json_array_append(versions, second);
	expect(world, CS_E_TRUST_CHAIN, "out of order");
	json_array_remove(versions, 1);
	json_array_append(versions, second);
	expect(world, CS_E_TRUST_CHAIN, "the second twice");
	json_array_remove(versions, 0);
	expect(world, CS_E_TRUST_GENESIS, "no genesis");
}

static void fault_names_the_version(void **state)
{
	struct cs_fault fault = {0};
	json_t *draft = cs_world_next_trust(*state, V2);

	cs_world_set(draft, "agents/0/principal", "\"kye:person:acme.ada\"");
	sign(*state, draft, CS_WORLD_SAM, CS_WORLD_LENA);
	add(*state, draft);
	assert_int_equal(cs_world_try_trust(*state, &fault), CS_E_TRUST_REMOVED);
	assert_string_equal(fault.path, "/1/agents");
	assert_non_null(strstr(fault.detail, "principal"));
}

#define OFFICER \
	"{\"role\":\"security_officer\",\"services\":[\"*\"],\"environments\":[\"*\"],\"from\":" \
	"\"2026-10-10T08:00:00Z\",\"until\":null}"

/* ---- content before signing ---- */

static void provisioning_checks_before_it_signs(void **state)
{
	struct cs_world *world = *state;
	struct cs_schema_registry *registry = cs_world_registry(world);
	const json_t *genesis = json_array_get(cs_world_trust_versions(world), 0);
	CS_CLEANUP_JSON json_t *draft = cs_world_next_trust(world, V2);
	struct cs_fault fault = {0};

	check(CS_OK, cs_trust_check_content(registry, genesis, NULL, CS_WORLD_SAM, &fault), &fault,
		"genesis");
	check(CS_OK, cs_trust_check_content(registry, draft, genesis, NULL, &fault), &fault,
		"draft");
	cs_world_set(draft, "persons/5/roles/+", OFFICER);
	check(CS_OK, cs_trust_check_content(registry, draft, genesis, NULL, &fault), &fault,
		"nobody signs yet");
	check(CS_OK, cs_trust_check_content(registry, draft, genesis, CS_WORLD_SAM, &fault), &fault,
		"Sam signs for Lena");
	check(CS_E_TRUST_SELF_RAISE,
		cs_trust_check_content(registry, draft, genesis, CS_WORLD_LENA, &fault), &fault,
		"Lena for herself");
	check(CS_E_TRUST_CHAIN, cs_trust_check_content(registry, draft, NULL, NULL, &fault), &fault,
		"no predecessor given");
	check(CS_E_TRUST_CHAIN, cs_trust_check_content(registry, draft, draft, NULL, &fault),
		&fault, "another predecessor given");
	cs_world_set(draft, "keys", "[]");
	check(CS_E_TRUST_REMOVED, cs_trust_check_content(registry, draft, genesis, NULL, &fault),
		&fault, "keys gone");
	cs_world_set(draft, "keys", NULL);
	check(CS_E_DOCUMENT_INVALID, cs_trust_check_content(registry, draft, genesis, NULL, &fault),
		&fault, "no member keys");
	check(CS_E_DOCUMENT_INVALID, cs_trust_check_content(registry, genesis, draft, NULL, &fault),
		&fault, "predecessor without keys");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(genesis_loads_in_every_variant),
		cmocka_unit_test_setup_teardown(entries_are_found_by_id, setup, teardown),
		cmocka_unit_test_setup_teardown(genesis_is_pinned, setup, teardown),
		cmocka_unit_test(genesis_is_the_first_version),
		cmocka_unit_test(roles_of_the_two_signers),
		cmocka_unit_test_setup_teardown(keys_of_the_two_signers, setup, teardown),
		cmocka_unit_test_setup_teardown(every_signature_must_verify, setup, teardown),
		cmocka_unit_test_setup_teardown(a_third_signature_has_no_place, setup, teardown),
		cmocka_unit_test_setup_teardown(two_signers_on_one_token, setup, teardown),
		cmocka_unit_test(signers_are_judged_at_issued_at),
		cmocka_unit_test(versions_follow_each_other),
		cmocka_unit_test_setup_teardown(order_and_gaps, setup, teardown),
		cmocka_unit_test_setup_teardown(fault_names_the_version, setup, teardown),
		cmocka_unit_test_setup_teardown(
			provisioning_checks_before_it_signs, setup, teardown),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
