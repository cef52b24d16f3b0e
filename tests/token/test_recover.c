/* Tokens that are pulled, exchanged or broken off in the middle, and come back. */
#include "token_fixture.h"

#include <stdlib.h>

static CK_FUNCTION_LIST *real;
static unsigned logins;
static unsigned restarts;

static CK_RV counted_login(
	CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG len)
{
	logins++;
	return real->C_Login(session, user, pin, len);
}

static CK_RV counted_finalize(void *reserved)
{
	restarts++;
	return real->C_Finalize(reserved);
}

static void watch(struct rig *rig)
{
	real = &rig->original;
	logins = 0;
	restarts = 0;
	rig->p11->C_Login = counted_login;
	rig->p11->C_Finalize = counted_finalize;
}

static enum cs_err try_sign(struct cs_token_key *key, struct cs_fault *fault)
{
	const struct cs_public_key *public = cs_token_key_public(key);
	uint8_t signature[CS_SIGNATURE_MAX];
	enum cs_err err = cs_token_key_sign(key, public, NULL, "m", 1, signature, fault);

	if (err == CS_OK)
		assert_int_equal(cs_signature_verify(public, "m", 1, signature,
					 cs_alg_signature_len(public->alg), CS_SIGNATURE_LOW_S),
			CS_OK);
	return err;
}

static void expect_sign(struct cs_token_key *key, enum cs_err want, const char *reason)
{
	struct cs_fault fault = {0};
	enum cs_err err = try_sign(key, &fault);

	if (err != want || strstr(fault.detail, reason) == NULL)
		fail_msg("%s: %s", cs_err_name(err), fault.detail);
}

static void expect_recover(
	struct cs_token *token, const char *pin_text, enum cs_err want, const char *reason)
{
	CS_CLEANUP_PIN struct cs_pin *pin = pin_of(pin_text);
	struct cs_fault fault = {0};
	enum cs_err err = cs_token_recover(token, pin, &fault);

	if (err != want || strstr(fault.detail, reason) == NULL)
		fail_msg("%s: %s", cs_err_name(err), fault.detail);
}

static void test_pulled_and_back(void **state)
{
	static const enum cs_alg algs[] = {CS_ALG_EDDSA, CS_ALG_ES256, CS_ALG_ES384};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct rig rig;
		struct cs_token_key_entry *entries = NULL;
		struct cs_token_key *found = NULL;
		struct cs_fault fault = {0};
		size_t count = 0;
		rig_open(&rig);
		struct cs_token *token = rig_ready_token(&rig, "seal");
		struct cs_token_key *key = make_key(token, algs[i], "k");
		expect_sign(key, CS_OK, "");
		watch(&rig);
		assert_true(cs_test_softhsm_move(&rig.softhsm, false));

		expect_sign(key, CS_E_TOKEN_REMOVED, "C_SignInit: CKR_");
		expect_sign(key, CS_E_TOKEN_REMOVED, "token 'seal' (serial ");
		assert_int_equal(cs_token_check(token, &fault), CS_E_TOKEN_REMOVED);
		enum cs_err err = cs_token_key_find(token, "k", NULL, 0, &found, &fault);
		assert_int_equal(err, CS_E_TOKEN_REMOVED);
		assert_int_equal(
			cs_token_key_generate(token, algs[i], "l", NULL, 0, 0, &found, &fault),
			CS_E_TOKEN_REMOVED);
		assert_int_equal(logins, 0);
		expect_recover(token, USER_PIN, CS_E_TOKEN_MISSING, "token 'seal'");
		expect_recover(token, USER_PIN, CS_E_TOKEN_MISSING, "there: none");
		/* No session is left, and that is said instead of tried. */
		expect_sign(key, CS_E_STATE, "no session");
		assert_int_equal(cs_token_check(token, &fault), CS_E_STATE);
		assert_int_equal(cs_token_key_list(token, &entries, &count, &fault), CS_E_STATE);
		assert_int_equal(logins, 0);

		assert_true(cs_test_softhsm_move(&rig.softhsm, true));
		expect_recover(token, USER_PIN, CS_OK, "");
		assert_int_equal(logins, 1);
		assert_int_equal(cs_token_check(token, &fault), CS_OK);
		/* The key object of before finds its token object again. */
		expect_sign(key, CS_OK, "");
		cs_token_key_free(key);
		cs_token_close(token);
		rig_close(&rig);
	}
}

