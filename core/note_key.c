/*
 * Verifier keys of signed notes and their text form.
 */
#include "note_form.h"

#include <string.h>

/* The key as the text form holds it, type byte first. */
static enum cs_err encode(const struct cs_note_key *key, struct cs_bytes *out)
{
	enum cs_err err = cs_bytes_add(out, &key->type, 1);

	if (err != CS_OK)
		return err;
	if (key->type == CS_NOTE_ECDSA)
		return cs_public_key_to_spki(&key->key, out);
	return cs_bytes_add(out, key->key.point, key->key.point_len);
}

static enum cs_err set(const char *name, size_t name_len, uint8_t type,
	const struct cs_public_key *key, struct cs_note_key *ret_key)
{
	CS_CLEANUP_BYTES struct cs_bytes input = {0};
	struct cs_note_key made = {.key = *key, .type = type};
	uint8_t digest[CS_HASH];
	enum cs_err err;

	if (name_len >= sizeof made.name || !cs_note_name_ok(name, name_len))
		return CS_E_NOTE;
	memcpy(made.name, name, name_len);
	if (type == CS_NOTE_ECDSA) {
		err = cs_public_key_to_spki(key, &input);
	} else {
		cs_bytes_add(&input, name, name_len);
		cs_bytes_add(&input, "\n", 1);
		err = encode(&made, &input);
	}
	if (err != CS_OK)
		return err;
	cs_sha256(input.data, input.len, digest);
	made.hash = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 |
		    (uint32_t)digest[2] << 8 | digest[3];
	*ret_key = made;
	return CS_OK;
}

enum cs_err cs_note_key_set(
	const char *name, const struct cs_public_key *key, struct cs_note_key *ret_key)
{
	switch (key->alg) {
	case CS_ALG_EDDSA:
		return set(name, strlen(name), CS_NOTE_ED25519, key, ret_key);
	case CS_ALG_ES256:
		return set(name, strlen(name), CS_NOTE_ECDSA, key, ret_key);
	case CS_ALG_ES384:
		break;
	}
	return CS_E_KEY;
}

static enum cs_err read_key(const struct cs_bytes *encoded, struct cs_public_key *ret_key)
{
	enum cs_err err;

	if (encoded->len < 2)
		return CS_E_KEY;
	switch (encoded->data[0]) {
	case CS_NOTE_ED25519:
	case CS_NOTE_COSIGNATURE:
		return cs_public_key_set(
			CS_ALG_EDDSA, encoded->data + 1, encoded->len - 1, ret_key);
	case CS_NOTE_ECDSA:
		err = cs_public_key_from_spki(encoded->data + 1, encoded->len - 1, ret_key);
		return err == CS_OK && ret_key->alg != CS_ALG_ES256 ? CS_E_KEY : err;
	}
	return CS_E_KEY;
}

enum cs_err cs_note_key_parse(const char *text, struct cs_note_key *ret_key)
{
	CS_CLEANUP_BYTES struct cs_bytes encoded = {0};
	struct cs_note_key made;
	struct cs_public_key key;
	uint8_t hash[4];

	/* Names hold no plus sign, base64 may. */
	const char *first = strchr(text, '+');
	const char *second = first ? strchr(first + 1, '+') : NULL;
	if (second == NULL ||
		cs_hex_decode(first + 1, (size_t)(second - first - 1), hash, sizeof hash) != CS_OK)
		return CS_E_NOTE;
	enum cs_err err = cs_base64_decode(second + 1, strlen(second + 1), &encoded);
	if (err != CS_OK)
		return err == CS_E_NOMEM ? err : CS_E_NOTE;
	err = read_key(&encoded, &key);
	if (err == CS_OK)
		err = set(text, (size_t)(first - text), encoded.data[0], &key, &made);
	if (err != CS_OK)
		return err;
	if (made.hash != ((uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 |
				 (uint32_t)hash[2] << 8 | hash[3]))
		return CS_E_KEY;
	*ret_key = made;
	return CS_OK;
}

enum cs_err cs_note_key_print(const struct cs_note_key *key, struct cs_bytes *out)
{
	CS_CLEANUP_BYTES struct cs_bytes encoded = {0};
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	enum cs_err err = encode(key, &encoded);

	if (err == CS_OK)
		err = cs_bytes_addf(&text, "%s+%08x+", key->name, (unsigned)key->hash);
	if (err == CS_OK)
		err = cs_base64_encode(encoded.data, encoded.len, &text);
	return err == CS_OK ? cs_bytes_add(out, text.data, text.len) : err;
}
