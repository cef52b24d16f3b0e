/*
 * Public keys: validity, and the forms in which they are written down.
 */
#include "signature.h"
#include "curve.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sodium.h>
#include <string.h>

#define PEM_MAX (16 * 1024)

/*
 * With the named curve and an uncompressed point the DER of a SubjectPublicKeyInfo is a constant
 * followed by the point, so one comparison is the strictest parser.
 */
static const struct {
	uint8_t prefix[26];
	size_t prefix_len;
	size_t point_len;
} spki[] = {
	[CS_ALG_EDDSA] =
		{
			{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00},
			12,
			32,
		},
	[CS_ALG_ES256] =
		{
			{0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
				0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
				0x03, 0x42, 0x00},
			26,
			65,
		},
	[CS_ALG_ES384] =
		{
			{0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
				0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00},
			23,
			97,
		},
};

enum cs_err cs_public_key_set(
	enum cs_alg alg, const uint8_t *point, size_t len, struct cs_public_key *ret_key)
{
	struct cs_public_key key = {.alg = alg, .point_len = len};

	if (len == 0 || len > sizeof key.point)
		return CS_E_KEY;
	memcpy(key.point, point, len);
	if (alg == CS_ALG_EDDSA) {
		if (len != crypto_sign_PUBLICKEYBYTES ||
			crypto_core_ed25519_is_valid_point(point) != 1)
			return CS_E_KEY;
	} else {
		EVP_PKEY *pkey = NULL;
		enum cs_err err = cs_curve_pkey(&key, &pkey);
		EVP_PKEY_free(pkey);
		if (err != CS_OK)
			return err == CS_E_NOMEM ? err : CS_E_KEY;
	}
	*ret_key = key;
	return CS_OK;
}

bool cs_public_key_equal(const struct cs_public_key *a, const struct cs_public_key *b)
{
	return a->alg == b->alg && cs_bytes_equal(a->point, a->point_len, b->point, b->point_len);
}

/* ---- JWK ---- */

static enum cs_err read_coordinate(const json_t *jwk, const char *name, size_t size, uint8_t *out)
{
	CS_CLEANUP_BYTES struct cs_bytes value = {0};
	const json_t *member = json_object_get(jwk, name);

	if (!json_is_string(member))
		return CS_E_KEY;
	enum cs_err err =
		cs_base64url_decode(json_string_value(member), json_string_length(member), &value);
	if (err == CS_E_NOMEM)
		return err;
	if (err != CS_OK || value.len != size)
		return CS_E_KEY;
	memcpy(out, value.data, size);
	return CS_OK;
}

static bool member_is(const json_t *object, const char *name, const char *value)
{
	const json_t *member = json_object_get(object, name);

	return json_is_string(member) && cs_bytes_equal(json_string_value(member),
						 json_string_length(member), value, strlen(value));
}

enum cs_err cs_public_key_from_jwk(const json_t *jwk, struct cs_public_key *ret_key)
{
	static const enum cs_alg curves[] = {CS_ALG_ES256, CS_ALG_ES384};
	uint8_t point[CS_POINT_MAX] = {0x04};
	enum cs_err err;

	if (!json_is_object(jwk))
		return CS_E_KEY;
	if (member_is(jwk, "kty", "OKP") && member_is(jwk, "crv", "Ed25519")) {
		err = read_coordinate(jwk, "x", crypto_sign_PUBLICKEYBYTES, point);
		if (err != CS_OK)
			return err;
		return cs_public_key_set(CS_ALG_EDDSA, point, crypto_sign_PUBLICKEYBYTES, ret_key);
	}
	for (size_t i = 0; i < sizeof curves / sizeof *curves; i++) {
		const struct cs_curve *curve = cs_curve_of(curves[i]);
		if (!member_is(jwk, "kty", "EC") || !member_is(jwk, "crv", curve->jwk))
			continue;
		err = read_coordinate(jwk, "x", curve->size, point + 1);
		if (err == CS_OK)
			err = read_coordinate(jwk, "y", curve->size, point + 1 + curve->size);
		if (err != CS_OK)
			return err;
		return cs_public_key_set(curves[i], point, 2 * curve->size + 1, ret_key);
	}
	return CS_E_KEY;
}

