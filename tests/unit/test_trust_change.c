/*
 * From one trust set to the next: nothing is removed, only ended; and nobody signs for themselves.
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

#define V2 "2026-10-10T08:00:00Z"
#define EARLY "\"2026-09-01T00:00:00Z\""
#define MIDDLE "\"2027-01-01T00:00:00Z\""
#define LATE "\"2029-01-01T00:00:00Z\""
#define REVOKED(at, from, checkpoint) \
	"{\"at\":" at ",\"reason\":\"lost\",\"invalid_from\":" from \
	",\"last_trusted_checkpoint\":" checkpoint "}"

struct edit {
	const char *path, *value;	/* what changes in version 2 */
	const char *before;		/* what stands there in the genesis; NULL: as in the plan */
	enum cs_err err;
};

static json_t *genesis_with(struct cs_world *world, const char *path, const char *value)
{
	json_t *draft = json_deep_copy(json_array_get(cs_world_trust_versions(world), 0));

	json_object_del(draft, "signatures");
	if (value != NULL)
		cs_world_set(draft, path, value);
	return draft;
}

/* A world whose genesis has `before` at `path`. */
static struct cs_world *world_with(const char *path, const char *before)
{
	struct cs_world *world = cs_world_new(0);
	struct cs_fault fault = {0};
	json_t *genesis = genesis_with(world, path, before);

	cs_world_cosign(world, genesis, CS_WORLD_SAM);
	cs_world_cosign(world, genesis, CS_WORLD_LENA);
	cs_world_begin_trust(world, genesis);
	json_decref(genesis);
	enum cs_err err = cs_world_try_trust(world, &fault);
	if (err != CS_OK)
		print_error("genesis with %s: %s %s\n", path, cs_err_name(err), fault.detail);
	assert_int_equal(err, CS_OK);
	return world;
}

static void expect_next(struct cs_world *world, json_t *draft, const struct cs_signer *a,
	const struct cs_signer *b, enum cs_err expected, const char *what)
{
	struct cs_fault fault = {0};

	assert_int_equal(cs_inline_sign(draft, a, true), CS_OK);
	assert_int_equal(cs_inline_sign(draft, b, true), CS_OK);
	cs_world_add_trust(world, draft);
	enum cs_err err = cs_world_try_trust(world, &fault);
	if (err != expected)
		print_error("%s: %s %s: %s\n", what, cs_err_name(err), fault.path, fault.detail);
	assert_int_equal(err, expected);
}

static void expect_edit(const struct edit *edit, const char *a, const char *b, enum cs_err expected)
{
	struct cs_world *world = world_with(edit->path, edit->before);
	json_t *draft = cs_world_next_trust(world, V2);

	cs_world_set(draft, edit->path, edit->value);
	expect_next(world, draft, cs_world_person(world, a), cs_world_person(world, b), expected,
		edit->path);
	json_decref(draft);
	cs_world_free(world);
}

/* Sue and Cora sign: nothing here is about them. */
static void expect_edits(const struct edit *edits, size_t count)
{
	for (size_t i = 0; i < count; i++)
		expect_edit(&edits[i], CS_WORLD_SUE, CS_WORLD_CORA, edits[i].err);
}
#define EXPECT_EDITS(edits) expect_edits(edits, sizeof(edits) / sizeof *(edits))

static void no_entry_is_removed(void **state)
{
	static const char *const lists[] = {"organisations", "persons", "agents", "resources",
		"tokens", "keys", "grants", "delegations", "purposes", "appliances"};

	(void)state;
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		struct cs_world *world = world_with(
			"organisations/+", "{\"id\":\"kye:ent:acme.other\",\"name\":\"Other\"}");
		json_t *draft = cs_world_next_trust(world, V2);
		json_array_remove(json_object_get(draft, lists[i]), 0);
		expect_next(world, draft, cs_world_person(world, CS_WORLD_SUE),
			cs_world_person(world, CS_WORLD_CORA), CS_E_TRUST_REMOVED, lists[i]);
		json_decref(draft);
		cs_world_free(world);
	}
}

