/* One approval: its binding, its shape, its windows, and what is extracted from it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/jose.h"
#include "tests/fixture/case.h"

#include <sodium.h>
#include <string.h>

static struct cs_world *world;
static json_t *core;
static struct cs_case_judge judge;

static enum cs_err check(const json_t *decision, struct cs_fault *fault)
{
	return cs_approval_check(&judge.context, decision, NULL, fault);
}

static json_t *engineer(const char *path, const char *value)
{
	return cs_case_decision(
		world, core, CS_WORLD_ADA, "engineer", "approved", path, value, NULL);
}

static void expect(enum cs_err expected, json_t *decision, const char *path)
{
	struct cs_fault fault = {{0}};
	enum cs_err err = check(decision, &fault);

	if (err != expected)
		print_error("%s at %s: %s\n", cs_err_name(err), fault.path, fault.detail);
	assert_int_equal(err, expected);
	if (path != NULL)
		assert_string_equal(fault.path, path);
	json_decref(decision);
}

static void a_good_approval_passes(void **unused)
{
	static const char *const values[] = {"approved", "approved_with_restrictions", "rejected",
		"requires_more_information", "escalated"};
	const struct cs_key_info *key = NULL;
	json_t *decision = engineer("rationale", "\"\"");
	(void)unused;

	assert_int_equal(cs_approval_check(&judge.context, decision, &key, NULL), CS_OK);
	assert_non_null(key);
	assert_string_equal(key->entity, CS_WORLD_ADA);
	json_decref(decision);
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		decision = cs_case_decision(world, core, CS_WORLD_ADA, "engineer", values[i], NULL);
		assert_int_equal(cs_approval_is_approval(decision), i < 2);
		expect(CS_OK, decision, NULL);
	}
}

static void a_binding_to_anything_else_is_refused(void **unused)
{
	static const char zero[] =
		"\"sha256:0000000000000000000000000000000000000000000000000000000000000000\"";
	(void)unused;

	expect(CS_E_APPROVAL_ACTION, engineer("binding/action", zero), "/binding/action");
	expect(CS_E_APPROVAL_CLASS, engineer("binding/action_class", "\"deploy-config\""),
		"/binding/action_class");
	expect(CS_E_APPROVAL_CLASS, engineer("binding/change_class", "\"reversible\""),
		"/binding/change_class");
	expect(CS_E_APPROVAL_POLICY, engineer("binding/policy", zero), "/binding/policy");
	expect(CS_E_APPROVAL_TRUST_SET, engineer("binding/trust_set", zero), "/binding/trust_set");
	expect(CS_E_APPROVAL_AUDIENCE, engineer("binding/audience", "\"acme.example/other\""),
		"/binding/audience");
	expect(CS_E_APPROVAL_BINDING,
		engineer("approver_decision_right", "\"kye:decision-right:change_owner\""),
		"/approver_decision_right");
	expect(CS_E_APPROVAL_BINDING,
		engineer("approver_decision_right", "\"kye:decision-right:engineers\""),
		"/approver_decision_right");
	expect(CS_E_DOCUMENT_INVALID,
		engineer("approver_decision_right", "\"kye:decision-right:\""),
		"/approver_decision_right");
	expect(CS_E_APPROVAL_BINDING, engineer("binding", NULL), "/binding");
	expect(CS_OK, engineer("approver_decision_right", NULL), NULL);
}

static void a_decision_of_another_shape_is_refused(void **unused)
{
	json_t *decision = engineer("rationale", "\"\"");
	(void)unused;

	expect(CS_E_DOCUMENT_INVALID, engineer("decision", "\"expired\""), "/decision");
	expect(CS_E_DOCUMENT_INVALID, engineer("decision", "\"maybe\""), "/decision");
	expect(CS_E_DOCUMENT_INVALID,
		engineer("restrictions", "[{\"restriction_id\": \"r\", \"summary\": \"s\"}]"),
		"/restrictions");
	expect(CS_E_DOCUMENT_INVALID,
		cs_case_decision(world, core, CS_WORLD_ADA, "engineer",
			"approved_with_restrictions", "restrictions", "[]", NULL),
		"/restrictions");
	expect(CS_E_DOCUMENT_INVALID, engineer("extra", "1"), NULL);
	expect(CS_E_DOCUMENT_INVALID, engineer("decided_at", "\"2026-02-30T10:00:00Z\""), NULL);
	expect(CS_E_TEXT, engineer("rationale", "\"fine\\u202e\""), "/rationale");
	json_object_del(decision, "signature");
	expect(CS_E_DOCUMENT_INVALID, decision, NULL);
}

static void windows_are_kept(void **unused)
{
	(void)unused;

	/* The policy gives an hour; the clock may be five minutes behind the approver's. */
	expect(CS_E_APPROVAL_EXPIRED, engineer("binding/not_after", "\"2026-11-20T10:00:00Z\""),
		"/binding/not_after");
	expect(CS_OK, engineer("binding/not_after", "\"2026-11-20T10:00:00.001Z\""), NULL);
	expect(CS_E_APPROVAL_WINDOW, engineer("binding/not_after", "\"2026-11-20T11:00:00.001Z\""),
		"/binding/not_after");
	expect(CS_E_APPROVAL_EARLY, engineer("decided_at", "\"2026-11-20T10:05:00.001Z\""),
		"/decided_at");
	expect(CS_OK, engineer("decided_at", "\"2026-11-20T10:05:00Z\""), NULL);
	expect(CS_E_APPROVAL_WINDOW, engineer("decided_at", "\"2026-11-20T09:59:59Z\""),
		"/binding/not_after");
}

