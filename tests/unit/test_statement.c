/* The table of seal statements, and the shape of each. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fixture/case.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS(digit) \
	"\"sha256:" digit "000000000000000000000000000000000000000000000000000000000000000\""

static struct cs_world *world;

static json_t *full(void)
{
	static char text[4096];
	FILE *file = fopen("tests/unit/data/statement-allow.json", "re");
	json_t *statement = NULL;

	assert_non_null(file);
	size_t len = fread(text, 1, sizeof text, file);
	fclose(file);
	assert_int_equal(cs_json_read(text, len, sizeof text, &statement, NULL), CS_OK);
	return statement;
}

/* Kind, mode and outcome with every other member as that kind has it. */
static json_t *statement_for(const char *kind, const char *mode, const char *outcome)
{
	json_t *statement = full();
	bool decision = strcmp(kind, "decision") == 0;
	bool allow = outcome != NULL && strstr(outcome, "allow") != NULL;
	static const char *const of_actions[] = {
		"action", "action_class", "change_class", "oversight"};

	json_object_set_new(statement, "kind", json_string(kind));
	json_object_set_new(statement, "mode", mode != NULL ? json_string(mode) : json_null());
	json_object_set_new(
		statement, "outcome", outcome != NULL ? json_string(outcome) : json_null());
	if (!decision || !allow)
		cs_world_set(statement, "not_after", "null");
	if (!decision)
		cs_world_set(statement, "approvals", "[]");
	for (size_t i = 0; !decision && strcmp(kind, "approval") != 0 && i < 4; i++)
		cs_world_set(statement, of_actions[i], "null");
	return statement;
}

static enum cs_err shape(const json_t *statement, enum cs_seal_form form, struct cs_fault *fault)
{
	return cs_statement_shape(cs_world_registry(world), statement, form, fault);
}

static const struct {
	const char *kind, *mode, *outcome;
	bool jws;
} rows[] = {
	{"decision", "enforce", "allow", true},
	{"decision", "enforce", "allow_with_constraints", true},
	{"decision", "enforce", "deny", false},
	{"decision", "enforce", "quarantine", false},
	{"decision", "enforce", "require_human_review", false},
	{"approval", "enforce", "approved", false},
	{"approval", "enforce", "approved_with_restrictions", false},
	{"approval", "enforce", "rejected", false},
	{"approval", "enforce", "requires_more_information", false},
	{"approval", "enforce", "escalated", false},
	{"trust_set", NULL, NULL, false},
	{"policy", NULL, NULL, false},
};

static bool same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool in_table(const char *kind, const char *mode, const char *outcome, bool jws)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (same(kind, rows[i].kind) && same(mode, rows[i].mode) &&
			same(outcome, rows[i].outcome))
			return !jws || rows[i].jws;
	return false;
}

/*
 * Every kind with every mode and every outcome, in both forms: what is not listed above is not
 * sealed.
 */
static void the_table_is_closed(void **unused)
{
	static const char *const kinds[] = {"decision", "approval", "outcome", "event", "trust_set",
		"policy", "binding", "guard", "stop", "handover", "resume", "anything"};
	static const char *const modes[] = {NULL, "enforce", "shadow", "dry_run"};
	static const char *const outcomes[] = {NULL, "allow", "allow_with_constraints",
		"require_approval", "require_human_review", "deny", "quarantine", "simulated_allow",
		"simulated_allow_with_constraints", "simulated_requires_approval", "simulated_deny",
		"approved", "approved_with_restrictions", "rejected", "requires_more_information",
		"escalated", "expired", "executed", "failed", "unknown", "aborted", "rolled_back",
		"anything"};
	size_t sealed = 0;
	(void)unused;

	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
		for (size_t m = 0; m < sizeof modes / sizeof modes[0]; m++)
			for (size_t o = 0; o < sizeof outcomes / sizeof outcomes[0]; o++) {
				json_t *statement = statement_for(kinds[k], modes[m], outcomes[o]);

				for (int form = 0; form <= 3; form++) {
					enum cs_err err =
						shape(statement, (enum cs_seal_form)form, NULL);
					bool wanted =
						(form == CS_SEAL_JWS || form == CS_SEAL_TLOG) &&
						in_table(kinds[k], modes[m], outcomes[o],
							form == CS_SEAL_JWS);

					assert_int_equal(err == CS_OK, wanted);
					if (err != CS_OK)
						assert_true(err == CS_E_STATEMENT_SHAPE ||
							    err == CS_E_DOCUMENT_INVALID);
					sealed += err == CS_OK;
				}
				json_decref(statement);
			}
	assert_int_equal(sealed, 14);
}

