/*
 * Who must sign: level, kind and slots for every class, and what can only make it stricter.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/oversight.h"
#include "tests/fixture/world.h"

#include <sodium.h>
#include <string.h>

#define CLAIM "proposed_action/action_declaration/reversibility"
#define CAPABILITY "proposed_action/requested_capability"

static int setup(void **state)
{
	*state = cs_world_new(0);
	return 0;
}

static int teardown(void **state)
{
	cs_world_free(*state);
	return 0;
}

struct expected {
	const char *class_id;
	enum cs_change_class change_class;
	enum cs_oversight_kind kind;
	int level;
	const char *slots[CS_SLOTS_MAX + 1];
};

static void expect(struct cs_world *world, const json_t *core, const struct expected *expected)
{
	struct cs_oversight oversight;
	struct cs_fault fault = {0};
	size_t count = 0;

	assert_int_equal(
		cs_oversight(core, cs_world_policy(world), NULL, CS_WORLD_NOW, &oversight, &fault),
		CS_OK);
	assert_string_equal(oversight.action_class_id, expected->class_id);
	assert_string_equal(cs_json_text(oversight.action_class, "id"), expected->class_id);
	assert_int_equal(oversight.change_class, expected->change_class);
	assert_int_equal(oversight.kind, expected->kind);
	assert_int_equal(oversight.level, expected->level);
	while (expected->slots[count] != NULL)
		count++;
	assert_int_equal(oversight.slot_count, count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(oversight.slots[i], expected->slots[i]);
	assert_false(oversight.attested);
}

static void kinds_have_names(void **state)
{
	enum cs_oversight_kind kind = CS_OVERSIGHT_NONE;

	(void)state;
	for (unsigned i = 0; i <= CS_OVERSIGHT_TWO_PERSON; i++) {
		assert_int_equal(
			cs_oversight_by_name(cs_oversight_name((enum cs_oversight_kind)i), &kind),
			CS_OK);
		assert_int_equal(kind, i);
	}
	assert_string_equal(cs_oversight_name(CS_OVERSIGHT_SINGLE), "single_approver");
	assert_int_equal(cs_oversight_by_name("two_persons", &kind), CS_E_NOT_FOUND);
	assert_int_equal(cs_oversight_by_name(NULL, &kind), CS_E_NOT_FOUND);
}

static void each_class_as_the_policy_says(void **state)
{
	static const struct {
		const char *request;
		struct expected expected;
	} cases[] = {
		{"rollback", {"rollback-production-service", CS_CHANGE_IRREVERSIBLE,
				     CS_OVERSIGHT_TWO_PERSON, 2, {"engineer", "change_owner"}}},
		{"restart", {"restart-stateless-service", CS_CHANGE_REVERSIBLE, CS_OVERSIGHT_NONE,
				    4, {NULL}}},
		{"config", {"deploy-config", CS_CHANGE_COMPENSATABLE, CS_OVERSIGHT_SINGLE, 2,
				   {"engineer"}}},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CS_CLEANUP_JSON json_t *core = cs_world_core(*state, cases[i].request, NULL);
		CS_CLEANUP_JSON json_t *request = cs_world_request(*state, cases[i].request, NULL);
		expect(*state, core, &cases[i].expected);
		expect(*state, request, &cases[i].expected);
	}
}

static void a_claim_raises_and_never_lowers(void **state)
{
	static const struct {
		const char *request, *claim;
		struct expected expected;
	} cases[] = {
		{"rollback", "\"reversible\"",
			{"rollback-production-service", CS_CHANGE_IRREVERSIBLE,
				CS_OVERSIGHT_TWO_PERSON, 2, {"engineer", "change_owner"}}},
		{"rollback", NULL,
			{"rollback-production-service", CS_CHANGE_IRREVERSIBLE,
				CS_OVERSIGHT_TWO_PERSON, 2, {"engineer", "change_owner"}}},
		{"restart", "\"compensatable\"",
			{"restart-stateless-service", CS_CHANGE_COMPENSATABLE, CS_OVERSIGHT_NONE, 4,
				{NULL}}},
		{"restart", "\"irreversible\"",
			{"restart-stateless-service", CS_CHANGE_IRREVERSIBLE,
				CS_OVERSIGHT_TWO_PERSON, 2, {"engineer", "change_owner"}}},
		{"restart", NULL,
			{"restart-stateless-service", CS_CHANGE_REVERSIBLE, CS_OVERSIGHT_NONE, 4,
				{NULL}}},
		{"restart", "\"harmless\"",
			{"restart-stateless-service", CS_CHANGE_IRREVERSIBLE,
				CS_OVERSIGHT_TWO_PERSON, 2, {"engineer", "change_owner"}}},
		{"restart", "7",
			{"restart-stateless-service", CS_CHANGE_IRREVERSIBLE,
				CS_OVERSIGHT_TWO_PERSON, 2, {"engineer", "change_owner"}}},
		{"config", "\"reversible\"",
			{"deploy-config", CS_CHANGE_COMPENSATABLE, CS_OVERSIGHT_SINGLE, 2,
				{"engineer"}}},
		{"config", "\"irreversible\"",
			{"deploy-config", CS_CHANGE_IRREVERSIBLE, CS_OVERSIGHT_TWO_PERSON, 2,
				{"engineer", "change_owner"}}},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CS_CLEANUP_JSON json_t *core =
			cs_world_core(*state, cases[i].request, CLAIM, cases[i].claim, NULL);
		expect(*state, core, &cases[i].expected);
	}
}

static void another_command_takes_two_people(void **state)
{
	static const struct expected two = {"restart-stateless-service", CS_CHANGE_IRREVERSIBLE,
		CS_OVERSIGHT_TWO_PERSON, 2, {"engineer", "change_owner"}};
	static const struct {
		const char *path, *value;
	} cases[] = {
		{"execution/executable", "\"/bin/sh\""},
		{"execution/executable", "\"/usr/bin/helm\""},
		{"execution/arguments/+", "\"--all\""},
		{"execution/arguments", "[]"},
		{"execution", NULL},
		{"execution", "null"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CS_CLEANUP_JSON json_t *core =
			cs_world_core(*state, "restart", cases[i].path, cases[i].value, NULL);
		expect(*state, core, &two);
	}
}

/* What runs in which class does not decide who is asked; the capability does. */
/* What undoes the change will be run by somebody too. */
static void the_rollback_is_a_command_like_the_other(void **state)
{
	static const struct expected alone = {
		"restart-stateless-service", CS_CHANGE_REVERSIBLE, CS_OVERSIGHT_NONE, 4, {NULL}};
	static const struct expected two = {"restart-stateless-service", CS_CHANGE_IRREVERSIBLE,
		CS_OVERSIGHT_TWO_PERSON, 2, {"engineer", "change_owner"}};
	static const struct {
		const char *path, *value;
	} wrong[] = {
		{"rollback/executable", "\"/bin/sh\""},
		{"rollback/arguments/5", "\"delete\""},
		{"rollback/arguments/+", "\"--all\""},
		{"rollback/environment_variables/LD_PRELOAD", "\"/tmp/x.so\""},
	};

	CS_CLEANUP_JSON json_t *plain = cs_world_core(*state, "restart", NULL);
	expect(*state, plain, &alone);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		CS_CLEANUP_JSON json_t *core =
			cs_world_core(*state, "restart", wrong[i].path, wrong[i].value, NULL);
		expect(*state, core, &two);
	}
}

