/* What the gate asks for, allows and restricts, and where windows and chains end. */
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

#define NOW "2026-11-20T10:00:00Z"

static void everything_missing_is_listed_at_once(void **unused)
{
	static const struct change many[] = {{CORE, "due_diligence", "null"},
		{CORE, "rollback", "null"}, {STATE, "caller", "null"},
		{STATE, "ended", "\"expired\""}};
	json_t *decision = run("rollback", many, true, NULL);
	(void)unused;

	assert_string_equal(text(decision, "outcome"), "deny");
	/* How it ended goes before what else is wrong by now. */
	assert_string_equal(text(decision, "reason_code"), "expired");
	assert_true(failures(decision) > 8);
	assert_true(json_is_null(json_object_get(decision, "constraints")));
	json_decref(decision);
}

static void expect_obligations(const json_t *decision, const char *expected)
{
	json_t *list = cs_world_json(expected);

	assert_true(json_equal(json_object_get(decision, "obligations"), list));
	json_decref(list);
}

static void two_people_are_asked_for_a_rollback(void **unused)
{
	json_t *core;
	json_t *decision = run("rollback", NULL, false, &core);
	json_t *slots = cs_world_json("[{\"role\": \"engineer\", \"approval\": null}, "
				      "{\"role\": \"change_owner\", \"approval\": null}]");
	char action[CS_ADDRESS_TEXT];
	(void)unused;

	assert_int_equal(failures(decision), 0);
	assert_string_equal(text(decision, "outcome"), "require_approval");
	assert_string_equal(text(decision, "reason_code"), "admissible");
	assert_string_equal(text(decision, "finality"), "advisory");
	assert_string_equal(text(decision, "action_class"), "rollback-production-service");
	assert_string_equal(text(decision, "change_class"), "irreversible");
	assert_string_equal(text(decision, "oversight"), "two_person");
	assert_int_equal(cs_json_integer(decision, "level", -1), 2);
	assert_true(json_equal(json_object_get(decision, "slots"), slots));
	assert_int_equal(cs_address_of(core, action), CS_OK);
	assert_string_equal(text(decision, "action"), action);
	expect_obligations(decision, "[\"emit_evidence_pack\", \"collect_approvals\"]");
	expect_valid("countersign.decision.v1", decision);
	json_decref(slots);
	json_decref(decision);
	json_decref(core);
}

static void filled_slots_allow(void **unused)
{
	json_t *core = cs_world_core(world, "rollback", NULL);
	json_t *approvals = cs_case_two(world, core);
	json_t *state = cs_case_state(world, core, approvals, NULL);
	json_t *decision = cs_case_gate(world, core, state, true);
	char address[CS_ADDRESS_TEXT];
	(void)unused;

	expect_valid("countersign.state.v1", state);
	expect_valid("countersign.decision.v1", decision);
	assert_int_equal(failures(decision), 0);
	assert_string_equal(text(decision, "outcome"), "allow");
	assert_string_equal(text(decision, "finality"), "sealed_final");
	assert_int_equal(cs_address_of(json_array_get(approvals, 1), address), CS_OK);
	assert_string_equal(cs_json_text_at(decision, "slots/1/approval"), address);
	assert_true(json_is_null(json_object_get(decision, "constraints")));
	expect_obligations(decision, "[\"emit_evidence_pack\"]");
	json_decref(decision);

	/* One who was asked to explain more did not reject, and fills nothing. */
	cs_world_set(state, "approvals/0/decision", "\"requires_more_information\"");
	decision = cs_case_gate(world, core, state, false);
	assert_string_equal(text(decision, "outcome"), "require_approval");
	assert_true(json_is_null(cs_json_at(decision, "slots/0/approval")));
	json_decref(decision);
	json_decref(state);
	json_decref(approvals);
	json_decref(core);
}

