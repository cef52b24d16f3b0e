#include "sealer_private.h"
#include "log.h"
#include "moment.h"
#include "seal_commit.h"

#include <string.h>

/* recompositions in a row before the clocks are blamed */
#define LATE_MAX 3

static void on_answer(struct cs_sealer *s, json_t *document)
{
	struct cs_fault fault = {0};
	struct cs_seal seal = {0};
	char action[CS_ACTION_ID_TEXT];

	enum cs_err err = cs_seal_check(*s->book, &s->frontier, s->request.entries[0].statement,
		s->request.entries[0].form, document, &seal, &fault);
	if (err != CS_OK) {
		cs_link_break(s->link, err, &fault);
		return;
	}
	err = cs_seal_commit(s->store, &s->flight, &seal, cs_now());
	if (err != CS_OK) {
		cs_seal_clear(&seal);
		cs_sealer_forget_flight(s);
		cs_sealer_pause(s, err, NULL);
		return;
	}
	s->frontier = seal.after;
	strcpy(action, s->flight.action);
	cs_seal_clear(&seal);
	cs_sealer_forget_flight(s);
	s->late = 0;
	cs_sealer_works(s);
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
	cs_sealer_forget_flight(s);
	if (err != CS_OK) {
		cs_sealer_pause(s, err, NULL);
		return;
	}
	if (refusal == CS_REFUSAL_LATE && ++s->late < LATE_MAX) {
		cs_sealer_kick(s);
		return;
	}
	if (other_versions(s->refusal_code) && s->hooks.outdated(s->hooks.context))
		return;
	if (refusal != CS_REFUSAL_STANDS || version) {
		cs_sealer_pause(s, s->refusal_code, &s->refusal);
		return;
	}
	cs_log(CS_LOG_ERROR, "the signer refuses %s for good: %s (%s) at %s: %s", action,
		cs_err_text(s->refusal_code), cs_err_name(s->refusal_code), s->refusal.path,
		s->refusal.detail);
	s->hooks.changed(s->hooks.context, action);
	cs_sealer_kick(s);
}

static void on_hello_after_refusal(
	void *context, enum cs_err err, json_t *document, const struct cs_fault *answer_fault)
{
	struct cs_sealer *s = context;
	struct cs_fault fault = answer_fault ? *answer_fault : (struct cs_fault){0};

	if (err == CS_OK)
		err = cs_sealer_take_status(s, document, &fault);
	if (err == CS_OK)
		err = cs_sealer_reconcile(s, &fault);
	if (err != CS_OK) {
		cs_link_break(s->link, err, &fault);
		return;
	}
	if (cs_sealer_log_size(s->status) == s->frontier.size) {
		dispose(s);
		return;
	}
	/* It is in the log and could not be signed: the same frame again, later. */
	cs_sealer_forget_flight(s);
	cs_sealer_pause(s, s->refusal_code, &s->refusal);
}

static void on_append(
	void *context, enum cs_err err, json_t *document, const struct cs_fault *fault)
{
	struct cs_sealer *s = context;

	if (err == CS_OK) {
		on_answer(s, document);
		return;
	}
	s->refusal_code = err;
	s->refusal = *fault;
	cs_sealer_say_hello(s, on_hello_after_refusal);
}

enum cs_err cs_sealer_send_pending(struct cs_sealer *s, struct cs_fault *fault)
{
	enum cs_err err = cs_store_pending(s->store, &s->flight);

	if (err != CS_OK)
		return err;
	struct cs_bytes *frame = &s->flight.frame;
	if (s->flight.index != s->frontier.size || frame->len < CS_WIRE_HEADER)
		return cs_fault_set(
			fault, CS_E_STORE, "", "the pending append does not follow the log");
	err = cs_wire_request_parse(
		frame->data + CS_WIRE_HEADER, frame->len - CS_WIRE_HEADER, &s->request, fault);
	if (err == CS_OK && (s->request.operation != CS_WIRE_APPEND || s->request.count != 1))
		err = cs_fault_set(
			fault, CS_E_STORE, "", "the pending append is not one statement");
	return err == CS_OK ? cs_link_call(s->link, frame, on_append, s) : err;
}
