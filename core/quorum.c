#include "approval.h"
#include "address.h"
#include "rule.h"

#include <stdio.h>
#include <string.h>

/* One approval that counted: which slot, and what must not come twice. */
struct filled {
	size_t slot;
	char address[CS_ADDRESS_TEXT];
	const char *approver;
	const struct cs_key_info *key;
};

static enum cs_err at_index(struct cs_fault *fault, enum cs_err err, size_t index, const char *why)
{
	char path[32];

	snprintf(path, sizeof path, "/%zu", index);
	return cs_fault_set(fault, err, path, "%s", why);
}

static enum cs_err check_distinct(
	const struct filled *others, size_t count, const struct filled *one, struct cs_fault *fault)
{
	for (size_t i = 0; i < count; i++) {
		const struct filled *other = &others[i];

		if (strcmp(other->address, one->address) == 0)
			return at_index(fault, CS_E_APPROVAL_DUPLICATE, count, one->address);
		if (cs_rule_on(CS_RULE_TWO_PERSONS) &&
			cs_text_equal(other->approver, one->approver))
			return at_index(fault, CS_E_APPROVAL_SAME_PERSON, count, one->approver);
		if (cs_rule_on(CS_RULE_TWO_KEYS) &&
			(cs_text_equal(other->key->kid, one->key->kid) ||
				cs_public_key_equal(&other->key->key, &one->key->key)))
			return at_index(fault, CS_E_APPROVAL_SAME_KEY, count, one->key->kid);
		if (cs_rule_on(CS_RULE_TWO_TOKENS) &&
			cs_text_equal(other->key->product, one->key->product) &&
			cs_text_equal(other->key->serial, one->key->serial))
			return at_index(fault, CS_E_APPROVAL_SAME_TOKEN, count, one->key->serial);
	}
	return CS_OK;
}

static enum cs_err find_slot(const struct cs_oversight *oversight, const struct filled *others,
	size_t count, const char *role, size_t *ret_slot, struct cs_fault *fault)
{
	for (size_t slot = 0; slot < oversight->slot_count; slot++) {
		bool taken = false;

		for (size_t i = 0; i < count; i++)
			taken = taken || others[i].slot == slot;
		if (!taken && cs_text_equal(oversight->slots[slot], role)) {
			*ret_slot = slot;
			return CS_OK;
		}
	}
	return at_index(fault, CS_E_APPROVAL_SLOT, count, role);
}

static bool demands(const struct cs_oversight *oversight, const char *role)
{
	for (size_t i = 0; i < oversight->slot_count; i++)
		if (cs_text_equal(oversight->slots[i], role))
			return true;
	return false;
}

/*
 * Whatever made the list of slots: an action for two people is never let through by fewer, nor by
 * others.
 */
static enum cs_err check_slots(const struct cs_oversight *oversight, struct cs_fault *fault)
{
	if (oversight->kind == CS_OVERSIGHT_TWO_PERSON &&
		(oversight->slot_count < 2 || !demands(oversight, "engineer") ||
			!demands(oversight, "change_owner")))
		return cs_fault_set(fault, CS_E_POLICY_QUORUM, "",
			"two people, engineer and change owner among them");
	if (oversight->kind == CS_OVERSIGHT_SINGLE && oversight->slot_count == 0)
		return cs_fault_set(fault, CS_E_POLICY_QUORUM, "", "one approver at least");
	return CS_OK;
}

enum cs_err cs_quorum_check(
	const struct cs_approval_context *context, const json_t *decisions, struct cs_fault *fault)
{
	const struct cs_oversight *oversight = context->oversight;
	struct filled filled[CS_APPROVALS_MAX];
	size_t count = 0, i;
	json_t *decision;
	enum cs_err err = check_slots(oversight, fault);

	if (err != CS_OK)
		return err;
	if (json_array_size(decisions) > CS_APPROVALS_MAX)
		return cs_fault_set(
			fault, CS_E_TOO_LARGE, "", "more than %d approvals", CS_APPROVALS_MAX);
	json_array_foreach(decisions, i, decision)
	{
		struct filled *one = &filled[count];

		err = cs_approval_check(context, decision, &one->key, fault);
		if (err != CS_OK)
			return err;
		if (cs_rule_on(CS_RULE_IS_APPROVAL) && !cs_approval_is_approval(decision))
			return at_index(fault, CS_E_APPROVAL_REJECTED, i,
				cs_json_text(decision, "decision"));
		one->approver = cs_json_text(decision, "approver");
		err = cs_address_of(decision, one->address);
		if (err == CS_OK)
			err = check_distinct(filled, count, one, fault);
		if (err == CS_OK)
			err = find_slot(oversight, filled, count,
				cs_json_text_at(decision, "binding/role"), &one->slot, fault);
		if (err != CS_OK)
			return err;
		count++;
	}
	for (size_t slot = 0; slot < oversight->slot_count; slot++) {
		bool taken = false;

		for (i = 0; i < count; i++)
			taken = taken || filled[i].slot == slot;
		if (!taken)
			return cs_fault_set(fault, CS_E_APPROVAL_MISSING, "", "nobody signed as %s",
				oversight->slots[slot]);
	}
	return CS_OK;
}

cs_time cs_approvals_not_after(const json_t *decisions)
{
	cs_time earliest = CS_TIME_MAX;
	size_t i;
	json_t *decision;

	json_array_foreach(decisions, i, decision)
	{
		const char *text = cs_json_text_at(decision, "binding/not_after");
		cs_time not_after;

		/* One that cannot be read allows nothing. */
		if (text == NULL || cs_time_parse(text, &not_after, NULL) != CS_OK)
			return 0;
		if (not_after < earliest)
			earliest = not_after;
	}
	return earliest;
}
