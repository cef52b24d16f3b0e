/*
 * C2SP signed notes, checkpoints and tlog-proofs (c2sp.org/signed-note, tlog-checkpoint,
 * tlog-cosignature, tlog-proof).
 *
 * Stricter than the standard where it leaves room: base64 must re-encode to itself, a note has at
 * most CS_NOTE_SIGNATURES_MAX signature lines and never two by the key that verifies, ECDSA
 * signatures are strict DER with low S.
 */
#ifndef CS_NOTE_H
#define CS_NOTE_H

#include "merkle.h"
#include "signature.h"

/* Signature types of c2sp.org/signed-note. */
#define CS_NOTE_ED25519 0x01u
/* P-256 with SHA-256 alone; signature in DER, key as SubjectPublicKeyInfo */
#define CS_NOTE_ECDSA 0x02u
/* timestamped Ed25519 cosignature/v1 of a witness; verified, never made */
#define CS_NOTE_COSIGNATURE 0x04u

/*
 * A note's verifier: key name and key. `hash` is the key id, the first four bytes, big endian, of
 * SHA-256(name || LF || type || key) for the Ed25519 types and of SHA-256(SubjectPublicKeyInfo) for
 * ECDSA, as the standard has it.
 */
struct cs_note_key {
	char name[256];
	struct cs_public_key key;
	uint32_t hash;
	uint8_t type;
};

/*
 * Type by the key's algorithm, never a cosignature. CS_E_NOTE for a name that is empty, too long,
 * no UTF-8 or holds white space, a control character or a plus sign; CS_E_KEY for a P-384 key.
 */
CS_MUST_CHECK enum cs_err cs_note_key_set(
	const char *name, const struct cs_public_key *key, struct cs_note_key *ret_key);
/*
 * The text form "name+hash+base64(type || key)", with the hash as eight lower-case digits.
 * CS_E_NOTE for another form or name; CS_E_KEY for another type, a bad key, or a hash that is not
 * the key's.
 */
CS_MUST_CHECK enum cs_err cs_note_key_parse(const char *text, struct cs_note_key *ret_key);
CS_MUST_CHECK enum cs_err cs_note_key_print(const struct cs_note_key *key, struct cs_bytes *out);

/*
 * Appends one signature line for `signer` under `name` to `note`: a text ending in LF, or a note
 * that has signatures already. A text whose last paragraph begins with an em dash and a space
 * counts as the latter. Errors of cs_note_key_set, what the signer returns, and CS_E_NOTE for bytes
 * that are neither, too many lines, or a second line by the same key.
 */
CS_MUST_CHECK enum cs_err cs_note_sign(
	struct cs_bytes *note, const char *name, const struct cs_signer *signer);
/*
 * CS_OK when the note is well formed and carries a valid signature by `key`. Signatures by other
 * keys are ignored, as the standard demands: they are not covered by this verdict. Writes the
 * length of the signed text, its last LF included. CS_E_NOTE; CS_E_KEY_UNKNOWN when no line is by
 * `key`; else the errors of cs_signature_verify.
 */
CS_MUST_CHECK enum cs_err cs_note_verify(
	const char *note, size_t len, const struct cs_note_key *key, size_t *ret_text_len);

struct cs_checkpoint {
	char origin[256];
	uint64_t size;
	uint8_t root[CS_HASH];
};

/*
 * Text of a checkpoint, without signatures: origin, size in decimal, root in base64, each ended by
 * LF. The printer appends. The parser allows extension lines and forgets them. Origins hold no
 * control character and need not be key names. CS_E_CHECKPOINT, also for a size above
 * CS_TREE_SIZE_MAX.
 */
CS_MUST_CHECK enum cs_err cs_checkpoint_print(
	const struct cs_checkpoint *checkpoint, struct cs_bytes *out);
CS_MUST_CHECK enum cs_err cs_checkpoint_parse(
	const char *text, size_t len, struct cs_checkpoint *ret_checkpoint);

/*
 * c2sp.org/tlog-proof: the line "c2sp.org/tlog-proof@v1", "extra BASE64" (left out when empty),
 * "index N", the proof's hashes in base64 one a line, an empty line, and the checkpoint with its
 * signatures.
 */
struct cs_tlog_proof {
	struct cs_bytes extra;
	uint64_t index;
	size_t count; /* at most CS_PROOF_MAX */
	uint8_t proof[64][CS_HASH];
	struct cs_bytes checkpoint; /* the signed note */
};

void cs_tlog_proof_free(struct cs_tlog_proof *proof);
/*
 * Appends. CS_E_PROOF for too many hashes or an index no tree can have, CS_E_NOTE for a checkpoint
 * that is no signed note.
 */
CS_MUST_CHECK enum cs_err cs_tlog_proof_print(
	const struct cs_tlog_proof *proof, struct cs_bytes *out);
/*
 * Takes exactly what the printer makes, else CS_E_PROOF or CS_E_NOTE. Free `*ret_proof` with
 * cs_tlog_proof_free.
 */
CS_MUST_CHECK enum cs_err cs_tlog_proof_parse(
	const char *text, size_t len, struct cs_tlog_proof *ret_proof);
/*
 * Verifies the checkpoint's note signature by `key` and that the leaf whose bytes are `extra` is
 * included at `index`; then fills `ret_checkpoint`. In this order: CS_E_KEY for a cosignature key,
 * the errors of cs_note_verify, CS_E_CHECKPOINT, CS_E_LOG_ORIGIN when the origin is not the key's
 * name, CS_E_PROOF, also for an empty `extra`.
 */
CS_MUST_CHECK enum cs_err cs_tlog_proof_verify(const struct cs_tlog_proof *proof,
	const struct cs_note_key *key, struct cs_checkpoint *ret_checkpoint);

#endif
