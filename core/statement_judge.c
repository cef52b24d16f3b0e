#include "statement_table.h"
#include "address.h"
#include "rule.h"
#include "schema.h"

#include <string.h>

static enum cs_err check_versions(
	const struct cs_statement_context *context, const json_t *statement, struct cs_fault *fault)
{
	const char *trust_set = cs_json_text(statement, "trust_set");
	const char *policy = cs_json_text(statement, "policy");

	if (!cs_text_equal(cs_json_text_at(statement, "log/origin"), context->origin))
		return cs_fault_set(
			fault, CS_E_LOG_ORIGIN, "/log/origin", "this log is %s", context->origin);
	if (cs_rule_on(CS_RULE_VERSIONS) && !cs_text_equal(trust_set, context->trust_set))
		return cs_fault_set(fault, CS_E_STATEMENT_TRUST_SET, "/trust_set", "in force is %s",
			context->trust_set);
	if (cs_rule_on(CS_RULE_VERSIONS) &&
		!cs_text_equal(policy, cs_policy_address(context->policy)))
		return cs_fault_set(fault, CS_E_STATEMENT_POLICY, "/policy", "in force is %s",
			cs_policy_address(context->policy));
	return CS_OK;
}

/* Each row of the table has its evidence, all of it and nothing else. */
static enum cs_err check_evidence(enum cs_statement_judge judge, const json_t *statement,
	const struct cs_evidence *evidence, struct cs_fault *fault)
{
	static const struct {
		bool core;
		bool decisions;	   /* may be listed */
		bool one_decision; /* exactly one */
	} needs[CS_JUDGE_COUNT] = {
		[CS_JUDGE_ALLOW] = {true, true, false},
		[CS_JUDGE_REFUSAL] = {true, true, false},
		[CS_JUDGE_APPROVAL] = {true, true, true},
		[CS_JUDGE_TRUST_SET] = {false, false, false},
		[CS_JUDGE_POLICY] = {false, false, false},
	};
	bool names_constraints = !json_is_null(json_object_get(statement, "constraints"));
	size_t decisions = json_array_size(evidence->approvals);

	if ((evidence->core != NULL) != needs[judge].core)
		return cs_fault_set(fault, CS_E_STATEMENT_EVIDENCE, "/action",
			"the action core is %s", evidence->core != NULL ? "not wanted" : "missing");
	if (needs[judge].one_decision ? decisions != 1 : decisions > 0 && !needs[judge].decisions)
		return cs_fault_set(fault, CS_E_STATEMENT_EVIDENCE, "/approvals",
			"%zu decisions are not what this needs", decisions);
	if ((evidence->constraints != NULL) != names_constraints)
		return cs_fault_set(fault, CS_E_STATEMENT_EVIDENCE, "/constraints",
			"the constraints are %s",
			evidence->constraints != NULL ? "not wanted" : "missing");
	if (evidence->document != NULL)
		return cs_fault_set(
			fault, CS_E_STATEMENT_EVIDENCE, "/subject", "no document is wanted");
	return CS_OK;
}

/* The statement lists exactly the decisions given. */
static enum cs_err check_listed(
	const json_t *statement, const struct cs_evidence *evidence, struct cs_fault *fault)
{
	const json_t *listed = json_object_get(statement, "approvals");
	json_t *given = NULL;
	enum cs_err err;
	bool same;

	if (json_array_size(listed) != json_array_size(evidence->approvals))
		return cs_fault_set(fault, CS_E_STATEMENT_EVIDENCE, "/approvals",
			"%zu listed, %zu given", json_array_size(listed),
			json_array_size(evidence->approvals));
	err = cs_statement_addresses(evidence->approvals, &given);
	if (err != CS_OK)
		return err;
	same = json_equal(given, listed);
	json_decref(given);
	return same ? CS_OK
		    : cs_fault_set(fault, CS_E_STATEMENT_MISMATCH, "/approvals", "not those given");
}

static struct cs_approval_context approval_context(const struct cs_statement_context *context,
	const json_t *core, const struct cs_derived *derived)
{
	return (struct cs_approval_context){
		.registry = context->registry,
		.ring = context->ring,
		.policy = context->policy,
		.trust_set = context->trust_set,
		.audience = context->origin,
		.core = core,
		.action = derived->action,
		.oversight = &derived->oversight,
		.at = context->at,
	};
}

/*
 * The core names who asked. Only the trust set can say whether that is true; published keys alone
 * cannot. A verifier looks back: the agent may have been ended since, so that it was active is left
 * to the state in the pack.
 */
