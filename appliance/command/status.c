#include "caller.h"
#include "command.h"
#include "report.h"

#include <inttypes.h>
#include <stdio.h>

static void add_version(struct cs_bytes *text, const char *label, const json_t *named)
{
	CS_CLEANUP_BYTES struct cs_bytes line = {0};
	const char *address = cs_json_text(named, "address");

	cs_bytes_addf(&line, "version %" PRId64 ", %s", cs_json_integer(named, "version", 0),
		address != NULL ? address : "-");
	cs_report_field(
		text, label, 14, cs_bytes_check(&line) == CS_OK ? (const char *)line.data : NULL);
}

enum cs_err cs_command_status(struct cs_call *call, struct cs_fault *fault)
{
	static const char *const counts[] = {"waiting", "unsealed", "refused"};
	CS_CLEANUP_JSON json_t *reply = NULL;
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	enum cs_err err = cs_caller_ask_once(call, "Status", json_object(), &reply, fault);

	if (err != CS_OK)
		return err;
	const json_t *signer = json_object_get(reply, "signer");
	bool ready = json_is_true(json_object_get(signer, "ready"));
	call->exit = ready ? CS_EXIT_DONE : CS_EXIT_UNAVAILABLE;
	if (call->json)
		return cs_report_json(reply, fault);
	const json_t *actions = json_object_get(reply, "actions");
	cs_report_field(&text, "appliance", 14, cs_json_text(reply, "entity"));
	cs_report_field(&text, "origin", 14, cs_json_text(reply, "origin"));
	cs_report_field(&text, "version", 14, cs_json_text(reply, "version"));
	add_version(&text, "trust set", json_object_get(reply, "trust_set"));
	add_version(&text, "policy", json_object_get(reply, "policy"));
	if (cs_json_text(reply, "next_version_at") != NULL)
		cs_report_field(&text, "next version", 14, cs_json_text(reply, "next_version_at"));
	cs_report_field(&text, "signer", 14, ready ? "ready" : cs_json_text(signer, "reason"));
	if (!ready)
		cs_report_field(&text, "", 14, cs_json_text(signer, "detail"));
	cs_bytes_addf(&text, "%-14s%" PRId64 "\n", "log size",
		cs_json_integer(json_object_get(reply, "log"), "size", 0));
	cs_report_field(&text, "log root", 14, cs_json_text_at(reply, "log/root"));
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
		cs_bytes_addf(&text, "%-14s%" PRId64 "\n", counts[i],
			cs_json_integer(actions, counts[i], 0));
	cs_report_field(&text, "running since", 14, cs_json_text(reply, "started_at"));
	return cs_report_write(&text, fault);
}
