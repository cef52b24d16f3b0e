/*
 * Who held which key and role, when: from trust sets and from published keys, which must say the
 * same.
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
#define V3 "2026-10-20T08:00:00Z"
#define DECISION "kye.approval_decision.v1"
#define ADA_KEY "kye:key:acme.ada.01"

/* ---- keys ---- */

static void a_key_with_all_about_it(void **state)
{
	const struct cs_keyring *ring = cs_world_keyring(*state);
	const struct cs_key_info *ada = cs_keyring_find(ring, ADA_KEY);
	const struct cs_key_info *seal =
		cs_keyring_appliance_key(ring, CS_WORLD_ORIGIN, CS_USAGE_SEAL);

	assert_string_equal(ada->entity, CS_WORLD_ADA);
	assert_int_equal(ada->usage, CS_USAGE_PERSON);
	assert_string_equal(ada->product, "softhsm");
	assert_string_equal(ada->assurance, "software");
	assert_null(ada->origin);
	assert_int_equal(ada->not_before, at("2026-10-01T07:00:00Z"));
	assert_int_equal(ada->not_after, CS_TIME_MAX);
	assert_int_equal(ada->revoked_at, CS_TIME_MAX);
	assert_true(cs_public_key_equal(&ada->key, &cs_world_person(*state, CS_WORLD_ADA)->key));
	assert_string_equal(seal->entity, CS_WORLD_APPLIANCE);
	assert_string_equal(seal->origin, CS_WORLD_ORIGIN);
	assert_string_equal(
		cs_keyring_appliance_key(ring, CS_WORLD_ORIGIN, CS_USAGE_CHECKPOINT)->kid,
		"kye:key:acme.countersign-1.checkpoint.01");
	assert_string_equal(cs_keyring_appliance_key(ring, CS_WORLD_ORIGIN, CS_USAGE_DOCUMENT)->kid,
		"kye:key:acme.countersign-1.document.01");
	assert_null(cs_keyring_appliance_key(ring, CS_WORLD_ORIGIN, CS_USAGE_PERSON));
	assert_null(cs_keyring_appliance_key(ring, "acme.example/other", CS_USAGE_SEAL));
	assert_null(cs_keyring_appliance_key_at(
		ring, CS_WORLD_ORIGIN, CS_USAGE_SEAL, at("2026-10-01T06:59:59Z")));
	assert_null(cs_keyring_find(ring, "kye:key:acme.nobody"));
	assert_false(cs_keyring_is_plain(ring));
}

static void two_people_on_one_token(void **state)
{
	struct cs_world *world = cs_world_new(CS_WORLD_SHARED_TOKEN);
	const struct cs_keyring *ring = cs_world_keyring(world), *other = cs_world_keyring(*state);
	const char *carl = "kye:key:acme.carl.01";

	assert_string_equal(
		cs_keyring_find(ring, ADA_KEY)->serial, cs_keyring_find(ring, carl)->serial);
	assert_string_not_equal(
		cs_keyring_find(other, ADA_KEY)->serial, cs_keyring_find(other, carl)->serial);
	cs_world_free(world);
}

