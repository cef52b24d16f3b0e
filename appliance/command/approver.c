#include "approver.h"
#include "file.h"
#include "pinned.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

#define CONFIG_MAX (64 * 1024)

void cs_approver_free(struct cs_approver *approver)
{
	if (approver == NULL)
		return;
	cs_policy_free(approver->policy);
	cs_trust_free(approver->trust);
	cs_schema_registry_free(approver->registry);
	json_decref(approver->config);
	free(approver);
}

void cs_approver_cleanup(struct cs_approver **approver)
{
	cs_approver_free(*approver);
}

static enum cs_err check_config(const json_t *config, const char *path, struct cs_fault *fault)
{
	static const char *const needed[] = {"person", "kid", "module", "token", "label",
		"trust_directory", "trust_genesis", "policy_directory", "policy_genesis"};
	size_t count = sizeof needed / sizeof needed[0];
	const json_t *accepted = json_object_get(config, "policy_accepted");
	const json_t *address;
	size_t i;

	if (!json_is_object(config))
		return cs_fault_set(fault, CS_E_CONFIG, path, "the settings are no object");
	for (i = 0; i < count; i++)
		if (cs_json_text(config, needed[i]) == NULL)
			return cs_fault_set(fault, CS_E_CONFIG, path,
				"'%s' is missing or no string", needed[i]);
	if (json_object_get(config, "origin") != NULL) {
		count++;
		if (cs_json_text(config, "origin") == NULL)
			return cs_fault_set(fault, CS_E_CONFIG, path, "'origin' is no string");
	}
	if (accepted != NULL) {
		count++;
		if (!json_is_array(accepted) ||
			json_array_size(accepted) > CS_POLICIES_ACCEPTED_MAX)
			return cs_fault_set(fault, CS_E_CONFIG, path,
				"'policy_accepted' is no array of at most %d addresses",
				CS_POLICIES_ACCEPTED_MAX);
		json_array_foreach(accepted, i, address) {
			if (!json_is_string(address) || !cs_address_ok(json_string_value(address)))
				return cs_fault_set(fault, CS_E_CONFIG, path,
					"'policy_accepted' holds something else than addresses");
		}
	}
	if (json_object_size(config) != count)
		return cs_fault_set(
			fault, CS_E_CONFIG, path, "there is a member that is not known");
	return CS_OK;
}

/*
 * The audience of an approval comes from the pinned trust set, never from the appliance that
 * asks.
 */
static enum cs_err find_audience(
	struct cs_approver *approver, const char *path, struct cs_fault *fault)
{
	const char *origin = cs_json_text(approver->config, "origin");
	const json_t *appliances =
		json_object_get(cs_trust_document(approver->trust), "appliances");

	if (origin != NULL) {
		if (cs_trust_appliance(approver->trust, origin) == NULL)
			return cs_fault_set(fault, CS_E_CONFIG, path,
				"the trust set has no appliance with origin '%s'", origin);
		approver->audience = origin;
		return CS_OK;
	}
	if (json_array_size(appliances) != 1)
		return cs_fault_set(fault, CS_E_CONFIG, path,
			"the trust set has %zu appliances: 'origin' must name one",
			json_array_size(appliances));
	approver->audience = cs_json_text(json_array_get(appliances, 0), "origin");
	return CS_OK;
}

static enum cs_err load_pinned(struct cs_approver *approver, cs_time now, struct cs_fault *fault)
{
	const char *accepted[CS_POLICIES_ACCEPTED_MAX + 1] = {NULL};
	const json_t *address;
	size_t i;
	enum cs_err err = cs_schema_registry_embedded(&approver->registry);

	json_array_foreach(json_object_get(approver->config, "policy_accepted"), i, address) {
		accepted[i] = json_string_value(address);
	}
	if (err == CS_OK)
		err = cs_pinned_trust(approver->registry,
			cs_json_text(approver->config, "trust_directory"),
			cs_json_text(approver->config, "trust_genesis"), now, &approver->trust,
			fault);
	if (err == CS_OK)
		err = cs_pinned_policy(approver->registry,
			cs_json_text(approver->config, "policy_directory"),
			cs_json_text(approver->config, "policy_genesis"),
			cs_trust_keyring(approver->trust), now, accepted, false, &approver->policy,
			fault);
	return err;
}

