/* Sets of approvals: who fills which slot, and which sets do not count. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/jose.h"
#include "core/keyring_build.h"
#include "core/schema.h"
#include "tests/fixture/case.h"

#include <sodium.h>
#include <string.h>

static struct cs_world *world;
static json_t *core;
static struct cs_case_judge judge;

static json_t *by(const char *person, const char *role)
{
	return cs_case_decision(world, core, person, role, "approved", NULL);
}

/* Judges and frees the decisions. */
static void expect(enum cs_err expected, json_t *decisions)
{
	struct cs_fault fault = {{0}};
	enum cs_err err = cs_quorum_check(&judge.context, decisions, &fault);

	if (err != expected)
		print_error("%s at %s: %s\n", cs_err_name(err), fault.path, fault.detail);
	assert_int_equal(err, expected);
	json_decref(decisions);
}

static void an_engineer_and_a_change_owner_fill_it(void **unused)
{
	(void)unused;

	expect(CS_OK, json_pack("[o, o]", by(CS_WORLD_ADA, "engineer"),
			      by(CS_WORLD_CARL, "change_owner")));
	expect(CS_OK, json_pack("[o, o]", by(CS_WORLD_CARL, "change_owner"),
			      by(CS_WORLD_ADA, "engineer")));
	expect(CS_OK, json_pack("[o, o]", by(CS_WORLD_PAUL, "engineer"),
			      by(CS_WORLD_CARL, "change_owner")));
}

static void fewer_or_others_do_not(void **unused)
{
	(void)unused;

	expect(CS_E_APPROVAL_MISSING, json_array());
	expect(CS_E_APPROVAL_MISSING, NULL);
	expect(CS_E_APPROVAL_MISSING, json_pack("[o]", by(CS_WORLD_ADA, "engineer")));
	expect(CS_E_APPROVAL_MISSING, json_pack("[o]", by(CS_WORLD_CARL, "change_owner")));
	/* Two engineers and no change owner */
	expect(CS_E_APPROVAL_SLOT,
		json_pack("[o, o]", by(CS_WORLD_ADA, "engineer"), by(CS_WORLD_EVE, "engineer")));
	/* One that nobody asked for */
	expect(CS_E_APPROVAL_SLOT,
		json_pack("[o, o, o]", by(CS_WORLD_ADA, "engineer"),
			by(CS_WORLD_CARL, "change_owner"), by(CS_WORLD_EVE, "engineer")));
	expect(CS_E_APPROVAL_SLOT,
		json_pack("[o, o, o]", by(CS_WORLD_ADA, "engineer"),
			by(CS_WORLD_CARL, "change_owner"), by(CS_WORLD_LENA, "sre_lead")));
	expect(CS_E_APPROVAL_REQUESTER, json_pack("[o, o]", by(CS_WORLD_ADA, "engineer"),
						by(CS_WORLD_PAUL, "change_owner")));
	expect(CS_E_APPROVAL_SCOPE, json_pack("[o, o]", by(CS_WORLD_ADA, "engineer"),
					    by(CS_WORLD_DORA, "change_owner")));
}

static void one_that_is_no_approval_fills_nothing(void **unused)
{
	static const char *const values[] = {"rejected", "requires_more_information", "escalated"};
	(void)unused;

	for (size_t i = 0; i < 3; i++)
		expect(CS_E_APPROVAL_REJECTED, json_pack("[o, o]", by(CS_WORLD_ADA, "engineer"),
						       cs_case_decision(world, core, CS_WORLD_CARL,
							       "change_owner", values[i], NULL)));
}

static void one_refused_by_itself_refuses_all(void **unused)
{
	(void)unused;

	expect(CS_E_APPROVAL_EXPIRED,
		json_pack("[o, o]", by(CS_WORLD_ADA, "engineer"),
			cs_case_decision(world, core, CS_WORLD_CARL, "change_owner", "approved",
				"binding/not_after", "\"2026-11-20T10:00:00Z\"", NULL)));
	expect(CS_E_APPROVAL_ACTION, json_pack("[o, o]", by(CS_WORLD_ADA, "engineer"),
					     cs_case_decision(world, core, CS_WORLD_CARL,
						     "change_owner", "approved", "binding/action",
						     "\"sha256:"
						     "000000000000000000000000000000000000000000000"
						     "0000000000000000000\"",
						     NULL)));
}

