#include "sealer_private.h"

#include <string.h>

enum cs_err cs_sealer_take_status(struct cs_sealer *s, json_t *status, struct cs_fault *fault)
{
	enum cs_err err = cs_schema_check(
		(*s->book)->registry, "countersign.signer_status.v1", status, fault);

	if (err != CS_OK)
		return err;
	if (strcmp(cs_json_text(status, "origin"), s->origin) != 0)
		return cs_fault_set(fault, CS_E_LOG_ORIGIN, "/origin",
			"the signer keeps the log of '%s'", cs_json_text(status, "origin"));
	json_decref(s->status);
	s->status = json_incref(status);
	return CS_OK;
}

static enum cs_err token_works(const struct cs_sealer *s, struct cs_fault *fault)
{
	const char *reason = cs_json_text(s->status, "reason");

	if (strcmp(cs_json_text(s->status, "state"), "ready") == 0)
		return CS_OK;
	return cs_fault_set(fault, CS_E_SIGNER_DOWN, "", "the signer is %s%s%s",
		cs_json_text(s->status, "state"), reason ? ": " : "", reason ? reason : "");
}

static void on_health(
	void *context, enum cs_err err, json_t *document, const struct cs_fault *answer_fault)
{
	struct cs_sealer *s = context;
	struct cs_fault fault = answer_fault ? *answer_fault : (struct cs_fault){0};

	if (err == CS_OK)
		err = cs_sealer_take_status(s, document, &fault);
	if (err == CS_OK)
		err = token_works(s, &fault);
	if (err != CS_OK) {
		cs_sealer_pause(s, err, &fault);
		return;
	}
	cs_sealer_step(s);
}

void cs_sealer_ask_health(struct cs_sealer *s)
{
	CS_CLEANUP_BYTES struct cs_bytes frame = {0};

	enum cs_err err = cs_wire_health(&frame);
	if (err == CS_OK)
		err = cs_link_call(s->link, &frame, on_health, s);
	if (err != CS_OK)
		cs_sealer_pause(s, err, NULL);
}

uint64_t cs_sealer_log_size(const json_t *status)
{
	return (uint64_t)cs_json_integer(json_object_get(status, "log"), "size", 0);
}

void cs_sealer_say_hello(struct cs_sealer *s, cs_link_answer answer)
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

enum cs_err cs_sealer_reconcile(struct cs_sealer *s, struct cs_fault *fault)
{
	struct cs_pending pending = {0};
	uint64_t size = cs_sealer_log_size(s->status);
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
	return cs_fault_set(fault, size < s->frontier.size ? CS_E_LOG_ROLLBACK : CS_E_LOG_FORK,
		"/log/size", "the signer's log has %llu leaves, ours %llu",
		(unsigned long long)size, (unsigned long long)s->frontier.size);
}

static void on_hello(
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
	s->greeted = true;
	cs_link_settled(s->link);
	err = token_works(s, &fault);
	if (err != CS_OK) {
		cs_sealer_pause(s, err, &fault);
		return;
	}
	cs_sealer_step(s);
}

void cs_sealer_up(void *context)
{
	struct cs_sealer *s = context;

	s->greeted = false;
	cs_sealer_say_hello(s, on_hello);
}

void cs_sealer_down(void *context, enum cs_err err, const struct cs_fault *fault)
{
	struct cs_sealer *s = context;

	s->greeted = false;
	s->paused = false;
	cs_sealer_forget_flight(s);
	cs_sealer_stalled(s, err, fault);
}
