#include "approval.h"
#include "address.h"

/* What a person can decide; "expired" is the appliance's word and signed by nobody. */
static bool is_personal(const char *decision)
{
	static const char *const values[] = {"approved", "approved_with_restrictions", "rejected",
		"requires_more_information", "escalated"};

	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
		if (cs_text_equal(decision, values[i]))
			return true;
	return false;
}

static enum cs_err check_input(const struct cs_decision_input *input, struct cs_fault *fault)
{
	bool restricted = cs_text_equal(input->decision, "approved_with_restrictions");

	if (!is_personal(input->decision))
		return cs_fault_set(fault, CS_E_USAGE, "/decision",
			"'%s' is not a decision of a person", input->decision);
	if (restricted != (json_array_size(input->restrictions) > 0))
		return cs_fault_set(fault, CS_E_USAGE, "/restrictions",
			"restrictions belong to approved_with_restrictions, and it needs one");
	if (!cs_text_equal(cs_json_text(input->basis, "role"), input->role))
		return cs_fault_set(fault, CS_E_APPROVAL_BINDING, "/binding/role",
			"the brief was made for role '%s'",
			cs_json_text(input->basis, "role") != NULL
				? cs_json_text(input->basis, "role")
				: "");
	if (input->not_after <= input->decided_at)
		return cs_fault_set(fault, CS_E_APPROVAL_WINDOW, "/binding/not_after",
			"not after the decision");
	return CS_OK;
}

struct addresses {
	char action[CS_ADDRESS_TEXT];
	char brief[CS_ADDRESS_TEXT];
	char snapshot[CS_ADDRESS_TEXT];
};

static enum cs_err find_addresses(const struct cs_decision_input *input, struct addresses *ret)
{
	enum cs_err err = cs_address_of(input->core, ret->action);

	if (err == CS_OK)
		err = cs_address_of(input->brief, ret->brief);
	if (err == CS_OK)
		err = cs_address_of(input->snapshot, ret->snapshot);
	return err;
}

enum cs_err cs_decision_compose(
	const struct cs_decision_input *input, json_t **ret_decision, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *decision = NULL;
	struct cs_oversight oversight;
	struct addresses at;
	char decided_at[CS_TIME_TEXT], not_after[CS_TIME_TEXT];
	enum cs_err err = check_input(input, fault);

	if (err == CS_OK)
		err = cs_oversight(input->core, input->policy,
			cs_json_at(input->basis, "state/facts"), input->decided_at, &oversight,
			fault);
	if (err == CS_OK)
		err = find_addresses(input, &at);
	if (err != CS_OK)
		return err;
	decision = json_pack("{ss ss si ss? ss? ss ss ss ss? so s{ss ss ss ss ss ss ss ss ss ss}}",
		"schema", "kye.approval_decision.v1", "id", input->id, "version", 1,
		"approval_brief_id", cs_json_text(input->brief, "id"), "approver",
		cs_json_text(input->basis, "approver"), "decision", input->decision, "decided_at",
		cs_time_print(input->decided_at, decided_at), "rationale",
		input->rationale != NULL ? input->rationale : "", "knowledge_snapshot_id",
		cs_json_text(input->snapshot, "id"), "approver_decision_right",
		json_sprintf("kye:decision-right:%s", input->role), "binding", "action", at.action,
		"action_class", oversight.action_class_id, "change_class",
		cs_change_class_name(oversight.change_class), "policy",
		cs_policy_address(input->policy), "trust_set", input->trust_set, "audience",
		input->audience, "role", input->role, "brief", at.brief, "snapshot", at.snapshot,
		"not_after", cs_time_print(input->not_after, not_after));
	if (decision == NULL)
		return CS_E_NOMEM;
	if (json_array_size(input->restrictions) > 0 &&
		json_object_set_new(
			decision, "restrictions", cs_json_copied(input->restrictions)) != 0)
		return CS_E_NOMEM;
	*ret_decision = json_incref(decision);
	return CS_OK;
}

bool cs_approval_is_approval(const json_t *decision)
{
	const char *value = cs_json_text(decision, "decision");

	return cs_text_equal(value, "approved") ||
	       cs_text_equal(value, "approved_with_restrictions");
}

enum cs_err cs_approval_extract(
	const json_t *decision, const struct cs_key_info *key, json_t **ret_extract)
{
	const json_t *restrictions = json_object_get(decision, "restrictions");
	char address[CS_ADDRESS_TEXT];
	enum cs_err err = cs_address_of(decision, address);
	json_t *extract;

	if (err != CS_OK)
		return err;
	extract = json_pack("{ss ss? ss? ss? ss s{ss ss} ss ss? ss? so}", "address", address,
		"decision", cs_json_text(decision, "decision"), "approver",
		cs_json_text(decision, "approver"), "role",
		cs_json_text_at(decision, "binding/role"), "kid", key->kid, "token", "product",
		key->product, "serial", key->serial, "assurance", key->assurance, "decided_at",
		cs_json_text(decision, "decided_at"), "not_after",
		cs_json_text_at(decision, "binding/not_after"), "restrictions",
		restrictions != NULL ? cs_json_copied(restrictions) : json_array());
	if (extract == NULL)
		return CS_E_NOMEM;
	*ret_extract = extract;
	return CS_OK;
}
