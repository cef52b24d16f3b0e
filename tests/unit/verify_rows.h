/*
 * Packs that are wrong in one place and well signed everywhere else, as rows: which document is
 * changed before whoever signs it signs it, and every check that then fails, in order. For the
 * tests of the verifier, each of which includes it once.
 */
#ifndef CS_TEST_VERIFY_ROWS_H
#define CS_TEST_VERIFY_ROWS_H

#include "tests/fixture/verdict.h"

#include <string.h>

#define ADDRESS "\"sha256:4444444444444444444444444444444444444444444444444444444444444444\""

static struct cs_world *world;

static int make_world(void **state)
{
	(void)state;
	world = cs_world_new(0);
	return 0;
}

static int free_world(void **state)
{
	(void)state;
	cs_world_free(world);
	return 0;
}

struct wrong {
	enum cs_sealed_scenario scenario;
	struct cs_sealed_tweak tweaks[4];
	const char *failures;
};

static void expect_failures(const char *what, const json_t *pack, const char *failures)
{
	CS_CLEANUP_JSON json_t *verdict = cs_verdict(world, pack);
	const struct cs_verify_input hasty = {
		.registry = cs_world_registry(world),
		.ring = cs_world_keyring(world),
		.trust = cs_world_trust(world),
		.document = pack,
		.stop_at_first = true,
	};
	CS_CLEANUP_JSON json_t *first = cs_verdict_of(&hasty);

	if (strcmp(cs_verdict_failures(verdict), failures) != 0) {
		print_error(
			"%s: '%s' instead of '%s'\n", what, cs_verdict_failures(verdict), failures);
		cs_verdict_explain(verdict);
	}
	assert_string_equal(cs_verdict_failures(verdict), failures);
	assert_true(json_is_false(json_object_get(verdict, "authentic")));
	assert_true(json_is_false(json_object_get(first, "authentic")));
	/* Who wants to hear of the first failure alone hears of the same one. */
	assert_int_equal(strncmp(cs_verdict_failures(first), failures, strcspn(failures, " ")), 0);
}

static void expect_plan(const struct cs_sealed_plan *plan, const char *what, const char *failures)
{
	struct cs_sealed *sealed = cs_sealed_make(world, plan);

	expect_failures(what, sealed->pack, failures);
	cs_sealed_free(sealed);
}

static void expect_all(const struct wrong *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct cs_sealed_plan plan = cs_sealed_plan(rows[i].scenario);

		for (const struct cs_sealed_tweak *t = rows[i].tweaks; t->path != NULL; t++)
			cs_sealed_tweak(&plan, t->stage, t->approver, t->path, t->value);
		expect_plan(&plan, rows[i].tweaks[0].path, rows[i].failures);
	}
}
#define EXPECT_ALL(rows) expect_all(rows, sizeof(rows) / sizeof(rows)[0])

#endif