static void test_gone_for_good(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig);
	struct cs_token *token = rig_ready_token(&rig, "seal");
	struct cs_token_key *key = make_key(token, CS_ALG_EDDSA, "k");
	cs_test_softhsm_pull(&rig.softhsm);
	for (unsigned i = 0; i < 3; i++)
		expect_sign(key, CS_E_TOKEN_REMOVED, "does not answer");
	expect_recover(token, USER_PIN, CS_E_TOKEN_MISSING, "there: none");
	/* A new token by the old name is another token. */
	rig_make_token(&rig, "seal");
	expect_recover(token, USER_PIN, CS_E_TOKEN_MISSING, "is another one");
	expect_sign(key, CS_E_STATE, "no session");
	cs_token_key_free(key);
	cs_token_close(token);
	rig_close(&rig);
}

static CK_RV exchanged_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info)
{
	CK_RV rv = real->C_GetTokenInfo(slot, info);

	memcpy(info->serialNumber, "ffffffffffffffff", sizeof info->serialNumber);
	return rv;
}

/* Another card in the same reader, with the module noticing nothing. */
static void test_exchanged(void **state)
{
	struct rig rig;
	struct cs_fault fault = {0};

	(void)state;
	rig_open(&rig);
	rig_make_token(&rig, "seal");
	struct cs_token *token = rig_open_token(&rig, "pkcs11:token=seal");
	watch(&rig);
	rig.p11->C_GetTokenInfo = exchanged_token_info;
	CS_CLEANUP_PIN struct cs_pin *pin = pin_of(USER_PIN);
	/* The PIN is for the token that was opened, and is not shown to this one. */
	assert_int_equal(cs_token_login(token, pin, 0, &fault), CS_E_TOKEN_REMOVED);
	assert_non_null(strstr(fault.detail, "is now 'seal' (serial ffffffffffffffff)"));
	assert_int_equal(cs_token_recover(token, pin, &fault), CS_E_TOKEN_MISSING);
	assert_int_equal(cs_token_check(token, &fault), CS_E_STATE);
	assert_int_equal(logins, 0);
	rig.p11->C_GetTokenInfo = rig.original.C_GetTokenInfo;
	assert_int_equal(cs_token_recover(token, pin, &fault), CS_OK);
	assert_int_equal(logins, 1);
	cs_token_close(token);
	rig_close(&rig);
}

static CK_SLOT_ID slot_of(struct rig *rig, const char *label)
{
	struct cs_slots slots;

	assert_int_equal(cs_slots_read(rig->module, &slots, NULL), CS_OK);
	for (size_t i = 0; i < slots.count; i++)
		if (strcmp(slots.slot[i].identity.label, label) == 0)
			return slots.slot[i].slot;
	fail_msg("no token '%s'", label);
	return 0;
}

static void test_session_lost(void **state)
{
	struct rig rig;
	struct cs_fault fault = {0};

	(void)state;
	rig_open(&rig);
	struct cs_token *token = rig_ready_token(&rig, "seal");
	struct cs_token_key *key = make_key(token, CS_ALG_ES256, "k");
	watch(&rig);
	assert_int_equal(rig.p11->C_CloseAllSessions(slot_of(&rig, "seal")), CKR_OK);
	assert_int_equal(cs_token_check(token, &fault), CS_E_TOKEN_REMOVED);
	expect_sign(key, CS_E_TOKEN_REMOVED, "CKR_SESSION_HANDLE_INVALID (0xb3)");
	expect_recover(token, USER_PIN, CS_OK, "");
	expect_sign(key, CS_OK, "");
	/* The token was there all the time, so the module was left running. */
	assert_int_equal(restarts, 0);
	assert_int_equal(logins, 1);

	/* Somebody else in the process logged out. */
	CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
	assert_int_equal(cs_token_session(token, &session, &fault), CS_OK);
	assert_int_equal(rig.p11->C_Logout(session), CKR_OK);
	assert_int_equal(cs_token_check(token, &fault), CS_E_STATE);
	expect_sign(
		key, CS_E_STATE, "CKR_OBJECT_HANDLE_INVALID (0x82); not logged in to token 'seal'");
	expect_recover(token, USER_PIN, CS_OK, "");
	expect_sign(key, CS_OK, "");
	cs_token_key_free(key);
	cs_token_close(token);
	rig_close(&rig);
}

