/*
 * Packs read later: after keys were revoked, people left and versions followed, and packs of
 * actions that such a change ended.
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

#define SEAL_KEY "kye:key:acme.countersign-1.seal.01"
#define CHECKPOINT_KEY "kye:key:acme.countersign-1.checkpoint.01"
#define DOCUMENT_KEY "kye:key:acme.countersign-1.document.01"

#define REVOKED(at, from, checkpoint) \
	"{\"at\": \"2026-11-20T" at "Z\", \"reason\": \"compromise\", \"invalid_from\": " from \
	", \"last_trusted_checkpoint\": " checkpoint "}"

/* ---- a world, a pack, and what happened since ---- */

struct past {
	struct cs_world *world;
	struct cs_sealed *sealed;
};

static struct past begin(enum cs_sealed_scenario scenario)
{
	struct past past = {.world = cs_world_new(0)};

	past.sealed = cs_sealed_scenario(past.world, scenario);
	return past;
}

static void end(struct past *past)
{
	cs_sealed_free(past->sealed);
	cs_world_free(past->world);
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

/* With the trust sets, with the published keys, and each stopping at the first failure. */
static void expect(const struct past *past, const char *failures)
{
	CS_CLEANUP_JSON json_t *verdict = cs_verdict(past->world, past->sealed->pack);
	CS_CLEANUP_JSON json_t *published = cs_verdict_jwks(past->world, past->sealed->pack);

	if (strcmp(cs_verdict_failures(verdict), failures) != 0)
		cs_verdict_explain(verdict);
	assert_string_equal(cs_verdict_failures(verdict), failures);
	assert_string_equal(cs_verdict_failures(published), failures);
	assert_int_equal(json_is_true(json_object_get(verdict, "authentic")), failures[0] == '\0');
	assert_int_equal(
		json_is_true(json_object_get(published, "authentic")), failures[0] == '\0');
}

static void expect_revoked(enum cs_sealed_scenario scenario, const char *kid,
	const char *revocation, const char *failures)
{
	struct past past = begin(scenario);
	json_t *draft = cs_world_next_trust(past.world, "2026-11-20T10:30:00Z");

	json_object_set_new(
		entry(draft, "keys", "kid", kid), "revocation", cs_world_json(revocation));
	follow(past.world, draft);
	expect(&past, failures);
	end(&past);
}

/* ---- versions ---- */

static void test_later_version(void **state)
{
	(void)state;
	for (int i = 0; i < CS_SEALED_SCENARIOS; i++) {
		struct past past = begin((enum cs_sealed_scenario)i);

		follow(past.world, cs_world_next_trust(past.world, "2026-11-20T10:30:00Z"));
		follow(past.world, cs_world_next_trust(past.world, "2026-11-20T10:31:00Z"));
		expect(&past, "");
		end(&past);
	}
}

static void test_version_not_in_force(void **state)
{
	struct past past = begin(CS_SEALED_ROLLBACK);

	(void)state;
	follow(past.world, cs_world_next_trust(past.world, "2026-11-20T10:05:00Z"));
	expect(&past, "trust_set_in_force=statement_other_trust_set");
	end(&past);
	past = begin(CS_SEALED_ROLLBACK);
	follow(past.world, cs_world_next_trust(past.world, "2026-11-20T10:05:01Z"));
	expect(&past, "");
	end(&past);
}

/* ---- keys ---- */

static void test_seal_key_revoked(void **state)
{
	(void)state;
	expect_revoked(CS_SEALED_ROLLBACK, SEAL_KEY, REVOKED("10:20:00", "null", "null"), "");
	expect_revoked(CS_SEALED_ROLLBACK, SEAL_KEY,
		REVOKED("10:20:00", "\"2026-11-20T10:05:01Z\"", "null"), "");
	expect_revoked(CS_SEALED_ROLLBACK, SEAL_KEY,
		REVOKED("10:20:00", "\"2026-11-20T10:05:00Z\"", "null"), "seal=key_revoked");
	expect_revoked(CS_SEALED_ROLLBACK, SEAL_KEY,
		REVOKED("10:20:00", "\"2026-11-20T09:00:00Z\"", "null"), "seal=key_revoked");
	/* A seal in the log does not rest on this key. */
	expect_revoked(CS_SEALED_DENIED, SEAL_KEY,
		REVOKED("10:20:00", "\"2026-11-20T09:00:00Z\"", "null"), "");
}

static void test_checkpoint_key_revoked(void **state)
{
	(void)state;
	expect_revoked(CS_SEALED_DENIED, CHECKPOINT_KEY, REVOKED("10:20:00", "null", "null"), "");
	expect_revoked(CS_SEALED_DENIED, CHECKPOINT_KEY,
		REVOKED("10:20:00", "\"2026-11-20T10:05:01Z\"", "null"), "");
	expect_revoked(CS_SEALED_DENIED, CHECKPOINT_KEY,
		REVOKED("10:20:00", "\"2026-11-20T10:05:00Z\"", "null"), "seal=key_unknown");
	expect_revoked(CS_SEALED_ROLLBACK, CHECKPOINT_KEY,
		REVOKED("10:20:00", "\"2026-11-20T09:00:00Z\"", "null"), "");
}

static void test_document_key_revoked(void **state)
{
	(void)state;
	expect_revoked(CS_SEALED_ROLLBACK, DOCUMENT_KEY, REVOKED("10:20:00", "null", "null"), "");
	/* Between the certificate and the seal, and before the certificate. */
	expect_revoked(CS_SEALED_ROLLBACK, DOCUMENT_KEY,
		REVOKED("10:20:00", "\"2026-11-20T10:05:00Z\"", "null"),
		"engine_certificate=key_revoked");
	expect_revoked(CS_SEALED_DENIED, DOCUMENT_KEY,
		REVOKED("10:20:00", "\"2026-11-20T08:00:00Z\"", "null"),
		"engine_certificate=key_revoked");
}

static void test_approver_key_revoked(void **state)
{
	(void)state;
	expect_revoked(CS_SEALED_ROLLBACK, "kye:key:acme.carl.01",
		REVOKED("10:20:00", "null", "null"), "");
	expect_revoked(CS_SEALED_ROLLBACK, "kye:key:acme.carl.01",
		REVOKED("10:20:00", "\"2026-11-20T10:05:00Z\"", "null"),
		"oversight_and_quorum=key_revoked");
	/* Who rejected stays on record. */
	expect_revoked(CS_SEALED_REJECTED, "kye:key:acme.carl.01",
		REVOKED("10:20:00", "\"2026-11-20T10:00:00Z\"", "null"), "");
	expect_revoked(CS_SEALED_ROLLBACK, "kye:key:acme.eve.01",
		REVOKED("10:20:00", "\"2026-11-20T10:00:00Z\"", "null"), "");
}

/* Lena signed the policy and the grants. */
static void test_grantor_key_revoked(void **state)
{
	(void)state;
	expect_revoked(
		CS_SEALED_RESTART, "kye:key:acme.lena.01", REVOKED("10:20:00", "null", "null"), "");
	expect_revoked(CS_SEALED_RESTART, "kye:key:acme.lena.01",
		REVOKED("10:20:00", "\"2026-10-02T09:00:00Z\"", "null"), "policy=key_revoked");
}

/* ---- the last trusted checkpoint ---- */

static char *checkpoint_of(const struct cs_sealed *sealed, bool with_signature)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	const char *seal =
		cs_json_text_at(sealed->pack, "signatures/0/signature") + strlen("sig:tlog:");
	char *note, *copy;

	assert_int_equal(cs_base64url_decode(seal, strlen(seal), &text), CS_OK);
	note = strstr((char *)text.data, "\n\n");
	assert_non_null(note);
	copy = strdup(note + 2);
	assert_non_null(copy);
	if (!with_signature)
		strstr(copy, "\n\n")[1] = '\0';
	return copy;
}