/* Grants and roles are judged on the target; a command about something else is not the class's command. */
static void the_command_is_about_its_target(void **state)
{
	static const struct expected two = {"restart-stateless-service", CS_CHANGE_IRREVERSIBLE,
		CS_OVERSIGHT_TWO_PERSON, 2, {"engineer", "change_owner"}};
	static const struct {
		const char *path, *value;
	} wrong[] = {
		{"execution/arguments/6", "\"deployment/payments-db\""},
		{"execution/arguments/6", "\"deployment/catalogXapi\""},
		{"execution/target/service", "\"checkout-api\""},
		{"execution/target/service", "\".*\""},
		{"rollback/arguments/6", "\"deployment/payments-db\""},
		{"rollback/target/service", "\"checkout-api\""},
	};

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		CS_CLEANUP_JSON json_t *core =
			cs_world_core(*state, "restart", wrong[i].path, wrong[i].value, NULL);
		expect(*state, core, &two);
	}
	CS_CLEANUP_JSON json_t *elsewhere = cs_world_core(*state, "restart", "rollback/target/service",
		"\"checkout-api\"", "rollback/arguments/6", "\"deployment/checkout-api\"", NULL);
	expect(*state, elsewhere, &two);
}

static void the_capability_names_the_class(void **state)
{
	static const struct {
		const char *capability;
		struct expected expected;
	} cases[] = {
		{"\"k8s.node.drain\"",
			{"drain-node", CS_CHANGE_IRREVERSIBLE, CS_OVERSIGHT_TWO_PERSON, 1,
				{"on_call_sre", "engineer", "change_owner"}}},
		{"\"k8s.namespace.delete\"",
			{"delete-namespace", CS_CHANGE_IRREVERSIBLE, CS_OVERSIGHT_TWO_PERSON, 0,
				{"engineer", "change_owner", "incident_commander"}}},
		{"\"k8s.nodepool.scale\"",
			{"scale-node-pool", CS_CHANGE_IRREVERSIBLE, CS_OVERSIGHT_TWO_PERSON, 2,
				{"engineer", "change_owner"}}},
	};
	static const struct expected advice = {
		"drain-node", CS_CHANGE_COMPENSATABLE, CS_OVERSIGHT_NONE, 1, {NULL}};
	struct cs_oversight oversight;
	struct cs_fault fault = {0};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CS_CLEANUP_JSON json_t *core =
			cs_world_core(*state, "restart", CAPABILITY, cases[i].capability, NULL);
		expect(*state, core, &cases[i].expected);
	}
	CS_CLEANUP_JSON json_t *drain = cs_world_core(*state, "restart", CAPABILITY,
		"\"k8s.node.drain\"", "execution/arguments",
		"[\"--context\",\"prod-eu-1\",\"drain\",\"node-7.eu\",\"--ignore-daemonsets\"]",
		"rollback", "null", NULL);
	expect(*state, drain, &advice);
	CS_CLEANUP_JSON json_t *unknown =
		cs_world_core(*state, "restart", CAPABILITY, "\"k8s.cluster.delete\"", NULL);
	assert_int_equal(cs_oversight(unknown, cs_world_policy(*state), NULL, CS_WORLD_NOW,
				 &oversight, &fault),
		CS_E_NOT_FOUND);
	assert_string_equal(fault.path, "/" CAPABILITY);
	assert_int_equal(
		cs_oversight(NULL, cs_world_policy(*state), NULL, CS_WORLD_NOW, &oversight, NULL),
		CS_E_NOT_FOUND);
}

