/*
 * Who approved what: quorum, bindings, windows, and the papers that each approver saw, as the
 * verifier finds them in a pack.
 *
 * The gate of a broken appliance says "allow" all the same, and everything but the approvals is in
 * order.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/verify_rows.h"

#include <sodium.h>

/* ---- the quorum ---- */

struct quorum {
	enum cs_sealed_scenario scenario;
	struct cs_sealed_approver approvers[CS_SEALED_APPROVERS_MAX];
	const char *failures;
};

static struct cs_sealed_plan plan_of(const struct quorum *row)
{
	struct cs_sealed_plan plan = cs_sealed_plan(row->scenario);

	for (int i = 0; i < CS_SEALED_APPROVERS_MAX; i++)
		plan.approvers[i] = row->approvers[i];
	cs_sealed_tweak(&plan, CS_SEALED_DECISION, 0, "outcome", "\"allow\"");
	return plan;
}

#define APPROVED(person, role) \
	{ \
		person, role, "approved", NULL, NULL \
	}

static void test_quorum(void **state)
{
	static const struct quorum rows[] = {
		{CS_SEALED_ROLLBACK, {{0}}, "oversight_and_quorum=approval_missing gate=bad_pack"},
		{CS_SEALED_ROLLBACK, {APPROVED(CS_WORLD_ADA, "engineer")},
			"oversight_and_quorum=approval_missing gate=bad_pack"},
		{CS_SEALED_ROLLBACK, {APPROVED(CS_WORLD_CARL, "change_owner")},
			"oversight_and_quorum=approval_missing gate=bad_pack"},
		{CS_SEALED_ROLLBACK,
			{APPROVED(CS_WORLD_ADA, "engineer"), APPROVED(CS_WORLD_EVE, "engineer")},
			"oversight_and_quorum=approval_slot gate=bad_pack"},
		{CS_SEALED_ROLLBACK,
			{APPROVED(CS_WORLD_ADA, "engineer"), APPROVED(CS_WORLD_ADA, "engineer")},
			"oversight_and_quorum=approval_same_person gate=bad_pack"},
		{CS_SEALED_ROLLBACK,
			{APPROVED(CS_WORLD_PAUL, "engineer"),
				APPROVED(CS_WORLD_PAUL, "change_owner")},
			"oversight_and_quorum=approval_by_requester gate=bad_pack"},
		{CS_SEALED_ROLLBACK,
			{APPROVED(CS_WORLD_ADA, "engineer"),
				APPROVED(CS_WORLD_PAUL, "change_owner")},
			"oversight_and_quorum=approval_by_requester"},
		{CS_SEALED_ROLLBACK,
			{APPROVED(CS_WORLD_ADA, "engineer"),
				APPROVED(CS_WORLD_DORA, "change_owner")},
			"oversight_and_quorum=approval_role_out_of_scope"},
		{CS_SEALED_ROLLBACK,
			{APPROVED(CS_WORLD_ADA, "engineer"),
				APPROVED(CS_WORLD_EVE, "change_owner")},
			"oversight_and_quorum=approval_role_not_held"},
		{CS_SEALED_ROLLBACK,
			{APPROVED(CS_WORLD_ADA, "engineer"),
				APPROVED(CS_WORLD_CARL, "change_owner"),
				APPROVED(CS_WORLD_EVE, "engineer")},
			"oversight_and_quorum=approval_slot gate=bad_pack"},
		{CS_SEALED_ROLLBACK,
			{APPROVED(CS_WORLD_ADA, "engineer"),
				{CS_WORLD_CARL, "change_owner", "rejected", NULL, NULL}},
			"oversight_and_quorum=approval_rejected gate=bad_pack"},
		{CS_SEALED_ROLLBACK,
			{APPROVED(CS_WORLD_ADA, "engineer"),
				{CS_WORLD_CARL, "change_owner", "escalated", NULL, NULL}},
			"oversight_and_quorum=approval_rejected gate=bad_pack"},
		{CS_SEALED_CONFIG, {{0}}, "oversight_and_quorum=approval_missing gate=bad_pack"},
		{CS_SEALED_CONFIG, {APPROVED(CS_WORLD_CARL, "change_owner")},
			"oversight_and_quorum=approval_slot gate=bad_pack"},
		{CS_SEALED_RESTART, {APPROVED(CS_WORLD_ADA, "engineer")},
			"oversight_and_quorum=approval_slot gate=bad_pack"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cs_sealed_plan plan = plan_of(&rows[i]);

		expect_plan(&plan, rows[i].failures, rows[i].failures);
	}
}

static void test_requester_as_engineer(void **state)
{
	static const struct quorum row = {CS_SEALED_ROLLBACK,
		{APPROVED(CS_WORLD_PAUL, "engineer"), APPROVED(CS_WORLD_CARL, "change_owner")}, ""};
	struct cs_sealed_plan plan = plan_of(&row);
	struct cs_sealed *sealed = cs_sealed_make(world, &plan);
	CS_CLEANUP_JSON json_t *verdict = cs_verdict(world, sealed->pack);

	(void)state;
	assert_string_equal(cs_verdict_failures(verdict), "");
	cs_sealed_free(sealed);
}

static void test_two_people_on_one_token(void **state)
{
	static const struct quorum row = {CS_SEALED_ROLLBACK,
		{APPROVED(CS_WORLD_ADA, "engineer"), APPROVED(CS_WORLD_CARL, "change_owner")}, ""};
	struct cs_sealed_plan plan = plan_of(&row);
	struct cs_world *usual = world;

	(void)state;
	world = cs_world_new(CS_WORLD_SHARED_TOKEN);
	expect_plan(&plan, "token", "oversight_and_quorum=approval_same_token gate=bad_pack");
	cs_world_free(world);
	world = usual;
}

static void test_whose_key(void **state)
{
	const struct cs_signer *stranger =
		cs_world_stranger(world, CS_ALG_EDDSA, "kye:key:acme.stranger");
	struct cs_signer impostor = *stranger;
	const struct {
		const struct cs_signer *key;
		const char *failures;
	} rows[] = {
		{stranger, "oversight_and_quorum=key_unknown gate=key_unknown"},
		{&impostor, "oversight_and_quorum=bad_signature"},
		{cs_world_person(world, CS_WORLD_ADA),
			"oversight_and_quorum=key_entity gate=bad_pack"},
		{cs_world_appliance(world, CS_USAGE_SEAL), "oversight_and_quorum=key_usage"},
		{cs_world_appliance(world, CS_USAGE_DOCUMENT), "oversight_and_quorum=key_usage"},
		{cs_world_appliance(world, CS_USAGE_ENGINE),
			"oversight_and_quorum=key_unknown gate=key_unknown"},
	};

	(void)state;
	impostor.kid = cs_world_person(world, CS_WORLD_CARL)->kid;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_ROLLBACK);

		plan.approvers[1].signer = rows[i].key;
		cs_sealed_tweak(&plan, CS_SEALED_DECISION, 0, "outcome", "\"allow\"");
		expect_plan(&plan, "signer", rows[i].failures);
	}
}

