/*
 * Seal statements: what the signer vouches for, and the closed table that says which evidence each
 * needs. Signer and verifier share it.
 */
#ifndef CS_STATEMENT_H
#define CS_STATEMENT_H

#include "approval.h"
#include "merkle.h"

/* Evidence of one statement. Borrowed. */
struct cs_evidence {
	const json_t *core;
	const json_t *approvals; /* array of approval decisions; NULL is none */
	const json_t *constraints;
	const json_t *document; /* the sealed document itself; no row of the table asks for it */
};

enum cs_seal_form { CS_SEAL_JWS = 1, CS_SEAL_TLOG = 2 };

struct cs_statement_context {
	struct cs_schema_registry *registry;
	const struct cs_keyring *ring;
	const struct cs_policy *policy;
	const struct cs_trust *trust; /* NULL in a verifier that has published keys only */
	const char *trust_set;	      /* address that the statement must name */
	const char *origin;
	const json_t *facts; /* NULL in the signer */
	/* Verifier: oversight must be equal. Signer: the statement may be stricter, never laxer. */
	bool exact;
	cs_time at; /* signer: its own now; verifier: issued_at */
};

/* "allow" or "allow_with_constraints", of a statement or a decision; NULL is neither. */
bool cs_outcome_is_allow(const char *outcome);

/*
 * Whether the table has a row for this kind, mode and outcome in this form. Everything else is
 * refused: CS_E_STATEMENT_SHAPE.
 */
CS_MUST_CHECK enum cs_err cs_statement_shape(struct cs_schema_registry *registry,
	const json_t *statement, enum cs_seal_form form, struct cs_fault *fault);

/*
 * Whether the evidence bears the statement out. Versions and origin first (CS_E_LOG_ORIGIN,
 * CS_E_STATEMENT_TRUST_SET, CS_E_STATEMENT_POLICY), then that the evidence is what the table asks
 * for (CS_E_STATEMENT_EVIDENCE), then by kind and outcome:
 *
 * allow, allow_with_constraints: core, exactly the listed approvals, constraints iff named. The
 *	core's address, class from its capability, change class and oversight
 *	(CS_E_STATEMENT_MISMATCH, CS_E_STATEMENT_LAX), level, the core's policy, actor and requester
 *	(with a trust set), quorum (CS_E_APPROVAL_…, CS_E_KEY_…), constraints that cover, not_after
 *	inside every approval's and, without approvals, inside the policy's longest window
 *	(CS_E_STATEMENT_WINDOW).
 * Other decisions: core, and each listed decision, judged by cs_approval_check_record.
 * approval: core and the one decision that is the subject.
 * trust_set, policy: nothing; the subject is the version in force.
 *
 * A capability without a class can only be refused; action class, change class and oversight are
 * null then.
 */
CS_MUST_CHECK enum cs_err cs_statement_judge(const struct cs_statement_context *context,
	const json_t *statement, const struct cs_evidence *evidence, struct cs_fault *fault);

struct cs_statement_input {
	const char *kind;
	const char *subject;
	const char *mode; /* NULL is null, likewise below */
	const char *outcome;
	const char *action;
	const struct cs_oversight *oversight; /* gives class, change class, oversight; or null */
	const char *policy;
	const char *trust_set;
	const json_t *approvals; /* array of decisions whose addresses go in, sorted; NULL is [] */
	const char *constraints;
	const char *origin;
	uint64_t index;
	uint8_t root[CS_HASH]; /* root of the first `index` leaves */
	uint8_t nonce[16];
	cs_time issued_at;
	cs_time not_after; /* CS_TIME_MAX is null */
};
CS_MUST_CHECK enum cs_err cs_statement_compose(
	const struct cs_statement_input *input, json_t **ret_statement);

/* log.index, and log.after.root as bytes. CS_E_DOCUMENT_INVALID. */
CS_MUST_CHECK enum cs_err cs_statement_log(
	const json_t *statement, uint64_t *ret_index, uint8_t root[CS_HASH]);

#endif
