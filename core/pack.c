#include "pack.h"

#include <countersign/limits.h>
#include <stdio.h>
#include <string.h>

#define ID_TEXT 128
#define BUILD "countersign-gate:1" /* what evaluated: changes when the gate's meaning changes */

/* The members, in the order in which a pack carries them. */
enum member { DECISION_MAP, INPUTS, STATE, REPLAY_SEAL, MEMBER_COUNT };
static const char *const member_field[MEMBER_COUNT] = {
	"decision_map_ref", "inputs_blob_ref", "signed_state.state_ref", "replay_seal_ref"};

struct building {
	const struct cs_pack_input *in;
	json_t *map;
	json_t *replay_seal;
	char address[MEMBER_COUNT][CS_ADDRESS_TEXT];
	char map_id[ID_TEXT], seal_id[ID_TEXT], pack_id[ID_TEXT];
	char now[CS_TIME_TEXT];
};

/* ---- the replay seal: what a replay must have in front of it ---- */

enum cs_err cs_replay_seal_compose(const json_t *inputs, const json_t *state, const char *id,
	const char *engine, const char *sealed_at, json_t **ret_seal)
{
	const json_t *core = json_object_get(inputs, "core");
	const char *nonce = cs_json_text(core, "nonce");
	json_t *versions = json_object();
	const json_t *measured;
	char build[CS_ADDRESS_TEXT], rules[CS_ADDRESS_TEXT];
	size_t i;

	cs_address_of_bytes(BUILD, strlen(BUILD), build);
	enum cs_err err = cs_address_of(json_object_get(inputs, "policy"), rules);
	json_array_foreach (cs_json_at(core, "provenance/signals"), i, measured) {
		const char *signal = cs_json_text(measured, "id"),
			   *hash = cs_json_text(measured, "payload_hash");
		if (err == CS_OK &&
			(signal == NULL || hash == NULL ||
				json_object_set_new(versions, signal, json_string(hash)) != 0))
			err = CS_E_NOMEM;
	}
	if (err != CS_OK) {
		json_decref(versions);
		return err;
	}
	/* The gate draws no random numbers: the core's nonce is all there is of chance. */
	*ret_seal = json_pack("{ss ss si ss ss so ss? ss+ ss ss}", "schema",
		"kye.replay.context_seal.v1", "id", id, "version", 1, "model_build_hash", build,
		"rule_bundle_hash", rules, "signal_versions", versions, "wall_clock_iso",
		cs_json_text(state, "at"), "rng_seed", "none:", nonce != NULL ? nonce : "",
		"sealed_at", sealed_at, "sealed_by", engine);
	return *ret_seal != NULL ? CS_OK : CS_E_NOMEM;
}

/* ---- signed state ---- */

static enum cs_err sign_state(const struct building *b, json_t **ret_signed)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	CS_CLEANUP_JSON json_t *covered =
		json_pack("{ss ss ss ss}", "schema", "countersign.state_signature.v1", "state_hash",
			b->address[STATE], "signer", b->in->engine, "signed_at", b->now);
	enum cs_err err =
		covered == NULL ? CS_E_NOMEM : cs_sig_string_sign(covered, b->in->signer, &text);

	if (err != CS_OK)
		return err;
	*ret_signed = json_pack("{ss ss ss ss ss%}", "state_hash", b->address[STATE], "state_ref",
		b->address[STATE], "signer", b->in->engine, "signed_at", b->now, "signature",
		(const char *)text.data, text.len);
	return *ret_signed != NULL ? CS_OK : CS_E_NOMEM;
}

/* ---- resolution ---- */

static enum cs_err resolve(const struct building *b, json_t **ret_resolution)
{
	const char *const ref[MEMBER_COUNT] = {
		b->map_id, b->address[INPUTS], b->address[STATE], b->seal_id};
	const json_t *const content[MEMBER_COUNT] = {
		b->map, b->in->inputs, b->in->state, b->replay_seal};
	json_t *resolution = json_pack(
		"{ss s[] s[] s[]}", "resolved_at", b->now, "member_order", "members", "unresolved");

	for (int i = 0; resolution != NULL && i < MEMBER_COUNT; i++) {
		json_t *copy = json_deep_copy(content[i]);
		json_t *member = json_pack("{ss ss ss so}", "ref_field", member_field[i], "ref",
			ref[i], "sha256", b->address[i], "content", copy);
		if (member == NULL ||
			json_array_append_new(json_object_get(resolution, "members"), member) !=
				0 ||
			json_array_append_new(json_object_get(resolution, "member_order"),
				json_string(member_field[i])) != 0) {
			json_decref(resolution);
			return CS_E_NOMEM;
		}
	}
	*ret_resolution = resolution;
	return resolution != NULL ? CS_OK : CS_E_NOMEM;
}