static void roles_are_held_and_cover_the_service(void **unused)
{
	(void)unused;

	expect(CS_E_APPROVAL_ROLE,
		cs_case_decision(world, core, CS_WORLD_ADA, "change_owner", "approved", NULL),
		NULL);
	expect(CS_E_APPROVAL_ROLE,
		cs_case_decision(world, core, CS_WORLD_SAM, "engineer", "approved", NULL), NULL);
	expect(CS_E_APPROVAL_SCOPE,
		cs_case_decision(world, core, CS_WORLD_DORA, "change_owner", "approved", NULL),
		NULL);
}

static void the_requester_fills_the_engineers_slot_only(void **unused)
{
	(void)unused;

	assert_string_equal(cs_json_text(core, "requester"), CS_WORLD_PAUL);
	expect(CS_OK, cs_case_decision(world, core, CS_WORLD_PAUL, "engineer", "approved", NULL),
		NULL);
	expect(CS_E_APPROVAL_REQUESTER,
		cs_case_decision(world, core, CS_WORLD_PAUL, "change_owner", "approved", NULL),
		"/binding/role");
}

/* Signs again with another key; the kid is that key's. */
static json_t *signed_by(const struct cs_signer *signer)
{
	json_t *decision = engineer("rationale", "\"\"");

	assert_int_equal(cs_inline_sign(decision, signer, false), CS_OK);
	return decision;
}

static void only_the_approvers_own_key_counts(void **unused)
{
	json_t *decision;
	(void)unused;

	expect(CS_E_KEY_ENTITY, signed_by(cs_world_person(world, CS_WORLD_EVE)), "/signature/kid");
	expect(CS_E_KEY_UNKNOWN,
		signed_by(cs_world_stranger(world, CS_ALG_EDDSA, "kye:key:acme.nobody.01")),
		"/signature/kid");
	expect(CS_E_KEY_USAGE, signed_by(cs_world_appliance(world, CS_USAGE_SEAL)),
		"/signature/kid");
	/* Another's key under Ada's kid */
	decision = signed_by(cs_world_person(world, CS_WORLD_EVE));
	json_object_set_new(json_object_get(decision, "signature"), "kid",
		json_string(cs_world_person(world, CS_WORLD_ADA)->kid));
	expect(CS_E_SIGNATURE, decision, "/signature");
}

