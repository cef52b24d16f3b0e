#include "signature.h"
#include "curve.h"

#include <openssl/err.h>
#include <sodium.h>
#include <string.h>

/* Two INTEGERs of at most 49 bytes in a SEQUENCE: every length fits the short form. */
#define DER_MAX 104

static const struct {
	const char *jws;
	const char *sig;
	size_t signature_len;
} algs[] = {
	[CS_ALG_EDDSA] = {"EdDSA", "eddsa", crypto_sign_BYTES},
	[CS_ALG_ES256] = {"ES256", "es256", 64},
	[CS_ALG_ES384] = {"ES384", "es384", 96},
};
#define ALG_COUNT (sizeof algs / sizeof *algs)

const char *cs_alg_name(enum cs_alg alg)
{
	return (size_t)alg < ALG_COUNT ? algs[alg].jws : "unknown";
}

const char *cs_alg_sig_name(enum cs_alg alg)
{
	return (size_t)alg < ALG_COUNT ? algs[alg].sig : "unknown";
}

enum cs_err cs_alg_by_name(const char *name, enum cs_alg *ret_alg)
{
	for (size_t i = 0; i < ALG_COUNT; i++) {
		if (strcmp(algs[i].jws, name) == 0) {
			*ret_alg = (enum cs_alg)i;
			return CS_OK;
		}
	}
	return CS_E_ALGORITHM;
}

enum cs_err cs_alg_by_sig_name(const char *name, enum cs_alg *ret_alg)
{
	for (size_t i = 0; i < ALG_COUNT; i++) {
		if (strcmp(algs[i].sig, name) == 0) {
			*ret_alg = (enum cs_alg)i;
			return CS_OK;
		}
	}
	return CS_E_ALGORITHM;
}

size_t cs_alg_signature_len(enum cs_alg alg)
{
	return (size_t)alg < ALG_COUNT ? algs[alg].signature_len : 0;
}

/* 1 <= scalar <= n - 1 */
static bool in_range(const struct cs_curve *curve, const uint8_t *scalar)
{
	return !sodium_is_zero(scalar, curve->size) &&
	       memcmp(scalar, curve->order, curve->size) < 0;
}

static enum cs_err check_raw(const struct cs_curve *curve, const uint8_t *raw, size_t raw_len)
{
	if (raw_len != 2 * curve->size || !in_range(curve, raw) ||
		!in_range(curve, raw + curve->size))
		return CS_E_SIGNATURE_FORM;
	return CS_OK;
}

static bool high_s(const struct cs_curve *curve, const uint8_t *raw)
{
	return memcmp(raw + curve->size, curve->half, curve->size) > 0;
}

/* X.690 section 8.3: the fewest bytes, and one 00 before a first bit that is set. */
static size_t put_integer(const uint8_t *scalar, size_t size, uint8_t *out)
{
	size_t skip = 0;

	while (skip < size - 1 && scalar[skip] == 0)
		skip++;
	size_t pad = scalar[skip] >> 7;
	size_t len = size - skip + pad;
	out[0] = 0x02;
	out[1] = (uint8_t)len;
	out[2] = 0;
	memcpy(out + 2 + pad, scalar + skip, size - skip);
	return 2 + len;
}

static size_t put_der(const struct cs_curve *curve, const uint8_t *raw, uint8_t out[DER_MAX])
{
	size_t len = 2;

	len += put_integer(raw, curve->size, out + len);
	len += put_integer(raw + curve->size, curve->size, out + len);
	out[0] = 0x30;
	out[1] = (uint8_t)(len - 2);
	return len;
}

/*
 * Reads one INTEGER at `*pos` into `size` bytes; whether it was the shortest form is for the
 * caller's re-encoding.
 */
static bool take_integer(
	const uint8_t *der, size_t der_len, size_t *pos, uint8_t *scalar, size_t size)
{
	if (der_len - *pos < 2 || der[*pos] != 0x02)
		return false;
	size_t len = der[*pos + 1];
	const uint8_t *value = der + *pos + 2;
	if (len == 0 || len > der_len - *pos - 2)
		return false;
	*pos += 2 + len;
	while (len > 0 && *value == 0) {
		value++;
		len--;
	}
	if (len > size)
		return false;
	memset(scalar, 0, size - len);
	memcpy(scalar + size - len, value, len);
	return true;
}

enum cs_err cs_signature_to_der(
	enum cs_alg alg, const uint8_t *raw, size_t raw_len, struct cs_bytes *der)
{
	const struct cs_curve *curve = cs_curve_of(alg);
	uint8_t out[DER_MAX];
	enum cs_err err;

