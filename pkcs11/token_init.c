#include "token.h"
#include "error.h"
#include "core/text.h"

#include <string.h>

#define LABEL_LEN 32 /* CK_TOKEN_INFO, padded with blanks */

static enum cs_err check_label(const char *label, struct cs_fault *fault)
{
	struct cs_fault why = {0};
	size_t len = strlen(label);

	if (len == 0 || len > LABEL_LEN)
		return cs_fault_set(
			fault, CS_E_USAGE, "label", "a token's label has 1 to %d bytes", LABEL_LEN);
	if (label[0] == ' ' || label[len - 1] == ' ')
		return cs_fault_set(fault, CS_E_USAGE, "label",
			"a token's label cannot begin or end with a space");
	if (cs_text_check(label, len, 0, &why) != CS_OK)
		return cs_fault_set(fault, CS_E_USAGE, "label", "%s", why.detail);
	return CS_OK;
}

/* The one uninitialised token. */
static enum cs_err find_blank(struct cs_module *module, const struct cs_slots *slots,
	const struct cs_token_uri *where, const struct cs_slot **ret_slot, struct cs_fault *fault)
{
	const struct cs_slot *found = NULL;
	size_t count = 0;

	for (size_t i = 0; i < slots->count; i++) {
		const struct cs_slot *slot = &slots->slot[i];
		if ((slot->flags & CKF_TOKEN_INITIALIZED) ||
			(where != NULL && !cs_slot_matches(module, slot, where)))
			continue;
		found = slot;
		count++;
	}
	if (count == 0)
		return cs_fault_set(fault, CS_E_TOKEN_MISSING, "token",
			"%s shows no uninitialised token", cs_module_path(module));
	if (count > 1)
		return cs_fault_set(fault, CS_E_TOKEN_AMBIGUOUS, "token",
			"%s shows %zu uninitialised tokens", cs_module_path(module), count);
	*ret_slot = found;
	return CS_OK;
}

static enum cs_err check_length(const struct cs_slot *slot, const struct cs_pin *pin,
	const char *name, struct cs_fault *fault)
{
	size_t len = cs_pin_len(pin);

	if (len < slot->pin_min || (slot->pin_max > 0 && len > slot->pin_max))
		return cs_fault_set(fault, CS_E_PIN, name,
			"the token takes PINs of %lu to %lu bytes", slot->pin_min, slot->pin_max);
	return CS_OK;
}

static bool was_initialised(const struct cs_slots *before, const struct cs_token_identity *identity)
{
	for (size_t i = 0; i < before->count; i++)
		if ((before->slot[i].flags & CKF_TOKEN_INITIALIZED) &&
			cs_token_identity_same(&before->slot[i].identity, identity))
			return true;
	return false;
}

/* The token that carries the new label and was not there as an initialised one before. */
static enum cs_err find_new(struct cs_module *module, const struct cs_slots *before,
	const char *label, struct cs_slot *ret_slot, struct cs_fault *fault)
{
	struct cs_slots now;
	const struct cs_slot *found = NULL;
	enum cs_err err = cs_slots_read(module, &now, fault);

	if (err != CS_OK)
		return err;
	for (size_t i = 0; i < now.count; i++) {
		const struct cs_slot *slot = &now.slot[i];
		if (!(slot->flags & CKF_TOKEN_INITIALIZED) ||
			strcmp(slot->identity.label, label) != 0 ||
			was_initialised(before, &slot->identity))
			continue;
		if (found != NULL)
			return cs_fault_set(fault, CS_E_TOKEN_AMBIGUOUS, "token",
				"two new tokens are labelled '%s'", label);
		found = slot;
	}
	if (found == NULL)
		return cs_fault_set(fault, CS_E_TOKEN_MISSING, "token",
			"token '%s' was initialised and is not to be found", label);
	*ret_slot = *found;
	return CS_OK;
}

static enum cs_err set_user_pin(struct cs_module *module, CK_SLOT_ID slot,
	const struct cs_pin *so_pin, const struct cs_pin *user_pin, struct cs_fault *fault)
{
	const CK_FUNCTION_LIST *p11 = cs_module_functions(module);
	CK_SESSION_HANDLE session;
	enum cs_err err = CS_OK;
	CK_RV rv =
		p11->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session);

	if (rv != CKR_OK)
		return cs_ckr_fault(fault, "C_OpenSession", rv);
	rv = p11->C_Login(session, CKU_SO, cs_pin_bytes(so_pin), cs_pin_len(so_pin));
	if (rv != CKR_OK) {
		err = cs_ckr_fault(fault, "C_Login", rv);
		goto out;
	}
	rv = p11->C_InitPIN(session, cs_pin_bytes(user_pin), cs_pin_len(user_pin));
	if (rv != CKR_OK)
		err = cs_ckr_fault(fault, "C_InitPIN", rv);
	(void)p11->C_Logout(session);
out:
	(void)p11->C_CloseSession(session);
	return err;
}

static enum cs_err initialise(struct cs_module *module, const struct cs_token_uri *where,
	const char *label, const struct cs_pin *so_pin, const struct cs_pin *user_pin,
	struct cs_slot *ret_slot, struct cs_fault *fault)
{
	CK_UTF8CHAR padded[LABEL_LEN];
	struct cs_slots before;
	const struct cs_slot *blank = NULL;
	struct cs_slot found;
	enum cs_err err = cs_slots_read(module, &before, fault);

	if (err == CS_OK)
		err = find_blank(module, &before, where, &blank, fault);
	if (err == CS_OK)
		err = check_length(blank, so_pin, "so-pin", fault);
	if (err == CS_OK)
		err = check_length(blank, user_pin, "pin", fault);
	if (err != CS_OK)
		return err;
	memset(padded, ' ', sizeof padded);
	memcpy(padded, label, strlen(label));
	CK_RV rv = cs_module_functions(module)->C_InitToken(
		blank->slot, cs_pin_bytes(so_pin), cs_pin_len(so_pin), padded);
	if (rv != CKR_OK)
		return cs_ckr_fault(fault, "C_InitToken", rv);
	err = find_new(module, &before, label, &found, fault);
	if (err == CS_OK)
		err = set_user_pin(module, found.slot, so_pin, user_pin, fault);
	if (err == CS_OK)
		err = cs_slot_read(module, found.slot, &found, fault);
	if (err != CS_OK)
		return err;
	if (!(found.flags & CKF_USER_PIN_INITIALIZED))
		return cs_fault_set(fault, CS_E_TOKEN, "C_InitPIN",
			"token '%s' took the user PIN and does not have it", label);
	*ret_slot = found;
	return CS_OK;
}

enum cs_err cs_token_init(struct cs_module *module, const struct cs_token_uri *where,
	const char *label, const struct cs_pin *so_pin, const struct cs_pin *user_pin,
	struct cs_token_identity *ret_identity, struct cs_fault *fault)
{
	struct cs_slot slot;
	enum cs_err err = check_label(label, fault);

	if (err != CS_OK)
		return err;
	cs_module_lock(module);
	err = initialise(module, where, label, so_pin, user_pin, &slot, fault);
	cs_module_unlock(module);
	if (err == CS_OK)
		*ret_identity = slot.identity;
	return err;
}
