#include "rules.h"
#include "rule.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void cs_rules_verdict_free(struct cs_rules_verdict *verdict)
{
	json_decref(verdict->statements);
	json_decref(verdict->consumed);
	*verdict = (struct cs_rules_verdict){0};
}

static bool is_allow(const json_t *statement)
{
	return cs_text_equal(cs_json_text(statement, "kind"), "decision") &&
	       cs_outcome_is_allow(cs_json_text(statement, "outcome"));
}

/* ---- the log: the next index, after exactly the leaves that are there ---- */

static enum cs_err check_place(const struct cs_rules_context *c, const struct cs_frontier *tree,
	const json_t *statement, struct cs_fault *fault)
{
	const char *origin = cs_json_text_at(statement, "log/origin");
	uint8_t claimed[CS_HASH], root[CS_HASH];
	uint64_t index;
	enum cs_err err = cs_statement_log(statement, &index, claimed);

	if (err != CS_OK)
		return cs_fault_set(fault, err, "/log", "no usable index and tree head");
	if (origin == NULL || strcmp(origin, c->origin) != 0)
		return cs_fault_set(fault, CS_E_LOG_ORIGIN, "/log/origin",
			"this signer keeps the log '%s'", c->origin);
	if (cs_rule_on(CS_RULE_LOG_NEXT) && index > tree->size)
		return cs_fault_set(fault, CS_E_LOG_GAP, "/log/index",
			"%" PRIu64 " given, %" PRIu64 " is next", index, tree->size);
	if (cs_rule_on(CS_RULE_LOG_NEXT) && index < tree->size)
		return cs_fault_set(fault, CS_E_LOG_FORK, "/log/index",
			"%" PRIu64 " is taken by another leaf, %" PRIu64 " is next", index,
			tree->size);
	cs_merkle_root(tree, root);
	if (cs_rule_on(CS_RULE_LOG_HEAD) && memcmp(root, claimed, CS_HASH) != 0)
		return cs_fault_set(fault, CS_E_LOG_FORK, "/log/after/root",
			"not the tree head of the %" PRIu64 " leaves before it", tree->size);
	return CS_OK;
}

/* ---- time: our own clock, never before the last leaf ---- */

static enum cs_err check_time(const struct cs_rules_context *c, cs_time last,
	const json_t *statement, cs_time *ret_issued, struct cs_fault *fault)
{
	const char *text = cs_json_text(statement, "issued_at");
	char now[CS_TIME_TEXT], then[CS_TIME_TEXT];
	cs_time issued;
	enum cs_err err = cs_time_parse(text != NULL ? text : "", &issued, NULL);

	if (err != CS_OK)
		return cs_fault_set(fault, err, "/issued_at", "not a time");
	cs_time_print(c->now, now);
	cs_time_print(last, then);
	if (cs_rule_on(CS_RULE_ISSUED_AT)) {
		if (c->now < last)
			return cs_fault_set(fault, CS_E_CLOCK, "/issued_at",
				"the clock says %s, the last leaf was issued at %s", now, then);
		if (issued < last)
			return cs_fault_set(fault, CS_E_STATEMENT_TIME, "/issued_at",
				"%s is before the last leaf's %s", text, then);
		if (issued < cs_time_add_seconds(c->now, -CS_ISSUED_SKEW_SECONDS) ||
			issued > cs_time_add_seconds(c->now, CS_ISSUED_SKEW_SECONDS))
			return cs_fault_set(fault, CS_E_STATEMENT_TIME, "/issued_at",
				"%s is more than %d seconds from the clock, %s", text,
				CS_ISSUED_SKEW_SECONDS, now);
	}
	*ret_issued = issued;
	return CS_OK;
}

/* ---- an action is decided once ---- */

static cs_time later(cs_time a, cs_time b)
{
	return a > b ? a : b;
}

/*
 * Refused for good: a terminal decision that is no allow, or somebody's rejection. Whoever was
 * shown its receipt can rely on it.
 */
static bool is_refusal(const json_t *statement)
{
	const char *kind = cs_json_text(statement, "kind");
	const char *outcome = cs_json_text(statement, "outcome");

	if (kind == NULL || outcome == NULL)
		return false;
	return strcmp(kind, "decision") == 0
		       ? !is_allow(statement)
		       : strcmp(kind, "approval") == 0 && strcmp(outcome, "rejected") == 0;
}

/* An allowed action stays consumed until the allow and every approval it used are past. */
static cs_time allowed_until(const json_t *statement, const json_t *approvals)
{
	const char *text = cs_json_text(statement, "not_after");
	const json_t *approval;
	cs_time until = 0, time;
	size_t i;

	if (text != NULL && cs_time_parse(text, &time, NULL) == CS_OK)
		until = time;
	json_array_foreach(approvals, i, approval) {
		text = cs_json_text_at(approval, "binding/not_after");
		if (text != NULL && cs_time_parse(text, &time, NULL) == CS_OK)
			until = later(until, time);
	}
	return until;
}

/* A refused one until every approval that could have been signed by now is past. */
static cs_time refused_until(const struct cs_rules_context *c)
{
	int64_t longest = cs_json_integer(
		json_object_get(cs_policy_document(c->policy), "approval"), "not_after_seconds", 0);

	return cs_time_add_seconds(c->now, CS_DECIDED_AHEAD_SECONDS + longest);
}

