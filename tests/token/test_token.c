/* Modules, slots, tokens and their PINs. */
#include "token_fixture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- calls that are watched or bent ---- */

static CK_FUNCTION_LIST *real;
static unsigned logins;
static CK_FLAGS added_flags;
static CK_RV login_answer;

static CK_RV counted_login(
	CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG len)
{
	logins++;
	return login_answer != CKR_OK ? login_answer : real->C_Login(session, user, pin, len);
}

static CK_RV flagged_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info)
{
	CK_RV rv = real->C_GetTokenInfo(slot, info);

	if (rv == CKR_OK)
		info->flags |= added_flags;
	return rv;
}

static void watch(struct rig *rig)
{
	real = &rig->original;
	logins = 0;
	added_flags = 0;
	login_answer = CKR_OK;
	rig->p11->C_Login = counted_login;
	rig->p11->C_GetTokenInfo = flagged_token_info;
}

static void expect_login(struct cs_token *token, const char *text, unsigned flags, enum cs_err want,
	const char *reason)
{
	CS_CLEANUP_PIN struct cs_pin *pin = text != NULL ? pin_of(text) : NULL;
	struct cs_fault fault = {0};
	enum cs_err err = cs_token_login(token, pin, flags, &fault);

	if (err != want || (reason != NULL && strstr(fault.detail, reason) == NULL))
		fail_msg("%s: %s", cs_err_name(err), fault.detail);
	/* No message ever holds a PIN. */
	if (text != NULL)
		assert_null(strstr(fault.detail, text));
}

/* ---- modules ---- */

static void test_module_missing(void **state)
{
	struct cs_module *module = NULL;
	struct cs_fault fault = {0};

	(void)state;
	assert_int_equal(cs_module_open("/nonexistent/libtoken.so", &module, &fault), CS_E_MODULE);
	assert_non_null(strstr(fault.detail, "/nonexistent/libtoken.so"));
	assert_non_null(strstr(fault.detail, "No such file"));
	assert_int_equal(cs_module_open("libsofthsm2.so", &module, &fault), CS_E_MODULE);
	assert_non_null(strstr(fault.detail, "not an absolute path"));
	assert_int_equal(cs_module_open("/usr/lib/x86_64-linux-gnu/pkcs11-spy.so", &module, &fault),
		CS_E_MODULE);
	assert_non_null(strstr(fault.detail, "PIN"));
	assert_null(module);
}

static void test_not_a_module(void **state)
{
	char path[] = "/tmp/countersign-module.XXXXXX";
	struct cs_module *module = NULL;
	struct cs_fault fault = {0};
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	/* Longer than the header of a library, or the loader only says that it is short. */
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(write(fd, "not a library\n", 14), 14);
	close(fd);
	assert_int_equal(cs_module_open(path, &module, &fault), CS_E_MODULE);
	assert_non_null(strstr(fault.detail, "ELF"));
	unlink(path);
	/* A library, and no module. */
	assert_int_equal(
		cs_module_open("/lib/x86_64-linux-gnu/libm.so.6", &module, &fault), CS_E_MODULE);
	assert_non_null(strstr(fault.detail, "C_GetFunctionList"));
	assert_null(module);
}

static void test_module_twice(void **state)
{
	struct rig rig;
	struct cs_module *again = NULL;
	struct cs_slots slots;
	struct cs_fault fault = {0};

	(void)state;
	rig_open(&rig);
	assert_string_equal(cs_module_manufacturer(rig.module), "SoftHSM");
	assert_string_equal(cs_module_path(rig.module), cs_test_softhsm_module());
	assert_int_equal(cs_module_open(cs_test_softhsm_module(), &again, &fault), CS_OK);
	assert_ptr_equal(again, rig.module);
	cs_module_close(again);
	/* The first user is not disturbed by the second's close. */
	assert_int_equal(cs_slots_read(rig.module, &slots, &fault), CS_OK);
	assert_int_equal(slots.count, 1);
	rig_close(&rig);
}

static CK_FLAGS initialise_flags;

static CK_RV watched_initialise(void *arguments)
{
	initialise_flags = arguments != NULL ? ((CK_C_INITIALIZE_ARGS *)arguments)->flags : 0;
	return real->C_Initialize(arguments);
}

