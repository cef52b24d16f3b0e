#include "token_access.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

void cs_token_access_close(struct cs_token_access *access)
{
	cs_token_key_free(access->key);
	cs_token_close(access->token);
	cs_module_close(access->module);
	cs_pin_free(access->pin);
}

static enum cs_err ask_for_pin(const struct cs_token *token, const char *what,
	struct cs_pin **ret_pin, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes prompt = {0};
	const char *label = cs_token_identity(token)->label;

	if (what != NULL) {
		cs_text_show(what, strlen(what), 0, 0, &prompt);
		cs_bytes_add_text(&prompt, "\n");
	}
	cs_bytes_add_text(&prompt, "PIN of the token \"");
	cs_text_show(label, strlen(label), 0, 0, &prompt);
	cs_bytes_add_text(&prompt, "\": ");
	if (cs_bytes_check(&prompt) != CS_OK)
		return CS_E_NOMEM;
	return cs_pin_prompt((const char *)prompt.data, ret_pin, fault);
}

enum cs_err cs_token_access_open(const struct cs_call *call, const char *what,
	struct cs_token_access *access, struct cs_fault *fault)
{
	const char *pin_file = cs_call_value(call, "pin-file");
	struct cs_token_uri uri;
	enum cs_err err =
		cs_token_uri_parse(cs_call_value(call, "token"), CS_URI_TOKEN, &uri, fault);

	if (err == CS_OK)
		err = cs_module_open(cs_call_value(call, "module"), &access->module, fault);
	if (err == CS_OK)
		err = cs_token_open(access->module, &uri, &access->token, fault);
	if (err == CS_OK)
		err = pin_file != NULL ? cs_pin_from_file(pin_file, &access->pin, fault)
				       : ask_for_pin(access->token, what, &access->pin, fault);
	return err == CS_OK ? cs_token_login(access->token, access->pin, 0, fault) : err;
}

enum cs_err cs_token_access_open_key(const struct cs_call *call, const char *what,
	struct cs_token_access *access, struct cs_fault *fault)
{
	const char *label = cs_call_value(call, "label");
	const struct cs_public_key *key;
	enum cs_err err = cs_token_access_open(call, what, access, fault);

	if (err == CS_OK)
		err = cs_token_key_find(access->token, label, NULL, 0, &access->key, fault);
	if (err != CS_OK)
		return err;
	key = cs_token_key_public(access->key);
	if (key == NULL)
		return cs_fault_set(fault, CS_E_KEY, label, "the token shows no public key for it");
	access->public_key = *key;
	return CS_OK;
}

static void add_attribute(struct cs_bytes *out, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	cs_bytes_addf(out, "%s%s=", out->data[out->len - 1] == ':' ? "" : ";", name);
	for (const char *c = value; *c != '\0'; c++) {
		unsigned char byte = (unsigned char)*c;
		bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
			     (byte >= '0' && byte <= '9') || strchr("-._~", byte) != NULL;
		cs_bytes_addf(out, plain ? "%c" : "%%%02X", byte);
	}
}

enum cs_err cs_token_access_uri(const struct cs_token_identity *identity, struct cs_bytes *out)
{
	enum cs_err err = cs_bytes_add_text(out, "pkcs11:");

	if (err != CS_OK)
		return err;
	add_attribute(out, "model", identity->model);
	add_attribute(out, "serial", identity->serial);
	add_attribute(out, "token", identity->label);
	return cs_bytes_check(out);
}
