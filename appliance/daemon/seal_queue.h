/*
 * What is to be sealed next, found in the store: a new trust set or policy, then decisions of
 * people, then decided actions, of each caller in turn.
 */
#ifndef CS_SEAL_QUEUE_H
#define CS_SEAL_QUEUE_H

#include "compose.h"

/*
 * Composes the next append and stores it as pending. CS_OK: it is there, or something that can
 * never be composed was set aside (`ret_aside` is then its action's id, else ""). `served` is the
 * caller whose action was taken last, "" at first, and is kept up to date. CS_E_NOT_FOUND: nothing
 * to do. CS_E_STORE, CS_E_NOMEM, CS_E_SIGNER_DOWN (no certificate), and what composing a
 * version's leaf gives: try again.
 */
CS_MUST_CHECK enum cs_err cs_seal_queue_next(const struct cs_rulebook *book,
	const struct cs_engine *engine, struct cs_store *store, const struct cs_frontier *frontier,
	cs_time now, char served[CS_ID_MAX + 1], char ret_aside[CS_ACTION_ID_TEXT],
	struct cs_fault *fault);

#endif