static void restrictions_make_an_allow_constrained(void **unused)
{
	json_t *core = cs_world_core(world, "rollback", NULL);
	json_t *approvals = json_pack("[o, o]",
		cs_case_decision(world, core, CS_WORLD_ADA, "engineer", "approved", NULL),
		cs_case_decision(world, core, CS_WORLD_CARL, "change_owner",
			"approved_with_restrictions", NULL));
	json_t *state = cs_case_state(world, core, approvals, NULL);
	json_t *decision = cs_case_gate(world, core, state, true);
	json_t *constraints = NULL;
	char address[CS_ADDRESS_TEXT];
	(void)unused;

	assert_string_equal(text(decision, "outcome"), "allow_with_constraints");
	assert_int_equal(cs_constraints_compose(approvals, &constraints), CS_OK);
	assert_int_equal(cs_address_of(constraints, address), CS_OK);
	assert_string_equal(text(decision, "constraints"), address);
	expect_obligations(decision, "[\"emit_evidence_pack\", \"enforce_constraints\"]");
	json_decref(constraints);
	json_decref(decision);
	json_decref(state);
	json_decref(approvals);
	json_decref(core);
}

static void level_four_is_allowed_and_must_requalify(void **unused)
{
	json_t *decision = run("restart", NULL, true, NULL);
	(void)unused;

	assert_int_equal(failures(decision), 0);
	assert_string_equal(text(decision, "outcome"), "allow");
	assert_string_equal(text(decision, "oversight"), "none");
	assert_int_equal(json_array_size(json_object_get(decision, "slots")), 0);
	expect_obligations(decision, "[\"emit_evidence_pack\", \"requalify\"]");
	json_decref(decision);
}

static void level_three_tells_people(void **unused)
{
	struct cs_world *other = cs_world_new(0);
	json_t *policy = cs_world_next_policy(other, "2026-11-20T09:00:00Z");
	struct cs_world *saved = world;
	json_t *decision;
	(void)unused;

	cs_world_set(policy, "action_classes/1/level", "3");
	cs_world_cosign(other, policy, CS_WORLD_LENA);
	cs_world_cosign(other, policy, CS_WORLD_CORA);
	cs_world_add_policy(other, policy);
	json_decref(policy);
	world = other;
	decision = run("restart", NULL, true, NULL);
	world = saved;
	assert_string_equal(text(decision, "outcome"), "allow");
	expect_obligations(decision, "[\"emit_evidence_pack\", \"notify_people\"]");
	json_decref(decision);
	cs_world_free(other);
}

static void level_one_is_advice(void **unused)
{
	static const struct change drain[4] = {
		{CORE, "proposed_action/requested_capability", "\"k8s.node.drain\""},
		{CORE, "purpose_request/action", "\"k8s.node.drain\""},
		{CORE, "proposed_action/action_declaration/reversibility", "\"compensatable\""}};
	json_t *decision = run("rollback", drain, true, NULL);
	(void)unused;

	assert_int_equal(failures(decision), 0);
	assert_int_equal(cs_json_integer(decision, "level", -1), 1);
	assert_string_equal(text(decision, "outcome"), "require_human_review");
	expect_obligations(decision, "[\"emit_evidence_pack\", \"record_human_act\"]");
	json_decref(decision);
}

static void an_emergency_owes_a_review(void **unused)
{
	static const struct change emergency[4] = {
		{CORE, "due_diligence/classification", "\"emergency\""}};
	static const struct change refused[4] = {
		{CORE, "due_diligence/classification", "\"emergency\""}, {STATE, "caller", "null"}};
	json_t *decision = run("rollback", emergency, false, NULL);
	(void)unused;

	expect_obligations(
		decision, "[\"emit_evidence_pack\", \"collect_approvals\", \"owe_review\"]");
	json_decref(decision);
	decision = run("rollback", refused, false, NULL);
	expect_obligations(decision, "[\"emit_evidence_pack\"]");
	json_decref(decision);
}

