#include "replies.h"
#include "methods.h"

#include <stdio.h>
#include <string.h>

enum cs_err cs_reply_proposed(
	struct cs_daemon *d, struct cs_call *call, const struct cs_action *action)
{
	json_t *decision = NULL;

	enum cs_err err = cs_action_decision(d, action, &decision);
	if (err == CS_OK)
		cs_call_reply(call,
			json_pack("{ssssssso}", "id", action->id, "action", action->address,
				"state", cs_action_state_name(action->state), "decision", decision),
			false);
	return err;
}

enum cs_err cs_reply_view(
	struct cs_daemon *d, struct cs_call *call, const struct cs_action *action, bool continues)
{
	json_t *view = NULL;

	enum cs_err err = cs_action_view(d, action, &view);
	if (err == CS_OK)
		cs_call_reply(call, json_pack("{so}", "action", view), continues);
	return err;
}

static enum cs_err reply_decided(struct cs_daemon *d, struct cs_call *call,
	const struct cs_action *action, const struct cs_approval *approval)
{
	json_t *leaf = NULL;

	enum cs_err err = cs_store_leaf(d->store, (uint64_t)approval->log_index, &leaf);
	if (err != CS_OK)
		return err == CS_E_NOT_FOUND ? CS_E_STORE : err;
	if (json_object_set_new(leaf, "decision", json_string(approval->address)) != 0) {
		json_decref(leaf);
		return CS_E_NOMEM;
	}
	cs_call_reply(call,
		json_pack("{ssso}", "state", cs_action_state_name(action->state), "receipt", leaf),
		false);
	return CS_OK;
}

enum cs_err cs_reply_refused(const char *code, const char *id, struct cs_fault *fault)
{
	enum cs_err err = cs_err_by_name(code);

	return cs_fault_set(fault, err == CS_ERR_COUNT || err == CS_OK ? CS_E_INTERNAL : err, id,
		"the signer does not seal it");
}

/* ---- calls that waited ---- */

static enum cs_err resume_decided(struct cs_daemon *d, struct cs_call *call,
	const struct cs_action *action, const char *address, struct cs_fault *fault)
{
	struct cs_approval approval = {0};

	enum cs_err err = cs_store_approval(d->store, address, &approval);
	if (err == CS_OK && approval.refused[0] != '\0')
		err = cs_reply_refused(approval.refused, action->id, fault);
	else if (err == CS_OK && approval.log_index >= 0)
		err = reply_decided(d, call, action, &approval);
	cs_approval_clear(&approval);
	return err;
}

static enum cs_err resume_sealed(struct cs_daemon *d, struct cs_call *call,
	const struct cs_action *action, enum cs_call_wait wait, struct cs_fault *fault)
{
	if (action->refused[0] != '\0')
		return cs_reply_refused(action->refused, action->id, fault);
	if (!action->sealed)
		return CS_OK;
	return wait == CS_WAIT_PROPOSED ? cs_reply_proposed(d, call, action)
					: cs_reply_view(d, call, action, false);
}

static void resume(struct cs_daemon *d, struct cs_call *call, enum cs_call_wait wait,
	const char *id, const char *approval, void *context)
{
	struct cs_action action;
	struct cs_fault fault = {0};

	(void)context;
	enum cs_err err = cs_store_action(d->store, id, &action);
	if (err == CS_OK && wait == CS_WAIT_DECIDED)
		err = resume_decided(d, call, &action, approval, &fault);
	else if (err == CS_OK && (wait == CS_WAIT_PROPOSED || wait == CS_WAIT_WITHDRAWN))
		err = resume_sealed(d, call, &action, wait, &fault);
	else if (err == CS_OK && wait == CS_WAIT_CHANGES)
		err = cs_reply_view(d, call, &action, !action.sealed);
	else if (err == CS_OK && wait == CS_WAIT_FINAL && action.sealed)
		err = cs_reply_view(d, call, &action, false);
	if (err != CS_OK)
		cs_call_refuse(call, err, &fault);
}

void cs_methods_changed(struct cs_daemon *daemon, const char *action)
{
	cs_server_each_waiting(daemon->server, action, resume, NULL);
}

static void stall(struct cs_daemon *d, struct cs_call *call, enum cs_call_wait wait, const char *id,
	const char *approval, void *context)
{
	struct cs_fault fault = {0};

	(void)d;
	(void)approval;
	if (wait == CS_WAIT_CHANGES || wait == CS_WAIT_FINAL)
		return;
	enum cs_err err = cs_fault_set(&fault, CS_E_SIGNER_DOWN, id,
		"stored, to be sealed when the signer is back: %s", (const char *)context);
	cs_call_refuse(call, err, &fault);
}

void cs_methods_stalled(struct cs_daemon *daemon, const char *detail)
{
	char copy[256];

	snprintf(copy, sizeof copy, "%s", detail);
	cs_server_each_waiting(daemon->server, NULL, stall, copy);
}
