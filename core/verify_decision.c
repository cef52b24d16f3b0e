#include "verify_check.h"
#include "rule.h"

#include <countersign/limits.h>
#include <stdio.h>
#include <string.h>

/*
 * ---- class, oversight, quorum and constraints: the same judgement as the signer's, with the
 * pack's facts and at issued_at ----
 */

static enum cs_err collect_decisions(const struct cs_verification *v, json_t **ret_decisions)
{
	json_t *decisions = json_array();
	json_t *paper;
	size_t i;

	if (decisions == NULL)
		return CS_E_NOMEM;
	json_array_foreach (json_object_get(v->inputs, "approvals"), i, paper) {
		if (json_array_append(decisions, json_object_get(paper, "decision")) != 0) {
			json_decref(decisions);
			return CS_E_NOMEM;
		}
	}
	*ret_decisions = decisions;
	return CS_OK;
}

static enum cs_err check_judgement(const struct cs_verification *v, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *decisions = NULL;
	const json_t *constraints = json_object_get(v->inputs, "constraints");
	const struct cs_statement_context context = {
		.registry = v->in->registry,
		.ring = v->in->ring,
		.policy = v->policy,
		.trust = v->in->trust,
		.trust_set = cs_json_text(v->statement, "trust_set"),
		.origin = cs_json_text_at(v->statement, "log/origin"),
		.facts = json_object_get(v->state, "facts"),
		.exact = cs_rule_on(CS_RULE_VERIFY_OVERSIGHT),
		.at = v->issued_at,
	};
	enum cs_err err = collect_decisions(v, &decisions);
	const struct cs_evidence evidence = {
		.core = v->core,
		.approvals = decisions,
		.constraints = json_is_object(constraints) ? constraints : NULL,
	};

	return err == CS_OK ? cs_statement_judge(&context, v->statement, &evidence, fault) : err;
}

/* ---- each brief is what its documents compose to, and each decision is bound to it ---- */

static enum cs_err bound_to(const json_t *decision, const char *member, const json_t *document,
	const char *path, struct cs_fault *fault)
{
	const char *bound = cs_json_text(json_object_get(decision, "binding"), member);
	char address[CS_ADDRESS_TEXT];
	enum cs_err err = cs_address_of(document, address);

	if (err != CS_OK)
		return err;
	if (bound == NULL || strcmp(bound, address) != 0)
		return cs_fault_set(fault, CS_E_APPROVAL_BINDING, path,
			"the decision is bound to another %s", member);
	return CS_OK;
}

struct equality {
	const char *what;
	const char *left;
	const char *right;
};

static enum cs_err all_equal(
	const struct equality *pairs, size_t count, const char *path, struct cs_fault *fault)
{
	for (size_t i = 0; i < count; i++)
		if (pairs[i].left == NULL || pairs[i].right == NULL ||
			strcmp(pairs[i].left, pairs[i].right) != 0)
			return cs_fault_set(fault, CS_E_APPROVAL_BINDING, path,
				"%s: '%s' and '%s' must be equal", pairs[i].what,
				pairs[i].left ? pairs[i].left : "nothing",
				pairs[i].right ? pairs[i].right : "nothing");
	return CS_OK;
}

/*
 * One approver's four documents belong together and to this action: person, role, names, addresses,
 * versions.
 */
