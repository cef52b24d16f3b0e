#include "merkle.h"

#include <countersign/limits.h>
#include <sodium.h>
#include <string.h>

/* RFC 6962 section 2.1: what tells a leaf from a node. */
#define PREFIX_LEAF 0x00
#define PREFIX_NODE 0x01

void cs_merkle_leaf(const void *leaf, size_t len, uint8_t hash[CS_HASH])
{
	static const uint8_t prefix = PREFIX_LEAF;
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, &prefix, sizeof prefix);
	if (len > 0)
		crypto_hash_sha256_update(&state, leaf, len);
	crypto_hash_sha256_final(&state, hash);
}

void cs_merkle_node(
	const uint8_t left[CS_HASH], const uint8_t right[CS_HASH], uint8_t hash[CS_HASH])
{
	uint8_t input[1 + 2 * CS_HASH] = {PREFIX_NODE};

	memcpy(input + 1, left, CS_HASH);
	memcpy(input + 1 + CS_HASH, right, CS_HASH);
	crypto_hash_sha256(hash, input, sizeof input);
}

/*
 * Perfect subtrees on the right edge. Not taken from `count`, which may have been read from a file.
 */
static size_t subtrees(uint64_t size)
{
	return (size_t)__builtin_popcountll(size);
}

enum cs_err cs_merkle_append(struct cs_frontier *frontier, const uint8_t leaf[CS_HASH])
{
	size_t count = subtrees(frontier->size);
	uint8_t hash[CS_HASH];

	if (frontier->size >= CS_TREE_SIZE_MAX)
		return CS_E_TOO_LARGE;
	if (frontier->count != count)
		return CS_E_STATE;
	memcpy(hash, leaf, CS_HASH);
	/* Every trailing one bit is a subtree as large as the one just completed. */
	for (uint64_t rest = frontier->size; rest & 1; rest >>= 1)
		cs_merkle_node(frontier->hash[--count], hash, hash);
	memcpy(frontier->hash[count], hash, CS_HASH);
	frontier->count = count + 1;
	frontier->size++;
	return CS_OK;
}

void cs_merkle_root(const struct cs_frontier *frontier, uint8_t root[CS_HASH])
{
	size_t count = subtrees(frontier->size);
	uint8_t hash[CS_HASH];

	if (count == 0) {
		crypto_hash_sha256(root, NULL, 0);
		return;
	}
	memcpy(hash, frontier->hash[--count], CS_HASH);
	while (count > 0)
		cs_merkle_node(frontier->hash[--count], hash, hash);
	memcpy(root, hash, CS_HASH);
}

typedef enum cs_err (*leaf_function)(void *context, uint64_t i, uint8_t hash[CS_HASH]);

/* Root over the leaves first .. end - 1. */
static enum cs_err range_root(
	uint64_t first, uint64_t end, leaf_function leaf_at, void *context, uint8_t root[CS_HASH])
{
	struct cs_frontier frontier = {0};
	uint8_t leaf[CS_HASH];

	for (uint64_t i = first; i < end; i++) {
		enum cs_err err = leaf_at(context, i, leaf);
		if (err == CS_OK)
			err = cs_merkle_append(&frontier, leaf);
		if (err != CS_OK)
			return err;
	}
	cs_merkle_root(&frontier, root);
	return CS_OK;
}

enum cs_err cs_merkle_prove(uint64_t index, uint64_t size, leaf_function leaf_at, void *context,
	uint8_t (*ret_proof)[CS_HASH], size_t *ret_count)
{
	struct {
		uint64_t first;
		uint64_t end;
	} sibling[CS_PROOF_MAX];
	uint8_t proof[CS_PROOF_MAX][CS_HASH];
	size_t count = 0;

	if (index >= size)
		return CS_E_NOT_FOUND;
	if (size > CS_TREE_SIZE_MAX)
		return CS_E_TOO_LARGE;
	/* PATH(m, D[n]) from the root down: keep the half that holds the leaf, note the other. */
	for (uint64_t first = 0, end = size; end - first > 1; count++) {
		uint64_t left = UINT64_C(1) << (63 - __builtin_clzll(end - first - 1));
		if (index < first + left) {
			sibling[count].first = first + left;
			sibling[count].end = end;
			end = first + left;
		} else {
			sibling[count].first = first;
			sibling[count].end = first + left;
			first += left;
		}
	}
	for (size_t i = 0; i < count; i++) {
		size_t up = count - 1 - i;
		enum cs_err err =
			range_root(sibling[up].first, sibling[up].end, leaf_at, context, proof[i]);
		if (err != CS_OK)
			return err;
	}
	memcpy(ret_proof, proof, count * CS_HASH);
	*ret_count = count;
	return CS_OK;
}

enum cs_err cs_merkle_verify(uint64_t index, uint64_t size, const uint8_t leaf[CS_HASH],
	const uint8_t (*proof)[CS_HASH], size_t count, const uint8_t root[CS_HASH])
{
	uint8_t hash[CS_HASH];

	if (index >= size || count > CS_PROOF_MAX)
		return CS_E_PROOF;
	uint64_t node = index;
	uint64_t last = size - 1;
	memcpy(hash, leaf, CS_HASH);
	for (size_t i = 0; i < count; i++) {
		if (last == 0)
			return CS_E_PROOF;
		if ((node & 1) || node == last) {
			cs_merkle_node(proof[i], hash, hash);
			/*
			 * A node without a right sibling rises unchanged to the level where it has
			 * a left one.
			 */
			while (!(node & 1) && node != 0) {
				node >>= 1;
				last >>= 1;
			}
		} else {
			cs_merkle_node(hash, proof[i], hash);
		}
		node >>= 1;
		last >>= 1;
	}
	return last == 0 && memcmp(hash, root, CS_HASH) == 0 ? CS_OK : CS_E_PROOF;
}