static void revoke_with_checkpoint(struct cs_world *world, const char *kid, const char *checkpoint)
{
	json_t *draft = cs_world_next_trust(world, "2026-11-20T10:30:00Z");
	json_t *revocation = cs_world_json(REVOKED("10:20:00", "null", "null"));

	json_object_set_new(revocation, "last_trusted_checkpoint", json_string(checkpoint));
	json_object_set_new(entry(draft, "keys", "kid", kid), "revocation", revocation);
	follow(world, draft);
}

/* Dated before the theft, as a thief would: only the checkpoint tells. */
static void test_proof_is_required(void **state)
{
	struct past past = begin(CS_SEALED_ROLLBACK);
	struct past logged = begin(CS_SEALED_DENIED);
	char *checkpoint = checkpoint_of(logged.sealed, true);

	(void)state;
	revoke_with_checkpoint(past.world, SEAL_KEY, checkpoint);
	expect(&past, "seal=key_revoked");
	free(checkpoint);
	end(&past);
	end(&logged);
}

static void test_proof_leads_to_the_last_trusted(void **state)
{
	(void)state;
	for (int with_signature = 0; with_signature < 2; with_signature++) {
		struct past past = begin(CS_SEALED_DENIED);
		char *checkpoint = checkpoint_of(past.sealed, with_signature);

		revoke_with_checkpoint(past.world, CHECKPOINT_KEY, checkpoint);
		expect(&past, "");
		free(checkpoint);
		end(&past);
	}
}

