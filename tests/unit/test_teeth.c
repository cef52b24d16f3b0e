/*
 * Each rule of the verifier alone: a pack that nothing but this rule stands against.
 *
 * In the teeth build the rule is switched off and the test must fail, that is, the pack is
 * accepted. So nothing is asserted here but that: a test that failed for another reason would prove
 * nothing. What the gate would notice too is tried with verify.gate off (tests/teeth/teeth.py): two
 * rules then stood between a broken appliance and that pack, and each is shown.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fixture/verdict.h"

#include <sodium.h>
#include <string.h>

static void expect_refused(struct cs_world *world, const struct cs_sealed_plan *plan)
{
	struct cs_sealed *sealed = cs_sealed_make(world, plan);
	CS_CLEANUP_JSON json_t *verdict = cs_verdict_jwks(world, sealed->pack);
	bool authentic = json_is_true(json_object_get(verdict, "authentic"));

	if (!authentic)
		print_message("refused: %s\n", cs_verdict_failures(verdict));
	cs_sealed_free(sealed);
	assert_false(authentic);
}

static void expect_plan_refused(const struct cs_sealed_plan *plan)
{
	struct cs_world *world = cs_world_new(0);

	expect_refused(world, plan);
	cs_world_free(world);
}

#define ADDRESS "\"sha256:4444444444444444444444444444444444444444444444444444444444444444\""

/* ---- verify.* ---- */

static void verify_subject(void **state)
{
	struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_ROLLBACK);

	(void)state;
	cs_sealed_tweak(&plan, CS_SEALED_SEALED, 0, "id",
		"\"kye:evidence-pack:01KAGJ7XQ2D3E4F5G6H7J8K9ZZ\"");
	expect_plan_refused(&plan);
}

static void verify_statement(void **state)
{
	struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_DENIED);

	(void)state;
	cs_sealed_tweak(&plan, CS_SEALED_STATEMENT, 0, "outcome", "\"quarantine\"");
	expect_plan_refused(&plan);
}

/*
 * More people than the documents ask for, and they are all there: but a verifier has every fact, so
 * it must come out equal.
 */
static void verify_oversight(void **state)
{
	struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_CONFIG);

	(void)state;
	plan.approvers[1] =
		(struct cs_sealed_approver){CS_WORLD_CARL, "change_owner", "approved", NULL, NULL};
	cs_sealed_tweak(&plan, CS_SEALED_DECISION, 0, "outcome", "\"allow\"");
	cs_sealed_tweak(&plan, CS_SEALED_DECISION, 0, "oversight", "\"two_person\"");
	expect_plan_refused(&plan);
}

static void verify_quorum(void **state)
{
	struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_ROLLBACK);

	(void)state;
	cs_sealed_tweak(&plan, CS_SEALED_INPUTS, 0, "approvals", "[]");
	expect_plan_refused(&plan);
}

/* Beside a denial, the same in published words that say the opposite. */
static void verify_envelopes(void **state)
{
	struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_DENIED);

	(void)state;
	cs_sealed_tweak(&plan, CS_SEALED_INPUTS, 0, "admissibility_decision/decision", "\"admit\"");
	expect_plan_refused(&plan);
}

/* Nobody's signature is asked for, so nothing but the gate says that this must not be. */
static void verify_gate(void **state)
{
	struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_RESTART);

	(void)state;
	cs_sealed_tweak(&plan, CS_SEALED_CORE, 0, "due_diligence", "null");
	cs_sealed_tweak(&plan, CS_SEALED_DECISION, 0, "outcome", "\"allow\"");
	expect_plan_refused(&plan);
}

static void verify_brief(void **state)
{
	struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_ROLLBACK);

	(void)state;
	cs_sealed_tweak(&plan, CS_SEALED_BRIEF, 0, "proposed_action/summary", "\"Nothing much\"");
	expect_plan_refused(&plan);
}

static void verify_engine(void **state)
{
	struct cs_world *world = cs_world_new(0);
	struct cs_signer impostor =
		*cs_world_stranger(world, CS_ALG_EDDSA, "kye:key:acme.stranger");
	struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_ROLLBACK);

	(void)state;
	impostor.kid = cs_world_appliance(world, CS_USAGE_ENGINE)->kid;
	plan.engine = &impostor;
	expect_refused(world, &plan);
	cs_world_free(world);
}

