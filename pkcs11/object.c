#include "object.h"
#include "error.h"
#include "point.h"

#include <string.h>

enum cs_err cs_key_name_set(const char *label, const uint8_t *id, size_t id_len,
	struct cs_key_name *ret_name, struct cs_fault *fault)
{
	struct cs_key_name name = {0};
	size_t label_len = label != NULL ? strlen(label) : 0;

	if (label_len == 0 && id_len == 0)
		return cs_fault_set(
			fault, CS_E_USAGE, "key", "a key is named by its label, its id or both");
	if (label_len > CS_LABEL_MAX || id_len > CS_KEY_ID_MAX)
		return cs_fault_set(fault, CS_E_USAGE, "key",
			"a label has at most %d bytes, an id %d", CS_LABEL_MAX, CS_KEY_ID_MAX);
	if (label_len > 0)
		memcpy(name.label, label, label_len);
	if (id_len > 0)
		memcpy(name.id, id, id_len);
	name.id_len = id_len;
	*ret_name = name;
	return CS_OK;
}

static enum cs_err collect(struct cs_token *token, CK_SESSION_HANDLE session,
	struct cs_objects *objects, struct cs_fault *fault)
{
	const CK_FUNCTION_LIST *p11 = cs_module_functions(cs_token_module(token));

	for (;;) {
		CK_OBJECT_HANDLE handles[16];
		CK_ULONG got = 0;
		CK_RV rv = p11->C_FindObjects(
			session, handles, sizeof handles / sizeof *handles, &got);
		if (rv != CKR_OK)
			return cs_token_fault(token, "C_FindObjects", rv, fault);
		if (got == 0)
			return CS_OK;
		if (got > sizeof handles / sizeof *handles ||
			got > CS_KEYS_OF_TOKEN_MAX - objects->count)
			return cs_fault_set(fault, CS_E_TOO_LARGE, "C_FindObjects",
				"more than %d keys on the token", CS_KEYS_OF_TOKEN_MAX);
		memcpy(objects->handle + objects->count, handles, got * sizeof *handles);
		objects->count += got;
	}
}

enum cs_err cs_objects_find(struct cs_token *token, CK_OBJECT_CLASS class,
	const struct cs_key_name *name, struct cs_objects *ret_objects, struct cs_fault *fault)
{
	const CK_FUNCTION_LIST *p11 = cs_module_functions(cs_token_module(token));
	CK_ATTRIBUTE template[3] = {{CKA_CLASS, &class, sizeof class}};
	CK_ULONG count = 1;
	CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
	struct cs_objects objects;
	enum cs_err err = cs_token_session(token, &session, fault);

	if (err != CS_OK)
		return err;
	if (name != NULL && name->label[0] != '\0')
		template[count++] =
			(CK_ATTRIBUTE){CKA_LABEL, cs_ck_in(name->label), strlen(name->label)};
	if (name != NULL && name->id_len > 0)
		template[count++] = (CK_ATTRIBUTE){CKA_ID, cs_ck_in(name->id), name->id_len};
	CK_RV rv = p11->C_FindObjectsInit(session, template, count);
	if (rv != CKR_OK)
		return cs_token_fault(token, "C_FindObjectsInit", rv, fault);
	objects.count = 0;
	err = collect(token, session, &objects, fault);
	rv = p11->C_FindObjectsFinal(session);
	if (err == CS_OK && rv != CKR_OK)
		err = cs_token_fault(token, "C_FindObjectsFinal", rv, fault);
	/* A search that stays open blocks the session's next one. */
	if (rv != CKR_OK)
		cs_token_renew_session(token);
	if (err == CS_OK)
		*ret_objects = objects;
	return err;
}

enum cs_err cs_object_attribute(struct cs_token *token, CK_OBJECT_HANDLE object,
	CK_ATTRIBUTE_TYPE type, void *value, size_t size, size_t *ret_len, struct cs_fault *fault)
{
	const CK_FUNCTION_LIST *p11 = cs_module_functions(cs_token_module(token));
	CK_ATTRIBUTE attribute = {type, value, size};
	CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
	enum cs_err err = cs_token_session(token, &session, fault);

	if (err != CS_OK)
		return err;
	CK_RV rv = p11->C_GetAttributeValue(session, object, &attribute, 1);
	if (rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_SENSITIVE) {
		*ret_len = 0;
		return CS_OK;
	}
	if (rv == CKR_BUFFER_TOO_SMALL || (rv == CKR_OK && attribute.ulValueLen > size))
		return cs_fault_set(fault, CS_E_TOO_LARGE, "C_GetAttributeValue",
			"attribute 0x%lx is longer than %zu bytes", type, size);
	if (rv != CKR_OK)
		return cs_token_fault(token, "C_GetAttributeValue", rv, fault);
	*ret_len = attribute.ulValueLen;
	return CS_OK;
}

