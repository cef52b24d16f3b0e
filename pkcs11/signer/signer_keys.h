/*
 * The signer's three keys, all on one token, each pinned to the public key that the signed trust
 * set names for it.
 */
#ifndef CS_SIGNER_KEYS_H
#define CS_SIGNER_KEYS_H

#include "signature.h"
#include "trust.h"

enum cs_signer_key {
	CS_SIGNER_SEAL,	      /* JWS over allow statements */
	CS_SIGNER_CHECKPOINT, /* notes over tree heads */
	CS_SIGNER_DOCUMENT,   /* engine certificates */
	CS_SIGNER_KEY_COUNT
};

struct cs_signer_keys_settings {
	const char *module;   /* absolute path */
	const char *token;    /* RFC 7512 URI */
	const char *pin_file; /* one of these two */
	const char *pin_credential;
	const char *label[CS_SIGNER_KEY_COUNT]; /* CKA_LABEL on the token */
};

struct cs_signer_keys;

/*
 * Opens module and token, logs in, finds the three keys and compares them with those of the
 * appliance that the trust set has for `origin`: CS_E_KEY when the token's key is another one,
 * and the errors of pkcs11/. `settings` must stay as long as the keys. Every later signature is
 * verified against the pinned key before it is given out.
 */
CS_MUST_CHECK enum cs_err cs_signer_keys_open(const struct cs_signer_keys_settings *settings,
	const struct cs_trust *trust, const char *origin, struct cs_signer_keys **ret_keys,
	struct cs_fault *fault);
void cs_signer_keys_close(struct cs_signer_keys *keys);

/* Whether the token answers; after a failure one attempt to get it back. */
CS_MUST_CHECK enum cs_err cs_signer_keys_ready(struct cs_signer_keys *keys, struct cs_fault *fault);

/*
 * Why the last signature by one of the keys failed; NULL when the last one of each was made.
 * Borrowed.
 */
const struct cs_fault *cs_signer_keys_fault(const struct cs_signer_keys *keys);

/* Signs through the token. Borrowed. `kid` is the trust set's. */
const struct cs_signer *cs_signer_keys_get(
	const struct cs_signer_keys *keys, enum cs_signer_key which);
/* Product and serial of the token, for status. Borrowed. */
const char *cs_signer_keys_product(const struct cs_signer_keys *keys);
const char *cs_signer_keys_serial(const struct cs_signer_keys *keys);

#endif
