/*
 * The forms that are JSON objects: inline in our documents, beside the payload in published
 * artefacts.
 */
#include "jose_form.h"

#include <string.h>

#define CANONICALISATION "rfc8785-style/sorted-keys-no-ws"

static const char *const inline_members[] = {"alg", "kid", "value_b64", NULL};
static const char *const payload_members[] = {"alg", "kid", "sig", "canonicalisation", NULL};
static const char *const not_signed[] = {"signature", "signatures", NULL};

enum cs_err cs_inline_sign(json_t *doc, const struct cs_signer *signer, bool plural)
{
	CS_CLEANUP_BYTES struct cs_bytes message = {0};
	CS_CLEANUP_BYTES struct cs_bytes value = {0};
	CS_CLEANUP_JSON json_t *signature = NULL;
	json_t *list = json_object_get(doc, "signatures");
	enum cs_err err;

	if (plural && list != NULL && !json_is_array(list))
		return CS_E_SIGNATURE_FORM;
	err = cs_form_kid_check(signer->kid);
	if (err == CS_OK)
		err = cs_canonical_print_without(doc, not_signed, &message);
	if (err == CS_OK)
		err = cs_form_sign(signer, message.data, message.len, &value);
	if (err != CS_OK)
		return err;
	signature = json_pack("{s:s, s:s, s:s%}", "alg", cs_alg_name(signer->key.alg), "kid",
		signer->kid, "value_b64", (const char *)value.data, value.len);
	if (signature == NULL)
		return CS_E_NOMEM;
	if (!plural)
		return json_object_set(doc, "signature", signature) == 0 ? CS_OK : CS_E_NOMEM;
	if (list != NULL)
		return json_array_append(list, signature) == 0 ? CS_OK : CS_E_NOMEM;
	return json_object_set_new(doc, "signatures", json_pack("[O]", signature)) == 0
		       ? CS_OK
		       : CS_E_NOMEM;
}

const char *cs_inline_kid(const json_t *doc)
{
	const json_t *signature = json_object_get(doc, "signature");

	return cs_form_is(signature, inline_members)
		       ? json_string_value(json_object_get(signature, "kid"))
		       : NULL;
}

enum cs_err cs_inline_verify(const json_t *doc, const json_t *signature, const char *kid,
	const struct cs_public_key *key)
{
	CS_CLEANUP_BYTES struct cs_bytes message = {0};
	enum cs_err err;

	if (!cs_form_is(signature, inline_members))
		return CS_E_SIGNATURE_FORM;
	const json_t *value = json_object_get(signature, "value_b64");
	err = cs_form_match(json_string_value(json_object_get(signature, "alg")),
		json_string_value(json_object_get(signature, "kid")), cs_alg_name, kid, key);
	if (err == CS_OK)
		err = cs_canonical_print_without(doc, not_signed, &message);
	if (err != CS_OK)
		return err;
	return cs_form_verify(key, message.data, message.len, json_string_value(value),
		json_string_length(value), CS_SIGNATURE_LOW_S);
}

/* The signature object of a well-formed artefact, else NULL. */
static const json_t *payload_signature(const json_t *artefact)
{
	const json_t *signature = json_object_get(artefact, "signature");

	if (json_object_size(artefact) != 2 || json_object_get(artefact, "payload") == NULL)
		return NULL;
	if (!cs_form_is(signature, payload_members))
		return NULL;
	if (strcmp(json_string_value(json_object_get(signature, "canonicalisation")),
		    CANONICALISATION) != 0)
		return NULL;
	return signature;
}

enum cs_err cs_payload_verify(
	const json_t *artefact, const char *kid, const struct cs_public_key *key)
{
	CS_CLEANUP_BYTES struct cs_bytes message = {0};
	const json_t *signature = payload_signature(artefact);
	enum cs_err err;

	if (signature == NULL)
		return CS_E_SIGNATURE_FORM;
	const json_t *value = json_object_get(signature, "sig");
	err = cs_form_match(json_string_value(json_object_get(signature, "alg")),
		json_string_value(json_object_get(signature, "kid")), cs_alg_name, kid, key);
	if (err == CS_OK)
		err = cs_canonical_print(json_object_get(artefact, "payload"), &message);
	if (err != CS_OK)
		return err;
	return cs_form_verify(key, message.data, message.len, json_string_value(value),
		json_string_length(value), 0);
}
