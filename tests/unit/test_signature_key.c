/* Public keys as JWK and PEM, and those that are refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/session_key.h"
#include "core/signature.h"
#include "tests/fixture/software_key.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN "-----BEGIN PUBLIC KEY-----\n"
#define END "-----END PUBLIC KEY-----\n"

/* Made with the openssl command, which shares no code with our reader of the DER. */
static const struct {
	enum cs_alg alg;
	const char *pem;
	const char *point;
	const char *signature; /* of "sample text"; DER for the curves */
} keys[] = {
	{CS_ALG_EDDSA, BEGIN "MCowBQYDK2VwAyEAr+fd2QQr3xTF3Qv6BSFzDvcpC9PNQ4x7x4AT5wM6Yd8=\n" END,
		"afe7ddd9042bdf14c5dd0bfa0521730ef7290bd3cd438c7bc78013e7033a61df",
		"aad4c5c027f76e26b092833826d7df1be80f322be1b4f31166be883e1876797f"
		"bacd421cc4cdc6274a7034041d971099c0b7bf7c003a77340a9d81dbaee3920b"},
	{CS_ALG_ES256,
		BEGIN "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE0QpzL8itzAG1HOFDe24WSYBRaPRi\n"
		      "czfyjcWxWogCEFahtthA8FteHxfluyU7rlDo0QOPDSqrza7nfTSqo5o1Gw==\n" END,
		"04d10a732fc8adcc01b51ce1437b6e1649805168f4627337f28dc5b15a88021056"
		"a1b6d840f05b5e1f17e5bb253bae50e8d1038f0d2aabcdaee77d34aaa39a351b",
		"3046022100f2332ae259b857a8aedbb807f266cb04ae7815d451fb0d24d62b45b83dad0076"
		"0221008775e66a6243f1011c8dbbc6ed0acc1e2255d175a19a91b05de643619a5052b1"},
	{CS_ALG_ES384,
		BEGIN "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAETYUv9iNKeHSAGWUvk8345dT9zO+zvHFE\n"
		      "15zOhd0vfTSJXDx9R18/sObada3OYiuX687QXJVfytJ9XbtnV5OiVmozhdgb9a8+\n"
		      "PVARroDVCzL2pq6MBMKVQJ7Af8po55yz\n" END,
		"044d852ff6234a78748019652f93cdf8e5d4fdccefb3bc7144d79cce85dd2f7d34895c3c7d475f3fb0"
		"e6da75adce622b97"
		"ebced05c955fcad27d5dbb675793a2566a3385d81bf5af3e3d5011ae80d50b32f6a6ae8c04c295409e"
		"c07fca68e79cb3",
		"3065023001fa737af84232d7df18b43314fede5ac1f2c6de547de31642fe65183bebf6b84a1de1a754"
		"fc2629e163ebbbd27eba1a"
		"023100d7f4c8f9ed104279d9ef082db22e510d096409682d86dc78d56f7e5ad812ea892fca750f1abe"
		"216d6e94d25cc1b7e1be"},
};
#define KEY_COUNT (sizeof keys / sizeof *keys)

static size_t unhex(const char *text, uint8_t *out)
{
	assert_int_equal(cs_hex_decode(text, strlen(text), out, strlen(text) / 2), CS_OK);
	return strlen(text) / 2;
}

static void test_openssl_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEY_COUNT; i++) {
		struct cs_public_key key;
		uint8_t point[CS_POINT_MAX];
		uint8_t signature[128];
		size_t len = unhex(keys[i].signature, signature);

		assert_int_equal(
			cs_public_key_from_pem(keys[i].pem, strlen(keys[i].pem), &key), CS_OK);
		assert_int_equal(key.alg, keys[i].alg);
		assert_int_equal(key.point_len, unhex(keys[i].point, point));
		assert_memory_equal(key.point, point, key.point_len);
		assert_int_equal(cs_signature_verify(
					 &key, "sample text", 11, signature, len, CS_SIGNATURE_DER),
			CS_OK);
		assert_int_equal(cs_signature_verify(
					 &key, "Sample text", 11, signature, len, CS_SIGNATURE_DER),
			CS_E_SIGNATURE);
	}
}

