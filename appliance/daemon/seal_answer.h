/*
 * What the signer gave back, before it is believed.
 */
#ifndef CS_SEAL_ANSWER_H
#define CS_SEAL_ANSWER_H

#include "rulebook.h"

struct cs_seal {
	json_t *statement; /* borrowed from the frame's entry */
	enum cs_seal_form form;
	struct cs_frontier after; /* the log with this leaf */
	uint8_t leaf[CS_HASH];
	struct cs_bytes seal;  /* "sig:jws:…" or "sig:tlog:…", owned */
	char *checkpoint;      /* owned; NULL in the JWS form */
	const char *entity;    /* of the key that sealed; borrowed from the keyring */
	const char *issued_at; /* borrowed from the statement */
};
void cs_seal_clear(struct cs_seal *seal);

/*
 * Checks the answer to the append of one statement on top of `before`: a JWS is of exactly this
 * statement under the origin's seal key; a checkpoint is of exactly this log under the origin's
 * checkpoint key. Builds the tlog-proof. CS_E_FRAME for another shape, CS_E_LOG_FORK for another
 * log, CS_E_SIGNATURE and the other errors of jose.h and note.h.
 */
CS_MUST_CHECK enum cs_err cs_seal_check(const struct cs_rulebook *book,
	const struct cs_frontier *before, json_t *statement, enum cs_seal_form form,
	const json_t *answer, struct cs_seal *ret_seal, struct cs_fault *fault);

#endif