static enum cs_err write_coordinate(json_t *jwk, const char *name, const uint8_t *data, size_t size)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	enum cs_err err = cs_base64url_encode(data, size, &text);

	if (err != CS_OK)
		return err;
	json_t *value = json_stringn((const char *)text.data, text.len);
	return json_object_set_new(jwk, name, value) == 0 ? CS_OK : CS_E_NOMEM;
}

enum cs_err cs_public_key_to_jwk(const struct cs_public_key *key, json_t **ret_jwk)
{
	const struct cs_curve *curve = cs_curve_of(key->alg);
	CS_CLEANUP_JSON json_t *jwk = NULL;
	enum cs_err err;

	if (curve == NULL) {
		if (key->alg != CS_ALG_EDDSA || key->point_len != crypto_sign_PUBLICKEYBYTES)
			return CS_E_KEY;
		jwk = json_pack("{s:s, s:s}", "kty", "OKP", "crv", "Ed25519");
		if (jwk == NULL)
			return CS_E_NOMEM;
		err = write_coordinate(jwk, "x", key->point, key->point_len);
	} else {
		if (key->point_len != 2 * curve->size + 1)
			return CS_E_KEY;
		jwk = json_pack("{s:s, s:s}", "kty", "EC", "crv", curve->jwk);
		if (jwk == NULL)
			return CS_E_NOMEM;
		err = write_coordinate(jwk, "x", key->point + 1, curve->size);
		if (err == CS_OK)
			err = write_coordinate(jwk, "y", key->point + 1 + curve->size, curve->size);
	}
	if (err != CS_OK)
		return err;
	*ret_jwk = jwk;
	jwk = NULL;
	return CS_OK;
}

/* ---- SubjectPublicKeyInfo ---- */

enum cs_err cs_public_key_to_spki(const struct cs_public_key *key, struct cs_bytes *out)
{
	if ((size_t)key->alg >= sizeof spki / sizeof *spki ||
		key->point_len != spki[key->alg].point_len)
		return CS_E_KEY;
	cs_bytes_add(out, spki[key->alg].prefix, spki[key->alg].prefix_len);
	cs_bytes_add(out, key->point, key->point_len);
	return cs_bytes_check(out);
}

enum cs_err cs_public_key_from_spki(const uint8_t *der, size_t len, struct cs_public_key *ret_key)
{
	for (size_t i = 0; i < sizeof spki / sizeof *spki; i++) {
		size_t skip = spki[i].prefix_len;
		if (len == skip + spki[i].point_len && memcmp(der, spki[i].prefix, skip) == 0)
			return cs_public_key_set((enum cs_alg)i, der + skip, len - skip, ret_key);
	}
	return CS_E_KEY;
}

enum cs_err cs_public_key_from_pem(const void *pem, size_t len, struct cs_public_key *ret_key)
{
	enum cs_err err = CS_E_NOMEM;
	char *name = NULL;
	char *header = NULL;
	unsigned char *der = NULL;
	long der_len = 0;
	BIO *bio;

	if (len == 0 || len > PEM_MAX)
		return CS_E_KEY;
	bio = BIO_new_mem_buf(pem, (int)len);
	if (bio == NULL)
		goto out;
	err = CS_E_KEY;
	if (PEM_read_bio(bio, &name, &header, &der, &der_len) != 1)
		goto out;
	if (strcmp(name, PEM_STRING_PUBLIC) != 0 || header[0] != '\0' || der_len <= 0)
		goto out;
	err = cs_public_key_from_spki(der, (size_t)der_len, ret_key);
out:
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	BIO_free(bio);
	ERR_clear_error();
	return err;
}
