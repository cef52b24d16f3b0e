/*
 * Approving: brief, snapshot, decision, and whether a set of decisions fills a quorum.
 */
#ifndef CS_APPROVAL_H
#define CS_APPROVAL_H

#include "oversight.h"

/* ---- composition; deterministic, no signatures, caller owns the result ---- */

/*
 * Composes the kye.approval_brief.v1 from core, basis (countersign.brief_basis.v1) and policy. The
 * gate result and the consequence map in the basis are made again from core, policy and the basis's
 * state, their signatures aside: CS_E_BRIEF_MISMATCH names the member that those do not give.
 * `issued_by` is the entity of the engine that signs the brief. CS_E_NOMEM, CS_E_INTERNAL.
 */
CS_MUST_CHECK enum cs_err cs_brief_compose(const json_t *core, const json_t *basis,
	const struct cs_policy *policy, const char *issued_by, json_t **ret_brief,
	struct cs_fault *fault);

/*
 * Recomposes and compares byte for byte with `brief` (its signature aside). CS_E_BRIEF_MISMATCH
 * names the first member that differs.
 */
CS_MUST_CHECK enum cs_err cs_brief_check(const json_t *core, const json_t *basis,
	const struct cs_policy *policy, const json_t *brief, struct cs_fault *fault);

/*
 * The snapshot of what was shown: facts_shown are the caller's array, questions may be NULL.
 * Carries content_hash.
 */
CS_MUST_CHECK enum cs_err cs_snapshot_compose(const json_t *basis, const json_t *brief,
	const json_t *facts_shown, const json_t *questions, const char *captured_by,
	cs_time captured_at, json_t **ret_snapshot);

struct cs_decision_input {
	const char *id; /* kye:approval-decision:… */
	const char *decision; /* any value of a kye.approval_decision.v1 but "expired" */
	const char *rationale;	    /* text of the approver; "" is none */
	const json_t *restrictions; /* array or NULL */
	const json_t *core;
	const json_t *basis;
	const json_t *brief;
	const json_t *snapshot;
	const struct cs_policy *policy;
	const char *trust_set; /* address */
	const char *audience;  /* log origin */
	const char *role;
	cs_time decided_at;
	cs_time not_after;
};
/*
 * The unsigned kye.approval_decision.v1 with its binding. CS_E_USAGE for a value that no person
 * decides, and for restrictions without approved_with_restrictions or the reverse;
 * CS_E_APPROVAL_BINDING when the basis was made for another role; CS_E_APPROVAL_WINDOW when it
 * would end before it begins; errors of cs_oversight.
 */
CS_MUST_CHECK enum cs_err cs_decision_compose(
	const struct cs_decision_input *input, json_t **ret_decision, struct cs_fault *fault);

/* ---- judging ---- */

struct cs_approval_context {
	struct cs_schema_registry *registry;
	const struct cs_keyring *ring;
	const struct cs_policy *policy;
	const char *trust_set; /* address in force */
	const char *audience;  /* log origin */
	const json_t *core;
	const char *action; /* the core's address */
	const struct cs_oversight *oversight;
	cs_time at; /* expiry, revocation and roles are judged at this time */
};

/*
 * One decision of any value, in this order: schema (CS_E_DOCUMENT_INVALID, CS_E_TEXT; without a
 * binding CS_E_APPROVAL_BINDING), the approver's own enrolled key at `at` (CS_E_KEY_…), signature
 * (CS_E_SIGNATURE…), assurance of the token (CS_E_APPROVAL_ASSURANCE), binding against the
 * context (CS_E_APPROVAL_ACTION, _CLASS, _POLICY, _TRUST_SET, _AUDIENCE, _BINDING), windows
 * (CS_E_APPROVAL_EXPIRED, _EARLY, _WINDOW), role held and in scope at `at` (CS_E_APPROVAL_ROLE,
 * _SCOPE), requester (CS_E_APPROVAL_REQUESTER). `ret_key` may be NULL; the key is borrowed.
 */
CS_MUST_CHECK enum cs_err cs_approval_check(const struct cs_approval_context *context,
	const json_t *decision, const struct cs_key_info **ret_key, struct cs_fault *fault);

/*
 * One decision that grants nothing where it stands, such as a rejection or what an action that
 * ended had collected: signed by a key enrolled for its approver, for this action. Windows,
 * revocation, roles and the versions in force are not judged: they may have ended since.
 * CS_E_DOCUMENT_INVALID, CS_E_APPROVAL_BINDING, CS_E_KEY_UNKNOWN, CS_E_KEY_USAGE, CS_E_KEY_ENTITY,
 * CS_E_SIGNATURE…, CS_E_APPROVAL_ACTION. Reads registry, ring and action only.
 */
CS_MUST_CHECK enum cs_err cs_approval_check_record(
	const struct cs_approval_context *context, const json_t *decision, struct cs_fault *fault);

/* True for approved and approved_with_restrictions. */
bool cs_approval_is_approval(const json_t *decision);

/*
 * The extract of a checked decision that the state carries: {address, decision, approver, role,
 * kid, token, assurance, decided_at, not_after, restrictions}. Caller owns.
 */
CS_MUST_CHECK enum cs_err cs_approval_extract(
	const json_t *decision, const struct cs_key_info *key, json_t **ret_extract);

/*
 * The quorum: every slot of `context->oversight` filled by distinct persons, keys and tokens, each
 * decision checked with cs_approval_check and an approval. `decisions` is an array. An approval
 * that fills no slot: CS_E_APPROVAL_SLOT; a slot that nobody filled: CS_E_APPROVAL_MISSING;
 * CS_E_APPROVAL_DUPLICATE, CS_E_APPROVAL_SAME_PERSON, CS_E_APPROVAL_SAME_KEY,
 * CS_E_APPROVAL_SAME_TOKEN, CS_E_APPROVAL_REJECTED; CS_E_POLICY_QUORUM when `context->oversight`
 * asks for two people and its slots do not.
 */
CS_MUST_CHECK enum cs_err cs_quorum_check(
	const struct cs_approval_context *context, const json_t *decisions, struct cs_fault *fault);

/*
 * The countersign.constraints.v1 of these approvals' restrictions and the gate's own, or CS_OK with
 * *ret NULL when there are none.
 */
CS_MUST_CHECK enum cs_err cs_constraints_compose(const json_t *decisions, json_t **ret_constraints);
/*
 * Whether `constraints` (or NULL) holds at least the restrictions of all decisions:
 * CS_E_STATEMENT_MISMATCH.
 */
CS_MUST_CHECK enum cs_err cs_constraints_cover(
	const json_t *constraints, const json_t *decisions, struct cs_fault *fault);
/* Earliest not_after of the approvals' bindings, or CS_TIME_MAX without approvals. */
cs_time cs_approvals_not_after(const json_t *decisions);

#endif
