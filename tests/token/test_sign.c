/* Signing on a token, verified in software, and signatures that are bent. */
#include "token_fixture.h"

#include <stdlib.h>
#include "tests/fixture/software_key.h"

static const enum cs_alg algs[] = {CS_ALG_EDDSA, CS_ALG_ES256, CS_ALG_ES384};

#define ALGS (sizeof algs / sizeof *algs)

static CK_FUNCTION_LIST *real;

/* ---- the three algorithms ---- */

static void sign_and_verify(struct cs_token_key *key, const void *message, size_t len)
{
	const struct cs_public_key *public = cs_token_key_public(key);
	size_t signature_len = cs_alg_signature_len(public->alg);
	uint8_t signature[CS_SIGNATURE_MAX + 1];
	struct cs_fault fault = {0};

	memset(signature, 0xa5, sizeof signature);
	if (cs_token_key_sign(key, public, NULL, message, len, signature, &fault) != CS_OK)
		fail_msg("%s", fault.detail);
	assert_int_equal(cs_signature_verify(public, message, len, signature, signature_len,
				 CS_SIGNATURE_LOW_S),
		CS_OK);
	assert_int_equal(signature[signature_len], 0xa5);
	signature[3] ^= 1;
	assert_int_not_equal(
		cs_signature_verify(public, message, len, signature, signature_len, 0), CS_OK);
}

static void test_one_token_three_algorithms(void **state)
{
	struct rig rig;
	struct cs_token_key *keys[ALGS];
	char label[32];
	uint8_t *large = calloc(1, 100000);

	(void)state;
	assert_non_null(large);
	rig_open(&rig);
	struct cs_token *token = rig_ready_token(&rig, "seal");
	for (size_t i = 0; i < ALGS; i++) {
		snprintf(label, sizeof label, "key %s", cs_alg_name(algs[i]));
		keys[i] = make_key(token, algs[i], label);
		assert_int_equal(cs_token_key_alg(keys[i]), algs[i]);
		assert_string_equal(cs_token_key_label(keys[i]), label);
		assert_false(cs_token_key_pin_each_time(keys[i]));
	}
	for (size_t i = 0; i < ALGS; i++) {
		sign_and_verify(keys[i], "", 0);
		sign_and_verify(keys[i], "message", 7);
		sign_and_verify(keys[i], large, 100000);
		/* About half of a token's ECDSA signatures have high S; none may come out. */
		for (uint8_t n = 0; n < 24; n++)
			sign_and_verify(keys[i], &n, 1);
	}
	for (size_t i = 0; i < ALGS; i++)
		cs_token_key_free(keys[i]);
	cs_token_close(token);
	rig_close(&rig);
	free(large);
}

static void test_signer(void **state)
{
	struct rig rig;
	struct cs_fault fault = {0};

	(void)state;
	rig_open(&rig);
	struct cs_token *token = rig_ready_token(&rig, "seal");
	for (size_t i = 0; i < ALGS; i++) {
		struct cs_token_signer signer = {0};
		struct cs_token_key *key = make_key(token, algs[i], cs_alg_name(algs[i]));
		const struct cs_public_key *public = cs_token_key_public(key);
		struct cs_public_key other = *public;
		uint8_t signature[CS_SIGNATURE_MAX];
		assert_int_equal(
			cs_token_signer_set(&signer, key, "kye:key:seal", public, NULL, &fault),
			CS_OK);
		assert_string_equal(signer.signer.kid, "kye:key:seal");
		assert_true(cs_public_key_equal(&signer.signer.key, public));
		assert_int_equal(
			signer.signer.sign(signer.signer.context, "m", 1, signature), CS_OK);
		assert_int_equal(cs_signature_verify(public, "m", 1, signature,
					 cs_alg_signature_len(algs[i]), CS_SIGNATURE_LOW_S),
			CS_OK);
		other.alg = algs[(i + 1) % ALGS];
		assert_int_equal(
			cs_token_signer_set(&signer, key, "kye:key:seal", &other, NULL, &fault),
			CS_E_ALGORITHM);
		assert_int_equal(cs_token_key_sign(key, &other, NULL, "m", 1, signature, &fault),
			CS_E_ALGORITHM);
		cs_token_key_free(key);
	}
	cs_token_close(token);
	rig_close(&rig);
}

