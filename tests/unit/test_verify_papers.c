/*
 * The pack's members and the papers in them: each wrong one refused by the check that is there for
 * it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/verify_rows.h"

#include <sodium.h>
#include <string.h>

#define OTHER_ID "\"kye:decision:01KAGJ7XQ2D3E4F5G6H7J8K9ZZ\""

/* ---- members and references ---- */

static void test_members(void **state)
{
	static const struct wrong rows[] = {
		{CS_SEALED_ROLLBACK, {{CS_SEALED_PACK, 0, "resolution/members/0/sha256", ADDRESS}},
			"addresses=address_mismatch"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_PACK, 0, "resolution/members/3/sha256", ADDRESS}},
			"addresses=address_mismatch"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_PACK, 0, "resolution/members/0/content/version", "2"}},
			"schema=document_invalid"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_PACK, 0, "resolution/members/3/content/sealed_by",
				"\"kye:ent:acme\""}},
			"addresses=address_mismatch"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_PACK, 0, "resolution/members/3/content/signature", "\"x\""}},
			"schema=document_invalid"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_PACK, 0, "resolution/members/3", NULL}},
			"schema=document_invalid"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_PACK, 0, "resolution/member_order/0", "\"inputs_blob_ref\""},
				{CS_SEALED_PACK, 0, "resolution/member_order/1",
					"\"decision_map_ref\""}},
			"addresses=bad_pack"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_PACK, 0, "decision_map_ref",
				"\"kye:decision-map:01KAGJ7XQ2D3E4F5G6H7J8K9ZZ\""}},
			"addresses=bad_pack"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_PACK, 0, "inputs_blob_ref", ADDRESS}},
			"addresses=bad_pack"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_PACK, 0, "resolution/members/1/ref", ADDRESS}},
			"addresses=bad_pack"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_PACK, 0, "replay_seal_ref",
				"\"kye:replay-seal:01KAGJ7XQ2D3E4F5G6H7J8K9ZZ\""}},
			"addresses=bad_pack"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_PACK, 0, "signed_state/state_ref", ADDRESS}},
			"addresses=bad_pack"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_PACK, 0, "signed_state/state_hash", ADDRESS}},
			"addresses=bad_pack engine_signatures=bad_signature"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_PACK, 0, "decision_id", OTHER_ID}},
			"addresses=bad_pack"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_PACK, 0, "resolution/resolved_at", "\"2026-11-20T10:06:00Z\""}},
			"addresses=bad_pack"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_PACK, 0, "signals/0", NULL}},
			"addresses=bad_pack"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_PACK, 0, "signals/0/payload_hash", ADDRESS}},
			"addresses=bad_pack"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_PACK, 0, "x", "1"}}, "schema=document_invalid"},
	};

	(void)state;
	EXPECT_ALL(rows);
}

/* ---- the order of an approval: gate, brief, what was shown, decision ---- */

static void test_order_of_an_approval(void **state)
{
	static const struct wrong rows[] = {
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_BASIS, 0, "not_after", "\"2026-11-20T10:01:30Z\""}},
			"briefs=approval_expired"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_SNAPSHOT, 0, "captured_at", "\"2026-11-20T10:00:30Z\""}},
			"briefs=approval_early"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_SNAPSHOT, 0, "captured_at", "\"2026-11-20T10:03:00Z\""}},
			"briefs=approval_early"},
	};

	(void)state;
	EXPECT_ALL(rows);
}

static void test_what_repeats_the_decision(void **state)
{
	static const struct wrong rows[] = {
		{CS_SEALED_DENIED,
			{{CS_SEALED_INPUTS, 0, "admissibility_decision/decision", "\"admit\""}},
			"envelopes=bad_pack"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_INPUTS, 0, "purpose_admissibility/admitted", "false"}},
			"envelopes=bad_pack"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_INPUTS, 0, "purpose_admissibility/decided_by",
				"\"kye:ent:other\""}},
			"envelopes=bad_pack"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_PACK, 0, "decided_in_region", "\"eu\""}},
			"envelopes=bad_pack"},
	};

	(void)state;
	EXPECT_ALL(rows);
}

