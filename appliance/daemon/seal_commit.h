/*
 * What one append changes in the store: all of it in one transaction, whether it was sealed or
 * refused.
 */
#ifndef CS_SEAL_COMMIT_H
#define CS_SEAL_COMMIT_H

#include "seal_answer.h"

/*
 * Stores leaf, pack and the three other envelopes, the action's or approval's new state, and
 * forgets the pending append.
 */
CS_MUST_CHECK enum cs_err cs_seal_commit(struct cs_store *store, const struct cs_pending *pending,
	const struct cs_seal *seal, cs_time now);

enum cs_refusal {
	CS_REFUSAL_PASSES, /* nothing is wrong with the statement: try again later */
	CS_REFUSAL_LATE,   /* it waited too long: compose it anew at once */
	CS_REFUSAL_STANDS, /* this will never be sealed as it is */
};
/* A table: what a refusal by the signer means. */
enum cs_refusal cs_refusal_of(enum cs_err code);

/*
 * Forgets the pending append that the signer refused and does not have. With CS_REFUSAL_STANDS the
 * action that it would have allowed is invalidated, to be sealed as denied; what cannot be sealed
 * even so is marked as refused.
 */
CS_MUST_CHECK enum cs_err cs_seal_refuse(
	struct cs_store *store, const struct cs_pending *pending, enum cs_err code, cs_time now);

/* The same for something that could not even be composed, so that nothing is pending. */
CS_MUST_CHECK enum cs_err cs_seal_aside(struct cs_store *store, enum cs_leaf_kind kind,
	const char *subject, const char *action, enum cs_err code, cs_time now);

#endif
