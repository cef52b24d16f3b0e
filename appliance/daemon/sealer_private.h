/*
 * The sealer from within, for its own files: sealer.c steps and pauses, sealer_greeting.c
 * reconciles the logs and looks after the token, sealer_append.c sends and disposes,
 * sealer_certificate.c keeps the engine certified.
 */
#ifndef CS_SEALER_PRIVATE_H
#define CS_SEALER_PRIVATE_H

#include "sealer.h"
#include "signer_link.h"

/* the first pause; each next one is twice as long */
#define CS_SEALER_PAUSE_USEC UINT64_C(500000)

struct cs_sealer {
	struct cs_rulebook *const *book;
	struct cs_store *store;
	struct cs_engine *engine;
	const char *origin;
	struct cs_sealer_hooks hooks;
	struct cs_frontier frontier;
	struct cs_link *link;
	sd_event_source *soon;	/* the next step, from the event loop */
	sd_event_source *timer; /* the end of a pause, or the next look at an idle signer */
	uint64_t pause_usec;
	bool greeted; /* heads are reconciled on this connection */
	bool paused;
	bool settled;
	/* why nothing can be sealed at present; CS_OK when it can */
	enum cs_err stall;
	char detail[sizeof((struct cs_fault *)NULL)->detail];
	json_t *status; /* what the signer said about itself last */
	cs_time renew_after;
	json_t *fresh; /* a certificate that is taken at the next full second */
	sd_event_source *take;
	struct cs_pending flight;	/* the append under way, without its frame */
	struct cs_wire_request request; /* the same, parsed */
	struct cs_fault refusal;
	enum cs_err refusal_code;
	unsigned late;
	char served[CS_ID_MAX + 1]; /* whose action was sealed last: another caller's is next */
};

/* ---- sealer.c ---- */

/* Takes the next step, if one can be taken now. */
void cs_sealer_step(struct cs_sealer *s);
/* No step before a pause is over: who waits for a seal is told why. */
void cs_sealer_pause(struct cs_sealer *s, enum cs_err err, const struct cs_fault *fault);
/* Says that sealing stopped: once in the log, every time to who waits for it. */
void cs_sealer_stalled(struct cs_sealer *s, enum cs_err err, const struct cs_fault *fault);
/* Something succeeded: what stalled us is over. */
void cs_sealer_works(struct cs_sealer *s);
/* No append is under way any more, whatever became of it. */
void cs_sealer_forget_flight(struct cs_sealer *s);

/* ---- sealer_greeting.c ---- */

/* Hooks of the link. */
void cs_sealer_up(void *context);
void cs_sealer_down(void *context, enum cs_err err, const struct cs_fault *fault);
/* Asks for the signer's status; a step follows when its token works, a pause when not. */
void cs_sealer_ask_health(struct cs_sealer *s);
/* Sends HELLO with our head. */
void cs_sealer_say_hello(struct cs_sealer *s, cs_link_answer answer);
/* Keeps the status that the signer gave. CS_E_DOCUMENT_INVALID, CS_E_LOG_ORIGIN. */
CS_MUST_CHECK enum cs_err cs_sealer_take_status(
	struct cs_sealer *s, json_t *status, struct cs_fault *fault);
/*
 * Whether the heads fit: equal, or the signer is ahead by the one append that we still hold.
 * CS_E_LOG_ROLLBACK, CS_E_LOG_FORK, CS_E_STORE.
 */
CS_MUST_CHECK enum cs_err cs_sealer_reconcile(struct cs_sealer *s, struct cs_fault *fault);
/* Leaves of the log by a status. */
uint64_t cs_sealer_log_size(const json_t *status);

/* ---- sealer_append.c ---- */

/* Sends what is durable in the store, and only that. CS_E_NOT_FOUND when nothing is pending. */
CS_MUST_CHECK enum cs_err cs_sealer_send_pending(struct cs_sealer *s, struct cs_fault *fault);

/* ---- sealer_certificate.c ---- */

bool cs_sealer_wants_certificate(const struct cs_sealer *s);
CS_MUST_CHECK enum cs_err cs_sealer_ask_certificate(struct cs_sealer *s);
/* The full second at which a certificate is taken. */
int cs_sealer_take_certificate(sd_event_source *source, uint64_t usec, void *userdata);

#endif