/* ---- other policies ---- */

static void with_policy(struct cs_world *world, const char *path, const char *value)
{
	struct cs_fault fault = {0};
	json_t *draft = json_deep_copy(json_array_get(cs_world_policy_versions(world), 0));

	json_object_del(draft, "signatures");
	cs_world_set(draft, path, value);
	cs_world_cosign(world, draft, CS_WORLD_LENA);
	cs_world_cosign(world, draft, CS_WORLD_CORA);
	cs_world_begin_policy(world, draft);
	json_decref(draft);
	enum cs_err err = cs_world_try_policy(world, &fault);
	if (err != CS_OK)
		print_error("%s %s: %s\n", cs_err_name(err), fault.path, fault.detail);
	assert_int_equal(err, CS_OK);
}

/* Two people always include engineer and change owner, whatever else the class asks for. */
static void two_people_include_both_roles(void **state)
{
	static const struct {
		const char *quorum;
		struct expected expected;
	} cases[] = {
		{"[\"engineer\",\"change_owner\"]",
			{"deploy-config", CS_CHANGE_COMPENSATABLE, CS_OVERSIGHT_TWO_PERSON, 2,
				{"engineer", "change_owner"}}},
		{"[\"engineer\",\"engineer\"]",
			{"deploy-config", CS_CHANGE_COMPENSATABLE, CS_OVERSIGHT_TWO_PERSON, 2,
				{"engineer", "engineer", "change_owner"}}},
		{"[\"sre_lead\",\"incident_commander\"]",
			{"deploy-config", CS_CHANGE_COMPENSATABLE, CS_OVERSIGHT_TWO_PERSON, 2,
				{"sre_lead", "incident_commander", "engineer", "change_owner"}}},
		{"[\"sre_lead\"]", {"deploy-config", CS_CHANGE_COMPENSATABLE, CS_OVERSIGHT_SINGLE,
					   2, {"sre_lead"}}},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		with_policy(*state, "action_classes/2/quorum", cases[i].quorum);
		CS_CLEANUP_JSON json_t *core = cs_world_core(*state, "config", NULL);
		expect(*state, core, &cases[i].expected);
	}
}

