#include "slot.h"
#include "error.h"
#include "quirks.h"
#include "core/bytes.h"

#include <stdio.h>
#include <string.h>

void cs_field_copy(const CK_UTF8CHAR *field, size_t len, char *to)
{
	/* Some tokens pad with NUL instead of the blanks that the standard asks for. */
	while (len > 0 && (field[len - 1] == ' ' || field[len - 1] == '\0'))
		len--;
	while (len > 0 && *field == ' ') {
		field++;
		len--;
	}
	for (size_t i = 0; i < len; i++)
		to[i] = field[i] != '\0' ? (char)field[i] : '?';
	to[len] = '\0';
}

static void read_identity(const CK_TOKEN_INFO *info, struct cs_token_identity *out)
{
	cs_field_copy(info->label, sizeof info->label, out->label);
	cs_field_copy(info->manufacturerID, sizeof info->manufacturerID, out->manufacturer);
	cs_field_copy(info->model, sizeof info->model, out->model);
	cs_field_copy(info->serialNumber, sizeof info->serialNumber, out->serial);
	const struct cs_quirks *quirks = cs_quirks_of(out->manufacturer, out->model);
	out->software = quirks->software;
	if (quirks->product != NULL)
		snprintf(out->product, sizeof out->product, "%s", quirks->product);
	else
		snprintf(out->product, sizeof out->product, "%s/%s", out->manufacturer, out->model);
}

/* `*call` and `*rv` say what failed. */
static enum cs_err read_slot(struct cs_module *module, CK_SLOT_ID id, struct cs_slot *ret_slot,
	const char **call, CK_RV *rv)
{
	const CK_FUNCTION_LIST *p11 = cs_module_functions(module);
	struct cs_slot slot = {.slot = id};
	CK_SLOT_INFO slot_info;
	CK_TOKEN_INFO token_info;

	memset(&slot_info, 0, sizeof slot_info);
	memset(&token_info, 0, sizeof token_info);
	cs_module_lock(module);
	*call = "C_GetSlotInfo";
	*rv = p11->C_GetSlotInfo(id, &slot_info);
	if (*rv == CKR_OK) {
		*call = "C_GetTokenInfo";
		*rv = p11->C_GetTokenInfo(id, &token_info);
	}
	cs_module_unlock(module);
	if (*rv != CKR_OK)
		return cs_ckr_err(*rv);
	cs_field_copy(
		slot_info.slotDescription, sizeof slot_info.slotDescription, slot.description);
	cs_field_copy(
		slot_info.manufacturerID, sizeof slot_info.manufacturerID, slot.slot_manufacturer);
	slot.flags = token_info.flags;
	slot.pin_min = token_info.ulMinPinLen;
	slot.pin_max = token_info.ulMaxPinLen;
	read_identity(&token_info, &slot.identity);
	*ret_slot = slot;
	return CS_OK;
}

enum cs_err cs_slot_read(
	struct cs_module *module, CK_SLOT_ID id, struct cs_slot *ret_slot, struct cs_fault *fault)
{
	const char *call;
	CK_RV rv;

	return read_slot(module, id, ret_slot, &call, &rv) == CS_OK ? CS_OK
								    : cs_ckr_fault(fault, call, rv);
}

enum cs_err cs_slots_read(
	struct cs_module *module, struct cs_slots *ret_slots, struct cs_fault *fault)
{
	const CK_FUNCTION_LIST *p11 = cs_module_functions(module);
	CK_SLOT_ID ids[CS_SLOTS_OF_MODULE_MAX];
	CK_ULONG count = 0;
	enum cs_err err = cs_module_use(module, fault);

	if (err != CS_OK)
		return err;
	cs_module_lock(module);
	/*
	 * Asking for the number first is what lets a module look for new readers and tokens
	 * (section 5.5).
	 */
	CK_RV rv = p11->C_GetSlotList(CK_TRUE, NULL, &count);
	if (rv == CKR_OK) {
		count = CS_SLOTS_OF_MODULE_MAX;
		rv = p11->C_GetSlotList(CK_TRUE, ids, &count);
	}
	cs_module_unlock(module);
	if (rv == CKR_BUFFER_TOO_SMALL || count > CS_SLOTS_OF_MODULE_MAX)
		return cs_fault_set(fault, CS_E_TOO_LARGE, "C_GetSlotList",
			"%s has more than %d tokens", cs_module_path(module),
			CS_SLOTS_OF_MODULE_MAX);
	if (rv != CKR_OK)
		return cs_ckr_fault(fault, "C_GetSlotList", rv);

	memset(ret_slots, 0, sizeof *ret_slots);
	for (CK_ULONG i = 0; i < count; i++) {
		const char *call;
		if (read_slot(module, ids[i], &ret_slots->slot[ret_slots->count], &call, &rv) ==
			CS_OK) {
			ret_slots->count++;
			continue;
		}
		ret_slots->failed++;
		ret_slots->failed_call = call;
		ret_slots->failure = rv;
	}
	return CS_OK;
}

static bool wanted(const char *want, const char *have)
{
	return want[0] == '\0' || strcmp(want, have) == 0;
}