static enum cs_err check_together(const struct cs_verification *v, const json_t *paper,
	const char *path, struct cs_fault *fault)
{
	const json_t *basis = json_object_get(paper, "basis"),
		     *brief = json_object_get(paper, "brief");
	const json_t *snapshot = json_object_get(paper, "snapshot"),
		     *decision = json_object_get(paper, "decision");
	char address[CS_ADDRESS_TEXT], hash[65];
	enum cs_err err = cs_address_of(basis, address);

	if (err == CS_OK)
		err = cs_content_hash(snapshot, hash);
	if (err != CS_OK)
		return err;
	const struct equality pairs[] = {
		{"the basis's approver", cs_json_text(basis, "approver"),
			cs_json_text(decision, "approver")},
		{"the basis's role", cs_json_text(basis, "role"),
			cs_json_text_at(decision, "binding/role")},
		{"the brief's basis", cs_json_text(brief, "basis"), address},
		{"the snapshot's basis", cs_json_text(snapshot, "basis"), address},
		{"the snapshot's action", cs_json_text(snapshot, "action"),
			cs_json_text(v->statement, "action")},
		{"the snapshot's approver", cs_json_text(snapshot, "approver"),
			cs_json_text(decision, "approver")},
		{"the snapshot's name", cs_json_text(snapshot, "id"),
			cs_json_text(basis, "snapshot")},
		{"the snapshot's brief", cs_json_text(snapshot, "approval_brief_id"),
			cs_json_text(brief, "id")},
		{"the snapshot's content hash", cs_json_text(snapshot, "content_hash"), hash},
		{"the decision's brief", cs_json_text(decision, "approval_brief_id"),
			cs_json_text(brief, "id")},
		{"the decision's snapshot", cs_json_text(decision, "knowledge_snapshot_id"),
			cs_json_text(snapshot, "id")},
		{"the basis's policy", cs_json_text_at(basis, "state/policy"),
			cs_json_text_at(decision, "binding/policy")},
		{"the basis's trust set", cs_json_text_at(basis, "state/trust_set"),
			cs_json_text_at(decision, "binding/trust_set")},
		{"the basis's appliance", cs_json_text_at(basis, "state/audience"),
			cs_json_text_at(decision, "binding/audience")},
	};
	err = all_equal(pairs, sizeof pairs / sizeof pairs[0], path, fault);
	if (err == CS_OK)
		err = bound_to(decision, "brief", brief, path, fault);
	return err == CS_OK ? bound_to(decision, "snapshot", snapshot, path, fault) : err;
}

static bool time_at(const json_t *paper, const char *member, cs_time *ret)
{
	const char *text = cs_json_text_at(paper, member);

	return text != NULL && cs_time_parse(text, ret, NULL) == CS_OK;
}

static enum cs_err check_order(const json_t *paper, const char *path, struct cs_fault *fault)
{
	cs_time gate, issued, captured, decided, until;

	if (!time_at(paper, "basis/gate/decided_at", &gate) || !time_at(paper, "brief/issued_at", &issued) ||
		!time_at(paper, "snapshot/captured_at", &captured) || !time_at(paper, "decision/decided_at", &decided) ||
		!time_at(paper, "basis/not_after", &until))
		return cs_fault_set(fault, CS_E_BRIEF_MISMATCH, path, "a time is missing");
	/* Briefs are issued at whole seconds. */
	if (gate / 1000 > issued / 1000)
		return cs_fault_set(fault, CS_E_BRIEF_MISMATCH, path, "the brief is older than the gate result that it shows");
	if (decided < issued || captured < issued)
		return cs_fault_set(
			fault, CS_E_APPROVAL_EARLY, path, "decided before the brief was issued");
	if (captured > decided)
		return cs_fault_set(fault, CS_E_APPROVAL_EARLY, path, "decided before anything was shown");
	if (decided > until)
		return cs_fault_set(fault, CS_E_APPROVAL_EXPIRED, path, "decided after the brief's window");
	return CS_OK;
}

/*
 * A brief of another policy's time can only stand in a pack that refuses: an allow's approvals were
 * judged under the pack's own.
 */
static bool of_this_policy(const struct cs_verification *v, const json_t *paper)
{
	const char *bound = cs_json_text_at(paper, "decision/binding/policy");

	return bound != NULL && strcmp(bound, cs_policy_address(v->policy)) == 0;
}

/*
 * One map for everybody, its signature aside: the engine that briefed the first approver may have
 * had another session key than the one that sealed. No byte of that signature is free for it: the
 * brief names the basis by an address that covers it.
 */
