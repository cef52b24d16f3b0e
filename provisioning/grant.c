#include "grant.h"

#include <string.h>

/* Has the form of a signature and is none: 64 bytes of zero under no key. */
#define PLACEHOLDER \
	"sig:eddsa:kye:key:unsigned:" \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

const char *cs_grant_schema(const json_t *doc)
{
	const char *id = cs_json_text(doc, "id");

	if (id == NULL || json_object_get(doc, "schema") != NULL)
		return NULL;
	if (strncmp(id, "kye:authority:", 14) == 0)
		return "kye.authority.grant.v1";
	if (strncmp(id, "kye:purpose:", 12) == 0)
		return "kye.purpose.grant.v1";
	return NULL;
}

enum cs_err cs_grant_check_unsigned(
	struct cs_schema_registry *registry, const json_t *grant, struct cs_fault *fault)
{
	const char *schema = cs_grant_schema(grant);

	if (schema == NULL)
		return cs_fault_set(fault, CS_E_DOCUMENT_INVALID, "/id",
			"neither an authority grant nor a purpose grant");
	if (json_object_get(grant, "signature") != NULL)
		return cs_fault_set(
			fault, CS_E_EXISTS, "/signature", "the grant is signed already");
	CS_CLEANUP_JSON json_t *copy = cs_json_copied(grant);
	if (copy == NULL || json_object_set_new(copy, "signature", json_string(PLACEHOLDER)) != 0)
		return CS_E_NOMEM;
	return cs_schema_check(registry, schema, copy, fault);
}
