/*
 * Evidence packs: what every scenario's pack consists of, that the same documents give the same
 * bytes, and what is refused.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fixture/sealed.h"

#include <countersign/limits.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static struct cs_world *world;
static struct cs_sealed *sealed[CS_SEALED_SCENARIOS];

static const char *const fields[] = {
	"decision_map_ref", "inputs_blob_ref", "signed_state.state_ref", "replay_seal_ref"};
static const char *const schemas[] = {"kye.evidence.decision_map.v1", "countersign.inputs.v1",
	"countersign.state.v1", "kye.replay.context_seal.v1"};

static int make_all(void **state)
{
	(void)state;
	world = cs_world_new(0);
	for (int i = 0; i < CS_SEALED_SCENARIOS; i++)
		sealed[i] = cs_sealed_scenario(world, (enum cs_sealed_scenario)i);
	return 0;
}

static int free_all(void **state)
{
	(void)state;
	for (int i = 0; i < CS_SEALED_SCENARIOS; i++)
		cs_sealed_free(sealed[i]);
	cs_world_free(world);
	return 0;
}

static void expect_schema(const char *name, const json_t *document)
{
	struct cs_fault fault = {0};
	enum cs_err err = cs_schema_check(cs_world_registry(world), name, document, &fault);

	if (err != CS_OK)
		print_error("%s: %s %s\n", name, fault.path, fault.detail);
	assert_int_equal(err, CS_OK);
}

/* ---- what a pack consists of ---- */

static void test_schemas(void **state)
{
	(void)state;
	for (int i = 0; i < CS_SEALED_SCENARIOS; i++) {
		expect_schema("kye.evidence.pack.v1", sealed[i]->pack);
		for (int m = 0; m < 4; m++)
			expect_schema(schemas[m], cs_pack_member(sealed[i]->pack, fields[m]));
		expect_schema("countersign.action_request.v1", sealed[i]->request);
		expect_schema("countersign.seal_statement.v1", sealed[i]->statement);
	}
}

static void test_members_in_order_with_their_addresses(void **state)
{
	(void)state;
	for (int i = 0; i < CS_SEALED_SCENARIOS; i++) {
		const json_t *pack = sealed[i]->pack;
		const json_t *members = cs_json_at(pack, "resolution/members");
		const json_t *order = cs_json_at(pack, "resolution/member_order");

		assert_int_equal(json_array_size(members), 4);
		assert_int_equal(json_array_size(order), 4);
		assert_int_equal(json_array_size(cs_json_at(pack, "resolution/unresolved")), 0);
		for (size_t m = 0; m < 4; m++) {
			const json_t *member = json_array_get(members, m);
			const json_t *content = json_object_get(member, "content");
			char address[CS_ADDRESS_TEXT];

			assert_string_equal(cs_json_text(member, "ref_field"), fields[m]);
			assert_string_equal(json_string_value(json_array_get(order, m)), fields[m]);
			assert_int_equal(cs_address_of(content, address), CS_OK);
			assert_string_equal(cs_json_text(member, "sha256"), address);
			assert_ptr_equal(cs_pack_member(pack, fields[m]), content);
			/* So that sha256 and address are one thing. */
			assert_null(json_object_get(content, "signature"));
			assert_null(json_object_get(content, "signatures"));
		}
	}
}

static void test_references(void **state)
{
	(void)state;
	for (int i = 0; i < CS_SEALED_SCENARIOS; i++) {
		const struct cs_sealed *s = sealed[i];
		const json_t *members = cs_json_at(s->pack, "resolution/members");
		const json_t *seal = cs_pack_member(s->pack, "replay_seal_ref");

		for (size_t m = 0; m < 4; m++) {
			const json_t *member = json_array_get(members, m);
			const char *path = m == 2 ? "signed_state/state_ref" : fields[m];
			bool by_address = m == 1 || m == 2;

			assert_string_equal(
				cs_json_text(member, "ref"), cs_json_text_at(s->pack, path));
			assert_string_equal(cs_json_text(member, "ref"),
				by_address ? cs_json_text(member, "sha256")
					   : cs_json_text_at(member, "content/id"));
		}
		assert_string_equal(cs_json_text_at(s->pack, "signed_state/state_hash"),
			cs_json_text_at(s->pack, "signed_state/state_ref"));
		assert_string_equal(
			cs_json_text(s->pack, "decision_id"), cs_json_text(s->decision, "id"));
		assert_true(json_equal(json_object_get(s->pack, "signals"),
			cs_json_at(s->core, "provenance/signals")));
		assert_string_equal(
			cs_json_text(seal, "wall_clock_iso"), cs_json_text(s->state, "at"));
	}
}

