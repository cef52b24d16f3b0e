/*
 * The n-th allocation of a JSON value fails, for n = 1, 2, … until loading succeeds: each time it is
 * said that memory ran out, and nothing is left behind.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fixture/world.h"

#include <sodium.h>
#include <stdlib.h>

#define EVERY_ONE 300 /* from here on only some of the allocations fail */

static long until_failure = -1;

static void *failing_malloc(size_t size)
{
	if (until_failure > 0 && --until_failure == 0)
		return NULL;
	return malloc(size);
}

/* Runs `load` with a failure ever later; gives the number of runs that failed. */
static unsigned run(enum cs_err (*load)(struct cs_world *world), struct cs_world *world)
{
	unsigned failed = 0;

	for (long n = 1;; n += n < EVERY_ONE ? 1 : n / 20) {
		until_failure = n;
		enum cs_err err = load(world);
		bool reached = until_failure == 0;
		until_failure = -1;
		if (err == CS_OK && !reached)
			return failed;
		if (err != CS_E_NOMEM)
			print_error("allocation %ld: %s\n", n, cs_err_name(err));
		assert_int_equal(err, CS_E_NOMEM);
		failed++;
	}
}

static enum cs_err load_trust(struct cs_world *world)
{
	return cs_world_try_trust(world, NULL);
}

static enum cs_err load_policy(struct cs_world *world)
{
	return cs_world_try_policy(world, NULL);
}

static enum cs_err publish(struct cs_world *world)
{
	json_t *jwks = NULL;
	enum cs_err err = cs_trust_publish(cs_world_trust(world), &jwks);

	json_decref(jwks);
	return err;
}

static json_t *published;

static enum cs_err load_published(struct cs_world *world)
{
	struct cs_keyring *ring = NULL;
	enum cs_err err = cs_keyring_from_jwks(cs_world_registry(world), published, &ring, NULL);

	cs_keyring_free(ring);
	return err;
}

static void each_allocation_may_fail(void **state)
{
	struct cs_world *world = cs_world_new(0);
	json_t *draft = cs_world_next_trust(world, "2026-10-10T08:00:00Z");

	(void)state;
	cs_world_cosign(world, draft, CS_WORLD_SUE);
	cs_world_cosign(world, draft, CS_WORLD_CORA);
	cs_world_add_trust(world, draft);
	json_decref(draft);
	published = cs_world_jwks(world);
	cs_world_policy(world);
	assert_true(run(load_trust, world) > EVERY_ONE);
	assert_true(run(publish, world) > 100);
	assert_true(run(load_published, world) > 10);
	assert_true(run(load_policy, world) > 5);
	json_decref(published);
	cs_world_free(world);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_allocation_may_fail),
	};

	if (sodium_init() < 0)
		return 1;
	json_set_alloc_funcs(failing_malloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