static CK_RV failing_initialise(void *arguments)
{
	(void)arguments;
	return CKR_DEVICE_ERROR;
}

/* The fixture keeps the library loaded, so a change of its list survives a close of the module. */
static void test_module_initialise(void **state)
{
	struct rig rig;
	struct cs_module *module = NULL;
	struct cs_fault fault = {0};

	(void)state;
	rig_open(&rig);
	CK_FUNCTION_LIST original = rig.original;
	CK_FUNCTION_LIST *list = rig.p11;
	char path[256];
	snprintf(path, sizeof path, "%s", cs_test_softhsm_module());
	cs_module_close(rig.module);

	real = &original;
	list->C_Initialize = watched_initialise;
	assert_int_equal(cs_module_open(path, &module, &fault), CS_OK);
	assert_true(initialise_flags & CKF_OS_LOCKING_OK);
	cs_module_close(module);
	list->C_Initialize = failing_initialise;
	module = NULL;
	assert_int_equal(cs_module_open(path, &module, &fault), CS_E_MODULE);
	assert_non_null(strstr(fault.detail, "CKR_DEVICE_ERROR (0x30)"));
	assert_null(module);
	*list = original;
	cs_test_softhsm_remove(&rig.softhsm);
	memset(held_rig(), 0, sizeof(struct rig));
}

