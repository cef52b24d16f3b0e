#include "usage.h"

#include <string.h>

static const char *const names[CS_USAGE_COUNT] = {
	[CS_USAGE_PERSON] = "person",
	[CS_USAGE_SEAL] = "seal",
	[CS_USAGE_CHECKPOINT] = "checkpoint",
	[CS_USAGE_DOCUMENT] = "document",
	[CS_USAGE_BINDING] = "binding",
	[CS_USAGE_ENGINE] = "engine",
};

/* What is not in this table is signed by nobody. */
static const struct {
	enum cs_usage usage;
	const char *schema;
} allowed[] = {
	{CS_USAGE_PERSON, "kye.approval_decision.v1"},
	{CS_USAGE_PERSON, "countersign.trust_set.v1"},
	{CS_USAGE_PERSON, "countersign.policy.v1"},
	{CS_USAGE_PERSON, "countersign.published_keys.v1"},
	{CS_USAGE_PERSON, "countersign.enrolment_challenge.v1"},
	{CS_USAGE_PERSON, "kye.authority.grant.v1"},
	{CS_USAGE_PERSON, "kye.purpose.grant.v1"},
	{CS_USAGE_SEAL, "countersign.seal_statement.v1"},
	{CS_USAGE_CHECKPOINT, CS_USAGE_SCHEMA_CHECKPOINT},
	{CS_USAGE_DOCUMENT, "countersign.engine_certificate.v1"},
	{CS_USAGE_BINDING, "countersign.binding_certificate.v1"},
	{CS_USAGE_ENGINE, "kye.approval_brief.v1"},
	{CS_USAGE_ENGINE, "kye.approver_knowledge_snapshot.v1"},
	{CS_USAGE_ENGINE, "kye.consequence_map.v1"},
	{CS_USAGE_ENGINE, "countersign.decision.v1"},
	{CS_USAGE_ENGINE, "countersign.node_list.v1"},
	{CS_USAGE_ENGINE, "countersign.state_signature.v1"},
};

const char *cs_usage_name(enum cs_usage usage)
{
	return (unsigned)usage < CS_USAGE_COUNT ? names[usage] : "unknown";
}

enum cs_usage cs_usage_by_name(const char *name)
{
	unsigned i = 0;

	while (i < CS_USAGE_COUNT && (name == NULL || strcmp(names[i], name) != 0))
		i++;
	return (enum cs_usage)i;
}

bool cs_usage_may_sign(enum cs_usage usage, const char *schema)
{
	if (schema == NULL)
		return false;
	for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
		if (allowed[i].usage == usage && strcmp(allowed[i].schema, schema) == 0)
			return true;
	return false;
}
