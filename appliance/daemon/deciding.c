#include "actions.h"
#include "moment.h"
#include "pack_room.h"

#include <string.h>

#define DECISIONS_MAX 32 /* of one action, of any value: each is a leaf of the log */

struct deciding {
	struct cs_daemon *d;
	struct cs_case c;
	struct cs_approval approval;
	json_t *basis, *brief;
	enum cs_action_state next;
};

static bool equal(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static enum cs_err check_size(
	const json_t *doc, const char *name, size_t max, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};

	enum cs_err err = cs_canonical_print(doc, &text);
	if (err == CS_OK && text.len > max)
		err = cs_fault_set(fault, CS_E_TOO_LARGE, name,
			"%zu bytes, at most %zu are allowed", text.len, max);
	return err;
}

/* The snapshot is the one that the decision is bound to, and about this brief. */
static enum cs_err check_snapshot(struct deciding *g, struct cs_fault *fault)
{
	const json_t *snapshot = g->approval.snapshot, *decision = g->approval.decision;
	char address[CS_ADDRESS_TEXT], basis[CS_ADDRESS_TEXT], hash[65];

	enum cs_err err = cs_schema_check(
		g->c.book->registry, "kye.approver_knowledge_snapshot.v1", snapshot, fault);
	if (err == CS_OK)
		err = cs_address_of(snapshot, address);
	if (err == CS_OK)
		err = cs_address_of(g->basis, basis);
	if (err == CS_OK)
		err = cs_content_hash(snapshot, hash);
	if (err != CS_OK)
		return err;
	const struct {
		const char *path;
		const char *given, *expected;
	} rows[] = {
		{"/snapshot", cs_json_text_at(decision, "binding/snapshot"), address},
		{"/snapshot/id", cs_json_text(snapshot, "id"), cs_json_text(g->basis, "snapshot")},
		{"/knowledge_snapshot_id", cs_json_text(decision, "knowledge_snapshot_id"),
			cs_json_text(g->basis, "snapshot")},
		{"/approval_brief_id", cs_json_text(decision, "approval_brief_id"),
			cs_json_text(g->brief, "id")},
		{"/snapshot/approval_brief_id", cs_json_text(snapshot, "approval_brief_id"),
			cs_json_text(g->brief, "id")},
		{"/snapshot/approver", cs_json_text(snapshot, "approver"), g->approval.person},
		{"/snapshot/action", cs_json_text(snapshot, "action"), g->c.action.address},
		{"/snapshot/basis", cs_json_text(snapshot, "basis"), basis},
		{"/snapshot/content_hash", cs_json_text(snapshot, "content_hash"), hash},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (!equal(rows[i].given, rows[i].expected))
			return cs_fault_set(fault, CS_E_APPROVAL_BINDING, rows[i].path,
				"decision, snapshot and brief do not belong together");
	return CS_OK;
}

/* The brief is one that was given out, to this person for this role, before the decision. */
static enum cs_err check_brief(struct deciding *g, struct cs_fault *fault)
{
	const json_t *decision = g->approval.decision;
	const char *address = cs_json_text_at(decision, "binding/brief");
	cs_time issued_at = 0, decided_at = 0;

	enum cs_err err =
		cs_store_brief_by_address(g->d->store, &g->c.action, address, &g->basis, &g->brief);
	if (err == CS_E_NOT_FOUND)
		return cs_fault_set(fault, CS_E_APPROVAL_BINDING, "/binding/brief",
			"no such brief was given out");
	if (err != CS_OK)
		return err;
	if (!equal(cs_json_text(g->basis, "approver"), g->approval.person) ||
		!equal(cs_json_text(g->basis, "role"), g->approval.role))
		return cs_fault_set(fault, CS_E_APPROVAL_BINDING, "/binding/brief",
			"the brief was made for somebody else");
	err = cs_time_parse(cs_json_text(g->basis, "issued_at"), &issued_at, fault);
	if (err == CS_OK)
		err = cs_time_parse(cs_json_text(decision, "decided_at"), &decided_at, fault);
	if (err == CS_OK && decided_at < issued_at)
		err = cs_fault_set(
			fault, CS_E_APPROVAL_EARLY, "/decided_at", "before the brief was issued");
	strcpy(g->approval.brief, address);
	return err;
}

/* After cs_approval_check the members are there and of the right shape. */
static enum cs_err read_decision(struct deciding *g, struct cs_fault *fault)
{
	struct cs_approval_context context = cs_case_context(&g->c);
	const json_t *decision = g->approval.decision;

	enum cs_err err = cs_approval_check(&context, decision, NULL, fault);
	if (err == CS_OK)
		err = cs_address_of(decision, g->approval.address);
	if (err != CS_OK)
		return err;
	const char *person = cs_json_text(decision, "approver"),
		   *role = cs_json_text_at(decision, "binding/role");
	if (person == NULL || role == NULL || strlen(person) >= sizeof g->approval.person ||
		strlen(role) >= sizeof g->approval.role)
		return CS_E_INTERNAL;
	strcpy(g->approval.person, person);
	strcpy(g->approval.role, role);
	strcpy(g->approval.action, g->c.action.id);
	return CS_OK;
}

static enum cs_err check_new(const struct deciding *g, struct cs_fault *fault)
{
	struct cs_approval known = {0};

	enum cs_err err = cs_store_approval(g->d->store, g->approval.address, &known);
	cs_approval_clear(&known);
	if (err == CS_OK)
		return cs_fault_set(fault, CS_E_APPROVAL_DUPLICATE, "", "%s", g->approval.address);
	return err == CS_E_NOT_FOUND ? CS_OK : err;
}

/* With the approvals that count so far: does this one fill a slot, and is it the last? */
static enum cs_err add_to_quorum(struct deciding *g, struct cs_fault *fault)
{
	struct cs_approval_context context;

