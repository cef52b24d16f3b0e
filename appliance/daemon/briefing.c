#include "actions.h"
#include "jose.h"
#include "moment.h"

#include <string.h>

void cs_brief_clear(struct cs_brief *brief)
{
	json_decref(brief->core);
	json_decref(brief->basis);
	json_decref(brief->brief);
	json_decref(brief->certificate);
	memset(brief, 0, sizeof *brief);
}

struct briefing {
	struct cs_daemon *d;
	struct cs_case c;
	const char *approver;
	const char *role;
	json_t *gate;
	json_t *map;
};

static bool has_slot(const struct cs_oversight *oversight, const char *role)
{
	for (size_t i = 0; i < oversight->slot_count; i++)
		if (strcmp(oversight->slots[i], role) == 0)
			return true;
	return false;
}

/* The same that counts when the decision comes, said before somebody reads a page. */
static enum cs_err check_role(const struct briefing *b, struct cs_fault *fault)
{
	const struct cs_case *c = &b->c;
	const char *requester = cs_json_text(c->core, "requester");

	if (!has_slot(&c->oversight, b->role))
		return cs_fault_set(
			fault, CS_E_APPROVAL_SLOT, "role", "nobody is asked as '%s'", b->role);
	if (requester != NULL && strcmp(requester, b->approver) == 0 &&
		strcmp(b->role, "engineer") != 0)
		return cs_fault_set(fault, CS_E_APPROVAL_REQUESTER, "role",
			"'%s' asked for this action", b->approver);
	return cs_keyring_role(c->book->ring, b->approver, b->role,
		cs_json_text_at(c->core, "execution/target/service"),
		cs_json_text_at(c->core, "execution/target/environment"), c->at, fault);
}

static enum cs_err load(struct briefing *b)
{
	enum cs_err err =
		cs_store_action_document(b->d->store, &b->c.action, CS_DOCUMENT_GATE, &b->gate);

	if (err == CS_OK)
		err = cs_store_action_document(b->d->store, &b->c.action, CS_DOCUMENT_MAP, &b->map);
	if (err == CS_OK)
		err = cs_engine_sign(&b->d->engine, b->map);
	return err == CS_E_NOT_FOUND ? CS_E_STORE : err;
}

/*
 * In whole seconds, as many clients write the time of a decision, which may not be before this; but
 * never before the certificate of the key that signs.
 */
static cs_time issue_time(const struct briefing *b)
{
	cs_time whole = b->c.at - b->c.at % 1000;

	return whole < b->d->engine.not_before ? b->c.at : whole;
}

static enum cs_err compose_basis(
	const struct briefing *b, json_t **ret_basis, struct cs_fault *fault)
{
	const struct cs_case *c = &b->c;
	char id[CS_ID_MAX + 1], brief[CS_ID_MAX + 1], snapshot[CS_ID_MAX + 1],
		issued_at[CS_TIME_TEXT], not_after[CS_TIME_TEXT];

	cs_new_id("brief-basis", c->at, id);
	cs_new_id("approval-brief", c->at, brief);
	cs_new_id("approver-knowledge-snapshot", c->at, snapshot);
	json_t *basis = json_pack("{ss ss ss ss ss* ss ss ss ss ss sO sO sO s[] s[]}", "schema",
		"countersign.brief_basis.v1", "id", id, "brief", brief, "snapshot", snapshot,
		"consequence_map_id", cs_json_text(b->map, "id"), "issued_at",
		cs_time_print(issue_time(b), issued_at), "not_after",
		cs_time_print(c->action.expires_at, not_after), "action", c->action.address,
		"approver", b->approver, "role", b->role, "gate", b->gate, "state", c->first_state,
		"consequence_map", b->map, "scenario_runs", "facts");
	if (basis == NULL)
		return CS_E_NOMEM;
	enum cs_err err =
		cs_schema_check(c->book->registry, "countersign.brief_basis.v1", basis, fault);
	if (err == CS_OK)
		*ret_basis = basis;
	else
		json_decref(basis);
	return err;
}

static enum cs_err compose(const struct briefing *b, struct cs_brief *ret, struct cs_fault *fault)
{
	const struct cs_case *c = &b->c;
	char address[CS_ADDRESS_TEXT];

	enum cs_err err = compose_basis(b, &ret->basis, fault);
	if (err == CS_OK)
		err = cs_brief_compose(c->core, ret->basis, c->book->policy, b->d->engine.entity,
			&ret->brief, fault);
	if (err == CS_OK)
		err = cs_engine_sign(&b->d->engine, ret->brief);
	if (err == CS_OK)
		err = cs_schema_check(
			c->book->registry, "kye.approval_brief.v1", ret->brief, fault);
	if (err == CS_OK)
		err = cs_address_of(ret->brief, address);
	if (err == CS_OK)
		err = cs_store_brief_add(b->d->store, &c->action, b->approver, b->role, address,
			ret->basis, ret->brief);
	return err;
}

/*
 * A brief goes with the certificate of the key that signed it: after a renewal the approver gets a
 * new one.
 */
static enum cs_err find_or_compose(struct briefing *b, struct cs_brief *ret, struct cs_fault *fault)
{
	enum cs_err err = cs_store_brief(
		b->d->store, &b->c.action, b->approver, b->role, &ret->basis, &ret->brief);

	if (err == CS_OK) {
		const char *kid = cs_inline_kid(ret->brief);
		if (kid != NULL && strcmp(kid, b->d->engine.signer.kid) == 0)
			return CS_OK;
		cs_brief_clear(ret);
	} else if (err != CS_E_NOT_FOUND) {
		return err;
	}
	err = load(b);
	return err == CS_OK ? compose(b, ret, fault) : err;
}

enum cs_err cs_action_brief(struct cs_daemon *daemon, const struct cs_action *action,
	const char *approver, const char *role, struct cs_brief *ret_brief, struct cs_fault *fault)
{
	struct briefing b = {.d = daemon, .approver = approver, .role = role};
	struct cs_brief brief = {0};
	cs_time now = cs_now();

	if (!cs_action_state_is(action->state, CS_STATE_WAITS) ||
		!cs_rulebook_is_of(daemon->book, action) || now >= action->expires_at)
		return cs_fault_set(fault, CS_E_STATE, "", "it is not waiting for people, but '%s'",
			cs_action_state_name(action->state));
	if (!cs_engine_usable(&daemon->engine, now))
		return cs_fault_set(fault, CS_E_SIGNER_DOWN, "", "the engine has no certificate");
	enum cs_err err = cs_case_load(daemon->book, daemon->store, action, now, &b.c);
	if (err == CS_OK)
		err = check_role(&b, fault);
	if (err == CS_OK)
		err = find_or_compose(&b, &brief, fault);
	if (err == CS_OK) {
		brief.core = json_incref(b.c.core);
		brief.certificate = json_incref(daemon->engine.certificate);
		*ret_brief = brief;
	} else {
		cs_brief_clear(&brief);
	}
	cs_case_clear(&b.c);
	json_decref(b.gate);
	json_decref(b.map);
	return err;
}
