/*
 * The signer's operations as one table with default refuse.
 */
#ifndef CS_SIGNER_OPERATIONS_H
#define CS_SIGNER_OPERATIONS_H

#include "service.h"
#include "wire.h"

/*
 * Answers one frame's payload with a whole frame. Everything that is wrong with the request
 * becomes a refusal in the answer; only CS_E_NOMEM fails. `*ret_close` says that the frame was
 * malformed and the connection is to be closed after the answer.
 */
CS_MUST_CHECK enum cs_err cs_operations_answer(struct cs_service *service,
	const struct cs_bytes *payload, struct cs_bytes *ret_frame, bool *ret_close);

#endif