static void an_approval_altered_by_one_byte_is_refused(void **unused)
{
	json_t *decision = engineer("rationale", "\"\"");
	CS_CLEANUP_BYTES struct cs_bytes bytes = {0};
	size_t parsed = 0;
	(void)unused;

	assert_int_equal(cs_canonical_print(decision, &bytes), CS_OK);
	for (size_t i = 0; i < bytes.len; i++) {
		json_t *altered = NULL;

		bytes.data[i] ^= 1;
		if (cs_json_read(bytes.data, bytes.len, CS_APPROVAL_MAX, &altered, NULL) == CS_OK) {
			assert_int_not_equal(check(altered, NULL), CS_OK);
			json_decref(altered);
			parsed++;
		}
		bytes.data[i] ^= 1;
	}
	assert_true(parsed > bytes.len / 2);
	expect(CS_OK, decision, NULL);
}

static void key_windows_and_revocation_are_judged_at_the_time(void **unused)
{
	struct cs_world *other = cs_world_new(0);
	json_t *draft = cs_world_next_trust(other, "2026-11-20T09:00:00Z");
	json_t *other_core, *decision;
	struct cs_case_judge later;
	struct cs_fault fault = {{0}};
	size_t i;
	json_t *key;
	(void)unused;

	json_array_foreach(json_object_get(draft, "keys"), i,
		key) if (strcmp(cs_json_text(key, "entity"), CS_WORLD_ADA) == 0)
		cs_world_set(key, "revocation",
			"{\"at\": \"2026-11-20T10:10:00Z\", \"reason\": \"lost\", "
			"\"invalid_from\": null, \"last_trusted_checkpoint\": null}");
	else if (strcmp(cs_json_text(key, "entity"), CS_WORLD_CARL) == 0)
		cs_world_set(key, "not_after", "\"2026-11-20T10:20:00Z\"");
	cs_world_cosign(other, draft, CS_WORLD_SAM);
	cs_world_cosign(other, draft, CS_WORLD_CORA);
	cs_world_add_trust(other, draft);
	json_decref(draft);
	other_core = cs_world_core(other, "rollback", NULL);
	cs_case_judge(other, other_core, &later);

	decision = cs_case_decision(other, other_core, CS_WORLD_ADA, "engineer", "approved", NULL);
	assert_int_equal(cs_approval_check(&later.context, decision, NULL, &fault), CS_OK);
	later.context.at = CS_WORLD_NOW + 10 * 60000;
	assert_int_equal(
		cs_approval_check(&later.context, decision, NULL, &fault), CS_E_KEY_REVOKED);
	/* What it decided before stays on record. */
	assert_int_equal(cs_approval_check_record(&later.context, decision, &fault), CS_OK);
	json_decref(decision);

	decision = cs_case_decision(
		other, other_core, CS_WORLD_CARL, "change_owner", "approved", NULL);
	assert_int_equal(cs_approval_check(&later.context, decision, NULL, &fault), CS_OK);
	later.context.at = CS_WORLD_NOW + 20 * 60000;
	assert_int_equal(
		cs_approval_check(&later.context, decision, NULL, &fault), CS_E_KEY_WINDOW);
	json_decref(decision);

	/* A decision cannot be older than the key that signs it. */
	decision = cs_case_decision(other, other_core, CS_WORLD_CARL, "change_owner", "approved",
		"decided_at", "\"2020-01-01T00:00:00Z\"", NULL);
	later.context.at = CS_WORLD_NOW;
	assert_int_equal(
		cs_approval_check(&later.context, decision, NULL, &fault), CS_E_KEY_WINDOW);
	assert_string_equal(fault.path, "/decided_at");
	json_decref(decision);
	json_decref(other_core);
	cs_world_free(other);
}

