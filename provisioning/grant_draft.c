#include "draft.h"
#include "file.h"
#include "grant.h"
#include "plan.h"
#include "provision.h"

#include <countersign/limits.h>

/*
 * The time of issue is when it is drafted for signature; whoever signs it does so with a key that
 * is valid then.
 */
static enum cs_err fill(json_t *grant)
{
	char now[CS_TIME_TEXT];

	cs_time_print(cs_now() / 1000 * 1000, now);
	if (json_object_set_new(grant, "issued_at", json_string(now)) != 0)
		return CS_E_NOMEM;
	CS_CLEANUP_JSON json_t *missing =
		json_pack("{s:i, s:n, s:n}", "version", 1, "revoked_at", "revoked_reason");
	return missing != NULL && json_object_update_missing(grant, missing) == 0 ? CS_OK
										  : CS_E_NOMEM;
}

enum cs_err cs_provision_grant_draft(struct cs_call *call, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *grant = NULL;
	struct cs_schema_registry *registry = NULL;
	const char *plan = cs_call_value(call, "plan");
	enum cs_err err = cs_file_read_json(plan, CS_EVIDENCE_MAX, &grant, fault);

	if (err != CS_OK)
		return err;
	if (!json_is_object(grant))
		return cs_fault_set(fault, CS_E_DOCUMENT_INVALID, plan, "a grant is an object");
	err = fill(grant);
	if (err == CS_OK)
		err = cs_schema_registry_embedded(&registry);
	if (err == CS_OK)
		err = cs_grant_check_unsigned(registry, grant, fault);
	cs_schema_registry_free(registry);
	return err == CS_OK ? cs_draft_finish(call, grant, fault) : err;
}