static void test_after_fork(void **state)
{
	struct rig rig;
	int status = -1;

	(void)state;
	rig_open(&rig);
	struct cs_token *token = rig_ready_token(&rig, "seal");
	struct cs_token_key *key = make_key(token, CS_ALG_ES256, "k");
	pid_t child = fork();
	if (child == 0) {
		uint8_t signature[CS_SIGNATURE_MAX];
		struct cs_slots slots;
		bool refused = cs_token_check(token, NULL) == CS_E_STATE &&
			       cs_slots_read(rig.module, &slots, NULL) == CS_E_STATE &&
			       cs_token_key_sign(key, cs_token_key_public(key), NULL, "m", 1,
				       signature, NULL) == CS_E_STATE &&
			       cs_token_recover(token, NULL, NULL) == CS_E_STATE;
		cs_token_close(token);
		cs_module_close(rig.module);
		_exit(refused ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	/* What the child closed is still open here. */
	assert_int_equal(cs_token_check(token, NULL), CS_OK);
	cs_token_key_free(key);
	cs_token_close(token);
	rig_close(&rig);
}

/* ---- finding tokens ---- */

static void expect_missing(
	struct rig *rig, const char *uri_text, enum cs_err want, const char *one, const char *two)
{
	struct cs_token_uri uri = uri_of(uri_text);
	struct cs_token *token = NULL;
	struct cs_fault fault = {0};
	enum cs_err err = cs_token_open(rig->module, &uri, &token, &fault);

	if (err != want || strstr(fault.detail, one) == NULL || strstr(fault.detail, two) == NULL)
		fail_msg("%s: %s: %s", uri_text, cs_err_name(err), fault.detail);
	assert_null(token);
}

static void test_find(void **state)
{
	struct rig rig;
	char uri[256];

	(void)state;
	rig_open(&rig);
	expect_missing(&rig, "pkcs11:token=seal", CS_E_TOKEN_MISSING, "'seal'", "there: none");
	struct cs_token_identity seal = rig_make_token(&rig, "seal");
	struct cs_token_identity other = rig_make_token(&rig, "other");
	assert_string_equal(seal.label, "seal");
	assert_string_equal(seal.manufacturer, "SoftHSM project");
	assert_string_equal(seal.product, "softhsm");
	assert_true(seal.software);
	assert_int_equal(strlen(seal.serial), 16);
	assert_int_equal(cs_token_identity_check(&seal, NULL), CS_OK);
	assert_false(cs_token_identity_same(&seal, &other));

	static const char *const right[] = {
		"pkcs11:token=seal",
		"pkcs11:token=seal;manufacturer=SoftHSM%20project;model=SoftHSM%20v2",
		"pkcs11:token=seal;library-manufacturer=SoftHSM;slot-manufacturer=SoftHSM%"
		"20project",
		"pkcs11:token=seal;library-description=Implementation%20of%20PKCS11;object="
		"anything;type=private",
	};
	for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
		struct cs_token *token = rig_open_token(&rig, right[i]);
		assert_string_equal(cs_token_identity(token)->serial, seal.serial);
		cs_token_close(token);
	}
	snprintf(uri, sizeof uri, "pkcs11:serial=%s", other.serial);
	struct cs_token *token = rig_open_token(&rig, uri);
	assert_string_equal(cs_token_identity(token)->label, "other");
	cs_token_close(token);

	/* What was looked for and what is there. */
	expect_missing(
		&rig, "pkcs11:token=Seal", CS_E_TOKEN_MISSING, "token 'Seal'", "'other' (serial ");
	expect_missing(&rig, "pkcs11:token=seal;serial=1234", CS_E_TOKEN_MISSING, "serial '1234'",
		seal.serial);
	expect_missing(
		&rig, "pkcs11:token=seal;model=H1", CS_E_TOKEN_MISSING, "model 'H1'", "'seal'");
	expect_missing(&rig, "pkcs11:token=seal;manufacturer=Acme", CS_E_TOKEN_MISSING,
		"manufacturer 'Acme'", "'seal'");
	expect_missing(&rig, "pkcs11:token=seal;library-manufacturer=Acme", CS_E_TOKEN_MISSING,
		"'Acme'", "'seal'");
	expect_missing(&rig, "pkcs11:token=seal;library-description=Acme", CS_E_TOKEN_MISSING,
		"'Acme'", "'seal'");
	expect_missing(&rig, "pkcs11:token=seal;slot-manufacturer=Acme", CS_E_TOKEN_MISSING,
		"'Acme'", "'seal'");
	expect_missing(&rig, "pkcs11:token=seal;slot-description=Acme", CS_E_TOKEN_MISSING,
		"'Acme'", "'seal'");
	expect_missing(&rig, "pkcs11:token=seal;slot-id=4000000000", CS_E_TOKEN_MISSING,
		"slot-id 4000000000", "'seal'");
	/* The slot that waits to be initialised is no token to use. */
	expect_missing(
		&rig, "pkcs11:model=SoftHSM%20v2", CS_E_TOKEN_AMBIGUOUS, "2 tokens", "'other'");
	rig_close(&rig);
}

static void test_same_label(void **state)
{
	struct rig rig;
	char uri[256];

	(void)state;
	rig_open(&rig);
	struct cs_token_identity one = rig_make_token(&rig, "seal");
	struct cs_token_identity two = rig_make_token(&rig, "seal");
	assert_string_not_equal(one.serial, two.serial);
	expect_missing(&rig, "pkcs11:token=seal", CS_E_TOKEN_AMBIGUOUS, one.serial, two.serial);
	snprintf(uri, sizeof uri, "pkcs11:token=seal;serial=%s", two.serial);
	struct cs_token *token = rig_open_token(&rig, uri);
	assert_string_equal(cs_token_identity(token)->serial, two.serial);
	cs_token_close(token);
	rig_close(&rig);
}

static CK_SLOT_ID failing_slot;
static int failures;

/* A second question would be answered: what is told is what the first one met. */
static CK_RV one_failing_slot(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info)
{
	return slot == failing_slot && failures-- > 0 ? CKR_DEVICE_REMOVED : real->C_GetTokenInfo(slot, info);
}

static CK_RV failing_list(CK_BBOOL present, CK_SLOT_ID_PTR list, CK_ULONG_PTR count)
{
	(void)present;
	(void)list;
	(void)count;
	return CKR_FUNCTION_FAILED;
}

static CK_RV long_list(CK_BBOOL present, CK_SLOT_ID_PTR list, CK_ULONG_PTR count)
{
	(void)present;
	*count = 1000;
	return list == NULL ? CKR_OK : CKR_BUFFER_TOO_SMALL;
}

static void test_neighbours(void **state)
{
	struct rig rig;
	struct cs_slots slots;
	struct cs_fault fault = {0};

	(void)state;
	rig_open(&rig);
	rig_make_token(&rig, "seal");
	rig_make_token(&rig, "broken");
	assert_int_equal(cs_slots_read(rig.module, &slots, &fault), CS_OK);
	assert_int_equal(slots.count, 3);
	for (size_t i = 0; i < slots.count; i++)
		if (strcmp(slots.slot[i].identity.label, "broken") == 0)
			failing_slot = slots.slot[i].slot;
	real = &rig.original;
	rig.p11->C_GetTokenInfo = one_failing_slot;
	failures = 1;
	cs_token_close(rig_open_token(&rig, "pkcs11:token=seal"));
	failures = 1;
	expect_missing(&rig, "pkcs11:token=broken", CS_E_TOKEN_MISSING, "1 did not answer",
		"C_GetTokenInfo: CKR_DEVICE_REMOVED (0x32)");
	rig_restore(&rig);
	cs_token_close(rig_open_token(&rig, "pkcs11:token=broken"));
	rig.p11->C_GetSlotList = failing_list;
	expect_missing(&rig, "pkcs11:token=seal", CS_E_TOKEN, "C_GetSlotList",
		"CKR_FUNCTION_FAILED (0x6)");
	rig.p11->C_GetSlotList = long_list;
	expect_missing(&rig, "pkcs11:token=seal", CS_E_TOO_LARGE, "more than", "64");
	rig_close(&rig);
}

static void test_identity(void **state)
{
	static const struct {
		const char *serial;
		enum cs_err err;
	} cases[] = {
		{"", CS_E_TRUST_TOKEN},
		{"0", CS_E_TRUST_TOKEN},
		{"0000000000000000", CS_E_TRUST_TOKEN},
		{"12\x01", CS_E_TRUST_TOKEN},
		{"12\xff", CS_E_TRUST_TOKEN},
		{"0000000000000001", CS_OK},
		{"12345678", CS_OK},
		{"a", CS_OK},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct cs_token_identity identity = {.label = "t"};
		struct cs_fault fault = {0};
		snprintf(identity.serial, sizeof identity.serial, "%s", cases[i].serial);
		enum cs_err err = cs_token_identity_check(&identity, &fault);
		if (err != cases[i].err)
			fail_msg("'%s': %s", cases[i].serial, cs_err_name(err));
		assert_int_equal(fault.detail[0] != '\0', err != CS_OK);
	}
}

/* ---- initialising ---- */

static void expect_init(struct rig *rig, const char *where_text, const char *label,
	const char *so_text, const char *user_text, enum cs_err want, const char *reason)
{
	CS_CLEANUP_PIN struct cs_pin *so = pin_of(so_text);
	CS_CLEANUP_PIN struct cs_pin *user = pin_of(user_text);
	struct cs_token_uri where;
	struct cs_token_identity identity = {0};
	struct cs_fault fault = {0};

	if (where_text != NULL)
		where = uri_of(where_text);
	enum cs_err err = cs_token_init(rig->module, where_text != NULL ? &where : NULL, label, so,
		user, &identity, &fault);
	if (err != want || strstr(fault.detail, reason) == NULL)
		fail_msg("'%s': %s: %s", label, cs_err_name(err), fault.detail);
	assert_int_equal(identity.serial[0] != '\0', want == CS_OK);
}

static size_t initialised(struct rig *rig)
{
	struct cs_slots slots;
	size_t count = 0;

	assert_int_equal(cs_slots_read(rig->module, &slots, NULL), CS_OK);
	for (size_t i = 0; i < slots.count; i++)
		count += (slots.slot[i].flags & CKF_TOKEN_INITIALIZED) != 0;
	return count;
}

static CK_RV weak_pin(CK_SESSION_HANDLE session, CK_UTF8CHAR_PTR pin, CK_ULONG len)
{
	(void)session;
	(void)pin;
	(void)len;
	return CKR_PIN_INVALID;
}

static void test_init(void **state)
{
	static const char label33[] = "a-label-that-has-thirty-three-byte";
	struct rig rig;

	(void)state;
	rig_open(&rig);
	expect_init(&rig, NULL, "", SO_PIN, USER_PIN, CS_E_USAGE, "1 to 32 bytes");
	expect_init(&rig, NULL, label33, SO_PIN, USER_PIN, CS_E_USAGE, "1 to 32 bytes");
	expect_init(&rig, NULL, " seal", SO_PIN, USER_PIN, CS_E_USAGE, "space");
	expect_init(&rig, NULL, "se\nal", SO_PIN, USER_PIN, CS_E_USAGE, "");
	expect_init(&rig, NULL, "seal", "123", USER_PIN, CS_E_PIN, "4 to 255 bytes");
	expect_init(&rig, NULL, "seal", SO_PIN, "123", CS_E_PIN, "4 to 255 bytes");
	expect_init(&rig, "pkcs11:slot-id=4000000000", "seal", SO_PIN, USER_PIN, CS_E_TOKEN_MISSING,
		"uninitialised");
	assert_int_equal(initialised(&rig), 0);
	expect_init(&rig, "pkcs11:model=SoftHSM%20v2", "seal", SO_PIN, USER_PIN, CS_OK, "");
	assert_int_equal(initialised(&rig), 1);
	/* A token that is initialised is never initialised again. */
	expect_init(&rig, "pkcs11:token=seal", "seal", SO_PIN, USER_PIN, CS_E_TOKEN_MISSING,
		"uninitialised");
	expect_init(&rig, NULL, "second", SO_PIN, USER_PIN, CS_OK, "");
	assert_int_equal(initialised(&rig), 2);
	rig.p11->C_InitPIN = weak_pin;
	expect_init(&rig, NULL, "third", SO_PIN, USER_PIN, CS_E_PIN,
		"C_InitPIN: CKR_PIN_INVALID (0xa1)");
	rig_close(&rig);
}

static CK_RV all_blank(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info)
{
	CK_RV rv = real->C_GetTokenInfo(slot, info);

	info->flags &= ~(CK_FLAGS)CKF_TOKEN_INITIALIZED;
	return rv;
}

static void test_init_ambiguous(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig);
	rig_make_token(&rig, "seal");
	real = &rig.original;
	rig.p11->C_GetTokenInfo = all_blank;
	expect_init(&rig, NULL, "new", SO_PIN, USER_PIN, CS_E_TOKEN_AMBIGUOUS, "2 uninitialised");
	rig_restore(&rig);
	assert_int_equal(initialised(&rig), 1);
	rig_close(&rig);
}