/* ---- decision record ---- */

static void test_decision_record(void **state)
{
	static const struct wrong rows[] = {
		{CS_SEALED_ROLLBACK, {{CS_SEALED_DECISION, 0, "finality", "\"advisory\""}},
			"statement=statement_mismatch gate=bad_pack"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_DECISION, 0, "action", ADDRESS}},
			"statement=statement_mismatch gate=bad_pack"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_DECISION, 0, "action_class", "\"deploy-config\""}},
			"oversight_and_quorum=statement_mismatch gate=bad_pack"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_DECISION, 0, "change_class", "\"reversible\""}},
			"oversight_and_quorum=statement_too_lax gate=bad_pack"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_DECISION, 0, "oversight", "\"single_approver\""}},
			"oversight_and_quorum=statement_too_lax gate=bad_pack"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_DECISION, 0, "oversight", "\"none\""}},
			"oversight_and_quorum=statement_too_lax gate=bad_pack"},
		/* Stricter than the documents give is wrong too: a verifier has every fact. */
		{CS_SEALED_CONFIG, {{CS_SEALED_DECISION, 0, "oversight", "\"two_person\""}},
			"oversight_and_quorum=statement_mismatch gate=bad_pack"},
		{CS_SEALED_RESTART, {{CS_SEALED_DECISION, 0, "oversight", "\"single_approver\""}},
			"oversight_and_quorum=statement_mismatch gate=bad_pack"},
		{CS_SEALED_CONFIG, {{CS_SEALED_DECISION, 0, "change_class", "\"irreversible\""}},
			"oversight_and_quorum=statement_mismatch gate=bad_pack"},
		{CS_SEALED_RESTRICTED, {{CS_SEALED_DECISION, 0, "constraints", ADDRESS}},
			"statement=statement_mismatch gate=bad_pack"},
		{CS_SEALED_RESTRICTED, {{CS_SEALED_DECISION, 0, "outcome", "\"allow\""}},
			"oversight_and_quorum=statement_mismatch gate=bad_pack"},
		{CS_SEALED_RESTRICTED,
			{{CS_SEALED_DECISION, 0, "outcome", "\"allow\""},
				{CS_SEALED_DECISION, 0, "constraints", "null"},
				{CS_SEALED_INPUTS, 0, "constraints", "null"}},
			"oversight_and_quorum=statement_mismatch gate=bad_pack"},
		{CS_SEALED_RESTRICTED, {{CS_SEALED_INPUTS, 0, "constraints/restrictions/0", NULL}},
			"statement=statement_mismatch oversight_and_quorum=statement_mismatch"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_DECISION, 0, "outcome", "\"allow_with_constraints\""}},
			"oversight_and_quorum=statement_mismatch gate=bad_pack"},
		/* The record that the engine signed is the one in the pack. */
		{CS_SEALED_ROLLBACK, {{CS_SEALED_INPUTS, 0, "decision/reason_code", "\"other\""}},
			"engine_signatures=bad_signature gate=bad_pack"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_INPUTS, 0, "decision/signature", NULL}},
			"engine_signatures=bad_signature_form"},
	};

	(void)state;
	EXPECT_ALL(rows);
}

/* ---- the gate again ---- */