/* Who rejected is on record only with a signature of that person's. */
static void test_forged_rejection(void **state)
{
	struct cs_signer impostor =
		*cs_world_stranger(world, CS_ALG_EDDSA, "kye:key:acme.stranger");
	struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_REJECTED);

	(void)state;
	plan.approvers[1].signer = &impostor;
	expect_plan(&plan, "stranger", "oversight_and_quorum=key_unknown gate=key_unknown");
	impostor.kid = cs_world_person(world, CS_WORLD_CARL)->kid;
	expect_plan(&plan, "impostor", "oversight_and_quorum=bad_signature");
}

/* ---- bindings and windows: signed by the approver, and for something else ---- */

#define ALLOW \
	{ \
		CS_SEALED_DECISION, 0, "outcome", "\"allow\"" \
	}

static void test_bindings(void **state)
{
	static const struct wrong rows[] = {
		{CS_SEALED_ROLLBACK, {ALLOW, {CS_SEALED_APPROVAL, 1, "binding/action", ADDRESS}},
			"oversight_and_quorum=approval_other_action"},
		{CS_SEALED_ROLLBACK,
			{ALLOW, {CS_SEALED_APPROVAL, 1, "binding/action_class",
					"\"deploy-config\""}},
			"oversight_and_quorum=approval_other_class"},
		{CS_SEALED_ROLLBACK,
			{ALLOW, {CS_SEALED_APPROVAL, 0, "binding/change_class", "\"reversible\""}},
			"oversight_and_quorum=approval_other_class"},
		{CS_SEALED_ROLLBACK, {ALLOW, {CS_SEALED_APPROVAL, 1, "binding/policy", ADDRESS}},
			"oversight_and_quorum=approval_other_policy briefs=approval_binding"},
		{CS_SEALED_ROLLBACK, {ALLOW, {CS_SEALED_APPROVAL, 1, "binding/trust_set", ADDRESS}},
			"oversight_and_quorum=approval_other_trust_set briefs=approval_binding"},
		{CS_SEALED_ROLLBACK,
			{ALLOW, {CS_SEALED_APPROVAL, 1, "binding/audience",
					"\"acme.example/other\""}},
			"oversight_and_quorum=approval_other_appliance briefs=approval_binding"},
		{CS_SEALED_ROLLBACK,
			{ALLOW, {CS_SEALED_APPROVAL, 0, "binding/role", "\"change_owner\""},
				{CS_SEALED_APPROVAL, 0, "approver_decision_right",
					"\"kye:decision-right:change_owner\""}},
			"oversight_and_quorum=approval_role_not_held gate=bad_pack "
			"briefs=approval_binding"},
		{CS_SEALED_ROLLBACK,
			{ALLOW, {CS_SEALED_APPROVAL, 0, "approver_decision_right",
					"\"kye:decision-right:change_owner\""}},
			"oversight_and_quorum=approval_binding"},
		{CS_SEALED_ROLLBACK, {ALLOW, {CS_SEALED_APPROVAL, 0, "binding", NULL}},
			"schema=document_invalid"},
		/* Windows. */
		{CS_SEALED_ROLLBACK,
			{ALLOW, {CS_SEALED_APPROVAL, 1, "binding/not_after",
					"\"2026-11-20T10:05:00Z\""}},
			"oversight_and_quorum=approval_expired gate=bad_pack"},
		{CS_SEALED_ROLLBACK,
			{ALLOW, {CS_SEALED_APPROVAL, 1, "binding/not_after",
					"\"2026-11-20T11:03:01Z\""}},
			"oversight_and_quorum=approval_window_too_long"},
		{CS_SEALED_ROLLBACK,
			{ALLOW, {CS_SEALED_APPROVAL, 1, "decided_at", "\"2026-11-20T10:10:01Z\""}},
			"oversight_and_quorum=approval_early"},
		{CS_SEALED_ROLLBACK,
			{ALLOW, {CS_SEALED_APPROVAL, 1, "decided_at", "\"2026-11-20T10:01:59Z\""}},
			"briefs=approval_early"},
		/* Altered by one character after it was signed. */
		{CS_SEALED_ROLLBACK,
			{ALLOW, {CS_SEALED_INPUTS, 0, "approvals/0/decision/rationale",
					"\"Read the plan and the telemetry!\""}},
			"oversight_and_quorum=bad_signature gate=bad_pack"},
		{CS_SEALED_REJECTED,
			{{CS_SEALED_INPUTS, 0, "approvals/1/decision/rationale",
				"\"Read the plan and the telemetry!\""}},
			"oversight_and_quorum=bad_signature gate=bad_pack"},
		{CS_SEALED_REJECTED, {{CS_SEALED_APPROVAL, 1, "binding/action", ADDRESS}},
			"oversight_and_quorum=approval_other_action"},
		/* Left out after the fact. */
		{CS_SEALED_ROLLBACK, {{CS_SEALED_INPUTS, 0, "approvals/1", NULL}},
			"oversight_and_quorum=approval_missing gate=bad_pack"},
		{CS_SEALED_CONFIG, {{CS_SEALED_INPUTS, 0, "approvals", "[]"}},
			"oversight_and_quorum=approval_missing gate=bad_pack"},
	};

	(void)state;
	EXPECT_ALL(rows);
}

