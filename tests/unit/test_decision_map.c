/*
 * Decision maps: every node is a document that the pack holds or what an engine found, and the one
 * signature covers them all.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fixture/sealed.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cs_world *world;
static struct cs_sealed *sealed[CS_SEALED_SCENARIOS];

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

static const json_t *node(const json_t *map, const char *id)
{
	return cs_json_find(json_object_get(map, "nodes"), "id", id);
}

/* ---- nodes ---- */

/* An input node and where its document stands: below the inputs, or the state itself. */
static void expect_input(
	const struct cs_sealed *s, const char *id, const json_t *document, const char *ref)
{
	const json_t *found = node(s->map, id);
	char address[CS_ADDRESS_TEXT];

	if (found == NULL)
		print_error("no node %s\n", id);
	assert_non_null(found);
	assert_non_null(document);
	assert_int_equal(cs_address_of(document, address), CS_OK);
	assert_string_equal(cs_json_text(found, "type"), "input");
	assert_string_equal(cs_json_text(found, "payload_hash"), address);
	assert_string_equal(cs_json_text(found, "payload_ref"), ref != NULL ? ref : address);
}

static size_t count_type(const json_t *map, const char *type)
{
	const json_t *one;
	size_t i, count = 0;

	json_array_foreach (json_object_get(map, "nodes"), i, one)
		count += strcmp(cs_json_text(one, "type"), type) == 0;
	return count;
}

static void test_input_nodes(void **state)
{
	const struct cs_sealed *s = sealed[CS_SEALED_RESTRICTED];
	static const char *const papers[] = {"basis", "brief", "snapshot", "decision"};
	static const char *const names[] = {"brief_basis", "brief", "snapshot", "approval"};

	(void)state;
	expect_input(s, "in.core", s->core, NULL);
	expect_input(s, "in.purpose_request", cs_json_at(s->core, "purpose_request"),
		cs_json_text_at(s->core, "purpose_request/id"));
	expect_input(s, "in.proposed_action", cs_json_at(s->core, "proposed_action"),
		cs_json_text_at(s->core, "proposed_action/proposed_action_id"));
	expect_input(s, "in.policy", json_object_get(s->inputs, "policy"),
		cs_json_text_at(s->inputs, "policy/id"));
	expect_input(s, "in.state", s->state, NULL);
	expect_input(s, "in.grant.1", cs_json_at(s->inputs, "grants/0"),
		cs_json_text_at(s->inputs, "grants/0/id"));
	expect_input(s, "in.purpose_grant.1", cs_json_at(s->inputs, "purposes/0"),
		cs_json_text_at(s->inputs, "purposes/0/id"));
	expect_input(s, "in.delegation.1", cs_json_at(s->inputs, "delegations/0"),
		cs_json_text_at(s->inputs, "delegations/0/delegation_id"));
	expect_input(s, "in.consequence_map", json_object_get(s->inputs, "consequence_map"),
		cs_json_text_at(s->inputs, "consequence_map/id"));
	expect_input(s, "in.constraints", json_object_get(s->inputs, "constraints"), NULL);
	expect_input(s, "in.engine_certificate", json_object_get(s->inputs, "engine_certificate"),
		cs_json_text_at(s->inputs, "engine_certificate/id"));
	for (int approver = 0; approver < 2; approver++)
		for (int paper = 0; paper < 4; paper++) {
			char id[64], path[64];
			snprintf(id, sizeof id, "in.%s.%d", names[paper], approver + 1);
			snprintf(path, sizeof path, "approvals/%d/%s", approver, papers[paper]);
			const json_t *document = cs_json_at(s->inputs, path);
			expect_input(s, id, document, cs_json_text(document, "id"));
		}
	/* And no other. */
	assert_int_equal(count_type(s->map, "input"), 11 + 2 * 4);
}

static void test_nobody_asked(void **state)
{
	const json_t *map = sealed[CS_SEALED_RESTART]->map;

	(void)state;
	assert_int_equal(count_type(map, "input"), 9);
	assert_null(node(map, "in.brief.1"));
	assert_null(node(map, "in.approval.1"));
	assert_null(node(map, "in.consequence_map"));
	assert_null(node(map, "in.constraints"));
}

