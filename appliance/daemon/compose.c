#include "compose.h"
#include "moment.h"
#include "pack.h"
#include "wire.h"

#include <sodium.h>
#include <string.h>

/* ---- statement and frame ---- */

/* What every statement has in common. */
static struct cs_statement_input statement_input(const struct cs_rulebook *book, const char *kind,
	const char *subject, const struct cs_frontier *frontier, cs_time now)
{
	struct cs_statement_input input = {
		.kind = kind,
		.subject = subject,
		.policy = book->policy_address,
		.trust_set = book->trust_set,
		.origin = book->origin,
		.index = frontier->size,
		.issued_at = now,
		.not_after = CS_TIME_MAX,
	};

	cs_merkle_root(frontier, input.root);
	randombytes_buf(input.nonce, sizeof input.nonce);
	return input;
}

static enum cs_err make_frame(const struct cs_rulebook *book,
	const struct cs_statement_input *input, struct cs_wire_entry *entry,
	struct cs_pending *pending, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *statement = NULL;

	enum cs_err err = cs_statement_compose(input, &statement);
	if (err == CS_OK)
		err = cs_statement_shape(book->registry, statement, entry->form, fault);
	if (err != CS_OK)
		return err;
	entry->statement = statement;
	pending->index = input->index;
	pending->not_after = input->not_after;
	return cs_wire_append(entry, 1, &pending->frame);
}

enum cs_err cs_compose_version(const struct cs_rulebook *book, enum cs_leaf_kind kind,
	const struct cs_frontier *frontier, cs_time now, struct cs_pending *ret_pending,
	struct cs_fault *fault)
{
	struct cs_pending pending = {.kind = kind};
	struct cs_wire_entry entry = {.form = CS_SEAL_TLOG};
	bool trust_set = kind == CS_LEAF_TRUST_SET;
	const char *subject = trust_set ? book->trust_set : book->policy_address;
	struct cs_statement_input input =
		statement_input(book, trust_set ? "trust_set" : "policy", subject, frontier, now);

	strcpy(pending.subject, subject);
	enum cs_err err = make_frame(book, &input, &entry, &pending, fault);
	if (err == CS_OK)
		*ret_pending = pending;
	else
		cs_pending_clear(&pending);
	return err;
}

enum cs_err cs_compose_approval(const struct cs_rulebook *book, struct cs_store *store,
	const struct cs_approval *approval, const struct cs_frontier *frontier, cs_time now,
	struct cs_pending *ret_pending, struct cs_fault *fault)
{
	struct cs_pending pending = {.kind = CS_LEAF_APPROVAL};
	struct cs_wire_entry entry = {.form = CS_SEAL_TLOG};
	struct cs_action action;
	struct cs_case c = {0};

	enum cs_err err = cs_store_action(store, approval->action, &action);
	if (err == CS_OK)
		err = cs_case_load(book, store, &action, now, &c);
	if (err != CS_OK)
		goto out;
	struct cs_statement_input input =
		statement_input(book, "approval", approval->address, frontier, now);
	input.mode = "enforce";
	input.outcome = cs_json_text(approval->decision, "decision");
	input.action = action.address;
	input.oversight = c.class_known ? &c.oversight : NULL;
	entry.core = c.core;
	entry.approvals = json_pack("[O]", approval->decision);
	strcpy(pending.subject, approval->address);
	strcpy(pending.action, action.id);
	err = entry.approvals == NULL ? CS_E_NOMEM
				      : make_frame(book, &input, &entry, &pending, fault);
	json_decref(entry.approvals);
out:
	cs_case_clear(&c);
	if (err == CS_OK)
		*ret_pending = pending;
	else
		cs_pending_clear(&pending);
	return err;
}

/* ---- the final gate run ---- */

struct sealing {
	struct cs_case c;
	const struct cs_engine *engine;
	cs_time now;
	json_t *state;
	json_t *decision;
	json_t *constraints; /* NULL when there are none */
	enum cs_action_state next;
	size_t most; /* decisions that the record of an end carries */
};

static void sealing_clear(struct sealing *s)
{
	cs_case_clear(&s->c);
	json_decref(s->state);
	json_decref(s->decision);
	json_decref(s->constraints);
}

static enum cs_err run_gate(struct sealing *s, const char *ended)
{
	const struct cs_case *c = &s->c;
	char id[CS_ID_MAX + 1];
	const struct cs_state_input state_input = {
		.trust = c->book->trust,
		.policy = c->book->policy_address,
		.audience = c->book->origin,
		.caller = c->action.caller,
		.core = c->core,
		.facts = json_object_get(c->first_state, "facts"),
		.approvals = c->extracts,
		.ended = ended,
		.now = s->now,
	};
	struct cs_gate_input gate_input = {
		.core = c->core, .policy = c->book->policy, .final = true, .now = s->now};

