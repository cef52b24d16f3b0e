/*
 * The Varlink server (varlink.org): JSON objects ended by a NUL byte over a Unix stream socket, in
 * the event loop.
 *
 * One call at a time per connection, the rest of what was pipelined waits in a bounded buffer.
 * Everything that a peer can make grow has a cap: connections in all and per user, bytes buffered
 * per connection and in all, calls per minute and user, calls that wait. A message that stays
 * incomplete, an answer that is not read, or something that is no message, ends the connection.
 */
#ifndef CS_VARLINK_H
#define CS_VARLINK_H

#include "daemon.h"

#define CS_VARLINK_INTERFACE "io.countersign.Appliance"

struct cs_server;
struct cs_call;

/* What a call that has not been answered waits for. */
enum cs_call_wait {
	CS_WAIT_NOTHING,
	CS_WAIT_PROPOSED,  /* the action is sealed: the reply of Propose */
	CS_WAIT_WITHDRAWN, /* the action is sealed: the reply of Withdraw */
	CS_WAIT_DECIDED,   /* the approval is logged: the reply of Decide */
	CS_WAIT_CHANGES,   /* each change, until the action is final */
	CS_WAIT_FINAL,	   /* the action is final */
};

struct cs_method {
	const char *name; /* with its interface */
	unsigned roles;	  /* any of these may call it; CS_ANYBODY */
	unsigned flags;
	const struct cs_parameter *parameters; /* ended by name NULL */
	enum cs_err (*run)(struct cs_daemon *daemon, struct cs_call *call, const json_t *parameters,
		struct cs_fault *fault);
};
#define CS_ANYBODY (~0u)
#define CS_METHOD_MORE 1u /* may be called with `more` */

struct cs_parameter {
	const char *name;
	json_type type; /* JSON_TRUE stands for both booleans */
	bool optional;
};

/* Methods that every table of calls is looked up in; ended by name NULL. */
extern const struct cs_method cs_methods[];

/* ---- a call, as its method sees it ---- */

const struct cs_peer *cs_call_peer(const struct cs_call *call);
/* True for a call with `more`. */
bool cs_call_more(const struct cs_call *call);
/*
 * Answers and ends the call; takes over `parameters`, NULL is out of memory. With `continues`, the
 * call goes on.
 */
void cs_call_reply(struct cs_call *call, json_t *parameters, bool continues);
/* Ends the call with the declared error for this code. */
void cs_call_refuse(struct cs_call *call, enum cs_err err, const struct cs_fault *fault);
/* Ends the call with a standard error of org.varlink.service, which has one parameter. */
void cs_call_refuse_standard(
	struct cs_call *call, const char *error, const char *parameter, const char *value);
/*
 * Leaves the call open until the action, or the approval with this address, is where `wait` says.
 * CS_E_BUSY when too many wait already.
 */
CS_MUST_CHECK enum cs_err cs_call_park(struct cs_call *call, enum cs_call_wait wait,
	const char *action, const char *approval, struct cs_fault *fault);

/* ---- the server ---- */

/* Listens on the descriptor, which it takes over. */
CS_MUST_CHECK enum cs_err cs_server_new(
	struct cs_daemon *daemon, int fd, struct cs_server **ret_server, struct cs_fault *fault);
void cs_server_free(struct cs_server *server);
size_t cs_server_clients(const struct cs_server *server);

/* Calls `resume` for each call that waits for this action (NULL: for any). */
void cs_server_each_waiting(struct cs_server *server, const char *action,
	void (*resume)(struct cs_daemon *daemon, struct cs_call *call, enum cs_call_wait wait,
		const char *action, const char *approval, void *context),
	void *context);

#endif
