/*
 * Policies: content, signatures, chain, and the executable rule.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fixture/version_case.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define V2 "2026-11-01T09:00:00Z"

static json_t *genesis_draft(struct cs_world *world)
{
	json_t *draft = json_deep_copy(json_array_get(cs_world_policy_versions(world), 0));

	json_object_del(draft, "signatures");
	return draft;
}

/* ---- content ---- */

struct edit {
	const char *path, *value;
	enum cs_err err;
};

/*
 * Classes of the plan: 0 rollback (irreversible, 2), 1 restart (4), 2 deploy-config (2), 3 drain
 * (1), 4 delete (irreversible, 0), 5 scale.
 */
static void content_rules(void **state)
{
	static const struct edit edits[] = {
		{"title", "\"Changes\"", CS_OK},
		{"title", "\"Ch\\u200banges\"", CS_E_TEXT},
		{"review/next", "\"2026-09-15T09:00:00.001Z\"", CS_OK},
		{"review/next", "\"2026-09-15T09:00:00Z\"", CS_E_POLICY},
		{"review/next", "\"2026-09-01T09:00:00Z\"", CS_E_POLICY},
		{"approval/not_after_seconds", "0", CS_E_DOCUMENT_INVALID},
		{"approval/not_after_seconds", "3600.5", CS_E_DOCUMENT_INVALID},
		{"action_classes", "[]", CS_E_DOCUMENT_INVALID},
		{"action_classes/1/id", "\"deploy-config\"", CS_E_TRUST_DUPLICATE},
		{"action_classes/1/capabilities/+", "\"k8s.deployment.rollback\"",
			CS_E_POLICY_CAPABILITY},
		{"action_classes/1/capabilities/+", "\"k8s.deployment.restart\"",
			CS_E_DOCUMENT_INVALID},
		{"action_classes/1/capabilities/+", "\"k8s.pod.delete\"", CS_OK},
		{"action_classes/1/reversibility", "\"irreversible\"", CS_E_POLICY_QUORUM},
		{"action_classes/2/reversibility", "\"irreversible\"", CS_E_POLICY_QUORUM},
		{"action_classes/0/quorum", "[]", CS_E_POLICY_QUORUM},
		{"action_classes/0/quorum", "[\"engineer\"]", CS_E_POLICY_QUORUM},
		{"action_classes/0/quorum", "[\"engineer\",\"engineer\"]", CS_E_POLICY_QUORUM},
		{"action_classes/0/quorum", "[\"change_owner\",\"sre_lead\"]", CS_E_POLICY_QUORUM},
		{"action_classes/0/quorum", "[\"change_owner\",\"engineer\"]", CS_OK},
		{"action_classes/0/quorum", "[\"engineer\",\"engineer\",\"change_owner\"]", CS_OK},
		{"action_classes/4/quorum", "[\"engineer\",\"sre_lead\"]", CS_E_POLICY_QUORUM},
		{"action_classes/0/quorum", "[\"engineer\",\"change_owner\",\"auditor\"]",
			CS_E_DOCUMENT_INVALID},
		{"action_classes/2/quorum",
			"[\"engineer\",\"engineer\",\"engineer\",\"engineer\",\"engineer\","
			"\"engineer\",\"engineer\",\"engineer\"]",
			CS_OK},
		{"action_classes/2/quorum",
			"[\"engineer\",\"engineer\",\"engineer\",\"engineer\",\"engineer\","
			"\"engineer\",\"engineer\",\"engineer\","
			"\"engineer\"]",
			CS_E_DOCUMENT_INVALID},
		{"action_classes/2/quorum", "[]", CS_E_POLICY},
		{"action_classes/0/level", "1", CS_OK},
		{"action_classes/0/level", "5", CS_E_DOCUMENT_INVALID},
		{"action_classes/0/level", "-1", CS_E_DOCUMENT_INVALID},
		{"action_classes/1/level", "3", CS_OK},
		{"action_classes/2/level", "3", CS_E_POLICY_CONTROLS},
		{"action_classes/3/level", "2", CS_E_POLICY_CONTROLS},
		{"action_classes/3/controls/recommend", "null", CS_E_POLICY_CONTROLS},
		{"action_classes/0/controls/execute_with_approval", "null", CS_E_POLICY_CONTROLS},
		{"action_classes/0/controls/recommend", "null", CS_E_POLICY_CONTROLS},
		{"action_classes/1/controls/execute_autonomously", "null", CS_E_POLICY_CONTROLS},
		{"action_classes/1/controls/execute_autonomously/audit", NULL,
			CS_E_DOCUMENT_INVALID},
		{"action_classes/1/controls/execute_autonomously/audit", "\"\"",
			CS_E_DOCUMENT_INVALID},
		{"action_classes/4/controls/recommend", "null", CS_OK},
		{"action_classes/0/executables/0/arguments/0", "\"(\"", CS_E_POLICY},
		{"action_classes/0/executables/0/arguments/0", "\"[z-a]\"", CS_E_POLICY},
		{"action_classes/0/executables/0/arguments/0", "\"a\\\\Cb\"", CS_E_POLICY},
		{"action_classes/0/executables/0/arguments/0", "\"\\\\p{Lu}+\"", CS_OK},
		{"action_classes/0/executables/0/path", "\"kubectl\"", CS_E_DOCUMENT_INVALID},
		{"action_classes/0/limits", "{}", CS_E_DOCUMENT_INVALID},
		{"environment_variables/+", "\"A=B\"", CS_E_DOCUMENT_INVALID},
	};
	struct cs_world *world = *state;

	for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
		CS_CLEANUP_JSON json_t *draft = genesis_draft(world);
		struct cs_fault fault = {0};
		cs_world_set(draft, edits[i].path, edits[i].value);
		check(edits[i].err,
			cs_policy_check_content(cs_world_registry(world), draft, &fault), &fault,
			edits[i].path);
	}
}