	json_decref(s->state);
	json_decref(s->decision);
	s->state = s->decision = NULL;
	enum cs_err err = cs_state_compose(&state_input, &s->state);
	if (err != CS_OK)
		return err;
	cs_new_id("decision", s->now, id);
	gate_input.state = s->state;
	gate_input.decision_id = id;
	return cs_gate_run(&gate_input, &s->decision);
}

static bool is_allow(const json_t *decision)
{
	const char *outcome = cs_json_text(decision, "outcome");

	return outcome != NULL &&
	       (strcmp(outcome, "allow") == 0 || strcmp(outcome, "allow_with_constraints") == 0);
}

/*
 * The action ends without an authorisation, under the name `ended`. Briefs made under other
 * versions than those in force compose to nothing any more: then what people decided stays in the
 * log alone.
 */
static enum cs_err decide_end(struct sealing *s, enum cs_action_state next, const char *ended)
{
	bool outdated = !cs_rulebook_is_of(s->c.book, &s->c.action);

	s->next = next;
	enum cs_err err =
		cs_case_collect(&s->c, outdated ? CS_COLLECT_NOTHING : CS_COLLECT_RECORD, s->most);
	return err == CS_OK ? run_gate(s, ended) : err;
}

static enum cs_err decide_favour(struct sealing *s)
{
	struct cs_approval_context context = cs_case_context(&s->c);
	enum cs_action_state instead = CS_ACTION_INVALIDATED;

	enum cs_err err = cs_case_collect(&s->c, CS_COLLECT_VALID, CS_APPROVALS_MAX);
	if (err != CS_OK)
		return err;
	if (s->c.action.state == CS_ACTION_APPROVED && s->c.left_out == CS_E_APPROVAL_EXPIRED)
		instead = CS_ACTION_EXPIRED;
	err = s->c.class_known ? CS_OK : CS_E_NOT_FOUND;
	if (err == CS_OK && s->c.oversight.slot_count > 0)
		err = cs_quorum_check(&context, s->c.decisions, NULL);
	if (err == CS_E_NOMEM || err == CS_E_INTERNAL)
		return err;
	if (err == CS_OK) {
		err = run_gate(s, NULL);
		if (err != CS_OK)
			return err;
		if (is_allow(s->decision)) {
			s->next = CS_ACTION_SEALED;
			return cs_constraints_compose(s->c.decisions, &s->constraints);
		}
	}
	return decide_end(s, instead, cs_action_state_name(instead));
}

/*
 * Denied and recorded actions were judged for good when they came: that record stands while its
 * versions are in force.
 */
static enum cs_err decide_as_judged(struct sealing *s)
{
	enum cs_err err = cs_case_collect(&s->c, CS_COLLECT_RECORD, s->most);

	s->next = s->c.action.state;
	s->state = json_incref(s->c.first_state);
	return err == CS_OK ? cs_store_action_document(
				      s->c.store, &s->c.action, CS_DOCUMENT_DECISION, &s->decision)
			    : err;
}

static enum cs_err decide(struct sealing *s)
{
	const struct cs_action *action = &s->c.action;
	bool outdated = !cs_rulebook_is_of(s->c.book, action);
	const char *invalidated = cs_action_state_name(CS_ACTION_INVALIDATED);

	if (cs_action_state_is(action->state, CS_STATE_NAMED))
		return decide_end(s, action->state, cs_action_state_name(action->state));
	if (cs_action_state_is(action->state, CS_STATE_PERMITS))
		return outdated ? decide_end(s, CS_ACTION_INVALIDATED, invalidated)
				: decide_favour(s);
	if (cs_action_state_is(action->state, CS_STATE_ENDS))
		return outdated ? decide_end(s, action->state, invalidated) : decide_as_judged(s);
	return CS_E_STATE;
}

/* ---- the pack ---- */

/*
 * The engine vouches for what is in the pack with the key that the pack's certificate is for: an
 * address does not depend on the signature.
 */
static enum cs_err sign_member(const struct cs_engine *engine, json_t *object, const char *key)
{
	json_t *copy = NULL;

	enum cs_err err = cs_json_copy(json_object_get(object, key), &copy);
	if (err == CS_OK && json_object_set_new(object, key, copy) != 0)
		err = CS_E_NOMEM;
	return err == CS_OK ? cs_engine_sign(engine, copy) : err;
}

