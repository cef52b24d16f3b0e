/* Whether the evidence bears an allow out. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fixture/judge_case.h"

#include <sodium.h>
#include <string.h>

static void two_approvals_bear_an_allow_out(void **unused)
{
	struct cs_case_statement s = allowed();
	(void)unused;

	assert_int_equal(
		cs_statement_shape(s.context.registry, s.statement, CS_SEAL_JWS, NULL), CS_OK);
	assert_int_equal(cs_case_judge_statement(&s, NULL), CS_OK);
	s.context.exact = true;
	assert_int_equal(cs_case_judge_statement(&s, NULL), CS_OK);
	s.context.trust = NULL;
	expect(CS_OK, &s, NULL);
}

static void a_statement_that_says_otherwise_is_refused(void **unused)
{
	static const struct {
		const char *path, *value;
		enum cs_err err;
		const char *where;
	} changes[] = {
		{"kind", "\"outcome\"", CS_E_STATEMENT_SHAPE, "/kind"},
		{"mode", "\"shadow\"", CS_E_STATEMENT_SHAPE, "/kind"},
		{"outcome", "\"require_approval\"", CS_E_STATEMENT_SHAPE, "/kind"},
		{"log/origin", "\"acme.example/other\"", CS_E_LOG_ORIGIN, "/log/origin"},
		{"trust_set", ZERO, CS_E_STATEMENT_TRUST_SET, "/trust_set"},
		{"policy", ZERO, CS_E_STATEMENT_POLICY, "/policy"},
		{"action", ZERO, CS_E_STATEMENT_MISMATCH, "/action"},
		{"action_class", "\"restart-stateless-service\"", CS_E_STATEMENT_MISMATCH,
			"/action_class"},
		{"action_class", "null", CS_E_STATEMENT_MISMATCH, "/action_class"},
		{"change_class", "\"compensatable\"", CS_E_STATEMENT_LAX, "/change_class"},
		{"change_class", "\"reversible\"", CS_E_STATEMENT_LAX, "/change_class"},
		{"change_class", "null", CS_E_STATEMENT_MISMATCH, "/change_class"},
		{"oversight", "\"single_approver\"", CS_E_STATEMENT_LAX, "/oversight"},
		{"oversight", "\"none\"", CS_E_STATEMENT_LAX, "/oversight"},
		{"oversight", "null", CS_E_STATEMENT_MISMATCH, "/oversight"},
		{"approvals", "[]", CS_E_STATEMENT_EVIDENCE, "/approvals"},
		{"approvals/0", ZERO, CS_E_STATEMENT_MISMATCH, "/approvals"},
		{"constraints", ZERO, CS_E_STATEMENT_EVIDENCE, "/constraints"},
		{"outcome", "\"allow_with_constraints\"", CS_E_STATEMENT_MISMATCH, "/outcome"},
		{"not_after", "null", CS_E_STATEMENT_WINDOW, "/not_after"},
		{"not_after", "\"2026-11-20T10:00:00Z\"", CS_E_STATEMENT_WINDOW, "/not_after"},
		{"not_after", "\"2026-11-20T11:00:00.001Z\"", CS_E_STATEMENT_WINDOW, "/not_after"},
		{"issued_at", "\"2026-11-20T10:30:00Z\"", CS_E_STATEMENT_WINDOW, "/not_after"},
		{"issued_at", "\"2026-11-31T10:30:00Z\"", CS_E_STATEMENT_WINDOW, "/issued_at"},
		{"not_after", "\"2026-11-20T11:00:00Z\"", CS_OK, NULL},
	};
	(void)unused;

	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		struct cs_case_statement s = allowed();

		cs_world_set(s.statement, changes[i].path, changes[i].value);
		expect(changes[i].err, &s, changes[i].where);
	}
}

static void evidence_is_complete_and_nothing_else(void **unused)
{
	struct cs_case_statement s = allowed();
	(void)unused;

	json_decref(s.core);
	s.core = NULL;
	expect(CS_E_STATEMENT_EVIDENCE, &s, "/action");
	s = allowed();
	s.document = s.core;
	expect(CS_E_STATEMENT_EVIDENCE, &s, "/subject");
	s = allowed();
	s.constraints =
		cs_world_json("{\"schema\": \"countersign.constraints.v1\", \"restrictions\": []}");
	expect(CS_E_STATEMENT_EVIDENCE, &s, "/constraints");
	s = allowed();
	cs_world_set(s.core, "execution/arguments/7", "\"--to-revision=40\"");
	expect(CS_E_STATEMENT_MISMATCH, &s, "/action");
	s = allowed();
	cs_world_set(s.core, "extra", "1");
	expect(CS_E_DOCUMENT_INVALID, &s, NULL);
	s = allowed();
	json_array_remove(s.approvals, 1);
	expect(CS_E_STATEMENT_EVIDENCE, &s, "/approvals");
	s = allowed();
	for (size_t i = 0; i < CS_APPROVALS_MAX; i++)
		json_array_append(s.approvals, json_array_get(s.approvals, 0));
	json_object_set(s.statement, "approvals", s.approvals);
	expect(CS_E_TOO_LARGE, &s, NULL);
}

static struct cs_case_statement allowed_by(json_t *core, json_t *approvals)
{
	return cs_case_seal(world, core, approvals, "allow");
}

static void the_quorum_is_filled_again(void **unused)
{
	json_t *core = cs_world_core(world, "rollback", NULL);
	struct cs_case_statement s = allowed_by(json_incref(core), NULL);
	(void)unused;

	expect(CS_E_APPROVAL_MISSING, &s, NULL);
	s = allowed_by(json_incref(core),
		json_pack("[o]",
			cs_case_decision(world, core, CS_WORLD_ADA, "engineer", "approved", NULL)));
	expect(CS_E_APPROVAL_MISSING, &s, NULL);
	s = allowed_by(json_incref(core),
		json_pack("[o, o]",
			cs_case_decision(world, core, CS_WORLD_ADA, "engineer", "approved", NULL),
			cs_case_decision(
				world, core, CS_WORLD_CARL, "change_owner", "rejected", NULL)));
	expect(CS_E_APPROVAL_REJECTED, &s, NULL);
	s = allowed_by(json_incref(core),
		json_pack("[o, o]",
			cs_case_decision(world, core, CS_WORLD_ADA, "engineer", "approved", NULL),
			cs_case_decision(world, core, CS_WORLD_EVE, "engineer", "approved", NULL)));
	expect(CS_E_APPROVAL_SLOT, &s, NULL);
	/* The same approvals for an action that differs in its nonce alone */
	s = allowed_by(cs_world_core(world, "rollback", "nonce",
			       "\"ffffffffffffffffffffffffffffffff\"", NULL),
		cs_case_two(world, core));
	expect(CS_E_APPROVAL_ACTION, &s, "/binding/action");
	s = allowed();
	s.context.at = CS_WORLD_NOW + 3600000;
	expect(CS_E_APPROVAL_EXPIRED, &s, NULL);
	json_decref(core);
}

