#include "seal_commit.h"
#include "pack.h"

#include <string.h>

static enum cs_err add_envelopes(struct cs_store *store, const struct cs_action *action,
	const struct cs_pending *pending, const struct cs_seal *seal)
{
	CS_CLEANUP_JSON json_t *core = NULL;

	enum cs_err err = cs_pack_seal(
		pending->pack, seal->entity, (const char *)seal->seal.data, seal->issued_at);
	if (err == CS_OK)
		err = cs_store_action_document(store, action, CS_DOCUMENT_CORE, &core);
	if (err != CS_OK)
		return err;
	const struct {
		const char *name;
		const json_t *document;
	} envelopes[] = {
		{"kye.purpose.request.v1", json_object_get(core, "purpose_request")},
		{"kye.purpose.admissibility.v1", pending->admissibility},
		{"kye.evidence.decision_map.v1", cs_pack_member(pending->pack, "decision_map_ref")},
		{"kye.evidence.pack.v1", pending->pack},
	};
	for (size_t i = 0; i < sizeof envelopes / sizeof envelopes[0] && err == CS_OK; i++)
		err = cs_store_envelope_add(
			store, action, envelopes[i].name, envelopes[i].document);
	return err;
}

static enum cs_err commit_decision(struct cs_store *store, const struct cs_pending *pending,
	const struct cs_seal *seal, cs_time now)
{
	struct cs_action action;

	enum cs_err err = cs_store_action(store, pending->action, &action);
	if (err == CS_OK && action.state != pending->state)
		err = cs_action_state_check(action.state, pending->state, NULL);
	if (err == CS_OK)
		err = add_envelopes(store, &action, pending, seal);
	return err == CS_OK ? cs_store_action_sealed(store, &action, pending, now) : err;
}

static enum cs_err commit(struct cs_store *store, const struct cs_pending *pending,
	const struct cs_seal *seal, cs_time now)
{
	struct cs_leaf leaf = {
		.index = pending->index,
		.kind = pending->kind,
		.subject = pending->subject,
		.statement = seal->statement,
		.form = seal->form,
		.seal = (const char *)seal->seal.data,
		.checkpoint = seal->checkpoint,
	};

	memcpy(leaf.hash, seal->leaf, CS_HASH);
	enum cs_err err = cs_store_leaf_add(store, &leaf, now);
	if (err == CS_OK && pending->kind == CS_LEAF_DECISION)
		err = commit_decision(store, pending, seal, now);
	if (err == CS_OK && pending->kind == CS_LEAF_APPROVAL)
		err = cs_store_approval_logged(store, pending->subject, pending->index);
	return err == CS_OK ? cs_store_pending_drop(store) : err;
}

static enum cs_err finish(struct cs_store *store, enum cs_err err)
{
	if (err == CS_OK)
		return cs_store_commit(store);
	cs_store_rollback(store);
	return err;
}

enum cs_err cs_seal_commit(struct cs_store *store, const struct cs_pending *pending,
	const struct cs_seal *seal, cs_time now)
{
	enum cs_err err = cs_store_begin(store);

	return err == CS_OK ? finish(store, commit(store, pending, seal, now)) : err;
}

/*
 * Not listed: it stands, as it must for what is wrong with an approval, or that one would be sent
 * again for ever ahead of all others. Whatever keeps the token from signing reaches us as
 * CS_E_SIGNER_DOWN, so no row names it.
 */
static const struct {
	enum cs_err code;
	enum cs_refusal refusal;
} refusals[] = {
	{CS_E_STATEMENT_TIME, CS_REFUSAL_LATE},
	{CS_E_STATEMENT_WINDOW, CS_REFUSAL_LATE},
	/* the signer's own trouble */
	{CS_E_NOMEM, CS_REFUSAL_PASSES},
	{CS_E_INTERNAL, CS_REFUSAL_PASSES},
	{CS_E_IO, CS_REFUSAL_PASSES},
	{CS_E_TIMEOUT, CS_REFUSAL_PASSES},
	{CS_E_BUSY, CS_REFUSAL_PASSES},
	{CS_E_STORE, CS_REFUSAL_PASSES},
	{CS_E_STATE, CS_REFUSAL_PASSES},
	{CS_E_PERMISSION, CS_REFUSAL_PASSES},
	{CS_E_SIGNER_DOWN, CS_REFUSAL_PASSES},
	{CS_E_CLOCK, CS_REFUSAL_PASSES},
	/* it has loaded other versions than we have, and one of us will load them too */
	{CS_E_STATEMENT_POLICY, CS_REFUSAL_PASSES},
	{CS_E_STATEMENT_TRUST_SET, CS_REFUSAL_PASSES},
	/* the logs differ: an operator has to look */
	{CS_E_LOG_GAP, CS_REFUSAL_PASSES},
	{CS_E_LOG_FORK, CS_REFUSAL_PASSES},
	{CS_E_LOG_ROLLBACK, CS_REFUSAL_PASSES},
	{CS_E_LOG_ORIGIN, CS_REFUSAL_PASSES},
};

enum cs_refusal cs_refusal_of(enum cs_err code)
{
	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
		if (refusals[i].code == code)
			return refusals[i].refusal;
	return CS_REFUSAL_STANDS;
}

static enum cs_err refuse_decision(struct cs_store *store, struct cs_action *action,
	enum cs_err code, bool invalidate, cs_time now)
{
	if (invalidate && cs_action_state_is(action->state, CS_STATE_PERMITS))
		return cs_store_action_move(store, action, CS_ACTION_INVALIDATED, now, NULL);
	return cs_store_action_refuse(store, action, code);
}

/* An action that counted on this approval has lost it. */
static enum cs_err refuse_approval(struct cs_store *store, const char *address,
	struct cs_action *action, enum cs_err code, cs_time now)
{
	enum cs_err err = cs_store_approval_refuse(store, address, code);

	if (err == CS_OK && action->state == CS_ACTION_APPROVED && !action->sealed)
		err = cs_store_action_move(store, action, CS_ACTION_INVALIDATED, now, NULL);
	return err;
}

static enum cs_err refuse(struct cs_store *store, enum cs_leaf_kind kind, const char *subject,
	const char *id, enum cs_err code, bool invalidate, cs_time now)
{
	struct cs_action action;

	enum cs_err err = cs_store_action(store, id, &action);
	if (err != CS_OK)
		return err;
	if (kind == CS_LEAF_DECISION)
		return refuse_decision(store, &action, code, invalidate, now);
	return refuse_approval(store, subject, &action, code, now);
}

enum cs_err cs_seal_refuse(
	struct cs_store *store, const struct cs_pending *pending, enum cs_err code, cs_time now)
{
	bool stands = cs_refusal_of(code) == CS_REFUSAL_STANDS && pending->action[0] != '\0';

	enum cs_err err = cs_store_begin(store);
	if (err != CS_OK)
		return err;
	err = cs_store_pending_drop(store);
	if (err == CS_OK && stands)
		err = refuse(
			store, pending->kind, pending->subject, pending->action, code, true, now);
	return finish(store, err);
}

enum cs_err cs_seal_aside(struct cs_store *store, enum cs_leaf_kind kind, const char *subject,
	const char *action, enum cs_err code, cs_time now)
{
	enum cs_err err = cs_store_begin(store);

	return err == CS_OK ? finish(store, refuse(store, kind, subject, action, code, false, now))
			    : err;
}