static enum cs_err sign_entries(const struct cs_engine *engine, json_t *entries)
{
	enum cs_err err = CS_OK;
	size_t i;
	json_t *entry;

	json_array_foreach (entries, i, entry) {
		if (err == CS_OK)
			err = sign_member(engine, entry, "brief");
		if (err == CS_OK)
			err = sign_member(engine, entry, "snapshot");
	}
	return err;
}

/* Nobody was asked when nobody's decision is in the pack. */
static enum cs_err add_map(struct sealing *s, json_t *inputs)
{
	json_t *map = NULL;

	if (json_array_size(s->c.entries) == 0)
		return json_object_set_new(inputs, "consequence_map", json_null()) == 0
			       ? CS_OK
			       : CS_E_NOMEM;
	enum cs_err err = cs_store_action_document(s->c.store, &s->c.action, CS_DOCUMENT_MAP, &map);
	if (err == CS_OK && json_object_set_new(inputs, "consequence_map", map) != 0)
		return CS_E_NOMEM;
	return err == CS_OK ? cs_engine_sign(s->engine, map) : err;
}

static enum cs_err gate_papers(struct sealing *s, json_t **ret_purpose, json_t **ret_admissibility)
{
	char id[CS_ID_MAX + 1];
	struct cs_gate_input input = {
		.core = s->c.core,
		.policy = s->c.book->policy,
		.state = s->state,
		.decision_id = cs_json_text(s->decision, "id"),
		.final = true,
	};

	enum cs_err err = cs_time_parse(cs_json_text(s->decision, "decided_at"), &input.now, NULL);
	if (err == CS_OK)
		err = cs_purpose_admissibility(&input, s->c.book->entity, ret_purpose);
	cs_new_id("admissibility-decision", s->now, id);
	if (err == CS_OK)
		err = cs_admissibility_decision(s->c.core, s->decision, id, ret_admissibility);
	return err;
}

static enum cs_err make_inputs(struct sealing *s, json_t **ret_inputs, json_t **ret_purpose)
{
	CS_CLEANUP_JSON json_t *purpose = NULL, *admissibility = NULL, *inputs = NULL;

	enum cs_err err = gate_papers(s, &purpose, &admissibility);
	if (err == CS_OK)
		err = sign_entries(s->engine, s->c.entries);
	if (err == CS_OK)
		err = cs_engine_sign(s->engine, s->decision);
	if (err != CS_OK)
		return err;
	inputs = json_pack("{ss sO sO sO sO sO sO sO sO? sO sO sO}", "schema",
		"countersign.inputs.v1", "core", s->c.core, "purpose_admissibility", purpose,
		"admissibility_decision", admissibility, "grants",
		json_object_get(s->state, "grants"), "purposes",
		json_object_get(s->state, "purposes"), "delegations",
		json_object_get(s->state, "delegations"), "approvals", s->c.entries, "constraints",
		s->constraints, "engine_certificate", s->engine->certificate, "policy",
		cs_policy_document(s->c.book->policy), "decision", s->decision);
	if (inputs == NULL)
		return CS_E_NOMEM;
	err = add_map(s, inputs);
	if (err != CS_OK)
		return err;
	*ret_inputs = json_incref(inputs);
	*ret_purpose = json_incref(purpose);
	return CS_OK;
}

/*
 * Once the statement is in the log it is too late to find the pack malformed, so it meets its
 * schema under a stand-in for the seal.
 */
static enum cs_err check_shape(const struct sealing *s, json_t *pack, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *copy = NULL;
	char now[CS_TIME_TEXT];

	enum cs_err err = cs_json_copy(pack, &copy);
	if (err == CS_OK)
		err = cs_pack_seal(
			copy, s->c.book->entity, "sig:tlog:AAAA", cs_time_print(s->now, now));
	return err == CS_OK
		       ? cs_schema_check(s->c.book->registry, "kye.evidence.pack.v1", copy, fault)
		       : err;
}

static enum cs_err make_pack(struct sealing *s, struct cs_pending *pending, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *inputs = NULL;
	char ulid[CS_ULID_TEXT];

	enum cs_err err = make_inputs(s, &inputs, &pending->admissibility);
	if (err == CS_OK)
		err = cs_schema_check(s->c.book->registry, "countersign.inputs.v1", inputs, fault);
	if (err != CS_OK)
		return err;
	cs_new_ulid(s->now, ulid);
	const struct cs_pack_input input = {
		.inputs = inputs,
		.state = s->state,
		.ulid = ulid,
		.engine = s->engine->entity,
		.signer = &s->engine->signer,
		.now = s->now,
	};
	err = cs_pack_compose(&input, &pending->pack, fault);
	if (err == CS_OK)
		err = check_shape(s, pending->pack, fault);
	return err == CS_OK ? cs_address_of(pending->pack, pending->subject) : err;
}

