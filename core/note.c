#include "note_form.h"

#include <countersign/limits.h>
#include <string.h>

#define DASH "\xe2\x80\x94 " /* em dash U+2014 and a space */
#define DASH_LEN 4
#define HASH_LEN 4 /* key id before the signature */
#define TIME_LEN 8 /* time stamp before the signature of a cosignature */

/* One signature line: borrowed name, and the signature after the key id. */
struct line {
	const char *name;
	size_t name_len;
	uint32_t hash;
	struct cs_bytes value; /* with the key id */
};

static enum cs_err read_line(const char *text, size_t len, struct line *line)
{
	const char *end = text + len;
	enum cs_err err;

	if (len <= DASH_LEN || memcmp(text, DASH, DASH_LEN) != 0)
		return CS_E_NOTE;
	line->name = text + DASH_LEN;
	const char *space = memchr(line->name, ' ', (size_t)(end - line->name));
	if (space == NULL || !cs_note_name_ok(line->name, (size_t)(space - line->name)))
		return CS_E_NOTE;
	line->name_len = (size_t)(space - line->name);
	err = cs_base64_decode(space + 1, (size_t)(end - space - 1), &line->value);
	if (err != CS_OK)
		return err == CS_E_NOMEM ? err : CS_E_NOTE;
	if (line->value.len <= HASH_LEN)
		return CS_E_NOTE;
	const uint8_t *id = line->value.data;
	line->hash = (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3];
	return CS_OK;
}

/* The text ends before the last empty line, because signature lines are never empty. */
static bool find_text(const char *note, size_t len, size_t *ret_text_len)
{
	for (size_t i = len; i-- > 1;) {
		if (note[i] == '\n' && note[i - 1] == '\n') {
			*ret_text_len = i;
			return true;
		}
	}
	return false;
}

/*
 * Reads the whole note. `key` may be NULL; else the signature of its line, with the key id, goes to
 * `ret_value`, which stays empty when there is none.
 */
static enum cs_err read_note(const char *note, size_t len, const struct cs_note_key *key,
	size_t *ret_text_len, size_t *ret_count, struct cs_bytes *ret_value)
{
	const char *end = note + len;
	const char *text = NULL;
	size_t text_len = 0;
	size_t count = 0;
	size_t line_len = 0;
	enum cs_err err = CS_OK;

	if (len == 0 || note[len - 1] != '\n' || !cs_note_text_ok(note, len) ||
		!find_text(note, len, &text_len))
		return CS_E_NOTE;
	const char *pos = note + text_len + 1;
	for (; err == CS_OK && cs_note_line(&pos, end, &text, &line_len); count++) {
		struct line line = {0};
		err = count < CS_NOTE_SIGNATURES_MAX ? read_line(text, line_len, &line) : CS_E_NOTE;
		if (err == CS_OK && key != NULL && line.hash == key->hash &&
			cs_bytes_equal(line.name, line.name_len, key->name, strlen(key->name))) {
			if (ret_value->data != NULL)
				err = CS_E_NOTE;
			else
				err = cs_bytes_add(ret_value, line.value.data, line.value.len);
		}
		cs_bytes_free(&line.value);
	}
	if (err != CS_OK)
		return err;
	if (count == 0)
		return CS_E_NOTE;
	*ret_text_len = text_len;
	*ret_count = count;
	return CS_OK;
}

enum cs_err cs_note_form_check(const char *note, size_t len)
{
	size_t text_len;
	size_t count;

	return read_note(note, len, NULL, &text_len, &count, NULL);
}

/* What a witness signs for its time stamp (c2sp.org/tlog-cosignature). */
static enum cs_err verify_cosignature(const struct cs_note_key *key, const char *text,
	size_t text_len, const uint8_t *signature, size_t signature_len)
{
	CS_CLEANUP_BYTES struct cs_bytes message = {0};
	uint64_t time = 0;

	if (signature_len <= TIME_LEN)
		return CS_E_SIGNATURE_FORM;
	for (size_t i = 0; i < TIME_LEN; i++)
		time = time << 8 | signature[i];
	if (time > INT64_MAX)
		return CS_E_SIGNATURE_FORM;
	cs_bytes_addf(&message, "cosignature/v1\ntime %llu\n", (unsigned long long)time);
	enum cs_err err = cs_bytes_add(&message, text, text_len);
	if (err != CS_OK)
		return err;
	return cs_signature_verify(&key->key, message.data, message.len, signature + TIME_LEN,
		signature_len - TIME_LEN, 0);
}

