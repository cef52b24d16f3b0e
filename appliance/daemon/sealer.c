#include "sealer.h"
#include "log.h"
#include "moment.h"
#include "seal_commit.h"
#include "seal_queue.h"
#include "signer_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAUSE_FIRST_USEC UINT64_C(500000)
#define PAUSE_LONGEST_USEC UINT64_C(10000000)
#define HEALTH_USEC UINT64_C(5000000)		/* between looks at an idle signer */
#define RENEW_AGAIN_MSEC 60000			/* after a renewal that failed while the old certificate is good */
#define LATE_MAX 3				/* recompositions in a row before the clocks are blamed */

struct cs_sealer {
	struct cs_rulebook *const *book;
	struct cs_store *store;
	struct cs_engine *engine;
	const char *origin;
	struct cs_sealer_hooks hooks;
	struct cs_frontier frontier;
	struct cs_link *link;
	sd_event_source *soon;		/* the next step, from the event loop */
	sd_event_source *timer;		/* the end of a pause, or the next look at an idle signer */
	uint64_t pause_usec;
	bool greeted;			/* heads are reconciled on this connection */
	bool paused;
	bool settled;
	enum cs_err stall;		/* why nothing can be sealed at present; CS_OK when it can */
	char detail[sizeof((struct cs_fault *)NULL)->detail];
	json_t *status;			/* what the signer said about itself last */
	cs_time renew_after;
	json_t *fresh;			/* a certificate that is taken at the next full second */
	sd_event_source *take;
	struct cs_pending flight;	/* the append under way, without its frame */
	struct cs_wire_request request;	/* the same, parsed */
	struct cs_fault refusal;
	enum cs_err refusal_code;
	unsigned late;
};

static void step(struct cs_sealer *s);

static void clear_flight(struct cs_sealer *s)
{
	cs_pending_clear(&s->flight);
	cs_wire_request_free(&s->request);
}

static void set_timer(struct cs_sealer *s, uint64_t after_usec)
{
	int r = sd_event_source_set_time_relative(s->timer, after_usec);

	if (r >= 0)
		r = sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
	if (r < 0)
		cs_log(CS_LOG_ERROR, "sealer: timer: %s", strerror(-r));
}

void cs_sealer_kick(struct cs_sealer *sealer)
{
	if (sd_event_source_set_enabled(sealer->soon, SD_EVENT_ONESHOT) < 0)
		cs_log(CS_LOG_ERROR, "sealer: the event loop takes no step");
}

static void settle(struct cs_sealer *s)
{
	if (s->settled)
		return;
	s->settled = true;
	s->hooks.settled(s->hooks.context);
}

/* Says once in the log that sealing stopped, and every time to who waits for it. */
static void stalled(struct cs_sealer *s, enum cs_err err, const struct cs_fault *fault)
{
	const char *detail = fault && fault->detail[0] != '\0' ? fault->detail : cs_err_text(err);

	if (s->stall != err || strcmp(s->detail, detail) != 0)
		cs_log_fault(CS_LOG_WARNING, "sealing stopped", err, fault);
	s->stall = err;
	snprintf(s->detail, sizeof s->detail, "%s", detail);
	s->hooks.stalled(s->hooks.context, err, s->detail);
	settle(s);
}

static void pause_for(struct cs_sealer *s, enum cs_err err, const struct cs_fault *fault)
{
	s->paused = true;
	set_timer(s, s->pause_usec);
	s->pause_usec = s->pause_usec * 2 > PAUSE_LONGEST_USEC ? PAUSE_LONGEST_USEC : s->pause_usec * 2;
	stalled(s, err, fault);
}

static void works(struct cs_sealer *s)
{
	if (s->stall != CS_OK)
		cs_log(CS_LOG_INFO, "sealing works");
	s->stall = CS_OK;
	s->detail[0] = '\0';
	s->paused = false;
}

/* ---- greeting and health ---- */

static enum cs_err take_status(struct cs_sealer *s, json_t *status, struct cs_fault *fault)
{
	enum cs_err err = cs_schema_check((*s->book)->registry, "countersign.signer_status.v1", status, fault);

