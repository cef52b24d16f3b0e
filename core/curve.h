/*
 * The two NIST curves (FIPS 186-5, SP 800-186 section 3.2.1) as facts, and a public key as OpenSSL
 * takes it. For the signature files of core/ alone.
 */
#ifndef CS_CURVE_H
#define CS_CURVE_H

#include <openssl/evp.h>
#include "signature.h"

#define CS_CURVE_FIELD_MAX 48 /* bytes of a coordinate or scalar of P-384 */

struct cs_curve {
	const char *group; /* OpenSSL's and the SEC 2 name */
	const char *jwk;   /* "crv" in a JWK */
	const char *digest;
	size_t size;			   /* bytes of a coordinate, and of r and s each */
	uint8_t order[CS_CURVE_FIELD_MAX]; /* n, big endian, `size` bytes */
	uint8_t half[CS_CURVE_FIELD_MAX];  /* floor(n / 2) */
};

/* NULL for Ed25519. Static storage. */
const struct cs_curve *cs_curve_of(enum cs_alg alg);

/*
 * A key on one of the curves, checked to be on it. Free with EVP_PKEY_free. CS_E_KEY,
 * CS_E_ALGORITHM for Ed25519, CS_E_NOMEM.
 */
CS_MUST_CHECK enum cs_err cs_curve_pkey(const struct cs_public_key *key, EVP_PKEY **ret_pkey);

#endif
