/*
 * Signatures by a token key, each verified before anyone sees it.
 *
 * Ed25519 messages go to the token as they are (CKM_EDDSA, RFC 8032); for the curves the message
 * is hashed here and the digest signed (CKM_ECDSA, raw r||s, PKCS #11 version 3.0 mechanisms,
 * section 2.3.1), because SoftHSM and others have no CKM_ECDSA_SHA256. S is made low. Then the
 * signature is verified in software against the public key that the caller has pinned, never
 * against what the token shows: a card swapped under an open session signs with CKR_OK.
 */
#ifndef CS_PKCS11_SIGN_H
#define CS_PKCS11_SIGN_H

#include "key.h"

/*
 * Writes cs_alg_signature_len(pinned->alg) bytes to `signature`. `pin` is needed only for a key
 * that asks for it each time.
 *
 *	CS_E_SIGNATURE_SELF	what the token gave does not verify under `pinned`,
 *				or is no signature at all
 *	CS_E_ALGORITHM		the token's key has another algorithm than `pinned`;
 *				the token was not asked
 *	CS_E_PIN…		as cs_token_login, for a key that asks for its PIN each time
 *	and the errors of cs_token_key_find and cs_token_fault
 *
 * Whatever fails, the session is left ready for the next signature.
 */
CS_MUST_CHECK enum cs_err cs_token_key_sign(struct cs_token_key *key,
	const struct cs_public_key *pinned, struct cs_pin *pin, const void *message,
	size_t message_len, uint8_t *signature, struct cs_fault *fault);

/* A token key as a signer. Zero-initialise, then cs_token_signer_set; nothing to free. */
struct cs_token_signer {
	struct cs_signer signer; /* give &x.signer to whatever makes signed documents */
	struct cs_token_key *key;
	struct cs_pin *pin;
	struct cs_fault fault; /* why the last signature failed */
};

/*
 * `kid`, `key` and `pin` (may be NULL) stay the caller's and outlive the signer; `pinned` is
 * copied; `signer` must not move afterwards. CS_E_ALGORITHM as above.
 */
CS_MUST_CHECK enum cs_err cs_token_signer_set(struct cs_token_signer *signer,
	struct cs_token_key *key, const char *kid, const struct cs_public_key *pinned,
	struct cs_pin *pin, struct cs_fault *fault);

#endif
