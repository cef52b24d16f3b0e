/*
 * Every byte of a sealed pack with one bit flipped, one at a time, signatures, signer and time of
 * signing included: never accepted.
 *
 * FLIP_STEP=N takes every N-th byte only (sanitizers). The work is shared among as many processes
 * as there are processors.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fixture/verdict.h"

#include <countersign/limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOBS_MAX 8

static struct cs_world *world;

static int make_world(void **state)
{
	(void)state;
	world = cs_world_new(0);
	/* Loaded before the processes part. */
	assert_non_null(cs_world_keyring(world));
	assert_non_null(cs_world_registry(world));
	return 0;
}

static int free_world(void **state)
{
	(void)state;
	cs_world_free(world);
	return 0;
}

static size_t step(void)
{
	const char *text = getenv("FLIP_STEP");
	long value = text != NULL ? strtol(text, NULL, 10) : 1;

	return value > 0 ? (size_t)value : 1;
}

static size_t jobs(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	return processors < 1 ? 1 : processors > JOBS_MAX ? JOBS_MAX : (size_t)processors;
}

/* Another bit from byte to byte, but the same in every run. */
static unsigned char bit_for(size_t offset)
{
	return (unsigned char)(1u << ((offset * 5 + offset / 7) % 8));
}

struct tally {
	size_t unreadable, refused, accepted;
};

static void judge(const char *text, size_t len, struct tally *tally)
{
	CS_CLEANUP_JSON json_t *document = NULL;
	CS_CLEANUP_JSON json_t *verdict = NULL;

	if (cs_json_read(text, len, CS_PACK_MAX, &document, NULL) != CS_OK) {
		tally->unreadable++;
		return;
	}
	const struct cs_verify_input input = {
		.registry = cs_world_registry(world),
		.ring = cs_world_keyring(world),
		.document = document,
		.stop_at_first = true,
	};
	verdict = cs_verdict_of(&input);
	if (json_is_false(json_object_get(verdict, "authentic")))
		tally->refused++;
	else
		tally->accepted++;
}

/* The bytes job, job + jobs, … of the pack. Returns false when one was accepted. */
static bool flip_some(char *text, size_t len, size_t job, struct tally *tally)
{
	size_t stride = step() * jobs();

	for (size_t i = job * step(); i < len; i += stride) {
		size_t before = tally->accepted;

		text[i] = (char)((unsigned char)text[i] ^ bit_for(i));
		judge(text, len, tally);
		text[i] = (char)((unsigned char)text[i] ^ bit_for(i));
		if (tally->accepted != before)
			fprintf(stderr, "accepted: bit %02x of byte %zu: …%.40s…\n", bit_for(i), i,
				text + (i < 20 ? 0 : i - 20));
	}
	return tally->accepted == 0;
}

static void flip(enum cs_sealed_scenario scenario)
{
	struct cs_sealed *sealed = cs_sealed_scenario(world, scenario);
	struct tally intact = {0}, all = {0};
	pid_t child[JOBS_MAX];
	int pipes[2];
	size_t len;
	char *text = cs_sealed_text(sealed->pack, &len);

	/* Untouched it is accepted, or the rest would prove nothing. */
	judge(text, len, &intact);
	assert_int_equal(intact.accepted, 1);
	assert_int_equal(pipe(pipes), 0);
	for (size_t job = 0; job < jobs(); job++) {
		child[job] = fork();
		assert_true(child[job] >= 0);
		if (child[job] == 0) {
			struct tally own = {0};
			bool refused = flip_some(text, len, job, &own);
			bool told = write(pipes[1], &own, sizeof own) == (ssize_t)sizeof own;
			_exit(refused && told ? 0 : 1);
		}
	}
	close(pipes[1]);
	for (size_t job = 0; job < jobs(); job++) {
		int status = -1;
		struct tally own = {0};
		assert_int_equal(waitpid(child[job], &status, 0), child[job]);
		assert_int_equal(read(pipes[0], &own, sizeof own), (ssize_t)sizeof own);
		all.unreadable += own.unreadable;
		all.refused += own.refused;
		all.accepted += own.accepted;
		assert_int_equal(status, 0);
	}
	close(pipes[0]);
	print_message("%zu bytes: %zu flips unreadable, %zu refused, %zu accepted\n", len,
		all.unreadable, all.refused, all.accepted);
	assert_int_equal(all.unreadable + all.refused, (len + step() - 1) / step());
	assert_int_equal(all.accepted, 0);
	assert_true(all.unreadable > 0 && all.refused > all.unreadable);
	free(text);
	cs_sealed_free(sealed);
}

static void test_every_byte_of_a_jws_pack(void **state)
{
	(void)state;
	flip(CS_SEALED_ROLLBACK);
}

static void test_every_byte_of_a_tlog_pack(void **state)
{
	(void)state;
	flip(CS_SEALED_DENIED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_byte_of_a_jws_pack),
		cmocka_unit_test(test_every_byte_of_a_tlog_pack),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, make_world, free_world);
}
