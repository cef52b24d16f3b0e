/*
 * What is in force: the schemas, the newest trust set and policy, and who this appliance is in
 * them. Read from signed files at start and on reload; immutable in between.
 */
#ifndef CS_RULEBOOK_H
#define CS_RULEBOOK_H

#include "daemon_settings.h"
#include "oversight.h"
#include "store.h"
#include "versions.h"

struct cs_rulebook {
	struct cs_schema_registry *registry;
	struct cs_trust *trust;
	const struct cs_keyring *ring; /* of the trust set */
	struct cs_policy *policy;
	const char *trust_set; /* addresses in force */
	const char *policy_address;
	const char *origin; /* log origin; borrowed from the settings */
	const char *entity; /* the appliance's entity, from the trust set */
	/* left out, because their time is to come */
	struct cs_upcoming next_trust_set, next_policy;
	int64_t timeout_seconds;   /* policy: how long people have for a slot */
	int64_t not_after_seconds; /* policy: longest window of an allow or an approval */
};

/*
 * Loads what is in force at `now` of both chains from their directories and pinned addresses. A
 * version below one that was in force here before: CS_E_TRUST_ROLLBACK, or CS_E_CLOCK when that one
 * is still to come; the same one with another address: CS_E_TRUST_CONFLICT; no appliance with our
 * origin: CS_E_LOG_ORIGIN. Errors of cs_versions_read, cs_versions_in_force, cs_trust_load and
 * cs_policy_load. What is in force is noted in the store. Free with cs_rulebook_free.
 */
CS_MUST_CHECK enum cs_err cs_rulebook_load(const struct cs_daemon_settings *settings,
	struct cs_store *store, cs_time now, struct cs_rulebook **ret_rulebook,
	struct cs_fault *fault);
void cs_rulebook_free(struct cs_rulebook *rulebook);

/* When the next version comes into force, CS_TIME_MAX when none is known. */
cs_time cs_rulebook_next(const struct cs_rulebook *rulebook);
/* Whether both have the same versions in force. */
bool cs_rulebook_same(const struct cs_rulebook *a, const struct cs_rulebook *b);

/* Whether an action's gate ran on these versions. */
bool cs_rulebook_is_of(const struct cs_rulebook *rulebook, const struct cs_action *action);

#endif
