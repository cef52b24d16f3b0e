#include "verify_check.h"
#include "rule.h"

#include <stdio.h>

/* ---- schema ---- */

static enum cs_err check_schema(struct cs_verification *v, struct cs_fault *fault)
{
	static const struct {
		const char *ref_field;
		const char *schema;
	} members[] = {
		{"decision_map_ref", "kye.evidence.decision_map.v1"},
		{"inputs_blob_ref", "countersign.inputs.v1"},
		{"signed_state.state_ref", "countersign.state.v1"},
		{"replay_seal_ref", "kye.replay.context_seal.v1"},
	};
	enum cs_err err =
		cs_schema_check(v->in->registry, "kye.evidence.pack.v1", v->in->document, fault);

	for (size_t i = 0; err == CS_OK && i < sizeof members / sizeof members[0]; i++) {
		const json_t *content = cs_pack_member(v->in->document, members[i].ref_field);
		if (content == NULL)
			return cs_fault_set(fault, CS_E_PACK, "/resolution/members",
				"no member for %s", members[i].ref_field);
		err = cs_schema_check(v->in->registry, members[i].schema, content, fault);
	}
	return err;
}

/* ---- addresses ---- */

static enum cs_err check_resolution(const struct cs_verification *v, struct cs_fault *fault)
{
	const json_t *members = cs_json_at(v->in->document, "resolution/members");
	const json_t *order = cs_json_at(v->in->document, "resolution/member_order");
	const json_t *member;
	size_t i;

	if (json_array_size(members) != 4 || json_array_size(order) != 4 ||
		json_array_size(cs_json_at(v->in->document, "resolution/unresolved")) != 0)
		return cs_fault_set(fault, CS_E_PACK, "/resolution",
			"four members, in their order, and nothing unresolved are demanded");
	json_array_foreach(members, i, member)
	{
		char address[CS_ADDRESS_TEXT], path[64];
		enum cs_err err = cs_address_of(json_object_get(member, "content"), address);
		snprintf(path, sizeof path, "/resolution/members/%zu", i);
		if (err != CS_OK)
			return cs_fault_set(fault, err, path, "%s", cs_err_text(err));
		if (!cs_text_equal(cs_json_text(member, "sha256"), address))
			return cs_fault_set(fault, CS_E_ADDRESS_MISMATCH, path,
				"the content of %s is %s", cs_json_text(member, "ref_field"),
				address);
		if (!cs_text_equal(json_string_value(json_array_get(order, i)),
			    cs_json_text(member, "ref_field")))
			return cs_fault_set(fault, CS_E_PACK, "/resolution/member_order",
				"entry %zu is not %s", i, cs_json_text(member, "ref_field"));
	}
	return CS_OK;
}

struct equality {
	const char *path;
	const char *left;
	const char *right;
};

static enum cs_err all_equal(
	const struct equality *pairs, size_t count, enum cs_err code, struct cs_fault *fault)
{
	for (size_t i = 0; i < count; i++)
		if (!cs_text_equal(pairs[i].left, pairs[i].right))
			return cs_fault_set(fault, code, pairs[i].path,
				"'%s' and '%s' must be equal",
				pairs[i].left ? pairs[i].left : "nothing",
				pairs[i].right ? pairs[i].right : "nothing");
	return CS_OK;
}

static const char *member_text(const json_t *pack, const char *ref_field, const char *key)
{
	return cs_json_text(
		cs_json_find(cs_json_at(pack, "resolution/members"), "ref_field", ref_field), key);
}

static enum cs_err check_references(const struct cs_verification *v, struct cs_fault *fault)
{
	const json_t *pack = v->in->document;
	const struct equality pairs[] = {
		{"/decision_map_ref", cs_json_text(pack, "decision_map_ref"),
			member_text(pack, "decision_map_ref", "ref")},
		{"/decision_map_ref", cs_json_text(pack, "decision_map_ref"),
			cs_json_text(v->map, "id")},
		{"/inputs_blob_ref", cs_json_text(pack, "inputs_blob_ref"),
			member_text(pack, "inputs_blob_ref", "ref")},
		{"/inputs_blob_ref", cs_json_text(pack, "inputs_blob_ref"),
			member_text(pack, "inputs_blob_ref", "sha256")},
		{"/signed_state/state_ref", cs_json_text_at(pack, "signed_state/state_ref"),
			member_text(pack, "signed_state.state_ref", "ref")},
		{"/signed_state/state_hash", cs_json_text_at(pack, "signed_state/state_hash"),
			member_text(pack, "signed_state.state_ref", "sha256")},
		{"/signed_state/state_ref", cs_json_text_at(pack, "signed_state/state_ref"),
			cs_json_text_at(pack, "signed_state/state_hash")},
		{"/replay_seal_ref", cs_json_text(pack, "replay_seal_ref"),
			member_text(pack, "replay_seal_ref", "ref")},
		{"/replay_seal_ref", cs_json_text(pack, "replay_seal_ref"),
			cs_json_text(v->replay_seal, "id")},
		{"/decision_id", cs_json_text(pack, "decision_id"),
			cs_json_text(v->map, "decision_id")},
		{"/decision_id", cs_json_text(pack, "decision_id"),
			cs_json_text(v->decision, "id")},
		{"/resolved_at", cs_json_text(pack, "created_at"),
			cs_json_text_at(pack, "resolution/resolved_at")},
		{"/wall_clock_iso", cs_json_text(v->replay_seal, "wall_clock_iso"),
			cs_json_text(v->state, "at")},
	};
	enum cs_err err = all_equal(pairs, sizeof pairs / sizeof pairs[0], CS_E_PACK, fault);