static void assurance_is_what_policy_and_class_demand(void **unused)
{
	struct cs_world *hardware = cs_world_new(CS_WORLD_HARDWARE);
	struct cs_world *strict = cs_world_new(0);
	json_t *policy = cs_world_next_policy(strict, "2026-11-20T09:00:00Z");
	json_t *other_core, *decision;
	struct cs_case_judge other;
	struct cs_fault fault = {{0}};
	(void)unused;

	/* Attested tokens do whatever is demanded. */
	other_core = cs_world_core(hardware, "rollback", NULL);
	cs_case_judge(hardware, other_core, &other);
	decision =
		cs_case_decision(hardware, other_core, CS_WORLD_ADA, "engineer", "approved", NULL);
	assert_int_equal(cs_approval_check(&other.context, decision, NULL, &fault), CS_OK);
	other.oversight.attested = true;
	assert_int_equal(cs_approval_check(&other.context, decision, NULL, &fault), CS_OK);
	json_decref(decision);
	json_decref(other_core);
	cs_world_free(hardware);

	/*
	 * Software tokens do not for a class that demands attestation, nor under a policy that
	 * takes none.
	 */
	judge.oversight.attested = true;
	expect(CS_E_APPROVAL_ASSURANCE, engineer("rationale", "\"\""), "/signature/kid");
	judge.oversight.attested = false;
	cs_world_set(policy, "software_tokens", "false");
	cs_world_cosign(strict, policy, CS_WORLD_LENA);
	cs_world_cosign(strict, policy, CS_WORLD_CORA);
	cs_world_add_policy(strict, policy);
	json_decref(policy);
	other_core = cs_world_core(strict, "rollback", NULL);
	cs_case_judge(strict, other_core, &other);
	decision = cs_case_decision(strict, other_core, CS_WORLD_ADA, "engineer", "approved", NULL);
	assert_int_equal(
		cs_approval_check(&other.context, decision, NULL, &fault), CS_E_APPROVAL_ASSURANCE);
	json_decref(decision);
	json_decref(other_core);
	cs_world_free(strict);
}

static void a_record_is_signed_by_its_person_for_this_action(void **unused)
{
	json_t *decision = engineer("binding/policy",
		"\"sha256:0000000000000000000000000000000000000000000000000000000000000000\"");
	(void)unused;

	/* Versions and windows may have passed. */
	assert_int_equal(cs_approval_check_record(&judge.context, decision, NULL), CS_OK);
	json_decref(decision);
	decision = engineer("binding/not_after", "\"2026-11-20T09:00:00Z\"");
	assert_int_equal(cs_approval_check_record(&judge.context, decision, NULL), CS_OK);
	json_decref(decision);

	decision = engineer("binding/action",
		"\"sha256:0000000000000000000000000000000000000000000000000000000000000000\"");
	assert_int_equal(
		cs_approval_check_record(&judge.context, decision, NULL), CS_E_APPROVAL_ACTION);
	json_decref(decision);
	decision = engineer("binding", NULL);
	assert_int_equal(
		cs_approval_check_record(&judge.context, decision, NULL), CS_E_APPROVAL_BINDING);
	json_decref(decision);
	decision = engineer("extra", "1");
	assert_int_equal(
		cs_approval_check_record(&judge.context, decision, NULL), CS_E_DOCUMENT_INVALID);
	json_decref(decision);
	decision = engineer("rationale", "\"\"");
	json_object_set_new(decision, "rationale", json_string("another"));
	assert_int_equal(cs_approval_check_record(&judge.context, decision, NULL), CS_E_SIGNATURE);
	json_decref(decision);
	decision = signed_by(cs_world_person(world, CS_WORLD_EVE));
	assert_int_equal(cs_approval_check_record(&judge.context, decision, NULL), CS_E_KEY_ENTITY);
	json_decref(decision);
	decision = signed_by(cs_world_stranger(world, CS_ALG_EDDSA, "kye:key:acme.nobody.02"));
	assert_int_equal(
		cs_approval_check_record(&judge.context, decision, NULL), CS_E_KEY_UNKNOWN);
	json_decref(decision);
	decision = signed_by(cs_world_appliance(world, CS_USAGE_SEAL));
	assert_int_equal(cs_approval_check_record(&judge.context, decision, NULL), CS_E_KEY_USAGE);
	json_decref(decision);
}

