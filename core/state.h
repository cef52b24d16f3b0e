/*
 * The state: every fact and every extract of the trust set that the gate reads, so that a decision
 * can be replayed from it alone.
 */
#ifndef CS_STATE_H
#define CS_STATE_H

#include "trust.h"

struct cs_state_input {
	const struct cs_trust *trust;
	const char *policy;   /* address in force */
	const char *audience; /* log origin of this appliance */
	const char *caller;   /* entity that the connection speaks for */
	const json_t *core;   /* action core */
	const json_t *facts;  /* object of facts, see docs/documents.md; NULL is {} */
	const json_t *approvals; /* array of what cs_approval_extract makes; NULL is [] */
	const char *ended; /* NULL, or "rejected", "expired", "withdrawn", "invalidated" */
	cs_time now;
};

/*
 * Composes a countersign.state.v1. Unknown actor, resource and so on are null, never an error: the
 * gate judges. Caller owns.
 */
CS_MUST_CHECK enum cs_err cs_state_compose(const struct cs_state_input *input, json_t **ret_state);

/*
 * Whether the extracts in `state` are those of the version of the trust set that it names (an
 * auditor with the trust sets, an approver with the own one). Whether that version is the one in
 * force is the caller's to ask. CS_E_ADDRESS_MISMATCH names the member; CS_E_NOMEM.
 */
CS_MUST_CHECK enum cs_err cs_state_matches_trust(
	const json_t *state, const struct cs_trust *trust, struct cs_fault *fault);

#endif
