/* Proofs of a log entry as one text. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/note.h"
#include "tests/fixture/software_key.h"

#include <countersign/limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORIGIN "appliance.example/log1"
#define ZERO_HASH "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define NOTE ORIGIN "\n1\n" ZERO_HASH "\n\n\xe2\x80\x94 " ORIGIN " AAAAAAA=\n"
#define LEAVES 5

static struct cs_test_key *keys[2];
static uint8_t leaves[LEAVES][CS_HASH];

static const char *entry(size_t i)
{
	static const char *const entries[] = {
		"{\"a\":1}", "{\"a\":2}", "{\"a\":3}", "{\"a\":4}", "{\"a\":5}"};

	return entries[i];
}

static int setup(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEAVES; i++)
		cs_merkle_leaf(entry(i), strlen(entry(i)), leaves[i]);
	return cs_test_key_make(CS_ALG_EDDSA, "kye:key:a", "log", &keys[0]) == CS_OK &&
			       cs_test_key_make(CS_ALG_ES256, "kye:key:b", "log", &keys[1]) == CS_OK
		       ? 0
		       : -1;
}

static int teardown(void **state)
{
	(void)state;
	cs_test_key_free(keys[0]);
	cs_test_key_free(keys[1]);
	return 0;
}

static struct cs_note_key log_key(size_t i)
{
	struct cs_note_key key;

	assert_int_equal(cs_note_key_set(ORIGIN, &cs_test_key_signer(keys[i])->key, &key), CS_OK);
	return key;
}

/* ---- checkpoints ---- */

static void test_checkpoint(void **state)
{
	static const uint64_t sizes[] = {0, 1, 9, 10, 1432088532, UINT64_C(1) << 63};

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		CS_CLEANUP_BYTES struct cs_bytes text = {0};
		struct cs_checkpoint checkpoint = {
			.origin = ORIGIN, .size = sizes[i], .root = {1, 2, 3}};
		struct cs_checkpoint again;
		char line[64];

		assert_int_equal(cs_checkpoint_print(&checkpoint, &text), CS_OK);
		snprintf(line, sizeof line, ORIGIN "\n%llu\nAQID", (unsigned long long)sizes[i]);
		assert_memory_equal(text.data, line, strlen(line));
		assert_int_equal(
			cs_checkpoint_parse((const char *)text.data, text.len, &again), CS_OK);
		assert_string_equal(again.origin, ORIGIN);
		assert_true(again.size == sizes[i]);
		assert_memory_equal(again.root, checkpoint.root, CS_HASH);
		for (size_t cut = 0; cut < text.len; cut++)
			assert_int_equal(cs_checkpoint_parse((const char *)text.data, cut, &again),
				CS_E_CHECKPOINT);
	}
}

