/*
 * Signatures as one string: sig:ALG:KID:VALUE.
 */
#include "jose_form.h"
#include "address.h"

#include <string.h>

#define PREFIX "sig:"

static const char *const not_signed[] = {"signature", NULL};

struct parts {
	enum cs_alg alg;
	const char *kid;
	size_t kid_len;
	const char *value;
};

static enum cs_err split(const char *text, struct parts *ret_parts)
{
	struct parts parts;
	char alg[8];

	if (strncmp(text, PREFIX, strlen(PREFIX)) != 0)
		return CS_E_SIGNATURE_FORM;
	const char *name = text + strlen(PREFIX);
	const char *second = strchr(name, ':');
	const char *last = strrchr(name, ':');
	if (second == NULL || last == second)
		return CS_E_SIGNATURE_FORM;
	size_t alg_len = (size_t)(second - name);
	if (alg_len >= sizeof alg)
		return CS_E_SIGNATURE_FORM;
	memcpy(alg, name, alg_len);
	alg[alg_len] = '\0';
	if (cs_alg_by_sig_name(alg, &parts.alg) != CS_OK)
		return CS_E_SIGNATURE_FORM;
	parts.kid = second + 1;
	parts.kid_len = (size_t)(last - parts.kid);
	parts.value = last + 1;
	if (parts.kid_len == 0 || parts.kid_len > CS_ID_MAX || parts.value[0] == '\0')
		return CS_E_SIGNATURE_FORM;
	*ret_parts = parts;
	return CS_OK;
}

enum cs_err cs_sig_string_sign(
	const json_t *doc, const struct cs_signer *signer, struct cs_bytes *ret)
{
	CS_CLEANUP_BYTES struct cs_bytes message = {0};
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	enum cs_err err = cs_form_kid_check(signer->kid);

	if (err == CS_OK)
		err = cs_canonical_print_without(doc, not_signed, &message);
	if (err == CS_OK)
		err = cs_bytes_addf(
			&text, PREFIX "%s:%s:", cs_alg_sig_name(signer->key.alg), signer->kid);
	if (err == CS_OK)
		err = cs_form_sign(signer, message.data, message.len, &text);
	return err == CS_OK ? cs_bytes_add(ret, text.data, text.len) : err;
}

enum cs_err cs_sig_string_kid(const char *text, char *kid, size_t kid_size)
{
	struct parts parts;
	enum cs_err err = split(text, &parts);

	if (err != CS_OK)
		return err;
	if (parts.kid_len >= kid_size)
		return CS_E_SIGNATURE_FORM;
	memcpy(kid, parts.kid, parts.kid_len);
	kid[parts.kid_len] = '\0';
	return CS_OK;
}

enum cs_err cs_sig_string_verify(
	const json_t *doc, const char *text, const char *kid, const struct cs_public_key *key)
{
	CS_CLEANUP_BYTES struct cs_bytes message = {0};
	struct parts parts;
	enum cs_err err = split(text, &parts);

	if (err != CS_OK)
		return err;
	if (!cs_bytes_equal(parts.kid, parts.kid_len, kid, strlen(kid)))
		return CS_E_KEY_UNKNOWN;
	if (parts.alg != key->alg)
		return CS_E_ALGORITHM;
	err = cs_canonical_print_without(doc, not_signed, &message);
	if (err != CS_OK)
		return err;
	return cs_form_verify(key, message.data, message.len, parts.value, strlen(parts.value),
		CS_SIGNATURE_LOW_S);
}