static void test_gate_again(void **state)
{
	static const struct wrong rows[] = {
		/* Another finding, detail, duty, slot or reason than the gate gives. */
		{CS_SEALED_ROLLBACK, {{CS_SEALED_DECISION, 0, "checks/3/passed", "false"}},
			"gate=bad_pack"},
		{CS_SEALED_RESTART, {{CS_SEALED_DECISION, 0, "checks/0/detail", "\"another\""}},
			"gate=bad_pack"},
		{CS_SEALED_RESTART, {{CS_SEALED_DECISION, 0, "obligations", "[]"}},
			"gate=bad_pack"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_DECISION, 0, "slots/0/approval", ADDRESS}},
			"gate=bad_pack"},
		{CS_SEALED_DENIED, {{CS_SEALED_DECISION, 0, "reason_code", "\"admissible\""}},
			"gate=bad_pack"},
		{CS_SEALED_DENIED,
			{{CS_SEALED_DECISION, 0, "decided_at", "\"2026-11-20T10:05:00.001Z\""}},
			"gate=bad_pack"},
		{CS_SEALED_RESTART, {{CS_SEALED_DECISION, 0, "level", "3"}}, "gate=bad_pack"},
		/*
		 * Judged at another time than it was sealed: a refusal may be sealed later, an
		 * allow at once.
		 */
		{CS_SEALED_RESTART,
			{{CS_SEALED_STATEMENT, 0, "issued_at", "\"2026-11-20T10:05:31Z\""}},
			"gate=bad_pack"},
		{CS_SEALED_RESTART,
			{{CS_SEALED_STATEMENT, 0, "issued_at", "\"2026-11-20T10:04:29Z\""}},
			"gate=bad_pack"},
		{CS_SEALED_DENIED,
			{{CS_SEALED_STATEMENT, 0, "issued_at", "\"2026-11-20T10:04:29Z\""}},
			"gate=bad_pack"},
		/*
		 * An allow of an action that the gate refuses, and that needs nobody's signature.
		 */
		{CS_SEALED_RESTART,
			{{CS_SEALED_CORE, 0, "due_diligence", "null"},
				{CS_SEALED_DECISION, 0, "outcome", "\"allow\""}},
			"gate=bad_pack"},
		/* The gate was told something else than the people signed. */
		{CS_SEALED_ROLLBACK, {{CS_SEALED_STATE, 0, "approvals/1/token/serial", "\"4711\""}},
			"gate=bad_pack"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_STATE, 0, "approvals/0/decided_at",
				"\"2026-11-20T10:02:01Z\""}},
			"gate=bad_pack"},
		{CS_SEALED_REJECTED, {{CS_SEALED_STATE, 0, "approvals/1/decision", "\"approved\""}},
			"gate=bad_pack"},
		{CS_SEALED_REJECTED, {{CS_SEALED_STATE, 0, "approvals/1", NULL}}, "gate=bad_pack"},
	};

	(void)state;
	EXPECT_ALL(rows);
}