/* ---- what the token gives is not believed ---- */

static void expect_self(
	struct cs_token_key *key, const struct cs_public_key *pinned, const char *reason)
{
	struct cs_token_signer signer = {0};
	uint8_t signature[CS_SIGNATURE_MAX];
	uint8_t untouched[CS_SIGNATURE_MAX];

	memset(signature, 0x5a, sizeof signature);
	memset(untouched, 0x5a, sizeof untouched);
	assert_int_equal(
		cs_token_signer_set(&signer, key, "kye:key:seal", pinned, NULL, NULL), CS_OK);
	enum cs_err err = signer.signer.sign(signer.signer.context, "m", 1, signature);
	if (err != CS_E_SIGNATURE_SELF || strstr(signer.fault.detail, reason) == NULL)
		fail_msg("%s: %s", cs_err_name(err), signer.fault.detail);
	assert_memory_equal(signature, untouched, sizeof signature);
}

static void test_pinned_key(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig);
	struct cs_token *token = rig_ready_token(&rig, "seal");
	for (size_t i = 0; i < ALGS; i++) {
		struct cs_token_key *key = make_key(token, algs[i], cs_alg_name(algs[i]));
		struct cs_test_key *other = NULL;
		assert_int_equal(cs_test_key_make(algs[i], "k", "another key", &other), CS_OK);
		expect_self(key, &cs_test_key_signer(other)->key,
			"does not verify under the pinned key");
		/* One altered bit in the pinned key; most often it is not even a point any more. */
		struct cs_public_key tampered = *cs_token_key_public(key);
		tampered.point[tampered.point_len - 1] ^= 1;
		expect_self(key, &tampered, "does not verify under the pinned key");
		sign_and_verify(key, "m", 1);
		cs_test_key_free(other);
		cs_token_key_free(key);
	}
	cs_token_close(token);
	rig_close(&rig);
}

static enum { LONG, SHORT, FLIPPED, ZEROS, ONES, HIGH_S } bend;

/* p256 n, to turn a low S into the high one that is as valid (FIPS 186-5). */
static const uint8_t p256_n[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9,
	0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};

static CK_RV bent_sign(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG len,
	CK_BYTE_PTR signature, CK_ULONG_PTR signature_len)
{
	CK_RV rv = real->C_Sign(session, data, len, signature, signature_len);

	if (rv != CKR_OK)
		return rv;
	switch (bend) {
	case LONG:
		signature[(*signature_len)++] = 0;
		break;
	case SHORT:
		(*signature_len)--;
		break;
	case FLIPPED:
		signature[*signature_len - 1] ^= 1;
		break;
	case ZEROS:
		memset(signature, 0, *signature_len);
		break;
	case ONES:
		memset(signature, 0xff, *signature_len);
		break;
	case HIGH_S:
		if (signature[32] < 0x80) {
			int borrow = 0;
			for (int i = 31; i >= 0; i--) {
				int d = p256_n[i] - signature[32 + i] - borrow;
				borrow = d < 0;
				signature[32 + i] = (uint8_t)d;
			}
		}
		break;
	}
	return rv;
}

static void test_bent_signatures(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig);
	struct cs_token *token = rig_ready_token(&rig, "seal");
	real = &rig.original;
	for (size_t i = 0; i < ALGS; i++) {
		struct cs_token_key *key = make_key(token, algs[i], cs_alg_name(algs[i]));
		rig.p11->C_Sign = bent_sign;
		bend = LONG;
		expect_self(key, cs_token_key_public(key), "bytes for an");
		bend = SHORT;
		expect_self(key, cs_token_key_public(key), "bytes for an");
		bend = FLIPPED;
		expect_self(key, cs_token_key_public(key), "does not verify");
		bend = ZEROS;
		expect_self(key, cs_token_key_public(key),
			algs[i] == CS_ALG_EDDSA ? "does not verify" : "no ES");
		bend = ONES;
		expect_self(key, cs_token_key_public(key),
			algs[i] == CS_ALG_EDDSA ? "does not verify" : "no ES");
		if (algs[i] == CS_ALG_ES256) {
			bend = HIGH_S;
			sign_and_verify(key, "m", 1);
		}
		rig_restore(&rig);
		sign_and_verify(key, "m", 1);
		cs_token_key_free(key);
	}
	cs_token_close(token);
	rig_close(&rig);
}

