/* Signatures of the three algorithms, and every form that is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/curve.h"
#include "core/signature.h"
#include "tests/fixture/software_key.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const enum cs_alg algs[] = {CS_ALG_EDDSA, CS_ALG_ES256, CS_ALG_ES384};
#define ALG_COUNT (sizeof algs / sizeof *algs)

static size_t unhex(const char *text, uint8_t *out)
{
	size_t len = strlen(text) / 2;

	assert_int_equal(cs_hex_decode(text, strlen(text), out, len), CS_OK);
	return len;
}

static struct cs_test_key *make_key(enum cs_alg alg)
{
	struct cs_test_key *key = NULL;

	assert_int_equal(cs_test_key_make(alg, "kye:key:test", "seed", &key), CS_OK);
	return key;
}

static void test_names(void **state)
{
	static const char *const jws[] = {"EdDSA", "ES256", "ES384"};
	static const char *const sig[] = {"eddsa", "es256", "es384"};
	enum cs_alg alg;

	(void)state;
	for (size_t i = 0; i < ALG_COUNT; i++) {
		assert_string_equal(cs_alg_name(algs[i]), jws[i]);
		assert_string_equal(cs_alg_sig_name(algs[i]), sig[i]);
		assert_int_equal(cs_alg_by_name(jws[i], &alg), CS_OK);
		assert_int_equal(alg, algs[i]);
		assert_int_equal(cs_alg_by_sig_name(sig[i], &alg), CS_OK);
		assert_int_equal(alg, algs[i]);
		alg = CS_ALG_ES384;
		assert_int_equal(cs_alg_by_name(sig[i], &alg), CS_E_ALGORITHM);
		assert_int_equal(cs_alg_by_sig_name(jws[i], &alg), CS_E_ALGORITHM);
		assert_int_equal(alg, CS_ALG_ES384);
	}
	assert_int_equal(cs_alg_by_name("none", &alg), CS_E_ALGORITHM);
	assert_int_equal(cs_alg_by_name("", &alg), CS_E_ALGORITHM);
	assert_int_equal(cs_alg_signature_len(CS_ALG_EDDSA), 64);
	assert_int_equal(cs_alg_signature_len(CS_ALG_ES256), 64);
	assert_int_equal(cs_alg_signature_len(CS_ALG_ES384), 96);
	assert_int_equal(cs_alg_signature_len((enum cs_alg)7), 0);
	assert_string_equal(cs_alg_name((enum cs_alg)7), "unknown");
	assert_string_equal(cs_alg_sig_name((enum cs_alg)7), "unknown");
}

struct vector {
	enum cs_alg alg;
	const char *point;
	const char *message;
	const char *signature;
	bool high_s;
};

/* RFC 8032 section 7.1 test 3; RFC 6979 appendix A.2.5 and A.2.6, "sample" and "test". */
static const struct vector vectors[] = {
	{CS_ALG_EDDSA, "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
		"\xaf\x82",
		"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
		"18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
		false},
	{CS_ALG_ES256,
		"0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
		"7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
		"sample",
		"efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
		"f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
		true},
	{CS_ALG_ES256,
		"0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
		"7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
		"test",
		"f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
		"019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
		false},
	{CS_ALG_ES384,
		"04ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea90558660"
		"64a254515480bc13"
		"8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe73"
		"44fd2533264720",
		"sample",
		"94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e"
		"36dd1e80fabe46"
		"99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b"
		"82c71a38628ac8",
		true},
};

