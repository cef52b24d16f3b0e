/* The state that the gate reads: composed, capped, and checked against its versions. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/schema.h"
#include "tests/fixture/case.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static struct cs_world *world;

static json_t *state_of(
	struct cs_world *of, const char *request, const char *path, const char *value)
{
	json_t *core = cs_world_core(of, request, path, value, NULL);
	json_t *state = cs_case_state(of, core, NULL, NULL);
	struct cs_fault fault = {{0}};

	assert_int_equal(
		cs_schema_check(cs_world_registry(of), "countersign.state.v1", state, &fault),
		CS_OK);
	json_decref(core);
	return state;
}

static json_t *rollback_state(struct cs_world *of)
{
	return state_of(of, "rollback", "provenance/incident_ticket", "\"INC-1\"");
}

static void a_state_holds_what_the_gate_reads(void **unused)
{
	json_t *state = rollback_state(world);
	const json_t *trust = cs_trust_document(cs_world_trust(world));
	(void)unused;

	assert_string_equal(cs_json_text(state, "at"), CS_WORLD_NOW_TEXT);
	assert_string_equal(
		cs_json_text(state, "trust_set"), cs_trust_address(cs_world_trust(world)));
	assert_int_equal(cs_json_integer(state, "trust_version", 0),
		cs_trust_version(cs_world_trust(world)));
	assert_string_equal(
		cs_json_text(state, "policy"), cs_policy_address(cs_world_policy(world)));
	assert_string_equal(cs_json_text(state, "audience"), CS_WORLD_ORIGIN);
	assert_string_equal(cs_json_text(state, "caller"), CS_WORLD_AGENT);
	assert_string_equal(cs_json_text_at(state, "actor/id"), CS_WORLD_AGENT);
	assert_string_equal(cs_json_text_at(state, "principal/id"), CS_WORLD_PAUL);
	assert_string_equal(cs_json_text_at(state, "persons/0/id"), CS_WORLD_LENA);
	assert_string_equal(
		cs_json_text_at(state, "resource/id"), "kye:res:acme.checkout-api.production");
	assert_true(cs_json_same(cs_json_at(state, "grants/0"), cs_json_at(trust, "grants/0")));
	assert_true(cs_json_same(
		cs_json_at(state, "delegations/0"), cs_json_at(trust, "delegations/0")));
	assert_true(cs_json_same(cs_json_at(state, "purposes/0"), cs_json_at(trust, "purposes/0")));
	assert_int_equal(
		cs_json_integer(json_object_get(state, "facts"), "requests_last_minute", 0), 1);
	assert_true(json_is_null(json_object_get(state, "ended")));
	json_decref(state);
}

static void employee_digests_stay_behind(void **unused)
{
	json_t *state = rollback_state(world);
	CS_CLEANUP_BYTES struct cs_bytes bytes = {0};
	(void)unused;

	assert_int_equal(cs_canonical_print(state, &bytes), CS_OK);
	assert_null(strstr((const char *)bytes.data, "employee_digest"));
	assert_non_null(cs_json_text(
		cs_trust_person(cs_world_trust(world), CS_WORLD_PAUL), "employee_digest"));
	json_decref(state);
}

static void the_unknown_is_null_or_empty(void **unused)
{
	json_t *state =
		state_of(world, "rollback", "purpose_request/actor", "\"kye:agent:acme.nobody\"");
	(void)unused;

	assert_true(json_is_null(json_object_get(state, "actor")));
	assert_true(json_is_null(json_object_get(state, "principal")));
	assert_int_equal(json_array_size(json_object_get(state, "grants")), 0);
	assert_int_equal(json_array_size(json_object_get(state, "delegations")), 0);
	assert_int_equal(json_array_size(json_object_get(state, "persons")), 0);
	/*
	 * The claimed purpose grant is carried whoever holds it, so that the gate can say whose it
	 * is.
	 */
	assert_int_equal(json_array_size(json_object_get(state, "purposes")), 1);
	assert_int_equal(cs_state_matches_trust(state, cs_world_trust(world), NULL), CS_OK);
	json_decref(state);

	state = state_of(
		world, "rollback", "execution/target/resource", "\"kye:res:acme.unknown\"");
	assert_true(json_is_null(json_object_get(state, "resource")));
	assert_int_equal(cs_state_matches_trust(state, cs_world_trust(world), NULL), CS_OK);
	json_decref(state);

	state = state_of(world, "rollback", "purpose_request/claimed_grant_id",
		"\"kye:purpose:acme.another\"");
	assert_int_equal(json_array_size(json_object_get(state, "purposes")), 0);
	assert_int_equal(cs_state_matches_trust(state, cs_world_trust(world), NULL), CS_OK);
	json_decref(state);
}

