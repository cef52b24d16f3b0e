#include "frontier.h"
#include "journal.h"
#include "rule.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cs_signer_frontier {
	struct cs_journal *journal;
	char *origin;
	struct cs_frontier before; /* the tree before the last batch */
	struct cs_frontier tree;
	json_t *batch;	  /* statements of the last batch */
	json_t *consumed; /* {action: until} */
	json_t *accepted; /* {kind: [addresses]} */
	cs_time last_issued;
};

/* ---- applying records to memory ---- */

enum cs_err cs_signer_tree_extend(struct cs_frontier *tree, const json_t *statement)
{
	CS_CLEANUP_BYTES struct cs_bytes leaf = {0};
	uint8_t hash[CS_HASH];
	enum cs_err err = cs_canonical_print(statement, &leaf);

	if (err != CS_OK)
		return err;
	cs_merkle_leaf(leaf.data, leaf.len, hash);
	return cs_merkle_append(tree, hash);
}

static enum cs_err grow(struct cs_frontier *tree, const json_t *statements)
{
	const json_t *statement;
	enum cs_err err = CS_OK;
	size_t i;

	json_array_foreach(statements, i, statement) {
		err = cs_signer_tree_extend(tree, statement);
		if (err != CS_OK)
			break;
	}
	return err;
}

static cs_time last_issued_of(const json_t *statements, cs_time fallback)
{
	size_t count = json_array_size(statements);
	const char *text =
		count > 0 ? cs_json_text(json_array_get(statements, count - 1), "issued_at") : NULL;
	cs_time time;

	return text != NULL && cs_time_parse(text, &time, NULL) == CS_OK ? time : fallback;
}

/* A batch worked out but not yet taken over: everything that can fail has happened. */
struct prepared {
	struct cs_frontier tree;
	json_t *batch; /* a copy: the caller may go on to change its own */
	json_t *taken; /* {action: until when it was consumed before, or null} */
};

/* Puts back what `taken` says of each action: until when it was consumed before, or null. */
static void put_back(struct cs_signer_frontier *f, const json_t *taken)
{
	const char *action;
	json_t *until;

	json_object_foreach((json_t *)(uintptr_t)taken, action, until) {
		if (json_is_null(until) || json_object_set(f->consumed, action, until) != 0)
			json_object_del(f->consumed, action);
	}
}

static void give_up(struct cs_signer_frontier *f, struct prepared *p)
{
	put_back(f, p->taken);
	json_decref(p->taken);
	json_decref(p->batch);
}

static enum cs_err consume(struct cs_signer_frontier *f, const json_t *consumed, json_t *taken)
{
	const char *action;
	json_t *until;

	json_object_foreach((json_t *)(uintptr_t)consumed, action, until) {
		json_t *before = json_object_get(f->consumed, action);
		int noted = before != NULL ? json_object_set(taken, action, before)
					   : json_object_set_new(taken, action, json_null());
		json_t *copy = noted == 0 ? cs_json_copied(until) : NULL;
		if (copy == NULL || json_object_set_new(f->consumed, action, copy) != 0)
			return CS_E_NOMEM;
	}
	return CS_OK;
}

static enum cs_err prepare(struct cs_signer_frontier *f, const json_t *statements,
	const json_t *consumed, struct prepared *p)
{
	enum cs_err err;

	*p = (struct prepared){.tree = f->tree, .taken = json_object()};
	err = p->taken == NULL ? CS_E_NOMEM : cs_json_copy(statements, &p->batch);
	if (err == CS_OK)
		err = grow(&p->tree, p->batch);
	if (err == CS_OK)
		err = consume(f, consumed, p->taken);
	if (err != CS_OK)
		give_up(f, p);
	return err;
}

static void take_over(struct cs_signer_frontier *f, struct prepared *p)
{
	f->before = f->tree;
	f->tree = p->tree;
	json_decref(p->taken);
	json_decref(f->batch);
	f->batch = p->batch;
	f->last_issued = last_issued_of(p->batch, f->last_issued);
}

static enum cs_err take_batch(struct cs_signer_frontier *f, const json_t *record)
{
	struct prepared p;
	enum cs_err err = prepare(
		f, json_object_get(record, "statements"), json_object_get(record, "consumed"), &p);

	if (err == CS_OK)
		take_over(f, &p);
	return err;
}

static enum cs_err load_tree(const json_t *record, struct cs_frontier *ret_tree)
{
	struct cs_frontier tree = {0};
	const json_t *hashes = json_object_get(record, "hashes");
	const json_t *hash;
	size_t i;

