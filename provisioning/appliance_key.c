#include "plan.h"
#include "provision.h"
#include "report.h"
#include "token_access.h"
#include "address.h"

#include <string.h>

static enum cs_err check_names(const struct cs_call *call, struct cs_fault *fault)
{
	const char *usage = cs_call_value(call, "usage");

	if (!cs_id_ok(cs_call_value(call, "kid"), "key"))
		return cs_fault_set(fault, CS_E_ID, "--kid", "not a kye:key: identifier");
	if (!cs_id_ok(cs_call_value(call, "entity"), "ent"))
		return cs_fault_set(fault, CS_E_ID, "--entity", "not a kye:ent: identifier");
	if (strcmp(usage, "seal") != 0 && strcmp(usage, "checkpoint") != 0 &&
		strcmp(usage, "document") != 0)
		return cs_fault_set(
			fault, CS_E_USAGE, "", "--usage is seal, checkpoint or document");
	return CS_OK;
}

static enum cs_err add_key(const struct cs_call *call, const struct cs_token_access *access,
	json_t *plan, struct cs_fault *fault)
{
	char now[CS_TIME_TEXT];
	const char *token;
	struct cs_plan_key key = {
		.kid = cs_call_value(call, "kid"),
		.entity = cs_call_value(call, "entity"),
		.usage = cs_call_value(call, "usage"),
		.key = &access->public_key,
		.not_before = cs_time_print(cs_now() / 1000 * 1000, now),
		.pin_policy = "once",
		.touch_policy = "never",
	};
	enum cs_err err = cs_plan_token(plan, cs_token_identity(access->token), &token, fault);

	if (err != CS_OK)
		return err;
	key.token = token;
	return cs_plan_add_key(plan, &key, fault);
}

enum cs_err cs_provision_appliance_key(struct cs_call *call, struct cs_fault *fault)
{
	CS_CLEANUP_ACCESS struct cs_token_access access = {0};
	CS_CLEANUP_JSON json_t *plan = NULL;
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	const char *path = cs_call_value(call, "plan");
	enum cs_err err = check_names(call, fault);

	if (err == CS_OK)
		err = cs_plan_read(path, &plan, fault);
	if (err == CS_OK)
		err = cs_token_access_open_key(call, NULL, &access, fault);
	if (err == CS_OK)
		err = add_key(call, &access, plan, fault);
	if (err == CS_OK)
		err = cs_plan_write(path, plan, fault);
	if (err != CS_OK)
		return err;
	const json_t *added =
		cs_json_find(json_object_get(plan, "keys"), "kid", cs_call_value(call, "kid"));
	if (call->json)
		return cs_report_json(added, fault);
	cs_report_field(&text, "key", 10, cs_call_value(call, "kid"));
	cs_report_field(&text, "usage", 10, cs_call_value(call, "usage"));
	cs_report_field(&text, "token", 10, cs_json_text(added, "token"));
	return cs_report_write(&text, fault);
}