	if (err == CS_OK && !cs_json_same(json_object_get(pack, "signals"),
				    cs_json_at(v->core, "provenance/signals")))
		return cs_fault_set(fault, CS_E_PACK, "/signals", "not the core's pinned signals");
	return err;
}

static enum cs_err check_addresses(struct cs_verification *v, struct cs_fault *fault)
{
	const json_t *pack = v->in->document;
	enum cs_err err = cs_rule_on(CS_RULE_VERIFY_ADDRESSES) ? check_resolution(v, fault) : CS_OK;

	v->map = cs_pack_member(pack, "decision_map_ref");
	v->inputs = cs_pack_member(pack, "inputs_blob_ref");
	v->state = cs_pack_member(pack, "signed_state.state_ref");
	v->replay_seal = cs_pack_member(pack, "replay_seal_ref");
	v->core = json_object_get(v->inputs, "core");
	v->decision = json_object_get(v->inputs, "decision");
	return err == CS_OK ? check_references(v, fault) : err;
}

/* ---- the statement against the pack ---- */

static enum cs_err check_approvals_named(const struct cs_verification *v, struct cs_fault *fault)
{
	const json_t *named = json_object_get(v->statement, "approvals");
	const json_t *papers = json_object_get(v->inputs, "approvals");
	const json_t *paper;
	size_t i;

	if (json_array_size(named) != json_array_size(papers))
		return cs_fault_set(fault, CS_E_STATEMENT_MISMATCH, "/approvals",
			"the statement names %zu, the pack carries %zu", json_array_size(named),
			json_array_size(papers));
	json_array_foreach(papers, i, paper)
	{
		char address[CS_ADDRESS_TEXT];
		enum cs_err err = cs_address_of(json_object_get(paper, "decision"), address);
		if (err != CS_OK)
			return err;
		if (!cs_json_has_text(named, address))
			return cs_fault_set(fault, CS_E_STATEMENT_MISMATCH, "/approvals",
				"%s is in the pack and not in the statement", address);
	}
	return CS_OK;
}

static enum cs_err check_statement(const struct cs_verification *v, struct cs_fault *fault)
{
	const json_t *s = v->statement, *constraints = json_object_get(v->inputs, "constraints");
	char core[CS_ADDRESS_TEXT], policy[CS_ADDRESS_TEXT], limits[CS_ADDRESS_TEXT] = "";
	enum cs_err err = cs_address_of(v->core, core);

	if (err == CS_OK)
		err = cs_address_of(json_object_get(v->inputs, "policy"), policy);
	if (err == CS_OK && json_is_object(constraints))
		err = cs_address_of(constraints, limits);
	if (err != CS_OK)
		return err;
	const char *named_limits = cs_json_text(s, "constraints"),
		   *decided_limits = cs_json_text(v->decision, "constraints");
	const struct equality pairs[] = {
		{"/kind", cs_json_text(s, "kind"), "decision"},
		{"/mode", cs_json_text(s, "mode"), "enforce"},
		{"/outcome", cs_json_text(s, "outcome"), cs_json_text(v->decision, "outcome")},
		{"/action", cs_json_text(s, "action"), core},
		{"/action", cs_json_text(v->decision, "action"), core},
		{"/policy", cs_json_text(s, "policy"), policy},
		{"/policy", cs_json_text(v->state, "policy"), policy},
		{"/trust_set", cs_json_text(s, "trust_set"), cs_json_text(v->state, "trust_set")},
		{"/log/origin", cs_json_text_at(s, "log/origin"),
			cs_json_text(v->state, "audience")},
		{"/constraints", named_limits ? named_limits : "", limits},
		{"/constraints", decided_limits ? decided_limits : "", limits},
		{"/finality", cs_json_text(v->decision, "finality"), "sealed_final"},
	};
	static const char *const same[] = {"action_class", "change_class", "oversight"};

	if (!cs_rule_on(CS_RULE_VERIFY_STATEMENT))
		return CS_OK;
	err = all_equal(pairs, sizeof pairs / sizeof pairs[0], CS_E_STATEMENT_MISMATCH, fault);
	for (size_t i = 0; err == CS_OK && i < sizeof same / sizeof same[0]; i++)
		if (!json_equal(json_object_get(s, same[i]), json_object_get(v->decision, same[i])))
			err = cs_fault_set(fault, CS_E_STATEMENT_MISMATCH, same[i],
				"statement and decision record disagree");
	return err == CS_OK ? check_approvals_named(v, fault) : err;
}

void cs_verify_members(struct cs_verification *v)
{
	struct cs_fault fault = {0};
	enum cs_err err = check_schema(v, &fault);

	cs_verification_add(v, "schema", err, &fault);
	if (err != CS_OK)
		return;
	fault = (struct cs_fault){0};
	err = check_addresses(v, &fault);
	cs_verification_add(v, "addresses", err, &fault);
	if (err != CS_OK && cs_verification_stop(v))
		return;
	fault = (struct cs_fault){0};
	cs_verification_add(v, "statement", check_statement(v, &fault), &fault);
}