/* ---- a key that asks for its PIN each time ---- */

static unsigned context_logins;

static CK_RV counted_login(
	CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG len)
{
	context_logins += user == CKU_CONTEXT_SPECIFIC;
	return real->C_Login(session, user, pin, len);
}

static void test_pin_each_time(void **state)
{
	CS_CLEANUP_PIN struct cs_pin *pin = pin_of(USER_PIN);
	CS_CLEANUP_PIN struct cs_pin *wrong = pin_of("wrong-pin-0000");
	struct rig rig;
	struct cs_token_key *key = NULL;
	struct cs_fault fault = {0};
	uint8_t signature[CS_SIGNATURE_MAX];

	(void)state;
	rig_open(&rig);
	struct cs_token *token = rig_ready_token(&rig, "card");
	assert_int_equal(cs_token_key_generate(token, CS_ALG_ES256, "9c", NULL, 0,
				 CS_KEY_PIN_EACH_TIME, &key, &fault),
		CS_OK);
	const struct cs_public_key *public = cs_token_key_public(key);
	assert_true(cs_token_key_pin_each_time(key));
	real = &rig.original;
	rig.p11->C_Login = counted_login;
	assert_int_equal(
		cs_token_key_sign(key, public, NULL, "m", 1, signature, &fault), CS_E_PIN_SOURCE);
	assert_int_equal(context_logins, 0);
	/* The operation that was begun does not block the next one. */
	assert_int_equal(cs_token_key_sign(key, public, pin, "m", 1, signature, &fault), CS_OK);
	assert_int_equal(cs_token_key_sign(key, public, pin, "m", 1, signature, &fault), CS_OK);
	assert_int_equal(context_logins, 2);
	assert_int_equal(
		cs_token_key_sign(key, public, wrong, "m", 1, signature, &fault), CS_E_PIN);
	assert_non_null(strstr(fault.detail, "CKR_PIN_INCORRECT"));
	assert_int_equal(
		cs_token_key_sign(key, public, wrong, "m", 1, signature, &fault), CS_E_PIN);
	assert_int_equal(context_logins, 3);
	assert_int_equal(cs_token_key_sign(key, public, pin, "m", 1, signature, &fault), CS_OK);
	assert_int_equal(cs_token_check(token, &fault), CS_OK);
	cs_token_key_free(key);
	cs_token_close(token);
	rig_close(&rig);
}

/* ---- keys ---- */

static void expect_no_key(struct cs_token *token, const char *label, const char *id,
	enum cs_err want, const char *reason)
{
	struct cs_token_key *key = NULL;
	struct cs_fault fault = {0};
	enum cs_err err = cs_token_key_find(
		token, label, (const uint8_t *)id, id != NULL ? strlen(id) : 0, &key, &fault);

	if (err != want || strstr(fault.detail, reason) == NULL)
		fail_msg("%s: %s", cs_err_name(err), fault.detail);
	assert_null(key);
}