static void a_key_is_judged_in_order(void **state)
{
	static const struct {
		const char *kid, *schema, *entity, *time;
		enum cs_err err;
	} cases[] = {
		{ADA_KEY, DECISION, CS_WORLD_ADA, CS_WORLD_NOW_TEXT, CS_OK},
		{ADA_KEY, DECISION, NULL, CS_WORLD_NOW_TEXT, CS_OK},
		{ADA_KEY, DECISION, NULL, "2026-10-01T07:00:00Z", CS_OK},
		{ADA_KEY, DECISION, NULL, "2026-10-01T06:59:59.999Z", CS_E_KEY_WINDOW},
		{ADA_KEY, DECISION, CS_WORLD_EVE, CS_WORLD_NOW_TEXT, CS_E_KEY_ENTITY},
		{ADA_KEY, DECISION, CS_WORLD_EVE, "2026-01-01T00:00:00Z", CS_E_KEY_ENTITY},
		{ADA_KEY, "countersign.seal_statement.v1", CS_WORLD_EVE, CS_WORLD_NOW_TEXT,
			CS_E_KEY_USAGE},
		{"kye:key:acme.nobody", DECISION, NULL, CS_WORLD_NOW_TEXT, CS_E_KEY_UNKNOWN},
		{NULL, DECISION, NULL, CS_WORLD_NOW_TEXT, CS_E_KEY_UNKNOWN},
		{"kye:key:acme.countersign-1.seal.01", "countersign.seal_statement.v1",
			CS_WORLD_APPLIANCE, CS_WORLD_NOW_TEXT, CS_OK},
		{"kye:key:acme.countersign-1.seal.01", DECISION, NULL, CS_WORLD_NOW_TEXT,
			CS_E_KEY_USAGE},
		{"kye:key:acme.countersign-1.checkpoint.01", "countersign.seal_statement.v1", NULL,
			CS_WORLD_NOW_TEXT, CS_E_KEY_USAGE},
		{"kye:key:acme.countersign-1.document.01", "countersign.engine_certificate.v1",
			NULL, CS_WORLD_NOW_TEXT, CS_OK},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(key_at(cs_world_keyring(*state), cases[i].kid, cases[i].schema,
					 cases[i].entity, cases[i].time),
			cases[i].err);
}

static void faults_say_where(void **state)
{
	const struct cs_key_info *key = NULL;
	struct cs_fault fault = {0};

	assert_int_equal(cs_keyring_key_at(cs_world_keyring(*state), ADA_KEY, DECISION,
				 CS_WORLD_EVE, CS_WORLD_NOW, "/signature/kid", &key, &fault),
		CS_E_KEY_ENTITY);
	assert_string_equal(fault.path, "/signature/kid");
	assert_non_null(strstr(fault.detail, CS_WORLD_EVE));
	assert_null(key);
}

/* Ended, revoked, and revoked for what happened before: the earlier of `at` and `invalid_from`. */
static void keys_end_and_are_revoked(void **state)
{
	const char *const changes[] = {"keys/0/not_after", "\"2026-11-01T00:00:00Z\"",
		"keys/1/revocation",
		"{\"at\":\"2026-11-01T00:00:00Z\",\"reason\":\"lost\",\"invalid_from\":null,\"last_"
		"trusted_checkpoint\":null}",
		"keys/2/revocation",
		"{\"at\":\"2026-11-01T00:00:00Z\",\"reason\":\"compromise\",\"invalid_from\":"
		"\"2026-10-15T00:00:00Z\","
		"\"last_trusted_checkpoint\":null}",
		"keys/3/revocation",
		"{\"at\":\"2026-11-01T00:00:00Z\",\"reason\":\"compromise\",\"invalid_from\":"
		"\"2026-11-15T00:00:00Z\","
		"\"last_trusted_checkpoint\":null}",
		NULL};
	static const struct {
		const char *kid, *last, *first_not;
		enum cs_err err;
	} cases[] = {
		{"kye:key:acme.ada.01", "2026-10-31T23:59:59.999Z", "2026-11-01T00:00:00Z",
			CS_E_KEY_WINDOW},
		{"kye:key:acme.eve.01", "2026-10-31T23:59:59.999Z", "2026-11-01T00:00:00Z",
			CS_E_KEY_REVOKED},
		{"kye:key:acme.carl.01", "2026-10-14T23:59:59.999Z", "2026-10-15T00:00:00Z",
			CS_E_KEY_REVOKED},
		{"kye:key:acme.dora.01", "2026-10-31T23:59:59.999Z", "2026-11-01T00:00:00Z",
			CS_E_KEY_REVOKED},
	};

	next(*state, V2, changes);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(key_at(cs_world_keyring(*state), cases[i].kid, DECISION, NULL,
					 cases[i].last),
			CS_OK);
		assert_int_equal(key_at(cs_world_keyring(*state), cases[i].kid, DECISION, NULL,
					 cases[i].first_not),
			cases[i].err);
	}
}

/* ---- roles ---- */

