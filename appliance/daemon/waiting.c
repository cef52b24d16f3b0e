#include "actions.h"
#include "log.h"
#include "moment.h"

#include <string.h>

enum cs_err cs_action_leave_waiting(struct cs_daemon *daemon, struct cs_action *action,
	enum cs_action_state to, cs_time now, struct cs_fault *fault)
{
	enum cs_err err = CS_OK;

	if (action->state == to)
		return CS_OK;
	if (action->state != CS_ACTION_AWAITING && to != CS_ACTION_EXPIRED)
		err = cs_store_action_move(daemon->store, action, CS_ACTION_AWAITING, now, fault);
	if (err == CS_OK && action->state != to)
		err = cs_store_action_move(daemon->store, action, to, now, fault);
	return err;
}

static enum cs_err end_waiting(struct cs_daemon *daemon, struct cs_action *action,
	enum cs_action_state to, struct cs_fault *fault)
{
	enum cs_err err = cs_store_begin(daemon->store);

	if (err != CS_OK)
		return err;
	err = cs_action_leave_waiting(daemon, action, to, cs_now(), fault);
	if (err == CS_OK)
		err = cs_store_commit(daemon->store);
	else
		cs_store_rollback(daemon->store);
	if (err != CS_OK)
		return err;
	cs_sealer_kick(daemon->sealer);
	cs_daemon_changed(daemon, action->id);
	return CS_OK;
}

enum cs_err cs_action_withdraw(
	struct cs_daemon *daemon, struct cs_action *action, struct cs_fault *fault)
{
	if (!cs_action_state_is(action->state, CS_STATE_WAITS))
		return cs_fault_set(fault, CS_E_STATE, "", "it is not waiting for people, but '%s'",
			cs_action_state_name(action->state));
	enum cs_err err = cs_sealer_ready(daemon->sealer, fault);
	return err == CS_OK ? end_waiting(daemon, action, CS_ACTION_WITHDRAWN, fault) : err;
}

static void set_expiry(struct cs_daemon *daemon, cs_time at)
{
	cs_time now = cs_now();
	uint64_t left = at > now ? (uint64_t)(at - now) * 1000 : 0;

	/*
	 * Looked at again after an hour at the latest: the clock that counts may be set meanwhile,
	 * the timer's cannot.
	 */
	if (left > UINT64_C(3600000000))
		left = UINT64_C(3600000000);
	int r = sd_event_source_set_time_relative(daemon->expiry, left);
	if (r >= 0)
		r = sd_event_source_set_enabled(daemon->expiry, SD_EVENT_ONESHOT);
	if (r < 0)
		cs_log(CS_LOG_ERROR, "the timer of expiry: %s", strerror(-r));
}

void cs_actions_expire(struct cs_daemon *daemon)
{
	struct cs_action action;
	struct cs_fault fault = {0};

	enum cs_err err = cs_store_next_expiry(daemon->store, &action);
	while (err == CS_OK && action.expires_at <= cs_now()) {
		err = end_waiting(daemon, &action, CS_ACTION_EXPIRED, &fault);
		if (err == CS_OK)
			err = cs_store_next_expiry(daemon->store, &action);
	}
	if (err == CS_OK) {
		set_expiry(daemon, action.expires_at);
	} else if (err != CS_E_NOT_FOUND) {
		cs_log_fault(CS_LOG_ERROR, "expiring actions", err, &fault);
		set_expiry(daemon, cs_time_add_seconds(cs_now(), 10));
	}
}

void cs_actions_invalidate(struct cs_daemon *daemon)
{
	struct cs_action action;
	struct cs_fault fault = {0};
	enum cs_err err;

	for (;;) {
		err = cs_store_next_outdated(daemon->store, daemon->book->policy_address,
			daemon->book->trust_set, &action);
		if (err == CS_OK)
			err = end_waiting(daemon, &action, CS_ACTION_INVALIDATED, &fault);
		if (err != CS_OK)
			break;
		cs_log(CS_LOG_INFO, "%s is invalidated: policy or trust set changed", action.id);
	}
	if (err != CS_E_NOT_FOUND)
		cs_log_fault(CS_LOG_ERROR, "invalidating actions", err, &fault);
}
