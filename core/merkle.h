/*
 * The arithmetic of an RFC 6962 Merkle tree (section 2.1) with SHA-256. Pure; hashes are 32 bytes.
 */
#ifndef CS_MERKLE_H
#define CS_MERKLE_H

#include "bytes.h"

#define CS_HASH 32

/* The right edge of a tree: the roots of its perfect subtrees, largest first. Zero-initialised it is the empty tree. */
struct cs_frontier {
	uint64_t size;
	size_t count;			/* number of one bits in size */
	uint8_t hash[64][CS_HASH];
};

/* SHA-256(0x00 || leaf). */
void cs_merkle_leaf(const void *leaf, size_t len, uint8_t hash[CS_HASH]);
/* SHA-256(0x01 || left || right). */
void cs_merkle_node(const uint8_t left[CS_HASH], const uint8_t right[CS_HASH], uint8_t hash[CS_HASH]);
/* Appends one leaf hash. CS_E_TOO_LARGE at 2^63 leaves. */
CS_MUST_CHECK enum cs_err cs_merkle_append(struct cs_frontier *frontier, const uint8_t leaf[CS_HASH]);
/* Root of the tree; SHA-256 of nothing for the empty one. */
void cs_merkle_root(const struct cs_frontier *frontier, uint8_t root[CS_HASH]);

/*
 * Inclusion proof (section 2.1.1) of leaf `index` in the tree of the first `size` leaves. `leaf_at` gives the hash of leaf
 * i. Writes at most CS_PROOF_MAX hashes.
 */
CS_MUST_CHECK enum cs_err cs_merkle_prove(uint64_t index, uint64_t size,
	enum cs_err (*leaf_at)(void *context, uint64_t i, uint8_t hash[CS_HASH]), void *context,
	uint8_t (*ret_proof)[CS_HASH], size_t *ret_count);
/* RFC 9162 section 2.1.3.2. CS_OK or CS_E_PROOF. */
CS_MUST_CHECK enum cs_err cs_merkle_verify(uint64_t index, uint64_t size, const uint8_t leaf[CS_HASH],
	const uint8_t (*proof)[CS_HASH], size_t count, const uint8_t root[CS_HASH]);

#endif