static void test_published_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		const struct vector *v = &vectors[i];
		struct cs_public_key key;
		uint8_t point[CS_POINT_MAX];
		uint8_t signature[CS_SIGNATURE_MAX];
		size_t point_len = unhex(v->point, point);
		size_t len = unhex(v->signature, signature);
		size_t message_len = strlen(v->message);

		assert_int_equal(cs_public_key_set(v->alg, point, point_len, &key), CS_OK);
		assert_int_equal(
			cs_signature_verify(&key, v->message, message_len, signature, len, 0),
			CS_OK);
		assert_int_equal(cs_signature_verify(&key, v->message, message_len, signature, len,
					 CS_SIGNATURE_LOW_S),
			v->high_s ? CS_E_SIGNATURE_HIGH_S : CS_OK);
		/* n - S is the other signature of the same message. */
		assert_int_equal(cs_signature_lower_s(v->alg, signature, len), CS_OK);
		assert_int_equal(cs_signature_verify(&key, v->message, message_len, signature, len,
					 CS_SIGNATURE_LOW_S),
			CS_OK);
		assert_int_equal(
			cs_signature_verify(&key, v->message, message_len - 1, signature, len, 0),
			CS_E_SIGNATURE);
	}
}

/* Every bit of every signature and message matters, and keys do not stand in for each other. */
static void test_round_trip(void **state)
{
	(void)state;
	for (size_t i = 0; i < ALG_COUNT; i++) {
		struct cs_test_key *test_key = make_key(algs[i]);
		struct cs_test_key *other = NULL;
		const struct cs_signer *signer = cs_test_key_signer(test_key);
		size_t len = cs_alg_signature_len(algs[i]);
		uint8_t signature[CS_SIGNATURE_MAX];
		char message[] = "canonical bytes";

		assert_int_equal(
			cs_test_key_make(algs[i], "kye:key:other", "another seed", &other), CS_OK);
		assert_false(cs_public_key_equal(&signer->key, &cs_test_key_signer(other)->key));
		assert_int_equal(
			signer->sign(signer->context, message, sizeof message, signature), CS_OK);
		assert_int_equal(cs_signature_verify(&signer->key, message, sizeof message,
					 signature, len, CS_SIGNATURE_LOW_S),
			CS_OK);
		assert_int_equal(cs_signature_verify(&cs_test_key_signer(other)->key, message,
					 sizeof message, signature, len, 0),
			CS_E_SIGNATURE);
		for (size_t bit = 0; bit < 8 * len; bit++) {
			signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
			enum cs_err err = cs_signature_verify(
				&signer->key, message, sizeof message, signature, len, 0);
			assert_true(err == CS_E_SIGNATURE || err == CS_E_SIGNATURE_FORM);
			signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		for (size_t bit = 0; bit < 8 * sizeof message; bit++) {
			message[bit / 8] = (char)(message[bit / 8] ^ 1 << bit % 8);
			assert_int_equal(cs_signature_verify(&signer->key, message, sizeof message,
						 signature, len, 0),
				CS_E_SIGNATURE);
			message[bit / 8] = (char)(message[bit / 8] ^ 1 << bit % 8);
		}
		for (size_t wrong = 0; wrong <= CS_SIGNATURE_MAX; wrong++)
			if (wrong != len)
				assert_int_equal(cs_signature_verify(&signer->key, message,
							 sizeof message, signature, wrong, 0),
					CS_E_SIGNATURE_FORM);
		cs_test_key_free(other);
		cs_test_key_free(test_key);
	}
}

/* The same seed is the same key, for each algorithm another one. */
static void test_fixture_is_deterministic(void **state)
{
	(void)state;
	for (size_t i = 0; i < ALG_COUNT; i++) {
		struct cs_test_key *a = make_key(algs[i]);
		struct cs_test_key *b = make_key(algs[i]);
		assert_true(cs_public_key_equal(
			&cs_test_key_signer(a)->key, &cs_test_key_signer(b)->key));
		assert_string_equal(cs_test_key_signer(a)->kid, "kye:key:test");
		cs_test_key_free(a);
		cs_test_key_free(b);
	}
}

static void test_curve_constants(void **state)
{
	uint8_t twice[CS_CURVE_FIELD_MAX];

	(void)state;
	assert_null(cs_curve_of(CS_ALG_EDDSA));
	for (size_t i = 1; i < ALG_COUNT; i++) {
		const struct cs_curve *curve = cs_curve_of(algs[i]);
		unsigned carry = 1; /* n = 2 * half + 1 */
		for (size_t at = curve->size; at-- > 0;) {
			unsigned sum = 2u * curve->half[at] + carry;
			twice[at] = (uint8_t)sum;
			carry = sum >> 8;
		}
		assert_int_equal(carry, 0);
		assert_memory_equal(twice, curve->order, curve->size);
	}
}

static void test_scalar_range(void **state)
{
	(void)state;
	for (size_t i = 1; i < ALG_COUNT; i++) {
		const struct cs_curve *curve = cs_curve_of(algs[i]);
		struct cs_test_key *test_key = make_key(algs[i]);
		const struct cs_signer *signer = cs_test_key_signer(test_key);
		size_t len = 2 * curve->size;
		uint8_t good[CS_SIGNATURE_MAX];
		uint8_t bad[CS_SIGNATURE_MAX];
		CS_CLEANUP_BYTES struct cs_bytes der = {0};

		assert_int_equal(signer->sign(signer->context, "m", 1, good), CS_OK);
		for (size_t half = 0; half < 2; half++) {
			uint8_t *scalar = bad + half * curve->size;
			memcpy(bad, good, len);
			memset(scalar, 0, curve->size);
			assert_int_equal(cs_signature_verify(&signer->key, "m", 1, bad, len, 0),
				CS_E_SIGNATURE_FORM);
			assert_int_equal(
				cs_signature_to_der(algs[i], bad, len, &der), CS_E_SIGNATURE_FORM);
			assert_int_equal(
				cs_signature_lower_s(algs[i], bad, len), CS_E_SIGNATURE_FORM);
			memcpy(scalar, curve->order, curve->size);
			assert_int_equal(cs_signature_verify(&signer->key, "m", 1, bad, len, 0),
				CS_E_SIGNATURE_FORM);
			scalar[curve->size -
				1]--; /* n - 1 is in range, both curves' orders are odd */
			assert_int_equal(cs_signature_verify(&signer->key, "m", 1, bad, len, 0),
				CS_E_SIGNATURE);
			memset(scalar, 0xff, curve->size);
			assert_int_equal(cs_signature_verify(&signer->key, "m", 1, bad, len, 0),
				CS_E_SIGNATURE_FORM);
		}
		/* half is the largest low S, half + 1 the smallest high one. */
		memcpy(bad, good, len);
		memcpy(bad + curve->size, curve->half, curve->size);
		assert_int_equal(
			cs_signature_verify(&signer->key, "m", 1, bad, len, CS_SIGNATURE_LOW_S),
			CS_E_SIGNATURE);
		bad[len - 1]++;
		assert_int_equal(
			cs_signature_verify(&signer->key, "m", 1, bad, len, CS_SIGNATURE_LOW_S),
			CS_E_SIGNATURE_HIGH_S);
		assert_int_equal(
			cs_signature_verify(&signer->key, "m", 1, bad, len, 0), CS_E_SIGNATURE);
		assert_int_equal(cs_signature_lower_s(algs[i], bad, len), CS_OK);
		assert_memory_equal(bad + curve->size, curve->half, curve->size);
		cs_test_key_free(test_key);
	}
}

static void test_lower_s(void **state)
{
	uint8_t signature[64] = {1};

	(void)state;
	assert_int_equal(cs_signature_lower_s(CS_ALG_EDDSA, signature, 64), CS_OK);
	assert_int_equal(cs_signature_lower_s(CS_ALG_EDDSA, signature, 63), CS_E_SIGNATURE_FORM);
	assert_int_equal(cs_signature_lower_s(CS_ALG_ES256, signature, 63), CS_E_SIGNATURE_FORM);
	for (size_t i = 1; i < ALG_COUNT; i++) {
		struct cs_test_key *test_key = make_key(algs[i]);
		const struct cs_signer *signer = cs_test_key_signer(test_key);
		size_t len = cs_alg_signature_len(algs[i]);
		uint8_t low[CS_SIGNATURE_MAX];
		uint8_t high[CS_SIGNATURE_MAX];

		assert_int_equal(signer->sign(signer->context, "m", 1, low), CS_OK);
		memcpy(high, low, len);
		cs_test_signature_flip_s(algs[i], high);
		assert_int_equal(cs_signature_verify(&signer->key, "m", 1, high, len, 0), CS_OK);
		assert_int_equal(
			cs_signature_verify(&signer->key, "m", 1, high, len, CS_SIGNATURE_LOW_S),
			CS_E_SIGNATURE_HIGH_S);
		assert_int_equal(cs_signature_lower_s(algs[i], high, len), CS_OK);
		assert_memory_equal(high, low, len);
		assert_int_equal(cs_signature_lower_s(algs[i], high, len), CS_OK);
		assert_memory_equal(high, low, len);
		cs_test_key_free(test_key);
	}
}

static void test_der_round_trip(void **state)
{
	(void)state;
	for (size_t i = 1; i < ALG_COUNT; i++) {
		struct cs_test_key *test_key = make_key(algs[i]);
		const struct cs_signer *signer = cs_test_key_signer(test_key);
		size_t len = cs_alg_signature_len(algs[i]);
		uint8_t raw[CS_SIGNATURE_MAX];
		uint8_t again[CS_SIGNATURE_MAX];

		for (char message = 0; message < 40; message++) {
			CS_CLEANUP_BYTES struct cs_bytes der = {0};
			assert_int_equal(signer->sign(signer->context, &message, 1, raw), CS_OK);
			assert_int_equal(cs_signature_to_der(algs[i], raw, len, &der), CS_OK);
			assert_int_equal(
				cs_signature_from_der(algs[i], der.data, der.len, again), CS_OK);
			assert_memory_equal(raw, again, len);
			assert_int_equal(cs_signature_verify(&signer->key, &message, 1, der.data,
						 der.len, CS_SIGNATURE_DER | CS_SIGNATURE_LOW_S),
				CS_OK);
			assert_int_equal(cs_signature_verify(&signer->key, &message, 1, raw, len,
						 CS_SIGNATURE_DER),
				CS_E_SIGNATURE_FORM);
			assert_int_equal(cs_signature_verify(
						 &signer->key, &message, 1, der.data, der.len, 0),
				CS_E_SIGNATURE_FORM);
			for (size_t cut = 0; cut < der.len; cut++)
				assert_int_equal(
					cs_signature_from_der(algs[i], der.data, cut, again),
					CS_E_SIGNATURE_FORM);
		}
		cs_test_key_free(test_key);
	}
}

/* What a lenient reader of DER lets pass: each is another encoding of a signature, or of none. */
static void test_der_strictness(void **state)
{
	static const struct {
		const char *hex;
		enum cs_err err;
	} cases[] = {
		{"3006020101020101", CS_OK},
		{"30080202008002020080", CS_OK},
		{"3006020101020101"
		 "00",
			CS_E_SIGNATURE_FORM}, /* something after it */
		{"3007020101020101"
		 "00",
			CS_E_SIGNATURE_FORM},		     /* something after it, inside */
		{"308106020101020101", CS_E_SIGNATURE_FORM}, /* long form of the length */
		{"3080020101020101"
		 "0000",
			CS_E_SIGNATURE_FORM},		     /* indefinite length */
		{"300702020001020101", CS_E_SIGNATURE_FORM}, /* 00 before a clear bit */
		{"300702010102020001", CS_E_SIGNATURE_FORM},
		{"3006020180020101", CS_E_SIGNATURE_FORM}, /* negative */
		{"3006020101020180", CS_E_SIGNATURE_FORM},
		{"3006020100020101", CS_E_SIGNATURE_FORM},	 /* r = 0 */
		{"3006020101020100", CS_E_SIGNATURE_FORM},	 /* s = 0 */
		{"30050200020101", CS_E_SIGNATURE_FORM},	 /* no bytes at all */
		{"3003020101", CS_E_SIGNATURE_FORM},		 /* one INTEGER */
		{"3009020101020101020101", CS_E_SIGNATURE_FORM}, /* three */
		{"3106020101020101", CS_E_SIGNATURE_FORM},	 /* a SET */
		{"3006030101020101", CS_E_SIGNATURE_FORM},	 /* a BIT STRING */
		{"3006020101020201", CS_E_SIGNATURE_FORM}, /* INTEGER longer than what holds it */
		{"300602ff01020101", CS_E_SIGNATURE_FORM},
		{"3000", CS_E_SIGNATURE_FORM},
		{"30", CS_E_SIGNATURE_FORM},
		{"", CS_E_SIGNATURE_FORM},
		/* r = n of P-256 */
		{"3026022100ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551020101",
			CS_E_SIGNATURE_FORM},
		/* r of 33 bytes */
		{"3026022101ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551020101",
			CS_E_SIGNATURE_FORM},
	};
	uint8_t der[128];
	uint8_t raw[CS_SIGNATURE_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t len = unhex(cases[i].hex, der);
		memset(raw, 0xa5, sizeof raw);
		assert_int_equal(cs_signature_from_der(CS_ALG_ES256, der, len, raw), cases[i].err);
		if (cases[i].err != CS_OK)
			assert_int_equal(raw[0], 0xa5);
	}
	CS_CLEANUP_BYTES struct cs_bytes out = {0};
	assert_int_equal(cs_signature_from_der(CS_ALG_EDDSA, der, 8, raw), CS_E_ALGORITHM);
	assert_int_equal(cs_signature_to_der(CS_ALG_EDDSA, raw, 64, &out), CS_E_ALGORITHM);
	assert_int_equal(cs_signature_to_der(CS_ALG_ES256, raw, 96, &out), CS_E_SIGNATURE_FORM);
	assert_int_equal(out.len, 0);
}

/*
 * RFC 8032 section 5.1.7: S below the group order, or a second signature could be made from the
 * first.
 */
static void test_ed25519_malleability(void **state)
{
	static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6,
		0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
	struct cs_test_key *test_key = make_key(CS_ALG_EDDSA);
	const struct cs_signer *signer = cs_test_key_signer(test_key);
	uint8_t signature[64];

	(void)state;
	assert_int_equal(signer->sign(signer->context, "m", 1, signature), CS_OK);
	sodium_add(signature + 32, order, 32);
	assert_int_equal(
		cs_signature_verify(&signer->key, "m", 1, signature, 64, 0), CS_E_SIGNATURE);
	/* R = identity, S = 0: verifies under any key of small order. */
	memset(signature, 0, sizeof signature);
	signature[0] = 1;
	assert_int_equal(
		cs_signature_verify(&signer->key, "m", 1, signature, 64, 0), CS_E_SIGNATURE);
	struct cs_public_key identity = {.alg = CS_ALG_EDDSA, .point = {1}, .point_len = 32};
	assert_int_equal(cs_signature_verify(&identity, "m", 1, signature, 64, 0), CS_E_SIGNATURE);
	cs_test_key_free(test_key);
}

/* A key that nobody checked: refused here too, not misused. */
static void test_bad_key(void **state)
{
	static const uint8_t signature[96] = {[31] = 1, [63] = 1, [47] = 1, [95] = 1};
	struct cs_public_key key = {.alg = CS_ALG_ES256, .point = {4}, .point_len = 65};

	(void)state;
	assert_int_equal(cs_signature_verify(&key, "m", 1, signature, 64, 0), CS_E_KEY);
	key.point_len = 33;
	assert_int_equal(cs_signature_verify(&key, "m", 1, signature, 64, 0), CS_E_KEY);
	key = (struct cs_public_key){.alg = CS_ALG_EDDSA, .point_len = 31};
	assert_int_equal(cs_signature_verify(&key, "m", 1, signature, 64, 0), CS_E_KEY);
	key = (struct cs_public_key){.alg = (enum cs_alg)9, .point_len = 32};
	assert_int_equal(cs_signature_verify(&key, "m", 1, signature, 64, 0), CS_E_KEY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_published_vectors),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_fixture_is_deterministic),
		cmocka_unit_test(test_curve_constants),
		cmocka_unit_test(test_scalar_range),
		cmocka_unit_test(test_lower_s),
		cmocka_unit_test(test_der_round_trip),
		cmocka_unit_test(test_der_strictness),
		cmocka_unit_test(test_ed25519_malleability),
		cmocka_unit_test(test_bad_key),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
