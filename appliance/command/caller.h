/*
 * Calls of the appliance that --socket names, and what the state of an action means for the exit
 * status.
 */
#ifndef CS_CALLER_H
#define CS_CALLER_H

#include "arguments.h"
#include "varlink_client.h"

CS_MUST_CHECK enum cs_err cs_caller_connect(
	const struct cs_call *call, struct cs_varlink **ret_link, struct cs_fault *fault);

/*
 * One call and its one reply. Takes over `parameters` (NULL gives CS_E_NOMEM). When the appliance
 * refuses, call->failure becomes the status of a refusal even for errors that would mean an
 * unreadable file here. Errors of cs_varlink_send and cs_varlink_receive.
 */
CS_MUST_CHECK enum cs_err cs_caller_ask(struct cs_call *call, struct cs_varlink *link,
	const char *method, json_t *parameters, json_t **ret_reply, struct cs_fault *fault);
/* For replies read by cs_varlink_receive itself: sets call->failure as above. Returns `err`. */
enum cs_err cs_caller_refused(struct cs_call *call, enum cs_err err, bool refused);

/* Connects, asks once, closes. */
CS_MUST_CHECK enum cs_err cs_caller_ask_once(struct cs_call *call, const char *method,
	json_t *parameters, json_t **ret_reply, struct cs_fault *fault);

/* The exit status that a state stands for; a state that is not known refuses. NULL is fine. */
int cs_caller_exit(const char *state);

/* Lines about one action as the appliance lists it. */
void cs_caller_print_action(const json_t *action, struct cs_bytes *out);

#endif
