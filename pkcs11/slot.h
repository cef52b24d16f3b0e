/*
 * What stands in a module's slots, and who a token is.
 */
#ifndef CS_PKCS11_SLOT_H
#define CS_PKCS11_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include "module.h"
#include "uri.h"

#define CS_SLOTS_OF_MODULE_MAX 64 /* slots of one module that are looked at */

/*
 * CK_TOKEN_INFO without padding; a NUL inside a field is shown as '?'. The rest may hold whatever
 * the token says: it goes through cs_text_show() before a person sees it.
 *
 * A person's token is known by (product, serial). `product` is the vendor's arc for products in
 * quirks.h, else "manufacturer/model" as the token gives them.
 */
struct cs_token_identity {
	char label[33];
	char manufacturer[33];
	char model[17];
	char serial[17];
	char product[64];
	bool software; /* known to keep its keys in software */
};

struct cs_slot {
	CK_SLOT_ID slot;
	char description[65];
	char slot_manufacturer[33];
	CK_FLAGS flags;	  /* of CK_TOKEN_INFO */
	CK_ULONG pin_min; /* bytes */
	CK_ULONG pin_max;
	struct cs_token_identity identity;
};

struct cs_slots {
	struct cs_slot slot[CS_SLOTS_OF_MODULE_MAX];
	size_t count;
	size_t failed; /* slots with a token that did not answer */
	const char *failed_call; /* of the last of these; NULL when none failed */
	CK_RV failure;		 /* what it said */
};

/*
 * The tokens present. One slot that fails does not hide the others. CS_E_TOKEN and the other
 * errors of cs_ckr_err when the list itself fails, CS_E_TOO_LARGE beyond CS_SLOTS_OF_MODULE_MAX,
 * CS_E_STATE after a fork.
 */
CS_MUST_CHECK enum cs_err cs_slots_read(
	struct cs_module *module, struct cs_slots *ret_slots, struct cs_fault *fault);

/* One slot, freshly read: the errors of cs_ckr_err. */
CS_MUST_CHECK enum cs_err cs_slot_read(
	struct cs_module *module, CK_SLOT_ID id, struct cs_slot *ret_slot, struct cs_fault *fault);

/*
 * True when every attribute of the URI that is about module, slot or token equals; object, id and
 * type are not looked at.
 */
bool cs_slot_matches(
	const struct cs_module *module, const struct cs_slot *slot, const struct cs_token_uri *uri);

/*
 * The one initialised token that matches: CS_E_TOKEN_MISSING (the fault says what was looked for
 * and which tokens are there), CS_E_TOKEN_AMBIGUOUS (which ones match), and the errors of
 * cs_slots_read.
 */
CS_MUST_CHECK enum cs_err cs_slot_find(struct cs_module *module, const struct cs_token_uri *uri,
	struct cs_slot *ret_slot, struct cs_fault *fault);

/*
 * Refuses a token that cannot be told from others: CS_E_TRUST_TOKEN when the serial is empty, all
 * zeros (as OpenSC shows PIV cards), or not printable ASCII.
 */
CS_MUST_CHECK enum cs_err cs_token_identity_check(
	const struct cs_token_identity *identity, struct cs_fault *fault);

/* The same product and serial. */
bool cs_token_identity_same(const struct cs_token_identity *a, const struct cs_token_identity *b);

/* A fixed field of Cryptoki, padded with blanks, as text; `to` holds len + 1 bytes. */
void cs_field_copy(const CK_UTF8CHAR *field, size_t len, char *to);

#endif
