/* Statements that allow nothing: refusals, single decisions, versions in force. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fixture/judge_case.h"

#include <sodium.h>
#include <string.h>

/* ---- refusals ---- */

static void refusals_need_the_core_and_what_was_decided(void **unused)
{
	static const char *const outcomes[] = {"deny", "quarantine", "require_human_review"};
	json_t *core = cs_world_core(world, "rollback", NULL);
	struct cs_case_statement s;
	(void)unused;

	for (size_t i = 0; i < 3; i++) {
		s = cs_case_seal(world, json_incref(core), NULL, outcomes[i]);
		expect(CS_OK, &s, NULL);
	}
	s = cs_case_seal(world, json_incref(core),
		json_pack("[o, o]",
			cs_case_decision(world, core, CS_WORLD_ADA, "engineer", "approved", NULL),
			cs_case_decision(
				world, core, CS_WORLD_CARL, "change_owner", "rejected", NULL)),
		"deny");
	assert_int_equal(cs_case_judge_statement(&s, NULL), CS_OK);
	/* Long after: the windows have passed, the record stands. */
	s.context.at = CS_WORLD_NOW + INT64_C(86400000);
	assert_int_equal(cs_case_judge_statement(&s, NULL), CS_OK);
	cs_world_set(s.statement, "oversight", "\"none\"");
	expect(CS_E_STATEMENT_LAX, &s, "/oversight");
	s = cs_case_seal(world, json_incref(core), cs_case_two(world, core), "deny");
	cs_world_set(s.approvals, "0/rationale", "\"another\"");
	expect(CS_E_STATEMENT_MISMATCH, &s, "/approvals");
	s = cs_case_seal(world,
		cs_world_core(
			world, "rollback", "nonce", "\"ffffffffffffffffffffffffffffffff\"", NULL),
		cs_case_two(world, core), "deny");
	expect(CS_E_APPROVAL_ACTION, &s, "/binding/action");
	/* A refusal may be for a policy that has gone. */
	s = cs_case_seal(
		world, cs_world_core(world, "rollback", "policy", ZERO, NULL), NULL, "deny");
	expect(CS_OK, &s, NULL);
	json_decref(core);
}

/* ---- approvals ---- */

static struct cs_case_statement approval(const char *value, const char *path, const char *change)
{
	json_t *core = cs_world_core(world, "rollback", NULL);
	json_t *decision =
		cs_case_decision(world, core, CS_WORLD_ADA, "engineer", value, path, change, NULL);
	struct cs_case_statement s = cs_case_seal(world, core, json_pack("[o]", decision), "deny");
	char address[CS_ADDRESS_TEXT];

	assert_int_equal(cs_address_of(decision, address), CS_OK);
	cs_case_compose(&s, "approval", value, address);
	return s;
}

static void each_decision_is_sealed_as_what_it_is(void **unused)
{
	static const char *const values[] = {"approved", "approved_with_restrictions", "rejected",
		"requires_more_information", "escalated"};
	struct cs_case_statement s;
	(void)unused;

	for (size_t i = 0; i < 5; i++) {
		s = approval(values[i], "rationale", "\"\"");
		assert_int_equal(
			cs_statement_shape(s.context.registry, s.statement, CS_SEAL_TLOG, NULL),
			CS_OK);
		expect(CS_OK, &s, NULL);
	}
	s = approval("rejected", "rationale", "\"\"");
	cs_world_set(s.statement, "outcome", "\"approved\"");
	expect(CS_E_STATEMENT_MISMATCH, &s, "/outcome");
	s = approval("approved", "rationale", "\"\"");
	cs_world_set(s.statement, "subject", ZERO);
	expect(CS_E_STATEMENT_MISMATCH, &s, "/subject");
	s = approval("approved", "rationale", "\"\"");
	json_array_append(s.approvals, json_array_get(s.approvals, 0));
	expect(CS_E_STATEMENT_EVIDENCE, &s, "/approvals");
	s = approval("approved", "rationale", "\"\"");
	json_array_clear(s.approvals);
	expect(CS_E_STATEMENT_EVIDENCE, &s, "/approvals");
	s = approval("approved", "binding/policy", ZERO);
	expect(CS_E_APPROVAL_POLICY, &s, "/binding/policy");
	s = approval("approved", "rationale", "\"\"");
	s.context.at = CS_WORLD_NOW + 3600000;
	expect(CS_E_APPROVAL_EXPIRED, &s, NULL);
	s = approval("rejected", "rationale", "\"\"");
	s.context.at = CS_WORLD_NOW + 3600000;
	expect(CS_OK, &s, NULL);
	s = approval("rejected", "binding/action", ZERO);
	expect(CS_E_APPROVAL_ACTION, &s, "/binding/action");
}

/* ---- versions ---- */

static struct cs_case_statement version(const char *kind, const char *subject)
{
	struct cs_case_statement s = allowed();
	struct cs_statement_input input = {.kind = kind,
		.subject = subject,
		.policy = cs_policy_address(s.context.policy),
		.trust_set = s.context.trust_set,
		.origin = CS_WORLD_ORIGIN,
		.issued_at = CS_WORLD_NOW,
		.not_after = CS_TIME_MAX};

	json_decref(s.core);
	json_decref(s.approvals);
	json_decref(s.statement);
	s.core = s.approvals = NULL;
	assert_int_equal(cs_statement_compose(&input, &s.statement), CS_OK);
	return s;
}

static void the_versions_in_force_are_sealed(void **unused)
{
	const char *trust_set = cs_trust_address(cs_world_trust(world));
	const char *policy = cs_policy_address(cs_world_policy(world));
	struct cs_case_statement s = version("trust_set", trust_set);
	(void)unused;

	expect(CS_OK, &s, NULL);
	s = version("policy", policy);
	expect(CS_OK, &s, NULL);
	s = version("trust_set", policy);
	expect(CS_E_STATEMENT_TRUST_SET, &s, "/subject");
	s = version("policy", trust_set);
	expect(CS_E_STATEMENT_POLICY, &s, "/subject");
	s = version("trust_set", trust_set);
	s.core = cs_world_core(world, "rollback", NULL);
	expect(CS_E_STATEMENT_EVIDENCE, &s, "/action");
	s = version("policy", policy);
	s.approvals = json_pack("[{}]");
	expect(CS_E_STATEMENT_EVIDENCE, &s, "/approvals");
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
		cmocka_unit_test(refusals_need_the_core_and_what_was_decided),
		cmocka_unit_test(each_decision_is_sealed_as_what_it_is),
		cmocka_unit_test(the_versions_in_force_are_sealed),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