static void who_asked_is_the_agents_principal(void **unused)
{
	json_t *core = cs_world_core(world, "rollback", "requester", "\"" CS_WORLD_LENA "\"", NULL);
	struct cs_case_statement s = allowed_by(core, cs_case_two(world, core));
	(void)unused;

	/* Published keys cannot tell. */
	s.context.trust = NULL;
	assert_int_equal(cs_case_judge_statement(&s, NULL), CS_OK);
	s.context.trust = cs_world_trust(world);
	expect(CS_E_STATEMENT_MISMATCH, &s, "/action");
	core = cs_world_core(
		world, "rollback", "purpose_request/actor", "\"kye:agent:acme.nobody\"", NULL);
	s = allowed_by(core, cs_case_two(world, core));
	expect(CS_E_STATEMENT_MISMATCH, &s, "/action");
}

static void a_suspended_actor_gets_nothing_signed(void **unused)
{
	struct cs_world *other = cs_world_new(0);
	json_t *draft = cs_world_next_trust(other, "2026-11-20T09:00:00Z");
	json_t *core;
	struct cs_case_statement s;
	(void)unused;

	cs_world_set(draft, "agents/0/state", "\"suspended\"");
	cs_world_cosign(other, draft, CS_WORLD_SAM);
	cs_world_cosign(other, draft, CS_WORLD_CORA);
	cs_world_add_trust(other, draft);
	json_decref(draft);
	core = cs_world_core(other, "rollback", NULL);
	s = cs_case_seal(other, core, cs_case_two(other, core), "allow");
	assert_int_equal(cs_case_judge_statement(&s, NULL), CS_E_STATEMENT_MISMATCH);
	/* A verifier may read a pack from before. */
	s.context.exact = true;
	expect(CS_OK, &s, NULL);
	cs_world_free(other);
}

static void the_policy_is_the_one_it_was_configured_for(void **unused)
{
	json_t *core = cs_world_core(world, "rollback", "policy", ZERO, NULL);
	struct cs_case_statement s = allowed_by(core, cs_case_two(world, core));
	(void)unused;

	expect(CS_E_STATEMENT_POLICY, &s, "/action");
}