static void optional_inputs_have_their_defaults(void **unused)
{
	json_t *core = cs_world_core(world, "rollback", NULL);
	struct cs_state_input input = {.trust = cs_world_trust(world),
		.policy = cs_policy_address(cs_world_policy(world)),
		.audience = CS_WORLD_ORIGIN,
		.core = core,
		.ended = "withdrawn",
		.now = CS_WORLD_NOW};
	json_t *state = NULL;
	(void)unused;

	assert_int_equal(cs_state_compose(&input, &state), CS_OK);
	assert_int_equal(
		cs_schema_check(cs_world_registry(world), "countersign.state.v1", state, NULL),
		CS_OK);
	assert_true(json_is_null(json_object_get(state, "caller")));
	assert_int_equal(json_object_size(json_object_get(state, "facts")), 0);
	assert_int_equal(json_array_size(json_object_get(state, "approvals")), 0);
	assert_string_equal(cs_json_text(state, "ended"), "withdrawn");
	json_decref(state);
	json_decref(core);
}

static void composing_twice_gives_the_same_bytes(void **unused)
{
	json_t *one = rollback_state(world);
	json_t *two = rollback_state(world);
	(void)unused;

	assert_true(cs_json_same(one, two));
	json_decref(one);
	json_decref(two);
}

static void a_state_that_says_otherwise_is_refused(void **unused)
{
	static const struct {
		const char *path, *value, *member;
	} changes[] = {
		{"trust_set",
			"\"sha256:"
			"0000000000000000000000000000000000000000000000000000000000000000\"",
			"/trust_set"},
		{"trust_version", "2", "/trust_version"},
		{"actor/state", "\"suspended\"", "/actor"},
		{"actor/principal", "\"" CS_WORLD_ADA "\"", "/actor"},
		{"actor", "null", "/principal"},
		{"principal/state", "\"ended\"", "/principal"},
		{"principal", "null", "/principal"},
		{"resource/environment", "\"staging\"", "/resource"},
		{"persons/0/state", "\"ended\"", "/persons"},
		{"persons", "[]", "/persons"},
		{"grants/0/scope/actions/+", "\"scale-node-pool\"", "/grants"},
		{"grants", "[]", "/grants"},
		{"delegations/0/status", "\"suspended\"", "/delegations"},
		{"delegations", "[]", "/delegations"},
		{"purposes/0/scope/actions/+", "\"k8s.secret.read\"", "/purposes"},
		{"purposes/0/id", "\"kye:purpose:acme.another\"", "/purposes"},
	};
	(void)unused;

	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		json_t *state = rollback_state(world);
		struct cs_fault fault = {{0}};

		assert_int_equal(
			cs_state_matches_trust(state, cs_world_trust(world), &fault), CS_OK);
		cs_world_set(state, changes[i].path, changes[i].value);
		assert_int_equal(cs_state_matches_trust(state, cs_world_trust(world), &fault),
			CS_E_ADDRESS_MISMATCH);
		assert_string_equal(fault.path, changes[i].member);
		json_decref(state);
	}
}

/* A world whose second version of the trust set was made by `change`. */
static struct cs_world *world_changed_by(void (*change)(json_t *draft))
{
	struct cs_world *other = cs_world_new(0);
	json_t *draft = cs_world_next_trust(other, "2026-11-20T09:00:00Z");

	change(draft);
	cs_world_cosign(other, draft, CS_WORLD_SAM);
	cs_world_cosign(other, draft, CS_WORLD_CORA);
	cs_world_add_trust(other, draft);
	json_decref(draft);
	return other;
}

static void suspend_agent(json_t *draft)
{
	cs_world_set(draft, "agents/0/state", "\"suspended\"");
}

static void a_state_is_read_against_the_version_it_names(void **unused)
{
	json_t *before = rollback_state(world);
	struct cs_world *other = world_changed_by(suspend_agent);
	json_t *after = rollback_state(other);
	struct cs_fault fault = {{0}};
	(void)unused;

	assert_string_equal(cs_json_text_at(after, "actor/state"), "suspended");
	assert_int_equal(cs_json_integer(after, "trust_version", 0), 2);
	assert_int_equal(cs_state_matches_trust(before, cs_world_trust(other), &fault), CS_OK);
	assert_int_equal(cs_state_matches_trust(after, cs_world_trust(other), &fault), CS_OK);
	assert_int_equal(cs_state_matches_trust(after, cs_world_trust(world), &fault),
		CS_E_ADDRESS_MISMATCH);
	assert_string_equal(fault.path, "/trust_set");
	/* What the one version says is not what the other says. */
	json_object_set(before, "actor", json_object_get(after, "actor"));
	assert_int_equal(cs_state_matches_trust(before, cs_world_trust(other), &fault),
		CS_E_ADDRESS_MISMATCH);
	assert_string_equal(fault.path, "/actor");
	json_decref(before);
	json_decref(after);
	cs_world_free(other);
}

