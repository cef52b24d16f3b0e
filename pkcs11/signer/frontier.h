/*
 * What the signer remembers across restarts: the log's right edge, the last batch, consumed
 * actions, and the versions it has accepted.
 *
 * One journal in the state directory, append only, locked against a second process. Each line is
 * the chain hash (64 hex digits: SHA-256 of the line before's hash bytes and this line's JSON), a
 * space, canonical JSON, LF. A line is durable (fdatasync) before anything that rests on it is
 * signed. A torn last line was never signed for and is cut off at start; damage anywhere else
 * refuses to start.
 */
#ifndef CS_SIGNER_FRONTIER_H
#define CS_SIGNER_FRONTIER_H

#include "canonical.h"
#include "clock.h"
#include "merkle.h"

struct cs_signer_frontier;

/*
 * Opens or creates `directory`/journal for this log origin. CS_E_LOG_ORIGIN when it belongs to
 * another log, CS_E_LOG_ROLLBACK when it is damaged, CS_E_BUSY when another process holds it,
 * CS_E_TOO_LARGE (the path), CS_E_IO, CS_E_NOMEM.
 */
CS_MUST_CHECK enum cs_err cs_signer_frontier_open(const char *directory, const char *origin,
	struct cs_signer_frontier **ret_frontier, struct cs_fault *fault);
void cs_signer_frontier_close(struct cs_signer_frontier *frontier);

/* The tree of everything logged, and the tree before the last batch. Borrowed. */
const struct cs_frontier *cs_signer_frontier_tree(const struct cs_signer_frontier *frontier);
const struct cs_frontier *cs_signer_frontier_before(const struct cs_signer_frontier *frontier);
/* issued_at of the last leaf, 0 when there is none. */
cs_time cs_signer_frontier_last_issued(const struct cs_signer_frontier *frontier);
/* True when `statements` (array) is the last batch, byte for byte. */
bool cs_signer_frontier_is_last_batch(
	const struct cs_signer_frontier *frontier, const json_t *statements);
/*
 * Until when (inclusive) an action that was decided can not be allowed; 0 when it was not, or
 * that is forgotten.
 */
cs_time cs_signer_frontier_consumed_until(
	const struct cs_signer_frontier *frontier, const char *action);
/*
 * Consumed actions remembered, those whose time has passed but that are not forgotten yet
 * included.
 */
size_t cs_signer_frontier_consumed_count(const struct cs_signer_frontier *frontier);

/*
 * The tree with this statement's canonical form as its next leaf. Errors of cs_canonical_print and
 * cs_merkle_append; the tree is then as before.
 */
CS_MUST_CHECK enum cs_err cs_signer_tree_extend(
	struct cs_frontier *tree, const json_t *statement);

/*
 * Makes the next batch durable, then takes it over: `statements` in order, `consumed` an object
 * {action address: time text until when}. On any error nothing has changed in memory, and a
 * half-written line is cut off again. CS_E_IO, CS_E_NOMEM. `now` lets consumed actions whose time
 * has passed be forgotten when the journal is compacted.
 */
CS_MUST_CHECK enum cs_err cs_signer_frontier_append(struct cs_signer_frontier *frontier,
	const json_t *statements, const json_t *consumed, cs_time now, struct cs_fault *fault);

/*
 * Records versions of trust set ("trust_set") or policy ("policy") as accepted. `addresses` are
 * those of versions 1..n. CS_E_TRUST_ROLLBACK when n is below the highest recorded,
 * CS_E_TRUST_CONFLICT when a recorded version has another address; CS_E_IO, CS_E_NOMEM.
 */
CS_MUST_CHECK enum cs_err cs_signer_frontier_accept(struct cs_signer_frontier *frontier,
	const char *kind, const json_t *addresses, struct cs_fault *fault);
/* The addresses recorded for a kind, an array of strings in version order. Borrowed. */
const json_t *cs_signer_frontier_accepted(
	const struct cs_signer_frontier *frontier, const char *kind);

#endif