static void test_point(void **state)
{
	struct cs_public_key key = {.point_len = 7};
	uint8_t point[CS_POINT_MAX + 1];

	(void)state;
	for (size_t i = 0; i < KEY_COUNT; i++) {
		size_t len = unhex(keys[i].point, point);
		for (size_t wrong = 0; wrong <= sizeof point; wrong++)
			if (wrong != len)
				assert_int_equal(cs_public_key_set(keys[i].alg, point, wrong, &key),
					CS_E_KEY);
		for (size_t other = 0; other < KEY_COUNT; other++)
			if (other != i)
				assert_int_equal(
					cs_public_key_set(keys[other].alg, point, len, &key),
					CS_E_KEY);
		assert_int_equal(cs_public_key_set((enum cs_alg)5, point, len, &key), CS_E_KEY);
		assert_int_equal(key.point_len, 7);
		assert_int_equal(cs_public_key_set(keys[i].alg, point, len, &key), CS_OK);
		key.point_len = 7;
	}
	for (size_t i = 1; i < KEY_COUNT; i++) {
		size_t len = unhex(keys[i].point, point);
		point[len - 1] ^= 1; /* off the curve */
		assert_int_equal(cs_public_key_set(keys[i].alg, point, len, &key), CS_E_KEY);
		unhex(keys[i].point, point);
		point[0] = 0x06; /* the hybrid form */
		assert_int_equal(cs_public_key_set(keys[i].alg, point, len, &key), CS_E_KEY);
		memset(point, 0xff, len); /* coordinates beyond the field */
		point[0] = 0x04;
		assert_int_equal(cs_public_key_set(keys[i].alg, point, len, &key), CS_E_KEY);
		memset(point, 0, len);
		point[0] = 0x04;
		assert_int_equal(cs_public_key_set(keys[i].alg, point, len, &key), CS_E_KEY);
		point[0] = 0; /* the point at infinity */
		assert_int_equal(cs_public_key_set(keys[i].alg, point, 1, &key), CS_E_KEY);
	}
	assert_int_equal(key.point_len, 7);
}

static void test_ed25519_points(void **state)
{
	static const char *const bad[] = {
		"0100000000000000000000000000000000000000000000000000000000"
		"000000", /* the identity */
		"0000000000000000000000000000000000000000000000000000000000"
		"000000", /* order 4 */
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		"ffff7f", /* order 2 */
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792"
		"ac037a", /* order 8 */
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d"
		"53fc05", /* order 8 */
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		"ffff7f", /* the identity, not reduced */
		"0100000000000000000000000000000000000000000000000000000000"
		"000080", /* the identity with a sign */
		"0200000000000000000000000000000000000000000000000000000000"
		"000000", /* not on the curve */
	};
	struct cs_public_key key;
	uint8_t point[32];
	uint8_t order8[32];
	uint8_t good[32];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		unhex(bad[i], point);
		assert_int_equal(cs_public_key_set(CS_ALG_EDDSA, point, 32, &key), CS_E_KEY);
	}
	/* A good key plus a point of order 8 is on the curve and outside the main subgroup. */
	unhex(bad[3], order8);
	unhex(keys[0].point, good);
	assert_int_equal(crypto_core_ed25519_add(point, good, order8), 0);
	assert_int_equal(cs_public_key_set(CS_ALG_EDDSA, point, 32, &key), CS_E_KEY);
	assert_int_equal(cs_public_key_set(CS_ALG_EDDSA, good, 32, &key), CS_OK);
}

static void test_jwk_round_trip(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEY_COUNT; i++) {
		struct cs_public_key key;
		struct cs_public_key again;
		CS_CLEANUP_JSON json_t *jwk = NULL;

		assert_int_equal(
			cs_public_key_from_pem(keys[i].pem, strlen(keys[i].pem), &key), CS_OK);
		assert_int_equal(cs_public_key_to_jwk(&key, &jwk), CS_OK);
		assert_int_equal(json_object_size(jwk), keys[i].alg == CS_ALG_EDDSA ? 3 : 4);
		json_object_set_new(jwk, "kid", json_string("ignored"));
		assert_int_equal(cs_public_key_from_jwk(jwk, &again), CS_OK);
		assert_true(cs_public_key_equal(&key, &again));
	}
	struct cs_public_key broken = {.alg = CS_ALG_ES256, .point_len = 5};
	json_t *none = NULL;
	assert_int_equal(cs_public_key_to_jwk(&broken, &none), CS_E_KEY);
	broken.alg = CS_ALG_EDDSA;
	assert_int_equal(cs_public_key_to_jwk(&broken, &none), CS_E_KEY);
	assert_null(none);
}

#define P256_X "0QpzL8itzAG1HOFDe24WSYBRaPRiczfyjcWxWogCEFY"
#define P256_Y "obbYQPBbXh8X5bslO65Q6NEDjw0qq82u5300qqOaNRs"

