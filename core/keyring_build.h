/*
 * A keyring, inside: what trust sets and published keys fill in. For core/keyring*.c and
 * core/trust*.c alone.
 */
#ifndef CS_KEYRING_BUILD_H
#define CS_KEYRING_BUILD_H

#include "keyring.h"

/* A role as somebody held it. `from` is inclusive, `until` exclusive. */
struct cs_role_span {
	const char *person;
	const char *role;
	const json_t *services, *environments;
	cs_time from, until;
};

/* A time during which a person was active. */
struct cs_active_span {
	const char *person;
	cs_time from, until;
};

struct cs_ring_version {
	char address[CS_ADDRESS_TEXT];
	cs_time issued_at;
	int64_t version;
};

struct cs_keyring {
	bool plain;
	bool has_states;		/* roles count only inside an active span */
	json_t *documents;		/* keeps what is borrowed alive */
	json_t *by_kid;			/* kid to index in `keys` */
	json_t *by_role;		/* identity of a role entry to index in `roles` */
	json_t *by_person;		/* person to index of the newest span in `active` */
	struct cs_key_info *keys;
	size_t key_count, key_cap;
	struct cs_role_span *roles;
	size_t role_count, role_cap;
	struct cs_active_span *active;
	size_t active_count, active_cap;
	struct cs_ring_version *versions;
	size_t version_count, version_cap;
	char as_of[CS_TIME_TEXT];
};

CS_MUST_CHECK enum cs_err cs_keyring_new(struct cs_keyring **ret_ring);
/* Keeps a reference to a document whose strings the ring borrows. */
CS_MUST_CHECK enum cs_err cs_keyring_keep(struct cs_keyring *ring, const json_t *document);
/* Copies `info`. CS_E_TRUST_DUPLICATE when the kid is there already; CS_E_NOMEM. */
CS_MUST_CHECK enum cs_err cs_keyring_add_key(
	struct cs_keyring *ring, const struct cs_key_info *info);
CS_MUST_CHECK enum cs_err cs_keyring_add_role(
	struct cs_keyring *ring, const struct cs_role_span *span);
CS_MUST_CHECK enum cs_err cs_keyring_add_version(
	struct cs_keyring *ring, const char *address, int64_t version, cs_time issued_at);
/* The entry of `kid` that may still be changed; NULL when unknown. */
struct cs_key_info *cs_keyring_edit(struct cs_keyring *ring, const char *kid);

/* Makes room for one more element in a growing array; `size` is the element's. CS_E_NOMEM. */
CS_MUST_CHECK enum cs_err cs_grow(void **array, size_t count, size_t *cap, size_t size);

/*
 * A time member; `open` (may be 0 for: not allowed) is what null means. CS_E_TIME with `path` in
 * the fault.
 */
CS_MUST_CHECK enum cs_err cs_member_time(const json_t *object, const char *key, cs_time open,
	const char *path, cs_time *ret_time, struct cs_fault *fault);
/* The earlier of `at` and `invalid_from`; CS_TIME_MAX for null. */
CS_MUST_CHECK enum cs_err cs_revocation_time(
	const json_t *revocation, const char *path, cs_time *ret_time, struct cs_fault *fault);

/* ---- keyring_trust.c ---- */

/*
 * Takes in the next version of a trust set, whose content was checked: new keys and roles, endings
 * and revocations of old ones, who is active from when on. A role added later than in the genesis
 * counts from the version that added it, whatever its `from` says.
 */
CS_MUST_CHECK enum cs_err cs_keyring_advance(struct cs_keyring *ring, const json_t *version,
	const char *address, struct cs_fault *fault);
/* When `person` held roles while active, as roles[] of published keys. Caller owns. */
CS_MUST_CHECK enum cs_err cs_keyring_published_roles(
	const struct cs_keyring *ring, const char *person, json_t **ret_roles);

#endif
