#include "jose_form.h"
#include "address.h"

#include <string.h>

bool cs_form_is(const json_t *object, const char *const *keys)
{
	size_t count = 0;

	if (!json_is_object(object))
		return false;
	for (; keys[count] != NULL; count++) {
		const json_t *value = json_object_get(object, keys[count]);
		if (!json_is_string(value) ||
			strlen(json_string_value(value)) != json_string_length(value))
			return false;
	}
	return json_object_size(object) == count;
}

enum cs_err cs_form_kid_check(const char *kid)
{
	return kid == NULL || kid[0] == '\0' || strlen(kid) > CS_ID_MAX ? CS_E_ID : CS_OK;
}

enum cs_err cs_form_match(const char *alg, const char *kid, const char *(*name_of)(enum cs_alg alg),
	const char *demanded_kid, const struct cs_public_key *key)
{
	if (strcmp(kid, demanded_kid) != 0)
		return CS_E_KEY_UNKNOWN;
	return strcmp(alg, name_of(key->alg)) == 0 ? CS_OK : CS_E_ALGORITHM;
}

enum cs_err cs_form_sign(
	const struct cs_signer *signer, const void *message, size_t len, struct cs_bytes *out)
{
	uint8_t signature[CS_SIGNATURE_MAX];
	enum cs_err err = signer->sign(signer->context, message, len, signature);

	if (err != CS_OK)
		return err;
	return cs_base64url_encode(signature, cs_alg_signature_len(signer->key.alg), out);
}

enum cs_err cs_form_verify(const struct cs_public_key *key, const void *message, size_t len,
	const char *value, size_t value_len, unsigned flags)
{
	CS_CLEANUP_BYTES struct cs_bytes signature = {0};
	enum cs_err err = cs_base64url_decode(value, value_len, &signature);

	if (err != CS_OK)
		return err;
	return cs_signature_verify(key, message, len, signature.data, signature.len, flags);
}
