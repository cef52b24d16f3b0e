/*
 * The seal, the statement in it and its place in the log: each refused by the check that is there
 * for it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/verify_rows.h"

#include <countersign/limits.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* ---- changed after it was sealed ---- */

static void test_after_the_seal(void **state)
{
	static const struct wrong rows[] = {
		{CS_SEALED_ROLLBACK, {{CS_SEALED_SEALED, 0, "signatures", "[]"}},
			"seal=bad_signature_form"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_SEALED, 0, "signatures", NULL}},
			"seal=bad_signature_form"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_SEALED, 0, "signatures/+", "{}"}},
			"seal=bad_signature_form"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_SEALED, 0, "signatures/0/signer", NULL}},
			"seal=bad_signature_form"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_SEALED, 0, "signatures/0/signature", "\"\""}},
			"seal=bad_signature_form"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_SEALED, 0, "signatures/0/signature", "\"sig:jws:a.b\""}},
			"seal=bad_signature_form"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_SEALED, 0, "signatures/0/signature",
				"\"sig:jws:e30.e30.e30\""}},
			"seal=bad_signature_form"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_SEALED, 0, "signatures/0/signature", "\"sig:tlog:e30\""}},
			"seal=bad_proof"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_SEALED, 0, "signatures/0/signature", "\"sig:tlog:!\""}},
			"seal=bad_base64url"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_SEALED, 0, "signatures/0/signer", "\"kye:ent:acme\""}},
			"seal=key_entity"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_SEALED, 0, "signatures/0/signed_at",
				"\"2026-11-20T10:05:01Z\""}},
			"seal=statement_mismatch"},
		{CS_SEALED_DENIED,
			{{CS_SEALED_SEALED, 0, "signatures/0/signed_at",
				"\"2026-11-20T10:05:00.000Z\""}},
			"seal=statement_mismatch"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_SEALED, 0, "created_at", "\"2026-11-20T10:06:00Z\""},
				{CS_SEALED_SEALED, 0, "resolution/resolved_at",
					"\"2026-11-20T10:06:00Z\""}},
			"subject=address_mismatch"},
		{CS_SEALED_DENIED,
			{{CS_SEALED_SEALED, 0, "created_at", "\"2026-11-20T10:06:00Z\""},
				{CS_SEALED_SEALED, 0, "resolution/resolved_at",
					"\"2026-11-20T10:06:00Z\""}},
			"subject=address_mismatch"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_SEALED, 0, "version", "2"}},
			"subject=address_mismatch schema=document_invalid"},
		/*
		 * An address leaves a top-level signature out, so only the schema can refuse one
		 * that was added.
		 */
		{CS_SEALED_ROLLBACK, {{CS_SEALED_SEALED, 0, "signature", "{}"}},
			"schema=document_invalid"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_SEALED, 0, "signatures/0/x", "1"}},
			"schema=document_invalid"},
		/* Nothing but the subject can tell: no other check reads a pack's id. */
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_SEALED, 0, "id",
				"\"kye:evidence-pack:01KAGJ7XQ2D3E4F5G6H7J8K9ZZ\""}},
			"subject=address_mismatch"},
	};

	(void)state;
	EXPECT_ALL(rows);
}

/* ---- the statement says something else than the pack; sealed all the same ---- */