	tree.size = (uint64_t)cs_json_integer(record, "size", 0);
	tree.count = json_array_size(hashes);
	if (tree.count != (size_t)__builtin_popcountll(tree.size))
		return CS_E_LOG_ROLLBACK;
	json_array_foreach(hashes, i, hash) {
		const char *hex = json_string_value(hash);
		if (hex == NULL || cs_hex_decode(hex, strlen(hex), tree.hash[i], CS_HASH) != CS_OK)
			return CS_E_LOG_ROLLBACK;
	}
	*ret_tree = tree;
	return CS_OK;
}

static enum cs_err take_snapshot(struct cs_signer_frontier *f, const json_t *record)
{
	enum cs_err err = load_tree(record, &f->tree);
	json_t *accepted = cs_json_copied(json_object_get(record, "accepted"));

	if (err == CS_OK && accepted == NULL)
		err = CS_E_NOMEM;
	if (err != CS_OK) {
		json_decref(accepted);
		return err;
	}
	json_decref(f->accepted);
	f->accepted = accepted;
	return take_batch(f, record);
}

static enum cs_err on_record(void *context, const json_t *record, struct cs_fault *fault)
{
	struct cs_signer_frontier *f = context;
	const char *type = cs_json_text(record, "type");
	const char *origin = cs_json_text(record, "origin");

	if (origin != NULL && strcmp(origin, f->origin) != 0)
		return cs_fault_set(fault, CS_E_LOG_ORIGIN, "/origin",
			"the journal belongs to '%s', the settings say '%s'", origin, f->origin);
	if (type != NULL && strcmp(type, "origin") == 0)
		return CS_OK;
	if (type != NULL && strcmp(type, "batch") == 0)
		return take_batch(f, record);
	if (type != NULL && strcmp(type, "snapshot") == 0)
		return take_snapshot(f, record);
	if (type != NULL && strcmp(type, "accepted") == 0) {
		json_t *addresses = cs_json_copied(json_object_get(record, "addresses"));
		return json_object_set_new(f->accepted, cs_json_text(record, "kind"), addresses) ==
				       0
			       ? CS_OK
			       : CS_E_NOMEM;
	}
	return cs_fault_set(fault, CS_E_LOG_ROLLBACK, "/type",
		"a record of a kind that this program does not know");
}

/* ---- open, close ---- */

enum cs_err cs_signer_frontier_open(const char *directory, const char *origin,
	struct cs_signer_frontier **ret_frontier, struct cs_fault *fault)
{
	struct cs_signer_frontier *f = calloc(1, sizeof *f);
	char path[PATH_MAX];
	enum cs_err err = CS_OK;
	bool fresh;

	if (f == NULL)
		return CS_E_NOMEM;
	f->origin = strdup(origin);
	f->batch = json_array();
	f->consumed = json_object();
	f->accepted = json_object();
	if (f->origin == NULL || f->batch == NULL || f->consumed == NULL || f->accepted == NULL)
		err = CS_E_NOMEM;
	else if (snprintf(path, sizeof path, "%s/journal", directory) >= (int)sizeof path)
		err = cs_fault_set(fault, CS_E_TOO_LARGE, directory, "the path is too long");
	if (err == CS_OK)
		err = cs_journal_open(path, on_record, f, &f->journal, fault);
	fresh = err == CS_OK && f->tree.size == 0 && json_object_size(f->accepted) == 0;
	if (fresh) {
		json_t *record = json_pack("{ssss}", "type", "origin", "origin", origin);
		err = record == NULL ? CS_E_NOMEM : cs_journal_replace(f->journal, record, fault);
		json_decref(record);
	}
	if (err != CS_OK) {
		cs_signer_frontier_close(f);
		return err;
	}
	*ret_frontier = f;
	return CS_OK;
}

void cs_signer_frontier_close(struct cs_signer_frontier *frontier)
{
	if (frontier == NULL)
		return;
	cs_journal_close(frontier->journal);
	json_decref(frontier->batch);
	json_decref(frontier->consumed);
	json_decref(frontier->accepted);
	free(frontier->origin);
	free(frontier);
}

/* ---- questions ---- */

const struct cs_frontier *cs_signer_frontier_tree(const struct cs_signer_frontier *frontier)
{
	return &frontier->tree;
}

const struct cs_frontier *cs_signer_frontier_before(const struct cs_signer_frontier *frontier)
{
	return &frontier->before;
}

cs_time cs_signer_frontier_last_issued(const struct cs_signer_frontier *frontier)
{
	return frontier->last_issued;
}

