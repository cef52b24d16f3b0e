#include "store_sql.h"

#include <string.h>

static void read_action(struct cs_sql *q, struct cs_action *action)
{
	char state[32];

	action->seq = cs_sql_get_integer(q);
	cs_sql_get_text(q, action->id, sizeof action->id);
	cs_sql_get_text(q, action->address, sizeof action->address);
	cs_sql_get_text(q, action->caller, sizeof action->caller);
	cs_sql_get_text(q, action->idempotency, sizeof action->idempotency);
	cs_sql_get_text(q, action->request, sizeof action->request);
	cs_sql_get_text(q, action->capability, sizeof action->capability);
	cs_sql_get_text(q, state, sizeof state);
	action->sealed = cs_sql_get_integer(q) != 0;
	cs_sql_get_text(q, action->outcome, sizeof action->outcome);
	cs_sql_get_text(q, action->reason, sizeof action->reason);
	cs_sql_get_text(q, action->refused, sizeof action->refused);
	cs_sql_get_text(q, action->policy, sizeof action->policy);
	cs_sql_get_text(q, action->trust_set, sizeof action->trust_set);
	action->created_at = cs_sql_get_integer(q);
	action->updated_at = cs_sql_get_integer(q);
	action->expires_at = cs_sql_get_integer(q);
	action->not_after = cs_sql_get_integer(q);
	action->log_index = cs_sql_get_integer(q);
	if (cs_action_state_by_name(state, &action->state) != CS_OK && q->err == CS_OK)
		q->err = cs_sql_fail(q->store, "an action is in no known state");
}

static enum cs_err one_action(struct cs_sql *q, struct cs_action *ret_action)
{
	struct cs_action action = {0};

	if (cs_sql_one(q) == CS_OK)
		read_action(q, &action);
	enum cs_err err = cs_sql_end(q);
	if (err == CS_OK)
		*ret_action = action;
	return err;
}

enum cs_err cs_store_action_add(struct cs_store *store, struct cs_action *action,
	const json_t *const documents[CS_DOCUMENT_COUNT])
{
	struct cs_sql q = cs_sql_start(store, SQL_ACTION_ADD);

	cs_sql_text(&q, action->id);
	cs_sql_text(&q, action->address);
	cs_sql_text(&q, action->caller);
	cs_sql_text(&q, action->idempotency);
	cs_sql_text(&q, action->request);
	cs_sql_text(&q, action->capability);
	cs_sql_text(&q, cs_action_state_name(action->state));
	cs_sql_text(&q, action->reason);
	cs_sql_text(&q, action->policy);
	cs_sql_text(&q, action->trust_set);
	cs_sql_integer(&q, action->created_at);
	cs_sql_integer(&q, action->expires_at);
	cs_sql_integer(&q, action->not_after);
	for (size_t i = 0; i < CS_DOCUMENT_COUNT; i++)
		cs_sql_document(&q, documents[i]);
	enum cs_err err = cs_sql_do(&q, NULL);
	if (err == CS_OK)
		action->seq = sqlite3_last_insert_rowid(store->db);
	return err;
}

enum cs_err cs_store_action(struct cs_store *store, const char *id, struct cs_action *ret_action)
{
	struct cs_sql q = cs_sql_start(store, SQL_ACTION);

	cs_sql_text(&q, id);
	return one_action(&q, ret_action);
}

enum cs_err cs_store_action_by_key(struct cs_store *store, const char *caller,
	const char *idempotency, struct cs_action *ret_action)
{
	struct cs_sql q = cs_sql_start(store, SQL_ACTION_BY_KEY);

	cs_sql_text(&q, caller);
	cs_sql_text(&q, idempotency);
	return one_action(&q, ret_action);
}

enum cs_err cs_store_action_document(struct cs_store *store, const struct cs_action *action,
	enum cs_action_document which, json_t **ret_doc)
{
	static const enum cs_store_sql select[CS_DOCUMENT_COUNT] = {
		[CS_DOCUMENT_CORE] = SQL_ACTION_CORE,
		[CS_DOCUMENT_GATE] = SQL_ACTION_GATE,
		[CS_DOCUMENT_STATE] = SQL_ACTION_STATE,
		[CS_DOCUMENT_MAP] = SQL_ACTION_MAP,
		[CS_DOCUMENT_DECISION] = SQL_ACTION_DECISION,
	};
	struct cs_sql q = cs_sql_start(store, select[which]);
	json_t *doc = NULL;

	cs_sql_text(&q, action->id);
	if (cs_sql_one(&q) == CS_OK)
		doc = cs_sql_get_document(&q);
	enum cs_err err = cs_sql_end(&q);
	if (err != CS_OK) {
		json_decref(doc);
		return err;
	}
	if (doc == NULL)
		return CS_E_NOT_FOUND;
	*ret_doc = doc;
	return CS_OK;
}

enum cs_err cs_store_action_move(struct cs_store *store, struct cs_action *action,
	enum cs_action_state to, cs_time now, struct cs_fault *fault)
{
	struct cs_sql q = cs_sql_start(store, SQL_ACTION_MOVE);
	int changes = 0;

	enum cs_err err = cs_action_state_check(action->state, to, fault);
	if (err != CS_OK)
		return err;
	cs_sql_text(&q, action->id);
	cs_sql_text(&q, cs_action_state_name(action->state));
	cs_sql_text(&q, cs_action_state_name(to));
	cs_sql_integer(&q, now);
	err = cs_sql_do(&q, &changes);
	if (err != CS_OK)
		return err;
	if (changes != 1)
		return cs_fault_set(fault, CS_E_STATE, "", "the action has moved on meanwhile");
	action->state = to;
	action->updated_at = now;
	return CS_OK;
}

