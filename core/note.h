/*
 * C2SP signed notes, checkpoints and tlog-proofs.
 */
#ifndef CS_NOTE_H
#define CS_NOTE_H

#include "merkle.h"
#include "signature.h"

/* A note's verifier: name (origin) and key. Ed25519 is type 0x01, ECDSA P-256 type 0x02 (DER signature, key hashed as SPKI). */
struct cs_note_key {
	char name[256];
	struct cs_public_key key;
	uint32_t hash;		/* first four bytes of SHA-256(name || LF || type || key), big endian */
};

/* CS_E_NOTE for a name that is empty or holds white space or a plus sign; CS_E_KEY for a P-384 key. */
CS_MUST_CHECK enum cs_err cs_note_key_set(const char *name, const struct cs_public_key *key, struct cs_note_key *ret_key);
/* The C2SP text form "name+hash+base64". */
CS_MUST_CHECK enum cs_err cs_note_key_parse(const char *text, struct cs_note_key *ret_key);
CS_MUST_CHECK enum cs_err cs_note_key_print(const struct cs_note_key *key, struct cs_bytes *out);

/* Appends one signature line for `signer` under `name` to `note`, which holds the text ending in LF and no signature yet or more lines. */
CS_MUST_CHECK enum cs_err cs_note_sign(struct cs_bytes *note, const char *name, const struct cs_signer *signer);
/*
 * CS_OK when the note is well formed and carries a valid signature by `key`; unknown signatures are ignored, a known one that
 * fails refuses. Writes the length of the signed text. CS_E_NOTE, CS_E_SIGNATURE, CS_E_KEY_UNKNOWN.
 */
CS_MUST_CHECK enum cs_err cs_note_verify(const char *note, size_t len, const struct cs_note_key *key, size_t *ret_text_len);

struct cs_checkpoint {
	char origin[256];
	uint64_t size;
	uint8_t root[CS_HASH];
};

/* Text of a checkpoint: origin, size, base64 root, each ended by LF (extension lines are kept but not interpreted). */
CS_MUST_CHECK enum cs_err cs_checkpoint_print(const struct cs_checkpoint *checkpoint, struct cs_bytes *out);
CS_MUST_CHECK enum cs_err cs_checkpoint_parse(const char *text, size_t len, struct cs_checkpoint *ret_checkpoint);

/*
 * C2SP tlog-proof: "c2sp.org/tlog-proof@v1", "extra BASE64", "index N", proof hashes one a line, an empty line, the
 * checkpoint.
 */
struct cs_tlog_proof {
	struct cs_bytes extra;
	uint64_t index;
	size_t count;
	uint8_t proof[64][CS_HASH];
	struct cs_bytes checkpoint;	/* the signed note */
};

void cs_tlog_proof_free(struct cs_tlog_proof *proof);
CS_MUST_CHECK enum cs_err cs_tlog_proof_print(const struct cs_tlog_proof *proof, struct cs_bytes *out);
CS_MUST_CHECK enum cs_err cs_tlog_proof_parse(const char *text, size_t len, struct cs_tlog_proof *ret_proof);
/*
 * Verifies the checkpoint's note signature by `key` (its name must be the origin), and that the leaf whose bytes are
 * `extra` is included at `index`. Fills `ret_checkpoint`.
 */
CS_MUST_CHECK enum cs_err cs_tlog_proof_verify(const struct cs_tlog_proof *proof, const struct cs_note_key *key,
	struct cs_checkpoint *ret_checkpoint);

#endif
