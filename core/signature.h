/*
 * Strict verification of signatures over bytes, and public keys as JWK (RFC 7517, RFC 8037).
 */
#ifndef CS_SIGNATURE_H
#define CS_SIGNATURE_H

#include "canonical.h"

enum cs_alg {
	CS_ALG_EDDSA, /* Ed25519, RFC 8032 */
	CS_ALG_ES256, /* ECDSA P-256 with SHA-256, FIPS 186-5, RFC 7518 section 3.4 */
	CS_ALG_ES384, /* ECDSA P-384 with SHA-384 */
};

#define CS_SIGNATURE_MAX 96 /* raw r||s of P-384 */
#define CS_POINT_MAX 97	    /* uncompressed P-384 point */

/*
 * "EdDSA", "ES256", "ES384": the names of JWS (RFC 7518 section 3.1, RFC 8037 section 3.1).
 * CS_E_ALGORITHM.
 */
const char *cs_alg_name(enum cs_alg alg);
CS_MUST_CHECK enum cs_err cs_alg_by_name(const char *name, enum cs_alg *ret_alg);
/*
 * "eddsa", "es256", "es384", as `sig:` strings have them; either pair of functions knows its own
 * spelling only.
 */
const char *cs_alg_sig_name(enum cs_alg alg);
CS_MUST_CHECK enum cs_err cs_alg_by_sig_name(const char *name, enum cs_alg *ret_alg);
size_t cs_alg_signature_len(enum cs_alg alg); /* 64 or 96 */

/* A public key, plain data. `point`: 32 bytes for Ed25519; 04||X||Y for the curves. */
struct cs_public_key {
	enum cs_alg alg;
	uint8_t point[CS_POINT_MAX];
	size_t point_len;
};

/*
 * CS_E_KEY: wrong length, compressed, not on the curve, the point at infinity; Ed25519 of small
 * order, outside the main subgroup or not canonical (crypto_core_ed25519_is_valid_point).
 * CS_E_NOMEM.
 */
CS_MUST_CHECK enum cs_err cs_public_key_set(
	enum cs_alg alg, const uint8_t *point, size_t len, struct cs_public_key *ret_key);
/*
 * From and to a JWK object (kty, crv, x, y only; other members ignored when reading): RFC 8037
 * section 2 for Ed25519, RFC 7518 section 6.2.1 for the curves, coordinates at full length.
 * CS_E_KEY as above, and for a malformed object; CS_E_NOMEM. The caller owns `*ret_jwk`.
 */
CS_MUST_CHECK enum cs_err cs_public_key_from_jwk(const json_t *jwk, struct cs_public_key *ret_key);
CS_MUST_CHECK enum cs_err cs_public_key_to_jwk(const struct cs_public_key *key, json_t **ret_jwk);
/*
 * SubjectPublicKeyInfo in DER (RFC 5280 section 4.1.2.7; RFC 8410 for Ed25519, RFC 5480 for the
 * curves: named curve and uncompressed point only, nothing after it). CS_E_KEY, CS_E_NOMEM. The
 * printer appends.
 */
CS_MUST_CHECK enum cs_err cs_public_key_to_spki(
	const struct cs_public_key *key, struct cs_bytes *out);
CS_MUST_CHECK enum cs_err cs_public_key_from_spki(
	const uint8_t *der, size_t len, struct cs_public_key *ret_key);
/*
 * The same as PEM "PUBLIC KEY" (RFC 7468 section 13), the first block of the text. CS_E_KEY,
 * CS_E_NOMEM.
 */
CS_MUST_CHECK enum cs_err cs_public_key_from_pem(
	const void *pem, size_t len, struct cs_public_key *ret_key);
bool cs_public_key_equal(const struct cs_public_key *a, const struct cs_public_key *b);

/* ECDSA signature is DER (RFC 3279 section 2.2.3), strictly encoded; else raw r||s */
#define CS_SIGNATURE_DER 1u
#define CS_SIGNATURE_LOW_S 2u /* refuse high S: CS_E_SIGNATURE_HIGH_S */

/*
 * In this order: CS_E_SIGNATURE_FORM (wrong length or encoding, r or s outside 1..n-1),
 * CS_E_SIGNATURE_HIGH_S (only with the flag; s above n/2), CS_E_KEY (a key that cs_public_key_set
 * would refuse), CS_E_NOMEM, CS_E_SIGNATURE. The flags mean nothing for Ed25519, whose signatures
 * are always 64 bytes with S below the group order and R not of small order.
 */
CS_MUST_CHECK enum cs_err cs_signature_verify(const struct cs_public_key *key, const void *message,
	size_t message_len, const uint8_t *signature, size_t signature_len, unsigned flags);

/*
 * Makes S low in a raw r||s signature, as every ECDSA signature that this project makes has it;
 * changes nothing for Ed25519. CS_E_SIGNATURE_FORM as above.
 */
CS_MUST_CHECK enum cs_err cs_signature_lower_s(
	enum cs_alg alg, uint8_t *signature, size_t signature_len);
/*
 * Raw r||s to DER (RFC 3279 section 2.2.3), appended to `der`, and back; the reader takes only what
 * the printer makes. CS_E_SIGNATURE_FORM as above, CS_E_ALGORITHM for Ed25519, CS_E_NOMEM.
 */
CS_MUST_CHECK enum cs_err cs_signature_to_der(
	enum cs_alg alg, const uint8_t *raw, size_t raw_len, struct cs_bytes *der);
CS_MUST_CHECK enum cs_err cs_signature_from_der(
	enum cs_alg alg, const uint8_t *der, size_t der_len, uint8_t raw[CS_SIGNATURE_MAX]);

/*
 * Who can sign: a token key, an engine session key, or a test key. `sign` writes
 * cs_alg_signature_len(alg) bytes of raw signature (low S). The one narrow interface behind which
 * tokens sit.
 */
struct cs_signer {
	const char *kid;
	struct cs_public_key key;
	enum cs_err (*sign)(
		void *context, const void *message, size_t message_len, uint8_t *signature);
	void *context;
};

#endif
