#include "action_state.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *name;
	unsigned flags;
} states[] = {
#define ROW(symbol, name, flags) [symbol] = {name, flags},
	CS_ACTION_STATES(ROW)
#undef ROW
};

/* Everything that is not here is refused. */
static const struct {
	enum cs_action_state from, to;
} transitions[] = {
	{CS_ACTION_PROPOSED, CS_ACTION_DENIED},
	{CS_ACTION_PROPOSED, CS_ACTION_RECORDED},
	{CS_ACTION_PROPOSED, CS_ACTION_ALLOWED},
	{CS_ACTION_PROPOSED, CS_ACTION_AWAITING},

	{CS_ACTION_AWAITING, CS_ACTION_APPROVED},
	{CS_ACTION_AWAITING, CS_ACTION_REJECTED},
	{CS_ACTION_AWAITING, CS_ACTION_EXPIRED},
	{CS_ACTION_AWAITING, CS_ACTION_WITHDRAWN},
	{CS_ACTION_AWAITING, CS_ACTION_INVALIDATED},
	{CS_ACTION_AWAITING, CS_ACTION_ESCALATED},
	{CS_ACTION_AWAITING, CS_ACTION_NEEDS_INFORMATION},

	{CS_ACTION_ESCALATED, CS_ACTION_AWAITING},
	{CS_ACTION_ESCALATED, CS_ACTION_EXPIRED},
	{CS_ACTION_NEEDS_INFORMATION, CS_ACTION_AWAITING},
	{CS_ACTION_NEEDS_INFORMATION, CS_ACTION_EXPIRED},

	{CS_ACTION_ALLOWED, CS_ACTION_SEALED},
	{CS_ACTION_APPROVED, CS_ACTION_SEALED},
	/* The gate runs again at seal time: what no longer holds then is not sealed as an allow. */
	{CS_ACTION_ALLOWED, CS_ACTION_INVALIDATED},
	{CS_ACTION_APPROVED, CS_ACTION_INVALIDATED},
	{CS_ACTION_APPROVED, CS_ACTION_EXPIRED},

	{CS_ACTION_SEALED, CS_ACTION_EXECUTING},
	{CS_ACTION_EXECUTING, CS_ACTION_EXECUTED},
	{CS_ACTION_EXECUTING, CS_ACTION_FAILED},
	{CS_ACTION_EXECUTING, CS_ACTION_UNKNOWN},
	{CS_ACTION_EXECUTING, CS_ACTION_ABORTED},
	{CS_ACTION_ABORTED, CS_ACTION_ROLLED_BACK},
};

const char *cs_action_state_name(enum cs_action_state state)
{
	return (unsigned)state < CS_ACTION_STATE_COUNT ? states[state].name : "";
}

enum cs_err cs_action_state_by_name(const char *name, enum cs_action_state *ret_state)
{
	for (size_t i = 0; i < CS_ACTION_STATE_COUNT; i++) {
		if (strcmp(states[i].name, name) == 0) {
			*ret_state = (enum cs_action_state)i;
			return CS_OK;
		}
	}
	return CS_E_STORE;
}

bool cs_action_state_is(enum cs_action_state state, unsigned flag)
{
	return (unsigned)state < CS_ACTION_STATE_COUNT && (states[state].flags & flag) != 0;
}

enum cs_err cs_action_state_check(
	enum cs_action_state from, enum cs_action_state to, struct cs_fault *fault)
{
	for (size_t i = 0; i < sizeof transitions / sizeof transitions[0]; i++)
		if (transitions[i].from == from && transitions[i].to == to)
			return CS_OK;
	return cs_fault_set(fault, CS_E_STATE, "", "from '%s' to '%s' there is no way",
		cs_action_state_name(from), cs_action_state_name(to));
}