static void test_checkpoint_text(void **state)
{
	static const struct {
		const char *text;
		enum cs_err err;
	} cases[] = {
		{"go.sum database tree\n3935567\n" ZERO_HASH "\n",
			CS_OK}, /* an origin need not be a key name */
		{"o\n1\n" ZERO_HASH "\nextension\nmore\n", CS_OK},
		{"o\n1\n" ZERO_HASH "\n\n", CS_E_CHECKPOINT},
		{"o\n1\n" ZERO_HASH "\nextension\n\nmore\n", CS_E_CHECKPOINT},
		{"o\n1\n" ZERO_HASH "\nextension", CS_E_CHECKPOINT},
		{"o\n1\n" ZERO_HASH "\ntab\t\n", CS_E_CHECKPOINT},
		{"o\n1\n" ZERO_HASH "\n\xff\n", CS_E_CHECKPOINT},
		{"\n1\n" ZERO_HASH "\n", CS_E_CHECKPOINT},
		{"o\r\n1\n" ZERO_HASH "\n", CS_E_CHECKPOINT},
		{"o\xc3\n1\n" ZERO_HASH "\n", CS_E_CHECKPOINT},
		{"o\n\n" ZERO_HASH "\n", CS_E_CHECKPOINT},
		{"o\n01\n" ZERO_HASH "\n", CS_E_CHECKPOINT},
		{"o\n00\n" ZERO_HASH "\n", CS_E_CHECKPOINT},
		{"o\n-1\n" ZERO_HASH "\n", CS_E_CHECKPOINT},
		{"o\n+1\n" ZERO_HASH "\n", CS_E_CHECKPOINT},
		{"o\n 1\n" ZERO_HASH "\n", CS_E_CHECKPOINT},
		{"o\n1 \n" ZERO_HASH "\n", CS_E_CHECKPOINT},
		{"o\n1e3\n" ZERO_HASH "\n", CS_E_CHECKPOINT},
		{"o\n9223372036854775808\n" ZERO_HASH "\n", CS_OK},
		{"o\n9223372036854775809\n" ZERO_HASH "\n", CS_E_CHECKPOINT},
		{"o\n18446744073709551617\n" ZERO_HASH "\n", CS_E_CHECKPOINT},
		{"o\n99999999999999999999999\n" ZERO_HASH "\n", CS_E_CHECKPOINT},
		{"o\n1\nAAAA\n", CS_E_CHECKPOINT},
		{"o\n1\n\n", CS_E_CHECKPOINT},
		{"o\n1\nAAAA" ZERO_HASH "\n", CS_E_CHECKPOINT},
		{"o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n", CS_E_CHECKPOINT},
		{"o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", CS_E_CHECKPOINT},
		{"o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA_A=\n", CS_E_CHECKPOINT},
	};
	struct cs_checkpoint checkpoint = {.size = 77};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		checkpoint.size = 77;
		assert_int_equal(
			cs_checkpoint_parse(cases[i].text, strlen(cases[i].text), &checkpoint),
			cases[i].err);
		assert_int_equal(checkpoint.size == 77, cases[i].err != CS_OK);
	}
}

static void test_checkpoint_origin(void **state)
{
	static const char *const bad[] = {"", "a\nb", "a\x01", "\xff"};
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	struct cs_checkpoint checkpoint = {.size = 1};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		strcpy(checkpoint.origin, bad[i]);
		assert_int_equal(cs_checkpoint_print(&checkpoint, &text), CS_E_CHECKPOINT);
	}
	strcpy(checkpoint.origin, ORIGIN);
	checkpoint.size = CS_TREE_SIZE_MAX + 1;
	assert_int_equal(cs_checkpoint_print(&checkpoint, &text), CS_E_CHECKPOINT);
	assert_int_equal(text.len, 0);
	/* The longest origin that fits, and one byte more. */
	for (size_t len = 255; len <= 256; len++) {
		CS_CLEANUP_BYTES struct cs_bytes longest = {0};
		for (size_t i = 0; i < len; i++)
			assert_int_equal(cs_bytes_add(&longest, "o", 1), CS_OK);
		assert_int_equal(cs_bytes_add_text(&longest, "\n1\n" ZERO_HASH "\n"), CS_OK);
		assert_int_equal(
			cs_checkpoint_parse((const char *)longest.data, longest.len, &checkpoint),
			len == 255 ? CS_OK : CS_E_CHECKPOINT);
	}
}

/* ---- proofs ---- */

static enum cs_err leaf_at(void *context, uint64_t i, uint8_t hash[CS_HASH])
{
	(void)context;
	memcpy(hash, leaves[i], CS_HASH);
	return CS_OK;
}

/* The proof of entry `index` in the tree of `size` entries, signed by key `k`. */
static void make_proof(
	size_t index, size_t size, size_t k, const char *origin, struct cs_tlog_proof *proof)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	struct cs_checkpoint checkpoint = {.size = size};
	struct cs_frontier frontier = {0};

	memset(proof, 0, sizeof *proof);
	snprintf(checkpoint.origin, sizeof checkpoint.origin, "%s", origin);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(cs_merkle_append(&frontier, leaves[i]), CS_OK);
	cs_merkle_root(&frontier, checkpoint.root);
	assert_int_equal(cs_checkpoint_print(&checkpoint, &proof->checkpoint), CS_OK);
	assert_int_equal(
		cs_note_sign(&proof->checkpoint, ORIGIN, cs_test_key_signer(keys[k])), CS_OK);
	assert_int_equal(cs_bytes_add_text(&proof->extra, entry(index)), CS_OK);
	proof->index = index;
	assert_int_equal(
		cs_merkle_prove(index, size, leaf_at, NULL, proof->proof, &proof->count), CS_OK);
}