static void test_engine_nodes(void **state)
{
	static const char *const engines[] = {
		"entity", "authority", "purpose", "scope", "state", "rules", "decision"};

	(void)state;
	for (int i = 0; i < CS_SEALED_SCENARIOS; i++) {
		size_t listed = 0;
		for (size_t e = 0; e < sizeof engines / sizeof engines[0]; e++) {
			CS_CLEANUP_JSON json_t *payload =
				json_pack("{ss s[]}", "engine", engines[e], "checks");
			char id[32], address[CS_ADDRESS_TEXT];
			json_t *check;
			size_t c;
			json_array_foreach (
				json_object_get(sealed[i]->decision, "checks"), c, check) {
				if (strcmp(cs_json_text(check, "engine"), engines[e]) != 0)
					continue;
				json_array_append(json_object_get(payload, "checks"), check);
				listed++;
			}
			snprintf(id, sizeof id, "rule.%s", engines[e]);
			assert_int_equal(cs_address_of(payload, address), CS_OK);
			assert_string_equal(
				cs_json_text(node(sealed[i]->map, id), "payload_hash"), address);
			assert_string_equal(cs_json_text(node(sealed[i]->map, id), "type"), "rule");
		}
		assert_int_equal(
			listed, json_array_size(json_object_get(sealed[i]->decision, "checks")));
		/* Seven engines, and the two papers that the gate writes. */
		assert_int_equal(count_type(sealed[i]->map, "rule"), 9);
	}
}

static void test_papers_of_the_gate(void **state)
{
	static const char *const papers[] = {"purpose_admissibility", "admissibility_decision"};

	(void)state;
	for (int i = 0; i < CS_SEALED_SCENARIOS; i++)
		for (size_t p = 0; p < 2; p++) {
			char id[64], address[CS_ADDRESS_TEXT];
			snprintf(id, sizeof id, "rule.%s", papers[p]);
			assert_int_equal(
				cs_address_of(
					json_object_get(sealed[i]->inputs, papers[p]), address),
				CS_OK);
			assert_string_equal(
				cs_json_text(node(sealed[i]->map, id), "payload_hash"), address);
		}
}

static void test_obligations(void **state)
{
	static const size_t counts[CS_SEALED_SCENARIOS] = {1, 2, 1, 2, 1, 1};

	(void)state;
	for (int i = 0; i < CS_SEALED_SCENARIOS; i++) {
		const json_t *obligation;
		size_t o;
		assert_int_equal(count_type(sealed[i]->map, "obligation"), counts[i]);
		json_array_foreach (
			json_object_get(sealed[i]->decision, "obligations"), o, obligation) {
			const char *name = json_string_value(obligation);
			CS_CLEANUP_JSON json_t *payload = json_pack("{ss ss}", "obligation", name,
				"action", cs_json_text(sealed[i]->statement, "action"));
			char id[96], address[CS_ADDRESS_TEXT];
			snprintf(id, sizeof id, "obl.%s", name);
			assert_int_equal(cs_address_of(payload, address), CS_OK);
			assert_string_equal(
				cs_json_text(node(sealed[i]->map, id), "payload_hash"), address);
		}
	}
}

static void test_output(void **state)
{
	(void)state;
	for (int i = 0; i < CS_SEALED_SCENARIOS; i++) {
		const json_t *out = node(sealed[i]->map, "out.decision");
		char address[CS_ADDRESS_TEXT];
		assert_int_equal(cs_address_of(sealed[i]->decision, address), CS_OK);
		assert_string_equal(cs_json_text(out, "type"), "output");
		assert_string_equal(cs_json_text(out, "payload_hash"), address);
		assert_string_equal(
			cs_json_text(out, "label"), cs_json_text(sealed[i]->decision, "outcome"));
		assert_string_equal(
			cs_json_text(out, "payload_ref"), cs_json_text(sealed[i]->decision, "id"));
		assert_string_equal(cs_json_text(sealed[i]->map, "output_node_id"), "out.decision");
		assert_int_equal(count_type(sealed[i]->map, "output"), 1);
	}
}

/* ---- edges ---- */

static bool leads_from(const json_t *map, const char *id)
{
	return cs_json_find(json_object_get(map, "edges"), "from", id) != NULL;
}