enum cs_err cs_approver_load(
	const char *path, cs_time now, struct cs_approver **ret_approver, struct cs_fault *fault)
{
	CS_CLEANUP_APPROVER struct cs_approver *approver = calloc(1, sizeof *approver);
	enum cs_err err;

	if (approver == NULL)
		return CS_E_NOMEM;
	err = cs_file_read_json(path, CONFIG_MAX, &approver->config, fault);
	if (err == CS_OK)
		err = check_config(approver->config, path, fault);
	if (err != CS_OK)
		return err;
	approver->person = cs_json_text(approver->config, "person");
	approver->kid = cs_json_text(approver->config, "kid");
	approver->module_path = cs_json_text(approver->config, "module");
	approver->token_uri = cs_json_text(approver->config, "token");
	approver->label = cs_json_text(approver->config, "label");
	err = load_pinned(approver, now, fault);
	if (err == CS_OK)
		err = find_audience(approver, path, fault);
	if (err == CS_OK)
		err = cs_keyring_key_at(cs_trust_keyring(approver->trust), approver->kid,
			"kye.approval_decision.v1", approver->person, now, "kid",
			&approver->enrolled, fault);
	if (err != CS_OK)
		return err;
	*ret_approver = approver;
	approver = NULL;
	return CS_OK;
}

void cs_approver_token_close(struct cs_approver_token *token)
{
	cs_token_key_free(token->key);
	cs_token_close(token->token);
	cs_module_close(token->module);
	cs_pin_free(token->pin);
}

enum cs_err cs_approver_token_open(
	const struct cs_approver *approver, struct cs_approver_token *token, struct cs_fault *fault)
{
	struct cs_token_uri uri;
	enum cs_err err = cs_token_uri_parse(approver->token_uri, CS_URI_TOKEN, &uri, fault);

	if (err == CS_OK)
		err = cs_module_open(approver->module_path, &token->module, fault);
	if (err == CS_OK)
		err = cs_token_open(token->module, &uri, &token->token, fault);
	if (err != CS_OK)
		return err;
	const struct cs_token_identity *identity = cs_token_identity(token->token);
	if (strcmp(identity->product, approver->enrolled->product) != 0 ||
		strcmp(identity->serial, approver->enrolled->serial) != 0)
		return cs_fault_set(fault, CS_E_TRUST_TOKEN, "token",
			"'%s' was enrolled on the token %s %s; this is %s %s", approver->kid,
			approver->enrolled->product, approver->enrolled->serial, identity->product,
			identity->serial);
	return CS_OK;
}

static enum cs_err ask_for_pin(struct cs_approver_token *token, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes prompt = {0};
	const char *label = cs_token_identity(token->token)->label;

	cs_bytes_add_text(&prompt, "PIN of the token \"");
	cs_text_show(label, strlen(label), 0, 0, &prompt);
	cs_bytes_add_text(&prompt, "\": ");
	if (cs_bytes_check(&prompt) != CS_OK)
		return CS_E_NOMEM;
	return cs_pin_prompt((const char *)prompt.data, &token->pin, fault);
}

enum cs_err cs_approver_token_login(
	const struct cs_approver *approver, struct cs_approver_token *token, struct cs_fault *fault)
{
	enum cs_err err = ask_for_pin(token, fault);

	if (err == CS_OK)
		err = cs_token_login(token->token, token->pin, 0, fault);
	if (err == CS_OK)
		err = cs_token_key_find(token->token, approver->label, NULL, 0, &token->key, fault);
	if (err != CS_OK)
		return err;
	const struct cs_public_key *shown = cs_token_key_public(token->key);
	if (shown != NULL && !cs_public_key_equal(shown, &approver->enrolled->key))
		return cs_fault_set(fault, CS_E_KEY_UNKNOWN, "label",
			"the key '%s' on the token is not the enrolled '%s'", approver->label,
			approver->kid);
	return cs_token_signer_set(&token->signer, token->key, approver->kid,
		&approver->enrolled->key, token->pin, fault);
}
