/*
 * Documents that two people sign. Which roles must sign is a constant here, never read from the
 * document.
 *
 *	trust set, published keys	security_officer AND (sre_lead or compliance)
 *	policy				sre_lead AND compliance
 */
#ifndef CS_COSIGN_H
#define CS_COSIGN_H

#include "keyring.h"

/*
 * Checks `signatures` of a document of this schema: two inline signatures by keys of the ring that
 * may sign it at `at`, of two persons on two keys and two tokens, who hold the roles at `at`.
 * CS_E_TRUST_UNSIGNED (fewer than two), CS_E_TRUST_SIGNERS (more than two, the same person, key or
 * token twice, or other roles), CS_E_KEY_…, CS_E_SIGNATURE and the other errors of
 * cs_inline_verify. `ret_persons` (may be NULL): who signed, borrowed from the ring.
 */
CS_MUST_CHECK enum cs_err cs_cosign_check(const struct cs_keyring *ring, const json_t *doc,
	const char *schema, cs_time at, const char *ret_persons[2], struct cs_fault *fault);

#endif
