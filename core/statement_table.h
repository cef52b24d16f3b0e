/*
 * The closed table of statements, shared by the parts of core/ that compose and judge them. Not for
 * anybody else.
 */
#ifndef CS_STATEMENT_TABLE_H
#define CS_STATEMENT_TABLE_H

#include "address.h"
#include "statement.h"

#define CS_FORM_JWS 1u
#define CS_FORM_TLOG 2u

/* Who judges the evidence; each needs its own, and no other. */
enum cs_statement_judge {
	CS_JUDGE_ALLOW,	    /* core, the approvals that fill the quorum, constraints when named */
	CS_JUDGE_REFUSAL,   /* core, and every decision that the statement lists */
	CS_JUDGE_APPROVAL,  /* core and exactly the one decision that is the subject */
	CS_JUDGE_TRUST_SET, /* nothing: the subject is the version in force */
	CS_JUDGE_POLICY,    /* likewise */
	CS_JUDGE_COUNT
};

struct cs_statement_row {
	const char *kind;
	const char *mode; /* NULL is null, likewise below */
	const char *outcome;
	unsigned forms;
	enum cs_statement_judge judge;
};

/*
 * The row for a statement's kind, mode and outcome; NULL when there is none, and then nobody seals
 * it.
 */
const struct cs_statement_row *cs_statement_row(const json_t *statement);

/*
 * Addresses of documents, ascending. Caller owns. CS_E_TOO_LARGE above CS_APPROVALS_MAX,
 * CS_E_NOMEM.
 */
CS_MUST_CHECK enum cs_err cs_statement_addresses(const json_t *documents, json_t **ret_list);

/* ---- statement_class.c: what signer and verifier make of the core by themselves ---- */

struct cs_derived {
	char action[CS_ADDRESS_TEXT];
	bool class_known;
	struct cs_oversight oversight; /* as computed, then as strict as the statement asks */
};

/*
 * Checks the core's schema and that the statement names its address, and computes the oversight; a
 * capability without a class is no error, it can be refused and the refusal sealed.
 * CS_E_DOCUMENT_INVALID, CS_E_TEXT, CS_E_STATEMENT_MISMATCH.
 */
CS_MUST_CHECK enum cs_err cs_statement_derive(const struct cs_statement_context *context,
	const json_t *statement, const json_t *core, struct cs_derived *derived,
	struct cs_fault *fault);
/*
 * Compares action class, change class and oversight, and makes `derived->oversight` as strict as
 * the statement. CS_E_STATEMENT_MISMATCH, CS_E_STATEMENT_LAX.
 */
CS_MUST_CHECK enum cs_err cs_statement_classes(const struct cs_statement_context *context,
	const json_t *statement, enum cs_statement_judge judge, struct cs_derived *derived,
	struct cs_fault *fault);
/* CS_E_STATEMENT_MISMATCH; either text may be NULL. */
enum cs_err cs_statement_mismatch(
	struct cs_fault *fault, const char *path, const char *stated, const char *found);

#endif
