/*
 * An action with everything that a gate run, a brief or a seal needs of it, loaded from the store
 * for as long as that takes.
 */
#ifndef CS_CASE_H
#define CS_CASE_H

#include "approval.h"
#include "engine.h"

struct cs_case {
	const struct cs_rulebook *book;
	struct cs_store *store;
	struct cs_action action;
	cs_time at;
	json_t *core;
	json_t *first_state; /* the state of the first gate run */
	bool class_known;    /* the policy in force knows the capability */
	/* under the policy in force; zero when the class is not known */
	struct cs_oversight oversight;
	/* Filled by cs_case_collect; decisions, extracts and entries belong together by index. */
	json_t *decisions; /* approval decisions */
	json_t *extracts;  /* as the state carries them */
	/* {basis, brief, snapshot, decision} as the pack carries them */
	json_t *entries;
	/* why the newest decision was not counted, CS_OK when all were */
	enum cs_err left_out;
};

void cs_case_clear(struct cs_case *c);

/*
 * Reads core and state and applies the policy in force. Clear with cs_case_clear, also on failure.
 */
CS_MUST_CHECK enum cs_err cs_case_load(const struct cs_rulebook *book, struct cs_store *store,
	const struct cs_action *action, cs_time at, struct cs_case *ret_case);

/* What cs_approval_check and cs_quorum_check judge against. Borrows from the case. */
struct cs_approval_context cs_case_context(const struct cs_case *c);

enum cs_collect {
	CS_COLLECT_VALID, /* approvals that count at `at`: they may fill slots */
	/* whatever people decided about this action: for an action that ends */
	CS_COLLECT_RECORD,
	CS_COLLECT_NOTHING,
};
/*
 * Gathers the decisions in the order of their arrival, at most `most` of them (1 to
 * CS_APPROVALS_MAX): of more, the newest always, and approvals before others. May be called again.
 */
CS_MUST_CHECK enum cs_err cs_case_collect(struct cs_case *c, enum cs_collect what, size_t most);

#endif