	if (err != CS_OK)
		return err;
	if (strcmp(cs_json_text(status, "origin"), s->origin) != 0)
		return cs_fault_set(fault, CS_E_LOG_ORIGIN, "/origin", "the signer keeps the log of '%s'", cs_json_text(status, "origin"));
	json_decref(s->status);
	s->status = json_incref(status);
	return CS_OK;
}

static enum cs_err token_works(const struct cs_sealer *s, struct cs_fault *fault)
{
	const char *reason = cs_json_text(s->status, "reason");

	if (strcmp(cs_json_text(s->status, "state"), "ready") == 0)
		return CS_OK;
	return cs_fault_set(fault, CS_E_SIGNER_DOWN, "", "the signer is %s%s%s", cs_json_text(s->status, "state"), reason ? ": " : "",
		reason ? reason : "");
}

static void on_health(void *context, enum cs_err err, bool refused, json_t *document, const struct cs_fault *answer_fault)
{
	struct cs_sealer *s = context;
	struct cs_fault fault = answer_fault ? *answer_fault : (struct cs_fault){0};

	(void)refused;
	if (err == CS_OK)
		err = take_status(s, document, &fault);
	if (err == CS_OK)
		err = token_works(s, &fault);
	if (err != CS_OK) {
		pause_for(s, err, &fault);
		return;
	}
	step(s);
}

static void ask_health(struct cs_sealer *s)
{
	CS_CLEANUP_BYTES struct cs_bytes frame = {0};

	enum cs_err err = cs_wire_health(&frame);
	if (err == CS_OK)
		err = cs_link_call(s->link, &frame, on_health, s);
	if (err != CS_OK)
		pause_for(s, err, NULL);
}

static uint64_t size_of(const json_t *status)
{
	return (uint64_t)cs_json_integer(json_object_get(status, "log"), "size", 0);
}

static void say_hello(struct cs_sealer *s, cs_link_answer answer)
{
	CS_CLEANUP_BYTES struct cs_bytes frame = {0};
	uint8_t root[CS_HASH];

	cs_merkle_root(&s->frontier, root);
	enum cs_err err = cs_wire_hello(s->frontier.size, root, &frame);
	if (err == CS_OK)
		err = cs_link_call(s->link, &frame, answer, s);
	if (err != CS_OK)
		cs_link_break(s->link, err, NULL);
}

/* Heads are equal, or the signer is ahead by the one append that we still hold. */
static enum cs_err reconcile(struct cs_sealer *s, struct cs_fault *fault)
{
	struct cs_pending pending = {0};
	uint64_t size = size_of(s->status);
	bool held = false;

	enum cs_err err = cs_store_pending(s->store, &pending);
	if (err == CS_OK) {
		held = pending.index == s->frontier.size;
		cs_pending_clear(&pending);
	} else if (err != CS_E_NOT_FOUND) {
		return err;
	}
	if (size == s->frontier.size || (held && size == s->frontier.size + 1))
		return CS_OK;
	return cs_fault_set(fault, size < s->frontier.size ? CS_E_LOG_ROLLBACK : CS_E_LOG_FORK, "/log/size",
		"the signer's log has %llu leaves, ours %llu", (unsigned long long)size, (unsigned long long)s->frontier.size);
}

static void on_hello(void *context, enum cs_err err, bool refused, json_t *document, const struct cs_fault *answer_fault)
{
	struct cs_sealer *s = context;
	struct cs_fault fault = answer_fault ? *answer_fault : (struct cs_fault){0};

	(void)refused;
	if (err == CS_OK)
		err = take_status(s, document, &fault);
	if (err == CS_OK)
		err = reconcile(s, &fault);
	if (err != CS_OK) {
		cs_link_break(s->link, err, &fault);
		return;
	}
	s->greeted = true;
	cs_link_settled(s->link);
	err = token_works(s, &fault);
	if (err != CS_OK) {
		pause_for(s, err, &fault);
		return;
	}
	step(s);
}

static void on_up(void *context)
{
	struct cs_sealer *s = context;

	s->greeted = false;
	say_hello(s, on_hello);
}

