/*
 * JSON Schema, draft 2020-12 (json-schema.org), the assertions and applicators that the published
 * schemas and ours use.
 *
 * An unknown keyword, or a `$ref` that leaves the registry, refuses the schema
 * (CS_E_SCHEMA_UNSUPPORTED); nothing is ever fetched, and what is not understood is never taken
 * for valid. Not supported are $dynamicRef, $dynamicAnchor, unevaluatedItems,
 * unevaluatedProperties, $vocabulary, keywords of older drafts, and any other `$schema`.
 *
 * `pattern` is ECMA-262 with the flag "u", searched unanchored by PCRE2 with limits on steps, depth
 * and memory; back references and lookbehinds of variable length are not supported. Numbers are
 * compared by value (1.0 is an integer, and equal to 1), multipleOf in decimal digits. minLength
 * and maxLength count code points.
 */
#ifndef CS_SCHEMA_H
#define CS_SCHEMA_H

#include "canonical.h"

/* Schemas by $id, compiled when first used. Not for use by several threads at once. */
struct cs_schema_registry;

CS_MUST_CHECK enum cs_err cs_schema_registry_new(struct cs_schema_registry **ret_registry);
void cs_schema_registry_free(struct cs_schema_registry *registry);

/*
 * Whether `format` is asserted for date-time (RFC 3339 section 5.6); every other format is an
 * annotation, as 2020-12 has it by default. Off in a new registry, on in the embedded one.
 */
void cs_schema_assert_formats(struct cs_schema_registry *registry, bool on);

/*
 * Adds a schema under its `$id`, or under `uri` when it has none (either may then be used to name
 * it; `uri` may be NULL when it has one). References are resolved against the `$id`, else against
 * `uri` (RFC 3986 section 5). Takes its own reference to `schema`, which must not change any more.
 * CS_E_SCHEMA_INVALID, CS_E_EXISTS, CS_E_NOMEM; the registry is then as before.
 */
CS_MUST_CHECK enum cs_err cs_schema_add(struct cs_schema_registry *registry, const char *uri,
	json_t *schema, struct cs_fault *fault);

/*
 * Compiles every schema added so far; fault->path is the JSON pointer into the schema,
 * fault->detail begins with the keyword.
 * CS_E_SCHEMA_UNSUPPORTED: a keyword, a dialect or a construct of a pattern that is not
 *	supported, a reference to what is not in the registry, schemas nested too deep by references.
 * CS_E_SCHEMA_INVALID: a keyword's value is wrong, or a schema applies itself without end.
 * CS_E_EXISTS: two subschemas of the same name. CS_E_JSON_DEPTH, CS_E_TOO_LARGE, CS_E_NOMEM.
 */
CS_MUST_CHECK enum cs_err cs_schema_compile(struct cs_schema_registry *registry,
	struct cs_fault *fault);

/*
 * Validates, after compiling if need be (with the errors of cs_schema_compile). `uri` may name a part
 * of a schema ("common.json#/$defs/Id"). CS_OK; CS_E_DOCUMENT_INVALID with fault->path the JSON
 * pointer into `doc` and fault->detail beginning with the keyword that failed; CS_E_SCHEMA_UNKNOWN;
 * CS_E_MATCH_LIMIT when a pattern or the whole validation needs more steps than allowed;
 * CS_E_JSON_UTF8; CS_E_NOMEM.
 */
CS_MUST_CHECK enum cs_err cs_schema_validate(struct cs_schema_registry *registry, const char *uri,
	const json_t *doc, struct cs_fault *fault);

/*
 * A registry holding our embedded schemas. Each of our schemas has `$id`
 * "https://countersign.invalid/schemas/NAME.json" and is validated by its bare NAME, which is the
 * document's `schema` or `schema_version` (or "kye.authority.grant.v1", "kye.purpose.grant.v1",
 * "kye.delegation.v1", which carry none).
 */
CS_MUST_CHECK enum cs_err cs_schema_registry_embedded(struct cs_schema_registry **ret_registry);

/*
 * Validates a document against the embedded schema NAME and applies the text rules (CS_E_TEXT).
 * A newline may stand in the members `rationale`, `answer`, `hypothesis` and
 * `last_trusted_checkpoint` only.
 */
CS_MUST_CHECK enum cs_err cs_schema_check(struct cs_schema_registry *registry, const char *name,
	const json_t *doc, struct cs_fault *fault);

#endif
