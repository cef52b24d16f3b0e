/*
 * Objects on a token and their attributes, read in bounded steps. For key.c and key_make.c, with
 * the module's lock held.
 */
#ifndef CS_PKCS11_OBJECT_H
#define CS_PKCS11_OBJECT_H

#include "key.h"

/* What names a key; an empty label or id matches anything. */
struct cs_key_name {
	char label[CS_LABEL_MAX + 1];
	uint8_t id[CS_KEY_ID_MAX];
	size_t id_len;
};

/* CS_E_USAGE: neither of them, or too long. `label` may be NULL. */
CS_MUST_CHECK enum cs_err cs_key_name_set(const char *label, const uint8_t *id, size_t id_len,
	struct cs_key_name *ret_name, struct cs_fault *fault);

struct cs_objects {
	CK_OBJECT_HANDLE handle[CS_KEYS_OF_TOKEN_MAX];
	size_t count;
};

/*
 * The objects of a class with this name (NULL: all). CS_E_TOO_LARGE, CS_E_STATE, errors of
 * cs_token_fault.
 */
CS_MUST_CHECK enum cs_err cs_objects_find(struct cs_token *token, CK_OBJECT_CLASS class,
	const struct cs_key_name *name, struct cs_objects *ret_objects, struct cs_fault *fault);

/*
 * One attribute of at most `size` bytes. An attribute that the object does not have or does not
 * show has length 0. CS_E_TOO_LARGE, CS_E_STATE, errors of cs_token_fault.
 */
CS_MUST_CHECK enum cs_err cs_object_attribute(struct cs_token *token, CK_OBJECT_HANDLE object,
	CK_ATTRIBUTE_TYPE type, void *value, size_t size, size_t *ret_len, struct cs_fault *fault);
/* A CK_BBOOL; `otherwise` when the object does not have it. */
CS_MUST_CHECK enum cs_err cs_object_flag(struct cs_token *token, CK_OBJECT_HANDLE object,
	CK_ATTRIBUTE_TYPE type, bool otherwise, bool *ret_flag, struct cs_fault *fault);
/* CKA_LABEL and CKA_ID. */
CS_MUST_CHECK enum cs_err cs_object_name(struct cs_token *token, CK_OBJECT_HANDLE object,
	struct cs_key_name *ret_name, struct cs_fault *fault);
/* From CKA_KEY_TYPE and CKA_EC_PARAMS. CS_E_TOKEN_MECHANISM for a key that is none of ours. */
CS_MUST_CHECK enum cs_err cs_object_alg(struct cs_token *token, CK_OBJECT_HANDLE object,
	enum cs_alg *ret_alg, struct cs_fault *fault);
/* From CKA_EC_POINT. CS_E_KEY; CS_E_NOT_FOUND when the object does not show one. */
CS_MUST_CHECK enum cs_err cs_object_point(struct cs_token *token, CK_OBJECT_HANDLE object,
	enum cs_alg alg, struct cs_public_key *ret_key, struct cs_fault *fault);
/*
 * The public key of a private key object with this name, wherever the token keeps it.
 * CS_E_NOT_FOUND, CS_E_KEY, …
 */
CS_MUST_CHECK enum cs_err cs_object_public(struct cs_token *token, CK_OBJECT_HANDLE private_key,
	const struct cs_key_name *name, enum cs_alg alg, struct cs_public_key *ret_key,
	struct cs_fault *fault);

/* Makes a key out of a private key object. Errors of cs_token_key_find. */
CS_MUST_CHECK enum cs_err cs_token_key_of_object(struct cs_token *token, CK_OBJECT_HANDLE object,
	struct cs_token_key **ret_key, struct cs_fault *fault);

#endif