static void on_down(void *context, enum cs_err err, const struct cs_fault *fault)
{
	struct cs_sealer *s = context;

	s->greeted = false;
	s->paused = false;
	clear_flight(s);
	stalled(s, err, fault);
}

/* ---- the append ---- */

static void on_answer(struct cs_sealer *s, json_t *document)
{
	struct cs_fault fault = {0};
	struct cs_seal seal = {0};
	char action[CS_ACTION_ID_TEXT];

	enum cs_err err = cs_seal_check(*s->book, &s->frontier, s->request.entries[0].statement, s->request.entries[0].form, document,
		&seal, &fault);
	if (err != CS_OK) {
		cs_link_break(s->link, err, &fault);
		return;
	}
	err = cs_seal_commit(s->store, &s->flight, &seal, cs_now());
	if (err != CS_OK) {
		cs_seal_clear(&seal);
		clear_flight(s);
		pause_for(s, err, NULL);
		return;
	}
	s->frontier = seal.after;
	strcpy(action, s->flight.action);
	cs_seal_clear(&seal);
	clear_flight(s);
	s->late = 0;
	s->pause_usec = PAUSE_FIRST_USEC;
	works(s);
	if (action[0] != '\0')
		s->hooks.changed(s->hooks.context, action);
	cs_sealer_kick(s);
}

static bool other_versions(enum cs_err refusal)
{
	return refusal == CS_E_STATEMENT_TRUST_SET || refusal == CS_E_STATEMENT_POLICY;
}

/* The signer refused and does not have the leaf: the statement may be forgotten. */
static void dispose(struct cs_sealer *s)
{
	enum cs_refusal refusal = cs_refusal_of(s->refusal_code);
	char action[CS_ACTION_ID_TEXT];

	strcpy(action, s->flight.action);
	bool version = action[0] == '\0';
	enum cs_err err = cs_seal_refuse(s->store, &s->flight, s->refusal_code, cs_now());
	clear_flight(s);
	if (err != CS_OK) {
		pause_for(s, err, NULL);
		return;
	}
	if (refusal == CS_REFUSAL_LATE && ++s->late < LATE_MAX) {
		cs_sealer_kick(s);
		return;
	}
	if (other_versions(s->refusal_code) && s->hooks.outdated(s->hooks.context))
		return;
	if (refusal != CS_REFUSAL_STANDS || version) {
		pause_for(s, s->refusal_code, &s->refusal);
		return;
	}
	cs_log_fault(CS_LOG_ERROR, action, s->refusal_code, &s->refusal);
	s->hooks.changed(s->hooks.context, action);
	cs_sealer_kick(s);
}

static void on_hello_after_refusal(void *context, enum cs_err err, bool refused, json_t *document, const struct cs_fault *answer_fault)
{
	struct cs_sealer *s = context;
	struct cs_fault fault = answer_fault ? *answer_fault : (struct cs_fault){0};

	(void)refused;
	if (err == CS_OK)
		err = take_status(s, document, &fault);
	if (err == CS_OK)
		err = reconcile(s, &fault);
	if (err != CS_OK) {
		cs_link_break(s->link, err, &fault);
		return;
	}
	if (size_of(s->status) == s->frontier.size) {
		dispose(s);
		return;
	}
	/* It is in the log and could not be signed: the same frame again, later. */
	clear_flight(s);
	pause_for(s, s->refusal_code, &s->refusal);
}

static void on_append(void *context, enum cs_err err, bool refused, json_t *document, const struct cs_fault *fault)
{
	struct cs_sealer *s = context;

	if (err == CS_OK) {
		on_answer(s, document);
		return;
	}
	(void)refused;
	s->refusal_code = err;
	s->refusal = *fault;
	say_hello(s, on_hello_after_refusal);
}

/* Sends what is durable in the store, and only that. */
static enum cs_err send_pending(struct cs_sealer *s, struct cs_fault *fault)
{
	enum cs_err err = cs_store_pending(s->store, &s->flight);

