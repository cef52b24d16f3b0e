/*
 * Signs any JSON document inline with a token key: what no shipped program does, and what tests need to show that a well-signed wrong document is
 * refused.
 *
 *	forge MODULE TOKEN-URI LABEL PIN-FILE KID <document >signed
 */
#include <countersign/limits.h>
#include "common/file.h"
#include "jose.h"
#include "pkcs11/sign.h"

#include <sodium.h>
#include <stdio.h>

static enum cs_err forge(char **argument, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *doc = NULL;
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	CS_CLEANUP_PIN struct cs_pin *pin = NULL;
	CS_CLEANUP_MODULE struct cs_module *module = NULL;
	CS_CLEANUP_TOKEN struct cs_token *token = NULL;
	CS_CLEANUP_TOKEN_KEY struct cs_token_key *key = NULL;
	struct cs_token_signer signer = {0};
	struct cs_token_uri uri;
	enum cs_err err = cs_file_read_json("-", CS_MESSAGE_MAX, &doc, fault);

	if (err == CS_OK)
		err = cs_pin_from_file(argument[4], &pin, fault);
	if (err == CS_OK)
		err = cs_module_open(argument[1], &module, fault);
	if (err == CS_OK)
		err = cs_token_uri_parse(argument[2], CS_URI_TOKEN, &uri, fault);
	if (err == CS_OK)
		err = cs_token_open(module, &uri, &token, fault);
	if (err == CS_OK)
		err = cs_token_login(token, pin, 0, fault);
	if (err == CS_OK)
		err = cs_token_key_find(token, argument[3], NULL, 0, &key, fault);
	if (err == CS_OK)
		err = cs_token_signer_set(&signer, key, argument[5], cs_token_key_public(key), pin, fault);
	if (err == CS_OK)
		err = cs_inline_sign(doc, &signer.signer, false);
	if (err == CS_OK)
		err = cs_canonical_print(doc, &text);
	if (err == CS_OK && fwrite(text.data, 1, text.len, stdout) != text.len)
		err = CS_E_IO;
	return err;
}

int main(int argc, char **argv)
{
	struct cs_fault fault = {0};

	if (sodium_init() < 0 || argc != 6) {
		fputs("usage: forge MODULE TOKEN-URI LABEL PIN-FILE KID <document >signed\n", stderr);
		return 2;
	}
	enum cs_err err = forge(argv, &fault);
	if (err != CS_OK)
		fprintf(stderr, "error: %s: %s %s\n", cs_err_name(err), fault.path, fault.detail);
	return err == CS_OK ? 0 : 1;
}