static void test_replay_seal(void **state)
{
	const json_t *seal = cs_pack_member(sealed[CS_SEALED_ROLLBACK]->pack, "replay_seal_ref");
	const json_t *core = sealed[CS_SEALED_ROLLBACK]->core;
	const json_t *signals = cs_json_at(core, "provenance/signals");
	const json_t *measured;
	char seed[80] = "none:";
	size_t i;

	(void)state;
	assert_string_equal(
		cs_json_text(seal, "rule_bundle_hash"), cs_policy_address(cs_world_policy(world)));
	assert_string_equal(cs_json_text(seal, "rng_seed"),
		strncat(seed, cs_json_text(core, "nonce"), sizeof seed - 6));
	assert_int_equal(json_object_size(json_object_get(seal, "signal_versions")), 3);
	json_array_foreach (signals, i, measured) {
		assert_string_equal(cs_json_text(json_object_get(seal, "signal_versions"),
					    cs_json_text(measured, "id")),
			cs_json_text(measured, "payload_hash"));
	}
}

static void test_one_signature(void **state)
{
	(void)state;
	for (int i = 0; i < CS_SEALED_SCENARIOS; i++) {
		const json_t *signatures = json_object_get(sealed[i]->pack, "signatures");
		const char *text = cs_json_text_at(sealed[i]->pack, "signatures/0/signature");
		bool jws = cs_sealed_plan((enum cs_sealed_scenario)i).form == CS_SEAL_JWS;

		assert_int_equal(json_array_size(signatures), 1);
		assert_memory_equal(text, jws ? "sig:jws:" : "sig:tlog:", jws ? 8 : 9);
		assert_string_equal(cs_json_text_at(sealed[i]->pack, "signatures/0/signer"),
			CS_WORLD_APPLIANCE);
		assert_string_equal(cs_json_text_at(sealed[i]->pack, "signatures/0/signed_at"),
			CS_SEALED_AT_TEXT);
	}
}

static void test_inputs(void **state)
{
	static const size_t approvals[CS_SEALED_SCENARIOS] = {2, 2, 1, 0, 0, 2};

	(void)state;
	for (int i = 0; i < CS_SEALED_SCENARIOS; i++) {
		const json_t *inputs = sealed[i]->inputs;

		assert_int_equal(
			json_array_size(json_object_get(inputs, "approvals")), approvals[i]);
		assert_int_equal(json_is_null(json_object_get(inputs, "constraints")),
			i != CS_SEALED_RESTRICTED);
		assert_int_equal(json_is_null(json_object_get(inputs, "consequence_map")),
			approvals[i] == 0);
		assert_string_equal(cs_json_text_at(inputs, "decision/finality"), "sealed_final");
	}
}

static void test_sealing_again_replaces(void **state)
{
	CS_CLEANUP_JSON json_t *pack = json_deep_copy(sealed[CS_SEALED_CONFIG]->pack);

	(void)state;
	assert_int_equal(
		cs_pack_seal(pack, "kye:ent:acme.other", "sig:jws:x", "2026-11-20T11:00:00Z"),
		CS_OK);
	assert_int_equal(json_array_size(json_object_get(pack, "signatures")), 1);
	assert_string_equal(cs_json_text_at(pack, "signatures/0/signer"), "kye:ent:acme.other");
	assert_string_equal(
		cs_json_text_at(pack, "signatures/0/signed_at"), "2026-11-20T11:00:00Z");
}

static void test_member_that_is_not_there(void **state)
{
	CS_CLEANUP_JSON json_t *nothing = json_object();

	(void)state;
	assert_null(cs_pack_member(sealed[CS_SEALED_CONFIG]->pack, "state_ref"));
	assert_null(cs_pack_member(nothing, "decision_map_ref"));
	assert_null(cs_pack_member(NULL, "decision_map_ref"));
}

/* ---- composing ---- */

static enum cs_err compose_with(
	const struct cs_signer *signer, const json_t *inputs, json_t **ret, struct cs_fault *fault)
{
	const struct cs_pack_input input = {
		.inputs = inputs,
		.state = sealed[CS_SEALED_CONFIG]->state,
		.ulid = "01KAGJ7XQ2D3E4F5G6H7J8K9Z1",
		.engine = CS_WORLD_ENGINE,
		.signer = signer,
		.now = CS_SEALED_AT,
	};

	return cs_pack_compose(&input, ret, fault);
}

static void test_same_inputs_same_bytes(void **state)
{
	const struct cs_signer *engine = cs_world_appliance(world, CS_USAGE_ENGINE);
	const json_t *inputs = sealed[CS_SEALED_CONFIG]->inputs;
	CS_CLEANUP_JSON json_t *one = NULL;
	CS_CLEANUP_JSON json_t *other = NULL;

	(void)state;
	assert_int_equal(compose_with(engine, inputs, &one, NULL), CS_OK);
	assert_int_equal(compose_with(engine, inputs, &other, NULL), CS_OK);
	assert_null(json_object_get(one, "signatures"));
	assert_true(cs_json_same(one, other));
	assert_string_equal(
		cs_json_text(one, "id"), "kye:evidence-pack:01KAGJ7XQ2D3E4F5G6H7J8K9Z1");
	assert_string_equal(cs_json_text(one, "decision_map_ref"),
		"kye:decision-map:01KAGJ7XQ2D3E4F5G6H7J8K9Z1");
	assert_string_equal(
		cs_json_text(one, "replay_seal_ref"), "kye:replay-seal:01KAGJ7XQ2D3E4F5G6H7J8K9Z1");
}

