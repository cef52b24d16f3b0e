/*
 * The connection to the signer: one socket, one call at a time, a deadline on each. Connects again
 * by itself, with growing pauses.
 */
#ifndef CS_SIGNER_LINK_H
#define CS_SIGNER_LINK_H

#include <systemd/sd-event.h>
#include "wire.h"

struct cs_link;

struct cs_link_hooks {
	/* Connected; calls may be made. */
	void (*up)(void *context);
	/* Lost, or could not be made; the call under way gets no answer. It will be tried again. */
	void (*down)(void *context, enum cs_err err, const struct cs_fault *fault);
	void *context;
};

/*
 * The answer to a call, at most once: CS_OK with the document (borrowed), or the signer's refusal
 * with its fault. A call that gets no answer, or a malformed one, takes the link down instead.
 */
typedef void (*cs_link_answer)(
	void *context, enum cs_err err, json_t *document, const struct cs_fault *fault);

/* Starts connecting from the event loop. `uid` is whom the other end must be. */
CS_MUST_CHECK enum cs_err cs_link_new(sd_event *event, const char *path, uid_t uid,
	int64_t deadline_seconds, const struct cs_link_hooks *hooks, struct cs_link **ret_link);
void cs_link_free(struct cs_link *link);

/*
 * Sends a frame, whose bytes are taken over. CS_E_STATE when a call is under way or there is no
 * connection.
 */
CS_MUST_CHECK enum cs_err cs_link_call(
	struct cs_link *link, struct cs_bytes *frame, cs_link_answer answer, void *context);
bool cs_link_busy(const struct cs_link *link);
/* Breaks the connection, to try again after the pause: `down` is called with this error. */
void cs_link_break(struct cs_link *link, enum cs_err err, const struct cs_fault *fault);
/* What was achieved is worth starting again without a pause after the next loss. */
void cs_link_settled(struct cs_link *link);

#endif
