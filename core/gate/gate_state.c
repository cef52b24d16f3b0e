/*
 * In what state: the action still open, the people behind it active, the policy the one it was
 * configured for.
 */
#include "checks.h"

/* The reason is the way the action ended; only these four exist. */
static const char *ended_code(const char *ended)
{
	static const char *const codes[] = {"rejected", "expired", "withdrawn", "invalidated"};

	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
		if (cs_text_equal(ended, codes[i]))
			return codes[i];
	return "invalidated";
}

void cs_gate_state(struct cs_gate *gate)
{
	const json_t *state = gate->input->state;
	const json_t *ended = json_object_get(state, "ended");
	const char *principal = cs_json_text_at(state, "principal/state");
	const char *delegator = cs_json_text(gate->chain.person, "state");
	const char *in_force = cs_policy_address(gate->input->policy);
	const char *configured = cs_json_text(gate->input->core, "policy");

	gate->ended = json_is_null(ended) ? NULL : ended_code(json_string_value(ended));
	cs_check(gate, CS_CHECK_OPEN, gate->ended == NULL, gate->ended, "ended: %s",
		cs_shown(gate->ended));
	cs_check(gate, CS_CHECK_PRINCIPAL_ACTIVE, cs_text_equal(principal, "active"),
		"principal_not_active", "lifecycle state of the principal: %s",
		cs_shown(principal));
	cs_check(gate, CS_CHECK_DELEGATOR_ACTIVE, cs_text_equal(delegator, "active"),
		"delegator_not_active", "lifecycle state of the delegator: %s",
		cs_shown(delegator));
	cs_check(gate, CS_CHECK_POLICY_IN_FORCE,
		cs_text_equal(configured, in_force) &&
			cs_text_equal(cs_json_text(state, "policy"), in_force),
		"policy_changed", "configured for %s, in force %s", cs_shown(configured), in_force);
}
