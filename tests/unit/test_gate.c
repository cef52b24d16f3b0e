/* Each check of the gate denies with its own reason. */
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

/* Most things that can be wrong are one changed member of the core or of the state. */
struct row {
	enum cs_check check; /* that must fail */
	const char *code;
	bool alone; /* no other check fails with it */
	const char *request;
	struct change changes[4];
	bool final;
};

#define EXTRACT(value, who, as, key, serial, until) \
	"{\"address\": " \
	"\"sha256:0000000000000000000000000000000000000000000000000000000000000000\", " \
	"\"decision\": \"" value "\", \"approver\": \"kye:person:acme." who "\", \"role\": \"" as \
	"\", \"kid\": \"kye:key:acme." key \
	"\", \"token\": {\"product\": \"P\", \"serial\": \"" serial \
	"\"}, \"assurance\": \"software\", " \
	"\"decided_at\": \"2026-11-20T09:59:00Z\", \"not_after\": \"" until \
	"\", \"restrictions\": []}"
#define LATER "2026-11-20T10:30:00Z"
#define NOW "2026-11-20T10:00:00Z"
#define ADA EXTRACT("approved", "ada", "engineer", "ada.01", "1", LATER)
#define CARL EXTRACT("approved", "carl", "change_owner", "carl.01", "2", LATER)

