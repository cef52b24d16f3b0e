#include "store_sql.h"

#include <string.h>

enum cs_err cs_store_brief_add(struct cs_store *store, const struct cs_action *action,
	const char *approver, const char *role, const char *address, const json_t *basis,
	const json_t *brief)
{
	struct cs_sql q = cs_sql_start(store, SQL_BRIEF_ADD);

	cs_sql_text(&q, action->id);
	cs_sql_text(&q, approver);
	cs_sql_text(&q, role);
	cs_sql_text(&q, address);
	cs_sql_document(&q, basis);
	cs_sql_document(&q, brief);
	return cs_sql_do(&q, NULL);
}

static enum cs_err read_brief(struct cs_sql *q, json_t **ret_basis, json_t **ret_brief)
{
	json_t *basis = NULL, *brief = NULL;

	if (cs_sql_one(q) == CS_OK) {
		basis = cs_sql_get_document(q);
		brief = cs_sql_get_document(q);
	}
	enum cs_err err = cs_sql_end(q);
	if (err == CS_OK) {
		*ret_basis = basis;
		*ret_brief = brief;
		return CS_OK;
	}
	json_decref(basis);
	json_decref(brief);
	return err;
}

enum cs_err cs_store_brief(struct cs_store *store, const struct cs_action *action,
	const char *approver, const char *role, json_t **ret_basis, json_t **ret_brief)
{
	struct cs_sql q = cs_sql_start(store, SQL_BRIEF);

	cs_sql_text(&q, action->id);
	cs_sql_text(&q, approver);
	cs_sql_text(&q, role);
	return read_brief(&q, ret_basis, ret_brief);
}

enum cs_err cs_store_brief_by_address(struct cs_store *store, const struct cs_action *action,
	const char *address, json_t **ret_basis, json_t **ret_brief)
{
	struct cs_sql q = cs_sql_start(store, SQL_BRIEF_BY_ADDRESS);

	cs_sql_text(&q, action->id);
	cs_sql_text(&q, address);
	return read_brief(&q, ret_basis, ret_brief);
}

void cs_approval_clear(struct cs_approval *approval)
{
	json_decref(approval->decision);
	json_decref(approval->snapshot);
	memset(approval, 0, sizeof *approval);
}

static void read_approval(struct cs_sql *q, struct cs_approval *approval)
{
	memset(approval, 0, sizeof *approval);
	approval->seq = cs_sql_get_integer(q);
	cs_sql_get_text(q, approval->address, sizeof approval->address);
	cs_sql_get_text(q, approval->action, sizeof approval->action);
	cs_sql_get_text(q, approval->person, sizeof approval->person);
	cs_sql_get_text(q, approval->role, sizeof approval->role);
	cs_sql_get_text(q, approval->brief, sizeof approval->brief);
	cs_sql_get_text(q, approval->refused, sizeof approval->refused);
	approval->log_index = cs_sql_get_integer(q);
	approval->decision = cs_sql_get_document(q);
	approval->snapshot = cs_sql_get_document(q);
}

static enum cs_err one_approval(struct cs_sql *q, struct cs_approval *ret_approval)
{
	struct cs_approval approval = {0};

	if (cs_sql_one(q) == CS_OK)
		read_approval(q, &approval);
	enum cs_err err = cs_sql_end(q);
	if (err == CS_OK)
		*ret_approval = approval;
	else
		cs_approval_clear(&approval);
	return err;
}

enum cs_err cs_store_approval_add(
	struct cs_store *store, const struct cs_approval *approval, cs_time now)
{
	struct cs_sql q = cs_sql_start(store, SQL_APPROVAL_ADD);

	cs_sql_text(&q, approval->address);
	cs_sql_text(&q, approval->action);
	cs_sql_text(&q, approval->person);
	cs_sql_text(&q, approval->role);
	cs_sql_text(&q, approval->brief);
	cs_sql_document(&q, approval->decision);
	cs_sql_document(&q, approval->snapshot);
	cs_sql_integer(&q, now);
	enum cs_err err = cs_sql_do(&q, NULL);
	return err == CS_E_EXISTS ? CS_E_APPROVAL_DUPLICATE : err;
}

enum cs_err cs_store_approval(
	struct cs_store *store, const char *address, struct cs_approval *ret_approval)
{
	struct cs_sql q = cs_sql_start(store, SQL_APPROVAL);

	cs_sql_text(&q, address);
	return one_approval(&q, ret_approval);
}

enum cs_err cs_store_next_unlogged(struct cs_store *store, struct cs_approval *ret_approval)
{
	struct cs_sql q = cs_sql_start(store, SQL_NEXT_UNLOGGED);

	return one_approval(&q, ret_approval);
}

enum cs_err cs_store_approvals(struct cs_store *store, const struct cs_action *action,
	enum cs_err (*each)(void *context, struct cs_approval *approval), void *context)
{
	struct cs_sql q = cs_sql_start(store, SQL_APPROVALS);

	cs_sql_text(&q, action->id);
	while (cs_sql_row(&q)) {
		struct cs_approval approval;
		read_approval(&q, &approval);
		if (q.err == CS_OK)
			q.err = each(context, &approval);
		cs_approval_clear(&approval);
	}
	return cs_sql_end(&q);
}

enum cs_err cs_store_approval_refuse(struct cs_store *store, const char *address, enum cs_err code)
{
	struct cs_sql q = cs_sql_start(store, SQL_APPROVAL_REFUSE);

	cs_sql_text(&q, address);
	cs_sql_text(&q, cs_err_name(code));
	return cs_sql_do(&q, NULL);
}

enum cs_err cs_store_approval_logged(struct cs_store *store, const char *address, uint64_t index)
{
	struct cs_sql q = cs_sql_start(store, SQL_APPROVAL_LOGGED);
	int changes = 0;

	cs_sql_text(&q, address);
	cs_sql_integer(&q, (int64_t)index);
	enum cs_err err = cs_sql_do(&q, &changes);
	return err == CS_OK && changes != 1 ? CS_E_STATE : err;
}