static void test_jwk_text(void **state)
{
	static const struct {
		const char *text;
		enum cs_err err;
	} cases[] = {
		/* RFC 8037 appendix A.2 */
		{"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_"
		 "7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
			CS_OK},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P256_X "\",\"y\":\"" P256_Y "\"}",
			CS_OK},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P256_X "\"}", CS_E_KEY},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P256_X "\",\"y\":\"" P256_X "\"}",
			CS_E_KEY},
		{"{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" P256_X "\",\"y\":\"" P256_Y "\"}",
			CS_E_KEY},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P256_X "=\",\"y\":\"" P256_Y "\"}",
			CS_E_KEY},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"A" P256_X "\",\"y\":\"" P256_Y "\"}",
			CS_E_KEY},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":7,\"y\":\"" P256_Y "\"}", CS_E_KEY},
		{"{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"" P256_X "\",\"y\":\"" P256_Y "\"}",
			CS_E_KEY},
		{"{\"kty\":\"OKP\",\"crv\":\"P-256\",\"x\":\"" P256_X "\",\"y\":\"" P256_Y "\"}",
			CS_E_KEY},
		{"{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"11qYAYKxCrfVS_"
		 "7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
			CS_E_KEY},
		{"{\"kty\":\"EC\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_"
		 "7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
			CS_E_KEY},
		/* the same point with trailing bits set */
		{"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_"
		 "7TyWQHOg7hcvPapiMlrwIaaPcHURp\"}",
			CS_E_KEY},
		{"{\"kty\":\"OKP\",\"crv\":\"Ed25519\\u0000\",\"x\":\"11qYAYKxCrfVS_"
		 "7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
			CS_E_KEY},
		{"{\"kty\":\"oct\",\"k\":\"AAAA\"}", CS_E_KEY},
		{"{}", CS_E_KEY},
		{"[]", CS_E_KEY},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CS_CLEANUP_JSON json_t *jwk = json_loads(cases[i].text, JSON_ALLOW_NUL, NULL);
		struct cs_public_key key = {.point_len = 7};
		assert_non_null(jwk);
		assert_int_equal(cs_public_key_from_jwk(jwk, &key), cases[i].err);
		if (cases[i].err != CS_OK)
			assert_int_equal(key.point_len, 7);
	}
	struct cs_public_key key;
	assert_int_equal(cs_public_key_from_jwk(NULL, &key), CS_E_KEY);
}

static void test_spki(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEY_COUNT; i++) {
		CS_CLEANUP_BYTES struct cs_bytes der = {0};
		struct cs_public_key key;
		struct cs_public_key again;

		assert_int_equal(
			cs_public_key_from_pem(keys[i].pem, strlen(keys[i].pem), &key), CS_OK);
		assert_int_equal(cs_public_key_to_spki(&key, &der), CS_OK);
		assert_int_equal(cs_public_key_from_spki(der.data, der.len, &again), CS_OK);
		assert_true(cs_public_key_equal(&key, &again));
		assert_int_equal(cs_public_key_from_spki(der.data, der.len - 1, &again), CS_E_KEY);
		assert_int_equal(cs_bytes_add(&der, "", 1), CS_OK);
		assert_int_equal(cs_public_key_from_spki(der.data, der.len, &again), CS_E_KEY);
		for (size_t at = 0; at < der.len - 1 - key.point_len; at++) {
			der.data[at] ^= 1;
			assert_int_equal(
				cs_public_key_from_spki(der.data, der.len - 1, &again), CS_E_KEY);
			der.data[at] ^= 1;
		}
		key.point_len--;
		assert_int_equal(cs_public_key_to_spki(&key, &der), CS_E_KEY);
		key.alg = (enum cs_alg)4;
		assert_int_equal(cs_public_key_to_spki(&key, &der), CS_E_KEY);
	}
}

