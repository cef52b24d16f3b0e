#include "caller.h"
#include "command.h"
#include "report.h"

#include <string.h>

#define PAGE 500
#define PAGES_MAX 200

static bool waits(const json_t *action)
{
	return cs_caller_exit(cs_json_text(action, "state")) == CS_EXIT_WAITING;
}

/* Appends one page to `found`; *before becomes where the next one begins, NULL after the last. */
static enum cs_err add_page(struct cs_call *call, struct cs_varlink *link, json_t *found,
	json_t **before, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *reply = NULL;
	const json_t *actions;
	json_t *action;
	size_t i;
	json_t *parameters = json_pack("{s:b, s:O*, s:i}", "mine", (int)cs_call_has(call, "mine"),
		"before", *before, "limit", PAGE);
	enum cs_err err = cs_caller_ask(call, link, "List", parameters, &reply, fault);

	if (err != CS_OK)
		return err;
	actions = json_object_get(reply, "actions");
	if (!json_is_array(actions) || json_array_size(actions) > PAGE)
		return cs_fault_set(
			fault, CS_E_SERVICE, "actions", "not the list that was asked for");
	json_array_foreach(actions, i, action) {
		if (waits(action) && json_array_append(found, action) != 0)
			return CS_E_NOMEM;
	}
	json_decref(*before);
	*before = json_is_string(json_object_get(reply, "next"))
			  ? json_incref(json_object_get(reply, "next"))
			  : NULL;
	return CS_OK;
}

enum cs_err cs_command_pending(struct cs_call *call, struct cs_fault *fault)
{
	CS_CLEANUP_VARLINK struct cs_varlink *link = NULL;
	CS_CLEANUP_JSON json_t *doc = json_pack("{s:[], s:b}", "actions", "truncated", 0);
	CS_CLEANUP_JSON json_t *before = NULL;
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	json_t *found = json_object_get(doc, "actions");
	const json_t *action;
	size_t i;
	enum cs_err err = doc == NULL ? CS_E_NOMEM : cs_caller_connect(call, &link, fault);

	for (int page = 0; err == CS_OK && page < PAGES_MAX && (page == 0 || before != NULL);
		page++)
		err = add_page(call, link, found, &before, fault);
	if (err != CS_OK)
		return err;
	if (before != NULL && json_object_set_new(doc, "truncated", json_true()) != 0)
		return CS_E_NOMEM;
	if (call->json)
		return cs_report_json(doc, fault);
	json_array_foreach(found, i, action) {
		if (i > 0)
			cs_bytes_add_text(&text, "\n");
		cs_caller_print_action(action, &text);
	}
	if (json_array_size(found) == 0)
		cs_bytes_add_text(&text, before == NULL ? "nothing waits\n" : "nothing found\n");
	if (before != NULL)
		cs_bytes_addf(
			&text, "\nonly the newest %d actions were looked at\n", PAGE * PAGES_MAX);
	return cs_report_write(&text, fault);
}