static enum cs_err state_the_decision(struct sealing *s, const struct cs_frontier *frontier,
	struct cs_pending *pending, struct cs_fault *fault)
{
	const struct cs_rulebook *book = s->c.book;
	struct cs_statement_input input =
		statement_input(book, "decision", pending->subject, frontier, s->now);
	struct cs_wire_entry entry = {
		.form = CS_SEAL_TLOG, .core = s->c.core, .approvals = s->c.decisions};
	char constraints[CS_ADDRESS_TEXT];

	input.mode = "enforce";
	input.outcome = pending->outcome;
	input.action = s->c.action.address;
	input.oversight = s->c.class_known ? &s->c.oversight : NULL;
	input.approvals = s->c.decisions;
	if (s->constraints != NULL) {
		enum cs_err err = cs_address_of(s->constraints, constraints);
		if (err != CS_OK)
			return err;
		input.constraints = constraints;
		entry.constraints = s->constraints;
	}
	if (s->next == CS_ACTION_SEALED) {
		cs_time longest = cs_time_add_seconds(s->now, book->not_after_seconds);
		cs_time approvals = cs_approvals_not_after(s->c.decisions);
		input.not_after = approvals < longest ? approvals : longest;
		entry.form = CS_SEAL_JWS;
	}
	return make_frame(book, &input, &entry, pending, fault);
}

static bool copy_text(char *to, size_t size, const char *text)
{
	if (text == NULL || strlen(text) >= size)
		return false;
	strcpy(to, text);
	return true;
}

static enum cs_err decide_and_pack(
	struct sealing *s, struct cs_pending *pending, struct cs_fault *fault)
{
	enum cs_err err = decide(s);

	if (err == CS_OK && is_allow(s->decision) != (s->next == CS_ACTION_SEALED))
		err = cs_fault_set(fault, CS_E_INTERNAL, "",
			"the gate's outcome does not fit the state '%s'",
			cs_action_state_name(s->next));
	return err == CS_OK ? make_pack(s, pending, fault) : err;
}

/*
 * There is room for one decision of full size for each slot. People may have said more than that
 * before an action ended, and then the record leaves the oldest out: all of it is in the log.
 */
static enum cs_err decide_what_fits(
	struct sealing *s, struct cs_pending *pending, struct cs_fault *fault)
{
	for (;;) {
		enum cs_err err = decide_and_pack(s, pending, fault);
		size_t count = json_array_size(s->c.decisions);

		if (err != CS_E_TOO_LARGE || s->next == CS_ACTION_SEALED || count < 2)
			return err;
		s->most = count - 1;
		json_decref(s->state);
		json_decref(s->decision);
		s->state = s->decision = NULL;
		json_decref(pending->admissibility);
		pending->admissibility = NULL;
	}
}

enum cs_err cs_compose_decision(const struct cs_rulebook *book, const struct cs_engine *engine,
	struct cs_store *store, const struct cs_action *action, const struct cs_frontier *frontier,
	cs_time now, struct cs_pending *ret_pending, struct cs_fault *fault)
{
	struct sealing s = {.engine = engine, .now = now, .most = CS_APPROVALS_MAX};
	struct cs_pending pending = {.kind = CS_LEAF_DECISION};

	enum cs_err err = cs_case_load(book, store, action, now, &s.c);
	if (err == CS_OK)
		err = decide_what_fits(&s, &pending, fault);
	if (err != CS_OK)
		goto out;
	strcpy(pending.action, action->id);
	pending.state = s.next;
	pending.decision = json_incref(s.decision);
	if (!copy_text(
		    pending.outcome, sizeof pending.outcome, cs_json_text(s.decision, "outcome")) ||
		!copy_text(pending.reason, sizeof pending.reason,
			cs_json_text(s.decision, "reason_code"))) {
		err = CS_E_INTERNAL;
		goto out;
	}
	err = state_the_decision(&s, frontier, &pending, fault);
out:
	sealing_clear(&s);
	if (err == CS_OK)
		*ret_pending = pending;
	else
		cs_pending_clear(&pending);
	return err;
}
