/*
 * Curves and public points as Cryptoki spells them (PKCS #11 version 3.0, sections 2.3.3 and 2.3.7
 * of the mechanisms).
 */
#ifndef CS_PKCS11_POINT_H
#define CS_PKCS11_POINT_H

#include <p11-kit/pkcs11.h>
#include "core/signature.h"

#define CS_EC_PARAMS_MAX 32 /* longest CKA_EC_PARAMS looked at, bytes */
#define CS_EC_POINT_MAX 160 /* longest CKA_EC_POINT looked at, bytes */

/* Key type, mechanisms and the DER of CKA_EC_PARAMS for one algorithm. Static. */
struct cs_curve_params {
	CK_KEY_TYPE type;
	CK_MECHANISM_TYPE generate;
	CK_MECHANISM_TYPE sign;
	const uint8_t *params;
	size_t params_len;
};

const struct cs_curve_params *cs_curve_params_of(enum cs_alg alg);

/*
 * The algorithm behind CKA_EC_PARAMS: namedCurve P-256 or P-384 (RFC 5480), for Ed25519 the
 * PrintableString "edwards25519" or the object identifiers 1.3.101.112 (RFC 8410) and
 * 1.3.6.1.4.1.11591.15.1 (GNU). CS_E_TOKEN_MECHANISM for anything else.
 */
CS_MUST_CHECK enum cs_err cs_curve_params_read(
	const uint8_t *der, size_t len, enum cs_alg *ret_alg);

/*
 * CKA_EC_POINT, either bare or wrapped in one DER OCTET STRING, as modules differ. Lengths decide,
 * so the two cannot be mixed up. CS_E_KEY when it is neither, or not a usable point
 * (cs_public_key_set); CS_E_NOMEM.
 */
CS_MUST_CHECK enum cs_err cs_ec_point_read(
	enum cs_alg alg, const uint8_t *value, size_t len, struct cs_public_key *ret_key);

#endif
