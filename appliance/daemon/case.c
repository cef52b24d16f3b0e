#include "case.h"

#include <string.h>

void cs_case_clear(struct cs_case *c)
{
	json_decref(c->core);
	json_decref(c->first_state);
	json_decref(c->decisions);
	json_decref(c->extracts);
	json_decref(c->entries);
	memset(c, 0, sizeof *c);
}

enum cs_err cs_case_load(const struct cs_rulebook *book, struct cs_store *store,
	const struct cs_action *action, cs_time at, struct cs_case *ret_case)
{
	struct cs_case *c = ret_case;

	memset(c, 0, sizeof *c);
	c->book = book;
	c->store = store;
	c->action = *action;
	c->at = at;
	enum cs_err err = cs_store_action_document(store, action, CS_DOCUMENT_CORE, &c->core);
	if (err == CS_OK)
		err = cs_store_action_document(store, action, CS_DOCUMENT_STATE, &c->first_state);
	if (err != CS_OK)
		return err == CS_E_NOT_FOUND ? CS_E_STORE : err;
	/*
	 * A class that the policy does not know any more is the gate's to judge, not a failure
	 * here.
	 */
	c->class_known =
		cs_oversight(c->core, book->policy, json_object_get(c->first_state, "facts"), at,
			&c->oversight, NULL) == CS_OK;
	if (!c->class_known)
		memset(&c->oversight, 0, sizeof c->oversight);
	return CS_OK;
}

struct cs_approval_context cs_case_context(const struct cs_case *c)
{
	return (struct cs_approval_context){
		.registry = c->book->registry,
		.ring = c->book->ring,
		.policy = c->book->policy,
		.trust_set = c->book->trust_set,
		.audience = c->book->origin,
		.core = c->core,
		.action = c->action.address,
		.oversight = &c->oversight,
		.at = c->at,
	};
}

struct collecting {
	struct cs_case *c;
	enum cs_collect what;
	size_t most;
	json_t *briefs; /* addresses, in the order of the entries */
};

/* `ret_key` stays NULL when the decision is not counted. */
static enum cs_err judge(struct collecting *g, const struct cs_approval *approval,
	const struct cs_key_info **ret_key)
{
	struct cs_case *c = g->c;
	struct cs_approval_context context = cs_case_context(c);
	const struct cs_key_info *key = NULL;
	enum cs_err err;

	if (!c->class_known)
		return CS_OK;
	if (g->what == CS_COLLECT_RECORD) {
		err = cs_approval_check_record(&context, approval->decision, NULL);
		key = err == CS_OK
			      ? cs_keyring_find(c->book->ring, cs_inline_kid(approval->decision))
			      : NULL;
	} else {
		err = cs_approval_check(&context, approval->decision, &key, NULL);
	}
	if (err == CS_E_NOMEM || err == CS_E_INTERNAL)
		return err;
	c->left_out = err;
	if (err == CS_OK)
		*ret_key = key;
	return CS_OK;
}

/*
 * More was decided than there is room for: the oldest goes that is no approval, else the oldest. So
 * what filled the slots stays, and the newest, which is the one that ended the action.
 */
static enum cs_err drop_one(struct collecting *g)
{
	struct cs_case *c = g->c;
	json_t *const lists[] = {c->decisions, c->extracts, c->entries, g->briefs};
	size_t count = json_array_size(c->decisions), victim = 0;

	while (victim < count && cs_approval_is_approval(json_array_get(c->decisions, victim)))
		victim++;
	if (victim == count)
		victim = 0;
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		if (json_array_remove(lists[i], victim) != 0)
			return CS_E_INTERNAL;
	return CS_OK;
}

static enum cs_err collect_one(void *context, struct cs_approval *approval)
{
	struct collecting *g = context;
	struct cs_case *c = g->c;
	const struct cs_key_info *key = NULL;
	json_t *extract = NULL;

	if (approval->refused[0] != '\0')
		return CS_OK;
	if (g->what == CS_COLLECT_VALID && !cs_approval_is_approval(approval->decision))
		return CS_OK;
	enum cs_err err = judge(g, approval, &key);
	if (err != CS_OK || key == NULL)
		return err;
	if (json_array_size(c->decisions) == g->most)
		err = drop_one(g);
	if (err == CS_OK)
		err = cs_approval_extract(approval->decision, key, &extract);
	if (err != CS_OK)
		return err;
	json_t *entry =
		json_pack("{sOsO}", "snapshot", approval->snapshot, "decision", approval->decision);
	if (json_array_append_new(c->extracts, extract) != 0 ||
		json_array_append_new(c->entries, entry) != 0 ||
		json_array_append(c->decisions, approval->decision) != 0 ||
		json_array_append_new(g->briefs, json_string(approval->brief)) != 0)
		return CS_E_NOMEM;
	return CS_OK;
}

static enum cs_err add_briefs(struct cs_case *c, const json_t *briefs)
{
	enum cs_err err = CS_OK;

	for (size_t i = 0; i < json_array_size(briefs) && err == CS_OK; i++) {
		json_t *entry = json_array_get(c->entries, i);
		json_t *basis = NULL, *brief = NULL;
		err = cs_store_brief_by_address(c->store, &c->action,
			json_string_value(json_array_get(briefs, i)), &basis, &brief);
		if (err == CS_OK && (json_object_set_new(entry, "basis", basis) != 0 ||
					    json_object_set_new(entry, "brief", brief) != 0))
			err = CS_E_NOMEM;
	}
	return err == CS_E_NOT_FOUND ? CS_E_STORE : err;
}

enum cs_err cs_case_collect(struct cs_case *c, enum cs_collect what, size_t most)
{
	struct collecting g = {c, what, most, json_array()};

	json_decref(c->decisions);
	json_decref(c->extracts);
	json_decref(c->entries);
	c->decisions = json_array();
	c->extracts = json_array();
	c->entries = json_array();
	c->left_out = CS_OK;
	enum cs_err err = CS_E_NOMEM;
	if (what == CS_COLLECT_NOTHING && c->decisions != NULL && c->extracts != NULL &&
		c->entries != NULL)
		err = CS_OK;
	else if (g.briefs != NULL && c->decisions != NULL && c->extracts != NULL &&
		 c->entries != NULL)
		err = cs_store_approvals(c->store, &c->action, collect_one, &g);
	if (err == CS_OK)
		err = add_briefs(c, g.briefs);
	json_decref(g.briefs);
	return err;
}
