/*
 * Trust sets, inside: the rules on one version and on the step from one version to the next. For
 * core/trust*.c alone.
 */
#ifndef CS_TRUST_RULES_H
#define CS_TRUST_RULES_H

#include "keyring_build.h"
#include "trust.h"

/*
 * Rules on one version, its schema aside: identifiers once, references lead somewhere, tokens and
 * keys usable, enrolments prove their keys, enough security officers. `earlier` is an array of
 * addresses: a new key's enrolment must name one of them (null in a genesis); keys and grants that
 * `previous` (may be NULL) has already are not judged again. Errors as cs_trust_load.
 */
CS_MUST_CHECK enum cs_err cs_trust_content(const json_t *version, const json_t *previous,
	const json_t *earlier, struct cs_fault *fault);

/* trust_entity.c: organisations, persons, agents, resources, delegations. `index` as below. */
struct cs_trust_index {
	/* id to entry */
	json_t *organisations, *persons, *agents, *resources, *tokens, *keys, *grants, *appliances;
};
CS_MUST_CHECK enum cs_err cs_trust_index_make(
	const json_t *version, struct cs_trust_index *index, struct cs_fault *fault);
void cs_trust_index_free(struct cs_trust_index *index);
/* CS_E_TRUST_REFERENCE unless `id` is in one of the maps (`other` may be NULL). */
CS_MUST_CHECK enum cs_err cs_trust_refers(const char *id, const json_t *map, const json_t *other,
	const char *path, struct cs_fault *fault);
CS_MUST_CHECK enum cs_err cs_trust_entities(
	const json_t *version, const struct cs_trust_index *index, struct cs_fault *fault);
/* trust_key.c: tokens, keys, enrolments, appliances. */
CS_MUST_CHECK enum cs_err cs_trust_keys(const json_t *version, const json_t *previous,
	const json_t *earlier, const struct cs_trust_index *index, struct cs_fault *fault);
/* trust_grant.c: authority and purpose grants. */
CS_MUST_CHECK enum cs_err cs_trust_grants(const json_t *version, const json_t *previous,
	const struct cs_trust_index *index, struct cs_fault *fault);

/*
 * trust_change.c: every entry of `previous` is still there, and was ended at most.
 * CS_E_TRUST_REMOVED.
 */
CS_MUST_CHECK enum cs_err cs_trust_nothing_removed(
	const json_t *version, const json_t *previous, struct cs_fault *fault);
/*
 * trust_raise.c: `person` gets no key, role or grant against `previous`, and none of them becomes
 * wider. CS_E_TRUST_SELF_RAISE.
 */
CS_MUST_CHECK enum cs_err cs_trust_no_self_raise(
	const json_t *version, const json_t *previous, const char *person, struct cs_fault *fault);

/* ---- what both of the last two ask about two entries of the same id ---- */

/* True when null (open) or a time in `was` has not become later in `now`. */
bool cs_trust_not_later(const json_t *was, const json_t *now);
/* True when a revocation was not lifted and reaches back at least as far as before. */
bool cs_trust_still_revoked(const json_t *was, const json_t *now);

#endif
