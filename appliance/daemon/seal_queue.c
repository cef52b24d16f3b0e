#include "seal_queue.h"
#include "log.h"
#include "seal_commit.h"

#include <string.h>

struct queue {
	const struct cs_rulebook *book;
	const struct cs_engine *engine;
	struct cs_store *store;
	const struct cs_frontier *frontier;
	cs_time now;
	char *served;
	char *aside;
	struct cs_fault *fault;
};

static enum cs_err next_version(struct queue *q, struct cs_pending *pending)
{
	const struct {
		enum cs_leaf_kind kind;
		const char *subject;
	} versions[] = {
		{CS_LEAF_TRUST_SET, q->book->trust_set},
		{CS_LEAF_POLICY, q->book->policy_address},
	};

	for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
		bool known = false;
		enum cs_err err = cs_store_leaf_known(
			q->store, versions[i].kind, versions[i].subject, &known);
		if (err != CS_OK)
			return err;
		if (!known)
			return cs_compose_version(
				q->book, versions[i].kind, q->frontier, q->now, pending, q->fault);
	}
	return CS_E_NOT_FOUND;
}

static bool is_ours(enum cs_err err)
{
	return err == CS_E_NOMEM || err == CS_E_STORE || err == CS_E_SIGNER_DOWN;
}

/* What cannot even be composed must not stand in the way of everything behind it. */
static enum cs_err set_aside(struct queue *q, enum cs_leaf_kind kind, const char *subject,
	const char *action, enum cs_err why)
{
	if (is_ours(why))
		return why;
	cs_log_fault(CS_LOG_ERROR, action, why, q->fault);
	enum cs_err err = cs_seal_aside(q->store, kind, subject, action, why, q->now);
	if (err == CS_OK)
		strcpy(q->aside, action);
	return err;
}

static enum cs_err next_approval(struct queue *q, struct cs_pending *pending)
{
	struct cs_approval approval = {0};

	enum cs_err err = cs_store_next_unlogged(q->store, &approval);
	if (err != CS_OK)
		return err;
	err = cs_compose_approval(
		q->book, q->store, &approval, q->frontier, q->now, pending, q->fault);
	if (err != CS_OK)
		err = set_aside(q, CS_LEAF_APPROVAL, approval.address, approval.action, err);
	cs_approval_clear(&approval);
	return err;
}

static enum cs_err next_decision(struct queue *q, struct cs_pending *pending)
{
	struct cs_action action;

	enum cs_err err = cs_store_next_unsealed(q->store, q->served, &action);
	if (err != CS_OK)
		return err;
	strcpy(q->served, action.caller);
	err = cs_compose_decision(
		q->book, q->engine, q->store, &action, q->frontier, q->now, pending, q->fault);
	return err == CS_OK ? err : set_aside(q, CS_LEAF_DECISION, "", action.id, err);
}

enum cs_err cs_seal_queue_next(const struct cs_rulebook *book, const struct cs_engine *engine,
	struct cs_store *store, const struct cs_frontier *frontier, cs_time now,
	char served[CS_ID_MAX + 1], char ret_aside[CS_ACTION_ID_TEXT], struct cs_fault *fault)
{
	static enum cs_err (*const sources[])(struct queue * q, struct cs_pending * pending) = {
		next_version, next_approval, next_decision};
	struct queue q = {book, engine, store, frontier, now, served, ret_aside, fault};
	struct cs_pending pending = {0};
	enum cs_err err = CS_E_NOT_FOUND;

	ret_aside[0] = '\0';
	for (size_t i = 0; i < sizeof sources / sizeof sources[0] && err == CS_E_NOT_FOUND; i++)
		err = sources[i](&q, &pending);
	if (err == CS_OK && ret_aside[0] == '\0')
		err = cs_store_pending_put(store, &pending, now);
	cs_pending_clear(&pending);
	return err;
}