bool cs_slot_matches(
	const struct cs_module *module, const struct cs_slot *slot, const struct cs_token_uri *uri)
{
	return (!uri->has_slot || uri->slot == slot->slot) &&
	       wanted(uri->token, slot->identity.label) &&
	       wanted(uri->manufacturer, slot->identity.manufacturer) &&
	       wanted(uri->model, slot->identity.model) &&
	       wanted(uri->serial, slot->identity.serial) &&
	       wanted(uri->slot_description, slot->description) &&
	       wanted(uri->slot_manufacturer, slot->slot_manufacturer) &&
	       wanted(uri->library_description, cs_module_description(module)) &&
	       wanted(uri->library_manufacturer, cs_module_manufacturer(module));
}

static void tell_attribute(struct cs_bytes *to, const char *name, const char *value)
{
	if (value[0] != '\0')
		(void)cs_bytes_addf(to, "%s%s '%s'", to->len > 0 ? ", " : "", name, value);
}

/* What was asked for, in the URI's own words. */
static void tell_wanted(struct cs_bytes *to, const struct cs_token_uri *uri)
{
	tell_attribute(to, "token", uri->token);
	tell_attribute(to, "serial", uri->serial);
	tell_attribute(to, "manufacturer", uri->manufacturer);
	tell_attribute(to, "model", uri->model);
	tell_attribute(to, "slot-description", uri->slot_description);
	tell_attribute(to, "slot-manufacturer", uri->slot_manufacturer);
	tell_attribute(to, "library-description", uri->library_description);
	tell_attribute(to, "library-manufacturer", uri->library_manufacturer);
	if (uri->has_slot)
		(void)cs_bytes_addf(to, "%sslot-id %lu", to->len > 0 ? ", " : "", uri->slot);
}

static void tell_slot(struct cs_bytes *to, const struct cs_slot *slot)
{
	(void)cs_bytes_addf(to, "%s'%s' (serial %s)", to->len > 0 ? ", " : "", slot->identity.label,
		slot->identity.serial[0] != '\0' ? slot->identity.serial : "none");
}

static const char *text_of(const struct cs_bytes *bytes, const char *otherwise)
{
	return bytes->len > 0 ? (const char *)bytes->data : otherwise;
}

enum cs_err cs_slot_find(struct cs_module *module, const struct cs_token_uri *uri,
	struct cs_slot *ret_slot, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes asked = {0};
	CS_CLEANUP_BYTES struct cs_bytes there = {0};
	CS_CLEANUP_BYTES struct cs_bytes matching = {0};
	struct cs_slots slots;
	const struct cs_slot *found = NULL;
	size_t matches = 0;
	enum cs_err err = cs_slots_read(module, &slots, fault);

	if (err != CS_OK)
		return err;
	for (size_t i = 0; i < slots.count; i++) {
		const struct cs_slot *slot = &slots.slot[i];
		if (!(slot->flags & CKF_TOKEN_INITIALIZED))
			continue;
		tell_slot(&there, slot);
		if (cs_slot_matches(module, slot, uri)) {
			tell_slot(&matching, slot);
			found = slot;
			matches++;
		}
	}
	tell_wanted(&asked, uri);
	if (matches > 1)
		return cs_fault_set(fault, CS_E_TOKEN_AMBIGUOUS, "token", "%zu tokens match %s: %s",
			matches, text_of(&asked, "any token"), text_of(&matching, ""));
	if (matches == 0 && slots.failed > 0)
		return cs_fault_set(fault, CS_E_TOKEN_MISSING, "token",
			"no token with %s; there: %s; %zu did not answer (%s: %s (0x%lx))",
			text_of(&asked, "anything"), text_of(&there, "none"), slots.failed,
			slots.failed_call, cs_ckr_name(slots.failure), slots.failure);
	if (matches == 0)
		return cs_fault_set(fault, CS_E_TOKEN_MISSING, "token",
			"no token with %s; there: %s", text_of(&asked, "anything"),
			text_of(&there, "none"));
	*ret_slot = *found;
	return CS_OK;
}

enum cs_err cs_token_identity_check(
	const struct cs_token_identity *identity, struct cs_fault *fault)
{
	const char *serial = identity->serial;

	if (serial[0] == '\0')
		return cs_fault_set(fault, CS_E_TRUST_TOKEN, "serial",
			"token '%s' has no serial number", identity->label);
	if (serial[strspn(serial, "0")] == '\0')
		return cs_fault_set(fault, CS_E_TRUST_TOKEN, "serial",
			"token '%s' has a serial number of zeros only", identity->label);
	for (const char *c = serial; *c != '\0'; c++)
		if (*c < 0x20 || *c > 0x7e)
			return cs_fault_set(fault, CS_E_TRUST_TOKEN, "serial",
				"token '%s' has a serial number that is not text", identity->label);
	return CS_OK;
}

bool cs_token_identity_same(const struct cs_token_identity *a, const struct cs_token_identity *b)
{
	return strcmp(a->product, b->product) == 0 && strcmp(a->serial, b->serial) == 0;
}
