#include "key.h"
#include "error.h"
#include "object.h"
#include "core/bytes.h"

#include <stdlib.h>
#include <string.h>

struct cs_token_key {
	struct cs_token *token;
	struct cs_key_name name;
	enum cs_alg alg;
	bool has_public;
	bool pin_each_time;
	struct cs_public_key public;
	CK_OBJECT_HANDLE handle;
	uint64_t generation;
};

void cs_token_key_free(struct cs_token_key *key)
{
	free(key);
}

void cs_token_key_cleanup(struct cs_token_key **key)
{
	cs_token_key_free(*key);
}

struct cs_token *cs_token_key_token(const struct cs_token_key *key)
{
	return key->token;
}

const char *cs_token_key_label(const struct cs_token_key *key)
{
	return key->name.label;
}

const uint8_t *cs_token_key_id(const struct cs_token_key *key, size_t *ret_len)
{
	*ret_len = key->name.id_len;
	return key->name.id;
}

enum cs_alg cs_token_key_alg(const struct cs_token_key *key)
{
	return key->alg;
}

const struct cs_public_key *cs_token_key_public(const struct cs_token_key *key)
{
	return key->has_public ? &key->public : NULL;
}

bool cs_token_key_pin_each_time(const struct cs_token_key *key)
{
	return key->pin_each_time;
}

enum cs_err cs_token_key_of_object(struct cs_token *token, CK_OBJECT_HANDLE object,
	struct cs_token_key **ret_key, struct cs_fault *fault)
{
	struct cs_token_key *key = calloc(1, sizeof *key);

	if (key == NULL)
		return cs_fault_set(fault, CS_E_NOMEM, "", "out of memory");
	key->token = token;
	key->handle = object;
	key->generation = cs_token_generation(token);
	enum cs_err err = cs_object_name(token, object, &key->name, fault);
	if (err == CS_OK)
		err = cs_object_alg(token, object, &key->alg, fault);
	if (err == CS_OK)
		err = cs_object_flag(
			token, object, CKA_ALWAYS_AUTHENTICATE, false, &key->pin_each_time, fault);
	if (err == CS_OK)
		err = cs_object_public(token, object, &key->name, key->alg, &key->public, fault);
	if (err == CS_OK)
		key->has_public = true;
	else if (err != CS_E_NOT_FOUND)
		goto out;
	*ret_key = key;
	key = NULL;
	err = CS_OK;
out:
	cs_token_key_free(key);
	return err;
}

/* "'seal'", "id 0a0b" or both. */
static const char *shown(const struct cs_key_name *name, struct cs_bytes *to)
{
	char id[2 * CS_KEY_ID_MAX + 1];

	cs_hex_encode(name->id, name->id_len, id);
	if (name->label[0] != '\0')
		(void)cs_bytes_addf(to, "'%s'", name->label);
	if (name->id_len > 0)
		(void)cs_bytes_addf(to, "%sid %s", to->len > 0 ? " with " : "", id);
	return to->data != NULL ? (const char *)to->data : "";
}

static enum cs_err find_object(struct cs_token *token, const struct cs_key_name *name,
	CK_OBJECT_HANDLE *ret_object, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	struct cs_objects found = {.count = 0};
	enum cs_err err = cs_objects_find(token, CKO_PRIVATE_KEY, name, &found, fault);
	const char *label = cs_token_identity(token)->label;

	if (err != CS_OK)
		return err;
	if (found.count == 0) {
		/*
		 * Without a login a token shows no private keys, which is not the same as having
		 * none.
		 */
		err = cs_token_check(token, fault);
		return err != CS_OK ? err
				    : cs_fault_set(fault, CS_E_TOKEN_KEY, "key",
					      "token '%s' has no private key %s", label,
					      shown(name, &text));
	}
	if (found.count > 1)
		return cs_fault_set(fault, CS_E_TOKEN_KEY_AMBIGUOUS, "key",
			"token '%s' has %zu private keys %s", label, found.count,
			shown(name, &text));
	*ret_object = found.handle[0];
	return CS_OK;
}

enum cs_err cs_token_key_find(struct cs_token *token, const char *label, const uint8_t *id,
	size_t id_len, struct cs_token_key **ret_key, struct cs_fault *fault)
{
	struct cs_key_name name;
	CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
	enum cs_err err = cs_key_name_set(label, id, id_len, &name, fault);

	if (err != CS_OK)
		return err;
	cs_module_lock(cs_token_module(token));
	err = find_object(token, &name, &object, fault);
	if (err == CS_OK)
		err = cs_token_key_of_object(token, object, ret_key, fault);
	cs_module_unlock(cs_token_module(token));
	return err;
}

enum cs_err cs_token_key_handle(
	struct cs_token_key *key, CK_OBJECT_HANDLE *ret_handle, struct cs_fault *fault)
{
	CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;

	if (key->generation != cs_token_generation(key->token)) {
		enum cs_err err = find_object(key->token, &key->name, &object, fault);
		if (err != CS_OK)
			return err;
		key->handle = object;
		key->generation = cs_token_generation(key->token);
	}
	*ret_handle = key->handle;
	return CS_OK;
}

/*
 * Foreign keys (RSA, other curves) are listed too, as not usable; only a failing token ends the
 * list.
 */
static enum cs_err describe(struct cs_token *token, CK_OBJECT_CLASS class, CK_OBJECT_HANDLE object,
	struct cs_token_key_entry *entry, struct cs_fault *fault)
{
	struct cs_key_name name;
	enum cs_alg alg = CS_ALG_EDDSA;
	enum cs_err err = cs_object_name(token, object, &name, fault);

	entry->class = class;
	if (err == CS_E_TOO_LARGE)
		return CS_OK;
	if (err != CS_OK)
		return err;
	memcpy(entry->label, name.label, sizeof entry->label);
	memcpy(entry->id, name.id, sizeof entry->id);
	entry->id_len = name.id_len;
	err = cs_object_alg(token, object, &alg, fault);
	if (err == CS_OK && class == CKO_PRIVATE_KEY)
		err = cs_object_public(token, object, &name, alg, &entry->key, fault);
	else if (err == CS_OK)
		err = cs_object_point(token, object, alg, &entry->key, fault);
	entry->usable = err == CS_OK;
	if (err == CS_E_TOKEN_MECHANISM || err == CS_E_NOT_FOUND || err == CS_E_KEY ||
		err == CS_E_TOKEN_KEY_AMBIGUOUS || err == CS_E_TOO_LARGE)
		return CS_OK;
	return err;
}

enum cs_err cs_token_key_list(struct cs_token *token, struct cs_token_key_entry **ret_entries,
	size_t *ret_count, struct cs_fault *fault)
{
	static const CK_OBJECT_CLASS classes[] = {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY};
	struct cs_objects found = {.count = 0};
	size_t count = 0;
	enum cs_err err = CS_OK;
	struct cs_token_key_entry *entries = calloc(2 * CS_KEYS_OF_TOKEN_MAX, sizeof *entries);

	if (entries == NULL)
		return cs_fault_set(fault, CS_E_NOMEM, "", "out of memory");
	cs_module_lock(cs_token_module(token));
	for (size_t i = 0; i < 2; i++) {
		err = cs_objects_find(token, classes[i], NULL, &found, fault);
		for (size_t k = 0; err == CS_OK && k < found.count; k++)
			err = describe(
				token, classes[i], found.handle[k], &entries[count++], fault);
		if (err != CS_OK)
			goto out;
	}
	*ret_entries = entries;
	*ret_count = count;
	entries = NULL;
out:
	cs_module_unlock(cs_token_module(token));
	free(entries);
	return err;
}
