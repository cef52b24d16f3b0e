#include "actions.h"
#include "gate/gate.h"
#include "moment.h"
#include "pack_room.h"
#include "text.h"

#include <sodium.h>
#include <string.h>

#define RATE_WINDOW_MSEC 60000

struct proposal {
	struct cs_daemon *d;
	const char *caller;
	const json_t *request;
	cs_time now;
	struct cs_action action;
	json_t *core;
	json_t *state;
	json_t *gate;	  /* the first result, advisory */
	json_t *decision; /* the same, or the final one where nobody is asked */
	json_t *map;
};

static enum cs_err check_size(const json_t *doc, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};

	enum cs_err err = cs_canonical_print(doc, &text);
	if (err == CS_OK && text.len > CS_CORE_MAX)
		err = cs_fault_set(fault, CS_E_TOO_LARGE, "/request",
			"%zu bytes, at most %d are allowed", text.len, CS_CORE_MAX);
	return err;
}

/* The person behind the caller. */
static const char *requester_of(const struct cs_rulebook *book, const char *caller)
{
	const json_t *agent = cs_trust_agent(book->trust, caller);

	if (agent != NULL)
		return cs_json_text(agent, "principal");
	return cs_trust_person(book->trust, caller) != NULL ? caller : NULL;
}

static enum cs_err make_core(struct proposal *p, struct cs_fault *fault)
{
	const struct cs_rulebook *book = p->d->book;
	const char *requester = requester_of(book, p->caller);
	uint8_t nonce[16];
	char nonce_text[33];

	if (requester == NULL)
		return cs_fault_set(
			fault, CS_E_PERMISSION, "", "'%s' is not in the trust set", p->caller);
	randombytes_buf(nonce, sizeof nonce);
	cs_hex_encode(nonce, sizeof nonce, nonce_text);
	enum cs_err err = cs_json_copy(p->request, &p->core);
	if (err != CS_OK)
		return err;
	if (json_object_set_new(p->core, "schema", json_string("countersign.action_core.v1")) !=
			0 ||
		json_object_set_new(p->core, "requester", json_string(requester)) != 0 ||
		json_object_set_new(p->core, "policy", json_string(book->policy_address)) != 0 ||
		json_object_set_new(p->core, "nonce", json_string(nonce_text)) != 0)
		return CS_E_NOMEM;
	err = cs_schema_check(book->registry, "countersign.action_core.v1", p->core, fault);
	if (err == CS_OK)
		err = check_size(p->core, fault);
	return err == CS_OK ? cs_address_of(p->core, p->action.address) : err;
}

static enum cs_err make_state(struct proposal *p)
{
	CS_CLEANUP_JSON json_t *facts = NULL;
	int64_t before = 0;

	enum cs_err err =
		cs_store_count_since(p->d->store, p->caller, p->now - RATE_WINDOW_MSEC, &before);
	if (err != CS_OK)
		return err;
	facts = json_pack("{sI}", "requests_last_minute", (json_int_t)before + 1);
	if (facts == NULL)
		return CS_E_NOMEM;
	const struct cs_state_input input = {
		.trust = p->d->book->trust,
		.policy = p->d->book->policy_address,
		.audience = p->d->book->origin,
		.caller = p->caller,
		.core = p->core,
		.facts = facts,
		.now = p->now,
	};
	return cs_state_compose(&input, &p->state);
}

static enum cs_err run_gate(struct proposal *p, bool final, json_t **ret_decision)
{
	char id[CS_ID_MAX + 1];
	const struct cs_gate_input input = {
		.core = p->core,
		.policy = p->d->book->policy,
		.state = p->state,
		.decision_id = id,
		.final = final,
		.now = p->now,
	};

	cs_new_id("decision", p->now, id);
	return cs_gate_run(&input, ret_decision);
}

/* What the gate's outcome makes of a proposal; anything else is refused as denied. */
static enum cs_action_state state_of(const json_t *gate)
{
	static const struct {
		const char *outcome;
		enum cs_action_state state;
	} outcomes[] = {
		{"allow", CS_ACTION_ALLOWED},
		{"allow_with_constraints", CS_ACTION_ALLOWED},
		{"require_approval", CS_ACTION_AWAITING},
		{"require_human_review", CS_ACTION_RECORDED},
	};
	const char *outcome = cs_json_text(gate, "outcome");

	for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++)
		if (outcome != NULL && strcmp(outcomes[i].outcome, outcome) == 0)
			return outcomes[i].state;
	return CS_ACTION_DENIED;
}

static enum cs_err judge(struct proposal *p)
{
	char id[CS_ID_MAX + 1];

	enum cs_err err = make_state(p);
	if (err == CS_OK)
		err = run_gate(p, false, &p->gate);
	if (err != CS_OK)
		return err;
	p->action.state = state_of(p->gate);
	p->action.expires_at = CS_TIME_MAX;
	/* Nothing that people do can change a refusal or an advice: its record is final at once. */
	if (cs_action_state_is(p->action.state, CS_STATE_ENDS))
		return run_gate(p, true, &p->decision);
	p->decision = json_incref(p->gate);
	if (p->action.state != CS_ACTION_AWAITING)
		return CS_OK;
	p->action.expires_at = cs_time_add_seconds(p->now, p->d->book->timeout_seconds);
	cs_new_id("consequence-map", p->now, id);
	return cs_consequence_map(p->core, p->gate, id, p->d->book->entity, p->now, &p->map);
}

static enum cs_err copy_text(char *to, size_t size, const char *text)
{
	if (text == NULL || strlen(text) >= size)
		return CS_E_INTERNAL;
	strcpy(to, text);
	return CS_OK;
}

