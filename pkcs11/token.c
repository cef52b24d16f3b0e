#include "token.h"
#include "error.h"

#include <stdlib.h>
#include <string.h>

struct cs_token {
	struct cs_module *module;
	struct cs_token_uri uri;
	struct cs_token_identity identity;
	CK_SLOT_ID slot;
	CK_SESSION_HANDLE session;
	bool has_session;
	uint64_t generation;
};

static enum cs_err open_session(struct cs_module *module, CK_SLOT_ID slot, CK_FLAGS flags,
	CK_SESSION_HANDLE *ret_session, struct cs_fault *fault)
{
	CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
	CK_RV rv = cs_module_functions(module)->C_OpenSession(
		slot, CKF_SERIAL_SESSION | flags, NULL, NULL, &session);

	if (rv != CKR_OK)
		return cs_ckr_fault(fault, "C_OpenSession", rv);
	*ret_session = session;
	return CS_OK;
}

enum cs_err cs_token_open(struct cs_module *module, const struct cs_token_uri *uri,
	struct cs_token **ret_token, struct cs_fault *fault)
{
	struct cs_slot slot;
	struct cs_token *token = calloc(1, sizeof *token);

	if (token == NULL)
		return cs_fault_set(fault, CS_E_NOMEM, "", "out of memory");
	cs_module_lock(module);
	enum cs_err err = cs_slot_find(module, uri, &slot, fault);
	if (err != CS_OK)
		goto out;
	token->module = module;
	token->uri = *uri;
	token->slot = slot.slot;
	token->identity = slot.identity;
	err = open_session(module, slot.slot, 0, &token->session, fault);
	if (err != CS_OK)
		goto out;
	token->has_session = true;
	cs_module_count_tokens(module, 1);
	*ret_token = token;
	token = NULL;
out:
	cs_module_unlock(module);
	free(token);
	return err;
}

static void drop_session(struct cs_token *token)
{
	/*
	 * The session may be gone together with its token; there is nothing to learn from the
	 * answer.
	 */
	if (token->has_session)
		(void)cs_module_functions(token->module)->C_CloseSession(token->session);
	token->has_session = false;
}

void cs_token_close(struct cs_token *token)
{
	if (token == NULL)
		return;
	cs_module_lock(token->module);
	if (cs_module_use(token->module, NULL) == CS_OK)
		drop_session(token);
	cs_module_count_tokens(token->module, -1);
	cs_module_unlock(token->module);
	free(token);
}

void cs_token_cleanup(struct cs_token **token)
{
	cs_token_close(*token);
}

const struct cs_token_identity *cs_token_identity(const struct cs_token *token)
{
	return &token->identity;
}

struct cs_module *cs_token_module(const struct cs_token *token)
{
	return token->module;
}

uint64_t cs_token_generation(const struct cs_token *token)
{
	return token->generation;
}

enum cs_err cs_token_session(
	const struct cs_token *token, CK_SESSION_HANDLE *ret_session, struct cs_fault *fault)
{
	enum cs_err err = cs_module_use(token->module, fault);

	if (err != CS_OK)
		return err;
	if (!token->has_session)
		return cs_fault_set(fault, CS_E_STATE, "token", "no session with token '%s'",
			token->identity.label);
	*ret_session = token->session;
	return CS_OK;
}

enum cs_err cs_token_open_writable(
	struct cs_token *token, CK_SESSION_HANDLE *ret_session, struct cs_fault *fault)
{
	enum cs_err err = cs_module_use(token->module, fault);

	return err != CS_OK ? err
			    : open_session(token->module, token->slot, CKF_RW_SESSION, ret_session,
				      fault);
}

/* CS_OK when the slot still holds this token. */
static enum cs_err look_again(
	const struct cs_token *token, struct cs_slot *ret_slot, struct cs_fault *fault)
{
	struct cs_fault why = {0};
	struct cs_slot slot;

	if (cs_slot_read(token->module, token->slot, &slot, &why) != CS_OK)
		return cs_fault_set(fault, CS_E_TOKEN_REMOVED, "token",
			"token '%s' (serial %s) does not answer: %s", token->identity.label,
			token->identity.serial, why.detail);
	if (!cs_token_identity_same(&slot.identity, &token->identity))
		return cs_fault_set(fault, CS_E_TOKEN_REMOVED, "token",
			"where token '%s' (serial %s) was is now '%s' (serial %s)",
			token->identity.label, token->identity.serial, slot.identity.label,
			slot.identity.serial);
	*ret_slot = slot;
	return CS_OK;
}

