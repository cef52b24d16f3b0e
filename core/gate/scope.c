/*
 * Where: one known resource, inside what was granted, in the environment that the trust set gives
 * it.
 */
#include "checks.h"

/*
 * The request names its target up to three times; a reader of any one of them must not be misled.
 */
static void check_declarations(struct cs_gate *gate)
{
	const json_t *core = gate->input->core;
	const char *requested = cs_json_text_at(core, "purpose_request/resource");
	const char *proposed = cs_json_text_at(core, "proposed_action/target_resource/resource_id");

	cs_check(gate, CS_CHECK_RESOURCE_DECLARED,
		cs_text_equal(requested, gate->resource) &&
			(proposed == NULL || cs_text_equal(proposed, gate->resource)),
		"resource_ambiguous",
		"execution on %s, purpose request for %s, proposed action on %s",
		cs_shown(gate->resource), cs_shown(requested), cs_shown(proposed));
}

void cs_gate_scope(struct cs_gate *gate)
{
	const json_t *core = gate->input->core;
	const json_t *resource = json_object_get(gate->input->state, "resource");
	const json_t *granted = cs_json_at(gate->grant, "scope/resources");
	const json_t *jurisdictions = json_object_get(gate->grant, "jurisdiction");
	const json_t *rollback = json_object_get(core, "rollback");
	const char *action = cs_json_text_at(core, "purpose_request/action");
	const char *service = cs_json_text_at(core, "execution/target/service");
	const char *environment = cs_json_text_at(core, "execution/target/environment");
	const char *jurisdiction = cs_json_text(resource, "jurisdiction");
	const char *known = cs_json_text(resource, "id");

	check_declarations(gate);
	cs_check(gate, CS_CHECK_RESOURCE_KNOWN, cs_text_equal(known, gate->resource),
		"resource_unknown", "%s in the trust set: %s", cs_shown(gate->resource),
		cs_shown(known));
	cs_check(gate, CS_CHECK_CAPABILITY_DECLARED, cs_text_equal(action, gate->capability),
		"capability_ambiguous", "purpose request for %s, proposed action %s",
		cs_shown(action), cs_shown(gate->capability));
	cs_check(gate, CS_CHECK_RESOURCE_GRANTED,
		gate->grant != NULL && (granted == NULL || cs_covers(granted, gate->resource)),
		"resource_out_of_scope", "%s, grant %s", cs_shown(gate->resource),
		cs_shown(cs_json_text(gate->grant, "id")));
	cs_check(gate, CS_CHECK_TARGET,
		cs_text_equal(service, cs_json_text(resource, "service")) &&
			cs_text_equal(environment, cs_json_text(resource, "environment")),
		"environment_mismatch", "target %s in %s, resource %s in %s", cs_shown(service),
		cs_shown(environment), cs_shown(cs_json_text(resource, "service")),
		cs_shown(cs_json_text(resource, "environment")));
	cs_check(gate, CS_CHECK_JURISDICTION,
		gate->grant != NULL && jurisdiction != NULL &&
			cs_json_has_text(jurisdictions, jurisdiction),
		"jurisdiction_out_of_scope", "jurisdiction %s", cs_shown(jurisdiction));
	/*
	 * Undoing one thing by changing another is a second action. A missing rollback is another
	 * check's.
	 */
	cs_check(gate, CS_CHECK_ROLLBACK_TARGET,
		!json_is_object(rollback) || json_equal(json_object_get(rollback, "target"),
						     cs_json_at(core, "execution/target")),
		"rollback_other_target", "rollback on %s",
		cs_shown(cs_json_text_at(rollback, "target/resource")));
}
