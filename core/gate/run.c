/* The seven engines in order. */
#include "checks.h"

enum cs_err cs_gate_prepare(const struct cs_gate_input *input, struct cs_gate *gate)
{
	const char *claimed = cs_json_text_at(input->core, "purpose_request/claimed_grant_id");

	*gate = (struct cs_gate){
		.input = input,
		.actor = cs_json_text_at(input->core, "purpose_request/actor"),
		.capability = cs_json_text_at(input->core, "proposed_action/requested_capability"),
		.resource = cs_json_text_at(input->core, "execution/target/resource"),
	};
	gate->class_error = cs_oversight(input->core, input->policy,
		json_object_get(input->state, "facts"), input->now, &gate->oversight, NULL);
	gate->class_known = gate->class_error == CS_OK;
	/*
	 * No class, or none that may be: a check says so. Anything else is not about the request.
	 */
	if (!gate->class_known && gate->class_error != CS_E_NOT_FOUND &&
		gate->class_error != CS_E_POLICY_QUORUM)
		return gate->class_error == CS_E_NOMEM ? CS_E_NOMEM : CS_E_INTERNAL;
	gate->grant = cs_gate_best_grant(gate);
	if (claimed != NULL)
		gate->purpose =
			cs_json_find(json_object_get(input->state, "purposes"), "id", claimed);
	cs_gate_walk(gate, &gate->chain);
	gate->list = json_array();
	return gate->list != NULL ? CS_OK : CS_E_NOMEM;
}

enum cs_err cs_gate_run(const struct cs_gate_input *input, json_t **ret_decision)
{
	static void (*const engines[])(struct cs_gate * gate) = {
		cs_gate_entity,
		cs_gate_authority,
		cs_gate_purpose,
		cs_gate_scope,
		cs_gate_state,
		cs_gate_rules,
		cs_gate_decide,
	};
	struct cs_gate gate;
	enum cs_err err = cs_gate_prepare(input, &gate);

	if (err != CS_OK)
		return err;
	for (size_t i = 0; i < sizeof engines / sizeof engines[0]; i++)
		engines[i](&gate);
	err = cs_gate_record(&gate, ret_decision);
	json_decref(gate.list);
	return err;
}
