/*
 * Drafts: unsigned versions made from plans, checked before anybody is asked to sign.
 */
#ifndef CS_DRAFT_H
#define CS_DRAFT_H

#include "arguments.h"
#include "canonical.h"

#define CS_ISSUED_BACK_SECONDS 60	   /* how far back --issued-at may be */
#define CS_ISSUED_LEAD_SECONDS (7 * 86400) /* how far ahead */

/*
 * Makes the next version of a chained document from the plan that --plan names: schema, id (a new
 * "ID_PREFIX:ULID", later its predecessor's), version and previous (from --previous, whose schema
 * must be the same; without it version 1), issued_at (from --issued-at, else now: when the version
 * comes into force). `ret_previous` is NULL for a first version. The caller owns both. CS_E_TIME
 * for an --issued-at that is no time, CS_E_USAGE for one too early or late, CS_E_TRUST_CHAIN when
 * it is not after the predecessor's; CS_E_DOCUMENT_INVALID and the errors of cs_plan_read.
 */
CS_MUST_CHECK enum cs_err cs_draft_version(const struct cs_call *call, const char *schema,
	const char *id_prefix, size_t max, json_t **ret_draft, json_t **ret_previous,
	struct cs_fault *fault);

/* Writes it to --out and prints its version, its address and when it comes into force. */
CS_MUST_CHECK enum cs_err cs_draft_finish(
	const struct cs_call *call, const json_t *draft, struct cs_fault *fault);

#endif