static void verify_policy(void **state)
{
	struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_ROLLBACK);

	(void)state;
	cs_sealed_tweak(&plan, CS_SEALED_INPUTS, 0, "policy/signatures", "[]");
	expect_plan_refused(&plan);
}

static void verify_grants(void **state)
{
	struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_ROLLBACK);

	(void)state;
	cs_sealed_tweak(
		&plan, CS_SEALED_STATE, 0, "grants/0/scope/actions/+", "\"scale-node-pool\"");
	expect_plan_refused(&plan);
}

static void verify_addresses(void **state)
{
	struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_ROLLBACK);

	(void)state;
	cs_sealed_tweak(&plan, CS_SEALED_PACK, 0, "resolution/members/0/sha256", ADDRESS);
	expect_plan_refused(&plan);
}

static json_t *entry(json_t *draft, const char *list, const char *key, const char *id)
{
	json_t *found = (json_t *)(uintptr_t)cs_json_find(json_object_get(draft, list), key, id);

	assert_non_null(found);
	return found;
}

static void follow(struct cs_world *world, json_t *draft)
{
	cs_world_cosign(world, draft, CS_WORLD_SUE);
	cs_world_cosign(world, draft, CS_WORLD_CORA);
	cs_world_add_trust(world, draft);
	json_decref(draft);
}

/*
 * A world in which this key was stolen an hour before the pack was sealed. The pack is older than
 * the version that says so.
 */
static void expect_stolen_key_refused(const char *kid, const char *checkpoint)
{
	struct cs_world *world = cs_world_new(0);
	struct cs_sealed *sealed = cs_sealed_scenario(world, CS_SEALED_ROLLBACK);
	json_t *draft = cs_world_next_trust(world, "2026-11-20T10:30:00Z");
	json_t *revocation = json_pack("{ss ss ss? ss?}", "at", "2026-11-20T10:30:00Z", "reason",
		"compromise", "invalid_from", checkpoint == NULL ? "2026-11-20T09:05:00Z" : NULL,
		"last_trusted_checkpoint", checkpoint);

	json_object_set_new(entry(draft, "keys", "kid", kid), "revocation", revocation);
	follow(world, draft);
	CS_CLEANUP_JSON json_t *verdict = cs_verdict_jwks(world, sealed->pack);
	bool authentic = json_is_true(json_object_get(verdict, "authentic"));
	cs_sealed_free(sealed);
	cs_world_free(world);
	assert_false(authentic);
}

static void verify_revocation_of_the_seal_key(void **state)
{
	(void)state;
	expect_stolen_key_refused("kye:key:acme.countersign-1.seal.01", NULL);
}

static void verify_revocation_of_the_document_key(void **state)
{
	(void)state;
	expect_stolen_key_refused("kye:key:acme.countersign-1.document.01", NULL);
}

static void verify_revocation_with_a_last_checkpoint(void **state)
{
	(void)state;
	expect_stolen_key_refused("kye:key:acme.countersign-1.seal.01",
		CS_WORLD_ORIGIN "\n5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
}

/* ---- quorum.*, as the verifier applies them: the appliance says "allow" all the same ---- */

static struct cs_sealed_plan allowed(void)
{
	struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_ROLLBACK);

	cs_sealed_tweak(&plan, CS_SEALED_DECISION, 0, "outcome", "\"allow\"");
	return plan;
}

static void expect_second_refused(const char *person, const char *decision)
{
	struct cs_sealed_plan plan = allowed();

	plan.approvers[1] =
		(struct cs_sealed_approver){person, "change_owner", decision, NULL, NULL};
	expect_plan_refused(&plan);
}

/* Carl is engineer and change owner, and has a key on each of two tokens. */
static void quorum_two_persons(void **state)
{
	static const char role[] = "{\"role\": \"engineer\", \"services\": [\"*\"], "
				   "\"environments\": [\"*\"], \"from\": \"2026-11-02T00:00:00Z\", "
				   "\"until\": null}";
	struct cs_world *world = cs_world_new(0);
	const struct cs_signer *first = cs_world_person(world, CS_WORLD_CARL);
	json_t *draft = cs_world_next_trust(world, "2026-11-01T00:00:00Z");
	struct cs_sealed_plan plan = allowed();

	(void)state;
	cs_world_set(entry(draft, "persons", "id", CS_WORLD_CARL), "roles/+", role);
	cs_world_enrol(world, draft, CS_WORLD_CARL, "kye:key:acme.carl.02",
		"kye:token:acme.carl.02", CS_ALG_EDDSA, cs_trust_address(cs_world_trust(world)));
	follow(world, draft);
	plan.approvers[0] =
		(struct cs_sealed_approver){CS_WORLD_CARL, "engineer", "approved", NULL, first};
	expect_refused(world, &plan);
	cs_world_free(world);
}