static void test_sealed_a_little_later(void **state)
{
	static const struct {
		enum cs_sealed_scenario scenario;
		const char *issued_at;
	} rows[] = {
		{CS_SEALED_RESTART, "\"2026-11-20T10:05:30Z\""},
		{CS_SEALED_RESTART, "\"2026-11-20T10:04:30Z\""},
		{CS_SEALED_DENIED, "\"2026-11-20T10:45:00Z\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cs_sealed_plan plan = cs_sealed_plan(rows[i].scenario);
		struct cs_sealed *sealed;

		cs_sealed_tweak(&plan, CS_SEALED_STATEMENT, 0, "issued_at", rows[i].issued_at);
		sealed = cs_sealed_make(world, &plan);
		CS_CLEANUP_JSON json_t *verdict = cs_verdict(world, sealed->pack);
		assert_string_equal(cs_verdict_failures(verdict), "");
		cs_sealed_free(sealed);
	}
}

/* ---- state and core ---- */

static void test_state_and_core(void **state)
{
	static const struct wrong rows[] = {
		{CS_SEALED_DENIED, {{CS_SEALED_STATE, 0, "policy", ADDRESS}},
			"statement=statement_mismatch"},
		{CS_SEALED_DENIED, {{CS_SEALED_STATE, 0, "audience", "\"acme.example/other\""}},
			"statement=statement_mismatch"},
		{CS_SEALED_DENIED, {{CS_SEALED_STATE, 0, "trust_version", "2"}},
			"trust_extracts=address_mismatch"},
		{CS_SEALED_DENIED, {{CS_SEALED_STATE, 0, "actor/state", "\"suspended\""}},
			"trust_extracts=address_mismatch"},
		{CS_SEALED_DENIED,
			{{CS_SEALED_STATE, 0, "principal/id", "\"kye:person:acme.eve\""}},
			"trust_extracts=address_mismatch"},
		{CS_SEALED_DENIED, {{CS_SEALED_STATE, 0, "resource/service", "\"billing-api\""}},
			"trust_extracts=address_mismatch"},
		{CS_SEALED_DENIED, {{CS_SEALED_STATE, 0, "persons/0", NULL}},
			"trust_extracts=address_mismatch"},
		{CS_SEALED_DENIED,
			{{CS_SEALED_STATE, 0, "delegations/0/allowed_actions/+",
				"\"scale-node-pool\""}},
			"trust_extracts=address_mismatch"},
		/* The core that the approvers signed is the one in the pack. */
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_INPUTS, 0, "core/execution/arguments/7",
				"\"--to-revision=40\""}},
			"statement=statement_mismatch oversight_and_quorum=approval_other_action "
			"gate=bad_pack briefs=approval_binding"},
		{CS_SEALED_DENIED,
			{{CS_SEALED_INPUTS, 0, "core/requester", "\"kye:person:acme.eve\""}},
			"statement=statement_mismatch gate=bad_pack"},
		{CS_SEALED_RESTART,
			{{CS_SEALED_CORE, 0, "requester", "\"kye:person:acme.eve\""},
				{CS_SEALED_DECISION, 0, "outcome", "\"allow\""}},
			"oversight_and_quorum=statement_mismatch gate=bad_pack"},
		{CS_SEALED_RESTART,
			{{CS_SEALED_CORE, 0, "policy", ADDRESS},
				{CS_SEALED_DECISION, 0, "outcome", "\"allow\""}},
			"oversight_and_quorum=statement_other_policy gate=bad_pack"},
		/* Nobody is asked, so nobody's rank is too low: a level that permits nothing. */
		{CS_SEALED_RESTART,
			{{CS_SEALED_CORE, 0, "proposed_action/requested_capability",
				 "\"k8s.node.drain\""},
				{CS_SEALED_DECISION, 0, "outcome", "\"allow\""}},
			"oversight_and_quorum=statement_too_lax gate=bad_pack"},
	};

	(void)state;
	EXPECT_ALL(rows);
}

/* ---- engine ---- */

static void test_engine_certificate(void **state)
{
	static const struct wrong rows[] = {
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_CERTIFICATE, 0, "not_after", "\"2026-11-20T10:04:59Z\""}},
			"engine_certificate=bad_certificate"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_CERTIFICATE, 0, "not_before", "\"2026-11-20T10:05:01Z\""}},
			"engine_certificate=bad_certificate"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_CERTIFICATE, 0, "not_after", "\"2026-11-21T09:00:01Z\""}},
			"engine_certificate=bad_certificate"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_CERTIFICATE, 0, "not_before", "\"2020-01-01T00:00:00Z\""}},
			"engine_certificate=key_not_valid_at_time"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_CERTIFICATE, 0, "origin", "\"acme.example/other\""}},
			"engine_certificate=bad_certificate"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_CERTIFICATE, 0, "appliance", "\"kye:ent:acme.countersign-2\""}},
			"engine_certificate=key_entity"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_CERTIFICATE, 0, "kid", "\"kye:key:acme.other\""}},
			"engine_signatures=key_unknown"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_CERTIFICATE, 0, "entity", "\"kye:ent:acme.other\""}},
			"engine_signatures=key_entity"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_CERTIFICATE, 0, "usage", "\"seal\""}},
			"schema=document_invalid"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_INPUTS, 0, "engine_certificate/not_after",
				"\"2026-11-20T12:00:00Z\""}},
			"engine_certificate=bad_signature"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_INPUTS, 0, "engine_certificate/signature", NULL}},
			"engine_certificate=bad_certificate"},
	};

	(void)state;
	EXPECT_ALL(rows);
}

