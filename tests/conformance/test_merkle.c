/*
 * A published tile log of 15 entries: leaf hashes and all 16 roots rebuild, every checkpoint's
 * signature verifies, and an inclusion proof of every entry leads to every checkpoint that covers
 * it.
 */
#include "core/note.h"
#include "tests/fixture/vector_file.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define ENTRIES 15
#define KEY "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"

static unsigned cases;
static unsigned failed;

static void check(bool ok, const char *what, uint64_t size)
{
	cases++;
	if (ok)
		return;
	failed++;
	printf("tree of %llu: %s\n", (unsigned long long)size, what);
}

/* An entry bundle (c2sp.org/tlog-tiles): a 16-bit big endian length before each entry. */
static bool read_bundle(const struct cs_bytes *bundle, size_t count, uint8_t leaf[ENTRIES][CS_HASH])
{
	size_t pos = 0;

	for (size_t i = 0; i < count; i++) {
		if (bundle->len - pos < 2)
			return false;
		size_t len = (size_t)bundle->data[pos] << 8 | bundle->data[pos + 1];
		pos += 2;
		if (bundle->len - pos < len)
			return false;
		cs_merkle_leaf(bundle->data + pos, len, leaf[i]);
		pos += len;
	}
	return pos == bundle->len;
}

static enum cs_err leaf_at(void *context, uint64_t i, uint8_t hash[CS_HASH])
{
	uint8_t(*leaf)[CS_HASH] = context;

	memcpy(hash, leaf[i], CS_HASH);
	return CS_OK;
}

static void prove_all(uint64_t size, uint8_t leaf[ENTRIES][CS_HASH], const uint8_t root[CS_HASH])
{
	uint8_t proof[64][CS_HASH];
	size_t count = 0;

	for (uint64_t i = 0; i < size; i++) {
		bool made = cs_merkle_prove(i, size, leaf_at, leaf, proof, &count) == CS_OK;
		check(made && cs_merkle_verify(i, size, leaf[i], proof, count, root) == CS_OK,
			"an inclusion proof fails", size);
		check(made && cs_merkle_verify(i, size, leaf[(i + 1) % ENTRIES], proof, count,
				      root) == CS_E_PROOF,
			"another leaf is accepted", size);
	}
}

static void run_size(const char *folder, const struct cs_note_key *key, uint64_t size)
{
	CS_CLEANUP_BYTES struct cs_bytes note = {0};
	CS_CLEANUP_BYTES struct cs_bytes bundle = {0};
	CS_CLEANUP_BYTES struct cs_bytes tile = {0};
	uint8_t leaf[ENTRIES][CS_HASH] = {{0}};
	struct cs_checkpoint checkpoint = {0};
	struct cs_frontier frontier = {0};
	uint8_t root[CS_HASH];
	size_t text_len = 0;
	char name[64];

	snprintf(name, sizeof name, "checkpoint.%llu", (unsigned long long)size);
	check(cs_test_file_read(folder, name, &note) == CS_OK &&
			cs_note_verify((const char *)note.data, note.len, key, &text_len) == CS_OK,
		"the signature does not verify", size);
	check(cs_checkpoint_parse((const char *)note.data, text_len, &checkpoint) == CS_OK &&
			checkpoint.size == size && strcmp(checkpoint.origin, key->name) == 0,
		"the checkpoint is not of this log and size", size);
	if (size > 0) {
		snprintf(name, sizeof name, "tile/entries/000.p/%llu", (unsigned long long)size);
		check(cs_test_file_read(folder, name, &bundle) == CS_OK &&
				read_bundle(&bundle, size, leaf),
			"the entries cannot be read", size);
		snprintf(name, sizeof name, "tile/0/000.p/%llu", (unsigned long long)size);
		check(cs_test_file_read(folder, name, &tile) == CS_OK &&
				cs_bytes_equal(tile.data, tile.len, leaf, size * CS_HASH),
			"the leaf hashes differ from the tile", size);
	}
	for (uint64_t i = 0; i < size; i++)
		if (cs_merkle_append(&frontier, leaf[i]) != CS_OK)
			check(false, "append", size);
	cs_merkle_root(&frontier, root);
	check(memcmp(root, checkpoint.root, CS_HASH) == 0, "the root differs", size);
	prove_all(size, leaf, checkpoint.root);
}

int main(int argc, char **argv)
{
	char folder[512];
	struct cs_note_key key;

	if (sodium_init() < 0)
		return 1;
	if (!cs_test_folder(argc, argv, "merkle", "merkle/tessera-log", folder))
		return CS_TEST_SKIP;
	if (cs_note_key_parse(KEY, &key) != CS_OK) {
		printf("the log's key is refused\n");
		return 1;
	}
	for (uint64_t size = 0; size <= ENTRIES; size++)
		run_size(folder, &key, size);
	printf("conformance merkle: %u cases, %u failed\n", cases, failed);
	return failed ? 1 : 0;
}
