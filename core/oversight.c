#include "oversight.h"
#include "rule.h"

#include <string.h>

#define IRREVERSIBLE_LEVEL 2	/* highest level of what cannot be undone */

static const char *const names[] = {
	[CS_OVERSIGHT_NONE] = "none",
	[CS_OVERSIGHT_SINGLE] = "single_approver",
	[CS_OVERSIGHT_TWO_PERSON] = "two_person",
};

const char *cs_oversight_name(enum cs_oversight_kind kind)
{
	return (unsigned)kind <= CS_OVERSIGHT_TWO_PERSON ? names[kind] : "two_person";
}

enum cs_err cs_oversight_by_name(const char *name, enum cs_oversight_kind *ret)
{
	for (unsigned i = 0; name != NULL && i <= CS_OVERSIGHT_TWO_PERSON; i++) {
		if (strcmp(names[i], name) == 0) {
			*ret = (enum cs_oversight_kind)i;
			return CS_OK;
		}
	}
	return CS_E_NOT_FOUND;
}

static enum cs_change_class stricter(enum cs_change_class a, enum cs_change_class b)
{
	return a > b ? a : b;
}

/*
 * max(floor, the core's claim, executable rule). What cannot be read counts as the strictest; no
 * claim is no claim.
 */
/* The command itself, and the one that undoes it: of the class, and about the same target. */
static enum cs_change_class commands_of(
	const json_t *core, const struct cs_policy *policy, const json_t *action_class)
{
	const json_t *execution = json_object_get(core, "execution"), *rollback = json_object_get(core, "rollback");

	if (json_is_object(rollback) &&
		!cs_json_same(json_object_get(execution, "target"), json_object_get(rollback, "target")))
		return CS_CHANGE_IRREVERSIBLE;
	return stricter(cs_policy_executable_rule(policy, action_class, execution),
		cs_policy_rollback_rule(policy, action_class, rollback));
}

static enum cs_change_class change_class_of(
	const json_t *core, const struct cs_policy *policy, const json_t *action_class)
{
	const json_t *claim = cs_json_at(core, "proposed_action/action_declaration/reversibility");
	enum cs_change_class floor = CS_CHANGE_IRREVERSIBLE, claimed = CS_CHANGE_IRREVERSIBLE;

	if (cs_change_class_by_name(cs_json_text(action_class, "reversibility"), &floor) != CS_OK)
		floor = CS_CHANGE_IRREVERSIBLE;
	if (claim == NULL)
		claimed = CS_CHANGE_REVERSIBLE;
	else if (cs_change_class_by_name(json_string_value(claim), &claimed) != CS_OK)
		claimed = CS_CHANGE_IRREVERSIBLE;
	return stricter(stricter(floor, claimed), commands_of(core, policy, action_class));
}

static enum cs_err add_slot(struct cs_oversight *oversight, const char *role)
{
	if (role == NULL || oversight->slot_count == CS_SLOTS_MAX)
		return CS_E_POLICY_QUORUM;
	oversight->slots[oversight->slot_count++] = role;
	return CS_OK;
}

static enum cs_err need_slot(struct cs_oversight *oversight, const char *role)
{
	for (size_t i = 0; i < oversight->slot_count; i++)
		if (strcmp(oversight->slots[i], role) == 0)
			return CS_OK;
	return add_slot(oversight, role);
}

static enum cs_err fill_slots(struct cs_oversight *oversight)
{
	const json_t *quorum = json_object_get(oversight->action_class, "quorum");
	enum cs_err err = CS_OK;

	for (size_t i = 0; err == CS_OK && i < json_array_size(quorum); i++)
		err = add_slot(oversight, json_string_value(json_array_get(quorum, i)));
	if (err == CS_OK && oversight->kind == CS_OVERSIGHT_TWO_PERSON) {
		err = need_slot(oversight, "engineer");
		if (err == CS_OK)
			err = need_slot(oversight, "change_owner");
	}
	return err;
}

static enum cs_oversight_kind kind_of(const struct cs_oversight *oversight)
{
	if (oversight->change_class == CS_CHANGE_IRREVERSIBLE &&
		cs_rule_on(CS_RULE_IRREVERSIBLE_QUORUM))
		return CS_OVERSIGHT_TWO_PERSON;
	if (oversight->level != 2)
		return CS_OVERSIGHT_NONE;
	return json_array_size(json_object_get(oversight->action_class, "quorum")) > 1
		       ? CS_OVERSIGHT_TWO_PERSON
		       : CS_OVERSIGHT_SINGLE;
}

enum cs_err cs_oversight(const json_t *core, const struct cs_policy *policy, const json_t *facts,
	cs_time now, struct cs_oversight *ret_oversight, struct cs_fault *fault)
{
	const char *capability = cs_json_text_at(core, "proposed_action/requested_capability");
	struct cs_oversight oversight = {.action_class = cs_policy_class_for(policy, capability)};
	enum cs_err err = CS_OK;

	/* No cap of today's policies depends on a fact or on the time. */
	(void)facts;
	(void)now;
	if (oversight.action_class == NULL)
		return cs_fault_set(fault, CS_E_NOT_FOUND, "/proposed_action/requested_capability",
			"no action class has the capability %s", capability ? capability : "");
	oversight.action_class_id = cs_json_text(oversight.action_class, "id");
	oversight.attested = json_is_true(json_object_get(oversight.action_class, "attested"));
	oversight.level = (int)cs_json_integer(oversight.action_class, "level", 0);
	oversight.change_class = change_class_of(core, policy, oversight.action_class);
	if (oversight.change_class == CS_CHANGE_IRREVERSIBLE &&
		oversight.level > IRREVERSIBLE_LEVEL)
		oversight.level = IRREVERSIBLE_LEVEL;
	oversight.kind = kind_of(&oversight);
	if (oversight.kind != CS_OVERSIGHT_NONE)
		err = fill_slots(&oversight);
	if (err == CS_OK && cs_rule_on(CS_RULE_IRREVERSIBLE_QUORUM) &&
		oversight.change_class == CS_CHANGE_IRREVERSIBLE && oversight.slot_count < 2)
		err = CS_E_POLICY_QUORUM;
	if (err == CS_OK && oversight.level == 2 && oversight.slot_count == 0)
		err = CS_E_POLICY_QUORUM;
	if (err != CS_OK)
		return cs_fault_set(fault, err, "",
			"the slots of %s cannot be filled as they stand",
			oversight.action_class_id);
	*ret_oversight = oversight;
	return CS_OK;
}
