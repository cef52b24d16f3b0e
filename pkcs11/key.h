/*
 * Keys on a token: found, listed and made through raw Cryptoki. Only Ed25519, P-256 and P-384 are
 * keys here.
 *
 * A key is named by its label (CKA_LABEL), its id (CKA_ID), or both. What a token says about a key
 * (not extractable, made on the token) proves nothing; only attestation or a signature by the key
 * that was enrolled does.
 */
#ifndef CS_PKCS11_KEY_H
#define CS_PKCS11_KEY_H

#include "token.h"
#include "core/signature.h"

#define CS_KEYS_OF_TOKEN_MAX 128 /* objects of one class that are looked at */

struct cs_token_key;

/*
 * The one private key that matches, on a token that is logged in to. `label` may be NULL, `id_len`
 * 0, not both. Its public key is read from the public key object with the same id (or label, when
 * the key has no id), or else from the private one; a token that shows none still gives a key
 * (cs_token_key_public is NULL then).
 *
 *	CS_E_TOKEN_KEY			none matches
 *	CS_E_TOKEN_KEY_AMBIGUOUS	more than one private key matches, or
 *					more than one public key belongs to it
 *	CS_E_TOKEN_MECHANISM		another kind of key
 *	CS_E_KEY			the public point is not usable
 *	CS_E_STATE			not logged in, or no session
 *	CS_E_USAGE			neither label nor id, or too long
 *	and the errors of cs_token_fault; CS_E_NOMEM
 *
 * The token stays the caller's and outlives the key.
 */
CS_MUST_CHECK enum cs_err cs_token_key_find(struct cs_token *token, const char *label,
	const uint8_t *id, size_t id_len, struct cs_token_key **ret_key, struct cs_fault *fault);
void cs_token_key_free(struct cs_token_key *key); /* NULL is fine */
void cs_token_key_cleanup(struct cs_token_key **key);
#define CS_CLEANUP_TOKEN_KEY __attribute__((cleanup(cs_token_key_cleanup)))

/* CKA_ALWAYS_AUTHENTICATE: the token asks for the PIN at each signature. */
#define CS_KEY_PIN_EACH_TIME 1u

/*
 * Makes a key pair that stays on the token (CKA_TOKEN, CKA_PRIVATE, CKA_SENSITIVE, not
 * CKA_EXTRACTABLE) and only signs. Without `id` it gets eight random bytes. Reads back what was
 * made; a pair that is not what was asked for is destroyed again. CS_E_EXISTS when a private or
 * public key has the label or the id; CS_E_TOKEN_MECHANISM when the token does not have the
 * algorithm; CS_E_USAGE, CS_E_STATE, CS_E_NOMEM and the errors of cs_token_fault as above.
 */
CS_MUST_CHECK enum cs_err cs_token_key_generate(struct cs_token *token, enum cs_alg alg,
	const char *label, const uint8_t *id, size_t id_len, unsigned flags,
	struct cs_token_key **ret_key, struct cs_fault *fault);

/* One private or public key object, plain data. */
struct cs_token_key_entry {
	CK_OBJECT_CLASS class; /* CKO_PRIVATE_KEY or CKO_PUBLIC_KEY */
	/* As the token gives it: goes through cs_text_show() before a person sees it. */
	char label[CS_LABEL_MAX + 1];
	uint8_t id[CS_KEY_ID_MAX];
	size_t id_len;
	bool usable; /* Ed25519, P-256 or P-384, and `key` is its public key */
	struct cs_public_key key;
};

/*
 * All key objects, the private ones first (these only after login). The caller frees
 * `*ret_entries` with free(). CS_E_TOO_LARGE beyond CS_KEYS_OF_TOKEN_MAX of a class, CS_E_NOMEM,
 * CS_E_STATE, errors of cs_token_fault.
 */
CS_MUST_CHECK enum cs_err cs_token_key_list(struct cs_token *token,
	struct cs_token_key_entry **ret_entries, size_t *ret_count, struct cs_fault *fault);

struct cs_token *cs_token_key_token(const struct cs_token_key *key);
const char *cs_token_key_label(const struct cs_token_key *key);
const uint8_t *cs_token_key_id(const struct cs_token_key *key, size_t *ret_len);
enum cs_alg cs_token_key_alg(const struct cs_token_key *key);
/* NULL when the token shows none. Borrowed. */
const struct cs_public_key *cs_token_key_public(const struct cs_token_key *key);
bool cs_token_key_pin_each_time(const struct cs_token_key *key);

/* ---- for sign.c, with the module's lock held ---- */

/*
 * The private key's handle in the token's present generation; finds it again after a recovery.
 * Errors of cs_token_key_find.
 */
CS_MUST_CHECK enum cs_err cs_token_key_handle(
	struct cs_token_key *key, CK_OBJECT_HANDLE *ret_handle, struct cs_fault *fault);

#endif
