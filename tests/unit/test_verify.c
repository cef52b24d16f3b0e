/*
 * Verification of good packs: what is said about each scenario, what published keys alone cannot
 * check, and what an executor asks.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fixture/verdict.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define LATER "admissibility_evidence scenario_runs control_rows replay"

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

static void expect_authentic(const json_t *verdict)
{
	if (!json_is_true(json_object_get(verdict, "authentic")))
		cs_verdict_explain(verdict);
	assert_true(json_is_true(json_object_get(verdict, "authentic")));
	assert_string_equal(cs_verdict_failures(verdict), "");
}

/* ---- what is said ---- */

static void test_scenarios(void **state)
{
	static const struct {
		const char *decision, *class_id, *change_class, *oversight, *not_after;
		size_t approvals;
		bool jws;
	} expected[CS_SEALED_SCENARIOS] = {
		[CS_SEALED_ROLLBACK] = {"allow", "rollback-production-service", "irreversible",
			"two_person", "2026-11-20T10:32:00Z", 2, true},
		[CS_SEALED_RESTRICTED] = {"allow_with_constraints", "rollback-production-service",
			"irreversible", "two_person", "2026-11-20T10:32:00Z", 2, true},
		[CS_SEALED_CONFIG] = {"allow", "deploy-config", "compensatable", "single_approver",
			"2026-11-20T10:32:00Z", 1, true},
		[CS_SEALED_RESTART] = {"allow", "restart-stateless-service", "reversible", "none",
			"2026-11-20T10:35:00Z", 0, true},
		[CS_SEALED_DENIED] = {"deny", "rollback-production-service", "irreversible",
			"two_person", NULL, 0, false},
		[CS_SEALED_REJECTED] = {"deny", "rollback-production-service", "irreversible",
			"two_person", NULL, 2, false},
	};

	(void)state;
	for (int i = 0; i < CS_SEALED_SCENARIOS; i++) {
		CS_CLEANUP_JSON json_t *verdict = cs_verdict(world, sealed[i]->pack);
		const char *not_after = cs_json_text(verdict, "not_after");

		expect_authentic(verdict);
		assert_true(json_is_false(json_object_get(verdict, "authorised")));
		assert_string_equal(cs_json_text(verdict, "kind"), "pack");
		assert_string_equal(cs_json_text(verdict, "decision"), expected[i].decision);
		assert_string_equal(cs_json_text(verdict, "action"),
			cs_json_text(sealed[i]->statement, "action"));
		assert_string_equal(cs_json_text(verdict, "action_class"), expected[i].class_id);
		assert_string_equal(
			cs_json_text(verdict, "change_class"), expected[i].change_class);
		assert_string_equal(cs_json_text(verdict, "oversight"), expected[i].oversight);
		assert_string_equal(cs_json_text(verdict, "issued_at"), CS_SEALED_AT_TEXT);
		assert_string_equal(not_after != NULL ? not_after : "",
			expected[i].not_after != NULL ? expected[i].not_after : "");
		assert_string_equal(cs_json_text(verdict, "signer"), CS_WORLD_APPLIANCE);
		assert_string_equal(cs_json_text(verdict, "assurance"), "test");
		assert_string_equal(
			cs_json_text(verdict, "genesis"), cs_world_trust_genesis(world));
		assert_int_equal(json_array_size(json_object_get(verdict, "approvals")),
			expected[i].approvals);
		assert_string_equal(cs_verdict_check(verdict, "inclusion"),
			expected[i].jws ? "not_checked" : "passed");
		assert_string_equal(cs_verdict_not_checked(verdict),
			expected[i].jws ? "inclusion " LATER : LATER);
	}
}