static void order_of_entries_says_nothing(void **state)
{
	struct cs_world *world = cs_world_new(0);
	json_t *draft = cs_world_next_trust(world, V2);
	json_t *persons = json_object_get(draft, "persons");

	(void)state;
	json_array_append(persons, json_array_get(persons, 0));
	json_array_remove(persons, 0);
	expect_next(world, draft, cs_world_person(world, CS_WORLD_SUE),
		cs_world_person(world, CS_WORLD_CORA), CS_OK, "order");
	json_decref(draft);
	cs_world_free(world);
}

static void people_and_agents_change_so(void **state)
{
	static const struct edit edits[] = {
		{"organisations/0/name", "\"Acme plc\"", NULL, CS_OK},
		{"persons/0/name", "\"Ada Lindqvist\"", NULL, CS_OK},
		{"persons/0/employee_digest",
			"\"sha256:"
			"4444444444444444444444444444444444444444444444444444444444444444\"",
			NULL, CS_E_TRUST_REMOVED},
		{"persons/0/state", "\"suspended\"", NULL, CS_OK},
		{"persons/0/state", "\"ended\"", NULL, CS_OK},
		{"persons/0/state", "\"active\"", "\"suspended\"", CS_OK},
		{"persons/0/state", "\"ended\"", "\"suspended\"", CS_OK},
		{"persons/0/state", "\"active\"", "\"ended\"", CS_E_TRUST_REMOVED},
		{"persons/0/state", "\"suspended\"", "\"ended\"", CS_E_TRUST_REMOVED},
		{"agents/0/name", "\"Autoheal\"", NULL, CS_OK},
		{"agents/0/unix_users", "[\"autoheal\"]", NULL, CS_OK},
		{"agents/0/state", "\"ended\"", NULL, CS_OK},
		{"agents/0/state", "\"active\"", "\"ended\"", CS_E_TRUST_REMOVED},
		{"agents/1/state", "\"active\"", NULL, CS_OK},
		{"agents/0/principal", "\"" CS_WORLD_ADA "\"", NULL, CS_E_TRUST_REMOVED},
		{"resources/0/environment", "\"staging\"", NULL, CS_E_TRUST_REMOVED},
		{"resources/0/jurisdiction", "\"IE\"", NULL, CS_E_TRUST_REMOVED},
		{"resources/+",
			"{\"id\":\"kye:res:acme.new\",\"service\":\"new\",\"environment\":"
			"\"production\",\"jurisdiction\":\"GB\"}",
			NULL, CS_OK},
	};

	(void)state;
	EXPECT_EDITS(edits);
}

static void roles_end(void **state)
{
	static const struct edit edits[] = {
		{"persons/0/roles/0/until", MIDDLE, NULL, CS_OK},
		{"persons/0/roles/0/until", MIDDLE, LATE, CS_OK},
		{"persons/0/roles/0/until", LATE, MIDDLE, CS_E_TRUST_REMOVED},
		{"persons/0/roles/0/until", "null", MIDDLE, CS_E_TRUST_REMOVED},
		{"persons/0/roles", "[]", NULL, CS_E_TRUST_REMOVED},
		{"persons/0/roles/0/role", "\"change_owner\"", NULL, CS_E_TRUST_REMOVED},
		{"persons/0/roles/0/services/+", "\"billing-api\"", NULL, CS_E_TRUST_REMOVED},
		{"persons/0/roles/0/environments/1", NULL, NULL, CS_E_TRUST_REMOVED},
		{"persons/0/roles/0/from", EARLY, NULL, CS_E_TRUST_REMOVED},
		{"persons/0/roles/+",
			"{\"role\":\"on_call_sre\",\"services\":[\"*\"],\"environments\":[\"*\"],"
			"\"from\":" EARLY ",\"until\":null}",
			NULL, CS_OK},
	};

	(void)state;
	EXPECT_EDITS(edits);
}

