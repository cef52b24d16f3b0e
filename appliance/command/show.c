#include "caller.h"
#include "command.h"
#include "present.h"
#include "report.h"
#include "screen.h"

static void decision_rows(const json_t *reply, struct cs_bytes *text)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(cs_json_at(reply, "decision/checks"), i, entry) {
		if (json_is_true(json_object_get(entry, "passed")))
			continue;
		cs_report_field(text, "not passed", 14, cs_json_text(entry, "reason_code"));
		cs_report_field(text, "", 14, cs_json_text(entry, "detail"));
	}
	json_array_foreach(json_object_get(reply, "decisions"), i, entry) {
		cs_report_field(text, "decision", 14, cs_json_text(entry, "decision"));
		cs_report_field(text, "  by", 14, cs_json_text(entry, "approver"));
		cs_report_field(text, "  as", 14, cs_json_text_at(entry, "binding/role"));
		cs_report_field(text, "  at", 14, cs_json_text(entry, "decided_at"));
	}
}

/* Only a look: everything here is the appliance's word. `approve` checks, `verify` proves. */
enum cs_err cs_command_show(struct cs_call *call, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *reply = NULL;
	CS_CLEANUP_SCREEN struct cs_screen *screen = NULL;
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	const json_t *action;
	const char *address;
	enum cs_err err = cs_caller_ask_once(
		call, "Show", json_pack("{s:s}", "id", call->operand[0]), &reply, fault);

	if (err != CS_OK)
		return err;
	if (call->json)
		return cs_report_json(reply, fault);
	action = json_object_get(reply, "action");
	address = cs_json_text(action, "action");
	err = cs_screen_new(&screen);
	if (err != CS_OK)
		return err;
	cs_caller_print_action(action, &text);
	decision_rows(reply, &text);
	cs_present_core(json_object_get(reply, "core"), CS_CLAIMED, address != NULL ? address : "-",
		screen);
	err = cs_screen_render(screen, &text);
	return err == CS_OK ? cs_report_write(&text, fault) : err;
}