static void expect_shape(enum cs_err expected, json_t *statement, const char *path)
{
	struct cs_fault fault = {{0}};

	assert_int_equal(shape(statement, CS_SEAL_TLOG, &fault), expected);
	if (path != NULL)
		assert_string_equal(fault.path, path);
	json_decref(statement);
}

static json_t *changed(json_t *statement, const char *path, const char *value)
{
	cs_world_set(statement, path, value);
	return statement;
}

static void members_are_null_where_they_must_be(void **unused)
{
	static const char *const of_actions[] = {
		"action", "action_class", "change_class", "oversight"};
	static const char *const values[] = {
		ADDRESS("2"), "\"deploy-config\"", "\"reversible\"", "\"none\""};
	(void)unused;

	for (size_t i = 0; i < 4; i++) {
		char path[32] = "/";

		strcat(path, of_actions[i]);
		expect_shape(CS_E_STATEMENT_SHAPE, changed(full(), of_actions[i], "null"), path);
		expect_shape(CS_E_STATEMENT_SHAPE,
			changed(statement_for("approval", "enforce", "approved"), of_actions[i],
				"null"),
			path);
		expect_shape(CS_E_STATEMENT_SHAPE,
			changed(statement_for("policy", NULL, NULL), of_actions[i], values[i]),
			path);
		/* A refusal of a capability that has no class */
		if (i > 0)
			expect_shape(CS_OK,
				changed(statement_for("decision", "enforce", "deny"), of_actions[i],
					"null"),
				NULL);
	}
	expect_shape(CS_E_STATEMENT_SHAPE,
		changed(statement_for("decision", "enforce", "deny"), "action", "null"), "/action");
	expect_shape(CS_E_STATEMENT_SHAPE,
		changed(statement_for("decision", "enforce", "deny"), "not_after",
			"\"2026-11-20T10:30:00Z\""),
		"/not_after");
	expect_shape(CS_E_STATEMENT_SHAPE,
		changed(statement_for("decision", "enforce", "deny"), "constraints", ADDRESS("9")),
		"/constraints");
	expect_shape(CS_E_STATEMENT_SHAPE,
		changed(statement_for("approval", "enforce", "rejected"), "approvals",
			"[" ADDRESS("5") "]"),
		"/approvals");
	expect_shape(CS_E_STATEMENT_SHAPE,
		changed(statement_for("trust_set", NULL, NULL), "approvals", "[" ADDRESS("5") "]"),
		"/approvals");
}

static void approvals_ascend_and_the_log_agrees(void **unused)
{
	(void)unused;

	expect_shape(CS_OK, full(), NULL);
	expect_shape(CS_E_STATEMENT_SHAPE,
		changed(full(), "approvals", "[" ADDRESS("6") ", " ADDRESS("5") "]"), "/approvals");
	expect_shape(CS_E_DOCUMENT_INVALID,
		changed(full(), "approvals", "[" ADDRESS("5") ", " ADDRESS("5") "]"), "/approvals");
	expect_shape(
		CS_E_STATEMENT_SHAPE, changed(full(), "log/after/size", "6"), "/log/after/size");
	expect_shape(CS_E_STATEMENT_SHAPE, changed(full(), "log/index", "8"), "/log/after/size");
}

static void the_schema_is_closed(void **unused)
{
	json_t *statement = full();
	const char *member;
	json_t *value;
	(void)unused;

	json_object_foreach(statement, member, value)
	{
		json_t *without = json_deep_copy(statement);

		json_object_del(without, member);
		expect_shape(CS_E_DOCUMENT_INVALID, without, NULL);
	}
	json_decref(statement);
	expect_shape(CS_E_DOCUMENT_INVALID, changed(full(), "extra", "1"), NULL);
	expect_shape(CS_E_DOCUMENT_INVALID, changed(full(), "log/extra", "1"), NULL);
	expect_shape(CS_E_DOCUMENT_INVALID, changed(full(), "nonce", "\"00\""), "/nonce");
	expect_shape(CS_E_DOCUMENT_INVALID,
		changed(full(), "issued_at", "\"2026-11-20T10:00:00+01:00\""), "/issued_at");
	expect_shape(CS_E_DOCUMENT_INVALID, changed(full(), "log/origin", "\"acme example\""),
		"/log/origin");
	expect_shape(CS_E_DOCUMENT_INVALID, changed(full(), "subject", "\"sha256:\""), "/subject");
}

