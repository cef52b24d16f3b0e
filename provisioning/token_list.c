#include "provision.h"
#include "report.h"
#include "token_access.h"

#include <stdlib.h>

static enum cs_err add_token(const struct cs_slot *slot, json_t *list, struct cs_bytes *text)
{
	CS_CLEANUP_BYTES struct cs_bytes uri = {0};
	const struct cs_token_identity *token = &slot->identity;
	enum cs_err err = cs_token_access_uri(token, &uri);

	if (err != CS_OK)
		return err;
	cs_report_field(text, "token", 10, token->label);
	cs_report_field(text, "product", 10, token->product);
	cs_report_field(text, "serial", 10, token->serial);
	cs_report_field(text, "uri", 10, (const char *)uri.data);
	json_t *entry = json_pack("{s:s, s:o, s:o, s:o, s:b}", "uri", (const char *)uri.data,
		"product", cs_report_text(token->product), "serial", cs_report_text(token->serial),
		"label", cs_report_text(token->label), "software", (int)token->software);
	return entry != NULL && json_array_append_new(list, entry) == 0 ? CS_OK : CS_E_NOMEM;
}

enum cs_err cs_provision_token_list(struct cs_call *call, struct cs_fault *fault)
{
	CS_CLEANUP_MODULE struct cs_module *module = NULL;
	CS_CLEANUP_JSON json_t *doc = json_pack("{s:[]}", "tokens");
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	struct cs_slots *slots = calloc(1, sizeof *slots);
	enum cs_err err = CS_E_NOMEM;

	if (doc != NULL && slots != NULL)
		err = cs_module_open(cs_call_value(call, "module"), &module, fault);
	if (err == CS_OK)
		err = cs_slots_read(module, slots, fault);
	for (size_t i = 0; err == CS_OK && i < slots->count; i++)
		if (slots->slot[i].flags & CKF_TOKEN_INITIALIZED)
			err = add_token(&slots->slot[i], json_object_get(doc, "tokens"), &text);
	free(slots);
	if (err != CS_OK)
		return err;
	if (!call->json && text.len == 0)
		cs_bytes_add_text(&text, "no token\n");
	return call->json ? cs_report_json(doc, fault) : cs_report_write(&text, fault);
}
