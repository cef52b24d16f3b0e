/*
 * Authority and purpose grants: published forms that carry no schema name; their identifiers tell
 * them apart.
 */
#ifndef CS_GRANT_H
#define CS_GRANT_H

#include "canonical.h"
#include "schema.h"

/* "kye.authority.grant.v1" or "kye.purpose.grant.v1" by the document's id, else NULL. */
const char *cs_grant_schema(const json_t *doc);

/*
 * Validates a grant that is not signed yet (a `signature` member is demanded by the published
 * form): CS_E_DOCUMENT_INVALID, CS_E_TEXT.
 */
CS_MUST_CHECK enum cs_err cs_grant_check_unsigned(
	struct cs_schema_registry *registry, const json_t *grant, struct cs_fault *fault);

#endif