static void test_every_check_is_named(void **state)
{
	static const char *const names[] = {"seal", "subject", "trust_set_in_force", "schema",
		"addresses", "statement", "engine_certificate", "engine_signatures", "decision_map",
		"grants", "policy", "oversight_and_quorum", "gate", "briefs", "trust_extracts",
		"envelopes"};

	(void)state;
	for (int i = 0; i < CS_SEALED_SCENARIOS; i++) {
		CS_CLEANUP_JSON json_t *verdict = cs_verdict(world, sealed[i]->pack);

		for (size_t n = 0; n < sizeof names / sizeof names[0]; n++)
			assert_string_equal(cs_verdict_check(verdict, names[n]), "passed");
		assert_int_equal(json_array_size(json_object_get(verdict, "checks")),
			sizeof names / sizeof names[0] + 5);
	}
}

static void test_who_approved(void **state)
{
	CS_CLEANUP_JSON json_t *verdict = cs_verdict(world, sealed[CS_SEALED_REJECTED]->pack);

	(void)state;
	assert_string_equal(cs_json_text_at(verdict, "approvals/0/approver"), CS_WORLD_ADA);
	assert_string_equal(cs_json_text_at(verdict, "approvals/0/role"), "engineer");
	assert_string_equal(cs_json_text_at(verdict, "approvals/0/kid"), "kye:key:acme.ada.01");
	assert_string_equal(cs_json_text_at(verdict, "approvals/0/decision"), "approved");
	assert_string_equal(
		cs_json_text_at(verdict, "approvals/0/decided_at"), "2026-11-20T10:02:00Z");
	assert_string_equal(cs_json_text_at(verdict, "approvals/1/decision"), "rejected");
}

static void test_summaries(void **state)
{
	CS_CLEANUP_JSON json_t *allow = cs_verdict(world, sealed[CS_SEALED_ROLLBACK]->pack);
	CS_CLEANUP_JSON json_t *deny = cs_verdict(world, sealed[CS_SEALED_DENIED]->pack);
	CS_CLEANUP_JSON json_t *pack = json_deep_copy(sealed[CS_SEALED_ROLLBACK]->pack);
	CS_CLEANUP_JSON json_t *broken = NULL;

	(void)state;
	assert_string_equal(cs_json_text(allow, "summary"),
		"authentic (test: software tokens); decision: allow; whether it authorises a "
		"request was not asked");
	assert_string_equal(cs_json_text(deny, "summary"),
		"authentic (test: software tokens); decision: deny; NOT an authorisation");
	cs_world_set(pack, "version", "2");
	broken = cs_verdict(world, pack);
	assert_string_equal(cs_json_text(broken, "summary"), "NOT authentic");
}

/* ---- keys of every kind ---- */

static void expect_world(unsigned flags, const char *assurance, const char *summary)
{
	struct cs_world *other = cs_world_new(flags);

	for (int i = 0; i < CS_SEALED_SCENARIOS; i++) {
		struct cs_sealed *made = cs_sealed_scenario(other, (enum cs_sealed_scenario)i);
		CS_CLEANUP_JSON json_t *verdict = cs_verdict(other, made->pack);
		CS_CLEANUP_JSON json_t *published = cs_verdict_jwks(other, made->pack);

		expect_authentic(verdict);
		expect_authentic(published);
		assert_string_equal(cs_json_text(verdict, "assurance"), assurance);
		if (i == CS_SEALED_DENIED)
			assert_string_equal(cs_json_text(verdict, "summary"), summary);
		cs_sealed_free(made);
	}
	cs_world_free(other);
}

static void test_keys_of_every_kind(void **state)
{
	static const char test[] =
		"authentic (test: software tokens); decision: deny; NOT an authorisation";

	(void)state;
	expect_world(CS_WORLD_P256_SEAL, "test", test);
	expect_world(CS_WORLD_P256_PEOPLE, "test", test);
	expect_world(CS_WORLD_P256_SEAL | CS_WORLD_P384_PEOPLE, "test", test);
	expect_world(
		CS_WORLD_HARDWARE, "hardware", "authentic; decision: deny; NOT an authorisation");
}

/* ---- published keys alone ---- */

