/* The gate with documents of any shape, and without memory. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/schema.h"
#include "tests/fixture/case.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static struct cs_world *world;

/* ---- documents of any shape: the gate says no, and the record holds ---- */

/* What stands in for each member in turn. */
static json_t *stand_in(size_t which)
{
	switch (which) {
	case 0:
		return json_null();
	case 1:
		return json_object();
	case 2:
		return json_array();
	case 3:
		return json_string("");
	case 4:
		return json_integer(-1);
	default:
		return json_pack("[{s[{}]}, n, s]", "x", "y");
	}
}
#define STAND_INS 6

static struct cs_gate_input input;
static size_t runs;

static void run_once(void)
{
	struct cs_fault fault = {{0}};
	json_t *decision = NULL;
	enum cs_err err;

	assert_int_equal(cs_gate_run(&input, &decision), CS_OK);
	err = cs_schema_check(
		cs_world_registry(world), "countersign.decision.v1", decision, &fault);
	if (err != CS_OK)
		print_error("%s: %s\n", fault.path, fault.detail);
	assert_int_equal(err, CS_OK);
	json_decref(decision);
	runs++;
}

/* Every member and element of `doc`, one at a time. */
static void vary(json_t *doc)
{
	const char *key;
	void *next;
	json_t *value;
	size_t i;

	json_object_foreach_safe(doc, next, key, value)
	{
		json_t *saved = json_incref(value);

		for (size_t which = 0; which < STAND_INS; which++) {
			json_object_set_new(doc, key, stand_in(which));
			run_once();
		}
		json_object_set_new(doc, key, saved);
		vary(saved);
	}
	json_array_foreach(doc, i, value)
	{
		json_t *saved = json_incref(value);

		for (size_t which = 0; which < STAND_INS; which++) {
			json_array_set_new(doc, i, stand_in(which));
			run_once();
		}
		json_array_set_new(doc, i, saved);
		vary(saved);
	}
}

static void documents_of_any_shape_give_a_record(void **unused)
{
	json_t *core = cs_world_core(world, "rollback", NULL);
	json_t *approvals = cs_case_two(world, core);
	json_t *state = cs_case_state(world, core, approvals, NULL);
	(void)unused;

	input = (struct cs_gate_input){.core = core,
		.policy = cs_world_policy(world),
		.state = state,
		.decision_id = CS_CASE_DECISION_ID,
		.final = true,
		.now = CS_WORLD_NOW};
	runs = 0;
	vary(state);
	vary(core);
	assert_true(runs > 1000);
	json_decref(state);
	json_decref(approvals);
	json_decref(core);
}

/* ---- memory that runs out: the n-th allocation fails, for every n ---- */

static size_t allocations_left = SIZE_MAX;

static void *failing_malloc(size_t size)
{
	if (allocations_left == 0)
		return NULL;
	if (allocations_left != SIZE_MAX)
		allocations_left--;
	return malloc(size);
}

typedef enum cs_err (*attempt)(void);

static json_t *the_core, *the_state, *the_basis, *the_brief, *the_approvals;
static struct cs_case_judge the_judge;

static enum cs_err run_gate(void)
{
	struct cs_gate_input in = {.core = the_core,
		.policy = cs_world_policy(world),
		.state = the_state,
		.decision_id = CS_CASE_DECISION_ID,
		.now = CS_WORLD_NOW};
	json_t *decision = NULL;
	enum cs_err err = cs_gate_run(&in, &decision);

	json_decref(decision);
	return err;
}

static enum cs_err compose_brief(void)
{
	json_t *brief = NULL;
	enum cs_err err = cs_brief_compose(
		the_core, the_basis, cs_world_policy(world), CS_WORLD_ENGINE, &brief, NULL);

	json_decref(brief);
	return err;
}

static enum cs_err check_brief(void)
{
	return cs_brief_check(the_core, the_basis, cs_world_policy(world), the_brief, NULL);
}

static enum cs_err compose_snapshot(void)
{
	json_t *snapshot = NULL;
	enum cs_err err = cs_snapshot_compose(
		the_basis, the_brief, NULL, NULL, CS_WORLD_ADA, CS_WORLD_NOW, &snapshot);

