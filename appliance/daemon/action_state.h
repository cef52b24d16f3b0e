/*
 * The life of an action: one table of states, one of transitions, and nothing else is possible.
 */
#ifndef CS_ACTION_STATE_H
#define CS_ACTION_STATE_H

#include <stdbool.h>
#include <countersign/error.h>

/* X(symbol, stable name, flags) */
#define CS_ACTION_STATES(X) \
	X(CS_ACTION_PROPOSED, "proposed", 0) \
	X(CS_ACTION_DENIED, "denied", CS_STATE_ENDS) \
	X(CS_ACTION_RECORDED, "recorded", CS_STATE_ENDS) \
	X(CS_ACTION_ALLOWED, "allowed", CS_STATE_PERMITS) \
	X(CS_ACTION_AWAITING, "awaiting_approval", CS_STATE_WAITS) \
	X(CS_ACTION_APPROVED, "approved", CS_STATE_PERMITS) \
	X(CS_ACTION_REJECTED, "rejected", CS_STATE_ENDS | CS_STATE_NAMED) \
	X(CS_ACTION_EXPIRED, "expired", CS_STATE_ENDS | CS_STATE_NAMED) \
	X(CS_ACTION_WITHDRAWN, "withdrawn", CS_STATE_ENDS | CS_STATE_NAMED) \
	X(CS_ACTION_INVALIDATED, "invalidated", CS_STATE_ENDS | CS_STATE_NAMED) \
	X(CS_ACTION_ESCALATED, "escalated", CS_STATE_WAITS) \
	X(CS_ACTION_NEEDS_INFORMATION, "needs_information", CS_STATE_WAITS) \
	X(CS_ACTION_SEALED, "sealed", 0) \
	X(CS_ACTION_EXECUTING, "executing", 0) \
	X(CS_ACTION_EXECUTED, "executed", 0) \
	X(CS_ACTION_FAILED, "failed", 0) \
	X(CS_ACTION_UNKNOWN, "unknown", 0) \
	X(CS_ACTION_ABORTED, "aborted", 0) \
	X(CS_ACTION_ROLLED_BACK, "rolled_back", 0)

enum cs_action_state {
#define CS_ACTION_SYMBOL(symbol, name, flags) symbol,
	CS_ACTION_STATES(CS_ACTION_SYMBOL)
#undef CS_ACTION_SYMBOL
		CS_ACTION_STATE_COUNT
};

#define CS_STATE_ENDS 1u    /* no authorisation: sealed as it is and goes no further */
#define CS_STATE_PERMITS 2u /* decided in favour; the gate runs once more when it is sealed */
#define CS_STATE_WAITS 4u   /* people may decide */
#define CS_STATE_NAMED 8u   /* the state's name is what the gate's state calls `ended` */

const char *cs_action_state_name(enum cs_action_state state);
/* CS_E_STORE: only the store calls this, with what it wrote itself. */
CS_MUST_CHECK enum cs_err cs_action_state_by_name(
	const char *name, enum cs_action_state *ret_state);
bool cs_action_state_is(enum cs_action_state state, unsigned flag);

/* Whether the table has this transition: CS_OK, or CS_E_STATE naming both. */
CS_MUST_CHECK enum cs_err cs_action_state_check(
	enum cs_action_state from, enum cs_action_state to, struct cs_fault *fault);

#endif