static void test_edges(void **state)
{
	(void)state;
	for (int i = 0; i < CS_SEALED_SCENARIOS; i++) {
		const json_t *map = sealed[i]->map, *edge, *one;
		CS_CLEANUP_JSON json_t *seen = json_object();
		size_t e;
		json_array_foreach (json_object_get(map, "edges"), e, edge) {
			char text[256];
			assert_non_null(node(map, cs_json_text(edge, "from")));
			assert_non_null(node(map, cs_json_text(edge, "to")));
			assert_string_not_equal(cs_json_text(edge, "from"), "out.decision");
			snprintf(text, sizeof text, "%s %s", cs_json_text(edge, "from"),
				cs_json_text(edge, "to"));
			assert_null(json_object_get(seen, text));
			json_object_set_new(seen, text, json_true());
		}
		/* Nothing stands in the map that does not bear on the outcome. */
		json_array_foreach (json_object_get(map, "nodes"), e, one) {
			const char *id = cs_json_text(one, "id");
			assert_true(strcmp(id, "out.decision") == 0 || leads_from(map, id));
			assert_null(json_object_get(seen, id));
			json_object_set_new(seen, id, json_true());
		}
	}
}

static void test_who_reads_what(void **state)
{
	static const char *const pairs[][2] = {
		{"in.core", "rule.entity"},
		{"in.core", "rule.decision"},
		{"in.purpose_request", "rule.purpose"},
		{"in.policy", "rule.rules"},
		{"in.state", "rule.state"},
		{"in.grant.1", "rule.authority"},
		{"in.grant.1", "rule.scope"},
		{"in.delegation.1", "rule.authority"},
		{"in.approval.2", "rule.decision"},
		{"rule.purpose", "rule.purpose_admissibility"},
		{"rule.decision", "obl.emit_evidence_pack"},
		{"obl.emit_evidence_pack", "out.decision"},
		{"rule.entity", "out.decision"},
	};
	const json_t *edges = json_object_get(sealed[CS_SEALED_ROLLBACK]->map, "edges"), *edge;

	(void)state;
	for (size_t p = 0; p < sizeof pairs / sizeof pairs[0]; p++) {
		bool found = false;
		size_t e;
		json_array_foreach (edges, e, edge)
			found = found ||
				(strcmp(cs_json_text(edge, "from"), pairs[p][0]) == 0 &&
					strcmp(cs_json_text(edge, "to"), pairs[p][1]) == 0);
		if (!found)
			print_error("no edge from %s to %s\n", pairs[p][0], pairs[p][1]);
		assert_true(found);
	}
}

/* ---- composing ---- */

static void test_same_inputs_same_bytes(void **state)
{
	const struct cs_sealed *s = sealed[CS_SEALED_ROLLBACK];
	CS_CLEANUP_JSON json_t *one = NULL;
	CS_CLEANUP_JSON json_t *other = NULL;

	(void)state;
	assert_int_equal(
		cs_map_compose(s->inputs, s->state, "kye:decision-map:X", CS_SEALED_AT, &one),
		CS_OK);
	assert_int_equal(
		cs_map_compose(s->inputs, s->state, "kye:decision-map:X", CS_SEALED_AT, &other),
		CS_OK);
	assert_true(cs_json_same(one, other));
	assert_string_equal(cs_json_text(one, "id"), "kye:decision-map:X");
	assert_string_equal(cs_json_text(one, "created_at"), CS_SEALED_AT_TEXT);
	assert_string_equal(cs_json_text_at(one, "nodes/0/signature"), "");
}

