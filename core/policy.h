/*
 * Policies: a chain of versions from a pinned genesis, each signed by an SRE lead and by
 * compliance.
 */
#ifndef CS_POLICY_H
#define CS_POLICY_H

#include "trust.h"

struct cs_policy;

enum cs_change_class {		/* ordered: a later one is stricter */
	CS_CHANGE_REVERSIBLE,
	CS_CHANGE_COMPENSATABLE,
	CS_CHANGE_IRREVERSIBLE,
};
const char *cs_change_class_name(enum cs_change_class change_class);
CS_MUST_CHECK enum cs_err cs_change_class_by_name(const char *name, enum cs_change_class *ret);

/*
 * Loads versions 1..n in order. Signatures: two persons, roles sre_lead and compliance, valid under
 * `ring` at the version's issued_at; the newest version's also at `now`, unless its address is in
 * `accepted` (NULL-terminated, may be NULL; versions loaded before). It vouches for the versions
 * before it, whose signers may have left. Errors as cs_trust_load, and CS_E_POLICY_QUORUM,
 * CS_E_POLICY_CONTROLS, CS_E_POLICY_CAPABILITY, CS_E_POLICY. Takes its own reference to the newest
 * version.
 */
CS_MUST_CHECK enum cs_err cs_policy_load(struct cs_schema_registry *registry,
	const json_t *versions, const char *genesis, const struct cs_keyring *ring, cs_time now,
	const char *const *accepted, struct cs_policy **ret_policy, struct cs_fault *fault);
void cs_policy_free(struct cs_policy *policy);

/*
 * One policy as a pack carries it: content and signatures under `ring` at its issued_at, without
 * the chain.
 */
CS_MUST_CHECK enum cs_err cs_policy_from_pack(struct cs_schema_registry *registry,
	const json_t *document, const struct cs_keyring *ring, struct cs_policy **ret_policy,
	struct cs_fault *fault);

/* Content rules only, before anybody signs: what provisioning calls. */
CS_MUST_CHECK enum cs_err cs_policy_check_content(
	struct cs_schema_registry *registry, const json_t *document, struct cs_fault *fault);

const json_t *cs_policy_document(const struct cs_policy *policy); /* newest version; borrowed */
const char *cs_policy_address(const struct cs_policy *policy);
int64_t cs_policy_version(const struct cs_policy *policy);
size_t cs_policy_count(const struct cs_policy *policy);
const char *cs_policy_address_of(const struct cs_policy *policy, size_t index);

/* The one action class that lists this capability; NULL when none. Borrowed. */
const json_t *cs_policy_class_for(const struct cs_policy *policy, const char *capability);
/*
 * CS_CHANGE_IRREVERSIBLE unless the execution's executable and every argument match one
 * `executables[]` entry and it is no interpreter (basename or absolute path in `interpreters[]` or
 * the built-in list of shells and interpreters) and sets no environment variable but those that the
 * policy lists; CS_CHANGE_REVERSIBLE then. Match limits exceeded count as no match.
 */
enum cs_change_class cs_policy_executable_rule(
	const struct cs_policy *policy, const json_t *action_class, const json_t *execution);
/*
 * The same for the command that undoes it, which somebody will run too: it matches `executables[]` or the class's optional `rollbacks[]`. No
 * rollback is CS_CHANGE_REVERSIBLE here; whether there must be one is the gate's question.
 */
enum cs_change_class cs_policy_rollback_rule(
	const struct cs_policy *policy, const json_t *action_class, const json_t *rollback);


#endif