static void windows_have_their_edges(void **unused)
{
	/* A window is open at its first instant, a screen is fresh at its last. */
	static const struct change edges[][4] = {
		{{STATE, "grants/0/not_before", "\"" NOW "\""},
			{STATE, "grants/0/not_after", "\"2026-11-20T10:00:00.001Z\""}},
		{{STATE, "grants/0/revoked_at", "\"2026-11-20T10:00:00.001Z\""}},
		{{STATE, "grants/0/scope/resources", NULL}},
		{{STATE, "grants/0/scope/resources", "[\"kye:res:acme.checkout-api.production\"]"}},
		{{CORE, "due_diligence/screens/1/at", "\"2026-11-20T09:00:00Z\""}},
		{{CORE, "due_diligence/screens/1/at", "\"2026-11-20T10:00:30Z\""}},
		{{STATE, "facts/requests_last_minute", "30"}},
		{{STATE, "purposes/0/restrictions/rate_cap", NULL}, {STATE, "facts", "{}"}},
		{{STATE, "purposes/0/restrictions/weekly_window",
			"\"BYHOUR=9,10;BYDAY=TH,FR;FREQ=WEEKLY\""}},
		{{STATE, "purposes/0/restrictions/dual_control", "true"}},
		{{STATE, "purposes/0/restrictions/max_blast_radius", "1"}},
		{{STATE, "purposes/0/restrictions", NULL}},
		{{STATE, "delegations/0/scope/constraints/environment", "\"prod\""}},
		{{STATE, "delegations/0/valid_from", NULL},
			{STATE, "delegations/0/valid_until", NULL}},
		{{CORE, "proposed_action/target_resource", NULL}},
		{{CORE, "proposed_action/origin/principal_entity_id", NULL}},
	};
	(void)unused;

	for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
		json_t *decision = run("rollback", edges[i], false, NULL);

		if (failures(decision) != 0)
			print_error("edge %zu: %s\n", i, text(decision, "reason_code"));
		assert_int_equal(failures(decision), 0);
		json_decref(decision);
	}
}

static void a_better_grant_is_found_behind_a_worse_one(void **unused)
{
	json_t *core = cs_world_core(world, "rollback", NULL);
	json_t *state = cs_case_state(world, core, NULL, NULL);
	json_t *grants = json_object_get(state, "grants");
	json_t *decision;
	(void)unused;

	json_array_insert_new(grants, 0, json_deep_copy(json_array_get(grants, 0)));
	json_array_append_new(grants, json_deep_copy(json_array_get(grants, 0)));
	cs_world_set(state, "grants/0/scope/actions", "[\"deploy-config\"]");
	cs_world_set(state, "grants/2/revoked_at", "\"" NOW "\"");
	decision = cs_case_gate(world, core, state, false);
	assert_int_equal(failures(decision), 0);
	json_decref(decision);
	json_decref(state);
	json_decref(core);
}

/* Agents between the actor and Lena: `links` delegations in all. */
static json_t *chain_state(const json_t *core, int links)
{
	json_t *state = cs_case_state(world, core, NULL, NULL);
	json_t *delegations = json_object_get(state, "delegations");
	json_t *first = json_deep_copy(json_array_get(delegations, 0));

	json_array_clear(delegations);
	for (int i = 0; i < links; i++) {
		json_t *link = json_deep_copy(first);
		char name[64];

		snprintf(name, sizeof name, "\"kye:deleg:acme.link-%d\"", i);
		cs_world_set(link, "delegation_id", name);
		snprintf(name, sizeof name, "\"kye:agent:acme.step-%d\"", i);
		if (i > 0)
			cs_world_set(link, "actor_entity_id", name);
		snprintf(name, sizeof name, "\"kye:agent:acme.step-%d\"", i + 1);
		if (i < links - 1)
			cs_world_set(link, "delegator_entity_id", name);
		json_array_append_new(delegations, link);
	}
	json_decref(first);
	return state;
}