/* A changed document changes its node, whichever it is. */
static void test_changed_document_changes_its_node(void **state)
{
	static const char *const changes[][3] = {
		{"core/nonce", "\"00000000000000000000000000000000\"", "in.core"},
		{"core/purpose_request/action", "\"k8s.other\"", "in.purpose_request"},
		{"core/proposed_action/intent_ref", "\"kye:intent:acme:other\"",
			"in.proposed_action"},
		{"policy/title", "\"Another\"", "in.policy"},
		{"grants/0/version", "2", "in.grant.1"},
		{"purposes/0/version", "2", "in.purpose_grant.1"},
		{"delegations/0/basis", "\"other\"", "in.delegation.1"},
		{"consequence_map/version", "2", "in.consequence_map"},
		{"approvals/0/basis/not_after", "\"2026-11-20T10:30:00Z\"", "in.brief_basis.1"},
		{"approvals/1/brief/version", "2", "in.brief.2"},
		{"approvals/1/snapshot/version", "2", "in.snapshot.2"},
		{"approvals/0/decision/rationale", "\"None.\"", "in.approval.1"},
		{"engine_certificate/usage", "\"seal\"", "in.engine_certificate"},
		{"decision/checks/0/passed", "false", "rule.entity"},
		{"decision/outcome", "\"deny\"", "out.decision"},
		{"purpose_admissibility/admitted", "false", "rule.purpose_admissibility"},
		{"admissibility_decision/decision", "\"reject\"", "rule.admissibility_decision"},
	};
	const struct cs_sealed *s = sealed[CS_SEALED_ROLLBACK];

	(void)state;
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		CS_CLEANUP_JSON json_t *inputs = json_deep_copy(s->inputs);
		CS_CLEANUP_JSON json_t *map = NULL;
		cs_world_set(inputs, changes[i][0], changes[i][1]);
		assert_int_equal(cs_map_compose(inputs, s->state, cs_json_text(s->map, "id"),
					 CS_SEALED_AT, &map),
			CS_OK);
		assert_string_not_equal(cs_json_text(node(map, changes[i][2]), "payload_hash"),
			cs_json_text(node(s->map, changes[i][2]), "payload_hash"));
	}
}

static void test_no_outcome(void **state)
{
	CS_CLEANUP_JSON json_t *inputs = json_deep_copy(sealed[CS_SEALED_CONFIG]->inputs);
	json_t *map = NULL;

	(void)state;
	json_object_del(json_object_get(inputs, "decision"), "outcome");
	assert_int_equal(cs_map_compose(inputs, sealed[CS_SEALED_CONFIG]->state,
				 "kye:decision-map:X", CS_SEALED_AT, &map),
		CS_E_PACK);
	assert_null(map);
}

/* ---- the signature ---- */

static enum cs_err verify(const json_t *map, struct cs_fault *fault)
{
	const struct cs_signer *engine = cs_world_appliance(world, CS_USAGE_ENGINE);

	*fault = (struct cs_fault){0};
	return cs_map_verify(map, engine->kid, &engine->key, fault);
}

static void test_signature_verifies(void **state)
{
	struct cs_fault fault;

	(void)state;
	for (int i = 0; i < CS_SEALED_SCENARIOS; i++)
		assert_int_equal(verify(sealed[i]->map, &fault), CS_OK);
}

static void expect_refused(
	const char *path, const char *value, enum cs_err expected, const char *where)
{
	CS_CLEANUP_JSON json_t *map = json_deep_copy(sealed[CS_SEALED_ROLLBACK]->map);
	struct cs_fault fault;

	cs_world_set(map, path, value);
	enum cs_err err = verify(map, &fault);
	if (err != expected)
		print_error("%s: %s %s\n", path, cs_err_name(err), fault.detail);
	assert_int_equal(err, expected);
	assert_string_equal(fault.path, where);
}

static void test_every_node_is_covered(void **state)
{
	static const char other[] =
		"\"sha256:0000000000000000000000000000000000000000000000000000000000000000\"";
	size_t count = json_array_size(json_object_get(sealed[CS_SEALED_ROLLBACK]->map, "nodes"));

	(void)state;
	assert_true(count > 20);
	for (size_t i = 0; i < count; i++) {
		char path[64];
		snprintf(path, sizeof path, "nodes/%zu/payload_hash", i);
		expect_refused(path, other, CS_E_SIGNATURE, "/nodes/0/signature");
		snprintf(path, sizeof path, "nodes/%zu/id", i);
		expect_refused(path, "\"in.other\"", CS_E_SIGNATURE, "/nodes/0/signature");
		snprintf(path, sizeof path, "nodes/%zu/type", i);
		expect_refused(path, "\"inference\"", CS_E_SIGNATURE, "/nodes/0/signature");
		if (i == 0)
			continue;
		char signature[64], where[64];
		snprintf(signature, sizeof signature, "nodes/%zu/signature", i);
		snprintf(where, sizeof where, "/nodes/%zu/signature", i);
		expect_refused(signature, "\"sig:eddsa:kye:key:x:AAAA\"", CS_E_SIGNATURE, where);
		expect_refused(signature, NULL, CS_E_SIGNATURE, where);
	}
	expect_refused("id", "\"kye:decision-map:01KAGJ7XQ2D3E4F5G6H7J8K9ZZ\"", CS_E_SIGNATURE,
		"/nodes/0/signature");
	expect_refused("nodes/3", NULL, CS_E_SIGNATURE, "/nodes/0/signature");
	expect_refused("nodes/0/signature", NULL, CS_E_SIGNATURE_FORM, "/nodes/0/signature");
	expect_refused("nodes", "[]", CS_E_SIGNATURE_FORM, "/nodes/0/signature");
}

