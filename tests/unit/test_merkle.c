/* Tree heads and inclusion proofs (RFC 6962, RFC 9162). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/merkle.h"

#include <countersign/limits.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST 130

static uint8_t leaves[LARGEST][CS_HASH];
static uint8_t roots[LARGEST + 1][CS_HASH];

/* MTH(D[n]) of RFC 6962 section 2.1, word for word. */
static void reference_root(const uint8_t (*leaf)[CS_HASH], size_t n, uint8_t root[CS_HASH])
{
	uint8_t left[CS_HASH];
	uint8_t right[CS_HASH];
	size_t k = 1;

	if (n == 0) {
		cs_sha256("", 0, root);
		return;
	}
	if (n == 1) {
		memcpy(root, leaf[0], CS_HASH);
		return;
	}
	while (2 * k < n)
		k *= 2;
	reference_root(leaf, k, left);
	reference_root(leaf + k, n - k, right);
	uint8_t input[1 + 2 * CS_HASH] = {1};
	memcpy(input + 1, left, CS_HASH);
	memcpy(input + 1 + CS_HASH, right, CS_HASH);
	cs_sha256(input, sizeof input, root);
}

/* PATH(m, D[n]) of section 2.1.1. */
static size_t reference_path(
	size_t m, const uint8_t (*leaf)[CS_HASH], size_t n, uint8_t (*path)[CS_HASH])
{
	size_t k = 1;
	size_t count;

	if (n == 1)
		return 0;
	while (2 * k < n)
		k *= 2;
	if (m < k) {
		count = reference_path(m, leaf, k, path);
		reference_root(leaf + k, n - k, path[count]);
	} else {
		count = reference_path(m - k, leaf + k, n - k, path);
		reference_root(leaf, k, path[count]);
	}
	return count + 1;
}

static int setup(void **state)
{
	(void)state;
	for (size_t i = 0; i < LARGEST; i++) {
		uint8_t bytes[2] = {(uint8_t)i, 0x5a};
		cs_merkle_leaf(bytes, sizeof bytes, leaves[i]);
	}
	for (size_t n = 0; n <= LARGEST; n++)
		reference_root(leaves, n, roots[n]);
	return 0;
}

static void test_hashes(void **state)
{
	uint8_t input[65] = {0};
	uint8_t expected[CS_HASH];
	uint8_t hash[CS_HASH];

	(void)state;
	memset(input + 1, 'l', 32);
	memset(input + 33, 'r', 32);
	cs_sha256(input, sizeof input, expected);
	cs_merkle_leaf(input + 1, 64, hash);
	assert_memory_equal(hash, expected, CS_HASH);
	input[0] = 1;
	cs_sha256(input, sizeof input, expected);
	cs_merkle_node(input + 1, input + 33, hash);
	assert_memory_equal(hash, expected, CS_HASH);
	memcpy(hash, input + 33, CS_HASH);
	cs_merkle_node(input + 1, hash, hash); /* in place */
	assert_memory_equal(hash, expected, CS_HASH);
	input[0] = 0;
	cs_sha256(input, 1, expected);
	cs_merkle_leaf(NULL, 0, hash);
	assert_memory_equal(hash, expected, CS_HASH);
}