bool cs_signer_frontier_is_last_batch(
	const struct cs_signer_frontier *frontier, const json_t *statements)
{
	return json_array_size(statements) > 0 && cs_json_same(frontier->batch, statements);
}

static cs_time consumed_until(const json_t *until)
{
	const char *text = json_string_value(until);
	cs_time time;

	return text != NULL && cs_time_parse(text, &time, NULL) == CS_OK ? time : 0;
}

cs_time cs_signer_frontier_consumed_until(
	const struct cs_signer_frontier *frontier, const char *action)
{
	return consumed_until(json_object_get(frontier->consumed, action));
}

size_t cs_signer_frontier_consumed_count(const struct cs_signer_frontier *frontier)
{
	return json_object_size(frontier->consumed);
}

const json_t *cs_signer_frontier_accepted(
	const struct cs_signer_frontier *frontier, const char *kind)
{
	return json_object_get(frontier->accepted, kind);
}

/* ---- changes ---- */

static json_t *compose_snapshot(const struct cs_signer_frontier *f)
{
	json_t *hashes = json_array();

	for (size_t i = 0; hashes != NULL && i < f->before.count; i++) {
		char hex[2 * CS_HASH + 1];
		cs_hex_encode(f->before.hash[i], CS_HASH, hex);
		if (json_array_append_new(hashes, json_string(hex)) != 0) {
			json_decref(hashes);
			return NULL;
		}
	}
	return json_pack("{ss ss sI so sO sO sO}", "type", "snapshot", "origin", f->origin, "size",
		(json_int_t)f->before.size, "hashes", hashes, "statements", f->batch, "consumed",
		f->consumed, "accepted", f->accepted);
}

static void forget_passed(struct cs_signer_frontier *f, cs_time now)
{
	const char *action;
	json_t *until;
	void *next;

	json_object_foreach_safe(f->consumed, next, action, until) {
		if (consumed_until(until) < now)
			json_object_del(f->consumed, action);
	}
}

enum cs_err cs_signer_frontier_append(struct cs_signer_frontier *f, const json_t *statements,
	const json_t *consumed, cs_time now, struct cs_fault *fault)
{
	json_t *record;
	enum cs_err err;

	if (cs_journal_is_long(f->journal)) {
		forget_passed(f, now);
		record = compose_snapshot(f);
		err = record == NULL ? CS_E_NOMEM : cs_journal_replace(f->journal, record, fault);
		json_decref(record);
		if (err != CS_OK)
			return err;
	}
	struct prepared p;
	err = prepare(f, statements, consumed, &p);
	if (err != CS_OK)
		return err;
	/* The record only borrows `consumed`, for as long as it takes to write it. */
	record = json_pack("{ss sO sO}", "type", "batch", "statements", p.batch, "consumed",
		(json_t *)(uintptr_t)consumed);
	err = record == NULL ? CS_E_NOMEM : cs_journal_append(f->journal, record, fault);
	json_decref(record);
	if (err != CS_OK) {
		give_up(f, &p);
		return err;
	}
	take_over(f, &p);
	return CS_OK;
}

enum cs_err cs_signer_frontier_accept(struct cs_signer_frontier *f, const char *kind,
	const json_t *addresses, struct cs_fault *fault)
{
	const json_t *known = json_object_get(f->accepted, kind);
	size_t had = json_array_size(known), has = json_array_size(addresses);

	if (cs_rule_on(CS_RULE_ROLLBACK) && has < had)
		return cs_fault_set(fault, CS_E_TRUST_ROLLBACK, kind,
			"version %zu was in use before, now there are only %zu", had, has);
	for (size_t i = 0; i < had && i < has; i++)
		if (!json_equal(json_array_get(known, i), json_array_get(addresses, i)))
			return cs_fault_set(fault, CS_E_TRUST_CONFLICT, kind,
				"version %zu had the address %s before", i + 1,
				json_string_value(json_array_get(known, i)));
	if (has <= had)
		return CS_OK;
	json_t *copy = NULL, *record = NULL;
	enum cs_err err = cs_json_copy(addresses, &copy);
	if (err == CS_OK) {
		record = json_pack(
			"{ss ss sO}", "type", "accepted", "kind", kind, "addresses", copy);
		err = record == NULL ? CS_E_NOMEM : cs_journal_append(f->journal, record, fault);
	}
	if (err == CS_OK && json_object_set(f->accepted, kind, copy) != 0)
		err = CS_E_NOMEM;
	json_decref(record);
	json_decref(copy);
	return err;
}
