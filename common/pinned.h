/*
 * Trust sets and policies from directories, checked from their pinned genesis on.
 */
#ifndef CS_PINNED_H
#define CS_PINNED_H

#include "versions.h"

/*
 * The versions in force at `now`; CS_TIME_MAX takes those still to come as well. Free with
 * cs_trust_free. Errors of cs_versions_read, cs_versions_in_force and cs_trust_load.
 */
CS_MUST_CHECK enum cs_err cs_pinned_trust(struct cs_schema_registry *registry,
	const char *directory, const char *genesis, cs_time now, struct cs_trust **ret_trust,
	struct cs_fault *fault);

/*
 * The versions in force at `now`. Free with cs_policy_free. `accepted` as in cs_policy_load; with
 * `any` every version in the directory is taken, those still to come too, and counts as accepted
 * before, so that each is judged at its own issue alone. Errors of cs_versions_read,
 * cs_versions_in_force and cs_policy_load.
 */
CS_MUST_CHECK enum cs_err cs_pinned_policy(struct cs_schema_registry *registry,
	const char *directory, const char *genesis, const struct cs_keyring *ring, cs_time now,
	const char *const *accepted, bool any, struct cs_policy **ret_policy,
	struct cs_fault *fault);

#endif
