#include "seal_answer.h"
#include "jose.h"
#include "note.h"

#include <stdlib.h>
#include <string.h>

void cs_seal_clear(struct cs_seal *seal)
{
	cs_bytes_free(&seal->seal);
	free(seal->checkpoint);
	memset(seal, 0, sizeof *seal);
}

static enum cs_err key_of(const struct cs_rulebook *book, enum cs_usage usage,
	const struct cs_key_info **ret_key, struct cs_fault *fault)
{
	*ret_key = cs_keyring_appliance_key(book->ring, book->origin, usage);
	if (*ret_key == NULL)
		return cs_fault_set(fault, CS_E_KEY_UNKNOWN, cs_usage_name(usage),
			"the trust set has no such key for '%s'", book->origin);
	return CS_OK;
}

static enum cs_err check_jws(const struct cs_rulebook *book, const struct cs_bytes *statement,
	const char *jws, struct cs_seal *seal, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes payload = {0};
	const struct cs_key_info *key = NULL;
	char kid[CS_ID_MAX + 1];

	enum cs_err err = key_of(book, CS_USAGE_SEAL, &key, fault);
	if (err == CS_OK)
		err = cs_jws_open(jws, strlen(jws), kid, sizeof kid, &payload);
	if (err == CS_OK)
		err = cs_jws_verify(jws, strlen(jws), key->kid, &key->key);
	if (err != CS_OK)
		return cs_fault_set(fault, err, "seals/0", "the signer's JWS");
	if (!cs_bytes_equal(payload.data, payload.len, statement->data, statement->len))
		return cs_fault_set(
			fault, CS_E_LOG_FORK, "seals/0", "the signer sealed another statement");
	seal->entity = key->entity;
	cs_bytes_add_text(&seal->seal, "sig:jws:");
	cs_bytes_add_text(&seal->seal, jws);
	return cs_bytes_check(&seal->seal);
}

/*
 * The proof of the newest leaf is the right edge of the log before it, smallest tree first (RFC
 * 6962 section 2.1.1).
 */
static void prove_last(const struct cs_frontier *before, struct cs_tlog_proof *proof)
{
	proof->index = before->size;
	proof->count = before->count;
	for (size_t i = 0; i < before->count; i++)
		memcpy(proof->proof[i], before->hash[before->count - 1 - i], CS_HASH);
}

static enum cs_err check_tlog(const struct cs_rulebook *book, const struct cs_frontier *before,
	const struct cs_bytes *statement, const char *checkpoint, struct cs_seal *seal,
	struct cs_fault *fault)
{
	struct cs_tlog_proof proof = {0};
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	const struct cs_key_info *key = NULL;
	struct cs_note_key note_key;
	struct cs_checkpoint head;
	uint8_t root[CS_HASH];

	prove_last(before, &proof);
	cs_merkle_root(&seal->after, root);
	enum cs_err err = key_of(book, CS_USAGE_CHECKPOINT, &key, fault);
	if (err == CS_OK)
		err = cs_note_key_set(book->origin, &key->key, &note_key);
	if (err == CS_OK)
		err = cs_bytes_add(&proof.extra, statement->data, statement->len);
	if (err == CS_OK)
		err = cs_bytes_add_text(&proof.checkpoint, checkpoint);
	if (err == CS_OK)
		err = cs_tlog_proof_verify(&proof, &note_key, &head);
	if (err == CS_OK &&
		(head.size != seal->after.size || memcmp(head.root, root, CS_HASH) != 0))
		err = CS_E_LOG_FORK;
	if (err == CS_OK)
		err = cs_tlog_proof_print(&proof, &text);
	if (err == CS_OK) {
		cs_bytes_add_text(&seal->seal, "sig:tlog:");
		cs_base64url_encode(text.data, text.len, &seal->seal);
		err = cs_bytes_check(&seal->seal);
		seal->entity = key->entity;
	} else {
		cs_fault_set(fault, err, "checkpoint", "the signer's checkpoint");
	}
	cs_tlog_proof_free(&proof);
	return err;
}

static enum cs_err check(const struct cs_rulebook *book, const struct cs_frontier *before,
	const json_t *answer, struct cs_seal *seal, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes statement = {0};
	const json_t *seals = json_object_get(answer, "seals");
	const char *checkpoint = cs_json_text(answer, "checkpoint");
	const char *jws = json_string_value(json_array_get(seals, 0));

	if (json_array_size(seals) != 1)
		return cs_fault_set(fault, CS_E_FRAME, "seals", "not one seal for one statement");
	enum cs_err err = cs_canonical_print(seal->statement, &statement);
	if (err != CS_OK)
		return err;
	cs_merkle_leaf(statement.data, statement.len, seal->leaf);
	seal->after = *before;
	err = cs_merkle_append(&seal->after, seal->leaf);
	if (err != CS_OK)
		return err;
	if (seal->form == CS_SEAL_JWS)
		return jws ? check_jws(book, &statement, jws, seal, fault)
			   : cs_fault_set(fault, CS_E_FRAME, "seals/0", "no JWS");
	if (checkpoint == NULL)
		return cs_fault_set(fault, CS_E_FRAME, "checkpoint", "no checkpoint");
	seal->checkpoint = strdup(checkpoint);
	return seal->checkpoint ? check_tlog(book, before, &statement, checkpoint, seal, fault)
				: CS_E_NOMEM;
}

enum cs_err cs_seal_check(const struct cs_rulebook *book, const struct cs_frontier *before,
	json_t *statement, enum cs_seal_form form, const json_t *answer, struct cs_seal *ret_seal,
	struct cs_fault *fault)
{
	struct cs_seal seal = {.statement = statement,
		.form = form,
		.issued_at = cs_json_text(statement, "issued_at")};

	enum cs_err err = check(book, before, answer, &seal, fault);
	if (err == CS_OK)
		*ret_seal = seal;
	else
		cs_seal_clear(&seal);
	return err;
}
