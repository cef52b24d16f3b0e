#include "signer_keys.h"
#include "rule.h"
#include "pkcs11/sign.h"

#include <stdlib.h>
#include <string.h>

struct cs_signer_keys {
	struct cs_module *module;
	struct cs_pin *pin;
	struct cs_token *token;
	struct cs_token_key *key[CS_SIGNER_KEY_COUNT];
	struct cs_token_signer signer[CS_SIGNER_KEY_COUNT];
	char *kid[CS_SIGNER_KEY_COUNT];
};

/* What each key is for: its member in the trust set's appliance and the only usage it may have. */
static const struct {
	const char *member;
	enum cs_usage usage;
} roles[CS_SIGNER_KEY_COUNT] = {
	[CS_SIGNER_SEAL] = {"seal_key", CS_USAGE_SEAL},
	[CS_SIGNER_CHECKPOINT] = {"checkpoint_key", CS_USAGE_CHECKPOINT},
	[CS_SIGNER_DOCUMENT] = {"document_key", CS_USAGE_DOCUMENT},
};

static enum cs_err open_pin(const struct cs_signer_keys_settings *settings, struct cs_pin **ret_pin,
	struct cs_fault *fault)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");

	if (settings->pin_file != NULL && settings->pin_credential == NULL)
		return cs_pin_from_file(settings->pin_file, ret_pin, fault);
	if (settings->pin_credential == NULL || settings->pin_file != NULL)
		return cs_fault_set(fault, CS_E_CONFIG, "[signer] pin_file",
			"give one of pin_file and pin_credential");
	if (directory == NULL)
		return cs_fault_set(fault, CS_E_PIN_SOURCE, "[signer] pin_credential",
			"the service manager passed no credentials");
	return cs_pin_from_credential(directory, settings->pin_credential, ret_pin, fault);
}

/*
 * The trust set's key for this purpose; its usage is fixed by the purpose, so that no key is ever
 * used for another.
 */
static enum cs_err pinned_key(const struct cs_trust *trust, const char *origin,
	enum cs_signer_key which, const struct cs_key_info **ret_info, struct cs_fault *fault)
{
	const char *kid = cs_json_text(cs_trust_appliance(trust, origin), roles[which].member);
	const struct cs_key_info *info =
		kid != NULL ? cs_keyring_find(cs_trust_keyring(trust), kid) : NULL;

	if (info == NULL)
		return cs_fault_set(fault, CS_E_KEY_UNKNOWN, roles[which].member,
			"the trust set names no such key for the log '%s'", origin);
	if (cs_rule_on(CS_RULE_USAGE) && info->usage != roles[which].usage)
		return cs_fault_set(fault, CS_E_KEY_USAGE, roles[which].member,
			"%s has the usage '%s'", kid, cs_usage_name(info->usage));
	*ret_info = info;
	return CS_OK;
}

static enum cs_err open_key(struct cs_signer_keys *k,
	const struct cs_signer_keys_settings *settings, const struct cs_trust *trust,
	const char *origin, enum cs_signer_key which, struct cs_fault *fault)
{
	const struct cs_key_info *info;
	const struct cs_public_key *shown;
	enum cs_err err = pinned_key(trust, origin, which, &info, fault);

	if (err == CS_OK)
		err = cs_token_key_find(
			k->token, settings->label[which], NULL, 0, &k->key[which], fault);
	if (err != CS_OK)
		return err;
	shown = cs_token_key_public(k->key[which]);
	if (shown != NULL && !cs_public_key_equal(shown, &info->key))
		return cs_fault_set(fault, CS_E_KEY, roles[which].member,
			"the token's key '%s' is not the trust set's %s", settings->label[which],
			info->kid);
	k->kid[which] = strdup(info->kid);
	if (k->kid[which] == NULL)
		return CS_E_NOMEM;
	return cs_token_signer_set(
		&k->signer[which], k->key[which], k->kid[which], &info->key, k->pin, fault);
}

enum cs_err cs_signer_keys_open(const struct cs_signer_keys_settings *settings,
	const struct cs_trust *trust, const char *origin, struct cs_signer_keys **ret_keys,
	struct cs_fault *fault)
{
	struct cs_signer_keys *k = calloc(1, sizeof *k);
	struct cs_token_uri uri;
	enum cs_err err = k == NULL
				  ? CS_E_NOMEM
				  : cs_token_uri_parse(settings->token, CS_URI_TOKEN, &uri, fault);

	if (err == CS_OK)
		err = open_pin(settings, &k->pin, fault);
	if (err == CS_OK)
		err = cs_module_open(settings->module, &k->module, fault);
	if (err == CS_OK)
		err = cs_token_open(k->module, &uri, &k->token, fault);
	if (err == CS_OK)
		err = cs_token_login(k->token, k->pin, 0, fault);
	for (int which = 0; err == CS_OK && which < CS_SIGNER_KEY_COUNT; which++)
		err = open_key(k, settings, trust, origin, (enum cs_signer_key)which, fault);
	if (err != CS_OK) {
		cs_signer_keys_close(k);
		return err;
	}
	*ret_keys = k;
	return CS_OK;
}

void cs_signer_keys_close(struct cs_signer_keys *keys)
{
	if (keys == NULL)
		return;
	for (int which = 0; which < CS_SIGNER_KEY_COUNT; which++) {
		cs_token_key_free(keys->key[which]);
		free(keys->kid[which]);
	}
	cs_token_close(keys->token);
	cs_module_close(keys->module);
	cs_pin_free(keys->pin);
	free(keys);
}

enum cs_err cs_signer_keys_ready(struct cs_signer_keys *keys, struct cs_fault *fault)
{
	enum cs_err err = cs_token_check(keys->token, fault);

	return err == CS_OK ? CS_OK : cs_token_recover(keys->token, keys->pin, fault);
}

const struct cs_fault *cs_signer_keys_fault(const struct cs_signer_keys *keys)
{
	for (int which = 0; which < CS_SIGNER_KEY_COUNT; which++)
		if (keys->signer[which].fault.detail[0] != '\0')
			return &keys->signer[which].fault;
	return NULL;
}

const struct cs_signer *cs_signer_keys_get(
	const struct cs_signer_keys *keys, enum cs_signer_key which)
{
	return &keys->signer[which].signer;
}

const char *cs_signer_keys_product(const struct cs_signer_keys *keys)
{
	return cs_token_identity(keys->token)->product;
}

const char *cs_signer_keys_serial(const struct cs_signer_keys *keys)
{
	return cs_token_identity(keys->token)->serial;
}