static void what_is_composed_has_a_shape(void **unused)
{
	json_t *core = cs_world_core(world, "rollback", NULL);
	json_t *approvals = cs_case_two(world, core);
	json_t *reversed =
		json_pack("[O, O]", json_array_get(approvals, 1), json_array_get(approvals, 0));
	json_t *statement = NULL, *again = NULL;
	struct cs_case_judge judge;
	uint8_t root[CS_HASH];
	uint64_t index = 0;
	(void)unused;

	cs_case_judge(world, core, &judge);
	struct cs_statement_input input = {.kind = "decision",
		.subject = judge.action,
		.mode = "enforce",
		.outcome = "allow",
		.action = judge.action,
		.oversight = &judge.oversight,
		.policy = cs_policy_address(cs_world_policy(world)),
		.trust_set = cs_trust_address(cs_world_trust(world)),
		.approvals = approvals,
		.origin = CS_WORLD_ORIGIN,
		.index = UINT64_C(9007199254740991),
		.issued_at = CS_WORLD_NOW,
		.not_after = CS_WORLD_NOW + 60000};
	memset(input.root, 0xa5, sizeof input.root);
	memset(input.nonce, 0x5a, sizeof input.nonce);
	assert_int_equal(cs_statement_compose(&input, &statement), CS_OK);
	assert_int_equal(shape(statement, CS_SEAL_JWS, NULL), CS_OK);
	assert_string_equal(cs_json_text(statement, "action_class"), "rollback-production-service");
	assert_string_equal(cs_json_text(statement, "not_after"), "2026-11-20T10:01:00Z");
	assert_int_equal(cs_statement_log(statement, &index, root), CS_OK);
	assert_true(index == input.index);
	assert_memory_equal(root, input.root, CS_HASH);

	/* The order in which approvals came does not show. */
	input.approvals = reversed;
	assert_int_equal(cs_statement_compose(&input, &again), CS_OK);
	assert_true(cs_json_same(statement, again));
	json_decref(again);
	again = NULL;

	input.kind = "trust_set";
	input.mode = input.outcome = input.action = NULL;
	input.oversight = NULL;
	input.approvals = NULL;
	input.not_after = CS_TIME_MAX;
	assert_int_equal(cs_statement_compose(&input, &again), CS_OK);
	assert_int_equal(shape(again, CS_SEAL_TLOG, NULL), CS_OK);
	json_decref(again);
	again = NULL;

	for (size_t i = 0; i < CS_APPROVALS_MAX; i++)
		json_array_append(approvals, json_array_get(approvals, 0));
	input.approvals = approvals;
	assert_int_equal(cs_statement_compose(&input, &again), CS_E_TOO_LARGE);
	assert_null(again);
	json_decref(statement);
	json_decref(reversed);
	json_decref(approvals);
	json_decref(core);
}

static void a_log_place_that_cannot_be_read_is_refused(void **unused)
{
	static const struct {
		const char *path, *value;
	} changes[] = {{"log", NULL}, {"log/index", "-1"}, {"log/index", "\"7\""},
		{"log/after/root", "\"sha256:00\""}, {"log/after/root", NULL}};
	(void)unused;

	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		json_t *statement = changed(full(), changes[i].path, changes[i].value);
		uint8_t root[CS_HASH] = {1};
		uint64_t index = 99;

		assert_int_equal(cs_statement_log(statement, &index, root), CS_E_DOCUMENT_INVALID);
		assert_int_equal(index, 99);
		assert_int_equal(root[0], 1);
		json_decref(statement);
	}
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
		cmocka_unit_test(the_table_is_closed),
		cmocka_unit_test(members_are_null_where_they_must_be),
		cmocka_unit_test(approvals_ascend_and_the_log_agrees),
		cmocka_unit_test(the_schema_is_closed),
		cmocka_unit_test(what_is_composed_has_a_shape),
		cmocka_unit_test(a_log_place_that_cannot_be_read_is_refused),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