static void keys_and_tokens_end(void **state)
{
	static const struct edit edits[] = {
		{"keys/0/not_after", MIDDLE, NULL, CS_OK},
		{"keys/0/not_after", MIDDLE, LATE, CS_OK},
		{"keys/0/not_after", LATE, MIDDLE, CS_E_TRUST_REMOVED},
		{"keys/0/not_after", "null", MIDDLE, CS_E_TRUST_REMOVED},
		{"keys/0/not_before", EARLY, NULL, CS_E_TRUST_REMOVED},
		{"keys/0/usage", "\"binding\"", NULL, CS_E_TRUST_REMOVED},
		{"keys/0/token", "\"kye:token:acme.eve\"", NULL, CS_E_TRUST_REMOVED},
		{"keys/0/touch_policy", "\"always\"", NULL, CS_E_TRUST_REMOVED},
		{"keys/0/revocation", REVOKED(MIDDLE, "null", "null"), NULL, CS_OK},
		{"keys/0/revocation", REVOKED(MIDDLE, EARLY, "null"), NULL, CS_OK},
		{"keys/0/revocation", "null", REVOKED(MIDDLE, "null", "null"), CS_E_TRUST_REMOVED},
		{"keys/0/revocation", REVOKED(LATE, "null", "null"),
			REVOKED(MIDDLE, "null", "null"), CS_E_TRUST_REMOVED},
		{"keys/0/revocation", REVOKED(MIDDLE, EARLY, "\"c\""),
			REVOKED(MIDDLE, "null", "null"), CS_OK},
		{"keys/0/revocation", REVOKED(MIDDLE, "null", "null"),
			REVOKED(MIDDLE, EARLY, "null"), CS_E_TRUST_REMOVED},
		{"keys/0/revocation", REVOKED(LATE, EARLY, "null"), REVOKED(MIDDLE, EARLY, "null"),
			CS_OK},
		{"keys/0/revocation", REVOKED(MIDDLE, "null", "\"d\""),
			REVOKED(MIDDLE, "null", "\"c\""), CS_E_TRUST_REMOVED},
		{"keys/0/revocation", REVOKED(MIDDLE, "null", "null"),
			REVOKED(MIDDLE, "null", "\"c\""), CS_E_TRUST_REMOVED},
		{"tokens/0/serial", "\"55\"", NULL, CS_E_TRUST_REMOVED},
		{"tokens/0/assurance", "\"attested\"", NULL, CS_E_TRUST_REMOVED},
		{"tokens/+",
			"{\"id\":\"kye:token:new\",\"product\":\"p\",\"serial\":\"55\","
			"\"assurance\":\"enrolled\"}",
			NULL, CS_OK},
	};

	(void)state;
	EXPECT_EDITS(edits);
}

