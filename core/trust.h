/*
 * Trust sets: a chain of versions from a pinned genesis, each signed by two people under its
 * predecessor's keys and roles.
 */
#ifndef CS_TRUST_H
#define CS_TRUST_H

#include "keyring.h"
#include "schema.h"

struct cs_trust;

/*
 * Loads versions 1..n in order. `genesis` is the pinned address of version 1. Each refusal has its
 * own error: CS_E_TRUST_GENESIS, CS_E_TRUST_CHAIN (version, previous or time out of order),
 * CS_E_TRUST_UNSIGNED, CS_E_TRUST_SIGNERS, CS_E_TRUST_SELF_RAISE, CS_E_TRUST_REMOVED,
 * CS_E_TRUST_DUPLICATE, CS_E_TRUST_REFERENCE, CS_E_TRUST_TOKEN, CS_E_TRUST_ENROLMENT,
 * CS_E_TRUST_OFFICERS, CS_E_SIGNATURE, CS_E_KEY_…, CS_E_DOCUMENT_INVALID. Takes its own references.
 * The fault's path begins with "/N" (index of the version).
 */
CS_MUST_CHECK enum cs_err cs_trust_load(struct cs_schema_registry *registry, const json_t *versions,
	const char *genesis, struct cs_trust **ret_trust, struct cs_fault *fault);
void cs_trust_free(struct cs_trust *trust);

/* The newest version: document, address, number. Borrowed. */
const json_t *cs_trust_document(const struct cs_trust *trust);
const char *cs_trust_address(const struct cs_trust *trust);
int64_t cs_trust_version(const struct cs_trust *trust);
size_t cs_trust_count(const struct cs_trust *trust);
const char *cs_trust_address_of(
	const struct cs_trust *trust, size_t index); /* index 0 is version 1 */
const json_t *cs_trust_document_of(
	const struct cs_trust *trust, size_t index); /* NULL beyond the newest */
/* Keys and roles of the newest version, with the history of versions. Borrowed. */
const struct cs_keyring *cs_trust_keyring(const struct cs_trust *trust);

/* Entries of the newest version by id, NULL when absent. Borrowed. */
const json_t *cs_trust_person(const struct cs_trust *trust, const char *id);
const json_t *cs_trust_agent(const struct cs_trust *trust, const char *id);
const json_t *cs_trust_resource(const struct cs_trust *trust, const char *id);
const json_t *cs_trust_appliance(const struct cs_trust *trust, const char *origin);

/*
 * What a version owes before anybody signs it: shape, references, enrolments, nothing removed
 * against `previous` (NULL: a genesis), enough officers. Used by provisioning before it signs and
 * by cs_trust_load. `signer`, when not NULL, is a person about to sign: CS_E_TRUST_SELF_RAISE.
 */
CS_MUST_CHECK enum cs_err cs_trust_check_content(struct cs_schema_registry *registry,
	const json_t *version, const json_t *previous, const char *signer, struct cs_fault *fault);

/*
 * Authority and purpose grants. A grant's signature covers it with `revoked_at` and
 * `revoked_reason` set to null, so that a revocation can be added to a grant that stays signed.
 * Verified under the key of `issued_by` as of `issued_at`; `schema` is "kye.authority.grant.v1" or
 * "kye.purpose.grant.v1". CS_E_SIGNATURE_FORM, CS_E_KEY_…, CS_E_TIME, CS_E_SIGNATURE and what else
 * cs_sig_string_verify refuses. Whether it is revoked is the caller's to ask.
 */
CS_MUST_CHECK enum cs_err cs_grant_verify(const struct cs_keyring *ring, const json_t *grant,
	const char *schema, struct cs_fault *fault);

/* Builds an unsigned countersign.published_keys.v1 from the newest version. Caller owns. */
CS_MUST_CHECK enum cs_err cs_trust_publish(const struct cs_trust *trust, json_t **ret_jwks);

#endif