static void test_pack_does_not_share_its_inputs(void **state)
{
	CS_CLEANUP_JSON json_t *inputs = json_deep_copy(sealed[CS_SEALED_CONFIG]->inputs);
	CS_CLEANUP_JSON json_t *pack = NULL;
	CS_CLEANUP_BYTES struct cs_bytes before = {0};
	CS_CLEANUP_BYTES struct cs_bytes after = {0};

	(void)state;
	assert_int_equal(
		compose_with(cs_world_appliance(world, CS_USAGE_ENGINE), inputs, &pack, NULL),
		CS_OK);
	assert_int_equal(cs_canonical_print(pack, &before), CS_OK);
	cs_world_set(inputs, "core/execution/executable", "\"/bin/sh\"");
	assert_int_equal(cs_canonical_print(pack, &after), CS_OK);
	assert_true(cs_bytes_equal(before.data, before.len, after.data, after.len));
}

static void test_too_large(void **state)
{
	CS_CLEANUP_JSON json_t *inputs = json_deep_copy(sealed[CS_SEALED_CONFIG]->inputs);
	const struct cs_signer *engine = cs_world_appliance(world, CS_USAGE_ENGINE);
	char *padding = malloc(CS_PACK_MAX);
	struct cs_fault fault = {0};
	json_t *pack = NULL;
	size_t room = CS_PACK_MAX - 2 * CS_STATEMENT_MAX - 4096;
	CS_CLEANUP_BYTES struct cs_bytes text = {0};

	(void)state;
	assert_non_null(padding);
	memset(padding, 'x', CS_PACK_MAX);
	json_object_set_new(inputs, "padding", json_string(""));
	assert_int_equal(compose_with(engine, inputs, &pack, NULL), CS_OK);
	assert_int_equal(cs_canonical_print(pack, &text), CS_OK);
	json_decref(pack);
	pack = NULL;
	/* The very last byte that fits, and one more. */
	json_object_set_new(inputs, "padding", json_stringn(padding, room - text.len));
	assert_int_equal(compose_with(engine, inputs, &pack, &fault), CS_OK);
	json_decref(pack);
	pack = NULL;
	json_object_set_new(inputs, "padding", json_stringn(padding, room - text.len + 1));
	assert_int_equal(compose_with(engine, inputs, &pack, &fault), CS_E_TOO_LARGE);
	assert_non_null(strstr(fault.detail, "262144"));
	assert_null(pack);
	free(padding);
}

static enum cs_err token_gone(
	void *context, const void *message, size_t message_len, uint8_t *signature)
{
	(void)message;
	(void)message_len;
	(void)signature;
	return (*(int *)context)-- > 0 ? CS_OK : CS_E_TOKEN_REMOVED;
}

static void test_engine_cannot_sign(void **state)
{
	struct cs_signer signer = *cs_world_appliance(world, CS_USAGE_ENGINE);
	int signatures;
	enum cs_err err = CS_E_TOKEN_REMOVED;

	(void)state;
	signer.sign = token_gone;
	signer.context = &signatures;
	/* The first signature is the map's, the second the state's. */
	for (int works = 0; works < 3; works++) {
		json_t *pack = NULL;

		signatures = works;
		err = compose_with(&signer, sealed[CS_SEALED_CONFIG]->inputs, &pack, NULL);
		assert_int_equal(err, works < 2 ? CS_E_TOKEN_REMOVED : CS_OK);
		assert_int_equal(pack != NULL, works == 2);
		json_decref(pack);
	}
}

static void test_decision_record_missing(void **state)
{
	CS_CLEANUP_JSON json_t *inputs = json_deep_copy(sealed[CS_SEALED_CONFIG]->inputs);
	json_t *pack = NULL;

	(void)state;
	json_object_del(json_object_get(inputs, "decision"), "outcome");
	assert_int_equal(
		compose_with(cs_world_appliance(world, CS_USAGE_ENGINE), inputs, &pack, NULL),
		CS_E_PACK);
	assert_null(pack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schemas),
		cmocka_unit_test(test_members_in_order_with_their_addresses),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_replay_seal),
		cmocka_unit_test(test_one_signature),
		cmocka_unit_test(test_inputs),
		cmocka_unit_test(test_sealing_again_replaces),
		cmocka_unit_test(test_member_that_is_not_there),
		cmocka_unit_test(test_same_inputs_same_bytes),
		cmocka_unit_test(test_pack_does_not_share_its_inputs),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_engine_cannot_sign),
		cmocka_unit_test(test_decision_record_missing),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, make_all, free_all);
}