static void test_published_keys(void **state)
{
	(void)state;
	for (int i = 0; i < CS_SEALED_SCENARIOS; i++) {
		CS_CLEANUP_JSON json_t *verdict = cs_verdict_jwks(world, sealed[i]->pack);
		bool jws = cs_sealed_plan((enum cs_sealed_scenario)i).form == CS_SEAL_JWS;

		expect_authentic(verdict);
		assert_string_equal(cs_verdict_check(verdict, "trust_extracts"), "not_checked");
		assert_string_equal(cs_verdict_not_checked(verdict),
			jws ? "inclusion trust_extracts " LATER : "trust_extracts " LATER);
		assert_string_equal(
			cs_json_text(verdict, "genesis"), cs_world_trust_genesis(world));
		assert_non_null(cs_json_text(verdict, "revocations_as_of"));
	}
}

/* A JWKS that says nothing but the keys cannot say who may sign what. */
static void test_plain_keys_are_not_enough(void **state)
{
	CS_CLEANUP_JSON json_t *jwks = cs_world_jwks(world);
	struct cs_keyring *ring = NULL;

	(void)state;
	json_object_del(jwks, "schema");
	assert_int_equal(cs_keyring_from_jwks(cs_world_registry(world), jwks, &ring, NULL), CS_OK);
	const struct cs_verify_input input = {.registry = cs_world_registry(world),
		.ring = ring,
		.document = sealed[CS_SEALED_ROLLBACK]->pack};
	CS_CLEANUP_JSON json_t *verdict = cs_verdict_of(&input);
	assert_string_equal(cs_verdict_failures(verdict), "keys=bad_key");
	assert_true(json_is_false(json_object_get(verdict, "authentic")));
	cs_keyring_free(ring);
}

static void test_keys_of_another_organisation(void **state)
{
	struct cs_world *other = cs_world_new(CS_WORLD_P256_SEAL);
	CS_CLEANUP_JSON json_t *jws = cs_verdict(other, sealed[CS_SEALED_ROLLBACK]->pack);
	CS_CLEANUP_JSON json_t *tlog = cs_verdict(other, sealed[CS_SEALED_DENIED]->pack);

	(void)state;
	assert_int_equal(strncmp(cs_verdict_failures(jws), "seal=algorithm_mismatch", 23), 0);
	assert_int_equal(strncmp(cs_verdict_failures(tlog), "seal=key_unknown", 16), 0);
	cs_world_free(other);
}

/* ---- documents that are no packs ---- */

static void test_not_a_pack(void **state)
{
	static const char *const documents[] = {"{}", "[]", "null", "\"text\"", "7",
		"{\"signatures\": []}", "{\"signatures\": [{}]}", "{\"signatures\": [null]}",
		"{\"signatures\": {\"0\": {}}}",
		"{\"signatures\": [{\"signature\": \"sig:jws:\", \"signer\": \"x\", \"signed_at\": "
		"\"y\"}]}",
		"{\"signatures\": [{\"signature\": \"sig:tlog:\", \"signer\": \"x\", "
		"\"signed_at\": \"y\"}]}",
		"{\"signatures\": [{\"signature\": \"sig:eddsa:a:b\", \"signer\": \"x\", "
		"\"signed_at\": \"y\"}]}"};

	(void)state;
	for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
		CS_CLEANUP_JSON json_t *document = json_loads(documents[i], JSON_DECODE_ANY, NULL);
		CS_CLEANUP_JSON json_t *verdict = cs_verdict(world, document);

		assert_true(json_is_false(json_object_get(verdict, "authentic")));
		assert_int_equal(strncmp(cs_verdict_failures(verdict), "seal=", 5), 0);
		assert_int_equal(json_array_size(json_object_get(verdict, "checks")), 1);
	}
}

/* ---- what an executor asks ---- */

static json_t *ask(const struct cs_sealed *s, const json_t *request, cs_time now)
{
	const struct cs_verify_input input = {
		.registry = cs_world_registry(world),
		.ring = cs_world_keyring(world),
		.trust = cs_world_trust(world),
		.document = s->pack,
		.expect_allow = true,
		.request = request,
		.now = now,
	};

	return cs_verdict_of(&input);
}

