#include "sealer_private.h"
#include "log.h"
#include "moment.h"
#include "seal_queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAUSE_LONGEST_USEC UINT64_C(10000000)
#define HEALTH_USEC UINT64_C(5000000) /* between looks at an idle signer */

void cs_sealer_forget_flight(struct cs_sealer *s)
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

void cs_sealer_stalled(struct cs_sealer *s, enum cs_err err, const struct cs_fault *fault)
{
	const struct cs_fault none = {0}, *why = fault ? fault : &none;
	const char *detail = why->detail[0] != '\0' ? why->detail : cs_err_text(err);

	if (s->stall != err || strcmp(s->detail, detail) != 0)
		cs_log_fault(CS_LOG_WARNING, "sealing stopped", err, why);
	s->stall = err;
	snprintf(s->detail, sizeof s->detail, "%s", detail);
	s->hooks.stalled(s->hooks.context, err, s->detail);
	settle(s);
}

void cs_sealer_pause(struct cs_sealer *s, enum cs_err err, const struct cs_fault *fault)
{
	s->paused = true;
	set_timer(s, s->pause_usec);
	s->pause_usec =
		s->pause_usec * 2 > PAUSE_LONGEST_USEC ? PAUSE_LONGEST_USEC : s->pause_usec * 2;
	cs_sealer_stalled(s, err, fault);
}

void cs_sealer_works(struct cs_sealer *s)
{
	if (s->stall != CS_OK)
		cs_log(CS_LOG_INFO, "sealing works");
	s->stall = CS_OK;
	s->detail[0] = '\0';
	s->paused = false;
	s->pause_usec = CS_SEALER_PAUSE_USEC;
}

/* ---- stepping ---- */

/* Puts the next thing to seal into the store; with nothing left, the sealer is at rest. */
static enum cs_err queue_next(struct cs_sealer *s, struct cs_fault *fault)
{
	char aside[CS_ACTION_ID_TEXT] = "";

	enum cs_err err = cs_seal_queue_next(
		*s->book, s->engine, s->store, &s->frontier, cs_now(), s->served, aside, fault);
	if (aside[0] != '\0')
		s->hooks.changed(s->hooks.context, aside);
	if (err == CS_E_NOT_FOUND) {
		cs_sealer_works(s);
		settle(s);
		set_timer(s, HEALTH_USEC);
		return CS_OK;
	}
	if (err == CS_OK)
		cs_sealer_kick(s);
	return err;
}

void cs_sealer_step(struct cs_sealer *s)
{
	struct cs_fault fault = {0};

	if (!s->greeted || s->paused || s->flight.subject[0] != '\0' || cs_link_busy(s->link))
		return;
	enum cs_err err = cs_sealer_send_pending(s, &fault);
	if (err == CS_E_NOT_FOUND && cs_sealer_wants_certificate(s))
		err = cs_sealer_ask_certificate(s);
	else if (err == CS_E_NOT_FOUND && cs_engine_usable(s->engine, cs_now()))
		err = queue_next(s, &fault);
	if (err == CS_OK || (err == CS_E_NOT_FOUND && s->fresh != NULL))
		return;
	cs_sealer_forget_flight(s);
	cs_sealer_pause(s, err, &fault);
}

static int on_soon(sd_event_source *source, void *userdata)
{
	(void)source;
	cs_sealer_step(userdata);
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
	/*
	 * After a pause too: the signer says first whether its token is back. What stalled us is
	 * over when something succeeds.
	 */
	cs_sealer_ask_health(s);
	return 0;
}

/* ---- life ---- */

enum cs_err cs_sealer_new(sd_event *event, const struct cs_daemon_settings *settings,
	struct cs_rulebook *const *book, struct cs_store *store, struct cs_engine *engine,
	const struct cs_frontier *frontier, const struct cs_sealer_hooks *hooks,
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
	s->pause_usec = CS_SEALER_PAUSE_USEC;
	s->stall = CS_E_SIGNER_DOWN;
	snprintf(s->detail, sizeof s->detail, "not connected to the signer yet");
	const struct cs_link_hooks link_hooks = {cs_sealer_up, cs_sealer_down, s};
	enum cs_err err = cs_link_new(event, settings->signer_socket, settings->signer_uid,
		settings->deadline_seconds, &link_hooks, &s->link);
	if (err == CS_OK && (sd_event_add_defer(event, &s->soon, on_soon, s) < 0 ||
				    sd_event_source_set_enabled(s->soon, SD_EVENT_OFF) < 0 ||
				    sd_event_add_time_relative(event, &s->timer, CLOCK_MONOTONIC,
					    HEALTH_USEC, 10000, on_timer, s) < 0 ||
				    sd_event_source_set_enabled(s->timer, SD_EVENT_OFF) < 0 ||
				    sd_event_add_time_relative(event, &s->take, CLOCK_MONOTONIC, 0,
					    1000, cs_sealer_take_certificate, s) < 0))
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
	cs_sealer_forget_flight(sealer);
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
	sealer->pause_usec = CS_SEALER_PAUSE_USEC;
	cs_sealer_kick(sealer);
}

enum cs_err cs_sealer_ready(const struct cs_sealer *sealer, struct cs_fault *fault)
{
	if (sealer->greeted && sealer->stall == CS_OK && cs_engine_usable(sealer->engine, cs_now()))
		return CS_OK;
	return cs_fault_set(fault, CS_E_SIGNER_DOWN, "", "%s",
		sealer->detail[0] != '\0' ? sealer->detail : "the engine has no certificate yet");
}

enum cs_err cs_sealer_state(
	const struct cs_sealer *sealer, const char **ret_detail, const json_t **ret_status)
{
	*ret_detail = sealer->detail;
	*ret_status = sealer->status;
	return sealer->stall;
}

const struct cs_frontier *cs_sealer_frontier(const struct cs_sealer *sealer)
{
	return &sealer->frontier;
}