static void test_proof_leads_elsewhere(void **state)
{
	static const struct {
		const char *checkpoint, *failures;
	} rows[] = {
		{CS_WORLD_ORIGIN "\n6\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
			"seal=key_revoked"},
		{CS_WORLD_ORIGIN "\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
			"seal=key_revoked"},
		{"no checkpoint", "seal=bad_checkpoint"},
		{"\n\n", "seal=bad_checkpoint"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct past past = begin(CS_SEALED_DENIED);

		revoke_with_checkpoint(past.world, CHECKPOINT_KEY, rows[i].checkpoint);
		expect(&past, rows[i].failures);
		end(&past);
	}
}

/* The right size and root, of another log. */
static void test_checkpoint_of_another_log(void **state)
{
	struct past past = begin(CS_SEALED_DENIED);
	char *checkpoint = checkpoint_of(past.sealed, false);
	CS_CLEANUP_BYTES struct cs_bytes other = {0};

	(void)state;
	assert_int_equal(
		cs_bytes_addf(&other, "acme.example/other%s", strchr(checkpoint, '\n')), CS_OK);
	revoke_with_checkpoint(past.world, CHECKPOINT_KEY, (const char *)other.data);
	expect(&past, "seal=key_revoked");
	free(checkpoint);
	end(&past);
}

/* ---- people and agents ---- */

static void test_people_leave(void **state)
{
	static const char *const left[] = {
		CS_WORLD_ADA, CS_WORLD_CARL, CS_WORLD_PAUL, CS_WORLD_LENA};

	(void)state;
	for (int i = 0; i < CS_SEALED_SCENARIOS; i++) {
		struct past past = begin((enum cs_sealed_scenario)i);
		json_t *draft = cs_world_next_trust(past.world, "2026-11-20T10:30:00Z");

		for (size_t p = 0; p < sizeof left / sizeof left[0]; p++)
			json_object_set_new(entry(draft, "persons", "id", left[p]), "state",
				json_string("ended"));
		json_object_set_new(entry(draft, "agents", "id", CS_WORLD_AGENT), "state",
			json_string("ended"));
		follow(past.world, draft);
		expect(&past, "");
		end(&past);
	}
}

/* ---- a change while the action waited ---- */

static void new_policy(struct cs_world *world)
{
	json_t *draft = cs_world_next_policy(world, "2026-11-20T10:04:00Z");

	cs_world_set(draft, "title", "\"Production changes, stricter\"");
	cs_world_cosign(world, draft, CS_WORLD_LENA);
	cs_world_cosign(world, draft, CS_WORLD_CORA);
	cs_world_add_policy(world, draft);
	json_decref(draft);
}

static void new_trust_set(struct cs_world *world)
{
	follow(world, cs_world_next_trust(world, "2026-11-20T10:04:00Z"));
}

static struct past changed_while_waiting(
	void (*meanwhile)(struct cs_world *world), bool allowed_all_the_same)
{
	struct past past = {.world = cs_world_new(0)};
	struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_ROLLBACK);

	plan.meanwhile = meanwhile;
	if (allowed_all_the_same) {
		cs_sealed_tweak(&plan, CS_SEALED_DECISION, 0, "outcome", "\"allow\"");
	} else {
		plan.ended = "invalidated";
		plan.form = CS_SEAL_TLOG;
	}
	past.sealed = cs_sealed_make(past.world, &plan);
	return past;
}

static void test_invalidated(void **state)
{
	struct past policy = changed_while_waiting(new_policy, false);
	struct past trust = changed_while_waiting(new_trust_set, false);
	CS_CLEANUP_JSON json_t *of_policy = cs_verdict(policy.world, policy.sealed->pack);
	CS_CLEANUP_JSON json_t *of_trust = cs_verdict(trust.world, trust.sealed->pack);

	(void)state;
	expect(&policy, "");
	expect(&trust, "");
	/*
	 * The briefs were composed under a policy that the pack does not carry, and that is said.
	 */
	assert_string_equal(cs_verdict_check(of_policy, "briefs"), "passed");
	assert_string_equal(cs_verdict_check(of_policy, "briefs_composed"), "not_checked");
	assert_string_equal(cs_verdict_check(of_trust, "briefs_composed"), "absent");
	assert_string_equal(cs_json_text(policy.sealed->decision, "reason_code"), "invalidated");
	assert_string_equal(cs_json_text(of_policy, "decision"), "deny");
	end(&policy);
	end(&trust);
}

/* What was approved under other versions allows nothing under these. */
static void test_old_approvals_allow_nothing(void **state)
{
	struct past policy = changed_while_waiting(new_policy, true);
	struct past trust = changed_while_waiting(new_trust_set, true);

	(void)state;
	expect(&policy, "oversight_and_quorum=statement_other_policy gate=bad_pack");
	expect(&trust, "oversight_and_quorum=approval_other_trust_set");
	end(&policy);
	end(&trust);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_later_version),
		cmocka_unit_test(test_version_not_in_force),
		cmocka_unit_test(test_seal_key_revoked),
		cmocka_unit_test(test_checkpoint_key_revoked),
		cmocka_unit_test(test_document_key_revoked),
		cmocka_unit_test(test_approver_key_revoked),
		cmocka_unit_test(test_grantor_key_revoked),
		cmocka_unit_test(test_proof_is_required),
		cmocka_unit_test(test_proof_leads_to_the_last_trusted),
		cmocka_unit_test(test_proof_leads_elsewhere),
		cmocka_unit_test(test_checkpoint_of_another_log),
		cmocka_unit_test(test_people_leave),
		cmocka_unit_test(test_invalidated),
		cmocka_unit_test(test_old_approvals_allow_nothing),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
