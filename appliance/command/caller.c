#include "caller.h"
#include "report.h"

#include <string.h>

#define COLUMN 14
#define ADDRESS_COLUMN 9 /* an address then fits a line of 80 */

enum cs_err cs_caller_connect(
	const struct cs_call *call, struct cs_varlink **ret_link, struct cs_fault *fault)
{
	const char *path = cs_call_value(call, "socket");

	return cs_varlink_connect(path != NULL ? path : CS_APPLIANCE_SOCKET, ret_link, fault);
}

enum cs_err cs_caller_refused(struct cs_call *call, enum cs_err err, bool refused)
{
	if (err != CS_OK && refused && cs_exit_of(err) == CS_EXIT_USAGE)
		call->failure = CS_EXIT_REFUSED;
	return err;
}

enum cs_err cs_caller_ask(struct cs_call *call, struct cs_varlink *link, const char *method,
	json_t *parameters, json_t **ret_reply, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *owned = parameters;
	bool refused = false;
	enum cs_err err =
		owned == NULL ? CS_E_NOMEM : cs_varlink_send(link, method, owned, false, fault);

	if (err == CS_OK)
		err = cs_varlink_receive(link, INT64_C(1000) * CS_VARLINK_CALL_SECONDS, ret_reply,
			NULL, &refused, fault);
	return cs_caller_refused(call, err, refused);
}

enum cs_err cs_caller_ask_once(struct cs_call *call, const char *method, json_t *parameters,
	json_t **ret_reply, struct cs_fault *fault)
{
	CS_CLEANUP_VARLINK struct cs_varlink *link = NULL;
	enum cs_err err = cs_caller_connect(call, &link, fault);

	if (err != CS_OK) {
		json_decref(parameters);
		return err;
	}
	return cs_caller_ask(call, link, method, parameters, ret_reply, fault);
}

int cs_caller_exit(const char *state)
{
	static const struct {
		const char *state;
		int exit;
	} table[] = {
		{"proposed", CS_EXIT_WAITING},
		{"awaiting_approval", CS_EXIT_WAITING},
		{"escalated", CS_EXIT_WAITING},
		{"needs_information", CS_EXIT_WAITING},
		{"allowed", CS_EXIT_DONE},
		{"approved", CS_EXIT_DONE},
		{"sealed", CS_EXIT_DONE},
		{"executing", CS_EXIT_DONE},
		{"executed", CS_EXIT_DONE},
		{"expired", CS_EXIT_ENDED},
		{"withdrawn", CS_EXIT_ENDED},
	};

	for (size_t i = 0; state != NULL && i < sizeof table / sizeof table[0]; i++)
		if (strcmp(table[i].state, state) == 0)
			return table[i].exit;
	return CS_EXIT_REFUSED;
}

void cs_caller_print_action(const json_t *action, struct cs_bytes *out)
{
	const json_t *slot;
	size_t i;

	cs_report_field(out, "id", COLUMN, cs_json_text(action, "id"));
	cs_report_field(out, "action", ADDRESS_COLUMN, cs_json_text(action, "action"));
	cs_report_field(out, "state", COLUMN, cs_json_text(action, "state"));
	cs_report_field(out, "outcome", COLUMN, cs_json_text(action, "outcome"));
	cs_report_field(out, "reason", COLUMN, cs_json_text(action, "reason"));
	cs_report_field(out, "caller", COLUMN, cs_json_text(action, "caller"));
	cs_report_field(out, "capability", COLUMN, cs_json_text(action, "capability"));
	cs_report_field(out, "action class", COLUMN, cs_json_text(action, "action_class"));
	cs_report_field(out, "change class", COLUMN, cs_json_text(action, "change_class"));
	cs_report_field(out, "oversight", COLUMN, cs_json_text(action, "oversight"));
	json_array_foreach(json_object_get(action, "slots"), i, slot) {
		const char *approver = cs_json_text(slot, "approver");
		cs_report_field(out, "slot", COLUMN, cs_json_text(slot, "role"));
		cs_report_field(out, "", COLUMN, approver != NULL ? approver : "open");
	}
	cs_report_field(out, "created", COLUMN, cs_json_text(action, "created_at"));
	cs_report_field(out, "expires", COLUMN, cs_json_text(action, "expires_at"));
	cs_report_field(out, "use until", COLUMN, cs_json_text(action, "not_after"));
}
