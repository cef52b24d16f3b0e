/* kye.admissibility_decision.v1: the decision record in its published form, by table. */
#include "checks.h"

static const struct {
	const char *outcome;
	const char *decision;
	const char *next_step;
} outcomes[] = {
	{"allow", "admit", "route_to_authority_check"},
	{"allow_with_constraints", "admit", "route_to_authority_check"},
	{"require_approval", "route_to_authority_check", "route_to_authority_check"},
	{"require_human_review", "require_human_review", "request_human_review"},
	{"quarantine", "quarantine", "quarantine"},
	{"deny", "reject", "block"},
};

/* Dimensions that one check answers; `inverted` where the published name states the fault. */
static const struct {
	const char *dimension;
	enum cs_check check;
	bool inverted;
} dimensions[] = {
	{"principal_resolved", CS_CHECK_REQUESTER, false},
	{"actor_resolved", CS_CHECK_ACTOR_REGISTERED, false},
	{"accountable_owner_known", CS_CHECK_DELEGATION, false},
	{"capability_known", CS_CHECK_CLASS, false},
	{"resource_known", CS_CHECK_RESOURCE_KNOWN, false},
	{"data_source_allowed", CS_CHECK_DATA_CLASS_IN_SCOPE, false},
	{"prohibited_action_class", CS_CHECK_LEVEL, true},
	{"evidence_ready", CS_CHECK_DUE_DILIGENCE, false},
	{"jurisdiction_supported", CS_CHECK_WITHIN_JURISDICTION, false},
};

static bool check_passed(const json_t *checks, enum cs_check check)
{
	return json_is_true(
		json_object_get(cs_json_find(checks, "check", cs_check_name(check)), "passed"));
}

static bool engine_passed(const json_t *checks, const char *engine)
{
	size_t i;
	json_t *row;

	json_array_foreach(checks, i, row)
	{
		if (cs_text_equal(cs_json_text(row, "engine"), engine) &&
			!json_is_true(json_object_get(row, "passed")))
			return false;
	}
	return true;
}

/* Dimensions that nobody assessed are left out. */
static json_t *checked_dimensions(const json_t *core, const json_t *decision)
{
	const json_t *checks = json_object_get(decision, "checks");
	const json_t *declaration = cs_json_at(core, "proposed_action/action_declaration");
	bool declared = cs_json_text(declaration, "action_type") != NULL &&
			cs_json_text(declaration, "effect_class") != NULL;
	bool effects = cs_json_text(declaration, "effect_class") != NULL &&
		       json_is_array(json_object_get(declaration, "side_effects_declared"));
	const char *change_class = cs_json_text(decision, "change_class");
	bool undoable = (change_class != NULL && !cs_text_equal(change_class, "irreversible")) ||
			check_passed(checks, CS_CHECK_ROLLBACK_EXECUTION);
	json_t *doc = json_pack("{sb sb sb sb sb sb sb}", "intent_present",
		cs_json_text_at(core, "proposed_action/intent_ref") != NULL, "formal_rule_block",
		!engine_passed(checks, "rules"), "risk_state_acceptable",
		engine_passed(checks, "state"), "action_declared", declared,
		"action_effect_declared", effects, "action_reversible_or_rollbackable", undoable,
		"action_risk_classified",
		cs_json_text_at(core, "proposed_action/action_risk_classification/risk_tier") !=
			NULL);

	for (size_t i = 0; i < sizeof dimensions / sizeof dimensions[0]; i++) {
		bool passed = check_passed(checks, dimensions[i].check);

		if (json_object_set_new(doc, dimensions[i].dimension,
			    json_boolean(passed != dimensions[i].inverted)) != 0) {
			json_decref(doc);
			return NULL;
		}
	}
	return doc;
}

enum cs_err cs_admissibility_decision(
	const json_t *core, const json_t *decision, const char *id, json_t **ret_doc)
{
	const char *outcome = cs_json_text(decision, "outcome");
	const char *reason = cs_json_text(decision, "reason_code");
	bool admissible = cs_text_equal(reason, "admissible");
	size_t row = 0;
	json_t *doc;

	while (row < sizeof outcomes / sizeof outcomes[0] &&
		!cs_text_equal(outcome, outcomes[row].outcome))
		row++;
	if (row == sizeof outcomes / sizeof outcomes[0])
		return CS_E_INTERNAL;
	doc = json_pack("{ss ss ss ss ss so ss so sO}", "schema_version",
		"kye.admissibility_decision.v1", "admissibility_decision_id", id,
		"proposed_action_id",
		cs_shown(cs_json_text_at(core, "proposed_action/proposed_action_id")), "decision",
		outcomes[row].decision, "reason_code",
		admissible ? "proposed_action_admissible" : cs_shown(reason), "checked_dimensions",
		checked_dimensions(core, decision), "next_step", outcomes[row].next_step,
		"obligations",
		admissible ? json_pack("[ss]", "bind_to_authority_decision",
				     "include_in_evidence_pack")
			   : json_pack("[s]", "include_in_evidence_pack"),
		"decided_at", json_object_get(decision, "decided_at"));
	if (doc == NULL)
		return CS_E_NOMEM;
	*ret_doc = doc;
	return CS_OK;
}
