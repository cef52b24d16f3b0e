/*
 * The arithmetic of an RFC 6962 Merkle tree (section 2.1) with SHA-256. Pure; hashes are 32 bytes.
 */
#ifndef CS_MERKLE_H
#define CS_MERKLE_H

#include "bytes.h"

#define CS_HASH 32
/* leaves; keeps every proof within CS_PROOF_MAX hashes */
#define CS_TREE_SIZE_MAX (UINT64_C(1) << 63)

/*
 * The right edge of a tree: the roots of its perfect subtrees, largest first. Zero-initialised it
 * is the empty tree.
 */
struct cs_frontier {
	uint64_t size;
	size_t count; /* number of one bits in size */
	uint8_t hash[64][CS_HASH];
};

/* SHA-256(0x00 || leaf). */
void cs_merkle_leaf(const void *leaf, size_t len, uint8_t hash[CS_HASH]);
/* SHA-256(0x01 || left || right). */
void cs_merkle_node(
	const uint8_t left[CS_HASH], const uint8_t right[CS_HASH], uint8_t hash[CS_HASH]);
/*
 * Appends one leaf hash. CS_E_TOO_LARGE at CS_TREE_SIZE_MAX leaves; CS_E_STATE when `count`
 * contradicts `size`, as in a frontier that was read from a damaged file.
 */
CS_MUST_CHECK enum cs_err cs_merkle_append(
	struct cs_frontier *frontier, const uint8_t leaf[CS_HASH]);
/* Root of the tree; SHA-256 of nothing for the empty one. */
void cs_merkle_root(const struct cs_frontier *frontier, uint8_t root[CS_HASH]);

/*
 * Inclusion proof (section 2.1.1) of leaf `index` in the tree of the first `size` leaves, from the
 * leaf's sibling up to the root's child. `leaf_at` gives the hash of leaf i and is called once for
 * each leaf but `index`; memory is constant. `ret_proof` must hold CS_PROOF_MAX hashes.
 * CS_E_NOT_FOUND when `index` is not below `size`, CS_E_TOO_LARGE above CS_TREE_SIZE_MAX, and
 * whatever `leaf_at` returns.
 */
CS_MUST_CHECK enum cs_err cs_merkle_prove(uint64_t index, uint64_t size,
	enum cs_err (*leaf_at)(void *context, uint64_t i, uint8_t hash[CS_HASH]), void *context,
	uint8_t (*ret_proof)[CS_HASH], size_t *ret_count);
/* RFC 9162 section 2.1.3.2. CS_OK or CS_E_PROOF; `proof` may be NULL when `count` is 0. */
CS_MUST_CHECK enum cs_err cs_merkle_verify(uint64_t index, uint64_t size,
	const uint8_t leaf[CS_HASH], const uint8_t (*proof)[CS_HASH], size_t count,
	const uint8_t root[CS_HASH]);

#endif
