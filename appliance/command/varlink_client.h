/*
 * The caller's side of Varlink: JSON objects ended by NUL over a Unix stream socket. One
 * connection, one call at a time.
 *
 * The appliance is not trusted: messages are capped at CS_MESSAGE_MAX and read as strictly as
 * every other document.
 */
#ifndef CS_VARLINK_CLIENT_H
#define CS_VARLINK_CLIENT_H

#include "canonical.h"

#define CS_APPLIANCE_INTERFACE "io.countersign.Appliance"
#define CS_APPLIANCE_SOCKET "/run/countersign/api.sock"
#define CS_VARLINK_CALL_SECONDS 120 /* a decision waits for a token that may be slow */

struct cs_varlink;

/*
 * CS_E_SERVICE when nobody listens at `path`, CS_E_TIMEOUT when nobody takes the connection for
 * CS_VARLINK_CALL_SECONDS, CS_E_USAGE for a path longer than a socket address holds, CS_E_NOMEM.
 */
CS_MUST_CHECK enum cs_err cs_varlink_connect(
	const char *path, struct cs_varlink **ret_link, struct cs_fault *fault);
void cs_varlink_close(struct cs_varlink *link); /* NULL is fine */
void cs_varlink_cleanup(struct cs_varlink **link);
#define CS_CLEANUP_VARLINK __attribute__((cleanup(cs_varlink_cleanup)))

/*
 * Sends one call of `method`, a name within CS_APPLIANCE_INTERFACE. Borrows `parameters`.
 * CS_E_SERVICE, CS_E_TOO_LARGE; CS_E_TIMEOUT when it is not taken for CS_VARLINK_CALL_SECONDS.
 */
CS_MUST_CHECK enum cs_err cs_varlink_send(struct cs_varlink *link, const char *method,
	json_t *parameters, bool more, struct cs_fault *fault);

/*
 * The next reply's parameters (caller owns). CS_E_TIMEOUT after `milliseconds` without a whole
 * message; CS_E_SERVICE when the connection ended or the reply is no Varlink message. An error
 * reply gives the error that its `code` names, with its path and detail; one that this program
 * does not know gives CS_E_STATE with the name in the detail. `ret_refused` (may be NULL) is then
 * true: the appliance itself said no.
 */
CS_MUST_CHECK enum cs_err cs_varlink_receive(struct cs_varlink *link, int64_t milliseconds,
	json_t **ret_parameters, bool *ret_continues, bool *ret_refused, struct cs_fault *fault);

#endif
