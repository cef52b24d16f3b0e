/*
 * Who acts: the actor is one registered entity, the connection may speak for it, and a person
 * stands behind it.
 */
#include "checks.h"

static void check_requester(struct cs_gate *gate)
{
	const json_t *state = gate->input->state;
	const char *requester = cs_json_text(gate->input->core, "requester");
	const char *claimed =
		cs_json_text_at(gate->input->core, "proposed_action/origin/principal_entity_id");
	const char *principal = cs_json_text_at(state, "actor/principal");

	if (principal == NULL ||
		!cs_text_equal(cs_json_text_at(state, "principal/id"), principal)) {
		cs_check(gate, CS_CHECK_REQUESTER, false, "principal_unknown",
			"no registered person stands behind %s", cs_shown(gate->actor));
		return;
	}
	/* What the agent says about its principal may be missing, but not wrong. */
	cs_check(gate, CS_CHECK_REQUESTER,
		cs_text_equal(requester, principal) &&
			(claimed == NULL || cs_text_equal(claimed, principal)),
		"requester_mismatch", "requester %s, principal of the actor %s, claimed %s",
		cs_shown(requester), principal, cs_shown(claimed));
}

void cs_gate_entity(struct cs_gate *gate)
{
	const json_t *core = gate->input->core;
	const json_t *state = gate->input->state;
	const char *source = cs_json_text_at(core, "proposed_action/origin/source_entity_id");
	const char *caller = cs_json_text(state, "caller");
	const char *registered = cs_json_text_at(state, "actor/id");
	const char *life = cs_json_text_at(state, "actor/state");

	cs_check(gate, CS_CHECK_ACTOR_DECLARED, cs_text_equal(gate->actor, source),
		"actor_ambiguous", "purpose request by %s, proposed action by %s",
		cs_shown(gate->actor), cs_shown(source));
	cs_check(gate, CS_CHECK_ACTOR_REGISTERED, cs_text_equal(registered, gate->actor),
		"actor_unknown", "%s in the trust set: %s", cs_shown(gate->actor),
		cs_shown(registered));
	cs_check(gate, CS_CHECK_ACTOR_ACTIVE, cs_text_equal(life, "active"), "actor_not_active",
		"lifecycle state: %s", cs_shown(life));
	cs_check(gate, CS_CHECK_CALLER, cs_text_equal(caller, gate->actor), "caller_not_actor",
		"the connection speaks for %s", cs_shown(caller));
	check_requester(gate);
}
