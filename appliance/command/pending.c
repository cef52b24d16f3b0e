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

/*
 * Appends one page to `found`; *before becomes the id of its last action, or NULL after the last
 * page.
 */
static enum cs_err add_page(struct cs_call *call, struct cs_varlink *link, json_t *found,
	json_t **before, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *reply = NULL;
	const json_t *actions;
	json_t *action;
	json_t *last = NULL;
	size_t i;
	json_t *parameters = json_pack("{s:b, s:O*, s:i}", "mine", (int)cs_call_has(call, "mine"),
		"before", *before, "limit", PAGE);
	enum cs_err err = cs_caller_ask(call, link, "List", parameters, &reply, fault);

	if (err != CS_OK)
		return err;
	actions = json_object_get(reply, "actions");
	json_array_foreach(actions, i, action) {
		last = json_object_get(action, "id");
		if (waits(action) && json_array_append(found, action) != 0)
			return CS_E_NOMEM;
	}
	json_decref(*before);
	*before = json_array_size(actions) == PAGE ? json_incref(last) : NULL;
	return CS_OK;
}

enum cs_err cs_command_pending(struct cs_call *call, struct cs_fault *fault)
{
	CS_CLEANUP_VARLINK struct cs_varlink *link = NULL;
	CS_CLEANUP_JSON json_t *doc = json_pack("{s:[]}", "actions");
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
	if (call->json)
		return cs_report_json(doc, fault);
	json_array_foreach(found, i, action) {
		if (i > 0)
			cs_bytes_add_text(&text, "\n");
		cs_caller_print_action(action, &text);
	}
	if (json_array_size(found) == 0)
		cs_bytes_add_text(&text, "nothing waits\n");
	return cs_report_write(&text, fault);
}
