/*
 * What the signature forms of jose.h have in common. For their files alone.
 */
#ifndef CS_JOSE_FORM_H
#define CS_JOSE_FORM_H

#include "jose.h"

/*
 * True when `object` is an object of exactly the members in `keys` (NULL-terminated), each a
 * string. A string that holds U+0000 is none here: as a C string it would compare equal to its
 * beginning.
 */
bool cs_form_is(const json_t *object, const char *const *keys);

/* CS_E_ID unless the kid fits what the readers accept. */
CS_MUST_CHECK enum cs_err cs_form_kid_check(const char *kid);

/* CS_E_KEY_UNKNOWN, then CS_E_ALGORITHM. `alg` is in the spelling that `name_of` gives. */
CS_MUST_CHECK enum cs_err cs_form_match(const char *alg, const char *kid,
	const char *(*name_of)(enum cs_alg alg), const char *demanded_kid,
	const struct cs_public_key *key);

/* Signs and appends the base64url of the signature. */
CS_MUST_CHECK enum cs_err cs_form_sign(
	const struct cs_signer *signer, const void *message, size_t len, struct cs_bytes *out);

/* Decodes `value` and verifies it. CS_E_BASE64 and the errors of cs_signature_verify. */
CS_MUST_CHECK enum cs_err cs_form_verify(const struct cs_public_key *key, const void *message,
	size_t len, const char *value, size_t value_len, unsigned flags);

#endif
