/*
 * PKCS #11 URIs (RFC 7512) as settings and arguments may give them: parsed by p11-kit, accepted
 * more strictly.
 *
 * A URI that is read loosely finds the wrong key. p11-kit drops what it does not know and lets the
 * last of two equal attributes win; here every doubt is CS_E_URI with the reason:
 *
 *  - a character that RFC 7512 section 2.3 does not allow unescaped, white space included; a bad
 *    percent escape
 *  - an attribute that is unknown, deprecated ("object-type"), occurs twice or has an empty value
 *  - a value longer than the field it is compared with; text with control or format characters
 *    (see core/text.h)
 *  - `pin-value` and `pin-source`: a PIN comes from a credential, a file or a prompt (pin.h),
 *    never through a URI
 *  - `module-name`, `library-version`: a module is named by `module-path` alone
 *  - a URI that names nothing
 */
#ifndef CS_PKCS11_URI_H
#define CS_PKCS11_URI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <p11-kit/pkcs11.h>
#include <countersign/error.h>

#define CS_URI_MAX 2048	 /* longest URI, without the NUL */
#define CS_LABEL_MAX 128 /* longest object label, bytes */
#define CS_KEY_ID_MAX 64 /* longest CKA_ID, bytes */
#define CS_MODULE_PATH_MAX 1024

/*
 * Sizes are those of CK_TOKEN_INFO, CK_SLOT_INFO and CK_INFO with a NUL. An empty text: not in the
 * URI, matches anything.
 */
struct cs_token_uri {
	char token[33];
	char manufacturer[33];
	char model[17];
	char serial[17];
	char slot_description[65];
	char slot_manufacturer[33];
	char library_description[33];
	char library_manufacturer[33];
	bool has_slot;
	CK_SLOT_ID slot; /* `slot-id`; modules renumber their slots, so prefer token and serial */
	char object[CS_LABEL_MAX + 1]; /* CKA_LABEL */
	uint8_t id[CS_KEY_ID_MAX];     /* CKA_ID */
	size_t id_len;		       /* 0: not in the URI */
	bool has_class;
	/* `type`: CKO_PRIVATE_KEY, _PUBLIC_KEY, _CERTIFICATE, _SECRET_KEY or CKO_DATA. */
	CK_OBJECT_CLASS class;
	/* Absolute; "" when it comes from another setting. */
	char module_path[CS_MODULE_PATH_MAX + 1];
};

#define CS_URI_TOKEN 1u /* must name a token: token, serial or slot-id */
#define CS_URI_KEY 2u	/* must name a key: object or id; type, if there, is private or public */

/*
 * Parses `text`; `demand` is a set of CS_URI_… . CS_E_URI (fault->path is the attribute's name or
 * ""), CS_E_NOMEM.
 */
CS_MUST_CHECK enum cs_err cs_token_uri_parse(
	const char *text, unsigned demand, struct cs_token_uri *ret_uri, struct cs_fault *fault);

#endif
