#include "uri.h"
#include "core/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <p11-kit/uri.h>

enum place { IN_PATH, IN_QUERY };

enum verdict { TAKEN, SECRET, ELSEWHERE };

static const struct {
	const char *name;
	enum place place;
	enum verdict verdict;
} attributes[] = {
	{"token", IN_PATH, TAKEN},
	{"manufacturer", IN_PATH, TAKEN},
	{"model", IN_PATH, TAKEN},
	{"serial", IN_PATH, TAKEN},
	{"slot-id", IN_PATH, TAKEN},
	{"slot-description", IN_PATH, TAKEN},
	{"slot-manufacturer", IN_PATH, TAKEN},
	{"library-description", IN_PATH, TAKEN},
	{"library-manufacturer", IN_PATH, TAKEN},
	{"library-version", IN_PATH, ELSEWHERE},
	{"object", IN_PATH, TAKEN},
	{"id", IN_PATH, TAKEN},
	{"type", IN_PATH, TAKEN},
	{"module-path", IN_QUERY, TAKEN},
	{"module-name", IN_QUERY, ELSEWHERE},
	{"pin-value", IN_QUERY, SECRET},
	{"pin-source", IN_QUERY, SECRET},
	/* The first drafts of the RFC had it, p11-kit still takes it. */
	{"pinfile", IN_PATH, SECRET},
};

#define ATTRIBUTES (sizeof attributes / sizeof *attributes)

static bool allowed(unsigned char c, enum place place)
{
	if (isascii(c) && isalnum(c))
		return true;
	if (c == '\0')
		return false;
	return strchr("-._~:[]@!$'()*+,=%", c) != NULL ||
	       strchr(place == IN_PATH ? "&" : "/?|", c) != NULL;
}

/*
 * One `name=value`: known, in its place, not twice, not empty, only allowed characters. `seen` has
 * one bit per row.
 */
static enum cs_err check_attribute(
	const char *text, size_t len, enum place place, unsigned *seen, struct cs_fault *fault)
{
	char name[32];
	const char *equals = memchr(text, '=', len);
	size_t name_len = equals != NULL ? (size_t)(equals - text) : len;

	for (size_t i = 0; i < len; i++)
		if (!allowed((unsigned char)text[i], place))
			return cs_fault_set(fault, CS_E_URI, "",
				"byte 0x%02x must be percent-encoded", (unsigned char)text[i]);
	if (len == 0)
		return cs_fault_set(fault, CS_E_URI, "", "an empty attribute");
	if (equals == NULL)
		return cs_fault_set(fault, CS_E_URI, "", "an attribute without '='");
	if (name_len == 0 || name_len >= sizeof name)
		return cs_fault_set(fault, CS_E_URI, "", "an unknown attribute");
	memcpy(name, text, name_len);
	name[name_len] = '\0';

	size_t row = 0;
	while (row < ATTRIBUTES &&
		(attributes[row].place != place || strcmp(attributes[row].name, name) != 0))
		row++;
	if (row == ATTRIBUTES)
		return cs_fault_set(fault, CS_E_URI, name, "unknown attribute '%s'", name);
	if (attributes[row].verdict == SECRET)
		return cs_fault_set(
			fault, CS_E_URI, name, "'%s': a PIN never comes through a URI", name);
	if (attributes[row].verdict == ELSEWHERE)
		return cs_fault_set(fault, CS_E_URI, name,
			"'%s' is not supported: name the module by module-path", name);
	/* The rest is handled as text that ends at a NUL, so one inside would cut it short. */
	if (strcmp(name, "id") != 0 && memmem(text, len, "%00", 3) != NULL)
		return cs_fault_set(fault, CS_E_URI, name, "'%s' holds a byte 00", name);
	if (*seen & 1u << row)
		return cs_fault_set(fault, CS_E_URI, name, "'%s' occurs twice", name);
	if (name_len + 1 == len)
		return cs_fault_set(
			fault, CS_E_URI, name, "'%s' is empty and would match anything", name);
	/* p11-kit computes slot-id modulo 2^64 without a word. */
	if (strcmp(name, "slot-id") == 0) {
		size_t digits = strspn(equals + 1, "0123456789");
		if (digits != len - name_len - 1 || digits > 10)
			return cs_fault_set(fault, CS_E_URI, name,
				"slot-id is not a number of at most ten digits");
	}
	*seen |= 1u << row;
	return CS_OK;
}

