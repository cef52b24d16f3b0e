/*
 * The token that a subcommand works on: module, token and PIN from its options.
 *
 * Options: --module PATH, --token URI, --pin-file FILE (without it the PIN is asked for on the
 * terminal), --label LABEL.
 */
#ifndef CS_TOKEN_ACCESS_H
#define CS_TOKEN_ACCESS_H

#include "arguments.h"
#include "pkcs11/sign.h"

struct cs_token_access {
	struct cs_module *module;
	struct cs_token *token;
	struct cs_pin *pin;
	struct cs_token_key *key;
	struct cs_public_key public_key; /* of `key` */
};

/*
 * Opens the token and logs in. Zero-initialise `access` first. `what` (may be NULL) is told to
 * the person whose PIN is asked for; it is shown as foreign text. Errors of cs_module_open,
 * cs_token_uri_parse, cs_token_open, cs_pin_from_file, cs_pin_prompt, cs_token_login.
 */
CS_MUST_CHECK enum cs_err cs_token_access_open(const struct cs_call *call, const char *what,
	struct cs_token_access *access, struct cs_fault *fault);
/*
 * The same, and finds the key by --label with its public key. Errors of cs_token_key_find;
 * CS_E_KEY without a public key.
 */
CS_MUST_CHECK enum cs_err cs_token_access_open_key(const struct cs_call *call, const char *what,
	struct cs_token_access *access, struct cs_fault *fault);

void cs_token_access_close(struct cs_token_access *access);
#define CS_CLEANUP_ACCESS __attribute__((cleanup(cs_token_access_close)))

/* The token's URI by model, serial and label, percent-encoded (RFC 7512 section 2.3). */
CS_MUST_CHECK enum cs_err cs_token_access_uri(
	const struct cs_token_identity *identity, struct cs_bytes *out);

#endif