	if (curve == NULL)
		return CS_E_ALGORITHM;
	err = check_raw(curve, raw, raw_len);
	if (err != CS_OK)
		return err;
	return cs_bytes_add(der, out, put_der(curve, raw, out));
}

enum cs_err cs_signature_from_der(
	enum cs_alg alg, const uint8_t *der, size_t der_len, uint8_t raw[CS_SIGNATURE_MAX])
{
	const struct cs_curve *curve = cs_curve_of(alg);
	uint8_t read[CS_SIGNATURE_MAX];
	uint8_t again[DER_MAX];
	size_t pos = 2;

	if (curve == NULL)
		return CS_E_ALGORITHM;
	if (der_len < 2 || der_len > DER_MAX || der[0] != 0x30 || der[1] != der_len - 2)
		return CS_E_SIGNATURE_FORM;
	if (!take_integer(der, der_len, &pos, read, curve->size) ||
		!take_integer(der, der_len, &pos, read + curve->size, curve->size) ||
		pos != der_len)
		return CS_E_SIGNATURE_FORM;
	size_t len = put_der(curve, read, again);
	if (!cs_bytes_equal(der, der_len, again, len))
		return CS_E_SIGNATURE_FORM;
	enum cs_err err = check_raw(curve, read, 2 * curve->size);
	if (err == CS_OK)
		memcpy(raw, read, 2 * curve->size);
	return err;
}

enum cs_err cs_signature_lower_s(enum cs_alg alg, uint8_t *signature, size_t signature_len)
{
	const struct cs_curve *curve = cs_curve_of(alg);
	unsigned borrow = 0;

	if (curve == NULL)
		return signature_len == cs_alg_signature_len(alg) ? CS_OK : CS_E_SIGNATURE_FORM;
	enum cs_err err = check_raw(curve, signature, signature_len);
	if (err != CS_OK || !high_s(curve, signature))
		return err;
	uint8_t *s = signature + curve->size;
	for (size_t i = curve->size; i-- > 0;) { /* s = n - s */
		unsigned difference = 0x100u + curve->order[i] - s[i] - borrow;
		s[i] = (uint8_t)difference;
		borrow = difference < 0x100u;
	}
	return CS_OK;
}

static enum cs_err verify_curve(const struct cs_curve *curve, const struct cs_public_key *key,
	const void *message, size_t message_len, const uint8_t *raw)
{
	enum cs_err err = CS_E_NOMEM;
	EVP_PKEY *pkey = NULL;
	EVP_MD_CTX *ctx = NULL;
	uint8_t der[DER_MAX];

	err = cs_curve_pkey(key, &pkey);
	if (err != CS_OK)
		return err;
	err = CS_E_NOMEM;
	ctx = EVP_MD_CTX_new();
	if (ctx == NULL ||
		EVP_DigestVerifyInit_ex(ctx, NULL, curve->digest, NULL, NULL, pkey, NULL) != 1)
		goto out;
	size_t der_len = put_der(curve, raw, der);
	err = EVP_DigestVerify(ctx, der, der_len, message, message_len) == 1 ? CS_OK
									     : CS_E_SIGNATURE;
out:
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	return err;
}

enum cs_err cs_signature_verify(const struct cs_public_key *key, const void *message,
	size_t message_len, const uint8_t *signature, size_t signature_len, unsigned flags)
{
	const struct cs_curve *curve = cs_curve_of(key->alg);
	uint8_t raw[CS_SIGNATURE_MAX];
	enum cs_err err;

	if (curve == NULL) {
		if (key->alg == CS_ALG_EDDSA && signature_len != crypto_sign_BYTES)
			return CS_E_SIGNATURE_FORM;
		if (key->alg != CS_ALG_EDDSA || key->point_len != crypto_sign_PUBLICKEYBYTES)
			return CS_E_KEY;
		return crypto_sign_verify_detached(signature, message, message_len, key->point) == 0
			       ? CS_OK
			       : CS_E_SIGNATURE;
	}
	if (flags & CS_SIGNATURE_DER) {
		err = cs_signature_from_der(key->alg, signature, signature_len, raw);
	} else {
		err = check_raw(curve, signature, signature_len);
		if (err == CS_OK)
			memcpy(raw, signature, signature_len);
	}
	if (err != CS_OK)
		return err;
	if ((flags & CS_SIGNATURE_LOW_S) && high_s(curve, raw))
		return CS_E_SIGNATURE_HIGH_S;
	return verify_curve(curve, key, message, message_len, raw);
}