static void swap_decisions(
	void *context, enum cs_sealed_stage stage, int approver, json_t *document)
{
	(void)context;
	(void)approver;
	if (stage != CS_SEALED_INPUTS)
		return;
	json_t *approvals = json_object_get(document, "approvals");
	json_t *one = json_array_get(approvals, 0), *other = json_array_get(approvals, 1);
	json_t *kept = json_incref(json_object_get(one, "decision"));
	json_object_set(one, "decision", json_object_get(other, "decision"));
	json_object_set_new(other, "decision", kept);
}

static void twice(void *context, enum cs_sealed_stage stage, int approver, json_t *document)
{
	(void)context;
	(void)approver;
	if (stage == CS_SEALED_INPUTS)
		json_array_set(json_object_get(document, "approvals"), 1,
			json_array_get(json_object_get(document, "approvals"), 0));
}

/* Both decisions are good, but each stands with the other's papers. */
static void test_swapped_and_doubled(void **state)
{
	struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_ROLLBACK);

	(void)state;
	plan.change = swap_decisions;
	expect_plan(&plan, "swapped", "gate=bad_pack briefs=approval_binding");
	plan.change = twice;
	expect_plan(&plan, "doubled", "seal=document_invalid");
	cs_sealed_tweak(&plan, CS_SEALED_STATEMENT, 0, "approvals/1", NULL);
	expect_plan(&plan, "doubled, named once",
		"statement=statement_mismatch oversight_and_quorum=statement_evidence "
		"gate=bad_pack");
}