/* ---- login ---- */

static void test_wrong_pin(void **state)
{
	CS_CLEANUP_PIN struct cs_pin *wrong = pin_of("wrong-pin-0000");
	struct rig rig;
	struct cs_fault fault = {0};

	(void)state;
	rig_open(&rig);
	rig_make_token(&rig, "seal");
	struct cs_token *token = rig_open_token(&rig, "pkcs11:token=seal");
	watch(&rig);
	assert_int_equal(cs_token_check(token, &fault), CS_E_STATE);
	assert_int_equal(cs_token_login(token, wrong, 0, &fault), CS_E_PIN);
	assert_non_null(strstr(fault.detail, "C_Login: CKR_PIN_INCORRECT (0xa0)"));
	assert_non_null(strstr(fault.detail, "'seal'"));
	assert_null(strstr(fault.detail, "wrong-pin"));
	assert_int_equal(logins, 1);
	assert_true(cs_pin_refused(wrong));
	/* The same PIN again, by either way in, does not reach the token. */
	assert_int_equal(cs_token_login(token, wrong, 0, &fault), CS_E_PIN);
	assert_int_equal(cs_token_login(token, wrong, CS_LOGIN_LAST_TRY, &fault), CS_E_PIN);
	assert_int_equal(cs_token_recover(token, wrong, &fault), CS_E_PIN);
	assert_int_equal(logins, 1);
	expect_login(token, USER_PIN, 0, CS_OK, NULL);
	assert_int_equal(logins, 2);
	assert_int_equal(cs_token_check(token, &fault), CS_OK);
	cs_token_close(token);
	rig_close(&rig);
}