static enum cs_err check_consequences(const struct cs_verification *v, const json_t *paper,
	const char *path, struct cs_fault *fault)
{
	const json_t *shown = cs_json_at(paper, "basis/consequence_map");
	const json_t *sealed = json_object_get(v->inputs, "consequence_map");
	char a[CS_ADDRESS_TEXT], b[CS_ADDRESS_TEXT];
	enum cs_err err = cs_address_of(shown, a);

	if (err == CS_OK)
		err = cs_address_of(sealed, b);
	if (err == CS_E_NOMEM)
		return err;
	if (err != CS_OK || strcmp(a, b) != 0)
		return cs_fault_set(fault, CS_E_BRIEF_MISMATCH, path,
			"the approver saw another consequence map");
	return CS_OK;
}

static enum cs_err check_paper(const struct cs_verification *v, const json_t *paper,
	const char *path, struct cs_fault *fault)
{
	enum cs_err err = check_together(v, paper, path, fault);

	if (err == CS_OK)
		err = check_order(paper, path, fault);
	if (err == CS_OK && of_this_policy(v, paper))
		err = cs_brief_check(v->core, json_object_get(paper, "basis"), v->policy,
			json_object_get(paper, "brief"), fault);
	return err == CS_OK ? check_consequences(v, paper, path, fault) : err;
}

static enum cs_err check_briefs(
	const struct cs_verification *v, size_t *ret_foreign, struct cs_fault *fault)
{
	const json_t *paper;
	size_t i;

	json_array_foreach (json_object_get(v->inputs, "approvals"), i, paper) {
		char path[64];
		snprintf(path, sizeof path, "/approvals/%zu", i);
		enum cs_err err = check_paper(v, paper, path, fault);
		if (err != CS_OK)
			return err;
		*ret_foreign += !of_this_policy(v, paper);
	}
	return CS_OK;
}

static void verify_briefs(struct cs_verification *v)
{
	struct cs_fault fault = {0};
	size_t foreign = 0;
	enum cs_err err =
		cs_rule_on(CS_RULE_VERIFY_BRIEF) ? check_briefs(v, &foreign, &fault) : CS_OK;

	cs_verification_add(v, "briefs", err, &fault);
	if (err == CS_OK && foreign > 0)
		cs_verification_skip(v, "briefs_composed",
			"a brief was composed under a policy that the pack does not carry");
}

/* ---- extracts of the trust set, where the trust sets are given ---- */

static enum cs_err check_extracts(const struct cs_verification *v, struct cs_fault *fault)
{
	enum cs_err err = cs_state_matches_trust(v->state, v->in->trust, fault);
	const json_t *paper;
	size_t i;

	json_array_foreach (json_object_get(v->inputs, "approvals"), i, paper)
		if (err == CS_OK)
			err = cs_state_matches_trust(
				cs_json_at(paper, "basis/state"), v->in->trust, fault);
	return err;
}

static void verify_extracts(struct cs_verification *v)
{
	struct cs_fault fault = {0};

	if (v->in->trust == NULL)
		cs_verification_skip(v, "trust_extracts",
			"delegations and extracts of the trust set need the trust sets (--trust)");
	else
		cs_verification_add(v, "trust_extracts", check_extracts(v, &fault), &fault);
}

/* ---- assurance of the people's tokens ---- */

static void note_assurance(struct cs_verification *v)
{
	const json_t *paper;
	size_t i;

	json_array_foreach (json_object_get(v->inputs, "approvals"), i, paper) {
		const char *kid = cs_inline_kid(json_object_get(paper, "decision"));
		const struct cs_key_info *key =
			kid != NULL ? cs_keyring_find(v->in->ring, kid) : NULL;
		if (key != NULL && strcmp(key->assurance, "software") == 0)
			v->test_assurance = true;
	}
}

/* ---- the gate again, on the recorded inputs: what it found is what stands in the record ---- */

/* What the gate read of each approval is what its person signed. */
static enum cs_err check_approvals_read(const struct cs_verification *v, struct cs_fault *fault)
{
	const json_t *papers = json_object_get(v->inputs, "approvals");
	const json_t *read = json_object_get(v->state, "approvals");
	const json_t *paper;
	size_t i;

