#include "sealer_private.h"
#include "log.h"
#include "moment.h"

/* after a renewal that failed while the old certificate is good */
#define RENEW_AGAIN_MSEC 60000

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
		cs_sealer_pause(s, err, fault);
	}
}

int cs_sealer_take_certificate(sd_event_source *source, uint64_t usec, void *userdata)
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
 * A brief is issued at a full second, so that clients which write times in seconds do not decide
 * before it, and not before the certificate of its key: so the certificate, whose time has a
 * fraction, is used from the next full second on.
 */
static void on_certified(
	void *context, enum cs_err err, json_t *document, const struct cs_fault *fault)
{
	struct cs_sealer *s = context;
	uint64_t left = (uint64_t)(1000 - cs_now() % 1000) * 1000;

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

enum cs_err cs_sealer_ask_certificate(struct cs_sealer *s)
{
	CS_CLEANUP_BYTES struct cs_bytes frame = {0};
	CS_CLEANUP_JSON json_t *jwk = NULL;

	enum cs_err err = cs_engine_candidate(s->engine, &jwk);
	if (err == CS_OK)
		err = cs_wire_certify(jwk, &frame);
	return err == CS_OK ? cs_link_call(s->link, &frame, on_certified, s) : err;
}

bool cs_sealer_wants_certificate(const struct cs_sealer *s)
{
	cs_time now = cs_now();

	if (s->fresh != NULL)
		return false;
	if (!cs_engine_usable(s->engine, now))
		return true;
	return cs_engine_wants_certificate(s->engine, now) && now >= s->renew_after;
}
