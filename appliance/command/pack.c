#include "caller.h"
#include "command.h"
#include "file.h"
#include "report.h"

/* The pack is handed on as it came: whoever relies on it verifies it. */
enum cs_err cs_command_pack(struct cs_call *call, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *reply = NULL;
	CS_CLEANUP_JSON json_t *doc = NULL;
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	const char *out = cs_call_value(call, "out");
	enum cs_err err = cs_caller_ask_once(
		call, "GetPack", json_pack("{s:s}", "id", call->operand[0]), &reply, fault);

	if (err != CS_OK)
		return err;
	const json_t *pack = json_object_get(reply, "pack");
	if (!json_is_object(pack))
		return cs_fault_set(fault, CS_E_SERVICE, "/pack", "the reply has no pack");
	if (out == NULL)
		return cs_report_json(pack, fault);
	err = cs_file_write_json(out, pack, 0644, fault);
	if (err != CS_OK)
		return err;
	doc = json_pack("{s:s?, s:s}", "id", cs_json_text(pack, "id"), "out", out);
	if (doc == NULL)
		return CS_E_NOMEM;
	cs_report_field(&text, "pack", 6, cs_json_text(pack, "id"));
	cs_report_field(&text, "in", 6, out);
	return call->json ? cs_report_json(doc, fault) : cs_report_write(&text, fault);
}
