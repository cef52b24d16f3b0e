#include "verify_check.h"

#include <stdio.h>
#include <string.h>

/* ---- the list of checks ---- */

static void add_row(struct cs_verification *v, const char *name, const char *result,
	const char *code, const char *detail)
{
	json_t *row = json_pack(
		"{ss ss ss ss}", "name", name, "result", result, "code", code, "detail", detail);

	if (row == NULL || json_array_append_new(v->checks, row) != 0)
		v->out_of_memory = true;
}

void cs_verification_add(
	struct cs_verification *v, const char *name, enum cs_err err, const struct cs_fault *fault)
{
	char detail[600] = "";

	if (err == CS_E_NOMEM)
		v->out_of_memory = true;
	if (err != CS_OK) {
		v->failed = true;
		snprintf(detail, sizeof detail, "%s%s%s", fault->path, fault->path[0] ? ": " : "",
			fault->detail[0] ? fault->detail : cs_err_text(err));
	}
	add_row(v, name, err == CS_OK ? "passed" : "failed", err == CS_OK ? "" : cs_err_name(err),
		detail);
}

void cs_verification_skip(struct cs_verification *v, const char *name, const char *reason)
{
	add_row(v, name, "not_checked", "", reason);
}

bool cs_verification_stop(const struct cs_verification *v)
{
	return v->out_of_memory || (v->failed && v->in->stop_at_first);
}

/* ---- a published payload beside its signature ---- */

/*
 * A plain JWKS says nothing but the key. Where the keys say more, it counts: what a key may sign,
 * and that it is not revoked (no time is known by which to judge the signature). Else what a person
 * signed in one form would pass in another.
 */
static enum cs_err payload_key(
	const struct cs_verification *v, const struct cs_key_info *key, struct cs_fault *fault)
{
	const json_t *payload = json_object_get(v->in->document, "payload");

	if (cs_keyring_is_plain(v->in->ring))
		return CS_OK;
	if (!cs_usage_may_sign(key->usage, cs_json_text(payload, "schema")))
		return cs_fault_set(fault, CS_E_KEY_USAGE, "/signature/kid", "%s is a %s key",
			key->kid, cs_usage_name(key->usage));
	if (key->revoked_at != CS_TIME_MAX)
		return cs_fault_set(
			fault, CS_E_KEY_REVOKED, "/signature/kid", "%s is revoked", key->kid);
	return CS_OK;
}

static void verify_payload(struct cs_verification *v)
{
	const char *kid = cs_json_text_at(v->in->document, "signature/kid");
	const struct cs_key_info *key = kid != NULL ? cs_keyring_find(v->in->ring, kid) : NULL;
	struct cs_fault fault = {0};
	enum cs_err err;

	if (key == NULL)
		err = cs_fault_set(&fault, CS_E_KEY_UNKNOWN, "/signature/kid",
			"'%s' is not among the keys given", kid != NULL ? kid : "");
	else
		err = payload_key(v, key, &fault);
	if (err == CS_OK)
		err = cs_payload_verify(v->in->document, kid, &key->key);
	cs_verification_add(v, "signature", err, &fault);
}

/* ---- a pack ---- */

static void verify_pack(struct cs_verification *v)
{
	static const char *const later[][2] = {
		{"admissibility_evidence", "the pack does not carry it yet"},
		{"scenario_runs", "the pack does not carry them yet"},
		{"control_rows", "the pack does not carry them yet"},
		{"replay",
			"the gate was run again (gate); a kye.decision_replay.v1 is not made yet"},
	};
	struct cs_fault fault = {0};

	if (cs_keyring_is_plain(v->in->ring)) {
		cs_verification_add(v, "keys",
			cs_fault_set(&fault, CS_E_KEY, "",
				"a pack needs the appliance's published keys or its trust sets"),
			&fault);
		return;
	}
	cs_verify_seal(v);
	if (v->seal_key == NULL || v->statement == NULL || cs_verification_stop(v))
		return;
	cs_verify_members(v);
	/* Without the members nothing further can be looked at. */
	if (v->core == NULL || v->decision == NULL || cs_verification_stop(v))
		return;
	cs_verify_signatures(v);
	if (cs_verification_stop(v))
		return;
	cs_verify_decision(v);
	cs_verify_envelopes(v);
	for (size_t i = 0; i < sizeof later / sizeof later[0]; i++)
		cs_verification_skip(v, later[i][0], later[i][1]);
}

/* ---- is it an authorisation, for this request, now? ---- */

/*
 * The first member of `a`, those exempt aside, that does not stand equal in `b`; NULL when all do.
 */