static void chains_are_walked_eight_steps_and_no_further(void **unused)
{
	json_t *core = cs_world_core(world, "rollback", NULL);
	json_t *state, *decision;
	(void)unused;

	for (int links = 1; links <= 10; links++) {
		state = chain_state(core, links);
		decision = cs_case_gate(world, core, state, false);
		if (links <= CS_CHAIN_MAX)
			assert_int_equal(failures(decision), 0);
		else
			assert_string_equal(text(decision, "reason_code"), "delegation_broken");
		json_decref(decision);
		json_decref(state);
	}
	/* A circle leads to nobody, and ends. */
	state = chain_state(core, 3);
	cs_world_set(state, "delegations/2/delegator_entity_id", "\"kye:agent:acme.sre-autoheal\"");
	decision = cs_case_gate(world, core, state, false);
	assert_string_equal(text(decision, "reason_code"), "delegation_broken");
	json_decref(decision);
	/* Nor may a link in the middle be out of force. */
	cs_world_set(state, "delegations/2/delegator_entity_id", "\"" CS_WORLD_LENA "\"");
	cs_world_set(state, "delegations/1/status", "\"revoked\"");
	decision = cs_case_gate(world, core, state, false);
	assert_string_equal(text(decision, "reason_code"), "delegation_broken");
	json_decref(decision);
	json_decref(state);
	json_decref(core);
}

static void a_way_to_an_active_person_is_preferred(void **unused)
{
	json_t *core = cs_world_core(world, "rollback", NULL);
	json_t *state = cs_case_state(world, core, NULL, NULL);
	json_t *second = json_deep_copy(cs_json_at(state, "delegations/0"));
	json_t *ended = json_deep_copy(cs_json_at(state, "persons/0"));
	json_t *decision;
	(void)unused;

	cs_world_set(ended, "id", "\"kye:person:acme.gone\"");
	cs_world_set(ended, "state", "\"ended\"");
	cs_world_set(second, "delegator_entity_id", "\"kye:person:acme.gone\"");
	json_array_insert_new(json_object_get(state, "delegations"), 0, second);
	json_array_append_new(json_object_get(state, "persons"), ended);
	decision = cs_case_gate(world, core, state, false);
	assert_int_equal(failures(decision), 0);
	json_decref(decision);
	json_decref(state);
	json_decref(core);
}

static void weekly_windows(void **unused)
{
	static const struct {
		const char *rule;
		cs_time at;
		enum cs_weekly expected;
	} windows[] = {
		/* 1970-01-01 was a Thursday */
		{"FREQ=WEEKLY;BYDAY=TH", 0, CS_WEEKLY_INSIDE},
		{"FREQ=WEEKLY;BYDAY=WE,FR", 0, CS_WEEKLY_OUTSIDE},
		{"FREQ=WEEKLY;BYDAY=FR", 86400000, CS_WEEKLY_INSIDE},
		{"FREQ=WEEKLY;BYDAY=MO", INT64_C(4) * 86400000, CS_WEEKLY_INSIDE},
		{"FREQ=WEEKLY;BYDAY=SU", INT64_C(4) * 86400000 - 1, CS_WEEKLY_INSIDE},
		{"FREQ=WEEKLY;BYDAY=TH;BYHOUR=23", 86399999, CS_WEEKLY_INSIDE},
		{"FREQ=WEEKLY;BYDAY=TH;BYHOUR=0,1,22", 86399999, CS_WEEKLY_OUTSIDE},
		{"FREQ=WEEKLY", 0, CS_WEEKLY_UNKNOWN},
		{"BYDAY=TH", 0, CS_WEEKLY_UNKNOWN},
		{"", 0, CS_WEEKLY_UNKNOWN},
		{"FREQ=DAILY;BYDAY=TH", 0, CS_WEEKLY_UNKNOWN},
		{"FREQ=WEEKLY;BYDAY=TH;INTERVAL=2", 0, CS_WEEKLY_UNKNOWN},
		{"FREQ=WEEKLY;BYDAY=TH;", 0, CS_WEEKLY_UNKNOWN},
		{"FREQ=WEEKLY;BYDAY=T", 0, CS_WEEKLY_UNKNOWN},
		{"FREQ=WEEKLY;BYDAY=TH,", 0, CS_WEEKLY_UNKNOWN},
		{"FREQ=WEEKLY;BYDAY=1TH", 0, CS_WEEKLY_UNKNOWN},
		{"FREQ=WEEKLY;BYDAY=THFR", 0, CS_WEEKLY_UNKNOWN},
		{"FREQ=WEEKLY;BYDAY=TH;BYHOUR=24", 0, CS_WEEKLY_UNKNOWN},
		{"FREQ=WEEKLY;BYDAY=TH;BYHOUR=", 0, CS_WEEKLY_UNKNOWN},
		{"FREQ=WEEKLY;BYDAY=TH;BYHOUR=123", 0, CS_WEEKLY_UNKNOWN},
		{"FREQ=WEEKLY;BYDAY=TH;BYDAY=FR", 0, CS_WEEKLY_UNKNOWN},
		{"FREQ=WEEKLY;FREQ=WEEKLY;BYDAY=TH", 0, CS_WEEKLY_UNKNOWN},
	};
	(void)unused;

	for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
		enum cs_weekly got = cs_weekly_window(windows[i].rule, windows[i].at);

		if (got != windows[i].expected)
			print_error("'%s'\n", windows[i].rule);
		assert_int_equal(got, windows[i].expected);
	}
}

