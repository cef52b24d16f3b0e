/*
 * Who held which key and which role, when. Built from trust sets or from published keys; everything
 * that verifies a signature asks here.
 */
#ifndef CS_KEYRING_H
#define CS_KEYRING_H

#include "address.h"
#include "signature.h"
#include "usage.h"

struct cs_keyring;

/* Borrowed strings live as long as the keyring. */
struct cs_key_info {
	const char *kid;
	const char *entity;
	enum cs_usage usage;
	struct cs_public_key key;
	const char *product;		/* token identity: (product, serial) */
	const char *serial;
	const char *assurance;		/* "software", "enrolled", "attested" */
	const char *origin;		/* log origin of an appliance key, else NULL */
	cs_time not_before;
	cs_time not_after;		/* CS_TIME_MAX when open */
	/* CS_TIME_MAX when not revoked; the earlier of `at` and `invalid_from` */
	cs_time revoked_at;
	/* the revocation's, or NULL; when set, dates alone do not save what this key signed */
	const char *last_trusted_checkpoint;
};

void cs_keyring_free(struct cs_keyring *ring);

/* NULL when unknown. */
const struct cs_key_info *cs_keyring_find(const struct cs_keyring *ring, const char *kid);

/*
 * The key `kid`, judged at `at` for signing `schema`. CS_E_KEY_UNKNOWN, CS_E_KEY_USAGE,
 * CS_E_KEY_ENTITY (when `entity` is not NULL and another's), CS_E_KEY_WINDOW, CS_E_KEY_REVOKED.
 * `path` is where the kid stands, for the fault.
 */
CS_MUST_CHECK enum cs_err cs_keyring_key_at(const struct cs_keyring *ring, const char *kid,
	const char *schema, const char *entity, cs_time at, const char *path,
	const struct cs_key_info **ret_key, struct cs_fault *fault);

/*
 * Whether `person` (active) holds `role` for this service and environment at `at`. Pass NULL
 * service and environment for a role that needs no scope (signing trust sets and policies). CS_OK,
 * CS_E_APPROVAL_ROLE, CS_E_APPROVAL_SCOPE.
 */
CS_MUST_CHECK enum cs_err cs_keyring_role(const struct cs_keyring *ring, const char *person,
	const char *role, const char *service, const char *environment, cs_time at,
	struct cs_fault *fault);

/*
 * The appliance key of this usage for a log origin as of the newest version: the one that has not
 * ended and is not revoked. NULL when none. The second gives the one that was valid at `at` (an old
 * checkpoint after a rotation, say).
 */
const struct cs_key_info *cs_keyring_appliance_key(
	const struct cs_keyring *ring, const char *origin, enum cs_usage usage);
const struct cs_key_info *cs_keyring_appliance_key_at(
	const struct cs_keyring *ring, const char *origin, enum cs_usage usage, cs_time at);

/*
 * Whether the trust set version `address` existed and was in force (the newest issued) at `at`.
 * CS_OK, CS_E_STATEMENT_TRUST_SET.
 */
CS_MUST_CHECK enum cs_err cs_keyring_version_at(
	const struct cs_keyring *ring, const char *address, cs_time at, struct cs_fault *fault);

/* For the verdict: version, genesis and issue time of the newest version known. Borrowed. */
const char *cs_keyring_genesis(const struct cs_keyring *ring);
const char *cs_keyring_as_of(const struct cs_keyring *ring);
/* True when built from a plain JWKS without our members: only cs_keyring_find works. */
bool cs_keyring_is_plain(const struct cs_keyring *ring);

/*
 * From published keys (countersign.published_keys.v1). Checks schema, that each key has the members
 * it needs (CS_E_KEY, never skipped), no kid twice (CS_E_TRUST_DUPLICATE), and the two signatures
 * by people whose keys and roles it publishes (security_officer and sre_lead or compliance). A JWKS
 * without `schema` gives a plain ring.
 */
struct cs_schema_registry;
CS_MUST_CHECK enum cs_err cs_keyring_from_jwks(struct cs_schema_registry *registry,
	const json_t *jwks, struct cs_keyring **ret_ring, struct cs_fault *fault);

#endif