/* ---- the whole ---- */

static enum cs_err assemble(const struct building *b, json_t **ret_pack)
{
	const json_t *measured = cs_json_at(b->in->inputs, "core/provenance/signals");
	json_t *signals = measured != NULL ? json_deep_copy(measured) : json_array();
	json_t *signed_state = NULL, *resolution = NULL;
	enum cs_err err = signals == NULL ? CS_E_NOMEM : sign_state(b, &signed_state);

	if (err == CS_OK)
		err = resolve(b, &resolution);
	if (err != CS_OK) {
		json_decref(signals);
		json_decref(signed_state);
		return err;
	}
	*ret_pack = json_pack("{ss ss si ss ss ss so so ss ss so}", "schema",
		"kye.evidence.pack.v1", "id", b->pack_id, "version", 1, "decision_id",
		cs_json_text_at(b->in->inputs, "decision/id"), "decision_map_ref", b->map_id,
		"inputs_blob_ref", b->address[INPUTS], "signed_state", signed_state, "signals",
		signals, "replay_seal_ref", b->seal_id, "created_at", b->now, "resolution",
		resolution);
	return *ret_pack != NULL ? CS_OK : CS_E_NOMEM;
}

static enum cs_err compose(struct building *b, json_t **ret_pack)
{
	enum cs_err err =
		cs_map_compose(b->in->inputs, b->in->state, b->map_id, b->in->now, &b->map);

	if (err == CS_OK)
		err = cs_map_sign(b->map, b->in->signer);
	if (err == CS_OK)
		err = cs_replay_seal_compose(b->in->inputs, b->in->state, b->seal_id, b->in->engine,
			b->now, &b->replay_seal);
	if (err == CS_OK)
		err = cs_address_of(b->map, b->address[DECISION_MAP]);
	if (err == CS_OK)
		err = cs_address_of(b->in->inputs, b->address[INPUTS]);
	if (err == CS_OK)
		err = cs_address_of(b->in->state, b->address[STATE]);
	if (err == CS_OK)
		err = cs_address_of(b->replay_seal, b->address[REPLAY_SEAL]);
	return err == CS_OK ? assemble(b, ret_pack) : err;
}

enum cs_err cs_pack_compose(
	const struct cs_pack_input *input, json_t **ret_pack, struct cs_fault *fault)
{
	struct building b = {.in = input};
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	json_t *pack = NULL;

	snprintf(b.map_id, sizeof b.map_id, "kye:decision-map:%s", input->ulid);
	snprintf(b.seal_id, sizeof b.seal_id, "kye:replay-seal:%s", input->ulid);
	snprintf(b.pack_id, sizeof b.pack_id, "kye:evidence-pack:%s", input->ulid);
	cs_time_print(input->now, b.now);
	enum cs_err err = compose(&b, &pack);
	json_decref(b.map);
	json_decref(b.replay_seal);
	if (err == CS_OK)
		err = cs_canonical_print(pack, &text);
	/* The seal comes on top: a tlog-proof carries the statement and a checkpoint. */
	if (err == CS_OK && text.len > CS_PACK_MAX - 2 * CS_STATEMENT_MAX - 4096)
		err = cs_fault_set(fault, CS_E_TOO_LARGE, "",
			"the pack would have %zu bytes and a seal, the limit is %d", text.len,
			CS_PACK_MAX);
	if (err != CS_OK) {
		json_decref(pack);
		return err;
	}
	*ret_pack = pack;
	return CS_OK;
}

enum cs_err cs_pack_seal(
	json_t *pack, const char *signer_entity, const char *seal, const char *issued_at)
{
	json_t *signatures = json_pack(
		"[{ss ss ss}]", "signer", signer_entity, "signature", seal, "signed_at", issued_at);

	if (signatures == NULL || json_object_set_new(pack, "signatures", signatures) != 0)
		return CS_E_NOMEM;
	return CS_OK;
}

const json_t *cs_pack_member(const json_t *pack, const char *ref_field)
{
	return json_object_get(
		cs_json_find(cs_json_at(pack, "resolution/members"), "ref_field", ref_field),
		"content");
}