static void test_last_try(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig);
	rig_make_token(&rig, "seal");
	struct cs_token *token = rig_open_token(&rig, "pkcs11:token=seal");
	watch(&rig);
	added_flags = CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY;
	expect_login(token, USER_PIN, 0, CS_E_PIN_LAST_TRY, "one try left");
	assert_int_equal(logins, 0);
	/* A wrong PIN leaves the warning in the message. */
	expect_login(token, "wrong-pin-0000", CS_LOGIN_LAST_TRY, CS_E_PIN, "one try is left");
	assert_int_equal(logins, 1);
	expect_login(token, USER_PIN, CS_LOGIN_LAST_TRY, CS_OK, NULL);
	assert_int_equal(logins, 2);
	cs_token_close(token);
	rig_close(&rig);
}

static CK_RV locking_login(
	CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG len)
{
	CK_RV rv = counted_login(session, user, pin, len);

	added_flags = CKF_USER_PIN_LOCKED;
	return rv;
}

static void test_locked(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig);
	rig_make_token(&rig, "seal");
	struct cs_token *token = rig_open_token(&rig, "pkcs11:token=seal");
	watch(&rig);
	added_flags = CKF_USER_PIN_LOCKED;
	expect_login(token, USER_PIN, 0, CS_E_PIN_LOCKED, "locked");
	expect_login(token, USER_PIN, CS_LOGIN_LAST_TRY, CS_E_PIN_LOCKED, "locked");
	assert_int_equal(logins, 0);
	/* Tokens that do not report it by a flag say so at login. */
	added_flags = 0;
	login_answer = CKR_PIN_LOCKED;
	expect_login(token, USER_PIN, 0, CS_E_PIN_LOCKED, "CKR_PIN_LOCKED (0xa4)");
	assert_int_equal(logins, 1);
	login_answer = CKR_OK;
	rig.p11->C_Login = locking_login;
	expect_login(token, "wrong-pin-0000", 0, CS_E_PIN_LOCKED, "now locked");
	cs_token_close(token);
	rig_close(&rig);
}