/*
 * Seven other slots leave no room for the two that two people always include: refused, not dropped.
 */
static void slots_that_do_not_fit_are_refused(void **state)
{
	struct cs_oversight oversight;

	with_policy(*state, "action_classes/2/quorum",
		"[\"sre_lead\",\"sre_lead\",\"sre_lead\",\"sre_lead\",\"sre_lead\",\"sre_lead\","
		"\"sre_lead\"]");
	CS_CLEANUP_JSON json_t *core = cs_world_core(*state, "config", NULL);
	assert_int_equal(
		cs_oversight(core, cs_world_policy(*state), NULL, CS_WORLD_NOW, &oversight, NULL),
		CS_E_POLICY_QUORUM);
}

static void autonomy_asks_nobody(void **state)
{
	static const struct expected three = {
		"restart-stateless-service", CS_CHANGE_REVERSIBLE, CS_OVERSIGHT_NONE, 3, {NULL}};

	with_policy(*state, "action_classes/1/level", "3");
	CS_CLEANUP_JSON json_t *core = cs_world_core(*state, "restart", NULL);
	expect(*state, core, &three);
}

static void a_class_may_demand_attested_tokens(void **state)
{
	struct cs_oversight oversight;

	with_policy(*state, "action_classes/0/attested", "true");
	CS_CLEANUP_JSON json_t *core = cs_world_core(*state, "rollback", NULL);
	assert_int_equal(
		cs_oversight(core, cs_world_policy(*state), NULL, CS_WORLD_NOW, &oversight, NULL),
		CS_OK);
	assert_true(oversight.attested);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_have_names),
		cmocka_unit_test_setup_teardown(each_class_as_the_policy_says, setup, teardown),
		cmocka_unit_test_setup_teardown(a_claim_raises_and_never_lowers, setup, teardown),
		cmocka_unit_test_setup_teardown(another_command_takes_two_people, setup, teardown),
		cmocka_unit_test_setup_teardown(the_capability_names_the_class, setup, teardown),
		cmocka_unit_test_setup_teardown(the_rollback_is_a_command_like_the_other, setup, teardown),
		cmocka_unit_test_setup_teardown(the_command_is_about_its_target, setup, teardown),
		cmocka_unit_test_setup_teardown(two_people_include_both_roles, setup, teardown),
		cmocka_unit_test_setup_teardown(slots_that_do_not_fit_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(autonomy_asks_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_class_may_demand_attested_tokens, setup, teardown),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
