/*
 * What the token tests share: SoftHSM with its module open, PINs, tokens made and found.
 *
 * Each test has a token directory of its own and opens the module anew. Calls are made to fail by
 * replacing entries of the module's function list, which is why they are put back before the
 * module is closed.
 */
#ifndef CS_TEST_TOKEN_FIXTURE_H
#define CS_TEST_TOKEN_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sodium.h>
#include "pkcs11/sign.h"
#include "tests/fixture/softhsm.h"

#define SO_PIN "so-pin-1234"
#define USER_PIN "user-pin-5678"

struct rig {
	struct cs_test_softhsm softhsm;
	struct cs_module *module;
	CK_FUNCTION_LIST *p11;
	CK_FUNCTION_LIST original;
};

static inline struct cs_pin *pin_of(const char *text)
{
	struct cs_pin *pin = NULL;

	assert_int_equal(cs_pin_copy(text, strlen(text), &pin, NULL), CS_OK);
	return pin;
}

/*
 * The list as it was before any test touched it: the library stays loaded, so that its addresses
 * stay right.
 */
static inline const CK_FUNCTION_LIST *pristine_list(void)
{
	static CK_FUNCTION_LIST pristine;
	static void *held;
	CK_C_GetFunctionList get_list;
	CK_FUNCTION_LIST *list = NULL;

	if (held == NULL) {
		held = dlopen(cs_test_softhsm_module(), RTLD_NOW | RTLD_LOCAL);
		assert_non_null(held);
		*(void **)&get_list = dlsym(held, "C_GetFunctionList");
		assert_int_equal(get_list(&list), CKR_OK);
		pristine = *list;
	}
	return &pristine;
}

/*
 * What the present test holds, so that the next one can clear up after a test that failed
 * half-way.
 */
static inline struct rig *held_rig(void)
{
	static struct rig rig;

	return &rig;
}

static inline void rig_open(struct rig *rig)
{
	struct cs_fault fault = {0};

	cs_module_close(held_rig()->module);
	cs_test_softhsm_remove(&held_rig()->softhsm);
	memset(rig, 0, sizeof *rig);
	rig->original = *pristine_list();
	assert_true(cs_test_softhsm_make(&rig->softhsm));
	if (cs_module_open(cs_test_softhsm_module(), &rig->module, &fault) != CS_OK)
		fail_msg("%s", fault.detail);
	rig->p11 = cs_module_functions(rig->module);
	*rig->p11 = rig->original;
	*held_rig() = *rig;
}

static inline void rig_restore(struct rig *rig)
{
	*rig->p11 = rig->original;
}

static inline void rig_close(struct rig *rig)
{
	rig_restore(rig);
	cs_module_close(rig->module);
	cs_test_softhsm_remove(&rig->softhsm);
	memset(held_rig(), 0, sizeof(struct rig));
}

static inline struct cs_token_identity rig_make_token(struct rig *rig, const char *label)
{
	CS_CLEANUP_PIN struct cs_pin *so = pin_of(SO_PIN);
	CS_CLEANUP_PIN struct cs_pin *user = pin_of(USER_PIN);
	struct cs_token_identity identity = {0};
	struct cs_fault fault = {0};

	if (cs_token_init(rig->module, NULL, label, so, user, &identity, &fault) != CS_OK)
		fail_msg("%s", fault.detail);
	return identity;
}

static inline struct cs_token_uri uri_of(const char *text)
{
	struct cs_token_uri uri = {0};
	struct cs_fault fault = {0};

	if (cs_token_uri_parse(text, 0, &uri, &fault) != CS_OK)
		fail_msg("%s: %s", text, fault.detail);
	return uri;
}

static inline struct cs_token *rig_open_token(struct rig *rig, const char *uri_text)
{
	struct cs_token_uri uri = uri_of(uri_text);
	struct cs_token *token = NULL;
	struct cs_fault fault = {0};

	if (cs_token_open(rig->module, &uri, &token, &fault) != CS_OK)
		fail_msg("%s", fault.detail);
	return token;
}

/* A new token with this label, open and logged in to. */
static inline struct cs_token *rig_ready_token(struct rig *rig, const char *label)
{
	CS_CLEANUP_PIN struct cs_pin *pin = pin_of(USER_PIN);
	char uri[128];
	struct cs_fault fault = {0};

	rig_make_token(rig, label);
	snprintf(uri, sizeof uri, "pkcs11:token=%s", label);
	struct cs_token *token = rig_open_token(rig, uri);
	if (cs_token_login(token, pin, 0, &fault) != CS_OK)
		fail_msg("%s", fault.detail);
	return token;
}

static inline struct cs_token_key *make_key(
	struct cs_token *token, enum cs_alg alg, const char *label)
{
	struct cs_token_key *key = NULL;
	struct cs_fault fault = {0};

	if (cs_token_key_generate(token, alg, label, NULL, 0, 0, &key, &fault) != CS_OK)
		fail_msg("%s", fault.detail);
	return key;
}

/* For main(): what a test program without SoftHSM says. */
static inline bool softhsm_missing(void)
{
	if (cs_test_softhsm_module() != NULL)
		return false;
	printf("SKIP: SoftHSM (libsofthsm2.so) is not installed\n");
	return true;
}

#define SKIPPED 77

#endif