static const struct row rows[] = {
	{CS_CHECK_ACTOR_DECLARED, "actor_ambiguous", true, "rollback",
		{{CORE, "proposed_action/origin/source_entity_id",
			"\"kye:agent:acme.canary-watch\""}}},
	{CS_CHECK_ACTOR_REGISTERED, "actor_unknown", false, "rollback", {{STATE, "actor", "null"}}},
	{CS_CHECK_ACTOR_ACTIVE, "actor_not_active", true, "rollback",
		{{STATE, "actor/state", "\"suspended\""}}},
	{CS_CHECK_ACTOR_ACTIVE, "actor_not_active", true, "rollback",
		{{STATE, "actor/state", "\"ended\""}}},
	{CS_CHECK_CALLER, "caller_not_actor", true, "rollback",
		{{STATE, "caller", "\"kye:agent:acme.canary-watch\""}}},
	{CS_CHECK_CALLER, "caller_not_actor", true, "rollback", {{STATE, "caller", "null"}}},
	{CS_CHECK_REQUESTER, "requester_mismatch", true, "rollback",
		{{CORE, "requester", "\"kye:person:acme.ada\""}}},
	{CS_CHECK_REQUESTER, "requester_mismatch", true, "rollback",
		{{CORE, "proposed_action/origin/principal_entity_id", "\"kye:person:acme.ada\""}}},
	{CS_CHECK_REQUESTER, "principal_unknown", false, "rollback",
		{{STATE, "principal", "null"}}},

	{CS_CHECK_GRANT_CLASS, "authority_missing", false, "rollback", {{STATE, "grants", "[]"}}},
	{CS_CHECK_GRANT_CLASS, "authority_missing", false, "rollback",
		{{STATE, "grants/0/grantee", "\"kye:agent:acme.canary-watch\""}}},
	{CS_CHECK_GRANT_CLASS, "authority_other_class", true, "rollback",
		{{STATE, "grants/0/scope/actions", "[\"deploy-config\"]"}}},
	{CS_CHECK_GRANT_WINDOW, "authority_outside_window", true, "rollback",
		{{STATE, "grants/0/not_after", "\"" NOW "\""}}},
	{CS_CHECK_GRANT_WINDOW, "authority_outside_window", true, "rollback",
		{{STATE, "grants/0/not_before", "\"2026-11-20T10:00:00.001Z\""}}},
	{CS_CHECK_GRANT_WINDOW, "authority_outside_window", true, "rollback",
		{{STATE, "grants/0/not_after", "\"2027-02-30T00:00:00Z\""}}},
	{CS_CHECK_GRANT_REVOKED, "authority_revoked", true, "rollback",
		{{STATE, "grants/0/revoked_at", "\"" NOW "\""}}},
	{CS_CHECK_GRANT_UPSTREAM, "authority_upstream_revoked", true, "rollback",
		{{STATE, "grants/0/revocation_chain/0/status", "\"revoked\""}}},
	{CS_CHECK_GRANT_UPSTREAM, "authority_upstream_revoked", true, "rollback",
		{{STATE, "grants/0/revocation_chain", "[]"}}},
	{CS_CHECK_DELEGATION, "delegation_missing", false, "rollback",
		{{STATE, "delegations", "[]"}}},
	{CS_CHECK_DELEGATION, "delegation_broken", false, "rollback",
		{{STATE, "delegations/0/status", "\"suspended\""}}},
	{CS_CHECK_DELEGATION, "delegation_broken", false, "rollback",
		{{STATE, "delegations/0/valid_until", "\"" NOW "\""}}},
	{CS_CHECK_DELEGATION, "delegation_broken", false, "rollback",
		{{STATE, "delegations/0/allowed_actions", "[\"deploy-config\"]"}}},
	{CS_CHECK_DELEGATION, "delegation_broken", false, "rollback",
		{{STATE, "delegations/0/forbidden_actions", "[\"rollback-production-service\"]"}}},
	{CS_CHECK_DELEGATION, "delegation_broken", false, "rollback",
		{{STATE, "delegations/0/scope/actions", "[\"deploy-config\"]"}}},
	{CS_CHECK_DELEGATION, "delegation_broken", false, "rollback",
		{{STATE, "delegations/0/scope/resources",
			"[\"kye:res:acme.catalog-api.production\"]"}}},
	{CS_CHECK_DELEGATION, "delegation_broken", false, "rollback",
		{{STATE, "delegations/0/scope/constraints/jurisdiction", "\"FR\""}}},
	{CS_CHECK_DELEGATION, "delegation_broken", false, "rollback",
		{{STATE, "delegations/0/scope/constraints/environment", "\"dev\""}}},
	{CS_CHECK_DELEGATION, "delegation_broken", false, "rollback",
		{{STATE, "delegations/0/scope/constraints/time_window",
			"{\"valid_until\": \"" NOW "\"}"}}},
	{CS_CHECK_DELEGATION, "delegation_broken", false, "rollback",
		{{STATE, "delegations/0/scope/constraints/limits",
			"{\"max_calls_per_day\": 1000}"}}},
	{CS_CHECK_DELEGATION, "delegation_broken", false, "rollback",
		{{STATE, "delegations/0/delegator_entity_id", "\"kye:person:acme.nobody\""}}},
	{CS_CHECK_DELEGATION_APPROVAL, "delegation_requires_approval", true, "restart",
		{{STATE, "delegations/0/requires_approval_for",
			"[\"restart-stateless-service\"]"}}},

	{CS_CHECK_PURPOSE_FOUND, "purpose_grant_missing", false, "rollback",
		{{STATE, "purposes", "[]"}}},
	{CS_CHECK_PURPOSE_FOUND, "purpose_grant_missing", false, "rollback",
		{{CORE, "purpose_request/claimed_grant_id", "\"kye:purpose:acme.another\""}}},
	{CS_CHECK_PRINCIPAL_MATCHES, "purpose_principal_mismatch", true, "rollback",
		{{STATE, "purposes/0/principal", "\"kye:ent:other\""}}},
	{CS_CHECK_GRANTEE_MATCHES, "purpose_grantee_mismatch", true, "rollback",
		{{STATE, "purposes/0/grantee", "\"kye:agent:acme.canary-watch\""}}},
	{CS_CHECK_PURPOSE_MATCHES, "purpose_mismatch", true, "rollback",
		{{STATE, "purposes/0/purpose/id", "\"kye:purpose-class:sre.experiment\""}}},
	{CS_CHECK_ACTION_IN_SCOPE, "purpose_action_out_of_scope", true, "rollback",
		{{STATE, "purposes/0/scope/actions", "[\"k8s.config.apply\"]"}}},
	{CS_CHECK_RESOURCE_IN_SCOPE, "purpose_resource_out_of_scope", true, "rollback",
		{{STATE, "purposes/0/scope/resources", "[\"kye:res:acme.checkout-api\"]"}}},
	{CS_CHECK_DATA_CLASS_IN_SCOPE, "purpose_data_class_out_of_scope", true, "rollback",
		{{STATE, "purposes/0/scope/data_classes", "[\"telemetry.metrics\"]"}}},
	{CS_CHECK_WITHIN_TIME_WINDOW, "purpose_outside_window", true, "rollback",
		{{STATE, "purposes/0/not_after", "\"" NOW "\""}}},
	{CS_CHECK_WITHIN_TIME_WINDOW, "purpose_outside_window", true, "rollback",
		{{STATE, "purposes/0/restrictions/weekly_window", "\"FREQ=WEEKLY;BYDAY=SA,SU\""}}},
	{CS_CHECK_WITHIN_JURISDICTION, "purpose_outside_jurisdiction", true, "rollback",
		{{STATE, "purposes/0/restrictions/jurisdiction", "[\"IE\"]"}}},
	{CS_CHECK_WITHIN_RATE_CAP, "purpose_rate_exceeded", true, "rollback",
		{{STATE, "facts/requests_last_minute", "31"}}},
	{CS_CHECK_WITHIN_RATE_CAP, "purpose_rate_exceeded", true, "rollback",
		{{STATE, "facts", "{}"}}},
	{CS_CHECK_NOT_REVOKED, "purpose_revoked", true, "rollback",
		{{STATE, "purposes/0/revoked_at", "\"" NOW "\""}}},
	{CS_CHECK_SIGNATURE_VALID, "purpose_signature_missing", true, "rollback",
		{{STATE, "purposes/0/signature", "\"sig:none\""}}},
	{CS_CHECK_DUAL_CONTROL, "purpose_dual_control_missing", true, "config",
		{{STATE, "purposes/0/restrictions/dual_control", "true"}}},
	{CS_CHECK_RESTRICTIONS, "purpose_restriction", true, "rollback",
		{{STATE, "purposes/0/restrictions/data_residency", "[\"eu-west-2\"]"}}},
	{CS_CHECK_RESTRICTIONS, "purpose_restriction", true, "rollback",
		{{STATE, "purposes/0/restrictions/weekly_window", "\"FREQ=DAILY\""}}},
	{CS_CHECK_RESTRICTIONS, "purpose_restriction", true, "rollback",
		{{STATE, "purposes/0/restrictions/max_blast_radius", "0"}}},

	{CS_CHECK_RESOURCE_DECLARED, "resource_ambiguous", true, "rollback",
		{{CORE, "purpose_request/resource", "\"kye:res:acme.catalog-api.production\""}}},
	{CS_CHECK_RESOURCE_DECLARED, "resource_ambiguous", true, "rollback",
		{{CORE, "proposed_action/target_resource/resource_id",
			"\"kye:res:acme.catalog-api.production\""}}},
	{CS_CHECK_RESOURCE_KNOWN, "resource_unknown", false, "rollback",
		{{STATE, "resource", "null"}}},
	{CS_CHECK_CAPABILITY_DECLARED, "capability_ambiguous", true, "rollback",
		{{CORE, "purpose_request/action", "\"k8s.deployment.restart\""}}},
	{CS_CHECK_RESOURCE_GRANTED, "resource_out_of_scope", true, "rollback",
		{{STATE, "grants/0/scope/resources", "[\"kye:res:acme.catalog-api.production\"]"}}},
	{CS_CHECK_TARGET, "environment_mismatch", true, "rollback",
		{{CORE, "execution/target/environment", "\"staging\""},
			{CORE, "rollback/target/environment", "\"staging\""}}},
	{CS_CHECK_TARGET, "environment_mismatch", true, "rollback",
		{{CORE, "execution/target/service", "\"catalog-api\""},
			{CORE, "rollback/target/service", "\"catalog-api\""}}},
	{CS_CHECK_JURISDICTION, "jurisdiction_out_of_scope", true, "rollback",
		{{STATE, "grants/0/jurisdiction", "[\"IE\"]"}}},
	{CS_CHECK_ROLLBACK_TARGET, "rollback_other_target", true, "rollback",
		{{CORE, "rollback/target/resource", "\"kye:res:acme.catalog-api.production\""}}},

	{CS_CHECK_OPEN, "rejected", true, "rollback", {{STATE, "ended", "\"rejected\""}}},
	{CS_CHECK_OPEN, "expired", true, "rollback", {{STATE, "ended", "\"expired\""}}},
	{CS_CHECK_OPEN, "withdrawn", true, "rollback", {{STATE, "ended", "\"withdrawn\""}}},
	{CS_CHECK_OPEN, "invalidated", true, "rollback", {{STATE, "ended", "\"invalidated\""}}},
	{CS_CHECK_PRINCIPAL_ACTIVE, "principal_not_active", true, "rollback",
		{{STATE, "principal/state", "\"suspended\""}}},
	{CS_CHECK_DELEGATOR_ACTIVE, "delegator_not_active", true, "rollback",
		{{STATE, "persons/0/state", "\"ended\""}}},
	{CS_CHECK_POLICY_IN_FORCE, "policy_changed", true, "rollback",
		{{CORE, "policy",
			"\"sha256:"
			"0000000000000000000000000000000000000000000000000000000000000000\""}}},
	{CS_CHECK_POLICY_IN_FORCE, "policy_changed", true, "rollback",
		{{STATE, "policy",
			"\"sha256:"
			"0000000000000000000000000000000000000000000000000000000000000000\""}}},

	{CS_CHECK_CLASS, "action_class_unknown", false, "rollback",
		{{CORE, "proposed_action/requested_capability", "\"k8s.secret.read\""}}},
	{CS_CHECK_LEVEL, "level_manual", true, "rollback",
		{{CORE, "proposed_action/requested_capability", "\"k8s.namespace.delete\""},
			{CORE, "purpose_request/action", "\"k8s.namespace.delete\""}}},
	{CS_CHECK_DUE_DILIGENCE, "due_diligence_missing", false, "rollback",
		{{CORE, "due_diligence", "null"}}},
	{CS_CHECK_IMPACT, "impact_missing", true, "rollback",
		{{CORE, "due_diligence/impact", "\" \""}}},
	{CS_CHECK_BLAST_RADIUS, "blast_radius_missing", true, "rollback",
		{{CORE, "due_diligence/blast_radius/services", "0"}}},
	{CS_CHECK_BLAST_RADIUS, "blast_radius_missing", true, "rollback",
		{{CORE, "due_diligence/blast_radius/traffic_permille", NULL}}},
	{CS_CHECK_SCREENS_PRESENT, "screen_missing", true, "rollback",
		{{CORE, "due_diligence/screens/1", NULL}}},
	{CS_CHECK_SCREENS_PASSED, "screen_failed", true, "rollback",
		{{CORE, "due_diligence/screens/1/result", "\"fail\""}}},
	{CS_CHECK_SCREENS_FRESH, "screen_stale", true, "rollback",
		{{CORE, "due_diligence/screens/1/at", "\"2026-11-20T08:59:59.999Z\""}}},
	{CS_CHECK_SCREENS_FRESH, "screen_stale", true, "rollback",
		{{CORE, "due_diligence/screens/1/at", "\"2026-11-20T10:00:31Z\""}}},
	{CS_CHECK_SCREENS_INDEPENDENT, "screen_by_actor", true, "rollback",
		{{CORE, "due_diligence/screens/1/by", "\"kye:agent:acme.sre-autoheal\""}}},
	{CS_CHECK_ROLLBACK_PLAN, "rollback_plan_missing", false, "rollback",
		{{CORE, "due_diligence/rollback_plan", "null"}}},
	{CS_CHECK_ROLLBACK_PLAN, "rollback_plan_missing", true, "rollback",
		{{CORE, "due_diligence/rollback_plan/seconds_to_undo", NULL}}},
	{CS_CHECK_ROLLBACK_PLAN, "rollback_plan_missing", true, "rollback",
		{{CORE, "due_diligence/rollback_plan/digest", "\"sha256:\""}}},
	{CS_CHECK_ROLLBACK_TESTED, "rollback_plan_untested", true, "rollback",
		{{CORE, "due_diligence/rollback_plan/tested_at", "\"2026-11-20T10:00:31Z\""}}},
	{CS_CHECK_ROLLBACK_EXECUTION, "rollback_execution_missing", true, "rollback",
		{{CORE, "rollback", "null"}}},
	{CS_CHECK_VARIABLES, "environment_variable_forbidden", true, "rollback",
		{{CORE, "execution/environment_variables/LD_PRELOAD", "\"/tmp/x.so\""}}},
	{CS_CHECK_VARIABLES, "environment_variable_forbidden", true, "rollback",
		{{CORE, "rollback/environment_variables/LD_PRELOAD", "\"/tmp/x.so\""}}},

	{CS_CHECK_NO_REJECTION, "rejected", true, "rollback",
		{{STATE, "approvals",
			"[" EXTRACT("rejected", "ada", "engineer", "ada.01", "1", LATER) "]"}}},
	{CS_CHECK_APPROVALS_CURRENT, "approval_expired", true, "rollback",
		{{STATE, "approvals",
			"[" EXTRACT("approved", "ada", "engineer", "ada.01", "1", NOW) "]"}}},
	{CS_CHECK_APPROVALS_FIT, "approval_unfit", true, "rollback",
		{{STATE, "approvals",
			"[" ADA
			"," EXTRACT("approved", "eve", "engineer", "eve.01", "3", LATER) "]"}}},
	{CS_CHECK_APPROVALS_FIT, "approval_unfit", true, "rollback",
		{{STATE, "approvals",
			"[" ADA
			"," EXTRACT("approved", "ada", "change_owner", "ada.02", "3", LATER) "]"}}},
	{CS_CHECK_APPROVALS_FIT, "approval_unfit", true, "rollback",
		{{STATE, "approvals",
			"[" ADA "," EXTRACT(
				"approved", "carl", "change_owner", "ada.01", "3", LATER) "]"}}},
	{CS_CHECK_APPROVALS_FIT, "approval_unfit", true, "rollback",
		{{STATE, "approvals",
			"[" ADA "," EXTRACT(
				"approved", "carl", "change_owner", "carl.01", "1", LATER) "]"}}},
	{CS_CHECK_QUORUM, "approval_missing", true, "rollback",
		{{STATE, "approvals", "[" CARL "]"}}, true},
	{CS_CHECK_QUORUM, "approval_missing", true, "rollback", {{STATE, "approvals", "[]"}}, true},
};

