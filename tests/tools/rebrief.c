/*
 * Composes what a brief consists of from documents of any content: what a broken broker does, and
 * what tests need to show that a lie which hangs together is seen all the same. Nothing is signed
 * here.
 *
 *	rebrief basis <{trust, policy, core, basis, restate} >basis
 *		gate result and consequence map anew, with `restate` true the state too
 *	rebrief brief <{trust, policy, core, basis, issued_by} >brief
 *
 * `trust` is an array of all trust sets, `policy` the signed policy.
 */
#include "core/address.h"
#include "core/approval.h"
#include "core/gate/gate.h"
#include <countersign/limits.h>
#include "common/file.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

struct papers {
	json_t *in;
	json_t *core;
	json_t *basis;
	struct cs_schema_registry *registry;
	struct cs_trust *trust;
	struct cs_policy *policy;
};

static enum cs_err load(struct papers *p, struct cs_fault *fault)
{
	char genesis[CS_ADDRESS_TEXT];
	enum cs_err err = cs_file_read_json("-", 16 * CS_MESSAGE_MAX, &p->in, fault);

	if (err == CS_OK)
		err = cs_schema_registry_embedded(&p->registry);
	if (err == CS_OK)
		err = cs_address_of(json_array_get(json_object_get(p->in, "trust"), 0), genesis);
	if (err == CS_OK)
		err = cs_trust_load(
			p->registry, json_object_get(p->in, "trust"), genesis, &p->trust, fault);
	if (err == CS_OK)
		err = cs_policy_from_pack(p->registry, json_object_get(p->in, "policy"),
			cs_trust_keyring(p->trust), &p->policy, fault);
	p->core = json_object_get(p->in, "core");
	p->basis = json_object_get(p->in, "basis");
	return err;
}

static enum cs_err restate(struct papers *p, struct cs_fault *fault)
{
	json_t *old = json_object_get(p->basis, "state"), *state = NULL;
	struct cs_state_input input = {
		.trust = p->trust,
		.policy = cs_json_text(old, "policy"),
		.audience = cs_json_text(old, "audience"),
		.caller = cs_json_text(old, "caller"),
		.core = p->core,
		.facts = json_object_get(old, "facts"),
		.approvals = json_object_get(old, "approvals"),
		.ended = cs_json_text(old, "ended"),
	};
	enum cs_err err = cs_time_parse(cs_json_text(old, "at"), &input.now, fault);

	if (err == CS_OK)
		err = cs_state_compose(&input, &state);
	return err == CS_OK && json_object_set_new(p->basis, "state", state) != 0 ? CS_E_NOMEM
										  : err;
}

static enum cs_err compose_basis(struct papers *p, json_t **ret, struct cs_fault *fault)
{
	const json_t *old = json_object_get(p->basis, "consequence_map");
	struct cs_gate_input input = {.core = p->core,
		.policy = p->policy,
		.decision_id = cs_json_text_at(p->basis, "gate/id")};
	json_t *gate = NULL, *map = NULL;
	cs_time generated_at;
	char action[CS_ADDRESS_TEXT];

	enum cs_err err =
		json_is_true(json_object_get(p->in, "restate")) ? restate(p, fault) : CS_OK;
	if (err == CS_OK)
		err = cs_address_of(p->core, action);
	if (err == CS_OK)
		err = cs_time_parse(
			cs_json_text_at(p->basis, "gate/decided_at"), &input.now, fault);
	if (err == CS_OK)
		err = cs_time_parse(cs_json_text(old, "generated_at"), &generated_at, fault);
	input.state = json_object_get(p->basis, "state");
	if (err == CS_OK)
		err = cs_gate_run(&input, &gate);
	if (err == CS_OK)
		err = cs_consequence_map(p->core, gate,
			cs_json_text(p->basis, "consequence_map_id"),
			cs_json_text(old, "generated_by"), generated_at, &map);
	if (err != CS_OK) {
		json_decref(gate);
		return err;
	}
	if (json_object_set_new(p->basis, "gate", gate) != 0 ||
		json_object_set_new(p->basis, "consequence_map", map) != 0 ||
		json_object_set_new(p->basis, "action", json_string(action)) != 0)
		return CS_E_NOMEM;
	*ret = json_incref(p->basis);
	return CS_OK;
}

static enum cs_err run(const char *what, struct papers *p, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *doc = NULL;
	CS_CLEANUP_BYTES struct cs_bytes text = {0};

	enum cs_err err = load(p, fault);
	if (err == CS_OK)
		err = strcmp(what, "basis") == 0
			      ? compose_basis(p, &doc, fault)
			      : cs_brief_compose(p->core, p->basis, p->policy,
					cs_json_text(p->in, "issued_by"), &doc, fault);
	if (err == CS_OK)
		err = cs_canonical_print(doc, &text);
	if (err == CS_OK && fwrite(text.data, 1, text.len, stdout) != text.len)
		err = CS_E_IO;
	return err;
}

int main(int argc, char **argv)
{
	struct cs_fault fault = {0};
	struct papers p = {0};

	if (sodium_init() < 0 || argc != 2 ||
		(strcmp(argv[1], "basis") != 0 && strcmp(argv[1], "brief") != 0)) {
		fputs("usage: rebrief basis|brief <documents >document\n", stderr);
		return 2;
	}
	enum cs_err err = run(argv[1], &p, &fault);
	if (err != CS_OK)
		fprintf(stderr, "error: %s: %s %s\n", cs_err_name(err), fault.path, fault.detail);
	cs_policy_free(p.policy);
	cs_trust_free(p.trust);
	cs_schema_registry_free(p.registry);
	json_decref(p.in);
	return err == CS_OK ? 0 : 1;
}