/* Twenty delegations to the agent, and from each delegator on to Lena. */
static void many_delegations(json_t *draft)
{
	json_t *list = json_object_get(draft, "delegations");
	json_t *first = json_deep_copy(json_array_get(list, 0));

	for (int i = 0; i < 20; i++) {
		json_t *link = json_deep_copy(first);
		char name[64];

		snprintf(name, sizeof name, "\"kye:deleg:acme.more-%02d\"", i);
		cs_world_set(link, "delegation_id", name);
		json_array_append_new(list, link);
	}
	json_decref(first);
}

static void extracts_are_capped(void **unused)
{
	struct cs_world *other = world_changed_by(many_delegations);
	json_t *state = rollback_state(other);
	(void)unused;

	assert_int_equal(json_array_size(json_object_get(
				 cs_trust_document(cs_world_trust(other)), "delegations")),
		21);
	assert_int_equal(json_array_size(json_object_get(state, "delegations")), 16);
	assert_int_equal(json_array_size(json_object_get(state, "persons")), 1);
	assert_int_equal(cs_state_matches_trust(state, cs_world_trust(other), NULL), CS_OK);
	json_decref(state);
	cs_world_free(other);
}

/* Behind as many grants for elsewhere as there is room for, one that covers by what ids begin with. */
static void a_grant_that_covers_by_prefix_is_not_cut(void **unused)
{
	struct cs_world *other = cs_world_new(0);
	json_t *draft = cs_world_next_trust(other, "2026-11-20T09:00:00Z"), *state;
	json_t *list = json_object_get(draft, "grants");
	(void)unused;

	for (int i = 0; i < 2; i++) {
		json_t *places = json_object_get(draft, "resources");
		json_t *place = json_deep_copy(json_array_get(places, 0));

		cs_world_set(
			place, "id", i == 0 ? "\"kye:res:acme.shop\"" : "\"kye:res:acme.shop:eu\"");
		json_array_append_new(places, place);
	}
	for (int i = 0; i < 17; i++) {
		json_t *grant = json_deep_copy(json_array_get(list, 0));
		char id[64];

		snprintf(id, sizeof id, "\"kye:authority:acme.more-%02d\"", i);
		cs_world_set(grant, "id", id);
		cs_world_set(grant, "revocation_chain/0/grant_id", id);
		cs_world_set(grant, "scope/resources",
			i < 16 ? "[\"kye:res:acme.catalog-api.production\"]"
			       : "[\"kye:res:acme.shop\"]");
		json_object_del(grant, "signature");
		cs_world_sign_grant(other, grant, CS_WORLD_LENA);
		json_array_append_new(list, grant);
	}
	cs_world_cosign(other, draft, CS_WORLD_SAM);
	cs_world_cosign(other, draft, CS_WORLD_CORA);
	cs_world_add_trust(other, draft);
	state = state_of(
		other, "rollback", "execution/target/resource", "\"kye:res:acme.shop:eu\"");
	assert_int_equal(json_array_size(json_object_get(state, "grants")), 16);
	assert_string_equal(cs_json_text_at(state, "grants/0/id"), "kye:authority:acme.more-16");
	assert_true(cs_json_same(cs_json_at(state, "grants/1"), json_array_get(list, 0)));
	assert_int_equal(cs_state_matches_trust(state, cs_world_trust(other), NULL), CS_OK);
	json_decref(state);
	json_decref(draft);
	cs_world_free(other);
}

static int set_up(void **unused)
{
	(void)unused;
	world = cs_world_new(0);
	return 0;
}

static int tear_down(void **unused)
{
	(void)unused;
	cs_world_free(world);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_state_holds_what_the_gate_reads),
		cmocka_unit_test(employee_digests_stay_behind),
		cmocka_unit_test(the_unknown_is_null_or_empty),
		cmocka_unit_test(optional_inputs_have_their_defaults),
		cmocka_unit_test(composing_twice_gives_the_same_bytes),
		cmocka_unit_test(a_state_that_says_otherwise_is_refused),
		cmocka_unit_test(a_state_is_read_against_the_version_it_names),
		cmocka_unit_test(extracts_are_capped),
		cmocka_unit_test(a_grant_that_covers_by_prefix_is_not_cut),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
