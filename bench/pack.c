/*
 * What verifying a sealed pack costs, step by step, as multiples of one Ed25519 verification in the same run: the machines are shared and noisy, ratios
 * hold.
 */
#include <countersign/limits.h>
#include "tests/fixture/sealed.h"
#include "tests/fixture/verdict.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 200

struct bench {
	struct cs_world *world;
	struct cs_sealed *sealed;
	struct cs_bytes text;
	uint8_t message[600], signature[CS_SIGNATURE_MAX];
	const struct cs_signer *signer;
};

static void must(enum cs_err err, const char *what)
{
	if (err == CS_OK)
		return;
	fprintf(stderr, "%s: %s\n", what, cs_err_text(err));
	exit(1);
}

static void one_signature(struct bench *b)
{
	must(cs_signature_verify(&b->signer->key, b->message, sizeof b->message, b->signature,
		     cs_alg_signature_len(b->signer->key.alg), 0), "verify a signature");
}

static void read_pack(struct bench *b)
{
	CS_CLEANUP_JSON json_t *pack = NULL;

	must(cs_json_read(b->text.data, b->text.len, CS_PACK_MAX, &pack, NULL), "read");
}

static void print_pack(struct bench *b)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};

	must(cs_canonical_print(b->sealed->pack, &text), "print");
}

static void check_schema(struct bench *b)
{
	must(cs_schema_check(cs_world_registry(b->world), "kye.evidence.pack.v1", b->sealed->pack, NULL), "schema");
}

static void verify_pack(struct bench *b)
{
	CS_CLEANUP_JSON json_t *verdict = cs_verdict(b->world, b->sealed->pack);

	if (!json_is_true(json_object_get(verdict, "authentic")))
		must(CS_E_PACK, cs_verdict_failures(verdict));
}

static double microseconds(void (*step)(struct bench *), struct bench *b)
{
	struct timespec from, to;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	for (int i = 0; i < ROUNDS; i++)
		step(b);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	return ((double)(to.tv_sec - from.tv_sec) * 1e6 + (double)(to.tv_nsec - from.tv_nsec) / 1e3) / ROUNDS;
}

int main(void)
{
	static const struct {
		const char *name;
		void (*run)(struct bench *);
	} steps[] = {
		{"read the pack strictly", read_pack},
		{"print its canonical form", print_pack},
		{"check it against the pack's schema", check_schema},
		{"verify it with the trust sets", verify_pack},
	};
	struct bench b = {0};

	if (sodium_init() < 0)
		return 1;
	b.world = cs_world_new(0);
	b.sealed = cs_sealed_scenario(b.world, CS_SEALED_ROLLBACK);
	must(cs_canonical_print(b.sealed->pack, &b.text), "print");
	b.signer = cs_world_person(b.world, CS_WORLD_ADA);
	must(b.signer->sign(b.signer->context, b.message, sizeof b.message, b.signature), "sign");
	double unit = microseconds(one_signature, &b);
	printf("one Ed25519 verification: %.0f us (the unit)\npack: %zu bytes, two approvals\n", unit, b.text.len);
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
		printf("%-40s %7.1f x\n", steps[i].name, microseconds(steps[i].run, &b) / unit);
	cs_bytes_free(&b.text);
	cs_sealed_free(b.sealed);
	cs_world_free(b.world);
	return 0;
}
