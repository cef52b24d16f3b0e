/*
 * Composes what the signer is asked to append: the statement, its evidence and, for a decision, the
 * pack that it seals.
 */
#ifndef CS_COMPOSE_H
#define CS_COMPOSE_H

#include "case.h"

/*
 * Each gives the pending append with its frame, for the next index of `frontier`, at `now`. Clear
 * with cs_pending_clear. Errors of composing and of the schemas that every document meets on its
 * way out; CS_E_TOO_LARGE for a pack that does not fit.
 */

/* The leaf for the trust set or policy in force. */
CS_MUST_CHECK enum cs_err cs_compose_version(const struct cs_rulebook *book, enum cs_leaf_kind kind,
	const struct cs_frontier *frontier, cs_time now, struct cs_pending *ret_pending,
	struct cs_fault *fault);

/* The leaf for one approval decision. */
CS_MUST_CHECK enum cs_err cs_compose_approval(const struct cs_rulebook *book,
	struct cs_store *store, const struct cs_approval *approval,
	const struct cs_frontier *frontier, cs_time now, struct cs_pending *ret_pending,
	struct cs_fault *fault);

/*
 * The final gate run and the pack of an action that is decided. An action decided in favour that
 * the gate does not let pass now, or whose versions or approvals no longer hold, becomes
 * invalidated or expired instead of sealed: `ret_pending->state` says what it becomes.
 */
CS_MUST_CHECK enum cs_err cs_compose_decision(const struct cs_rulebook *book,
	const struct cs_engine *engine, struct cs_store *store, const struct cs_action *action,
	const struct cs_frontier *frontier, cs_time now, struct cs_pending *ret_pending,
	struct cs_fault *fault);

#endif
