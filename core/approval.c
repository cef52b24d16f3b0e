#include "approval.h"
#include "address.h"
#include "jose.h"
#include "rule.h"
#include "schema.h"

#include <string.h>

static const char schema_name[] = "kye.approval_decision.v1";

static enum cs_err check_shape(
	const struct cs_approval_context *context, const json_t *decision, struct cs_fault *fault)
{
	enum cs_err err = cs_schema_check(context->registry, schema_name, decision, fault);

	if (err != CS_OK)
		return err;
	/*
	 * Published decisions have no binding, and "expired" is no person's word: neither is ever
	 * one of ours.
	 */
	if (!json_is_object(json_object_get(decision, "binding")))
		return cs_fault_set(fault, CS_E_APPROVAL_BINDING, "/binding", "missing");
	if (cs_text_equal(cs_json_text(decision, "decision"), "expired"))
		return cs_fault_set(
			fault, CS_E_DOCUMENT_INVALID, "/decision", "enum: nobody signs 'expired'");
	if (cs_text_equal(cs_json_text(decision, "decision"), "approved_with_restrictions") !=
		(json_array_size(json_object_get(decision, "restrictions")) > 0))
		return cs_fault_set(fault, CS_E_DOCUMENT_INVALID, "/restrictions",
			"minItems: restrictions belong to approved_with_restrictions, and it needs "
			"one");
	return CS_OK;
}

static enum cs_err check_signature(
	const json_t *decision, const struct cs_key_info *key, struct cs_fault *fault)
{
	enum cs_err err;

	if (!cs_rule_on(CS_RULE_APPROVAL_SIGNATURE))
		return CS_OK;
	err = cs_inline_verify(
		decision, json_object_get(decision, "signature"), key->kid, &key->key);
	if (err == CS_OK || err == CS_E_NOMEM)
		return err;
	return cs_fault_set(fault, err, "/signature", "signature of %s by %s",
		cs_json_text(decision, "id"), key->kid);
}

/*
 * The approver's own key, in its window and not revoked at the time of judging, nor unknown when
 * the decision was made.
 */
static enum cs_err find_key(const struct cs_approval_context *context, const json_t *decision,
	cs_time decided_at, const struct cs_key_info **ret_key, struct cs_fault *fault)
{
	const char *kid = cs_inline_kid(decision);
	const char *approver = cs_json_text(decision, "approver");
	enum cs_err err;

	if (kid == NULL)
		return cs_fault_set(fault, CS_E_SIGNATURE_FORM, "/signature", "malformed");
	err = cs_keyring_key_at(context->ring, kid, schema_name, approver, context->at,
		"/signature/kid", ret_key, fault);
	if (err == CS_E_KEY_REVOKED && !cs_rule_on(CS_RULE_REVOKED)) {
		*ret_key = cs_keyring_find(context->ring, kid);
		err = *ret_key != NULL ? CS_OK : CS_E_KEY_UNKNOWN;
	}
	if (err != CS_OK)
		return err;
	if (decided_at < (*ret_key)->not_before)
		return cs_fault_set(fault, CS_E_KEY_WINDOW, "/decided_at", "before the key's time");
	return CS_OK;
}

static enum cs_err check_assurance(const struct cs_approval_context *context,
	const struct cs_key_info *key, struct cs_fault *fault)
{
	const json_t *policy = cs_policy_document(context->policy);

	if (cs_text_equal(key->assurance, "software") &&
		!json_is_true(json_object_get(policy, "software_tokens")))
		return cs_fault_set(fault, CS_E_APPROVAL_ASSURANCE, "/signature/kid",
			"the policy does not accept software tokens");
	if (context->oversight->attested && !cs_text_equal(key->assurance, "attested"))
		return cs_fault_set(fault, CS_E_APPROVAL_ASSURANCE, "/signature/kid",
			"the class demands an attested token, this one is '%s'", key->assurance);
	return CS_OK;
}

static enum cs_err check_binding(
	const struct cs_approval_context *context, const json_t *decision, struct cs_fault *fault)
{
	const json_t *binding = json_object_get(decision, "binding");
	const char *right = cs_json_text(decision, "approver_decision_right");
	const char *role = cs_json_text(binding, "role");
	static const char prefix[] = "kye:decision-right:";
	const struct {
		const char *member;
		const char *path;
		const char *expected;
		enum cs_err err;
	} rows[] = {
		{"action", "/binding/action", context->action, CS_E_APPROVAL_ACTION},
		{"action_class", "/binding/action_class", context->oversight->action_class_id,
			CS_E_APPROVAL_CLASS},
		{"change_class", "/binding/change_class",
			cs_change_class_name(context->oversight->change_class),
			CS_E_APPROVAL_CLASS},
		{"policy", "/binding/policy", cs_policy_address(context->policy),
			CS_E_APPROVAL_POLICY},
		{"trust_set", "/binding/trust_set", context->trust_set, CS_E_APPROVAL_TRUST_SET},
		{"audience", "/binding/audience", context->audience, CS_E_APPROVAL_AUDIENCE},
	};

	if (!cs_rule_on(CS_RULE_BINDING))
		return CS_OK;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *signed_value = cs_json_text(binding, rows[i].member);

		if (!cs_text_equal(signed_value, rows[i].expected))
			return cs_fault_set(fault, rows[i].err, rows[i].path,
				"signed for %s, this is %s", signed_value, rows[i].expected);
	}
	if (right != NULL && (strncmp(right, prefix, sizeof prefix - 1) != 0 ||
				     !cs_text_equal(right + sizeof prefix - 1, role)))
		return cs_fault_set(fault, CS_E_APPROVAL_BINDING, "/approver_decision_right",
			"%s, signed role %s", right, role);
	return CS_OK;
}

