/*
 * A receipt must prove that this decision is a leaf of the pinned appliance's log; everything else
 * that a broker could answer is refused.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "appliance/command/receipt.c"
#include "core/merkle.h"
#include "tests/fixture/case.h"

#include <sodium.h>

static struct cs_world *world;
static json_t *core;
static json_t *decision;
static char decision_address[CS_ADDRESS_TEXT];

/* What a test changes while the receipt is made. */
struct change {
	const char *path; /* of the statement, or NULL */
	const char *value;
	const char *origin;		/* of the checkpoint; NULL is the world's */
	const struct cs_signer *signer; /* of the checkpoint; NULL is the checkpoint key */
	bool other_leaf;		/* the proof is for another leaf than the statement */
	bool other_root;		/* the checkpoint has another root */
};

static json_t *make_statement(const struct change *change, const uint8_t root[CS_HASH])
{
	struct cs_case_judge judge;
	json_t *statement = NULL;

	cs_case_judge(world, core, &judge);
	struct cs_statement_input input = {
		.kind = "approval",
		.subject = decision_address,
		.mode = "enforce",
		.outcome = "approved",
		.action = judge.action,
		.oversight = &judge.oversight,
		.policy = cs_policy_address(cs_world_policy(world)),
		.trust_set = cs_trust_address(cs_world_trust(world)),
		.origin = CS_WORLD_ORIGIN,
		.index = 1,
		.issued_at = CS_WORLD_NOW,
		.not_after = CS_TIME_MAX,
	};
	memcpy(input.root, root, CS_HASH);
	assert_int_equal(cs_statement_compose(&input, &statement), CS_OK);
	if (change->path != NULL)
		cs_world_set(statement, change->path, change->value);
	return statement;
}

/* Two leaves: one that was there before, and the statement. */
static void make_proof(const json_t *statement, const struct change *change, struct cs_bytes *text)
{
	CS_CLEANUP_BYTES struct cs_bytes leaf = {0};
	struct cs_tlog_proof proof = {.index = 1, .count = 1};
	struct cs_checkpoint checkpoint = {.size = 2};
	uint8_t leaf_hash[CS_HASH];

	assert_int_equal(cs_canonical_print(statement, &leaf), CS_OK);
	if (change->other_leaf)
		cs_bytes_add_text(&leaf, " ");
	cs_merkle_leaf("first", 5, proof.proof[0]);
	cs_merkle_leaf(leaf.data, leaf.len, leaf_hash);
	cs_merkle_node(proof.proof[0], leaf_hash, checkpoint.root);
	if (change->other_root)
		checkpoint.root[0] ^= 1;
	snprintf(checkpoint.origin, sizeof checkpoint.origin, "%s",
		change->origin != NULL ? change->origin : CS_WORLD_ORIGIN);
	cs_bytes_add(&proof.extra, leaf.data, leaf.len);
	assert_int_equal(cs_checkpoint_print(&checkpoint, &proof.checkpoint), CS_OK);
	assert_int_equal(
		cs_note_sign(&proof.checkpoint, checkpoint.origin,
			change->signer != NULL ? change->signer
					       : cs_world_appliance(world, CS_USAGE_CHECKPOINT)),
		CS_OK);
	assert_int_equal(cs_tlog_proof_print(&proof, text), CS_OK);
	cs_tlog_proof_free(&proof);
}

static json_t *make_receipt(const struct change *change)
{
	CS_CLEANUP_BYTES struct cs_bytes proof = {0};
	CS_CLEANUP_BYTES struct cs_bytes seal = {0};
	uint8_t root[CS_HASH];

	cs_merkle_leaf("first", 5, root);
	json_t *statement = make_statement(change, root);
	make_proof(statement, change, &proof);
	cs_bytes_add_text(&seal, "sig:tlog:");
	cs_base64url_encode(proof.data, proof.len, &seal);
	return json_pack("{s:s, s:o, s:s}", "decision", decision_address, "statement", statement,
		"seal", (const char *)seal.data);
}

