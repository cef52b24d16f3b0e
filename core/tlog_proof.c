#include "note_form.h"

#include <countersign/limits.h>
#include <string.h>

#define FIRST_LINE "c2sp.org/tlog-proof@v1"
#define EXTRA "extra "
#define INDEX "index "

void cs_tlog_proof_free(struct cs_tlog_proof *proof)
{
	if (proof == NULL)
		return;
	cs_bytes_free(&proof->extra);
	cs_bytes_free(&proof->checkpoint);
	memset(proof, 0, sizeof *proof);
}

enum cs_err cs_tlog_proof_print(const struct cs_tlog_proof *proof, struct cs_bytes *out)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	enum cs_err err =
		cs_note_form_check((const char *)proof->checkpoint.data, proof->checkpoint.len);

	if (err != CS_OK)
		return err;
	if (proof->count > CS_PROOF_MAX || proof->index >= CS_TREE_SIZE_MAX)
		return CS_E_PROOF;
	cs_bytes_add_text(&text, FIRST_LINE "\n");
	if (proof->extra.len > 0) {
		cs_bytes_add_text(&text, EXTRA);
		cs_base64_encode(proof->extra.data, proof->extra.len, &text);
		cs_bytes_add_text(&text, "\n");
	}
	cs_bytes_addf(&text, INDEX "%llu\n", (unsigned long long)proof->index);
	for (size_t i = 0; i < proof->count; i++) {
		cs_base64_encode(proof->proof[i], CS_HASH, &text);
		cs_bytes_add_text(&text, "\n");
	}
	cs_bytes_add_text(&text, "\n");
	cs_bytes_add(&text, proof->checkpoint.data, proof->checkpoint.len);
	err = cs_bytes_check(&text);
	return err == CS_OK ? cs_bytes_add(out, text.data, text.len) : err;
}

/* What follows `word` when the line starts with it. */
static bool after(const char *word, const char **line, size_t *len)
{
	size_t skip = strlen(word);

	if (*len < skip || memcmp(*line, word, skip) != 0)
		return false;
	*line += skip;
	*len -= skip;
	return true;
}

static enum cs_err read_lines(const char *text, size_t text_len, struct cs_tlog_proof *proof)
{
	const char *end = text + text_len;
	const char *pos = text;
	const char *line = NULL;
	size_t len = 0;
	enum cs_err err;

	if (!cs_note_line(&pos, end, &line, &len) ||
		!cs_bytes_equal(line, len, FIRST_LINE, strlen(FIRST_LINE)))
		return CS_E_PROOF;
	if (!cs_note_line(&pos, end, &line, &len))
		return CS_E_PROOF;
	if (after(EXTRA, &line, &len)) {
		err = cs_base64_decode(line, len, &proof->extra);
		if (err != CS_OK)
			return err;
		if (proof->extra.len == 0 || !cs_note_line(&pos, end, &line, &len))
			return CS_E_PROOF;
	}
	if (!after(INDEX, &line, &len) ||
		!cs_note_decimal(line, len, CS_TREE_SIZE_MAX - 1, &proof->index))
		return CS_E_PROOF;
	for (;;) {
		if (!cs_note_line(&pos, end, &line, &len))
			return CS_E_PROOF;
		if (len == 0)
			break;
		if (proof->count >= CS_PROOF_MAX)
			return CS_E_PROOF;
		err = cs_note_hash(line, len, proof->proof[proof->count]);
		if (err != CS_OK)
			return err;
		proof->count++;
	}
	err = cs_note_form_check(pos, (size_t)(end - pos));
	return err == CS_OK ? cs_bytes_add(&proof->checkpoint, pos, (size_t)(end - pos)) : err;
}

enum cs_err cs_tlog_proof_parse(const char *text, size_t len, struct cs_tlog_proof *ret_proof)
{
	struct cs_tlog_proof proof = {0};
	enum cs_err err = read_lines(text, len, &proof);

	if (err != CS_OK) {
		cs_tlog_proof_free(&proof);
		return err == CS_E_BASE64 ? CS_E_PROOF : err;
	}
	*ret_proof = proof;
	return CS_OK;
}

enum cs_err cs_tlog_proof_verify(const struct cs_tlog_proof *proof, const struct cs_note_key *key,
	struct cs_checkpoint *ret_checkpoint)
{
	const char *note = (const char *)proof->checkpoint.data;
	struct cs_checkpoint checkpoint;
	uint8_t leaf[CS_HASH];
	size_t text_len = 0;
	enum cs_err err;

	/* A witness says that it saw a tree head, not that the log's owner made it. */
	if (key->type == CS_NOTE_COSIGNATURE)
		return CS_E_KEY;
	err = cs_note_verify(note, proof->checkpoint.len, key, &text_len);
	if (err == CS_OK)
		err = cs_checkpoint_parse(note, text_len, &checkpoint);
	if (err != CS_OK)
		return err;
	if (strcmp(checkpoint.origin, key->name) != 0)
		return CS_E_LOG_ORIGIN;
	if (proof->extra.len == 0)
		return CS_E_PROOF;
	cs_merkle_leaf(proof->extra.data, proof->extra.len, leaf);
	err = cs_merkle_verify(
		proof->index, checkpoint.size, leaf, proof->proof, proof->count, checkpoint.root);
	if (err == CS_OK)
		*ret_checkpoint = checkpoint;
	return err;
}