static void test_order_is_covered(void **state)
{
	CS_CLEANUP_JSON json_t *map = json_deep_copy(sealed[CS_SEALED_ROLLBACK]->map);
	json_t *nodes = json_object_get(map, "nodes");
	json_t *first = json_incref(json_array_get(nodes, 0));
	struct cs_fault fault;

	(void)state;
	json_array_remove(nodes, 0);
	json_array_insert_new(nodes, 1, first);
	assert_int_equal(verify(map, &fault), CS_E_SIGNATURE);
}

static void test_another_key(void **state)
{
	const struct cs_signer *engine = cs_world_appliance(world, CS_USAGE_ENGINE);
	struct cs_signer stranger =
		*cs_world_stranger(world, CS_ALG_EDDSA, "kye:key:acme.stranger");
	const struct cs_signer *curve =
		cs_world_stranger(world, CS_ALG_ES256, "kye:key:acme.curve");
	const json_t *map = sealed[CS_SEALED_ROLLBACK]->map;
	CS_CLEANUP_JSON json_t *resigned = json_deep_copy(map);
	struct cs_fault fault = {0};

	(void)state;
	stranger.kid = engine->kid;
	assert_int_equal(cs_map_verify(map, engine->kid, &stranger.key, &fault), CS_E_SIGNATURE);
	assert_int_equal(cs_map_verify(map, engine->kid, &curve->key, &fault), CS_E_ALGORITHM);
	assert_int_equal(
		cs_map_verify(map, "kye:key:other", &engine->key, &fault), CS_E_KEY_UNKNOWN);
	assert_int_equal(cs_map_sign(resigned, &stranger), CS_OK);
	assert_int_equal(verify(resigned, &fault), CS_E_SIGNATURE);
	assert_int_equal(cs_map_verify(resigned, engine->kid, &stranger.key, &fault), CS_OK);
}

static enum cs_err no_signature(
	void *context, const void *message, size_t message_len, uint8_t *signature)
{
	(void)context;
	(void)message;
	(void)message_len;
	(void)signature;
	return CS_E_TOKEN_REMOVED;
}

static void test_signing_fails(void **state)
{
	struct cs_signer signer = *cs_world_appliance(world, CS_USAGE_ENGINE);
	CS_CLEANUP_JSON json_t *map = json_deep_copy(sealed[CS_SEALED_ROLLBACK]->map);

	(void)state;
	signer.sign = no_signature;
	assert_int_equal(cs_map_sign(map, &signer), CS_E_TOKEN_REMOVED);
	assert_true(cs_json_same(map, sealed[CS_SEALED_ROLLBACK]->map));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_input_nodes),
		cmocka_unit_test(test_nobody_asked),
		cmocka_unit_test(test_engine_nodes),
		cmocka_unit_test(test_papers_of_the_gate),
		cmocka_unit_test(test_obligations),
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_who_reads_what),
		cmocka_unit_test(test_same_inputs_same_bytes),
		cmocka_unit_test(test_changed_document_changes_its_node),
		cmocka_unit_test(test_no_outcome),
		cmocka_unit_test(test_signature_verifies),
		cmocka_unit_test(test_every_node_is_covered),
		cmocka_unit_test(test_order_is_covered),
		cmocka_unit_test(test_another_key),
		cmocka_unit_test(test_signing_fails),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, make_all, free_all);
}