static void the_same_approval_twice_is_one(void **unused)
{
	json_t *decision = by(CS_WORLD_ADA, "engineer");
	(void)unused;

	expect(CS_E_APPROVAL_DUPLICATE, json_pack("[O, O]", decision, decision));
	json_decref(decision);
}

/* Two documents of one person, for one role or for two. */
static void one_person_is_one(void **unused)
{
	json_t *request =
		cs_world_core(world, "rollback", "requester", "\"" CS_WORLD_ADA "\"", NULL);
	json_t *saved = core;
	(void)unused;

	expect(CS_E_APPROVAL_SAME_PERSON,
		json_pack("[o, o]", by(CS_WORLD_ADA, "engineer"),
			cs_case_decision(world, core, CS_WORLD_ADA, "engineer", "approved",
				"rationale", "\"again\"", NULL)));
	/* Paul holds both roles; here somebody else asked. */
	core = request;
	cs_case_judge(world, core, &judge);
	expect(CS_OK, json_pack("[o, o]", by(CS_WORLD_ADA, "engineer"),
			      by(CS_WORLD_PAUL, "change_owner")));
	expect(CS_E_APPROVAL_SAME_PERSON, json_pack("[o, o]", by(CS_WORLD_PAUL, "engineer"),
						  by(CS_WORLD_PAUL, "change_owner")));
	core = saved;
	cs_case_judge(world, core, &judge);
	json_decref(request);
}

/*
 * A ring that gives Carl's kid Ada's key: nobody loads such a one, and the quorum does not rely on
 * that.
 */
static void one_key_is_one(void **unused)
{
	json_t *jwks = cs_world_jwks(world);
	json_t *decisions = cs_case_two(world, core);
	struct cs_signer borrowed = *cs_world_person(world, CS_WORLD_ADA);
	const struct cs_keyring *saved = judge.context.ring;
	struct cs_keyring *ring = NULL;
	(void)unused;

	borrowed.kid = cs_world_person(world, CS_WORLD_CARL)->kid;
	assert_int_equal(cs_keyring_from_jwks(cs_world_registry(world), jwks, &ring, NULL), CS_OK);
	cs_keyring_edit(ring, borrowed.kid)->key = borrowed.key;
	assert_int_equal(cs_inline_sign(json_array_get(decisions, 1), &borrowed, false), CS_OK);
	judge.context.ring = ring;
	expect(CS_E_APPROVAL_SAME_KEY, decisions);
	judge.context.ring = saved;
	cs_keyring_free(ring);
	json_decref(jwks);
}

/* Two people, two keys, but the keys are on one token. */
static void one_token_is_one(void **unused)
{
	struct cs_world *shared = cs_world_new(CS_WORLD_SHARED_TOKEN);
	json_t *shared_core = cs_world_core(shared, "rollback", NULL);
	json_t *decisions = cs_case_two(shared, shared_core);
	struct cs_case_judge shared_judge;
	(void)unused;

	cs_case_judge(shared, shared_core, &shared_judge);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(cs_approval_check(&shared_judge.context,
					 json_array_get(decisions, i), NULL, NULL),
			CS_OK);
	assert_int_equal(
		cs_quorum_check(&shared_judge.context, decisions, NULL), CS_E_APPROVAL_SAME_TOKEN);
	json_decref(decisions);
	json_decref(shared_core);
	cs_world_free(shared);
}

/*
 * Whoever made it, an oversight that asks for two people and has no slots for them lets nobody
 * through.
 */