	if (json_array_size(papers) != json_array_size(read))
		return cs_fault_set(fault, CS_E_PACK, "/approvals",
			"the gate read %zu approvals, the pack carries %zu", json_array_size(read),
			json_array_size(papers));
	json_array_foreach (papers, i, paper) {
		CS_CLEANUP_JSON json_t *extract = NULL;
		const json_t *decision = json_object_get(paper, "decision");
		const char *kid = cs_inline_kid(decision);
		const struct cs_key_info *key =
			kid != NULL ? cs_keyring_find(v->in->ring, kid) : NULL;
		enum cs_err err = key == NULL ? CS_E_KEY_UNKNOWN
					      : cs_approval_extract(decision, key, &extract);
		char path[64];

		snprintf(path, sizeof path, "/approvals/%zu", i);
		if (err != CS_OK)
			return cs_fault_set(fault, err, path, "%s", cs_err_text(err));
		if (!cs_json_same(extract, json_array_get(read, i)))
			return cs_fault_set(fault, CS_E_PACK, path,
				"the gate read something else than was signed");
	}
	return CS_OK;
}

/*
 * The gate judged the state of its own moment, and an allow was sealed at once: else a broken
 * broker could judge at a time when a grant was still in force.
 */
static enum cs_err check_moment(
	const struct cs_verification *v, cs_time decided_at, struct cs_fault *fault)
{
	const char *outcome = cs_json_text(v->decision, "outcome"),
		   *at = cs_json_text(v->state, "at");
	bool allow = outcome != NULL && strncmp(outcome, "allow", strlen("allow")) == 0;

	if (at == NULL || strcmp(at, cs_json_text(v->decision, "decided_at")) != 0)
		return cs_fault_set(
			fault, CS_E_PACK, "/decision/decided_at", "not the time of the state");
	if (decided_at > cs_time_add_seconds(v->issued_at, CS_ISSUED_SKEW_SECONDS) ||
		(allow && decided_at < cs_time_add_seconds(v->issued_at, -CS_ISSUED_SKEW_SECONDS)))
		return cs_fault_set(fault, CS_E_PACK, "/decision/decided_at",
			"decided at %s, sealed at %s", at, cs_json_text(v->statement, "issued_at"));
	return CS_OK;
}

static enum cs_err check_gate(const struct cs_verification *v, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *again = NULL;
	const char *decided_at = cs_json_text(v->decision, "decided_at");
	char recorded[CS_ADDRESS_TEXT] = "", derived[CS_ADDRESS_TEXT] = "";
	struct cs_gate_input input = {
		.core = v->core,
		.policy = v->policy,
		.state = v->state,
		.decision_id = cs_json_text(v->decision, "id"),
		.final = true,
	};
	enum cs_err err = cs_time_parse(decided_at != NULL ? decided_at : "", &input.now, fault);

	if (err == CS_OK)
		err = check_moment(v, input.now, fault);
	if (err == CS_OK)
		err = check_approvals_read(v, fault);
	if (err == CS_OK)
		err = cs_gate_run(&input, &again);
	if (err == CS_OK)
		err = cs_address_of(again, derived);
	if (err == CS_OK)
		err = cs_address_of(v->decision, recorded);
	if (err == CS_OK && strcmp(recorded, derived) != 0)
		return cs_fault_set(fault, CS_E_PACK, "/decision",
			"the gate gives another decision on the recorded inputs");
	return err;
}

static void verify_gate(struct cs_verification *v)
{
	struct cs_fault fault = {0};
	enum cs_err err;

	err = cs_rule_on(CS_RULE_VERIFY_GATE) ? check_gate(v, &fault) : CS_OK;
	cs_verification_add(v, "gate", err, &fault);
}

void cs_verify_decision(struct cs_verification *v)
{
	struct cs_fault fault = {0};
	enum cs_err err;

	if (v->policy == NULL)
		return;
	note_assurance(v);
	err = cs_rule_on(CS_RULE_VERIFY_QUORUM) ? check_judgement(v, &fault) : CS_OK;
	cs_verification_add(v, "oversight_and_quorum", err, &fault);
	if (cs_verification_stop(v))
		return;
	verify_gate(v);
	if (cs_verification_stop(v))
		return;
	verify_briefs(v);
	if (!cs_verification_stop(v))
		verify_extracts(v);
}