static void roles_have_a_scope(void **state)
{
	static const struct {
		const char *person, *role, *service, *environment;
		enum cs_err err;
	} cases[] = {
		{CS_WORLD_ADA, "engineer", "checkout-api", "production", CS_OK},
		{CS_WORLD_ADA, "engineer", "catalog-api", "staging", CS_OK},
		{CS_WORLD_ADA, "engineer", NULL, NULL, CS_OK},
		{CS_WORLD_ADA, "engineer", "billing-api", "production", CS_E_APPROVAL_SCOPE},
		{CS_WORLD_ADA, "engineer", "checkout-api", "development", CS_E_APPROVAL_SCOPE},
		{CS_WORLD_ADA, "change_owner", "checkout-api", "production", CS_E_APPROVAL_ROLE},
		{CS_WORLD_EVE, "engineer", "billing-api", "anywhere", CS_OK},
		{CS_WORLD_DORA, "change_owner", "checkout-api", "production", CS_E_APPROVAL_SCOPE},
		{CS_WORLD_DORA, "change_owner", "billing-api", "production", CS_OK},
		{CS_WORLD_SAM, "security_officer", NULL, NULL, CS_OK},
		{CS_WORLD_SAM, "sre_lead", NULL, NULL, CS_E_APPROVAL_ROLE},
		{"kye:person:acme.nobody", "engineer", NULL, NULL, CS_E_APPROVAL_ROLE},
		{CS_WORLD_AGENT, "engineer", NULL, NULL, CS_E_APPROVAL_ROLE},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(role_at(cs_world_keyring(*state), cases[i].person, cases[i].role,
					 cases[i].service, cases[i].environment, CS_WORLD_NOW_TEXT),
			cases[i].err);
	assert_int_equal(role_at(cs_world_keyring(*state), CS_WORLD_ADA, "engineer", NULL, NULL,
				 "2026-01-01T00:00:00Z"),
		CS_OK);
	assert_int_equal(role_at(cs_world_keyring(*state), CS_WORLD_ADA, "engineer", NULL, NULL,
				 "2025-12-31T23:59:59Z"),
		CS_E_APPROVAL_ROLE);
}

/* The same world, told by trust sets and by published keys. */
struct history {
	struct cs_world *world;
	struct cs_keyring *published;
};

static int setup_history(void **state)
{
	struct history *history = test_calloc(1, sizeof *history);
	/*
	 * Ada is away from V2 to V3; Eve gets a role that pretends to be old; Carl's role ends;
	 * Dora's key is revoked.
	 */
	const char *const second[] = {"persons/0/state", "\"suspended\"", "persons/1/roles/+",
		"{\"role\":\"change_owner\",\"services\":[\"*\"],\"environments\":[\"*\"],\"from\":"
		"\"2026-01-01T00:00:00Z\",\"until\":null}",
		"persons/2/roles/0/until", "\"2026-10-15T00:00:00Z\"", "keys/3/revocation",
		"{\"at\":\"2026-11-01T00:00:00Z\",\"reason\":\"compromise\",\"invalid_from\":"
		"\"2026-10-12T00:00:00Z\",\"last_trusted_checkpoint\":\"a note\"}",
		NULL};
	const char *const third[] = {"persons/0/state", "\"active\"", NULL};

	history->world = cs_world_new(0);
	next(history->world, V2, second);
	next(history->world, V3, third);
	CS_CLEANUP_JSON json_t *jwks = cs_world_jwks(history->world);
	assert_int_equal(cs_keyring_from_jwks(cs_world_registry(history->world), jwks,
				 &history->published, NULL),
		CS_OK);
	*state = history;
	return 0;
}

static int teardown_history(void **state)
{
	struct history *history = *state;

	cs_keyring_free(history->published);
	cs_world_free(history->world);
	test_free(history);
	return 0;
}

static void roles_follow_the_history(void **state)
{
	struct history *history = *state;
	static const struct {
		const char *person, *role, *time;
		enum cs_err err;
	} cases[] = {
		{CS_WORLD_ADA, "engineer", "2026-10-10T07:59:59.999Z", CS_OK},
		{CS_WORLD_ADA, "engineer", V2, CS_E_APPROVAL_ROLE},
		{CS_WORLD_ADA, "engineer", "2026-10-20T07:59:59.999Z", CS_E_APPROVAL_ROLE},
		{CS_WORLD_ADA, "engineer", V3, CS_OK},
		{CS_WORLD_EVE, "change_owner", "2026-10-10T07:59:59.999Z", CS_E_APPROVAL_ROLE},
		{CS_WORLD_EVE, "change_owner", V2, CS_OK},
		{CS_WORLD_EVE, "engineer", "2026-10-02T00:00:00Z", CS_OK},
		{CS_WORLD_CARL, "change_owner", "2026-10-14T23:59:59.999Z", CS_OK},
		{CS_WORLD_CARL, "change_owner", "2026-10-15T00:00:00Z", CS_E_APPROVAL_ROLE},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(
			role_at(cs_world_keyring(history->world), cases[i].person, cases[i].role,
				"checkout-api", "production", cases[i].time),
			cases[i].err);
		assert_int_equal(role_at(history->published, cases[i].person, cases[i].role,
					 "checkout-api", "production", cases[i].time),
			cases[i].err);
	}
}

static void versions_follow_the_history(void **state)
{
	struct history *history = *state;
	const struct cs_trust *trust = cs_world_trust(history->world);
	const struct cs_keyring *rings[] = {cs_trust_keyring(trust), history->published};
	static const struct {
		const char *time;
		int in_force;		/* index, -1: none */
	} cases[] = {
		{"2026-10-01T07:59:59.999Z", -1},
		{"2026-10-01T08:00:00Z", 0},
		{"2026-10-10T07:59:59.999Z", 0},
		{V2, 1},
		{"2026-10-20T07:59:59.999Z", 1},
		{V3, 2},
		{CS_WORLD_NOW_TEXT, 2},
	};

	for (size_t r = 0; r < 2; r++) {
		for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
			for (int version = 0; version < 3; version++)
				assert_int_equal(
					cs_keyring_version_at(rings[r],
						cs_trust_address_of(trust, (size_t)version),
						at(cases[i].time), NULL),
					version == cases[i].in_force ? CS_OK
								     : CS_E_STATEMENT_TRUST_SET);
		assert_int_equal(cs_keyring_version_at(rings[r], "sha256:00", CS_WORLD_NOW, NULL),
			CS_E_STATEMENT_TRUST_SET);
		assert_string_equal(
			cs_keyring_genesis(rings[r]), cs_world_trust_genesis(history->world));
		assert_string_equal(cs_keyring_as_of(rings[r]), V3);
	}
}

static void published_keys_say_the_same_of_keys(void **state)
{
	struct history *history = *state;
	const struct cs_keyring *ring = cs_world_keyring(history->world);
	const json_t *keys =
		json_object_get(cs_trust_document(cs_world_trust(history->world)), "keys");

	assert_int_equal(json_array_size(keys), 12);
	for (size_t i = 0; i < json_array_size(keys); i++) {
		const char *kid = cs_json_text(json_array_get(keys, i), "kid");
		const struct cs_key_info *a = cs_keyring_find(ring, kid),
					 *b = cs_keyring_find(history->published, kid);
		assert_string_equal(a->kid, b->kid);
		assert_string_equal(a->entity, b->entity);
		assert_int_equal(a->usage, b->usage);
		assert_true(cs_public_key_equal(&a->key, &b->key));
		assert_string_equal(a->product, b->product);
		assert_string_equal(a->serial, b->serial);
		assert_string_equal(a->assurance, b->assurance);
		assert_string_equal(a->origin ? a->origin : "", b->origin ? b->origin : "");
		assert_int_equal(a->not_before, b->not_before);
		assert_int_equal(a->not_after, b->not_after);
		assert_int_equal(a->revoked_at, b->revoked_at);
		assert_string_equal(a->last_trusted_checkpoint ? a->last_trusted_checkpoint : "",
			b->last_trusted_checkpoint ? b->last_trusted_checkpoint : "");
	}
	assert_string_equal(
		cs_keyring_find(history->published, "kye:key:acme.dora.01")->last_trusted_checkpoint,
		"a note");
	assert_false(cs_keyring_is_plain(history->published));
	assert_string_equal(
		cs_keyring_appliance_key(history->published, CS_WORLD_ORIGIN, CS_USAGE_SEAL)->kid,
		"kye:key:acme.countersign-1.seal.01");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_key_with_all_about_it, setup, teardown),
		cmocka_unit_test_setup_teardown(two_people_on_one_token, setup, teardown),
		cmocka_unit_test_setup_teardown(a_key_is_judged_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(faults_say_where, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_end_and_are_revoked, setup, teardown),
		cmocka_unit_test_setup_teardown(roles_have_a_scope, setup, teardown),
		cmocka_unit_test_setup_teardown(
			roles_follow_the_history, setup_history, teardown_history),
		cmocka_unit_test_setup_teardown(
			versions_follow_the_history, setup_history, teardown_history),
		cmocka_unit_test_setup_teardown(
			published_keys_say_the_same_of_keys, setup_history, teardown_history),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
