/*
 * Compact JWS (RFC 7515 section 7.1) with one fixed header.
 */
#include "jose_form.h"
#include "address.h"

#include <string.h>

#define TYPE "countersign-seal+jws"
#define HEADER_MAX 2048 /* a kid whose every character is escaped still fits */

static const char *const header_members[] = {"alg", "kid", "typ", NULL};

/* The three parts, dots excluded. */
struct parts {
	const char *header;
	size_t header_len;
	const char *payload;
	size_t payload_len;
	const char *signature;
	size_t signature_len;
};

static enum cs_err split(const char *jws, size_t len, struct parts *ret_parts)
{
	const char *end = jws + len;
	const char *first = len > 0 ? memchr(jws, '.', len) : NULL;
	const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;

	if (second == NULL || memchr(second + 1, '.', (size_t)(end - second - 1)) != NULL)
		return CS_E_SIGNATURE_FORM;
	*ret_parts = (struct parts){
		.header = jws,
		.header_len = (size_t)(first - jws),
		.payload = first + 1,
		.payload_len = (size_t)(second - first - 1),
		.signature = second + 1,
		.signature_len = (size_t)(end - second - 1),
	};
	return CS_OK;
}

/*
 * Reads the header; anything but the bytes that cs_jws_signing_input would write for this kid is
 * refused.
 */
static enum cs_err read_header(const struct parts *parts, json_t **ret_header)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	CS_CLEANUP_JSON json_t *header = NULL;
	enum cs_err err = cs_base64url_decode(parts->header, parts->header_len, &text);

	if (err != CS_OK)
		return err;
	err = cs_json_read_canonical(text.data, text.len, HEADER_MAX, &header, NULL);
	if (err == CS_E_NOMEM)
		return err;
	if (err != CS_OK || !cs_form_is(header, header_members))
		return CS_E_SIGNATURE_FORM;
	if (strcmp(json_string_value(json_object_get(header, "typ")), TYPE) != 0)
		return CS_E_SIGNATURE_FORM;
	if (cs_form_kid_check(json_string_value(json_object_get(header, "kid"))) != CS_OK)
		return CS_E_SIGNATURE_FORM;
	*ret_header = header;
	header = NULL;
	return CS_OK;
}

enum cs_err cs_jws_signing_input(const struct cs_public_key *key, const char *kid,
	const void *payload, size_t payload_len, struct cs_bytes *ret_input)
{
	CS_CLEANUP_JSON json_t *header = NULL;
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	CS_CLEANUP_BYTES struct cs_bytes input = {0};
	enum cs_err err = cs_form_kid_check(kid);

	if (err != CS_OK)
		return err;
	header =
		json_pack("{s:s, s:s, s:s}", "alg", cs_alg_name(key->alg), "kid", kid, "typ", TYPE);
	if (header == NULL)
		return CS_E_NOMEM;
	err = cs_canonical_print(header, &text);
	if (err == CS_OK)
		err = cs_base64url_encode(text.data, text.len, &input);
	if (err == CS_OK)
		err = cs_bytes_add(&input, ".", 1);
	if (err == CS_OK)
		err = cs_base64url_encode(payload, payload_len, &input);
	return err == CS_OK ? cs_bytes_add(ret_input, input.data, input.len) : err;
}

enum cs_err cs_jws_sign(const struct cs_signer *signer, const void *payload, size_t payload_len,
	struct cs_bytes *ret_jws)
{
	CS_CLEANUP_BYTES struct cs_bytes value = {0};
	CS_CLEANUP_BYTES struct cs_bytes jws = {0};
	enum cs_err err =
		cs_jws_signing_input(&signer->key, signer->kid, payload, payload_len, &jws);

	if (err == CS_OK)
		err = cs_form_sign(signer, jws.data, jws.len, &value);
	if (err == CS_OK)
		err = cs_bytes_add(&jws, ".", 1);
	if (err == CS_OK)
		err = cs_bytes_add(&jws, value.data, value.len);
	return err == CS_OK ? cs_bytes_add(ret_jws, jws.data, jws.len) : err;
}

enum cs_err cs_jws_open(
	const char *jws, size_t len, char *kid, size_t kid_size, struct cs_bytes *ret_payload)
{
	CS_CLEANUP_JSON json_t *header = NULL;
	CS_CLEANUP_BYTES struct cs_bytes payload = {0};
	CS_CLEANUP_BYTES struct cs_bytes signature = {0};
	struct parts parts;
	enum cs_err err = split(jws, len, &parts);

	if (err == CS_OK)
		err = read_header(&parts, &header);
	if (err != CS_OK)
		return err;
	enum cs_alg alg;
	if (cs_alg_by_name(json_string_value(json_object_get(header, "alg")), &alg) != CS_OK)
		return CS_E_SIGNATURE_FORM;
	const json_t *name = json_object_get(header, "kid");
	if (json_string_length(name) >= kid_size)
		return CS_E_SIGNATURE_FORM;
	err = cs_base64url_decode(parts.signature, parts.signature_len, &signature);
	if (err == CS_OK)
		err = cs_base64url_decode(parts.payload, parts.payload_len, &payload);
	if (err == CS_OK)
		err = cs_bytes_add(ret_payload, payload.data, payload.len);
	if (err == CS_OK)
		memcpy(kid, json_string_value(name), json_string_length(name) + 1);
	return err;
}

enum cs_err cs_jws_verify(
	const char *jws, size_t len, const char *kid, const struct cs_public_key *key)
{
	CS_CLEANUP_JSON json_t *header = NULL;
	CS_CLEANUP_BYTES struct cs_bytes payload = {0};
	struct parts parts;
	enum cs_err err = split(jws, len, &parts);

	if (err == CS_OK)
		err = read_header(&parts, &header);
	if (err != CS_OK)
		return err;
	err = cs_form_match(json_string_value(json_object_get(header, "alg")),
		json_string_value(json_object_get(header, "kid")), cs_alg_name, kid, key);
	/*
	 * The payload's own base64url is signed as text; it must still be one that decodes in one
	 * way only.
	 */
	if (err == CS_OK)
		err = cs_base64url_decode(parts.payload, parts.payload_len, &payload);
	if (err != CS_OK)
		return err;
	return cs_form_verify(key, jws, parts.header_len + 1 + parts.payload_len, parts.signature,
		parts.signature_len, CS_SIGNATURE_LOW_S);
}