void cs_token_renew_session(struct cs_token *token)
{
	CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
	struct cs_slot slot;

	/* In this order: closing the last session of a token ends its login. */
	if (look_again(token, &slot, NULL) != CS_OK ||
		open_session(token->module, token->slot, 0, &session, NULL) != CS_OK)
		return;
	drop_session(token);
	token->session = session;
	token->has_session = true;
}

/* False only when the token says so: a session that cannot be asked is another failure. */
static bool logged_in(const struct cs_token *token)
{
	CK_SESSION_INFO info;

	memset(&info, 0, sizeof info);
	return !token->has_session ||
	       cs_module_functions(token->module)->C_GetSessionInfo(token->session, &info) !=
		       CKR_OK ||
	       info.state == CKS_RO_USER_FUNCTIONS || info.state == CKS_RW_USER_FUNCTIONS;
}

enum cs_err cs_token_fault(
	struct cs_token *token, const char *call, CK_RV rv, struct cs_fault *fault)
{
	struct cs_fault why = {0};
	struct cs_slot slot;
	enum cs_err err = cs_ckr_err(rv);

	/* These say by themselves what happened, and a PIN's answer must stay what it is. */
	if (err == CS_E_PIN || err == CS_E_PIN_LOCKED || err == CS_E_NOMEM || err == CS_E_MODULE)
		return cs_ckr_fault(fault, call, rv);
	if (look_again(token, &slot, &why) != CS_OK)
		return cs_fault_set(fault, CS_E_TOKEN_REMOVED, call, "%s: %s (0x%lx); %s", call,
			cs_ckr_name(rv), rv, why.detail);
	/*
	 * Without the login private keys are gone and their handles mean nothing, which is all
	 * that a module says then.
	 */
	if ((err == CS_E_TOKEN_KEY || rv == CKR_USER_NOT_LOGGED_IN) && !logged_in(token))
		return cs_fault_set(fault, CS_E_STATE, call,
			"%s: %s (0x%lx); not logged in to token '%s'", call, cs_ckr_name(rv), rv,
			token->identity.label);
	return cs_ckr_fault(fault, call, rv);
}

/* One C_Login. What the token says about its tries afterwards goes into the message. */
static enum cs_err login_once(
	struct cs_token *token, CK_USER_TYPE user, struct cs_pin *pin, struct cs_fault *fault)
{
	const CK_FUNCTION_LIST *p11 = cs_module_functions(token->module);
	struct cs_slot slot;
	CK_RV rv = p11->C_Login(token->session, user, pin != NULL ? cs_pin_bytes(pin) : NULL,
		pin != NULL ? cs_pin_len(pin) : 0);

	if (rv == CKR_OK || (rv == CKR_USER_ALREADY_LOGGED_IN && user == CKU_USER))
		return CS_OK;
	enum cs_err err = cs_token_fault(token, "C_Login", rv, fault);
	if (err != CS_E_PIN)
		return err;
	if (pin != NULL)
		cs_pin_mark_refused(pin);
	if (look_again(token, &slot, NULL) != CS_OK)
		return err;
	if (slot.flags & CKF_USER_PIN_LOCKED)
		return cs_fault_set(fault, CS_E_PIN_LOCKED, "C_Login",
			"C_Login: %s (0x%lx); the PIN is now locked", cs_ckr_name(rv), rv);
	return cs_fault_set(fault, err, "C_Login", "C_Login: %s (0x%lx) for token '%s'%s",
		cs_ckr_name(rv), rv, token->identity.label,
		slot.flags & CKF_USER_PIN_FINAL_TRY ? "; one try is left" : "");
}