static void test_statement_against_pack(void **state)
{
	static const struct wrong rows[] = {
		{CS_SEALED_ROLLBACK, {{CS_SEALED_STATEMENT, 0, "subject", ADDRESS}},
			"subject=address_mismatch"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_STATEMENT, 0, "action", ADDRESS}},
			"statement=statement_mismatch oversight_and_quorum=statement_mismatch "
			"briefs=approval_binding"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_STATEMENT, 0, "action_class", "\"deploy-config\""}},
			"statement=statement_mismatch oversight_and_quorum=statement_mismatch"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_STATEMENT, 0, "change_class", "\"reversible\""}},
			"statement=statement_mismatch oversight_and_quorum=statement_too_lax"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_STATEMENT, 0, "oversight", "\"single_approver\""}},
			"statement=statement_mismatch oversight_and_quorum=statement_too_lax"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_STATEMENT, 0, "policy", ADDRESS}},
			"statement=statement_mismatch oversight_and_quorum=statement_other_policy"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_STATEMENT, 0, "trust_set", ADDRESS}},
			"trust_set_in_force=statement_other_trust_set statement=statement_mismatch "
			"oversight_and_quorum=approval_other_trust_set"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_STATEMENT, 0, "approvals/0", NULL}},
			"statement=statement_mismatch oversight_and_quorum=statement_evidence"},
		{CS_SEALED_CONFIG, {{CS_SEALED_STATEMENT, 0, "approvals", "[" ADDRESS "]"}},
			"statement=statement_mismatch oversight_and_quorum=statement_mismatch"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_STATEMENT, 0, "constraints", ADDRESS},
				{CS_SEALED_STATEMENT, 0, "outcome", "\"allow_with_constraints\""}},
			"statement=statement_mismatch oversight_and_quorum=statement_evidence"},
		{CS_SEALED_RESTRICTED, {{CS_SEALED_STATEMENT, 0, "constraints", ADDRESS}},
			"statement=statement_mismatch oversight_and_quorum=statement_mismatch"},
		{CS_SEALED_RESTRICTED, {{CS_SEALED_STATEMENT, 0, "outcome", "\"allow\""}},
			"statement=statement_mismatch oversight_and_quorum=statement_mismatch"},
		{CS_SEALED_DENIED, {{CS_SEALED_STATEMENT, 0, "outcome", "\"quarantine\""}},
			"statement=statement_mismatch"},
		/* A pack that refuses, sealed as an allow. */
		{CS_SEALED_DENIED,
			{{CS_SEALED_STATEMENT, 0, "outcome", "\"allow\""},
				{CS_SEALED_STATEMENT, 0, "not_after", "\"2026-11-20T10:20:00Z\""}},
			"statement=statement_mismatch oversight_and_quorum=approval_missing"},
		{CS_SEALED_REJECTED,
			{{CS_SEALED_STATEMENT, 0, "outcome", "\"allow\""},
				{CS_SEALED_STATEMENT, 0, "not_after", "\"2026-11-20T10:20:00Z\""}},
			"statement=statement_mismatch oversight_and_quorum=approval_rejected"},
		/* The log of another appliance. */
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_STATEMENT, 0, "log/origin", "\"acme.example/other\""}},
			"seal=log_origin"},
		/* Windows. */
		{CS_SEALED_ROLLBACK, {{CS_SEALED_STATEMENT, 0, "not_after", "null"}},
			"oversight_and_quorum=statement_window"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_STATEMENT, 0, "not_after", "\"2026-11-20T10:32:01Z\""}},
			"oversight_and_quorum=statement_window"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_STATEMENT, 0, "not_after", "\"2026-11-20T10:05:00Z\""}},
			"oversight_and_quorum=statement_window"},
		{CS_SEALED_RESTART,
			{{CS_SEALED_STATEMENT, 0, "not_after", "\"2026-11-20T11:05:01Z\""}},
			"oversight_and_quorum=statement_window"},
	};

	(void)state;
	EXPECT_ALL(rows);
}

/* What is no statement at all is refused before anything else is looked at. */
static void test_statement_shape(void **state)
{
	static const struct wrong rows[] = {
		{CS_SEALED_ROLLBACK, {{CS_SEALED_STATEMENT, 0, "mode", "\"shadow\""}},
			"seal=statement_shape"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_STATEMENT, 0, "outcome", "\"deny\""}},
			"seal=statement_shape"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_STATEMENT, 0, "outcome", "\"require_approval\""}},
			"seal=statement_shape"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_STATEMENT, 0, "kind", "\"outcome\""}},
			"seal=statement_shape"},
		{CS_SEALED_DENIED, {{CS_SEALED_STATEMENT, 0, "kind", "\"stop\""}},
			"seal=statement_shape"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_STATEMENT, 0, "action", "null"}},
			"seal=statement_shape"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_STATEMENT, 0, "log/index", "6"}},
			"seal=statement_shape"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_STATEMENT, 0, "x", "1"}}, "seal=document_invalid"},
		{CS_SEALED_ROLLBACK, {{CS_SEALED_STATEMENT, 0, "issued_at", "\"2026-11-20\""}},
			"seal=document_invalid"},
		{CS_SEALED_ROLLBACK,
			{{CS_SEALED_STATEMENT, 0, "schema", "\"countersign.seal_statement.v2\""}},
			"seal=document_invalid"},
		{CS_SEALED_DENIED,
			{{CS_SEALED_STATEMENT, 0, "not_after", "\"2026-11-20T10:20:00Z\""}},
			"seal=statement_shape"},
		{CS_SEALED_DENIED, {{CS_SEALED_STATEMENT, 0, "constraints", ADDRESS}},
			"seal=statement_shape"},
	};

	(void)state;
	EXPECT_ALL(rows);
}