enum cs_err cs_note_verify(
	const char *note, size_t len, const struct cs_note_key *key, size_t *ret_text_len)
{
	CS_CLEANUP_BYTES struct cs_bytes value = {0};
	size_t text_len = 0;
	size_t count = 0;
	enum cs_err err = read_note(note, len, key, &text_len, &count, &value);

	if (err != CS_OK)
		return err;
	if (value.data == NULL)
		return CS_E_KEY_UNKNOWN;
	const uint8_t *signature = value.data + HASH_LEN;
	size_t signature_len = value.len - HASH_LEN;
	if (key->type == CS_NOTE_COSIGNATURE)
		err = verify_cosignature(key, note, text_len, signature, signature_len);
	else
		err = cs_signature_verify(&key->key, note, text_len, signature, signature_len,
			CS_SIGNATURE_DER | CS_SIGNATURE_LOW_S);
	if (err == CS_OK)
		*ret_text_len = text_len;
	return err;
}

static enum cs_err make_signature(const struct cs_note_key *key, const struct cs_signer *signer,
	const void *text, size_t text_len, struct cs_bytes *out)
{
	uint8_t raw[CS_SIGNATURE_MAX];
	enum cs_err err = signer->sign(signer->context, text, text_len, raw);

	if (err != CS_OK)
		return err;
	if (key->type == CS_NOTE_ECDSA)
		return cs_signature_to_der(
			key->key.alg, raw, cs_alg_signature_len(key->key.alg), out);
	return cs_bytes_add(out, raw, cs_alg_signature_len(key->key.alg));
}

/* Whether the last paragraph is meant to be signature lines, well formed or not. */
static bool has_signatures(const char *note, size_t len)
{
	size_t text_len = 0;

	return find_text(note, len, &text_len) && len - text_len > DASH_LEN &&
	       memcmp(note + text_len + 1, DASH, DASH_LEN) == 0;
}

enum cs_err cs_note_sign(struct cs_bytes *note, const char *name, const struct cs_signer *signer)
{
	CS_CLEANUP_BYTES struct cs_bytes earlier = {0};
	CS_CLEANUP_BYTES struct cs_bytes value = {0};
	CS_CLEANUP_BYTES struct cs_bytes line = {0};
	const char *text = (const char *)note->data;
	struct cs_note_key key;
	size_t text_len = note->len;
	size_t count = 0;
	enum cs_err err = cs_note_key_set(name, &signer->key, &key);

	if (err != CS_OK)
		return err;
	if (has_signatures(text, note->len)) {
		err = read_note(text, note->len, &key, &text_len, &count, &earlier);
		if (err != CS_OK)
			return err;
		if (earlier.data != NULL || count >= CS_NOTE_SIGNATURES_MAX)
			return CS_E_NOTE;
	} else {
		if (text_len == 0 || text[text_len - 1] != '\n' || !cs_note_text_ok(text, text_len))
			return CS_E_NOTE;
		cs_bytes_add(&line, "\n", 1);
	}
	const uint8_t id[HASH_LEN] = {(uint8_t)(key.hash >> 24), (uint8_t)(key.hash >> 16),
		(uint8_t)(key.hash >> 8), (uint8_t)key.hash};
	cs_bytes_add(&value, id, sizeof id);
	err = make_signature(&key, signer, text, text_len, &value);
	if (err == CS_OK)
		err = cs_bytes_addf(&line, DASH "%s ", name);
	if (err == CS_OK)
		err = cs_base64_encode(value.data, value.len, &line);
	if (err == CS_OK)
		err = cs_bytes_add(&line, "\n", 1);
	return err == CS_OK ? cs_bytes_add(note, line.data, line.len) : err;
}