static void identifiers_cover_what_continues_them(void **unused)
{
	json_t *list = cs_world_json("[\"kye:res:a\", \"\", 1, \"kye:res:b:c\"]");
	(void)unused;

	assert_true(cs_covers(list, "kye:res:a"));
	assert_true(cs_covers(list, "kye:res:a:x"));
	assert_true(cs_covers(list, "kye:res:b:c"));
	assert_false(cs_covers(list, "kye:res:ab"));
	assert_false(cs_covers(list, "kye:res:b"));
	assert_false(cs_covers(list, NULL));
	assert_false(cs_covers(NULL, "kye:res:a"));
	json_decref(list);
}

static void the_gate_is_a_function(void **unused)
{
	json_t *core = cs_world_core(world, "rollback", NULL);
	json_t *state = cs_case_state(world, core, NULL, NULL);
	CS_CLEANUP_BYTES struct cs_bytes before = {0}, first = {0}, second = {0}, after = {0};
	json_t *one, *two;
	(void)unused;

	assert_int_equal(cs_canonical_print(state, &before), CS_OK);
	one = cs_case_gate(world, core, state, false);
	two = cs_case_gate(world, core, state, false);
	assert_int_equal(cs_canonical_print(one, &first), CS_OK);
	assert_int_equal(cs_canonical_print(two, &second), CS_OK);
	assert_int_equal(cs_canonical_print(state, &after), CS_OK);
	assert_true(cs_bytes_equal(first.data, first.len, second.data, second.len));
	assert_true(cs_bytes_equal(before.data, before.len, after.data, after.len));
	json_decref(one);
	json_decref(two);
	json_decref(state);
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
		cmocka_unit_test(everything_missing_is_listed_at_once),
		cmocka_unit_test(two_people_are_asked_for_a_rollback),
		cmocka_unit_test(filled_slots_allow),
		cmocka_unit_test(restrictions_make_an_allow_constrained),
		cmocka_unit_test(level_four_is_allowed_and_must_requalify),
		cmocka_unit_test(level_three_tells_people),
		cmocka_unit_test(level_one_is_advice),
		cmocka_unit_test(an_emergency_owes_a_review),
		cmocka_unit_test(windows_have_their_edges),
		cmocka_unit_test(a_better_grant_is_found_behind_a_worse_one),
		cmocka_unit_test(chains_are_walked_eight_steps_and_no_further),
		cmocka_unit_test(a_way_to_an_active_person_is_preferred),
		cmocka_unit_test(weekly_windows),
		cmocka_unit_test(identifiers_cover_what_continues_them),
		cmocka_unit_test(the_gate_is_a_function),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
