/* Documents that are derived from a gate's decision: admissibility and consequences. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/gate/checks.h"
#include "tests/fixture/gate_case.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cs_gate_input input_for(const json_t *core, const json_t *state)
{
	return (struct cs_gate_input){.core = core,
		.policy = cs_world_policy(world),
		.state = state,
		.decision_id = CS_CASE_DECISION_ID,
		.now = CS_WORLD_NOW};
}

static void purpose_admissibility_gives_the_twelve_reasons(void **unused)
{
	static const char *const codes[] = {"principal_matches", "grantee_matches",
		"purpose_matches", "action_in_scope", "resource_in_scope", "data_class_in_scope",
		"within_time_window", "within_jurisdiction", "within_rate_cap", "not_revoked",
		"signature_valid", "dual_control_satisfied"};
	json_t *core = cs_world_core(world, "rollback", NULL);
	json_t *state = cs_case_state(world, core, NULL, NULL);
	struct cs_gate_input input = input_for(core, state);
	json_t *doc = NULL;
	(void)unused;

	assert_int_equal(cs_purpose_admissibility(&input, CS_WORLD_APPLIANCE, &doc), CS_OK);
	expect_valid("kye.purpose.admissibility.v1", doc);
	assert_true(json_is_true(json_object_get(doc, "admitted")));
	assert_string_equal(
		text(doc, "grant_id"), cs_json_text_at(core, "purpose_request/claimed_grant_id"));
	assert_string_equal(text(doc, "request_id"), cs_json_text_at(core, "purpose_request/id"));
	for (size_t i = 0; i < 12; i++)
		assert_string_equal(
			text(json_array_get(json_object_get(doc, "reasons"), i), "code"), codes[i]);
	json_decref(doc);

	cs_world_set(state, "facts/requests_last_minute", "31");
	assert_int_equal(cs_purpose_admissibility(&input, CS_WORLD_APPLIANCE, &doc), CS_OK);
	assert_true(json_is_false(json_object_get(doc, "admitted")));
	assert_true(json_is_false(cs_json_at(doc, "reasons/8/passed")));
	assert_true(json_is_true(cs_json_at(doc, "reasons/7/passed")));
	json_decref(doc);

	cs_world_set(state, "purposes", "[]");
	assert_int_equal(cs_purpose_admissibility(&input, CS_WORLD_APPLIANCE, &doc), CS_OK);
	expect_valid("kye.purpose.admissibility.v1", doc);
	assert_true(json_is_false(json_object_get(doc, "admitted")));
	assert_true(json_is_null(json_object_get(doc, "grant_id")));
	json_decref(doc);
	json_decref(state);
	json_decref(core);
}

static void admissibility_decision_maps_every_outcome(void **unused)
{
	static const struct {
		const char *outcome, *decision, *next_step;
	} map[] = {
		{"allow", "admit", "route_to_authority_check"},
		{"allow_with_constraints", "admit", "route_to_authority_check"},
		{"require_approval", "route_to_authority_check", "route_to_authority_check"},
		{"require_human_review", "require_human_review", "request_human_review"},
		{"quarantine", "quarantine", "quarantine"},
		{"deny", "reject", "block"},
	};
	static const char id[] = "kye:admissibility-decision:acme:01KAGJ7XQ2D3E4F5G6H7J8K9ZG";
	static const struct change missing[4] = {
		{CORE, "due_diligence", "null"}, {CORE, "rollback", "null"}};
	json_t *core, *decision = run("rollback", NULL, false, &core);
	json_t *doc = NULL;
	(void)unused;

	for (size_t i = 0; i < sizeof map / sizeof map[0]; i++) {
		json_object_set_new(decision, "outcome", json_string(map[i].outcome));
		assert_int_equal(cs_admissibility_decision(core, decision, id, &doc), CS_OK);
		expect_valid("kye.admissibility_decision.v1", doc);
		assert_string_equal(text(doc, "decision"), map[i].decision);
		assert_string_equal(text(doc, "next_step"), map[i].next_step);
		assert_string_equal(text(doc, "reason_code"), "proposed_action_admissible");
		assert_true(json_is_true(cs_json_at(doc, "checked_dimensions/evidence_ready")));
		assert_true(json_is_false(cs_json_at(doc, "checked_dimensions/formal_rule_block")));
		assert_true(json_is_false(
			cs_json_at(doc, "checked_dimensions/prohibited_action_class")));
		json_decref(doc);
	}
	json_object_set_new(decision, "outcome", json_string("simulated_allow"));
	assert_int_equal(cs_admissibility_decision(core, decision, id, &doc), CS_E_INTERNAL);
	json_decref(decision);
	json_decref(core);

	decision = run("rollback", missing, false, &core);
	assert_int_equal(cs_admissibility_decision(core, decision, id, &doc), CS_OK);
	expect_valid("kye.admissibility_decision.v1", doc);
	assert_string_equal(text(doc, "reason_code"), "due_diligence_missing");
	assert_true(json_is_false(cs_json_at(doc, "checked_dimensions/evidence_ready")));
	assert_true(json_is_true(cs_json_at(doc, "checked_dimensions/formal_rule_block")));
	assert_true(json_is_false(
		cs_json_at(doc, "checked_dimensions/action_reversible_or_rollbackable")));
	json_decref(doc);
	json_decref(decision);
	json_decref(core);
}

static void risk_follows_change_class_and_reach(void **unused)
{
	static const struct {
		const char *change_class, *radius, *expected;
	} cases[] = {
		{"reversible",
			"{\"services\": 1, \"namespaces\": 1, \"replica_permille\": 499, "
			"\"traffic_permille\": 0}",
			"low"},
		{"reversible",
			"{\"services\": 1, \"namespaces\": 1, \"replica_permille\": 500, "
			"\"traffic_permille\": 0}",
			"medium"},
		{"reversible",
			"{\"services\": 1, \"namespaces\": 1, \"replica_permille\": 0, "
			"\"traffic_permille\": 500}",
			"medium"},
		{"reversible",
			"{\"services\": 2, \"namespaces\": 1, \"replica_permille\": 0, "
			"\"traffic_permille\": 0}",
			"medium"},
		{"reversible", "null", "medium"},
		{"compensatable",
			"{\"services\": 1, \"namespaces\": 1, \"replica_permille\": 1, "
			"\"traffic_permille\": 1}",
			"medium"},
		{"compensatable", "null", "high"},
		{"irreversible",
			"{\"services\": 1, \"namespaces\": 1, \"replica_permille\": 1, "
			"\"traffic_permille\": 1}",
			"high"},
		{"irreversible", "null", "critical"},
		{NULL, "null", "critical"},
	};
	json_t *core = cs_world_core(world, "rollback", NULL);
	(void)unused;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		cs_world_set(core, "due_diligence/blast_radius", cases[i].radius);
		assert_string_equal(cs_risk_level(core, cases[i].change_class), cases[i].expected);
	}
	json_decref(core);
}

static void a_consequence_map_says_what_the_documents_say(void **unused)
{
	static const char id[] = "kye:consequence-map:acme:01KAGJ7XQ2D3E4F5G6H7J8K9ZA";
	json_t *core, *decision = run("rollback", NULL, false, &core);
	json_t *map = NULL, *again = NULL;
	(void)unused;

	assert_int_equal(
		cs_consequence_map(core, decision, id, CS_WORLD_ENGINE, CS_WORLD_NOW, &map), CS_OK);
	assert_int_equal(
		cs_consequence_map(core, decision, id, CS_WORLD_ENGINE, CS_WORLD_NOW, &again),
		CS_OK);
	assert_true(cs_json_same(map, again));
	expect_valid("kye.consequence_map.v1", map);
	assert_string_equal(cs_json_text_at(map, "consequences/0/description"),
		cs_json_text_at(core, "proposed_action/action_summary"));
	assert_string_equal(cs_json_text_at(map, "consequences/1/severity"), "critical");
	assert_string_equal(cs_json_text_at(map, "consequences/2/severity"), "high");
	assert_int_equal(
		cs_json_integer(json_object_get(map, "summary"), "total_consequences", 0), 3);
	assert_int_equal(cs_json_integer(json_object_get(map, "summary"), "critical_count", 0), 2);
	assert_int_equal(cs_json_integer(json_object_get(map, "summary"), "high_count", 0), 1);
	json_decref(map);
	json_decref(again);

	cs_world_set(core, "due_diligence", "null");
	assert_int_equal(
		cs_consequence_map(core, decision, id, CS_WORLD_ENGINE, CS_WORLD_NOW, &map), CS_OK);
	expect_valid("kye.consequence_map.v1", map);
	assert_string_equal(
		cs_json_text_at(map, "consequences/1/description"), "blast radius not stated");
	json_decref(map);
	json_decref(decision);
	json_decref(core);
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
		cmocka_unit_test(purpose_admissibility_gives_the_twelve_reasons),
		cmocka_unit_test(admissibility_decision_maps_every_outcome),
		cmocka_unit_test(risk_follows_change_class_and_reach),
		cmocka_unit_test(a_consequence_map_says_what_the_documents_say),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