/* Roots that certificate transparency implementations share as test data. */
static void test_published_roots(void **state)
{
	static const char *const inputs[] = {
		"",
		"00",
		"10",
		"2021",
		"3031",
		"40414243",
		"5051525354555657",
		"606162636465666768696a6b6c6d6e6f",
	};
	static const char *const published[] = {
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	};
	struct cs_frontier frontier = {0};
	uint8_t data[16];
	uint8_t leaf[CS_HASH];
	uint8_t root[CS_HASH];
	char text[2 * CS_HASH + 1];

	(void)state;
	cs_merkle_root(&frontier, root);
	cs_hex_encode(root, CS_HASH, text);
	assert_string_equal(
		text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	for (size_t i = 0; i < 8; i++) {
		size_t len = strlen(inputs[i]) / 2;
		assert_int_equal(cs_hex_decode(inputs[i], 2 * len, data, len), CS_OK);
		cs_merkle_leaf(data, len, leaf);
		assert_int_equal(cs_merkle_append(&frontier, leaf), CS_OK);
		cs_merkle_root(&frontier, root);
		cs_hex_encode(root, CS_HASH, text);
		assert_string_equal(text, published[i]);
	}
}

static void test_append(void **state)
{
	struct cs_frontier frontier = {0};
	uint8_t root[CS_HASH];

	(void)state;
	for (size_t n = 0; n <= LARGEST; n++) {
		assert_int_equal(frontier.size, n);
		assert_int_equal(frontier.count, __builtin_popcountll(n));
		cs_merkle_root(&frontier, root);
		assert_memory_equal(root, roots[n], CS_HASH);
		if (n < LARGEST)
			assert_int_equal(cs_merkle_append(&frontier, leaves[n]), CS_OK);
	}
}

static void test_append_refused(void **state)
{
	struct cs_frontier frontier = {0};

	(void)state;
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(cs_merkle_append(&frontier, leaves[i]), CS_OK);
	struct cs_frontier before = frontier;
	frontier.count = before.count = 3;
	assert_int_equal(cs_merkle_append(&frontier, leaves[5]), CS_E_STATE);
	assert_memory_equal(&frontier, &before, sizeof frontier);
	frontier.count = 0;
	assert_int_equal(cs_merkle_append(&frontier, leaves[5]), CS_E_STATE);
	frontier.count = 2;
	assert_int_equal(cs_merkle_append(&frontier, leaves[5]), CS_OK);
	/* The last leaf that fits, and the one after it. */
	frontier.size = CS_TREE_SIZE_MAX - 1;
	frontier.count = 63;
	assert_int_equal(cs_merkle_append(&frontier, leaves[6]), CS_OK);
	assert_int_equal(frontier.count, 1);
	assert_true(frontier.size == CS_TREE_SIZE_MAX);
	assert_int_equal(cs_merkle_append(&frontier, leaves[6]), CS_E_TOO_LARGE);
	/* A root of nonsense, but within the array. */
	frontier.size = UINT64_MAX;
	frontier.count = 1000;
	uint8_t root[CS_HASH];
	cs_merkle_root(&frontier, root);
	assert_int_equal(cs_merkle_append(&frontier, leaves[6]), CS_E_TOO_LARGE);
}

struct reader {
	size_t calls;
	size_t fail_at; /* 0: never */
	uint64_t skipped;
};

static enum cs_err leaf_at(void *context, uint64_t i, uint8_t hash[CS_HASH])
{
	struct reader *reader = context;

	assert_true(i < LARGEST && i != reader->skipped);
	if (++reader->calls == reader->fail_at)
		return CS_E_STORE;
	memcpy(hash, leaves[i], CS_HASH);
	return CS_OK;
}

static void refuse_changes(size_t index, size_t size, uint8_t (*proof)[CS_HASH], size_t count)
{
	const uint8_t *root = roots[size];
	uint8_t changed[CS_HASH];

	for (size_t i = 0; i < count; i++) {
		size_t bit = (index * 7 + size * 13 + i * 29) % 256;
		proof[i][bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(cs_merkle_verify(index, size, leaves[index], proof, count, root),
			CS_E_PROOF);
		proof[i][bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	size_t bit = (index + size) % 256;
	memcpy(changed, leaves[index], CS_HASH);
	changed[bit / 8] ^= (uint8_t)(1u << bit % 8);
	assert_int_equal(cs_merkle_verify(index, size, changed, proof, count, root), CS_E_PROOF);
	memcpy(changed, root, CS_HASH);
	changed[bit / 8] ^= (uint8_t)(1u << bit % 8);
	assert_int_equal(
		cs_merkle_verify(index, size, leaves[index], proof, count, changed), CS_E_PROOF);
	/* one hash too many, one too few */
	assert_int_equal(
		cs_merkle_verify(index, size, leaves[index], proof, count + 1, root), CS_E_PROOF);
	if (count > 0)
		assert_int_equal(
			cs_merkle_verify(index, size, leaves[index], proof, count - 1, root),
			CS_E_PROOF);
	for (size_t other = 0; other <= size; other++)
		if (other != index)
			assert_int_equal(
				cs_merkle_verify(other, size, leaves[index], proof, count, root),
				CS_E_PROOF);
	for (size_t other = 0; other <= LARGEST; other++)
		if (other != size)
			assert_int_equal(cs_merkle_verify(index, other, leaves[index], proof, count,
						 roots[other]),
				CS_E_PROOF);
}

static void test_prove_and_verify(void **state)
{
	uint8_t proof[64][CS_HASH] = {{0}};
	uint8_t expected[64][CS_HASH];

	(void)state;
	for (size_t size = 1; size <= LARGEST; size++) {
		for (size_t index = 0; index < size; index++) {
			struct reader reader = {.skipped = index};
			size_t count = 99;
			assert_int_equal(
				cs_merkle_prove(index, size, leaf_at, &reader, proof, &count),
				CS_OK);
			assert_int_equal(reader.calls, size - 1);
			assert_int_equal(count, reference_path(index, leaves, size, expected));
			assert_memory_equal(proof, expected, count * CS_HASH);
			assert_int_equal(cs_merkle_verify(index, size, leaves[index], proof, count,
						 roots[size]),
				CS_OK);
			refuse_changes(index, size, proof, count);
		}
	}
	assert_int_equal(cs_merkle_verify(0, 1, leaves[0], NULL, 0, roots[1]), CS_OK);
	assert_int_equal(cs_merkle_verify(0, 1, leaves[1], NULL, 0, roots[1]), CS_E_PROOF);
	assert_int_equal(cs_merkle_verify(0, 0, leaves[0], NULL, 0, roots[0]), CS_E_PROOF);
	assert_int_equal(cs_merkle_verify(0, 0, roots[0], NULL, 0, roots[0]), CS_E_PROOF);
}

static void test_prove_refused(void **state)
{
	struct reader reader = {.skipped = 3};
	uint8_t proof[CS_PROOF_MAX][CS_HASH];
	uint8_t before[CS_PROOF_MAX][CS_HASH];
	size_t count = 99;

	(void)state;
	memset(proof, 0x77, sizeof proof);
	memcpy(before, proof, sizeof proof);
	assert_int_equal(cs_merkle_prove(0, 0, leaf_at, &reader, proof, &count), CS_E_NOT_FOUND);
	assert_int_equal(cs_merkle_prove(7, 7, leaf_at, &reader, proof, &count), CS_E_NOT_FOUND);
	assert_int_equal(
		cs_merkle_prove(UINT64_MAX, 7, leaf_at, &reader, proof, &count), CS_E_NOT_FOUND);
	assert_int_equal(cs_merkle_prove(7, CS_TREE_SIZE_MAX + 1, leaf_at, &reader, proof, &count),
		CS_E_TOO_LARGE);
	assert_int_equal(reader.calls, 0);
	for (size_t n = 1; n < 13; n++) {
		reader.calls = 0;
		reader.fail_at = n;
		assert_int_equal(
			cs_merkle_prove(3, 13, leaf_at, &reader, proof, &count), CS_E_STORE);
		assert_memory_equal(proof, before, sizeof proof);
		assert_int_equal(count, 99);
	}
	reader.fail_at = 0;
	assert_int_equal(cs_merkle_prove(3, 13, leaf_at, &reader, proof, &count), CS_OK);
}

/*
 * Trees beyond what can be built: a proof for the first leaf is a chain of right siblings, for the
 * last of left ones.
 */
static void test_large_trees(void **state)
{
	uint8_t proof[64][CS_HASH];
	uint8_t first[CS_HASH];
	uint8_t last[CS_HASH];

	(void)state;
	memcpy(first, leaves[0], CS_HASH);
	memcpy(last, leaves[0], CS_HASH);
	for (size_t i = 0; i < CS_PROOF_MAX; i++) {
		memcpy(proof[i], leaves[i + 1], CS_HASH);
		cs_merkle_node(first, proof[i], first);
		cs_merkle_node(proof[i], last, last);
	}
	memcpy(proof[63], leaves[64], CS_HASH);
	assert_int_equal(cs_merkle_verify(0, CS_TREE_SIZE_MAX, leaves[0], proof, 63, first), CS_OK);
	assert_int_equal(cs_merkle_verify(CS_TREE_SIZE_MAX - 1, CS_TREE_SIZE_MAX, leaves[0], proof,
				 63, last),
		CS_OK);
	assert_int_equal(
		cs_merkle_verify(1, CS_TREE_SIZE_MAX, leaves[0], proof, 63, first), CS_E_PROOF);
	assert_int_equal(
		cs_merkle_verify(0, CS_TREE_SIZE_MAX, leaves[0], proof, 62, first), CS_E_PROOF);
	assert_int_equal(
		cs_merkle_verify(CS_TREE_SIZE_MAX, CS_TREE_SIZE_MAX, leaves[0], proof, 63, last),
		CS_E_PROOF);
	/* Taller than any tree of ours. */
	cs_merkle_node(first, proof[63], first);
	assert_int_equal(cs_merkle_verify(0, UINT64_MAX, leaves[0], proof, 64, first), CS_E_PROOF);
	/* The leaf after 2^62 others stands alone on the right: one hash is its whole proof. */
	cs_merkle_node(proof[0], leaves[0], last);
	uint64_t alone = UINT64_C(1) << 62;
	assert_int_equal(cs_merkle_verify(alone, alone + 1, leaves[0], proof, 1, last), CS_OK);
	assert_int_equal(cs_merkle_verify(alone, alone + 2, leaves[0], proof, 1, last), CS_E_PROOF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hashes),
		cmocka_unit_test(test_published_roots),
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_append_refused),
		cmocka_unit_test(test_prove_and_verify),
		cmocka_unit_test(test_prove_refused),
		cmocka_unit_test(test_large_trees),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, setup, NULL);
}
