/*
 * Answers that a method gives at once or, when the call had to wait, later.
 */
#ifndef CS_REPLIES_H
#define CS_REPLIES_H

#include "actions.h"
#include "varlink.h"

/* The reply of Propose. Errors before anything is answered; the same below. */
CS_MUST_CHECK enum cs_err cs_reply_proposed(
	struct cs_daemon *d, struct cs_call *call, const struct cs_action *action);
/* {action}: the reply of Wait and Withdraw. */
CS_MUST_CHECK enum cs_err cs_reply_view(
	struct cs_daemon *d, struct cs_call *call, const struct cs_action *action, bool continues);
/* The error for what the signer refused to seal; `code` is its stable name, `id` the action's. */
CS_MUST_CHECK enum cs_err cs_reply_refused(
	const char *code, const char *id, struct cs_fault *fault);

#endif