static void grants_and_delegations_end(void **state)
{
	static const struct edit edits[] = {
		{"grants/0/revoked_at", MIDDLE, NULL, CS_OK},
		{"grants/0/revoked_at", "null", MIDDLE, CS_E_TRUST_REMOVED},
		{"grants/0/revoked_at", LATE, MIDDLE, CS_E_TRUST_REMOVED},
		{"grants/0/revoked_at", MIDDLE, LATE, CS_OK},
		{"grants/0/revoked_reason", "\"left\"", NULL, CS_OK},
		{"grants/0/not_after", MIDDLE, NULL, CS_E_TRUST_REMOVED},
		{"grants/0/scope/actions/+", "\"scale-node-pool\"", NULL, CS_E_TRUST_REMOVED},
		{"grants/0/signature", "\"sig:eddsa:kye:key:acme.lena.01:AAAA\"", NULL,
			CS_E_TRUST_REMOVED},
		{"purposes/0/revoked_at", MIDDLE, NULL, CS_OK},
		{"purposes/0/revoked_at", "null", MIDDLE, CS_E_TRUST_REMOVED},
		{"purposes/0/restrictions/dual_control", "true", NULL, CS_E_TRUST_REMOVED},
		{"delegations/0/status", "\"suspended\"", NULL, CS_OK},
		{"delegations/0/status", "\"revoked\"", NULL, CS_OK},
		{"delegations/0/status", "\"active\"", "\"suspended\"", CS_OK},
		{"delegations/0/status", "\"active\"", "\"revoked\"", CS_E_TRUST_REMOVED},
		{"delegations/0/status", "\"active\"", "\"expired\"", CS_E_TRUST_REMOVED},
		{"delegations/0/valid_until", MIDDLE, NULL, CS_OK},
		{"delegations/0/valid_until", LATE, NULL, CS_E_TRUST_REMOVED},
		{"delegations/0/valid_until", NULL, NULL, CS_E_TRUST_REMOVED},
		{"delegations/0/allowed_actions/+", "\"scale-node-pool\"", NULL,
			CS_E_TRUST_REMOVED},
		{"delegations/0/forbidden_actions/+", "\"drain-node\"", NULL, CS_E_TRUST_REMOVED},
	};

	(void)state;
	EXPECT_EDITS(edits);
}

static void an_appliance_keeps_its_origin(void **state)
{
	static const struct edit edit = {
		"appliances/0/origin", "\"acme.example/other\"", NULL, CS_E_TRUST_REMOVED};

	(void)state;
	expect_edits(&edit, 1);
}

/* The seal key is replaced: the old one ends, the new one is named, on the same token. */
static void rotation_of_the_seal_key(void **state)
{
	const char *kid = "kye:key:acme.countersign-1.seal.02";

	(void)state;
	for (unsigned ended = 0; ended < 2; ended++) {
		struct cs_world *world = cs_world_new(0);
		json_t *draft = cs_world_next_trust(world, V2), *jwk = NULL;
		json_t *old = json_array_get(json_object_get(draft, "keys"), 9),
		       *key = json_deep_copy(old), *name = json_string(kid);
		assert_int_equal(cs_public_key_to_jwk(
					 &cs_world_stranger(world, CS_ALG_ES256, kid)->key, &jwk),
			CS_OK);
		json_object_set_new(key, "kid", name);
		json_object_set_new(key, "jwk", jwk);
		cs_world_set(key, "not_before", "\"" V2 "\"");
		json_array_append_new(json_object_get(draft, "keys"), key);
		cs_world_set(
			draft, "appliances/0/seal_key", "\"kye:key:acme.countersign-1.seal.02\"");
		if (ended)
			cs_world_set(old, "not_after", "\"" V2 "\"");
		expect_next(world, draft, cs_world_person(world, CS_WORLD_SAM),
			cs_world_person(world, CS_WORLD_CORA), ended ? CS_OK : CS_E_TRUST_REFERENCE,
			"rotation");
		json_decref(draft);
		if (ended) {
			const struct cs_keyring *ring = cs_world_keyring(world);
			cs_time before = INT64_C(1791619199999); /* one millisecond before V2 */
			assert_string_equal(
				cs_keyring_appliance_key(ring, CS_WORLD_ORIGIN, CS_USAGE_SEAL)->kid,
				kid);
			assert_string_equal(cs_keyring_appliance_key_at(
						    ring, CS_WORLD_ORIGIN, CS_USAGE_SEAL, before)
						    ->kid,
				"kye:key:acme.countersign-1.seal.01");
			assert_string_equal(cs_keyring_appliance_key_at(ring, CS_WORLD_ORIGIN,
						    CS_USAGE_SEAL, before + 1)
						    ->kid,
				kid);
		}
		cs_world_free(world);
	}
}

/* ---- own rights ---- */

/*
 * Lena's entry is persons/5, her key keys/5, her token tokens/5. Signed by her each of these is
 * refused; signed by Sue and Cora it is what the column says.
 */