static void test_proof_round_trip(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct cs_note_key key = log_key(k);
		for (size_t size = 1; size <= LEAVES; size++) {
			for (size_t index = 0; index < size; index++) {
				CS_CLEANUP_BYTES struct cs_bytes text = {0};
				CS_CLEANUP_BYTES struct cs_bytes again = {0};
				struct cs_tlog_proof proof;
				struct cs_tlog_proof read;
				struct cs_checkpoint checkpoint = {0};

				make_proof(index, size, k, ORIGIN, &proof);
				assert_int_equal(
					cs_tlog_proof_verify(&proof, &key, &checkpoint), CS_OK);
				assert_int_equal(checkpoint.size, size);
				assert_string_equal(checkpoint.origin, ORIGIN);
				assert_int_equal(cs_tlog_proof_print(&proof, &text), CS_OK);
				assert_int_equal(cs_tlog_proof_parse(
							 (const char *)text.data, text.len, &read),
					CS_OK);
				assert_int_equal(read.index, index);
				assert_true(cs_bytes_equal(read.extra.data, read.extra.len,
					entry(index), strlen(entry(index))));
				assert_int_equal(
					cs_tlog_proof_verify(&read, &key, &checkpoint), CS_OK);
				assert_int_equal(cs_tlog_proof_print(&read, &again), CS_OK);
				assert_true(
					cs_bytes_equal(text.data, text.len, again.data, again.len));
				cs_tlog_proof_free(&read);
				cs_tlog_proof_free(&proof);
				assert_null(proof.extra.data);
			}
		}
	}
	cs_tlog_proof_free(NULL);
}

/* No text but the one that was printed is a proof of this entry. */
static void test_every_byte(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		CS_CLEANUP_BYTES struct cs_bytes text = {0};
		struct cs_note_key key = log_key(k);
		struct cs_tlog_proof proof;
		struct cs_checkpoint checkpoint;
		unsigned parsed = 0;

		make_proof(2, LEAVES, k, ORIGIN, &proof);
		assert_int_equal(cs_tlog_proof_print(&proof, &text), CS_OK);
		cs_tlog_proof_free(&proof);
		for (size_t at = 0; at < text.len; at++) {
			for (unsigned bit = 0; bit < 8; bit++) {
				struct cs_tlog_proof read;
				text.data[at] ^= (uint8_t)(1u << bit);
				if (cs_tlog_proof_parse((const char *)text.data, text.len, &read) ==
					CS_OK) {
					CS_CLEANUP_BYTES struct cs_bytes again = {0};
					parsed++;
					assert_int_equal(cs_tlog_proof_print(&read, &again), CS_OK);
					assert_true(cs_bytes_equal(
						text.data, text.len, again.data, again.len));
					assert_int_not_equal(
						cs_tlog_proof_verify(&read, &key, &checkpoint),
						CS_OK);
					cs_tlog_proof_free(&read);
				}
				text.data[at] ^= (uint8_t)(1u << bit);
			}
		}
		assert_true(parsed > 100); /* many changed texts are still well formed */
	}
}