static enum cs_err login(struct cs_token *token, CK_USER_TYPE user, struct cs_pin *pin,
	unsigned flags, struct cs_fault *fault)
{
	CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
	struct cs_slot slot;
	enum cs_err err = cs_token_session(token, &session, fault);

	if (err == CS_OK)
		err = look_again(token, &slot, fault);
	if (err != CS_OK)
		return err;
	const char *label = token->identity.label;
	if (slot.flags & CKF_USER_PIN_LOCKED)
		return cs_fault_set(
			fault, CS_E_PIN_LOCKED, "pin", "the PIN of token '%s' is locked", label);
	if ((slot.flags & CKF_USER_PIN_FINAL_TRY) && !(flags & CS_LOGIN_LAST_TRY))
		return cs_fault_set(fault, CS_E_PIN_LAST_TRY, "pin",
			"token '%s' has one try left before its PIN locks", label);
	if (pin == NULL && !(slot.flags & CKF_PROTECTED_AUTHENTICATION_PATH))
		return cs_fault_set(fault, CS_E_PIN_SOURCE, "pin",
			"token '%s' has no keypad of its own", label);
	if (pin != NULL && cs_pin_refused(pin))
		return cs_fault_set(fault, CS_E_PIN, "pin",
			"this PIN was refused before and is not tried again");
	return login_once(token, user, pin, fault);
}

enum cs_err cs_token_login(
	struct cs_token *token, struct cs_pin *pin, unsigned flags, struct cs_fault *fault)
{
	cs_module_lock(token->module);
	enum cs_err err = login(token, CKU_USER, pin, flags, fault);
	cs_module_unlock(token->module);
	return err;
}

enum cs_err cs_token_login_for_operation(
	struct cs_token *token, struct cs_pin *pin, struct cs_fault *fault)
{
	return login(token, CKU_CONTEXT_SPECIFIC, pin, 0, fault);
}

static enum cs_err reopen(struct cs_token *token, struct cs_pin *pin, struct cs_fault *fault)
{
	struct cs_slot slot;

	drop_session(token);
	token->generation++;
	enum cs_err err = cs_slot_find(token->module, &token->uri, &slot, fault);
	if (err != CS_OK)
		return err;
	if (!cs_token_identity_same(&slot.identity, &token->identity))
		return cs_fault_set(fault, CS_E_TOKEN_MISSING, "token",
			"token '%s' (serial %s) is not back; '%s' (serial %s) matches but is "
			"another one",
			token->identity.label, token->identity.serial, slot.identity.label,
			slot.identity.serial);
	token->slot = slot.slot;
	err = open_session(token->module, slot.slot, 0, &token->session, fault);
	if (err != CS_OK)
		return err;
	token->has_session = true;
	return login(token, CKU_USER, pin, 0, fault);
}

/* A module that starts anew would show the same PIN to the same token. */
static bool about_pin(enum cs_err err)
{
	return err == CS_E_PIN || err == CS_E_PIN_LOCKED || err == CS_E_PIN_LAST_TRY ||
	       err == CS_E_PIN_SOURCE;
}

enum cs_err cs_token_recover(struct cs_token *token, struct cs_pin *pin, struct cs_fault *fault)
{
	cs_module_lock(token->module);
	enum cs_err err = cs_module_use(token->module, fault);
	if (err == CS_OK)
		err = reopen(token, pin, fault);
	if (err != CS_OK && err != CS_E_STATE && !about_pin(err) &&
		cs_module_count_tokens(token->module, 0) == 1) {
		drop_session(token);
		err = cs_module_restart(token->module, fault);
		if (err == CS_OK)
			err = reopen(token, pin, fault);
	}
	cs_module_unlock(token->module);
	return err;
}

enum cs_err cs_token_check(struct cs_token *token, struct cs_fault *fault)
{
	CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
	CK_SESSION_INFO info;
	struct cs_slot slot;

	memset(&info, 0, sizeof info);
	cs_module_lock(token->module);
	enum cs_err err = cs_token_session(token, &session, fault);
	if (err == CS_OK)
		err = look_again(token, &slot, fault);
	if (err != CS_OK)
		goto out;
	CK_RV rv = cs_module_functions(token->module)->C_GetSessionInfo(session, &info);
	if (rv != CKR_OK)
		err = cs_token_fault(token, "C_GetSessionInfo", rv, fault);
	else if (info.state != CKS_RO_USER_FUNCTIONS && info.state != CKS_RW_USER_FUNCTIONS)
		err = cs_fault_set(fault, CS_E_STATE, "token", "not logged in to token '%s'",
			token->identity.label);
out:
	cs_module_unlock(token->module);
	return err;
}