	if (err != CS_OK)
		return err;
	struct cs_bytes *frame = &s->flight.frame;
	if (s->flight.index != s->frontier.size || frame->len < CS_WIRE_HEADER)
		return cs_fault_set(fault, CS_E_STORE, "", "the pending append does not follow the log");
	err = cs_wire_request_parse(frame->data + CS_WIRE_HEADER, frame->len - CS_WIRE_HEADER, &s->request, fault);
	if (err == CS_OK && (s->request.operation != CS_WIRE_APPEND || s->request.count != 1))
		err = cs_fault_set(fault, CS_E_STORE, "", "the pending append is not one statement");
	return err == CS_OK ? cs_link_call(s->link, frame, on_append, s) : err;
}

/* ---- the certificate ---- */

static void certified(struct cs_sealer *s, enum cs_err err, const struct cs_fault *fault)
{
	cs_time now = cs_now();

	if (err == CS_OK) {
		cs_sealer_kick(s);
	} else if (cs_engine_usable(s->engine, now)) {
		cs_log_fault(CS_LOG_WARNING, "renewing the engine certificate", err, fault);
		s->renew_after = now + RENEW_AGAIN_MSEC;
		cs_sealer_kick(s);
	} else {
		pause_for(s, err, fault);
	}
}

static int on_take(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct cs_sealer *s = userdata;
	struct cs_fault fault = {0};

	(void)source;
	(void)usec;
	if (s->fresh == NULL)
		return 0;
	enum cs_err err = cs_engine_certify(s->engine, *s->book, s->fresh, cs_now(), &fault);
	json_decref(s->fresh);
	s->fresh = NULL;
	certified(s, err, &fault);
	return 0;
}

/*
 * A brief is issued at a full second, so that clients which write times in seconds do not decide before it, and not before the certificate of its key: so the
 * certificate, whose time has a fraction, is used from the next full second on.
 */
static void on_certified(void *context, enum cs_err err, bool refused, json_t *document, const struct cs_fault *fault)
{
	struct cs_sealer *s = context;
	uint64_t left = (uint64_t)(1000 - cs_now() % 1000) * 1000;

	(void)refused;
	if (err == CS_OK && (sd_event_source_set_time_relative(s->take, left) < 0 ||
		sd_event_source_set_enabled(s->take, SD_EVENT_ONESHOT) < 0))
		err = CS_E_INTERNAL;
	if (err != CS_OK) {
		certified(s, err, fault);
		return;
	}
	json_decref(s->fresh);
	s->fresh = json_incref(document);
	cs_sealer_kick(s);
}

static enum cs_err ask_certificate(struct cs_sealer *s)
{
	CS_CLEANUP_BYTES struct cs_bytes frame = {0};
	CS_CLEANUP_JSON json_t *jwk = NULL;

	enum cs_err err = cs_engine_candidate(s->engine, &jwk);
	if (err == CS_OK)
		err = cs_wire_certify(jwk, &frame);
	return err == CS_OK ? cs_link_call(s->link, &frame, on_certified, s) : err;
}

static bool wants_certificate(const struct cs_sealer *s)
{
	cs_time now = cs_now();

	if (s->fresh != NULL)
		return false;
	if (!cs_engine_usable(s->engine, now))
		return true;
	return cs_engine_wants_certificate(s->engine, now) && now >= s->renew_after;
}

/* ---- stepping ---- */

/* Puts the next thing to seal into the store; with nothing left, the sealer is at rest. */
static enum cs_err queue_next(struct cs_sealer *s, struct cs_fault *fault)
{
	char aside[CS_ACTION_ID_TEXT] = "";

	enum cs_err err = cs_seal_queue_next(*s->book, s->engine, s->store, &s->frontier, cs_now(), aside, fault);
	if (aside[0] != '\0')
		s->hooks.changed(s->hooks.context, aside);
	if (err == CS_E_NOT_FOUND) {
		works(s);
		settle(s);
		set_timer(s, HEALTH_USEC);
		return CS_OK;
	}
	if (err == CS_OK)
		cs_sealer_kick(s);
	return err;
}

static void step(struct cs_sealer *s)
{
	struct cs_fault fault = {0};

	if (!s->greeted || s->paused || s->flight.subject[0] != '\0' || cs_link_busy(s->link))
		return;
	enum cs_err err = send_pending(s, &fault);
	if (err == CS_E_NOT_FOUND && wants_certificate(s))
		err = ask_certificate(s);
	else if (err == CS_E_NOT_FOUND && cs_engine_usable(s->engine, cs_now()))
		err = queue_next(s, &fault);
	if (err == CS_OK || (err == CS_E_NOT_FOUND && s->fresh != NULL))
		return;
	clear_flight(s);
	pause_for(s, err, &fault);
}