/* ---- in which order: gate, brief, what was shown, decision, end of the brief's window ---- */

static void test_order(void **state)
{
	static const struct wrong rows[] = {
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_BASIS, 1, "issued_at", "\"2026-11-20T09:59:59Z\""}},
			"briefs=brief_mismatch"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_SNAPSHOT, 1, "captured_at", "\"2026-11-20T10:01:59Z\""}},
			"briefs=approval_early"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_SNAPSHOT, 1, "captured_at", "\"2026-11-20T10:03:01Z\""}},
			"briefs=approval_early"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_BASIS, 1, "not_after", "\"2026-11-20T10:02:59Z\""}},
			"briefs=approval_expired"},
	};
	static const struct cs_sealed_tweak edges[] = {
		{CS_SEALED_BASIS, 1, "issued_at", "\"2026-11-20T10:00:00Z\""},
		{CS_SEALED_SNAPSHOT, 1, "captured_at", "\"2026-11-20T10:02:00Z\""},
		{CS_SEALED_SNAPSHOT, 1, "captured_at", "\"2026-11-20T10:03:00Z\""},
		{CS_SEALED_BASIS, 1, "not_after", "\"2026-11-20T10:03:00Z\""},
	};

	(void)state;
	EXPECT_ALL(rows);
	for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
		struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_ROLLBACK);
		struct cs_sealed *sealed;

		plan.tweaks[0] = edges[i];
		sealed = cs_sealed_make(world, &plan);
		CS_CLEANUP_JSON json_t *verdict = cs_verdict(world, sealed->pack);
		assert_string_equal(cs_verdict_failures(verdict), "");
		cs_sealed_free(sealed);
	}
}

/* ---- briefs, bases and snapshots ---- */

