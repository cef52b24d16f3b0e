#include "store_sql.h"

#include <string.h>

void cs_pending_clear(struct cs_pending *pending)
{
	json_decref(pending->decision);
	json_decref(pending->pack);
	json_decref(pending->admissibility);
	cs_bytes_free(&pending->frame);
	memset(pending, 0, sizeof *pending);
}

enum cs_err cs_store_pending_put(
	struct cs_store *store, const struct cs_pending *pending, cs_time now)
{
	struct cs_sql q = cs_sql_start(store, SQL_PENDING_PUT);

	cs_sql_integer(&q, (int64_t)pending->index);
	cs_sql_integer(&q, pending->kind);
	cs_sql_text(&q, pending->subject);
	cs_sql_text(&q, pending->action);
	cs_sql_text(&q, cs_action_state_name(pending->state));
	cs_sql_text(&q, pending->outcome);
	cs_sql_text(&q, pending->reason);
	cs_sql_integer(&q, pending->not_after);
	cs_sql_document(&q, pending->decision);
	cs_sql_document(&q, pending->pack);
	cs_sql_document(&q, pending->admissibility);
	cs_sql_bytes(&q, pending->frame.data, pending->frame.len);
	cs_sql_integer(&q, now);
	return cs_sql_do(&q, NULL);
}

enum cs_err cs_store_pending(struct cs_store *store, struct cs_pending *ret_pending)
{
	struct cs_sql q = cs_sql_start(store, SQL_PENDING);
	struct cs_pending p = {0};
	char state[32];

	if (cs_sql_one(&q) == CS_OK) {
		p.index = (uint64_t)cs_sql_get_integer(&q);
		p.kind = (enum cs_leaf_kind)cs_sql_get_integer(&q);
		cs_sql_get_text(&q, p.subject, sizeof p.subject);
		cs_sql_get_text(&q, p.action, sizeof p.action);
		cs_sql_get_text(&q, state, sizeof state);
		cs_sql_get_text(&q, p.outcome, sizeof p.outcome);
		cs_sql_get_text(&q, p.reason, sizeof p.reason);
		p.not_after = cs_sql_get_integer(&q);
		p.decision = cs_sql_get_document(&q);
		p.pack = cs_sql_get_document(&q);
		p.admissibility = cs_sql_get_document(&q);
		cs_sql_get_bytes(&q, &p.frame);
		if (q.err == CS_OK)
			q.err = cs_action_state_by_name(state, &p.state);
	}
	enum cs_err err = cs_sql_end(&q);
	if (err == CS_OK)
		*ret_pending = p;
	else
		cs_pending_clear(&p);
	return err;
}

enum cs_err cs_store_pending_drop(struct cs_store *store)
{
	struct cs_sql q = cs_sql_start(store, SQL_PENDING_DROP);

	return cs_sql_do(&q, NULL);
}

enum cs_err cs_store_leaf_add(struct cs_store *store, const struct cs_leaf *leaf, cs_time now)
{
	struct cs_sql q = cs_sql_start(store, SQL_LEAF_ADD);

	cs_sql_integer(&q, (int64_t)leaf->index);
	cs_sql_integer(&q, leaf->kind);
	cs_sql_text(&q, leaf->subject);
	cs_sql_document(&q, leaf->statement);
	cs_sql_bytes(&q, leaf->hash, CS_HASH);
	cs_sql_integer(&q, leaf->form);
	cs_sql_text(&q, leaf->seal);
	cs_sql_text(&q, leaf->checkpoint);
	cs_sql_integer(&q, now);
	return cs_sql_do(&q, NULL);
}

enum cs_err cs_store_leaf_known(
	struct cs_store *store, enum cs_leaf_kind kind, const char *subject, bool *ret_known)
{
	struct cs_sql q = cs_sql_start(store, SQL_LEAF_KNOWN);

	cs_sql_integer(&q, kind);
	cs_sql_text(&q, subject);
	bool known = cs_sql_row(&q);
	enum cs_err err = cs_sql_end(&q);
	if (err == CS_OK)
		*ret_known = known;
	return err;
}

enum cs_err cs_store_leaf(struct cs_store *store, uint64_t index, json_t **ret_leaf)
{
	struct cs_sql q = cs_sql_start(store, SQL_LEAF);
	CS_CLEANUP_BYTES struct cs_bytes seal = {0};
	json_t *leaf = NULL;

	cs_sql_integer(&q, (int64_t)index);
	if (cs_sql_one(&q) == CS_OK) {
		json_t *statement = cs_sql_get_document(&q);
		cs_sql_get_bytes(&q, &seal);
		if (statement != NULL && seal.len > 0)
			leaf = json_pack("{s:o, s:s%}", "statement", statement, "seal",
				(const char *)seal.data, seal.len);
		if (leaf == NULL && q.err == CS_OK)
			q.err = CS_E_NOMEM;
	}
	enum cs_err err = cs_sql_end(&q);
	if (err == CS_OK)
		*ret_leaf = leaf;
	else
		json_decref(leaf);
	return err;
}