static void each_check_denies_with_its_own_reason(void **unused)
{
	bool seen[CS_CHECK_COUNT] = {false};
	(void)unused;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		json_t *decision = run(rows[i].request, rows[i].changes, rows[i].final, NULL);
		const json_t *row = cs_json_find(
			json_object_get(decision, "checks"), "check", cs_check_name(rows[i].check));

		if (json_is_true(json_object_get(row, "passed")) ||
			(rows[i].alone && failures(decision) != 1))
			print_error("row %zu: %s, %zu checks fail, first %s\n", i,
				cs_check_name(rows[i].check), failures(decision),
				text(decision, "reason_code"));
		assert_true(json_is_false(json_object_get(row, "passed")));
		assert_string_equal(text(row, "reason_code"), rows[i].code);
		assert_string_equal(text(row, "engine"), cs_check_engine(rows[i].check));
		assert_string_equal(text(decision, "outcome"), "deny");
		if (rows[i].alone) {
			assert_int_equal(failures(decision), 1);
			assert_string_equal(text(decision, "reason_code"), rows[i].code);
		}
		assert_int_equal(
			json_array_size(json_object_get(decision, "checks")), CS_CHECK_COUNT);
		expect_valid("countersign.decision.v1", decision);
		seen[rows[i].check] = true;
		json_decref(decision);
	}
	for (int check = 0; check < CS_CHECK_COUNT; check++)
		assert_true(seen[check]);
}

/*
 * A line of docs/reason-codes.md for each check, in the same order, with every code that the gate
 * gives.
 */
static void reason_codes_are_documented(void **unused)
{
	static char page[65536];
	FILE *file = fopen("docs/reason-codes.md", "re");
	const char *at = page;
	(void)unused;

	assert_non_null(file);
	page[fread(page, 1, sizeof page - 1, file)] = '\0';
	fclose(file);
	for (int check = 0; check < CS_CHECK_COUNT; check++) {
		char start[128], code[80], line[512];

		snprintf(start, sizeof start, "| %s | `%s` | ",
			cs_check_engine((enum cs_check)check), cs_check_name((enum cs_check)check));
		at = strstr(at, start);
		if (at == NULL)
			print_error("not documented, or out of order: %s\n", start);
		assert_non_null(at);
		snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
		for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
			snprintf(code, sizeof code, "`%s`", rows[i].code);
			if (rows[i].check == (enum cs_check)check)
				assert_non_null(strstr(line, code));
		}
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
		cmocka_unit_test(each_check_denies_with_its_own_reason),
		cmocka_unit_test(reason_codes_are_documented),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