static void levels_that_allow_nothing_allow_nothing(void **unused)
{
	static const char *const capabilities[] = {
		"\"k8s.node.drain\"", "\"k8s.namespace.delete\""};
	(void)unused;

	for (size_t i = 0; i < 2; i++) {
		json_t *core = cs_world_core(world, "rollback",
			"proposed_action/requested_capability", capabilities[i], NULL);
		struct cs_case_statement s = allowed_by(core, NULL);

		expect(CS_E_STATEMENT_LAX, &s, "/outcome");
	}
}

static void a_capability_without_a_class_is_only_refused(void **unused)
{
	struct cs_case_statement s = allowed();
	static const char *const members[] = {"action_class", "change_class", "oversight"};
	char action[CS_ADDRESS_TEXT];
	(void)unused;

	json_decref(s.core);
	s.core = cs_world_core(world, "rollback", "proposed_action/requested_capability",
		"\"k8s.secret.read\"", NULL);
	assert_int_equal(cs_address_of(s.core, action), CS_OK);
	json_object_set_new(s.statement, "action", json_string(action));
	assert_int_equal(cs_case_judge_statement(&s, NULL), CS_E_STATEMENT_MISMATCH);
	cs_world_set(s.statement, "outcome", "\"deny\"");
	cs_world_set(s.statement, "not_after", "null");
	cs_world_set(s.statement, "approvals", "[]");
	json_array_clear(s.approvals);
	assert_int_equal(cs_case_judge_statement(&s, NULL), CS_E_STATEMENT_MISMATCH);
	for (size_t i = 0; i < 3; i++)
		cs_world_set(s.statement, members[i], "null");
	assert_int_equal(
		cs_statement_shape(s.context.registry, s.statement, CS_SEAL_TLOG, NULL), CS_OK);
	assert_int_equal(cs_case_judge_statement(&s, NULL), CS_OK);
	cs_world_set(s.statement, "outcome", "\"allow\"");
	expect(CS_E_STATEMENT_MISMATCH, &s, "/action_class");
}

static void a_stricter_statement_is_judged_by_its_own_quorum(void **unused)
{
	json_t *core = cs_world_core(world, "config", NULL);
	struct cs_case_statement s = allowed_by(json_incref(core), cs_case_two(world, core));
	(void)unused;

	/* One engineer is what the class asks for; two people is stricter. */
	expect(CS_E_APPROVAL_SLOT, &s, NULL);
	s = allowed_by(json_incref(core), cs_case_two(world, core));
	cs_world_set(s.statement, "oversight", "\"two_person\"");
	assert_int_equal(cs_case_judge_statement(&s, NULL), CS_OK);
	s.context.exact = true;
	expect(CS_E_STATEMENT_MISMATCH, &s, "/oversight");
	s = allowed_by(json_incref(core),
		json_pack("[o]",
			cs_case_decision(world, core, CS_WORLD_ADA, "engineer", "approved", NULL)));
	assert_int_equal(cs_case_judge_statement(&s, NULL), CS_OK);
	cs_world_set(s.statement, "oversight", "\"two_person\"");
	expect(CS_E_APPROVAL_MISSING, &s, NULL);
	/* A higher change class than the documents give is not stricter, it is wrong. */
	s = allowed_by(json_incref(core),
		json_pack("[o]",
			cs_case_decision(world, core, CS_WORLD_ADA, "engineer", "approved", NULL)));
	cs_world_set(s.statement, "change_class", "\"irreversible\"");
	expect(CS_E_STATEMENT_MISMATCH, &s, "/change_class");
	json_decref(core);
}

static void a_stricter_statement_needs_people_where_the_class_needs_none(void **unused)
{
	json_t *core = cs_world_core(world, "restart", NULL);
	struct cs_case_statement s = allowed_by(json_incref(core), NULL);
	(void)unused;

	assert_int_equal(cs_case_judge_statement(&s, NULL), CS_OK);
	cs_world_set(s.statement, "oversight", "\"single_approver\"");
	expect(CS_E_APPROVAL_MISSING, &s, NULL);
	s = allowed_by(json_incref(core),
		json_pack("[o]",
			cs_case_decision(world, core, CS_WORLD_ADA, "engineer", "approved", NULL)));
	assert_int_equal(cs_case_judge_statement(&s, NULL), CS_E_APPROVAL_SLOT);
	cs_world_set(s.statement, "oversight", "\"single_approver\"");
	assert_int_equal(cs_case_judge_statement(&s, NULL), CS_OK);
	cs_world_set(s.statement, "oversight", "\"two_person\"");
	expect(CS_E_APPROVAL_MISSING, &s, NULL);
	s = allowed_by(json_incref(core), cs_case_two(world, core));
	cs_world_set(s.statement, "oversight", "\"two_person\"");
	expect(CS_OK, &s, NULL);
	json_decref(core);
}

