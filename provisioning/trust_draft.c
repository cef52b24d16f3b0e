#include "draft.h"
#include "provision.h"
#include "trust.h"

#include <countersign/limits.h>

/* A plan may leave out what is empty. */
static enum cs_err fill(json_t *draft)
{
	static const char *const arrays[] = {"organisations", "persons", "agents", "resources",
		"tokens", "keys", "grants", "delegations", "purposes", "appliances",
		"stack_bindings", "on_call"};

	for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
		if (json_object_get(draft, arrays[i]) == NULL &&
			json_object_set_new(draft, arrays[i], json_array()) != 0)
			return CS_E_NOMEM;
	return CS_OK;
}

enum cs_err cs_provision_trust_draft(struct cs_call *call, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *draft = NULL;
	CS_CLEANUP_JSON json_t *previous = NULL;
	struct cs_schema_registry *registry = NULL;
	enum cs_err err = cs_draft_version(call, "countersign.trust_set.v1", "kye:trust-set",
		CS_TRUST_SET_MAX, &draft, &previous, fault);

	if (err == CS_OK)
		err = fill(draft);
	if (err == CS_OK)
		err = cs_schema_registry_embedded(&registry);
	if (err == CS_OK)
		err = cs_trust_check_content(registry, draft, previous, NULL, fault);
	cs_schema_registry_free(registry);
	return err == CS_OK ? cs_draft_finish(call, draft, fault) : err;
}