/*
 * RFC 7512 section 2.3: "pkcs11:" attributes separated by ';', then optionally '?' and attributes
 * separated by '&'.
 */
static enum cs_err check_shape(const char *text, unsigned *seen, struct cs_fault *fault)
{
	if (strlen(text) > CS_URI_MAX)
		return cs_fault_set(fault, CS_E_URI, "", "longer than %d bytes", CS_URI_MAX);
	if (strncasecmp(text, "pkcs11:", 7) != 0)
		return cs_fault_set(fault, CS_E_URI, "", "does not begin with 'pkcs11:'");
	text += 7;
	enum place place = IN_PATH;
	while (*text != '\0') {
		if (place == IN_PATH && *text == '?') {
			place = IN_QUERY;
			text++;
			continue;
		}
		size_t len = strcspn(text, place == IN_PATH ? ";?" : "&");
		enum cs_err err = check_attribute(text, len, place, seen, fault);
		if (err != CS_OK)
			return err;
		text += len;
		if (*text == ';' || *text == '&') {
			text++;
			if (*text == '\0' || *text == '?')
				return cs_fault_set(fault, CS_E_URI, "", "an empty attribute");
		}
	}
	if (*seen == 0)
		return cs_fault_set(fault, CS_E_URI, "", "the URI names nothing");
	return CS_OK;
}

/*
 * A value that may be compared as text. Trailing spaces are padding in Cryptoki's fields, so they
 * cannot be part of it.
 */
static enum cs_err take_text(const char *name, const void *value, size_t len, char *to, size_t size,
	struct cs_fault *fault)
{
	struct cs_fault why = {0};
	const char *text = value;

	if (len >= size)
		return cs_fault_set(fault, CS_E_URI, name, "longer than %zu bytes", size - 1);
	if (len > 0 && (text[0] == ' ' || text[len - 1] == ' '))
		return cs_fault_set(fault, CS_E_URI, name, "begins or ends with a space");
	if (cs_text_check(text, len, 0, &why) != CS_OK)
		return cs_fault_set(fault, CS_E_URI, name, "%s", why.detail);
	memcpy(to, text, len);
	to[len] = '\0';
	return CS_OK;
}

static bool was_seen(const char *name, unsigned seen)
{
	for (size_t row = 0; row < ATTRIBUTES; row++)
		if (strcmp(attributes[row].name, name) == 0)
			return (seen & 1u << row) != 0;
	return false;
}

/* p11-kit fills a Cryptoki field with blanks; without the attribute it is zeros. */
static enum cs_err take_field(const char *name, const unsigned char *field, size_t field_len,
	char *to, struct cs_fault *fault)
{
	size_t len = field_len;

	while (len > 0 && field[len - 1] == ' ')
		len--;
	if (len == 0)
		return cs_fault_set(
			fault, CS_E_URI, name, "'%s' is blank and would match anything", name);
	return take_text(name, field, len, to, field_len + 1, fault);
}

static enum cs_err take_fields(
	P11KitUri *uri, unsigned seen, struct cs_token_uri *out, struct cs_fault *fault)
{
	const CK_TOKEN_INFO *token = p11_kit_uri_get_token_info(uri);
	const CK_SLOT_INFO *slot = p11_kit_uri_get_slot_info(uri);
	const CK_INFO *library = p11_kit_uri_get_module_info(uri);
	const struct {
		const char *name;
		const unsigned char *field;
		size_t len;
		char *to;
	} fields[] = {
		{"token", token->label, sizeof token->label, out->token},
		{"manufacturer", token->manufacturerID, sizeof token->manufacturerID,
			out->manufacturer},
		{"model", token->model, sizeof token->model, out->model},
		{"serial", token->serialNumber, sizeof token->serialNumber, out->serial},
		{"slot-description", slot->slotDescription, sizeof slot->slotDescription,
			out->slot_description},
		{"slot-manufacturer", slot->manufacturerID, sizeof slot->manufacturerID,
			out->slot_manufacturer},
		{"library-description", library->libraryDescription,
			sizeof library->libraryDescription, out->library_description},
		{"library-manufacturer", library->manufacturerID, sizeof library->manufacturerID,
			out->library_manufacturer},
	};

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		if (!was_seen(fields[i].name, seen))
			continue;
		enum cs_err err = take_field(
			fields[i].name, fields[i].field, fields[i].len, fields[i].to, fault);
		if (err != CS_OK)
			return err;
	}
	return CS_OK;
}