static enum cs_err check_requester(
	const struct cs_statement_context *context, const json_t *core, struct cs_fault *fault)
{
	const char *actor = cs_json_text_at(core, "purpose_request/actor");
	const char *requester = cs_json_text(core, "requester");
	const json_t *agent;

	if (context->trust == NULL)
		return CS_OK;
	agent = actor != NULL ? cs_trust_agent(context->trust, actor) : NULL;
	if (agent == NULL ||
		(!context->exact && !cs_text_equal(cs_json_text(agent, "state"), "active")))
		return cs_fault_set(fault, CS_E_STATEMENT_MISMATCH, "/action",
			"the actor %s is not active", actor != NULL ? actor : "");
	if (!cs_text_equal(cs_json_text(agent, "principal"), requester))
		return cs_fault_set(fault, CS_E_STATEMENT_MISMATCH, "/action",
			"the requester %s is not the principal of %s",
			requester != NULL ? requester : "", actor);
	return CS_OK;
}

static enum cs_err check_sorted(const json_t *restrictions, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes previous = {0};
	size_t i;
	json_t *restriction;

	json_array_foreach(restrictions, i, restriction)
	{
		CS_CLEANUP_BYTES struct cs_bytes bytes = {0};
		enum cs_err err = cs_canonical_print(restriction, &bytes);

		if (err != CS_OK)
			return err;
		if (i > 0) {
			size_t len = bytes.len < previous.len ? bytes.len : previous.len;
			int order = memcmp(previous.data, bytes.data, len);

			if (order > 0 || (order == 0 && previous.len >= bytes.len))
				return cs_fault_set(fault, CS_E_STATEMENT_MISMATCH, "/constraints",
					"not sorted");
		}
		cs_bytes_free(&previous);
		previous = bytes;
		bytes = (struct cs_bytes){0};
	}
	return CS_OK;
}

static enum cs_err check_constraints(const struct cs_statement_context *context,
	const json_t *statement, const struct cs_evidence *evidence, struct cs_fault *fault)
{
	const char *stated = cs_json_text(statement, "constraints");
	bool constrained =
		cs_text_equal(cs_json_text(statement, "outcome"), "allow_with_constraints");
	char address[CS_ADDRESS_TEXT];
	enum cs_err err;

	if (!cs_rule_on(CS_RULE_CONSTRAINTS))
		return CS_OK;
	err = cs_constraints_cover(evidence->constraints, evidence->approvals, fault);
	if (err != CS_OK)
		return err;
	if (constrained != (evidence->constraints != NULL))
		return cs_fault_set(fault, CS_E_STATEMENT_MISMATCH, "/outcome",
			"constraints and outcome do not go together");
	if (evidence->constraints == NULL)
		return CS_OK;
	err = cs_schema_check(
		context->registry, "countersign.constraints.v1", evidence->constraints, fault);
	if (err == CS_OK)
		err = cs_address_of(evidence->constraints, address);
	if (err == CS_OK && !cs_text_equal(stated, address))
		err = cs_statement_mismatch(fault, "/constraints", stated, address);
	return err == CS_OK
		       ? check_sorted(json_object_get(evidence->constraints, "restrictions"), fault)
		       : err;
}

static enum cs_err check_not_after(const struct cs_statement_context *context,
	const json_t *statement, const struct cs_evidence *evidence, struct cs_fault *fault)
{
	const char *text = cs_json_text(statement, "not_after");
	const char *issued = cs_json_text(statement, "issued_at");
	int64_t longest =
		cs_json_integer(json_object_get(cs_policy_document(context->policy), "approval"),
			"not_after_seconds", 0);
	cs_time not_after, issued_at, limit;

	if (!cs_rule_on(CS_RULE_NOT_AFTER))
		return CS_OK;
	if (text == NULL || cs_time_parse(text, &not_after, NULL) != CS_OK)
		return cs_fault_set(
			fault, CS_E_STATEMENT_WINDOW, "/not_after", "an allow ends some time");
	if (issued == NULL || cs_time_parse(issued, &issued_at, NULL) != CS_OK)
		return cs_fault_set(fault, CS_E_STATEMENT_WINDOW, "/issued_at", "not a time");
	/* Where nobody approved, the window that an approval could have had is the longest. */
	limit = json_array_size(evidence->approvals) > 0
			? cs_approvals_not_after(evidence->approvals)
			: cs_time_add_seconds(issued_at, longest);
	if (not_after <= context->at || not_after <= issued_at)
		return cs_fault_set(fault, CS_E_STATEMENT_WINDOW, "/not_after", "%s is past", text);
	if (not_after > limit)
		return cs_fault_set(fault, CS_E_STATEMENT_WINDOW, "/not_after",
			"%s is later than the approvals or the policy", text);
	return CS_OK;
}

static enum cs_err judge_allow(const struct cs_statement_context *context, const json_t *statement,
	const struct cs_evidence *evidence, const struct cs_derived *derived,
	struct cs_fault *fault)
{
	struct cs_approval_context approvals = approval_context(context, evidence->core, derived);
	enum cs_err err;