static void nobody_signs_for_themselves(void **state)
{
	static const struct edit edits[] = {
		{"persons/5/roles/+",
			"{\"role\":\"engineer\",\"services\":[\"*\"],\"environments\":[\"*\"],"
			"\"from\":" EARLY ",\"until\":null}",
			NULL, CS_OK},
		{"persons/5/roles/+",
			"{\"role\":\"security_officer\",\"services\":[\"checkout-api\"],"
			"\"environments\":[\"production\"],\"from\":" MIDDLE ",\"until\":" LATE "}",
			NULL, CS_OK},
		{"persons/5/roles/0/until", "null", LATE, CS_E_TRUST_REMOVED},
		{"persons/5/roles/0/services", "[\"*\"]", "[\"checkout-api\"]", CS_E_TRUST_REMOVED},
		{"persons/5/roles/0/environments", "[\"production\",\"staging\"]",
			"[\"production\"]", CS_E_TRUST_REMOVED},
		{"persons/5/roles/0/from", "\"2025-06-01T00:00:00Z\"", NULL, CS_E_TRUST_REMOVED},
		{"keys/5/not_after", "null", LATE, CS_E_TRUST_REMOVED},
		{"keys/5/not_after", "\"2030-01-01T00:00:00Z\"", LATE, CS_E_TRUST_REMOVED},
		{"keys/5/not_before", EARLY, NULL, CS_E_TRUST_REMOVED},
		{"keys/5/usage", "\"seal\"", NULL, CS_E_TRUST_REMOVED},
		{"keys/5/revocation", "null", REVOKED(LATE, "null", "null"), CS_E_TRUST_REMOVED},
		{"keys/5/revocation", REVOKED(LATE, "null", "null"),
			REVOKED(MIDDLE, "null", "null"), CS_E_TRUST_REMOVED},
		{"keys/5/token", "\"kye:token:acme.eve\"", NULL, CS_E_TRUST_REMOVED},
		{"tokens/5/assurance", "\"attested\"", NULL, CS_E_TRUST_REMOVED},
		{"tokens/5/serial", "\"55\"", NULL, CS_E_TRUST_REMOVED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
		expect_edit(&edits[i], CS_WORLD_SAM, CS_WORLD_LENA, CS_E_TRUST_SELF_RAISE);
		expect_edit(&edits[i], CS_WORLD_LENA, CS_WORLD_SAM, CS_E_TRUST_SELF_RAISE);
		expect_edit(&edits[i], CS_WORLD_SUE, CS_WORLD_CORA, edits[i].err);
	}
}

static void everybody_may_step_down(void **state)
{
	static const struct edit edits[] = {
		{"persons/5/roles/0/until", LATE, NULL, CS_OK},
		{"persons/5/state", "\"suspended\"", NULL, CS_OK},
		{"persons/5/name", "\"Lena B.\"", NULL, CS_OK},
		{"persons/5/roles/+",
			"{\"role\":\"sre_lead\",\"services\":[\"checkout-api\"],\"environments\":["
			"\"production\"],\"from\":" MIDDLE ",\"until\":" LATE "}",
			NULL, CS_OK},
		{"keys/5/not_after", MIDDLE, NULL, CS_OK},
		{"keys/5/revocation", REVOKED(EARLY, "null", "null"), NULL, CS_OK},
	};

	(void)state;
	for (size_t i = 0; i < sizeof edits / sizeof *edits; i++)
		expect_edit(&edits[i], CS_WORLD_SAM, CS_WORLD_LENA, CS_OK);
}

static void nobody_signs_in_a_key_of_their_own(void **state)
{
	(void)state;
	for (unsigned own = 0; own < 2; own++) {
		struct cs_world *world = cs_world_new(0);
		const struct cs_signer *lena = cs_world_person(world, CS_WORLD_LENA),
				       *sam = cs_world_person(world, CS_WORLD_SAM);
		json_t *draft = cs_world_next_trust(world, V2);
		cs_world_enrol(world, draft, own ? CS_WORLD_LENA : CS_WORLD_EVE,
			"kye:key:acme.new.01", "kye:token:acme.new", CS_ALG_ES256,
			cs_world_trust_genesis(world));
		expect_next(
			world, draft, sam, lena, own ? CS_E_TRUST_SELF_RAISE : CS_OK, "a new key");
		json_decref(draft);
		cs_world_free(world);
	}
}

static void nobody_signs_in_a_grant_to_themselves(void **state)
{
	static const struct {
		const char *list, *id, *value, *holder;
	} cases[] = {
		{"grants", "id", "\"kye:authority:acme.lena\"", "grantee"},
		{"purposes", "id", "\"kye:purpose:acme.lena\"", "grantee"},
		{"delegations", "delegation_id", "\"kye:deleg:acme.lena\"", "actor_entity_id"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (unsigned own = 0; own < 2; own++) {
			struct cs_world *world = cs_world_new(0);
			json_t *draft = cs_world_next_trust(world, V2);
			json_t *list = json_object_get(draft, cases[i].list),
			       *grant = json_deep_copy(json_array_get(list, 0));
			cs_world_set(grant, cases[i].id, cases[i].value);
			cs_world_set(grant, cases[i].holder,
				own ? "\"" CS_WORLD_LENA "\"" : "\"" CS_WORLD_EVE "\"");
			if (json_object_get(grant, "signature") != NULL)
				cs_world_sign_grant(world, grant, CS_WORLD_LENA);
			json_array_append_new(list, grant);
			expect_next(world, draft, cs_world_person(world, CS_WORLD_SAM),
				cs_world_person(world, CS_WORLD_LENA),
				own ? CS_E_TRUST_SELF_RAISE : CS_OK, cases[i].list);
			json_decref(draft);
			cs_world_free(world);
		}
	}
}

/* Who is suspended or unknown cannot sign; provisioning asks before that shows. */
static void coming_back_is_not_for_oneself(void **state)
{
	struct cs_world *world = world_with("persons/5/state", "\"active\"");
	struct cs_schema_registry *registry = cs_world_registry(world);
	CS_CLEANUP_JSON json_t *was = genesis_with(world, "persons/5/state", "\"suspended\"");
	char address[CS_ADDRESS_TEXT];

	(void)state;
	assert_int_equal(cs_address_of(was, address), CS_OK);
	CS_CLEANUP_JSON json_t *now = cs_world_next_trust(world, V2);
	json_object_set_new(now, "previous", json_string(address));
	assert_int_equal(cs_trust_check_content(registry, now, was, CS_WORLD_LENA, NULL),
		CS_E_TRUST_SELF_RAISE);
	assert_int_equal(cs_trust_check_content(registry, now, was, CS_WORLD_SAM, NULL), CS_OK);
	json_array_remove(json_object_get(was, "persons"), 5);
	json_array_remove(json_object_get(was, "keys"), 5);
	assert_int_equal(cs_address_of(was, address), CS_OK);
	json_object_set_new(now, "previous", json_string(address));
	assert_int_equal(cs_trust_check_content(registry, now, was, CS_WORLD_LENA, NULL),
		CS_E_TRUST_SELF_RAISE);
	cs_world_free(world);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_entry_is_removed),
		cmocka_unit_test(order_of_entries_says_nothing),
		cmocka_unit_test(people_and_agents_change_so),
		cmocka_unit_test(roles_end),
		cmocka_unit_test(keys_and_tokens_end),
		cmocka_unit_test(grants_and_delegations_end),
		cmocka_unit_test(an_appliance_keeps_its_origin),
		cmocka_unit_test(rotation_of_the_seal_key),
		cmocka_unit_test(nobody_signs_for_themselves),
		cmocka_unit_test(everybody_may_step_down),
		cmocka_unit_test(nobody_signs_in_a_key_of_their_own),
		cmocka_unit_test(nobody_signs_in_a_grant_to_themselves),
		cmocka_unit_test(coming_back_is_not_for_oneself),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