enum cs_err cs_object_flag(struct cs_token *token, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
	bool otherwise, bool *ret_flag, struct cs_fault *fault)
{
	CK_BBOOL value = CK_FALSE;
	size_t len = 0;
	enum cs_err err =
		cs_object_attribute(token, object, type, &value, sizeof value, &len, fault);

	if (err == CS_OK)
		*ret_flag = len == sizeof value ? value != CK_FALSE : otherwise;
	return err;
}

enum cs_err cs_object_name(struct cs_token *token, CK_OBJECT_HANDLE object,
	struct cs_key_name *ret_name, struct cs_fault *fault)
{
	struct cs_key_name name = {0};
	char label[CS_LABEL_MAX];
	size_t label_len = 0;
	enum cs_err err = cs_object_attribute(
		token, object, CKA_LABEL, label, sizeof label, &label_len, fault);

	if (err == CS_OK)
		err = cs_object_attribute(
			token, object, CKA_ID, name.id, sizeof name.id, &name.id_len, fault);
	if (err != CS_OK)
		return err;
	for (size_t i = 0; i < label_len; i++)
		name.label[i] = label[i] != '\0' ? label[i] : '?';
	*ret_name = name;
	return CS_OK;
}

enum cs_err cs_object_alg(struct cs_token *token, CK_OBJECT_HANDLE object, enum cs_alg *ret_alg,
	struct cs_fault *fault)
{
	uint8_t params[CS_EC_PARAMS_MAX];
	CK_KEY_TYPE type = 0;
	enum cs_alg alg = CS_ALG_EDDSA;
	size_t len = 0;
	enum cs_err err =
		cs_object_attribute(token, object, CKA_KEY_TYPE, &type, sizeof type, &len, fault);

	if (err != CS_OK)
		return err;
	if (len != sizeof type || (type != CKK_EC && type != CKK_EC_EDWARDS))
		return cs_fault_set(fault, CS_E_TOKEN_MECHANISM, "key",
			"key type 0x%lx: only Ed25519, P-256 and P-384 sign here", type);
	err = cs_object_attribute(token, object, CKA_EC_PARAMS, params, sizeof params, &len, fault);
	if (err == CS_OK || err == CS_E_TOO_LARGE) {
		if (err == CS_E_TOO_LARGE || cs_curve_params_read(params, len, &alg) != CS_OK)
			return cs_fault_set(fault, CS_E_TOKEN_MECHANISM, "key",
				"another curve: only Ed25519, P-256 and P-384 sign here");
		*ret_alg = alg;
		return CS_OK;
	}
	return err;
}

enum cs_err cs_object_point(struct cs_token *token, CK_OBJECT_HANDLE object, enum cs_alg alg,
	struct cs_public_key *ret_key, struct cs_fault *fault)
{
	uint8_t point[CS_EC_POINT_MAX];
	size_t len = 0;
	enum cs_err err =
		cs_object_attribute(token, object, CKA_EC_POINT, point, sizeof point, &len, fault);

	if (err != CS_OK)
		return err;
	if (len == 0)
		return cs_fault_set(
			fault, CS_E_NOT_FOUND, "key", "the token does not show the public key");
	err = cs_ec_point_read(alg, point, len, ret_key);
	if (err != CS_OK)
		return cs_fault_set(fault, err, "key",
			"CKA_EC_POINT of %zu bytes is no public key for %s", len, cs_alg_name(alg));
	return CS_OK;
}

enum cs_err cs_object_public(struct cs_token *token, CK_OBJECT_HANDLE private_key,
	const struct cs_key_name *name, enum cs_alg alg, struct cs_public_key *ret_key,
	struct cs_fault *fault)
{
	/*
	 * The id is what ties a pair together (section 4.9); labels may differ between its halves.
	 */
	struct cs_key_name pair = *name;
	struct cs_objects found = {.count = 0};
	enum cs_err err = CS_OK;

	if (pair.id_len > 0)
		pair.label[0] = '\0';
	if (pair.id_len > 0 || pair.label[0] != '\0')
		err = cs_objects_find(token, CKO_PUBLIC_KEY, &pair, &found, fault);
	if (err != CS_OK)
		return err;
	if (found.count > 1)
		return cs_fault_set(fault, CS_E_TOKEN_KEY_AMBIGUOUS, "key",
			"%zu public keys belong to private key '%s'", found.count, name->label);
	return cs_object_point(
		token, found.count == 1 ? found.handle[0] : private_key, alg, ret_key, fault);
}