static void expect_answer(
	const struct cs_sealed *s, const json_t *request, cs_time now, bool authorised)
{
	CS_CLEANUP_JSON json_t *verdict = ask(s, request, now);

	/* Not to be an authorisation makes no pack less authentic. */
	assert_true(json_is_true(json_object_get(verdict, "authentic")));
	assert_int_equal(json_is_true(json_object_get(verdict, "authorised")), authorised);
	assert_string_equal(cs_verdict_check(verdict, "authorisation"),
		authorised ? "passed" : "not_an_authorisation");
	assert_int_equal(
		strstr(cs_json_text(verdict, "summary"), "; authorises this request") != NULL,
		authorised);
	assert_int_equal(strstr(cs_json_text(verdict, "summary"), "; NOT an authorisation") != NULL,
		!authorised);
}

static void test_allows_authorise(void **state)
{
	static const enum cs_sealed_scenario allows[] = {
		CS_SEALED_ROLLBACK, CS_SEALED_CONFIG, CS_SEALED_RESTART};

	(void)state;
	for (size_t i = 0; i < sizeof allows / sizeof allows[0]; i++) {
		const struct cs_sealed *s = sealed[allows[i]];

		expect_answer(s, s->request, CS_SEALED_AT, true);
		expect_answer(s, NULL, CS_SEALED_AT, false);
	}
}

/* Restricted to 10:10 and later, and to three replicas at a time. */
static void test_restrictions_are_kept_and_told(void **state)
{
	const struct cs_sealed *s = sealed[CS_SEALED_RESTRICTED];
	CS_CLEANUP_JSON json_t *verdict = cs_verdict(world, s->pack);
	cs_time from;

	(void)state;
	assert_int_equal(cs_time_parse("2026-11-20T10:10:00Z", &from, NULL), CS_OK);
	expect_answer(s, s->request, CS_SEALED_AT, false);
	expect_answer(s, s->request, from - 1, false);
	expect_answer(s, s->request, from, true);
	assert_int_equal(json_array_size(json_object_get(verdict, "restrictions")), 2);
}

static void test_what_has_to_be_acknowledged_is_no_authorisation_yet(void **state)
{
	static const char *const restrictions[] = {
		"[{\"restriction_id\": \"r-1\", \"summary\": \"Tell the shift\", \"type\": \"acknowledge\", \"value\": \"told\"}]",
		"[{\"restriction_id\": \"r-1\", \"summary\": \"Of no type\"}]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof restrictions / sizeof restrictions[0]; i++) {
		struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_RESTRICTED);
		plan.approvers[1].restrictions = restrictions[i];
		struct cs_sealed *s = cs_sealed_make(world, &plan);
		expect_answer(s, s->request, CS_SEALED_AT, false);
		cs_sealed_free(s);
	}
}

static void test_refusals_do_not_authorise(void **state)
{
	(void)state;
	expect_answer(
		sealed[CS_SEALED_DENIED], sealed[CS_SEALED_DENIED]->request, CS_SEALED_AT, false);
	expect_answer(sealed[CS_SEALED_REJECTED], sealed[CS_SEALED_REJECTED]->request, CS_SEALED_AT,
		false);
}

static void test_window(void **state)
{
	const struct cs_sealed *s = sealed[CS_SEALED_ROLLBACK];
	cs_time end;

	(void)state;
	assert_int_equal(cs_time_parse(cs_json_text(s->statement, "not_after"), &end, NULL), CS_OK);
	expect_answer(s, s->request, end, true);
	expect_answer(s, s->request, end + 1, false);
	/* A clock may be behind the appliance's by half a minute. */
	expect_answer(s, s->request, CS_SEALED_AT - 30000, true);
	expect_answer(s, s->request, CS_SEALED_AT - 30001, false);
	expect_answer(s, s->request, 0, false);
	expect_answer(s, s->request, CS_TIME_MAX, false);
}

