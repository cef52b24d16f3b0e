#include "actions.h"

#include <string.h>

struct viewing {
	json_t *slots;
};

/* The first open slot of the approval's role takes it. */
static enum cs_err fill_slot(void *context, struct cs_approval *approval)
{
	struct viewing *v = context;
	size_t i;
	json_t *slot;

	if (!cs_approval_is_approval(approval->decision) || approval->refused[0] != '\0')
		return CS_OK;
	json_array_foreach (v->slots, i, slot) {
		const char *role = cs_json_text(slot, "role");
		if (role == NULL || strcmp(role, approval->role) != 0 ||
			cs_json_text(slot, "approval") != NULL)
			continue;
		if (json_object_set_new(slot, "approval", json_string(approval->address)) != 0 ||
			json_object_set_new(slot, "approver", json_string(approval->person)) != 0)
			return CS_E_NOMEM;
		return CS_OK;
	}
	return CS_OK;
}

static enum cs_err make_slots(struct cs_daemon *daemon, const struct cs_action *action,
	const json_t *decision, json_t **ret_slots)
{
	struct viewing v = {json_array()};
	enum cs_err err = v.slots ? CS_OK : CS_E_NOMEM;
	size_t i;
	json_t *slot;

	json_array_foreach (json_object_get(decision, "slots"), i, slot) {
		json_t *row = json_pack(
			"{sssnsn}", "role", cs_json_text(slot, "role"), "approval", "approver");
		if (json_array_append_new(v.slots, row) != 0)
			err = CS_E_NOMEM;
	}
	if (err == CS_OK && json_array_size(v.slots) > 0)
		err = cs_store_approvals(daemon->store, action, fill_slot, &v);
	if (err == CS_OK)
		*ret_slots = v.slots;
	else
		json_decref(v.slots);
	return err;
}

static const char *optional_time(cs_time time, char text[CS_TIME_TEXT])
{
	return time == CS_TIME_MAX ? NULL : cs_time_print(time, text);
}

enum cs_err cs_action_view(
	struct cs_daemon *daemon, const struct cs_action *action, json_t **ret_view)
{
	CS_CLEANUP_JSON json_t *decision = NULL;
	json_t *slots = NULL;
	char created[CS_TIME_TEXT], updated[CS_TIME_TEXT], expires[CS_TIME_TEXT],
		until[CS_TIME_TEXT];
	bool waits = cs_action_state_is(action->state, CS_STATE_WAITS);

	enum cs_err err =
		cs_store_action_document(daemon->store, action, CS_DOCUMENT_DECISION, &decision);
	if (err == CS_OK)
		err = make_slots(daemon, action, decision, &slots);
	if (err != CS_OK)
		return err == CS_E_NOT_FOUND ? CS_E_STORE : err;
	*ret_view = json_pack("{ss ss ss sb ss? ss ss ss ss? ss? ss? so ss ss ss? ss? so}", "id",
		action->id, "action", action->address, "state", cs_action_state_name(action->state),
		"final", action->sealed, "outcome", action->sealed ? action->outcome : NULL,
		"reason", action->refused[0] != '\0' ? action->refused : action->reason, "caller",
		action->caller, "capability", action->capability, "action_class",
		cs_json_text(decision, "action_class"), "change_class",
		cs_json_text(decision, "change_class"), "oversight",
		cs_json_text(decision, "oversight"), "slots", slots, "created_at",
		cs_time_print(action->created_at, created), "updated_at",
		cs_time_print(action->updated_at, updated), "expires_at",
		waits ? optional_time(action->expires_at, expires) : NULL, "not_after",
		optional_time(action->not_after, until), "log_index",
		action->log_index >= 0 ? json_integer(action->log_index) : json_null());
	return *ret_view ? CS_OK : CS_E_NOMEM;
}

enum cs_err cs_action_decision(
	struct cs_daemon *daemon, const struct cs_action *action, json_t **ret_decision)
{
	json_t *decision = NULL;

	enum cs_err err =
		cs_store_action_document(daemon->store, action, CS_DOCUMENT_DECISION, &decision);
	if (err != CS_OK)
		return err == CS_E_NOT_FOUND ? CS_E_STORE : err;
	err = cs_engine_sign(&daemon->engine, decision);
	if (err != CS_OK && err != CS_E_SIGNER_DOWN) {
		json_decref(decision);
		return err;
	}
	*ret_decision = decision;
	return CS_OK;
}