	if (cs_rule_on(CS_RULE_OVERSIGHT) && derived->oversight.level < 2)
		return cs_fault_set(fault, CS_E_STATEMENT_LAX, "/outcome",
			"level %d allows nothing", derived->oversight.level);
	if (cs_rule_on(CS_RULE_VERSIONS) && !cs_text_equal(cs_json_text(evidence->core, "policy"),
						    cs_policy_address(context->policy)))
		return cs_fault_set(fault, CS_E_STATEMENT_POLICY, "/action",
			"the core was configured for another policy");
	err = check_requester(context, evidence->core, fault);
	if (err == CS_OK)
		err = check_listed(statement, evidence, fault);
	if (err == CS_OK && cs_rule_on(CS_RULE_QUORUM))
		err = cs_quorum_check(&approvals, evidence->approvals, fault);
	if (err == CS_OK)
		err = check_constraints(context, statement, evidence, fault);
	return err == CS_OK ? check_not_after(context, statement, evidence, fault) : err;
}

static enum cs_err judge_refusal(const struct cs_statement_context *context,
	const json_t *statement, const struct cs_evidence *evidence,
	const struct cs_derived *derived, struct cs_fault *fault)
{
	struct cs_approval_context approvals = approval_context(context, evidence->core, derived);
	enum cs_err err = check_listed(statement, evidence, fault);
	size_t i;
	json_t *decision;

	json_array_foreach(evidence->approvals, i, decision) if (err == CS_OK) err =
		cs_approval_check_record(&approvals, decision, fault);
	return err;
}

static enum cs_err judge_approval(const struct cs_statement_context *context,
	const json_t *statement, const struct cs_evidence *evidence,
	const struct cs_derived *derived, struct cs_fault *fault)
{
	struct cs_approval_context approvals = approval_context(context, evidence->core, derived);
	const json_t *decision = json_array_get(evidence->approvals, 0);
	const char *subject = cs_json_text(statement, "subject");
	const char *outcome = cs_json_text(statement, "outcome");
	char address[CS_ADDRESS_TEXT];
	enum cs_err err = cs_address_of(decision, address);

	if (err != CS_OK)
		return err;
	if (!cs_text_equal(subject, address))
		return cs_statement_mismatch(fault, "/subject", subject, address);
	if (!cs_text_equal(outcome, cs_json_text(decision, "decision")))
		return cs_statement_mismatch(
			fault, "/outcome", outcome, cs_json_text(decision, "decision"));
	/* A rejection that could be recorded only after its window is still a rejection. */
	return cs_approval_is_approval(decision)
		       ? cs_approval_check(&approvals, decision, NULL, fault)
		       : cs_approval_check_record(&approvals, decision, fault);
}

static enum cs_err judge_action(const struct cs_statement_context *context, const json_t *statement,
	enum cs_statement_judge judge, const struct cs_evidence *evidence, struct cs_fault *fault)
{
	struct cs_derived derived = {0};
	enum cs_err err = cs_statement_derive(context, statement, evidence->core, &derived, fault);

	if (err == CS_OK)
		err = cs_statement_classes(context, statement, judge, &derived, fault);
	if (err != CS_OK)
		return err;
	switch (judge) {
	case CS_JUDGE_ALLOW:
		return judge_allow(context, statement, evidence, &derived, fault);
	case CS_JUDGE_REFUSAL:
		return judge_refusal(context, statement, evidence, &derived, fault);
	case CS_JUDGE_APPROVAL:
		return judge_approval(context, statement, evidence, &derived, fault);
	default:
		return CS_E_INTERNAL;
	}
}

enum cs_err cs_statement_judge(const struct cs_statement_context *context, const json_t *statement,
	const struct cs_evidence *evidence, struct cs_fault *fault)
{
	const struct cs_statement_row *row = cs_statement_row(statement);
	const char *subject = cs_json_text(statement, "subject");
	enum cs_err err;

	if (row == NULL)
		return cs_fault_set(fault, CS_E_STATEMENT_SHAPE, "/kind",
			"no such kind, mode and outcome together");
	err = check_versions(context, statement, fault);
	if (err == CS_OK)
		err = check_evidence(row->judge, statement, evidence, fault);
	if (err != CS_OK)
		return err;
	if (row->judge == CS_JUDGE_TRUST_SET)
		return cs_text_equal(subject, context->trust_set)
			       ? CS_OK
			       : cs_fault_set(fault, CS_E_STATEMENT_TRUST_SET, "/subject",
					 "in force is %s", context->trust_set);
	if (row->judge == CS_JUDGE_POLICY)
		return cs_text_equal(subject, cs_policy_address(context->policy))
			       ? CS_OK
			       : cs_fault_set(fault, CS_E_STATEMENT_POLICY, "/subject",
					 "in force is %s", cs_policy_address(context->policy));
	return judge_action(context, statement, row->judge, evidence, fault);
}
