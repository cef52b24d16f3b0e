/*
 * Evidence packs: the decision map, the members, and the whole.
 */
#ifndef CS_PACK_H
#define CS_PACK_H

#include "gate/gate.h"
#include "statement.h"
#include "jose.h"

struct cs_pack_input {
	const json_t *inputs;		/* countersign.inputs.v1, complete */
	const json_t *state;		/* the state of the final gate run */
	const char *ulid;		/* the ids of map, seal and pack end in it */
	const char *engine;		/* entity of the engine session key */
	const struct cs_signer *signer; /* engine session key */
	cs_time now;
};

/*
 * Composes the kye.evidence.decision_map.v1 without signatures: every node a real input, rule,
 * obligation or output.
 */
CS_MUST_CHECK enum cs_err cs_map_compose(const json_t *inputs, const json_t *state, const char *id,
	cs_time created_at, json_t **ret_map);
/* Signs (node list) and checks the map's nodes. */
CS_MUST_CHECK enum cs_err cs_map_sign(json_t *map, const struct cs_signer *signer);
CS_MUST_CHECK enum cs_err cs_map_verify(const json_t *map, const char *kid,
	const struct cs_public_key *key, struct cs_fault *fault);

/* The kye.replay.context_seal.v1: what a replay must have in front of it. `engine` and `sealed_at` go in as they are. Caller owns. */
CS_MUST_CHECK enum cs_err cs_replay_seal_compose(const json_t *inputs, const json_t *state, const char *id,
	const char *engine, const char *sealed_at, json_t **ret_seal);

/* The pack without `signatures`. CS_E_TOO_LARGE above CS_PACK_MAX. */
CS_MUST_CHECK enum cs_err cs_pack_compose(
	const struct cs_pack_input *input, json_t **ret_pack, struct cs_fault *fault);
/* Adds the one entry of `signatures`: `seal` is "sig:jws:…" or "sig:tlog:…". */
CS_MUST_CHECK enum cs_err cs_pack_seal(
	json_t *pack, const char *signer_entity, const char *seal, const char *issued_at);
/*
 * Member content by ref_field ("decision_map_ref", "inputs_blob_ref", "signed_state.state_ref",
 * "replay_seal_ref"); NULL when absent. Borrowed.
 */
const json_t *cs_pack_member(const json_t *pack, const char *ref_field);

#endif
