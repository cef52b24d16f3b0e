#include "key.h"
#include "error.h"
#include "object.h"
#include "point.h"

#include <string.h>
#include <sodium.h>

#define RANDOM_ID_LEN 8

static enum cs_err refuse_existing(struct cs_token *token, const char *label, const uint8_t *id,
	size_t id_len, struct cs_fault *fault)
{
	static const CK_OBJECT_CLASS classes[] = {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY};
	struct cs_key_name names[2];
	struct cs_objects found = {.count = 0};
	enum cs_err err = cs_key_name_set(label, NULL, 0, &names[0], fault);

	if (err == CS_OK)
		err = cs_key_name_set(NULL, id, id_len, &names[1], fault);
	for (size_t i = 0; err == CS_OK && i < 4; i++) {
		err = cs_objects_find(token, classes[i / 2], &names[i % 2], &found, fault);
		if (err == CS_OK && found.count > 0)
			err = cs_fault_set(fault, CS_E_EXISTS, "key",
				"token '%s' has a key with the %s of '%s' already",
				cs_token_identity(token)->label, i % 2 == 0 ? "label" : "id",
				label);
	}
	return err;
}

/* A sanity gate and no proof: a module that ignores the template should not go unnoticed. */
static enum cs_err check_made(struct cs_token *token, CK_OBJECT_HANDLE object,
	const struct cs_token_key *key, enum cs_alg alg, struct cs_fault *fault)
{
	static const struct {
		CK_ATTRIBUTE_TYPE type;
		bool value;
		const char *name;
	} wanted[] = {
		{CKA_TOKEN, true, "CKA_TOKEN"},
		{CKA_PRIVATE, true, "CKA_PRIVATE"},
		{CKA_SENSITIVE, true, "CKA_SENSITIVE"},
		{CKA_EXTRACTABLE, false, "CKA_EXTRACTABLE"},
		{CKA_SIGN, true, "CKA_SIGN"},
	};

	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		bool value = !wanted[i].value;
		enum cs_err err = cs_object_flag(
			token, object, wanted[i].type, !wanted[i].value, &value, fault);
		if (err != CS_OK)
			return err;
		if (value != wanted[i].value)
			return cs_fault_set(fault, CS_E_TOKEN, "key",
				"the token made a key with %s %s", wanted[i].name,
				value ? "true" : "false");
	}
	if (cs_token_key_alg(key) != alg || cs_token_key_public(key) == NULL)
		return cs_fault_set(fault, CS_E_TOKEN, "key",
			"the token made another key than %s, or hides its public key",
			cs_alg_name(alg));
	return CS_OK;
}

static enum cs_err generate(struct cs_token *token, CK_SESSION_HANDLE session, enum cs_alg alg,
	const char *label, const uint8_t *id, size_t id_len, unsigned flags,
	CK_OBJECT_HANDLE *ret_public, CK_OBJECT_HANDLE *ret_private, struct cs_fault *fault)
{
	const CK_FUNCTION_LIST *p11 = cs_module_functions(cs_token_module(token));
	const struct cs_curve_params *curve = cs_curve_params_of(alg);
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_MECHANISM mechanism = {curve->generate, NULL, 0};
	CK_ATTRIBUTE public_template[] = {
		{CKA_TOKEN, &yes, sizeof yes},
		{CKA_PRIVATE, &no, sizeof no},
		{CKA_VERIFY, &yes, sizeof yes},
		{CKA_ENCRYPT, &no, sizeof no},
		{CKA_WRAP, &no, sizeof no},
		{CKA_EC_PARAMS, cs_ck_in(curve->params), curve->params_len},
		{CKA_LABEL, cs_ck_in(label), strlen(label)},
		{CKA_ID, cs_ck_in(id), id_len},
	};
	CK_ATTRIBUTE private_template[] = {
		{CKA_TOKEN, &yes, sizeof yes},
		{CKA_PRIVATE, &yes, sizeof yes},
		{CKA_SENSITIVE, &yes, sizeof yes},
		{CKA_EXTRACTABLE, &no, sizeof no},
		{CKA_SIGN, &yes, sizeof yes},
		{CKA_DECRYPT, &no, sizeof no},
		{CKA_UNWRAP, &no, sizeof no},
		{CKA_DERIVE, &no, sizeof no},
		{CKA_LABEL, cs_ck_in(label), strlen(label)},
		{CKA_ID, cs_ck_in(id), id_len},
		/* Last, because not every module knows it: given only when it is wanted. */
		{CKA_ALWAYS_AUTHENTICATE, &yes, sizeof yes},
	};
	CK_ULONG private_count = sizeof private_template / sizeof *private_template;

	if (!(flags & CS_KEY_PIN_EACH_TIME))
		private_count--;
	CK_RV rv = p11->C_GenerateKeyPair(session, &mechanism, public_template,
		sizeof public_template / sizeof *public_template, private_template, private_count,
		ret_public, ret_private);
	return rv == CKR_OK ? CS_OK : cs_token_fault(token, "C_GenerateKeyPair", rv, fault);
}

static enum cs_err make(struct cs_token *token, enum cs_alg alg, const char *label,
	const uint8_t *id, size_t id_len, unsigned flags, struct cs_token_key **ret_key,
	struct cs_fault *fault)
{
	const CK_FUNCTION_LIST *p11 = cs_module_functions(cs_token_module(token));
	CK_OBJECT_HANDLE public_key = CK_INVALID_HANDLE, private_key = CK_INVALID_HANDLE;
	CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
	struct cs_token_key *key = NULL;
	enum cs_err err = refuse_existing(token, label, id, id_len, fault);

	if (err == CS_OK)
		err = cs_token_open_writable(token, &session, fault);
	if (err != CS_OK)
		return err;
	err = generate(
		token, session, alg, label, id, id_len, flags, &public_key, &private_key, fault);
	if (err != CS_OK)
		goto out;
	err = cs_token_key_of_object(token, private_key, &key, fault);
	if (err == CS_OK)
		err = check_made(token, private_key, key, alg, fault);
	if (err == CS_OK) {
		*ret_key = key;
		key = NULL;
	} else {
		(void)p11->C_DestroyObject(session, private_key);
		(void)p11->C_DestroyObject(session, public_key);
	}
out:
	cs_token_key_free(key);
	(void)p11->C_CloseSession(session);
	return err;
}

enum cs_err cs_token_key_generate(struct cs_token *token, enum cs_alg alg, const char *label,
	const uint8_t *id, size_t id_len, unsigned flags, struct cs_token_key **ret_key,
	struct cs_fault *fault)
{
	uint8_t random_id[RANDOM_ID_LEN];

	if (label == NULL || label[0] == '\0' || strlen(label) > CS_LABEL_MAX ||
		id_len > CS_KEY_ID_MAX)
		return cs_fault_set(fault, CS_E_USAGE, "key",
			"a label has 1 to %d bytes, an id at most %d", CS_LABEL_MAX, CS_KEY_ID_MAX);
	if (id_len == 0) {
		randombytes_buf(random_id, sizeof random_id);
		id = random_id;
		id_len = sizeof random_id;
	}
	cs_module_lock(cs_token_module(token));
	/* Otherwise keys that are hidden until login would not be seen as existing. */
	enum cs_err err = cs_token_check(token, fault);
	if (err == CS_OK)
		err = make(token, alg, label, id, id_len, flags, ret_key, fault);
	cs_module_unlock(cs_token_module(token));
	return err;
}