static void slots_that_are_too_few_are_refused(void **unused)
{
	const struct cs_oversight saved = judge.oversight;
	(void)unused;

	judge.oversight.slot_count = 1;
	expect(CS_E_POLICY_QUORUM, json_pack("[o]", by(CS_WORLD_ADA, "engineer")));
	judge.oversight.slot_count = 0;
	expect(CS_E_POLICY_QUORUM, json_array());
	judge.oversight = saved;
	judge.oversight.slots[1] = "engineer";
	expect(CS_E_POLICY_QUORUM,
		json_pack("[o, o]", by(CS_WORLD_ADA, "engineer"), by(CS_WORLD_EVE, "engineer")));
	judge.oversight.kind = CS_OVERSIGHT_SINGLE;
	judge.oversight.slot_count = 0;
	expect(CS_E_POLICY_QUORUM, json_array());
	judge.oversight.kind = CS_OVERSIGHT_NONE;
	expect(CS_OK, json_array());
	expect(CS_E_APPROVAL_SLOT, json_pack("[o]", by(CS_WORLD_ADA, "engineer")));
	judge.oversight = saved;
}

static void a_role_listed_twice_takes_two(void **unused)
{
	const struct cs_oversight saved = judge.oversight;
	(void)unused;

	judge.oversight.slots[2] = "engineer";
	judge.oversight.slot_count = 3;
	expect(CS_E_APPROVAL_MISSING, json_pack("[o, o]", by(CS_WORLD_ADA, "engineer"),
					      by(CS_WORLD_CARL, "change_owner")));
	expect(CS_OK, json_pack("[o, o, o]", by(CS_WORLD_ADA, "engineer"),
			      by(CS_WORLD_CARL, "change_owner"), by(CS_WORLD_EVE, "engineer")));
	judge.oversight = saved;
}

static void too_many_are_not_looked_at(void **unused)
{
	json_t *many = json_array();
	(void)unused;

	for (size_t i = 0; i <= CS_APPROVALS_MAX; i++)
		json_array_append_new(many, json_object());
	expect(CS_E_TOO_LARGE, many);
}

static void one_approver_is_enough_where_the_class_says_so(void **unused)
{
	json_t *config = cs_world_core(world, "config", NULL);
	json_t *saved = core;
	(void)unused;

	core = config;
	cs_case_judge(world, core, &judge);
	assert_int_equal(judge.oversight.kind, CS_OVERSIGHT_SINGLE);
	expect(CS_OK, json_pack("[o]", by(CS_WORLD_ADA, "engineer")));
	expect(CS_E_APPROVAL_MISSING, json_array());
	expect(CS_E_APPROVAL_SLOT, json_pack("[o, o]", by(CS_WORLD_ADA, "engineer"),
					   by(CS_WORLD_CARL, "change_owner")));
	core = saved;
	cs_case_judge(world, core, &judge);
	json_decref(config);
}

/* ---- constraints ---- */

#define BY_DAY "{\"restriction_id\": \"r-2\", \"summary\": \"by day only\"}"
#define ONE_POD \
	"{\"restriction_id\": \"r-1\", \"summary\": \"one pod first\", \"type\": \"replicas\", " \
	"\"value\": 1}"
#define TICKET \
	"{\"restriction_id\": \"r-3\", \"summary\": \"post-mortem\", \"type\": \"follow_up_by\", " \
	"\"value\": \"2026-12-01T00:00:00Z\"}"

static json_t *restricted(const char *person, const char *role, const char *restrictions)
{
	return cs_case_decision(world, core, person, role, "approved_with_restrictions",
		"restrictions", restrictions, NULL);
}

static void constraints_are_the_sorted_union(void **unused)
{
	json_t *decisions =
		json_pack("[o, o]", restricted(CS_WORLD_ADA, "engineer", "[" TICKET "," BY_DAY "]"),
			restricted(CS_WORLD_CARL, "change_owner", "[" BY_DAY "," ONE_POD "]"));
	json_t *reversed =
		json_pack("[O, O]", json_array_get(decisions, 1), json_array_get(decisions, 0));
	json_t *expected = cs_world_json("[" ONE_POD "," BY_DAY "," TICKET "]");
	json_t *constraints = NULL, *again = NULL;
	(void)unused;

	assert_int_equal(cs_constraints_compose(decisions, &constraints), CS_OK);
	assert_int_equal(cs_constraints_compose(reversed, &again), CS_OK);
	assert_int_equal(cs_schema_check(cs_world_registry(world), "countersign.constraints.v1",
				 constraints, NULL),
		CS_OK);
	assert_true(cs_json_same(constraints, again));
	assert_true(json_equal(json_object_get(constraints, "restrictions"), expected));
	json_decref(again);
	json_decref(constraints);
	json_decref(expected);
	json_decref(reversed);
	json_decref(decisions);
}