static void test_window_of_the_certificate(void **state)
{
	struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_ROLLBACK);
	struct cs_sealed *sealed;

	(void)state;
	cs_sealed_tweak(&plan, CS_SEALED_CERTIFICATE, 0, "not_before", "\"2026-11-19T10:05:00Z\"");
	cs_sealed_tweak(&plan, CS_SEALED_CERTIFICATE, 0, "not_after", "\"2026-11-20T10:05:00Z\"");
	sealed = cs_sealed_make(world, &plan);
	CS_CLEANUP_JSON json_t *verdict = cs_verdict(world, sealed->pack);
	assert_string_equal(cs_verdict_failures(verdict), "");
	cs_sealed_free(sealed);
}

static void test_who_certified(void **state)
{
	const struct cs_signer *stranger =
		cs_world_stranger(world, CS_ALG_EDDSA, "kye:key:acme.stranger");
	struct cs_signer impostor = *stranger;
	const struct {
		const struct cs_signer *key;
		const char *failures;
	} rows[] = {
		{stranger, "engine_certificate=key_unknown"},
		{&impostor, "engine_certificate=bad_signature"},
		{cs_world_appliance(world, CS_USAGE_SEAL), "engine_certificate=key_usage"},
		{cs_world_appliance(world, CS_USAGE_CHECKPOINT), "engine_certificate=key_usage"},
		{cs_world_person(world, CS_WORLD_SAM), "engine_certificate=key_usage"},
	};

	(void)state;
	impostor.kid = cs_world_appliance(world, CS_USAGE_DOCUMENT)->kid;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_ROLLBACK);

		plan.document_key = rows[i].key;
		expect_plan(&plan, "document key", rows[i].failures);
	}
}

static void test_another_engine(void **state)
{
	struct cs_signer impostor =
		*cs_world_stranger(world, CS_ALG_EDDSA, "kye:key:acme.stranger");
	struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_ROLLBACK);

	(void)state;
	plan.engine = &impostor;
	expect_plan(&plan, "stranger", "engine_signatures=key_unknown");
	impostor.kid = cs_world_appliance(world, CS_USAGE_ENGINE)->kid;
	expect_plan(&plan, "impostor", "engine_signatures=bad_signature");
}

static void test_engine_signatures(void **state)
{
	static const struct wrong rows[] = {
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_PACK, 0, "signed_state/signer", "\"kye:ent:acme\""}},
			"engine_signatures=bad_signature"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_PACK, 0, "signed_state/signed_at", "\"2026-11-20T10:06:00Z\""}},
			"engine_signatures=bad_signature"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_PACK, 0, "signed_state/signature",
				"\"sig:eddsa:kye:key:x:AAAA\""}},
			"engine_signatures=key_unknown"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_INPUTS, 0, "consequence_map/generated_by", "\"kye:ent:acme\""}},
			"engine_signatures=bad_signature briefs=brief_mismatch"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_INPUTS, 0, "approvals/0/brief/issued_by", "\"kye:ent:acme\""}},
			"engine_signatures=bad_signature briefs=approval_binding"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_INPUTS, 0, "approvals/1/snapshot/captured_by",
				"\"kye:ent:acme\""}},
			"engine_signatures=bad_signature briefs=approval_binding"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_INPUTS, 0, "approvals/1/brief/signature", NULL}},
			"engine_signatures=bad_signature_form"},
	};

	(void)state;
	EXPECT_ALL(rows);
}

/* ---- decision map ---- */

static void relabel(void *context, enum cs_sealed_stage stage, int approver, json_t *document)
{
	json_t *map;

	(void)approver;
	if (stage != CS_SEALED_PACK)
		return;
	map = json_object_get(
		json_array_get(
			json_object_get(json_object_get(document, "resolution"), "members"), 0),
		"content");
	cs_world_set(map, "nodes/2/payload_hash", ADDRESS);
	/* As an engine would that lies: signed, and every hash right. */
	if (context != NULL)
		assert_int_equal(cs_map_sign(map, context), CS_OK);
	cs_sealed_rehash(document);
}

