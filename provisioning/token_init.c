#include "provision.h"
#include "report.h"
#include "token_access.h"

static enum cs_err print_token(
	const struct cs_call *call, const struct cs_token_identity *token, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes uri = {0};
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	CS_CLEANUP_JSON json_t *doc = NULL;
	enum cs_err err = cs_token_access_uri(token, &uri);

	if (err != CS_OK)
		return err;
	if (call->json) {
		doc = json_pack("{s:s, s:s, s:s, s:s}", "uri", (const char *)uri.data, "product",
			token->product, "serial", token->serial, "label", token->label);
		return doc == NULL ? CS_E_NOMEM : cs_report_json(doc, fault);
	}
	cs_report_field(&text, "token", 10, token->label);
	cs_report_field(&text, "product", 10, token->product);
	cs_report_field(&text, "serial", 10, token->serial);
	cs_report_field(&text, "uri", 10, (const char *)uri.data);
	return cs_report_write(&text, fault);
}

enum cs_err cs_provision_token_init(struct cs_call *call, struct cs_fault *fault)
{
	CS_CLEANUP_MODULE struct cs_module *module = NULL;
	CS_CLEANUP_PIN struct cs_pin *so_pin = NULL;
	CS_CLEANUP_PIN struct cs_pin *pin = NULL;
	struct cs_token_identity identity;
	enum cs_err err = cs_pin_from_file(cs_call_value(call, "so-pin-file"), &so_pin, fault);

	if (err == CS_OK)
		err = cs_pin_from_file(cs_call_value(call, "pin-file"), &pin, fault);
	if (err == CS_OK)
		err = cs_module_open(cs_call_value(call, "module"), &module, fault);
	if (err == CS_OK)
		err = cs_token_init(
			module, NULL, cs_call_value(call, "label"), so_pin, pin, &identity, fault);
	return err == CS_OK ? print_token(call, &identity, fault) : err;
}