static void without_restrictions_there_are_none(void **unused)
{
	json_t *decisions = cs_case_two(world, core);
	json_t *constraints = json_null();
	(void)unused;

	assert_int_equal(cs_constraints_compose(decisions, &constraints), CS_OK);
	assert_null(constraints);
	constraints = json_null();
	assert_int_equal(cs_constraints_compose(NULL, &constraints), CS_OK);
	assert_null(constraints);
	assert_int_equal(cs_constraints_cover(NULL, decisions, NULL), CS_OK);
	json_decref(decisions);
}

static void every_restriction_must_be_covered(void **unused)
{
	json_t *decisions = json_pack("[o, o]", by(CS_WORLD_ADA, "engineer"),
		restricted(CS_WORLD_CARL, "change_owner", "[" BY_DAY "," ONE_POD "]"));
	json_t *constraints = NULL;
	struct cs_fault fault = {{0}};
	(void)unused;

	assert_int_equal(cs_constraints_compose(decisions, &constraints), CS_OK);
	assert_int_equal(cs_constraints_cover(constraints, decisions, &fault), CS_OK);
	assert_int_equal(cs_constraints_cover(NULL, decisions, &fault), CS_E_STATEMENT_MISMATCH);
	/* More than the approvers asked for is the gate's own. */
	json_array_append_new(json_object_get(constraints, "restrictions"), cs_world_json(TICKET));
	assert_int_equal(cs_constraints_cover(constraints, decisions, &fault), CS_OK);
	cs_world_set(constraints, "restrictions/0/value", "2");
	assert_int_equal(
		cs_constraints_cover(constraints, decisions, &fault), CS_E_STATEMENT_MISMATCH);
	assert_string_equal(fault.path, "/constraints");
	json_decref(constraints);
	json_decref(decisions);
}

static void the_earliest_window_counts(void **unused)
{
	json_t *decisions = json_pack("[o, o]", by(CS_WORLD_ADA, "engineer"),
		cs_case_decision(world, core, CS_WORLD_CARL, "change_owner", "approved",
			"binding/not_after", "\"2026-11-20T10:30:00Z\"", NULL));
	(void)unused;

	assert_int_equal(cs_approvals_not_after(decisions), CS_WORLD_NOW + 30 * 60000);
	assert_int_equal(cs_approvals_not_after(NULL), CS_TIME_MAX);
	json_object_del(json_object_get(json_array_get(decisions, 0), "binding"), "not_after");
	assert_int_equal(cs_approvals_not_after(decisions), 0);
	json_decref(decisions);
}

static int set_up(void **unused)
{
	(void)unused;
	world = cs_world_new(0);
	core = cs_world_core(world, "rollback", NULL);
	cs_case_judge(world, core, &judge);
	return 0;
}

static int tear_down(void **unused)
{
	(void)unused;
	json_decref(core);
	cs_world_free(world);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_engineer_and_a_change_owner_fill_it),
		cmocka_unit_test(fewer_or_others_do_not),
		cmocka_unit_test(one_that_is_no_approval_fills_nothing),
		cmocka_unit_test(one_refused_by_itself_refuses_all),
		cmocka_unit_test(the_same_approval_twice_is_one),
		cmocka_unit_test(one_person_is_one),
		cmocka_unit_test(one_key_is_one),
		cmocka_unit_test(one_token_is_one),
		cmocka_unit_test(slots_that_are_too_few_are_refused),
		cmocka_unit_test(a_role_listed_twice_takes_two),
		cmocka_unit_test(too_many_are_not_looked_at),
		cmocka_unit_test(one_approver_is_enough_where_the_class_says_so),
		cmocka_unit_test(constraints_are_the_sorted_union),
		cmocka_unit_test(without_restrictions_there_are_none),
		cmocka_unit_test(every_restriction_must_be_covered),
		cmocka_unit_test(the_earliest_window_counts),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