static void test_find_key(void **state)
{
	static const uint8_t id_a[] = {'A'}, id_b[] = {'B', 0, 'B'};
	char long_label[CS_LABEL_MAX + 2];
	struct rig rig;
	struct cs_token_key *made = NULL, *found = NULL;
	struct cs_fault fault = {0};
	size_t len = 0;

	(void)state;
	rig_open(&rig);
	struct cs_token *token = rig_ready_token(&rig, "seal");
	assert_int_equal(
		cs_token_key_generate(token, CS_ALG_ES256, "a", id_a, 1, 0, &made, &fault), CS_OK);
	cs_token_key_free(made);
	assert_int_equal(
		cs_token_key_generate(token, CS_ALG_EDDSA, "b", id_b, 3, 0, &made, &fault), CS_OK);

	assert_int_equal(cs_token_key_find(token, "b", NULL, 0, &found, &fault), CS_OK);
	assert_true(cs_public_key_equal(cs_token_key_public(found), cs_token_key_public(made)));
	assert_memory_equal(cs_token_key_id(found, &len), id_b, 3);
	assert_int_equal(len, 3);
	sign_and_verify(found, "m", 1);
	cs_token_key_free(found);
	assert_int_equal(cs_token_key_find(token, NULL, id_b, 3, &found, &fault), CS_OK);
	assert_string_equal(cs_token_key_label(found), "b");
	cs_token_key_free(found);
	assert_int_equal(cs_token_key_find(token, "b", id_b, 3, &found, &fault), CS_OK);
	cs_token_key_free(found);
	cs_token_key_free(made);

	expect_no_key(token, "c", NULL, CS_E_TOKEN_KEY, "token 'seal' has no private key 'c'");
	expect_no_key(token, NULL, "C", CS_E_TOKEN_KEY, "id 43");
	expect_no_key(token, "a", "B", CS_E_TOKEN_KEY, "'a' with id 42");
	expect_no_key(token, NULL, NULL, CS_E_USAGE, "label");
	expect_no_key(token, "", NULL, CS_E_USAGE, "label");
	memset(long_label, 'x', sizeof long_label);
	long_label[sizeof long_label - 1] = '\0';
	expect_no_key(token, long_label, NULL, CS_E_USAGE, "at most 128");

	/* Label and id are taken, each by itself. */
	made = NULL;
	assert_int_equal(cs_token_key_generate(token, CS_ALG_ES384, "a", NULL, 0, 0, &made, &fault),
		CS_E_EXISTS);
	assert_non_null(strstr(fault.detail, "label"));
	assert_int_equal(
		cs_token_key_generate(token, CS_ALG_ES384, "new", id_b, 3, 0, &made, &fault),
		CS_E_EXISTS);
	assert_non_null(strstr(fault.detail, "id"));
	assert_int_equal(cs_token_key_generate(token, CS_ALG_ES384, "", NULL, 0, 0, &made, &fault),
		CS_E_USAGE);
	assert_int_equal(
		cs_token_key_generate(token, CS_ALG_ES384, NULL, NULL, 0, 0, &made, &fault),
		CS_E_USAGE);
	assert_int_equal(
		cs_token_key_generate(token, CS_ALG_ES384, long_label, NULL, 0, 0, &made, &fault),
		CS_E_USAGE);
	assert_null(made);
	cs_token_close(token);

	/* Not logged in is something else than not there. */
	token = rig_open_token(&rig, "pkcs11:token=seal");
	expect_no_key(token, "a", NULL, CS_E_STATE, "not logged in");
	assert_int_equal(
		cs_token_key_generate(token, CS_ALG_ES384, "new", NULL, 0, 0, &made, &fault),
		CS_E_STATE);
	cs_token_close(token);
	rig_close(&rig);
}

/* A key as another program might have put it there. */
static CK_OBJECT_HANDLE raw_generate(struct rig *rig, struct cs_token *token,
	CK_MECHANISM_TYPE type, const char *label, const char *id, bool extractable)
{
	static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
	static CK_BYTE exponent[] = {1, 0, 1};
	CK_BBOOL yes = CK_TRUE, may = extractable;
	CK_ULONG bits = 2048;
	CK_ATTRIBUTE public_template[] = {
		{CKA_TOKEN, &yes, 1},
		{CKA_LABEL, cs_ck_in(label), strlen(label)},
		{CKA_ID, cs_ck_in(id), strlen(id)},
		{CKA_EC_PARAMS, p256, sizeof p256},
		{CKA_PUBLIC_EXPONENT, exponent, sizeof exponent},
	};
	CK_ATTRIBUTE private_template[] = {
		{CKA_TOKEN, &yes, 1},
		{CKA_PRIVATE, &yes, 1},
		{CKA_SIGN, &yes, 1},
		{CKA_EXTRACTABLE, &may, 1},
		{CKA_LABEL, cs_ck_in(label), strlen(label)},
		{CKA_ID, cs_ck_in(id), strlen(id)},
	};
	CK_MECHANISM mechanism = {type, NULL, 0};
	CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
	CK_OBJECT_HANDLE public_key, private_key = CK_INVALID_HANDLE;
	CK_ULONG count = 4;

	if (type == CKM_RSA_PKCS_KEY_PAIR_GEN) {
		public_template[3] = (CK_ATTRIBUTE){CKA_MODULUS_BITS, &bits, sizeof bits};
		count = 5;
	}
	assert_int_equal(cs_token_open_writable(token, &session, NULL), CS_OK);
	assert_int_equal(rig->original.C_GenerateKeyPair(session, &mechanism, public_template,
				 count, private_template, 6, &public_key, &private_key),
		CKR_OK);
	rig->original.C_CloseSession(session);
	return private_key;
}

