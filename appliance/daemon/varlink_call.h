/*
 * A connection and the one call under way on it. For the files of the Varlink server alone.
 */
#ifndef CS_VARLINK_CALL_H
#define CS_VARLINK_CALL_H

#include "varlink.h"

/* A connection never has more than one call, so the call is the connection. */
struct cs_call {
	struct cs_server *server;
	struct cs_call *next;
	int fd;
	sd_event_source *io;
	struct cs_peer peer;
	enum cs_err access; /* why the peer has no role at all, CS_OK when it has one */
	bool open;	    /* a call is under way */
	bool more, oneway;
	bool unfinished; /* there may be complete messages in `in` */
	bool eof;	 /* the peer will send no more */
	bool closing;	 /* close as soon as everything is written */
	bool dead;	 /* to be freed when the loop comes round */
	enum cs_call_wait wait;
	char action[CS_ACTION_ID_TEXT];
	char approval[CS_ADDRESS_TEXT];
	struct cs_bytes in, out;
	size_t taken;	 /* of `in`: messages that were run */
	size_t searched; /* of `in`: bytes without the end of the message */
	size_t written;	 /* of `out` */
	/* monotonic usec: when the incomplete message began; 0 is none */
	uint64_t partial_since;
	/* when the peer last took bytes while there were some; 0 is none */
	uint64_t stuck_since;
	uint64_t idle_since;
};

/*
 * Takes complete messages out of `in` and runs them, one after the other, until one stays open or
 * the answers pile up. False when it is somebody else's turn and there may be more.
 */
bool cs_call_work(struct cs_call *call);
/* Appends a message and its NUL to `out`, and sees that it gets written. */
void cs_call_send(struct cs_call *call, const json_t *message);
/* The call is over; what was pipelined goes on from the event loop. */
void cs_call_end(struct cs_call *call);
/* Answers something that is no message, then closes. */
void cs_call_garbage(struct cs_call *call, enum cs_err err, const struct cs_fault *fault);
/* True when this user may make one more call now. */
bool cs_server_rate(struct cs_server *server, uid_t uid);
/*
 * True when this user has not yet had its share of work in this round, over all its connections: a
 * thousand calls of one user keep another one waiting for a moment only.
 */
bool cs_server_turn(struct cs_server *server, uid_t uid);
void cs_server_spent(struct cs_server *server, uid_t uid, uint64_t usec);

struct cs_daemon *cs_server_daemon(const struct cs_server *server);
uint64_t cs_monotonic(void);

#endif