static int on_soon(sd_event_source *source, void *userdata)
{
	(void)source;
	step(userdata);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct cs_sealer *s = userdata;

	(void)source;
	(void)usec;
	s->paused = false;
	if (!s->greeted || cs_link_busy(s->link))
		return 0;
	/* After a pause too: the signer says first whether its token is back. What stalled us is over when something succeeds. */
	ask_health(s);
	return 0;
}

/* ---- life ---- */

enum cs_err cs_sealer_new(sd_event *event, const struct cs_daemon_settings *settings, struct cs_rulebook *const *book,
	struct cs_store *store, struct cs_engine *engine, const struct cs_frontier *frontier, const struct cs_sealer_hooks *hooks,
	struct cs_sealer **ret_sealer)
{
	struct cs_sealer *s = calloc(1, sizeof *s);

	if (s == NULL)
		return CS_E_NOMEM;
	s->book = book;
	s->store = store;
	s->engine = engine;
	s->origin = settings->origin;
	s->hooks = *hooks;
	s->frontier = *frontier;
	s->pause_usec = PAUSE_FIRST_USEC;
	s->stall = CS_E_SIGNER_DOWN;
	snprintf(s->detail, sizeof s->detail, "not connected to the signer yet");
	const struct cs_link_hooks link_hooks = {on_up, on_down, s};
	enum cs_err err = cs_link_new(event, settings->signer_socket, settings->signer_uid, settings->deadline_seconds, &link_hooks,
		&s->link);
	if (err == CS_OK && (sd_event_add_defer(event, &s->soon, on_soon, s) < 0 ||
		sd_event_source_set_enabled(s->soon, SD_EVENT_OFF) < 0 ||
		sd_event_add_time_relative(event, &s->timer, CLOCK_MONOTONIC, HEALTH_USEC, 10000, on_timer, s) < 0 ||
		sd_event_source_set_enabled(s->timer, SD_EVENT_OFF) < 0 ||
		sd_event_add_time_relative(event, &s->take, CLOCK_MONOTONIC, 0, 1000, on_take, s) < 0))
		err = CS_E_INTERNAL;
	if (err != CS_OK) {
		cs_sealer_free(s);
		return err;
	}
	*ret_sealer = s;
	return CS_OK;
}

void cs_sealer_free(struct cs_sealer *sealer)
{
	if (sealer == NULL)
		return;
	cs_link_free(sealer->link);
	sd_event_source_disable_unref(sealer->soon);
	sd_event_source_disable_unref(sealer->timer);
	sd_event_source_disable_unref(sealer->take);
	clear_flight(sealer);
	json_decref(sealer->status);
	json_decref(sealer->fresh);
	free(sealer);
}

void cs_sealer_reloaded(struct cs_sealer *sealer)
{
	cs_engine_expire(sealer->engine);
	json_decref(sealer->fresh);
	sealer->fresh = NULL;
	sealer->renew_after = 0;
	sealer->pause_usec = PAUSE_FIRST_USEC;
	cs_sealer_kick(sealer);
}

enum cs_err cs_sealer_ready(const struct cs_sealer *sealer, struct cs_fault *fault)
{
	if (sealer->greeted && sealer->stall == CS_OK && cs_engine_usable(sealer->engine, cs_now()))
		return CS_OK;
	return cs_fault_set(fault, CS_E_SIGNER_DOWN, "", "%s",
		sealer->detail[0] != '\0' ? sealer->detail : "the engine has no certificate yet");
}

enum cs_err cs_sealer_state(const struct cs_sealer *sealer, const char **ret_detail, const json_t **ret_status)
{
	*ret_detail = sealer->detail;
	*ret_status = sealer->status;
	return sealer->stall;
}

const struct cs_frontier *cs_sealer_frontier(const struct cs_sealer *sealer)
{
	return &sealer->frontier;
}