static void keys_on_the_curves_approve_too(void **unused)
{
	static const unsigned flags[] = {CS_WORLD_P256_PEOPLE, CS_WORLD_P384_PEOPLE};
	(void)unused;

	for (size_t i = 0; i < 2; i++) {
		struct cs_world *other = cs_world_new(flags[i]);
		json_t *other_core = cs_world_core(other, "rollback", NULL);
		json_t *decision = cs_case_decision(
			other, other_core, CS_WORLD_ADA, "engineer", "approved", NULL);
		struct cs_case_judge other_judge;

		cs_case_judge(other, other_core, &other_judge);
		assert_int_equal(
			cs_approval_check(&other_judge.context, decision, NULL, NULL), CS_OK);
		json_object_set_new(decision, "rationale", json_string("another"));
		assert_int_equal(cs_approval_check(&other_judge.context, decision, NULL, NULL),
			CS_E_SIGNATURE);
		json_decref(decision);
		json_decref(other_core);
		cs_world_free(other);
	}
}

static void an_extract_says_whose_token_signed_what(void **unused)
{
	json_t *decision = cs_case_decision(
		world, core, CS_WORLD_CARL, "change_owner", "approved_with_restrictions", NULL);
	const struct cs_key_info *key = NULL;
	json_t *extract = NULL;
	char address[CS_ADDRESS_TEXT];
	(void)unused;

	assert_int_equal(cs_approval_check(&judge.context, decision, &key, NULL), CS_OK);
	assert_int_equal(cs_approval_extract(decision, key, &extract), CS_OK);
	assert_int_equal(cs_address_of(decision, address), CS_OK);
	assert_string_equal(cs_json_text(extract, "address"), address);
	assert_string_equal(cs_json_text(extract, "decision"), "approved_with_restrictions");
	assert_string_equal(cs_json_text(extract, "approver"), CS_WORLD_CARL);
	assert_string_equal(cs_json_text(extract, "role"), "change_owner");
	assert_string_equal(cs_json_text(extract, "kid"), key->kid);
	assert_string_equal(cs_json_text_at(extract, "token/serial"), key->serial);
	assert_string_equal(cs_json_text(extract, "assurance"), "software");
	assert_string_equal(cs_json_text(extract, "decided_at"), CS_WORLD_NOW_TEXT);
	assert_string_equal(cs_json_text(extract, "not_after"), "2026-11-20T11:00:00Z");
	assert_int_equal(json_array_size(json_object_get(extract, "restrictions")), 1);
	json_decref(extract);
	json_decref(decision);
}

static int set_up(void **unused)
{
	(void)unused;
	world = cs_world_new(0);
	core = cs_world_core(world, "rollback", NULL);
	cs_case_judge(world, core, &judge);
	return 0;
}

static int tear_down(void **unused)
{
	(void)unused;
	json_decref(core);
	cs_world_free(world);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_approval_passes),
		cmocka_unit_test(a_binding_to_anything_else_is_refused),
		cmocka_unit_test(a_decision_of_another_shape_is_refused),
		cmocka_unit_test(windows_are_kept),
		cmocka_unit_test(roles_are_held_and_cover_the_service),
		cmocka_unit_test(the_requester_fills_the_engineers_slot_only),
		cmocka_unit_test(only_the_approvers_own_key_counts),
		cmocka_unit_test(an_approval_altered_by_one_byte_is_refused),
		cmocka_unit_test(key_windows_and_revocation_are_judged_at_the_time),
		cmocka_unit_test(assurance_is_what_policy_and_class_demand),
		cmocka_unit_test(a_record_is_signed_by_its_person_for_this_action),
		cmocka_unit_test(keys_on_the_curves_approve_too),
		cmocka_unit_test(an_extract_says_whose_token_signed_what),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