static void without_approvals_the_policys_window_is_the_longest(void **unused)
{
	struct cs_case_statement s = allowed_by(cs_world_core(world, "restart", NULL), NULL);
	(void)unused;

	cs_world_set(s.statement, "not_after", "\"2026-11-20T11:00:00Z\"");
	assert_int_equal(cs_case_judge_statement(&s, NULL), CS_OK);
	cs_world_set(s.statement, "not_after", "\"2026-11-20T11:00:01Z\"");
	expect(CS_E_STATEMENT_WINDOW, &s, "/not_after");
}

#define BY_DAY "{\"restriction_id\": \"r-2\", \"summary\": \"by day only\"}"
#define ONE_POD \
	"{\"restriction_id\": \"r-1\", \"summary\": \"one pod first\", \"type\": \"replicas\", " \
	"\"value\": 1}"

static struct cs_case_statement constrained(void)
{
	json_t *core = cs_world_core(world, "rollback", NULL);

	return cs_case_seal(world, core,
		json_pack("[o, o]",
			cs_case_decision(world, core, CS_WORLD_ADA, "engineer", "approved", NULL),
			cs_case_decision(world, core, CS_WORLD_CARL, "change_owner",
				"approved_with_restrictions", "restrictions",
				"[" BY_DAY "," ONE_POD "]", NULL)),
		"allow_with_constraints");
}

/* Changes the constraints and states their new address. */
static void restate(struct cs_case_statement *s, const char *path, const char *value)
{
	char address[CS_ADDRESS_TEXT];

	cs_world_set(s->constraints, path, value);
	assert_int_equal(cs_address_of(s->constraints, address), CS_OK);
	json_object_set_new(s->statement, "constraints", json_string(address));
}

static void restrictions_bind_the_allow(void **unused)
{
	struct cs_case_statement s = constrained();
	json_t *constraints;
	(void)unused;

	assert_int_equal(cs_case_judge_statement(&s, NULL), CS_OK);
	/* The gate may add its own. */
	restate(&s, "restrictions/+", "{\"restriction_id\": \"r-9\", \"summary\": \"ours\"}");
	expect(CS_OK, &s, NULL);

	s = constrained();
	restate(&s, "restrictions/0", NULL);
	expect(CS_E_STATEMENT_MISMATCH, &s, "/constraints");
	s = constrained();
	restate(&s, "restrictions/0/value", "2");
	expect(CS_E_STATEMENT_MISMATCH, &s, "/constraints");
	s = constrained();
	restate(&s, "restrictions/0", "{\"restriction_id\": \"r-9\", \"summary\": \"ours\"}");
	restate(&s, "restrictions/+", ONE_POD);
	expect(CS_E_STATEMENT_MISMATCH, &s, "/constraints");
	s = constrained();
	cs_world_set(s.statement, "constraints", ZERO);
	expect(CS_E_STATEMENT_MISMATCH, &s, "/constraints");
	s = constrained();
	restate(&s, "extra", "1");
	expect(CS_E_DOCUMENT_INVALID, &s, NULL);
	s = constrained();
	cs_world_set(s.statement, "outcome", "\"allow\"");
	expect(CS_E_STATEMENT_MISMATCH, &s, "/outcome");
	/* Left out altogether */
	s = constrained();
	constraints = s.constraints;
	s.constraints = NULL;
	cs_world_set(s.statement, "constraints", "null");
	cs_world_set(s.statement, "outcome", "\"allow\"");
	expect(CS_E_STATEMENT_MISMATCH, &s, "/constraints");
	json_decref(constraints);
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
		cmocka_unit_test(two_approvals_bear_an_allow_out),
		cmocka_unit_test(a_statement_that_says_otherwise_is_refused),
		cmocka_unit_test(evidence_is_complete_and_nothing_else),
		cmocka_unit_test(the_quorum_is_filled_again),
		cmocka_unit_test(who_asked_is_the_agents_principal),
		cmocka_unit_test(a_suspended_actor_gets_nothing_signed),
		cmocka_unit_test(the_policy_is_the_one_it_was_configured_for),
		cmocka_unit_test(levels_that_allow_nothing_allow_nothing),
		cmocka_unit_test(a_capability_without_a_class_is_only_refused),
		cmocka_unit_test(a_stricter_statement_is_judged_by_its_own_quorum),
		cmocka_unit_test(a_stricter_statement_needs_people_where_the_class_needs_none),
		cmocka_unit_test(without_approvals_the_policys_window_is_the_longest),
		cmocka_unit_test(restrictions_bind_the_allow),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
