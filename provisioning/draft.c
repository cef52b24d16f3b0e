#include "draft.h"
#include "address.h"
#include "file.h"
#include "plan.h"
#include "report.h"

#include <inttypes.h>
#include <string.h>

static enum cs_err read_previous(const char *path, const char *schema, size_t max,
	json_t **ret_previous, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *previous = NULL;
	enum cs_err err = cs_file_read_json(path, max, &previous, fault);

	if (err != CS_OK)
		return err;
	const char *found = cs_json_text(previous, "schema");
	if (found == NULL || strcmp(found, schema) != 0)
		return cs_fault_set(fault, CS_E_DOCUMENT_INVALID, path, "not a %s", schema);
	*ret_previous = json_incref(previous);
	return CS_OK;
}

/*
 * When the version comes into force. One already past would make another trust set the right one
 * for what was sealed since.
 */
static enum cs_err issue_time(const struct cs_call *call, const json_t *previous,
	char issued_at[CS_TIME_TEXT], struct cs_fault *fault)
{
	const char *given = cs_call_value(call, "issued-at");
	const char *before = cs_json_text(previous, "issued_at");
	cs_time now = cs_now();
	cs_time at = now;
	cs_time at_before = -1;

	if (given != NULL && cs_time_parse(given, &at, NULL) != CS_OK)
		return cs_fault_set(
			fault, CS_E_TIME, "--issued-at", "'%s' is not such a time", given);
	if (at < cs_time_add_seconds(now, -CS_ISSUED_BACK_SECONDS))
		return cs_fault_set(fault, CS_E_USAGE, "", "--issued-at: %s is past", given);
	if (at > cs_time_add_seconds(now, CS_ISSUED_LEAD_SECONDS))
		return cs_fault_set(fault, CS_E_USAGE, "",
			"--issued-at: %s is more than %d days ahead", given,
			CS_ISSUED_LEAD_SECONDS / 86400);
	if (before != NULL && cs_time_parse(before, &at_before, NULL) != CS_OK)
		return cs_fault_set(fault, CS_E_TIME, "/issued_at",
			"the previous version's '%s' is not such a time", before);
	cs_time_print(at, issued_at);
	if (at <= at_before)
		return cs_fault_set(fault, CS_E_TRUST_CHAIN, "/issued_at",
			"%s is not after the previous version's %s", issued_at, before);
	return CS_OK;
}

enum cs_err cs_draft_version(const struct cs_call *call, const char *schema, const char *id_prefix,
	size_t max, json_t **ret_draft, json_t **ret_previous, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *draft = NULL;
	CS_CLEANUP_JSON json_t *previous = NULL;
	const char *file = cs_call_value(call, "previous");
	char address[CS_ADDRESS_TEXT];
	char id[CS_ID_MAX + 1];
	char issued_at[CS_TIME_TEXT];
	enum cs_err err = cs_plan_read(cs_call_value(call, "plan"), &draft, fault);

	if (err == CS_OK && file != NULL)
		err = read_previous(file, schema, max, &previous, fault);
	if (err == CS_OK && file != NULL)
		err = cs_address_of(previous, address);
	if (err == CS_OK)
		err = issue_time(call, previous, issued_at, fault);
	if (err == CS_OK)
		err = cs_plan_new_id(id_prefix, id, fault);
	if (err != CS_OK)
		return err;
	/* A chain keeps one id; its versions are told apart by number and address. */
	const char *chain = cs_json_text(previous, "id");
	CS_CLEANUP_JSON json_t *head = json_pack("{s:s, s:s, s:I, s:s?, s:s}", "schema", schema,
		"id", chain != NULL ? chain : id, "version",
		(json_int_t)(cs_json_integer(previous, "version", 0) + 1), "previous",
		file != NULL ? address : NULL, "issued_at", issued_at);
	if (head == NULL || json_object_update(draft, head) != 0)
		return CS_E_NOMEM;
	*ret_draft = json_incref(draft);
	*ret_previous = previous != NULL ? json_incref(previous) : NULL;
	return CS_OK;
}

enum cs_err cs_draft_finish(const struct cs_call *call, const json_t *draft, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	const char *out = cs_call_value(call, "out");
	char address[CS_ADDRESS_TEXT];
	enum cs_err err = cs_file_write_json(out, draft, 0644, fault);

	if (err == CS_OK)
		err = cs_address_of(draft, address);
	if (err != CS_OK)
		return err;
	if (call->json) {
		CS_CLEANUP_JSON json_t *doc = json_pack("{s:s, s:O, s:O, s:O}", "address", address,
			"id", json_object_get(draft, "id"), "version",
			json_object_get(draft, "version"), "issued_at",
			json_object_get(draft, "issued_at"));
		return doc == NULL ? CS_E_NOMEM : cs_report_json(doc, fault);
	}
	cs_report_field(&text, "draft", 9, out);
	cs_report_field(&text, "in force", 9, cs_json_text(draft, "issued_at"));
	cs_bytes_addf(&text, "version  %" PRId64 "\naddress  %s\n",
		cs_json_integer(draft, "version", 0), address);
	return cs_report_write(&text, fault);
}