static void test_proof_refused(void **state)
{
	struct cs_note_key key = log_key(0);
	struct cs_note_key other = log_key(1);
	struct cs_checkpoint checkpoint = {.size = 77};
	struct cs_tlog_proof proof;

	(void)state;
	make_proof(2, LEAVES, 0, ORIGIN, &proof);
	assert_int_equal(cs_tlog_proof_verify(&proof, &other, &checkpoint), CS_E_KEY_UNKNOWN);
	key.type = CS_NOTE_COSIGNATURE;
	assert_int_equal(cs_tlog_proof_verify(&proof, &key, &checkpoint), CS_E_KEY);
	key = log_key(0);
	proof.index = 3;
	assert_int_equal(cs_tlog_proof_verify(&proof, &key, &checkpoint), CS_E_PROOF);
	proof.index = LEAVES;
	assert_int_equal(cs_tlog_proof_verify(&proof, &key, &checkpoint), CS_E_PROOF);
	proof.index = 2;
	proof.proof[1][4] ^= 1;
	assert_int_equal(cs_tlog_proof_verify(&proof, &key, &checkpoint), CS_E_PROOF);
	proof.proof[1][4] ^= 1;
	proof.count--;
	assert_int_equal(cs_tlog_proof_verify(&proof, &key, &checkpoint), CS_E_PROOF);
	proof.count++;
	proof.extra.data[1] ^= 1;
	assert_int_equal(cs_tlog_proof_verify(&proof, &key, &checkpoint), CS_E_PROOF);
	proof.extra.data[1] ^= 1;
	size_t extra_len = proof.extra.len;
	proof.extra.len = 0;
	assert_int_equal(cs_tlog_proof_verify(&proof, &key, &checkpoint), CS_E_PROOF);
	proof.extra.len = extra_len;
	proof.checkpoint.data[strlen(ORIGIN) + 1] ^= 1; /* the size */
	assert_int_equal(cs_tlog_proof_verify(&proof, &key, &checkpoint), CS_E_SIGNATURE);
	proof.checkpoint.data[strlen(ORIGIN) + 1] ^= 1;
	assert_int_equal(checkpoint.size, 77);
	assert_int_equal(cs_tlog_proof_verify(&proof, &key, &checkpoint), CS_OK);
	cs_tlog_proof_free(&proof);
	/* Signed by the log's key, but about another log, or no checkpoint at all. */
	make_proof(2, LEAVES, 0, "appliance.example/log2", &proof);
	assert_int_equal(cs_tlog_proof_verify(&proof, &key, &checkpoint), CS_E_LOG_ORIGIN);
	cs_bytes_free(&proof.checkpoint);
	assert_int_equal(cs_tlog_proof_verify(&proof, &key, &checkpoint), CS_E_NOTE);
	assert_int_equal(cs_bytes_add_text(&proof.checkpoint, "hello\n"), CS_OK);
	assert_int_equal(
		cs_note_sign(&proof.checkpoint, ORIGIN, cs_test_key_signer(keys[0])), CS_OK);
	assert_int_equal(cs_tlog_proof_verify(&proof, &key, &checkpoint), CS_E_CHECKPOINT);
	cs_tlog_proof_free(&proof);
}

static void test_proof_text(void **state)
{
	static const struct {
		const char *text;
		enum cs_err err;
	} cases[] = {
		{"c2sp.org/tlog-proof@v1\nextra YQ==\nindex 0\n\n" NOTE, CS_OK},
		{"c2sp.org/tlog-proof@v1\nindex 0\n\n" NOTE, CS_OK},
		{"c2sp.org/tlog-proof@v1\nindex 7\n" ZERO_HASH "\n" ZERO_HASH "\n\n" NOTE, CS_OK},
		{"c2sp.org/tlog-proof@v1\nindex 9223372036854775807\n\n" NOTE, CS_OK},
		{"c2sp.org/tlog-proof@v1\nindex 9223372036854775808\n\n" NOTE, CS_E_PROOF},
		{"c2sp.org/tlog-proof@v2\nindex 0\n\n" NOTE, CS_E_PROOF},
		{"c2sp.org/tlog-proof@v1 \nindex 0\n\n" NOTE, CS_E_PROOF},
		{"\nc2sp.org/tlog-proof@v1\nindex 0\n\n" NOTE, CS_E_PROOF},
		{"c2sp.org/tlog-proof@v1\r\nindex 0\n\n" NOTE, CS_E_PROOF},
		{"c2sp.org/tlog-proof@v1\nextra \nindex 0\n\n" NOTE, CS_E_PROOF},
		{"c2sp.org/tlog-proof@v1\nextra YQ\nindex 0\n\n" NOTE, CS_E_PROOF},
		{"c2sp.org/tlog-proof@v1\nextra YR==\nindex 0\n\n" NOTE, CS_E_PROOF},
		{"c2sp.org/tlog-proof@v1\nextra  YQ==\nindex 0\n\n" NOTE, CS_E_PROOF},
		{"c2sp.org/tlog-proof@v1\nextra YQ==\nextra YQ==\nindex 0\n\n" NOTE, CS_E_PROOF},
		{"c2sp.org/tlog-proof@v1\nindex 0\nextra YQ==\n\n" NOTE, CS_E_PROOF},
		{"c2sp.org/tlog-proof@v1\nextra YQ==\n\n" NOTE, CS_E_PROOF},
		{"c2sp.org/tlog-proof@v1\nindex\n\n" NOTE, CS_E_PROOF},
		{"c2sp.org/tlog-proof@v1\nindex \n\n" NOTE, CS_E_PROOF},
		{"c2sp.org/tlog-proof@v1\nindex 00\n\n" NOTE, CS_E_PROOF},
		{"c2sp.org/tlog-proof@v1\nindex 0x1\n\n" NOTE, CS_E_PROOF},
		{"c2sp.org/tlog-proof@v1\nIndex 0\n\n" NOTE, CS_E_PROOF},
		{"c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\n" NOTE, CS_E_PROOF},
		{"c2sp.org/tlog-proof@v1\nindex 0\n" ZERO_HASH " \n\n" NOTE, CS_E_PROOF},
		{"c2sp.org/tlog-proof@v1\nindex 0\n" NOTE, CS_E_PROOF},
		{"c2sp.org/tlog-proof@v1\nindex 0\n\n", CS_E_NOTE},
		{"c2sp.org/tlog-proof@v1\nindex 0\n\nno note\n", CS_E_NOTE},
		{"c2sp.org/tlog-proof@v1\nindex 0\n\n" NOTE "more\n", CS_E_NOTE},
		{"c2sp.org/tlog-proof@v1\nindex 0\n", CS_E_PROOF},
		{"c2sp.org/tlog-proof@v1\nindex 0", CS_E_PROOF},
		{"c2sp.org/tlog-proof@v1\n", CS_E_PROOF},
		{"c2sp.org/tlog-proof@v1", CS_E_PROOF},
		{"", CS_E_PROOF},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct cs_tlog_proof proof = {.index = 77};
		assert_int_equal(cs_tlog_proof_parse(cases[i].text, strlen(cases[i].text), &proof),
			cases[i].err);
		if (cases[i].err == CS_OK) {
			CS_CLEANUP_BYTES struct cs_bytes again = {0};
			assert_int_equal(cs_tlog_proof_print(&proof, &again), CS_OK);
			assert_string_equal((const char *)again.data, cases[i].text);
			cs_tlog_proof_free(&proof);
		} else {
			assert_int_equal(proof.index, 77);
		}
	}
}