static enum cs_err store(struct proposal *p)
{
	const json_t *const documents[CS_DOCUMENT_COUNT] = {
		[CS_DOCUMENT_CORE] = p->core,
		[CS_DOCUMENT_GATE] = p->gate,
		[CS_DOCUMENT_STATE] = p->state,
		[CS_DOCUMENT_MAP] = p->map,
		[CS_DOCUMENT_DECISION] = p->decision,
	};
	struct cs_action *a = &p->action;

	enum cs_err err = cs_action_state_check(CS_ACTION_PROPOSED, a->state, NULL);
	if (err == CS_OK)
		err = copy_text(a->caller, sizeof a->caller, p->caller);
	if (err == CS_OK)
		err = copy_text(a->capability, sizeof a->capability,
			cs_json_text_at(p->core, "proposed_action/requested_capability"));
	if (err == CS_OK)
		err = copy_text(
			a->reason, sizeof a->reason, cs_json_text(p->decision, "reason_code"));
	if (err != CS_OK)
		return err;
	cs_new_id("action", p->now, a->id);
	strcpy(a->policy, p->d->book->policy_address);
	strcpy(a->trust_set, p->d->book->trust_set);
	a->created_at = a->updated_at = p->now;
	a->not_after = CS_TIME_MAX;
	a->log_index = -1;
	return cs_store_action_add(p->d->store, a, documents);
}

/*
 * CS_OK with `ret_action`: the same request came under this key before. CS_E_NOT_FOUND: it is new.
 */
static enum cs_err find_earlier(
	struct proposal *p, struct cs_action *ret_action, struct cs_fault *fault)
{
	struct cs_action earlier;

	if (p->action.idempotency[0] == '\0')
		return CS_E_NOT_FOUND;
	enum cs_err err =
		cs_store_action_by_key(p->d->store, p->caller, p->action.idempotency, &earlier);
	if (err != CS_OK)
		return err;
	if (strcmp(earlier.request, p->action.request) != 0)
		return cs_fault_set(
			fault, CS_E_IDEMPOTENCY, "idempotency_key", "used for %s", earlier.id);
	*ret_action = earlier;
	return CS_OK;
}

static enum cs_err check_request(
	struct proposal *p, const char *idempotency, struct cs_fault *fault)
{
	size_t len = idempotency ? strlen(idempotency) : 0;

	enum cs_err err = cs_schema_check(
		p->d->book->registry, "countersign.action_request.v1", p->request, fault);
	if (err == CS_OK)
		err = check_size(p->request, fault);
	if (err == CS_OK)
		err = cs_address_of(p->request, p->action.request);
	if (err != CS_OK || idempotency == NULL)
		return err;
	if (len == 0 || len > CS_IDEMPOTENCY_MAX)
		return cs_fault_set(fault, CS_E_DOCUMENT_INVALID, "idempotency_key",
			"not 1 to %d bytes long", CS_IDEMPOTENCY_MAX);
	struct cs_fault inner = {0};
	err = cs_text_check(idempotency, len, 0, &inner);
	if (err != CS_OK)
		return cs_fault_set(fault, err, "idempotency_key", "%s", inner.detail);
	strcpy(p->action.idempotency, idempotency);
	return CS_OK;
}

static enum cs_err check_open(struct proposal *p, struct cs_fault *fault)
{
	int64_t open = 0;

	enum cs_err err = cs_store_count_open(p->d->store, p->caller, &open);
	if (err == CS_OK && open >= p->d->settings->open_actions)
		err = cs_fault_set(fault, CS_E_BUSY, "", "%lld actions of '%s' are open",
			(long long)open, p->caller);
	return err;
}

/*
 * Tokens that are away allow nothing and queue nothing: what has to be sealed now is refused, what
 * can wait for people needs the engine's key only.
 */
static enum cs_err check_sealable(const struct proposal *p, struct cs_fault *fault)
{
	if (p->action.state != CS_ACTION_AWAITING)
		return cs_sealer_ready(p->d->sealer, fault);
	if (!cs_engine_usable(&p->d->engine, p->now))
		return cs_fault_set(fault, CS_E_SIGNER_DOWN, "", "the engine has no certificate");
	return CS_OK;
}

static enum cs_err check_room(const struct proposal *p, struct cs_fault *fault)
{
	struct cs_pack_room room;

	return cs_pack_room(p->d->book, p->core, p->state, p->gate, p->map, &room, fault);
}

static enum cs_err propose(struct proposal *p, struct cs_fault *fault)
{
	enum cs_err err = check_open(p, fault);

	if (err == CS_OK)
		err = make_core(p, fault);
	if (err == CS_OK)
		err = judge(p);
	if (err == CS_OK)
		err = check_room(p, fault);
	if (err == CS_OK)
		err = check_sealable(p, fault);
	if (err == CS_OK)
		err = store(p);
	return err;
}

enum cs_err cs_action_propose(struct cs_daemon *daemon, const char *caller, const json_t *request,
	const char *idempotency, struct cs_action *ret_action, struct cs_fault *fault)
{
	struct proposal p = {.d = daemon, .caller = caller, .request = request, .now = cs_now()};

	enum cs_err err = check_request(&p, idempotency, fault);
	if (err == CS_OK)
		err = find_earlier(&p, ret_action, fault);
	if (err != CS_E_NOT_FOUND)
		return err;
	err = propose(&p, fault);
	if (err == CS_OK) {
		*ret_action = p.action;
		if (p.action.state == CS_ACTION_AWAITING)
			cs_actions_expire(daemon);
		else
			cs_sealer_kick(daemon->sealer);
	}
	json_decref(p.core);
	json_decref(p.state);
	json_decref(p.gate);
	json_decref(p.decision);
	json_decref(p.map);
	return err;
}
