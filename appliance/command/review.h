/*
 * One brief, opened by the appliance and believed only as far as the approver's own trust set and
 * policy bear it out.
 */
#ifndef CS_REVIEW_H
#define CS_REVIEW_H

#include "approval.h"
#include "approver.h"

struct cs_review {
	const struct cs_approver *approver; /* borrowed */
	json_t *core;
	json_t *basis;
	json_t *brief;
	json_t *certificate;
	char action[CS_ADDRESS_TEXT];  /* the core's address, computed here */
	const char *role;	       /* borrowed from `basis` */
	struct cs_oversight oversight; /* by the approver's own policy */
	cs_time issued_at;	       /* of the brief */
	cs_time expires_at;	       /* of the brief */
};

/*
 * The role in which this person would decide about `core`: `wanted`, or the one slot that they
 * can fill. CS_E_APPROVAL_ROLE, CS_E_APPROVAL_SCOPE and CS_E_APPROVAL_REQUESTER for a role that
 * they cannot sign in; CS_E_APPROVAL_SLOT when nobody in this role is asked; CS_E_USAGE when
 * several are possible. `ret_role` is borrowed from the policy or is `wanted`.
 */
CS_MUST_CHECK enum cs_err cs_review_role(const struct cs_approver *approver, const json_t *core,
	const char *wanted, cs_time now, const char **ret_role, struct cs_fault *fault);

/*
 * Takes the reply of OpenBrief (core, basis, brief, engine_certificate) apart and checks, in this
 * order:
 *
 *  - every document against its schema, the rules for text and its cap: CS_E_DOCUMENT_INVALID,
 *    CS_E_TEXT, CS_E_TOO_LARGE
 *  - the core's address is the basis' action: CS_E_APPROVAL_ACTION
 *  - core and state name the pinned policy: CS_E_APPROVAL_POLICY
 *  - the state names the pinned trust set and the pinned appliance: CS_E_APPROVAL_TRUST_SET,
 *    CS_E_APPROVAL_AUDIENCE
 *  - approver and role are those that asked: CS_E_APPROVAL_BINDING
 *  - the state is the one that the pinned trust set gives for this core: CS_E_ADDRESS_MISMATCH
 *  - the actor is active, its principal is the requester, and the target is what the trust set
 *    says of the resource: CS_E_TRUST_REFERENCE
 *  - class, change class, level and oversight by the own policy: CS_E_APPROVAL_CLASS
 *  - the role is asked for, and held for this service: CS_E_APPROVAL_SLOT, CS_E_APPROVAL_ROLE,
 *    CS_E_APPROVAL_SCOPE, CS_E_APPROVAL_REQUESTER
 *  - the engine's certificate under the pinned document key: CS_E_CERTIFICATE, CS_E_KEY_…,
 *    CS_E_SIGNATURE
 *  - brief and consequence map are signed by that engine and in its name: CS_E_SIGNATURE,
 *    CS_E_KEY_…
 *  - gate result, consequence map and brief are what the documents compose to, byte for byte:
 *    CS_E_BRIEF_MISMATCH
 *  - the gate ran on the state of its own time, not after the brief was issued, and the brief ends
 *    when the policy's time for waiting is over: CS_E_BRIEF_MISMATCH, CS_E_APPROVAL_EARLY,
 *    CS_E_APPROVAL_WINDOW
 *  - the brief is in its window: CS_E_APPROVAL_EXPIRED, CS_E_APPROVAL_EARLY
 *
 * `ret_review` is filled on success; free with cs_review_free.
 */
CS_MUST_CHECK enum cs_err cs_review_open(const struct cs_approver *approver, const json_t *reply,
	const char *role, cs_time now, struct cs_review *ret_review, struct cs_fault *fault);
void cs_review_free(struct cs_review *review);
#define CS_CLEANUP_REVIEW __attribute__((cleanup(cs_review_free)))

/* Whether the brief is in its window at `now`, as above. */
CS_MUST_CHECK enum cs_err cs_review_check_window(
	const struct cs_review *review, cs_time now, struct cs_fault *fault);

/* What a decision about this action is judged against at `at`. */
struct cs_approval_context cs_review_context(const struct cs_review *review, cs_time at);

#endif
