/*
 * What happens to actions: proposing, briefing, deciding, withdrawing, expiring. Each function
 * stores what it did in one transaction before it returns, and leaves the sealing to the sealer.
 */
#ifndef CS_ACTIONS_H
#define CS_ACTIONS_H

#include "daemon.h"

/*
 * Stores a proposal and its first gate result. `idempotency` may be NULL. CS_E_DOCUMENT_INVALID
 * (the key's length too), CS_E_TEXT, CS_E_TOO_LARGE, CS_E_IDEMPOTENCY, CS_E_BUSY (too many open),
 * CS_E_PERMISSION (the caller is nobody in the trust set), CS_E_SIGNER_DOWN (it would have to be
 * sealed now).
 */
CS_MUST_CHECK enum cs_err cs_action_propose(struct cs_daemon *daemon, const char *caller,
	const json_t *request, const char *idempotency, struct cs_action *ret_action,
	struct cs_fault *fault);

struct cs_brief {
	json_t *core, *basis, *brief, *certificate; /* owned */
};
void cs_brief_clear(struct cs_brief *brief);

/*
 * The brief of this person for this role; made now, or the one made before while its engine key is
 * the same. CS_E_STATE, CS_E_APPROVAL_SLOT, CS_E_APPROVAL_ROLE, CS_E_APPROVAL_SCOPE,
 * CS_E_APPROVAL_REQUESTER, CS_E_SIGNER_DOWN.
 */
CS_MUST_CHECK enum cs_err cs_action_brief(struct cs_daemon *daemon, const struct cs_action *action,
	const char *approver, const char *role, struct cs_brief *ret_brief, struct cs_fault *fault);

/*
 * Takes a person's decision with the snapshot of what they saw. Writes the decision's address.
 * CS_E_STATE, CS_E_APPROVAL_…, CS_E_KEY_…, CS_E_SIGNATURE…, CS_E_DOCUMENT_INVALID, CS_E_TEXT,
 * CS_E_TOO_LARGE, CS_E_BUSY, CS_E_SIGNER_DOWN.
 */
CS_MUST_CHECK enum cs_err cs_action_decide(struct cs_daemon *daemon, struct cs_action *action,
	const json_t *decision, const json_t *snapshot, char address[CS_ADDRESS_TEXT],
	struct cs_fault *fault);

/* Ends a waiting action in the name of who proposed it. CS_E_STATE, CS_E_SIGNER_DOWN. */
CS_MUST_CHECK enum cs_err cs_action_withdraw(
	struct cs_daemon *daemon, struct cs_action *action, struct cs_fault *fault);

/*
 * Moves a waiting action on; from a state of asking it comes back to waiting first, as the table
 * has it. Inside the caller's transaction.
 */
CS_MUST_CHECK enum cs_err cs_action_leave_waiting(struct cs_daemon *daemon,
	struct cs_action *action, enum cs_action_state to, cs_time now, struct cs_fault *fault);

/* Ends what has waited too long, and sets the timer for the next. */
void cs_actions_expire(struct cs_daemon *daemon);
/* Ends what waits under other versions than those in force. */
void cs_actions_invalidate(struct cs_daemon *daemon);

/* The Varlink type Action. Caller owns. */
CS_MUST_CHECK enum cs_err cs_action_view(
	struct cs_daemon *daemon, const struct cs_action *action, json_t **ret_view);
/* One of its documents, signed by the engine when it can be. Caller owns. */
CS_MUST_CHECK enum cs_err cs_action_decision(
	struct cs_daemon *daemon, const struct cs_action *action, json_t **ret_decision);

#endif
