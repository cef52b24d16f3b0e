/*
 * The one function that says who must sign. Gate, signer, approver's command and verifier call it.
 */
#ifndef CS_OVERSIGHT_H
#define CS_OVERSIGHT_H

#include <countersign/limits.h>
#include "policy.h"

enum cs_oversight_kind {	/* ordered: a later one is stricter */
	CS_OVERSIGHT_NONE,
	CS_OVERSIGHT_SINGLE,
	CS_OVERSIGHT_TWO_PERSON,
};
const char *cs_oversight_name(
	enum cs_oversight_kind kind); /* "none", "single_approver", "two_person" */
CS_MUST_CHECK enum cs_err cs_oversight_by_name(const char *name, enum cs_oversight_kind *ret);

struct cs_oversight {
	const json_t *action_class;		/* borrowed from the policy */
	const char *action_class_id;
	enum cs_change_class change_class;	/* max(floor, core's claim, executable rule) */
	enum cs_oversight_kind kind;
	int level;				/* effective: min(class level, caps) */
	size_t slot_count;
	/* roles to fill: the class's, and engineer and change_owner when two_person */
	const char *slots[CS_SLOTS_MAX];
	bool attested;				/* the class demands attested tokens */
};

/*
 * `core` is a countersign.action_core.v1 (or a request: only execution and proposed_action are
 * read). `facts` may be NULL: a fact not known puts no cap. CS_E_NOT_FOUND when no class lists the
 * capability; CS_E_POLICY_QUORUM if the quorum would be smaller than two for an irreversible
 * change. Irreversible: level at most 2, and two people at any level. Else level 2 with one slot:
 * single_approver; with more: two_person, which always includes engineer and change_owner; levels
 * 0, 1, 3 and 4: none, no slots. CS_E_POLICY_QUORUM also when the slots exceed CS_SLOTS_MAX.
 */
CS_MUST_CHECK enum cs_err cs_oversight(const json_t *core, const struct cs_policy *policy,
	const json_t *facts, cs_time now, struct cs_oversight *ret_oversight,
	struct cs_fault *fault);

#endif