/* Each top-level member of a request is compared, and so is what is in it. */
static void test_another_request(void **state)
{
	static const struct {
		const char *path, *value;
	} changes[] = {
		{"purpose_request/id", "\"kye:purpose-req:acme:01KAGJ7XQ2D3E4F5G6H7J8K9ZZ\""},
		{"purpose_request/data_classes/0", NULL},
		{"proposed_action/action_summary", "\"Roll checkout-api back\""},
		{"proposed_action/risk_flags/coercion_signal_detected", "true"},
		{"execution/arguments/7", "\"--to-revision=40\""},
		{"execution/arguments/+", "\"--force\""},
		{"execution/executable_digest",
			"\"sha256:"
			"0000000000000000000000000000000000000000000000000000000000000000\""},
		{"execution/target/environment", "\"staging\""},
		{"rollback", "null"},
		{"rollback/arguments/7", "\"--to-revision=1\""},
		{"due_diligence", "null"},
		{"due_diligence/blast_radius/services", "2"},
		{"due_diligence/screens/2", NULL},
		{"provenance/confidence_permille", "911"},
		{"provenance/signals/0", NULL},
		{"purpose_request", NULL},
		{"rollback", NULL},
		{"provenance", NULL},
		{"requester", "\"kye:person:acme.paul\""},
		{"policy", "\"sha256:"
			   "0000000000000000000000000000000000000000000000000000000000000000\""},
		{"other", "1"},
	};
	const struct cs_sealed *s = sealed[CS_SEALED_ROLLBACK];

	(void)state;
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		CS_CLEANUP_JSON json_t *request = json_deep_copy(s->request);

		cs_world_set(request, changes[i].path, changes[i].value);
		assert_false(cs_json_same(request, s->request));
		expect_answer(s, request, CS_SEALED_AT, false);
	}
	expect_answer(s, sealed[CS_SEALED_CONFIG]->request, CS_SEALED_AT, false);
	CS_CLEANUP_JSON json_t *nothing = json_object();
	expect_answer(s, nothing, CS_SEALED_AT, false);
	CS_CLEANUP_JSON json_t *list = json_array();
	expect_answer(s, list, CS_SEALED_AT, false);
}

/* A pack that is not authentic authorises nothing, and is not even asked. */
static void test_broken_pack_authorises_nothing(void **state)
{
	struct cs_sealed broken = *sealed[CS_SEALED_ROLLBACK];
	CS_CLEANUP_JSON json_t *pack = json_deep_copy(broken.pack);
	CS_CLEANUP_JSON json_t *verdict = NULL;

	(void)state;
	cs_world_set(pack, "version", "2");
	broken.pack = pack;
	verdict = ask(&broken, broken.request, CS_SEALED_AT);
	assert_true(json_is_false(json_object_get(verdict, "authentic")));
	assert_true(json_is_false(json_object_get(verdict, "authorised")));
	assert_string_equal(cs_verdict_check(verdict, "authorisation"), "absent");
	assert_string_equal(cs_json_text(verdict, "summary"), "NOT authentic");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scenarios),
		cmocka_unit_test(test_every_check_is_named),
		cmocka_unit_test(test_who_approved),
		cmocka_unit_test(test_summaries),
		cmocka_unit_test(test_keys_of_every_kind),
		cmocka_unit_test(test_published_keys),
		cmocka_unit_test(test_plain_keys_are_not_enough),
		cmocka_unit_test(test_keys_of_another_organisation),
		cmocka_unit_test(test_not_a_pack),
		cmocka_unit_test(test_allows_authorise),
		cmocka_unit_test(test_restrictions_are_kept_and_told),
		cmocka_unit_test(test_what_has_to_be_acknowledged_is_no_authorisation_yet),
		cmocka_unit_test(test_refusals_do_not_authorise),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_another_request),
		cmocka_unit_test(test_broken_pack_authorises_nothing),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, make_all, free_all);
}