static void test_pem_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"not PEM at all",
		/* P-256, the same key compressed */
		BEGIN "MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgAD0QpzL8itzAG1HOFDe24WSYBRaPRi\nczfyjcWxWo"
		      "gCEFY=\n" END,
		/* X25519 */
		BEGIN "MCowBQYDK2VuAyEA4DuGlLoHYYHUO2ao5C84PWbRc5vhj786BF5xSzQaf1U=\n" END,
		/* P-521 */
		BEGIN "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQAiLB4JJ3Qsno7qcmJrH502hCqFNma\n"
		      "tKmqo/y+znheDIJ0GQzBe+zvt/dOrQnZuW3JmrySJ1vvVi+1lXu22GSg7pABsICu\n"
		      "fwvg6sbiX5th1P8E5ABxwT/LNSn/xuB47GkfHKXFgH66rPRnn6QF+6NCN3SUxEsK\n"
		      "lkXX8UVeAw0IP4HW1jg=\n" END,
		/* an Ed25519 key under another label */
		"-----BEGIN "
		"CERTIFICATE-----\nMCowBQYDK2VwAyEAr+fd2QQr3xTF3Qv6BSFzDvcpC9PNQ4x7x4AT5wM6Yd8=\n"
		"-----END CERTIFICATE-----\n",
		/* bytes after the DER */
		BEGIN "MCowBQYDK2VwAyEAr+fd2QQr3xTF3Qv6BSFzDvcpC9PNQ4x7x4AT5wM6Yd8A\n" END,
		/* a header, as in encrypted keys */
		BEGIN
		"Proc-Type: "
		"4,ENCRYPTED\n\nMCowBQYDK2VwAyEAr+fd2QQr3xTF3Qv6BSFzDvcpC9PNQ4x7x4AT5wM6Yd8=\n" END,
		/* no end */
		BEGIN "MCowBQYDK2VwAyEAr+fd2QQr3xTF3Qv6BSFzDvcpC9PNQ4x7x4AT5wM6Yd8=\n",
		/* a point of small order */
		BEGIN "MCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" END,
	};
	struct cs_public_key key = {.point_len = 7};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(cs_public_key_from_pem(bad[i], strlen(bad[i]), &key), CS_E_KEY);
	char *large = calloc(1, 1 << 20);
	assert_non_null(large);
	assert_int_equal(cs_public_key_from_pem(large, 1 << 20, &key), CS_E_KEY);
	free(large);
	assert_int_equal(key.point_len, 7);
}

static void test_equal(void **state)
{
	struct cs_public_key a = {.alg = CS_ALG_EDDSA, .point = {1, 2}, .point_len = 2};
	struct cs_public_key b = a;

	(void)state;
	assert_true(cs_public_key_equal(&a, &b));
	b.point[5] = 9; /* beyond the length */
	assert_true(cs_public_key_equal(&a, &b));
	b.point[1] = 9;
	assert_false(cs_public_key_equal(&a, &b));
	b = a;
	b.alg = CS_ALG_ES256;
	assert_false(cs_public_key_equal(&a, &b));
	b = a;
	b.point_len = 3;
	assert_false(cs_public_key_equal(&a, &b));
}

/* RFC 8032 section 7.1 test 1: the seed is wiped, the key signs as the standard says. */
static void test_session_key(void **state)
{
	static const uint8_t zero[CS_SESSION_SEED];
	struct cs_session_key *key = NULL;
	uint8_t seed[CS_SESSION_SEED];
	uint8_t expected[64];
	uint8_t point[32];
	uint8_t signature[64];

	(void)state;
	unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", seed);
	unhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", point);
	unhex("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e"
	      "39701cf9b46bd25bf5f0595bbe24655"
	      "141438e7a100b",
		expected);
	assert_int_equal(cs_session_key_make("kye:key:engine", seed, &key), CS_OK);
	assert_memory_equal(seed, zero, sizeof seed);
	const struct cs_signer *signer = cs_session_key_signer(key);
	assert_string_equal(signer->kid, "kye:key:engine");
	assert_int_equal(signer->key.alg, CS_ALG_EDDSA);
	assert_memory_equal(signer->key.point, point, sizeof point);
	for (int i = 0; i < 3; i++) {
		memset(signature, 0, sizeof signature);
		assert_int_equal(signer->sign(signer->context, "", 0, signature), CS_OK);
		assert_memory_equal(signature, expected, sizeof signature);
	}
	assert_int_equal(cs_signature_verify(&signer->key, "", 0, signature, 64, 0), CS_OK);
	assert_int_equal(
		cs_signature_verify(&signer->key, "x", 1, signature, 64, 0), CS_E_SIGNATURE);
	cs_session_key_free(key);
	cs_session_key_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openssl_keys),
		cmocka_unit_test(test_point),
		cmocka_unit_test(test_ed25519_points),
		cmocka_unit_test(test_jwk_round_trip),
		cmocka_unit_test(test_jwk_text),
		cmocka_unit_test(test_spki),
		cmocka_unit_test(test_pem_refused),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_session_key),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
