/*
 * The n-th allocation of a JSON value fails, for n = 1, 2, … until composing or verifying succeeds:
 * memory that runs out is said to have run out, nothing is left behind, and a wrong pack is never
 * taken for a right one.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fixture/verdict.h"

#include <sodium.h>
#include <stdlib.h>

#define EVERY_ONE 250 /* from here on only some of the allocations fail */

static long until_failure = -1;
static struct cs_world *world;

static void *failing_malloc(size_t size)
{
	if (until_failure > 0 && --until_failure == 0)
		return NULL;
	return malloc(size);
}

static long next(long n)
{
	return n + (n < EVERY_ONE ? 1 : n / 12);
}

static int make_world(void **state)
{
	(void)state;
	world = cs_world_new(0);
	assert_non_null(cs_world_keyring(world));
	return 0;
}

static int free_world(void **state)
{
	(void)state;
	cs_world_free(world);
	return 0;
}

/* Gives how many runs ended for want of memory. */
static unsigned verify_starved(const json_t *pack, bool right, bool hasty)
{
	const struct cs_verify_input input = {
		.registry = cs_world_registry(world),
		.ring = cs_world_keyring(world),
		.trust = cs_world_trust(world),
		.document = pack,
		.stop_at_first = hasty,
	};
	unsigned starved = 0;

	for (long n = 1;; n = next(n)) {
		json_t *verdict = NULL;

		until_failure = n;
		enum cs_err err = cs_verify(&input, &verdict);
		bool reached = until_failure == 0;
		until_failure = -1;
		bool authentic = json_is_true(json_object_get(verdict, "authentic"));
		if (reached && err != CS_E_NOMEM) {
			print_error("allocation %ld: %s\n", n, cs_err_name(err));
			cs_verdict_explain(verdict);
		}
		json_decref(verdict);
		assert_int_equal(err, reached ? CS_E_NOMEM : CS_OK);
		assert_int_equal(authentic, !reached && right);
		if (!reached)
			return starved;
		starved++;
	}
}

static void test_right_packs(void **state)
{
	static const enum cs_sealed_scenario scenarios[] = {CS_SEALED_RESTRICTED, CS_SEALED_DENIED};

	(void)state;
	for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
		struct cs_sealed *sealed = cs_sealed_scenario(world, scenarios[i]);

		assert_true(verify_starved(sealed->pack, true, false) > EVERY_ONE);
		cs_sealed_free(sealed);
	}
}

static void test_wrong_packs(void **state)
{
	static const struct cs_sealed_tweak tweaks[] = {
		{CS_SEALED_SEALED, 0, "version", "2"},
		{CS_SEALED_DECISION, 0, "finality", "\"advisory\""},
		{CS_SEALED_INPUTS, 0, "approvals", "[]"},
		{CS_SEALED_BRIEF, 0, "risk_level", "\"low\""},
		{CS_SEALED_STATE, 0, "grants/0/version", "2"},
		{CS_SEALED_INPUTS, 0, "policy/signatures", "[]"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof tweaks / sizeof tweaks[0]; i++)
		for (int hasty = 0; hasty < 2; hasty++) {
			struct cs_sealed_plan plan = cs_sealed_plan(CS_SEALED_ROLLBACK);
			struct cs_sealed *sealed;

			plan.tweaks[0] = tweaks[i];
			sealed = cs_sealed_make(world, &plan);
			assert_true(verify_starved(sealed->pack, false, hasty) > 5);
			cs_sealed_free(sealed);
		}
}

static void test_composing(void **state)
{
	struct cs_sealed *sealed = cs_sealed_scenario(world, CS_SEALED_ROLLBACK);
	const struct cs_pack_input input = {
		.inputs = sealed->inputs,
		.state = sealed->state,
		.ulid = "01KAGJ7XQ2D3E4F5G6H7J8K9Z1",
		.engine = CS_WORLD_ENGINE,
		.signer = cs_world_appliance(world, CS_USAGE_ENGINE),
		.now = CS_SEALED_AT,
	};
	unsigned starved = 0;

	(void)state;
	for (long n = 1;; n = next(n), starved++) {
		json_t *pack = NULL;

		until_failure = n;
		enum cs_err err = cs_pack_compose(&input, &pack, NULL);
		bool reached = until_failure == 0;
		until_failure = -1;
		assert_int_equal(pack != NULL, err == CS_OK);
		json_decref(pack);
		if (!reached) {
			assert_int_equal(err, CS_OK);
			break;
		}
		if (err != CS_E_NOMEM)
			print_error("allocation %ld: %s\n", n, cs_err_name(err));
		assert_int_equal(err, CS_E_NOMEM);
	}
	assert_true(starved > EVERY_ONE);
	cs_sealed_free(sealed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right_packs),
		cmocka_unit_test(test_wrong_packs),
		cmocka_unit_test(test_composing),
	};

	if (sodium_init() < 0)
		return 1;
	json_set_alloc_funcs(failing_malloc, free);
	return cmocka_run_group_tests(tests, make_world, free_world);
}
