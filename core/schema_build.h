/*
 * JSON Schema, inside: what the walk over a schema and the taking of its keywords share.
 */
#ifndef CS_SCHEMA_BUILD_H
#define CS_SCHEMA_BUILD_H

#include "schema_node.h"

struct cs_schema_build {
	struct cs_schema_program *program;
	struct cs_fault *fault;
};

/*
 * Where the walk is. `pointer` counts from the resource that `base` names. At the root of an
 * embedded resource `outer` is its "URI#pointer" in the resource around it, else NULL.
 */
struct cs_schema_place {
	const char *base;
	const char *pointer;
	const char *outer;
	const char *keyword;
	unsigned depth;
};

/* ---- schema_compile.c ---- */

/* Says at which keyword of which schema; `why` is shown after the keyword. Returns `err`. */
enum cs_err cs_schema_refuse(const struct cs_schema_build *build, enum cs_err err,
	const struct cs_schema_place *place, const char *keyword, const char *why);
/* Enters "URI#pointer" or "URI#anchor" for a node. CS_E_EXISTS, CS_E_TOO_LARGE, CS_E_NOMEM. */
CS_MUST_CHECK enum cs_err cs_schema_enter(
	struct cs_schema_build *build, const char *place, size_t index);
/* Compiles the subschema behind `keyword` and, when not NULL, the key or index `token`. */
CS_MUST_CHECK enum cs_err cs_schema_descend(struct cs_schema_build *build, const json_t *schema,
	const struct cs_schema_place *place, const char *keyword, const char *token,
	struct cs_schema_node **ret_node);

/* ---- schema_keyword.c ---- */

/* Takes every keyword of an object schema into `node`, which must be the program's last node. */
CS_MUST_CHECK enum cs_err cs_schema_take_object(struct cs_schema_build *build, const json_t *schema,
	const struct cs_schema_place *place, struct cs_schema_node *node);

#endif