static enum cs_err check_windows(const struct cs_approval_context *context, cs_time decided_at,
	cs_time not_after, struct cs_fault *fault)
{
	int64_t longest =
		cs_json_integer(json_object_get(cs_policy_document(context->policy), "approval"),
			"not_after_seconds", 0);
	char text[CS_TIME_TEXT];

	if (!cs_rule_on(CS_RULE_WINDOW))
		return CS_OK;
	if (not_after <= context->at)
		return cs_fault_set(fault, CS_E_APPROVAL_EXPIRED, "/binding/not_after", "until %s",
			cs_time_print(not_after, text));
	if (decided_at > cs_time_add_seconds(context->at, CS_DECIDED_AHEAD_SECONDS))
		return cs_fault_set(fault, CS_E_APPROVAL_EARLY, "/decided_at",
			"%s is too far ahead", cs_time_print(decided_at, text));
	if (not_after > cs_time_add_seconds(decided_at, longest))
		return cs_fault_set(fault, CS_E_APPROVAL_WINDOW, "/binding/not_after",
			"more than %lld seconds", (long long)longest);
	return CS_OK;
}

static enum cs_err check_role(
	const struct cs_approval_context *context, const json_t *decision, struct cs_fault *fault)
{
	const char *approver = cs_json_text(decision, "approver");
	const char *role = cs_json_text_at(decision, "binding/role");
	enum cs_err err = cs_keyring_role(context->ring, approver, role,
		cs_json_text_at(context->core, "execution/target/service"),
		cs_json_text_at(context->core, "execution/target/environment"), context->at, fault);

	if (err == CS_E_APPROVAL_ROLE && !cs_rule_on(CS_RULE_ROLE_HELD))
		err = CS_OK;
	if (err == CS_E_APPROVAL_SCOPE && !cs_rule_on(CS_RULE_ROLE_SCOPE))
		err = CS_OK;
	if (err != CS_OK)
		return err;
	if (cs_rule_on(CS_RULE_REQUESTER) &&
		cs_text_equal(approver, cs_json_text(context->core, "requester")) &&
		!cs_text_equal(role, "engineer"))
		return cs_fault_set(fault, CS_E_APPROVAL_REQUESTER, "/binding/role",
			"%s asked for this and signs as %s", approver, role);
	return CS_OK;
}

static enum cs_err read_time(const json_t *decision, const char *path, cs_time *ret_time)
{
	const char *text = cs_json_text_at(decision, path);

	/* The schema's pattern leaves days that do not exist. */
	return text != NULL && cs_time_parse(text, ret_time, NULL) == CS_OK ? CS_OK
									    : CS_E_DOCUMENT_INVALID;
}

enum cs_err cs_approval_check(const struct cs_approval_context *context, const json_t *decision,
	const struct cs_key_info **ret_key, struct cs_fault *fault)
{
	const struct cs_key_info *key;
	cs_time decided_at, not_after;
	enum cs_err err = check_shape(context, decision, fault);

	if (err != CS_OK)
		return err;
	if (read_time(decision, "decided_at", &decided_at) != CS_OK ||
		read_time(decision, "binding/not_after", &not_after) != CS_OK)
		return cs_fault_set(
			fault, CS_E_DOCUMENT_INVALID, "/decided_at", "format: not a time");
	err = find_key(context, decision, decided_at, &key, fault);
	if (err == CS_OK)
		err = check_signature(decision, key, fault);
	if (err == CS_OK)
		err = check_assurance(context, key, fault);
	if (err == CS_OK)
		err = check_binding(context, decision, fault);
	if (err == CS_OK)
		err = check_windows(context, decided_at, not_after, fault);
	if (err == CS_OK)
		err = check_role(context, decision, fault);
	if (err == CS_OK && ret_key != NULL)
		*ret_key = key;
	return err;
}

enum cs_err cs_approval_check_record(
	const struct cs_approval_context *context, const json_t *decision, struct cs_fault *fault)
{
	const char *approver = cs_json_text(decision, "approver");
	const char *signed_action = cs_json_text_at(decision, "binding/action");
	const struct cs_key_info *key;
	enum cs_err err = check_shape(context, decision, fault);

	if (err != CS_OK)
		return err;
	key = cs_inline_kid(decision) != NULL
		      ? cs_keyring_find(context->ring, cs_inline_kid(decision))
		      : NULL;
	if (key == NULL)
		return cs_fault_set(fault, CS_E_KEY_UNKNOWN, "/signature/kid", "not enrolled");
	if (!cs_usage_may_sign(key->usage, schema_name))
		return cs_fault_set(fault, CS_E_KEY_USAGE, "/signature/kid", "%s is a %s key",
			key->kid, cs_usage_name(key->usage));
	if (!cs_text_equal(key->entity, approver))
		return cs_fault_set(fault, CS_E_KEY_ENTITY, "/signature/kid", "%s is the key of %s",
			key->kid, key->entity);
	err = check_signature(decision, key, fault);
	if (err != CS_OK)
		return err;
	if (cs_rule_on(CS_RULE_BINDING) && !cs_text_equal(signed_action, context->action))
		return cs_fault_set(fault, CS_E_APPROVAL_ACTION, "/binding/action",
			"signed for %s, this is %s", signed_action, context->action);
	return CS_OK;
}