	json_decref(snapshot);
	return err;
}

static enum cs_err compose_state(void)
{
	struct cs_state_input in = {.trust = cs_world_trust(world),
		.policy = cs_policy_address(cs_world_policy(world)),
		.audience = CS_WORLD_ORIGIN,
		.core = the_core,
		.now = CS_WORLD_NOW};
	json_t *state = NULL;
	enum cs_err err = cs_state_compose(&in, &state);

	json_decref(state);
	return err;
}

static enum cs_err match_state(void)
{
	return cs_state_matches_trust(the_state, cs_world_trust(world), NULL);
}

static enum cs_err compose_constraints(void)
{
	json_t *constraints = NULL;
	enum cs_err err = cs_constraints_compose(the_approvals, &constraints);

	json_decref(constraints);
	return err;
}

static enum cs_err compose_statement(void)
{
	struct cs_statement_input in = {.kind = "decision",
		.subject = the_judge.action,
		.mode = "enforce",
		.outcome = "allow",
		.action = the_judge.action,
		.oversight = &the_judge.oversight,
		.policy = the_judge.action,
		.trust_set = the_judge.action,
		.approvals = the_approvals,
		.origin = CS_WORLD_ORIGIN,
		.issued_at = CS_WORLD_NOW,
		.not_after = CS_WORLD_NOW + 1000};
	json_t *statement = NULL;
	enum cs_err err = cs_statement_compose(&in, &statement);

	json_decref(statement);
	return err;
}

static enum cs_err give_admissibility(void)
{
	struct cs_gate_input in = {.core = the_core,
		.policy = cs_world_policy(world),
		.state = the_state,
		.decision_id = CS_CASE_DECISION_ID,
		.now = CS_WORLD_NOW};
	json_t *purpose = NULL, *decision = NULL;
	enum cs_err err = cs_purpose_admissibility(&in, CS_WORLD_APPLIANCE, &purpose);

	if (err == CS_OK)
		err = cs_admissibility_decision(the_core, cs_json_at(the_basis, "gate"),
			"kye:admissibility-decision:1", &decision);
	json_decref(purpose);
	json_decref(decision);
	return err;
}

static void memory_that_runs_out_is_said_to(void **unused)
{
	static const attempt attempts[] = {run_gate, compose_brief, check_brief, compose_snapshot,
		compose_state, match_state, compose_constraints, compose_statement,
		give_admissibility};
	(void)unused;

	the_core = cs_world_core(world, "rollback", NULL);
	the_basis = cs_case_basis(world, the_core, CS_WORLD_ADA, "engineer");
	the_brief = cs_case_brief(world, the_core, the_basis);
	the_approvals = json_pack("[o, o]",
		cs_case_decision(world, the_core, CS_WORLD_ADA, "engineer", "approved", NULL),
		cs_case_decision(world, the_core, CS_WORLD_CARL, "change_owner",
			"approved_with_restrictions", NULL));
	the_state = cs_case_state(world, the_core, the_approvals, NULL);
	cs_case_judge(world, the_core, &the_judge);
	json_set_alloc_funcs(failing_malloc, free);
	for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
		size_t n = 0;
		enum cs_err err;

		do {
			allocations_left = n++;
			err = attempts[i]();
			allocations_left = SIZE_MAX;
			if (err != CS_OK && err != CS_E_NOMEM)
				print_error("attempt %zu, allocation %zu: %s\n", i, n,
					cs_err_name(err));
			assert_true(err == CS_OK || err == CS_E_NOMEM);
		} while (err != CS_OK);
		assert_true(n > 2);
	}
	json_set_alloc_funcs(malloc, free);
	json_decref(the_state);
	json_decref(the_approvals);
	json_decref(the_brief);
	json_decref(the_basis);
	json_decref(the_core);
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
		cmocka_unit_test(documents_of_any_shape_give_a_record),
		cmocka_unit_test(memory_that_runs_out_is_said_to),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