/* A seal for something else than a decision is in order, but not for a pack. */
static void test_statement_of_another_kind(void **state)
{
	struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_DENIED);
	static const char *const nulls[] = {
		"mode", "outcome", "action", "action_class", "change_class", "oversight"};

	(void)state;
	cs_sealed_tweak(&plan, CS_SEALED_STATEMENT, 0, "kind", "\"policy\"");
	for (size_t i = 0; i < sizeof nulls / sizeof nulls[0]; i++)
		cs_sealed_tweak(&plan, CS_SEALED_STATEMENT, 0, nulls[i], "null");
	expect_plan(&plan, "kind",
		"statement=statement_mismatch oversight_and_quorum=statement_evidence");
}

static void test_approvals_out_of_order(void **state)
{
	struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_ROLLBACK);
	struct cs_sealed *good = cs_sealed_make(world, &plan);
	CS_CLEANUP_BYTES struct cs_bytes text = {0};

	(void)state;
	assert_int_equal(cs_bytes_addf(&text, "[\"%s\", \"%s\"]",
				 json_string_value(json_array_get(
					 json_object_get(good->statement, "approvals"), 1)),
				 json_string_value(json_array_get(
					 json_object_get(good->statement, "approvals"), 0))),
		CS_OK);
	cs_sealed_tweak(&plan, CS_SEALED_STATEMENT, 0, "approvals", (const char *)text.data);
	expect_plan(&plan, "approvals", "seal=statement_shape");
	cs_sealed_free(good);
}

/*
 * The statement is read from exactly the bytes that were signed, and there is one way to write it.
 */
static void other_bytes(void *context, enum cs_sealed_stage stage, int approver, json_t *document)
{
	static const char pretty[] = " ";
	CS_CLEANUP_BYTES struct cs_bytes statement = {0};
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	CS_CLEANUP_BYTES struct cs_bytes seal = {0};
	static char kept[CS_STATEMENT_MAX];

	(void)context;
	(void)approver;
	if (stage == CS_SEALED_STATEMENT) {
		assert_int_equal(cs_canonical_print(document, &statement), CS_OK);
		strcpy(kept, (const char *)statement.data);
	}
	if (stage != CS_SEALED_SEALED)
		return;
	cs_bytes_add_text(&text, kept);
	cs_bytes_add_text(&text, pretty);
	cs_bytes_add_text(&seal, "sig:jws:");
	assert_int_equal(
		cs_jws_sign(cs_world_appliance(world, CS_USAGE_SEAL), text.data, text.len, &seal),
		CS_OK);
	json_object_set_new(json_array_get(json_object_get(document, "signatures"), 0), "signature",
		json_string((const char *)seal.data));
}

static void test_statement_in_other_bytes(void **state)
{
	struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_ROLLBACK);

	(void)state;
	plan.change = other_bytes;
	expect_plan(&plan, "other bytes", "seal=not_canonical");
}

/* ---- who sealed ---- */

static struct cs_signer as(const struct cs_signer *signer, const char *kid)
{
	struct cs_signer renamed = *signer;

	renamed.kid = kid;
	return renamed;
}