static void quorum_two_tokens(void **state)
{
	struct cs_world *world = cs_world_new(CS_WORLD_SHARED_TOKEN);
	struct cs_sealed_plan plan = allowed();

	(void)state;
	expect_refused(world, &plan);
	cs_world_free(world);
}

static void quorum_requester(void **state)
{
	(void)state;
	expect_second_refused(CS_WORLD_PAUL, "approved");
}

static void quorum_role_held(void **state)
{
	(void)state;
	expect_second_refused(CS_WORLD_EVE, "approved");
}

static void quorum_role_scope(void **state)
{
	(void)state;
	expect_second_refused(CS_WORLD_DORA, "approved");
}

static void quorum_is_approval(void **state)
{
	(void)state;
	expect_second_refused(CS_WORLD_CARL, "escalated");
}

static void quorum_binding(void **state)
{
	struct cs_sealed_plan plan = allowed();

	(void)state;
	cs_sealed_tweak(&plan, CS_SEALED_APPROVAL, 1, "binding/action", ADDRESS);
	expect_plan_refused(&plan);
}

static void quorum_window(void **state)
{
	struct cs_sealed_plan plan = allowed();

	(void)state;
	cs_sealed_tweak(
		&plan, CS_SEALED_APPROVAL, 1, "binding/not_after", "\"2026-11-20T23:00:00Z\"");
	expect_plan_refused(&plan);
}

static void quorum_revoked(void **state)
{
	(void)state;
	expect_stolen_key_refused("kye:key:acme.carl.01", NULL);
}

static void quorum_signature(void **state)
{
	struct cs_sealed_plan plan = allowed();

	(void)state;
	cs_sealed_tweak(&plan, CS_SEALED_INPUTS, 0, "approvals/0/decision/rationale",
		"\"Read the plan and the telemetry!\"");
	expect_plan_refused(&plan);
}

/* ---- trust.appliance-keys ---- */

/* The checkpoint key in the document key's place, which has ended. */
static void trust_appliance_keys(void **state)
{
	struct cs_world *world = cs_world_new(0);
	json_t *draft = cs_world_next_trust(world, "2026-11-20T10:30:00Z");
	struct cs_fault fault = {0};

	(void)state;
	cs_world_set(
		draft, "appliances/0/document_key", "\"kye:key:acme.countersign-1.checkpoint.01\"");
	json_object_set_new(entry(draft, "keys", "kid", "kye:key:acme.countersign-1.document.01"),
		"not_after", json_string("2026-11-20T10:30:00Z"));
	follow(world, draft);
	enum cs_err err = cs_world_try_trust(world, &fault);
	cs_world_free(world);
	assert_int_not_equal(err, CS_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verify_subject),
		cmocka_unit_test(verify_statement),
		cmocka_unit_test(verify_oversight),
		cmocka_unit_test(verify_quorum),
		cmocka_unit_test(verify_gate),
		cmocka_unit_test(verify_envelopes),
		cmocka_unit_test(verify_brief),
		cmocka_unit_test(verify_engine),
		cmocka_unit_test(verify_policy),
		cmocka_unit_test(verify_grants),
		cmocka_unit_test(verify_addresses),
		cmocka_unit_test(verify_revocation_of_the_seal_key),
		cmocka_unit_test(verify_revocation_of_the_document_key),
		cmocka_unit_test(verify_revocation_with_a_last_checkpoint),
		cmocka_unit_test(quorum_two_persons),
		cmocka_unit_test(quorum_two_tokens),
		cmocka_unit_test(quorum_requester),
		cmocka_unit_test(quorum_role_held),
		cmocka_unit_test(quorum_role_scope),
		cmocka_unit_test(quorum_is_approval),
		cmocka_unit_test(quorum_binding),
		cmocka_unit_test(quorum_window),
		cmocka_unit_test(quorum_revoked),
		cmocka_unit_test(quorum_signature),
		cmocka_unit_test(trust_appliance_keys),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