static const char *first_difference(
	const json_t *a, const json_t *b, const char *const *exempt, size_t exempt_count)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)a, key, value) {
		size_t i = 0;
		while (i < exempt_count && strcmp(key, exempt[i]) != 0)
			i++;
		if (i == exempt_count && !cs_json_same(value, json_object_get(b, key)))
			return key;
	}
	return NULL;
}

/* The core is the request, its schema aside, with what the appliance added. */
static enum cs_err check_request(const struct cs_verification *v, struct cs_fault *fault)
{
	static const char *const added[] = {"schema", "requester", "policy", "nonce"};
	enum cs_err err = cs_schema_check(
		v->in->registry, "countersign.action_request.v1", v->in->request, fault);
	const char *key = first_difference(v->in->request, v->core, added, 1);

	if (err != CS_OK)
		return err == CS_E_NOMEM ? err : CS_E_NOT_AUTHORISED;
	if (key == NULL)
		key = first_difference(
			v->core, v->in->request, added, sizeof added / sizeof added[0]);
	return key == NULL ? CS_OK
			   : cs_fault_set(fault, CS_E_NOT_AUTHORISED, key,
				     "the pack is for another request");
}

/*
 * Restrictions that the verifier can judge: "not before", and words that somebody has to acknowledge first. The others are for whoever executes, who finds them in
 * the verdict and refuses a type it does not know.
 */
static enum cs_err check_restrictions(const struct cs_verification *v, struct cs_fault *fault)
{
	const json_t *restriction;
	size_t i;

	json_array_foreach(cs_json_at(v->inputs, "constraints/restrictions"), i, restriction) {
		const char *type = cs_json_text(restriction, "type"), *value = cs_json_text(restriction, "value");
		const char *summary = cs_json_text(restriction, "summary");
		cs_time from;
		if (type == NULL || cs_text_equal(type, "acknowledge"))
			return cs_fault_set(fault, CS_E_NOT_AUTHORISED, "/constraints", "has to be acknowledged first: %s",
				summary != NULL ? summary : "");
		if (!cs_text_equal(type, "not_before"))
			continue;
		if (value == NULL || cs_time_parse(value, &from, NULL) != CS_OK || v->in->now < from)
			return cs_fault_set(fault, CS_E_NOT_AUTHORISED, "/constraints", "not before %s", value != NULL ? value : "a time that is missing");
	}
	return CS_OK;
}

static enum cs_err check_allow(const struct cs_verification *v, struct cs_fault *fault)
{
	const char *outcome = cs_json_text(v->statement, "outcome"),
		   *until = cs_json_text(v->statement, "not_after");
	cs_time not_after;

	if (!cs_outcome_is_allow(outcome))
		return cs_fault_set(fault, CS_E_NOT_AUTHORISED, "/outcome", "the decision is %s",
			outcome != NULL ? outcome : "missing");
	if (until == NULL || cs_time_parse(until, &not_after, NULL) != CS_OK)
		return cs_fault_set(
			fault, CS_E_NOT_AUTHORISED, "/not_after", "an allow without an end");
	if (v->in->now > not_after)
		return cs_fault_set(fault, CS_E_NOT_AUTHORISED, "/not_after",
			"it could be used until %s", until);
	if (v->in->now < cs_time_add_seconds(v->issued_at, -CS_ISSUED_SKEW_SECONDS))
		return cs_fault_set(fault, CS_E_NOT_AUTHORISED, "/issued_at",
			"it is issued at %s, which is in the future",
			cs_json_text(v->statement, "issued_at"));
	if (v->in->request == NULL)
		return cs_fault_set(fault, CS_E_NOT_AUTHORISED, "", "no request was given to compare with");
	enum cs_err err = check_request(v, fault);
	return err == CS_OK ? check_restrictions(v, fault) : err;
}

/* ---- the verdict ---- */

