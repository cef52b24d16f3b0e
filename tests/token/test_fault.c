/*
 * The n-th call into the module fails, for every n until the operation needs no more calls: each
 * time a clear error, nothing kept, and the same operation works right afterwards.
 */
#include "token_fixture.h"

#include <stdlib.h>

static CK_FUNCTION_LIST *real;
static unsigned countdown; /* the call that brings it to 0 fails */
static CK_RV answer;
static const char *failed;

static bool fails(const char *name)
{
	if (countdown == 0 || --countdown != 0)
		return false;
	failed = name;
	return true;
}

#define BENT(name, parameters, arguments) \
	static CK_RV bent_##name parameters \
	{ \
		return fails(#name) ? answer : real->name arguments; \
	}

BENT(C_GetSlotList, (CK_BBOOL a, CK_SLOT_ID_PTR b, CK_ULONG_PTR c), (a, b, c))
BENT(C_GetSlotInfo, (CK_SLOT_ID a, CK_SLOT_INFO_PTR b), (a, b))
BENT(C_GetTokenInfo, (CK_SLOT_ID a, CK_TOKEN_INFO_PTR b), (a, b))
BENT(C_InitToken, (CK_SLOT_ID a, CK_UTF8CHAR_PTR b, CK_ULONG c, CK_UTF8CHAR_PTR d), (a, b, c, d))
BENT(C_InitPIN, (CK_SESSION_HANDLE a, CK_UTF8CHAR_PTR b, CK_ULONG c), (a, b, c))
BENT(C_OpenSession, (CK_SLOT_ID a, CK_FLAGS b, void *c, CK_NOTIFY d, CK_SESSION_HANDLE_PTR e),
	(a, b, c, d, e))
BENT(C_GetSessionInfo, (CK_SESSION_HANDLE a, CK_SESSION_INFO_PTR b), (a, b))
BENT(C_Login, (CK_SESSION_HANDLE a, CK_USER_TYPE b, CK_UTF8CHAR_PTR c, CK_ULONG d), (a, b, c, d))
BENT(C_GetAttributeValue, (CK_SESSION_HANDLE a, CK_OBJECT_HANDLE b, CK_ATTRIBUTE_PTR c, CK_ULONG d),
	(a, b, c, d))
BENT(C_FindObjectsInit, (CK_SESSION_HANDLE a, CK_ATTRIBUTE_PTR b, CK_ULONG c), (a, b, c))
BENT(C_FindObjects, (CK_SESSION_HANDLE a, CK_OBJECT_HANDLE_PTR b, CK_ULONG c, CK_ULONG_PTR d),
	(a, b, c, d))
BENT(C_FindObjectsFinal, (CK_SESSION_HANDLE a), (a))
BENT(C_SignInit, (CK_SESSION_HANDLE a, CK_MECHANISM_PTR b, CK_OBJECT_HANDLE c), (a, b, c))
BENT(C_Sign, (CK_SESSION_HANDLE a, CK_BYTE_PTR b, CK_ULONG c, CK_BYTE_PTR d, CK_ULONG_PTR e),
	(a, b, c, d, e))
BENT(C_GenerateKeyPair,
	(CK_SESSION_HANDLE a, CK_MECHANISM_PTR b, CK_ATTRIBUTE_PTR c, CK_ULONG d,
		CK_ATTRIBUTE_PTR e, CK_ULONG f, CK_OBJECT_HANDLE_PTR g, CK_OBJECT_HANDLE_PTR h),
	(a, b, c, d, e, f, g, h))

static void bend(struct rig *rig)
{
	CK_FUNCTION_LIST *list = rig->p11;

	real = &rig->original;
	list->C_GetSlotList = bent_C_GetSlotList;
	list->C_GetSlotInfo = bent_C_GetSlotInfo;
	list->C_GetTokenInfo = bent_C_GetTokenInfo;
	list->C_InitToken = bent_C_InitToken;
	list->C_InitPIN = bent_C_InitPIN;
	list->C_OpenSession = bent_C_OpenSession;
	list->C_GetSessionInfo = bent_C_GetSessionInfo;
	list->C_Login = bent_C_Login;
	list->C_GetAttributeValue = bent_C_GetAttributeValue;
	list->C_FindObjectsInit = bent_C_FindObjectsInit;
	list->C_FindObjects = bent_C_FindObjects;
	list->C_FindObjectsFinal = bent_C_FindObjectsFinal;
	list->C_SignInit = bent_C_SignInit;
	list->C_Sign = bent_C_Sign;
	list->C_GenerateKeyPair = bent_C_GenerateKeyPair;
}

struct scene {
	struct rig rig;
	struct cs_token *token;
	struct cs_token_key *key;
	struct cs_pin *pin;
	unsigned made;
};

typedef enum cs_err operation(struct scene *scene, struct cs_fault *fault);

/* The answers that a module gives when something is broken, gone, or full. */
static const CK_RV answers[] = {CKR_DEVICE_ERROR, CKR_DEVICE_REMOVED, CKR_GENERAL_ERROR,
	CKR_SESSION_HANDLE_INVALID, CKR_HOST_MEMORY, CKR_USER_NOT_LOGGED_IN, 0x80000001};

/*
 * One call that fails must fail the operation, unless the operation says that the answer does not
 * matter to it.
 */
static unsigned run(struct scene *scene, operation *op, const char *tolerated)
{
	unsigned calls = 0;

	for (size_t a = 0; a < sizeof answers / sizeof *answers; a++) {
		answer = answers[a];
		for (unsigned n = 1;; n++) {
			struct cs_fault fault = {0};
			assert_true(n < 1000);
			failed = NULL;
			countdown = n;
			enum cs_err err = op(scene, &fault);
			countdown = 0;
			if (failed == NULL) {
				assert_int_equal(err, CS_OK);
				calls = n - 1;
				break;
			}
			bool may_pass = tolerated != NULL && strstr(tolerated, failed) != NULL;
			if (err == CS_OK && !may_pass)
				fail_msg("call %u, %s failed with 0x%lx and nobody noticed", n,
					failed, answer);
			if (err != CS_OK && fault.detail[0] == '\0')
				fail_msg("call %u, %s: %s without a reason", n, failed,
					cs_err_name(err));
			memset(&fault, 0, sizeof fault);
			err = op(scene, &fault);
			if (err != CS_OK)
				fail_msg("after call %u, %s, had failed: %s: %s", n, failed,
					cs_err_name(err), fault.detail);
		}
	}
	return calls;
}

static void scene_open(struct scene *scene, enum cs_alg alg)
{
	memset(scene, 0, sizeof *scene);
	rig_open(&scene->rig);
	scene->token = rig_ready_token(&scene->rig, "seal");
	scene->key = make_key(scene->token, alg, "k");
	scene->pin = pin_of(USER_PIN);
	bend(&scene->rig);
}

static void scene_close(struct scene *scene)
{
	cs_token_key_free(scene->key);
	cs_token_close(scene->token);
	cs_pin_free(scene->pin);
	rig_close(&scene->rig);
}

static enum cs_err op_sign(struct scene *scene, struct cs_fault *fault)
{
	uint8_t signature[CS_SIGNATURE_MAX];

	return cs_token_key_sign(
		scene->key, cs_token_key_public(scene->key), NULL, "m", 1, signature, fault);
}

static enum cs_err op_find(struct scene *scene, struct cs_fault *fault)
{
	CS_CLEANUP_TOKEN_KEY struct cs_token_key *key = NULL;

	return cs_token_key_find(scene->token, "k", NULL, 0, &key, fault);
}

static enum cs_err op_list(struct scene *scene, struct cs_fault *fault)
{
	struct cs_token_key_entry *entries = NULL;
	size_t count = 0;
	enum cs_err err = cs_token_key_list(scene->token, &entries, &count, fault);

	free(entries);
	return err;
}

static enum cs_err op_generate(struct scene *scene, struct cs_fault *fault)
{
	CS_CLEANUP_TOKEN_KEY struct cs_token_key *key = NULL;
	char label[32];

	snprintf(label, sizeof label, "new %u", scene->made++);
	return cs_token_key_generate(scene->token, CS_ALG_ES256, label, NULL, 0, 0, &key, fault);
}

static enum cs_err op_open(struct scene *scene, struct cs_fault *fault)
{
	CS_CLEANUP_TOKEN struct cs_token *token = NULL;
	struct cs_token_uri uri = uri_of("pkcs11:token=seal");
	enum cs_err err = cs_token_open(scene->rig.module, &uri, &token, fault);

	if (err == CS_OK)
		err = cs_token_login(token, scene->pin, 0, fault);
	return err;
}

static enum cs_err op_check(struct scene *scene, struct cs_fault *fault)
{
	return cs_token_check(scene->token, fault);
}

static void loop(operation *op, enum cs_alg alg, unsigned at_least, const char *tolerated)
{
	struct scene scene;

	scene_open(&scene, alg);
	unsigned calls = run(&scene, op, tolerated);
	if (calls < at_least)
		fail_msg("only %u calls were made to fail", calls);
	scene_close(&scene);
}

static void test_sign(void **state)
{
	(void)state;
	loop(op_sign, CS_ALG_EDDSA, 2, NULL);
	loop(op_sign, CS_ALG_ES256, 2, NULL);
	loop(op_sign, CS_ALG_ES384, 2, NULL);
}

static void test_find(void **state)
{
	(void)state;
	loop(op_find, CS_ALG_EDDSA, 10, NULL);
}

static void test_list(void **state)
{
	(void)state;
	loop(op_list, CS_ALG_ES256, 10, NULL);
}

static void test_check(void **state)
{
	(void)state;
	loop(op_check, CS_ALG_ES256, 3, NULL);
}

static void test_open(void **state)
{
	(void)state;
	/* One slot that does not answer is passed over when it is not the one that is wanted. */
	loop(op_open, CS_ALG_ES256, 6, "C_GetSlotInfo C_GetTokenInfo");
}

/* A module that fails for ever, and one that is back: recovery is an operation of its own. */
static void test_recover(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, CS_ALG_EDDSA);
	for (size_t a = 0; a < sizeof answers / sizeof *answers; a++) {
		answer = answers[a];
		for (unsigned n = 1;; n++) {
			struct cs_fault fault = {0};
			assert_true(n < 1000);
			failed = NULL;
			countdown = n;
			enum cs_err err = cs_token_recover(scene.token, scene.pin, &fault);
			countdown = 0;
			if (failed == NULL) {
				assert_int_equal(err, CS_OK);
				break;
			}
			/*
			 * The one failure was survived by the second attempt after the module's
			 * restart, or it is reported.
			 */
			if (err != CS_OK)
				assert_true(fault.detail[0] != '\0');
			if (err != CS_OK)
				assert_int_equal(
					cs_token_recover(scene.token, scene.pin, &fault), CS_OK);
			assert_int_equal(op_sign(&scene, &fault), CS_OK);
		}
	}
	scene_close(&scene);
}