static void test_map(void **state)
{
	struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_ROLLBACK);
	struct cs_signer engine = *cs_world_appliance(world, CS_USAGE_ENGINE);

	(void)state;
	plan.change = relabel;
	expect_plan(&plan, "map", "engine_signatures=bad_signature decision_map=bad_pack");
	plan.context = &engine;
	expect_plan(&plan, "map, signed again", "decision_map=bad_pack");
}

/* ---- grants ---- */

static void test_grants(void **state)
{
	static const struct wrong rows[] = {
		/* Forged where the gate read it, and where the pack carries it. */
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_STATE, 0, "grants/0/scope/actions/+", "\"scale-node-pool\""}},
			"grants=bad_signature trust_extracts=address_mismatch"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_STATE, 0, "grants/0/issued_by", "\"kye:person:acme.sam\""}},
			"grants=key_entity trust_extracts=address_mismatch"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_STATE, 0, "grants/0/signature",
				"\"sig:eddsa:kye:key:acme.stranger:AAAA\""}},
			"grants=key_unknown trust_extracts=address_mismatch"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_STATE, 0, "purposes/0/restrictions/max_blast_radius",
				"100000"}},
			"grants=bad_signature trust_extracts=address_mismatch"},
		/* Another than the gate read. */
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_INPUTS, 0, "grants/0/scope/actions/+", "\"scale-node-pool\""}},
			"grants=bad_pack"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_INPUTS, 0, "grants", "[]"}}, "grants=bad_pack"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_INPUTS, 0, "purposes/0", NULL}},
			"grants=bad_pack"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_INPUTS, 0, "delegations/0", NULL}},
			"grants=bad_pack"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_INPUTS, 0, "delegations/0/valid_until",
				"\"2030-01-01T00:00:00Z\""}},
			"grants=bad_pack"},
	};

	(void)state;
	EXPECT_ALL(rows);
}

/* A grant that was revoked later is still the one that was signed. */
static void test_revocation_is_no_forgery(void **state)
{
	struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_DENIED);

	(void)state;
	cs_sealed_tweak(
		&plan, CS_SEALED_STATE, 0, "grants/0/revoked_at", "\"2026-11-20T09:00:00Z\"");
	cs_sealed_tweak(
		&plan, CS_SEALED_STATE, 0, "grants/0/revoked_reason", "\"Not needed any more\"");
	expect_plan(&plan, "revoked_at", "trust_extracts=address_mismatch");
}

/* ---- policy ---- */

static void test_policy(void **state)
{
	static const struct wrong rows[] = {
		{CS_SEALED_ROLLBACK, {{CS_SEALED_INPUTS, 0, "policy/signatures", "[]"}},
			"policy=missing_signature"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_INPUTS, 0, "policy/signatures/1", NULL}},
			"policy=missing_signature"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_INPUTS, 0, "policy/signatures/0/kid",
				"\"kye:key:acme.stranger\""}},
			"policy=key_unknown"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_INPUTS, 0, "policy/action_classes/0/quorum", "[\"engineer\"]"}},
			"schema=document_invalid"},
		/* Another policy than the statement names. */
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_INPUTS, 0, "policy/approval/not_after_seconds", "7200"}},
			"statement=statement_mismatch policy=bad_signature"},
	};

	(void)state;
	EXPECT_ALL(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_order_of_an_approval),
		cmocka_unit_test(test_what_repeats_the_decision),
		cmocka_unit_test(test_decision_record),
		cmocka_unit_test(test_gate_again),
		cmocka_unit_test(test_sealed_a_little_later),
		cmocka_unit_test(test_state_and_core),
		cmocka_unit_test(test_engine_certificate),
		cmocka_unit_test(test_window_of_the_certificate),
		cmocka_unit_test(test_who_certified),
		cmocka_unit_test(test_another_engine),
		cmocka_unit_test(test_engine_signatures),
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_grants),
		cmocka_unit_test(test_revocation_is_no_forgery),
		cmocka_unit_test(test_policy),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, make_world, free_world);
}