/* Takes `value` over; frees the list when it cannot, so that nothing is left out of it silently. */
static json_t *with(json_t *list, json_t *value)
{
	if (json_array_append_new(list, value) == 0)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *names_not_checked(const json_t *checks)
{
	json_t *names = json_array();
	const json_t *row;
	size_t i;

	json_array_foreach (checks, i, row) {
		const char *result = cs_json_text(row, "result");
		if (result != NULL && strcmp(result, "not_checked") == 0)
			names = with(names, json_string(cs_json_text(row, "name")));
	}
	return names;
}

static json_t *approvers(const json_t *inputs)
{
	json_t *list = json_array();
	const json_t *paper;
	size_t i;

	json_array_foreach (json_object_get(inputs, "approvals"), i, paper) {
		const json_t *d = json_object_get(paper, "decision");
		list = with(list,
			json_pack("{ss? ss? ss? ss? ss?}", "approver", cs_json_text(d, "approver"),
				"role", cs_json_text_at(d, "binding/role"), "kid", cs_inline_kid(d),
				"decision", cs_json_text(d, "decision"), "decided_at",
				cs_json_text(d, "decided_at")));
	}
	return list;
}

static json_t *text_or_null(const char *text)
{
	return text != NULL ? json_string(text) : json_null();
}

static void summarise(
	const struct cs_verification *v, bool pack, bool authorised, char *text, size_t size)
{
	const char *outcome = cs_json_text(v->statement, "outcome");
	bool allow = cs_outcome_is_allow(outcome);
	const char *conclusion = "NOT an authorisation";

	if (authorised)
		conclusion = "authorises this request";
	else if (allow && !v->in->expect_allow)
		conclusion = "whether it authorises a request was not asked";
	if (v->failed)
		snprintf(text, size, "NOT authentic");
	else if (!pack)
		snprintf(text, size, "authentic");
	else
		snprintf(text, size, "authentic%s; decision: %s; %s",
			v->test_assurance ? " (test: software tokens)" : "",
			outcome != NULL ? outcome : "none", conclusion);
}

/* What the tokens were worth that the verdict rests on; nothing where it rests on none. */
static json_t *assurance(const struct cs_verification *v, bool pack)
{
	if (!pack || v->failed)
		return json_null();
	return json_string(v->test_assurance ? "test" : "hardware");
}

/* What whoever executes has to keep to. */
static json_t *restrictions_of(const json_t *inputs)
{
	json_t *copy = NULL;
	const json_t *restrictions = cs_json_at(inputs, "constraints/restrictions");

	if (restrictions == NULL)
		return json_array();
	return cs_json_copy(restrictions, &copy) == CS_OK ? copy : NULL;
}

static enum cs_err compose_verdict(
	struct cs_verification *v, bool pack, bool authorised, json_t **ret_verdict)
{
	const json_t *s = v->statement;
	char summary[200];

	summarise(v, pack, authorised, summary, sizeof summary);
	json_t *verdict = json_pack("{sb sb ss so so so so so so so so so so so so so sO so ss}",
		"authentic", !v->failed, "authorised", authorised, "kind",
		pack ? "pack" : "payload", "decision", text_or_null(cs_json_text(s, "outcome")),
		"action", text_or_null(cs_json_text(s, "action")), "action_class",
		text_or_null(cs_json_text(s, "action_class")), "change_class",
		text_or_null(cs_json_text(s, "change_class")), "oversight",
		text_or_null(cs_json_text(s, "oversight")), "issued_at",
		text_or_null(cs_json_text(s, "issued_at")), "not_after",
		text_or_null(cs_json_text(s, "not_after")), "signer",
		text_or_null(v->seal_key != NULL ? v->seal_key->entity : NULL), "assurance",
		assurance(v, pack), "restrictions", restrictions_of(v->inputs), "genesis",
		text_or_null(cs_keyring_genesis(v->in->ring)), "revocations_as_of",
		text_or_null(cs_keyring_as_of(v->in->ring)), "approvals", approvers(v->inputs),
		"checks", v->checks, "not_checked", names_not_checked(v->checks), "summary",
		summary);
	if (verdict == NULL)
		return CS_E_NOMEM;
	*ret_verdict = verdict;
	return CS_OK;
}

enum cs_err cs_verify(const struct cs_verify_input *input, json_t **ret_verdict)
{
	struct cs_verification v = {.in = input, .checks = json_array()};
	bool pack = json_object_get(input->document, "payload") == NULL;
	bool authorised = false;
	struct cs_fault fault = {0};
	enum cs_err err = v.checks == NULL ? CS_E_NOMEM : CS_OK;

	if (err == CS_OK && pack)
		verify_pack(&v);
	else if (err == CS_OK)
		verify_payload(&v);
	/*
	 * Authentic is one thing, an authorisation another: this check does not make a pack less
	 * authentic.
	 */
	if (err == CS_OK && input->expect_allow && !v.failed) {
		enum cs_err allow =
			pack ? check_allow(&v, &fault)
			     : cs_fault_set(&fault, CS_E_NOT_AUTHORISED, "", "not a pack");
		authorised = allow == CS_OK;
		add_row(&v, "authorisation", authorised ? "passed" : "failed",
			authorised ? "" : cs_err_name(allow), fault.detail);
	}
	if (v.out_of_memory)
		err = CS_E_NOMEM;
	if (err == CS_OK)
		err = compose_verdict(&v, pack, authorised, ret_verdict);
	json_decref(v.checks);
	json_decref(v.statement);
	cs_policy_free(v.policy);
	return err;
}
