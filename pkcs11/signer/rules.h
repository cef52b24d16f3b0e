/*
 * What the signer enforces by itself, whatever the broker says: whether a batch of statements is
 * borne out by its evidence, the two-signature files on disk, the clock and the log. Decides;
 * signs nothing.
 */
#ifndef CS_SIGNER_RULES_H
#define CS_SIGNER_RULES_H

#include "frontier.h"
#include "policy.h"
#include "wire.h"

struct cs_rules_context {
	struct cs_schema_registry *registry;
	const struct cs_trust *trust;
	const struct cs_policy *policy;
	const char *origin;
	const struct cs_signer_frontier *frontier;
	cs_time now;
};

struct cs_rules_verdict {
	json_t *statements; /* array, in order; the caller owns */
	json_t *consumed;   /* {action: time text}, not to be allowed again; the caller owns */
	bool again;	  /* the last batch once more, byte for byte: sign, do not append */
};
void cs_rules_verdict_free(struct cs_rules_verdict *verdict);

/*
 * CS_OK when every statement of the request may be signed. CS_E_LOG_GAP, CS_E_LOG_FORK,
 * CS_E_LOG_ORIGIN; CS_E_STATEMENT_TIME, CS_E_CLOCK, CS_E_CONSUMED; and everything that
 * cs_statement_shape and cs_statement_judge refuse. The fault's path begins with "/statements/N".
 */
CS_MUST_CHECK enum cs_err cs_rules_judge(const struct cs_rules_context *context,
	const struct cs_wire_request *request, struct cs_rules_verdict *ret_verdict,
	struct cs_fault *fault);

/*
 * Whether the broker's log head can be reconciled with ours: equal, or ours without its last
 * batch. CS_E_LOG_ROLLBACK, CS_E_LOG_FORK.
 */
CS_MUST_CHECK enum cs_err cs_rules_hello(const struct cs_signer_frontier *frontier, uint64_t size,
	const uint8_t root[CS_HASH], struct cs_fault *fault);

#endif