/* With two people and both roles, an irreversible class still never runs by itself. */
static void irreversible_is_level_two_at_most(void **state)
{
	struct cs_fault fault = {0};
	CS_CLEANUP_JSON json_t *draft = genesis_draft(*state);

	cs_world_set(draft, "action_classes/1/quorum", "[\"engineer\",\"change_owner\"]");
	check(CS_OK, cs_policy_check_content(cs_world_registry(*state), draft, &fault), &fault,
		"reversible, level 4");
	cs_world_set(draft, "action_classes/1/reversibility", "\"irreversible\"");
	/* The schema says so before the loader has to. */
	check(CS_E_DOCUMENT_INVALID,
		cs_policy_check_content(cs_world_registry(*state), draft, &fault), &fault,
		"irreversible, level 4");
	cs_world_set(draft, "action_classes/1/level", "2");
	check(CS_OK, cs_policy_check_content(cs_world_registry(*state), draft, &fault), &fault,
		"irreversible, level 2");
}

/* The schema alone refuses the quorum, too. */
static void the_schema_knows_the_quorum(void **state)
{
	static const char *const quorums[] = {"[]", "[\"engineer\"]", "[\"engineer\",\"engineer\"]",
		"[\"change_owner\",\"sre_lead\"]"};

	for (size_t i = 0; i < sizeof quorums / sizeof *quorums; i++) {
		CS_CLEANUP_JSON json_t *draft = genesis_draft(*state);
		cs_world_set(draft, "action_classes/0/quorum", quorums[i]);
		assert_int_equal(cs_schema_check(cs_world_registry(*state), "countersign.policy.v1",
					 draft, NULL),
			CS_E_DOCUMENT_INVALID);
	}
}

/* ---- signatures and chain ---- */