static void test_proof_length(void **state)
{
	(void)state;
	for (size_t count = CS_PROOF_MAX; count <= CS_PROOF_MAX + 1; count++) {
		CS_CLEANUP_BYTES struct cs_bytes text = {0};
		struct cs_tlog_proof proof;
		enum cs_err err = count == CS_PROOF_MAX ? CS_OK : CS_E_PROOF;

		assert_int_equal(
			cs_bytes_add_text(&text, "c2sp.org/tlog-proof@v1\nindex 0\n"), CS_OK);
		for (size_t i = 0; i < count; i++)
			assert_int_equal(cs_bytes_add_text(&text, ZERO_HASH "\n"), CS_OK);
		assert_int_equal(cs_bytes_add_text(&text, "\n" NOTE), CS_OK);
		assert_int_equal(
			cs_tlog_proof_parse((const char *)text.data, text.len, &proof), err);
		if (err == CS_OK)
			cs_tlog_proof_free(&proof);
	}
	CS_CLEANUP_BYTES struct cs_bytes out = {0};
	struct cs_tlog_proof proof;
	make_proof(0, 2, 0, ORIGIN, &proof);
	proof.count = CS_PROOF_MAX + 1;
	assert_int_equal(cs_tlog_proof_print(&proof, &out), CS_E_PROOF);
	proof.count = CS_PROOF_MAX;
	proof.index = CS_TREE_SIZE_MAX;
	assert_int_equal(cs_tlog_proof_print(&proof, &out), CS_E_PROOF);
	proof.index = 0;
	cs_bytes_free(&proof.checkpoint);
	assert_int_equal(cs_tlog_proof_print(&proof, &out), CS_E_NOTE);
	assert_int_equal(out.len, 0);
	cs_tlog_proof_free(&proof);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_checkpoint),
		cmocka_unit_test(test_checkpoint_text),
		cmocka_unit_test(test_checkpoint_origin),
		cmocka_unit_test(test_proof_round_trip),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_proof_refused),
		cmocka_unit_test(test_proof_text),
		cmocka_unit_test(test_proof_length),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