static void test_generate(void **state)
{
	struct scene scene;

	(void)state;
	/* A fresh token for each answer, so that what is left behind can be counted. */
	for (size_t a = 0; a < sizeof answers / sizeof *answers; a++) {
		scene_open(&scene, CS_ALG_ES256);
		answer = answers[a];
		for (unsigned n = 1;; n++) {
			struct cs_fault fault = {0};
			assert_true(n < 1000);
			failed = NULL;
			countdown = n;
			enum cs_err err = op_generate(&scene, &fault);
			countdown = 0;
			if (failed == NULL) {
				assert_int_equal(err, CS_OK);
				assert_true(n > 20);
				break;
			}
			if (err == CS_OK)
				fail_msg("call %u, %s failed with 0x%lx and nobody noticed", n,
					failed, answer);
			assert_true(fault.detail[0] != '\0');
		}
		/*
		 * Keys that could not be read back were destroyed: two objects from the scene, two
		 * from the last round.
		 */
		struct cs_token_key_entry *entries = NULL;
		size_t count = 0;
		assert_int_equal(cs_token_key_list(scene.token, &entries, &count, NULL), CS_OK);
		assert_int_equal(count, 4);
		free(entries);
		scene_close(&scene);
	}
}

static void test_init(void **state)
{
	CS_CLEANUP_PIN struct cs_pin *so = pin_of(SO_PIN);
	CS_CLEANUP_PIN struct cs_pin *user = pin_of(USER_PIN);
	struct rig rig;

	(void)state;
	answer = CKR_DEVICE_ERROR;
	for (unsigned n = 1;; n++) {
		struct cs_token_identity identity = {0};
		struct cs_fault fault = {0};
		assert_true(n < 100);
		rig_open(&rig);
		bend(&rig);
		failed = NULL;
		countdown = n;
		enum cs_err err =
			cs_token_init(rig.module, NULL, "seal", so, user, &identity, &fault);
		countdown = 0;
		rig_close(&rig);
		if (failed == NULL) {
			assert_int_equal(err, CS_OK);
			assert_true(n > 10);
			break;
		}
		/*
		 * The slot that failed may be the blank one that comes with every SoftHSM, and not
		 * ours.
		 */
		if (err == CS_OK)
			assert_true(strncmp(failed, "C_Get", 5) == 0);
		assert_int_equal(identity.serial[0] != '\0', err == CS_OK);
		assert_int_equal(fault.detail[0] != '\0', err != CS_OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sign),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_recover),
		cmocka_unit_test(test_generate),
		cmocka_unit_test(test_init),
	};

	if (sodium_init() < 0)
		return 1;
	if (softhsm_missing())
		return SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
