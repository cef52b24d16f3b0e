/*
 * Strict verification of signatures over bytes, and public keys as JWK (RFC 7517, RFC 8037).
 */
#ifndef CS_SIGNATURE_H
#define CS_SIGNATURE_H

#include "canonical.h"

enum cs_alg {
	CS_ALG_EDDSA,	/* Ed25519, RFC 8032 */
	CS_ALG_ES256,	/* ECDSA P-256 with SHA-256, FIPS 186-5, RFC 7518 section 3.4 */
	CS_ALG_ES384,	/* ECDSA P-384 with SHA-384 */
};

#define CS_SIGNATURE_MAX 96	/* raw r||s of P-384 */
#define CS_POINT_MAX 97		/* uncompressed P-384 point */

/* "EdDSA", "ES256", "ES384" (JWS names), and lower-case as `sig:` strings have them. */
const char *cs_alg_name(enum cs_alg alg);
CS_MUST_CHECK enum cs_err cs_alg_by_name(const char *name, enum cs_alg *ret_alg);
size_t cs_alg_signature_len(enum cs_alg alg);	/* 64 or 96 */

/* A public key, plain data. `point`: 32 bytes for Ed25519; 04||X||Y for the curves. */
struct cs_public_key {
	enum cs_alg alg;
	uint8_t point[CS_POINT_MAX];
	size_t point_len;
};

/*
 * CS_E_KEY: wrong length, not on the curve, the point at infinity; Ed25519 of small order or not canonical
 * (crypto_core_ed25519_is_valid_point).
 */
CS_MUST_CHECK enum cs_err cs_public_key_set(enum cs_alg alg, const uint8_t *point, size_t len,
	struct cs_public_key *ret_key);
/* From and to a JWK object (kty, crv, x, y only; other members ignored when reading). */
CS_MUST_CHECK enum cs_err cs_public_key_from_jwk(const json_t *jwk, struct cs_public_key *ret_key);
CS_MUST_CHECK enum cs_err cs_public_key_to_jwk(const struct cs_public_key *key, json_t **ret_jwk);
/* From a PEM SubjectPublicKeyInfo (RFC 5280). */
CS_MUST_CHECK enum cs_err cs_public_key_from_pem(const void *pem, size_t len, struct cs_public_key *ret_key);
bool cs_public_key_equal(const struct cs_public_key *a, const struct cs_public_key *b);

#define CS_SIGNATURE_DER 1u	/* ECDSA signature is DER (RFC 3279 section 2.2.3), strictly encoded; else raw r||s */
#define CS_SIGNATURE_LOW_S 2u	/* refuse high S: CS_E_SIGNATURE_HIGH_S */

/* CS_OK, CS_E_SIGNATURE_FORM, CS_E_SIGNATURE, CS_E_SIGNATURE_HIGH_S, CS_E_NOMEM. */
CS_MUST_CHECK enum cs_err cs_signature_verify(const struct cs_public_key *key, const void *message, size_t message_len,
	const uint8_t *signature, size_t signature_len, unsigned flags);

/* Makes S low in a raw r||s signature, as every ECDSA signature that this project makes has it. */
CS_MUST_CHECK enum cs_err cs_signature_lower_s(enum cs_alg alg, uint8_t *signature, size_t signature_len);
/* Raw r||s to strict DER and back. */
CS_MUST_CHECK enum cs_err cs_signature_to_der(enum cs_alg alg, const uint8_t *raw, size_t raw_len, struct cs_bytes *der);
CS_MUST_CHECK enum cs_err cs_signature_from_der(enum cs_alg alg, const uint8_t *der, size_t der_len,
	uint8_t raw[CS_SIGNATURE_MAX]);

/*
 * Who can sign: a token key, an engine session key, or a test key. `sign` writes cs_alg_signature_len(alg) bytes of raw
 * signature (low S). The one narrow interface behind which tokens sit.
 */
struct cs_signer {
	const char *kid;
	struct cs_public_key key;
	enum cs_err (*sign)(void *context, const void *message, size_t message_len, uint8_t *signature);
	void *context;
};

#endif