static void an_sre_lead_and_compliance_sign(void **state)
{
	static const struct {
		const char *a, *b;
		enum cs_err err;
	} cases[] = {
		{CS_WORLD_LENA, CS_WORLD_CORA, CS_OK},
		{CS_WORLD_CORA, CS_WORLD_LENA, CS_OK},
		{NULL, NULL, CS_E_TRUST_UNSIGNED},
		{CS_WORLD_LENA, NULL, CS_E_TRUST_UNSIGNED},
		{CS_WORLD_LENA, CS_WORLD_LENA, CS_E_TRUST_SIGNERS},
		{CS_WORLD_LENA, CS_WORLD_SAM, CS_E_TRUST_SIGNERS},
		{CS_WORLD_SAM, CS_WORLD_CORA, CS_E_TRUST_SIGNERS},
		{CS_WORLD_LENA, CS_WORLD_ADA, CS_E_TRUST_SIGNERS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (unsigned later = 0; later < 2; later++) {
			struct cs_world *world = cs_world_new(0);
			json_t *draft =
				later ? cs_world_next_policy(world, V2) : genesis_draft(world);
			struct cs_policy *policy = NULL;
			struct cs_fault fault = {0};
			if (cases[i].a != NULL)
				cs_world_cosign(world, draft, cases[i].a);
			if (cases[i].b != NULL)
				cs_world_cosign(world, draft, cases[i].b);
			check(cases[i].err,
				cs_policy_from_pack(cs_world_registry(world), draft,
					cs_world_keyring(world), &policy, &fault),
				&fault, "from a pack");
			cs_policy_free(policy);
			if (later)
				cs_world_add_policy(world, draft);
			else
				cs_world_begin_policy(world, draft);
			json_decref(draft);
			check(cases[i].err, cs_world_try_policy(world, &fault), &fault, "loaded");
			cs_world_free(world);
		}
	}
}

static void versions_follow_each_other(void **state)
{
	static const struct edit cases[] = {
		{"title", "\"Other\"", CS_OK},
		{"version", "1", CS_E_TRUST_CHAIN},
		{"version", "3", CS_E_TRUST_CHAIN},
		{"previous", "null", CS_E_TRUST_CHAIN},
		{"issued_at", "\"2026-10-02T09:00:00Z\"", CS_E_TRUST_CHAIN},
		{"id", "\"kye:policy:other\"", CS_E_TRUST_CHAIN},
		{"action_classes/0/quorum", "[\"engineer\"]", CS_E_POLICY_QUORUM},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct cs_world *world = cs_world_new(0);
		json_t *draft = cs_world_next_policy(world, V2);
		struct cs_fault fault = {0};
		cs_world_set(draft, cases[i].path, cases[i].value);
		cs_world_cosign(world, draft, CS_WORLD_LENA);
		cs_world_cosign(world, draft, CS_WORLD_CORA);
		cs_world_add_policy(world, draft);
		json_decref(draft);
		check(cases[i].err, cs_world_try_policy(world, &fault), &fault, cases[i].path);
		if (cases[i].err != CS_OK) {
			assert_memory_equal(fault.path, "/1", 2);
		} else {
			const struct cs_policy *policy = cs_world_policy(world);
			assert_int_equal(cs_policy_version(policy), 2);
			assert_int_equal(cs_policy_count(policy), 2);
			assert_string_equal(
				cs_policy_address_of(policy, 0), cs_world_policy_genesis(world));
			assert_string_equal(
				cs_policy_address_of(policy, 1), cs_policy_address(policy));
			assert_null(cs_policy_address_of(policy, 2));
			assert_string_equal(
				cs_json_text(cs_policy_document(policy), "title"), "Other");
		}
		cs_world_free(world);
	}
}

static void genesis_is_pinned(void **state)
{
	struct cs_world *world = *state;
	struct cs_policy *policy = NULL;
	CS_CLEANUP_JSON json_t *none = json_array();

	assert_int_equal(cs_policy_load(cs_world_registry(world), cs_world_policy_versions(world),
				 cs_world_trust_genesis(world), cs_world_keyring(world),
				 CS_WORLD_NOW, NULL, &policy, NULL),
		CS_E_TRUST_GENESIS);
	assert_int_equal(
		cs_policy_load(cs_world_registry(world), none, cs_world_policy_genesis(world),
			cs_world_keyring(world), CS_WORLD_NOW, NULL, &policy, NULL),
		CS_E_TRUST_GENESIS);
	assert_null(policy);
}

static void a_changed_policy_is_not_signed(void **state)
{
	json_t *genesis = json_array_get(cs_world_policy_versions(*state), 0);
	struct cs_policy *policy = NULL;

	cs_world_set(genesis, "software_tokens", "false");
	assert_int_equal(cs_policy_from_pack(cs_world_registry(*state), genesis,
				 cs_world_keyring(*state), &policy, NULL),
		CS_E_SIGNATURE);
	cs_world_begin_policy(*state, genesis);
	assert_int_equal(cs_world_try_policy(*state, NULL), CS_E_SIGNATURE);
	assert_null(policy);
}

/* Lena leaves, and hands out a policy dated back to when she was there. */
static void a_new_version_needs_signers_of_today(void **state)
{
	struct cs_world *world = *state;
	struct cs_fault fault = {0};
	struct cs_policy *policy = NULL;
	char first[CS_ADDRESS_TEXT], second[CS_ADDRESS_TEXT];
	json_t *trust = cs_world_next_trust(world, "2026-11-10T08:00:00Z");

	cs_world_set(trust, "persons/5/roles/0/until", "\"2026-11-10T08:00:00Z\"");
	cs_world_set(trust, "persons/0/roles/+",
		"{\"role\":\"sre_lead\",\"services\":[\"*\"],\"environments\":[\"*\"],\"from\":"
		"\"2026-11-10T08:00:00Z\","
		"\"until\":null}");
	cs_world_cosign(world, trust, CS_WORLD_SAM);
	cs_world_cosign(world, trust, CS_WORLD_CORA);
	cs_world_add_trust(world, trust);
	json_decref(trust);
	assert_int_equal(
		cs_address_of(json_array_get(cs_world_policy_versions(world), 0), first), CS_OK);
	check(CS_E_TRUST_SIGNERS, cs_world_try_policy(world, &fault), &fault,
		"the first version, never loaded before");

	json_t *draft = cs_world_next_policy(world, V2);
	cs_world_cosign(world, draft, CS_WORLD_LENA);
	cs_world_cosign(world, draft, CS_WORLD_CORA);
	cs_world_add_policy(world, draft);
	assert_int_equal(cs_address_of(draft, second), CS_OK);
	json_decref(draft);
	const char *const none[] = {NULL}, *const only_first[] = {first, NULL},
			  *const both[] = {first, second, NULL};
	const struct {
		const char *const *accepted;
		enum cs_err err;
	} cases[] = {{NULL, CS_E_TRUST_SIGNERS}, {none, CS_E_TRUST_SIGNERS},
		{only_first, CS_E_TRUST_SIGNERS}, {both, CS_OK}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		check(cases[i].err,
			cs_policy_load(cs_world_registry(world), cs_world_policy_versions(world),
				cs_world_policy_genesis(world), cs_world_keyring(world),
				CS_WORLD_NOW, cases[i].accepted, &policy, &fault),
			&fault, "backdated");
		cs_policy_free(policy);
		policy = NULL;
	}
	/* A version by the people of today vouches for what came before it. */
	draft = cs_world_next_policy(world, "2026-11-11T08:00:00Z");
	cs_world_cosign(world, draft, CS_WORLD_ADA);
	cs_world_cosign(world, draft, CS_WORLD_CORA);
	cs_world_add_policy(world, draft);
	json_decref(draft);
	check(CS_OK, cs_world_try_policy(world, &fault), &fault, "a third version");
}

/* ---- classes and the executable rule ---- */

static void a_capability_has_one_class(void **state)
{
	const struct cs_policy *policy = cs_world_policy(*state);

	assert_string_equal(
		cs_json_text(cs_policy_class_for(policy, "k8s.deployment.rollback"), "id"),
		"rollback-production-service");
	assert_string_equal(cs_json_text(cs_policy_class_for(policy, "k8s.nodepool.scale"), "id"),
		"scale-node-pool");
	assert_null(cs_policy_class_for(policy, "k8s.deployment"));
	assert_null(cs_policy_class_for(policy, ""));
	assert_null(cs_policy_class_for(policy, NULL));
}

static void change_classes_have_names(void **state)
{
	enum cs_change_class change_class = CS_CHANGE_REVERSIBLE;

	(void)state;
	for (unsigned i = 0; i <= CS_CHANGE_IRREVERSIBLE; i++) {
		assert_int_equal(
			cs_change_class_by_name(
				cs_change_class_name((enum cs_change_class)i), &change_class),
			CS_OK);
		assert_int_equal(change_class, i);
	}
	assert_int_equal(cs_change_class_by_name("Reversible", &change_class), CS_E_NOT_FOUND);
	assert_int_equal(cs_change_class_by_name(NULL, &change_class), CS_E_NOT_FOUND);
}

static enum cs_change_class rule_for(struct cs_world *world, const char *path, const char *value)
{
	CS_CLEANUP_JSON json_t *core = cs_world_core(world, "restart", path, value, NULL);
	const struct cs_policy *policy = cs_world_policy(world);

	return cs_policy_executable_rule(policy,
		cs_policy_class_for(policy, "k8s.deployment.restart"),
		json_object_get(core, "execution"));
}

static void only_the_described_command_is_reversible(void **state)
{
	static const struct {
		const char *path, *value;
		enum cs_change_class change_class;
	} cases[] = {
		{"execution/directory", "\"/tmp\"", CS_CHANGE_REVERSIBLE},
		{"execution/environment_variables", "{}", CS_CHANGE_REVERSIBLE},
		{"execution/environment_variables/LANG", "\"C\"", CS_CHANGE_REVERSIBLE},
		{"execution/environment_variables/LD_PRELOAD", "\"/tmp/x.so\"",
			CS_CHANGE_IRREVERSIBLE},
		{"execution/arguments/1", "\"prod-eu-7\"", CS_CHANGE_REVERSIBLE},
		{"execution/arguments/1", "\"prod-eu-77\"", CS_CHANGE_IRREVERSIBLE},
		{"execution/arguments/1", "\"xprod-eu-7\"", CS_CHANGE_IRREVERSIBLE},
		{"execution/arguments/1", "\"prod-eu-7\\n\"", CS_CHANGE_IRREVERSIBLE},
		{"execution/arguments/1", "\"prod-eu-7\\u0000\"", CS_CHANGE_IRREVERSIBLE},
		{"execution/arguments/5", "\"undo\"", CS_CHANGE_IRREVERSIBLE},
		{"execution/arguments/6", "\"deployment/catalog-api --all\"",
			CS_CHANGE_IRREVERSIBLE},
		{"execution/arguments/+", "\"--force\"", CS_CHANGE_IRREVERSIBLE},
		{"execution/arguments/6", NULL, CS_CHANGE_IRREVERSIBLE},
		{"execution/arguments", "[]", CS_CHANGE_IRREVERSIBLE},
		{"execution/arguments", "{}", CS_CHANGE_IRREVERSIBLE},
		{"execution/arguments/1", "7", CS_CHANGE_IRREVERSIBLE},
		{"execution/executable", "\"/usr/local/bin/kubectl\"", CS_CHANGE_IRREVERSIBLE},
		{"execution/executable", "\"/usr/bin/../bin/kubectl\"", CS_CHANGE_IRREVERSIBLE},
		{"execution/executable", "\"/usr//bin/kubectl\"", CS_CHANGE_IRREVERSIBLE},
		{"execution/executable", "\"kubectl\"", CS_CHANGE_IRREVERSIBLE},
		{"execution/executable", "\"/\"", CS_CHANGE_IRREVERSIBLE},
		{"execution/executable", NULL, CS_CHANGE_IRREVERSIBLE},
		{"execution/executable", "7", CS_CHANGE_IRREVERSIBLE},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(
			rule_for(*state, cases[i].path, cases[i].value), cases[i].change_class);
	assert_int_equal(cs_policy_executable_rule(cs_world_policy(*state), NULL, NULL),
		CS_CHANGE_IRREVERSIBLE);
}

/*
 * A policy that allows an executable with any one argument: whether it is taken for an interpreter
 * decides.
 */
static enum cs_change_class rule_for_executable(const char *executable)
{
	struct cs_world *world = cs_world_new(0);
	char text[256];
	json_t *draft = genesis_draft(world);
	struct cs_fault fault = {0};

	snprintf(text, sizeof text, "[{\"path\":\"%s\",\"arguments\":[\".*\"]}]", executable);
	cs_world_set(draft, "action_classes/1/executables", text);
	cs_world_cosign(world, draft, CS_WORLD_LENA);
	cs_world_cosign(world, draft, CS_WORLD_CORA);
	cs_world_begin_policy(world, draft);
	json_decref(draft);
	check(CS_OK, cs_world_try_policy(world, &fault), &fault, executable);
	snprintf(text, sizeof text, "\"%s\"", executable);
	CS_CLEANUP_JSON json_t *core = cs_world_core(world, "restart", "execution/executable", text,
		"execution/arguments", "[\"x\"]", NULL);
	const struct cs_policy *policy = cs_world_policy(world);
	enum cs_change_class change_class = cs_policy_executable_rule(policy,
		cs_policy_class_for(policy, "k8s.deployment.restart"),
		json_object_get(core, "execution"));
	cs_world_free(world);
	return change_class;
}

static void interpreters_are_never_reversible(void **state)
{
	static const char *const interpreters[] = {"/bin/sh", "/bin/bash", "/usr/bin/dash",
		"/bin/zsh", "/usr/bin/fish", "/bin/ksh93", "/usr/bin/python3",
		"/usr/bin/python3.11", "/opt/python/python", "/usr/bin/perl5.36.0",
		"/usr/bin/ruby3.1", "/usr/bin/node", "/usr/bin/lua5.4", "/usr/bin/awk",
		"/usr/bin/mawk", "/usr/bin/env", "/usr/bin/xargs", "/usr/bin/sudo", "/usr/bin/ssh",
		"/usr/bin/busybox", "/usr/bin/find", "/usr/bin/timeout", "/usr/bin/systemd-run",
		"/usr/bin/nsenter", "/lib64/ld-linux-x86-64.so.2", "/usr/bin/docker",
		"/usr/bin/tclsh8.6",
		/* of the policy's own list: by its last part, and by its path */
		"/usr/local/bin/kubectl-exec", "/opt/acme/bin/run-anything"};
	static const char *const others[] = {"/usr/bin/kubectl", "/usr/bin/shred",
		"/opt/acme/bin/pythonic", "/usr/bin/shutdown-checkout", "/opt/bash/restart",
		"/usr/local/bin/run-anything", "/usr/bin/7"};

	(void)state;
	for (size_t i = 0; i < sizeof interpreters / sizeof *interpreters; i++)
		assert_int_equal(rule_for_executable(interpreters[i]), CS_CHANGE_IRREVERSIBLE);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_int_equal(rule_for_executable(others[i]), CS_CHANGE_REVERSIBLE);
}

/* A pattern that needs more steps than allowed does not match, in bounded time. */
static void match_limits_are_no_match(void **state)
{
	struct cs_world *world = *state;
	json_t *draft = genesis_draft(world);
	char argument[4096];

	cs_world_set(draft, "action_classes/1/executables/0/arguments/1", "\"(a+)+b|a*\"");
	cs_world_cosign(world, draft, CS_WORLD_LENA);
	cs_world_cosign(world, draft, CS_WORLD_CORA);
	cs_world_begin_policy(world, draft);
	json_decref(draft);
	memset(argument, 'a', sizeof argument);
	argument[0] = argument[30] = '"';
	argument[31] = '\0';
	assert_int_equal(rule_for(world, "execution/arguments/1", "\"aab\""), CS_CHANGE_REVERSIBLE);
	assert_int_equal(
		rule_for(world, "execution/arguments/1", argument), CS_CHANGE_IRREVERSIBLE);
	argument[5] = '"';
	argument[6] = '\0';
	assert_int_equal(rule_for(world, "execution/arguments/1", argument), CS_CHANGE_REVERSIBLE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(content_rules, setup, teardown),
		cmocka_unit_test_setup_teardown(irreversible_is_level_two_at_most, setup, teardown),
		cmocka_unit_test_setup_teardown(the_schema_knows_the_quorum, setup, teardown),
		cmocka_unit_test(an_sre_lead_and_compliance_sign),
		cmocka_unit_test(versions_follow_each_other),
		cmocka_unit_test_setup_teardown(genesis_is_pinned, setup, teardown),
		cmocka_unit_test_setup_teardown(a_changed_policy_is_not_signed, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_new_version_needs_signers_of_today, setup, teardown),
		cmocka_unit_test_setup_teardown(a_capability_has_one_class, setup, teardown),
		cmocka_unit_test(change_classes_have_names),
		cmocka_unit_test_setup_teardown(
			only_the_described_command_is_reversible, setup, teardown),
		cmocka_unit_test(interpreters_are_never_reversible),
		cmocka_unit_test_setup_teardown(match_limits_are_no_match, setup, teardown),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
