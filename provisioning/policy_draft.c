#include "draft.h"
#include "policy.h"
#include "provision.h"

#include <countersign/limits.h>

enum cs_err cs_provision_policy_draft(struct cs_call *call, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *draft = NULL;
	CS_CLEANUP_JSON json_t *previous = NULL;
	struct cs_schema_registry *registry = NULL;
	enum cs_err err = cs_draft_version(call, "countersign.policy.v1", "kye:policy",
		CS_POLICY_MAX, &draft, &previous, fault);

	if (err == CS_OK)
		err = cs_schema_registry_embedded(&registry);
	if (err == CS_OK)
		err = cs_policy_check_content(registry, draft, fault);
	cs_schema_registry_free(registry);
	return err == CS_OK ? cs_draft_finish(call, draft, fault) : err;
}