static void destroy(
	struct rig *rig, struct cs_token *token, CK_OBJECT_CLASS class, const char *label)
{
	CK_ATTRIBUTE template[] = {
		{CKA_CLASS, &class, sizeof class}, {CKA_LABEL, cs_ck_in(label), strlen(label)}};
	CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
	CK_OBJECT_HANDLE object;
	CK_ULONG count = 0;

	assert_int_equal(cs_token_open_writable(token, &session, NULL), CS_OK);
	assert_int_equal(rig->p11->C_FindObjectsInit(session, template, 2), CKR_OK);
	assert_int_equal(rig->p11->C_FindObjects(session, &object, 1, &count), CKR_OK);
	assert_int_equal(count, 1);
	rig->p11->C_FindObjectsFinal(session);
	assert_int_equal(rig->p11->C_DestroyObject(session, object), CKR_OK);
	rig->p11->C_CloseSession(session);
}

static void test_foreign_keys(void **state)
{
	struct rig rig;
	struct cs_token_key *key = NULL;
	struct cs_token_key_entry *entries = NULL;
	struct cs_public_key pinned;
	struct cs_fault fault = {0};
	size_t count = 0, usable = 0;
	uint8_t signature[CS_SIGNATURE_MAX];

	(void)state;
	rig_open(&rig);
	struct cs_token *token = rig_ready_token(&rig, "seal");
	raw_generate(&rig, token, CKM_RSA_PKCS_KEY_PAIR_GEN, "rsa", "R", false);
	raw_generate(&rig, token, CKM_EC_KEY_PAIR_GEN, "one", "1", false);
	raw_generate(&rig, token, CKM_EC_KEY_PAIR_GEN, "twice", "2", false);
	raw_generate(&rig, token, CKM_EC_KEY_PAIR_GEN, "twice", "3", false);
	raw_generate(&rig, token, CKM_EC_KEY_PAIR_GEN, "same id", "1", false);
	expect_no_key(token, "rsa", NULL, CS_E_TOKEN_MECHANISM, "key type 0x0");
	expect_no_key(token, "twice", NULL, CS_E_TOKEN_KEY_AMBIGUOUS, "2 private keys 'twice'");
	expect_no_key(token, NULL, "1", CS_E_TOKEN_KEY_AMBIGUOUS, "2 private keys id 31");
	/* The private key is one, but two public keys claim to be its other half. */
	expect_no_key(token, "one", NULL, CS_E_TOKEN_KEY_AMBIGUOUS, "2 public keys");
	assert_int_equal(
		cs_token_key_find(token, "twice", (const uint8_t *)"2", 1, &key, &fault), CS_OK);
	sign_and_verify(key, "m", 1);
	pinned = *cs_token_key_public(key);
	cs_token_key_free(key);

	assert_int_equal(cs_token_key_list(token, &entries, &count, &fault), CS_OK);
	assert_int_equal(count, 10);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(entries[i].class, i < 5 ? CKO_PRIVATE_KEY : CKO_PUBLIC_KEY);
		usable += entries[i].usable;
		if (strcmp(entries[i].label, "rsa") == 0)
			assert_false(entries[i].usable);
		if (entries[i].id_len == 1 && entries[i].id[0] == '2') {
			assert_true(entries[i].usable);
			assert_true(cs_public_key_equal(&entries[i].key, &pinned));
		}
	}
	/* Of ten objects two are RSA, and two private keys share an id. */
	assert_int_equal(usable, 6);
	free(entries);

	/* A token that keeps no public key object still signs under a pinned key. */
	destroy(&rig, token, CKO_PUBLIC_KEY, "one");
	destroy(&rig, token, CKO_PUBLIC_KEY, "same id");
	raw_generate(&rig, token, CKM_EC_KEY_PAIR_GEN, "bare", "b", false);
	assert_int_equal(cs_token_key_find(token, "bare", NULL, 0, &key, &fault), CS_OK);
	pinned = *cs_token_key_public(key);
	cs_token_key_free(key);
	destroy(&rig, token, CKO_PUBLIC_KEY, "bare");
	assert_int_equal(cs_token_key_find(token, "bare", NULL, 0, &key, &fault), CS_OK);
	assert_int_equal(cs_token_key_sign(key, &pinned, NULL, "m", 1, signature, &fault), CS_OK);
	cs_token_key_free(key);
	cs_token_close(token);

	/* Before login only what is public is listed. */
	token = rig_open_token(&rig, "pkcs11:token=seal");
	assert_int_equal(cs_token_key_list(token, &entries, &count, &fault), CS_OK);
	assert_int_equal(count, 3);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(entries[i].class, CKO_PUBLIC_KEY);
	free(entries);
	cs_token_close(token);
	rig_close(&rig);
}

