#include "approval.h"
#include "address.h"
#include "gate/checks.h"

#include <string.h>

static enum cs_err mismatch(struct cs_fault *fault, const char *path, const char *why)
{
	return cs_fault_set(fault, CS_E_BRIEF_MISMATCH, path, "%s", why);
}

/* Whether two documents have one address, their signatures aside. */
static enum cs_err same_address(
	const json_t *expected, const json_t *given, const char *path, struct cs_fault *fault)
{
	char a[CS_ADDRESS_TEXT], b[CS_ADDRESS_TEXT];
	enum cs_err err;

	if (!json_is_object(given))
		return mismatch(fault, path, "missing");
	err = cs_address_of(expected, a);
	if (err == CS_OK)
		err = cs_address_of(given, b);
	if (err != CS_OK)
		return err;
	return strcmp(a, b) == 0 ? CS_OK
				 : mismatch(fault, path, "not what core, policy and state give");
}

static enum cs_err time_of(
	const json_t *doc, const char *key, const char *path, cs_time *ret, struct cs_fault *fault)
{
	const char *text = cs_json_text(doc, key);

	if (text == NULL || cs_time_parse(text, ret, NULL) != CS_OK)
		return mismatch(fault, path, "not a time");
	return CS_OK;
}

/*
 * The basis carries a gate result and a consequence map. Both are functions of the core, the policy
 * and the state, so they are made again here: an approver never reads a result that the documents
 * do not give.
 */
static enum cs_err check_basis(const json_t *core, const json_t *basis,
	const struct cs_gate_input *input, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *gate = NULL, *map = NULL;
	const json_t *given = json_object_get(basis, "consequence_map");
	char action[CS_ADDRESS_TEXT];
	cs_time generated_at;
	enum cs_err err = cs_address_of(core, action);

	if (err != CS_OK)
		return err;
	if (!cs_text_equal(cs_json_text(basis, "action"), action))
		return mismatch(fault, "/action", "not the core's address");
	err = cs_gate_run(input, &gate);
	if (err == CS_OK)
		err = same_address(gate, json_object_get(basis, "gate"), "/gate", fault);
	if (err == CS_OK && !cs_text_equal(cs_json_text(given, "id"),
				    cs_json_text(basis, "consequence_map_id")))
		err = mismatch(fault, "/consequence_map_id", "not the map's");
	if (err == CS_OK)
		err = time_of(given, "generated_at", "/consequence_map/generated_at", &generated_at,
			fault);
	if (err == CS_OK && cs_json_text(given, "generated_by") == NULL)
		err = mismatch(fault, "/consequence_map/generated_by", "missing");
	if (err == CS_OK)
		err = cs_consequence_map(core, gate, cs_json_text(given, "id"),
			cs_json_text(given, "generated_by"), generated_at, &map);
	if (err == CS_OK)
		err = same_address(map, given, "/consequence_map", fault);
	return err;
}

static bool add_text(json_t *list, const char *text)
{
	return text == NULL || json_array_append_new(list, json_string(text)) == 0;
}

/* From the actor's grant through each delegation to the person at the end. */
static json_t *authority_chain(const struct cs_gate *gate)
{
	json_t *list = json_array();
	bool added = list != NULL && add_text(list, cs_json_text(gate->grant, "id"));

	for (size_t i = 0; added && i < gate->chain.count; i++)
		added = add_text(list, cs_json_text(gate->chain.links[i], "delegation_id"));
	added = added && add_text(list, cs_json_text(gate->chain.person, "id"));
	if (!added) {
		json_decref(list);
		return NULL;
	}
	return list;
}

static bool add_control(json_t *list, const char *name, const char *text)
{
	return text == NULL || json_array_append_new(list, json_sprintf("%s: %s", name, text)) == 0;
}

/* What the class demands at this level: its four cells and who must sign. */
static json_t *controls(const struct cs_gate *gate)
{
	static const char *const cells[] = {"identity", "authorization", "audit", "reversibility"};
	const struct cs_oversight *oversight = &gate->oversight;
	json_t *list = json_array();
	bool added = list != NULL;

	if (!gate->class_known)
		return list;
	const json_t *levels = json_object_get(oversight->action_class, "controls");
	const json_t *level =
		json_object_get(levels, oversight->level <= 1	? "recommend"
					: oversight->level == 2 ? "execute_with_approval"
								: "execute_autonomously");
	for (size_t i = 0; added && i < sizeof cells / sizeof cells[0]; i++)
		added = add_control(list, cells[i], cs_json_text(level, cells[i]));
	for (size_t i = 0; added && i < oversight->slot_count; i++)
		added = add_control(list, cs_oversight_name(oversight->kind), oversight->slots[i]);
	if (!added) {
		json_decref(list);
		return NULL;
	}
	return list;
}

static json_t *states(const json_t *state, const struct cs_gate *gate)
{
	return json_sprintf("actor %s; principal %s; delegator %s",
		cs_shown(cs_json_text_at(state, "actor/state")),
		cs_shown(cs_json_text_at(state, "principal/state")),
		cs_shown(cs_json_text(gate->chain.person, "state")));
}

