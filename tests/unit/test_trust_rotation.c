/*
 * People come and go, keys are rotated and revoked, across versions of a trust set.
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
#define TOM "kye:person:acme.tom"

static void add_signed(struct cs_world *world, const char *at)
{
	json_t *draft = cs_world_next_trust(world, at);

	sign(world, draft, CS_WORLD_SAM, CS_WORLD_LENA);
	add(world, draft);
}

#define OFFICER \
	"{\"role\":\"security_officer\",\"services\":[\"*\"],\"environments\":[\"*\"],\"from\":" \
	"\"2026-10-10T08:00:00Z\",\"until\":null}"

/* A third security officer joins in version 2 and signs version 3, not version 2. */
static void new_officer_signs_the_next_version(void **state)
{
	struct cs_world *world = *state;
	json_t *draft = cs_world_next_trust(world, V2);

	cs_world_set(draft, "persons/+",
		"{\"id\":\"" TOM
		"\",\"name\":\"Tom\",\"organisation\":\"kye:ent:acme\",\"employee_digest\":"
		"\"sha256:2222222222222222222222222222222222222222222222222222222222222222\","
		"\"state\":\"active\",\"roles\":[" OFFICER "]}");
	cs_world_enrol(world, draft, TOM, "kye:key:acme.tom.01", "kye:token:acme.tom", CS_ALG_ES384,
		cs_world_trust_genesis(world));
	CS_CLEANUP_JSON json_t *by_tom = json_deep_copy(draft);
	sign(world, by_tom, TOM, CS_WORLD_LENA);
	cs_world_add_trust(world, by_tom);
	expect(world, CS_E_KEY_UNKNOWN, "his own beginning");
	json_array_remove(cs_world_trust_versions(world), 1);

	sign(world, draft, CS_WORLD_SUE, CS_WORLD_LENA);
	add(world, draft);
	draft = cs_world_next_trust(world, V3);
	sign(world, draft, TOM, CS_WORLD_CORA);
	add(world, draft);
	expect(world, CS_OK, "Tom signs version 3");
}

/*
 * Sam's key is replaced, with Sue and Cora signing; from then on the old one signs nothing and the
 * new one does.
 */
static void rotation_of_a_persons_key(void **state)
{
	struct cs_world *world = *state;
	const struct cs_signer *old = cs_world_person(world, CS_WORLD_SAM);
	json_t *draft = cs_world_next_trust(world, V2);
	json_t *key =
		(json_t *)(uintptr_t)cs_json_find(json_object_get(draft, "keys"), "kid", old->kid);

	cs_world_set(key, "revocation",
		"{\"at\":\"" V2 "\",\"reason\":\"superseded\",\"invalid_from\":null,\"last_trusted_"
				"checkpoint\":null}");
	cs_world_enrol(world, draft, CS_WORLD_SAM, "kye:key:acme.sam.02", "kye:token:acme.sam-2",
		CS_ALG_ES256, cs_world_trust_genesis(world));
	sign(world, draft, CS_WORLD_SUE, CS_WORLD_CORA);
	add(world, draft);
	expect(world, CS_OK, "rotation");

	draft = cs_world_next_trust(world, V3);
	assert_int_equal(cs_inline_sign(draft, old, true), CS_OK);
	cs_world_cosign(world, draft, CS_WORLD_LENA);
	add(world, draft);
	expect(world, CS_E_KEY_REVOKED, "the old key");
	json_array_remove(cs_world_trust_versions(world), 2);
	add_signed(world, V3);
	expect(world, CS_OK, "the new key");
}

/* An enrolment shows that the key was there when an earlier version was to be extended. */
static void enrolment_names_an_earlier_version(void **state)
{
	struct cs_world *world = *state;
	char second[CS_ADDRESS_TEXT];
	const char *first = cs_world_trust_genesis(world);
	const char *unknown =
		"sha256:3333333333333333333333333333333333333333333333333333333333333333";

	add_signed(world, V2);
	snprintf(second, sizeof second, "%s", cs_trust_address(cs_world_trust(world)));
	const struct {
		const char *trust_set;
		enum cs_err err;
	} cases[] = {{first, CS_OK}, {second, CS_OK}, {unknown, CS_E_TRUST_ENROLMENT},
		{NULL, CS_E_TRUST_ENROLMENT}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char kid[64], token[64];
		json_t *draft = cs_world_next_trust(world, V3);
		snprintf(kid, sizeof kid, "kye:key:acme.eve.%zu", i + 2);
		snprintf(token, sizeof token, "kye:token:acme.eve-%zu", i + 2);
		cs_world_enrol(
			world, draft, CS_WORLD_EVE, kid, token, CS_ALG_EDDSA, cases[i].trust_set);
		sign(world, draft, CS_WORLD_SAM, CS_WORLD_LENA);
		add(world, draft);
		expect(world, cases[i].err, kid);
		json_array_remove(cs_world_trust_versions(world), 2);
	}
}

