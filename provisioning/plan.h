/*
 * Plans: JSON files with the content of the next trust set or policy, edited until the version is
 * drafted from them.
 *
 * A plan holds content members only. What makes it a version (schema, id, version, previous,
 * issued_at, signatures) is added by the draft, so that no plan can be mistaken for a document
 * that somebody signed.
 */
#ifndef CS_PLAN_H
#define CS_PLAN_H

#include "canonical.h"
#include "clock_now.h"
#include "signature.h"
#include "pkcs11/slot.h"

/*
 * "PREFIX:ULID" of this moment; `id` holds 201 bytes (CS_ID_MAX and NUL). CS_E_ID when it would
 * be longer.
 */
CS_MUST_CHECK enum cs_err cs_plan_new_id(const char *prefix, char *id, struct cs_fault *fault);

/*
 * Reads a plan: an object without the members that a draft adds. CS_E_DOCUMENT_INVALID and the
 * errors of cs_file_read_json.
 */
CS_MUST_CHECK enum cs_err cs_plan_read(const char *path, json_t **ret_plan, struct cs_fault *fault);
/* Replaces the file in one step. */
CS_MUST_CHECK enum cs_err cs_plan_write(
	const char *path, const json_t *plan, struct cs_fault *fault);

/*
 * The `tokens[]` entry of this token, added when it is new: assurance "software" for a token
 * known to keep keys in software, else "enrolled". CS_E_TRUST_TOKEN for a token that cannot be
 * told from others. `ret_id` is borrowed from the plan.
 */
CS_MUST_CHECK enum cs_err cs_plan_token(json_t *plan, const struct cs_token_identity *identity,
	const char **ret_id, struct cs_fault *fault);

struct cs_plan_key {
	const char *kid;
	const char *entity;
	const char *usage;
	const char *token; /* id of the tokens[] entry */
	const struct cs_public_key *key;
	const char *not_before; /* RFC 3339 */
	const char *not_after;	/* or NULL: open */
	const char *pin_policy;
	const char *touch_policy;
	json_t *enrolment; /* borrowed; NULL for keys of an appliance */
};
/*
 * Appends a `keys[]` entry. CS_E_TRUST_DUPLICATE for a kid or a public key that the plan holds
 * already.
 */
CS_MUST_CHECK enum cs_err cs_plan_add_key(
	json_t *plan, const struct cs_plan_key *key, struct cs_fault *fault);

#endif