	enum cs_err err = cs_case_collect(&g->c, CS_COLLECT_VALID, CS_APPROVALS_MAX);
	if (err == CS_OK && json_array_append(g->c.decisions, g->approval.decision) != 0)
		err = CS_E_NOMEM;
	if (err != CS_OK)
		return err;
	context = cs_case_context(&g->c);
	err = cs_quorum_check(&context, g->c.decisions, fault);
	if (err == CS_E_APPROVAL_MISSING) {
		g->next = CS_ACTION_AWAITING;
		return CS_OK;
	}
	g->next = CS_ACTION_APPROVED;
	return err;
}

static enum cs_err find_next(struct deciding *g, struct cs_fault *fault)
{
	static const struct {
		const char *decision;
		enum cs_action_state next;
	} values[] = {
		{"rejected", CS_ACTION_REJECTED},
		{"requires_more_information", CS_ACTION_NEEDS_INFORMATION},
		{"escalated", CS_ACTION_ESCALATED},
	};
	const char *value = cs_json_text(g->approval.decision, "decision");

	if (cs_approval_is_approval(g->approval.decision))
		return add_to_quorum(g, fault);
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		if (equal(value, values[i].decision)) {
			g->next = values[i].next;
			return CS_OK;
		}
	}
	return cs_fault_set(fault, CS_E_APPROVAL_REJECTED, "/decision",
		"'%s' is nothing that a person decides", value ? value : "");
}

/* What one approver hands in must not take the room of the others in the pack. */
static enum cs_err check_pack(const struct deciding *g, struct cs_fault *fault)
{
	struct cs_pack_room room;

	enum cs_err err = cs_pack_room(g->c.book, g->c.core, json_object_get(g->basis, "state"),
		json_object_get(g->basis, "gate"), json_object_get(g->basis, "consequence_map"),
		&room, fault);
	return err == CS_OK ? cs_pack_room_check(
				      &room, g->approval.snapshot, g->approval.decision, fault)
			    : err;
}

static enum cs_err count_one(void *context, struct cs_approval *approval)
{
	(void)approval;
	++*(size_t *)context;
	return CS_OK;
}

static enum cs_err check_room(struct deciding *g, struct cs_fault *fault)
{
	size_t count = 0;

	enum cs_err err = cs_store_approvals(g->d->store, &g->c.action, count_one, &count);
	if (err == CS_OK && count >= DECISIONS_MAX)
		err = cs_fault_set(fault, CS_E_BUSY, "",
			"%zu decisions were made about this action already", count);
	return err;
}

static enum cs_err check_all(struct deciding *g, struct cs_fault *fault)
{
	enum cs_err err = check_size(g->approval.decision, "/decision", CS_APPROVAL_MAX, fault);

	if (err == CS_OK)
		err = check_size(g->approval.snapshot, "/snapshot", CS_SNAPSHOT_MAX, fault);
	if (err == CS_OK)
		err = read_decision(g, fault);
	if (err == CS_OK)
		err = check_new(g, fault);
	if (err == CS_OK)
		err = check_brief(g, fault);
	if (err == CS_OK)
		err = check_snapshot(g, fault);
	if (err == CS_OK)
		err = check_pack(g, fault);
	if (err == CS_OK)
		err = check_room(g, fault);
	return err == CS_OK ? find_next(g, fault) : err;
}

static enum cs_err store(struct deciding *g, struct cs_fault *fault)
{
	enum cs_err err = cs_store_begin(g->d->store);

	if (err != CS_OK)
		return err;
	err = cs_store_approval_add(g->d->store, &g->approval, g->c.at);
	if (err == CS_OK)
		err = cs_action_leave_waiting(g->d, &g->c.action, g->next, g->c.at, fault);
	if (err == CS_OK)
		return cs_store_commit(g->d->store);
	cs_store_rollback(g->d->store);
	return err;
}

enum cs_err cs_action_decide(struct cs_daemon *daemon, struct cs_action *action,
	const json_t *decision, const json_t *snapshot, char address[CS_ADDRESS_TEXT],
	struct cs_fault *fault)
{
	struct deciding g = {.d = daemon};
	cs_time now = cs_now();

	if (!cs_action_state_is(action->state, CS_STATE_WAITS) ||
		!cs_rulebook_is_of(daemon->book, action) || now >= action->expires_at)
		return cs_fault_set(fault, CS_E_STATE, "", "it is not waiting for people, but '%s'",
			cs_action_state_name(action->state));
	enum cs_err err = cs_sealer_ready(daemon->sealer, fault);
	if (err == CS_OK)
		err = cs_case_load(daemon->book, daemon->store, action, now, &g.c);
	if (err == CS_OK)
		err = cs_json_copy(decision, &g.approval.decision);
	if (err == CS_OK)
		err = cs_json_copy(snapshot, &g.approval.snapshot);
	if (err == CS_OK)
		err = check_all(&g, fault);
	if (err == CS_OK)
		err = store(&g, fault);
	if (err == CS_OK) {
		*action = g.c.action;
		strcpy(address, g.approval.address);
		cs_actions_expire(daemon);
		cs_sealer_kick(daemon->sealer);
	}
	cs_case_clear(&g.c);
	cs_approval_clear(&g.approval);
	json_decref(g.basis);
	json_decref(g.brief);
	return err;
}