static void test_papers(void **state)
{
	static const struct wrong rows[] = {
		/* The engine shows one thing and the documents say another. */
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_BRIEF, 0, "proposed_action/summary", "\"Nothing much\""}},
			"briefs=brief_mismatch"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_BRIEF, 1, "risk_level", "\"low\""}},
			"briefs=brief_mismatch"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_BRIEF, 1, "recommended_controls/0", NULL}},
			"briefs=brief_mismatch"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_BRIEF, 1, "actor", NULL}},
			"briefs=brief_mismatch"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_BRIEF, 0, "scope/environment", "\"staging\""}},
			"briefs=brief_mismatch"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_BRIEF, 0, "validity/not_after", "\"2026-11-20T12:00:00Z\""}},
			"briefs=brief_mismatch"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_BRIEF, 0, "basis", ADDRESS}},
			"briefs=approval_binding"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_INPUTS, 0, "approvals/0/basis/not_after",
				"\"2026-11-20T12:00:00Z\""}},
			"briefs=approval_binding"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_INPUTS, 0, "approvals/0/basis/state/caller",
				"\"kye:agent:acme.canary-watch\""}},
			"briefs=approval_binding"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_INPUTS, 0, "approvals/1/basis/consequence_map/generated_by",
				"\"kye:ent:acme\""}},
			"briefs=approval_binding"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_INPUTS, 0, "approvals/1/basis/gate/outcome", "\"allow\""}},
			"briefs=approval_binding"},
		/* Made for somebody else, or for another role. */
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_BASIS, 0, "approver", "\"kye:person:acme.eve\""},
				{CS_SEALED_APPROVAL, 0, "approver", "\"kye:person:acme.ada\""}},
			"briefs=approval_binding"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_SNAPSHOT, 0, "approver", "\"kye:person:acme.eve\""}},
			"briefs=approval_binding"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_SNAPSHOT, 0, "action", ADDRESS}},
			"briefs=approval_binding"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_SNAPSHOT, 0, "basis", ADDRESS}},
			"briefs=approval_binding"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_SNAPSHOT, 1, "id",
				"\"kye:approver-knowledge-snapshot:01KAGJ7XQ2D3E4F5G6H7J8K9ZZ\""}},
			"briefs=approval_binding"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_SNAPSHOT, 1, "approval_brief_id",
				"\"kye:approval-brief:01KAGJ7XQ2D3E4F5G6H7J8K9ZZ\""}},
			"briefs=approval_binding"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_APPROVAL, 1, "approval_brief_id",
				"\"kye:approval-brief:01KAGJ7XQ2D3E4F5G6H7J8K9ZZ\""}},
			"briefs=approval_binding"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_APPROVAL, 1, "knowledge_snapshot_id",
				"\"kye:approver-knowledge-snapshot:01KAGJ7XQ2D3E4F5G6H7J8K9ZZ\""}},
			"briefs=approval_binding"},
		/* The approver signed for another brief, another snapshot. */
		{CS_SEALED_ROLLBACK, {{CS_SEALED_APPROVAL, 0, "binding/brief", ADDRESS}},
			"briefs=approval_binding"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_APPROVAL, 0, "binding/snapshot", ADDRESS}},
			"briefs=approval_binding"},
		{CS_SEALED_REJECTED, {{CS_SEALED_APPROVAL, 1, "binding/brief", ADDRESS}},
			"briefs=approval_binding"},
		/* A snapshot whose own hash is of something else. */
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_INPUTS, 0, "approvals/0/snapshot/facts_shown/0", NULL}},
			"engine_signatures=bad_signature briefs=approval_binding"},
	};

	(void)state;
	EXPECT_ALL(rows);
}

/*
 * The approver read about a map that the pack does not carry: signed again by the engine, so that
 * nothing else is wrong.
 */
static void other_map(void *context, enum cs_sealed_stage stage, int approver, json_t *document)
{
	json_t *map;

	(void)approver;
	if (stage != CS_SEALED_INPUTS)
		return;
	map = json_object_get(document, "consequence_map");
	cs_world_set(map, "consequences/0/description", "\"Nothing much\"");
	assert_int_equal(cs_inline_sign(map, context, false), CS_OK);
}

static void test_map_not_shown(void **state)
{
	struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_ROLLBACK);
	struct cs_signer engine = *cs_world_appliance(world, CS_USAGE_ENGINE);

	(void)state;
	plan.change = other_map;
	plan.context = &engine;
	expect_plan(&plan, "map", "briefs=brief_mismatch");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quorum),
		cmocka_unit_test(test_requester_as_engineer),
		cmocka_unit_test(test_two_people_on_one_token),
		cmocka_unit_test(test_whose_key),
		cmocka_unit_test(test_forged_rejection),
		cmocka_unit_test(test_bindings),
		cmocka_unit_test(test_swapped_and_doubled),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_papers),
		cmocka_unit_test(test_map_not_shown),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, make_world, free_world);
}
