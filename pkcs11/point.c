#include "point.h"

#include <string.h>

#define OCTET_STRING 0x04

static const uint8_t edwards25519_name[] = {
	0x13, 0x0c, 'e', 'd', 'w', 'a', 'r', 'd', 's', '2', '5', '5', '1', '9'};
static const uint8_t ed25519_oid[] = {0x06, 0x03, 0x2b, 0x65, 0x70};
static const uint8_t ed25519_gnu_oid[] = {
	0x06, 0x09, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01};
static const uint8_t p256_oid[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t p384_oid[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};

static const struct cs_curve_params curves[] = {
	[CS_ALG_EDDSA] = {CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKM_EDDSA, edwards25519_name,
		sizeof edwards25519_name},
	[CS_ALG_ES256] = {CKK_EC, CKM_EC_KEY_PAIR_GEN, CKM_ECDSA, p256_oid, sizeof p256_oid},
	[CS_ALG_ES384] = {CKK_EC, CKM_EC_KEY_PAIR_GEN, CKM_ECDSA, p384_oid, sizeof p384_oid},
};

static const struct {
	const uint8_t *der;
	size_t len;
	enum cs_alg alg;
} spellings[] = {
	{edwards25519_name, sizeof edwards25519_name, CS_ALG_EDDSA},
	{ed25519_oid, sizeof ed25519_oid, CS_ALG_EDDSA},
	{ed25519_gnu_oid, sizeof ed25519_gnu_oid, CS_ALG_EDDSA},
	{p256_oid, sizeof p256_oid, CS_ALG_ES256},
	{p384_oid, sizeof p384_oid, CS_ALG_ES384},
};

const struct cs_curve_params *cs_curve_params_of(enum cs_alg alg)
{
	return &curves[alg];
}

enum cs_err cs_curve_params_read(const uint8_t *der, size_t len, enum cs_alg *ret_alg)
{
	for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
		if (cs_bytes_equal(der, len, spellings[i].der, spellings[i].len)) {
			*ret_alg = spellings[i].alg;
			return CS_OK;
		}
	return CS_E_TOKEN_MECHANISM;
}

static size_t bare_len(enum cs_alg alg)
{
	switch (alg) {
	case CS_ALG_EDDSA:
		return 32;
	case CS_ALG_ES256:
		return 65;
	case CS_ALG_ES384:
		return 97;
	}
	return 0;
}

enum cs_err cs_ec_point_read(
	enum cs_alg alg, const uint8_t *value, size_t len, struct cs_public_key *ret_key)
{
	size_t bare = bare_len(alg);

	/* All lengths are below 128, so DER has one length byte. */
	if (len == bare + 2 && value[0] == OCTET_STRING && value[1] == bare) {
		value += 2;
		len = bare;
	}
	if (len != bare)
		return CS_E_KEY;
	return cs_public_key_set(alg, value, len, ret_key);
}
