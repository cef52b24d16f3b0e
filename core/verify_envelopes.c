#include "verify_check.h"
#include "rule.h"

#include <string.h>

/*
 * The published documents that only repeat the decision in other words are composed again from core, policy, state and decision record: a
 * reader of one of them alone must not be told something else.
 */

static enum cs_err same(const json_t *given, const json_t *expected, const char *path, struct cs_fault *fault)
{
	if (cs_json_same(given, expected))
		return CS_OK;
	return cs_fault_set(fault, CS_E_PACK, path, "not what the pack's decision and inputs give");
}

static enum cs_err check_purpose(const struct cs_verification *v, const struct cs_gate_input *input, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *expected = NULL;
	/* The appliance that sealed is the one that decided. */
	enum cs_err err = cs_purpose_admissibility(input, v->seal_key->entity, &expected);

	return err == CS_OK ? same(json_object_get(v->inputs, "purpose_admissibility"), expected, "/purpose_admissibility", fault) : err;
}

static enum cs_err check_admissibility(const struct cs_verification *v, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *expected = NULL;
	const json_t *given = json_object_get(v->inputs, "admissibility_decision");
	const char *id = cs_json_text(given, "admissibility_decision_id");
	enum cs_err err = cs_admissibility_decision(v->core, v->decision, id != NULL ? id : "", &expected);

	return err == CS_OK ? same(given, expected, "/admissibility_decision", fault) : err;
}

static enum cs_err check_replay_seal(const struct cs_verification *v, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *expected = NULL;
	const char *engine = cs_json_text_at(v->inputs, "engine_certificate/entity");
	const char *signer = cs_json_text_at(v->in->document, "signed_state/signer");
	const char *id = cs_json_text(v->replay_seal, "id"), *created = cs_json_text(v->in->document, "created_at");
	enum cs_err err;

	if (engine == NULL || signer == NULL || id == NULL || created == NULL || strcmp(engine, signer) != 0)
		return cs_fault_set(fault, CS_E_PACK, "/signed_state/signer", "not the entity of the engine certificate");
	err = cs_replay_seal_compose(v->inputs, v->state, id, engine, created, &expected);
	return err == CS_OK ? same(v->replay_seal, expected, "/replay_seal_ref", fault) : err;
}

/* Members of the published pack that this appliance never writes would be words without a check behind them. */
static enum cs_err check_nothing_else(const struct cs_verification *v, struct cs_fault *fault)
{
	static const char *const ours[] = {"schema", "id", "version", "decision_id", "decision_map_ref", "inputs_blob_ref", "signed_state", "signals",
		"signatures", "replay_seal_ref", "created_at", "resolution"};
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)v->in->document, key, value) {
		size_t i = 0;
		while (i < sizeof ours / sizeof ours[0] && strcmp(key, ours[i]) != 0)
			i++;
		if (i == sizeof ours / sizeof ours[0])
			return cs_fault_set(fault, CS_E_PACK, key, "a member that this appliance does not write");
	}
	return CS_OK;
}

static enum cs_err check_envelopes(const struct cs_verification *v, struct cs_fault *fault)
{
	const char *decided_at = cs_json_text(v->decision, "decided_at");
	struct cs_gate_input input = {
		.core = v->core,
		.policy = v->policy,
		.state = v->state,
		.decision_id = cs_json_text(v->decision, "id"),
		.final = true,
	};
	enum cs_err err = cs_time_parse(decided_at != NULL ? decided_at : "", &input.now, fault);

	if (err == CS_OK)
		err = check_purpose(v, &input, fault);
	if (err == CS_OK)
		err = check_admissibility(v, fault);
	if (err == CS_OK)
		err = check_replay_seal(v, fault);
	return err == CS_OK ? check_nothing_else(v, fault) : err;
}

void cs_verify_envelopes(struct cs_verification *v)
{
	struct cs_fault fault = {0};
	enum cs_err err;

	if (v->policy == NULL || cs_verification_stop(v))
		return;
	if (v->failed) {
		cs_verification_skip(v, "envelopes", "what they repeat failed a check already");
		return;
	}
	err = cs_rule_on(CS_RULE_VERIFY_ENVELOPES) ? check_envelopes(v, &fault) : CS_OK;
	cs_verification_add(v, "envelopes", err, &fault);
}