static void test_operation_left_open(void **state)
{
	struct rig rig;
	CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
	CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
	CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;

	(void)state;
	rig_open(&rig);
	struct cs_token *token = rig_ready_token(&rig, "seal");
	struct cs_token_key *key = make_key(token, CS_ALG_ES256, "k");
	assert_int_equal(cs_token_session(token, &session, NULL), CS_OK);
	assert_int_equal(cs_token_key_handle(key, &handle, NULL), CS_OK);
	assert_int_equal(rig.p11->C_SignInit(session, &mechanism, handle), CKR_OK);
	expect_sign(key, CS_E_TOKEN, "C_SignInit: CKR_OPERATION_ACTIVE (0x90)");
	/* The failure cleared the way for the next one. */
	expect_sign(key, CS_OK, "");
	assert_int_equal(cs_token_session(token, &session, NULL), CS_OK);
	assert_int_equal(rig.p11->C_FindObjectsInit(session, NULL, 0), CKR_OK);
	expect_sign(key, CS_E_TOKEN, "CKR_OPERATION_ACTIVE");
	expect_sign(key, CS_OK, "");
	cs_token_key_free(key);
	cs_token_close(token);
	rig_close(&rig);
}

static void test_key_destroyed(void **state)
{
	struct rig rig;
	CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
	CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;

	(void)state;
	rig_open(&rig);
	struct cs_token *token = rig_ready_token(&rig, "seal");
	struct cs_token_key *key = make_key(token, CS_ALG_ES256, "k");
	assert_int_equal(cs_token_key_handle(key, &handle, NULL), CS_OK);
	assert_int_equal(cs_token_open_writable(token, &session, NULL), CS_OK);
	assert_int_equal(rig.p11->C_DestroyObject(session, handle), CKR_OK);
	rig.p11->C_CloseSession(session);
	expect_sign(key, CS_E_TOKEN_KEY, "C_SignInit: CKR_OBJECT_HANDLE_INVALID (0x82)");
	expect_recover(token, USER_PIN, CS_OK, "");
	expect_sign(key, CS_E_TOKEN_KEY, "has no private key 'k'");
	cs_token_key_free(key);
	cs_token_close(token);
	rig_close(&rig);
}

static CK_RV failing_open(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify,
	CK_SESSION_HANDLE_PTR session)
{
	(void)slot;
	(void)flags;
	(void)application;
	(void)notify;
	(void)session;
	return CKR_DEVICE_ERROR;
}

static void test_restart_only_alone(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig);
	struct cs_token *one = rig_ready_token(&rig, "one");
	struct cs_token *two = rig_ready_token(&rig, "two");
	struct cs_token_key *key = make_key(two, CS_ALG_ES256, "k");
	watch(&rig);
	rig.p11->C_OpenSession = failing_open;
	/* A restart would end the other token's session. */
	expect_recover(one, USER_PIN, CS_E_TOKEN, "C_OpenSession: CKR_DEVICE_ERROR (0x30)");
	assert_int_equal(restarts, 0);
	assert_int_equal(cs_module_restart(rig.module, NULL), CS_E_STATE);
	rig.p11->C_OpenSession = rig.original.C_OpenSession;
	expect_sign(key, CS_OK, "");
	expect_recover(one, USER_PIN, CS_OK, "");
	cs_token_key_free(key);
	cs_token_close(two);

	rig.p11->C_OpenSession = failing_open;
	expect_recover(one, USER_PIN, CS_E_TOKEN, "C_OpenSession: CKR_DEVICE_ERROR (0x30)");
	assert_int_equal(restarts, 1);
	rig.p11->C_OpenSession = rig.original.C_OpenSession;
	/* Nothing that is about the PIN is tried again by a restart. */
	logins = 0;
	expect_recover(one, "wrong-pin-0000", CS_E_PIN, "CKR_PIN_INCORRECT");
	assert_int_equal(logins, 1);
	assert_int_equal(restarts, 1);
	expect_recover(one, USER_PIN, CS_OK, "");
	cs_token_close(one);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pulled_and_back),
		cmocka_unit_test(test_gone_for_good),
		cmocka_unit_test(test_exchanged),
		cmocka_unit_test(test_session_lost),
		cmocka_unit_test(test_operation_left_open),
		cmocka_unit_test(test_key_destroyed),
		cmocka_unit_test(test_restart_only_alone),
	};

	if (sodium_init() < 0)
		return 1;
	if (softhsm_missing())
		return SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