static void test_who_sealed(void **state)
{
	const struct cs_signer *stranger =
		cs_world_stranger(world, CS_ALG_EDDSA, "kye:key:acme.stranger");
	struct cs_signer impostor = as(stranger, cs_world_appliance(world, CS_USAGE_SEAL)->kid);
	struct cs_signer other_curve =
		as(cs_world_stranger(world, CS_ALG_ES256, "kye:key:acme.curve"), impostor.kid);
	const struct {
		const struct cs_signer *seal;
		const char *failures;
	} rows[] = {
		{stranger, "seal=key_unknown"},
		{&impostor, "seal=bad_signature"},
		{&other_curve, "seal=algorithm_mismatch"},
		{cs_world_appliance(world, CS_USAGE_CHECKPOINT), "seal=key_usage"},
		{cs_world_appliance(world, CS_USAGE_DOCUMENT), "seal=key_usage"},
		{cs_world_appliance(world, CS_USAGE_ENGINE), "seal=key_unknown"},
		{cs_world_person(world, CS_WORLD_SAM), "seal=key_usage"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_ROLLBACK);

		plan.seal = rows[i].seal;
		expect_plan(&plan, rows[i].failures, rows[i].failures);
	}
}

static void test_who_signed_the_checkpoint(void **state)
{
	const struct cs_signer *stranger =
		cs_world_stranger(world, CS_ALG_EDDSA, "kye:key:acme.stranger");
	const struct {
		const struct cs_signer *checkpoint;
		const char *failures;
	} rows[] = {
		/* A note names a key by its hash, so any other key is an unknown one. */
		{stranger, "seal=key_unknown"},
		{cs_world_appliance(world, CS_USAGE_SEAL), "seal=key_unknown"},
		{cs_world_appliance(world, CS_USAGE_DOCUMENT), "seal=key_unknown"},
		{cs_world_person(world, CS_WORLD_SAM), "seal=key_unknown"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_DENIED);

		plan.checkpoint = rows[i].checkpoint;
		expect_plan(&plan, rows[i].failures, rows[i].failures);
	}
}

/* ---- the log ---- */

static void test_places_in_the_log(void **state)
{
	static const uint64_t places[][2] = {{0, 0}, {0, 1}, {0, 6}, {1, 0}, {3, 0}, {3, 4}, {6, 1},
		{7, 0}, {8, 0}, {511, 0}, {512, 0}, {1023, 2}};

	(void)state;
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_DENIED);
		struct cs_sealed *sealed;

		plan.index = places[i][0];
		plan.later = places[i][1];
		sealed = cs_sealed_make(world, &plan);
		CS_CLEANUP_JSON json_t *verdict = cs_verdict(world, sealed->pack);
		assert_string_equal(cs_verdict_failures(verdict), "");
		assert_string_equal(cs_verdict_check(verdict, "inclusion"), "passed");
		cs_sealed_free(sealed);
	}
}

static void test_another_head(void **state)
{
	static const uint64_t places[] = {0, 1, 5, 512};

	(void)state;
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_DENIED);

		plan.index = places[i];
		cs_sealed_tweak(&plan, CS_SEALED_STATEMENT, 0, "log/after/root", ADDRESS);
		expect_plan(&plan, "log/after/root", "seal=log_fork");
	}
}

static void test_another_place(void **state)
{
	struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_DENIED);

	(void)state;
	plan.later = 3;
	cs_sealed_tweak(&plan, CS_SEALED_STATEMENT, 0, "log/index", "4");
	cs_sealed_tweak(&plan, CS_SEALED_STATEMENT, 0, "log/after/size", "4");
	expect_plan(&plan, "log/index", "seal=bad_proof");
}

static void test_lines_of_others(void **state)
{
	const struct cs_signer *witness = cs_world_stranger(world, CS_ALG_EDDSA, "kye:key:witness");
	static const char *const names[] = {"witness.example", CS_WORLD_ORIGIN};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_DENIED);

		plan.witness = witness;
		plan.witness_name = names[i];
		expect_plan(&plan, names[i], "seal=bad_note");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_after_the_seal),
		cmocka_unit_test(test_statement_against_pack),
		cmocka_unit_test(test_statement_shape),
		cmocka_unit_test(test_statement_of_another_kind),
		cmocka_unit_test(test_approvals_out_of_order),
		cmocka_unit_test(test_statement_in_other_bytes),
		cmocka_unit_test(test_who_sealed),
		cmocka_unit_test(test_who_signed_the_checkpoint),
		cmocka_unit_test(test_places_in_the_log),
		cmocka_unit_test(test_another_head),
		cmocka_unit_test(test_another_place),
		cmocka_unit_test(test_lines_of_others),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, make_world, free_world);
}