static bool every_check_passed(const json_t *decision)
{
	size_t i;
	json_t *row;

	json_array_foreach(json_object_get(decision, "checks"), i, row)
	{
		if (!json_is_true(json_object_get(row, "passed")))
			return false;
	}
	return json_array_size(json_object_get(decision, "checks")) > 0;
}

static enum cs_err fill(const json_t *core, const json_t *basis, const struct cs_gate *gate,
	const char *issued_by, json_t **ret_brief)
{
	const json_t *decision = json_object_get(basis, "gate");
	const json_t *target = cs_json_at(core, "execution/target");
	const char *role = cs_shown(cs_json_text(basis, "role"));
	const char *issued_at = cs_shown(cs_json_text(basis, "issued_at"));
	char address[CS_ADDRESS_TEXT];
	enum cs_err err = cs_address_of(basis, address);
	json_t *brief;

	if (err != CS_OK)
		return err;
	brief = json_pack("{ss ss si s{ss ss ss} ss ss ss s[] ss s{ss ss} ss ss so ss ss ss so "
			  "s{ss ss ss} so ss so ss ss}",
		"schema", "kye.approval_brief.v1", "id", cs_shown(cs_json_text(basis, "brief")),
		"version", 1, "proposed_action", "action_id",
		cs_shown(cs_json_text_at(core, "proposed_action/proposed_action_id")),
		"action_schema", "kye.proposed_action.v1", "summary",
		cs_shown(cs_json_text_at(core, "proposed_action/action_summary")), "approver",
		cs_shown(cs_json_text(basis, "approver")), "knowledge_snapshot_id",
		cs_shown(cs_json_text(basis, "snapshot")), "consequence_map_id",
		cs_shown(cs_json_text(basis, "consequence_map_id")), "supporting_scenario_runs",
		"recommended_decision", every_check_passed(decision) ? "approved" : "rejected",
		"validity", "not_before", issued_at, "not_after",
		cs_shown(cs_json_text(basis, "not_after")), "issued_at", issued_at, "issued_by",
		issued_by, "approver_decision_right", json_sprintf("kye:decision-right:%s", role),
		"actor", cs_shown(gate->actor), "actor_kind",
		cs_shown(cs_json_text_at(core, "proposed_action/origin/source_type")), "principal",
		cs_shown(cs_json_text(core, "requester")), "authority_chain", authority_chain(gate),
		"scope", "service", cs_shown(cs_json_text(target, "service")), "environment",
		cs_shown(cs_json_text(target, "environment")), "resource",
		cs_shown(cs_json_text(target, "resource")), "state",
		states(json_object_get(basis, "state"), gate), "risk_level",
		cs_risk_level(core, cs_json_text(decision, "change_class")), "recommended_controls",
		controls(gate), "basis", address, "role", role);
	if (brief == NULL)
		return CS_E_NOMEM;
	*ret_brief = brief;
	return CS_OK;
}

enum cs_err cs_brief_compose(const json_t *core, const json_t *basis,
	const struct cs_policy *policy, const char *issued_by, json_t **ret_brief,
	struct cs_fault *fault)
{
	struct cs_gate_input input = {
		.core = core,
		.policy = policy,
		.state = json_object_get(basis, "state"),
		.decision_id = cs_json_text_at(basis, "gate/id"),
	};
	struct cs_gate gate;
	enum cs_err err;

	if (input.decision_id == NULL)
		return mismatch(fault, "/gate/id", "missing");
	err = time_of(json_object_get(basis, "gate"), "decided_at", "/gate/decided_at", &input.now,
		fault);
	if (err == CS_OK)
		err = check_basis(core, basis, &input, fault);
	if (err == CS_OK)
		err = cs_gate_prepare(&input, &gate);
	if (err != CS_OK)
		return err;
	err = fill(core, basis, &gate, issued_by, ret_brief);
	json_decref(gate.list);
	return err;
}

/* The first member, in either document, that the other does not have equally. */
static enum cs_err first_difference(json_t *expected, json_t *given, struct cs_fault *fault)
{
	json_t *const sides[2][2] = {{expected, given}, {given, expected}};

	for (size_t side = 0; side < 2; side++) {
		const char *key;
		json_t *value;

		json_object_foreach(sides[side][0], key, value)
		{
			const json_t *other = json_object_get(sides[side][1], key);

			if (strcmp(key, "signature") != 0 &&
				(other == NULL || !json_equal(value, other))) {
				char path[64] = "/";

				strncat(path, key, sizeof path - 2);
				return mismatch(fault, path, "not what the documents compose to");
			}
		}
	}
	return CS_OK;
}

enum cs_err cs_brief_check(const json_t *core, const json_t *basis, const struct cs_policy *policy,
	const json_t *brief, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *expected = NULL;
	CS_CLEANUP_JSON json_t *given = NULL;
	const char *issued_by = cs_json_text(brief, "issued_by");
	enum cs_err err;

	/* Who issued it is proved by the brief's signature, not by its content. */
	if (issued_by == NULL)
		return mismatch(fault, "/issued_by", "missing");
	err = cs_brief_compose(core, basis, policy, issued_by, &expected, fault);
	if (err != CS_OK)
		return err;
	given = cs_json_copied(brief);
	if (given == NULL)
		return CS_E_NOMEM;
	return first_difference(expected, given, fault);
}
