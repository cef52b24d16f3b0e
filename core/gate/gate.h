/*
 * The gate: seven engines in a fixed order, each a pure function that gives named checks. All run,
 * so that one answer lists everything missing.
 *
 * The gate reads only core, policy, state, decision id and time. The same inputs give the same
 * bytes.
 */
#ifndef CS_GATE_H
#define CS_GATE_H

#include "oversight.h"
#include "state.h"

struct cs_gate_input {
	const json_t *core;
	const struct cs_policy *policy;
	const json_t *state;
	const char *decision_id; /* kye:decision:… */
	bool final; /* the last run, before sealing: "sealed_final", and an open slot denies */
	cs_time now;
};

/*
 * Gives an unsigned countersign.decision.v1. Outcomes: deny; require_human_review (level 1:
 * recorded as advice); require_approval (slots open); allow; allow_with_constraints; a state whose
 * `ended` is set gives deny. Only CS_E_NOMEM and CS_E_INTERNAL fail: everything about the request
 * is a check.
 */
CS_MUST_CHECK enum cs_err cs_gate_run(const struct cs_gate_input *input, json_t **ret_decision);

/*
 * kye.purpose.admissibility.v1: the twelve published reason codes in order, from core, state and
 * oversight. `decided_by` is the appliance's entity.
 */
CS_MUST_CHECK enum cs_err cs_purpose_admissibility(
	const struct cs_gate_input *input, const char *decided_by, json_t **ret_doc);
/* kye.admissibility_decision.v1 from a decision record. `id` is kye:admissibility-decision:… */
CS_MUST_CHECK enum cs_err cs_admissibility_decision(
	const json_t *core, const json_t *decision, const char *id, json_t **ret_doc);
/*
 * A minimal kye.consequence_map.v1 derived from core and decision: intended effect, blast radius,
 * irreversibility. Deterministic, no inference.
 */
CS_MUST_CHECK enum cs_err cs_consequence_map(const json_t *core, const json_t *decision,
	const char *id, const char *generated_by, cs_time now, json_t **ret_doc);

/*
 * "low", "medium", "high" or "critical", from the change class (NULL: unknown) and the blast radius
 * that the core states: an irreversible change that reaches half of a service, or more than one, is
 * critical; what is not stated is taken to be wide. Static storage.
 */
const char *cs_risk_level(const json_t *core, const char *change_class);

#endif