/*
 * The grantor's key turns out to be compromised since before the grant: the trust set that says so
 * loads, the grant does not verify.
 */
static void compromise_of_a_grantor(void **state)
{
	struct cs_world *world = *state;
	json_t *draft = cs_world_next_trust(world, V2);
	json_t *key = (json_t *)(uintptr_t)cs_json_find(
		json_object_get(draft, "keys"), "kid", "kye:key:acme.lena.01");
	const json_t *grant = cs_json_at(draft, "grants/0"),
		     *purpose = cs_json_at(draft, "purposes/0");
	struct cs_fault fault = {0};

	assert_int_equal(
		cs_grant_verify(cs_world_keyring(world), grant, "kye.authority.grant.v1", NULL),
		CS_OK);
	assert_int_equal(
		cs_grant_verify(cs_world_keyring(world), purpose, "kye.purpose.grant.v1", NULL),
		CS_OK);
	assert_int_equal(cs_grant_verify(cs_world_keyring(world), grant, "kye.delegation.v1", NULL),
		CS_E_KEY_USAGE);
	cs_world_set(key, "revocation",
		"{\"at\":\"" V2
		"\",\"reason\":\"compromise\",\"invalid_from\":\"2026-10-01T07:15:00Z\","
		"\"last_trusted_checkpoint\":null}");
	sign(world, draft, CS_WORLD_SUE, CS_WORLD_CORA);
	add(world, draft);
	expect(world, CS_OK, "revocation");
	check(CS_E_KEY_REVOKED,
		cs_grant_verify(cs_world_keyring(world), grant, "kye.authority.grant.v1", &fault),
		&fault, "grant");
}

static void grant_stays_signed_when_revoked(void **state)
{
	struct cs_world *world = *state;
	json_t *draft = cs_world_next_trust(world, V2);
	json_t *grant = json_array_get(json_object_get(draft, "grants"), 0);

	cs_world_set(grant, "revoked_at", "\"2026-10-09T00:00:00Z\"");
	cs_world_set(grant, "revoked_reason", "\"the agent is replaced\"");
	sign(world, draft, CS_WORLD_SUE, CS_WORLD_CORA);
	add(world, draft);
	expect(world, CS_OK, "revoked grant");
	assert_int_equal(
		cs_grant_verify(cs_world_keyring(world), grant, "kye.authority.grant.v1", NULL),
		CS_OK);
	json_object_del(grant, "revoked_reason");
	assert_int_equal(
		cs_grant_verify(cs_world_keyring(world), grant, "kye.authority.grant.v1", NULL),
		CS_OK);
	cs_world_set(grant, "grantee", "\"" CS_WORLD_EVE "\"");
	assert_int_equal(
		cs_grant_verify(cs_world_keyring(world), grant, "kye.authority.grant.v1", NULL),
		CS_E_SIGNATURE);
	cs_world_set(grant, "signature", "\"sig:cose:MEQ\"");
	assert_int_equal(
		cs_grant_verify(cs_world_keyring(world), grant, "kye.authority.grant.v1", NULL),
		CS_E_SIGNATURE_FORM);
	cs_world_set(grant, "issued_by", NULL);
	assert_int_equal(
		cs_grant_verify(cs_world_keyring(world), grant, "kye.authority.grant.v1", NULL),
		CS_E_SIGNATURE_FORM);
	assert_int_equal(
		cs_grant_verify(cs_world_keyring(world), NULL, "kye.authority.grant.v1", NULL),
		CS_E_SIGNATURE_FORM);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			new_officer_signs_the_next_version, setup, teardown),
		cmocka_unit_test_setup_teardown(rotation_of_a_persons_key, setup, teardown),
		cmocka_unit_test_setup_teardown(
			enrolment_names_an_earlier_version, setup, teardown),
		cmocka_unit_test_setup_teardown(compromise_of_a_grantor, setup, teardown),
		cmocka_unit_test_setup_teardown(grant_stays_signed_when_revoked, setup, teardown),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