static CK_RV lax_generate(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
	CK_ATTRIBUTE_PTR public_template, CK_ULONG public_count, CK_ATTRIBUTE_PTR private_template,
	CK_ULONG private_count, CK_OBJECT_HANDLE_PTR public_key, CK_OBJECT_HANDLE_PTR private_key)
{
	static CK_BBOOL yes = CK_TRUE;

	for (CK_ULONG i = 0; i < private_count; i++)
		if (private_template[i].type == CKA_EXTRACTABLE)
			private_template[i].pValue = &yes;
	return real->C_GenerateKeyPair(session, mechanism, public_template, public_count,
		private_template, private_count, public_key, private_key);
}

static CK_RV no_mechanism(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
	CK_ATTRIBUTE_PTR public_template, CK_ULONG public_count, CK_ATTRIBUTE_PTR private_template,
	CK_ULONG private_count, CK_OBJECT_HANDLE_PTR public_key, CK_OBJECT_HANDLE_PTR private_key)
{
	(void)session;
	(void)mechanism;
	(void)public_template;
	(void)public_count;
	(void)private_template;
	(void)private_count;
	(void)public_key;
	(void)private_key;
	return CKR_MECHANISM_INVALID;
}

static void test_generate_checks(void **state)
{
	struct rig rig;
	struct cs_token_key *key = NULL;
	struct cs_token_key_entry *entries = NULL;
	struct cs_fault fault = {0};
	size_t count = 0;

	(void)state;
	rig_open(&rig);
	struct cs_token *token = rig_ready_token(&rig, "seal");
	real = &rig.original;
	rig.p11->C_GenerateKeyPair = no_mechanism;
	assert_int_equal(cs_token_key_generate(token, CS_ALG_EDDSA, "k", NULL, 0, 0, &key, &fault),
		CS_E_TOKEN_MECHANISM);
	assert_non_null(strstr(fault.detail, "C_GenerateKeyPair: CKR_MECHANISM_INVALID (0x70)"));
	rig.p11->C_GenerateKeyPair = lax_generate;
	assert_int_equal(cs_token_key_generate(token, CS_ALG_ES256, "k", NULL, 0, 0, &key, &fault),
		CS_E_TOKEN);
	assert_non_null(strstr(fault.detail, "CKA_EXTRACTABLE true"));
	assert_null(key);
	/* Neither half is left behind. */
	assert_int_equal(cs_token_key_list(token, &entries, &count, &fault), CS_OK);
	assert_int_equal(count, 0);
	free(entries);
	rig_restore(&rig);
	cs_token_key_free(make_key(token, CS_ALG_ES256, "k"));
	cs_token_close(token);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_token_three_algorithms),
		cmocka_unit_test(test_signer),
		cmocka_unit_test(test_pinned_key),
		cmocka_unit_test(test_bent_signatures),
		cmocka_unit_test(test_pin_each_time),
		cmocka_unit_test(test_find_key),
		cmocka_unit_test(test_foreign_keys),
		cmocka_unit_test(test_generate_checks),
	};

	if (sodium_init() < 0)
		return 1;
	if (softhsm_missing())
		return SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