enum cs_err cs_store_action_refuse(
	struct cs_store *store, const struct cs_action *action, enum cs_err code)
{
	struct cs_sql q = cs_sql_start(store, SQL_ACTION_REFUSE);

	cs_sql_text(&q, action->id);
	cs_sql_text(&q, cs_err_name(code));
	return cs_sql_do(&q, NULL);
}

enum cs_err cs_store_refusals_forget(struct cs_store *store)
{
	struct cs_sql q = cs_sql_start(store, SQL_REFUSALS_FORGET);

	return cs_sql_do(&q, NULL);
}

enum cs_err cs_store_action_sealed(struct cs_store *store, const struct cs_action *action,
	const struct cs_pending *pending, cs_time now)
{
	struct cs_sql q = cs_sql_start(store, SQL_ACTION_SEALED);
	int changes = 0;

	cs_sql_text(&q, action->id);
	cs_sql_text(&q, cs_action_state_name(pending->state));
	cs_sql_text(&q, pending->outcome);
	cs_sql_text(&q, pending->reason);
	cs_sql_integer(&q, pending->not_after);
	cs_sql_integer(&q, (int64_t)pending->index);
	cs_sql_document(&q, pending->decision);
	cs_sql_integer(&q, now);
	enum cs_err err = cs_sql_do(&q, &changes);
	return err == CS_OK && changes != 1 ? CS_E_STATE : err;
}

enum cs_err cs_store_actions(struct cs_store *store, const char *caller, bool waiting,
	int64_t before, int64_t limit,
	enum cs_err (*each)(void *context, const struct cs_action *action), void *context)
{
	struct cs_sql q = cs_sql_start(store, waiting ? SQL_ACTIONS_WAITING : SQL_ACTIONS);

	cs_sql_integer(&q, before);
	cs_sql_text(&q, caller);
	cs_sql_integer(&q, limit);
	while (cs_sql_row(&q)) {
		struct cs_action action;
		read_action(&q, &action);
		if (q.err == CS_OK)
			q.err = each(context, &action);
	}
	return cs_sql_end(&q);
}

static enum cs_err count(struct cs_sql *q, int64_t *ret_count)
{
	int64_t value = 0;

	if (cs_sql_one(q) == CS_OK)
		value = cs_sql_get_integer(q);
	enum cs_err err = cs_sql_end(q);
	if (err == CS_OK)
		*ret_count = value;
	return err;
}

enum cs_err cs_store_count_open(struct cs_store *store, const char *caller, int64_t *ret_count)
{
	struct cs_sql q = cs_sql_start(store, SQL_COUNT_OPEN);

	cs_sql_text(&q, caller);
	return count(&q, ret_count);
}

enum cs_err cs_store_count_since(
	struct cs_store *store, const char *caller, cs_time since, int64_t *ret_count)
{
	struct cs_sql q = cs_sql_start(store, SQL_COUNT_SINCE);

	cs_sql_text(&q, caller);
	cs_sql_integer(&q, since);
	return count(&q, ret_count);
}

enum cs_err cs_store_count_states(
	struct cs_store *store, int64_t *ret_waiting, int64_t *ret_unsealed, int64_t *ret_refused)
{
	const struct {
		enum cs_store_sql sql;
		int64_t *place;
	} counts[] = {
		{SQL_COUNT_WAITING, ret_waiting},
		{SQL_COUNT_UNSEALED, ret_unsealed},
		{SQL_COUNT_REFUSED, ret_refused},
	};
	enum cs_err err = CS_OK;

	for (size_t i = 0; i < sizeof counts / sizeof counts[0] && err == CS_OK; i++) {
		struct cs_sql q = cs_sql_start(store, counts[i].sql);
		err = count(&q, counts[i].place);
	}
	return err;
}

enum cs_err cs_store_next_expiry(struct cs_store *store, struct cs_action *ret_action)
{
	struct cs_sql q = cs_sql_start(store, SQL_NEXT_EXPIRY);

	return one_action(&q, ret_action);
}

enum cs_err cs_store_next_outdated(struct cs_store *store, const char *policy,
	const char *trust_set, struct cs_action *ret_action)
{
	struct cs_sql q = cs_sql_start(store, SQL_NEXT_OUTDATED);

	cs_sql_text(&q, policy);
	cs_sql_text(&q, trust_set);
	return one_action(&q, ret_action);
}

enum cs_err cs_store_next_unsealed(
	struct cs_store *store, const char *served, struct cs_action *ret_action)
{
	struct cs_sql q = cs_sql_start(store, SQL_NEXT_UNSEALED);

	cs_sql_text(&q, served);
	return one_action(&q, ret_action);
}

enum cs_err cs_store_envelope_add(struct cs_store *store, const struct cs_action *action,
	const char *name, const json_t *document)
{
	struct cs_sql q = cs_sql_start(store, SQL_ENVELOPE_ADD);

	cs_sql_text(&q, action->id);
	cs_sql_text(&q, name);
	cs_sql_document(&q, document);
	return cs_sql_do(&q, NULL);
}

enum cs_err cs_store_envelope(struct cs_store *store, const struct cs_action *action,
	const char *name, json_t **ret_document)
{
	struct cs_sql q = cs_sql_start(store, SQL_ENVELOPE);
	json_t *doc = NULL;

	cs_sql_text(&q, action->id);
	cs_sql_text(&q, name);
	if (cs_sql_one(&q) == CS_OK)
		doc = cs_sql_get_document(&q);
	enum cs_err err = cs_sql_end(&q);
	if (err == CS_OK)
		*ret_document = doc;
	return err;
}