static void expect(enum cs_err expected, json_t *receipt)
{
	struct cs_approver own = {
		.audience = CS_WORLD_ORIGIN,
		.registry = cs_world_registry(world),
		.trust = (struct cs_trust *)(uintptr_t)cs_world_trust(world),
	};
	uint64_t index = 99;
	struct cs_fault fault = {{0}};
	enum cs_err err =
		cs_receipt_check(&own, receipt, decision_address, CS_WORLD_NOW, &index, &fault);

	if (err != expected)
		print_error("%s at '%s': %s\n", cs_err_name(err), fault.path, fault.detail);
	assert_int_equal(err, expected);
	assert_int_equal(index, expected == CS_OK ? 1 : 99);
	json_decref(receipt);
}

static json_t *with(const char *path, const char *value)
{
	json_t *receipt = make_receipt(&(struct change){0});

	cs_world_set(receipt, path, value);
	return receipt;
}

static void an_honest_receipt_is_proved(void **unused)
{
	(void)unused;
	expect(CS_OK, make_receipt(&(struct change){0}));
}

static void it_is_about_this_decision(void **unused)
{
	static const char zero[] =
		"\"sha256:0000000000000000000000000000000000000000000000000000000000000000\"";
	(void)unused;

	expect(CS_E_ADDRESS_MISMATCH, with("decision", zero));
	expect(CS_E_ADDRESS_MISMATCH,
		make_receipt(&(struct change){.path = "subject", .value = zero}));
	expect(CS_E_ADDRESS_MISMATCH,
		make_receipt(&(struct change){.path = "kind", .value = "\"decision\""}));
}

static void the_leaf_is_the_statement(void **unused)
{
	(void)unused;

	expect(CS_E_PROOF, make_receipt(&(struct change){.other_leaf = true}));
	expect(CS_E_PROOF, make_receipt(&(struct change){.other_root = true}));
	expect(CS_E_PROOF, make_receipt(&(struct change){.path = "log/index", .value = "2"}));
	expect(CS_E_PROOF, with("statement/outcome", "\"rejected\""));
}

static void the_checkpoint_is_the_pinned_appliances(void **unused)
{
	(void)unused;

	expect(CS_E_KEY_UNKNOWN,
		make_receipt(&(struct change){.signer = cs_world_appliance(world, CS_USAGE_SEAL)}));
	expect(CS_E_KEY_UNKNOWN, make_receipt(&(struct change){.origin = "acme.example/other"}));
}

static void what_is_no_receipt_is_refused(void **unused)
{
	(void)unused;

	expect(CS_E_DOCUMENT_INVALID, cs_world_json("{}"));
	expect(CS_E_DOCUMENT_INVALID, with("statement/extra", "1"));
	expect(CS_E_PROOF, with("seal", NULL));
	expect(CS_E_PROOF, with("seal", "\"sig:jws:a.b.c\""));
	expect(CS_E_BASE64, with("seal", "\"sig:tlog:!\""));
	expect(CS_E_PROOF, with("seal", "\"sig:tlog:AAAA\""));
}

static int set_up(void **unused)
{
	(void)unused;
	world = cs_world_new(0);
	core = cs_world_core(world, "rollback", NULL);
	decision = cs_case_decision(world, core, CS_WORLD_ADA, "engineer", "approved", NULL);
	return cs_address_of(decision, decision_address) == CS_OK ? 0 : -1;
}

static int tear_down(void **unused)
{
	(void)unused;
	json_decref(decision);
	json_decref(core);
	cs_world_free(world);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_honest_receipt_is_proved),
		cmocka_unit_test(it_is_about_this_decision),
		cmocka_unit_test(the_leaf_is_the_statement),
		cmocka_unit_test(the_checkpoint_is_the_pinned_appliances),
		cmocka_unit_test(what_is_no_receipt_is_refused),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
