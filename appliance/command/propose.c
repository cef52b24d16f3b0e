#include "caller.h"
#include "command.h"
#include "file.h"
#include "report.h"
#include "schema.h"

#include <countersign/limits.h>

/* What an embedded schema says about the request is said here, without a round trip. */
static enum cs_err read_request(const char *path, json_t **ret_request, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *request = NULL;
	struct cs_schema_registry *registry = NULL;
	enum cs_err err = cs_file_read_json(path, CS_CORE_MAX, &request, fault);

	if (err == CS_OK)
		err = cs_schema_registry_embedded(&registry);
	if (err == CS_OK)
		err = cs_schema_check(registry, "countersign.action_request.v1", request, fault);
	cs_schema_registry_free(registry);
	if (err == CS_OK)
		*ret_request = json_incref(request);
	return err;
}

static void print_checks(const json_t *decision, struct cs_bytes *text)
{
	const json_t *check;
	size_t i;

	json_array_foreach(json_object_get(decision, "checks"), i, check) {
		if (json_is_true(json_object_get(check, "passed")))
			continue;
		cs_report_field(text, "refused by", 14, cs_json_text(check, "reason_code"));
		cs_report_field(text, "", 14, cs_json_text(check, "detail"));
	}
}

enum cs_err cs_command_propose(struct cs_call *call, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *request = NULL;
	CS_CLEANUP_JSON json_t *reply = NULL;
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	const char *key = cs_call_value(call, "idempotency-key");
	json_t *parameters;
	enum cs_err err = read_request(cs_call_value(call, "request"), &request, fault);

	if (err != CS_OK)
		return err;
	parameters = json_pack("{s:O, s:s*}", "request", request, "idempotency_key", key);
	err = cs_caller_ask_once(call, "Propose", parameters, &reply, fault);
	if (err != CS_OK)
		return err;
	call->exit = cs_caller_exit(cs_json_text(reply, "state"));
	if (call->json)
		return cs_report_json(reply, fault);
	cs_report_field(&text, "id", 14, cs_json_text(reply, "id"));
	cs_report_field(&text, "action", 9, cs_json_text(reply, "action"));
	cs_report_field(&text, "state", 14, cs_json_text(reply, "state"));
	cs_report_field(&text, "outcome", 14, cs_json_text_at(reply, "decision/outcome"));
	cs_report_field(&text, "oversight", 14, cs_json_text_at(reply, "decision/oversight"));
	print_checks(json_object_get(reply, "decision"), &text);
	return cs_report_write(&text, fault);
}