/* What the batch or the frontier knows of this action; never shortened by what comes after. */
static cs_time consumed_until(
	const struct cs_rules_context *c, const json_t *consumed, const char *action)
{
	const char *text = json_string_value(json_object_get(consumed, action));
	cs_time until = cs_signer_frontier_consumed_until(c->frontier, action), time;

	return text != NULL && cs_time_parse(text, &time, NULL) == CS_OK ? later(until, time)
									 : until;
}

static enum cs_err consume(const struct cs_rules_context *c, const struct cs_wire_entry *entry,
	json_t *consumed, struct cs_fault *fault)
{
	const char *action = cs_json_text(entry->statement, "action");
	bool allow = is_allow(entry->statement);
	char text[CS_TIME_TEXT];

	if (action == NULL || (!allow && !is_refusal(entry->statement)))
		return CS_OK;
	cs_time until = consumed_until(c, consumed, action);
	if (cs_rule_on(CS_RULE_CONSUMED) && allow &&
		(json_object_get(consumed, action) != NULL || until >= c->now))
		return cs_fault_set(fault, CS_E_CONSUMED, "/action",
			"%s was decided before; an action is allowed once", action);
	until = later(until,
		allow ? allowed_until(entry->statement, entry->approvals) : refused_until(c));
	return json_object_set_new(consumed, action, json_string(cs_time_print(until, text))) == 0
		       ? CS_OK
		       : CS_E_NOMEM;
}

/* ---- one statement ---- */

struct running {
	struct cs_frontier tree;
	cs_time last;
	json_t *consumed;
};

static enum cs_err judge_one(const struct cs_rules_context *c, const struct cs_wire_entry *entry,
	struct running *run, struct cs_fault *fault)
{
	const struct cs_statement_context context = {
		.registry = c->registry,
		.ring = cs_trust_keyring(c->trust),
		.policy = c->policy,
		.trust = c->trust,
		.trust_set = cs_trust_address(c->trust),
		.origin = c->origin,
		.at = c->now,
	};
	const struct cs_evidence evidence = {
		entry->core, entry->approvals, entry->constraints, entry->document};
	enum cs_err err = CS_OK;

	/* "Is this a shape we ever sign?" comes before anything else. */
	if (cs_rule_on(CS_RULE_SHAPE))
		err = cs_statement_shape(c->registry, entry->statement, entry->form, fault);
	if (err == CS_OK)
		err = check_place(c, &run->tree, entry->statement, fault);
	if (err == CS_OK)
		err = check_time(c, run->last, entry->statement, &run->last, fault);
	if (err == CS_OK)
		err = cs_statement_judge(&context, entry->statement, &evidence, fault);
	if (err == CS_OK)
		err = consume(c, entry, run->consumed, fault);
	return err == CS_OK ? cs_signer_tree_extend(&run->tree, entry->statement) : err;
}

/* ---- the batch ---- */

static enum cs_err at_statement(
	size_t i, enum cs_err err, const struct cs_fault *inner, struct cs_fault *fault)
{
	char path[256];

	snprintf(path, sizeof path, "/statements/%zu%s", i, inner->path);
	return cs_fault_set(fault, err, path, "%s", inner->detail);
}

enum cs_err cs_rules_judge(const struct cs_rules_context *c, const struct cs_wire_request *request,
	struct cs_rules_verdict *ret_verdict, struct cs_fault *fault)
{
	struct cs_rules_verdict verdict = {.statements = json_array(), .consumed = json_object()};
	struct running run = {.tree = *cs_signer_frontier_tree(c->frontier),
		.last = cs_signer_frontier_last_issued(c->frontier),
		.consumed = verdict.consumed};
	enum cs_err err =
		verdict.statements == NULL || verdict.consumed == NULL ? CS_E_NOMEM : CS_OK;

	for (size_t i = 0; err == CS_OK && i < request->count; i++)
		if (json_array_append(verdict.statements, request->entries[i].statement) != 0)
			err = CS_E_NOMEM;
	if (err == CS_OK)
		verdict.again = cs_signer_frontier_is_last_batch(c->frontier, verdict.statements);
	for (size_t i = 0; err == CS_OK && i < request->count; i++) {
		struct cs_fault inner = {0};
		/*
		 * What is in the log already is signed again whatever the clock says now, but
		 * only in a form it could have had.
		 */
		err = verdict.again ? cs_statement_shape(c->registry, request->entries[i].statement,
					      request->entries[i].form, &inner)
				    : judge_one(c, &request->entries[i], &run, &inner);
		if (err != CS_OK)
			err = at_statement(i, err, &inner, fault);
	}
	if (err != CS_OK) {
		cs_rules_verdict_free(&verdict);
		return err;
	}
	*ret_verdict = verdict;
	return CS_OK;
}

enum cs_err cs_rules_hello(const struct cs_signer_frontier *frontier, uint64_t size,
	const uint8_t root[CS_HASH], struct cs_fault *fault)
{
	const struct cs_frontier *heads[] = {
		cs_signer_frontier_tree(frontier), cs_signer_frontier_before(frontier)};

	for (size_t i = 0; i < 2; i++) {
		uint8_t own[CS_HASH];
		if (heads[i]->size != size)
			continue;
		cs_merkle_root(heads[i], own);
		if (memcmp(own, root, CS_HASH) == 0)
			return CS_OK;
		return cs_fault_set(fault, CS_E_LOG_FORK, "/root",
			"the broker's log of %" PRIu64 " leaves is not the one signed here", size);
	}
	return cs_fault_set(fault, CS_E_LOG_ROLLBACK, "/size",
		"the broker's log has %" PRIu64 " leaves, the signer's frontier %" PRIu64
		"; a restored disk is resumed by two people",
		size, heads[0]->size);
}