static void test_no_pin(void **state)
{
	struct rig rig;
	struct cs_fault fault = {0};

	(void)state;
	rig_open(&rig);
	rig_make_token(&rig, "seal");
	struct cs_token *token = rig_open_token(&rig, "pkcs11:token=seal");
	watch(&rig);
	expect_login(token, NULL, 0, CS_E_PIN_SOURCE, "keypad");
	assert_int_equal(logins, 0);
	/* With a keypad the token asks by itself. */
	added_flags = CKF_PROTECTED_AUTHENTICATION_PATH;
	login_answer = CKR_FUNCTION_CANCELED;
	expect_login(token, NULL, 0, CS_E_TOKEN, "CKR_FUNCTION_CANCELED (0x50)");
	assert_int_equal(logins, 1);
	login_answer = CKR_DEVICE_ERROR;
	expect_login(token, USER_PIN, 0, CS_E_TOKEN, "CKR_DEVICE_ERROR (0x30)");
	login_answer = CKR_OK;
	assert_int_equal(cs_token_check(token, &fault), CS_E_STATE);
	expect_login(token, USER_PIN, 0, CS_OK, NULL);
	/* A second object for the same token shares the login. */
	struct cs_token *again = rig_open_token(&rig, "pkcs11:token=seal");
	assert_int_equal(cs_token_check(again, &fault), CS_OK);
	expect_login(again, USER_PIN, 0, CS_OK, NULL);
	cs_token_close(again);
	assert_int_equal(cs_token_check(token, &fault), CS_OK);
	cs_token_close(token);
	token = rig_open_token(&rig, "pkcs11:token=seal");
	/* The last session took the login with it. */
	assert_int_equal(cs_token_check(token, &fault), CS_E_STATE);
	cs_token_close(token);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_module_missing),
		cmocka_unit_test(test_not_a_module),
		cmocka_unit_test(test_module_twice),
		cmocka_unit_test(test_module_initialise),
		cmocka_unit_test(test_after_fork),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_same_label),
		cmocka_unit_test(test_neighbours),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_init_ambiguous),
		cmocka_unit_test(test_wrong_pin),
		cmocka_unit_test(test_last_try),
		cmocka_unit_test(test_locked),
		cmocka_unit_test(test_no_pin),
	};

	if (sodium_init() < 0)
		return 1;
	if (softhsm_missing())
		return SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