static enum cs_err take_object(P11KitUri *uri, struct cs_token_uri *out, struct cs_fault *fault)
{
	const CK_ATTRIBUTE *label = p11_kit_uri_get_attribute(uri, CKA_LABEL);
	const CK_ATTRIBUTE *id = p11_kit_uri_get_attribute(uri, CKA_ID);
	const CK_ATTRIBUTE *class = p11_kit_uri_get_attribute(uri, CKA_CLASS);

	if (label != NULL) {
		enum cs_err err = take_text("object", label->pValue, label->ulValueLen, out->object,
			sizeof out->object, fault);
		if (err != CS_OK)
			return err;
	}
	if (id != NULL) {
		if (id->ulValueLen > sizeof out->id)
			return cs_fault_set(
				fault, CS_E_URI, "id", "longer than %zu bytes", sizeof out->id);
		memcpy(out->id, id->pValue, id->ulValueLen);
		out->id_len = id->ulValueLen;
	}
	if (class != NULL && class->ulValueLen == sizeof out->class) {
		memcpy(&out->class, class->pValue, sizeof out->class);
		out->has_class = true;
	}
	return CS_OK;
}

static enum cs_err take_rest(
	P11KitUri *uri, unsigned demand, struct cs_token_uri *out, struct cs_fault *fault)
{
	const char *path = p11_kit_uri_get_module_path(uri);

	if (p11_kit_uri_get_slot_id(uri) != (CK_SLOT_ID)-1) {
		out->has_slot = true;
		out->slot = p11_kit_uri_get_slot_id(uri);
	}
	if (path != NULL) {
		enum cs_err err = take_text("module-path", path, strlen(path), out->module_path,
			sizeof out->module_path, fault);
		if (err != CS_OK)
			return err;
		if (path[0] != '/')
			return cs_fault_set(fault, CS_E_URI, "module-path", "not an absolute path");
	}
	if ((demand & CS_URI_TOKEN) && out->token[0] == '\0' && out->serial[0] == '\0' &&
		!out->has_slot)
		return cs_fault_set(fault, CS_E_URI, "token",
			"names no token: token, serial or slot-id is needed");
	if ((demand & CS_URI_KEY) && out->object[0] == '\0' && out->id_len == 0)
		return cs_fault_set(
			fault, CS_E_URI, "object", "names no key: object or id is needed");
	if ((demand & CS_URI_KEY) && out->has_class && out->class != CKO_PRIVATE_KEY &&
		out->class != CKO_PUBLIC_KEY)
		return cs_fault_set(fault, CS_E_URI, "type", "not the type of a key that signs");
	return CS_OK;
}

enum cs_err cs_token_uri_parse(
	const char *text, unsigned demand, struct cs_token_uri *ret_uri, struct cs_fault *fault)
{
	struct cs_token_uri out = {0};
	unsigned seen = 0;
	enum cs_err err = check_shape(text, &seen, fault);

	if (err != CS_OK)
		return err;
	P11KitUri *uri = p11_kit_uri_new();
	if (uri == NULL)
		return cs_fault_set(fault, CS_E_NOMEM, "", "out of memory");
	int result = p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, uri);
	if (result != P11_KIT_URI_OK) {
		err = cs_fault_set(fault, CS_E_URI, "", "%s", p11_kit_uri_message(result));
		goto out;
	}
	/*
	 * Known names only, so what is left is a value that p11-kit dropped: too long, or a type
	 * that does not exist.
	 */
	if (p11_kit_uri_any_unrecognized(uri)) {
		err = cs_fault_set(fault, CS_E_URI, "",
			"a value that is too long for its field, or an unknown type");
		goto out;
	}
	err = take_fields(uri, seen, &out, fault);
	if (err == CS_OK)
		err = take_object(uri, &out, fault);
	if (err == CS_OK)
		err = take_rest(uri, demand, &out, fault);
	if (err == CS_OK)
		*ret_uri = out;
out:
	p11_kit_uri_free(uri);
	return err;
}
