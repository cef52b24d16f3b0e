/*
 * JSON Schema, draft 2020-12, the assertions and applicators that the published schemas and ours use.
 *
 * An unknown keyword, or a `$ref` that leaves the registry, refuses the schema (CS_E_SCHEMA_UNSUPPORTED); nothing is ever
 * fetched. `pattern` is PCRE2 with UTF, Unicode properties and match limits. `format` is asserted for date-time.
 */
#ifndef CS_SCHEMA_H
#define CS_SCHEMA_H

#include "canonical.h"

struct cs_schema_registry;	/* schemas by $id; compiled lazily, immutable after compilation */

CS_MUST_CHECK enum cs_err cs_schema_registry_new(struct cs_schema_registry **ret_registry);
void cs_schema_registry_free(struct cs_schema_registry *registry);

/*
 * Whether `format` is asserted for date-time (RFC 3339 section 5.6); every other format is an annotation, as 2020-12 has it
 * by default. Off in a new registry, on in the embedded one.
 */
void cs_schema_assert_formats(struct cs_schema_registry *registry, bool on);

/*
 * Adds a schema under its `$id`, or under `uri` when it has none (either may then be used to name it). Takes its own
 * reference to `schema`. CS_E_SCHEMA_INVALID, CS_E_EXISTS.
 */
CS_MUST_CHECK enum cs_err cs_schema_add(struct cs_schema_registry *registry, const char *uri, json_t *schema,
	struct cs_fault *fault);

/* Compiles every schema added so far; refuses unknown keywords and dangling references by name. */
CS_MUST_CHECK enum cs_err cs_schema_compile(struct cs_schema_registry *registry, struct cs_fault *fault);

/*
 * Validates. CS_OK; CS_E_DOCUMENT_INVALID with fault->path the JSON pointer into `doc` and fault->detail beginning with the
 * keyword that failed; CS_E_SCHEMA_UNKNOWN; CS_E_SCHEMA_UNSUPPORTED; CS_E_MATCH_LIMIT.
 */
CS_MUST_CHECK enum cs_err cs_schema_validate(struct cs_schema_registry *registry, const char *uri, const json_t *doc,
	struct cs_fault *fault);

/*
 * A registry holding our embedded schemas. Each of our schemas has `$id` "https://countersign.invalid/schemas/NAME.json"
 * and is validated by its bare NAME, which is the document's `schema` or `schema_version` (or "kye.authority.grant.v1",
 * "kye.purpose.grant.v1", "kye.delegation.v1", which carry none).
 */
CS_MUST_CHECK enum cs_err cs_schema_registry_embedded(struct cs_schema_registry **ret_registry);
/* Validates a document against the embedded schema NAME and applies the text rules (CS_E_TEXT). */
CS_MUST_CHECK enum cs_err cs_schema_check(struct cs_schema_registry *registry, const char *name, const json_t *doc,
	struct cs_fault *fault);

#endif
